/* policy/catalog_build_function.c - functions and aggregates, from rows. */
#include <stdlib.h>
#include <string.h>

#include "catalog_int.h"

struct arguments {
	const struct value *all, *modes, *names;
};

static bool
is_input(char mode)
{
	return mode == 'i' || mode == 'b' || mode == 'v';
}

static bool
is_output(char mode)
{
	return mode == 'o' || mode == 'b' || mode == 't';
}

/* The types, or the names, of the arguments that are meant, in their order. */
static uint32_t *
pick_types(struct catalog_builder *b, const struct arguments *a, bool (*meant)(char), size_t n)
{
	uint32_t *types = cat_take(&b->catalog->arena, n * sizeof(*types));
	size_t i, to = 0;

	for (i = 0; i < a->modes->n; i++)
		if (meant(a->modes->text[i]))
			types[to++] = a->all->oids[i];
	return types;
}

static const char *const *
pick_names(struct catalog_builder *b, const struct arguments *a, bool (*meant)(char), size_t n)
{
	const char **names;
	size_t i, to = 0;

	if (a->names->names == NULL || n == 0)
		return NULL;
	if (a->modes->text == NULL)
		return a->names->names;
	names = cat_take(&b->catalog->arena, n * sizeof(*names));
	for (i = 0; i < a->modes->n; i++)
		if (meant(a->modes->text[i]))
			names[to++] = a->names->names[i];
	return names;
}

static size_t
count_modes(const struct value *modes, bool (*meant)(char))
{
	size_t i, n = 0;

	for (i = 0; i < modes->n; i++)
		n += meant(modes->text[i]);
	return n;
}

/* pg_proc's arrays agree in length: all_arguments with modes, arguments with
 * the modes that go in, names with all of them. PostgreSQL's own
 * satisfies_hash_partition() has modes without all_arguments, of inputs only. */
static bool
check_arguments(const struct arguments *a, size_t nargs, struct err *err)
{
	size_t all = a->modes->text != NULL ? a->modes->n : nargs;

	if (nargs > INT16_MAX || all > INT16_MAX)
		return err_set(err, "arguments: more than PostgreSQL allows");
	if (a->modes->text != NULL && count_modes(a->modes, is_input) != nargs)
		return err_set(err, "modes: not as many inputs as arguments");
	if (a->all->n != all && (a->all->n != 0 || all != nargs))
		return err_set(err, "all_arguments: not as many as modes");
	if (a->names->names != NULL && a->names->n != all)
		return err_set(err, "names: not as many as arguments");
	return true;
}

static bool
store_arguments(struct catalog_builder *b, struct cat_function *f, const struct value *v, struct err *err)
{
	struct arguments a = { &v[12], &v[13], &v[14] };
	size_t nout = a.all->n > 0 ? count_modes(a.modes, is_output) : 0;

	if (!check_arguments(&a, v[11].n, err))
		return false;
	f->nargs = (uint16_t)v[11].n;
	f->args = v[11].oids;
	f->arg_names = pick_names(b, &a, is_input, f->nargs);
	f->nout = (uint16_t)nout;
	if (nout > 0) {
		f->out_types = pick_types(b, &a, is_output, nout);
		f->out_names = pick_names(b, &a, is_output, nout);
	}
	return true;
}

static int
compare_oid(const void *key, const void *item)
{
	const struct cat_function *a = key, *f = item;

	return a->oid < f->oid ? -1 : a->oid > f->oid;
}

bool
store_function(struct catalog_builder *b, const struct value *v, struct err *err)
{
	struct cat_function *f = builder_object(&b->catalog->functions, sizeof(*f), v[0].oid);

	if (f == NULL)
		return builder_out_of_order(err);
	f->namespace = v[1].oid;
	f->name = v[2].text;
	f->kind = v[3].letter;
	f->volatility = v[4].letter;
	f->returns_set = v[5].flag;
	f->security_definer = v[6].flag;
	f->language = v[7].text;
	f->result = v[8].oid;
	f->variadic = v[9].oid;
	f->ndefaults = (uint16_t)v[10].number;
	f->defaults = v[15].text;
	f->extension = v[16].text;
	if (!store_arguments(b, f, v, err))
		return false;
	if (f->ndefaults > f->nargs)
		return err_set(err, "ndefaults: more than arguments");
	return true;
}

bool
store_aggregate(struct catalog_builder *b, const struct value *v, struct err *err)
{
	struct cat_function key = { .oid = v[0].oid }, *f;

	if (v[0].oid <= b->last_aggregate)
		return builder_out_of_order(err);
	b->last_aggregate = v[0].oid;
	f = b->catalog->functions.n > 0
		? bsearch(&key, b->catalog->functions.items, b->catalog->functions.n, sizeof(key), compare_oid)
		: NULL;
	if (f == NULL)
		return true;
	if (v[2].number > f->nargs || v[3].n > UINT16_MAX)
		return err_set(err, "direct_arguments: more than arguments");
	f->aggregate = v[1].letter;
	f->direct_args = (uint16_t)v[2].number;
	f->support = v[3].oids;
	f->nsupport = (uint16_t)v[3].n;
	f->state = v[4].oid;
	f->moving_state = v[5].oid;
	return true;
}
