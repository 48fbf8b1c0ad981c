/* policy/analyze_dml.c - INSERT, UPDATE, DELETE, MERGE, and COPY of a table.
 *
 * Nothing can be put in the place of a target: what is read of it is judged
 * as in a body, and rows that are hidden must not be changed unseen.
 */
#include "analyze_int.h"

#include <string.h>

static struct item *
target_item(struct analyzer *a, const RangeVar *r, bool changes_rows)
{
	const struct cat_relation *rel = find_relation(a, r);
	const struct relation_rights *rights;
	struct item *item;

	if (rel != NULL && !changes_rows) {
		/* INSERT adds rows: a filter hides none that it reads */
		rights = rights_relation(a->rights, rel, ACCESS_READ, true);
		if (rights->standing == STANDING_GUARDED && rights->guard != NULL && rights->guard->filter != NULL) {
			item = item_new(a, r->relname);
			item->relation = rel;
			relation_columns(a, item, rel);
			item_alias(a, item, r->alias);
			return item;
		}
	}
	item = relation_item(a, r, rel, true);
	return item;
}

static uint32_t
column_type(struct analyzer *a, const struct item *target, const char *name)
{
	const struct column *c = find_output(a, &target->columns, name);

	return c != NULL ? c->type.type : (uint32_t)TYPE_ANY;
}

/* col[1], col.field: indices are expressions; what is assigned is of the part's type. */
static uint32_t
target_type(struct analyzer *a, const struct item *target, const ResTarget *t)
{
	struct value_type v = value_of(column_type(a, target, t->name));

	for (int i = 0; i < list_n(t->indirection) && !a->failed; i++) {
		const Node *n = list_at(t->indirection, i);

		if (IsA(n, A_Indices)) {
			(void)analyze_expr(a, ((const A_Indices *)n)->lidx);
			(void)analyze_expr(a, ((const A_Indices *)n)->uidx);
			if (v.type != TYPE_ANY)
				v = types_subscript(&a->types, &v, ((const A_Indices *)n)->is_slice);
		} else if (!IsA(n, String) || v.type == TYPE_ANY || !types_field(&a->types, &v, ((const String *)n)->sval, &v)) {
			v = value_of(TYPE_ANY);
		}
	}
	return v.type;
}

static void
assign(struct analyzer *a, struct value_type v, uint32_t to, const Node *n, int location)
{
	if (n != NULL && IsA(n, SetToDefault))
		return;
	cast_value(a, v, to, COERCE_BY_ASSIGNMENT, n, location);
}

/* (a, b) = (SELECT ...) or ROW(...): the source stands in each of the targets, and is read with the first. */
static void
multi_assign(struct analyzer *a, const struct item *target, const List *list, int first, const MultiAssignRef *m)
{
	struct columns cs = { .open = true };

	if (m->source != NULL && IsA(m->source, SubLink))
		cs = analyze_query(a, ((const SubLink *)m->source)->subselect);
	else if (m->source != NULL && IsA(m->source, RowExpr))
		cs = analyze_row_list(a, ((const RowExpr *)m->source)->args);
	else
		(void)analyze_expr(a, m->source);
	if (columns_lost(&cs) > 0)
		stop(a, RULE_COLUMN_DENIED, -1,
		    "SET from * refused: a column of it is not open to this connection; name the columns");
	for (int i = 0; i < m->ncolumns && first + i < list_n(list) && (size_t)i < cs.n && !a->failed; i++) {
		const ResTarget *t = list_at(list, first + i);

		assign(a, cs.list[i]->type, target_type(a, target, t), cs.list[i]->literal, t->location);
	}
}

static void
set_clause(struct analyzer *a, const struct item *target, const List *list)
{
	for (int i = 0; i < list_n(list) && !a->failed; i++) {
		const ResTarget *t = list_at(list, i);
		const MultiAssignRef *m = (const MultiAssignRef *)t->val;

		if (t->val != NULL && IsA(t->val, MultiAssignRef)) {
			if (m->colno == 1)
				multi_assign(a, target, list, i, m);
			continue;
		}
		assign(a, analyze_expr(a, t->val), target_type(a, target, t), t->val, t->location);
	}
}

/* --- INSERT -------------------------------------------------------------------------- */

static const char *
insert_column(const struct item *target, const List *cols, size_t i)
{
	if (list_n(cols) > 0)
		return i < (size_t)cols->length ? ((const ResTarget *)list_at(cols, (int)i))->name : "";
	return i < target->columns.n ? target->columns.list[i]->name : "";
}

static void
insert_source(struct analyzer *a, const struct item *target, const InsertStmt *s)
{
	const struct columns cs = analyze_query(a, s->selectStmt);

	for (size_t i = 0; i < cs.n && !a->failed; i++) {
		const char *name = insert_column(target, s->cols, i);
		uint32_t type = column_type(a, target, name);

		if (cs.list[i]->action == COLUMN_DENY && !in_ours(a, -1)) {
			stop(a, RULE_COLUMN_DENIED, -1,
			    "INSERT of * refused: column %.64s is not open to this connection, so the columns do not go together "
			    "by position; name them",
			    cs.list[i]->name);
			return;
		}
		if (list_n(s->cols) > 0 && i < (size_t)s->cols->length)
			type = target_type(a, target, list_at(s->cols, (int)i));
		assign(a, cs.list[i]->type, type, cs.list[i]->literal, -1);
	}
}

static void
conflict(struct analyzer *a, struct item *target, const OnConflictClause *c)
{
	struct item *excluded = item_new(a, "excluded");

	if (c->infer != NULL) {
		for (int i = 0; i < list_n(c->infer->indexElems) && !a->failed; i++)
			(void)analyze_expr(a, ((const IndexElem *)list_at(c->infer->indexElems, i))->expr);
		to_boolean(a, c->infer->whereClause, "ON CONFLICT");
	}
	/* what was to be inserted comes from the statement itself */
	for (size_t i = 0; i < target->columns.n && !a->failed; i++)
		(void)column_new(a, &excluded->columns, target->columns.list[i]->name, target->columns.list[i]->type);
	excluded->columns.open = target->columns.open;
	excluded->listed = false;
	item_push(a, excluded);
	excluded->lateral = false;
	set_clause(a, target, c->targetList);
	to_boolean(a, c->whereClause, "WHERE");
	excluded->named = false;
}

struct columns
analyze_insert(struct analyzer *a, const InsertStmt *s)
{
	struct columns out = { 0 };
	struct level level;
	struct item *target;
	size_t names;

	if (!enter(a, s->relation->location))
		return out;
	level_open(a, &level);
	names = with_push(a, s->withClause);
	target = target_item(a, s->relation, false);
	if (!a->failed && s->selectStmt != NULL)
		insert_source(a, target, s);
	item_push(a, target);
	target->lateral = false;
	if (!a->failed && s->onConflictClause != NULL)
		conflict(a, target, s->onConflictClause);
	out = analyze_targets(a, s->returningList, "RETURNING");
	with_pop(a, s->withClause, names);
	level_close(a, &level);
	leave(a);
	return out;
}

/* --- UPDATE, DELETE -------------------------------------------------------------------- */

struct columns
analyze_update(struct analyzer *a, const UpdateStmt *s)
{
	struct columns out = { 0 };
	struct level level;
	struct item *target;
	size_t names;

	if (!enter(a, s->relation->location))
		return out;
	level_open(a, &level);
	names = with_push(a, s->withClause);
	target = target_item(a, s->relation, true);
	item_push(a, target);
	analyze_from(a, s->fromClause);
	set_clause(a, target, s->targetList);
	to_boolean(a, s->whereClause, "WHERE");
	out = analyze_targets(a, s->returningList, "RETURNING");
	with_pop(a, s->withClause, names);
	level_close(a, &level);
	leave(a);
	return out;
}

struct columns
analyze_delete(struct analyzer *a, const DeleteStmt *s)
{
	struct columns out = { 0 };
	struct level level;
	size_t names;

	if (!enter(a, s->relation->location))
		return out;
	level_open(a, &level);
	names = with_push(a, s->withClause);
	item_push(a, target_item(a, s->relation, true));
	analyze_from(a, s->usingClause);
	to_boolean(a, s->whereClause, "WHERE");
	out = analyze_targets(a, s->returningList, "RETURNING");
	with_pop(a, s->withClause, names);
	level_close(a, &level);
	leave(a);
	return out;
}

/* --- MERGE ------------------------------------------------------------------------------- */

static void
merge_insert(struct analyzer *a, const struct item *target, const MergeWhenClause *w)
{
	const struct columns cs = analyze_row_list(a, w->values);

	for (size_t i = 0; i < cs.n && !a->failed; i++) {
		const uint32_t type = list_n(w->targetList) > (int)i ? target_type(a, target, list_at(w->targetList, (int)i))
								     : column_type(a, target, insert_column(target, NIL, i));

		assign(a, cs.list[i]->type, type, cs.list[i]->literal, -1);
	}
}

static void
merge_when(struct analyzer *a, const struct item *target, const MergeWhenClause *w)
{
	to_boolean(a, w->condition, "WHEN");
	if (w->commandType == CMD_INSERT)
		merge_insert(a, target, w);
	else
		set_clause(a, target, w->targetList);
}

struct columns
analyze_merge(struct analyzer *a, const MergeStmt *s)
{
	struct columns out = { 0 };
	struct level level;
	struct item *target;
	size_t names;

	if (!enter(a, s->relation->location))
		return out;
	level_open(a, &level);
	names = with_push(a, s->withClause);
	target = target_item(a, s->relation, true);
	analyze_from_item(a, s->sourceRelation);
	item_push(a, target);
	for (size_t i = 0; i < level.n; i++)
		level.items[i]->lateral = false;
	to_boolean(a, s->joinCondition, "ON");
	for (int i = 0; i < list_n(s->mergeWhenClauses) && !a->failed; i++)
		merge_when(a, target, list_at(s->mergeWhenClauses, i));
#if PG_VERSION_NUM >= 170000
	out = analyze_targets(a, s->returningList, "RETURNING");
#endif
	with_pop(a, s->withClause, names);
	level_close(a, &level);
	leave(a);
	return out;
}

/* --- COPY table ------------------------------------------------------------------------------ */

static bool
copies(const CopyStmt *s, const char *column)
{
	for (int i = 0; i < list_n(s->attlist); i++)
		if (strcmp(name_at(s->attlist, i), column) == 0)
			return true;
	return s->attlist == NIL;
}

/* COPY takes a table's name, not a subquery in its place. */
static void
copy_out(struct analyzer *a, const CopyStmt *s, const struct cat_relation *rel)
{
	const struct relation_rights *rights = rights_relation(a->rights, rel, ACCESS_READ, false);
	const struct guard *guard = rights->standing == STANDING_GUARDED ? rights->guard : NULL;

	if (guard == NULL)
		return;
	if (guard->filter != NULL)
		stop(a, RULE_TABLE_DENIED, s->relation->location,
		    "COPY of %.64s refused: rows of it are hidden; use COPY (SELECT ...)", rel->name);
	for (size_t i = 0; i < rel->ncolumns && !a->failed; i++)
		if (guard->actions[i] != COLUMN_OPEN && copies(s, rel->columns[i].name))
			stop(a, RULE_COLUMN_DENIED, s->relation->location,
			    "COPY of %.64s refused: its column %.64s is not open to this connection; use COPY (SELECT ...)",
			    rel->name, rel->columns[i].name);
}

void
analyze_copy_table(struct analyzer *a, const CopyStmt *s)
{
	const struct cat_relation *rel = find_relation(a, s->relation);
	struct level level;
	struct item *item;

	if (rel == NULL || a->failed)
		return;
	if (!s->is_from) {
		copy_out(a, s, rel);
		return;
	}
	if (s->whereClause == NULL)
		return;
	/* WHERE reads the rows that come in, not those of the table */
	level_open(a, &level);
	item = item_new(a, s->relation->relname);
	item->relation = rel;
	relation_columns(a, item, rel);
	item_push(a, item);
	item->lateral = false;
	to_boolean(a, s->whereClause, "WHERE");
	level_close(a, &level);
}
