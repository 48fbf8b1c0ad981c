/* policy/lint.h - the parts of lint; private to the lint*.c files.
 *
 * Each looks at the policy as loaded and reports places in the file. The
 * document is the same text: entry i of a list there is entry i here.
 */
#ifndef LINT_H
#define LINT_H

#include "catalog.h"
#include "jsonc.h"
#include "loaded.h"
#include "policy_tools.h"

struct lint {
	struct policy *policy;
	const struct jsonc *doc;
	struct catalog *catalog;       /* NULL: none */
	struct lint_finding *findings; /* owned */
	size_t n, room;
};

/* The names of checks, as they are printed. */
#define LINT_SHADOWED "shadowed"           /* never reached: an earlier entry takes all that it fits */
#define LINT_UNUSED "unused"               /* nobody gets this profile */
#define LINT_CONTRADICTION "contradiction" /* allowed here, denied there */
#define LINT_REDUNDANT "redundant"         /* says what another entry says already */
#define LINT_NO_LIMIT "no_limit"           /* a limit of 0 */
#define LINT_NO_EFFECT "no_effect"         /* changes nothing */
#define LINT_LEAK "leak"                   /* opens what shows more than it seems to */
#define LINT_FORGEABLE "forgeable"         /* rests on what the client says */
#define LINT_NO_MATCH "no_match"           /* the catalog holds nothing of that name */
#define LINT_REFUSED "refused"             /* what it speaks of stays or becomes closed */

/* About entry i of a list of the profile ("tables.deny"), or about a member of it ("limits.max_rows"). */
#define LINT_MEMBER SIZE_MAX
void lint_found(struct lint *, const struct profile *, const char *list, size_t i, const char *check, const char *fmt, ...)
    printf_like(6, 7);
/* About entry i of assign, or with profile set about the profile itself. */
void lint_found_assign(struct lint *, size_t i, const char *check, const char *fmt, ...) printf_like(4, 5);
void lint_found_profile(struct lint *, const struct profile *, const char *check, const char *fmt, ...) printf_like(4, 5);
/* The profile's member in the file: "limits". NULL when it is not there. */
const cJSON *lint_member(const struct lint *, const struct profile *, const char *dotted);

/* Every text that b matches a matches, too. May say no where that is so. */
bool glob_covers(const char *a, const char *b);

void lint_assignments(struct lint *);                         /* lint_assign.c */
void lint_profile(struct lint *, const struct profile *);     /* lint_profile.c */
void lint_columns(struct lint *, const struct profile *);     /* lint_columns.c */
void lint_against_catalog(struct lint *, const struct profile *); /* lint_catalog.c; only with a catalog */

#endif
