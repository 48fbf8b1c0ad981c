/* policy/analyze_json.c - the SQL/JSON constructs, which PostgreSQL 15 has not. */
#include "analyze_int.h"

#if PG_VERSION_NUM >= 160000

static struct value_type
output_type(struct analyzer *a, const JsonOutput *o, uint32_t otherwise)
{
	struct value_type type;

	if (o == NULL || o->typeName == NULL)
		return value_of(otherwise);
	type = resolve_type(a, o->typeName);
	make_value(a, type.type, -1);
	return type;
}

/* What is put into JSON, by a cast to json where there is one. */
static void
printed(struct analyzer *a, const Node *n)
{
	struct value_type v;

	if (n == NULL)
		return;
	v = analyze_expr(a, n);
	at_other(a, "JSON", -1);
	if (!a->failed)
		types_print(&a->types, &v, true);
}

static void
printed_list(struct analyzer *a, const List *list)
{
	for (int i = 0; i < list_n(list) && !a->failed; i++)
		printed(a, list_at(list, i));
}

static void
key_value(struct analyzer *a, const JsonKeyValue *kv)
{
	if (kv == NULL)
		return;
	printed(a, (const Node *)kv->key);
	printed(a, (const Node *)kv->value);
}

static void
aggregate(struct analyzer *a, const JsonAggConstructor *c)
{
	if (c->agg_filter != NULL)
		to_boolean(a, c->agg_filter, "FILTER");
	for (int i = 0; i < list_n(c->agg_order) && !a->failed; i++) {
		const SortBy *s = list_at(c->agg_order, i);

		analyze_sort(a, s, "ORDER BY", analyze_expr(a, s->node));
	}
	analyze_window(a, c->over);
}

static struct value_type
array_query(struct analyzer *a, const JsonArrayQueryConstructor *c)
{
	const struct columns cs = analyze_query(a, c->query);

	for (size_t i = 0; i < cs.n && !a->failed; i++) {
		at_other(a, "JSON_ARRAY", c->location);
		types_print(&a->types, &cs.list[i]->type, true);
	}
	return output_type(a, c->output, OID_JSON);
}

#endif
#if PG_VERSION_NUM >= 170000

static struct value_type
json_function(struct analyzer *a, const JsonFuncExpr *f)
{
	printed(a, (const Node *)f->context_item);
	(void)analyze_expr(a, f->pathspec);
	printed_list(a, f->passing);
	(void)analyze_expr(a, f->on_empty);
	(void)analyze_expr(a, f->on_error);
	return output_type(a, f->output, f->op == JSON_EXISTS_OP ? OID_BOOL : f->op == JSON_QUERY_OP ? OID_JSONB : OID_TEXT);
}

static struct value_type
json_17(struct analyzer *a, const Node *n, bool *mine)
{
	switch (nodeTag(n)) {
	case T_MergeSupportFunc:
		return value_of(OID_TEXT);
	case T_JsonFuncExpr:
		return json_function(a, (const JsonFuncExpr *)n);
	case T_JsonArgument:
		return analyze_expr(a, ((const JsonArgument *)n)->val);
	case T_JsonBehavior:
		return analyze_expr(a, ((const JsonBehavior *)n)->expr);
	case T_JsonParseExpr:
		printed(a, (const Node *)((const JsonParseExpr *)n)->expr);
		return output_type(a, ((const JsonParseExpr *)n)->output, OID_JSON);
	case T_JsonScalarExpr:
		printed(a, (const Node *)((const JsonScalarExpr *)n)->expr);
		return output_type(a, ((const JsonScalarExpr *)n)->output, OID_JSON);
	case T_JsonSerializeExpr:
		printed(a, (const Node *)((const JsonSerializeExpr *)n)->expr);
		return output_type(a, ((const JsonSerializeExpr *)n)->output, OID_TEXT);
	default:
		*mine = false;
		return value_of(TYPE_ANY);
	}
}

#endif

struct value_type
analyze_json(struct analyzer *a, const Node *n, bool *mine)
{
	*mine = true;
	(void)a;
	switch (nodeTag(n)) {
#if PG_VERSION_NUM >= 160000
	case T_JsonValueExpr:
		return analyze_expr(a, ((const JsonValueExpr *)n)->raw_expr);
	case T_JsonIsPredicate:
		(void)analyze_expr(a, ((const JsonIsPredicate *)n)->expr);
		return value_of(OID_BOOL);
	case T_JsonKeyValue:
		key_value(a, (const JsonKeyValue *)n);
		return value_of(TYPE_ANY);
	case T_JsonObjectConstructor:
		printed_list(a, ((const JsonObjectConstructor *)n)->exprs);
		return output_type(a, ((const JsonObjectConstructor *)n)->output, OID_JSON);
	case T_JsonArrayConstructor:
		printed_list(a, ((const JsonArrayConstructor *)n)->exprs);
		return output_type(a, ((const JsonArrayConstructor *)n)->output, OID_JSON);
	case T_JsonArrayQueryConstructor:
		return array_query(a, (const JsonArrayQueryConstructor *)n);
	case T_JsonObjectAgg:
		key_value(a, ((const JsonObjectAgg *)n)->arg);
		aggregate(a, ((const JsonObjectAgg *)n)->constructor);
		return output_type(a, ((const JsonObjectAgg *)n)->constructor->output, OID_JSON);
	case T_JsonArrayAgg:
		printed(a, (const Node *)((const JsonArrayAgg *)n)->arg);
		aggregate(a, ((const JsonArrayAgg *)n)->constructor);
		return output_type(a, ((const JsonArrayAgg *)n)->constructor->output, OID_JSON);
#endif
	default:
#if PG_VERSION_NUM >= 170000
		return json_17(a, n, mine);
#else
		*mine = false;
		return value_of(TYPE_ANY);
#endif
	}
}
