/* policy/tokens.c - PostgreSQL's lexical rules, as far as places need them. */
#include "tokens.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct reader {
	const char *s;
	size_t at, len;
};

static bool
is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
starts_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || ((unsigned char)c & 0x80) != 0;
}

static bool
is_operator_char(char c)
{
	return c != '\0' && strchr("~!@#^&|`?+-*/%<>=", c) != NULL;
}

/* Beyond the end there are NULs, which no text holds. */
static char
peek(const struct reader *r, size_t ahead)
{
	return r->len - r->at > ahead ? r->s[r->at + ahead] : '\0';
}

/* --- what stands between words -------------------------------------------- */

static bool
skip_block_comment(struct reader *r)
{
	size_t depth = 0;

	while (r->at < r->len) {
		if (peek(r, 0) == '/' && peek(r, 1) == '*') {
			depth++;
			r->at += 2;
		} else if (peek(r, 0) == '*' && peek(r, 1) == '/') {
			r->at += 2;
			if (--depth == 0)
				return true;
		} else {
			r->at++;
		}
	}
	return false;
}

static void
skip_line_comment(struct reader *r)
{
	while (r->at < r->len && r->s[r->at] != '\n' && r->s[r->at] != '\r')
		r->at++;
}

static bool
skip_blank(struct reader *r)
{
	for (;;) {
		while (is_space(peek(r, 0)))
			r->at++;
		if (peek(r, 0) == '-' && peek(r, 1) == '-')
			skip_line_comment(r);
		else if (peek(r, 0) != '/' || peek(r, 1) != '*')
			return true;
		else if (!skip_block_comment(r))
			return false;
	}
}

/* --- strings --------------------------------------------------------------- */

/* From an opening quote to behind the closing one; a doubled quote is one. */
static bool
skip_quoted(struct reader *r, char quote, bool backslashes)
{
	for (r->at++; r->at < r->len; r->at++) {
		if (backslashes && r->s[r->at] == '\\') {
			r->at++;
		} else if (r->s[r->at] == quote) {
			r->at++;
			if (peek(r, 0) != quote)
				return true;
		}
	}
	return false;
}

/* Two strings with a newline between them are one, of the first one's sort.
 * Line comments may stand between, other comments not. */
static bool
goes_on(struct reader *r)
{
	struct reader ahead = *r;
	bool newline = false;

	for (;;) {
		while (is_space(peek(&ahead, 0))) {
			newline = newline || peek(&ahead, 0) == '\n' || peek(&ahead, 0) == '\r';
			ahead.at++;
		}
		if (peek(&ahead, 0) != '-' || peek(&ahead, 1) != '-')
			break;
		skip_line_comment(&ahead);
	}
	if (!newline || peek(&ahead, 0) != '\'')
		return false;
	*r = ahead;
	return true;
}

static bool
skip_string(struct reader *r, bool backslashes)
{
	do {
		if (!skip_quoted(r, '\'', backslashes))
			return false;
	} while (goes_on(r));
	return true;
}

/* $tag$ ... $tag$ */
static bool
skip_dollar_string(struct reader *r)
{
	const char *tag = r->s + r->at, *end;
	size_t n = 1;

	if (starts_word(peek(r, 1)))
		while (starts_word(peek(r, n)) || is_digit(peek(r, n)))
			n++;
	if (peek(r, n) != '$')
		return false;
	n++;
	end = memmem(tag + n, r->len - r->at - n, tag, n);
	if (end == NULL)
		return false;
	r->at = (size_t)(end - r->s) + n;
	return true;
}

/* --- words ------------------------------------------------------------------ */

static void
skip_number(struct reader *r)
{
	for (;;) {
		const char c = peek(r, 0);

		if ((c == 'e' || c == 'E') && (peek(r, 1) == '+' || peek(r, 1) == '-') && is_digit(peek(r, 2)))
			r->at += 2;
		else if (is_digit(c) || starts_word(c) || (c == '.' && peek(r, 1) != '.'))
			r->at++;
		else
			return;
	}
}

static void
skip_word(struct reader *r)
{
	while (starts_word(peek(r, 0)) || is_digit(peek(r, 0)) || peek(r, 0) == '$')
		r->at++;
}

static void
skip_operator(struct reader *r)
{
	do {
		r->at++;
	} while (
	    is_operator_char(peek(r, 0)) && !(peek(r, 0) == '-' && peek(r, 1) == '-') && !(peek(r, 0) == '/' && peek(r, 1) == '*'));
}

/* Letters that belong to the quote behind them: E'', B'', X'', N'', U&'' and U&"". */
static bool
read_prefixed(struct reader *r, enum token_kind *kind)
{
	const char c = (char)(peek(r, 0) | 0x20);
	const bool unicode = c == 'u' && peek(r, 1) == '&';

	*kind = TOKEN_STRING;
	if (unicode && peek(r, 2) == '"') {
		*kind = TOKEN_UNICODE;
		r->at += 2;
		return skip_quoted(r, '"', false);
	}
	r->at += unicode ? 2 : 1;
	return skip_string(r, c == 'e');
}

static bool
is_prefixed(const struct reader *r)
{
	if (peek(r, 0) == 'u' || peek(r, 0) == 'U')
		return peek(r, 1) == '&' && (peek(r, 2) == '\'' || peek(r, 2) == '"');
	return peek(r, 0) != '\0' && strchr("eEbBxXnN", peek(r, 0)) != NULL && peek(r, 1) == '\'';
}

static bool
read_token(struct reader *r, enum token_kind *kind)
{
	const char c = peek(r, 0);

	if (is_prefixed(r))
		return read_prefixed(r, kind);
	if (c == '\'') {
		*kind = TOKEN_STRING;
		return skip_string(r, false);
	}
	if (c == '"') {
		*kind = TOKEN_QUOTED;
		return skip_quoted(r, '"', false);
	}
	if (c == '$' && !is_digit(peek(r, 1))) {
		*kind = TOKEN_STRING;
		return skip_dollar_string(r);
	}
	if (starts_word(c)) {
		*kind = TOKEN_WORD;
		skip_word(r);
	} else if (is_digit(c) || (c == '.' && is_digit(peek(r, 1)))) {
		*kind = TOKEN_NUMBER;
		skip_number(r);
	} else if (c == '$') {
		*kind = TOKEN_PARAMETER;
		for (r->at++; is_digit(peek(r, 0));)
			r->at++;
	} else if (is_operator_char(c)) {
		*kind = TOKEN_OPERATOR;
		skip_operator(r);
	} else {
		*kind = TOKEN_CHAR;
		r->at++;
	}
	return true;
}

/* --- all of it ---------------------------------------------------------------- */

/* The text's length is the client's choice: memory may be refused. */
static struct token *
next_item(struct tokens *t)
{
	if (t->n == t->room) {
		const size_t room = t->room == 0 ? 64 : t->room * 2;
		struct token *items = reallocarray(t->items, room, sizeof(*items));

		if (items == NULL)
			return NULL;
		t->items = items;
		t->room = room;
	}
	return &t->items[t->n++];
}

bool
tokens_read(struct tokens *t, const char *sql, size_t len)
{
	struct reader r = { .s = sql, .len = len };
	struct token *item;
	size_t from;

	*t = (struct tokens){ .sql = sql };
	if (len >= UINT32_MAX)
		return false;
	for (;;) {
		enum token_kind kind = TOKEN_CHAR;

		if (!skip_blank(&r))
			return false;
		if (r.at >= r.len)
			return true;
		from = r.at;
		if (!read_token(&r, &kind) || (item = next_item(t)) == NULL)
			return false;
		*item = (struct token){ .at = (uint32_t)from, .end = (uint32_t)r.at, .kind = kind };
	}
}

void
tokens_release(struct tokens *t)
{
	free(t->items);
	*t = (struct tokens){ 0 };
}

size_t
tokens_find(const struct tokens *t, size_t at)
{
	size_t low = 0, high = t->n;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (t->items[middle].at < at)
			low = middle + 1;
		else
			high = middle;
	}
	return low < t->n && t->items[low].at == at ? low : t->n;
}

bool
tokens_is_char(const struct tokens *t, size_t i, char c)
{
	return i < t->n && t->items[i].end - t->items[i].at == 1 && t->sql[t->items[i].at] == c;
}

bool
tokens_is_word(const struct tokens *t, size_t i, const char *word)
{
	const size_t length = strlen(word);

	return i < t->n && t->items[i].kind == TOKEN_WORD && t->items[i].end - t->items[i].at == length &&
	       strncasecmp(t->sql + t->items[i].at, word, length) == 0;
}

bool
tokens_is_name(const struct tokens *t, size_t i)
{
	return i < t->n && t->items[i].kind <= TOKEN_UNICODE;
}
