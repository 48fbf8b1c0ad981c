/* tests/unit/test_settings.c - what may be set to what, and what connections start with. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "profile.h"

#define PROFILE(members) "{\"version\":1,\"profiles\":{\"a\":{" members "}}}"

#define BUILTIN ""
#define LISTED "\"settings\":{\"allow\":[\"Application_Name\",\"work_mem\",\"app.tenant\",\"statement_timeout\"]}"
#define NO_LIMIT "\"limits\":{\"statement_timeout\":0}"
#define READ_WRITE "\"access_mode\":\"read_write\""
#define PATHS "\"search_path\":[\"public\",\"\\\"My \\\"\\\"Schema\\\"\"]"
#define OPEN_PATH                                                                                                                  \
	"\"settings\":{\"allow\":[\"search_path\"]},\"schemas\":{\"allow\":[\"public\",\"sales\",\"app_*\"],\"deny\":[\"app_s*\"]" \
	"}"
#define HASHED "\"mask_key\":\"0123456789abcdef\",\"columns\":[{\"column\":\"a.b.c\",\"action\":\"mask\",\"mask\":\"hash\"}]"
#define SESSION "\"session\":{\"app.user_id\":\"${user}\",\"app.token\":\"${user}\"}"
#define TOO_LONG "0123456789012345678901234567890123456789012345678901234567890123"

static const struct row {
	const char *name, *profile, *setting, *value; /* value NULL: DEFAULT */
	bool pass;
} rows[] = {
	{ "an application says its name", BUILTIN, "application_name", "PostgreSQL JDBC Driver", true },
	{ "names of settings do not know case", BUILTIN, "APPLICATION_NAME", "x", true },
	{ "a name that the server cuts", BUILTIN, "application_name", TOO_LONG, true },
	{ "compiled expressions, as asyncpg switches them", BUILTIN, "jit", "off", true },
	{ "compiled expressions, and back", BUILTIN, "jit", "on", true },
	{ "compiled expressions by something else", BUILTIN, "jit", "llvm", false },
	{ "who compiles them", BUILTIN, "jit_provider", "x", false },
	{ "when they are compiled", BUILTIN, "jit_above_cost", "0", false },
	{ "a name with a newline", BUILTIN, "application_name", "a\nb", false },
	{ "the way dates are written", BUILTIN, "datestyle", "ISO, DMY", true },
	{ "intervals", BUILTIN, "IntervalStyle", "iso_8601", true },
	{ "time zones", BUILTIN, "timezone", "Europe/Berlin", true },
	{ "back to the default time zone", BUILTIN, "TimeZone", NULL, true },
	{ "digits", BUILTIN, "extra_float_digits", "3", true },
	{ "bytes", BUILTIN, "bytea_output", "escape", true },
	{ "fewer messages", BUILTIN, "client_min_messages", "WARNING", true },
	{ "more messages", BUILTIN, "client_min_messages", "debug5", false },
	{ "the server's log messages", BUILTIN, "client_min_messages", "log", false },

	{ "UTF8", BUILTIN, "client_encoding", "UTF8", true },
	{ "utf-8 with quotes, as asyncpg says it", BUILTIN, "client_encoding", "'utf-8'", true },
	{ "unicode", BUILTIN, "client_encoding", "Unicode", true },
	{ "the default encoding", BUILTIN, "client_encoding", NULL, true },
	{ "SJIS", BUILTIN, "client_encoding", "SJIS", false },
	{ "LATIN1", BUILTIN, "client_encoding", "LATIN1", false },
	{ "UTF8 with something behind it", BUILTIN, "client_encoding", "UTF8x", false },
	{ "no encoding", BUILTIN, "client_encoding", "", false },
	{ "one quote", BUILTIN, "client_encoding", "'", false },
	{ "strings as the standard wants them", BUILTIN, "standard_conforming_strings", "on", true },
	{ "strings as they were", BUILTIN, "standard_conforming_strings", "off", false },
	{ "whatever strings", BUILTIN, "standard_conforming_strings", NULL, false },

	{ "read-only, again", BUILTIN, "default_transaction_read_only", "on", true },
	{ "read-only in other words", BUILTIN, "transaction_read_only", "TRUE", true },
	{ "read-only as a number", BUILTIN, "transaction_read_only", "1", true },
	{ "read-write", BUILTIN, "default_transaction_read_only", "f", false },
	{ "read-write as a number", BUILTIN, "transaction_read_only", "0", false },
	{ "an ambiguous word", BUILTIN, "default_transaction_read_only", "o", false },
	{ "nothing", BUILTIN, "default_transaction_read_only", "", false },
	{ "the default, which may be anything", BUILTIN, "default_transaction_read_only", NULL, false },
	{ "read-write where that is allowed", READ_WRITE, "default_transaction_read_only", "off", true },

	{ "a shorter timeout", BUILTIN, "statement_timeout", "2s", true },
	{ "the same timeout, as a number", BUILTIN, "statement_timeout", "5000", true },
	{ "with a space before the unit", BUILTIN, "statement_timeout", "4 s", true },
	{ "a fraction", BUILTIN, "statement_timeout", "0.05min", true },
	{ "a longer timeout", BUILTIN, "statement_timeout", "5001", false },
	{ "minutes", BUILTIN, "statement_timeout", "99min", false },
	{ "days", BUILTIN, "statement_timeout", "1d", false },
	{ "no timeout", BUILTIN, "statement_timeout", "0", false },
	{ "what rounds to none", BUILTIN, "statement_timeout", "400us", false },
	{ "a negative one", BUILTIN, "statement_timeout", "-1", false },
	{ "hexadecimal", BUILTIN, "statement_timeout", "0x10", false },
	{ "an exponent", BUILTIN, "statement_timeout", "1e3", false },
	{ "two points", BUILTIN, "statement_timeout", "1.2.3", false },
	{ "an unknown unit", BUILTIN, "statement_timeout", "5S", false },
	{ "words", BUILTIN, "statement_timeout", "soon", false },
	{ "no words", BUILTIN, "statement_timeout", "", false },
	{ "the default timeout", BUILTIN, "statement_timeout", NULL, false },
	{ "locks have their own limit", BUILTIN, "lock_timeout", "1001ms", false },
	{ "idling has its own", BUILTIN, "idle_in_transaction_session_timeout", "30s", true },
	{ "transactions have their own", BUILTIN, "transaction_timeout", "60s", true },
	{ "without a limit anything goes", NO_LIMIT, "statement_timeout", "1d", true },
	{ "even none", NO_LIMIT, "statement_timeout", "0", true },
	{ "but not words", NO_LIMIT, "statement_timeout", "soon", false },

	{ "the pinned path itself", BUILTIN, "search_path", "public", true },
	{ "folded", BUILTIN, "search_path", " PUBLIC ", true },
	{ "another path", BUILTIN, "search_path", "secret, public", false },
	{ "a longer path", BUILTIN, "search_path", "public, secret", false },
	{ "an empty path", BUILTIN, "search_path", "", false },
	{ "an empty name", BUILTIN, "search_path", "\"\"", false },
	{ "the default path", BUILTIN, "search_path", NULL, false },
	{ "the catalog last", BUILTIN, "search_path", "public, pg_catalog", false },
	{ "a path with quotes", PATHS, "search_path", "public,\"My \"\"Schema\"", true },
	{ "a part of it", PATHS, "search_path", "public", false },
	{ "a comma at its end", PATHS, "search_path", "public,\"My \"\"Schema\",", false },

	{ "roles", BUILTIN, "role", "payroll_admin", false },
	{ "no role", BUILTIN, "role", NULL, false },
	{ "authorization", BUILTIN, "session_authorization", "x", false },
	{ "replication", BUILTIN, "session_replication_role", "replica", false },
	{ "row security", BUILTIN, "row_security", "off", false },
	{ "libraries", BUILTIN, "session_preload_libraries", "auto_explain", false },
	{ "library paths", BUILTIN, "dynamic_library_path", "/tmp", false },
	{ "logging", BUILTIN, "log_statement", "none", false },
	{ "quotes", BUILTIN, "backslash_quote", "on", false },
	{ "nulls", BUILTIN, "transform_null_equals", "on", false },
	{ "memory", BUILTIN, "work_mem", "64GB", false },
	{ "the planner", BUILTIN, "jit_above_cost", "0", false },
	{ "isolation by default", BUILTIN, "default_transaction_isolation", "serializable", false },
	{ "somebody's own", BUILTIN, "app.tenant", "b", false },
	{ "a name that there is not", BUILTIN, "", "b", false },

	{ "a listed name", LISTED, "work_mem", "64MB", true },
	{ "a listed name of one's own", LISTED, "APP.tenant", NULL, true },
	{ "a listed name keeps its rules", LISTED, "application_name", "a\nb", false },
	{ "a listed timeout keeps its limit", LISTED, "statement_timeout", "6s", false },
	{ "what is not listed is closed", LISTED, "DateStyle", "ISO", false },
	{ "but what connections start with", LISTED, "client_encoding", "UTF8", true },
	{ "and only that", LISTED, "client_encoding", "LATIN1", false },
	{ "nothing opens a role", LISTED, "role", "x", false },

	{ "a listed path may be the pinned one", OPEN_PATH, "search_path", "public", true },
	{ "or one of open schemas", OPEN_PATH, "search_path", "Sales, \"app_2\"", true },
	{ "or nothing", OPEN_PATH, "search_path", "", true },
	{ "or nothing in quotes", OPEN_PATH, "search_path", "\"\"", true },
	{ "or the default", OPEN_PATH, "search_path", NULL, true },
	{ "a schema that is not in the list", OPEN_PATH, "search_path", "public, hr", false },
	{ "a name that only looks like one of the list", OPEN_PATH, "search_path", "\"Sales\"", false },
	{ "two names in quotes are one", OPEN_PATH, "search_path", "\"public, sales\"", false },
	{ "a denied schema", OPEN_PATH, "search_path", "app_secret, public", false },
	{ "temporary objects", OPEN_PATH, "search_path", "pg_temp, public", false },
	{ "the temporary objects of another session", OPEN_PATH, "search_path", "pg_temp_3", false },
	{ "values of long rows", OPEN_PATH, "search_path", "pg_toast", false },
	{ "the user's own schema", OPEN_PATH, "search_path", "\"$user\", public", false },
	{ "the user's own schema without quotes", OPEN_PATH, "search_path", "$user", false },
	{ "the catalog first, where it is anyway", OPEN_PATH, "search_path", "pg_catalog, public", true },
	{ "the catalog behind what could shadow it", OPEN_PATH, "search_path", "public, pg_catalog", false },
	{ "the standard's catalog", OPEN_PATH, "search_path", "information_schema", true },
	{ "no list of names", OPEN_PATH, "search_path", "public sales", false },
	{ "a hole in the list", OPEN_PATH, "search_path", "public,,sales", false },
	{ "a name that the server would cut", OPEN_PATH, "search_path", TOO_LONG "0", false },
	{ "any schema, where all are open", "\"settings\":{\"allow\":[\"Search_Path\"]}", "search_path", "whatever", true },

	{ "the session's settings are not the client's", SESSION, "app.user_id", "somebody", false },
	{ "in no spelling", SESSION, "APP.User_Id", "somebody", false },
	{ "nor back to a default", SESSION, "app.user_id", NULL, false },
	{ "others of that family are as before", SESSION, "app.tenant", "b", false },
	{ "our own settings", "\"settings\":{\"allow\":[\"work_mem\"]}", "pgmoat.mask_key", "x", false },
	{ "our own settings, shouting", BUILTIN, "PGMOAT.MASK_KEY", NULL, false },
};

static struct policy *
parse(const char *members)
{
	struct sb text = { 0 }, errors = { 0 };
	struct policy *p;

	sb_fmt(&text, PROFILE("%s"), members);
	p = policy_parse("f", sb_text(&text), text.len, &errors);
	assert_string_equal(sb_text(&errors), "");
	sb_free(&text);
	sb_free(&errors);
	return p;
}

static void
test_row(void **state)
{
	const struct row *row = *state;
	struct policy *p = parse(row->profile);
	struct err why = { "" };

	assert_int_equal(
	    profile_judge_setting(policy_default_profile(p), row->setting, row->value, &why) == SETTING_PASS, row->pass);
	if (!row->pass)
		assert_true(strlen(why.text) > 10);
	policy_unref(p);
}

static const struct why_row {
	const char *name, *profile, *setting, *value, *why;
} why_rows[] = {
	{ "a refusal names what may be set", BUILTIN, "work_mem", "1GB",
	    "setting \"work_mem\" may not be set; these may: application_name, bytea_output, client_encoding, client_min_messages, "
	    "DateStyle, default_transaction_read_only, extra_float_digits, idle_in_transaction_session_timeout, IntervalStyle, "
	    "jit, lock_timeout, standard_conforming_strings, statement_timeout, TimeZone, transaction_read_only, "
	    "transaction_timeout" },
	{ "or what the policy lists", LISTED, "DateStyle", "ISO",
	    "setting \"DateStyle\" may not be set; these may: Application_Name, work_mem, app.tenant, statement_timeout" },
	{ "or that it is nothing", "\"settings\":{\"allow\":[]}", "DateStyle", "ISO",
	    "setting \"DateStyle\" may not be set: the policy opens none" },
	{ "a refused value names the good ones", BUILTIN, "statement_timeout", "1h",
	    "setting \"statement_timeout\" may be 1ms to 5000ms" },
	{ "some are never opened", BUILTIN, "role", "x", "setting \"role\" may not be set through the firewall" },
	{ "some are ours", BUILTIN, "pgmoat.mask_key", "x", "setting \"pgmoat.mask_key\" may not be set through the firewall" },
	{ "some say who asks", SESSION, "app.User_id", "x", "setting \"app.User_id\" is set by the policy" },
	{ "a path names the schema that is not open", OPEN_PATH, "search_path", "public, hr",
	    "setting \"search_path\" may not hold hr: this schema is not open" },
};

static void
why_row(void **state)
{
	const struct why_row *row = *state;
	struct policy *p = parse(row->profile);
	struct err why = { "" };

	assert_int_equal(profile_judge_setting(policy_default_profile(p), row->setting, row->value, &why), SETTING_REFUSED);
	assert_string_equal(why.text, row->why);
	policy_unref(p);
}

static const struct shown_row {
	const char *name, *profile, *setting; /* NULL: a computed name */
	bool pass;
} shown_rows[] = {
	{ "any setting may be shown", BUILTIN, "work_mem", true },
	{ "the session's, too", SESSION, "app.user_id", true },
	{ "unless its name says that it is a secret", SESSION, "app.token", false },
	{ "our own are not", BUILTIN, "PgMoat.mask_key", false },
	{ "not even others of that family", BUILTIN, "pgmoat.x", false },
	{ "nor what could be one of them", BUILTIN, NULL, false },
};

static void
shown_row(void **state)
{
	const struct shown_row *row = *state;
	struct policy *p = parse(row->profile);
	struct err why = { "" };

	assert_int_equal(profile_judge_shown(policy_default_profile(p), row->setting, &why) == SETTING_PASS, row->pass);
	policy_unref(p);
}

static const struct pinned_row {
	const char *name, *profile, *pinned;
} pinned_rows[] = {
	{ "connections of the built-in policy", BUILTIN,
	    "default_transaction_read_only=on;standard_conforming_strings=on;backslash_quote=safe_encoding;client_encoding=UTF8;"
	    "search_path=public;statement_timeout=5000;lock_timeout=1000;idle_in_transaction_session_timeout=30000;" },
	{ "connections that may write, with one limit less", "\"access_mode\":\"read_write\",\"limits\":{\"lock_timeout\":0}",
	    "standard_conforming_strings=on;backslash_quote=safe_encoding;client_encoding=UTF8;search_path=public;"
	    "statement_timeout=5000;idle_in_transaction_session_timeout=30000;" },
	{ "odd names are quoted", PATHS "," NO_LIMIT,
	    "default_transaction_read_only=on;standard_conforming_strings=on;backslash_quote=safe_encoding;client_encoding=UTF8;"
	    "search_path=public, \"My \"\"Schema\";lock_timeout=1000;idle_in_transaction_session_timeout=30000;" },
	{ "an empty path is said, too", "\"search_path\":[]," NO_LIMIT,
	    "default_transaction_read_only=on;standard_conforming_strings=on;backslash_quote=safe_encoding;client_encoding=UTF8;"
	    "search_path=\"\";lock_timeout=1000;idle_in_transaction_session_timeout=30000;" },
	{ "the key of hashed values", HASHED "," NO_LIMIT,
	    "pgmoat.mask_key=0123456789abcdef;default_transaction_read_only=on;standard_conforming_strings=on;"
	    "backslash_quote=safe_encoding;client_encoding=UTF8;search_path=public;lock_timeout=1000;"
	    "idle_in_transaction_session_timeout=30000;" },
	{ "a key that nothing is hashed with stays here",
	    "\"mask_key\":\"0123456789abcdef\",\"access_mode\":\"read_write\"," NO_LIMIT,
	    "standard_conforming_strings=on;backslash_quote=safe_encoding;client_encoding=UTF8;search_path=public;"
	    "lock_timeout=1000;idle_in_transaction_session_timeout=30000;" },
};

static void
put(void *arg, const char *name, const char *value)
{
	sb_fmt(arg, "%s=%s;", name, value);
}

static void
pinned_row(void **state)
{
	const struct pinned_row *row = *state;
	struct policy *p = parse(row->profile);
	struct sb sb = { 0 };

	profile_pinned(policy_default_profile(p), put, &sb);
	assert_string_equal(sb_text(&sb), row->pinned);
	sb_free(&sb);
	policy_unref(p);
}

int
main(void)
{
	struct CMUnitTest tests[nitems(rows) + nitems(why_rows) + nitems(shown_rows) + nitems(pinned_rows)];
	size_t n = 0;

	for (size_t i = 0; i < nitems(rows); i++)
		tests[n++] = (struct CMUnitTest){ rows[i].name, test_row, NULL, NULL, (void *)(uintptr_t)&rows[i] };
	for (size_t i = 0; i < nitems(why_rows); i++)
		tests[n++] = (struct CMUnitTest){ why_rows[i].name, why_row, NULL, NULL, (void *)(uintptr_t)&why_rows[i] };
	for (size_t i = 0; i < nitems(shown_rows); i++)
		tests[n++] = (struct CMUnitTest){ shown_rows[i].name, shown_row, NULL, NULL, (void *)(uintptr_t)&shown_rows[i] };
	for (size_t i = 0; i < nitems(pinned_rows); i++)
		tests[n++] = (struct CMUnitTest){ pinned_rows[i].name, pinned_row, NULL, NULL, (void *)(uintptr_t)&pinned_rows[i] };
	return cmocka_run_group_tests_name("settings", tests, NULL, NULL);
}
