/* policy/analyze_value.c - what happens to values: compared, cast, made from text, combined. */
#include "analyze_int.h"

#include <string.h>

static bool
is_plain(const struct analyzer *a, uint32_t type)
{
	const struct cat_type *t;

	if (type == TYPE_ANY || type >= FIRST_USER_OID || type == TYPE_RECORD)
		return false;
	t = catalog_type_of(a->catalog, type);
	return t != NULL && t->kind == 'b' && t->element == 0;
}

void
compare_values(struct analyzer *a, const char *what, struct value_type v, int location)
{
	if (!a->compares || a->failed || v.type == TYPE_UNKNOWN || is_plain(a, v.type))
		return;
	if (v.type == OID_RECORDS && v.row != NULL)
		v.type = TYPE_RECORD;
	a->at = (struct construct){ .kind = CONSTRUCT_COMPARE, .what = what, .location = location, .type = v.type };
	types_compare(&a->types, &v);
}

/* literal: the node that the value comes from, for names of objects and open parameters. */
void
cast_value(struct analyzer *a, struct value_type v, uint32_t to, enum coercion how, const Node *literal, int location)
{
	static const char *const words[] = { "implicit cast", "assignment", "cast" };

	if (a->failed || to == TYPE_ANY)
		return;
	if (literal != NULL)
		param_settle(a, literal, to);
	if (reg_type(to) != 0)
		check_reg(a, literal, v, reg_type(to), location);
	if (v.type == to && to < FIRST_USER_OID)
		return;
	a->at = (struct construct){ .kind = CONSTRUCT_OTHER, .what = words[how], .location = location, .type = to };
	types_coerce(&a->types, &v, to, how);
}

void
make_value(struct analyzer *a, uint32_t type, int location)
{
	const struct value_type text = value_of(TYPE_UNKNOWN);
	struct type_label *l;
	char *what;

	if (a->failed || type == TYPE_ANY || is_plain(a, type))
		return;
	l = arena_new(a, struct type_label);
	what = arena_alloc(&a->arena, sizeof(l->text) + 24);
	(void)snprintf(what, sizeof(l->text) + 24, "a value of type %s", type_words(a, type, l));
	at_other(a, what, location);
	types_coerce(&a->types, &text, type, COERCE_BY_EXPLICIT);
}

void
to_boolean(struct analyzer *a, const Node *n, const char *what)
{
	struct value_type v;

	if (n == NULL)
		return;
	v = analyze_expr(a, n);
	param_settle(a, n, OID_BOOL);
	if (v.type == OID_BOOL || v.type == TYPE_UNKNOWN || a->failed)
		return;
	at_other(a, what, -1);
	types_coerce(&a->types, &v, OID_BOOL, COERCE_BY_ASSIGNMENT);
}

struct value_type
common_value(
    struct analyzer *a, const char *what, const struct value_type *values, const Node *const *nodes, size_t n, int location)
{
	struct value_type common;

	if (n == 0 || a->failed)
		return value_of(n == 0 ? TYPE_UNKNOWN : TYPE_ANY);
	at_other(a, what, location);
	common = n == 1 && values[0].type < FIRST_USER_OID && values[0].type != TYPE_ANY ? values[0]
											 : types_common(&a->types, values, n);
	for (size_t i = 0; nodes != NULL && i < n; i++) {
		if (common.type != TYPE_UNKNOWN)
			param_settle(a, nodes[i], common.type);
		if (values[i].type == TYPE_UNKNOWN && is_reg_type(common.type))
			check_reg(a, nodes[i], values[i], common.type, location);
	}
	return common;
}

struct value_type
array_of(const struct analyzer *a, struct value_type v)
{
	const struct cat_type *t;

	if (v.type == TYPE_RECORD)
		return (struct value_type){ .type = OID_RECORDS, .row = v.row };
	if (v.type == TYPE_ANY)
		return v;
	t = catalog_type_of(a->catalog, v.type == TYPE_UNKNOWN ? OID_TEXT : v.type);
	return value_of(t != NULL ? t->array : TYPE_ANY);
}

/* --- operators --------------------------------------------------------------------- */

static bool
has_operator(const struct analyzer *a, const char *name, uint32_t type)
{
	size_t n = 0;
	const struct cat_operator *const *list = catalog_operators_named(a->catalog, name, &n);

	for (size_t i = 0; i < n; i++)
		if (list[i]->left == type && list[i]->right == type)
			return true;
	return false;
}

/* An open parameter beside a value of a known type becomes that type where
 * there is such an operator; text beside text; else it could be any. */
static void
settle_operand(struct analyzer *a, const char *op, const Node *n, struct value_type other)
{
	const struct cat_type *t;
	uint32_t type;

	if (n == NULL || !IsA(n, ParamRef) || other.type == TYPE_UNKNOWN)
		return;
	type = other.type != TYPE_ANY ? types_base(a->catalog, other.type) : TYPE_ANY;
	t = type != TYPE_ANY ? catalog_type_of(a->catalog, type) : NULL;
	if (t != NULL && !has_operator(a, op, type))
		type = t->category == 'S' && t->oid < FIRST_USER_OID ? (uint32_t)OID_TEXT : TYPE_ANY;
	param_settle(a, n, type);
}

/* 'x' beside a regclass is read as one. */
static void
check_operand(struct analyzer *a, const Node *n, struct value_type v, struct value_type other, int location)
{
	if (n != NULL && v.type == TYPE_UNKNOWN && is_reg_type(other.type))
		check_reg(a, n, v, other.type, location);
}

/* Text beside a value that is none: || is an SQL function then, which casts it to text, by a user's cast if there is one. */
static void
concatenate(struct analyzer *a, struct value_type l, struct value_type r)
{
	const struct value_type v = l.type == TYPE_UNKNOWN || l.type == OID_TEXT ? r : l;

	if (v.type == TYPE_ANY || v.type >= FIRST_USER_OID)
		types_coerce(&a->types, &v, OID_TEXT, COERCE_BY_EXPLICIT);
}

struct value_type
apply_operator(struct analyzer *a, const List *name, const char *keyword, const Node *left, struct value_type l, const Node *right,
    struct value_type r, int location)
{
	const char *symbol = keyword != NULL ? keyword : name_at(name, 0);
	const char *schema = name != NIL && name->length > 1 ? name_at(name, 1) : NULL;
	struct value_type result;

	if (a->failed)
		return value_of(TYPE_ANY);
	a->at = (struct construct){
		.kind = CONSTRUCT_OPERATOR, .schema = schema, .name = symbol, .location = location, .symbol = keyword == NULL
	};
	result = types_operator(&a->types, schema, symbol, left != NULL ? &l : NULL, &r);
	if (left != NULL && strcmp(symbol, "||") == 0)
		concatenate(a, l, r);
	if (left != NULL && strcmp(symbol, "#=") == 0) /* hstore's: fields of the row are made from text */
		make_value(a, l.type, location);
	if (left != NULL) {
		settle_operand(a, symbol, left, r);
		settle_operand(a, symbol, right, l);
		check_operand(a, left, l, r, location);
		check_operand(a, right, r, l, location);
	}
	if (a->compares && strcmp(symbol, "||") != 0) {
		const char *what = symbol;

		if (left != NULL)
			compare_values(a, what, l, location);
		compare_values(a, what, r, location);
	}
	return result;
}

/* --- names of types ----------------------------------------------------------------- */

struct value_type
resolve_type(struct analyzer *a, const TypeName *t)
{
	const int n = t != NULL ? list_n(t->names) : 0;
	const char *schema = n > 1 ? name_at(t->names, 1) : NULL, *name = n > 0 ? name_at(t->names, 0) : "";
	const struct cat_type *type;

	if (t == NULL || n == 0 || a->failed)
		return value_of(TYPE_ANY);
	if (t->location >= 0)
		a->place = t->location;
	analyze_exprs(a, t->typmods);
	at_other(a, "a type's name", t->location);
	type = types_named(&a->types, schema, name);
	if (type == NULL) {
		if (!a->may_create)
			stop_unknown(a, "42704", t->location, "type \"%.64s%s%.64s\" does not exist", schema != NULL ? schema : "",
			    schema != NULL ? "." : "", name);
		return value_of(TYPE_ANY);
	}
	/* a type of a closed schema is not to be named, whatever it is for */
	if (type->oid >= FIRST_USER_OID)
		reach_type(a, type);
	if (list_n(t->arrayBounds) > 0)
		return value_of(type->array != 0 ? type->array : TYPE_ANY);
	return value_of(type->oid);
}
