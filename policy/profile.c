/* policy/profile.c - the questions that a loaded policy answers. */
#include <stdlib.h>
#include <string.h>

#include "catalog_names.h"
#include "loaded.h"

const char *
profile_name(const struct profile *p)
{
	return p->name;
}

enum policy_mode
profile_mode(const struct profile *p)
{
	return p->mode;
}

bool
profile_read_only(const struct profile *p)
{
	return p->read_only;
}

const struct limits *
profile_limits(const struct profile *p)
{
	return &p->limits;
}

uint64_t
policy_generation(const struct policy *p)
{
	return p->generation;
}

const char *
policy_source(const struct policy *p)
{
	return p->source;
}

const char *
policy_title(const struct policy *p)
{
	const char *slash = strrchr(p->source, '/');

	return slash != NULL ? slash + 1 : p->source;
}

const struct profile *
policy_profile(const struct policy *p, const char *name)
{
	for (size_t i = 0; i < p->nprofiles; i++)
		if (strcmp(p->profiles[i].name, name) == 0)
			return &p->profiles[i];
	return NULL;
}

const struct profile *
policy_default_profile(const struct policy *p)
{
	return &p->profiles[p->default_profile];
}

static bool
meets(const char *pattern, const char *text)
{
	return pattern == NULL || glob_match(pattern, text);
}

const struct profile *
policy_assign(const struct policy *p, const struct principal *who)
{
	for (size_t i = 0; i < p->nassignments; i++) {
		const struct assignment *a = &p->assignments[i];

		if (meets(a->user, who->user) && meets(a->database, who->database) &&
		    meets(a->application_name, who->application_name) && network_holds(&a->client, who->client))
			return &p->profiles[a->profile];
	}
	return policy_default_profile(p);
}

/* --- relations ----------------------------------------------------------
 *
 * What is approximated without the catalog: a name stands for itself only, so
 * a view over a refused table, an inheritance child and a foreign table are
 * what their own names say; an unqualified name is looked for in every schema
 * of the search path, whether or not it is there, and is refused when it is
 * refused in any of them. Temporary tables, which would come first, can only
 * be made by someone who may write. */

static bool
in_globs(const struct string_list *list, const char *text)
{
	for (size_t i = 0; i < list->n; i++)
		if (glob_match(list->items[i], text))
			return true;
	return false;
}

static bool
is_catalog(const char *schema)
{
	return strcmp(schema, "pg_catalog") == 0 || strcmp(schema, "information_schema") == 0;
}

/* TOAST tables hold the long values of other tables, whatever those are. */
static bool
leaks(const char *schema, const char *name)
{
	return catalog_find(schema, name) == CATALOG_LEAKS || strncmp(schema, "pg_toast", 8) == 0 || extension_view_leaks(name);
}

/* Named letter by letter, without a glob in its name. */
static bool
named_exactly(const struct profile *p, const char *schema, const char *name, unsigned access)
{
	unsigned open = 0;

	for (size_t i = 0; i < p->ntables_allow; i++)
		if (strcmp(p->tables_allow[i].name, name) == 0 && glob_match(p->tables_allow[i].schema, schema))
			open |= p->tables_allow[i].access;
	return (access & ~open) == 0;
}

static bool
table_denied(const struct profile *p, const char *schema, const char *name, unsigned access)
{
	for (size_t i = 0; i < p->ntables_deny; i++) {
		const struct table_pattern *t = &p->tables_deny[i];

		if ((t->access & access) != 0 && glob_match(t->schema, schema) && glob_match(t->name, name))
			return true;
	}
	return false;
}

static bool
table_allowed(const struct profile *p, const char *schema, const char *name, unsigned access)
{
	unsigned open = 0;

	if (!p->tables_allow_set)
		return true;
	for (size_t i = 0; i < p->ntables_allow; i++) {
		const struct table_pattern *t = &p->tables_allow[i];

		if (glob_match(t->schema, schema) && glob_match(t->name, name))
			open |= t->access;
	}
	return (access & ~open) == 0;
}

/* Catalogs stay readable whatever the allow lists say, since drivers cannot work without; writing to one goes around
 * everything (an UPDATE of pg_settings is a SET), so only its exact name opens it. */
static enum name_answer
judge_relation(const struct profile *p, const char *schema, const char *name, unsigned access)
{
	if (in_globs(&p->schemas_deny, schema))
		return NAME_DENIED_SCHEMA;
	if (table_denied(p, schema, name, access))
		return NAME_DENIED_TABLE;
	if (leaks(schema, name) && !named_exactly(p, schema, name, access))
		return NAME_DENIED_TABLE;
	if (is_catalog(schema))
		return (access & ACCESS_WRITE) == 0 || named_exactly(p, schema, name, access) ? NAME_OPEN : NAME_DENIED_TABLE;
	if (p->schemas_allow.set && !in_globs(&p->schemas_allow, schema))
		return NAME_DENIED_SCHEMA;
	return table_allowed(p, schema, name, access) ? NAME_OPEN : NAME_DENIED_TABLE;
}

/* pg_catalog comes first; a name that it holds in every version goes no further. */
static enum name_answer
judge_unqualified(const struct profile *p, const char *name, unsigned access, const char **resolved)
{
	enum name_answer answer = NAME_OPEN;

	*resolved = p->search_path.n > 0 ? p->search_path.items[0] : "pg_catalog";
	if (catalog_relation(name)) {
		*resolved = "pg_catalog";
		answer = judge_relation(p, *resolved, name, access);
		if (answer != NAME_OPEN || catalog_certain(name))
			return answer;
	}
	for (size_t i = 0; i < p->search_path.n; i++) {
		answer = judge_relation(p, p->search_path.items[i], name, access);
		if (answer != NAME_OPEN) {
			*resolved = p->search_path.items[i];
			return answer;
		}
	}
	return extension_view_leaks(name) ? judge_relation(p, "", name, access) : NAME_OPEN;
}

enum name_answer
profile_relation(const struct profile *p, const char *schema, const char *name, unsigned access, const char **resolved)
{
	const char *ignored;

	if (resolved == NULL)
		resolved = &ignored;
	if (schema == NULL || *schema == '\0')
		return judge_unqualified(p, name, access, resolved);
	*resolved = schema;
	return judge_relation(p, schema, name, access);
}

bool
profile_relation_named(const struct profile *p, const char *schema, const char *name, unsigned access)
{
	return named_exactly(p, schema, name, access);
}

bool
profile_relation_closed(const struct profile *p, const char *schema, const char *name, unsigned access)
{
	return in_globs(&p->schemas_deny, schema) || table_denied(p, schema, name, access);
}

bool
profile_schema_denied(const struct profile *p, const char *schema)
{
	return in_globs(&p->schemas_deny, schema);
}

bool
profile_schema_open(const struct profile *p, const char *schema)
{
	if (in_globs(&p->schemas_deny, schema))
		return false;
	return is_catalog(schema) || !p->schemas_allow.set || in_globs(&p->schemas_allow, schema);
}

/* --- hints -------------------------------------------------------------- */

const char *
profile_hint(const struct profile *p, enum rule rule)
{
	static const char *const defaults[] = {
		[RULE_NONE] = "",
		[RULE_PARSE_ERROR] = "Correct the statement and send it again.",
		[RULE_MULTI_STATEMENT] = "Send one statement at a time.",
		[RULE_STATEMENT_NOT_ALLOWED] = "Use one of the statements that this connection allows.",
		[RULE_READ_ONLY] = "This connection can only read: use SELECT, and ask a person to make the change.",
		[RULE_LOCKING_SELECT] = "Leave out FOR UPDATE or FOR SHARE: this connection can only read.",
		[RULE_WHERELESS_WRITE] = "Add a WHERE clause that names the rows to change.",
		[RULE_SCHEMA_DENIED] = "Use tables of other schemas; information_schema.tables lists them.",
		[RULE_TABLE_DENIED] = "Use another table; this one is closed to this connection.",
		[RULE_COLUMN_DENIED] = "Leave this column out; name the columns that you need.",
		[RULE_FUNCTION_DENIED] =
		    "Use a built-in function without side effects, or ask for this one to be named in functions.allow.",
		[RULE_SETTING_DENIED] = "Leave this setting as it is.",
		[RULE_UNKNOWN_OBJECT] = "Check the name; information_schema.tables lists the tables.",
		[RULE_TOO_LONG] = "Send a shorter statement; pass long values as parameters.",
		[RULE_TOO_DEEP] = "Simplify the statement: fewer nested expressions or subqueries.",
		[RULE_PLAN_COST] = "Narrow the query by a WHERE clause on indexed columns.",
		[RULE_RATE_LIMITED] = "Wait before the next statement.",
		[RULE_ROW_CAP] = "Ask for fewer rows: add LIMIT, a WHERE clause or an aggregate.",
		[RULE_ENCODING] = "Send the statement as valid UTF-8 without NUL bytes.",
		[RULE_PROTOCOL] = "Use the simple or the extended query protocol.",
	};

	return p->hints[rule] != NULL ? p->hints[rule] : defaults[rule];
}
