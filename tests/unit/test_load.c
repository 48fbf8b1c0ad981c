/* tests/unit/test_load.c - the policy file: what it means when it loads, what is said when it does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "profile.h"

/* A file with one profile "a" whose members are given; they start in line 1, column 31. */
#define PROFILE(members) "{\"version\":1,\"profiles\":{\"a\":{" members "}}}"
#define KINDS                                                                                                                \
	"\"select\", \"insert\", \"update\", \"delete\", \"merge\", \"copy_to\", \"copy_from\", \"ddl\", \"call\", \"do\", " \
	"\"explain\", \"show\", \"set\", \"transaction\", \"cursor\", \"prepare\", \"listen\", \"lock\" or \"maintenance\""

static const struct row {
	const char *name;
	const char *text;
	const char *errors; /* all of them; NULL: loads */
} rows[] = {
	{ "the smallest policy", PROFILE(""), NULL },
	{ "every supported key",
	    PROFILE("\"access_mode\":\"read_write\",\"statements\":{\"allow\":[\"select\",\"update\"],\"deny\":[\"do\"]},"
		    "\"multi_statement\":\"each\",\"schemas\":{\"allow\":[\"public\"],\"deny\":[\"secret*\"]},"
		    "\"tables\":{\"allow\":[\"orders\",{\"table\":\"public.users\",\"access\":\"read\"}],\"deny\":[\"*.audit_?\"]},"
		    "\"functions\":{\"allow\":[\"f\",\"public.g(text, numeric(10,2))\",\"extension:hstore\"],\"deny\":[],"
		    "\"volatile\":\"allow\",\"user_defined\":\"allow\"},"
		    "\"settings\":{\"allow\":[\"work_mem\",\"app.tenant\"]},\"search_path\":[\"public\",\"\\\"Sales\\\"\"],"
		    "\"writes\":{\"mode\":\"allow\",\"require_where\":false},"
		    "\"limits\":{\"max_rows\":0,\"max_result_bytes\":\"1GB\",\"on_cap\":\"error\",\"statement_timeout\":\"2min\","
		    "\"lock_timeout\":1500,\"idle_in_transaction_timeout\":\"0s\",\"transaction_timeout\":\"1h\","
		    "\"max_query_bytes\":\"8MB\",\"max_query_depth\":3000,\"max_plan_cost\":null},"
		    "\"hints\":{\"table_denied\":\"Ask.\"}"),
	    NULL },
	{ "write statements under read_only: the mode is a ceiling", PROFILE("\"statements\":{\"allow\":[\"insert\",\"ddl\"]}"),
	    NULL },
	{ "no search path at all", PROFILE("\"search_path\":[]"), NULL },

	{ "not an object", "[]", "f:1:1: expected an object, found a list\n" },
	{ "bad syntax", "{\n \"version\" 1}", "f:2:12: expected ':', found '1'\n" },
	{ "no version", "{\"profiles\":{\"a\":{}}}", "f:1:1: the key \"version\" is missing\n" },
	{ "a version to come", "{\"version\":2,\"profiles\":{\"a\":{}}}", "f:1:12: version: expected 1, found 2\n" },
	{ "no profiles", "{\"version\":1}", "f:1:1: the key \"profiles\" is missing\n" },
	{ "an empty set of profiles", "{\"version\":1,\"profiles\":{}}",
	    "f:1:25: profiles: expected an object with 1 to 1000 profiles, found an object\n" },
	{ "an unknown mode", "{\"version\":1,\"mode\":\"enforced\",\"profiles\":{\"a\":{}}}",
	    "f:1:21: mode: expected \"off\", \"observe\" or \"enforce\", found \"enforced\", did you mean \"enforce\"?\n" },
	{ "mode in a profile", PROFILE("\"mode\":\"off\""), "f:1:31: profiles.a.mode: unknown key\n" },
	{ "a mistyped key", PROFILE("\"acces_mode\":\"read_only\""),
	    "f:1:31: profiles.a.acces_mode: unknown key, did you mean \"access_mode\"?\n" },
	{ "a key like no other", PROFILE("\"firewall\":1"), "f:1:31: profiles.a.firewall: unknown key\n" },
	{ "a key with a newline forges no error", PROFILE("\"a\\nf:1:1: ok\":1"),
	    "f:1:31: profiles.a.a\\x0af:1:1: ok: unknown key\n" },
	{ "a repeated key", PROFILE("\"limits\":{},\n\"limits\":{}"), "f:2:1: the key \"limits\" is repeated\n" },
	{ "a profile that is no object", "{\"version\":1,\"profiles\":{\"a\":1}}",
	    "f:1:30: profiles.a: expected an object, found 1\n" },
	{ "a profile with an odd name", "{\"version\":1,\"profiles\":{\"a b\":{}}}",
	    "f:1:26: profiles.a b: a profile's name has 1 to 63 letters, digits, '_', '.' or '-'\n" },
	{ "an unknown word", PROFILE("\"access_mode\":\"readonly\""),
	    "f:1:45: profiles.a.access_mode: expected \"read_only\" or \"read_write\", found \"readonly\", did you mean "
	    "\"read_only\"?\n" },
	{ "an unknown statement", PROFILE("\"statements\":{\"allow\":[\"selct\"]}"),
	    "f:1:54: profiles.a.statements.allow[0]: expected " KINDS ", found \"selct\", did you mean \"select\"?\n" },
	{ "a list that is none", PROFILE("\"statements\":{\"deny\":\"do\"}"),
	    "f:1:52: profiles.a.statements.deny: expected a list, found \"do\"\n" },
	{ "allowed and denied", PROFILE("\"statements\":{\"allow\":[\"do\"],\"deny\":[\"call\",\"do\"]}"),
	    "f:1:75: profiles.a.statements.deny[1]: \"do\" is in allow, too\n" },
	{ "a schema allowed and denied", PROFILE("\"schemas\":{\"allow\":[\"x\"],\"deny\":[\"x\"]}"),
	    "f:1:64: profiles.a.schemas.deny[0]: \"x\" is in allow, too\n" },
	{ "a table entry allowed and denied", PROFILE("\"tables\":{\"allow\":[{\"table\":\"x\"}],\"deny\":[{\"table\":\"x\"}]}"),
	    "f:1:73: profiles.a.tables.deny[0]: an object is in allow, too\n" },
	{ "read_only with writes", PROFILE("\"writes\":{\"mode\":\"allow\"}"),
	    "f:1:48: profiles.a.writes.mode: \"allow\" contradicts access_mode \"read_only\"\n" },

	{ "an unquoted dash in a name", PROFILE("\"schemas\":{\"allow\":[\"my-schema\"]}"),
	    "f:1:51: profiles.a.schemas.allow[0]: '-' cannot stand in a name without double quotes\n" },
	{ "an empty name", PROFILE("\"schemas\":{\"deny\":[\"\"]}"), "f:1:50: profiles.a.schemas.deny[0]: a name is missing\n" },
	{ "a bracket glob", PROFILE("\"tables\":{\"deny\":[\"public.[ab]\"]}"),
	    "f:1:49: profiles.a.tables.deny[0]: '[' cannot stand in a name without double quotes\n" },
	{ "a quoted glob", PROFILE("\"tables\":{\"deny\":[\"\\\"a*\\\"\"]}"),
	    "f:1:49: profiles.a.tables.deny[0]: * and ? cannot stand in double quotes\n" },
	{ "a quote that does not end", PROFILE("\"tables\":{\"deny\":[\"\\\"a\"]}"),
	    "f:1:49: profiles.a.tables.deny[0]: a double quote is missing\n" },
	{ "a name of three parts", PROFILE("\"tables\":{\"deny\":[\"db.public.x\"]}"),
	    "f:1:49: profiles.a.tables.deny[0]: too many dots: expected a name or schema.name\n" },
	{ "a name that is too long",
	    PROFILE("\"tables\":{\"deny\":[\"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijkl\"]}"),
	    "f:1:49: profiles.a.tables.deny[0]: a name has 63 bytes at most\n" },
	{ "a table that is no string", PROFILE("\"tables\":{\"deny\":[7]}"),
	    "f:1:49: profiles.a.tables.deny[0]: expected \"schema.table\" or {\"table\": ..., \"access\": ...}, found 7\n" },
	{ "a table entry without a table", PROFILE("\"tables\":{\"deny\":[{\"access\":\"read\"}]}"),
	    "f:1:49: profiles.a.tables.deny[0]: the key \"table\" is missing\n" },
	{ "a table entry with unknown access", PROFILE("\"tables\":{\"deny\":[{\"table\":\"x\",\"access\":\"all\"}]}"),
	    "f:1:71: profiles.a.tables.deny[0].access: expected \"read\" or \"write\", found \"all\"\n" },

	{ "any extension may be allowed", PROFILE("\"functions\":{\"allow\":[\"extension:postgis-3\"]}"), NULL },
	{ "an extension without a name", PROFILE("\"functions\":{\"allow\":[\"extension:\"]}"),
	    "f:1:53: profiles.a.functions.allow[0]: the name of an extension is missing\n" },
	{ "an extension with a glob", PROFILE("\"functions\":{\"allow\":[\"extension:pg_*\"]}"),
	    "f:1:53: profiles.a.functions.allow[0]: '*' cannot stand in the name of an extension\n" },
	{ "an unknown extension, denied", PROFILE("\"functions\":{\"deny\":[\"extension:nope\"]}"),
	    "f:1:52: profiles.a.functions.deny[0]: the functions of an extension \"nope\" are not known; name them one by one\n" },
	{ "a signature that does not end", PROFILE("\"functions\":{\"allow\":[\"f(text\"]}"),
	    "f:1:53: profiles.a.functions.allow[0]: parentheses do not match\n" },
	{ "a signature with a hole", PROFILE("\"functions\":{\"allow\":[\"f(text,)\"]}"),
	    "f:1:53: profiles.a.functions.allow[0]: an argument type is missing\n" },
	{ "a function that is no string", PROFILE("\"functions\":{\"deny\":[null]}"),
	    "f:1:52: profiles.a.functions.deny[0]: expected a string, found null\n" },

	{ "a setting that nobody may open", PROFILE("\"settings\":{\"allow\":[\"Role\"]}"),
	    "f:1:52: profiles.a.settings.allow[0]: the setting \"Role\" can never be opened\n" },
	{ "a setting of our own", PROFILE("\"settings\":{\"allow\":[\"PgMoat.x\"]}"),
	    "f:1:52: profiles.a.settings.allow[0]: the setting \"PgMoat.x\" can never be opened\n" },
	{ "a setting with an odd name", PROFILE("\"settings\":{\"allow\":[\"a b\"]}"),
	    "f:1:52: profiles.a.settings.allow[0]: expected the name of a setting, found \"a b\"\n" },
	{ "$user in the search path", PROFILE("\"search_path\":[\"$user\"]"),
	    "f:1:46: profiles.a.search_path[0]: \"$user\" differs from role to role: name the schema\n" },
	{ "pg_catalog in the search path", PROFILE("\"search_path\":[\"public\",\"pg_catalog\"]"),
	    "f:1:55: profiles.a.search_path[1]: \"pg_catalog\" is always searched first: leave it out\n" },
	{ "pg_temp in the search path", PROFILE("\"search_path\":[\"pg_temp\"]"),
	    "f:1:46: profiles.a.search_path[0]: \"pg_temp\" cannot be searched: it is a schema of the system\n" },
	{ "a glob in the search path", PROFILE("\"search_path\":[\"p*\"]"),
	    "f:1:46: profiles.a.search_path[0]: '*' cannot stand in a name without double quotes\n" },
	{ "a schema twice in the search path", PROFILE("\"search_path\":[\"a\",\"A\"]"),
	    "f:1:45: profiles.a.search_path: \"a\" is repeated\n" },

	{ "a negative limit", PROFILE("\"limits\":{\"max_rows\":-1}"),
	    "f:1:52: profiles.a.limits.max_rows: expected a whole number from 0 to 1000000000000, found -1\n" },
	{ "a limit with a fraction", PROFILE("\"limits\":{\"max_rows\":1.5}"),
	    "f:1:52: profiles.a.limits.max_rows: expected a whole number from 0 to 1000000000000, found 1.5\n" },
	{ "a limit that is null", PROFILE("\"limits\":{\"max_rows\":null}"),
	    "f:1:52: profiles.a.limits.max_rows: expected a whole number from 0 to 1000000000000, found null\n" },
	{ "a size with an unknown unit", PROFILE("\"limits\":{\"max_result_bytes\":\"16mb\"}"),
	    "f:1:60: profiles.a.limits.max_result_bytes: expected a size such as \"256kB\" or \"16MB\", from 0 to 1099511627776 "
	    "bytes, found \"16mb\"\n" },
	{ "a size that overflows", PROFILE("\"limits\":{\"max_result_bytes\":\"999999999999999GB\"}"),
	    "f:1:60: profiles.a.limits.max_result_bytes: expected a size such as \"256kB\" or \"16MB\", from 0 to 1099511627776 "
	    "bytes, found \"999999999999999GB\"\n" },
	{ "a time with something behind it", PROFILE("\"limits\":{\"lock_timeout\":\"5s \"}"),
	    "f:1:56: profiles.a.limits.lock_timeout: expected a time such as \"500ms\", \"5s\", \"2min\" or \"1h\", from 0 to "
	    "2147483647 milliseconds, found \"5s \"\n" },
	{ "a depth that the walk cannot go", PROFILE("\"limits\":{\"max_query_depth\":0}"),
	    "f:1:59: profiles.a.limits.max_query_depth: expected a whole number from 1 to 3000, found 0\n" },
	{ "a hint for no rule", PROFILE("\"hints\":{\"table_denid\":\"x\"}"),
	    "f:1:40: profiles.a.hints.table_denid: unknown rule, did you mean \"table_denied\"?\n" },
	{ "an empty hint", PROFILE("\"hints\":{\"read_only\":\"\"}"),
	    "f:1:52: profiles.a.hints.read_only: expected a text of 1 to 1000 bytes, found \"\"\n" },

	{ "dry_run is not supported yet", PROFILE("\"writes\":{\"mode\":\"dry_run\",\"max_affected_rows\":1}"),
	    "f:1:48: profiles.a.writes.mode: \"dry_run\" is not supported yet\n" },
	{ "nor is approve", PROFILE("\"writes\":{\"mode\":\"approve\"}"),
	    "f:1:48: profiles.a.writes.mode: \"approve\" is not supported yet\n" },
	{ "costs, rates and concurrency",
	    PROFILE("\"limits\":{\"max_plan_cost\":1e6,\"rate_per_minute\":300,\"burst\":60,\"max_concurrent\":8}"), NULL },
	{ "a cost below nothing", PROFILE("\"limits\":{\"max_plan_cost\":-0.5}"),
	    "f:1:57: profiles.a.limits.max_plan_cost: expected null or a number from 0 to 1000000000000000, found -0.5\n" },
	{ "a cost that is a text", PROFILE("\"limits\":{\"max_plan_cost\":\"1\"}"),
	    "f:1:57: profiles.a.limits.max_plan_cost: expected null or a number from 0 to 1000000000000000, found \"1\"\n" },
	{ "a rate that is null", PROFILE("\"limits\":{\"rate_per_minute\":null}"),
	    "f:1:59: profiles.a.limits.rate_per_minute: expected a whole number from 0 to 1000000000, found null\n" },
	{ "a burst of nothing", PROFILE("\"limits\":{\"rate_per_minute\":1,\"burst\":0}"),
	    "f:1:69: profiles.a.limits.burst: expected a whole number from 1 to 1000000000, found 0\n" },
	{ "a burst without a rate", PROFILE("\"limits\":{\"burst\":5}"),
	    "f:1:41: profiles.a.limits.burst: means nothing without rate_per_minute\n" },
	{ "no row may be affected", PROFILE("\"writes\":{\"max_affected_rows\":0}"),
	    "f:1:61: profiles.a.writes.max_affected_rows: expected a whole number from 1 to 1000000000000, found 0\n" },
	{ "the schema that editors read", "{\"$schema\":\"x\",\"version\":1,\"profiles\":{\"a\":{}}}", NULL },
	{ "a schema that is no text", "{\"$schema\":1,\"version\":1,\"profiles\":{\"a\":{}}}",
	    "f:1:12: $schema: expected a string, found 1\n" },

	{ "several profiles and no default", "{\"version\":1,\"profiles\":{\"a\":{},\"b\":{}}}",
	    "f:1:1: the key \"default_profile\" is missing: there are several profiles\n" },
	{ "a default that is not there", "{\"version\":1,\"profiles\":{\"agent\":{}},\"default_profile\":\"agnet\"}",
	    "f:1:56: default_profile: there is no profile \"agnet\", did you mean \"agent\"?\n" },
	{ "an assignment to nobody", "{\"version\":1,\"profiles\":{\"a\":{}},\n\"assign\":[{\"user\":\"x*\",\"profile\":\"zz\"}]}",
	    "f:2:34: assign[0].profile: there is no profile \"zz\"\n" },
	{ "an assignment without a profile", "{\"version\":1,\"profiles\":{\"a\":{}},\n\"assign\":[{\"user\":\"x\"}]}",
	    "f:2:11: assign[0]: the key \"profile\" is missing\n" },
	{ "an empty glob", "{\"version\":1,\"profiles\":{\"a\":{}},\n\"assign\":[{\"user\":\"\",\"profile\":\"a\"}]}",
	    "f:2:19: assign[0].user: expected a name, perhaps with * and ?, found \"\"\n" },
	{ "an address range with bits behind its prefix",
	    "{\"version\":1,\"profiles\":{\"a\":{}},\n\"assign\":[{\"client\":\"10.0.0.1/8\",\"profile\":\"a\"}]}",
	    "f:2:21: assign[0].client: \"10.0.0.1/8\" has address bits behind its prefix\n" },
	{ "an address that is none",
	    "{\"version\":1,\"profiles\":{\"a\":{}},\n\"assign\":[{\"client\":\"10.0.0.0/33\",\"profile\":\"a\"}]}",
	    "f:2:21: assign[0].client: expected an address, an address range such as \"10.0.0.0/8\", \"unix\" or \"*\", found "
	    "\"10.0.0.0/33\"\n" },
	{ "all errors at once, in the order of the file",
	    "{ // x\n  \"version\": \"1\",\n  \"profiles\": {\n    \"a\": { \"limit\": {}, \"access_mode\": 1 },\n  },\n  "
	    "\"defaultprofile\": 1,\n}",
	    "f:2:14: version: expected 1, found \"1\"\nf:4:12: profiles.a.limit: unknown key, did you mean \"limits\"?\n"
	    "f:4:40: profiles.a.access_mode: expected \"read_only\" or \"read_write\", found 1\n"
	    "f:6:3: defaultprofile: unknown key, did you mean \"default_profile\"?\n" },
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
assert_same_list(const struct string_list *a, const struct string_list *b)
{
	assert_int_equal(a->n, b->n);
	for (size_t i = 0; i < a->n; i++)
		assert_string_equal(a->items[i], b->items[i]);
}

static void
absent_keys_mean_the_built_in_policy(void **state)
{
	struct policy *builtin = policy_builtin(), *empty = parse(PROFILE(""));
	const struct profile *a = policy_default_profile(builtin), *b = policy_default_profile(empty);

	(void)state;
	assert_memory_equal(&a->limits, &b->limits, sizeof(a->limits));
	assert_int_equal(a->read_only, b->read_only);
	assert_int_equal(a->statements_allow, b->statements_allow);
	assert_int_equal(a->statements_deny, b->statements_deny);
	assert_int_equal(a->multi, b->multi);
	assert_int_equal(a->writes, b->writes);
	assert_int_equal(a->require_where, b->require_where);
	assert_int_equal(a->volatile_allow, b->volatile_allow);
	assert_int_equal(a->user_defined_allow, b->user_defined_allow);
	assert_int_equal(a->settings_allow.set, b->settings_allow.set);
	assert_same_list(&a->search_path, &b->search_path);
	for (int rule = 0; rule <= RULE_PROTOCOL; rule++)
		assert_string_equal(profile_hint(a, (enum rule)rule), profile_hint(b, (enum rule)rule));
	policy_unref(builtin);
	policy_unref(empty);
}

/* writes.mode still says whether there are writes at all. */
static void
an_absent_list_restricts_no_data_statement(void **state)
{
	const uint32_t writes = 1u << KIND_INSERT | 1u << KIND_UPDATE | 1u << KIND_DELETE | 1u << KIND_MERGE;
	const uint32_t named = 1u << KIND_DDL | 1u << KIND_COPY_TO | 1u << KIND_COPY_FROM | 1u << KIND_CALL | 1u << KIND_DO |
			       1u << KIND_LOCK | 1u << KIND_MAINTENANCE | 1u << KIND_LISTEN;
	struct policy *p = parse(PROFILE("\"access_mode\":\"read_write\""));
	struct policy *q = parse(PROFILE("\"access_mode\":\"read_write\",\"statements\":{\"allow\":[]}"));
	struct policy *r = parse(PROFILE(""));

	(void)state;
	assert_int_equal(policy_default_profile(p)->statements_allow & writes, writes);
	assert_int_equal(policy_default_profile(p)->statements_allow & named, 0);
	assert_int_equal(policy_default_profile(q)->statements_allow & (writes | named | 1u << KIND_SELECT), 0);
	assert_int_equal(policy_default_profile(r)->statements_allow & (writes | named), 0);
	policy_unref(p);
	policy_unref(q);
	policy_unref(r);
}

static void
values_arrive(void **state)
{
	struct policy *p =
	    parse("{\"version\":1,\"mode\":\"observe\",\"profiles\":{\"a\":{\"access_mode\":\"read_write\","
		  "\"statements\":{\"allow\":[\"select\",\"delete\"],\"deny\":[\"do\"]},\"multi_statement\":\"deny\","
		  "\"tables\":{\"allow\":[\"Orders\",{\"table\":\"Public.\\\"Users\\\"\",\"access\":\"read\"}]},"
		  "\"functions\":{\"allow\":[\"Public.F(int, numeric(3,1))\",\"g()\",\"v(variadic text[])\"]},"
		  "\"limits\":{\"max_result_bytes\":\"2kB\",\"statement_timeout\":\"2min\",\"lock_timeout\":7,"
		  "\"on_cap\":\"error\"},\"hints\":{\"read_only\":\"No.\"}}}}");
	const struct profile *a = policy_profile(p, "a");

	(void)state;
	assert_int_equal(profile_mode(a), MODE_OBSERVE);
	assert_false(profile_read_only(a));
	assert_int_equal(a->statements_allow, 1u << KIND_SELECT | 1u << KIND_DELETE | 1u << KIND_EMPTY);
	assert_int_equal(a->statements_deny, 1u << KIND_DO);
	assert_int_equal(a->multi, MULTI_DENY);
	assert_string_equal(a->tables_allow[0].schema, "*");
	assert_string_equal(a->tables_allow[0].name, "orders");
	assert_int_equal(a->tables_allow[0].access, ACCESS_READ | ACCESS_WRITE);
	assert_string_equal(a->tables_allow[1].schema, "public");
	assert_string_equal(a->tables_allow[1].name, "Users");
	assert_int_equal(a->tables_allow[1].access, ACCESS_READ);
	assert_string_equal(a->functions_allow[0].name, "f");
	assert_int_equal(a->functions_allow[0].nargs, 2);
	assert_string_equal(a->functions_allow[0].signature, "int, numeric(3,1)");
	assert_int_equal(a->functions_allow[1].nargs, 0);
	assert_int_equal(a->functions_allow[2].nargs, -1);
	assert_int_equal(a->limits.max_result_bytes, 2048);
	assert_int_equal(a->limits.statement_timeout, 120000);
	assert_int_equal(a->limits.lock_timeout, 7);
	assert_int_equal(a->limits.on_cap, ON_CAP_ERROR);
	assert_int_equal(a->limits.max_plan_cost, 0);
	assert_int_equal(a->limits.max_affected_rows, 0);
	assert_string_equal(profile_hint(a, RULE_READ_ONLY), "No.");
	assert_string_equal(profile_hint(a, RULE_STATEMENT_NOT_ALLOWED), "This connection allows: select, delete.");
	assert_null(policy_profile(p, "b"));
	policy_unref(p);
}

static void
rates_and_costs_arrive(void **state)
{
	struct policy *p =
	    parse("{\"version\":1,\"default_profile\":\"a\",\"profiles\":{\"a\":{\"limits\":{\"max_plan_cost\":1000.5,"
		  "\"rate_per_minute\":300,\"max_concurrent\":8},\"writes\":{\"max_affected_rows\":100}},"
		  "\"b\":{\"limits\":{\"rate_per_minute\":3}},\"c\":{\"limits\":{\"rate_per_minute\":3,\"burst\":9}}}}");
	const struct limits *a = profile_limits(policy_profile(p, "a"));

	(void)state;
	assert_true(a->max_plan_cost == 1000.5);
	assert_int_equal(a->rate_per_minute, 300);
	assert_int_equal(a->burst, 60); /* a fifth of the rate */
	assert_int_equal(a->max_concurrent, 8);
	assert_int_equal(a->max_affected_rows, 100);
	assert_int_equal(profile_limits(policy_profile(p, "b"))->burst, 1);
	assert_int_equal(profile_limits(policy_profile(p, "c"))->burst, 9);
	policy_unref(p);
}

static void
generations_differ(void **state)
{
	struct policy *a = policy_builtin(), *b = policy_builtin();

	(void)state;
	assert_int_not_equal(policy_generation(a), policy_generation(b));
	assert_string_equal(policy_source(a), "built-in policy");
	assert_ptr_equal(policy_ref(a), a);
	policy_unref(a);
	policy_unref(a);
	policy_unref(b);
}

static void
a_file_that_is_not_there(void **state)
{
	struct sb errors = { 0 };

	(void)state;
	assert_null(policy_load("/nonexistent/policy.json", &errors));
	assert_string_equal(sb_text(&errors), "/nonexistent/policy.json: No such file or directory\n");
	sb_clear(&errors);
	assert_null(policy_load("/tmp", &errors));
	assert_string_equal(sb_text(&errors), "/tmp: Is a directory\n");
	sb_free(&errors);
}

int
main(void)
{
	static const struct CMUnitTest fixed[] = {
		{ "an absent statement list restricts no data statement", an_absent_list_restricts_no_data_statement, NULL, NULL,
		    NULL },
		{ "absent keys mean the built-in policy", absent_keys_mean_the_built_in_policy, NULL, NULL, NULL },
		{ "values arrive where they belong", values_arrive, NULL, NULL, NULL },
		{ "rates and costs arrive, too", rates_and_costs_arrive, NULL, NULL, NULL },
		{ "generations differ", generations_differ, NULL, NULL, NULL },
		{ "a file that cannot be read", a_file_that_is_not_there, NULL, NULL, NULL },
	};
	struct CMUnitTest tests[nitems(rows) + nitems(fixed)];
	size_t n = 0;

	for (size_t i = 0; i < nitems(rows); i++)
		tests[n++] = (struct CMUnitTest){ rows[i].name, test_row, NULL, NULL, (void *)(uintptr_t)&rows[i] };
	for (size_t i = 0; i < nitems(fixed); i++)
		tests[n++] = fixed[i];
	return cmocka_run_group_tests_name("load", tests, NULL, NULL);
}
