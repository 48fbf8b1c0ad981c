/* policy/write_lists.c - the lists of a profile as JSON that loads again. */
#include <string.h>

#include "load.h"

static void
put_string(struct sb *sb, const char *text)
{
	sb_json(sb, text, strlen(text));
}

static void
put_key(struct sb *sb, bool first, const char *key, const char *value)
{
	sb_str(sb, first ? "" : ",");
	put_string(sb, key);
	sb_char(sb, ':');
	put_string(sb, value);
}

/* One part of a name as the file writes it: what would be folded, or not taken, stands in double quotes. */
static void
put_part(struct sb *sb, const char *part)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz0123456789_$*?";
	bool quote = *part == '\0';

	for (const char *s = part; *s != '\0'; s++)
		quote |= (unsigned char)*s < 0x80 && strchr(plain, *s) == NULL;
	if (!quote) {
		sb_str(sb, part);
		return;
	}
	sb_char(sb, '"');
	for (; *part != '\0'; part++)
		sb_fmt(sb, *part == '"' ? "\"\"" : "%c", *part);
	sb_char(sb, '"');
}

static void
put_name(struct sb *sb, const char *schema, const char *name, const char *column)
{
	if (schema != NULL) {
		put_part(sb, schema);
		sb_char(sb, '.');
	}
	put_part(sb, name);
	if (column != NULL) {
		sb_char(sb, '.');
		put_part(sb, column);
	}
}

/* --- names ------------------------------------------------------------------ */

static void
write_names(struct sb *sb, const struct string_list *list, void (*put)(struct sb *, const char *))
{
	struct sb name = { 0 };

	sb_char(sb, '[');
	for (size_t i = 0; i < list->n; i++) {
		sb_clear(&name);
		put(&name, list->items[i]);
		sb_str(sb, i > 0 ? "," : "");
		put_string(sb, sb_text(&name));
	}
	sb_char(sb, ']');
	sb_free(&name);
}

void
write_schemas_allow(struct sb *sb, const void *base)
{
	const struct profile *p = base;

	if (p->schemas_allow.set)
		write_names(sb, &p->schemas_allow, put_part);
}

void
write_schemas_deny(struct sb *sb, const void *base)
{
	const struct profile *p = base;

	if (p->schemas_deny.n > 0)
		write_names(sb, &p->schemas_deny, put_part);
}

void
write_settings_allow(struct sb *sb, const void *base)
{
	const struct profile *p = base;

	if (p->settings_allow.set)
		write_names(sb, &p->settings_allow, sb_str);
}

void
write_search_path(struct sb *sb, const void *base)
{
	write_names(sb, &((const struct profile *)base)->search_path, put_part);
}

/* --- tables and functions ----------------------------------------------------- */

static void
write_tables(struct sb *sb, const struct table_pattern *tables, size_t n)
{
	struct sb name = { 0 };

	sb_char(sb, '[');
	for (size_t i = 0; i < n; i++) {
		sb_clear(&name);
		put_name(&name, tables[i].schema, tables[i].name, NULL);
		sb_str(sb, i > 0 ? "," : "");
		if (tables[i].access == (ACCESS_READ | ACCESS_WRITE)) {
			put_string(sb, sb_text(&name));
			continue;
		}
		sb_char(sb, '{');
		put_key(sb, true, "table", sb_text(&name));
		put_key(sb, false, "access", tables[i].access == ACCESS_READ ? "read" : "write");
		sb_char(sb, '}');
	}
	sb_char(sb, ']');
	sb_free(&name);
}

void
write_tables_allow(struct sb *sb, const void *base)
{
	const struct profile *p = base;

	if (p->tables_allow_set)
		write_tables(sb, p->tables_allow, p->ntables_allow);
}

void
write_tables_deny(struct sb *sb, const void *base)
{
	const struct profile *p = base;

	if (p->ntables_deny > 0)
		write_tables(sb, p->tables_deny, p->ntables_deny);
}

static void
put_function(struct sb *sb, const struct function_pattern *f)
{
	if (f->extension != NULL) {
		sb_fmt(sb, "extension:%s", f->extension);
		return;
	}
	put_name(sb, f->schema, f->name, NULL);
	if (f->signature != NULL)
		sb_fmt(sb, "(%s)", f->signature);
}

static void
write_functions(struct sb *sb, const struct function_pattern *functions, size_t n)
{
	struct sb name = { 0 };

	sb_char(sb, '[');
	for (size_t i = 0; i < n; i++) {
		sb_clear(&name);
		put_function(&name, &functions[i]);
		sb_str(sb, i > 0 ? "," : "");
		put_string(sb, sb_text(&name));
	}
	sb_char(sb, ']');
	sb_free(&name);
}

void
write_functions_allow(struct sb *sb, const void *base)
{
	const struct profile *p = base;

	if (p->functions_allow_set)
		write_functions(sb, p->functions_allow, p->nfunctions_allow);
}

void
write_functions_deny(struct sb *sb, const void *base)
{
	const struct profile *p = base;

	if (p->nfunctions_deny > 0)
		write_functions(sb, p->functions_deny, p->nfunctions_deny);
}

/* --- columns, row filters, session, hints -------------------------------------- */

static void
write_column(struct sb *sb, const struct column_rule *rule)
{
	struct sb name = { 0 };

	put_name(&name, rule->schema, rule->table, rule->column);
	sb_char(sb, '{');
	put_key(sb, true, "column", sb_text(&name));
	put_key(sb, false, "action", rule->action == COLUMN_DENY ? "deny" : "mask");
	if (rule->action == COLUMN_MASK)
		for (const struct word *w = mask_words; w->word != NULL; w++)
			if (w->value == (int)rule->mask)
				put_key(sb, false, "mask", w->word);
	if (rule->expression != NULL)
		put_key(sb, false, "expression", rule->expression);
	sb_char(sb, '}');
	sb_free(&name);
}

void
write_columns(struct sb *sb, const void *base)
{
	const struct profile *p = base;

	if (p->ncolumns == 0)
		return;
	for (size_t i = 0; i < p->ncolumns; i++) {
		sb_char(sb, i > 0 ? ',' : '[');
		write_column(sb, &p->columns[i]);
	}
	sb_char(sb, ']');
}

void
write_row_filters(struct sb *sb, const void *base)
{
	const struct profile *p = base;
	struct sb name = { 0 };

	for (size_t i = 0; i < p->nrow_filters; i++) {
		sb_clear(&name);
		put_name(&name, p->row_filters[i].schema, p->row_filters[i].table, NULL);
		sb_str(sb, i > 0 ? ",{" : "[{");
		put_key(sb, true, "table", sb_text(&name));
		put_key(sb, false, "where", p->row_filters[i].where);
		sb_char(sb, '}');
	}
	sb_str(sb, p->nrow_filters > 0 ? "]" : "");
	sb_free(&name);
}

void
write_session(struct sb *sb, const void *base)
{
	const struct profile *p = base;

	for (size_t i = 0; i < p->nsession; i++) {
		sb_str(sb, i == 0 ? "{" : "");
		put_key(sb, i == 0, p->session[i].name, p->session[i].value);
	}
	sb_str(sb, p->nsession > 0 ? "}" : "");
}

/* The hint that load_profile() makes of the statement list is there, too: it is what a client hears. */
void
write_hints(struct sb *sb, const void *base)
{
	const struct profile *p = base;
	bool first = true;

	for (int rule = RULE_NONE + 1; rule <= RULE_PROTOCOL; rule++) {
		if (p->hints[rule] == NULL)
			continue;
		sb_str(sb, first ? "{" : "");
		put_key(sb, first, rule_name((enum rule)rule), p->hints[rule]);
		first = false;
	}
	sb_str(sb, first ? "" : "}");
}
