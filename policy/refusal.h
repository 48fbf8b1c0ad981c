/* policy/refusal.h - why a text is blocked. */
#ifndef REFUSAL_H
#define REFUSAL_H

#include "facts.h"
#include "rights.h"

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
 * facts are asked in the order in which the walk found them. With rights (NULL:
 * only names are known) relations are judged as the objects that they are, and
 * calls are left to the analysis. */
bool decide(const struct profile *, struct rights *, const struct facts *, unsigned judge_flags, struct refusal *);
/* The rest of it for statements that the analysis did not cover: calls by their names. */
bool decide_calls(const struct profile *, struct rights *, const struct facts *, struct refusal *);

/* decide_object.c: by_name tells that the catalog has no such relation, and the name decides. */
bool decide_relation(struct rights *, const struct fact *, bool *by_name, struct refusal *);
bool decide_unguarded(struct rights *, const struct fact *, struct refusal *);

#endif
