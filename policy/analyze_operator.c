/* policy/analyze_operator.c - operators, and the keywords that stand for them. */
#include "analyze_int.h"

#include <string.h>

/* A side of an operator: one value, or the values of a row. */
struct side {
	const Node *node;
	struct value_type value;
	struct columns row; /* when it is one */
	bool is_row;
};

static struct side
side_of(struct analyzer *a, const Node *n)
{
	struct side s = { .node = n };

	if (n != NULL && IsA(n, RowExpr)) {
		s.is_row = true;
		s.row = analyze_row_list(a, ((const RowExpr *)n)->args);
		s.value = shape_value(a, &s.row);
	} else if (n != NULL) {
		s.value = analyze_expr(a, n);
	}
	return s;
}

/* The columns of (SELECT a, b ...) beside a row: not one value. */
static struct columns
sublink_columns(struct analyzer *a, const Node *n)
{
	struct columns none = { 0 };

	if (!IsA(n, SubLink) || ((const SubLink *)n)->subselect == NULL)
		return none;
	return analyze_query(a, ((const SubLink *)n)->subselect);
}

/* apply_operator() takes a left side of NULL for a prefix operator. */
static const Node *
present(const Node *n)
{
	static const A_Star somewhere = { .type = T_A_Star };

	return n != NULL ? n : (const Node *)&somewhere;
}

static struct value_type
apply(struct analyzer *a, const List *name, const char *keyword, const struct side *l, const struct side *r, int location)
{
	if (l->is_row && r->is_row) {
		for (size_t i = 0; i < l->row.n && i < r->row.n && !a->failed; i++) {
			const struct column *x = l->row.list[i], *y = r->row.list[i];

			(void)apply_operator(a, name, keyword, present(x->literal), x->type, y->literal, y->type, location);
			compare_values(a, keyword != NULL ? keyword : name_at(name, 0), x->type, location);
			compare_values(a, keyword != NULL ? keyword : name_at(name, 0), y->type, location);
		}
		return value_of(OID_BOOL);
	}
	return apply_operator(a, name, keyword, present(l->node), l->value, r->node, r->value, location);
}

/* --- by keyword -------------------------------------------------------------------- */

static struct value_type
between(struct analyzer *a, const A_Expr *e)
{
	const struct side x = side_of(a, e->lexpr);
	const bool negated = e->kind == AEXPR_NOT_BETWEEN || e->kind == AEXPR_NOT_BETWEEN_SYM;
	const List *bounds = (const List *)e->rexpr;
	struct side low, high;

	if (a->failed || bounds == NIL || !IsA(e->rexpr, List) || bounds->length != 2)
		return value_of(OID_BOOL);
	low = side_of(a, list_at(bounds, 0));
	high = side_of(a, list_at(bounds, 1));
	(void)apply(a, NIL, negated ? "<" : ">=", &x, &low, e->location);
	(void)apply(a, NIL, negated ? ">" : "<=", &x, &high, e->location);
	if (e->kind == AEXPR_BETWEEN_SYM || e->kind == AEXPR_NOT_BETWEEN_SYM) {
		(void)apply(a, NIL, negated ? "<" : ">=", &x, &high, e->location);
		(void)apply(a, NIL, negated ? ">" : "<=", &x, &low, e->location);
	}
	return value_of(OID_BOOL);
}

/* x IN (1, 2): x = ANY (array of the common type), or x = 1 OR x = 2, whichever fits. */
static struct value_type
in_list(struct analyzer *a, const A_Expr *e)
{
	const struct side x = side_of(a, e->lexpr);
	const List *list = (const List *)e->rexpr;
	const int n = list != NIL && IsA(e->rexpr, List) ? list->length : 0;
	struct value_type *values = arena_array(a, struct value_type, n + 1), common, elements;
	const Node **nodes = arena_array(a, const Node *, n + 1);
	struct value_type last = value_of(TYPE_ANY);

	for (int i = 0; i < n && !a->failed; i++) {
		const struct side y = side_of(a, list_at(list, i));

		nodes[i] = y.node;
		values[i] = y.value;
		if (i > 0 && !y.is_row && y.value.type == last.type && y.value.row == NULL && last.type != TYPE_ANY &&
		    !is_reg_type(x.value.type) && !IsA(y.node, ParamRef))
			continue;
		(void)apply(a, e->name, "=", &x, &y, e->location);
		last = y.is_row ? value_of(TYPE_ANY) : y.value;
	}
	if (n < 2 || x.is_row || a->failed)
		return value_of(OID_BOOL);
	values[n] = x.value;
	nodes[n] = x.node;
	common = common_value(a, "IN", values, nodes, (size_t)n + 1, e->location);
	elements = array_of(a, common);
	if (elements.type == TYPE_ANY || common.type == TYPE_UNKNOWN)
		return value_of(OID_BOOL);
	a->at = (struct construct){ .kind = CONSTRUCT_OPERATOR, .name = name_at(e->name, 0), .location = e->location };
	(void)types_operator_array(&a->types, NULL, name_at(e->name, 0), &x.value, &elements);
	return value_of(OID_BOOL);
}

static struct value_type
any_all(struct analyzer *a, const A_Expr *e)
{
	const char *schema = list_n(e->name) > 1 ? name_at(e->name, 1) : NULL;
	struct value_type l = analyze_expr(a, e->lexpr), r = analyze_expr(a, e->rexpr), element;
	struct value_type result;

	if (a->failed)
		return value_of(OID_BOOL);
	a->at = (struct construct){
		.kind = CONSTRUCT_OPERATOR, .schema = schema, .name = name_at(e->name, 0), .location = e->location, .symbol = true
	};
	result = types_operator_array(&a->types, schema, name_at(e->name, 0), &l, &r);
	element = r.type != TYPE_UNKNOWN ? types_subscript(&a->types, &r, false) : l;
	if (is_reg_type(l.type) && r.type == TYPE_UNKNOWN)
		check_reg(a, e->rexpr, r, l.type, e->location);
	if (IsA(e->lexpr, ParamRef))
		param_settle(a, e->lexpr, element.type != TYPE_UNKNOWN ? element.type : (uint32_t)TYPE_ANY);
	if (IsA(e->rexpr, ParamRef) && r.type == TYPE_UNKNOWN)
		param_settle(a, e->rexpr, l.type == TYPE_UNKNOWN ? (uint32_t)TYPE_ANY : array_of(a, l).type);
	compare_values(a, name_at(e->name, 0), l, e->location);
	compare_values(a, name_at(e->name, 0), r, e->location);
	return result.type == TYPE_ANY ? value_of(OID_BOOL) : result;
}

static struct value_type
row_with_sublink(struct analyzer *a, const A_Expr *e)
{
	const struct columns l = analyze_row_list(a, ((const RowExpr *)e->lexpr)->args);
	const struct columns r = sublink_columns(a, e->rexpr);

	for (size_t i = 0; i < l.n && i < r.n && !a->failed; i++)
		(void)apply_operator(
		    a, e->name, NULL, present(l.list[i]->literal), l.list[i]->type, NULL, r.list[i]->type, e->location);
	return value_of(OID_BOOL);
}

static bool
is_plain_sublink(const Node *n)
{
	return n != NULL && IsA(n, SubLink) && ((const SubLink *)n)->subLinkType == EXPR_SUBLINK;
}

static struct value_type
operation(struct analyzer *a, const A_Expr *e, const char *keyword)
{
	struct side l, r;

	if (e->lexpr != NULL && IsA(e->lexpr, RowExpr) && is_plain_sublink(e->rexpr))
		return row_with_sublink(a, e);
	l = side_of(a, e->lexpr);
	r = side_of(a, e->rexpr);
	if (e->lexpr == NULL)
		return apply_operator(a, e->name, NULL, NULL, l.value, r.node, r.value, e->location);
	return apply(a, e->name, keyword, &l, &r, e->location);
}

/* Its value is the left side. */
static struct value_type
nullif(struct analyzer *a, const A_Expr *e)
{
	const struct side l = side_of(a, e->lexpr), r = side_of(a, e->rexpr);

	(void)apply(a, e->name, "=", &l, &r, e->location);
	return l.value.type == TYPE_UNKNOWN ? value_of(OID_TEXT) : l.value;
}

struct value_type
analyze_operation(struct analyzer *a, const A_Expr *e)
{
	switch (e->kind) {
	case AEXPR_OP:
		return operation(a, e, NULL);
	case AEXPR_OP_ANY:
	case AEXPR_OP_ALL:
		return any_all(a, e);
	case AEXPR_DISTINCT:
	case AEXPR_NOT_DISTINCT:
		(void)operation(a, e, "=");
		return value_of(OID_BOOL);
	case AEXPR_NULLIF:
		return nullif(a, e);
	case AEXPR_IN:
		return in_list(a, e);
	case AEXPR_LIKE:
	case AEXPR_ILIKE:
	case AEXPR_SIMILAR:
		return operation(a, e, name_at(e->name, 0));
	case AEXPR_BETWEEN:
	case AEXPR_NOT_BETWEEN:
	case AEXPR_BETWEEN_SYM:
	case AEXPR_NOT_BETWEEN_SYM:
		return between(a, e);
	}
	stop(a, RULE_STATEMENT_NOT_ALLOWED, e->location, "this statement refused: it holds a construct that is not known");
	return value_of(TYPE_ANY);
}

/* --- subqueries as values ------------------------------------------------------------- */

static const struct column *
first_open(const struct columns *cs)
{
	for (size_t i = 0; i < cs->n; i++)
		if (cs->list[i]->action != COLUMN_DENY)
			return cs->list[i];
	return NULL;
}

/* A list that lost columns is not what the left side is compared with. */
static void
refuse_lost(struct analyzer *a, const struct columns *cs, int location)
{
	if (columns_lost(cs) > 0 && !in_ours(a, location))
		stop(a, RULE_COLUMN_DENIED, location,
		    "a subquery with * refused: a column of it is not open to this connection; name the columns that are wanted");
}

static struct value_type
quantified(struct analyzer *a, const SubLink *s)
{
	const char *keyword = s->operName == NIL ? "=" : NULL;
	struct side l = side_of(a, s->testexpr);
	struct columns r = analyze_query(a, s->subselect), single = { 0 };

	columns_settle(a, &r);
	refuse_lost(a, &r, s->location);
	if (!l.is_row) {
		struct column *c = column_new(a, &single, "", l.value);

		c->literal = l.node;
		l.row = single;
	}
	for (size_t i = 0; i < l.row.n && i < r.n && !a->failed; i++) {
		const struct column *x = l.row.list[i], *y = r.list[i];

		(void)apply_operator(a, s->operName, keyword, present(x->literal), x->type, y->literal, y->type, s->location);
		compare_values(a, keyword != NULL ? "IN" : name_at(s->operName, 0), x->type, s->location);
		compare_values(a, keyword != NULL ? "IN" : name_at(s->operName, 0), y->type, s->location);
	}
	return value_of(OID_BOOL);
}

static struct value_type
single_value(struct analyzer *a, const SubLink *s)
{
	const struct columns cs = analyze_query(a, s->subselect);
	const struct column *c = first_open(&cs);

	if (c == NULL)
		return value_of(TYPE_ANY);
	refuse_lost(a, &cs, s->location);
	/* without a type it is text by now */
	return c->type.type == TYPE_UNKNOWN ? value_of(OID_TEXT) : c->type;
}

struct value_type
analyze_sublink(struct analyzer *a, const SubLink *s)
{
	switch (s->subLinkType) {
	case EXISTS_SUBLINK:
		(void)analyze_query(a, s->subselect);
		return value_of(OID_BOOL);
	case ALL_SUBLINK:
	case ANY_SUBLINK:
		return quantified(a, s);
	case ARRAY_SUBLINK: {
		const struct value_type v = single_value(a, s);

		if (v.type != TYPE_ANY && v.type != TYPE_RECORD) {
			const struct cat_type *t = catalog_type_of(a->catalog, v.type);

			if (t != NULL && t->element != 0 && t->array == 0)
				return v;
		}
		return array_of(a, v);
	}
	default:
		return single_value(a, s);
	}
}
