/* policy/rights_family.c - inheritance and partitions. */
#include <stdlib.h>
#include <string.h>

#include "formers.h"
#include "rights_int.h"

size_t
rights_family(const struct rights *r, const struct cat_relation *rel, bool up, const struct cat_relation ***list)
{
	struct memo seen = { 0 };
	const struct cat_relation **all = NULL;
	size_t n = 0, room = 0;

	memo_put(&seen, rel->oid, 1);
	for (size_t at = 0; rel != NULL; rel = at < n ? all[at++] : NULL) {
		const uint32_t *next = up ? rel->parents : rel->children;

		for (size_t i = 0; i < (up ? rel->nparents : rel->nchildren); i++) {
			const struct cat_relation *one = catalog_relation_of(r->catalog, next[i]);

			if (one == NULL || memo_get(&seen, one->oid) != 0)
				continue;
			memo_put(&seen, one->oid, 1);
			if (n == room)
				all = xreallocarray(all, room = room > 0 ? room * 2 : 16, sizeof(all[0]));
			all[n++] = one;
		}
	}
	memo_free(&seen);
	*list = all;
	return n;
}

static bool
closed(struct err *why, enum rule *rule, enum rule as, const struct rights *r, const struct cat_relation *child, const char *what)
{
	*rule = as;
	return err_set(why, "it includes the rows of %.80s.%.80s, %s", rights_schema(r, child->namespace), child->name, what);
}

/* A partition is where its parent keeps its rows: an allow list that names the parent means them, too. A child by
 * inheritance is a table of its own. */
static bool
name_open(struct rights *r, const struct cat_relation *child, unsigned access)
{
	const char *schema = rights_schema(r, child->namespace);

	switch (profile_relation(r->profile, schema, child->name, access, NULL)) {
	case NAME_OPEN:
		return former_closed(r->profile, r->catalog, child, access) == NULL;
	case NAME_DENIED_SCHEMA:
		return false;
	case NAME_DENIED_TABLE:
		break;
	}
	return child->is_partition && !closed_by_name(r->profile, r->catalog, child, access);
}

static size_t
column_index(const struct cat_relation *rel, const char *name)
{
	size_t i = 0;

	while (i < rel->ncolumns && strcmp(rel->columns[i].name, name) != 0)
		i++;
	return i;
}

/* Is each column that the child hides hidden in the parent just so? What only the child has is not read. */
static bool
columns_covered(const struct cat_relation *rel, const struct guard *guard, const struct guard *child)
{
	for (size_t c = 0; c < child->relation->ncolumns; c++) {
		const size_t p = column_index(rel, child->relation->columns[c].name);
		enum column_action action = COLUMN_OPEN;

		if (child->actions[c] == COLUMN_OPEN || p == rel->ncolumns)
			continue;
		if (guard != NULL)
			action = guard->actions[p];
		if (action == COLUMN_DENY)
			continue;
		if (action != child->actions[c] || strcmp(guard->masks[p], child->masks[c]) != 0)
			return false;
	}
	return true;
}

/* Does each row filter of the child hold for the parent, too, by its own name or one above it? */
static bool
rows_covered(const struct rights *r, const struct cat_relation *rel, const struct cat_relation *child)
{
	const struct cat_relation **above = NULL;
	const size_t n = rights_family(r, rel, true, &above);
	bool good = true;

	for (size_t f = 0; f < r->profile->nrow_filters && good; f++) {
		const struct row_filter *filter = &r->profile->row_filters[f];

		if (!guard_filter_fits(filter, r->catalog, child))
			continue;
		good = guard_filter_fits(filter, r->catalog, rel);
		for (size_t i = 0; i < n && !good; i++)
			good = guard_filter_fits(filter, r->catalog, above[i]);
	}
	free(above);
	return good;
}

static bool
child_open(struct rights *r, const struct cat_relation *rel, const struct guard *guard, const struct cat_relation *child,
    unsigned access, enum rule *rule, struct err *why)
{
	struct guard *own = NULL;
	bool good;

	if (child->kind == 'i' || child->kind == 'I') /* partitions of an index */
		return true;
	if (!name_open(r, child, access))
		return closed(why, rule, RULE_TABLE_DENIED, r, child, "which is not open to this connection");
	if (child->kind == 'f' && !profile_relation_named(r->profile, rights_schema(r, child->namespace), child->name, access))
		return closed(why, rule, RULE_TABLE_DENIED, r, child, "a foreign table that tables.allow does not name");
	if (!rows_covered(r, rel, child))
		return closed(why, rule, RULE_TABLE_DENIED, r, child, "of which rows are hidden");
	if (r->profile->ncolumns == 0)
		return true;
	if (!guard_make(r->profile, r->catalog, child, &own, why))
		return closed(why, rule, RULE_COLUMN_DENIED, r, child, "of which columns cannot be hidden as the policy wants");
	good = own == NULL || columns_covered(rel, guard, own);
	guard_free(own);
	return good || closed(why, rule, RULE_COLUMN_DENIED, r, child, "of which columns are hidden");
}

bool
rights_children(
    struct rights *r, const struct cat_relation *rel, unsigned access, const struct guard *guard, enum rule *rule, struct err *why)
{
	const struct cat_relation **below = NULL;
	const size_t n = rights_family(r, rel, false, &below);
	bool good = true;

	for (size_t i = 0; i < n && good; i++)
		good = child_open(r, rel, guard, below[i], access, rule, why);
	free(below);
	return good;
}
