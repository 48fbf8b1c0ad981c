/* policy/base.c - allocation, error texts, strings and UTF-8 for every folder. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base.h"

static void
out_of_memory(size_t size)
{
	dprintf(STDERR_FILENO, "pgmoat: out of memory (%zu bytes)\n", size); /* last words: nobody is left to tell */
	abort();
}

void *
xmalloc(size_t size)
{
	void *p = malloc(size != 0 ? size : 1);

	if (p == NULL)
		out_of_memory(size);
	return p;
}

void *
xcalloc(size_t n, size_t size)
{
	void *p = calloc(n != 0 ? n : 1, size != 0 ? size : 1);

	if (p == NULL)
		out_of_memory(size);
	return p;
}

void *
xrealloc(void *old, size_t size)
{
	void *p = realloc(old, size != 0 ? size : 1);

	if (p == NULL)
		out_of_memory(size);
	return p;
}

void *
xreallocarray(void *old, size_t n, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(n, size, &total))
		out_of_memory(SIZE_MAX);
	return xrealloc(old, total);
}

char *
xstrdup(const char *s)
{
	return xstrndup(s, strlen(s));
}

char *
xstrndup(const char *s, size_t max)
{
	size_t len = strnlen(s, max);
	char *copy = xmalloc(len + 1);

	memcpy(copy, s, len);
	copy[len] = '\0';
	return copy;
}

bool
err_set(struct err *err, const char *fmt, ...)
{
	va_list ap;

	if (err == NULL)
		return false;
	va_start(ap, fmt);
	if (vsnprintf(err->text, sizeof(err->text), fmt, ap) < 0)
		err->text[0] = '\0';
	va_end(ap);
	return false;
}

/* Room for more bytes and the final NUL; false, and bad from then on, when there is none. */
static bool
sb_reserve(struct sb *sb, size_t more)
{
	size_t max = sb->max != 0 ? sb->max : SB_MAX;
	size_t room = sb->room != 0 ? sb->room : 64;
	char *text;

	if (sb->bad)
		return false;
	if (sb->len > max || more > max - sb->len) {
		sb->bad = true;
		return false;
	}
	if (sb->room > sb->len && more < sb->room - sb->len)
		return true;
	while (room - sb->len <= more)
		room *= 2; /* ends: len + more is at most max, far below SIZE_MAX / 2 */
	if ((text = realloc(sb->text, room)) == NULL) {
		sb->bad = true;
		return false;
	}
	text[sb->len] = '\0';
	sb->text = text;
	sb->room = room;
	return true;
}

void
sb_bytes(struct sb *sb, const void *bytes, size_t n)
{
	if (!sb_reserve(sb, n))
		return;
	if (n != 0)
		memcpy(sb->text + sb->len, bytes, n);
	sb->len += n;
	sb->text[sb->len] = '\0';
}

void
sb_str(struct sb *sb, const char *s)
{
	sb_bytes(sb, s, strlen(s));
}

void
sb_char(struct sb *sb, char c)
{
	sb_bytes(sb, &c, 1);
}

void
sb_int(struct sb *sb, int64_t n)
{
	uint64_t left = n < 0 ? -(uint64_t)n : (uint64_t)n;
	char digits[20], *p = digits + sizeof(digits);

	do
		*--p = (char)('0' + left % 10);
	while ((left /= 10) != 0);
	if (n < 0)
		sb_char(sb, '-');
	sb_bytes(sb, p, (size_t)(digits + sizeof(digits) - p));
}

void
sb_fmt(struct sb *sb, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0) {
		sb->bad = true;
		return;
	}
	if (!sb_reserve(sb, (size_t)n))
		return;
	va_start(ap, fmt);
	vsnprintf(sb->text + sb->len, (size_t)n + 1, fmt, ap);
	va_end(ap);
	sb->len += (size_t)n;
}

const char *
sb_text(const struct sb *sb)
{
	return sb->text != NULL ? sb->text : "";
}

char *
sb_take(struct sb *sb)
{
	char *text = NULL;

	if (sb_reserve(sb, 0)) {
		text = sb->text;
		sb->text = NULL;
	}
	sb_free(sb);
	return text;
}

void
sb_clear(struct sb *sb)
{
	sb->len = 0;
	sb->bad = false;
	if (sb->text != NULL)
		sb->text[0] = '\0';
}

void
sb_free(struct sb *sb)
{
	free(sb->text);
	sb->text = NULL;
	sb->len = sb->room = 0;
	sb->bad = false;
}

/* Length of the well-formed sequence at s, 0 when there is none: RFC 3629, table
 * of section 4. Overlong forms, surrogates and what is above U+10FFFF are out. */
static size_t
utf8_sequence(const unsigned char *s, size_t left)
{
	unsigned char low = 0x80, high = 0xbf; /* of the second byte */
	size_t n;

	if (s[0] < 0x80)
		return s[0] != 0 ? 1 : 0;
	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		n = 2;
	else if (s[0] >= 0xe0 && s[0] <= 0xef)
		n = 3;
	else if (s[0] >= 0xf0 && s[0] <= 0xf4)
		n = 4;
	else
		return 0;
	if (left < n)
		return 0;
	if (s[0] == 0xe0)
		low = 0xa0;
	else if (s[0] == 0xed)
		high = 0x9f;
	else if (s[0] == 0xf0)
		low = 0x90;
	else if (s[0] == 0xf4)
		high = 0x8f;
	if (s[1] < low || s[1] > high)
		return 0;
	for (size_t i = 2; i < n; i++)
		if (s[i] < 0x80 || s[i] > 0xbf)
			return 0;
	return n;
}

bool
utf8_valid(const char *text, size_t len)
{
	const unsigned char *s = (const unsigned char *)text;
	const uint64_t high_bits = 0x8080808080808080u, ones = 0x0101010101010101u;
	size_t n;

	while (len > 0) {
		if (len >= 8) { /* SQL is mostly ASCII: eight bytes at a time, as long as none is NUL or high */
			uint64_t w;

			memcpy(&w, s, sizeof(w));
			if ((w & high_bits) == 0 && ((w - ones) & high_bits) == 0) {
				s += 8;
				len -= 8;
				continue;
			}
		}
		if ((n = utf8_sequence(s, len)) == 0)
			return false;
		s += n;
		len -= n;
	}
	return true;
}

static void
sb_json_char(struct sb *sb, unsigned char c)
{
	switch (c) {
	case '"':
		sb_str(sb, "\\\"");
		break;
	case '\\':
		sb_str(sb, "\\\\");
		break;
	case '\n':
		sb_str(sb, "\\n");
		break;
	case '\r':
		sb_str(sb, "\\r");
		break;
	case '\t':
		sb_str(sb, "\\t");
		break;
	default:
		sb_fmt(sb, "\\u%04x", c);
	}
}

static bool
json_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

void
sb_json(struct sb *sb, const char *text, size_t len)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t i = 0, run, n;

	sb_char(sb, '"');
	while (i < len) {
		for (run = i; run < len && json_plain(s[run]); run++)
			;
		sb_bytes(sb, s + i, run - i);
		if ((i = run) == len)
			break;
		if (s[i] < 0x80) {
			sb_json_char(sb, s[i++]);
		} else if ((n = utf8_sequence(s + i, len - i)) != 0) {
			sb_bytes(sb, s + i, n);
			i += n;
		} else {
			sb_str(sb, "\xef\xbf\xbd");
			i++;
		}
	}
	sb_char(sb, '"');
}
