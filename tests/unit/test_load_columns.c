/* tests/unit/test_load_columns.c - columns, row filters, session and the mask key: what loads, and what is said when it does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "load.h"
#include "loaded.h"

/* A file with one profile "a" whose members are given; they start in line 1, column 31. */
#define PROFILE(members) "{\"version\":1,\"profiles\":{\"a\":{" members "}}}"
/* Lists whose first entry starts in column 42 or 46; a session whose first name starts there. */
#define COLUMNS(entries) PROFILE("\"columns\":[" entries "]")
#define FILTERS(entries) PROFILE("\"row_filters\":[" entries "]")
#define SESSION(entries) PROFILE("\"session\":{" entries "}")
#define DENY(column) "{\"action\":\"deny\",\"column\":\"" column "\"}"
#define WHERE(condition) "{\"table\":\"t\",\"where\":\"" condition "\"}"
#define MASK(mask) "{\"column\":\"a.b.c\",\"action\":\"mask\",\"mask\":" mask "}"
#define KEY "0123456789abcdef"

static const struct row {
	const char *name;
	const char *text;
	const char *errors; /* all of them; NULL: loads */
} rows[] = {
	{ "a denied column", COLUMNS(DENY("public.users.ssn")), NULL },
	{ "globs and quoted names", COLUMNS(DENY("*.\\\"My Table\\\".*_secret")), NULL },
	{ "every mask",
	    COLUMNS(MASK("\"null\"") "," DENY("a.b.d") ",{\"column\":\"a.b.e\",\"action\":\"mask\",\"mask\":\"redact\"},"
						       "{\"column\":\"a.b.f\",\"action\":\"mask\",\"mask\":\"partial\"},"
						       "{\"column\":\"a.b.g\",\"action\":\"mask\",\"mask\":\"hash\"},"
						       "{\"column\":\"a.b.h\",\"action\":\"mask\",\"mask\":\"expression\","
						       "\"expression\":\"left(h, 1) || '...'\"}") "\n",
	    "f:1:270: profiles.a.columns[4].mask: \"hash\" needs a mask_key, in the profile or at the top of the file\n" },
	{ "no columns", COLUMNS(""), NULL },
	{ "columns that are no list", PROFILE("\"columns\":{}"),
	    "f:1:41: profiles.a.columns: expected a list of at most 10000 entries, found an object\n" },
	{ "an entry that is no object", COLUMNS("\"a.b.c\""),
	    "f:1:42: profiles.a.columns[0]: expected an object, found \"a.b.c\"\n" },
	{ "a column of any table", COLUMNS(DENY("ssn")), "f:1:68: profiles.a.columns[0].column: expected schema.table.column\n" },
	{ "a table, not a column", COLUMNS(DENY("public.users")),
	    "f:1:68: profiles.a.columns[0].column: expected schema.table.column\n" },
	{ "a column of a database", COLUMNS(DENY("db.public.users.ssn")),
	    "f:1:68: profiles.a.columns[0].column: too many dots: expected schema.table.column\n" },
	{ "a column with an odd name", COLUMNS(DENY("a.b.c-d")),
	    "f:1:68: profiles.a.columns[0].column: '-' cannot stand in a name without double quotes\n" },
	{ "nothing to be done", COLUMNS("{\"column\":\"a.b.c\"}"),
	    "f:1:42: profiles.a.columns[0]: the key \"action\" is missing\n" },
	{ "an unknown action", COLUMNS("{\"column\":\"a.b.c\",\"action\":\"hide\"}"),
	    "f:1:69: profiles.a.columns[0].action: expected \"deny\" or \"mask\", found \"hide\"\n" },
	{ "a mask that is not said", COLUMNS("{\"column\":\"a.b.c\",\"action\":\"mask\"}"),
	    "f:1:42: profiles.a.columns[0]: the key \"mask\" is missing: action \"mask\" needs one\n" },
	{ "an unknown mask", COLUMNS(MASK("\"hsh\"")),
	    "f:1:83: profiles.a.columns[0].mask: expected \"null\", \"redact\", \"hash\", \"partial\" or \"expression\", found "
	    "\"hsh\", "
	    "did you mean \"hash\"?\n" },
	{ "JSON's null is no mask", COLUMNS(MASK("null")),
	    "f:1:83: profiles.a.columns[0].mask: expected \"null\", \"redact\", \"hash\", \"partial\" or \"expression\", found "
	    "null\n" },
	{ "denied with a mask", COLUMNS("{\"column\":\"a.b.c\",\"action\":\"deny\",\"mask\":\"null\"}"),
	    "f:1:76: profiles.a.columns[0].mask: contradicts action \"deny\"\n" },
	{ "denied with an expression", COLUMNS("{\"column\":\"a.b.c\",\"action\":\"deny\",\"expression\":\"c\"}"),
	    "f:1:76: profiles.a.columns[0].expression: contradicts action \"deny\"\n" },
	{ "an expression with another mask",
	    COLUMNS("{\"column\":\"a.b.c\",\"action\":\"mask\",\"mask\":\"null\",\"expression\":\"c\"}"),
	    "f:1:90: profiles.a.columns[0].expression: only mask \"expression\" has one\n" },
	{ "mask expression without one", COLUMNS(MASK("\"expression\"")),
	    "f:1:42: profiles.a.columns[0]: the key \"expression\" is missing: mask \"expression\" needs one\n" },
	{ "an expression that does not parse",
	    COLUMNS("{\"column\":\"a.b.c\",\"action\":\"mask\",\"mask\":\"expression\",\"expression\":\"left(c\"}"),
	    "f:1:109: profiles.a.columns[0].expression: does not parse as an SQL expression: syntax error at end of input\n" },
	{ "an expression of several rows and columns",
	    COLUMNS("{\"column\":\"a.b.c\",\"action\":\"mask\",\"mask\":\"expression\",\"expression\":\"1, 2\"}"),
	    "f:1:109: profiles.a.columns[0].expression: expected one SQL expression and nothing else\n" },
	{ "denied and masked", COLUMNS(DENY("a.b.c") "," MASK("\"null\"")),
	    "f:1:77: profiles.a.columns[1]: a.b.c is denied by columns[0] already\n" },
	{ "masked and denied, in another case", COLUMNS(MASK("\"null\"") "," DENY("A.b.\\\"c\\\"")),
	    "f:1:91: profiles.a.columns[1]: a.b.c is masked by columns[0] already\n" },
	{ "repeated globs", COLUMNS(DENY("a.b.x*") "," DENY("a.b.y*") "," DENY("a.b.x*")),
	    "f:1:114: profiles.a.columns[2]: a.b.x* is denied by columns[0] already\n" },
	{ "a broader and a narrower rule", COLUMNS(DENY("a.b.c") "," DENY("a.b.*")), NULL },

	{ "a row filter", FILTERS("{\"table\":\"public.orders\",\"where\":\"tenant_id = current_setting('app.tenant')::int\"}"),
	    NULL },
	{ "a subquery in a filter", FILTERS(WHERE("x IN (SELECT x FROM visible WHERE who = current_user)")), NULL },
	{ "a filter that is one subquery", FILTERS(WHERE("(SELECT true)")), NULL },
	{ "two filters for one table", FILTERS(WHERE("a") "," WHERE("b")), NULL },
	{ "a filter without a condition", FILTERS("{\"table\":\"t\"}"),
	    "f:1:46: profiles.a.row_filters[0]: the key \"where\" is missing\n" },
	{ "a filter on nothing", FILTERS("{\"where\":\"true\"}"),
	    "f:1:46: profiles.a.row_filters[0]: the key \"table\" is missing\n" },
	{ "a filter on a column", FILTERS("{\"table\":\"a.b.c\",\"where\":\"true\"}"),
	    "f:1:55: profiles.a.row_filters[0].table: too many dots: expected a name or schema.name\n" },
	{ "an empty condition", FILTERS(WHERE("")), "f:1:67: profiles.a.row_filters[0].where: expected a string, found \"\"\n" },
	{ "two statements", FILTERS(WHERE("true; DROP TABLE t")),
	    "f:1:67: profiles.a.row_filters[0].where: expected one SQL expression and nothing else\n" },
	{ "one statement and its end", FILTERS(WHERE("true;")),
	    "f:1:67: profiles.a.row_filters[0].where: does not parse as an SQL expression: syntax error at or near \";\"\n" },
	{ "parentheses that are the query's", FILTERS(WHERE("true) OR (true")),
	    "f:1:67: profiles.a.row_filters[0].where: does not parse as an SQL expression: syntax error at or near \")\"\n" },
	{ "a comment that would swallow what follows", FILTERS(WHERE("true -- x")),
	    "f:1:67: profiles.a.row_filters[0].where: does not parse as an SQL expression: syntax error at end of input\n" },
	{ "a comment that ends", FILTERS(WHERE("true /* always */")), NULL },
	{ "a comment that does not", FILTERS(WHERE("true /* x")),
	    "f:1:67: profiles.a.row_filters[0].where: does not parse as an SQL expression: unterminated /* comment at or near "
	    "\"/* x\"\n" },
	{ "more than a condition", FILTERS(WHERE("true FROM t")),
	    "f:1:67: profiles.a.row_filters[0].where: expected one SQL expression and nothing else\n" },
	{ "a set operation", FILTERS(WHERE("1 UNION SELECT 2")),
	    "f:1:67: profiles.a.row_filters[0].where: expected one SQL expression and nothing else\n" },
	{ "a name for the result", FILTERS(WHERE("a AS b")),
	    "f:1:67: profiles.a.row_filters[0].where: expected one SQL expression and nothing else\n" },
	{ "all of something", FILTERS(WHERE("ALL a")),
	    "f:1:67: profiles.a.row_filters[0].where: does not parse as an SQL expression: syntax error at or near \"ALL\"\n" },
	{ "a star", FILTERS(WHERE("t.*")),
	    "f:1:67: profiles.a.row_filters[0].where: expected one SQL expression and nothing else\n" },
	{ "a parameter would be the client's", FILTERS(WHERE("a = $1")),
	    "f:1:67: profiles.a.row_filters[0].where: '$' cannot stand before a digit: parameters belong to the client\n" },
	{ "WHERE is not part of it", FILTERS(WHERE("WHERE true")),
	    "f:1:67: profiles.a.row_filters[0].where: expected one SQL expression and nothing else\n" },

	{ "settings of the session",
	    SESSION("\"app.user_id\":\"${user}\",\"app.all\":\"${database}/${application_name} ${client} ${profile} $$1\""), NULL },
	{ "a setting without a dot", SESSION("\"user_id\":\"x\""),
	    "f:1:42: profiles.a.session.user_id: expected the name of a setting with a dot, such as app.user_id\n" },
	{ "a setting with a dot at its end", SESSION("\"app.\":\"x\""),
	    "f:1:42: profiles.a.session.app.: expected the name of a setting with a dot, such as app.user_id\n" },
	{ "a setting with an odd name", SESSION("\"app.1\":\"x\""),
	    "f:1:42: profiles.a.session.app.1: expected the name of a setting with a dot, such as app.user_id\n" },
	{ "a setting of our own", SESSION("\"PGMOAT.mask_key\":\"x\""),
	    "f:1:42: profiles.a.session.PGMOAT.mask_key: settings that begin with \"pgmoat.\" are our own\n" },
	{ "a setting twice", SESSION("\"app.x\":\"1\",\"App.X\":\"2\""),
	    "f:1:54: profiles.a.session.App.X: is repeated: names of settings do not know case\n" },
	{ "an unknown variable", SESSION("\"app.x\":\"${usr}\""),
	    "f:1:50: profiles.a.session.app.x: unknown variable \"${usr}\": expected ${user}, ${database}, ${application_name}, "
	    "${client} or ${profile}\n" },
	{ "a variable that does not end", SESSION("\"app.x\":\"${user\""),
	    "f:1:50: profiles.a.session.app.x: '$' begins a variable such as ${user}; a dollar sign is $$\n" },
	{ "a dollar sign alone", SESSION("\"app.x\":\"$user\""),
	    "f:1:50: profiles.a.session.app.x: '$' begins a variable such as ${user}; a dollar sign is $$\n" },
	{ "a value with a newline", SESSION("\"app.x\":\"a\\nb\""),
	    "f:1:50: profiles.a.session.app.x: expected a text without control characters\n" },
	{ "a value that is no text", SESSION("\"app.x\":1"),
	    "f:1:50: profiles.a.session.app.x: expected a text of at most 1000 bytes, found 1\n" },
	{ "an empty value", SESSION("\"app.x\":\"\""), NULL },
	{ "set by us and by the client",
	    PROFILE("\"settings\":{\"allow\":[\"work_mem\",\"APP.x\"]},\"session\":{\"app.x\":\"${user}\"}"),
	    "f:1:63: profiles.a.settings.allow[1]: \"APP.x\" is set by session\n" },

	{ "a mask key", PROFILE("\"mask_key\":\"" KEY "\",\"columns\":[" MASK("\"hash\"") "]"), NULL },
	{ "a mask key for all",
	    "{\"version\":1,\"mask_key\":\"" KEY "\",\"profiles\":{\"a\":{\"columns\":[" MASK("\"hash\"") "]}}}", NULL },
	{ "a mask key that nobody needs", PROFILE("\"mask_key\":\"" KEY "\""), NULL },
	{ "a short mask key is not shown", PROFILE("\"mask_key\":\"0123456789abcde\",\"columns\":[" MASK("\"hash\"") "]"),
	    "f:1:42: profiles.a.mask_key: expected a key of 16 to 512 bytes, found 15\n" },
	{ "a mask key with a newline", PROFILE("\"mask_key\":\"" KEY "\\n\""),
	    "f:1:42: profiles.a.mask_key: expected a key without control characters\n" },
	{ "a mask key that is a number", PROFILE("\"mask_key\":1234567890123456"),
	    "f:1:42: profiles.a.mask_key: expected a text of 16 to 512 bytes or {\"file\": ...}\n" },
	{ "a mask key in no file", PROFILE("\"mask_key\":{}"), "f:1:42: profiles.a.mask_key: the key \"file\" is missing\n" },
	{ "a mask key in a file that is not there", PROFILE("\"mask_key\":{\"file\":\"/nonexistent/key\"}"),
	    "f:1:42: profiles.a.mask_key: /nonexistent/key: No such file or directory\n" },
	{ "a mask key in a device", PROFILE("\"mask_key\":{\"file\":\"/dev/zero\"}"),
	    "f:1:42: profiles.a.mask_key: /dev/zero: expected a regular file\n" },
	{ "a mask key in a directory", PROFILE("\"mask_key\":{\"file\":\"/tmp\"}"),
	    "f:1:42: profiles.a.mask_key: /tmp: expected a regular file\n" },
};

static void
test_row(void **state)
{
	const struct row *row = *state;
	struct sb errors = { 0 };
	struct policy *p = policy_parse("f", row->text, strlen(row->text), &errors);

	assert_string_equal(sb_text(&errors), row->errors != NULL ? row->errors : "");
	assert_int_equal(p != NULL, row->errors == NULL);
	policy_unref(p);
	sb_free(&errors);
}

static struct policy *
parse(const char *text)
{
	struct sb errors = { 0 };
	struct policy *p = policy_parse("f", text, strlen(text), &errors);

	assert_string_equal(sb_text(&errors), "");
	sb_free(&errors);
	return p;
}

static void
values_arrive(void **state)
{
	struct policy *p = parse(PROFILE(
	    "\"columns\":[{\"column\":\"Public.\\\"Users\\\".e*\",\"action\":\"mask\",\"mask\":\"expression\","
	    "\"expression\":\"upper(email)\"}," DENY(
		"*.t.c") "],"
			 "\"row_filters\":[" WHERE("a = 1") "],"
							    "\"session\":{\"app.x\":\"${user}\"},\"mask_key\":\"" KEY "\""));
	const struct profile *a = policy_default_profile(p);

	(void)state;
	assert_int_equal(a->ncolumns, 2);
	assert_string_equal(a->columns[0].schema, "public");
	assert_string_equal(a->columns[0].table, "Users");
	assert_string_equal(a->columns[0].column, "e*");
	assert_int_equal(a->columns[0].action, COLUMN_MASK);
	assert_int_equal(a->columns[0].mask, MASK_EXPRESSION);
	assert_string_equal(a->columns[0].expression, "upper(email)");
	assert_int_equal(a->columns[1].action, COLUMN_DENY);
	assert_null(a->columns[1].expression);
	assert_string_equal(a->row_filters[0].schema, "*");
	assert_string_equal(a->row_filters[0].table, "t");
	assert_string_equal(a->row_filters[0].where, "a = 1");
	assert_string_equal(a->session[0].name, "app.x");
	assert_string_equal(a->session[0].value, "${user}");
	assert_string_equal(a->mask_key, KEY);
	policy_unref(p);
}

static void
a_profile_s_own_mask_key_comes_first(void **state)
{
	struct policy *p = parse("{\"version\":1,\"profiles\":{\"a\":{},\"b\":{\"mask_key\":\"bbbbbbbbbbbbbbbb\"}},"
				 "\"default_profile\":\"a\",\"mask_key\":\"" KEY "\"}");

	(void)state;
	assert_string_equal(policy_profile(p, "a")->mask_key, KEY);
	assert_string_equal(policy_profile(p, "b")->mask_key, "bbbbbbbbbbbbbbbb");
	policy_unref(p);
}

static void
write_file(const char *dir, const char *name, const char *text)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "we");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void
a_key_file_stands_beside_the_policy(void **state)
{
	char dir[] = "/tmp/pgmoat-test.XXXXXX", path[128];
	struct sb errors = { 0 };
	struct policy *p;

	(void)state;
	assert_non_null(mkdtemp(dir));
	write_file(dir, "policy.json", PROFILE("\"mask_key\":{\"file\":\"key\"}"));
	write_file(dir, "key", KEY "\r\n");
	snprintf(path, sizeof(path), "%s/policy.json", dir);
	p = policy_load(path, &errors);
	assert_string_equal(sb_text(&errors), "");
	assert_string_equal(policy_default_profile(p)->mask_key, KEY);
	policy_unref(p);

	write_file(dir, "key", "short\n");
	assert_null(policy_load(path, &errors));
	assert_non_null(strstr(sb_text(&errors), "expected a key of 16 to 512 bytes, found 5\n"));
	sb_free(&errors);
	assert_int_equal(unlink(path), 0);
	snprintf(path, sizeof(path), "%s/key", dir);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
}

/* In the words of the file, names folded; what is absent or empty is not there. */
static void
lists_are_written(void **state)
{
	static void (*const writers[])(struct sb *, const void *) = { write_schemas_allow, write_schemas_deny, write_tables_allow,
		write_tables_deny, write_functions_allow, write_functions_deny, write_settings_allow, write_search_path,
		write_columns, write_row_filters, write_session, write_hints };
	struct policy *p = parse(PROFILE(
	    "\"schemas\":{\"allow\":[\"Public\",\"\\\"My \\\"\\\"S\\\"\"],\"deny\":[\"x*\"]},\"tables\":{\"allow\":[\"orders\","
	    "{\"table\":\"public.\\\"Users\\\"\",\"access\":\"read\"}],\"deny\":[{\"table\":\"t\",\"access\":\"write\"}]},"
	    "\"functions\":{\"allow\":[\"f(int)\",\"s.G\",\"extension:hstore\"],\"deny\":[]},"
	    "\"settings\":{\"allow\":[\"work_mem\"]},\"search_path\":[\"\\\"A\\\"\",\"b\"],"
	    "\"columns\":[" MASK("\"null\"") "," DENY("*.b.d?") "],\"row_filters\":[" WHERE(
		"a = 'x'") "],"
			   "\"session\":{\"app.x\":\"$$\"}"));
	struct sb out = { 0 };

	(void)state;
	for (size_t i = 0; i + 1 < nitems(writers); i++) {
		writers[i](&out, policy_default_profile(p));
		sb_str(&out, *sb_text(&out) != '\0' && out.text[out.len - 1] != ' ' ? " " : "");
	}
	assert_string_equal(sb_text(&out), "[\"public\",\"\\\"My \\\"\\\"S\\\"\"] [\"x*\"] "
					   "[\"*.orders\",{\"table\":\"public.\\\"Users\\\"\",\"access\":\"read\"}] "
					   "[{\"table\":\"*.t\",\"access\":\"write\"}] [\"f(int)\",\"s.g\",\"extension:hstore\"] "
					   "[\"work_mem\"] [\"\\\"A\\\"\",\"b\"] "
					   "[{\"column\":\"a.b.c\",\"action\":\"mask\",\"mask\":\"null\"},"
					   "{\"column\":\"*.b.d?\",\"action\":\"deny\"}] "
					   "[{\"table\":\"*.t\",\"where\":\"a = 'x'\"}] {\"app.x\":\"$$\"} ");
	sb_free(&out);
	policy_unref(p);
}

int
main(void)
{
	static const struct CMUnitTest fixed[] = {
		{ "values arrive where they belong", values_arrive, NULL, NULL, NULL },
		{ "a profile's own mask key comes first", a_profile_s_own_mask_key_comes_first, NULL, NULL, NULL },
		{ "a key file stands beside the policy", a_key_file_stands_beside_the_policy, NULL, NULL, NULL },
		{ "lists are written as they are read", lists_are_written, NULL, NULL, NULL },
	};
	struct CMUnitTest tests[nitems(rows) + nitems(fixed)];
	size_t n = 0;

	for (size_t i = 0; i < nitems(rows); i++)
		tests[n++] = (struct CMUnitTest){ rows[i].name, test_row, NULL, NULL, (void *)(uintptr_t)&rows[i] };
	for (size_t i = 0; i < nitems(fixed); i++)
		tests[n++] = fixed[i];
	return cmocka_run_group_tests_name("load_columns", tests, NULL, NULL);
}
