/* tests/unit/test_jsonc.c - JSON with comments: what is read, where it stands, what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "jsonc.h"

static const struct row {
	const char *name;
	const char *text;
	const char *result; /* as JSON; or all of the errors */
} rows[] = {
	{ "plain JSON", "{\"a\": [1, -2.5e3, true, false, null, \"x\"]}", "{\"a\":[1,-2500,true,false,null,\"x\"]}" },
	{ "comments of both sorts", "// one\n{ /* two */ \"a\" /**/ : // three\n 1 } // end", "{\"a\":1}" },
	{ "commas behind the last member", "{\"a\":[1,2,],}", "{\"a\":[1,2]}" },
	{ "comment signs in strings are text", "[\"// no /* comment */\"]", "[\"// no /* comment */\"]" },
	{ "escapes", "[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]", "[\"\\\"\\\\/\\b\\f\\n\\r\\t\"]" },
	{ "characters by number, with surrogates", "[\"\\u00e9\\u20ac\\ud83d\\ude00\"]",
	    "[\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"]" },
	{ "a byte order mark", "\xef\xbb\xbf[1]", "[1]" },
	{ "nothing but a value", "7", "7" },

	{ "an empty file", "", "f:1:1: expected a value, found the end of the file\n" },
	{ "only a comment", "// x\n", "f:2:1: expected a value, found the end of the file\n" },
	{ "a comment that does not end", "{ }\n  /* x", "f:2:3: this comment does not end\n" },
	{ "something behind the end", "{} x", "f:1:4: expected the end of the file, found 'x'\n" },
	{ "a missing comma", "{\"a\":1\n \"b\":2}", "f:2:2: expected ',' or '}', found '\"'\n" },
	{ "a missing comma in a list", "[1 2]", "f:1:4: expected ',' or ']', found '2'\n" },
	{ "two commas", "[1,,2]", "f:1:4: expected a value, found ','\n" },
	{ "a comma alone", "[,]", "f:1:2: expected a value, found ','\n" },
	{ "a missing colon", "{\"a\" 1}", "f:1:6: expected ':', found '1'\n" },
	{ "a key without quotes", "{a:1}", "f:1:2: expected a key in double quotes or '}', found 'a'\n" },
	{ "a file that ends too early", "{\"a\": [1,", "f:1:10: expected a value, found the end of the file\n" },
	{ "a string that does not end", "[\"abc\n\"]", "f:1:2: this string does not end on its line\n" },
	{ "an unknown escape", "[\"a\\x\"]", "f:1:4: unknown escape in a string\n" },
	{ "half a surrogate pair", "[\"\\ud83d\"]", "f:1:3: this \\u escape is no character\n" },
	{ "NUL by number", "[\"\\u0000\"]", "f:1:3: this \\u escape is no character\n" },
	{ "a number with a leading zero", "[01]", "f:1:2: this is no JSON number\n" },
	{ "a number without digits behind the point", "[1.]", "f:1:2: this is no JSON number\n" },
	{ "a number without exponent digits", "[1e+]", "f:1:2: this is no JSON number\n" },
	{ "words that JSON does not have", "[NaN]", "f:1:2: expected a value, found 'N'\n" },
	{ "single quotes", "['a']", "f:1:2: expected a value, found '''\n" },
	{ "text that is not UTF-8", "[\"\xff\"]", "f:1:1: the file is not UTF-8 text\n" },
	{ "columns count characters", "[\"\xc3\xa9\xc3\xa9\", x]", "f:1:8: expected a value, found 'x'\n" },
	{ "a repeated key", "{\"a\":1,\n  \"b\":2, \"a\":3}", "f:2:10: the key \"a\" is repeated\n" },
	{ "keys that differ in case are two", "{\"a\":1,\"A\":2}", "{\"a\":1,\"A\":2}" },
	{ "32 levels are fine", "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]",
	    "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]" },
	{ "33 are not", "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]", "f:1:33: nested too deeply\n" },
};

static void
test_row(void **state)
{
	const struct row *row = *state;
	struct sb errors = { 0 };
	struct jsonc doc;
	char *json;

	if (jsonc_parse(&doc, "f", row->text, strlen(row->text), &errors)) {
		json = cJSON_PrintUnformatted(doc.root);
		assert_string_equal(json, row->result);
		assert_string_equal(sb_text(&errors), "");
		free(json);
	} else {
		assert_string_equal(sb_text(&errors), row->result);
	}
	jsonc_release(&doc);
	sb_free(&errors);
}

static void
assert_place(struct jsonc_place place, unsigned line, unsigned column)
{
	assert_int_equal(place.line, line);
	assert_int_equal(place.column, column);
}

static void
places_are_known(void **state)
{
	static const char text[] = "{ // x\n  \"list\": [ 1,\n\t\t\"b\" ] }";
	struct sb errors = { 0 };
	struct jsonc doc;
	const cJSON *list;

	(void)state;
	assert_true(jsonc_parse(&doc, "f", text, strlen(text), &errors));
	assert_place(jsonc_at(&doc, doc.root), 1, 1);
	list = cJSON_GetObjectItem(doc.root, "list");
	assert_place(jsonc_key(&doc, list), 2, 3);
	assert_place(jsonc_at(&doc, list), 2, 11);
	assert_place(jsonc_at(&doc, cJSON_GetArrayItem(list, 1)), 3, 3);
	assert_place(jsonc_key(&doc, cJSON_GetArrayItem(list, 1)), 3, 3);
	jsonc_release(&doc);
	sb_free(&errors);
}

static void
deep_text_does_not_recurse(void **state)
{
	struct sb text = { 0 }, errors = { 0 };
	struct jsonc doc;

	(void)state;
	for (int i = 0; i < 100000; i++)
		sb_str(&text, "{\"a\":[");
	assert_false(jsonc_parse(&doc, "f", sb_text(&text), text.len, &errors));
	assert_string_equal(sb_text(&errors), "f:1:97: nested too deeply\n");
	jsonc_release(&doc);
	sb_free(&text);
	sb_free(&errors);
}

int
main(void)
{
	struct CMUnitTest tests[nitems(rows) + 2];
	size_t n = 0;

	for (size_t i = 0; i < nitems(rows); i++)
		tests[n++] = (struct CMUnitTest){ rows[i].name, test_row, NULL, NULL, (void *)(uintptr_t)&rows[i] };
	tests[n++] = (struct CMUnitTest){ "places are known", places_are_known, NULL, NULL, NULL };
	tests[n++] = (struct CMUnitTest){ "a hundred thousand levels end early", deep_text_does_not_recurse, NULL, NULL, NULL };
	return cmocka_run_group_tests_name("jsonc", tests, NULL, NULL);
}
