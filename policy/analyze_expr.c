/* policy/analyze_expr.c - the switch over expressions: what type a value has, and what makes it. */
#include "analyze_int.h"

#include <stdlib.h>
#include <string.h>

void
analyze_exprs(struct analyzer *a, const List *list)
{
	for (int i = 0; i < list_n(list) && !a->failed; i++)
		(void)analyze_expr(a, list_at(list, i));
}

/* --- constants ----------------------------------------------------------------- */

static bool
fits_int8(const char *digits)
{
	size_t len;

	for (len = 0; digits[len] >= '0' && digits[len] <= '9'; len++)
		;
	if (digits[len] != '\0')
		return false;
	return len < 19 || (len == 19 && strcmp(digits, "9223372036854775807") <= 0);
}

/* Kept to be compared with the names of what is closed, should the statement read statistics or settings. */
static void
keep_constant(struct analyzer *a, const char *text, int location)
{
	struct text_constant *c;

	if (a->body != NULL)
		return;
	c = arena_new(a, struct text_constant);
	*c = (struct text_constant){ .text = text, .location = location, .next = a->constants };
	a->constants = c;
}

static struct value_type
constant(struct analyzer *a, const A_Const *c)
{
	if (c->isnull)
		return value_of(TYPE_UNKNOWN);
	switch (nodeTag(&c->val.node)) {
	case T_Integer:
		return value_of(OID_INT4);
	case T_Float:
		return value_of(fits_int8(c->val.fval.fval) ? OID_INT8 : OID_NUMERIC);
	case T_Boolean:
		return value_of(OID_BOOL);
	case T_BitString:
		return value_of(OID_BIT);
	default:
		keep_constant(a, c->val.sval.sval, c->location);
		return value_of(TYPE_UNKNOWN);
	}
}

static struct value_type
sql_value(const SQLValueFunction *f)
{
	switch (f->op) {
	case SVFOP_CURRENT_DATE:
		return value_of(OID_DATE);
	case SVFOP_CURRENT_TIME:
	case SVFOP_CURRENT_TIME_N:
		return value_of(OID_TIMETZ);
	case SVFOP_CURRENT_TIMESTAMP:
	case SVFOP_CURRENT_TIMESTAMP_N:
		return value_of(OID_TIMESTAMPTZ);
	case SVFOP_LOCALTIME:
	case SVFOP_LOCALTIME_N:
		return value_of(OID_TIME);
	case SVFOP_LOCALTIMESTAMP:
	case SVFOP_LOCALTIMESTAMP_N:
		return value_of(OID_TIMESTAMP);
	default:
		return value_of(OID_NAME);
	}
}

/* --- casts --------------------------------------------------------------------- */

static uint32_t
element_of(const struct analyzer *a, uint32_t type)
{
	const struct cat_type *t = type != TYPE_ANY ? catalog_type_of(a->catalog, types_base(a->catalog, type)) : NULL;

	return t != NULL ? t->element : 0;
}

/* ARRAY[...]::t[] casts each element, without a common type before it. */
static void
cast_elements(struct analyzer *a, const A_ArrayExpr *n, uint32_t array, int location)
{
	const uint32_t element = element_of(a, array);

	if (!enter(a, n->location))
		return;
	for (int i = 0; i < list_n(n->elements) && !a->failed; i++) {
		const Node *e = list_at(n->elements, i);

		if (IsA(e, A_ArrayExpr))
			cast_elements(a, (const A_ArrayExpr *)e, array, location);
		else
			cast_value(a, analyze_expr(a, e), element, COERCE_BY_EXPLICIT, e, location);
	}
	leave(a);
}

static struct value_type
cast(struct analyzer *a, const TypeCast *c)
{
	const struct value_type to = resolve_type(a, c->typeName);
	struct value_type from;

	if (IsA(c->arg, A_ArrayExpr) && element_of(a, to.type) != 0) {
		cast_elements(a, (const A_ArrayExpr *)c->arg, to.type, c->location);
		if (to.type >= FIRST_USER_OID)
			make_value(a, to.type, c->location);
		return to;
	}
	from = analyze_expr(a, c->arg);
	cast_value(a, from, to.type, COERCE_BY_EXPLICIT, c->arg, c->location);
	return to;
}

/* --- several values, one type ------------------------------------------------------ */

static struct value_type
common_of(struct analyzer *a, const char *what, const List *list, bool compared, int location)
{
	const int n = list_n(list);
	struct value_type *values = arena_array(a, struct value_type, n + 1), common;
	const Node **nodes = arena_array(a, const Node *, n + 1);

	for (int i = 0; i < n && !a->failed; i++) {
		nodes[i] = list_at(list, i);
		values[i] = analyze_expr(a, nodes[i]);
	}
	common = common_value(a, what, values, nodes, (size_t)n, location);
	if (compared)
		compare_values(a, what, common, location);
	return common;
}

static struct value_type
array(struct analyzer *a, const A_ArrayExpr *n)
{
	const struct value_type common = common_of(a, "ARRAY", n->elements, false, n->location);

	if (common.type != TYPE_ANY && common.type != TYPE_UNKNOWN && element_of(a, common.type) != 0)
		return common;
	return list_n(n->elements) > 0 ? array_of(a, common) : value_of(TYPE_UNKNOWN);
}

static struct value_type
case_expr(struct analyzer *a, const CaseExpr *c)
{
	const int n = list_n(c->args);
	struct value_type *values = arena_array(a, struct value_type, n + 1), subject = value_of(TYPE_ANY);
	const Node **nodes = arena_array(a, const Node *, n + 1);

	if (c->arg != NULL)
		subject = analyze_expr(a, c->arg);
	if (subject.type == TYPE_UNKNOWN)
		subject = value_of(OID_TEXT);
	for (int i = 0; i < n && !a->failed; i++) {
		const CaseWhen *w = list_at(c->args, i);

		if (c->arg != NULL)
			(void)apply_operator(a, NIL, "=", (const Node *)c->arg, subject, (const Node *)w->expr,
			    analyze_expr(a, w->expr), w->location);
		else
			to_boolean(a, (const Node *)w->expr, "CASE WHEN");
		nodes[i] = (const Node *)w->result;
		values[i] = analyze_expr(a, w->result);
	}
	nodes[n] = (const Node *)c->defresult;
	values[n] = c->defresult != NULL ? analyze_expr(a, c->defresult) : value_of(TYPE_UNKNOWN);
	return common_value(a, "CASE", values, nodes, (size_t)n + 1, c->location);
}

struct columns
analyze_row_list(struct analyzer *a, const List *list)
{
	struct columns cs = { 0 };

	for (int i = 0; i < list_n(list) && !a->failed; i++) {
		const Node *n = list_at(list, i);
		struct column *c;

		if (expand_star(a, n, &cs, true))
			continue;
		c = column_new(a, &cs, "", analyze_expr(a, n));
		c->literal = c->type.type == TYPE_UNKNOWN ? n : NULL;
	}
	return cs;
}

static struct value_type
row(struct analyzer *a, const RowExpr *r)
{
	static const char *const names[] = { "f1", "f2", "f3", "f4", "f5", "f6", "f7", "f8", "f9", "f10", "f11", "f12" };
	struct columns cs = analyze_row_list(a, r->args), named = { .open = cs.open };

	for (size_t i = 0; i < cs.n; i++)
		(void)column_new(a, &named, i < nitems(names) ? names[i] : "", cs.list[i]->type);
	return shape_value(a, &named);
}

/* --- value.field, value[1] ----------------------------------------------------------- */

static struct value_type
field(struct analyzer *a, const Node *n, struct value_type v, const char *name)
{
	struct value_type result = value_of(TYPE_ANY);
	struct type_label l;

	at_other(a, "a field", -1);
	if (types_field(&a->types, &v, name, &result) || attribute_call(a, n, v, name, -1, &result))
		return result;
	if (!a->failed && v.type != TYPE_ANY && (v.type != TYPE_RECORD || v.row != NULL))
		stop_unknown(a, "42703", -1, "column \"%.64s\" not found in data type %s", name, type_words(a, v.type, &l));
	return value_of(TYPE_ANY);
}

static void
subscript(struct analyzer *a, struct value_type of, const Node *n)
{
	struct value_type v;

	if (n == NULL)
		return;
	v = analyze_expr(a, n);
	/* arrays count, jsonb and others take text, too */
	if (element_of(a, of.type) != 0)
		cast_value(a, v, OID_INT4, COERCE_BY_ASSIGNMENT, n, -1);
	else if (v.type >= FIRST_USER_OID)
		cast_value(a, v, OID_TEXT, COERCE_BY_ASSIGNMENT, n, -1);
}

static struct value_type
part_of(struct analyzer *a, struct value_type v, bool slice)
{
	if (v.type == OID_RECORDS && v.row != NULL && !slice)
		return (struct value_type){ .type = TYPE_RECORD, .row = v.row };
	return types_subscript(&a->types, &v, slice);
}

static struct value_type
indirection(struct analyzer *a, const A_Indirection *n)
{
	struct value_type v = analyze_expr(a, n->arg);

	for (int i = 0; i < list_n(n->indirection) && !a->failed; i++) {
		const Node *part = list_at(n->indirection, i);

		if (IsA(part, String)) {
			v = field(a, i == 0 ? n->arg : NULL, v, ((const String *)part)->sval);
		} else if (IsA(part, A_Indices)) {
			const A_Indices *x = (const A_Indices *)part;
			const Node *next = i + 1 < list_n(n->indirection) ? list_at(n->indirection, i + 1) : NULL;

			subscript(a, v, x->lidx);
			subscript(a, v, x->uidx);
			at_other(a, "a subscript", -1);
			/* m[1][2] is one element, m[1:2] is an array */
			if (next == NULL || !IsA(next, A_Indices))
				v = part_of(a, v, x->is_slice);
		}
	}
	return v;
}

/* --- XML --------------------------------------------------------------------------------- */

/* Printed, or taken as text or XML, which a user's cast may make of it. */
static void
xml_part(struct analyzer *a, const Node *n, int location)
{
	const struct value_type v = analyze_expr(a, n);

	if (a->failed || (v.type < FIRST_USER_OID && v.type != TYPE_ANY && v.row == NULL))
		return;
	at_other(a, "XML", location);
	types_print(&a->types, &v, false);
	types_coerce(&a->types, &v, OID_TEXT, COERCE_BY_ASSIGNMENT);
	types_coerce(&a->types, &v, OID_XML, COERCE_BY_ASSIGNMENT);
}

static struct value_type
xml(struct analyzer *a, const XmlExpr *x)
{
	for (int i = 0; i < list_n(x->named_args) && !a->failed; i++)
		xml_part(a, ((const ResTarget *)list_at(x->named_args, i))->val, x->location);
	for (int i = 0; i < list_n(x->args) && !a->failed; i++)
		xml_part(a, list_at(x->args, i), x->location);
	return value_of(x->op == IS_DOCUMENT ? OID_BOOL : OID_XML);
}

static struct value_type
xml_serialize(struct analyzer *a, const XmlSerialize *x)
{
	const struct value_type to = resolve_type(a, x->typeName);

	xml_part(a, x->expr, x->location);
	cast_value(a, value_of(OID_TEXT), to.type, COERCE_BY_EXPLICIT, NULL, x->location);
	return to;
}

/* --- the switch ----------------------------------------------------------------------------- */

static void
booleans(struct analyzer *a, const List *list)
{
	for (int i = 0; i < list_n(list) && !a->failed; i++)
		to_boolean(a, list_at(list, i), "AND, OR, NOT");
}

static struct value_type
boolean_test(struct analyzer *a, const BooleanTest *t)
{
	to_boolean(a, (const Node *)t->arg, "IS TRUE");
	return value_of(OID_BOOL);
}

static struct value_type
null_test(struct analyzer *a, const NullTest *t)
{
	(void)analyze_expr(a, t->arg);
	return value_of(OID_BOOL);
}

static struct value_type
json(struct analyzer *a, const Node *n)
{
	bool mine = false;
	const struct value_type v = analyze_json(a, n, &mine);

	if (!mine && !a->failed)
		stop(a, RULE_STATEMENT_NOT_ALLOWED, -1, "this statement refused: it holds a construct that is not known");
	return v;
}

static struct value_type
expression(struct analyzer *a, const Node *n)
{
	switch (nodeTag(n)) {
	case T_A_Const:
		return constant(a, (const A_Const *)n);
	case T_ColumnRef:
		return analyze_column(a, (const ColumnRef *)n);
	case T_ParamRef:
		return param_value(a, (const ParamRef *)n);
	case T_FuncCall:
		return analyze_call(a, (const FuncCall *)n, NULL);
	case T_A_Expr:
		return analyze_operation(a, (const A_Expr *)n);
	case T_TypeCast:
		return cast(a, (const TypeCast *)n);
	case T_CollateClause:
		return analyze_expr(a, ((const CollateClause *)n)->arg);
	case T_A_Indirection:
		return indirection(a, (const A_Indirection *)n);
	case T_A_ArrayExpr:
		return array(a, (const A_ArrayExpr *)n);
	case T_BoolExpr:
		booleans(a, ((const BoolExpr *)n)->args);
		return value_of(OID_BOOL);
	case T_SubLink:
		return analyze_sublink(a, (const SubLink *)n);
	case T_CaseExpr:
		return case_expr(a, (const CaseExpr *)n);
	case T_RowExpr:
		return row(a, (const RowExpr *)n);
	case T_CoalesceExpr:
		return common_of(a, "COALESCE", ((const CoalesceExpr *)n)->args, false, ((const CoalesceExpr *)n)->location);
	case T_MinMaxExpr:
		return common_of(a, ((const MinMaxExpr *)n)->op == IS_GREATEST ? "GREATEST" : "LEAST",
		    ((const MinMaxExpr *)n)->args, true, ((const MinMaxExpr *)n)->location);
	case T_NullTest:
		return null_test(a, (const NullTest *)n);
	case T_BooleanTest:
		return boolean_test(a, (const BooleanTest *)n);
	case T_NamedArgExpr:
		return analyze_expr(a, ((const NamedArgExpr *)n)->arg);
	case T_GroupingFunc:
		analyze_exprs(a, ((const GroupingFunc *)n)->args);
		return value_of(OID_INT4);
	case T_SQLValueFunction:
		return sql_value((const SQLValueFunction *)n);
	case T_XmlExpr:
		return xml(a, (const XmlExpr *)n);
	case T_XmlSerialize:
		return xml_serialize(a, (const XmlSerialize *)n);
	case T_CurrentOfExpr:
		return value_of(OID_BOOL);
	case T_SetToDefault:
		return value_of(TYPE_UNKNOWN);
	case T_MultiAssignRef: /* analyze_dml.c reads what is behind it */
		return value_of(TYPE_ANY);
	default:
		return json(a, n);
	}
}

/* Where a node stands, for what has no place of its own. */
static int
place_of(const Node *n)
{
	switch (nodeTag(n)) {
	case T_A_Const:
		return ((const A_Const *)n)->location;
	case T_FuncCall:
		return ((const FuncCall *)n)->location;
	case T_A_Expr:
		return ((const A_Expr *)n)->location;
	case T_SubLink:
		return ((const SubLink *)n)->location;
	case T_ParamRef:
		return ((const ParamRef *)n)->location;
	default:
		return -1;
	}
}

struct value_type
analyze_expr(struct analyzer *a, const void *node)
{
	struct value_type v;

	if (node == NULL)
		return value_of(TYPE_UNKNOWN);
	if (!enter(a, place_of(node)))
		return value_of(TYPE_ANY);
	v = expression(a, node);
	leave(a);
	return v;
}
