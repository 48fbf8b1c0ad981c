/* tests/fuzz/fuzz_catalog.c - the catalog file.
 *
 * A text is either a catalog in which everything that is listed is found by
 * OID and by name, and in which every chain has an end, or it is refused with
 * a reason.
 */
#include <stdlib.h>
#include <string.h>

#include "objects.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
insist(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "does not hold: %s\n", what);
	abort();
}

/* Ways up from a relation, each counted; a ring would never end. */
static size_t
count_parents(const struct catalog *c, const struct cat_relation *r, size_t left)
{
	size_t i, n = 0;

	insist(left > 0, "parents have an end");
	for (i = 0; i < r->nparents && i < 2; i++) {
		insist(catalog_relation_of(c, r->parents[i]) != NULL, "a parent is there");
		n += 1 + count_parents(c, catalog_relation_of(c, r->parents[i]), left - 1);
		if (n > 1000)
			break; /* many ways are fine */
	}
	return n;
}

static void
ask_relation(const struct catalog *c, const struct cat_relation *r, size_t at)
{
	size_t i;

	insist(catalog_relation_of(c, r->oid) == r, "a relation is found by its OID");
	insist(catalog_relation_named(c, r->namespace, r->name) == r, "a relation is found by its name");
	insist(catalog_relation_index(c, r) == at, "a relation knows its place");
	for (i = 0; i < r->ncolumns; i++)
		insist(relation_column(r, r->columns[i].name) != NULL, "a column is found by its name");
	for (i = 0; i < r->npolicies; i++)
		insist(strlen(r->policies[i]) < SIZE_MAX, "a policy is a text");
	for (i = 0; i < r->ndepends; i++)
		(void)catalog_relation_of(c, r->depends[i].relation);
	for (i = 0; i < r->nchildren; i++)
		insist(catalog_relation_of(c, r->children[i])->nparents > 0, "a child has parents");
	insist(r->has_children == (r->nchildren > 0), "children are announced");
	count_parents(c, r, catalog_relations(c));
}

static void
ask_function(const struct catalog *c, const struct cat_function *f)
{
	const struct cat_function *const *all;
	size_t i, n;

	insist(catalog_function_of(c, f->oid) == f, "a function is found by its OID");
	all = catalog_functions_named(c, f->name, &n);
	for (i = 0; i < n && all[i] != f; i++)
		insist(strcmp(all[i]->name, f->name) == 0, "overloads share their name");
	insist(i < n, "a function is found by its name");
	for (i = 0; i < f->nargs; i++) {
		(void)catalog_type_of(c, f->args[i]);
		insist(f->arg_names == NULL || strlen(f->arg_names[i]) < SIZE_MAX, "an argument's name is a text");
	}
	for (i = 0; i < f->nout; i++) {
		(void)catalog_type_of(c, f->out_types[i]);
		insist(f->out_names == NULL || strlen(f->out_names[i]) < SIZE_MAX, "a column's name is a text");
	}
	for (i = 0; i < f->nsupport; i++)
		(void)catalog_function_of(c, f->support[i]);
	insist(f->ndefaults <= f->nargs && f->direct_args <= f->nargs, "defaults are of arguments");
}

static void
ask_type(const struct catalog *c, const struct cat_type *t)
{
	const struct cat_opclass *const *classes;
	size_t i, n, left = catalog_types(c);

	insist(catalog_type_of(c, t->oid) == t, "a type is found by its OID");
	insist(catalog_type_named(c, t->namespace, t->name) == t, "a type is found by its name");
	for (i = 0; i < t->nchecks; i++)
		insist(strlen(t->checks[i]) < SIZE_MAX, "a check is a text");
	classes = catalog_opclasses(c, t->oid, &n);
	for (i = 0; i < n; i++)
		insist(classes[i]->type == t->oid, "a class is of its type");
	for (; t != NULL; t = catalog_type_of(c, t->base != 0 ? t->base : t->element))
		insist(left-- > 0, "elements and bases have an end");
}

static void
ask(const struct catalog *c)
{
	const struct cat_cast *const *casts;
	size_t i, n;

	for (i = 0; i < catalog_relations(c); i++)
		ask_relation(c, catalog_relation_at(c, i), i);
	for (i = 0; i < catalog_functions(c); i++)
		ask_function(c, catalog_function_at(c, i));
	for (i = 0; i < catalog_types(c); i++)
		ask_type(c, catalog_type_at(c, i));
	casts = catalog_user_casts(c, &n);
	for (i = 0; i < n; i++)
		insist(catalog_cast(c, casts[i]->source, casts[i]->target) == casts[i], "a cast is found by its types");
	(void)catalog_operators_named(c, "+", &n);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct err err = { "" };
	struct catalog *c;
	char *text = xmalloc(n + 1);

	if (n > 0)
		memcpy(text, data, n);
	c = catalog_parse(text, n, &err);
	if (c != NULL)
		ask(c);
	else
		insist(err.text[0] != '\0', "a file that does not load says why");
	catalog_unref(c);
	free(text);
	return 0;
}
