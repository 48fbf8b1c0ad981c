/* tests/unit/test_split.c - where the statements of a file begin and end; nothing may vanish. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy_split.h"

static const struct row {
	const char *name, *text;
	const char *parts; /* "line:text" joined by "|" */
} rows[] = {
	{ "nothing holds nothing", "", "" },
	{ "blanks, comments and semicolons hold nothing", " ;; -- a\n /* b */ ;", "" },
	{ "statements end at semicolons", "SELECT 1;\nSELECT 2;", "1:SELECT 1|2:SELECT 2" },
	{ "the last one needs none", "SELECT 1;\n\nSELECT 2", "1:SELECT 1|3:SELECT 2" },
	{ "the line is that of the statement, not of the comment before it", "-- one\n/* two\n */ SELECT 1", "3:SELECT 1" },
	{ "semicolons in quotes and comments end nothing", "SELECT ';', $$;$$ /* ; */ -- ;\n; SELECT 2",
	    "1:SELECT ';', $$;$$ /* ; */ -- ;|2:SELECT 2" },
	{ "semicolons in parentheses end nothing", "CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2); SELECT 3",
	    "1:CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2)|1:SELECT 3" },
	{ "semicolons in BEGIN ATOMIC end nothing",
	    "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END; SELECT 3",
	    "1:CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END|1:SELECT 3" },
	{ "letters beyond ASCII do not shift the places", "SELECT '\303\274\303\274'; SELECT 2; selec \303\274",
	    "1:SELECT '\303\274\303\274'|1:SELECT 2|1:selec \303\274" },

	{ "a bad statement does not hide the others", "SELECT 1; selec 2; DELETE FROM t; SELECT 4",
	    "1:SELECT 1|1:selec 2|1:DELETE FROM t|1:SELECT 4" },
	{ "a bad statement without a keyword is a part too", "foo; bar baz; 1", "1:foo|1:bar baz|1:1" },
	{ "BEGIN ATOMIC beside a bad statement, with CASE in it",
	    "bad; CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END; SELECT 3",
	    "1:bad|1:CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END|1:SELECT 3" },
	{ "a transaction's BEGIN and END are statements", "bad; BEGIN; SELECT 1; END; SELECT 2",
	    "1:bad|1:BEGIN|1:SELECT 1|1:END|1:SELECT 2" },
	{ "an open parenthesis takes the rest with it", "SELECT (1; DROP TABLE t", "1:SELECT (1; DROP TABLE t" },
	{ "a closing one does not", "SELECT 1); DROP TABLE t; SELECT 2", "1:SELECT 1)|1:DROP TABLE t|1:SELECT 2" },
	{ "an open quote takes the rest with it", "SELECT 1;\nbad; SELECT 'a; DROP TABLE t;\n",
	    "1:SELECT 1|2:bad|2:SELECT 'a; DROP TABLE t;" },
	{ "an open quote behind other letters", "SELECT '\303\274';\nSELECT 'a; DROP", "1:SELECT '\303\274'|2:SELECT 'a; DROP" },
	{ "an open comment is no blank", "SELECT 1; /* DROP TABLE t;", "1:SELECT 1|1:/* DROP TABLE t;" },
	{ "an open dollar quote takes the rest with it", "SELECT 1; SELECT $x$ a; b", "1:SELECT 1|1:SELECT $x$ a; b" },
	{ "bytes that are no UTF-8 are kept", "SELECT 1; \377; SELECT 2", "1:SELECT 1|1:\377|1:SELECT 2" },
	{ "a backslash command takes the statement behind it", "\\d t\nSELECT 1; SELECT 2", "1:\\d t\nSELECT 1|2:SELECT 2" },
};

static void
test_row(void **state)
{
	const struct row *row = *state;
	size_t len = strlen(row->text), i;
	char *text = xmalloc(len + 1); /* of its size: the sanitizer sees a step too far */
	struct sql_parts parts;
	struct sb found = { 0 };
	struct err err;

	memcpy(text, row->text, len + 1);
	assert_true(sql_split(text, len, &parts, &err));
	for (i = 0; i < parts.n; i++) {
		sb_fmt(&found, "%s%zu:", i > 0 ? "|" : "", parts.parts[i].line);
		sb_bytes(&found, text + parts.parts[i].at, parts.parts[i].len);
	}
	assert_string_equal(sb_text(&found), row->parts);
	sb_free(&found);
	sql_parts_free(&parts);
	free(text);
}

static void
test_nul(void **state)
{
	struct sql_parts parts;
	struct err err;

	(void)state;
	assert_false(sql_split("SELECT 1\0; DROP TABLE t", 23, &parts, &err));
	assert_string_equal(err.text, "holds a NUL byte, which no statement can");
}

static void
test_deep(void **state)
{
	enum { DEPTH = 200000 };
	char *text = xmalloc(DEPTH + 20);
	struct sql_parts parts;
	struct err err;

	(void)state;
	memset(text, '(', DEPTH);
	strcpy(text + DEPTH, "; SELECT 1");
	assert_true(sql_split(text, strlen(text), &parts, &err));
	assert_int_equal(parts.n, 1);
	sql_parts_free(&parts);
	free(text);
}

int
main(void)
{
	struct CMUnitTest tests[nitems(rows) + 2];
	size_t n = 0;

	for (size_t i = 0; i < nitems(rows); i++)
		tests[n++] = (struct CMUnitTest){ rows[i].name, test_row, NULL, NULL, (void *)(uintptr_t)&rows[i] };
	tests[n++] = (struct CMUnitTest){ "a NUL byte is refused", test_nul, NULL, NULL, NULL };
	tests[n++] = (struct CMUnitTest){ "deep parentheses are one bad statement", test_deep, NULL, NULL, NULL };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
