/* policy/catalog_json.c - a catalog as a file, written and read.
 *
 *	{
 *	  "pgmoat_catalog": 1,
 *	  "sections": {
 *	    "database": [["150020", "16384", "shop"]],
 *	    "namespaces": [["11", "pg_catalog"], ...],
 *	    ...
 *	  }
 *	}
 *
 * All sections are there, in the order of catalog_sections(), each with the
 * rows that its SQL gives, in that order: arrays of as many values as the
 * section has columns (catalog_rows.c), each a string or null. Nothing else
 * may be in the file.
 *
 * The reader is our own and not cJSON: a file of 100,000 relations has some
 * ten million values, for which a tree needs gigabytes and which nobody ever
 * looks at again. This one hands row after row to the builder and keeps one
 * row. The shape is fixed, so nothing recurses. Files are foreign bytes: the
 * text must be JSON in UTF-8, without U+0000; errors are "line N: reason".
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "catalog_int.h"

#define FORMAT_VERSION "1"
#define ROW_MAX ((size_t)64 << 20) /* bytes of the texts of one row */
#define CHUNK ((size_t)256 << 10)

/* --- writing ------------------------------------------------------------------- */

void
catalog_dump_begin(struct sb *out)
{
	sb_str(out, "{\n\"pgmoat_catalog\": " FORMAT_VERSION ",\n\"sections\": {");
}

void
catalog_dump_section(struct sb *out, size_t section, bool first)
{
	const char *name = catalog_section_name(section);

	sb_str(out, first ? "\n" : ",\n");
	sb_json(out, name, strlen(name));
	sb_str(out, ": [");
}

void
catalog_dump_row(struct sb *out, const char *const *values, size_t nvalues, bool first)
{
	size_t i;

	sb_str(out, first ? "\n[" : ",\n[");
	for (i = 0; i < nvalues; i++) {
		if (i > 0)
			sb_char(out, ',');
		if (values[i] == NULL)
			sb_str(out, "null");
		else
			sb_json(out, values[i], strlen(values[i]));
	}
	sb_char(out, ']');
}

void
catalog_dump_section_end(struct sb *out)
{
	sb_str(out, "\n]");
}

void
catalog_dump_end(struct sb *out)
{
	sb_str(out, "\n}\n}\n");
}

/* --- bytes --------------------------------------------------------------------- */

struct reader {
	const char *p, *end;
	int fd;      /* more comes from there; -1 nothing */
	int failed;  /* errno of reading it */
	char *chunk; /* owned; NULL when there is no fd */
	size_t line;
	struct err *err;
	struct sb text;            /* the values of the row, or a key, each with its NUL */
	size_t starts[FIELDS_MAX]; /* in text; NO_TEXT: null */
};

#define NO_TEXT SIZE_MAX
#define END (-1)

static bool
fail(struct reader *r, const char *reason)
{
	return err_set(r->err, "line %zu: %s", r->line, reason);
}

/* False at the end, also when reading fails: whoever wanted more complains. */
static bool
refill(struct reader *r)
{
	ssize_t n;

	if (r->fd == -1)
		return false;
	do
		n = read(r->fd, r->chunk, CHUNK);
	while (n == -1 && errno == EINTR);
	if (n == -1)
		r->failed = errno;
	if (n <= 0)
		return false;
	r->p = r->chunk;
	r->end = r->chunk + n;
	return true;
}

static inline int
peek(struct reader *r)
{
	return r->p < r->end || refill(r) ? (unsigned char)*r->p : END;
}

static inline int
next(struct reader *r)
{
	int c = peek(r);

	if (c != END)
		r->p++;
	if (c == '\n')
		r->line++;
	return c;
}

static bool
is_next(struct reader *r, char c)
{
	return next(r) == (unsigned char)c;
}

static int
peek_token(struct reader *r)
{
	int c;

	while ((c = peek(r)) == ' ' || c == '\t' || c == '\n' || c == '\r')
		next(r);
	return c;
}

static bool
expect(struct reader *r, char c)
{
	char reason[] = "expected \"?\"";

	if (peek_token(r) == (unsigned char)c) {
		next(r);
		return true;
	}
	reason[sizeof("expected \"") - 1] = c;
	return fail(r, reason);
}

/* A comma: true, go on. The closing bracket: false. Anything else: false and *ok false. */
static bool
more(struct reader *r, char close, bool *ok)
{
	int c = peek_token(r);

	if (c == ',' || c == (unsigned char)close)
		next(r);
	else
		*ok = fail(r, close == ']' ? "expected \",\" or \"]\"" : "expected \",\" or \"}\"");
	return c == ',';
}

/* --- strings ------------------------------------------------------------------- */

static bool
read_hex(struct reader *r, uint32_t *code)
{
	int c, i;

	*code = 0;
	for (i = 0; i < 4; i++) {
		c = next(r);
		if (c >= '0' && c <= '9')
			*code = *code << 4 | (uint32_t)(c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			*code = *code << 4 | (uint32_t)((c | 0x20) - 'a' + 10);
		else
			return fail(r, "expected four hexadecimal digits");
	}
	return true;
}

static void
add_utf8(struct sb *out, uint32_t c)
{
	if (c < 0x80) {
		sb_char(out, (char)c);
		return;
	}
	if (c < 0x800) {
		sb_char(out, (char)(0xc0 | c >> 6));
	} else {
		if (c < 0x10000) {
			sb_char(out, (char)(0xe0 | c >> 12));
		} else {
			sb_char(out, (char)(0xf0 | c >> 18));
			sb_char(out, (char)(0x80 | (c >> 12 & 0x3f)));
		}
		sb_char(out, (char)(0x80 | (c >> 6 & 0x3f)));
	}
	sb_char(out, (char)(0x80 | (c & 0x3f)));
}

static bool
read_code(struct reader *r)
{
	uint32_t code, low;

	if (!read_hex(r, &code))
		return false;
	if (code >= 0xd800 && code < 0xdc00) {
		if (!is_next(r, '\\') || !is_next(r, 'u'))
			return fail(r, "half of a surrogate pair");
		if (!read_hex(r, &low))
			return false;
		if (low < 0xdc00 || low > 0xdfff)
			return fail(r, "half of a surrogate pair");
		code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
	} else if (code >= 0xdc00 && code < 0xe000) {
		return fail(r, "half of a surrogate pair");
	}
	if (code == 0)
		return fail(r, "a NUL character in a string");
	add_utf8(&r->text, code);
	return true;
}

static bool
read_escape(struct reader *r)
{
	static const char escapes[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
	int c = next(r);
	const char *e;

	if (c == 'u')
		return read_code(r);
	if (c <= 0 || (e = strchr(escapes, c)) == NULL)
		return fail(r, "unknown escape in a string");
	sb_char(&r->text, meant[e - escapes]);
	return true;
}

/* What stands up to the next quote, backslash, control character or end of the chunk. */
static void
copy_plain(struct reader *r)
{
	const char *from = r->p;

	while (r->p < r->end && *r->p != '"' && *r->p != '\\' && (unsigned char)*r->p >= 0x20)
		r->p++;
	sb_bytes(&r->text, from, (size_t)(r->p - from));
}

/* Appends the string with its NUL to r->text; *start is where. */
static bool
read_string(struct reader *r, size_t *start)
{
	int c;

	*start = r->text.len;
	if (!expect(r, '"'))
		return false;
	for (;;) {
		copy_plain(r);
		if (r->text.bad)
			return fail(r, "a row of more than 64 MB");
		c = peek(r);
		if (c == END)
			return fail(r, "the text ends within a string");
		if (c < 0x20)
			return fail(r, "a control character in a string");
		if (c == '\\') {
			next(r);
			if (!read_escape(r))
				return false;
		} else if (c == '"') {
			next(r);
			break;
		} /* else the next chunk */
	}
	if (!utf8_valid(sb_text(&r->text) + *start, r->text.len - *start))
		return fail(r, "a string that is not UTF-8");
	sb_char(&r->text, '\0');
	return true;
}

/* A key that has to be this one, and its colon. */
static bool
read_key(struct reader *r, const char *key)
{
	size_t start;

	sb_clear(&r->text);
	if (!read_string(r, &start))
		return false;
	if (strcmp(sb_text(&r->text), key) != 0)
		return err_set(r->err, "line %zu: expected \"%s\"", r->line, key);
	return expect(r, ':');
}

/* --- rows ---------------------------------------------------------------------- */

static bool
read_null(struct reader *r)
{
	const char *s;

	for (s = "null"; *s != '\0'; s++)
		if (next(r) != *s)
			return fail(r, "expected a string or null");
	return true;
}

static bool
read_cell(struct reader *r, size_t *start)
{
	*start = NO_TEXT;
	if (peek_token(r) == '"')
		return read_string(r, start);
	return read_null(r);
}

static bool
read_row(struct reader *r, size_t section, struct catalog_builder *b)
{
	const char *values[FIELDS_MAX];
	size_t n = 0, i, nfields = section_nfields(section);
	struct err why;
	bool ok = expect(r, '[');

	sb_clear(&r->text);
	if (!ok)
		return false;
	do {
		if (n == nfields)
			return err_set(
			    r->err, "line %zu: %s: more than %zu values in a row", r->line, catalog_section_name(section), n);
		ok = read_cell(r, &r->starts[n++]);
	} while (ok && more(r, ']', &ok));
	if (!ok)
		return false;
	for (i = 0; i < n; i++)
		values[i] = r->starts[i] != NO_TEXT ? r->text.text + r->starts[i] : NULL;
	if (!catalog_builder_row(b, section, values, n, &why))
		return fail(r, why.text);
	return true;
}

static bool
read_section(struct reader *r, size_t section, struct catalog_builder *b)
{
	bool ok = true;

	if (!read_key(r, catalog_section_name(section)) || !expect(r, '['))
		return false;
	if (peek_token(r) == ']') {
		next(r);
		return true;
	}
	do
		ok = read_row(r, section, b);
	while (ok && more(r, ']', &ok));
	return ok;
}

static bool
read_catalog(struct reader *r, struct catalog_builder *b)
{
	size_t i;

	if (!expect(r, '{') || !read_key(r, "pgmoat_catalog"))
		return false;
	if (peek_token(r) != FORMAT_VERSION[0])
		return fail(r, "not a format that this version knows; dump it again");
	next(r);
	if (!expect(r, ',') || !read_key(r, "sections") || !expect(r, '{'))
		return false;
	for (i = 0; i < catalog_sections(); i++)
		if ((i > 0 && !expect(r, ',')) || !read_section(r, i, b))
			return false;
	for (i = 0; i < 2; i++) /* sections, and the whole */
		if (!expect(r, '}'))
			return false;
	return peek_token(r) == END || fail(r, "something behind the end");
}

static struct catalog *
read_all(struct reader *r)
{
	struct catalog_builder *b = catalog_builder_new();
	struct catalog *c = NULL;

	r->line = 1;
	r->text.max = ROW_MAX;
	if (read_catalog(r, b))
		c = catalog_builder_finish(b, r->err);
	else
		catalog_builder_free(b);
	sb_free(&r->text);
	return c;
}

struct catalog *
catalog_parse(const char *text, size_t len, struct err *err)
{
	struct reader r = { .p = text, .end = text + len, .fd = -1, .err = err };

	return read_all(&r);
}

struct catalog *
catalog_load(const char *path, struct err *err)
{
	struct reader r = { .fd = open(path, O_RDONLY | O_CLOEXEC), .err = err };
	struct catalog *c;
	struct err why;

	if (r.fd == -1) {
		err_set(err, "%s: %s", path, strerror(errno));
		return NULL;
	}
	r.chunk = xmalloc(CHUNK);
	r.err = &why;
	if ((c = read_all(&r)) == NULL)
		err_set(err, "%s: %s", path, r.failed != 0 ? strerror(r.failed) : why.text);
	free(r.chunk);
	close(r.fd);
	return c;
}
