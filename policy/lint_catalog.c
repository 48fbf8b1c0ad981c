/* policy/lint_catalog.c - a profile's names, looked for in a database's catalog. */
#include <string.h>

#include "lint.h"

#include "rights_int.h"

/* As the judge reads them: a glob in a schema's place means no system schema. */
static bool
schema_fits(const char *pattern, const char *schema)
{
	if (strncmp(schema, "pg_", 3) == 0 || strcmp(schema, "information_schema") == 0)
		return strcmp(pattern, schema) == 0;
	return glob_match(pattern, schema);
}

static bool
is_table(const struct cat_relation *r)
{
	return strchr("rpvmfS", r->kind) != NULL;
}

/* --- schemas ------------------------------------------------------------------------ */

static bool
schema_is_there(const struct catalog *c, const char *pattern)
{
	if (strpbrk(pattern, "*?") == NULL)
		return catalog_namespace_named(c, pattern) != NULL;
	for (size_t i = 0; i < catalog_relations(c); i++)
		if (glob_match(pattern, catalog_schema_name(c, catalog_relation_at(c, i)->namespace)))
			return true;
	for (size_t i = 0; i < catalog_functions(c); i++)
		if (glob_match(pattern, catalog_schema_name(c, catalog_function_at(c, i)->namespace)))
			return true;
	return false;
}

static void
match_schemas(struct lint *l, const struct profile *p, const char *list, const struct string_list *names)
{
	for (size_t i = 0; i < names->n; i++)
		if (!schema_is_there(l->catalog, names->items[i]))
			lint_found(l, p, list, i, LINT_NO_MATCH, "there is no schema %s", names->items[i]);
}

/* --- tables ---------------------------------------------------------------------------- */

/* The next relation from i on that fits; NULL: no more. exact_system: a schema's glob means no system schema. */
static const struct cat_relation *
next_table(const struct catalog *c, size_t *i, const char *schema, const char *table, bool exact_system)
{
	while (*i < catalog_relations(c)) {
		const struct cat_relation *r = catalog_relation_at(c, (*i)++);
		const char *where = catalog_schema_name(c, r->namespace);

		if (is_table(r) && glob_match(table, r->name) &&
		    (exact_system ? schema_fits(schema, where) : glob_match(schema, where)))
			return r;
	}
	return NULL;
}

static void
match_tables(struct lint *l, const struct profile *p, const char *list, const struct table_pattern *tables, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t from = 0;

		if (next_table(l->catalog, &from, tables[i].schema, tables[i].name, false) == NULL)
			lint_found(l, p, list, i, LINT_NO_MATCH, "there is no table %s.%s", tables[i].schema, tables[i].name);
	}
}

/* --- columns and row filters --------------------------------------------------------------- */

static void
match_column(struct lint *l, const struct profile *p, size_t i)
{
	const struct column_rule *rule = &p->columns[i];
	const struct cat_relation *r;
	bool table = false;
	size_t from = 0;

	while ((r = next_table(l->catalog, &from, rule->schema, rule->table, true)) != NULL) {
		table = true;
		for (size_t c = 0; c < r->ncolumns; c++)
			if (glob_match(rule->column, r->columns[c].name))
				return;
	}
	if (table)
		lint_found(l, p, "columns", i, LINT_NO_MATCH, "%s.%s has no column %s", rule->schema, rule->table, rule->column);
	else
		lint_found(l, p, "columns", i, LINT_NO_MATCH, "there is no table %s.%s", rule->schema, rule->table);
}

/* The rule or filter that is the reason why this relation has no guard, as far as one alone is. */
static void
blame(struct lint *l, const struct profile *p, const struct cat_relation *r)
{
	struct profile alone = *p;
	const char *schema = catalog_schema_name(l->catalog, r->namespace);
	struct guard *guard;
	struct err err;

	alone.nrow_filters = 0;
	alone.ncolumns = 1;
	for (size_t i = 0; i < p->ncolumns; i++) {
		alone.columns = &p->columns[i];
		if (!guard_make(&alone, l->catalog, r, &guard, &err))
			lint_found(l, p, "columns", i, LINT_REFUSED, "closes %s.%s: %s", schema, r->name, err.text);
		else
			guard_free(guard);
	}
	alone.ncolumns = 0;
	alone.nrow_filters = 1;
	for (size_t i = 0; i < p->nrow_filters; i++) {
		alone.row_filters = &p->row_filters[i];
		if (!guard_make(&alone, l->catalog, r, &guard, &err))
			lint_found(l, p, "row_filters", i, LINT_REFUSED, "closes %s.%s: %s", schema, r->name, err.text);
		else
			guard_free(guard);
	}
}

static void
match_guards(struct lint *l, const struct profile *p)
{
	struct guard *guard;
	struct err why;

	if (p->ncolumns == 0 && p->nrow_filters == 0)
		return;
	for (size_t i = 0; i < catalog_relations(l->catalog); i++) {
		const struct cat_relation *r = catalog_relation_at(l->catalog, i);

		if (!is_table(r) || r->kind == 'S')
			continue;
		if (!guard_make(p, l->catalog, r, &guard, &why))
			blame(l, p, r);
		else
			guard_free(guard);
	}
}

static void
match_rows(struct lint *l, const struct profile *p)
{
	for (size_t i = 0; i < p->nrow_filters; i++) {
		const struct row_filter *filter = &p->row_filters[i];
		size_t from = 0;

		if (next_table(l->catalog, &from, filter->schema, filter->table, true) == NULL)
			lint_found(l, p, "row_filters", i, LINT_NO_MATCH, "there is no table %s.%s", filter->schema, filter->table);
	}
}

/* --- what stays closed ------------------------------------------------------------------------- */

/* Named by the file letter by letter, open by the lists, and still closed: a view over what is not open, say. */
static void
closed_tables(struct lint *l, const struct profile *p, struct rights *rights)
{
	for (size_t i = 0; i < p->ntables_allow; i++) {
		const struct table_pattern *t = &p->tables_allow[i];
		const struct relation_rights *answer;
		const struct cat_relation *r;
		size_t from = 0;

		if (strpbrk(t->name, "*?") != NULL)
			continue;
		while ((r = next_table(l->catalog, &from, t->schema, t->name, false)) != NULL) {
			const char *schema = catalog_schema_name(l->catalog, r->namespace);

			if (profile_relation(p, schema, r->name, ACCESS_READ, NULL) != NAME_OPEN)
				continue;
			answer = rights_relation(rights, r, ACCESS_READ, false);
			if (answer->standing == STANDING_DENIED)
				lint_found(l, p, "tables.allow", i, LINT_REFUSED, "%s.%s stays closed: %s", schema, r->name,
				    answer->why != NULL ? answer->why : rule_name(answer->rule));
		}
	}
}

static bool
function_fits(const struct lint *l, const struct rights *rights, const struct function_pattern *f, const struct cat_function *fn)
{
	if (f->extension != NULL)
		return fn->extension != NULL && strcmp(f->extension, fn->extension) == 0;
	return glob_match(f->name, fn->name) &&
	       (f->schema == NULL || glob_match(f->schema, catalog_schema_name(l->catalog, fn->namespace))) &&
	       (f->nargs < 0 || f->nargs == (int)fn->nargs) && (f->signature == NULL || rights_signature(rights, fn, f, false));
}

/* The functions that one entry names: are there any, and does the judge open them? The first that it does not is told. */
static void
match_function(
    struct lint *l, const struct profile *p, struct rights *rights, const char *list, size_t i, const struct function_pattern *f)
{
	bool allow = strcmp(list, "functions.allow") == 0, glob = f->extension != NULL || strpbrk(f->name, "*?") != NULL;
	size_t found = 0;

	for (size_t j = 0; j < catalog_functions(l->catalog); j++) {
		const struct cat_function *fn = catalog_function_at(l->catalog, j);
		const char *why = NULL;

		if (!function_fits(l, rights, f, fn))
			continue;
		found++;
		if (!allow || glob || rights_function(rights, fn, (int)fn->nargs, &why) == FUNCTION_OPEN)
			continue;
		lint_found(l, p, list, i, LINT_REFUSED, "%s.%s stays closed: %s", catalog_schema_name(l->catalog, fn->namespace),
		    fn->name, why != NULL ? why : "it is denied");
		break;
	}
	if (found == 0 && f->extension != NULL)
		lint_found(l, p, list, i, LINT_NO_MATCH, "the database has no extension %s with functions", f->extension);
	else if (found == 0)
		lint_found(l, p, list, i, LINT_NO_MATCH, "there is no such function");
}

static void
ask_the_judge(struct lint *l, const struct profile *p)
{
	struct rights *rights = rights_new(l->policy, p, l->catalog, NULL);
	struct parser parser;

	parser_open(&parser);
	rights_set_parser(rights, &parser);
	closed_tables(l, p, rights);
	for (size_t i = 0; i < p->nfunctions_allow; i++)
		match_function(l, p, rights, "functions.allow", i, &p->functions_allow[i]);
	for (size_t i = 0; i < p->nfunctions_deny; i++)
		match_function(l, p, rights, "functions.deny", i, &p->functions_deny[i]);
	rights_set_parser(rights, NULL);
	parser_close(&parser);
	rights_unref(rights);
}

void
lint_against_catalog(struct lint *l, const struct profile *p)
{
	match_schemas(l, p, "schemas.allow", &p->schemas_allow);
	match_schemas(l, p, "schemas.deny", &p->schemas_deny);
	if (lint_member(l, p, "search_path") != NULL)
		match_schemas(l, p, "search_path", &p->search_path);
	match_tables(l, p, "tables.allow", p->tables_allow, p->ntables_allow);
	match_tables(l, p, "tables.deny", p->tables_deny, p->ntables_deny);
	for (size_t i = 0; i < p->ncolumns; i++)
		match_column(l, p, i);
	match_rows(l, p);
	match_guards(l, p);
	ask_the_judge(l, p);
}
