/* policy/jsonc.c - reads JSON with comments into cJSON, with positions. */
#include <stdlib.h>
#include <string.h>

#include "jsonc.h"

struct reader {
	struct jsonc *doc;
	const char *name;
	const char *p, *end;
	struct jsonc_place at; /* of p */
	struct sb *errors;
	unsigned depth;
	bool repeated; /* a key was; reading went on */
};

static cJSON *read_value(struct reader *);

void
jsonc_error(struct sb *errors, const char *file, struct jsonc_place at, const char *reason)
{
	sb_fmt(errors, "%s:%u:%u: ", file, at.line, at.column);
	for (; *reason != '\0'; reason++) {
		if ((unsigned char)*reason < 0x20 || *reason == 0x7f)
			sb_fmt(errors, "\\x%02x", (unsigned char)*reason);
		else
			sb_char(errors, *reason);
	}
	sb_char(errors, '\n');
}

/* Always NULL, so that a reader of values can return it. */
static void *
fail(struct reader *r, struct jsonc_place at, const char *reason)
{
	jsonc_error(r->errors, r->name, at, reason);
	return NULL;
}

/* The reason with what stands at p behind it. */
static void *
fail_found(struct reader *r, const char *expected)
{
	struct sb reason = { 0 };

	if (r->p == r->end)
		sb_fmt(&reason, "expected %s, found the end of the file", expected);
	else if (*r->p > 0x20 && *r->p < 0x7f)
		sb_fmt(&reason, "expected %s, found '%c'", expected, *r->p);
	else
		sb_fmt(&reason, "expected %s, found byte 0x%02x", expected, (unsigned char)*r->p);
	fail(r, r->at, sb_text(&reason));
	sb_free(&reason);
	return NULL;
}

static void
advance(struct reader *r, size_t n)
{
	for (; n > 0; n--, r->p++) {
		if (*r->p == '\n') {
			r->at.line++;
			r->at.column = 1;
		} else if (((unsigned char)*r->p & 0xc0) != 0x80) { /* the first byte of a character */
			r->at.column++;
		}
	}
}

static bool
starts(const struct reader *r, const char *word)
{
	size_t len = strlen(word);

	return (size_t)(r->end - r->p) >= len && memcmp(r->p, word, len) == 0;
}

/* White space and comments. False after a comment that does not end. */
static bool
skip(struct reader *r)
{
	struct jsonc_place start;

	for (;;) {
		while (r->p < r->end && (*r->p == ' ' || *r->p == '\t' || *r->p == '\n' || *r->p == '\r'))
			advance(r, 1);
		if (starts(r, "//")) {
			while (r->p < r->end && *r->p != '\n')
				advance(r, 1);
		} else if (starts(r, "/*")) {
			start = r->at;
			advance(r, 2);
			while (!starts(r, "*/")) {
				if (r->p == r->end)
					return fail(r, start, "this comment does not end") != NULL;
				advance(r, 1);
			}
			advance(r, 2);
		} else {
			return true;
		}
	}
}

static bool
hex4(const struct reader *r, const char *s, unsigned *code)
{
	*code = 0;
	if (r->end - s < 4)
		return false;
	for (int i = 0; i < 4; i++) {
		char c = s[i];

		if (c >= '0' && c <= '9')
			*code = *code << 4 | (unsigned)(c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			*code = *code << 4 | (unsigned)((c | 0x20) - 'a' + 10);
		else
			return false;
	}
	return true;
}

static void
put_utf8(struct sb *sb, unsigned code)
{
	if (code < 0x80) {
		sb_char(sb, (char)code);
		return;
	}
	if (code < 0x800) {
		sb_char(sb, (char)(0xc0 | code >> 6));
	} else {
		if (code < 0x10000) {
			sb_char(sb, (char)(0xe0 | code >> 12));
		} else {
			sb_char(sb, (char)(0xf0 | code >> 18));
			sb_char(sb, (char)(0x80 | (code >> 12 & 0x3f)));
		}
		sb_char(sb, (char)(0x80 | (code >> 6 & 0x3f)));
	}
	sb_char(sb, (char)(0x80 | (code & 0x3f)));
}

/* Behind "\u"; surrogates come in pairs. */
static bool
read_unicode(struct reader *r, struct sb *out)
{
	unsigned code, low;

	if (!hex4(r, r->p, &code) || code == 0 || (code >= 0xdc00 && code <= 0xdfff))
		return false;
	advance(r, 4);
	if (code >= 0xd800 && code <= 0xdbff) {
		if (!starts(r, "\\u") || !hex4(r, r->p + 2, &low) || low < 0xdc00 || low > 0xdfff)
			return false;
		advance(r, 6);
		code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
	}
	put_utf8(out, code);
	return true;
}

static bool
read_escape(struct reader *r, struct sb *out)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	struct jsonc_place at = r->at;
	const char *which;

	advance(r, 1);
	if (r->p < r->end && *r->p == 'u') {
		advance(r, 1);
		return read_unicode(r, out) || fail(r, at, "this \\u escape is no character") != NULL;
	}
	if (r->p == r->end || *r->p == '\0' || (which = strchr(from, *r->p)) == NULL)
		return fail(r, at, "unknown escape in a string") != NULL;
	sb_char(out, to[which - from]);
	advance(r, 1);
	return true;
}

/* Caller frees; NULL after an error. */
static char *
read_string(struct reader *r)
{
	struct jsonc_place start = r->at;
	struct sb out = { 0 };

	advance(r, 1);
	while (r->p < r->end && *r->p != '"' && (unsigned char)*r->p >= 0x20) {
		if (*r->p != '\\') {
			sb_char(&out, *r->p);
			advance(r, 1);
		} else if (!read_escape(r, &out)) {
			goto bad;
		}
	}
	if (r->p == r->end || *r->p != '"') {
		fail(r, start, "this string does not end on its line");
		goto bad;
	}
	advance(r, 1);
	return sb_take(&out);
bad:
	sb_free(&out);
	return NULL;
}

static cJSON *
read_number(struct reader *r)
{
	const char *s = r->p, *digits;
	char text[64];
	size_t len;

	if (s < r->end && *s == '-')
		s++;
	for (digits = s; s < r->end && *s >= '0' && *s <= '9'; s++)
		;
	if (s == digits || (*digits == '0' && s - digits > 1))
		return fail(r, r->at, "this is no JSON number");
	if (s < r->end && *s == '.') {
		for (digits = ++s; s < r->end && *s >= '0' && *s <= '9'; s++)
			;
		if (s == digits)
			return fail(r, r->at, "this is no JSON number");
	}
	if (s < r->end && (*s | 0x20) == 'e') {
		s++;
		if (s < r->end && (*s == '+' || *s == '-'))
			s++;
		for (digits = s; s < r->end && *s >= '0' && *s <= '9'; s++)
			;
		if (s == digits)
			return fail(r, r->at, "this is no JSON number");
	}
	len = (size_t)(s - r->p);
	if (len >= sizeof(text))
		return fail(r, r->at, "this number is too long");
	memcpy(text, r->p, len);
	text[len] = '\0';
	advance(r, len);
	return cJSON_CreateNumber(strtod(text, NULL));
}

static void
remember(struct reader *r, const cJSON *value, struct jsonc_place at, struct jsonc_place key)
{
	struct jsonc *doc = r->doc;

	if (doc->n == doc->room) {
		doc->room = doc->room != 0 ? doc->room * 2 : 64;
		doc->nodes = xreallocarray(doc->nodes, doc->room, sizeof(doc->nodes[0]));
	}
	doc->nodes[doc->n++] = (struct jsonc_node){ value, at, key };
}

static bool
read_element(struct reader *r, cJSON *array)
{
	struct jsonc_place at = r->at;
	cJSON *value = read_value(r);

	if (value == NULL)
		return false;
	cJSON_AddItemToArray(array, value);
	remember(r, value, at, at);
	return true;
}

static bool
read_member(struct reader *r, cJSON *object)
{
	struct jsonc_place key_at = r->at, at;
	struct sb reason = { 0 };
	cJSON *value = NULL;
	char *key;

	if (r->p == r->end || *r->p != '"')
		return fail_found(r, "a key in double quotes or '}'") != NULL;
	if ((key = read_string(r)) == NULL || !skip(r))
		goto out;
	if (r->p == r->end || *r->p != ':') {
		fail_found(r, "':'");
		goto out;
	}
	advance(r, 1);
	if (!skip(r))
		goto out;
	at = r->at;
	if ((value = read_value(r)) == NULL)
		goto out;
	if (cJSON_GetObjectItemCaseSensitive(object, key) != NULL) {
		sb_fmt(&reason, "the key \"%s\" is repeated", key);
		fail(r, key_at, sb_text(&reason));
		sb_free(&reason);
		r->repeated = true;
	}
	cJSON_AddItemToObject(object, key, value);
	remember(r, value, at, key_at);
out:
	free(key);
	return value != NULL;
}

/* Objects and arrays alike: members with commas between them, perhaps one behind the last. */
static cJSON *
read_group(struct reader *r, cJSON *group, char close, bool (*read_item)(struct reader *, cJSON *))
{
	if (++r->depth > JSONC_DEPTH) {
		fail(r, r->at, "nested too deeply");
		goto bad;
	}
	advance(r, 1);
	for (;;) {
		if (!skip(r))
			goto bad;
		if (r->p < r->end && *r->p == close)
			break;
		if (!read_item(r, group) || !skip(r))
			goto bad;
		if (r->p < r->end && *r->p == ',') {
			advance(r, 1);
		} else if (r->p == r->end || *r->p != close) {
			fail_found(r, close == '}' ? "',' or '}'" : "',' or ']'");
			goto bad;
		}
	}
	advance(r, 1);
	r->depth--;
	return group;
bad:
	cJSON_Delete(group);
	return NULL;
}

static cJSON *
read_value(struct reader *r)
{
	cJSON *value;
	char *text;

	if (r->p < r->end && *r->p == '{')
		return read_group(r, cJSON_CreateObject(), '}', read_member);
	if (r->p < r->end && *r->p == '[')
		return read_group(r, cJSON_CreateArray(), ']', read_element);
	if (r->p < r->end && *r->p == '"') {
		if ((text = read_string(r)) == NULL)
			return NULL;
		value = cJSON_CreateString(text);
		free(text);
		return value;
	}
	if (r->p < r->end && (*r->p == '-' || (*r->p >= '0' && *r->p <= '9')))
		return read_number(r);
	for (size_t i = 0; i < 3; i++) {
		static const char *const words[] = { "true", "false", "null" };

		if (starts(r, words[i])) {
			advance(r, strlen(words[i]));
			return i == 2 ? cJSON_CreateNull() : cJSON_CreateBool(i == 0);
		}
	}
	return fail_found(r, "a value");
}

static int
compare(const void *a, const void *b)
{
	uintptr_t x = (uintptr_t)((const struct jsonc_node *)a)->value, y = (uintptr_t)((const struct jsonc_node *)b)->value;

	return (x > y) - (x < y);
}

bool
jsonc_parse(struct jsonc *doc, const char *name, const char *text, size_t len, struct sb *errors)
{
	struct reader r = { doc, name, text, text + len, { 1, 1 }, errors, 0, false };
	struct jsonc_place at;

	*doc = (struct jsonc){ 0 };
	if (starts(&r, "\xef\xbb\xbf")) /* editors put it there */
		r.p += 3;
	if (!utf8_valid(r.p, (size_t)(r.end - r.p))) {
		fail(&r, r.at, "the file is not UTF-8 text");
		return false;
	}
	if (!skip(&r))
		return false;
	at = r.at;
	if ((doc->root = read_value(&r)) == NULL)
		goto bad;
	remember(&r, doc->root, at, at);
	if (!skip(&r))
		goto bad;
	if (r.p != r.end) {
		fail_found(&r, "the end of the file");
		goto bad;
	}
	qsort(doc->nodes, doc->n, sizeof(doc->nodes[0]), compare);
	return !r.repeated;
bad:
	jsonc_release(doc);
	return false;
}

void
jsonc_release(struct jsonc *doc)
{
	cJSON_Delete(doc->root);
	free(doc->nodes);
	*doc = (struct jsonc){ 0 };
}

static const struct jsonc_node *
find(const struct jsonc *doc, const cJSON *value)
{
	const struct jsonc_node wanted = { .value = value };

	return bsearch(&wanted, doc->nodes, doc->n, sizeof(doc->nodes[0]), compare);
}

struct jsonc_place
jsonc_at(const struct jsonc *doc, const cJSON *value)
{
	const struct jsonc_node *node = find(doc, value);

	return node != NULL ? node->at : (struct jsonc_place){ 1, 1 };
}

struct jsonc_place
jsonc_key(const struct jsonc *doc, const cJSON *value)
{
	const struct jsonc_node *node = find(doc, value);

	return node != NULL ? node->key : (struct jsonc_place){ 1, 1 };
}
