/* policy/guard_names.c - names in an expression, word by word. */
#include "guard_names.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "nodes.h"
#include "common/keywords.h"

struct names {
	struct tokens tokens;
	const struct cat_relation *relation;
	const struct catalog *catalog;
	struct err *why;
};

char *
guard_names_word(const struct tokens *t, size_t i)
{
	const struct token *token = &t->items[i];
	char *name = xstrndup(t->sql + token->at, token->end - token->at), *to = name;

	if (token->kind == TOKEN_WORD) {
		for (; *to != '\0'; to++)
			if (*to >= 'A' && *to <= 'Z')
				*to = (char)(*to | 0x20);
		return name;
	}
	for (const char *from = name + 1; from[1] != '\0'; from++) {
		if (*from == '"')
			from++;
		*to++ = *from;
	}
	*to = '\0';
	return name;
}

/* Words of the grammar that may be names too, where an expression has them as words. */
static bool
is_word_of_syntax(const char *name)
{
	static const char *const words[] = { "year", "month", "day", "hour", "minute", "second", "zone", "at", "escape", "varying",
		"without", "by", "over", "partition", "rows", "range", "within", "filter", "document", "content", "unknown",
		"preceding", "following", "unbounded", "normalized", "nfc", "nfd", "nfkc", "nfkd", "first", "last", "nulls",
		"between", "precision" };

	for (size_t i = 0; i < nitems(words); i++)
		if (strcmp(name, words[i]) == 0)
			return true;
	return false;
}

/* Reserved words and those for functions and types (LIKE, IS) cannot be columns without quotes. */
static bool
is_keyword(const char *name)
{
	const int keyword = ScanKeywordLookup(name, &ScanKeywords);

	return keyword >= 0 && (ScanKeywordCategories[keyword] == RESERVED_KEYWORD ||
				   ScanKeywordCategories[keyword] == TYPE_FUNC_NAME_KEYWORD || is_word_of_syntax(name));
}

static bool
follows_cast(const struct tokens *t, size_t i)
{
	return i >= 2 && tokens_is_char(t, i - 1, ':') && tokens_is_char(t, i - 2, ':');
}

static bool
is_argument_name(const struct tokens *t, size_t i)
{
	return i < t->n && ((t->items[i].end - t->items[i].at == 2 && memcmp(t->sql + t->items[i].at, "=>", 2) == 0) ||
			       (tokens_is_char(t, i, ':') && tokens_is_char(t, i + 1, '=')));
}

/* A function, a type, the name of an argument; extract(epoch FROM x), TIME ZONE. */
static bool
is_no_column(const struct tokens *t, size_t i)
{
	if (tokens_is_char(t, i + 1, '(') || follows_cast(t, i) || is_argument_name(t, i + 1))
		return true;
	if (i > 0 && (tokens_is_word(t, i - 1, "as") || tokens_is_word(t, i - 1, "collate")))
		return true;
	if (i + 1 < t->n && t->items[i + 1].kind == TOKEN_STRING)
		return true;
	if (tokens_is_word(t, i, "time") && tokens_is_word(t, i + 1, "zone"))
		return true;
	return i >= 2 && tokens_is_char(t, i - 1, '(') && tokens_is_word(t, i - 2, "extract") && tokens_is_word(t, i + 1, "from");
}

static bool
is_column(const struct names *n, size_t i)
{
	char *name = guard_names_word(&n->tokens, i);
	const bool found =
	    relation_column(n->relation, name) != NULL || (n->tokens.items[i].kind == TOKEN_WORD && is_keyword(name));

	if (!found)
		err_set(n->why, "\"%.63s\" in an expression of the policy is no column of it", name);
	free(name);
	return found;
}

static bool
is_called(const struct names *n, size_t i, const char *what)
{
	char *name = guard_names_word(&n->tokens, i);
	const bool same = strcmp(name, what) == 0;

	free(name);
	return same;
}

/* (value).field, array[1].field */
static bool
is_field(const struct tokens *t, size_t i)
{
	return i > 0 && tokens_is_char(t, i - 1, '.');
}

/* a.b.c from i up to last: schema.function(, schema.type after ::, or this relation's own column. */
static bool
is_path_known(const struct names *n, size_t i, size_t last)
{
	const struct tokens *t = &n->tokens;

	if (is_no_column(t, last) || follows_cast(t, i) || is_field(t, i) ||
	    (i > 0 && (tokens_is_word(t, i - 1, "as") || tokens_is_word(t, i - 1, "collate"))))
		return true;
	if (last - i == 2 && is_called(n, i, n->relation->name))
		return is_column(n, last);
	if (last - i == 4 && is_called(n, i, catalog_schema_name(n->catalog, n->relation->namespace)) &&
	    is_called(n, i + 2, n->relation->name))
		return is_column(n, last);
	return err_set(n->why, "a name with dots in an expression of the policy must be a column of %.63s", n->relation->name);
}

/* Behind the parenthesis that closes the one at i. */
static size_t
skip_parentheses(const struct tokens *t, size_t i)
{
	size_t depth = 0;

	for (; i < t->n; i++) {
		if (tokens_is_char(t, i, '('))
			depth++;
		else if (tokens_is_char(t, i, ')') && --depth == 0)
			return i + 1;
	}
	return i;
}

static bool
starts_query(const struct tokens *t, size_t i)
{
	if (!tokens_is_char(t, i, '('))
		return false;
	while (tokens_is_char(t, i, '('))
		i++;
	return tokens_is_word(t, i, "select") || tokens_is_word(t, i, "with") || tokens_is_word(t, i, "values") ||
	       tokens_is_word(t, i, "table");
}

static bool
check(const struct names *n)
{
	const struct tokens *t = &n->tokens;

	for (size_t i = 0; i < t->n;) {
		size_t last = i;

		if (starts_query(t, i)) {
			i = skip_parentheses(t, i);
			continue;
		}
		if (!tokens_is_name(t, i)) {
			i++;
			continue;
		}
		if (t->items[i].kind == TOKEN_UNICODE)
			return err_set(n->why, "names in an expression of the policy are not written with U&");
		while (tokens_is_char(t, last + 1, '.') && tokens_is_name(t, last + 2))
			last += 2;
		if (last > i ? !is_path_known(n, i, last) : (!is_no_column(t, i) && !is_field(t, i) && !is_column(n, i)))
			return false;
		i = last + 1;
	}
	return true;
}

/* pg_get_expr() puts no parenthesis behind a column and no column behind "::". */
static bool
names_column(const struct tokens *t, const char *column)
{
	for (size_t i = 0; i < t->n; i++) {
		char *name;
		bool same;

		if (!tokens_is_name(t, i) || tokens_is_char(t, i + 1, '(') || follows_cast(t, i))
			continue;
		if (t->items[i].kind == TOKEN_UNICODE)
			return true;
		name = guard_names_word(t, i);
		same = strcmp(name, column) == 0;
		free(name);
		if (same)
			return true;
	}
	return false;
}

bool
guard_names_uses(const char *expression, const char *column)
{
	struct tokens tokens;
	const bool used = !tokens_read(&tokens, expression, strlen(expression)) || names_column(&tokens, column);

	tokens_release(&tokens);
	return used;
}

bool
guard_names_known(const char *expression, const struct cat_relation *r, const struct catalog *c, struct err *why)
{
	struct names n = { .relation = r, .catalog = c, .why = why };
	const bool read = tokens_read(&n.tokens, expression, strlen(expression));
	const bool good = read ? check(&n) : err_set(why, "an expression of the policy cannot be read");

	tokens_release(&n.tokens);
	return good;
}
