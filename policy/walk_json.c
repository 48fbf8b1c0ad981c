/* policy/walk_json.c - the SQL/JSON constructs, which PostgreSQL 15 has not. */
#include "walk.h"

#if PG_VERSION_NUM >= 160000

static bool
walk_output(struct walk *w, const JsonOutput *o)
{
	return o == NULL || walk(w, o->typeName);
}

static bool
walk_aggregate(struct walk *w, const JsonAggConstructor *c)
{
	return walk_output(w, c->output) && walk(w, c->agg_filter) && walk_list(w, c->agg_order) && walk(w, c->over);
}

#endif
#if PG_VERSION_NUM >= 170000

static bool
walk_json_func(struct walk *w, const JsonFuncExpr *f)
{
	return walk(w, f->context_item) && walk(w, f->pathspec) && walk_list(w, f->passing) && walk_output(w, f->output) &&
	       walk(w, f->on_empty) && walk(w, f->on_error);
}

static bool
walk_json_table(struct walk *w, const JsonTable *t)
{
	return walk(w, t->context_item) && walk(w, t->pathspec) && walk_list(w, t->passing) && walk_list(w, t->columns) &&
	       walk(w, t->on_error);
}

static bool
walk_json_column(struct walk *w, const JsonTableColumn *c)
{
	return walk(w, c->typeName) && walk(w, c->pathspec) && walk_list(w, c->columns) && walk(w, c->on_empty) &&
	       walk(w, c->on_error);
}

static bool
walk_json_17(struct walk *w, const Node *n, bool *mine)
{
	switch (nodeTag(n)) {
	case T_MergeSupportFunc:
		return true;
	case T_JsonFuncExpr:
		return walk_json_func(w, (const JsonFuncExpr *)n);
	case T_JsonTable:
		return walk_json_table(w, (const JsonTable *)n);
	case T_JsonTableColumn:
		return walk_json_column(w, (const JsonTableColumn *)n);
	case T_JsonTablePathSpec:
		return walk(w, ((const JsonTablePathSpec *)n)->string);
	case T_JsonArgument:
		return walk(w, ((const JsonArgument *)n)->val);
	case T_JsonBehavior:
		return walk(w, ((const JsonBehavior *)n)->expr);
	case T_JsonParseExpr:
		return walk(w, ((const JsonParseExpr *)n)->expr) && walk_output(w, ((const JsonParseExpr *)n)->output);
	case T_JsonScalarExpr:
		return walk(w, ((const JsonScalarExpr *)n)->expr) && walk_output(w, ((const JsonScalarExpr *)n)->output);
	case T_JsonSerializeExpr:
		return walk(w, ((const JsonSerializeExpr *)n)->expr) && walk_output(w, ((const JsonSerializeExpr *)n)->output);
	default:
		*mine = false;
		return true;
	}
}

#endif

bool
walk_json(struct walk *w, const Node *n, bool *mine)
{
	*mine = true;
	(void)w;
	switch (nodeTag(n)) {
#if PG_VERSION_NUM >= 160000
	case T_JsonValueExpr:
		return walk(w, ((const JsonValueExpr *)n)->raw_expr);
	case T_JsonIsPredicate:
		return walk(w, ((const JsonIsPredicate *)n)->expr);
	case T_JsonKeyValue:
		return walk(w, ((const JsonKeyValue *)n)->key) && walk(w, ((const JsonKeyValue *)n)->value);
	case T_JsonObjectConstructor:
		return walk_list(w, ((const JsonObjectConstructor *)n)->exprs) &&
		       walk_output(w, ((const JsonObjectConstructor *)n)->output);
	case T_JsonArrayConstructor:
		return walk_list(w, ((const JsonArrayConstructor *)n)->exprs) &&
		       walk_output(w, ((const JsonArrayConstructor *)n)->output);
	case T_JsonArrayQueryConstructor:
		return walk(w, ((const JsonArrayQueryConstructor *)n)->query) &&
		       walk_output(w, ((const JsonArrayQueryConstructor *)n)->output);
	case T_JsonObjectAgg:
		return walk_aggregate(w, ((const JsonObjectAgg *)n)->constructor) && walk(w, ((const JsonObjectAgg *)n)->arg);
	case T_JsonArrayAgg:
		return walk_aggregate(w, ((const JsonArrayAgg *)n)->constructor) && walk(w, ((const JsonArrayAgg *)n)->arg);
#endif
	default:
#if PG_VERSION_NUM >= 170000
		return walk_json_17(w, n, mine);
#else
		*mine = false;
		return true;
#endif
	}
}
