/* policy/types_answer.c - reports the candidates that are left, and what they do to their arguments. */
#include "types_int.h"

static bool
compatible_family(uint32_t declared)
{
	return declared >= OID_ANYCOMPATIBLE && declared <= OID_ANYCOMPATIBLENONARRAY;
}

/* anycompatible parameters while a type is open: their arguments meet in a common one. */
static void
report_compatible(const struct search *s, const uint32_t *declared)
{
	struct value_type values[ARGS_MAX];
	size_t n = 0;

	for (size_t i = 0; i < s->nargs; i++) {
		const struct cat_type *t = s->base[i];

		if (!compatible_family(declared[i]))
			continue;
		values[n] = (struct value_type){ .type = s->type[i] };
		if (declared[i] == OID_ANYCOMPATIBLEARRAY && s->type[i] != TYPE_UNKNOWN)
			values[n].type = types_element(t);
		n++;
	}
	if (n > 1)
		types_common(s->scope, values, n);
}

/* The arguments are cast to what the parameters are, or stand for. */
static void
report_casts(const struct search *s, const struct generic *g, const uint32_t *declared)
{
	for (size_t i = 0; i < s->nargs; i++) {
		const struct value_type from = { s->type[i], s->array ? NULL : s->args[i].row };
		const bool polymorphic = types_polymorphic(declared[i]);
		uint32_t to;

		if (declared[i] == OID_ANY || declared[i] == from.type)
			continue;
		if (polymorphic && !compatible_family(declared[i]) && from.type != TYPE_UNKNOWN)
			continue; /* it takes its type from the argument */
		to = generic_type(s->catalog, g, declared[i]);
		if (!polymorphic || to != TYPE_ANY)
			types_coerce(s->scope, &from, to, COERCE_BY_IMPLICIT);
	}
	if (g->open)
		report_compatible(s, declared);
}

/* A hypothetical-set aggregate brings its direct and its sorted arguments to common types, pair by pair. */
static void
report_hypothetical(const struct search *s, const struct cat_function *f)
{
	const size_t others = f->variadic != 0 && f->direct_args > 0 ? f->direct_args - 1u : f->direct_args;
	const size_t pairs = s->nargs < others ? 0 : f->variadic != 0 ? (s->nargs - others) / 2 : s->nargs - others;

	for (size_t i = 0; i < pairs && s->nargs >= 2 * pairs; i++) {
		const struct value_type pair[] = { s->args[s->nargs - 2 * pairs + i], s->args[s->nargs - pairs + i] };
		const struct value_type common = types_common(s->scope, pair, 2);

		types_compare(s->scope, &common);
	}
}

/* Built-in functions over any array, range or row compare their elements by operator class. */
static void
report_comparisons(const struct search *s, const struct cat_function *f, const uint32_t *declared)
{
	if (f->oid >= FIRST_USER_OID || !catalog_has_user_opclasses(s->catalog))
		return;
	for (size_t i = 0; i < s->nargs; i++)
		if (types_polymorphic(declared[i]) || declared[i] == TYPE_RECORD || declared[i] == OID_RECORD_ARRAY)
			types_compare(s->scope, &s->args[i]);
}

/* The row of a record that goes through a polymorphic function unchanged. */
static const struct row_shape *
row_of_result(const struct search *s, const uint32_t *declared)
{
	const struct row_shape *row = NULL;

	for (size_t i = 0; i < s->nargs; i++) {
		if (s->type[i] != TYPE_RECORD || !types_polymorphic(declared[i]))
			continue;
		if (row != NULL && s->args[i].row != row)
			return NULL;
		row = s->args[i].row;
	}
	return row;
}

/* Defaults that stand for polymorphic arguments take part in what the others mean: their types are not known here. */
static bool
leaves_out_polymorphic(const struct search *s, const struct candidate *c)
{
	size_t wanted = 0, given = 0;

	if (c->element != 0 || s->nargs >= c->function->nargs)
		return false;
	for (size_t i = 0; i < c->function->nargs; i++)
		wanted += types_polymorphic(c->function->args[i]);
	for (size_t i = 0; i < s->nargs; i++)
		given += types_polymorphic(candidate_arg(s, c, i));
	return given < wanted;
}

static struct value_type
report_candidate(const struct search *s, struct candidate *c)
{
	uint32_t declared[ARGS_MAX];
	const uint32_t result = c->op != NULL ? c->op->result : c->function->result;
	struct value_type value = { 0 };
	struct generic g;

	if (c->op != NULL)
		c->function = catalog_function_of(s->catalog, c->op->function);
	if (c->function != NULL && s->scope->reach != NULL)
		s->scope->reach(s->scope->arg, c->function);
	for (size_t i = 0; i < s->nargs; i++)
		declared[i] = candidate_arg(s, c, i);
	if (types_generic(s->catalog, &g, s->type, declared, s->nargs) == FIT_NO)
		g = (struct generic){ .open = true };
	if (c->op == NULL && leaves_out_polymorphic(s, c)) {
		g.open = true;
		g.compatible = 0;
	}
	report_casts(s, &g, declared);
	if (c->function != NULL) {
		report_comparisons(s, c->function, declared);
		if (c->function->aggregate == 'h')
			report_hypothetical(s, c->function);
	}
	value.type = generic_type(s->catalog, &g, result);
	if (value.type == TYPE_RECORD && types_polymorphic(result))
		value.row = row_of_result(s, declared);
	return value;
}

struct value_type
search_report(struct search *s, const struct cat_function **found)
{
	struct value_type result = { 0 };

	for (size_t i = 0; i < s->n; i++) {
		const struct value_type one = report_candidate(s, &s->list[i]);

		if (i == 0)
			result = one;
		else if (result.type != one.type || result.row != one.row)
			result = (struct value_type){ .type = result.type == one.type ? one.type : TYPE_ANY };
	}
	if (s->n != 1 && s->scope->unsettled != NULL)
		++*s->scope->unsettled;
	if (found != NULL)
		*found = s->n == 1 ? s->list[0].function : NULL;
	return result;
}
