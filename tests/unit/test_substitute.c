/* tests/unit/test_substitute.c - where names end, and what comes instead. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "small_catalog.h"
#include "substitute.h"
#include "tokens.h"

static const struct cat_column columns[] = { { .name = "id", .type = 23, .typmod = -1, .number = 1 } };
static const struct cat_relation users = { .oid = 16601, .namespace = PUBLIC, .name = "users", .columns = columns, .ncolumns = 1 };
static const struct catalog catalog = { &users, 1 };

#define G "(SELECT \"id\" FROM \"public\".\"users\")"
#define ONLY_G "(SELECT \"id\" FROM ONLY \"public\".\"users\")"
#define AS " AS \"users\""

enum { ALIAS = 1, ONLY = 2, TABLE = 4, TABLEOID = 8 };

/* ^ is where a site begins, { a column to lose its schema, [[ a call to be wrapped; they are taken out. */
static const struct row {
	const char *name, *sql;
	unsigned flags;
	const char *expected; /* NULL: refused */
} rows[] = {
	{ "a name becomes its subquery, and keeps its name", "SELECT * FROM ^users", 0, "SELECT * FROM " G AS },
	{ "an alias stays", "SELECT * FROM ^users u", ALIAS, "SELECT * FROM " G " u" },
	{ "an alias with columns stays", "SELECT * FROM ^users AS u(a)", ALIAS, "SELECT * FROM " G " AS u(a)" },
	{ "schema and database go with it", "SELECT * FROM ^shop.public.users WHERE true", 0, "SELECT * FROM " G AS " WHERE true" },
	{ "quotes too", "SELECT * FROM ^\"public\".\"users\"WHERE true", 0, "SELECT * FROM " G AS "WHERE true" },
	{ "a quote in quotes is no end", "SELECT * FROM ^\"us\"\"ers\" u", ALIAS, "SELECT * FROM " G " u" },
	{ "blanks and comments between the dots too", "SELECT * FROM ^public /* a /* b */ . */ -- .\n . users, x", 0,
	    "SELECT * FROM " G AS ", x" },
	{ "words in U& too", "SELECT * FROM ^U&\"\\0075sers\"", 0, "SELECT * FROM " G AS },
	{ "UESCAPE is refused", "SELECT * FROM ^U&\"!0075sers\" UESCAPE '!'", 0, NULL },
	{ "UESCAPE after the first name is refused", "SELECT * FROM ^U&\"public\" UESCAPE '!' . users", 0, NULL },
	{ "letters beyond ASCII belong to the name", "SELECT * FROM ^\xc3\xbcsers\xc3\xa9 u", ALIAS, "SELECT * FROM " G " u" },
	{ "ONLY goes into the subquery", "SELECT * FROM ONLY ^users", ONLY, "SELECT * FROM " ONLY_G AS },
	{ "with parentheses", "SELECT * FROM only /* x */ ( ^public.users ) u", ALIAS | ONLY, "SELECT * FROM " ONLY_G " u" },
	{ "ONLY that nobody noted is refused", "SELECT * FROM ONLY ^users", 0, NULL },
	{ "ONLY that is not there is refused", "SELECT * FROM ^users", ONLY, NULL },
	{ "a star after the name goes", "SELECT * FROM ^users * u", ALIAS, "SELECT * FROM " G " u" },
	{ "parentheses of a join stay", "SELECT * FROM (^users CROSS JOIN x)", 0, "SELECT * FROM (" G AS " CROSS JOIN x)" },
	{ "TABLE becomes a query", "TABLE ^users", TABLE, "SELECT * FROM " G AS },
	{ "TABLE ONLY", "(TABLE ONLY ^users) UNION TABLE x", TABLE | ONLY, "(SELECT * FROM " ONLY_G AS ") UNION TABLE x" },
	{ "TABLE that is not there is refused", "SELECT * FROM ^users", TABLE, NULL },
	{ "TABLESAMPLE is refused", "SELECT * FROM ^users TABLESAMPLE system (1)", 0, NULL },
	{ "two of them", "SELECT * FROM ^users a, ^users b", ALIAS, "SELECT * FROM " G " a, " G " b" },
	{ "tableoid is given when it is asked for", "SELECT x.tableoid FROM ^users x", ALIAS | TABLEOID,
	    "SELECT x.tableoid FROM (SELECT \"id\", \"tableoid\" FROM \"public\".\"users\") x" },
	{ "words in strings and comments are no names",
	    "SELECT 'FROM users', E'\\'', $$ ' $$, $a$ $$ \" $a$ /* ' */ FROM ^users -- '", 0,
	    "SELECT 'FROM users', E'\\'', $$ ' $$, $a$ $$ \" $a$ /* ' */ FROM " G AS " -- '" },
	{ "a string that goes on in the next line is of the same sort", "SELECT E'a' -- '\n '\\'', x FROM ^users", 0,
	    "SELECT E'a' -- '\n '\\'', x FROM " G AS },
	{ "operators end where a comment begins", "SELECT 1 +/* ' */ 2 *-- '\n3 FROM ^users", 0,
	    "SELECT 1 +/* ' */ 2 *-- '\n3 FROM " G AS },
	{ "parameters and numbers", "SELECT $1, 1.5e-3, .5, 1e5 FROM ^users LIMIT $2", 0,
	    "SELECT $1, 1.5e-3, .5, 1e5 FROM " G AS " LIMIT $2" },
	{ "a place inside of a word is refused", "SELECT * FROM us^ers", 0, NULL },
	{ "a place inside of a string is refused", "SELECT 'a ^users' FROM x", 0, NULL },
	{ "a text that does not end is refused", "SELECT * FROM ^users WHERE a = 'x", 0, NULL },
	{ "a column loses its schema", "SELECT {public.users.id FROM ^public.users", 0, "SELECT users.id FROM " G AS },
	{ "whatever stands between", "SELECT {public /* . */ . \"users\" . * FROM ^public.users", 0,
	    "SELECT \"users\" . * FROM " G AS },
	{ "a column without one is refused", "SELECT {id FROM ^users", 0, NULL },
	{ "an argument is asked once, and raises", "SELECT [[pg_get_viewdef(c.oid, true)", 0,
	    "SELECT pg_get_viewdef(\"pg_catalog\".\"regexp_replace\"((c.oid)::\"pg_catalog\".\"oid\"::\"pg_catalog\".\"text\", "
	    "'^(?:5|7)$', "
	    "'\\& pgmoat:restricted')::\"pg_catalog\".\"oid\", true)" },
	{ "commas in parentheses and brackets are of the argument", "SELECT [[pg_catalog . pg_get_viewdef ( f(a, b[1, 2]) )", 0,
	    "SELECT pg_catalog . pg_get_viewdef ( \"pg_catalog\".\"regexp_replace\"((f(a, b[1, "
	    "2]))::\"pg_catalog\".\"oid\"::\"pg_catalog\".\"text\", "
	    "'^(?:5|7)$', '\\& pgmoat:restricted')::\"pg_catalog\".\"oid\" )" },
	{ "a site in an argument is substituted too", "SELECT [[pg_get_viewdef((SELECT id FROM ^users))", 0,
	    "SELECT pg_get_viewdef(\"pg_catalog\".\"regexp_replace\"(((SELECT id FROM " G AS
	    "))::\"pg_catalog\".\"oid\"::\"pg_catalog\".\"text\", '^(?:5|7)$', '\\& pgmoat:restricted')::\"pg_catalog\".\"oid\")" },
	{ "no argument is refused", "SELECT [[pg_get_viewdef()", 0, NULL },
	{ "VARIADIC is refused", "SELECT [[pg_get_viewdef(VARIADIC x)", 0, NULL },
	{ "a name before the argument is refused", "SELECT [[pg_get_viewdef(oid => x)", 0, NULL },
};

/* Takes the marks out of the text and makes an analysis of them. */
static char *
read_row(const struct row *row, struct guard *g, struct analysis *a)
{
	char *sql = xstrdup(row->sql), *to = sql;

	a->sites = xcalloc(4, sizeof(*a->sites));
	a->unqualified = xcalloc(4, sizeof(*a->unqualified));
	a->wraps = xcalloc(4, sizeof(*a->wraps));
	for (const char *s = row->sql; *s != '\0'; s++) {
		const int at = (int)(to - sql);

		if (*s == '^')
			a->sites[a->nsites++] = (struct site){ .location = at,
				.guard = g,
				.only = (row->flags & ONLY) != 0,
				.has_alias = (row->flags & ALIAS) != 0,
				.is_table_command = (row->flags & TABLE) != 0,
				.tableoid = (row->flags & TABLEOID) != 0,
				.name = "users" };
		else if (*s == '{')
			a->unqualified[a->nunqualified++] = (struct unqualify){ .location = at, .parts = 1 };
		else if (*s == '[' && s[1] == '[') /* the second goes with the next round */
			continue;
		else if (*s == '[' && s > row->sql && s[-1] == '[')
			a->wraps[a->nwraps++] = (struct wrap){ .location = at, .what = WRAP_RELATION };
		else
			*to++ = *s;
	}
	*to = '\0';
	return sql;
}

static void
test_row(void **state)
{
	static const uint32_t oids[] = { 5, 7 };
	const struct restricted_objects restricted = { .oids = { oids }, .n = { 2 } };
	const struct row *row = *state;
	struct guard *g = guard_new(&users);
	struct analysis a = { 0 };
	struct edits edits;
	struct err why = { "" };
	char *sql = read_row(row, g, &a), *text = NULL;
	size_t len;

	if (substitute_plan(&edits, &a, &catalog, &restricted, sql, strlen(sql), &why))
		text = edits_apply(&edits, sql, strlen(sql), &len);
	if (row->expected == NULL && text != NULL)
		fail_msg("%s: was not refused: %s", row->sql, text);
	if (row->expected != NULL && text == NULL)
		fail_msg("%s: %s", row->sql, why.text);
	if (row->expected != NULL)
		assert_string_equal(text, row->expected);
	edits_release(&edits);
	guard_free(g);
	free(a.sites);
	free(a.unqualified);
	free(a.wraps);
	free(sql);
	free(text);
}

static void
test_more_than_can_be_listed(void **state)
{
	static uint32_t oids[DEFINITIONS_MAX + 1];
	const struct restricted_objects restricted = { .oids = { oids }, .n = { nitems(oids) } };
	struct wrap wrap = { .location = 7, .what = WRAP_RELATION };
	const struct analysis a = { .wraps = &wrap, .nwraps = 1 };
	const struct restricted_objects none = { 0 };
	struct edits edits;
	struct err why = { "" };

	(void)state;
	assert_false(substitute_plan(&edits, &a, &catalog, &restricted, "SELECT f(x)", 11, &why));
	edits_release(&edits);
	assert_true(substitute_plan(&edits, &a, &catalog, &none, "SELECT f(x)", 11, &why));
	assert_int_equal(edits.n, 0);
	edits_release(&edits);
}

static void
test_which_functions_are_wrapped(void **state)
{
	unsigned argument = 9;
	enum wrap_kind what;

	(void)state;
	assert_true(wrap_needed("pg_get_viewdef", &what, &argument));
	assert_int_equal(what, WRAP_RELATION);
	assert_int_equal(argument, 0);
	assert_true(wrap_needed("pg_stat_get_tuples_inserted", &what, &argument));
	assert_true(wrap_needed("obj_description", &what, &argument));
	assert_int_equal(what, WRAP_COMMENT);
	assert_false(wrap_needed("pg_stat_get_backend_pid", &what, &argument));
	assert_false(wrap_needed("format_type", &what, &argument));
}

int
main(void)
{
	struct CMUnitTest tests[nitems(rows) + 2];

	for (size_t i = 0; i < nitems(rows); i++)
		tests[i] = (struct CMUnitTest){
			.name = rows[i].name, .test_func = test_row, .initial_state = (void *)(uintptr_t)&rows[i]
		};
	tests[nitems(rows)] = (struct CMUnitTest)cmocka_unit_test(test_more_than_can_be_listed);
	tests[nitems(rows) + 1] = (struct CMUnitTest)cmocka_unit_test(test_which_functions_are_wrapped);
	return cmocka_run_group_tests_name("substitute", tests, NULL, NULL);
}
