/* include/policy_tools.h - what `pgmoat policy` tells people about a policy.
 *
 * Pure, like the rest of the library: text in, text out. Nothing here judges,
 * and nothing of it is needed to serve.
 */
#ifndef POLICY_TOOLS_H
#define POLICY_TOOLS_H

#include "policy.h"

/* The JSON Schema (draft 2020-12) of the policy file, made of the loader's own tables. */
void policy_schema(struct sb *);

/* The rules that hold under a profile, absent keys filled in, and what server
 * connections are started with. who: which assignment chose the profile, and
 * the values of "session"; NULL when it was chosen by name. The mask key is
 * never part of it. As JSON, "rules" is a profile of the policy language. */
void policy_show(const struct policy *, const struct profile *, const struct principal *who, bool json, struct sb *);

/* Something in a file that loads, but hardly means what it says. Borrowed until the callback returns. */
struct policy_finding {
	unsigned line, column; /* of the entry */
	const char *path;      /* "profiles.agent.tables.deny[0]" */
	const char *check;     /* stable: shadowed, unused, contradiction, redundant, no_match... */
	const char *message;
};

/* Calls f for each finding, in the order of the file. catalog NULL: only what
 * the text itself shows. False, and its errors, when the file does not load. */
struct catalog;
bool policy_lint(const char *name, const char *text, size_t, struct catalog *,
    void (*f)(void *arg, const struct policy_finding *), void *arg, struct sb *errors);

#endif
