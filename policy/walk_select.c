/* policy/walk_select.c - SELECT, WITH, FROM, and what can be seen where. */
#include "walk.h"

/* --- WITH -------------------------------------------------------------- */

static bool
walk_cte(struct walk *w, const CommonTableExpr *cte)
{
	const CTECycleClause *cycle = cte->cycle_clause;

	if (!walk(w, cte->ctequery))
		return false;
	return cycle == NULL || (walk(w, cycle->cycle_mark_value) && walk(w, cycle->cycle_mark_default));
}

bool
walk_with(struct walk *w, const WithClause *with)
{
	const struct level opaque = { .opaque = true };
	const struct level *outer = w->level;
	bool go_on = true;

	if (with == NULL)
		return true;
	w->level = &opaque;
	for (int i = 0; with->recursive && i < with->ctes->length; i++) {
		const CommonTableExpr *cte = with->ctes->elements[i].ptr_value;

		scope_push(&w->ctes, cte->ctename, cte);
	}
	for (int i = 0; go_on && i < with->ctes->length; i++) {
		const CommonTableExpr *cte = with->ctes->elements[i].ptr_value;

		go_on = walk_cte(w, cte);
		if (!with->recursive)
			scope_push(&w->ctes, cte->ctename, cte);
	}
	w->level = outer;
	return go_on;
}

/* --- the parts of a SELECT --------------------------------------------- */

static const char *
locking_words(const List *clauses)
{
	switch (((const LockingClause *)clauses->elements[0].ptr_value)->strength) {
	case LCS_FORKEYSHARE:
		return "SELECT FOR KEY SHARE";
	case LCS_FORSHARE:
		return "SELECT FOR SHARE";
	case LCS_FORNOKEYUPDATE:
		return "SELECT FOR NO KEY UPDATE";
	default:
		return "SELECT FOR UPDATE";
	}
}

bool
walk_into(struct walk *w, const IntoClause *into, const char *what)
{
	note_act(w, KIND_DDL, what, into->rel, into->rel->location, false);
	note_relation(w, into->rel, ACCESS_WRITE);
	return walk_options(w, into->options);
}

/* DISTINCT without ON is a list that holds nothing. */
static bool
walk_distinct(struct walk *w, const List *list)
{
	return list == NIL || list->elements[0].ptr_value == NULL || walk_list(w, list);
}

static bool
walk_from(struct walk *w, const List *from)
{
	const struct level opaque = { .opaque = true };
	const struct level *outer = w->level;
	bool go_on;

	w->level = &opaque;
	go_on = walk_list(w, from);
	w->level = outer;
	return go_on;
}

static bool
walk_leaf(struct walk *w, const SelectStmt *s)
{
	return walk_distinct(w, s->distinctClause) && (s->intoClause == NULL || walk_into(w, s->intoClause, "SELECT INTO")) &&
	       walk_list(w, s->targetList) && walk(w, s->whereClause) && walk_list(w, s->groupClause) && walk(w, s->havingClause) &&
	       walk_list(w, s->windowClause) && walk_list(w, s->valuesLists) && walk_list(w, s->sortClause) &&
	       walk(w, s->limitOffset) && walk(w, s->limitCount);
}

/* FROM comes before the targets that refer to it, whatever the struct says:
 * the first refusal is the one that is told, and the relation tells more. */
bool
walk_select(struct walk *w, const SelectStmt *s)
{
	const size_t visible = w->ctes.n;
	const struct level level = { .from = s->fromClause, .outer = w->level, .opaque = s->op != SETOP_NONE };
	bool go_on;

	if (!walk_with(w, s->withClause) || !walk_from(w, s->fromClause))
		return false;
	w->level = &level;
	go_on = walk_leaf(w, s);
	w->level = level.outer;
	if (s->lockingClause != NIL)
		note_problem(w, RULE_LOCKING_SELECT, locking_words(s->lockingClause), "this connection is read-only", -1, true);
	go_on = go_on && walk(w, s->larg) && walk(w, s->rarg);
	scope_pop_to(&w->ctes, visible);
	return go_on;
}

/* --- FROM -------------------------------------------------------------- */

/* In FROM, unnest(a, b) is the server's shorthand for unnest(a), unnest(b). */
static bool
is_many_unnest(const Node *n, const Node *columns)
{
	const FuncCall *f = (const FuncCall *)n;

	return IsA(n, FuncCall) && columns == NULL && f->funcname->length == 1 &&
	       strcmp(list_text(f->funcname, 0), "unnest") == 0 && f->args != NIL && f->args->length > 1 && f->agg_order == NIL &&
	       f->agg_filter == NULL && f->over == NULL && !f->agg_star && !f->agg_distinct && !f->func_variadic;
}

static bool
walk_from_function(struct walk *w, const Node *call, const Node *columns)
{
	if (!is_many_unnest(call, columns))
		return walk(w, call) && walk(w, columns);
	note_visit(w, call);
	note_function(w, "pg_catalog", "unnest", 1, ((const FuncCall *)call)->location);
	return walk_list(w, ((const FuncCall *)call)->args);
}

/* Each function stands in a list of its own, with its column definitions. */
bool
walk_range_function(struct walk *w, const RangeFunction *f)
{
	for (int i = 0; f->functions != NIL && i < f->functions->length; i++) {
		const List *pair = f->functions->elements[i].ptr_value;

		if (!walk_from_function(w, pair->elements[0].ptr_value, pair->elements[1].ptr_value))
			return false;
	}
	return walk_list(w, f->coldeflist);
}

/* The method is a function that the server looks up with one argument of type
 * internal, so it is in no list of what may be called. */
bool
walk_sample(struct walk *w, const RangeTableSample *s)
{
	const char *schema = list_text(s->method, 1), *name = list_text(s->method, 0);
	bool builtin = strcmp(name, "system") == 0 || strcmp(name, "bernoulli") == 0;

	if (!walk(w, s->relation))
		return false;
	if (!builtin || (*schema != '\0' && strcmp(schema, "pg_catalog") != 0))
		note_function(w, schema, name, s->args != NIL ? s->args->length : 0, s->location);
	return walk_list(w, s->args) && walk(w, s->repeatable);
}

/* --- is alias.column really a column? ---------------------------------- */

static bool
names_column(struct walk *w, const List *names, const char *column)
{
	for (int i = 0; names != NIL && i < names->length && w->budget-- > 0; i++)
		if (strcmp(((const String *)names->elements[i].ptr_value)->sval, column) == 0)
			return true;
	return false;
}

static bool
target_is(const ResTarget *t, const char *column)
{
	if (t->name != NULL)
		return strcmp(t->name, column) == 0;
	return t->val != NULL && IsA(t->val, ColumnRef) && strcmp(list_text(((const ColumnRef *)t->val)->fields, 0), column) == 0;
}

/* The leftmost arm of a set operation names the columns of all. */
static bool
query_has_column(struct walk *w, const Node *query, const char *column)
{
	const SelectStmt *s = (const SelectStmt *)query;

	if (query == NULL || !IsA(query, SelectStmt))
		return false;
	while (s->op != SETOP_NONE)
		s = s->larg;
	for (int i = 0; s->targetList != NIL && i < s->targetList->length && w->budget-- > 0; i++)
		if (target_is(s->targetList->elements[i].ptr_value, column))
			return true;
	return false;
}

enum found { FOUND_NOTHING, FOUND_COLUMN, FOUND_OTHER };

static enum found
found_if(bool column)
{
	return column ? FOUND_COLUMN : FOUND_OTHER;
}

static bool
is_called(const Alias *alias, const char *name)
{
	return alias != NULL && strcmp(alias->aliasname, name) == 0;
}

static enum found
find_in_table(struct walk *w, const RangeVar *r, const char *alias, const char *column)
{
	const CommonTableExpr *cte;

	if (!(r->alias != NULL ? is_called(r->alias, alias) : strcmp(r->relname, alias) == 0))
		return FOUND_NOTHING;
	cte = r->schemaname == NULL ? scope_find(&w->ctes, r->relname) : NULL;
	if (r->alias != NULL && r->alias->colnames != NIL)
		return found_if(names_column(w, r->alias->colnames, column));
	if (cte == NULL)
		return FOUND_OTHER;
	return found_if(
	    cte->aliascolnames != NIL ? names_column(w, cte->aliascolnames, column) : query_has_column(w, cte->ctequery, column));
}

static enum found
find_in_subselect(struct walk *w, const RangeSubselect *s, const char *alias, const char *column)
{
	if (!is_called(s->alias, alias))
		return FOUND_NOTHING;
	return found_if(
	    s->alias->colnames != NIL ? names_column(w, s->alias->colnames, column) : query_has_column(w, s->subquery, column));
}

/* Joins nest to the left: walk down that side, and only one deep to the right. */
static enum found
find_in_item(struct walk *w, const Node *item, const char *alias, const char *column, int depth)
{
	enum found found;

	for (; IsA(item, JoinExpr); item = ((const JoinExpr *)item)->larg) {
		const JoinExpr *j = (const JoinExpr *)item;

		if (j->alias != NULL || j->join_using_alias != NULL || depth > 8 || w->budget-- <= 0)
			return FOUND_OTHER;
		if ((found = find_in_item(w, j->rarg, alias, column, depth + 1)) != FOUND_NOTHING)
			return found;
	}
	if (IsA(item, RangeVar))
		return find_in_table(w, (const RangeVar *)item, alias, column);
	if (IsA(item, RangeSubselect))
		return find_in_subselect(w, (const RangeSubselect *)item, alias, column);
	return FOUND_OTHER;
}

/* True only when alias is a subquery or CTE that says it has such a column. A
 * text that makes us search long is not worth the benefit of the doubt. */
bool
level_has_column(struct walk *w, const char *alias, const char *column)
{
	enum found found;

	for (const struct level *l = w->level; l != NULL; l = l->outer) {
		if (l->opaque)
			return false;
		for (int i = 0; l->from != NIL && i < l->from->length; i++)
			if (w->budget-- <= 0)
				return false;
			else if ((found = find_in_item(w, l->from->elements[i].ptr_value, alias, column, 0)) != FOUND_NOTHING)
				return found == FOUND_COLUMN;
	}
	return false;
}
