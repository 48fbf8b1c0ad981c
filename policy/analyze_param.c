/* policy/analyze_param.c - $1: its type as Parse or PREPARE gave it, or as its first use settles it. */
#include "analyze_int.h"

/* A domain's CHECK runs when the parameter is bound, whether or not the text has it. */
void
params_begin(struct analyzer *a, const uint32_t *types, size_t n)
{
	a->nparams = n < ANALYZE_PARAMS_MAX ? n : ANALYZE_PARAMS_MAX;
	a->params = a->nparams > 0 ? arena_array(a, struct parameter, a->nparams) : NULL;
	for (size_t i = 0; i < a->nparams; i++) {
		if (types[i] == TYPE_ANY || types[i] == TYPE_UNKNOWN)
			continue;
		a->params[i] = (struct parameter){ .settled = true, .type = types[i] };
		make_value(a, types[i], -1);
	}
}

static struct parameter *
param_of(struct analyzer *a, int number)
{
	struct parameter *more;
	size_t room;

	if (number < 1 || number > ANALYZE_PARAMS_MAX)
		return NULL;
	if ((size_t)number > a->nparams) {
		room = (size_t)number + a->nparams + 16;
		more = arena_array(a, struct parameter, room);
		for (size_t i = 0; i < a->nparams; i++)
			more[i] = a->params[i];
		a->params = more;
		a->nparams = room;
	}
	return &a->params[number - 1];
}

struct value_type
param_value(struct analyzer *a, const ParamRef *n)
{
	const struct parameter *p = param_of(a, n->number);

	if (p == NULL)
		return value_of(TYPE_ANY);
	return value_of(p->settled ? p->type : TYPE_UNKNOWN);
}

/* EXECUTE assigns what it is given to the parameter's type: by any cast there is to it. */
static void
reach_casts_to(struct analyzer *a, uint32_t type)
{
	size_t n = 0;
	const struct cat_cast *const *casts;
	struct value_type from;

	if (type < FIRST_USER_OID)
		return;
	casts = catalog_user_casts(a->catalog, &n);
	for (size_t i = 0; i < n && !a->failed; i++) {
		if (casts[i]->target != type || casts[i]->context == 'e')
			continue;
		from = value_of(casts[i]->source);
		at_other(a, "parameter", -1);
		types_coerce(&a->types, &from, type, COERCE_BY_ASSIGNMENT);
	}
}

void
param_settle(struct analyzer *a, const Node *n, uint32_t type)
{
	struct parameter *p;

	if (n == NULL || !IsA(n, ParamRef) || (p = param_of(a, ((const ParamRef *)n)->number)) == NULL || p->settled)
		return;
	*p = (struct parameter){ .settled = true, .type = type };
	make_value(a, type, ((const ParamRef *)n)->location);
	if (a->sql_prepare)
		reach_casts_to(a, type);
}
