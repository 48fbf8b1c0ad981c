/* policy/types_operator.c - operators by symbol and operands. */
#include <string.h>

#include "types_int.h"

/* The operators of one symbol, in the one schema or along the path. */
struct symbol {
	const struct cat_operator *const *all;
	size_t n;
	const struct cat_namespace *schema; /* NULL: along the path */
};

#define NO_PLACE SIZE_MAX

static bool
symbol_find(const struct search *s, struct symbol *o, const char *schema, const char *name)
{
	*o = (struct symbol){ 0 };
	if (schema != NULL && *schema != '\0' && (o->schema = catalog_namespace_named(s->catalog, schema)) == NULL)
		return false;
	o->all = catalog_operators_named(s->catalog, name, &o->n);
	return true;
}

static size_t
symbol_place(const struct search *s, const struct symbol *o, const struct cat_operator *op)
{
	size_t place;

	if (o->schema != NULL)
		return op->namespace == o->schema->oid ? 0 : NO_PLACE;
	place = scope_place(s->scope, op->namespace);
	return place < s->scope->npath ? place : NO_PLACE;
}

static void
collect(struct search *s, const struct symbol *o)
{
	for (size_t i = 0; i < o->n; i++) {
		const size_t place = symbol_place(s, o, o->all[i]);

		if (place != NO_PLACE && (o->all[i]->left == 0) == (s->nargs == 1))
			search_add(s, &(struct candidate){ .op = o->all[i], .place = (uint16_t)place });
	}
}

/* Takes the one for just these types; of several, the first along the path. */
static bool
take_exact(struct search *s, const struct symbol *o, uint32_t left, uint32_t right)
{
	struct candidate first = { .place = UINT16_MAX };
	size_t place;

	for (size_t i = 0; i < o->n; i++) {
		const struct cat_operator *op = o->all[i];

		if (op->right == right && op->left == left && (place = symbol_place(s, o, op)) < first.place)
			first = (struct candidate){ .op = op, .place = (uint16_t)place };
	}
	if (first.op == NULL)
		return false;
	search_add(s, &first);
	return true;
}

/* A string literal beside something is of its type, if there is an operator
 * for that, or else of its base type. */
static bool
settle_exactly(struct search *s, const struct symbol *o)
{
	uint32_t left = s->nargs == 2 ? s->type[0] : 0;
	uint32_t right = s->type[s->nargs - 1];
	const struct cat_type *base;

	if (s->open)
		return false;
	if (s->nunknown == 0 || s->nargs == 1)
		return take_exact(s, o, left, right);
	if (s->nunknown == 2)
		return false;
	base = s->base[left == TYPE_UNKNOWN ? 1 : 0];
	left = right = left == TYPE_UNKNOWN ? right : left;
	return take_exact(s, o, left, right) || (base->oid != left && take_exact(s, o, base->oid, base->oid));
}

static bool
class_has(const struct cat_opclass *class, uint32_t function)
{
	for (size_t i = 0; i < class->nfunctions; i++)
		if (class->functions[i] == function)
			return true;
	return false;
}

/* Where an operator belongs to an operator class, the planner may sort or
 * hash by that class (a join, ORDER BY USING), be it the default or not. */
static void
report_class(const struct search *s, uint32_t type, uint32_t function)
{
	size_t n;
	const struct cat_opclass *const *classes = catalog_opclasses(s->catalog, type, &n);

	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; class_has(classes[i], function) && j < classes[i]->nfunctions; j++)
			types_reach_function(s->scope, classes[i]->functions[j]);
}

static void
report_classes(const struct search *s)
{
	if (!catalog_has_user_opclasses(s->catalog))
		return;
	for (size_t i = 0; i < s->n; i++) {
		const struct cat_operator *op = s->list[i].op;

		if (op->function < FIRST_USER_OID)
			continue;
		report_class(s, op->right, op->function);
		if (op->left != op->right)
			report_class(s, op->left, op->function);
	}
}

/* Where the operator for these operands is remembered. */
static size_t
memo_slot(const struct search *s, const char *name)
{
	size_t h = s->type[s->nargs - 1] * 31u + (s->nargs == 2 ? s->type[0] : 0);

	for (; *name != '\0'; name++)
		h = h * 33u + (unsigned char)*name;
	return (h ^ (h >> 7)) % TYPE_MEMO;
}

/* Was the same asked before, with the same answer for all to see? */
static bool
recall(struct search *s, const char *name, size_t slot)
{
	const struct type_memo *m = s->scope->memo;
	const struct cat_operator *op = m->slots[slot].op;

	if (op == NULL || m->slots[slot].left != (s->nargs == 2 ? s->type[0] : 0) ||
	    m->slots[slot].right != s->type[s->nargs - 1] || (op->left == 0) != (s->nargs == 1) || strcmp(op->name, name) != 0)
		return false;
	search_add(s, &(struct candidate){ .op = op });
	return true;
}

static void
remember(const struct search *s, size_t slot)
{
	if (s->n != 1 || s->open)
		return;
	s->scope->memo->slots[slot].op = s->list[0].op;
	s->scope->memo->slots[slot].left = s->nargs == 2 ? s->type[0] : 0;
	s->scope->memo->slots[slot].right = s->type[s->nargs - 1];
}

static bool
choose(struct search *s, const char *schema, const char *name)
{
	struct symbol o;

	if (!symbol_find(s, &o, schema, name))
		return false;
	if (settle_exactly(s, &o))
		return true;
	collect(s, &o);
	search_match(s);
	search_hide(s);
	search_best(s);
	return true;
}

static struct value_type
resolve(struct search *s, const char *schema, const char *name)
{
	/* Hardly anybody writes OPERATOR(schema.op) often. */
	const bool memo = s->scope->memo != NULL && (schema == NULL || *schema == '\0');
	const size_t slot = memo ? memo_slot(s, name) : 0;
	struct value_type result = { .type = TYPE_ANY };

	if (!memo || !recall(s, name, slot)) {
		if (!choose(s, schema, name))
			return result;
		if (memo)
			remember(s, slot);
	}
	result = search_report(s, NULL);
	report_classes(s);
	search_release(s);
	return result;
}

struct value_type
types_operator(const struct type_scope *scope, const char *schema, const char *name, const struct value_type *left,
    const struct value_type *right)
{
	struct value_type args[2];
	size_t n = 0;
	struct search s;

	if (left != NULL)
		args[n++] = *left;
	args[n++] = *right;
	if (!search_init(&s, scope, args, n))
		return (struct value_type){ .type = TYPE_ANY };
	return resolve(&s, schema, name);
}

/* What an element of it is; a literal stays one. */
static uint32_t
element_type(const struct catalog *c, uint32_t array)
{
	if (array == TYPE_UNKNOWN || array == TYPE_ANY)
		return array;
	return types_element(types_base_type(c, array));
}

struct value_type
types_operator_array(const struct type_scope *scope, const char *schema, const char *name, const struct value_type *left,
    const struct value_type *array)
{
	const struct value_type args[2] = { *left, { .type = element_type(scope->catalog, array->type), .row = array->row } };
	struct search s;

	if (!search_init(&s, scope, args, 2))
		return (struct value_type){ .type = TYPE_ANY };
	s.array = true;
	return resolve(&s, schema, name);
}
