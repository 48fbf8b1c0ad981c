/* policy/lint_profile.c - a profile's lists and limits, without a look at a database. */
#include <string.h>
#include <strings.h>

#include "catalog_names.h"
#include "lint.h"
#include "settings.h"

static bool
has_glob(const char *s)
{
	return strpbrk(s, "*?") != NULL;
}

/* The entry of the list that covers the name; n when none does. */
static size_t
covering(const struct string_list *list, const char *name)
{
	size_t i = 0;

	while (i < list->n && !glob_covers(list->items[i], name))
		i++;
	return i;
}

/* --- schemas --------------------------------------------------------------------- */

static void
lint_schemas(struct lint *l, const struct profile *p)
{
	if (p->schemas_allow.set && p->schemas_allow.n == 0)
		lint_found(l, p, "schemas.allow", LINT_MEMBER, LINT_REFUSED, "an empty list opens nothing but system catalogs");
	for (size_t i = 0; i < p->schemas_allow.n; i++) {
		size_t deny = covering(&p->schemas_deny, p->schemas_allow.items[i]);

		if (deny < p->schemas_deny.n)
			lint_found(l, p, "schemas.allow", i, LINT_CONTRADICTION, "stays closed: schemas.deny[%zu] (%s) denies it",
			    deny, p->schemas_deny.items[deny]);
	}
	for (size_t i = 0; i < p->schemas_deny.n; i++) {
		size_t other = covering(&p->schemas_deny, p->schemas_deny.items[i]);

		if (other < i)
			lint_found(l, p, "schemas.deny", i, LINT_REDUNDANT, "schemas.deny[%zu] (%s) denies it already", other,
			    p->schemas_deny.items[other]);
	}
}

/* --- tables ------------------------------------------------------------------------- */

static bool
table_covers(const struct table_pattern *a, const struct table_pattern *b)
{
	return (b->access & ~a->access) == 0 && glob_covers(a->schema, b->schema) && glob_covers(a->name, b->name);
}

static size_t
covering_table(const struct table_pattern *tables, size_t n, const struct table_pattern *t)
{
	size_t i = 0;

	while (i < n && !table_covers(&tables[i], t))
		i++;
	return i;
}

static void
lint_allowed_table(struct lint *l, const struct profile *p, size_t i)
{
	const struct table_pattern *t = &p->tables_allow[i];
	size_t deny = covering_table(p->tables_deny, p->ntables_deny, t), schema = covering(&p->schemas_deny, t->schema);
	bool system = strcmp(t->schema, "pg_catalog") == 0 || strcmp(t->schema, "information_schema") == 0;
	bool open = false;

	if (deny < p->ntables_deny)
		lint_found(l, p, "tables.allow", i, LINT_CONTRADICTION, "stays closed: tables.deny[%zu] denies it", deny);
	if (schema < p->schemas_deny.n)
		lint_found(l, p, "tables.allow", i, LINT_CONTRADICTION, "stays closed: schemas.deny[%zu] (%s) denies its schema",
		    schema, p->schemas_deny.items[schema]);
	if (p->schemas_allow.set && !has_glob(t->schema) && !system) {
		for (size_t s = 0; s < p->schemas_allow.n; s++)
			open |= glob_match(p->schemas_allow.items[s], t->schema);
		if (!open)
			lint_found(
			    l, p, "tables.allow", i, LINT_CONTRADICTION, "stays closed: schemas.allow does not have %s", t->schema);
	}
	if (!has_glob(t->name) && glob_match(t->schema, "pg_catalog") && catalog_find("pg_catalog", t->name) == CATALOG_LEAKS)
		lint_found(l, p, "tables.allow", i, LINT_LEAK,
		    "opens pg_catalog.%s, which shows what its reader may not see elsewhere", t->name);
	else if (!has_glob(t->name) && extension_view_leaks(t->name))
		lint_found(l, p, "tables.allow", i, LINT_LEAK, "opens %s, an extension's view of what other sessions do", t->name);
}

static void
lint_denied_table(struct lint *l, const struct profile *p, size_t i)
{
	const struct table_pattern *t = &p->tables_deny[i];
	size_t other, schema = covering(&p->schemas_deny, t->schema);

	if (schema < p->schemas_deny.n)
		lint_found(l, p, "tables.deny", i, LINT_REDUNDANT, "schemas.deny[%zu] (%s) denies its schema already", schema,
		    p->schemas_deny.items[schema]);
	other = covering_table(p->tables_deny, p->ntables_deny, t);
	if (other < i)
		lint_found(l, p, "tables.deny", i, LINT_REDUNDANT, "tables.deny[%zu] denies it already", other);
}

/* --- functions ------------------------------------------------------------------------ */

static bool
function_covers(const struct function_pattern *a, const struct function_pattern *b)
{
	if (a->extension != NULL || b->extension != NULL)
		return a->extension != NULL && b->extension != NULL && strcmp(a->extension, b->extension) == 0;
	return glob_covers(a->name, b->name) && (a->schema == NULL || (b->schema != NULL && glob_covers(a->schema, b->schema))) &&
	       (a->nargs < 0 || a->nargs == b->nargs);
}

/* What the curated lists think of a built-in that the profile names. */
static void
lint_builtin(struct lint *l, const struct profile *p, size_t i)
{
	const struct function_pattern *f = &p->functions_allow[i];
	struct profile closed;
	const char *why = NULL;

	if (f->extension != NULL || has_glob(f->name) || (f->schema != NULL && !glob_match(f->schema, "pg_catalog")))
		return;
	profile_defaults(&closed);
	switch (profile_function(&closed, "pg_catalog", f->name, f->nargs, &why)) {
	case FUNCTION_DENIED:
		lint_found(l, p, "functions.allow", i, LINT_LEAK, "opens the built-in %s: %s", f->name, why);
		break;
	case FUNCTION_OPEN:
	case FUNCTION_VOLATILE: /* what a person names it for */
	case FUNCTION_USER:
		break;
	}
	profile_clear(&closed);
}

static void
lint_functions(struct lint *l, const struct profile *p)
{
	for (size_t i = 0; i < p->nfunctions_allow; i++) {
		size_t deny = 0;

		while (deny < p->nfunctions_deny && !function_covers(&p->functions_deny[deny], &p->functions_allow[i]))
			deny++;
		if (deny < p->nfunctions_deny)
			lint_found(
			    l, p, "functions.allow", i, LINT_CONTRADICTION, "stays closed: functions.deny[%zu] denies it", deny);
		else
			lint_builtin(l, p, i);
	}
	for (size_t i = 0; i < p->nfunctions_deny; i++) {
		size_t other = 0;

		while (!function_covers(&p->functions_deny[other], &p->functions_deny[i])) /* it covers itself */
			other++;
		if (other < i)
			lint_found(l, p, "functions.deny", i, LINT_REDUNDANT, "functions.deny[%zu] denies it already", other);
	}
}

/* --- settings and limits --------------------------------------------------------------- */

static void
lint_settings(struct lint *l, const struct profile *p)
{
	for (size_t i = 0; i < p->settings_allow.n; i++) {
		const char *name = p->settings_allow.items[i];

		if (setting_pinned(name) && strcasecmp(name, "search_path") != 0)
			lint_found(l, p, "settings.allow", i, LINT_NO_EFFECT,
			    "connections start with %s: it can be set to that, and to nothing else, with and without this", name);
		for (size_t j = 0; j < i; j++)
			if (strcasecmp(p->settings_allow.items[j], name) == 0)
				lint_found(l, p, "settings.allow", i, LINT_REDUNDANT, "settings.allow[%zu] is the same", j);
	}
}

static bool
is_zero(const cJSON *v)
{
	if (cJSON_IsNumber(v))
		return v->valuedouble == 0;
	return cJSON_IsString(v) && v->valuestring[0] == '0' && strcspn(v->valuestring, "123456789") == strlen(v->valuestring);
}

static void
lint_limits(struct lint *l, const struct profile *p)
{
	const cJSON *v;
	char member[64];

	cJSON_ArrayForEach(v, lint_member(l, p, "limits"))
	{
		if (!is_zero(v))
			continue;
		snprintf(member, sizeof(member), "limits.%s", v->string);
		lint_found(l, p, member, LINT_MEMBER, LINT_NO_LIMIT, "0 is no limit at all");
	}
}

static void
lint_writes(struct lint *l, const struct profile *p)
{
	const uint32_t writes = 1u << KIND_INSERT | 1u << KIND_UPDATE | 1u << KIND_DELETE | 1u << KIND_MERGE | 1u << KIND_COPY_FROM;

	if (p->writes == WRITES_ALLOW && (p->statements_allow & ~p->statements_deny & writes) == 0)
		lint_found(l, p, "writes.mode", LINT_MEMBER, LINT_NO_EFFECT, "no statement that writes is in statements.allow");
}

void
lint_profile(struct lint *l, const struct profile *p)
{
	lint_schemas(l, p);
	if (p->tables_allow_set && p->ntables_allow == 0)
		lint_found(l, p, "tables.allow", LINT_MEMBER, LINT_REFUSED, "an empty list opens nothing but system catalogs");
	for (size_t i = 0; i < p->ntables_allow; i++)
		lint_allowed_table(l, p, i);
	for (size_t i = 0; i < p->ntables_deny; i++)
		lint_denied_table(l, p, i);
	lint_functions(l, p);
	lint_settings(l, p);
	lint_limits(l, p);
	lint_writes(l, p);
}
