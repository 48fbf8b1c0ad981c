/* policy/guard_rules.c - rules and filters by names: a relation's own, its parents', and those they had. */
#include "guard_rules.h"

#include <string.h>

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

bool
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

/* --- names ---------------------------------------------------------------------- */

static bool
schema_fits(const char *pattern, const char *schema)
{
	if (strncmp(schema, "pg_", 3) == 0 || strcmp(schema, "information_schema") == 0)
		return strcmp(pattern, schema) == 0;
	return glob_match(pattern, schema);
}

static bool
table_fits(const char *schema_pattern, const char *pattern, const char *schema, const char *table)
{
	return schema_fits(schema_pattern, schema) && glob_match(pattern, table);
}

/* Does it fit the relation under its name or a former one? */
static bool
relation_fits(const char *schema_pattern, const char *pattern, const struct catalog *c, const struct cat_relation *r)
{
	size_t n;
	const struct cat_former *formers = catalog_formers(c, r->oid, 0, &n);

	if (table_fits(schema_pattern, pattern, catalog_schema_name(c, r->namespace), r->name))
		return true;
	for (size_t i = 0; i < n; i++)
		if (table_fits(schema_pattern, pattern, formers[i].schema, formers[i].name))
			return true;
	return false;
}

/* --- rules ---------------------------------------------------------------------- */

/* The first rule of the file that fits decides; NULL: none does. */
static const struct column_rule *
rule_of(const struct profile *p, const char *schema, const char *table, const char *column)
{
	for (size_t i = 0; i < p->ncolumns; i++) {
		const struct column_rule *rule = &p->columns[i];

		if (table_fits(rule->schema, rule->table, schema, table) && glob_match(rule->column, column))
			return rule;
	}
	return NULL;
}

static const struct column_rule *
stricter(const struct column_rule *a, const struct column_rule *b)
{
	if (b == NULL || (a != NULL && a->action == COLUMN_DENY))
		return a;
	return a == NULL || a->action == COLUMN_OPEN || b->action == COLUMN_DENY ? b : a;
}

/* For a table by one name. */
static const struct column_rule *
rule_of_column(const struct profile *p, const struct catalog *c, const char *schema, const char *table, uint32_t relation,
    const struct cat_column *column)
{
	size_t n;
	const struct cat_former *formers = catalog_formers(c, relation, column->number, &n);
	const struct column_rule *found = rule_of(p, schema, table, column->name);

	for (size_t i = 0; i < n; i++)
		found = stricter(found, rule_of(p, schema, table, formers[i].name));
	return found;
}

static const struct column_rule *
rule_of_names(const struct profile *p, const struct catalog *c, const struct cat_relation *r, const char *schema,
    const struct cat_column *column)
{
	size_t n;
	const struct cat_former *formers = catalog_formers(c, r->oid, 0, &n);
	const struct column_rule *found = rule_of_column(p, c, schema, r->name, r->oid, column);

	for (size_t i = 0; i < n; i++)
		found = stricter(found, rule_of_column(p, c, formers[i].schema, formers[i].name, r->oid, column));
	return found;
}

const struct column_rule *
lineage_rule(const struct profile *p, const struct catalog *c, const struct lineage *l, const struct cat_column *column)
{
	const struct column_rule *found = NULL;

	for (size_t i = 0; column != NULL && p->ncolumns > 0 && i < l->n; i++) {
		const struct cat_column *same = i == 0 ? column : relation_column(l->of[i], column->name);

		if (same != NULL)
			found = stricter(found, rule_of_names(p, c, l->of[i], l->schemas[i], same));
		if (found != NULL && found->action == COLUMN_DENY)
			break;
	}
	return found;
}

bool
lineage_filtered(const struct row_filter *f, const struct catalog *c, const struct lineage *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (relation_fits(f->schema, f->table, c, l->of[i]))
			return true;
	return false;
}

bool
lineage_touched(const struct profile *p, const struct catalog *c, const struct lineage *l)
{
	for (size_t i = 0; i < p->ncolumns; i++)
		for (size_t k = 0; k < l->n; k++)
			if (relation_fits(p->columns[i].schema, p->columns[i].table, c, l->of[k]))
				return true;
	for (size_t i = 0; i < p->nrow_filters; i++)
		if (lineage_filtered(&p->row_filters[i], c, l))
			return true;
	return false;
}

bool
guard_filter_fits(const struct row_filter *f, const struct catalog *c, const struct cat_relation *r)
{
	return relation_fits(f->schema, f->table, c, r);
}
