/* policy/refusal.h - why a text is blocked. */
#ifndef REFUSAL_H
#define REFUSAL_H

#include "facts.h"

struct refusal {
	enum rule rule;
	const char *sqlstate; /* static */
	char *message;        /* owned */
	int location;         /* byte in the text; -1 unknown */
	int position;         /* when the parser gave one: 1-based, in characters; else 0 */
};

/* Fills it and answers false, so that `return refuse(...)` reads well. */
bool refuse(struct refusal *, enum rule, int location, const char *fmt, ...) printf_like(4, 5);
void refusal_release(struct refusal *);

/* May this happen under this profile? On false the refusal says why not. The
 * facts are asked in the order in which the walk found them. */
bool decide(const struct profile *, const struct facts *, unsigned judge_flags, struct refusal *);

#endif
