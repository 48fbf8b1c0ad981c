/* policy/substitute.c - where sites, names and arguments end, and what comes instead. */
#include "substitute.h"
#include "tokens.h"

#include <stdlib.h>
#include <string.h>

/* What is written goes through the parser again. */
#define WRITTEN_MAX ((size_t)1 << 20)

enum { RANK_CLOSE, RANK_OPEN, RANK_REPLACE };

struct plan {
	struct edits *edits;
	struct tokens tokens;
	const struct catalog *catalog;
	const struct restricted_objects *restricted;
	struct err *why;
	size_t written; /* bytes */
};

/* --- edits --------------------------------------------------------------------- */

/* Takes the text over. */
static bool
add_edit(struct plan *p, size_t at, size_t removed, int rank, struct sb *text)
{
	struct edits *e = p->edits;

	p->written += text->len;
	if (text->bad || p->written > WRITTEN_MAX) {
		sb_free(text);
		return err_set(p->why, "what is to stand in its place is too long");
	}
	if (e->n == e->room) {
		e->room = e->room == 0 ? 8 : e->room * 2;
		e->items = xreallocarray(e->items, e->room, sizeof(*e->items));
	}
	e->items[e->n] = (struct edit){ .at = at, .removed = removed, .rank = rank, .order = e->n };
	e->items[e->n].text = text->text != NULL ? sb_take(text) : xstrdup("");
	e->n++;
	return true;
}

static int
by_place(const void *a, const void *b)
{
	const struct edit *x = a, *y = b;

	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	if (x->order == y->order)
		return 0;
	return (x->order < y->order) == (x->rank != RANK_CLOSE) ? -1 : 1; /* what was opened last is closed first */
}

static bool
sort_edits(struct plan *p)
{
	struct edit *e = p->edits->items;

	if (p->edits->n > 1)
		qsort(e, p->edits->n, sizeof(*e), by_place);
	for (size_t i = 1; i < p->edits->n; i++)
		if (e[i].at < e[i - 1].at + e[i - 1].removed)
			return err_set(p->why, "two substitutions meet at one place");
	return true;
}

void
edits_release(struct edits *e)
{
	for (size_t i = 0; i < e->n; i++)
		free(e->items[i].text);
	free(e->items);
	*e = (struct edits){ 0 };
}

char *
edits_apply(const struct edits *e, const char *sql, size_t len, size_t *new_len)
{
	struct sb sb = { 0 };
	size_t from = 0;
	char *text;

	for (size_t i = 0; i < e->n; i++) {
		sb_bytes(&sb, sql + from, e->items[i].at - from);
		sb_str(&sb, e->items[i].text);
		from = e->items[i].at + e->items[i].removed;
	}
	sb_bytes(&sb, sql + from, len - from);
	*new_len = sb.len;
	text = sb.bad ? NULL : sb_take(&sb);
	sb_free(&sb);
	return text;
}

/* --- names ------------------------------------------------------------------------ */

/* The last word of a name that begins with word i; n when it is none, or is
 * written with UESCAPE, which may stand anywhere in it. */
static size_t
name_end(const struct tokens *t, size_t i)
{
	if (!tokens_is_name(t, i))
		return t->n;
	while (tokens_is_char(t, i + 1, '.') && tokens_is_name(t, i + 2))
		i += 2;
	return tokens_is_word(t, i + 1, "uescape") ? t->n : i;
}

struct extent {
	size_t first, last; /* words, both included */
};

/* ONLY name, ONLY (name), TABLE before them, the star behind: all of it goes. */
static bool
site_extent(const struct plan *p, const struct site *s, struct extent *e)
{
	const struct tokens *t = &p->tokens;
	const size_t i = s->location >= 0 ? tokens_find(t, (size_t)s->location) : t->n;
	const size_t end = name_end(t, i);
	bool only = false;

	if (end >= t->n || tokens_is_word(t, end + 1, "tablesample"))
		return false;
	*e = (struct extent){ i, end };
	if (tokens_is_char(t, end + 1, '*'))
		e->last++;
	if (i >= 1 && tokens_is_word(t, i - 1, "only")) {
		only = true;
		e->first = i - 1;
	} else if (i >= 2 && tokens_is_char(t, i - 1, '(') && tokens_is_word(t, i - 2, "only")) {
		only = tokens_is_char(t, end + 1, ')');
		*e = (struct extent){ i - 2, end + 1 };
	}
	if (s->is_table_command) {
		if (e->first == 0 || !tokens_is_word(t, e->first - 1, "table"))
			return false;
		e->first--;
	}
	return only == s->only;
}

static bool
plan_site(struct plan *p, const struct site *s)
{
	const unsigned use =
	    (s->only ? GUARD_ONLY : 0u) | (s->nullable ? GUARD_NULLABLE : 0u) | (s->tableoid ? GUARD_TABLEOID : 0u);
	const struct token *t = p->tokens.items;
	struct sb sb = { 0 };
	struct extent e;

	if (!site_extent(p, s, &e))
		return err_set(p->why, "\"%.63s\" is written in a way that cannot be substituted", s->name);
	if (s->is_table_command)
		sb_str(&sb, "SELECT * FROM ");
	guard_sql_for(s->guard, p->catalog, use, &sb);
	if (!s->has_alias || s->is_table_command) {
		sb_str(&sb, " AS ");
		guard_name(&sb, s->name);
	}
	return add_edit(p, t[e.first].at, t[e.last].end - t[e.first].at, RANK_REPLACE, &sb);
}

/* schema.table.column: up to where the table's name begins. */
static bool
plan_unqualify(struct plan *p, const struct unqualify *u)
{
	const struct tokens *t = &p->tokens;
	const size_t i = u->location >= 0 ? tokens_find(t, (size_t)u->location) : t->n;
	const size_t to = i + 2 * (size_t)(u->parts > 0 ? u->parts : 0);
	struct sb nothing = { 0 };

	if (u->parts < 1 || to >= t->n)
		return err_set(p->why, "a column is written in a way that cannot be substituted");
	for (size_t k = i; k < to; k += 2)
		if (!tokens_is_name(t, k) || !tokens_is_char(t, k + 1, '.'))
			return err_set(p->why, "a column is written in a way that cannot be substituted");
	if (!tokens_is_name(t, to) || tokens_is_word(t, to + 1, "uescape"))
		return err_set(p->why, "a column is written in a way that cannot be substituted");
	return add_edit(p, t->items[i].at, t->items[to].at - t->items[i].at, RANK_REPLACE, &nothing);
}

/* --- arguments ----------------------------------------------------------------------- */

static bool
is_opening(const struct tokens *t, size_t i)
{
	return tokens_is_char(t, i, '(') || tokens_is_char(t, i, '[');
}

static bool
is_closing(const struct tokens *t, size_t i)
{
	return tokens_is_char(t, i, ')') || tokens_is_char(t, i, ']');
}

/* What begins an argument that is no plain expression. */
static bool
is_argument_word(const struct tokens *t, size_t i)
{
	static const char *const words[] = { "variadic", "distinct", "all", "order" };

	for (size_t w = 0; w < nitems(words); w++)
		if (tokens_is_word(t, i, words[w]))
			return true;
	return false;
}

static bool
names_argument(const struct tokens *t, size_t i)
{
	return i < t->n && ((t->items[i].end - t->items[i].at == 2 && memcmp(t->sql + t->items[i].at, "=>", 2) == 0) ||
			       (tokens_is_char(t, i, ':') && tokens_is_char(t, i + 1, '=')));
}

/* Of the argument that begins with word i: the last word. n: none, or no plain expression. */
static size_t
argument_end(const struct tokens *t, size_t i)
{
	size_t depth = 0;

	for (size_t k = i; k < t->n; k++) {
		if (depth == 0 && (tokens_is_char(t, k, ',') || is_closing(t, k)))
			return k > i ? k - 1 : t->n;
		if (depth == 0 && (is_argument_word(t, k) || names_argument(t, k)))
			return t->n;
		depth += is_opening(t, k);
		depth -= is_closing(t, k);
	}
	return t->n;
}

static bool
find_argument(const struct tokens *t, const struct wrap *w, struct extent *e)
{
	size_t i = w->location >= 0 ? name_end(t, tokens_find(t, (size_t)w->location)) : t->n;

	if (i >= t->n || !tokens_is_char(t, i + 1, '('))
		return false;
	i += 2;
	for (unsigned k = 0;; k++) {
		const size_t last = argument_end(t, i);

		if (last >= t->n)
			return false;
		if (k == w->argument) {
			*e = (struct extent){ i, last };
			return true;
		}
		if (!tokens_is_char(t, last + 1, ','))
			return false;
		i = last + 2;
	}
}

/* An object that belongs to a relation: its own catalog, and the column there that names the relation. */
static const struct {
	const char *catalog, *owner, *type;
} owned_by[] = {
	[WRAP_RULE] = { "pg_rewrite", "ev_class", NULL },
	[WRAP_CONSTRAINT] = { "pg_constraint", "conrelid", "contypid" },
	[WRAP_TRIGGER] = { "pg_trigger", "tgrelid", NULL },
	[WRAP_STATISTICS] = { "pg_statistic_ext", "stxrelid", NULL },
};

#define REPLACE "\"pg_catalog\".\"regexp_replace\"("
#define AS_TEXT "::\"pg_catalog\".\"oid\"::\"pg_catalog\".\"text\", "
#define OR_RAISE ", '\\&" GUARD_MARKER "')"

/* The number of an owner, times nothing; or the error. */
static bool
write_owner(const struct plan *p, const char *column, unsigned lists, struct sb *sb)
{
	sb_fmt(sb, REPLACE "\"o\".\"%s\"" AS_TEXT, column);
	if (!definitions_pattern(p->restricted, lists, sb))
		return false;
	sb_str(sb, OR_RAISE "::\"pg_catalog\".\"int8\" OPERATOR(\"pg_catalog\".*) 0 OPERATOR(\"pg_catalog\".+) ");
	return true;
}

static bool
write_owned(const struct plan *p, enum wrap_kind what, struct sb *open, struct sb *close)
{
	sb_str(open, "(SELECT (");
	if (!write_owner(p, owned_by[what].owner, 1u << RESTRICTED_RELATIONS, open) ||
	    (owned_by[what].type != NULL && !write_owner(p, owned_by[what].type, 1u << RESTRICTED_TYPES, open)))
		return false;
	/* OFFSET 0: a volatile argument is asked once */
	sb_str(open, "\"o\".\"oid\"::\"pg_catalog\".\"int8\")::\"pg_catalog\".\"oid\" FROM (SELECT (");
	sb_fmt(close,
	    ")::\"pg_catalog\".\"oid\" AS \"x\" OFFSET 0) AS \"q\", \"pg_catalog\".\"%s\" AS \"o\" "
	    "WHERE \"o\".\"oid\" OPERATOR(\"pg_catalog\".=) \"q\".\"x\")",
	    owned_by[what].catalog);
	return true;
}

static unsigned
lists_of(enum wrap_kind what)
{
	switch (what) {
	case WRAP_FUNCTION:
		return 1u << RESTRICTED_FUNCTIONS;
	case WRAP_CONSTRAINT:
		return 1u << RESTRICTED_RELATIONS | 1u << RESTRICTED_TYPES;
	case WRAP_COMMENT:
		return (1u << RESTRICTED_LISTS) - 1;
	default:
		return 1u << RESTRICTED_RELATIONS;
	}
}

static bool
is_any_restricted(const struct restricted_objects *restricted, unsigned lists)
{
	for (unsigned i = 0; i < RESTRICTED_LISTS; i++)
		if ((lists & 1u << i) != 0 && restricted->n[i] > 0)
			return true;
	return false;
}

/* The argument is written once and asked once, so that a volatile one cannot
 * show one number to the check and another to the function. */
static bool
write_wrap(const struct plan *p, enum wrap_kind what, struct sb *open, struct sb *close)
{
	if (what == WRAP_RULE || what == WRAP_CONSTRAINT || what == WRAP_TRIGGER || what == WRAP_STATISTICS)
		return write_owned(p, what, open, close);
	sb_str(open, REPLACE "(");
	sb_str(close, ")" AS_TEXT);
	if (!definitions_pattern(p->restricted, lists_of(what), close))
		return false;
	sb_fmt(close, "%s::\"pg_catalog\".\"oid\"", what == WRAP_COMMENT ? ", '0')" : OR_RAISE);
	return true;
}

static bool
plan_wrap(struct plan *p, const struct wrap *w)
{
	struct sb open = { 0 }, close = { 0 };
	struct extent e;

	if (p->restricted != NULL && !is_any_restricted(p->restricted, lists_of(w->what)))
		return true;
	if (p->restricted == NULL || !find_argument(&p->tokens, w, &e))
		return err_set(p->why, "the argument of a function that shows definitions cannot be checked as it is written");
	if (!write_wrap(p, w->what, &open, &close)) {
		sb_free(&open);
		sb_free(&close);
		return err_set(
		    p->why, "more than %d objects are restricted, so definitions are shown for constants only", DEFINITIONS_MAX);
	}
	if (!add_edit(p, p->tokens.items[e.first].at, 0, RANK_OPEN, &open)) {
		sb_free(&close);
		return false;
	}
	return add_edit(p, p->tokens.items[e.last].end, 0, RANK_CLOSE, &close);
}

/* --- all of it -------------------------------------------------------------------------- */

static bool
plan_all(struct plan *p, const struct analysis *a)
{
	for (size_t i = 0; i < a->nsites; i++)
		if (!plan_site(p, &a->sites[i]))
			return false;
	for (size_t i = 0; i < a->nunqualified; i++)
		if (!plan_unqualify(p, &a->unqualified[i]))
			return false;
	for (size_t i = 0; i < a->nwraps; i++)
		if (!plan_wrap(p, &a->wraps[i]))
			return false;
	return sort_edits(p);
}

bool
substitute_plan(struct edits *edits, const struct analysis *a, const struct catalog *c, const struct restricted_objects *restricted,
    const char *sql, size_t len, struct err *why)
{
	struct plan p = { .edits = edits, .catalog = c, .restricted = restricted, .why = why };
	bool good;

	*edits = (struct edits){ 0 };
	if (a->nsites == 0 && a->nunqualified == 0 && a->nwraps == 0)
		return true;
	good = tokens_read(&p.tokens, sql, len) ? plan_all(&p, a) : err_set(why, "the text cannot be substituted");
	tokens_release(&p.tokens);
	return good;
}
