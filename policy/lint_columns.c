/* policy/lint_columns.c - column rules and row filters, without a look at a database. */
#include <string.h>
#include <strings.h>

#include "lint.h"
#include "session_settings.h"

/* Nobody gets to this table: its rules mean nothing. */
static bool
table_closed(const struct profile *p, const char *schema, const char *table)
{
	for (size_t i = 0; i < p->schemas_deny.n; i++)
		if (glob_covers(p->schemas_deny.items[i], schema))
			return true;
	for (size_t i = 0; i < p->ntables_deny; i++)
		if ((p->tables_deny[i].access & ACCESS_READ) != 0 && glob_covers(p->tables_deny[i].schema, schema) &&
		    glob_covers(p->tables_deny[i].name, table))
			return true;
	return false;
}

static bool
rule_covers(const struct column_rule *a, const struct column_rule *b)
{
	return glob_covers(a->schema, b->schema) && glob_covers(a->table, b->table) && glob_covers(a->column, b->column);
}

static void
lint_column(struct lint *l, const struct profile *p, size_t i)
{
	const struct column_rule *rule = &p->columns[i];

	if (table_closed(p, rule->schema, rule->table))
		lint_found(l, p, "columns", i, LINT_REDUNDANT, "its table is denied already");
	for (size_t j = 0; j < i; j++) {
		if (!rule_covers(&p->columns[j], rule))
			continue;
		lint_found(l, p, "columns", i, LINT_SHADOWED, "is never reached: columns[%zu] takes every column that it fits", j);
		break;
	}
}

/* --- row filters ------------------------------------------------------------------- */

/* The next current_setting('name') of the text; where moves behind. Only the plain form: others say nothing about names. */
static bool
next_setting(const char **where, char *name, size_t size)
{
	static const char call[] = "current_setting";
	const char *s = *where, *end;

	while ((s = strcasestr(s, call)) != NULL) {
		s += sizeof(call) - 1;
		s += strspn(s, " \t\n");
		if (*s != '(')
			continue;
		s++;
		s += strspn(s, " \t\n");
		if (*s != '\'' || (end = strchr(s + 1, '\'')) == NULL || (size_t)(end - s) > size)
			continue;
		memcpy(name, s + 1, (size_t)(end - s) - 1);
		name[end - s - 1] = '\0';
		*where = end;
		return true;
	}
	return false;
}

static bool
client_may_set(const struct profile *p, const char *name)
{
	struct err why = { "" };

	return profile_judge_setting(p, name, "", &why) == SETTING_PASS;
}

/* A filter that reads a setting is as good as the setting. */
static void
lint_setting(struct lint *l, const struct profile *p, size_t i, const char *name)
{
	if (client_may_set(p, name))
		lint_found(l, p, "row_filters", i, LINT_FORGEABLE, "rests on the setting %s, which the client may set", name);
	else if (strchr(name, '.') != NULL && !session_names(p, name))
		lint_found(l, p, "row_filters", i, LINT_NO_EFFECT,
		    "rests on the setting %s, which session does not set: unless the database does, there are no rows, or an error",
		    name);
	for (size_t s = 0; s < p->nsession; s++)
		if (strcasecmp(p->session[s].name, name) == 0 && strstr(p->session[s].value, "${application_name}") != NULL)
			lint_found(l, p, "row_filters", i, LINT_FORGEABLE,
			    "rests on the setting %s, which holds the application_name: clients call themselves what they like",
			    name);
}

static void
lint_filter(struct lint *l, const struct profile *p, size_t i)
{
	const struct row_filter *filter = &p->row_filters[i];
	const char *where = filter->where;
	char name[64];

	if (table_closed(p, filter->schema, filter->table))
		lint_found(l, p, "row_filters", i, LINT_REDUNDANT, "its table is denied already");
	while (next_setting(&where, name, sizeof(name)))
		lint_setting(l, p, i, name);
}

void
lint_columns(struct lint *l, const struct profile *p)
{
	for (size_t i = 0; i < p->ncolumns; i++)
		lint_column(l, p, i);
	for (size_t i = 0; i < p->nrow_filters; i++)
		lint_filter(l, p, i);
}
