/* policy/walk_dml.c - INSERT, UPDATE, DELETE, MERGE, at the top or in a CTE.
 *
 * Their target is always a table: a CTE of that name does not cover it.
 */
#include "walk.h"

/* What stands in these statements sees their target, which is no FROM item:
 * names like alias.column are not looked for. */
static const struct level opaque = { .opaque = true };

/* WHERE true, WHERE 1 = 1 and their like stop nobody. */
static bool
is_true(const Node *n)
{
	const A_Expr *e;

	if (n == NULL)
		return true;
	if (IsA(n, TypeCast))
		n = ((const TypeCast *)n)->arg;
	if (IsA(n, A_Const))
		return !((const A_Const *)n)->isnull;
	if (!IsA(n, A_Expr))
		return false;
	e = (const A_Expr *)n;
	return e->lexpr != NULL && e->rexpr != NULL && IsA(e->lexpr, A_Const) && IsA(e->rexpr, A_Const);
}

bool
walk_on_conflict(struct walk *w, const OnConflictClause *c)
{
	if (c->infer != NULL && !(walk_list(w, c->infer->indexElems) && walk(w, c->infer->whereClause)))
		return false;
	return walk_list(w, c->targetList) && walk(w, c->whereClause);
}

bool
walk_insert(struct walk *w, const InsertStmt *s)
{
	const size_t visible = w->ctes.n;
	const struct level *outer = w->level;
	bool go_on;

	note_act(w, KIND_INSERT, "INSERT", s->relation, s->relation->location, false);
	note_relation(w, s->relation, ACCESS_WRITE);
	w->level = &opaque;
	go_on = walk_with(w, s->withClause) && walk_list(w, s->cols) && walk(w, s->selectStmt) && walk(w, s->onConflictClause) &&
		walk_list(w, s->returningList);
	w->level = outer;
	scope_pop_to(&w->ctes, visible);
	return go_on;
}

bool
walk_update(struct walk *w, const UpdateStmt *s)
{
	const size_t visible = w->ctes.n;
	const struct level *outer = w->level;
	bool go_on;

	note_act(w, KIND_UPDATE, "UPDATE", s->relation, s->relation->location, is_true(s->whereClause));
	note_relation(w, s->relation, ACCESS_READ | ACCESS_WRITE);
	w->level = &opaque;
	go_on = walk_with(w, s->withClause) && walk_list(w, s->targetList) && walk(w, s->whereClause) &&
		walk_list(w, s->fromClause) && walk_list(w, s->returningList);
	w->level = outer;
	scope_pop_to(&w->ctes, visible);
	return go_on;
}

bool
walk_delete(struct walk *w, const DeleteStmt *s)
{
	const size_t visible = w->ctes.n;
	const struct level *outer = w->level;
	bool go_on;

	note_act(w, KIND_DELETE, "DELETE", s->relation, s->relation->location, is_true(s->whereClause));
	note_relation(w, s->relation, ACCESS_READ | ACCESS_WRITE);
	w->level = &opaque;
	go_on = walk_with(w, s->withClause) && walk_list(w, s->usingClause) && walk(w, s->whereClause) &&
		walk_list(w, s->returningList);
	w->level = outer;
	scope_pop_to(&w->ctes, visible);
	return go_on;
}

bool
walk_merge_when(struct walk *w, const MergeWhenClause *c)
{
	return walk(w, c->condition) && walk_list(w, c->targetList) && walk_list(w, c->values);
}

bool
walk_merge(struct walk *w, const MergeStmt *s)
{
	const size_t visible = w->ctes.n;
	const struct level *outer = w->level;
	bool go_on;

	note_act(w, KIND_MERGE, "MERGE", s->relation, s->relation->location, false);
	note_relation(w, s->relation, ACCESS_READ | ACCESS_WRITE);
	w->level = &opaque;
	go_on = walk_with(w, s->withClause) && walk(w, s->sourceRelation) && walk(w, s->joinCondition) &&
		walk_list(w, s->mergeWhenClauses);
#if PG_VERSION_NUM >= 170000
	go_on = go_on && walk_list(w, s->returningList);
#endif
	w->level = outer;
	scope_pop_to(&w->ctes, visible);
	return go_on;
}
