/* policy/substitute.h - from what the analysis noted to changes of the text.
 *
 * Each guarded relation becomes its subquery, schema.table.column loses the
 * schema where the table became a subquery, and arguments that name an object
 * only when the statement runs are checked there and then. The tree tells
 * where a name begins; where it ends is found by reading words (tokens.h).
 * What cannot be found for certain is a refusal.
 *
 * The caller merges the edits with its own, applies them, and parses and
 * analyzes the result again.
 */
#ifndef SUBSTITUTE_H
#define SUBSTITUTE_H

#include "analyze.h"
#include "definitions.h"

/* In the order of the text, none over another. Several insertions may share
 * one place; they are in the order in which they are to stand. */
struct edit {
	size_t at, removed; /* bytes of the client's text */
	char *text;         /* owned; what comes instead */
	int rank;           /* of those at one place: closing ones, opening ones, replacements */
	size_t order;
};

struct edits {
	struct edit *items; /* owned */
	size_t n, room;
};

/* For every site, unqualified name and wrap. restricted: what the wraps keep
 * back; may be NULL when there are none. False: the statement cannot be
 * substituted, why says what of it. Release the edits in both cases. */
bool substitute_plan(struct edits *, const struct analysis *, const struct catalog *, const struct restricted_objects *,
    const char *sql, size_t len, struct err *why) must_check;
void edits_release(struct edits *);

/* The new text, NUL-terminated; caller frees. NULL when memory is gone. */
char *edits_apply(const struct edits *, const char *sql, size_t len, size_t *new_len);

/* Which argument of a built-in function is to be wrapped, and how. False: none.
 * Names are of pg_catalog; every number of arguments that the function has. */
bool wrap_needed(const char *function, enum wrap_kind *what, unsigned *argument);

#endif
