/* policy/split.c - where the statements of a file begin and end.
 *
 * libpg_query's own pg_query_split_with_scanner() drops every piece that holds
 * no keyword, so that `selec 1;` would vanish without a verdict, and its
 * result cannot be freed after an error. The lexer's tokens are read here
 * instead.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <pg_query.h>

#include "lexcost.h"
#include "policy_split.h"

struct split {
	const char *text;
	size_t len;
	struct sql_parts *out;
	size_t room;
	size_t counted, line; /* newlines before counted are in line */
};

/* Behind a comment that begins at at; at itself when it never ends (then it
 * is an error, and no blank). */
static size_t
skip_comment(const char *s, size_t at, size_t end)
{
	size_t depth = 0, i = at;

	while (end - i >= 2) {
		if (s[i] == '/' && s[i + 1] == '*') {
			depth++;
			i += 2;
		} else if (s[i] == '*' && s[i + 1] == '/') {
			i += 2;
			if (--depth == 0)
				return i;
		} else
			i++;
	}
	return at;
}

/* Blanks and comments as the lexer skips them. */
static size_t
skip_blank(const char *s, size_t at, size_t end)
{
	size_t from;

	do {
		from = at;
		while (at < end && strchr(" \t\r\n\f\v", s[at]) != NULL)
			at++;
		if (end - at >= 2 && s[at] == '/' && s[at + 1] == '*')
			at = skip_comment(s, at, end);
		else if (end - at >= 2 && s[at] == '-' && s[at + 1] == '-')
			while (at < end && s[at] != '\n' && s[at] != '\r')
				at++;
	} while (at != from);
	return at;
}

static size_t
trim_end(const char *s, size_t at, size_t end)
{
	while (end > at && strchr(" \t\r\n\f\v", s[end - 1]) != NULL)
		end--;
	return end;
}

/* Parts come in the order of the text, so lines are counted once. */
static void
add_part(struct split *sp, size_t at, size_t end)
{
	at = skip_blank(sp->text, at, end);
	end = trim_end(sp->text, at, end);
	if (at == end)
		return;
	for (; sp->counted < at; sp->counted++)
		sp->line += sp->text[sp->counted] == '\n';
	if (sp->out->n == sp->room) {
		sp->room = sp->room == 0 ? 16 : sp->room * 2;
		sp->out->parts = xreallocarray(sp->out->parts, sp->room, sizeof(*sp->out->parts));
	}
	sp->out->parts[sp->out->n++] = (struct sql_part){ .at = at, .len = end - at, .line = sp->line };
}

static bool
split_by_parser(struct split *sp)
{
	PgQuerySplitResult r = pg_query_split_with_parser(sp->text);
	bool good = r.error == NULL;
	size_t at;
	int i;

	for (i = 0; good && i < r.n_stmts; i++) {
		at = (size_t)r.stmts[i]->stmt_location;
		add_part(sp, at, at + (size_t)r.stmts[i]->stmt_len);
	}
	pg_query_free_split_result(r);
	return good;
}

/* --- the lexer's tokens ------------------------------------------------ */

/* pg_query_scan() answers in protobuf: ScanResult { tokens = 2 }, ScanToken {
 * start = 1, end = 2, token = 4 }, all numbers varints. Three fields are not
 * worth a library that the rest of the program does not need. */
struct pb {
	const uint8_t *p, *end;
};

static uint64_t
pb_varint(struct pb *pb)
{
	uint64_t value = 0;
	unsigned shift;

	for (shift = 0; pb->p < pb->end && shift < 64; shift += 7) {
		value |= (uint64_t)(*pb->p & 0x7f) << shift;
		if ((*pb->p++ & 0x80) == 0)
			break;
	}
	return value;
}

/* The next field: its number, and its value or its bytes. False at the end. */
static bool
pb_field(struct pb *pb, unsigned *number, uint64_t *value, struct pb *bytes)
{
	uint64_t key;

	if (pb->p == pb->end)
		return false;
	key = pb_varint(pb);
	*number = (unsigned)(key >> 3);
	*value = pb_varint(pb);
	if ((key & 7) != 2)
		return true;
	if (*value > (uint64_t)(pb->end - pb->p))
		*value = (uint64_t)(pb->end - pb->p);
	*bytes = (struct pb){ .p = pb->p, .end = pb->p + *value };
	pb->p += *value;
	return true;
}

struct token {
	size_t start, end;
	unsigned kind; /* one-character tokens are their ASCII code */
};

static bool
next_token(struct pb *pb, struct token *t)
{
	struct pb message = { 0 };
	unsigned number;
	uint64_t value;

	do {
		if (!pb_field(pb, &number, &value, &message))
			return false;
	} while (number != 2);
	*t = (struct token){ 0 };
	while (pb_field(&message, &number, &value, &(struct pb){ 0 })) {
		if (number == 1)
			t->start = (size_t)value;
		else if (number == 2)
			t->end = (size_t)value;
		else if (number == 4)
			t->kind = (unsigned)value;
	}
	return true;
}

/* What psql counts too: semicolons inside parentheses (CREATE RULE) and
 * inside BEGIN ATOMIC ... END do not end a statement. */
struct nesting {
	size_t parens, blocks;
	bool begin; /* the last token was BEGIN */
};

static bool
is_word(const struct split *sp, const struct token *t, const char *word)
{
	return t->end - t->start == strlen(word) && strncasecmp(sp->text + t->start, word, strlen(word)) == 0;
}

static void
nesting_token(struct nesting *n, const struct split *sp, const struct token *t)
{
	if (t->kind == '(')
		n->parens++;
	else if (t->kind == ')')
		n->parens -= n->parens > 0;
	else if (is_word(sp, t, "atomic"))
		n->blocks += n->begin;
	else if (is_word(sp, t, "case"))
		n->blocks += n->blocks > 0;
	else if (is_word(sp, t, "end"))
		n->blocks -= n->blocks > 0;
	n->begin = is_word(sp, t, "begin");
}

/* Splits at the semicolons among these tokens; answers where the part begins
 * that no semicolon ended. */
static size_t
split_at_tokens(struct split *sp, struct pb tokens)
{
	struct nesting n = { 0 };
	struct token t;
	size_t from = 0;

	while (next_token(&tokens, &t)) {
		if (t.start > t.end || t.end > sp->len)
			break;
		if (t.kind != ';' || n.parens > 0 || n.blocks > 0) {
			nesting_token(&n, sp, &t);
			continue;
		}
		add_part(sp, from, t.start);
		from = t.end;
		n = (struct nesting){ 0 };
	}
	return from;
}

/* Byte offset of a position that PostgreSQL counts in characters, from 1. */
static size_t
byte_of(const char *s, size_t len, int position)
{
	size_t at = 0;

	while (position > 1 && at < len) {
		at++;
		while (at < len && ((unsigned char)s[at] & 0xc0) == 0x80)
			at++;
		position--;
	}
	return at;
}

/* A text that stops lexing (a quote that never ends) is good up to there; the
 * rest is one part with what stands before it. */
static void
split_by_lexer(struct split *sp)
{
	PgQueryScanResult r = pg_query_scan(sp->text);
	size_t from = 0;
	char *head;

	if (r.error != NULL) {
		head = xstrndup(sp->text, byte_of(sp->text, sp->len, r.error->cursorpos));
		pg_query_free_scan_result(r);
		r = pg_query_scan(head);
		free(head);
	}
	if (r.error == NULL) {
		const uint8_t *p = (const uint8_t *)r.pbuf.data;

		from = split_at_tokens(sp, (struct pb){ .p = p, .end = p + r.pbuf.len });
	}
	pg_query_free_scan_result(r);
	add_part(sp, from, sp->len);
}

bool
sql_split(const char *text, size_t len, struct sql_parts *out, struct err *err)
{
	struct split sp = { .text = text, .len = len, .out = out, .line = 1 };

	*out = (struct sql_parts){ 0 };
	if (len > SPLIT_SIZE_MAX)
		return err_set(err, "is %zu bytes long, and at most %zu are read", len, SPLIT_SIZE_MAX);
	if (memchr(text, '\0', len) != NULL)
		return err_set(err, "holds a NUL byte, which no statement can");
	if (!lexcost_fine(text, len)) /* refused unread: reading it would take as long as splitting it */
		add_part(&sp, 0, len);
	else if (!split_by_parser(&sp))
		split_by_lexer(&sp);
	return true;
}

void
sql_parts_free(struct sql_parts *parts)
{
	free(parts->parts);
	*parts = (struct sql_parts){ 0 };
}
