/* policy/guard_rows.c - columns whose values hold whole rows of something closed.
 *
 * A table may have a column of another table's row type: what was copied
 * there is every column of that table, whatever is hidden of it by name. So
 * such a column is closed when a reader may not see all of the table that its
 * type comes from: closed by the lists, with columns or rows hidden, or a
 * view over such a one (by pg_depend; how the view's body stands is not asked,
 * which would lead in circles). Arrays, domains, ranges and composite types
 * are what they are made of. A composite type that is no table's has fields,
 * to which column rules apply, but no rows that a list could close.
 */
#include <string.h>

#include "formers.h"
#include "guard_rules.h"

#define VISITED_MAX 64 /* row types within row types, and views over views */

struct visit {
	const struct profile *profile;
	const struct catalog *catalog;
	struct {
		uint32_t relation;
		bool as_type;
	} seen[VISITED_MAX];
	size_t n;
	bool full; /* more than can be followed */
	struct err *why;
};

static bool
enter(struct visit *v, const struct cat_relation *r, bool as_type)
{
	for (size_t i = 0; i < v->n; i++)
		if (v->seen[i].relation == r->oid && v->seen[i].as_type == as_type)
			return false;
	if (v->n == VISITED_MAX) {
		v->full = true;
		return false;
	}
	v->seen[v->n].relation = r->oid;
	v->seen[v->n++].as_type = as_type;
	return true;
}

static bool
is_view(const struct cat_relation *r)
{
	return r->kind == 'v' || r->kind == 'm';
}

static bool
is_system(const struct visit *v, const struct cat_relation *r)
{
	const char *schema = catalog_schema_name(v->catalog, r->namespace);

	return r->oid < FIRST_USER_OID && (strcmp(schema, "pg_catalog") == 0 || strcmp(schema, "information_schema") == 0);
}

/* By the lists; what closes a parent closes its children. */
static bool
name_closed(const struct visit *v, const struct lineage *l)
{
	const struct cat_relation *r = l->of[0];

	for (size_t i = 0; i < l->n; i++)
		if (closed_by_name(v->profile, v->catalog, l->of[i], ACCESS_READ))
			return true;
	if (r->extension != NULL)
		return !profile_schema_open(v->profile, l->schemas[0]);
	return profile_relation(v->profile, l->schemas[0], r->name, ACCESS_READ, NULL) != NAME_OPEN;
}

static bool
column_hidden(const struct visit *v, const struct lineage *l, const struct cat_column *column)
{
	const struct column_rule *rule = lineage_rule(v->profile, v->catalog, l, column);

	return rule != NULL && rule->action != COLUMN_OPEN;
}

static bool
rows_hidden(const struct visit *v, const struct lineage *l)
{
	for (size_t i = 0; i < v->profile->nrow_filters; i++)
		if (lineage_filtered(&v->profile->row_filters[i], v->catalog, l))
			return true;
	return false;
}

static bool view_closed(struct visit *, const struct cat_relation *);

/* column 0: no column of it in particular. */
static bool
read_closed(struct visit *v, const struct cat_relation *r, int column)
{
	struct lineage l;

	if (!lineage_find(&l, v->catalog, r) || name_closed(v, &l) || rows_hidden(v, &l))
		return true;
	for (size_t i = 0; i < r->ncolumns; i++)
		if (r->columns[i].number == column && column_hidden(v, &l, &r->columns[i]))
			return true;
	return is_view(r) && !is_system(v, r) && enter(v, r, false) && view_closed(v, r);
}

/* tables.allow opens a view, whatever it reads, by naming it letter by letter. */
static bool
view_closed(struct visit *v, const struct cat_relation *r)
{
	if (profile_relation_named(v->profile, catalog_schema_name(v->catalog, r->namespace), r->name, ACCESS_READ))
		return false;
	for (size_t i = 0; i < r->ndepends; i++) {
		const struct cat_relation *on = catalog_relation_of(v->catalog, r->depends[i].relation);

		if (on != NULL && on != r && read_closed(v, on, r->depends[i].column))
			return true;
	}
	return false;
}

static bool
relation_closed(struct visit *v, const struct cat_relation *r)
{
	struct lineage l;

	if (!lineage_find(&l, v->catalog, r))
		return true;
	if (r->kind != 'c' && (name_closed(v, &l) || rows_hidden(v, &l)))
		return true;
	for (size_t i = 0; i < r->ncolumns; i++)
		if (column_hidden(v, &l, &r->columns[i]))
			return true;
	return is_view(r) && !is_system(v, r) && view_closed(v, r);
}

/* Of an array its elements', of a domain or a range what it is over; NULL: no rows are in it. */
static const struct cat_relation *
row_of(const struct catalog *c, uint32_t type)
{
	const struct cat_type *t = catalog_type_of(c, type);

	while (t != NULL && t->kind != 'c' && (t->element != 0 || t->base != 0))
		t = catalog_type_of(c, t->element != 0 ? t->element : t->base);
	return t != NULL && t->kind == 'c' ? catalog_relation_of(c, t->relation) : NULL;
}

static bool
type_closed(struct visit *v, uint32_t type)
{
	const struct cat_relation *r = row_of(v->catalog, type);

	if (r == NULL || !enter(v, r, true))
		return false;
	if (relation_closed(v, r)) {
		err_set(v->why, "it holds rows of %.63s.%.63s, which is not open to this connection as a whole",
		    catalog_schema_name(v->catalog, r->namespace), r->name);
		return true;
	}
	for (size_t i = 0; i < r->ncolumns; i++)
		if (type_closed(v, r->columns[i].type))
			return true;
	return false;
}

bool
guard_type_closed(const struct profile *p, const struct catalog *c, uint32_t type, struct err *why)
{
	struct visit v;

	if (row_of(c, type) == NULL)
		return false;
	v.profile = p;
	v.catalog = c;
	v.n = 0;
	v.full = false;
	v.why = why;
	if (type_closed(&v, type))
		return true;
	return v.full && !err_set(why, "its type is made of more types than can be followed");
}

bool
guard_holds_rows(const struct catalog *c, const struct cat_relation *r)
{
	for (size_t i = 0; i < r->ncolumns; i++)
		if (row_of(c, r->columns[i].type) != NULL)
			return true;
	return false;
}
