/* policy/scope.h - which names mean a CTE here, as PostgreSQL sees it.
 *
 * Names are pushed when their WITH item becomes visible and popped, in
 * reverse order, when the statement that owns the WITH ends. A plain WITH
 * item sees the items before it; WITH RECURSIVE sees all of its siblings and
 * itself. Only unqualified names are looked up here, and never the target of
 * an INSERT, UPDATE, DELETE or MERGE.
 */
#ifndef SCOPE_H
#define SCOPE_H

#include "base.h"

struct CommonTableExpr;

struct scope_name {
	const char *name; /* borrowed from the tree */
	const struct CommonTableExpr *cte;
	size_t below; /* next of the bucket: index + 1, 0 ends */
};

struct scope {
	struct scope_name *names; /* owned; a stack */
	size_t n, room;
	size_t *buckets; /* owned; index + 1 of the innermost name */
};

/* Zero initialise. */
void scope_release(struct scope *);
void scope_push(struct scope *, const char *name, const struct CommonTableExpr *);
void scope_pop_to(struct scope *, size_t n);                                      /* n as scope.n was */
const struct CommonTableExpr *scope_find(const struct scope *, const char *name); /* NULL: not a CTE */

#endif
