/* policy/rights_guard.c - one guard for a relation, from all who hide something of it. */
#include <stdlib.h>
#include <string.h>

#include "definitions.h"
#include "rights_int.h"

#define GUARD_NONE UINT32_MAX

static void
count_actions(struct guard *g)
{
	g->ndenied = g->nmasked = 0;
	for (size_t i = 0; i < g->relation->ncolumns; i++) {
		g->ndenied += g->actions[i] == COLUMN_DENY;
		g->nmasked += g->actions[i] == COLUMN_MASK;
	}
}

/* What the profile's own rules hide of a system catalog goes before what its definitions do. */
static void
guard_merge(struct guard *into, struct guard *rules)
{
	for (size_t i = 0; i < into->relation->ncolumns; i++) {
		if (rules->actions[i] == COLUMN_OPEN)
			continue;
		free(into->masks[i]);
		into->actions[i] = rules->actions[i];
		into->masks[i] = rules->masks[i];
		rules->masks[i] = NULL;
		if (into->quiet != NULL) {
			free(into->quiet[i]);
			into->quiet[i] = NULL;
		}
	}
	free(into->filter);
	into->filter = rules->filter;
	rules->filter = NULL;
	into->keyed |= rules->keyed;
	into->definitions = false;
	count_actions(into);
	guard_free(rules);
}

/* A literal that a view gives out as a column is content that stands in no table, so that no rule about tables and
 * columns covers it: it belongs to the view's definition, as the text of a function does to the function. The column is
 * left out, the others stay; tables.allow opens all of it when it names the view letter by letter. What ordinary views
 * do is not meant: short labels, and labels that tell the branches of a UNION apart. */
static bool
close_literal_columns(struct rights *r, const struct cat_relation *rel, struct guard **guard)
{
	bool *marks = xcalloc(rel->ncolumns + 1, sizeof(marks[0]));
	size_t n = 0;
	bool good = rights_literals(r, rel, marks, &n);

	if (good && n > 0) {
		if (*guard == NULL)
			*guard = guard_new(rel);
		for (size_t i = 0; i < rel->ncolumns; i++)
			if (marks[i])
				(*guard)->actions[i] = COLUMN_DENY;
		count_actions(*guard);
	}
	free(marks);
	return good;
}

static bool
is_untrusted_view(struct rights *r, const struct cat_relation *rel)
{
	return (rel->kind == 'v' || rel->kind == 'm') && rel->definition != NULL && !is_system_relation(r, rel) &&
	       !profile_relation_named(r->profile, rights_schema(r, rel->namespace), rel->name, ACCESS_READ);
}

static struct guard *
make_definitions(struct rights *r, const struct cat_relation *rel)
{
	struct restricted_objects o;

	for (size_t i = 0; i < RESTRICTED_LISTS; i++)
		o.oids[i] = rights_restricted(r, (enum restricted)i, &o.n[i]);
	return definitions_make(r->profile, r->catalog, &o, rel);
}

static bool
make(struct rights *r, const struct cat_relation *rel, struct guard **guard, struct err *why)
{
	struct guard *definitions;

	if (!guard_make(r->profile, r->catalog, rel, guard, why))
		return false;
	if (is_system_relation(r, rel) && (definitions = make_definitions(r, rel)) != NULL) {
		if (*guard != NULL)
			guard_merge(definitions, *guard);
		*guard = definitions;
	}
	if (is_untrusted_view(r, rel) && !close_literal_columns(r, rel, guard)) {
		guard_free(*guard);
		*guard = NULL;
		return err_set(why, "its definition cannot be read");
	}
	return true;
}

bool
rights_guard(struct rights *r, const struct cat_relation *rel, const struct relation_rights **guarded, struct err *why)
{
	const uint32_t known = memo_get(&r->guards, rel->oid);
	struct guarded *g;
	struct guard *guard = NULL;

	*guarded = NULL;
	if (known != 0) {
		*guarded = known != GUARD_NONE ? &r->guarded[known - 1]->rights : NULL;
		return true;
	}
	if (!make(r, rel, &guard, why))
		return false;
	memo_put(&r->guards, rel->oid, guard != NULL ? (uint32_t)r->nguarded + 1 : GUARD_NONE);
	if (guard == NULL)
		return true;
	g = xcalloc(1, sizeof(*g));
	*g = (struct guarded){ { .standing = STANDING_GUARDED, .guard = guard }, guard };
	r->guarded = xreallocarray(r->guarded, r->nguarded + 1, sizeof(r->guarded[0]));
	r->guarded[r->nguarded++] = g;
	*guarded = &g->rights;
	return true;
}
