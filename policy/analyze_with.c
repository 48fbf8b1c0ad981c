/* policy/analyze_with.c - WITH: which names are CTEs where, and what columns they have.
 *
 * A plain item sees those before it. Under RECURSIVE all siblings see each
 * other; one that is referred to before its turn has columns that we do not
 * know yet, and what is done with them is judged as if they were anything.
 */
#include "analyze_int.h"

#include <string.h>

static size_t
bucket_of(const char *name)
{
	uint32_t h = 2166136261u;

	for (; *name != '\0'; name++)
		h = (h ^ (uint8_t)*name) * 16777619u;
	return (h ^ h >> 16) % CTE_BUCKETS;
}

struct cte *
cte_find(const struct analyzer *a, const char *name)
{
	for (struct cte *c = a->ctes[bucket_of(name)]; c != NULL; c = c->below)
		if (strcmp(c->name, name) == 0)
			return c;
	return NULL;
}

static struct cte *
push(struct analyzer *a, const CommonTableExpr *n)
{
	struct cte **bucket = &a->ctes[bucket_of(n->ctename)], *c = arena_new(a, struct cte);

	*c = (struct cte){ .name = n->ctename, .columns = { .open = true }, .names = n->aliascolnames, .below = *bucket };
	*bucket = c;
	return c;
}

/* --- SEARCH and CYCLE ---------------------------------------------------------------- */

/* A row of the columns that are named, which is what these clauses collect and compare. */
static struct value_type
row_of_named(struct analyzer *a, const struct columns *cs, const List *names, int location)
{
	struct columns row = { .open = cs->open };

	for (int i = list_n(names) - 1; i >= 0 && !a->failed; i--) {
		const struct column *c = find_output(a, cs, name_at(names, i));

		if (c != NULL)
			(void)column_new(a, &row, c->name, use_column(a, NULL, c, location));
	}
	return shape_value(a, &row);
}

static void
add_cycle(struct analyzer *a, struct columns *cs, const CTECycleClause *c)
{
	struct value_type marks[2], path;

	if (c == NULL)
		return;
	path = row_of_named(a, cs, c->cycle_col_list, c->location);
	compare_values(a, "CYCLE", path, c->location);
	marks[0] = analyze_expr(a, c->cycle_mark_value);
	marks[1] = analyze_expr(a, c->cycle_mark_default);
	marks[0] = common_value(a, "CYCLE", marks, NULL, 2, c->location);
	compare_values(a, "CYCLE", marks[0], c->location);
	(void)column_new(a, cs, c->cycle_mark_column, marks[0]);
	(void)column_new(a, cs, c->cycle_path_column, array_of(a, path));
}

static void
add_search(struct analyzer *a, struct columns *cs, const CTESearchClause *s)
{
	struct value_type path;

	if (s == NULL)
		return;
	path = row_of_named(a, cs, s->search_col_list, s->location);
	(void)column_new(a, cs, s->search_seq_column, s->search_breadth_first ? path : array_of(a, path));
}

/* --- one item --------------------------------------------------------------------------- */

static void
analyze_cte(struct analyzer *a, struct cte *c, const CommonTableExpr *n, bool recursive)
{
	struct columns cs;

	if (n->location >= 0)
		a->place = n->location;
	if (recursive && IsA(n->ctequery, SelectStmt) && ((const SelectStmt *)n->ctequery)->op == SETOP_UNION) {
		cs = analyze_select(a, (const SelectStmt *)n->ctequery, c);
	} else {
		cs = analyze_query(a, n->ctequery);
	}
	columns_settle(a, &cs);
	columns_rename(a, &cs, n->aliascolnames, n->ctename, n->location);
	add_search(a, &cs, n->search_clause);
	add_cycle(a, &cs, n->cycle_clause);
	c->columns = cs;
}

size_t
with_push(struct analyzer *a, const WithClause *with)
{
	const int n = with != NULL ? list_n(with->ctes) : 0;
	struct cte **all = n > 0 ? arena_array(a, struct cte *, n) : NULL;

	for (int i = 0; with != NULL && with->recursive && i < n; i++)
		all[i] = push(a, list_at(with->ctes, i));
	for (int i = 0; i < n; i++) {
		const CommonTableExpr *cte = list_at(with->ctes, i);
		struct cte plain = { .columns = { .open = true } };

		analyze_cte(a, with->recursive ? all[i] : &plain, cte, with->recursive);
		if (!with->recursive)
			push(a, cte)->columns = plain.columns;
	}
	return (size_t)n;
}

/* In reverse order, so that each name is the first of its bucket. */
void
with_pop(struct analyzer *a, const WithClause *with, size_t n)
{
	for (size_t i = n; i > 0; i--) {
		const CommonTableExpr *cte = list_at(with->ctes, (int)i - 1);
		struct cte **bucket = &a->ctes[bucket_of(cte->ctename)];

		*bucket = (*bucket)->below;
	}
}
