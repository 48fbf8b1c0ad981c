/* policy/guard_sql.c - the subquery's text. */
#include "guard.h"

/* Doubles what would end the quotes. */
static void
quoted(struct sb *sb, const char *text, char quote)
{
	sb_char(sb, quote);
	for (; *text != '\0'; text++) {
		if (*text == quote)
			sb_char(sb, quote);
		sb_char(sb, *text);
	}
	sb_char(sb, quote);
}

void
guard_name(struct sb *sb, const char *name)
{
	quoted(sb, name, '"');
}

/* standard_conforming_strings is on: a backslash is a backslash. */
void
guard_literal(struct sb *sb, const char *text)
{
	quoted(sb, text, '\'');
}

void
guard_relation_name(const struct cat_relation *r, const struct catalog *c, struct sb *sb)
{
	guard_name(sb, catalog_schema_name(c, r->namespace));
	sb_char(sb, '.');
	guard_name(sb, r->name);
}

static void
write_column(const struct guard *g, size_t i, unsigned use, struct sb *sb)
{
	const char *mask = (use & GUARD_NULLABLE) != 0 && g->quiet[i] != NULL ? g->quiet[i] : g->masks[i];

	if (g->actions[i] == COLUMN_MASK)
		sb_fmt(sb, "%s AS ", mask);
	guard_name(sb, g->relation->columns[i].name);
}

void
guard_sql_for(const struct guard *g, const struct catalog *c, unsigned use, struct sb *sb)
{
	const char *separator = "";

	sb_str(sb, "(SELECT ");
	for (size_t i = 0; i < g->relation->ncolumns; i++) {
		if (g->actions[i] == COLUMN_DENY)
			continue;
		sb_str(sb, separator);
		write_column(g, i, use, sb);
		separator = ", ";
	}
	if ((use & GUARD_TABLEOID) != 0)
		sb_fmt(sb, "%s\"tableoid\"", separator);
	sb_fmt(sb, " FROM %s", (use & GUARD_ONLY) != 0 ? "ONLY " : "");
	guard_relation_name(g->relation, c, sb);
	if (g->filter != NULL)
		sb_fmt(sb, " WHERE %s OFFSET 0", g->filter);
	sb_char(sb, ')');
}

void
guard_sql(const struct guard *g, const struct catalog *c, bool only, struct sb *sb)
{
	guard_sql_for(g, c, only ? GUARD_ONLY : 0, sb);
}
