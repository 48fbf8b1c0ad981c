/* policy/catalog.c - a finished catalog: its life, and how objects are found in it. */
#include <stdlib.h>
#include <string.h>

#include "catalog_int.h"

/* --- life ---------------------------------------------------------------------- */

static void
by_name_free(struct by_name *n)
{
	free(n->objects);
	free(n->groups);
	index_free(&n->index);
}

void
catalog_free(struct catalog *c)
{
	struct list *lists[] = { &c->namespaces, &c->relations, &c->types, &c->functions, &c->operators, &c->casts, &c->opclasses,
		&c->formers };
	struct group *groups[] = { &c->columns, &c->parents, &c->depends, &c->policies, &c->expressions, &c->checks };
	struct index *indexes[] = { &c->namespace_oid, &c->namespace_name, &c->relation_oid, &c->relation_name, &c->type_oid,
		&c->type_name, &c->function_oid, &c->operator_oid };
	size_t i;

	for (i = 0; i < nitems(lists); i++)
		list_free(lists[i]);
	for (i = 0; i < nitems(groups); i++)
		group_free(groups[i]);
	for (i = 0; i < nitems(indexes); i++)
		index_free(indexes[i]);
	by_name_free(&c->function_names);
	by_name_free(&c->operator_names);
	free(c->children);
	free(c->user_casts);
	free(c->opclasses_by_type);
	cat_arena_free(&c->arena);
	free(c);
}

struct catalog *
catalog_ref(struct catalog *c)
{
	atomic_fetch_add(&c->refs, 1);
	return c;
}

void
catalog_unref(struct catalog *c)
{
	if (c != NULL && atomic_fetch_sub(&c->refs, 1) == 1)
		catalog_free(c);
}

uint64_t
catalog_generation(const struct catalog *c)
{
	return c->generation;
}

const char *
catalog_probe(const struct catalog *c)
{
	return c->probe;
}

size_t
catalog_bytes(const struct catalog *c)
{
	return c->bytes;
}

int
catalog_server_version(const struct catalog *c)
{
	return c->server_version;
}

const char *
catalog_database(const struct catalog *c)
{
	return c->database;
}

/* --- by OID -------------------------------------------------------------------- */

/* Every object begins with its OID. */
static const void *
find_oid(const struct index *ix, const struct list *objects, size_t size, uint32_t oid)
{
	struct probe p = index_look(ix, oid);
	uint32_t at = index_next(&p); /* an OID is its own tag, and is there once */

	return at != NOWHERE ? (const char *)objects->items + at * size : NULL;
}

const struct cat_namespace *
catalog_namespace(const struct catalog *c, uint32_t oid)
{
	return find_oid(&c->namespace_oid, &c->namespaces, sizeof(struct cat_namespace), oid);
}

const char *
catalog_schema_name(const struct catalog *c, uint32_t namespace)
{
	const struct cat_namespace *n = catalog_namespace(c, namespace);

	return n != NULL ? n->name : "";
}

const struct cat_relation *
catalog_relation_of(const struct catalog *c, uint32_t oid)
{
	return find_oid(&c->relation_oid, &c->relations, sizeof(struct cat_relation), oid);
}

const struct cat_function *
catalog_function_of(const struct catalog *c, uint32_t oid)
{
	return find_oid(&c->function_oid, &c->functions, sizeof(struct cat_function), oid);
}

const struct cat_type *
catalog_type_of(const struct catalog *c, uint32_t oid)
{
	return find_oid(&c->type_oid, &c->types, sizeof(struct cat_type), oid);
}

const struct cat_operator *
catalog_operator_of(const struct catalog *c, uint32_t oid)
{
	return find_oid(&c->operator_oid, &c->operators, sizeof(struct cat_operator), oid);
}

/* --- by name ------------------------------------------------------------------- */

const struct cat_namespace *
catalog_namespace_named(const struct catalog *c, const char *name)
{
	struct probe p = index_look(&c->namespace_name, tag_of_name(&c->key, 0, name, strlen(name)));
	const struct cat_namespace *all = c->namespaces.items;
	uint32_t at;

	while ((at = index_next(&p)) != NOWHERE)
		if (strcmp(all[at].name, name) == 0)
			return &all[at];
	return NULL;
}

const struct cat_relation *
catalog_relation_named(const struct catalog *c, uint32_t namespace, const char *name)
{
	struct probe p = index_look(&c->relation_name, tag_of_name(&c->key, namespace, name, strlen(name)));
	const struct cat_relation *all = c->relations.items;
	uint32_t at;

	while ((at = index_next(&p)) != NOWHERE)
		if (all[at].namespace == namespace && strcmp(all[at].name, name) == 0)
			return &all[at];
	return NULL;
}

const struct cat_type *
catalog_type_named(const struct catalog *c, uint32_t namespace, const char *name)
{
	struct probe p = index_look(&c->type_name, tag_of_name(&c->key, namespace, name, strlen(name)));
	const struct cat_type *all = c->types.items;
	uint32_t at;

	while ((at = index_next(&p)) != NOWHERE)
		if (all[at].namespace == namespace && strcmp(all[at].name, name) == 0)
			return &all[at];
	return NULL;
}

/* Both kinds have OID, namespace and name at their beginning. */
_Static_assert(offsetof(struct cat_function, name) == offsetof(struct cat_operator, name), "find_overloads() reads both");

static const void **
find_overloads(const struct catalog *c, const struct by_name *names, const char *name, size_t *n)
{
	struct probe p = index_look(&names->index, tag_of_name(&c->key, 0, name, strlen(name)));
	const struct cat_operator *first;
	uint32_t at;

	while ((at = index_next(&p)) != NOWHERE) {
		first = names->objects[names->groups[at].first];
		if (strcmp(first->name, name) == 0) {
			*n = names->groups[at].n;
			return &names->objects[names->groups[at].first];
		}
	}
	*n = 0;
	return NULL;
}

const struct cat_function *const *
catalog_functions_named(const struct catalog *c, const char *name, size_t *n)
{
	return (const struct cat_function *const *)find_overloads(c, &c->function_names, name, n);
}

const struct cat_operator *const *
catalog_operators_named(const struct catalog *c, const char *name, size_t *n)
{
	return (const struct cat_operator *const *)find_overloads(c, &c->operator_names, name, n);
}

const struct cat_column *
relation_column(const struct cat_relation *r, const char *name)
{
	size_t i;

	for (i = 0; i < r->ncolumns; i++)
		if (r->columns[i].name[0] == name[0] && strcmp(r->columns[i].name, name) == 0)
			return &r->columns[i];
	return NULL;
}

/* --- by position --------------------------------------------------------------- */

size_t
catalog_relations(const struct catalog *c)
{
	return c->relations.n;
}

const struct cat_relation *
catalog_relation_at(const struct catalog *c, size_t i)
{
	return (const struct cat_relation *)c->relations.items + i;
}

size_t
catalog_relation_index(const struct catalog *c, const struct cat_relation *r)
{
	return (size_t)(r - (const struct cat_relation *)c->relations.items);
}

size_t
catalog_functions(const struct catalog *c)
{
	return c->functions.n;
}

const struct cat_function *
catalog_function_at(const struct catalog *c, size_t i)
{
	return (const struct cat_function *)c->functions.items + i;
}

size_t
catalog_types(const struct catalog *c)
{
	return c->types.n;
}

const struct cat_type *
catalog_type_at(const struct catalog *c, size_t i)
{
	return (const struct cat_type *)c->types.items + i;
}

/* --- casts and operator classes ------------------------------------------------ */

static int
compare_cast(const void *key, const void *item)
{
	const struct cat_cast *a = key, *b = item;

	if (a->source != b->source)
		return a->source < b->source ? -1 : 1;
	return a->target < b->target ? -1 : a->target > b->target;
}

const struct cat_cast *
catalog_cast(const struct catalog *c, uint32_t source, uint32_t target)
{
	struct cat_cast key = { .source = source, .target = target };

	if (c->casts.n == 0)
		return NULL;
	return bsearch(&key, c->casts.items, c->casts.n, sizeof(key), compare_cast);
}

const struct cat_cast *const *
catalog_user_casts(const struct catalog *c, size_t *n)
{
	*n = c->nuser_casts;
	return c->user_casts;
}

/* The first that is of this type or a higher one. */
static size_t
first_opclass(const struct catalog *c, uint32_t type)
{
	size_t low = 0, high = c->opclasses.n, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (c->opclasses_by_type[mid]->type < type)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

const struct cat_opclass *const *
catalog_opclasses(const struct catalog *c, uint32_t type, size_t *n)
{
	size_t first = first_opclass(c, type), end = first;

	while (end < c->opclasses.n && c->opclasses_by_type[end]->type == type)
		end++;
	*n = end - first;
	return *n > 0 ? &c->opclasses_by_type[first] : NULL;
}

bool
catalog_has_user_opclasses(const struct catalog *c)
{
	return c->opclasses.n > 0;
}

bool
catalog_has_schema(const struct catalog *c, const char *name)
{
	return catalog_namespace_named(c, name) != NULL;
}
