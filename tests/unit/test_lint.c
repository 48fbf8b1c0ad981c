/* tests/unit/test_lint.c - what loads, but hardly means what it says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lint.h"

/* One profile "a" whose members begin on line 2. */
#define PROFILE(members) "{\"version\":1,\"profiles\":{\"a\":{\n" members "}}}"
/* Profiles a, b and c, default a, and what stands on line 2 in assign. */
#define ASSIGN(entries)                                                                                             \
	"{\"version\":1,\"default_profile\":\"a\",\"profiles\":{\"a\":{},\"b\":{},\"c\":{}},\"assign\":[\n" entries \
	",{\"user\":\"b!\",\"profile\":\"b\"},{\"user\":\"c!\",\"profile\":\"c\"}]}"
#define TO_B(member) "{" member ",\"profile\":\"b\"}"
#define WHERE(condition) PROFILE("\"row_filters\":[{\"table\":\"t\",\"where\":\"" condition "\"}]")

static const struct row {
	const char *name;
	const char *text;
	const char *findings;
} rows[] = {
	{ "nothing to say about an empty profile", PROFILE(""), "" },
	{ "lists that say what they mean",
	    PROFILE("\"schemas\":{\"allow\":[\"public\",\"app_*\"],\"deny\":[\"app_secret\"]},"
		    "\"tables\":{\"allow\":[\"public.*\"],\"deny\":[\"public.payroll\",\"*.audit_*\"]},"
		    "\"functions\":{\"allow\":[\"public.f\",\"extension:hstore\",\"pg_sleep\"],\"deny\":[\"public.g\"]},"
		    "\"settings\":{\"allow\":[\"work_mem\",\"search_path\"]},\"limits\":{\"max_rows\":1,\"max_plan_cost\":null}"),
	    "" },

	{ "one user twice", ASSIGN(TO_B("\"user\":\"x\"") "," TO_B("\"user\":\"x\"")),
	    "2:28 assign[1] [shadowed] is never reached: assign[0] takes everybody that it fits\n" },
	{ "a glob before its case", ASSIGN(TO_B("\"user\":\"x*\"") "," TO_B("\"user\":\"xy\",\"database\":\"d\"")),
	    "2:29 assign[1] [shadowed] is never reached: assign[0] takes everybody that it fits\n" },
	{ "a glob before a narrower glob", ASSIGN(TO_B("\"user\":\"x*\"") "," TO_B("\"user\":\"x?z*\"")),
	    "2:29 assign[1] [shadowed] is never reached: assign[0] takes everybody that it fits\n" },
	{ "a glob behind its case", ASSIGN(TO_B("\"user\":\"xy\"") "," TO_B("\"user\":\"x*\"")), "" },
	{ "one character is not many", ASSIGN(TO_B("\"user\":\"x?\"") "," TO_B("\"user\":\"x*\"")), "" },
	{ "a narrower database shadows nothing", ASSIGN(TO_B("\"user\":\"x\",\"database\":\"d\"") "," TO_B("\"user\":\"x\"")), "" },
	{ "a network within another", ASSIGN(TO_B("\"client\":\"10.0.0.0/8\"") "," TO_B("\"client\":\"10.1.0.0/17\"")),
	    "2:39 assign[1] [shadowed] is never reached: assign[0] takes everybody that it fits\n" },
	{ "a network around another", ASSIGN(TO_B("\"client\":\"10.1.0.0/17\"") "," TO_B("\"client\":\"10.0.0.0/8\"")), "" },
	{ "networks beside each other", ASSIGN(TO_B("\"client\":\"10.0.0.0/9\"") "," TO_B("\"client\":\"10.128.0.0/9\"")), "" },
	{ "sockets are in no network", ASSIGN(TO_B("\"client\":\"0.0.0.0/0\"") "," TO_B("\"client\":\"unix\"")), "" },
	{ "everybody before all others", ASSIGN(TO_B("\"user\":\"*\"")),
	    "1:52 profiles.a [unused] nobody gets the default profile: assign[0] takes everybody\n"
	    "1:66 profiles.c [unused] nobody gets this profile: no entry of assign leads to it\n"
	    "2:28 assign[1] [shadowed] is never reached: assign[0] takes everybody that it fits\n"
	    "2:56 assign[2] [shadowed] is never reached: assign[0] takes everybody that it fits\n" },
	{ "a profile that nobody gets", "{\"version\":1,\"default_profile\":\"a\",\"profiles\":{\"a\":{},\n\"b\":{}}}",
	    "2:5 profiles.b [unused] nobody gets this profile: no entry of assign leads to it\n" },

	{ "a schema allowed and denied by a glob", PROFILE("\"schemas\":{\"allow\":[\"app_1\"],\"deny\":[\"app_*\"]}"),
	    "2:21 profiles.a.schemas.allow[0] [contradiction] stays closed: schemas.deny[0] (app_*) denies it\n" },
	{ "a schema denied twice", PROFILE("\"schemas\":{\"deny\":[\"app_*\",\"app_1\"]}"),
	    "2:28 profiles.a.schemas.deny[1] [redundant] schemas.deny[0] (app_*) denies it already\n" },
	{ "no schemas", PROFILE("\"schemas\":{\"allow\":[]}"),
	    "2:20 profiles.a.schemas.allow [refused] an empty list opens nothing but system catalogs\n" },
	{ "no tables", PROFILE("\"tables\":{\"allow\":[]}"),
	    "2:19 profiles.a.tables.allow [refused] an empty list opens nothing but system catalogs\n" },
	{ "a table allowed and denied in other words", PROFILE("\"tables\":{\"allow\":[\"public.t\"],\"deny\":[\"*.t\"]}"),
	    "2:20 profiles.a.tables.allow[0] [contradiction] stays closed: tables.deny[0] denies it\n" },
	{ "reading allowed, writing denied",
	    PROFILE("\"tables\":{\"allow\":[{\"table\":\"t\",\"access\":\"read\"}],"
		    "\"deny\":[{\"table\":\"t\",\"access\":\"write\"}]}"),
	    "" },
	{ "a table of a denied schema",
	    PROFILE("\"schemas\":{\"deny\":[\"hr\"]},\"tables\":{\"allow\":[\"hr.t\"],\"deny\":[\"hr.u\"]}"),
	    "2:46 profiles.a.tables.allow[0] [contradiction] stays closed: schemas.deny[0] (hr) denies its schema\n"
	    "2:62 profiles.a.tables.deny[0] [redundant] schemas.deny[0] (hr) denies its schema already\n" },
	{ "a table of a schema that is not allowed",
	    PROFILE("\"schemas\":{\"allow\":[\"p*\"]},\"tables\":{\"allow\":[\"hr.t\",\"public.t\","
		    "\"pg_catalog.pg_class\"]}"),
	    "2:47 profiles.a.tables.allow[0] [contradiction] stays closed: schemas.allow does not have hr\n" },
	{ "a table denied twice", PROFILE("\"tables\":{\"deny\":[\"public.t\",\"x.y\",\"*.t\",\"public.t\"]}"),
	    "2:42 profiles.a.tables.deny[3] [redundant] tables.deny[0] denies it already\n" },
	{ "a catalog that leaks", PROFILE("\"tables\":{\"allow\":[\"public.*\",\"pg_catalog.pg_authid\",\"pg_stats\"]}"),
	    "2:31 profiles.a.tables.allow[1] [leak] opens pg_catalog.pg_authid, which shows what its reader may not see elsewhere\n"
	    "2:54 profiles.a.tables.allow[2] [leak] opens pg_catalog.pg_stats, which shows what its reader may not see "
	    "elsewhere\n" },
	{ "a catalog that does not", PROFILE("\"tables\":{\"allow\":[\"pg_catalog.pg_class\"]}"), "" },
	{ "an extension's view that does", PROFILE("\"tables\":{\"allow\":[\"public.pg_stat_statements\"]}"),
	    "2:20 profiles.a.tables.allow[0] [leak] opens pg_stat_statements, an extension's view of what other sessions do\n" },

	{ "a function allowed and denied in other words", PROFILE("\"functions\":{\"allow\":[\"public.f(int)\"],\"deny\":[\"f\"]}"),
	    "2:23 profiles.a.functions.allow[0] [contradiction] stays closed: functions.deny[0] denies it\n" },
	{ "other arguments are another function", PROFILE("\"functions\":{\"allow\":[\"f(int)\"],\"deny\":[\"f(int,int)\"]}"), "" },
	{ "a function denied twice", PROFILE("\"functions\":{\"deny\":[\"public.*\",\"public.f\"]}"),
	    "2:33 profiles.a.functions.deny[1] [redundant] functions.deny[0] denies it already\n" },
	{ "an extension denied twice", PROFILE("\"functions\":{\"deny\":[\"extension:hstore\",\"extension:hstore\"]}"),
	    "2:41 profiles.a.functions.deny[1] [redundant] functions.deny[0] denies it already\n" },

	{ "a pinned setting", PROFILE("\"settings\":{\"allow\":[\"work_mem\",\"Client_Encoding\"]}"),
	    "2:33 profiles.a.settings.allow[1] [no_effect] connections start with Client_Encoding: it can be set to that, and to "
	    "nothing else, with and without this\n" },
	{ "a setting twice", PROFILE("\"settings\":{\"allow\":[\"work_mem\",\"WORK_MEM\"]}"),
	    "2:33 profiles.a.settings.allow[1] [redundant] settings.allow[0] is the same\n" },
	{ "limits of nothing",
	    PROFILE("\"limits\":{\"max_rows\":0,\"statement_timeout\":\"0s\",\"lock_timeout\":\"10s\",\"rate_per_minute\":0}"),
	    "2:22 profiles.a.limits.max_rows [no_limit] 0 is no limit at all\n"
	    "2:44 profiles.a.limits.statement_timeout [no_limit] 0 is no limit at all\n"
	    "2:88 profiles.a.limits.rate_per_minute [no_limit] 0 is no limit at all\n" },
	{ "writes that no statement makes",
	    PROFILE("\"access_mode\":\"read_write\",\"statements\":{\"allow\":[\"select\"]},"
		    "\"writes\":{\"mode\":\"allow\"}"),
	    "2:79 profiles.a.writes.mode [no_effect] no statement that writes is in statements.allow\n" },

	{ "a column behind a broader rule",
	    PROFILE("\"columns\":[{\"column\":\"public.*.ssn\",\"action\":\"deny\"},"
		    "{\"column\":\"public.users.ssn\",\"action\":\"mask\",\"mask\":\"null\"}]"),
	    "2:54 profiles.a.columns[1] [shadowed] is never reached: columns[0] takes every column that it fits\n" },
	{ "a column before a broader rule",
	    PROFILE("\"columns\":[{\"column\":\"public.users.ssn\",\"action\":\"mask\",\"mask\":\"null\"},"
		    "{\"column\":\"public.*.ssn\",\"action\":\"deny\"}]"),
	    "" },
	{ "a column of a denied table",
	    PROFILE("\"tables\":{\"deny\":[\"t\"]},\"columns\":[{\"column\":\"a.t.c\",\"action\":\"deny\"}]"),
	    "2:36 profiles.a.columns[0] [redundant] its table is denied already\n" },
	{ "a filter on a denied schema",
	    PROFILE("\"schemas\":{\"deny\":[\"hr\"]},\"row_filters\":[{\"table\":\"hr.t\",\"where\":\"true\"}]"),
	    "2:42 profiles.a.row_filters[0] [redundant] its table is denied already\n" },
	{ "a filter on a table that cannot be written only",
	    PROFILE("\"tables\":{\"deny\":[{\"table\":\"t\",\"access\":\"write\"}]},"
		    "\"row_filters\":[{\"table\":\"t\",\"where\":\"true\"}]"),
	    "" },
	{ "a filter by what session sets",
	    PROFILE("\"session\":{\"app.u\":\"${user}\"},\"row_filters\":[{\"table\":\"t\",\"where\":\"u = "
		    "current_setting('App.U')\"}]"),
	    "" },
	{ "a filter by what nobody sets", WHERE("u = CURRENT_SETTING ( 'app.u' )"),
	    "2:16 profiles.a.row_filters[0] [no_effect] rests on the setting app.u, which session does not set: unless the "
	    "database "
	    "does, there are no rows, or an error\n" },
	{ "a filter by what the client sets",
	    PROFILE("\"settings\":{\"allow\":[\"app.u\"]},\"row_filters\":[{\"table\":\"t\",\"where\":\"u = "
		    "current_setting('app.u', true)\"}]"),
	    "2:47 profiles.a.row_filters[0] [forgeable] rests on the setting app.u, which the client may set\n" },
	{ "a filter by what the client calls itself",
	    PROFILE("\"session\":{\"app.u\":\"x ${application_name}\"},"
		    "\"row_filters\":[{\"table\":\"t\",\"where\":\"u = current_setting('app.u')\"}]"),
	    "2:60 profiles.a.row_filters[0] [forgeable] rests on the setting app.u, which holds the application_name: clients call "
	    "themselves what they like\n" },
	{ "a filter by a computed setting", WHERE("u = current_setting(v)"), "" },
};

static void
put(void *arg, const struct policy_finding *f)
{
	sb_fmt(arg, "%u:%u %s [%s] %s\n", f->line, f->column, f->path, f->check, f->message);
}

static void
test_row(void **state)
{
	const struct row *row = *state;
	struct sb errors = { 0 }, found = { 0 };

	assert_true(policy_lint("f", row->text, strlen(row->text), NULL, put, &found, &errors));
	assert_string_equal(sb_text(&errors), "");
	assert_string_equal(sb_text(&found), row->findings);
	sb_free(&errors);
	sb_free(&found);
}

static void
what_does_not_load_is_not_looked_at(void **state)
{
	struct sb errors = { 0 }, found = { 0 };

	(void)state;
	assert_false(policy_lint("f", "{}", 2, NULL, put, &found, &errors));
	assert_string_equal(sb_text(&found), "");
	assert_string_equal(sb_text(&errors), "f:1:1: the key \"version\" is missing\nf:1:1: the key \"profiles\" is missing\n");
	sb_free(&errors);
	sb_free(&found);
}

static const struct cover_row {
	const char *a, *b;
	bool covers;
} cover_rows[] = {
	{ "*", "", true },
	{ "*", "x*y?", true },
	{ "x*", "x?", true },
	{ "x*", "*", false },
	{ "x?", "x?", true },
	{ "x?", "xy", true },
	{ "x?", "x*", false },
	{ "?x", "?x", true },
	{ "xy", "x?", false },
	{ "*x*", "*x", true },
	{ "a*c", "ab*c", true },
	{ "a?*", "a?*", true },
};

static void
a_glob_covers_another(void **state)
{
	(void)state;
	for (size_t i = 0; i < nitems(cover_rows); i++)
		if (glob_covers(cover_rows[i].a, cover_rows[i].b) != cover_rows[i].covers)
			fail_msg("%s and %s", cover_rows[i].a, cover_rows[i].b);
}

int
main(void)
{
	static const struct CMUnitTest fixed[] = {
		{ "what does not load is not looked at", what_does_not_load_is_not_looked_at, NULL, NULL, NULL },
		{ "a glob covers another", a_glob_covers_another, NULL, NULL, NULL },
	};
	struct CMUnitTest tests[nitems(rows) + nitems(fixed)];
	size_t n = 0;

	for (size_t i = 0; i < nitems(rows); i++)
		tests[n++] = (struct CMUnitTest){ rows[i].name, test_row, NULL, NULL, (void *)(uintptr_t)&rows[i] };
	for (size_t i = 0; i < nitems(fixed); i++)
		tests[n++] = fixed[i];
	return cmocka_run_group_tests_name("lint", tests, NULL, NULL);
}
