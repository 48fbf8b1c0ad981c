/* tests/unit/test_base.c - error texts, the string builder, UTF-8. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base.h"

#define TEXT(s) s, sizeof(s) - 1

static const struct utf8_row {
	const char *name;
	const char *text;
	size_t len;
	bool valid;
} utf8_rows[] = {
	{ "the empty text is valid", TEXT(""), true },
	{ "ASCII is valid", TEXT("SELECT 1 FROM orders WHERE id = 7"), true },
	{ "the ends of each length are valid",
	    TEXT("\x7f \xc2\x80 \xdf\xbf \xe0\xa0\x80 \xef\xbf\xbf \xf0\x90\x80\x80 \xf4\x8f\xbf\xbf"), true },
	{ "the neighbours of the surrogates are valid", TEXT("\xed\x9f\xbf\xee\x80\x80"), true },
	{ "a NUL byte is not", TEXT("a\0b"), false },
	{ "a NUL among eight bytes is not", TEXT("abcdefg\0"), false },
	{ "a continuation byte alone is not", TEXT("\x80"), false },
	{ "a cut sequence is not", TEXT("abc\xe2\x82"), false },
	{ "a quote swallowed by a lead byte is not", TEXT("\xe2'x"), false },
	{ "an overlong slash is not", TEXT("\xc0\xaf"), false },
	{ "an overlong quote of three bytes is not", TEXT("\xe0\x80\xa7"), false },
	{ "an overlong sequence of four bytes is not", TEXT("\xf0\x8f\xbf\xbf"), false },
	{ "a surrogate is not", TEXT("\xed\xa0\x80"), false },
	{ "what is above U+10FFFF is not", TEXT("\xf4\x90\x80\x80"), false },
	{ "byte 0xff is not", TEXT("abcdefgh\xff"), false },
	{ "SJIS is not", TEXT("\x83\x5c"), false },
};

static void
utf8_row(void **state)
{
	const struct utf8_row *row = *state;

	assert_int_equal(utf8_valid(row->text, row->len), row->valid);
}

static const struct json_row {
	const char *name;
	const char *text;
	size_t len;
	const char *json;
} json_rows[] = {
	{ "an empty text is an empty string", TEXT(""), "\"\"" },
	{ "quotes and backslashes are escaped", TEXT("a\"b\\c"), "\"a\\\"b\\\\c\"" },
	{ "control bytes are escaped", TEXT("\n\r\t\x01\x7f\0"), "\"\\n\\r\\t\\u0001\\u007f\\u0000\"" },
	{ "characters stay", TEXT("gr\xc3\xbc\xc3\x9f"), "\"gr\xc3\xbc\xc3\x9f\"" },
	{ "bytes that are none become U+FFFD", TEXT("a\xff\xe2\x82z"), "\"a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz\"" },
};

static void
json_row(void **state)
{
	const struct json_row *row = *state;
	struct sb sb = { 0 };

	sb_json(&sb, row->text, row->len);
	assert_string_equal(sb_text(&sb), row->json);
	sb_free(&sb);
}

static void
builder_grows(void **state)
{
	struct sb sb = { 0 };
	char *text;

	(void)state;
	assert_string_equal(sb_text(&sb), "");
	for (int i = 0; i < 1000; i++)
		sb_fmt(&sb, "%d,", i % 10);
	sb_char(&sb, '!');
	assert_int_equal(sb.len, 2001);
	text = sb_take(&sb);
	assert_non_null(text);
	assert_int_equal(strlen(text), 2001);
	assert_string_equal(text + 1994, "7,8,9,!");
	assert_int_equal(sb.len, 0);
	free(text);
}

static void
builder_writes_whole_numbers(void **state)
{
	struct sb sb = { 0 };

	(void)state;
	sb_int(&sb, 0);
	sb_char(&sb, ' ');
	sb_int(&sb, -1001);
	sb_char(&sb, ' ');
	sb_int(&sb, INT64_MAX);
	sb_char(&sb, ' ');
	sb_int(&sb, INT64_MIN);
	assert_string_equal(sb_text(&sb), "0 -1001 9223372036854775807 -9223372036854775808");
	sb_free(&sb);
}

static void
builder_stops_at_its_limit(void **state)
{
	struct sb sb = { .max = 10 };

	(void)state;
	sb_str(&sb, "0123456789");
	assert_false(sb.bad);
	sb_char(&sb, 'x');
	assert_true(sb.bad);
	sb_clear(&sb);
	assert_false(sb.bad);
	sb_str(&sb, "01234567890");
	assert_true(sb.bad);
	sb_str(&sb, "a");
	assert_string_equal(sb_text(&sb), "");
	assert_null(sb_take(&sb));
}

static void
builder_of_nothing_gives_a_string(void **state)
{
	struct sb sb = { 0 };
	char *text = sb_take(&sb);

	(void)state;
	assert_string_equal(text, "");
	free(text);
}

static void
error_is_cut_and_answers_false(void **state)
{
	struct err err;
	char longer[2000];

	(void)state;
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_false(err_set(&err, "%s", longer));
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	assert_false(err_set(&err, "port %d", 5432));
	assert_string_equal(err.text, "port 5432");
	assert_false(err_set(NULL, "nobody asks"));
}

static void
copies_end_where_told(void **state)
{
	char *a = xstrndup("abcdef", 3), *b = xstrndup("ab", 9), *c = xstrdup("");

	(void)state;
	assert_string_equal(a, "abc");
	assert_string_equal(b, "ab");
	assert_string_equal(c, "");
	free(a);
	free(b);
	free(c);
}

int
main(void)
{
	static const struct CMUnitTest fixed[] = {
		{ "a builder grows", builder_grows, NULL, NULL, NULL },
		{ "a builder writes whole numbers", builder_writes_whole_numbers, NULL, NULL, NULL },
		{ "a builder stops at its limit", builder_stops_at_its_limit, NULL, NULL, NULL },
		{ "an untouched builder gives an empty string", builder_of_nothing_gives_a_string, NULL, NULL, NULL },
		{ "an error is cut and answers false", error_is_cut_and_answers_false, NULL, NULL, NULL },
		{ "copies end where told", copies_end_where_told, NULL, NULL, NULL },
	};
	struct CMUnitTest tests[nitems(utf8_rows) + nitems(json_rows) + nitems(fixed)];
	size_t n = 0;

	for (size_t i = 0; i < nitems(utf8_rows); i++)
		tests[n++] = (struct CMUnitTest){ utf8_rows[i].name, utf8_row, NULL, NULL, (void *)(uintptr_t)&utf8_rows[i] };
	for (size_t i = 0; i < nitems(json_rows); i++)
		tests[n++] = (struct CMUnitTest){ json_rows[i].name, json_row, NULL, NULL, (void *)(uintptr_t)&json_rows[i] };
	for (size_t i = 0; i < nitems(fixed); i++)
		tests[n++] = fixed[i];
	return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
