/* policy/analyze_select.c - SELECT, VALUES, set operations. */
#include "analyze_int.h"

#include <string.h>

/* --- what a query gives -------------------------------------------------------------- */

struct columns
analyze_targets(struct analyzer *a, const List *targets, const char *what)
{
	struct columns cs = { 0 };

	(void)what;
	for (int i = 0; i < list_n(targets) && !a->failed; i++) {
		const ResTarget *t = list_at(targets, i);
		struct value_type v;
		struct column *c;

		if (t->val == NULL || expand_star(a, t->val, &cs, false))
			continue;
		v = analyze_expr(a, t->val);
		if (a->failed)
			break;
		c = column_new(a, &cs, output_name(t), v);
		c->literal = v.type == TYPE_UNKNOWN ? t->val : NULL;
	}
	return cs;
}

/* --- ORDER BY 2, GROUP BY name ---------------------------------------------------------- */

static const struct column *
output_at(const struct columns *cs, int position)
{
	for (size_t i = 0; i < cs->n; i++)
		if (cs->list[i]->action != COLUMN_DENY && --position == 0)
			return cs->list[i];
	return NULL;
}

static bool
is_ordinal(const Node *n, int *position)
{
	const A_Const *c = (const A_Const *)n;

	if (n == NULL || !IsA(n, A_Const) || c->isnull || !IsA(&c->val.node, Integer))
		return false;
	*position = c->val.ival.ival;
	return true;
}

static const char *
lone_name(const Node *n)
{
	const ColumnRef *c = (const ColumnRef *)n;

	if (n == NULL || !IsA(n, ColumnRef) || c->fields->length != 1 || !IsA(list_at(c->fields, 0), String))
		return NULL;
	return name_at(c->fields, 0);
}

static struct value_type
text_if_unknown(struct value_type v)
{
	return v.type == TYPE_UNKNOWN ? value_of(OID_TEXT) : v;
}

/* A name is an output column's first, but for GROUP BY an input column's. */
static struct value_type
sort_value(struct analyzer *a, const Node *n, const struct columns *out, bool group)
{
	const char *name = lone_name(n);
	const struct column *c = NULL;
	struct item *item = NULL;
	int position = 0;

	if (is_ordinal(n, &position)) {
		c = position > 0 && spend(a, out->n) ? output_at(out, position) : NULL;
		return c != NULL ? text_if_unknown(c->type) : value_of(TYPE_ANY);
	}
	if (name != NULL && !(group && level_column(a, a->level, name, &item) != NULL))
		c = find_output(a, out, name);
	if (c != NULL)
		return text_if_unknown(use_column(a, NULL, c, ((const ColumnRef *)n)->location));
	return text_if_unknown(analyze_expr(a, n));
}

static void
group_item(struct analyzer *a, const Node *n, const struct columns *out)
{
	if (n == NULL || !enter(a, -1))
		return;
	if (IsA(n, GroupingSet)) {
		for (int i = 0; i < list_n(((const GroupingSet *)n)->content) && !a->failed; i++)
			group_item(a, list_at(((const GroupingSet *)n)->content, i), out);
	} else if (IsA(n, RowExpr) && ((const RowExpr *)n)->row_format == COERCE_IMPLICIT_CAST) {
		for (int i = 0; i < list_n(((const RowExpr *)n)->args) && !a->failed; i++)
			group_item(a, list_at(((const RowExpr *)n)->args, i), out);
	} else {
		compare_values(a, "GROUP BY", sort_value(a, n, out, true), -1);
	}
	leave(a);
}

static void
sort_clause(struct analyzer *a, const List *list, const struct columns *out)
{
	for (int i = 0; i < list_n(list) && !a->failed; i++) {
		const SortBy *s = list_at(list, i);

		analyze_sort(a, s, "ORDER BY", sort_value(a, s->node, out, false));
	}
}

static void
compare_outputs(struct analyzer *a, const char *what, const struct columns *cs)
{
	for (size_t i = 0; i < cs->n && !a->failed && a->compares; i++)
		if (cs->list[i]->action != COLUMN_DENY)
			compare_values(a, what, text_if_unknown(cs->list[i]->type), -1);
}

/* DISTINCT without ON is a list that holds nothing. */
static void
distinct_clause(struct analyzer *a, const List *list, const struct columns *out)
{
	if (list_n(list) == 0)
		return;
	if (list_at(list, 0) == NULL) {
		compare_outputs(a, "DISTINCT", out);
		return;
	}
	for (int i = 0; i < list->length && !a->failed; i++)
		compare_values(a, "DISTINCT ON", sort_value(a, list_at(list, i), out, false), -1);
}

static void
limit_value(struct analyzer *a, const Node *n)
{
	if (n != NULL)
		cast_value(a, analyze_expr(a, n), OID_INT8, COERCE_BY_ASSIGNMENT, n, -1);
}

/* --- VALUES --------------------------------------------------------------------------------- */

static const char *
values_name(struct analyzer *a, size_t i)
{
	char *name = arena_alloc(&a->arena, 16);

	(void)snprintf(name, 16, "column%zu", i + 1);
	return name;
}

static struct columns
values_lists(struct analyzer *a, const List *lists)
{
	const int rows = list_n(lists);
	struct columns *all = arena_array(a, struct columns, rows), cs = { 0 };
	struct value_type *types = arena_array(a, struct value_type, rows + 1);
	const Node **nodes = arena_array(a, const Node *, rows + 1);

	for (int i = 0; i < rows && !a->failed; i++)
		all[i] = analyze_row_list(a, list_at(lists, i));
	for (size_t i = 0; rows > 0 && i < all[0].n && !a->failed; i++) {
		struct column *c;

		for (int j = 0; j < rows; j++) {
			const bool there = i < all[j].n;

			types[j] = there ? all[j].list[i]->type : value_of(TYPE_UNKNOWN);
			nodes[j] = there ? all[j].list[i]->literal : NULL;
		}
		c = column_new(a, &cs, values_name(a, i), common_value(a, "VALUES", types, nodes, (size_t)rows, -1));
		c->literal = c->type.type == TYPE_UNKNOWN ? all[0].list[i]->literal : NULL;
	}
	cs.open = rows > 0 && all[0].open;
	return cs;
}

/* --- set operations -------------------------------------------------------------------------- */

static const char *
set_words(const SelectStmt *s)
{
	return s->op == SETOP_UNION ? "UNION" : s->op == SETOP_INTERSECT ? "INTERSECT" : "EXCEPT";
}

/* Columns of the arms go together by position. */
static bool
refuse_lost(struct analyzer *a, const SelectStmt *s, const struct columns *arm)
{
	for (size_t i = 0; i < arm->n; i++) {
		if (arm->list[i]->action != COLUMN_DENY || in_ours(a, -1))
			continue;
		stop(a, RULE_COLUMN_DENIED, -1,
		    "%s over * refused: column %.64s is not open to this connection, so the columns do not go together by "
		    "position; name them",
		    set_words(s), arm->list[i]->name);
		return true;
	}
	return false;
}

static struct columns
combine(struct analyzer *a, const SelectStmt *s, const struct columns *l, const struct columns *r)
{
	struct columns cs = { .open = l->open || r->open };

	if (refuse_lost(a, s, l) || refuse_lost(a, s, r))
		return cs;
	for (size_t i = 0; i < l->n && !a->failed; i++) {
		const struct column *x = l->list[i], *y = i < r->n ? r->list[i] : NULL;
		const struct value_type both[] = { x->type, y != NULL ? y->type : value_of(r->open ? TYPE_ANY : TYPE_UNKNOWN) };
		const Node *const nodes[] = { x->literal, y != NULL ? y->literal : NULL };
		struct column *c = column_new(a, &cs, x->name, common_value(a, set_words(s), both, nodes, 2, -1));

		c->literal = c->type.type == TYPE_UNKNOWN ? x->literal : NULL;
		if (s->op != SETOP_UNION || !s->all)
			compare_values(a, set_words(s), text_if_unknown(c->type), -1);
	}
	return cs;
}

/* Each arm sees what is around the whole, not the other arm. */
static struct columns
set_operation(struct analyzer *a, const SelectStmt *s, struct cte *recursive)
{
	struct columns l, r;

	if (!enter(a, -1))
		return (struct columns){ .open = true };
	l = analyze_select(a, s->larg, NULL);
	if (recursive != NULL) {
		recursive->columns = l;
		columns_rename(a, &recursive->columns, recursive->names, recursive->name, -1);
	}
	r = analyze_select(a, s->rarg, NULL);
	l = combine(a, s, &l, &r);
	leave(a);
	return l;
}

/* --- SELECT ---------------------------------------------------------------------------------- */

/* TABLE x is SELECT * FROM x in all but its place in the text. */
static void
mark_table_command(struct analyzer *a, const SelectStmt *s)
{
	const ResTarget *t = list_n(s->targetList) == 1 ? list_at(s->targetList, 0) : NULL;

	if (t == NULL || t->location >= 0 || list_n(s->fromClause) != 1 || !IsA(list_at(s->fromClause, 0), RangeVar))
		return;
	if (a->level->n == 1 && a->level->items[0]->source != NULL)
		a->level->items[0]->source->site.is_table_command = true;
}

/* FOR UPDATE of a subquery would lock other rows than it says, or none. */
static void
locking(struct analyzer *a, const SelectStmt *s)
{
	for (size_t i = 0; s->lockingClause != NIL && i < a->level->n && !a->failed; i++)
		if (a->level->items[i]->source != NULL && !a->level->items[i]->source->fixed)
			stop(a, RULE_TABLE_DENIED, -1, "a locking clause over %.64s refused: parts of this table are hidden",
			    a->level->items[i]->relation->name);
}

/* What is not a key may then be selected beside one: see analyze_group.c. */
static void
mark_grouped(struct analyzer *a, const SelectStmt *s)
{
	for (size_t i = 0; s->groupClause != NIL && i < a->level->n; i++)
		if (a->level->items[i]->source != NULL)
			a->level->items[i]->source->grouped = true;
}

static struct columns
plain_select(struct analyzer *a, const SelectStmt *s)
{
	struct columns out;

	analyze_from(a, s->fromClause);
	mark_table_command(a, s);
	mark_grouped(a, s);
	out = analyze_targets(a, s->targetList, "SELECT");
	to_boolean(a, s->whereClause, "WHERE");
	for (int i = 0; i < list_n(s->groupClause) && !a->failed; i++)
		group_item(a, list_at(s->groupClause, i), &out);
	to_boolean(a, s->havingClause, "HAVING");
	for (int i = 0; i < list_n(s->windowClause) && !a->failed; i++)
		analyze_window(a, list_at(s->windowClause, i));
	distinct_clause(a, s->distinctClause, &out);
	locking(a, s);
	return out;
}

struct columns
analyze_select(struct analyzer *a, const SelectStmt *s, struct cte *recursive)
{
	struct columns out = { .open = true };
	struct level level;
	size_t names;

	if (!enter(a, -1))
		return out;
	level_open(a, &level);
	names = with_push(a, s->withClause);
	if (s->op != SETOP_NONE)
		out = set_operation(a, s, recursive);
	else if (s->valuesLists != NIL)
		out = values_lists(a, s->valuesLists);
	else
		out = plain_select(a, s);
	sort_clause(a, s->sortClause, &out);
	limit_value(a, s->limitOffset);
	limit_value(a, s->limitCount);
	check_narrowed(a, s);
	with_pop(a, s->withClause, names);
	level_close(a, &level);
	leave(a);
	return out;
}

struct columns
analyze_query(struct analyzer *a, const Node *n)
{
	const struct columns open = { .open = true };

	if (n == NULL || a->failed)
		return open;
	if (a->body != NULL && !IsA(n, SelectStmt)) {
		stop(a, RULE_STATEMENT_NOT_ALLOWED, -1, "a body that writes");
		return open;
	}
	switch (nodeTag(n)) {
	case T_SelectStmt:
		return analyze_select(a, (const SelectStmt *)n, NULL);
	case T_InsertStmt:
		return analyze_insert(a, (const InsertStmt *)n);
	case T_UpdateStmt:
		return analyze_update(a, (const UpdateStmt *)n);
	case T_DeleteStmt:
		return analyze_delete(a, (const DeleteStmt *)n);
	case T_MergeStmt:
		return analyze_merge(a, (const MergeStmt *)n);
	default:
		stop(a, RULE_STATEMENT_NOT_ALLOWED, -1, "this statement refused: it holds a query that is not known");
		return open;
	}
}
