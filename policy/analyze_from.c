/* policy/analyze_from.c - tables, subqueries, CTEs and samples in FROM. */
#include "analyze_int.h"

#include <string.h>

/* --- relations ------------------------------------------------------------------- */

const struct cat_relation *
find_relation(struct analyzer *a, const RangeVar *r)
{
	const char *schema = r->schemaname;
	const struct cat_relation *rel;

	/* what PostgreSQL printed under search_path = pg_catalog */
	if (schema == NULL && a->body != NULL)
		schema = "pg_catalog";
	rel = rights_find_relation(a->rights, schema, r->relname);
	if (rel == NULL && !a->may_create)
		stop_unknown(a, "42P01", r->location, "relation \"%.64s%s%.64s\" does not exist", schema != NULL ? schema : "",
		    schema != NULL ? "." : "", r->relname);
	return rel;
}

static bool
is_statistics(const struct cat_relation *rel)
{
	const char *name = rel->name;

	if (rel->oid >= FIRST_USER_OID || strncmp(name, "pg_", 3) != 0)
		return false;
	return strcmp(name, "pg_sequences") == 0 || strncmp(name, "pg_statio_", 10) == 0 ||
	       (strncmp(name, "pg_stat_", 8) == 0 &&
		   (strstr(name, "_tables") != NULL || strstr(name, "_indexes") != NULL || strstr(name, "_functions") != NULL));
}

/* What stands guarded is a source of columns that are closed or masked. */
static struct source *
source_new(struct analyzer *a, const RangeVar *r, const struct cat_relation *rel, const struct guard *guard, bool fixed)
{
	struct source *s = arena_new(a, struct source);

	*s = (struct source){ .next = a->sources, .relation = rel, .guard = guard, .fixed = fixed || a->body != NULL };
	s->site = (struct site){
		.location = r->location, .guard = guard, .only = !r->inh, .has_alias = r->alias != NULL, .name = rel->name
	};
	a->sources = s;
	return s;
}

void
relation_columns(struct analyzer *a, struct item *item, const struct cat_relation *rel)
{
	const struct guard *guard = item->source != NULL ? item->source->guard : NULL;
	struct column *all = arena_array(a, struct column, rel->ncolumns + 1);
	const struct column **list = arena_array(a, const struct column *, rel->ncolumns + 1);

	if ((a->ncolumns += rel->ncolumns) > ANALYZE_COLUMNS_MAX) {
		stop(a, RULE_TOO_DEEP, -1, "this statement refused: its FROM clauses hold too many columns");
		return;
	}
	for (size_t i = 0; i < rel->ncolumns; i++) {
		all[i].name = rel->columns[i].name;
		all[i].type = value_of(rel->columns[i].type);
		if (guard != NULL && guard->actions[i] != COLUMN_OPEN) {
			all[i].action = guard->actions[i];
			all[i].source = item->source;
		}
		list[i] = &all[i];
	}
	/* more may be added: see room_for() */
	item->columns = (struct columns){ 0 };
	a->ncolumns -= rel->ncolumns;
	for (size_t i = 0; i < rel->ncolumns; i++)
		columns_add(a, &item->columns, list[i]);
}

static void
refuse_standing(struct analyzer *a, const RangeVar *r, const struct cat_relation *rel, const struct relation_rights *rights)
{
	const char *schema = catalog_schema_name(a->catalog, rel->namespace);

	if (rights->why != NULL)
		stop(a, rights->rule, r->location, "access to %.64s.%.64s refused: %.400s", schema, rel->name, rights->why);
	else
		stop(a, rights->rule, r->location, "access to %.64s.%.64s refused: it is not open to this connection", schema,
		    rel->name);
}

static void
judge_relation(struct analyzer *a, struct item *item, const RangeVar *r, const struct cat_relation *rel, bool target)
{
	const struct relation_rights *rights = rights_relation(a->rights, rel, ACCESS_READ, !r->inh);

	if (rights->standing == STANDING_DENIED && a->body != NULL)
		refuse_standing(a, r, rel, rights);
	if (rights->standing != STANDING_GUARDED || rights->guard == NULL || in_ours(a, r->location))
		return;
	if (rights->guard->filter != NULL && (a->body != NULL || target)) {
		stop(a, RULE_TABLE_DENIED, r->location,
		    "access to %.64s.%.64s refused: rows of it are hidden, and here they cannot be left out",
		    catalog_schema_name(a->catalog, rel->namespace), rel->name);
		return;
	}
	item->source = source_new(a, r, rel, rights->guard, target);
	if (!rights->guard->definitions)
		source_note(a, item->source);
}

struct item *
relation_item(struct analyzer *a, const RangeVar *r, const struct cat_relation *rel, bool target)
{
	struct item *item = item_new(a, r->relname);

	if (rel == NULL) {
		item->columns.open = true;
	} else {
		item->relation = rel;
		if (a->restricts && is_statistics(rel))
			a->statistics = true;
		note_settings(a, rel);
		judge_relation(a, item, r, rel, target);
		relation_columns(a, item, rel);
	}
	item_alias(a, item, r->alias);
	if (item->source != NULL)
		item->source->alias = item->name;
	return item;
}

static struct item *
cte_item(struct analyzer *a, const RangeVar *r, const struct cte *cte)
{
	struct item *item = item_new(a, r->relname);

	item->columns = cte->columns;
	item_alias(a, item, r->alias);
	return item;
}

static void
range_var(struct analyzer *a, const RangeVar *r)
{
	const struct cte *cte = r->schemaname == NULL ? cte_find(a, r->relname) : NULL;

	if (r->location >= 0)
		a->place = r->location;
	item_push(a, cte != NULL ? cte_item(a, r, cte) : relation_item(a, r, find_relation(a, r), false));
}

/* --- subqueries -------------------------------------------------------------------- */

static void
range_subselect(struct analyzer *a, const RangeSubselect *s)
{
	struct item *item = item_new(a, s->alias != NULL ? s->alias->aliasname : NULL);
	const bool lateral = a->level->lateral;

	a->level->lateral = s->lateral;
	item->columns = analyze_query(a, s->subquery);
	columns_settle(a, &item->columns);
	a->level->lateral = lateral;
	item_alias(a, item, s->alias);
	item_push(a, item);
}

/* --- samples ------------------------------------------------------------------------- */

static bool
is_builtin_method(const List *name)
{
	const char *schema = name_at(name, 1), *method = name_at(name, 0);

	return (strcmp(method, "system") == 0 || strcmp(method, "bernoulli") == 0) &&
	       (*schema == '\0' || strcmp(schema, "pg_catalog") == 0);
}

/* The method is a function of that name that takes "internal". */
static void
judge_method(struct analyzer *a, const RangeTableSample *s)
{
	const char *schema = name_at(s->method, 1), *name = name_at(s->method, 0);
	const struct cat_function *const *list;
	size_t n = 0;
	bool found = false;

	if (is_builtin_method(s->method))
		return;
	list = catalog_functions_named(a->catalog, name, &n);
	for (size_t i = 0; i < n && !a->failed; i++) {
		if (list[i]->nargs != 1 || list[i]->args[0] != 2281 /* internal */)
			continue;
		if (*schema != '\0' && strcmp(catalog_schema_name(a->catalog, list[i]->namespace), schema) != 0)
			continue;
		found = true;
		a->at = (struct construct){ .kind = CONSTRUCT_CALL, .name = name, .nargs = 1, .location = s->location };
		reach_function(a, list[i]);
	}
	if (!found)
		stop_unknown(a, "42704", s->location, "tablesample method %.64s does not exist", name);
}

static void
range_sample(struct analyzer *a, const RangeTableSample *s)
{
	struct item *item;

	analyze_from_item(a, s->relation);
	if (a->failed)
		return;
	item = a->level->items[a->level->n - 1];
	if (item->source != NULL && (!item->source->guard->definitions || item->source->noted))
		stop(a, RULE_TABLE_DENIED, s->location,
		    "TABLESAMPLE of %.64s refused: parts of this table are hidden, and a sample is taken of all of it",
		    item->relation->name);
	judge_method(a, s);
	for (int i = 0; i < list_n(s->args) && !a->failed; i++)
		cast_value(a, analyze_expr(a, list_at(s->args, i)), OID_FLOAT4, COERCE_BY_ASSIGNMENT, list_at(s->args, i), -1);
	if (s->repeatable != NULL)
		cast_value(a, analyze_expr(a, s->repeatable), OID_FLOAT8, COERCE_BY_ASSIGNMENT, s->repeatable, -1);
}

/* --- XMLTABLE, JSON_TABLE -------------------------------------------------------------- */

static void
text_value(struct analyzer *a, const Node *n)
{
	if (n != NULL)
		cast_value(a, analyze_expr(a, n), OID_TEXT, COERCE_BY_ASSIGNMENT, n, -1);
}

static void
xml_columns(struct analyzer *a, struct item *item, const List *list)
{
	for (int i = 0; i < list_n(list) && !a->failed; i++) {
		const RangeTableFuncCol *c = list_at(list, i);
		const struct value_type type = c->for_ordinality ? value_of(OID_INT4) : resolve_type(a, c->typeName);

		make_value(a, type.type, c->location);
		text_value(a, c->colexpr);
		if (c->coldefexpr != NULL)
			cast_value(a, analyze_expr(a, c->coldefexpr), type.type, COERCE_BY_ASSIGNMENT, c->coldefexpr, c->location);
		(void)column_new(a, &item->columns, c->colname, type);
	}
}

/* Lateral without the word. */
static void
range_table_func(struct analyzer *a, const RangeTableFunc *t)
{
	struct item *item = item_new(a, "xmltable");
	const bool lateral = a->level->lateral;

	a->level->lateral = true;
	for (int i = 0; i < list_n(t->namespaces) && !a->failed; i++)
		text_value(a, ((const ResTarget *)list_at(t->namespaces, i))->val);
	text_value(a, t->rowexpr);
	cast_value(a, analyze_expr(a, t->docexpr), OID_XML, COERCE_BY_ASSIGNMENT, t->docexpr, -1);
	xml_columns(a, item, t->columns);
	a->level->lateral = lateral;
	item_alias(a, item, t->alias);
	item_push(a, item);
}

#if PG_VERSION_NUM >= 170000
static void
json_columns(struct analyzer *a, struct item *item, const List *list)
{
	if (!enter(a, -1))
		return;
	for (int i = 0; i < list_n(list) && !a->failed; i++) {
		const JsonTableColumn *c = list_at(list, i);
		struct value_type type;

		if (c->coltype == JTC_NESTED) {
			json_columns(a, item, c->columns);
			continue;
		}
		type = c->coltype == JTC_FOR_ORDINALITY ? value_of(OID_INT4) : resolve_type(a, c->typeName);
		make_value(a, type.type, c->location);
		if (c->on_empty != NULL)
			(void)analyze_expr(a, c->on_empty);
		if (c->on_error != NULL)
			(void)analyze_expr(a, c->on_error);
		(void)column_new(a, &item->columns, c->name, type);
	}
	leave(a);
}

static void
range_json_table(struct analyzer *a, const JsonTable *t)
{
	struct item *item = item_new(a, "json_table");
	const bool lateral = a->level->lateral;

	a->level->lateral = true;
	(void)analyze_expr(a, t->context_item);
	analyze_exprs(a, t->passing);
	json_columns(a, item, t->columns);
	if (t->on_error != NULL)
		(void)analyze_expr(a, t->on_error);
	a->level->lateral = lateral;
	item_alias(a, item, t->alias);
	item_push(a, item);
}
#endif

/* --- the switch --------------------------------------------------------------------------- */

static void
from_item(struct analyzer *a, const Node *n)
{
	switch (nodeTag(n)) {
	case T_RangeVar:
		range_var(a, (const RangeVar *)n);
		break;
	case T_RangeSubselect:
		range_subselect(a, (const RangeSubselect *)n);
		break;
	case T_RangeFunction:
		analyze_range_function(a, (const RangeFunction *)n);
		break;
	case T_JoinExpr:
		analyze_join(a, (const JoinExpr *)n);
		break;
	case T_RangeTableSample:
		range_sample(a, (const RangeTableSample *)n);
		break;
	case T_RangeTableFunc:
		range_table_func(a, (const RangeTableFunc *)n);
		break;
#if PG_VERSION_NUM >= 170000
	case T_JsonTable:
		range_json_table(a, (const JsonTable *)n);
		break;
#endif
	default:
		stop(a, RULE_STATEMENT_NOT_ALLOWED, -1, "this statement refused: it holds a construct that is not known");
	}
}

void
analyze_from_item(struct analyzer *a, const Node *n)
{
	if (n == NULL || !enter(a, -1))
		return;
	from_item(a, n);
	leave(a);
}

void
analyze_from(struct analyzer *a, const List *from)
{
	for (int i = 0; i < list_n(from) && !a->failed; i++)
		analyze_from_item(a, list_at(from, i));
	for (size_t i = 0; i < a->level->n; i++)
		a->level->items[i]->lateral = false;
}
