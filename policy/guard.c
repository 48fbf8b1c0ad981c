/* policy/guard.c - a profile's rules and filters, brought to one relation. */
#include "guard.h"
#include "guard_names.h"
#include "mask.h"

#include <stdlib.h>
#include <string.h>

/* A relation, its parents, theirs, and so on; each once. */
#define ANCESTORS_MAX 256

struct lineage {
	const struct cat_relation *of[ANCESTORS_MAX]; /* of[0]: the relation itself */
	const char *schemas[ANCESTORS_MAX];
	size_t n;
};

static bool
lineage_has(const struct lineage *l, const struct cat_relation *r)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->of[i] == r)
			return true;
	return false;
}

static bool
lineage_add(struct lineage *l, const struct catalog *c, const struct cat_relation *r)
{
	if (r == NULL || lineage_has(l, r))
		return true;
	if (l->n == ANCESTORS_MAX)
		return false;
	l->of[l->n] = r;
	l->schemas[l->n++] = catalog_schema_name(c, r->namespace);
	return true;
}

/* False when there are more than anyone has. */
static bool
lineage_find(struct lineage *l, const struct catalog *c, const struct cat_relation *r)
{
	l->n = 0;
	lineage_add(l, c, r);
	for (size_t i = 0; i < l->n; i++)
		for (size_t p = 0; p < l->of[i]->nparents; p++)
			if (!lineage_add(l, c, catalog_relation_of(c, l->of[i]->parents[p])))
				return false;
	return true;
}

/* --- rules ---------------------------------------------------------------------- */

static bool
schema_fits(const char *pattern, const char *schema)
{
	if (strncmp(schema, "pg_", 3) == 0 || strcmp(schema, "information_schema") == 0)
		return strcmp(pattern, schema) == 0;
	return glob_match(pattern, schema);
}

/* The first rule of the file that fits decides; NULL: none does. */
static const struct column_rule *
rule_of(const struct profile *p, const char *schema, const char *table, const char *column)
{
	for (size_t i = 0; i < p->ncolumns; i++) {
		const struct column_rule *rule = &p->columns[i];

		if (schema_fits(rule->schema, schema) && glob_match(rule->table, table) && glob_match(rule->column, column))
			return rule;
	}
	return NULL;
}

/* Of the relation and its parents, the strictest; of two masks, the nearer one. */
static const struct column_rule *
strictest_rule(const struct profile *p, const struct lineage *l, const char *column)
{
	const struct column_rule *found = NULL;

	for (size_t i = 0; i < l->n; i++) {
		const struct column_rule *rule = rule_of(p, l->schemas[i], l->of[i]->name, column);

		if (rule == NULL || (i > 0 && relation_column(l->of[i], column) == NULL))
			continue;
		if (rule->action == COLUMN_DENY)
			return rule;
		if (found == NULL || found->action == COLUMN_OPEN)
			found = rule;
	}
	return found;
}

static bool
filter_fits(const struct row_filter *f, const struct lineage *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (schema_fits(f->schema, l->schemas[i]) && glob_match(f->table, l->of[i]->name))
			return true;
	return false;
}

/* --- making one ------------------------------------------------------------------ */

struct guard *
guard_new(const struct cat_relation *r)
{
	struct guard *g = xcalloc(1, sizeof(*g));

	g->relation = r;
	g->actions = xcalloc(r->ncolumns + 1, sizeof(*g->actions));
	g->masks = xcalloc(r->ncolumns + 1, sizeof(*g->masks));
	g->quiet = xcalloc(r->ncolumns + 1, sizeof(*g->quiet));
	return g;
}

void
guard_free(struct guard *g)
{
	if (g == NULL)
		return;
	for (size_t i = 0; i < g->relation->ncolumns; i++) {
		free(g->masks[i]);
		free(g->quiet[i]);
	}
	free(g->actions);
	free(g->masks);
	free(g->quiet);
	free(g->filter);
	free(g);
}

static bool
set_mask(
    struct guard *g, const struct profile *p, const struct catalog *c, size_t i, const struct column_rule *rule, struct err *why)
{
	struct sb sb = { 0 };

	if (rule->mask == MASK_HASH && p->mask_key == NULL)
		return err_set(why, "mask \"hash\" needs mask_key");
	if (rule->mask == MASK_EXPRESSION && !guard_names_known(rule->expression, g->relation, c, why))
		return false;
	if (!mask_write(rule, c, g->relation, &g->relation->columns[i], &sb, why)) {
		sb_free(&sb);
		return false;
	}
	g->masks[i] = sb_take(&sb);
	g->keyed = g->keyed || rule->mask == MASK_HASH;
	g->nmasked++;
	return g->masks[i] != NULL || err_set(why, "the mask is too long");
}

static bool
set_column(struct guard *g, const struct profile *p, const struct catalog *c, const struct lineage *l, size_t i, struct err *why)
{
	const struct column_rule *rule = strictest_rule(p, l, g->relation->columns[i].name);

	if (rule == NULL || rule->action == COLUMN_OPEN)
		return true;
	g->actions[i] = rule->action;
	if (rule->action == COLUMN_MASK)
		return set_mask(g, p, c, i, rule, why);
	g->ndenied++;
	return true;
}

/* All that fit hold, each once, however many parents it fits. */
static bool
set_filter(struct guard *g, const struct profile *p, const struct catalog *c, const struct lineage *l, struct err *why)
{
	struct sb sb = { 0 };

	for (size_t i = 0; i < p->nrow_filters; i++) {
		const struct row_filter *f = &p->row_filters[i];

		if (!filter_fits(f, l))
			continue;
		if (!guard_names_known(f->where, g->relation, c, why)) {
			sb_free(&sb);
			return false;
		}
		sb_fmt(&sb, "%s(%s)", sb.len > 0 ? " AND " : "", f->where);
	}
	if (sb.len == 0)
		return true;
	g->filter = sb_take(&sb);
	return g->filter != NULL || err_set(why, "the row filter is too long");
}

bool
guard_make(const struct profile *p, const struct catalog *c, const struct cat_relation *r, struct guard **out, struct err *why)
{
	struct lineage lineage;
	struct guard *g;
	bool good = true;

	*out = NULL;
	if (p->ncolumns == 0 && p->nrow_filters == 0)
		return true;
	if (!lineage_find(&lineage, c, r))
		return err_set(why, "it has more than %d ancestors", ANCESTORS_MAX - 1);
	g = guard_new(r);
	for (size_t i = 0; good && i < r->ncolumns; i++)
		good = set_column(g, p, c, &lineage, i, why);
	good = good && set_filter(g, p, c, &lineage, why);
	if (good && (g->ndenied > 0 || g->nmasked > 0 || g->filter != NULL)) {
		*out = g;
		return true;
	}
	guard_free(g);
	return good;
}

/* --- asking ------------------------------------------------------------------------ */

enum column_action
guard_column(const struct guard *g, const char *column)
{
	for (size_t i = 0; i < g->relation->ncolumns; i++)
		if (strcmp(g->relation->columns[i].name, column) == 0)
			return g->actions[i];
	return COLUMN_OPEN;
}

enum column_action
guard_rule_for(const struct profile *p, const struct catalog *c, const struct cat_relation *r, const struct cat_column *column)
{
	const struct column_rule *rule;
	struct lineage lineage;

	if (!lineage_find(&lineage, c, r))
		return COLUMN_DENY;
	rule = strictest_rule(p, &lineage, column->name);
	return rule != NULL ? rule->action : COLUMN_OPEN;
}

bool
guard_has_filter(const struct profile *p, const struct catalog *c, const struct cat_relation *r)
{
	struct lineage lineage;

	if (!lineage_find(&lineage, c, r))
		return true;
	for (size_t i = 0; i < p->nrow_filters; i++)
		if (filter_fits(&p->row_filters[i], &lineage))
			return true;
	return false;
}

bool
guard_touches(const struct profile *p, const struct catalog *c, const struct cat_relation *r)
{
	struct lineage lineage;

	if (!lineage_find(&lineage, c, r))
		return true;
	for (size_t i = 0; i < p->ncolumns; i++)
		for (size_t k = 0; k < lineage.n; k++)
			if (schema_fits(p->columns[i].schema, lineage.schemas[k]) &&
			    glob_match(p->columns[i].table, lineage.of[k]->name))
				return true;
	return guard_has_filter(p, c, r);
}
