/* policy/analyze_names.c - what PostgreSQL calls a column of a result that has no AS. */
#include "analyze_int.h"

/* How well a name fits: one of a type gives way to a better one. */
enum fit { FIT_NONE, FIT_WEAK, FIT_GOOD };

static enum fit fit_name(const Node *n, const char **name, int depth);

static enum fit
good(const char **name, const char *word)
{
	*name = word;
	return FIT_GOOD;
}

static const char *
last_name(const List *list)
{
	for (int i = 0; i < list_n(list); i++)
		if (*name_at(list, i) != '\0')
			return name_at(list, i);
	return NULL;
}

static enum fit
fit_cast(const TypeCast *c, const char **name, int depth)
{
	const enum fit fit = fit_name(c->arg, name, depth + 1);

	if (fit == FIT_GOOD || c->typeName == NULL || last_name(c->typeName->names) == NULL)
		return fit;
	*name = last_name(c->typeName->names);
	return FIT_WEAK;
}

static enum fit
fit_sublink(const SubLink *s, const char **name)
{
	const SelectStmt *q = (const SelectStmt *)s->subselect;

	switch (s->subLinkType) {
	case EXISTS_SUBLINK:
		return good(name, "exists");
	case ARRAY_SUBLINK:
		return good(name, "array");
	case EXPR_SUBLINK:
		while (q != NULL && IsA(q, SelectStmt) && q->op != SETOP_NONE)
			q = q->larg;
		if (q != NULL && IsA(q, SelectStmt) && list_n(q->targetList) > 0)
			return good(name, output_name(list_at(q->targetList, 0)));
		return q != NULL && IsA(q, SelectStmt) && q->valuesLists != NIL ? good(name, "column1") : FIT_NONE;
	default:
		return FIT_NONE;
	}
}

static enum fit
fit_case(const CaseExpr *c, const char **name, int depth)
{
	if (fit_name((const Node *)c->defresult, name, depth + 1) == FIT_GOOD)
		return FIT_GOOD;
	*name = "case";
	return FIT_WEAK;
}

static enum fit
fit_xml(const XmlExpr *x, const char **name)
{
	static const char *const words[] = { [IS_XMLCONCAT] = "xmlconcat",
		[IS_XMLELEMENT] = "xmlelement",
		[IS_XMLFOREST] = "xmlforest",
		[IS_XMLPARSE] = "xmlparse",
		[IS_XMLPI] = "xmlpi",
		[IS_XMLROOT] = "xmlroot" };

	if ((size_t)x->op >= nitems(words) || words[x->op] == NULL)
		return FIT_NONE;
	return good(name, words[x->op]);
}

static enum fit
fit_value_function(const SQLValueFunction *f, const char **name)
{
	static const char *const words[] = { "current_date", "current_time", "current_time", "current_timestamp",
		"current_timestamp", "localtime", "localtime", "localtimestamp", "localtimestamp", "current_role", "current_user",
		"user", "session_user", "current_catalog", "current_schema" };

	return (size_t)f->op < nitems(words) ? good(name, words[f->op]) : FIT_NONE;
}

#if PG_VERSION_NUM >= 160000
static enum fit
fit_json(const Node *n, const char **name)
{
	switch (nodeTag(n)) {
	case T_JsonObjectConstructor:
		return good(name, "json_object");
	case T_JsonArrayConstructor:
	case T_JsonArrayQueryConstructor:
		return good(name, "json_array");
	case T_JsonObjectAgg:
		return good(name, "json_objectagg");
	case T_JsonArrayAgg:
		return good(name, "json_arrayagg");
#if PG_VERSION_NUM >= 170000
	case T_JsonParseExpr:
		return good(name, "json");
	case T_JsonScalarExpr:
		return good(name, "json_scalar");
	case T_JsonSerializeExpr:
		return good(name, "json_serialize");
	case T_JsonFuncExpr:
		return good(name, ((const JsonFuncExpr *)n)->op == JSON_EXISTS_OP  ? "json_exists"
				  : ((const JsonFuncExpr *)n)->op == JSON_QUERY_OP ? "json_query"
										   : "json_value");
	case T_MergeSupportFunc:
		return good(name, "merge_action");
#endif
	default:
		return FIT_NONE;
	}
}
#else
static enum fit
fit_json(const Node *n, const char **name)
{
	(void)n;
	(void)name;
	return FIT_NONE;
}
#endif

static enum fit
fit_indirection(const A_Indirection *n, const char **name, int depth)
{
	const char *last = last_name(n->indirection);

	return last != NULL ? good(name, last) : fit_name(n->arg, name, depth + 1);
}

/* Past some depth nobody refers to the column by the name that it would get. */
static enum fit
fit_name(const Node *n, const char **name, int depth)
{
	const char *last;

	if (n == NULL || depth > 200)
		return FIT_NONE;
	switch (nodeTag(n)) {
	case T_ColumnRef:
		last = last_name(((const ColumnRef *)n)->fields);
		return last != NULL ? good(name, last) : FIT_NONE;
	case T_A_Indirection:
		return fit_indirection((const A_Indirection *)n, name, depth);
	case T_FuncCall:
		return good(name, name_at(((const FuncCall *)n)->funcname, 0));
	case T_A_Expr:
		return ((const A_Expr *)n)->kind == AEXPR_NULLIF ? good(name, "nullif") : FIT_NONE;
	case T_TypeCast:
		return fit_cast((const TypeCast *)n, name, depth);
	case T_CollateClause:
		return fit_name(((const CollateClause *)n)->arg, name, depth + 1);
	case T_GroupingFunc:
		return good(name, "grouping");
	case T_SubLink:
		return fit_sublink((const SubLink *)n, name);
	case T_CaseExpr:
		return fit_case((const CaseExpr *)n, name, depth);
	case T_A_ArrayExpr:
		return good(name, "array");
	case T_RowExpr:
		return good(name, "row");
	case T_CoalesceExpr:
		return good(name, "coalesce");
	case T_MinMaxExpr:
		return good(name, ((const MinMaxExpr *)n)->op == IS_GREATEST ? "greatest" : "least");
	case T_XmlExpr:
		return fit_xml((const XmlExpr *)n, name);
	case T_XmlSerialize:
		return good(name, "xmlserialize");
	case T_SQLValueFunction:
		return fit_value_function((const SQLValueFunction *)n, name);
	default:
		return fit_json(n, name);
	}
}

const char *
expression_name(const Node *n)
{
	const char *name = "?column?";

	return fit_name(n, &name, 0) == FIT_NONE ? "?column?" : name;
}

const char *
output_name(const ResTarget *t)
{
	return t->name != NULL ? t->name : expression_name(t->val);
}
