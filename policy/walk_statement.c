/* policy/walk_statement.c - whole statements, and the walk over all of a text. */
#include "handshake.h"
#include "walk.h"

/* The call that is all of a SELECT, FROM and WHERE aside; NULL when there is more. */
static const FuncCall *
lone_call(const SelectStmt *s)
{
	const ResTarget *t;

	if (s->op != SETOP_NONE || s->targetList == NIL || s->targetList->length != 1 || s->withClause != NULL ||
	    s->intoClause != NULL || s->sortClause != NIL || s->limitCount != NULL || s->limitOffset != NULL ||
	    s->groupClause != NIL || s->havingClause != NULL || s->lockingClause != NIL || s->distinctClause != NIL ||
	    s->windowClause != NIL)
		return NULL;
	t = s->targetList->elements[0].ptr_value;
	return t->val != NULL && IsA(t->val, FuncCall) ? (const FuncCall *)t->val : NULL;
}

static bool
is_call_of(const FuncCall *f, const char *name)
{
	return strcmp(list_text(f->funcname, 0), name) == 0 &&
	       (f->funcname->length == 1 || strcmp(list_text(f->funcname, 1), "pg_catalog") == 0);
}

bool
is_unlock_all(const Node *n)
{
	const SelectStmt *s = (const SelectStmt *)n;
	const FuncCall *f = IsA(n, SelectStmt) ? lone_call(s) : NULL;

	return f != NULL && s->fromClause == NIL && s->whereClause == NULL && f->args == NIL && f->over == NULL &&
	       f->agg_filter == NULL && is_call_of(f, "pg_advisory_unlock_all");
}

/* A row a setting at most: a few hundred. */
static bool
is_from_settings(const List *from)
{
	const RangeFunction *r;
	const List *pair;

	if (from->length != 1 || !IsA(from->elements[0].ptr_value, RangeFunction))
		return false;
	r = from->elements[0].ptr_value;
	pair = r->functions->elements[0].ptr_value;
	return r->functions->length == 1 && IsA(pair->elements[0].ptr_value, FuncCall) &&
	       is_call_of(pair->elements[0].ptr_value, "pg_show_all_settings");
}

/* pgAdmin puts one between the SETs that it begins with. */
static bool
is_set_config(const SelectStmt *s)
{
	const FuncCall *f = lone_call(s);

	return f != NULL && is_call_of(f, "set_config") && (s->fromClause == NIL || is_from_settings(s->fromClause));
}

static const char *
select_words(const SelectStmt *s)
{
	return s->valuesLists != NIL ? "VALUES" : "SELECT";
}

static bool
walk_query(struct walk *w, const Node *n)
{
	if (IsA(n, SelectStmt)) {
		if (w->batch && is_unlock_all(n)) {
			note_act(w, KIND_SET, "SELECT pg_advisory_unlock_all()", NULL, -1, false);
			w->statement->housekeeping = true;
			return true;
		}
		w->statement->housekeeping = w->batch && is_set_config((const SelectStmt *)n);
		note_act(w, KIND_SELECT, select_words((const SelectStmt *)n), NULL, -1, false);
	}
	return walk(w, n);
}

/* Without ANALYZE nothing is executed, yet planning runs functions: EXPLAIN
 * is judged as the statement inside. */
static bool
walk_explain(struct walk *w, const ExplainStmt *s)
{
	const struct judged_statement was = w->statement->is;
	bool go_on;

	note_act(w, KIND_EXPLAIN, "EXPLAIN", NULL, -1, false);
	go_on = walk_statement(w, s->query) && walk_options(w, s->options);
	/* it declares no cursor, but a prepared statement must be there */
	if (w->statement->is.effect != NAME_EXECUTE) {
		w->statement->is = was;
		w->statement->name = NULL;
	}
	return go_on;
}

static bool
walk_copy_out(struct walk *w, const CopyStmt *s)
{
	note_act(w, KIND_COPY_TO, "COPY TO", s->relation, s->relation != NULL ? s->relation->location : -1, false);
	w->statement->is.copy_out = true;
	if (s->relation != NULL)
		note_relation(w, s->relation, ACCESS_READ);
	return s->query == NULL || walk_statement(w, s->query);
}

static bool
walk_copy_in(struct walk *w, const CopyStmt *s)
{
	note_act(w, KIND_COPY_FROM, "COPY FROM", s->relation, s->relation != NULL ? s->relation->location : -1, false);
	w->statement->is.copy_in = true;
	if (s->relation != NULL)
		note_relation(w, s->relation, ACCESS_WRITE);
	return walk(w, s->whereClause);
}

bool
walk_copy(struct walk *w, const CopyStmt *s)
{
	if (!(s->is_from ? walk_copy_in(w, s) : walk_copy_out(w, s)) || !walk_options(w, s->options))
		return false;
	if (s->is_program || s->filename != NULL)
		note_problem(w, RULE_STATEMENT_NOT_ALLOWED, s->is_program ? "COPY with PROGRAM" : "COPY with a file",
		    "only STDIN and STDOUT are allowed", -1, false);
	return true;
}

static void
note_relations(struct walk *w, const List *list, unsigned access)
{
	for (int i = 0; list != NIL && i < list->length; i++) {
		const Node *n = list->elements[i].ptr_value;

		if (IsA(n, VacuumRelation))
			n = (const Node *)((const VacuumRelation *)n)->relation;
		if (n != NULL && IsA(n, RangeVar))
			note_relation(w, (const RangeVar *)n, access);
	}
}

bool
walk_maintenance(struct walk *w, const Node *n, bool *mine)
{
	*mine = true;
	switch (nodeTag(n)) {
	case T_VacuumStmt:
		note_relations(w, ((const VacuumStmt *)n)->rels, ACCESS_WRITE);
		return walk_options(w, ((const VacuumStmt *)n)->options);
	case T_ClusterStmt:
		if (((const ClusterStmt *)n)->relation != NULL)
			note_relation(w, ((const ClusterStmt *)n)->relation, ACCESS_WRITE);
		return true;
	case T_ReindexStmt:
		if (((const ReindexStmt *)n)->relation != NULL)
			note_relation(w, ((const ReindexStmt *)n)->relation, ACCESS_WRITE);
		return true;
	case T_RefreshMatViewStmt:
		note_relation(w, ((const RefreshMatViewStmt *)n)->relation, ACCESS_WRITE);
		return true;
	case T_CheckPointStmt:
		return true;
	default:
		*mine = false;
		return true;
	}
}

static bool
walk_other(struct walk *w, const Node *n)
{
	const enum statement_kind kind = node_kind(n);
	bool mine, go_on;

	note_act(w, kind, node_words(n), NULL, -1, false);
	switch (kind) {
	case KIND_DDL:
		go_on = walk_ddl(w, n, &mine);
		break;
	case KIND_MAINTENANCE:
		go_on = walk_maintenance(w, n, &mine);
		break;
	case KIND_LOCK:
		note_relations(w, ((const LockStmt *)n)->relations, ACCESS_WRITE);
		return true;
	case KIND_CALL:
		return walk(w, ((const CallStmt *)n)->funccall);
	case KIND_DO: /* its body is opaque: whoever allows it knows that */
		return true;
	default: /* KIND_UNKNOWN is refused by every profile */
		return true;
	}
	if (!mine)
		note_problem(
		    w, RULE_STATEMENT_NOT_ALLOWED, node_words(n), "it is not among the statements that can be judged", -1, false);
	return go_on;
}

bool
walk_statement(struct walk *w, const Node *n)
{
	bool mine, go_on;

	if (n == NULL)
		return true;
	if (++w->depth > w->max_depth)
		return walk_stop(w, RULE_TOO_DEEP, "this statement", "it is nested too deeply", -1);
	switch (nodeTag(n)) {
	case T_SelectStmt:
	case T_InsertStmt:
	case T_UpdateStmt:
	case T_DeleteStmt:
	case T_MergeStmt:
		go_on = walk_query(w, n);
		break;
	case T_ExplainStmt:
		go_on = walk_explain(w, (const ExplainStmt *)n);
		break;
	case T_CopyStmt:
		go_on = walk_copy(w, (const CopyStmt *)n);
		break;
	default:
		go_on = walk_session(w, n, &mine);
		if (!mine)
			go_on = walk_other(w, n);
	}
	w->depth--;
	return go_on;
}

/* --- all of a text ------------------------------------------------------ */

static int
depth_limit(const struct profile *p)
{
	const int64_t max = p->limits.max_query_depth;

	return max > 0 && max < WALK_DEPTH_MAX ? (int)max : WALK_DEPTH_MAX;
}

/* Does it never return a row? DECLARE does not either, but it makes a portal
 * that does, and the names table asks this statement about it. */
static bool
returns_nothing(enum statement_kind kind, const Node *n)
{
	return kind == KIND_SET || kind == KIND_TRANSACTION || kind == KIND_DDL || IsA(n, ClosePortalStmt) ||
	       IsA(n, DeallocateStmt);
}

/* The first byte that is neither blank nor comment: where a person would point. */
static int
skip_blank(const char *sql, int at, int end)
{
	int depth = 0;

	while (at < end) {
		if (depth == 0 && sql[at] == '-' && sql[at + 1] == '-') {
			while (at < end && sql[at] != '\n' && sql[at] != '\r')
				at++;
		} else if (sql[at] == '/' && sql[at + 1] == '*') {
			depth++;
			at += 2;
		} else if (depth > 0 && sql[at] == '*' && sql[at + 1] == '/') {
			depth--;
			at += 2;
		} else if (depth > 0 || strchr(" \t\n\r\f\v", sql[at]) != NULL) {
			at++;
		} else {
			break;
		}
	}
	return at;
}

static void
begin_statement(struct statement_facts *s, const RawStmt *raw, const char *sql, size_t len)
{
	s->at = raw->stmt_location > 0 ? raw->stmt_location : 0;
	s->length = raw->stmt_len > 0 ? raw->stmt_len : (int)len - s->at;
	s->location = skip_blank(sql, s->at, s->at + s->length);
	s->is.kind = node_kind(raw->stmt);
	s->is.limited = returns_nothing(s->is.kind, raw->stmt);
}

void
facts_collect(struct facts *f, const struct tree *tree, const char *sql, size_t len, const struct profile *profile)
{
	struct walk w = {
		.facts = f, .profile = profile, .max_depth = depth_limit(profile), .batch = tree->n > 1, .budget = 100000
	};

	f->nstatements = tree->n;
	f->statements = tree->n > 1 ? xcalloc(tree->n, sizeof(*f->statements)) : &f->one;
	f->one = (struct statement_facts){ 0 };
	for (size_t i = 0; i < tree->n; i++)
		begin_statement(&f->statements[i], tree->statements->elements[i].ptr_value, sql, len);
	for (size_t i = 0; i < tree->n && f->fatal == NULL; i++) {
		const RawStmt *raw = tree->statements->elements[i].ptr_value;

		w.statement = &f->statements[i];
		w.level = NULL;
		w.depth = 0;
		walk_statement(&w, raw->stmt);
	}
	scope_release(&w.ctes);
}
