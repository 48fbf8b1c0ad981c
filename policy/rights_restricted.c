/* policy/rights_restricted.c - the objects that the policy closes, one by one and as lists.
 *
 * The lists are for the guards of system catalogs. Names are matched for all
 * relations, which takes some ten milliseconds for 100,000; the bodies of
 * views are judged only where the answer could be other than open: views
 * that lead, by pg_depend, to something closed, and those that show literals.
 */
#include <stdlib.h>
#include <string.h>

#include "formers.h"
#include "rights_int.h"

static bool
is_view(const struct cat_relation *rel)
{
	return rel->kind == 'v' || rel->kind == 'm';
}

/* --- OIDs ----------------------------------------------------------------------- */

static void
list_add(struct oid_list *l, uint32_t oid)
{
	if (l->n == l->room)
		l->oids = xreallocarray(l->oids, l->room = l->room > 0 ? l->room * 2 : 16, sizeof(l->oids[0]));
	l->oids[l->n++] = oid;
}

static int
compare(const void *a, const void *b)
{
	const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static bool
in_list(const struct oid_list *l, uint32_t oid)
{
	return l->n > 0 && bsearch(&oid, l->oids, l->n, sizeof(oid), compare) != NULL;
}

/* --- one object --------------------------------------------------------------- */

bool
rights_restricted_schema(const struct rights *r, const char *name)
{
	return !profile_schema_open(r->profile, name);
}

/* By the lists alone. What leaks by its nature (TOAST tables, views of extensions, some of PostgreSQL's own) is refused
 * for what it is; an allow list of tables does not mean their indexes, nor row types that are no table's. */
static bool
restricted_by_name(const struct rights *r, const struct cat_relation *rel)
{
	const char *schema = rights_schema(r, rel->namespace);

	if (is_system_relation(r, rel) || rel->kind == 't')
		return closed_by_name(r->profile, r->catalog, rel, ACCESS_READ);
	if (strchr("iIc", rel->kind) != NULL || rel->extension != NULL)
		return !profile_schema_open(r->profile, schema) || closed_by_name(r->profile, r->catalog, rel, ACCESS_READ);
	return profile_relation(r->profile, schema, rel->name, ACCESS_READ, NULL) != NAME_OPEN ||
	       former_closed(r->profile, r->catalog, rel, ACCESS_READ) != NULL;
}

/* Refused, though no list closes it. */
static bool
by_nature(const struct rights *r, const struct cat_relation *rel)
{
	return profile_relation(r->profile, rights_schema(r, rel->namespace), rel->name, ACCESS_READ, NULL) != NAME_OPEN;
}

static bool
restricted_view(struct rights *r, const struct cat_relation *rel)
{
	const struct relation_rights *right = rights_relation(r, rel, ACCESS_READ, true);

	switch (right->standing) {
	case STANDING_OPEN:
		return false;
	case STANDING_GUARDED: /* hidden columns of a view may be literals of its definition */
		return right->guard->ndenied > 0;
	case STANDING_DENIED:
		break;
	}
	return right->rule != RULE_FUNCTION_DENIED;
}

/* The index of a TOAST table of a table: no more than two steps. */
static bool
restricted_owner(struct rights *r, const struct cat_relation *rel)
{
	for (int steps = 0; steps < 3 && rel->of != 0; steps++) {
		if ((rel = catalog_relation_of(r->catalog, rel->of)) == NULL)
			return false;
		if (restricted_by_name(r, rel))
			return true;
	}
	return false;
}

static bool
restricted_part(struct rights *r, const struct cat_relation *rel)
{
	const struct cat_relation **parents = NULL;
	bool restricted = restricted_owner(r, rel);
	size_t n;

	if (rel->nparents == 0 || restricted)
		return restricted;
	n = rights_family(r, rel, true, &parents);
	for (size_t i = 0; i < n && !restricted; i++)
		restricted = closed_by_name(r->profile, r->catalog, parents[i], ACCESS_READ);
	free(parents);
	return restricted;
}

static bool
is_restricted(struct rights *r, const struct cat_relation *rel)
{
	if (restricted_by_name(r, rel))
		return true;
	if (is_system_relation(r, rel) || (is_view(rel) && by_nature(r, rel)))
		return false;
	return is_view(rel) ? restricted_view(r, rel) : restricted_part(r, rel);
}

bool
rights_restricted_relation(struct rights *r, const struct cat_relation *rel)
{
	size_t n;

	rights_restricted(r, RESTRICTED_RELATIONS, &n);
	if (!r->listed_relations) /* half a list says nothing; without any, the question is given up: see below */
		return !r->listing || is_restricted(r, rel);
	return in_list(&r->restricted[RESTRICTED_RELATIONS], rel->oid);
}

bool
rights_restricted_function(struct rights *r, const struct cat_function *f)
{
	const char *schema = rights_schema(r, f->namespace);

	if (f->oid < FIRST_USER_OID)
		return false;
	if (f->extension != NULL)
		return profile_schema_denied(r->profile, schema);
	return rights_restricted_schema(r, schema) || rights_function(r, f, f->nargs, NULL) != FUNCTION_OPEN;
}

bool
rights_restricted_type(struct rights *r, const struct cat_type *t)
{
	const struct cat_type *element;
	const struct cat_relation *row;

	if (t->oid < FIRST_USER_OID)
		return false;
	if (t->extension == NULL ? rights_restricted_schema(r, rights_schema(r, t->namespace))
				 : profile_schema_denied(r->profile, rights_schema(r, t->namespace)))
		return true;
	if (t->element != 0 && (element = catalog_type_of(r->catalog, t->element)) != NULL && element->element == 0)
		return rights_restricted_type(r, element);
	row = t->relation != 0 ? catalog_relation_of(r->catalog, t->relation) : NULL;
	return row != NULL && rights_restricted_relation(r, row);
}

/* --- lists ----------------------------------------------------------------------- */

/* Does a line of the definition look like a column that is a literal, with its name or (since it has none) without? Cheap,
 * and too often yes. */
static bool
may_show_literal(const char *definition)
{
	for (const char *s = strstr(definition, "'::"); s != NULL; s = strstr(s + 1, "'::")) {
		const char *end = s + 3 + strcspn(s + 3, ",\n;");

		if (memmem(s, (size_t)(end - s), " AS ", 4) != NULL || memchr(s, ')', (size_t)(end - s)) == NULL)
			return true;
	}
	return false;
}

/* By relation index: could it, or something that it depends on, be closed in a way that a view over it would be, too? */
enum suspicion { NOT_ASKED, CLEAR, SUSPECT };

struct suspects {
	struct rights *r;
	unsigned char *marks; /* enum suspicion */
};

static bool
is_suspect(const struct suspects *s, const struct cat_relation *rel)
{
	const struct relation_rights *guarded = NULL;
	struct err why;

	if (restricted_by_name(s->r, rel))
		return true;
	if (is_system_relation(s->r, rel))
		return false;
	if (is_view(rel))
		return rel->definition == NULL || may_show_literal(rel->definition);
	if (rel->nparents > 0 && restricted_part(s->r, rel))
		return true;
	if (s->r->profile->ncolumns == 0 && s->r->profile->nrow_filters == 0 && !guard_holds_rows(s->r->catalog, rel))
		return false;
	return !rights_guard(s->r, rel, &guarded, &why) || guarded != NULL;
}

static bool
mark(struct suspects *s, const struct cat_relation *rel)
{
	unsigned char *m = &s->marks[catalog_relation_index(s->r->catalog, rel)];

	if (*m == NOT_ASKED)
		*m = is_suspect(s, rel) ? SUSPECT : CLEAR;
	return *m == SUSPECT;
}

static bool
depends_on_suspect(struct suspects *s, const struct cat_relation *view)
{
	for (size_t i = 0; i < view->ndepends; i++) {
		const struct cat_relation *on = catalog_relation_of(s->r->catalog, view->depends[i].relation);

		if (on != NULL && on != view && mark(s, on))
			return true;
	}
	return false;
}

/* A round for each link of a chain of views that stands the wrong way round here; mostly two. Where the rounds end, the
 * rest are views over more views than anybody follows, which are refused when they are read. */
static void
mark_views(struct suspects *s)
{
	const size_t n = catalog_relations(s->r->catalog);
	bool more = true;

	for (int round = 0; more && round < 8 * RIGHTS_DEPTH_MAX; round++) {
		more = false;
		for (size_t i = 0; i < n; i++) {
			const struct cat_relation *rel = catalog_relation_at(s->r->catalog, i);

			if (!is_view(rel) || is_system_relation(s->r, rel) || mark(s, rel) || !depends_on_suspect(s, rel))
				continue;
			s->marks[i] = SUSPECT;
			more = true;
		}
	}
}

static void
list_relations(struct rights *r)
{
	const size_t n = catalog_relations(r->catalog);
	struct suspects s = { .r = r, .marks = xcalloc(n + 1, sizeof(s.marks[0])) };

	mark_views(&s);
	for (size_t i = 0; i < n; i++) {
		const struct cat_relation *rel = catalog_relation_at(r->catalog, i);

		if (is_view(rel) && !is_system_relation(r, rel) && s.marks[i] != SUSPECT)
			continue;
		if (is_restricted(r, rel))
			list_add(&r->restricted[RESTRICTED_RELATIONS], rel->oid);
	}
	free(s.marks);
}

/* --- the others --------------------------------------------------------------------- */

static void
list_types(struct rights *r)
{
	for (size_t i = 0; i < catalog_types(r->catalog); i++)
		if (rights_restricted_type(r, catalog_type_at(r->catalog, i)))
			list_add(&r->restricted[RESTRICTED_TYPES], catalog_type_at(r->catalog, i)->oid);
}

static void
list_functions(struct rights *r)
{
	for (size_t i = 0; i < catalog_functions(r->catalog); i++)
		if (rights_restricted_function(r, catalog_function_at(r->catalog, i)))
			list_add(&r->restricted[RESTRICTED_FUNCTIONS], catalog_function_at(r->catalog, i)->oid);
}

static void
list_schema(struct rights *r, struct memo *seen, uint32_t namespace)
{
	if (memo_get(seen, namespace) != 0)
		return;
	memo_put(seen, namespace, 1);
	if (rights_restricted_schema(r, rights_schema(r, namespace)))
		list_add(&r->restricted[RESTRICTED_SCHEMAS], namespace);
}

/* Those that hold anything. */
static void
list_schemas(struct rights *r)
{
	struct memo seen = { 0 };

	for (size_t i = 0; i < catalog_relations(r->catalog); i++)
		list_schema(r, &seen, catalog_relation_at(r->catalog, i)->namespace);
	for (size_t i = 0; i < catalog_functions(r->catalog); i++)
		list_schema(r, &seen, catalog_function_at(r->catalog, i)->namespace);
	for (size_t i = 0; i < catalog_types(r->catalog); i++)
		list_schema(r, &seen, catalog_type_at(r->catalog, i)->namespace);
	memo_free(&seen);
}

static void
list_sort(struct oid_list *l)
{
	if (l->n > 1)
		qsort(l->oids, l->n, sizeof(l->oids[0]), compare);
}

static void
make_lists(struct rights *r)
{
	r->listing = true;
	list_relations(r);
	list_sort(&r->restricted[RESTRICTED_RELATIONS]);
	r->listed_relations = true;
	list_types(r);
	list_functions(r);
	list_schemas(r);
	for (size_t i = 0; i < RESTRICTED_LISTS; i++)
		list_sort(&r->restricted[i]);
	r->listing = false;
	r->listed = true;
}

/* In the middle of a question the lists cannot be made, since they would rest on its half-known answer: the question is
 * then given up, and asked again when they are there. */
const uint32_t *
rights_restricted(struct rights *r, enum restricted which, size_t *n)
{
	if (r->catalog != NULL && !r->listed && !r->listing) {
		if (r->depth > 0)
			r->wants_lists = r->exhausted = true;
		else
			make_lists(r);
	}
	*n = r->restricted[which].n;
	return r->restricted[which].oids;
}
