/* policy/analyze_group.c - GROUP BY a key: which guarded relations may stay as they are written.
 *
 * SELECT u.id, u.email FROM users u GROUP BY u.id is fine for PostgreSQL where
 * id is the table's primary key, and an error where a subquery stands for the
 * table. So a relation in the FROM of a query with GROUP BY stays when all that
 * its guard does is to leave columns out, and the text could not say one.
 *
 * That is decided from the words of the text alone, so that it does not rest
 * on who we think a name means. A column of a table comes out of it
 *  - by its name, in an expression, USING or a field of a row: no word of the
 *    text, whatever it means there, may be the name of a denied column;
 *  - by its place, in an alias list: the relation and joins have none, and
 *    names that are given to a subquery or CTE are for what it selects;
 *  - with all others, by a star, TABLE or NATURAL JOIN: none may be there.
 *    count(*) and multiplication are no stars;
 *  - with all others, in a row, be it an argument, an operand, cast or an
 *    attribute that is a function: its value is written as the relation's name
 *    or alias. Beside FROM these may only stand before a dot and an open
 *    column, which comes before any function of that name. A row type does not
 *    give rows, but is refused here all the same, by its name.
 * Everything else is made of these: DISTINCT, ORDER BY 2 and set operations
 * take what a query gives, and a subquery, CTE or function what is written in
 * it. Samples, locks and system columns were refused by the analysis; it has
 * also found every column that it knows of the relation to be open, so
 * both would have to be wrong. Words that are hard to read (U&"", longer than a
 * name may be, not ASCII and not quoted) are never fine.
 */
#include "tokens.h"

#include "analyze_int.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* So many relations are looked at, and names compared for one of them. The
 * text that comes of this has no more of either, so it gets the same answer. */
#define GROUPED_MAX 16
#define GROUPED_STEPS_MAX 2000000
#define NAME_BYTES 64

enum { WORD_OURS = 1, WORD_DECLARED = 2 };

struct words {
	const struct analyzer *a;
	struct tokens tokens;
	uint8_t *are; /* owned; what each word is */
	size_t n;     /* how many are the client's */
};

/* A name as PostgreSQL reads it. False: not for certain. */
static bool
read_name(const struct tokens *t, size_t i, char name[NAME_BYTES])
{
	const struct token *k = &t->items[i];
	const bool quoted = k->kind == TOKEN_QUOTED;
	size_t n = 0;

	if (!tokens_is_name(t, i) || k->kind == TOKEN_UNICODE)
		return false;
	for (size_t at = k->at + quoted; at < k->end - quoted; at++) {
		const char c = t->sql[at];

		if (n == NAME_BYTES - 1 || (!quoted && ((unsigned char)c & 0x80) != 0))
			return false;
		name[n++] = (char)(!quoted && c >= 'A' && c <= 'Z' ? c | 0x20 : c);
		if (quoted && c == '"')
			at++; /* it is doubled */
	}
	name[n] = '\0';
	return true;
}

/* --- stars -------------------------------------------------------------------- */

static bool
is_any_word(const struct tokens *t, size_t i, const char *const *list, size_t n)
{
	for (size_t k = 0; k < n; k++)
		if (tokens_is_word(t, i, list[k]))
			return true;
	return false;
}

/* Reserved words, all of them: no operand of a multiplication begins or ends with one. */
static bool
follows_star(const struct tokens *t, size_t i)
{
	static const char *const words[] = { "from", "into", "where", "group", "having", "window", "union", "intersect", "except",
		"order", "limit", "offset", "fetch", "for", "on", "returning", "with", "as" };

	return i >= t->n || tokens_is_char(t, i, ',') || tokens_is_char(t, i, ')') || tokens_is_char(t, i, ';') ||
	       is_any_word(t, i, words, nitems(words));
}

static bool
precedes_star(const struct tokens *t, size_t i)
{
	static const char *const words[] = { "select", "all", "distinct", "returning" };

	if (t->items[i].kind == TOKEN_OPERATOR)
		return true;
	if (t->items[i].kind == TOKEN_CHAR)
		return !tokens_is_char(t, i, ')') && !tokens_is_char(t, i, ']');
	return is_any_word(t, i, words, nitems(words));
}

/* Could the word be a star? In doubt it is. */
static bool
is_star(const struct tokens *t, size_t i)
{
	if (t->items[i].kind != TOKEN_OPERATOR || t->sql[t->items[i].at] != '*')
		return false;
	if (i == 0 || tokens_is_char(t, i - 1, '.'))
		return true;
	if (!tokens_is_char(t, i, '*'))
		return false; /* a longer operator */
	if (i > 1 && tokens_is_char(t, i - 1, '(') && tokens_is_char(t, i + 1, ')') && tokens_is_name(t, i - 2))
		return false; /* count(*) */
	return precedes_star(t, i - 1) || follows_star(t, i + 1);
}

/* --- where a relation is named for FROM ------------------------------------------ */

static bool
is_called(const struct words *w, size_t i, const char *name)
{
	char other[NAME_BYTES];

	return read_name(&w->tokens, i, other) && strcasecmp(name, other) == 0;
}

/* Its name and its alias. False: there is an alias list, or it is written in another way. */
static bool
declare(struct words *w, const struct source *s)
{
	const struct tokens *t = &w->tokens;
	size_t i = s->site.location >= 0 ? tokens_find(t, (size_t)s->site.location) : t->n;

	while (tokens_is_name(t, i) && tokens_is_char(t, i + 1, '.'))
		i += 2;
	if (i >= t->n || !is_called(w, i, s->relation->name))
		return false;
	w->are[i++] |= WORD_DECLARED;
	if (!s->site.has_alias)
		return true;
	if (s->site.only && tokens_is_char(t, i, ')'))
		i++;
	if (tokens_is_word(t, i, "as"))
		i++;
	if (i >= t->n || !is_called(w, i, s->alias) || tokens_is_char(t, i + 1, '('))
		return false;
	w->are[i] |= WORD_DECLARED;
	return true;
}

/* --- the rule ---------------------------------------------------------------------- */

static void
mark_ours(struct words *w)
{
	size_t k = 0;

	for (size_t i = 0; i < w->tokens.n; i++) {
		const int at = (int)w->tokens.items[i].at;

		while (k < w->a->nours && w->a->ours[k].to <= at)
			k++;
		if (k < w->a->nours && w->a->ours[k].from <= at)
			w->are[i] |= WORD_OURS;
		else
			w->n++;
	}
}

/* What holds for the text, whatever relation it is about. */
static bool
words_fine(const struct words *w)
{
	static const char *const never[] = { "natural", "table", "tablesample" };
	const struct tokens *t = &w->tokens;
	char name[NAME_BYTES];

	for (size_t i = 0; i < t->n; i++) {
		if ((w->are[i] & WORD_OURS) != 0)
			continue;
		if (is_star(t, i) || (tokens_is_name(t, i) && !read_name(t, i, name)) || is_any_word(t, i, never, nitems(never)))
			return false;
	}
	return true;
}

static bool
words_read(struct words *w, const struct analyzer *a, const char *sql)
{
	*w = (struct words){ .a = a };
	if (!tokens_read(&w->tokens, sql, strlen(sql)))
		return false;
	w->are = xcalloc(w->tokens.n + 1, sizeof(*w->are));
	mark_ours(w);
	for (const struct source *s = a->sources; s != NULL; s = s->next)
		if (!s->fixed && !declare(w, s))
			return false;
	return words_fine(w);
}

static bool
is_denied_name(const struct source *s, const char *name)
{
	for (size_t i = 0; i < s->relation->ncolumns; i++)
		if (s->guard->actions[i] != COLUMN_OPEN && strcasecmp(s->relation->columns[i].name, name) == 0)
			return true;
	return false;
}

/* u.email: a column, and open. */
static bool
is_qualifier(const struct words *w, const struct source *s, size_t i)
{
	const struct tokens *t = &w->tokens;
	char name[NAME_BYTES];

	return tokens_is_char(t, i + 1, '.') && tokens_is_name(t, i + 2) && read_name(t, i + 2, name) &&
	       relation_column(s->relation, name) != NULL && guard_column(s->guard, name) == COLUMN_OPEN;
}

static bool
may_stay(const struct words *w, const struct source *s)
{
	const struct tokens *t = &w->tokens;
	char name[NAME_BYTES];

	if (w->n * s->relation->ncolumns > GROUPED_STEPS_MAX)
		return false;
	for (size_t i = 0; i < t->n; i++) {
		if ((w->are[i] & WORD_OURS) != 0 || !tokens_is_name(t, i))
			continue;
		if (!read_name(t, i, name) || is_denied_name(s, name))
			return false;
		if ((w->are[i] & WORD_DECLARED) != 0 || is_qualifier(w, s, i))
			continue;
		if (strcasecmp(name, s->relation->name) == 0 || strcasecmp(name, s->alias) == 0)
			return false;
	}
	return true;
}

static bool
is_candidate(const struct source *s)
{
	const struct guard *g = s->guard;

	return s->noted && s->grouped && !s->fixed && !s->starred && !s->site.tableoid && !s->site.is_table_command &&
	       !g->definitions && g->ndenied > 0 && g->nmasked == 0 && g->filter == NULL;
}

void
leave_grouped(struct analyzer *a, const char *sql)
{
	struct words w = { 0 };
	bool read = false, fine = !a->joins_named;
	size_t n = 0;

	for (struct source *s = a->sources; s != NULL && fine && n < GROUPED_MAX; s = s->next) {
		if (!is_candidate(s))
			continue;
		n++;
		if (!read)
			fine = words_read(&w, a, sql);
		read = true;
		if (fine && may_stay(&w, s))
			s->noted = false;
	}
	tokens_release(&w.tokens);
	free(w.are);
}
