/* policy/analyze.c - whole statements, and the way in. */
#include "handshake.h"
#include "analyze_int.h"

#include <stdlib.h>
#include <string.h>

/* --- what is left behind ---------------------------------------------------------------- */

static void
add_site(struct analysis *out, const struct site *site)
{
	if (out->nsites == out->sites_room) {
		out->sites_room = out->sites_room == 0 ? 4 : out->sites_room * 2;
		out->sites = xreallocarray(out->sites, out->sites_room, sizeof(*out->sites));
	}
	out->sites[out->nsites++] = *site;
}

static void
add_unqualified(struct analysis *out, const struct unqualify *u)
{
	if (out->nunqualified == out->unqualified_room) {
		out->unqualified_room = out->unqualified_room == 0 ? 4 : out->unqualified_room * 2;
		out->unqualified = xreallocarray(out->unqualified, out->unqualified_room, sizeof(*out->unqualified));
	}
	out->unqualified[out->nunqualified++] = *u;
}

static void
add_wrap(struct analysis *out, const struct wrap *w)
{
	if (out->nwraps == out->wraps_room) {
		out->wraps_room = out->wraps_room == 0 ? 4 : out->wraps_room * 2;
		out->wraps = xreallocarray(out->wraps, out->wraps_room, sizeof(*out->wraps));
	}
	out->wraps[out->nwraps++] = *w;
}

static int
compare_wraps(const void *x, const void *y)
{
	const struct wrap *a = x, *b = y;

	return (a->location > b->location) - (a->location < b->location);
}

static int
compare_sites(const void *x, const void *y)
{
	const struct site *a = x, *b = y;

	return (a->location > b->location) - (a->location < b->location);
}

static int
compare_unqualified(const void *x, const void *y)
{
	const struct unqualify *a = x, *b = y;

	return (a->location > b->location) - (a->location < b->location);
}

/* An added tableoid would show in *, and in a row. */
static void
leave_sites(struct analyzer *a)
{
	for (const struct source *s = a->sources; s != NULL; s = s->next) {
		if (!s->noted)
			continue;
		if (s->site.location < 0)
			stop(a, RULE_COLUMN_DENIED, -1, "access to %.64s refused: its place in the statement is not known",
			    s->site.name);
		if (s->site.tableoid && s->starred)
			stop(a, RULE_COLUMN_DENIED, s->site.location,
			    "tableoid of %.64s beside all of its columns refused: parts of this table are hidden; name the columns",
			    s->site.name);
		add_site(a->out, &s->site);
	}
	for (const struct unqualify_note *u = a->unqualified; u != NULL; u = u->next)
		if (u->source->noted)
			add_unqualified(a->out, &u->what);
	for (const struct wrap_note *w = a->wraps; w != NULL; w = w->next)
		add_wrap(a->out, &w->what);
	if (a->out->nwraps > 1)
		qsort(a->out->wraps, a->out->nwraps, sizeof(*a->out->wraps), compare_wraps);
	if (a->out->nsites > 1)
		qsort(a->out->sites, a->out->nsites, sizeof(*a->out->sites), compare_sites);
	if (a->out->nunqualified > 1)
		qsort(a->out->unqualified, a->out->nunqualified, sizeof(*a->out->unqualified), compare_unqualified);
}

void
analysis_release(struct analysis *out)
{
	free(out->sites);
	free(out->unqualified);
	free(out->wraps);
	free(out->reached);
	*out = (struct analysis){ 0 };
}

/* --- statements ------------------------------------------------------------------------------ */

static void analyze_statement(struct analyzer *, const Node *);

/* What goes to the client is printed. */
static void
top_query(struct analyzer *a, const Node *n)
{
	struct columns cs = analyze_query(a, n);

	columns_settle(a, &cs);
	for (size_t i = 0; i < cs.n && !a->failed; i++) {
		const struct column *c = cs.list[i];

		if (c->action == COLUMN_DENY || c->type.type < FIRST_USER_OID)
			continue;
		at_other(a, "the result", -1);
		types_print(&a->types, &c->type, false);
	}
}

static void
prepare(struct analyzer *a, const PrepareStmt *s)
{
	const size_t n = (size_t)list_n(s->argtypes);
	uint32_t *types = arena_array(a, uint32_t, n + 1);

	for (size_t i = 0; i < n && !a->failed; i++)
		types[i] = resolve_type(a, list_at(s->argtypes, (int)i)).type;
	a->sql_prepare = true;
	params_begin(a, NULL, 0);
	for (size_t i = 0; i < n && !a->failed; i++) {
		const ParamRef p = { .type = T_ParamRef, .number = (int)i + 1, .location = -1 };

		if (types[i] != TYPE_ANY && types[i] != TYPE_UNKNOWN)
			param_settle(a, (const Node *)&p, types[i]);
	}
	analyze_statement(a, s->query);
	a->sql_prepare = false;
}

static void
copy(struct analyzer *a, const CopyStmt *s)
{
	if (s->query != NULL)
		analyze_statement(a, s->query);
	else if (s->relation != NULL)
		analyze_copy_table(a, s);
}

/* Its types are those of the statement that was prepared, where casts to them were judged. */
static void
execute(struct analyzer *a, const ExecuteStmt *s)
{
	analyze_exprs(a, s->params);
}

static void
explain(struct analyzer *a, const ExplainStmt *s)
{
	const struct source *before = a->sources;

	analyze_statement(a, s->query);
	check_explain(a, s, before);
}

static void
statement(struct analyzer *a, const Node *n)
{
	switch (nodeTag(n)) {
	case T_SelectStmt:
	case T_InsertStmt:
	case T_UpdateStmt:
	case T_DeleteStmt:
	case T_MergeStmt:
		top_query(a, n);
		break;
	case T_ExplainStmt:
		explain(a, (const ExplainStmt *)n);
		break;
	case T_PrepareStmt:
		prepare(a, (const PrepareStmt *)n);
		break;
	case T_ExecuteStmt:
		execute(a, (const ExecuteStmt *)n);
		break;
	case T_DeclareCursorStmt:
		analyze_statement(a, ((const DeclareCursorStmt *)n)->query);
		break;
	case T_CopyStmt:
		copy(a, (const CopyStmt *)n);
		break;
	case T_CreateTableAsStmt:
		analyze_statement(a, ((const CreateTableAsStmt *)n)->query);
		break;
	case T_ViewStmt:
		analyze_statement(a, ((const ViewStmt *)n)->query);
		break;
	/* no expressions in them */
	case T_TransactionStmt:
	case T_VariableSetStmt:
	case T_VariableShowStmt:
	case T_ConstraintsSetStmt:
	case T_DiscardStmt:
	case T_FetchStmt:
	case T_ClosePortalStmt:
	case T_DeallocateStmt:
	case T_ListenStmt:
	case T_NotifyStmt:
	case T_UnlistenStmt:
	case T_CheckPointStmt:
		break;
	default:
		a->covered = false;
	}
}

static void
analyze_statement(struct analyzer *a, const Node *n)
{
	if (n == NULL || !enter(a, -1))
		return;
	statement(a, n);
	leave(a);
}

/* --- the way in -------------------------------------------------------------------------------- */

static int
depth_limit(const struct profile *p)
{
	const int64_t max = p->limits.max_query_depth;

	return max > 0 && max < ANALYZE_DEPTH_MAX ? (int)max : ANALYZE_DEPTH_MAX;
}

static bool
restricts(const struct profile *p)
{
	return p->schemas_deny.n > 0 || p->schemas_allow.set || p->ntables_deny > 0 || p->tables_allow_set;
}

/* Whoever may create tables may have made one since, or a temporary one that no catalog of ours shows. */
static bool
may_create(const struct profile *p)
{
	return !p->read_only && p->statements_allow != UINT32_MAX &&
	       (p->statements_allow & ~p->statements_deny & 1u << KIND_DDL) != 0;
}

static void
begin(struct analyzer *a, struct rights *rights, struct refusal *r)
{
	memset(a, 0, offsetof(struct analyzer, arena) + offsetof(struct arena, first));
	a->rights = rights;
	a->refusal = r;
	a->catalog = rights_catalog(rights);
	a->profile = rights_profile(rights);
	a->types.catalog = a->catalog;
	a->types.path = rights_path(rights, &a->types.npath);
	a->types.reach = reach_function;
	a->types.reach_type = reach_type;
	a->types.arg = a;
	a->types.memo = &a->memo;
	a->types.unsettled = &a->unsettled;
	a->restricts = restricts(a->profile);
	a->compares = catalog_has_user_opclasses(a->catalog);
	a->covered = true;
	a->max_depth = depth_limit(a->profile);
}

bool
analyze_rewritten(struct analysis *out, struct rights *rights, const struct tree *tree, const char *sql, const uint32_t *types,
    size_t ntypes, const struct text_range *ours, size_t nours, struct refusal *r)
{
	struct analyzer a;

	*out = (struct analysis){ 0 };
	begin(&a, rights, r);
	a.out = out;
	a.ours = ours;
	a.nours = nours;
	a.may_create = may_create(a.profile);
	if (nours == 0)
		a.types.compared_all = &a.compared_all;
	params_begin(&a, types, ntypes);
	for (size_t i = 0; i < tree->n && !a.failed; i++) {
		const RawStmt *raw = tree->statements->elements[i].ptr_value;

		if (tree->n > 1 && is_unlock_all(raw->stmt))
			continue;
		a.place = raw->stmt_location > 0 ? raw->stmt_location : 0;
		a.constants = NULL;
		a.statistics = a.settings = false;
		analyze_statement(&a, raw->stmt);
		if (a.statistics && !a.failed)
			check_constants(&a);
		if (a.settings && !a.failed)
			check_settings(&a);
	}
	if (!a.failed)
		leave_grouped(&a, sql);
	if (!a.failed)
		leave_sites(&a);
	out->complete = a.covered;
	out->unknown = a.unknown;
	arena_release(&a.arena);
	return !a.failed;
}

bool
analyze(struct analysis *out, struct rights *rights, const struct tree *tree, const char *sql, const uint32_t *types, size_t ntypes,
    struct refusal *r)
{
	return analyze_rewritten(out, rights, tree, sql, types, ntypes, NULL, 0, r);
}

/* One SELECT, which makes no table. */
static bool
is_query(const struct tree *tree)
{
	const Node *n = tree->n == 1 ? ((const RawStmt *)tree->statements->elements[0].ptr_value)->stmt : NULL;

	return n != NULL && IsA(n, SelectStmt) && ((const SelectStmt *)n)->intoClause == NULL;
}

bool
analyze_body(struct rights *rights, struct parser *parser, const struct body *body, struct refusal *r)
{
	static const uint32_t pg_catalog[] = { 11 };
	struct analyzer a;
	struct tree tree;

	if (!parser_parse(parser, body->sql, &tree)) {
		refuse(r, RULE_PARSE_ERROR, -1, "%s", tree.error);
		tree_release(&tree);
		return false;
	}
	begin(&a, rights, r);
	a.body = body;
	a.trusted = body->trusted_functions;
	a.types.path = pg_catalog;
	a.types.npath = nitems(pg_catalog);
	if (is_query(&tree))
		analyze_statement(&a, ((const RawStmt *)tree.statements->elements[0].ptr_value)->stmt);
	else
		stop(&a, RULE_STATEMENT_NOT_ALLOWED, -1, "a body that is no query");
	arena_release(&a.arena);
	tree_release(&tree);
	return !a.failed;
}
