/* policy/rewrite.h - changes to a text that was allowed, as splices.
 *
 * A LIMIT for what has none or a larger one, READ ONLY for READ WRITE, a
 * smaller FETCH. Everything is replaced at places that the parse tree names;
 * the result is parsed again and must say the same, else the splices are
 * dropped and the proxy's own count of rows remains. Only a LIMIT behind a
 * plain SELECT needs no second parse: what it means is settled by the first.
 */
#ifndef REWRITE_H
#define REWRITE_H

#include "facts.h"
#include "substitute.h"

struct rewrite {
	struct splice *splices; /* owned, in the order of the text */
	struct sb added;        /* what the splices add, one after the other */
	size_t n, room;
	size_t required;    /* how many of them must not be dropped */
	int64_t max_rows;   /* 0: rows are not limited by text */
	bool settled;       /* one LIMIT behind a plain SELECT: rewrite_holds() would say yes */
	const char *notice; /* static or NULL */
};

/* Finds what has to change, and notes in the facts which statements cannot
 * return more rows than the cap lets through. */
void rewrite_plan(struct rewrite *, const struct tree *, struct facts *, const struct profile *, const char *sql);
/* Adds edits of a substitution to the splices. False: one lies over another. */
bool rewrite_merge(struct rewrite *, const struct edits *) must_check;
void rewrite_release(struct rewrite *);

/* The new text, NUL-terminated; caller frees. NULL when memory is gone. */
char *rewrite_apply(const struct rewrite *, const char *sql, size_t len, size_t *new_len);

/* Does the tree of the new text have what was spliced, and say the same else?
 * substituted: the facts may differ, but not what kinds of statements there are. */
bool rewrite_holds(
    const struct rewrite *, const struct tree *, const struct facts *was, const struct facts *now, bool substituted);

#endif
