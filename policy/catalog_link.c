/* policy/catalog_link.c - makes a catalog of sorted arrays: links, indexes, and what must not contradict itself.
 *
 * What belongs to an object that is not there is left out; an OID that names
 * nothing stays a number that no lookup finds. Chains that readers follow
 * (parents, domains, elements) have an end afterwards.
 */
#include <stdlib.h>
#include <string.h>

#include "catalog_int.h"

/* --- what belongs to relations and types --------------------------------------- */

static struct cat_relation *
relation_of(struct catalog *c, uint32_t oid)
{
	const struct cat_relation *r = catalog_relation_of(c, oid);

	return r != NULL ? (struct cat_relation *)c->relations.items + catalog_relation_index(c, r) : NULL;
}

static void
link_group(struct catalog *c, const struct group *g, void (*link)(struct cat_relation *, const void *items, size_t first, size_t n))
{
	const struct run *runs = g->runs.items;
	struct cat_relation *r;
	size_t i;

	for (i = 0; i < g->runs.n; i++)
		if ((r = relation_of(c, runs[i].owner)) != NULL)
			link(r, g->items.items, runs[i].first, group_run(g, i));
}

static void
link_columns(struct cat_relation *r, const void *items, size_t first, size_t n)
{
	r->columns = (const struct cat_column *)items + first;
	r->ncolumns = n;
}

static void
link_depends(struct cat_relation *r, const void *items, size_t first, size_t n)
{
	r->depends = (const struct cat_depend *)items + first;
	r->ndepends = n;
}

static void
link_policies(struct cat_relation *r, const void *items, size_t first, size_t n)
{
	r->policies = (const char *const *)items + first;
	r->npolicies = n;
}

static void
link_expressions(struct cat_relation *r, const void *items, size_t first, size_t n)
{
	r->expressions = (const char *const *)items + first;
	r->nexpressions = n;
}

static void
link_checks(struct catalog *c)
{
	const struct run *runs = c->checks.runs.items;
	const char *const *items = c->checks.items.items;
	const struct cat_type *t;
	struct cat_type *all = c->types.items;
	size_t i;

	for (i = 0; i < c->checks.runs.n; i++) {
		if ((t = catalog_type_of(c, runs[i].owner)) == NULL)
			continue;
		all[t - all].checks = items + runs[i].first;
		all[t - all].nchecks = group_run(&c->checks, i);
	}
}

/* --- inheritance --------------------------------------------------------------- */

/* Leaves out parents and children that are not in the snapshot, and counts the children. */
static void
link_parents(struct catalog *c)
{
	struct group *g = &c->parents;
	const struct run *runs = g->runs.items;
	uint32_t *all = g->items.items, *parents;
	struct cat_relation *child, *parent;
	size_t i, n, run, kept;

	for (i = 0; i < g->runs.n; i++) {
		if ((child = relation_of(c, runs[i].owner)) == NULL)
			continue;
		parents = all + runs[i].first;
		run = group_run(g, i);
		for (n = kept = 0; n < run; n++) {
			if ((parent = relation_of(c, parents[n])) == NULL)
				continue;
			parents[kept++] = parents[n];
			parent->nchildren++;
		}
		child->parents = kept > 0 ? parents : NULL;
		child->nparents = kept;
	}
}

/* The children of one parent side by side, in the order of their OIDs. */
static void
link_children(struct catalog *c)
{
	struct cat_relation *all = c->relations.items, *parent;
	uint32_t *next = c->children = xreallocarray(NULL, c->parents.items.n, sizeof(*next));
	size_t i, k;

	for (i = 0; i < c->relations.n; i++) {
		all[i].has_children = all[i].nchildren > 0;
		all[i].children = all[i].nchildren > 0 ? next : NULL;
		next += all[i].nchildren;
		all[i].nchildren = 0;
	}
	for (i = 0; i < c->relations.n; i++)
		for (k = 0; k < all[i].nparents; k++) {
			parent = relation_of(c, all[i].parents[k]);
			c->children[parent->children - c->children + (ptrdiff_t)parent->nchildren++] = all[i].oid;
		}
}

/* Takes relations whose parents are all taken, until none is left: what then
 * remains inherits from itself. */
static bool
check_inheritance(const struct catalog *c, struct err *err)
{
	const struct cat_relation *all = c->relations.items, *child;
	size_t *waiting = xcalloc(c->relations.n, sizeof(*waiting)), *ready = xcalloc(c->relations.n, sizeof(*ready));
	size_t i, k, nready = 0;

	for (i = 0; i < c->relations.n; i++)
		if ((waiting[i] = all[i].nparents) == 0)
			ready[nready++] = i;
	for (i = 0; i < nready; i++)
		for (k = 0; k < all[ready[i]].nchildren; k++) {
			child = catalog_relation_of(c, all[ready[i]].children[k]);
			if (--waiting[child - all] == 0)
				ready[nready++] = (size_t)(child - all);
		}
	for (i = 0; i < c->relations.n && waiting[i] == 0; i++)
		;
	free(waiting);
	free(ready);
	return i == c->relations.n || err_set(err, "inheritance: relation %u inherits from itself", all[i].oid);
}

/* --- types --------------------------------------------------------------------- */

enum mark { UNSEEN, ON_THE_WAY, ENDS };

/* Where an element, domain, range leads; NULL at the end. */
static const struct cat_type *
type_next(const struct catalog *c, const struct cat_type *t)
{
	return t->base != 0 ? catalog_type_of(c, t->base) : t->element != 0 ? catalog_type_of(c, t->element) : NULL;
}

/* Every chain of elements and bases ends. A type has one of them at most. */
static bool
check_types(const struct catalog *c, struct err *err)
{
	const struct cat_type *all = c->types.items, *t;
	unsigned char *marks = xcalloc(c->types.n, sizeof(*marks));
	uint32_t circle = 0;
	size_t i;

	for (i = 0; i < c->types.n && circle == 0; i++) {
		for (t = &all[i]; t != NULL && marks[t - all] == UNSEEN; t = type_next(c, t))
			marks[t - all] = ON_THE_WAY;
		if (t != NULL && marks[t - all] == ON_THE_WAY)
			circle = t->oid;
		for (t = &all[i]; t != NULL && marks[t - all] == ON_THE_WAY; t = type_next(c, t))
			marks[t - all] = ENDS;
	}
	free(marks);
	return circle == 0 || err_set(err, "types: type %u is made of itself", circle);
}

/* --- indexes ------------------------------------------------------------------- */

static void
index_oids(struct catalog *c, struct index *ix, const struct list *objects, size_t size)
{
	const char *object = objects->items;
	uint32_t oid;
	size_t i;

	index_init(ix, &c->key, objects->n);
	for (i = 0; i < objects->n; i++, object += size) {
		memcpy(&oid, object, sizeof(oid));
		index_add(ix, oid, i);
	}
}

static bool
index_namespaces(struct catalog *c, struct err *err)
{
	const struct cat_namespace *all = c->namespaces.items;
	size_t i;

	index_init(&c->namespace_name, &c->key, c->namespaces.n);
	for (i = 0; i < c->namespaces.n; i++) {
		if (catalog_namespace_named(c, all[i].name) != NULL)
			return err_set(err, "namespaces: two are named %s", all[i].name);
		index_add(&c->namespace_name, tag_of_name(&c->key, 0, all[i].name, strlen(all[i].name)), i);
	}
	return true;
}

static bool
index_relations(struct catalog *c, struct err *err)
{
	const struct cat_relation *all = c->relations.items;
	size_t i;

	index_init(&c->relation_name, &c->key, c->relations.n);
	for (i = 0; i < c->relations.n; i++) {
		if (catalog_relation_named(c, all[i].namespace, all[i].name) != NULL)
			return err_set(err, "relations: two are named %s in one schema", all[i].name);
		index_add(&c->relation_name, tag_of_name(&c->key, all[i].namespace, all[i].name, strlen(all[i].name)), i);
	}
	return true;
}

static bool
index_types(struct catalog *c, struct err *err)
{
	const struct cat_type *all = c->types.items;
	size_t i;

	index_init(&c->type_name, &c->key, c->types.n);
	for (i = 0; i < c->types.n; i++) {
		if (catalog_type_named(c, all[i].namespace, all[i].name) != NULL)
			return err_set(err, "types: two are named %s in one schema", all[i].name);
		index_add(&c->type_name, tag_of_name(&c->key, all[i].namespace, all[i].name, strlen(all[i].name)), i);
	}
	return true;
}

static const char *
name_of(const void *object)
{
	return ((const struct cat_operator *)object)->name; /* a function's stands at the same place */
}

/* Names are interned, so that equal ones are one pointer. */
static int
compare_names(const void *a, const void *b)
{
	const void *x = *(const void *const *)a, *y = *(const void *const *)b;
	const char *name = name_of(x), *other = name_of(y);

	if (name != other)
		return strcmp(name, other);
	return x < y ? -1 : x > y; /* in one array, ordered by OID */
}

static void
index_overloads(struct catalog *c, struct by_name *names, const struct list *objects, size_t size)
{
	struct overloads *g = NULL;
	const char *name;
	size_t i;

	names->objects = xreallocarray(NULL, objects->n, sizeof(*names->objects));
	names->groups = xreallocarray(NULL, objects->n, sizeof(*names->groups));
	for (i = 0; i < objects->n; i++)
		names->objects[i] = (const char *)objects->items + i * size;
	if (objects->n > 0)
		qsort(names->objects, objects->n, sizeof(*names->objects), compare_names);
	for (i = 0; i < objects->n; i++) {
		if (g == NULL || name_of(names->objects[i]) != name_of(names->objects[i - 1])) {
			g = &names->groups[names->ngroups++];
			*g = (struct overloads){ (uint32_t)i, 0 };
		}
		g->n++;
	}
	names->groups = xreallocarray(names->groups, names->ngroups, sizeof(*names->groups));
	index_init(&names->index, &c->key, names->ngroups);
	for (i = 0; i < names->ngroups; i++) {
		name = name_of(names->objects[names->groups[i].first]);
		index_add(&names->index, tag_of_name(&c->key, 0, name, strlen(name)), i);
	}
}

static void
index_casts(struct catalog *c)
{
	const struct cat_cast *all = c->casts.items;
	size_t i;

	c->user_casts = xreallocarray(NULL, c->casts.n, sizeof(*c->user_casts));
	for (i = 0; i < c->casts.n; i++)
		if (all[i].function >= FIRST_USER_OID)
			c->user_casts[c->nuser_casts++] = &all[i];
}

static int
compare_opclasses(const void *a, const void *b)
{
	const struct cat_opclass *x = *(const struct cat_opclass *const *)a, *y = *(const struct cat_opclass *const *)b;

	if (x->type != y->type)
		return x->type < y->type ? -1 : 1;
	return x->oid < y->oid ? -1 : x->oid > y->oid;
}

static void
index_opclasses(struct catalog *c)
{
	const struct cat_opclass *all = c->opclasses.items;
	size_t i;

	c->opclasses_by_type = xreallocarray(NULL, c->opclasses.n, sizeof(*c->opclasses_by_type));
	for (i = 0; i < c->opclasses.n; i++)
		c->opclasses_by_type[i] = &all[i];
	if (c->opclasses.n > 0)
		qsort(c->opclasses_by_type, c->opclasses.n, sizeof(*c->opclasses_by_type), compare_opclasses);
}

/* --- all of it ----------------------------------------------------------------- */

/* Where things stand from now on: nothing may be added after this. */
static void
settle(struct catalog *c)
{
	const struct {
		struct list *list;
		size_t size;
	} lists[] = {
		{ &c->namespaces, sizeof(struct cat_namespace) },
		{ &c->relations, sizeof(struct cat_relation) },
		{ &c->types, sizeof(struct cat_type) },
		{ &c->functions, sizeof(struct cat_function) },
		{ &c->operators, sizeof(struct cat_operator) },
		{ &c->casts, sizeof(struct cat_cast) },
		{ &c->opclasses, sizeof(struct cat_opclass) },
		{ &c->columns.items, sizeof(struct cat_column) },
		{ &c->parents.items, sizeof(uint32_t) },
		{ &c->depends.items, sizeof(struct cat_depend) },
		{ &c->policies.items, sizeof(char *) },
		{ &c->expressions.items, sizeof(char *) },
		{ &c->checks.items, sizeof(char *) },
	};
	size_t i;

	for (i = 0; i < nitems(lists); i++) {
		list_trim(lists[i].list, lists[i].size);
		c->bytes += lists[i].list->room * lists[i].size;
	}
}

static void
drop_runs(struct catalog *c)
{
	struct group *groups[] = { &c->columns, &c->parents, &c->depends, &c->policies, &c->expressions, &c->checks };
	size_t i;

	for (i = 0; i < nitems(groups); i++)
		list_free(&groups[i]->runs);
}

static void
count_bytes(struct catalog *c)
{
	const struct index *indexes[] = { &c->namespace_oid, &c->namespace_name, &c->relation_oid, &c->relation_name, &c->type_oid,
		&c->type_name, &c->function_oid, &c->operator_oid, &c->function_names.index, &c->operator_names.index };
	size_t i;

	c->bytes += sizeof(*c) + c->arena.bytes;
	c->bytes += c->parents.items.n * sizeof(*c->children);
	c->bytes += (c->functions.n + c->operators.n + c->casts.n + c->opclasses.n) * sizeof(void *);
	c->bytes += (c->function_names.ngroups + c->operator_names.ngroups) * sizeof(struct overloads);
	for (i = 0; i < nitems(indexes); i++)
		c->bytes += index_bytes(indexes[i]);
}

static bool
make_indexes(struct catalog *c, struct err *err)
{
	index_oids(c, &c->namespace_oid, &c->namespaces, sizeof(struct cat_namespace));
	index_oids(c, &c->relation_oid, &c->relations, sizeof(struct cat_relation));
	index_oids(c, &c->type_oid, &c->types, sizeof(struct cat_type));
	index_oids(c, &c->function_oid, &c->functions, sizeof(struct cat_function));
	index_oids(c, &c->operator_oid, &c->operators, sizeof(struct cat_operator));
	if (!index_namespaces(c, err) || !index_relations(c, err) || !index_types(c, err))
		return false;
	index_overloads(c, &c->function_names, &c->functions, sizeof(struct cat_function));
	index_overloads(c, &c->operator_names, &c->operators, sizeof(struct cat_operator));
	index_casts(c);
	index_opclasses(c);
	return true;
}

bool
catalog_link(struct catalog *c, struct err *err)
{
	if (c->database == NULL)
		return err_set(err, "database: no row");
	settle(c);
	if (!make_indexes(c, err))
		return false;
	link_group(c, &c->columns, link_columns);
	link_group(c, &c->depends, link_depends);
	link_group(c, &c->policies, link_policies);
	link_group(c, &c->expressions, link_expressions);
	link_checks(c);
	link_parents(c);
	link_children(c);
	drop_runs(c);
	count_bytes(c);
	return check_inheritance(c, err) && check_types(c, err);
}
