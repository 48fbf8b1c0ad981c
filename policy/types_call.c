/* policy/types_call.c - functions by name and arguments. */
#include <string.h>

#include "types_int.h"

/* --- which functions the call's shape allows --- */

/* name => value, for every argument so named: a parameter of that name that
 * no other argument fills, and defaults for all that is left out. */
static bool
names_match(const struct call *call, const struct cat_function *f)
{
	bool filled[ARGS_MAX] = { false };

	if (f->arg_names == NULL || f->nargs > ARGS_MAX)
		return false;
	for (size_t i = 0; i < call->nargs; i++) {
		size_t p = i;

		if (call->arg_names[i] != NULL) {
			for (p = 0; p < f->nargs && strcmp(f->arg_names[p], call->arg_names[i]) != 0; p++)
				continue;
		}
		if (p >= f->nargs || filled[p])
			return false;
		filled[p] = true;
	}
	for (size_t p = 0; p < f->nargs; p++)
		if (!filled[p] && p + f->ndefaults < f->nargs)
			return false;
	return true;
}

static bool
has_names(const struct call *call)
{
	for (size_t i = 0; call->arg_names != NULL && i < call->nargs; i++)
		if (call->arg_names[i] != NULL)
			return true;
	return false;
}

/* Does the function take so many arguments? The candidate is filled in. */
static bool
shape_match(const struct call *call, bool named, const struct cat_function *f, struct candidate *c)
{
	const bool spell_out = f->variadic != 0 && !call->variadic;

	*c = (struct candidate){ .function = f };
	if (named)
		return (c->special = true) && !spell_out && call->nargs <= f->nargs && names_match(call, f);
	if (spell_out && call->nargs >= f->nargs) {
		c->element = f->variadic;
		return c->special = true;
	}
	c->special = call->nargs < f->nargs;
	return call->nargs <= f->nargs && call->nargs + f->ndefaults >= f->nargs;
}

/* CALL writes something for OUT parameters, too: where it stands is not known here. */
static bool
is_procedure_with_out(const struct call *call, const struct cat_function *f)
{
	return f->kind == 'p' && f->nout > 0 && call->nargs + f->ndefaults >= f->nargs && call->nargs <= (size_t)f->nargs + f->nout;
}

/* False: there is no such schema. */
static bool
schema_of(const struct type_scope *s, const char *schema, uint32_t *namespace)
{
	const struct cat_namespace *ns;

	*namespace = 0;
	if (schema == NULL || *schema == '\0')
		return true;
	if ((ns = catalog_namespace_named(s->catalog, schema)) == NULL)
		return false;
	*namespace = ns->oid;
	return true;
}

/* How many procedures were reported at once. */
static size_t
collect(struct search *s)
{
	const struct call *call = s->call;
	const bool named = has_names(call);
	const struct cat_function *const *all;
	struct candidate c;
	uint32_t namespace;
	size_t n, procedures = 0;

	if (!schema_of(s->scope, call->schema, &namespace))
		return 0;
	all = catalog_functions_named(s->catalog, call->name, &n);
	for (size_t i = 0; i < n; i++) {
		const size_t place = namespace != 0 ? 0 : scope_place(s->scope, all[i]->namespace);

		if (namespace != 0 ? all[i]->namespace != namespace : place == s->scope->npath)
			continue;
		if (is_procedure_with_out(call, all[i])) {
			types_reach_function(s->scope, all[i]->oid);
			procedures++;
		} else if (shape_match(call, named, all[i], &c)) {
			c.place = (uint16_t)place;
			search_add(s, &c);
		}
	}
	return procedures;
}

/* --- name(x) as a cast --- */

/* A type's name, when the value can become one without calling a cast function. */
static const struct cat_type *
cast_by_name(const struct search *s)
{
	const struct call *call = s->call;
	const struct cat_type *t;
	struct pathway p;

	if (s->nargs != 1 || has_names(call) || call->within_group)
		return NULL;
	if (call->schema != NULL && *call->schema != '\0')
		t = types_named(s->scope, call->schema, call->name);
	else {
		t = NULL;
		for (size_t i = 0; i < s->scope->npath && t == NULL; i++)
			t = catalog_type_named(s->catalog, s->scope->path[i], call->name);
	}
	if (t == NULL || t->kind == 'c')
		return NULL;
	if (s->nunknown > 0 || s->open)
		return t;
	p = types_pathway(s->catalog, s->type[0], t->oid, COERCE_BY_EXPLICIT);
	if (p.kind == PATH_RELABEL)
		return t;
	if (p.kind != PATH_IO)
		return NULL;
	/* name(row) and row.name stay free for functions and columns. */
	return (s->type[0] == TYPE_RECORD || types_is_row(s->base[0])) && t->category == 'S' ? NULL : t;
}

/* name(row): the column of that name. */
static bool
is_field(const struct search *s, struct value_type *result)
{
	const struct call *call = s->call;

	if (s->nargs != 1 || call->attribute || call->variadic || call->within_group || has_names(call))
		return false;
	if (call->schema != NULL && *call->schema != '\0')
		return false;
	return types_field(s->scope, &s->args[0], call->name, result);
}

/* --- the answer --- */

/* Such a cast never calls a cast function, so of a type that is not known only the target matters. */
static void
report_cast(const struct search *s, const struct cat_type *to)
{
	const struct value_type literal = { .type = TYPE_UNKNOWN };

	types_coerce(s->scope, s->open ? &literal : &s->args[0], to->oid, COERCE_BY_EXPLICIT);
}

static enum call_answer
choose(struct search *s, struct value_type *result, const struct cat_function **found)
{
	const struct cat_type *cast = NULL;

	if (!search_exact(s)) {
		if ((cast = cast_by_name(s)) != NULL)
			report_cast(s, cast);
		if (cast != NULL && !s->open) {
			*result = (struct value_type){ .type = cast->oid };
			return CALL_IS_CAST;
		}
		search_match(s);
	}
	search_hide(s);
	search_best(s);
	if (s->n == 0 && cast != NULL) {
		*result = (struct value_type){ .type = cast->oid };
		return CALL_IS_CAST;
	}
	if (s->n == 0)
		return is_field(s, result) ? CALL_IS_FIELD : CALL_NOTHING;
	*result = search_report(s, found);
	if (cast != NULL) {
		if (found != NULL)
			*found = NULL;
		if (result->type != cast->oid)
			*result = (struct value_type){ .type = TYPE_ANY };
	}
	return CALL_FOUND;
}

enum call_answer
types_call(const struct type_scope *scope, const struct call *call, struct value_type *result, const struct cat_function **found)
{
	struct search s;
	enum call_answer answer = CALL_NOTHING;
	size_t procedures;

	*result = (struct value_type){ .type = TYPE_ANY };
	if (found != NULL)
		*found = NULL;
	if (!search_init(&s, scope, call->args, call->nargs))
		return CALL_NOTHING;
	s.call = call;
	procedures = collect(&s);
	answer = choose(&s, result, found);
	search_release(&s);
	if (procedures == 0)
		return answer;
	*result = (struct value_type){ .type = TYPE_ANY };
	if (found != NULL)
		*found = NULL;
	return CALL_FOUND;
}
