/* policy/load_lists.c - the lists of a profile: schemas, tables, functions, settings, search_path, hints. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "functions.h"
#include "load.h"
#include "patterns.h"
#include "settings.h"

#define LIST_MAX 10000
#define HINT_MAX 1000

void
string_list_release(struct string_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct string_list){ 0 };
}

static bool
is_list(struct fields *f, const cJSON *v, const struct path *path)
{
	if (!cJSON_IsArray(v)) {
		fields_expected(f, v, path, "a list");
		return false;
	}
	if (cJSON_GetArraySize(v) > LIST_MAX) {
		fields_error(f, v, path, "expected at most %d entries, found %d", LIST_MAX, cJSON_GetArraySize(v));
		return false;
	}
	return true;
}

/* A list of strings that check() turns into what the profile keeps. */
static void
load_strings(struct fields *f, const cJSON *v, const struct path *path, struct string_list *list,
    bool (*check)(const char *text, char **kept, struct err *))
{
	struct path at = { path, NULL, 0 };
	struct err err;
	const cJSON *item;

	if (!is_list(f, v, path))
		return;
	string_list_release(list);
	list->set = true;
	list->items = xcalloc((size_t)cJSON_GetArraySize(v), sizeof(list->items[0]));
	cJSON_ArrayForEach(item, v)
	{
		if (!cJSON_IsString(item))
			fields_expected(f, item, &at, "a string");
		else if (!check(item->valuestring, &list->items[list->n], &err))
			fields_error(f, item, &at, "%s", err.text);
		else
			list->n++;
		at.index++;
	}
}

void
load_schemas_allow(struct fields *f, const cJSON *v, const struct path *path, void *base)
{
	load_strings(f, v, path, &((struct profile *)base)->schemas_allow, pattern_schema);
}

void
load_schemas_deny(struct fields *f, const cJSON *v, const struct path *path, void *base)
{
	load_strings(f, v, path, &((struct profile *)base)->schemas_deny, pattern_schema);
}

/* --- tables --------------------------------------------------------------- */

struct table_entry {
	char *table;
	int access;
};

static const struct word access_words[] = { { "read", ACCESS_READ }, { "write", ACCESS_WRITE }, { NULL, 0 } };

const struct field table_fields[] = {
	{ "table", FIELD_STRING, offsetof(struct table_entry, table), .required = true, .schema = "table_pattern",
	    .doc = "[schema.]table, with * and ?" },
	{ "access", FIELD_WORD, offsetof(struct table_entry, access), .words = access_words,
	    .doc = "What is meant; who may write may read, too. Without it: both" },
	{ .name = NULL },
};

/* A string means both kinds of access. Who may write to a table may read it, too: an UPDATE does. */
static bool
load_table(struct fields *f, const cJSON *v, const struct path *path, bool allow, struct table_pattern *t)
{
	struct table_entry entry = { NULL, ACCESS_READ | ACCESS_WRITE };
	struct err err;
	bool good = false;

	if (cJSON_IsString(v))
		entry.table = xstrdup(v->valuestring);
	else if (cJSON_IsObject(v))
		fields_read(f, v, path, table_fields, &entry);
	else
		fields_expected(f, v, path, "\"schema.table\" or {\"table\": ..., \"access\": ...}");
	if (entry.table != NULL) {
		if ((good = pattern_table(entry.table, t, &err)))
			t->access = (unsigned)entry.access | (allow ? ACCESS_READ : 0);
		else
			fields_error(f, v, path, "%s", err.text);
	}
	free(entry.table);
	return good;
}

static void
load_tables(struct fields *f, const cJSON *v, const struct path *path, bool allow, struct table_pattern **tables, size_t *n)
{
	struct path at = { path, NULL, 0 };
	const cJSON *item;

	if (!is_list(f, v, path) || *tables != NULL) /* a repeated key: reported, and the file will not load */
		return;
	*tables = xcalloc((size_t)cJSON_GetArraySize(v), sizeof(**tables));
	cJSON_ArrayForEach(item, v)
	{
		if (load_table(f, item, &at, allow, &(*tables)[*n]))
			(*n)++;
		at.index++;
	}
}

void
load_tables_allow(struct fields *f, const cJSON *v, const struct path *path, void *base)
{
	struct profile *p = base;

	p->tables_allow_set = true;
	load_tables(f, v, path, true, &p->tables_allow, &p->ntables_allow);
}

void
load_tables_deny(struct fields *f, const cJSON *v, const struct path *path, void *base)
{
	struct profile *p = base;

	load_tables(f, v, path, false, &p->tables_deny, &p->ntables_deny);
}

/* --- functions ------------------------------------------------------------ */

/* Without a catalog the functions of other extensions would stay open. */
static bool
deniable(const struct function_pattern *pattern, struct err *err)
{
	if (pattern->extension == NULL || extension_known(pattern->extension))
		return true;
	return err_set(err, "the functions of an extension \"%s\" are not known; name them one by one", pattern->extension);
}

static void
load_functions(struct fields *f, const cJSON *v, const struct path *path, struct function_pattern **functions, size_t *n, bool deny)
{
	struct path at = { path, NULL, 0 };
	struct err err;
	const cJSON *item;

	if (!is_list(f, v, path) || *functions != NULL)
		return;
	*functions = xcalloc((size_t)cJSON_GetArraySize(v), sizeof(**functions));
	cJSON_ArrayForEach(item, v)
	{
		if (!cJSON_IsString(item)) {
			fields_expected(f, item, &at, "a string");
		} else if (!pattern_function(item->valuestring, &(*functions)[*n], &err)) {
			fields_error(f, item, &at, "%s", err.text);
		} else if (!deny || deniable(&(*functions)[*n], &err)) {
			(*n)++;
		} else {
			fields_error(f, item, &at, "%s", err.text);
			function_pattern_release(&(*functions)[*n]);
		}
		at.index++;
	}
}

void
load_functions_allow(struct fields *f, const cJSON *v, const struct path *path, void *base)
{
	struct profile *p = base;

	p->functions_allow_set = true;
	load_functions(f, v, path, &p->functions_allow, &p->nfunctions_allow, false);
}

void
load_functions_deny(struct fields *f, const cJSON *v, const struct path *path, void *base)
{
	struct profile *p = base;

	load_functions(f, v, path, &p->functions_deny, &p->nfunctions_deny, true);
}

/* --- settings and search_path --------------------------------------------- */

static bool
setting_name(const char *text, char **kept, struct err *err)
{
	size_t len = strlen(text);

	if (len == 0 || len > IDENTIFIER_MAX ||
	    strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_$.") != len)
		return err_set(err, "expected the name of a setting, found \"%s\"", text);
	if (setting_never(text) || setting_reserved(text))
		return err_set(err, "the setting \"%s\" can never be opened", text);
	*kept = xstrdup(text);
	return true;
}

void
load_settings_allow(struct fields *f, const cJSON *v, const struct path *path, void *base)
{
	load_strings(f, v, path, &((struct profile *)base)->settings_allow, setting_name);
}

/* What stands here must mean one schema, whoever is logged in. */
static bool
search_path_name(const char *text, char **kept, struct err *err)
{
	char *name = NULL;

	if (strcmp(text, "$user") == 0)
		return err_set(err, "\"$user\" differs from role to role: name the schema");
	if (!pattern_identifier(text, &name, err))
		return false;
	if (strncmp(name, "pg_", 3) == 0) {
		if (strcmp(name, "pg_catalog") == 0)
			err_set(err, "\"pg_catalog\" is always searched first: leave it out");
		else
			err_set(err, "\"%s\" cannot be searched: it is a schema of the system", text);
		free(name);
		return false;
	}
	*kept = name;
	return true;
}

void
load_search_path(struct fields *f, const cJSON *v, const struct path *path, void *base)
{
	struct string_list *list = &((struct profile *)base)->search_path;

	load_strings(f, v, path, list, search_path_name);
	for (size_t i = 1; i < list->n; i++)
		for (size_t j = 0; j < i; j++)
			if (strcmp(list->items[i], list->items[j]) == 0)
				fields_error(f, v, path, "\"%s\" is repeated", list->items[i]);
}

/* --- hints ----------------------------------------------------------------- */

static const char *
next_rule(const void *unused, size_t i)
{
	(void)unused;
	return i + 1 <= RULE_PROTOCOL ? rule_name((enum rule)(i + 1)) : NULL;
}

static int
find_rule(const char *name)
{
	for (int rule = RULE_NONE + 1; rule <= RULE_PROTOCOL; rule++)
		if (strcmp(rule_name((enum rule)rule), name) == 0)
			return rule;
	return RULE_NONE;
}

static void
load_hint(struct fields *f, const cJSON *v, const struct path *path, struct profile *p)
{
	const char *near;
	int rule = find_rule(v->string);

	if (rule == RULE_NONE) {
		near = nearest(v->string, next_rule, NULL);
		fields_key_error(
		    f, v, path, near != NULL ? "unknown rule, did you mean \"%s\"?" : "unknown rule%s", near != NULL ? near : "");
	} else if (!cJSON_IsString(v) || v->valuestring[0] == '\0' || strlen(v->valuestring) > HINT_MAX) {
		fields_expected(f, v, path, "a text of 1 to 1000 bytes");
	} else {
		free(p->hints[rule]);
		p->hints[rule] = xstrdup(v->valuestring);
	}
}

void
load_hints(struct fields *f, const cJSON *v, const struct path *path, void *base)
{
	const cJSON *item;

	if (!cJSON_IsObject(v)) {
		fields_expected(f, v, path, "an object");
		return;
	}
	cJSON_ArrayForEach(item, v)
	{
		struct path at = { path, item->string, 0 };

		load_hint(f, item, &at, base);
	}
}
