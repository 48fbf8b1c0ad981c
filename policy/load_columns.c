/* policy/load_columns.c - what of a table is shown: "columns" and "row_filters". */
#include <stdlib.h>
#include <string.h>

#include "expression.h"
#include "load.h"
#include "patterns.h"

#define RULES_MAX 10000

static bool
is_rule_list(struct fields *f, const cJSON *v, const struct path *path)
{
	if (cJSON_IsArray(v) && cJSON_GetArraySize(v) <= RULES_MAX)
		return true;
	fields_expected(f, v, path, "a list of at most 10000 entries");
	return false;
}

/* A member's expression, moved to where it is kept. */
static void
load_expression(struct fields *f, const cJSON *entry, const struct path *path, const char *key, char **text, char **kept)
{
	struct path at = { path, key, 0 };
	struct err err;

	if (expression_check(*text, &err)) {
		*kept = *text;
		*text = NULL;
	} else {
		fields_error(f, cJSON_GetObjectItemCaseSensitive(entry, key), &at, "%s", err.text);
	}
}

/* --- columns --------------------------------------------------------------- */

#define UNSET (-1)

struct column_entry {
	char *column, *expression;
	int action, mask;
};

static const struct word action_words[] = { { "deny", COLUMN_DENY }, { "mask", COLUMN_MASK }, { NULL, 0 } };
const struct word mask_words[] = { { "null", MASK_NULL }, { "redact", MASK_REDACT }, { "hash", MASK_HASH },
	{ "partial", MASK_PARTIAL }, { "expression", MASK_EXPRESSION }, { NULL, 0 } };

const struct field column_fields[] = {
	{ "column", FIELD_STRING, offsetof(struct column_entry, column), .required = true, .schema = "column_pattern",
	    .doc = "schema.table.column, each with * and ?" },
	{ "action", FIELD_WORD, offsetof(struct column_entry, action), .words = action_words, .required = true,
	    .doc = "deny: the column cannot be named and is not in *; mask: its values are replaced, its type stays" },
	{ "mask", FIELD_WORD, offsetof(struct column_entry, mask), .words = mask_words,
	    .doc = "What stands for the value; hash needs mask_key, expression needs expression" },
	{ "expression", FIELD_STRING, offsetof(struct column_entry, expression),
	    .doc = "SQL over the columns of the row, for mask expression" },
	{ .name = NULL },
};

/* A key that says nothing here; true when there was none. */
static bool
no_such_key(struct fields *f, const cJSON *v, const struct path *path, const char *key, const char *why)
{
	struct path at = { path, key, 0 };
	const cJSON *member = cJSON_GetObjectItemCaseSensitive(v, key);

	if (member != NULL)
		fields_key_error(f, member, &at, "%s", why);
	return member == NULL;
}

static bool
check_mask(struct fields *f, const cJSON *v, const struct path *path, const struct column_entry *entry)
{
	bool written = cJSON_GetObjectItemCaseSensitive(v, "mask") != NULL;

	if (entry->action == COLUMN_DENY) {
		bool no_mask = no_such_key(f, v, path, "mask", "contradicts action \"deny\"");

		return no_such_key(f, v, path, "expression", "contradicts action \"deny\"") && no_mask;
	}
	if (entry->action != COLUMN_MASK)
		return false;
	if (!written)
		fields_error(f, v, path, "the key \"mask\" is missing: action \"mask\" needs one");
	if (entry->mask == UNSET)
		return false;
	if (entry->mask != MASK_EXPRESSION)
		return no_such_key(f, v, path, "expression", "only mask \"expression\" has one");
	if (cJSON_GetObjectItemCaseSensitive(v, "expression") == NULL)
		fields_error(f, v, path, "the key \"expression\" is missing: mask \"expression\" needs one");
	return entry->expression != NULL;
}

static void
load_column(struct fields *f, const cJSON *v, const struct path *path, struct column_rule *rule)
{
	struct column_entry entry = { .action = UNSET, .mask = UNSET };
	struct path at = { path, "column", 0 };
	struct err err;

	fields_read(f, v, path, column_fields, &entry);
	if (entry.column != NULL && !pattern_column(entry.column, rule, &err))
		fields_error(f, cJSON_GetObjectItemCaseSensitive(v, "column"), &at, "%s", err.text);
	if (check_mask(f, v, path, &entry)) {
		rule->action = (enum column_action)entry.action;
		rule->mask = entry.mask != UNSET ? (enum mask_kind)entry.mask : MASK_NULL;
		if (entry.expression != NULL)
			load_expression(f, v, path, "expression", &entry.expression, &rule->expression);
	}
	free(entry.column);
	free(entry.expression);
}

static int
compare_columns(const void *a, const void *b)
{
	const struct column_rule *x = *(const struct column_rule *const *)a, *y = *(const struct column_rule *const *)b;
	int order = strcmp(x->schema, y->schema);

	if (order == 0)
		order = strcmp(x->table, y->table);
	if (order == 0)
		order = strcmp(x->column, y->column);
	return order != 0 ? order : (x > y) - (x < y); /* both are of one array */
}

static bool
same_column(const struct column_rule *a, const struct column_rule *b)
{
	return strcmp(a->schema, b->schema) == 0 && strcmp(a->table, b->table) == 0 && strcmp(a->column, b->column) == 0;
}

/* Of two rules for one name the first would rule and the second be dead: nobody means that. */
static void
check_repeated(struct fields *f, const cJSON *v, const struct path *path, const struct profile *p)
{
	const struct column_rule **sorted = xcalloc(p->ncolumns, sizeof(sorted[0]));
	size_t n = 0, first = 0;

	for (size_t i = 0; i < p->ncolumns; i++)
		if (p->columns[i].schema != NULL)
			sorted[n++] = &p->columns[i];
	qsort(sorted, n, sizeof(sorted[0]), compare_columns);
	for (size_t i = 1; i < n; i++) {
		struct path at = { path, NULL, (size_t)(sorted[i] - p->columns) };

		if (!same_column(sorted[first], sorted[i])) {
			first = i;
			continue;
		}
		fields_error(f, cJSON_GetArrayItem(v, (int)at.index), &at, "%s.%s.%s is %s by columns[%zu] already",
		    sorted[i]->schema, sorted[i]->table, sorted[i]->column,
		    sorted[first]->action == COLUMN_DENY ? "denied" : "masked", (size_t)(sorted[first] - p->columns));
	}
	free(sorted);
}

void
load_columns(struct fields *f, const cJSON *v, const struct path *path, void *base)
{
	struct profile *p = base;
	struct path at = { path, NULL, 0 };
	const cJSON *item;

	if (!is_rule_list(f, v, path) || p->columns != NULL)
		return;
	p->columns = xcalloc((size_t)cJSON_GetArraySize(v), sizeof(p->columns[0]));
	cJSON_ArrayForEach(item, v)
	{
		load_column(f, item, &at, &p->columns[p->ncolumns++]);
		at.index++;
	}
	check_repeated(f, v, path, p);
}

/* --- row filters ------------------------------------------------------------ */

struct filter_entry {
	char *table, *where;
};

const struct field filter_fields[] = {
	{ "table", FIELD_STRING, offsetof(struct filter_entry, table), .required = true, .schema = "table_pattern",
	    .doc = "schema.table, with * and ?" },
	{ "where", FIELD_STRING, offsetof(struct filter_entry, where), .required = true,
	    .doc = "SQL condition over the columns of the row; only rows for which it is true exist" },
	{ .name = NULL },
};

static void
load_filter(struct fields *f, const cJSON *v, const struct path *path, struct row_filter *filter)
{
	struct path at = { path, "table", 0 };
	struct filter_entry entry = { NULL, NULL };
	struct table_pattern t;
	struct err err;

	fields_read(f, v, path, filter_fields, &entry);
	if (entry.table != NULL && pattern_table(entry.table, &t, &err)) {
		filter->schema = t.schema;
		filter->table = t.name;
	} else if (entry.table != NULL) {
		fields_error(f, cJSON_GetObjectItemCaseSensitive(v, "table"), &at, "%s", err.text);
	}
	if (entry.where != NULL)
		load_expression(f, v, path, "where", &entry.where, &filter->where);
	free(entry.table);
	free(entry.where);
}

void
load_row_filters(struct fields *f, const cJSON *v, const struct path *path, void *base)
{
	struct profile *p = base;
	struct path at = { path, NULL, 0 };
	const cJSON *item;

	if (!is_rule_list(f, v, path) || p->row_filters != NULL)
		return;
	p->row_filters = xcalloc((size_t)cJSON_GetArraySize(v), sizeof(p->row_filters[0]));
	cJSON_ArrayForEach(item, v)
	{
		load_filter(f, item, &at, &p->row_filters[p->nrow_filters++]);
		at.index++;
	}
}

bool
profile_hides(const struct profile *p)
{
	return p->ncolumns > 0 || p->nrow_filters > 0;
}

void
shown_release(struct profile *p)
{
	for (size_t i = 0; i < p->ncolumns; i++) {
		free(p->columns[i].schema);
		free(p->columns[i].table);
		free(p->columns[i].column);
		free(p->columns[i].expression);
	}
	for (size_t i = 0; i < p->nrow_filters; i++) {
		free(p->row_filters[i].schema);
		free(p->row_filters[i].table);
		free(p->row_filters[i].where);
	}
	free(p->columns);
	free(p->row_filters);
}
