/* tests/unit/test_profile.c - globs, assignment, relations and hints. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "profile.h"

#define PROFILE(members) "{\"version\":1,\"profiles\":{\"a\":{" members "}}}"

static struct policy *
parse(const char *text)
{
	struct sb errors = { 0 };
	struct policy *p = policy_parse("f", text, strlen(text), &errors);

	assert_string_equal(sb_text(&errors), "");
	sb_free(&errors);
	return p;
}

static const struct glob_row {
	const char *name, *pattern, *text;
	bool match;
} glob_rows[] = {
	{ "a plain pattern matches itself", "orders", "orders", true },
	{ "and nothing longer", "orders", "orders2", false },
	{ "nor shorter", "orders", "order", false },
	{ "a star matches nothing", "a*", "a", true },
	{ "a star matches much", "audit_*", "audit_2024_x", true },
	{ "stars on both sides", "*pay*", "my_payroll", true },
	{ "a star goes back", "*ab", "aab", true },
	{ "two stars go back", "*a*b", "xaxbxab", true },
	{ "a question mark is one character", "t?", "t", false },
	{ "and only one", "t?", "t12", false },
	{ "globs know case", "Orders", "orders", false },
	{ "the empty pattern matches the empty text", "", "", true },
	{ "and nothing else", "", "a", false },
	{ "many stars do not take for ever", "a*a*a*a*a*a*a*a*a*a*a*b",
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false },
};

static void
glob_row(void **state)
{
	const struct glob_row *row = *state;

	assert_int_equal(glob_match(row->pattern, row->text), row->match);
}

/* --- relations ------------------------------------------------------------- */

#define SECRETS "\"schemas\":{\"deny\":[\"secret\"]},\"tables\":{\"deny\":[\"public.payroll\",\"*.audit_*\"]}"
#define R ACCESS_READ
#define W ACCESS_WRITE

static const struct relation_row {
	const char *name, *profile, *schema, *relation;
	unsigned access;
	enum name_answer answer;
	const char *resolved;
} relation_rows[] = {
	{ "an open table by its full name", SECRETS, "public", "orders", R, NAME_OPEN, "public" },
	{ "and without its schema", SECRETS, NULL, "orders", R, NAME_OPEN, "public" },
	{ "an empty schema is none", SECRETS, "", "orders", R, NAME_OPEN, "public" },
	{ "a denied schema", SECRETS, "secret", "api_keys", R, NAME_DENIED_SCHEMA, "secret" },
	{ "a denied table", SECRETS, "public", "payroll", R, NAME_DENIED_TABLE, "public" },
	{ "a denied table without its schema", SECRETS, NULL, "payroll", R, NAME_DENIED_TABLE, "public" },
	{ "the same name in another schema", SECRETS, "hr", "payroll", R, NAME_OPEN, "hr" },
	{ "a name in another case is another table", SECRETS, "public", "Payroll", R, NAME_OPEN, "public" },
	{ "a glob in any schema", SECRETS, "hr", "audit_log", R, NAME_DENIED_TABLE, "hr" },
	{ "a glob and no schema", SECRETS, NULL, "audit_log", R, NAME_DENIED_TABLE, "public" },
	{ "a denied table in the second schema of the path", "\"search_path\":[\"a\",\"b\"],\"tables\":{\"deny\":[\"b.t\"]}", NULL,
	    "t", R, NAME_DENIED_TABLE, "b" },
	{ "a denied schema on the path", "\"search_path\":[\"a\",\"b\"],\"schemas\":{\"deny\":[\"b\"]}", NULL, "t", R,
	    NAME_DENIED_SCHEMA, "b" },
	{ "no path: only the catalog is there", "\"search_path\":[]", NULL, "pg_class", R, NAME_OPEN, "pg_catalog" },
	{ "allowed schemas close the others", "\"schemas\":{\"allow\":[\"public\"]}", "hr", "t", R, NAME_DENIED_SCHEMA, "hr" },
	{ "allowed schemas leave the catalog open", "\"schemas\":{\"allow\":[\"shop\"]}", "pg_catalog", "pg_class", R, NAME_OPEN,
	    "pg_catalog" },
	{ "and information_schema", "\"schemas\":{\"allow\":[\"shop\"]}", "information_schema", "tables", R, NAME_OPEN,
	    "information_schema" },
	{ "an unqualified catalog name is the catalog's", "\"schemas\":{\"allow\":[\"shop\"]}", NULL, "pg_class", R, NAME_OPEN,
	    "pg_catalog" },
	{ "deny beats allow", "\"schemas\":{\"allow\":[\"*\"],\"deny\":[\"hr\"]}", "hr", "t", R, NAME_DENIED_SCHEMA, "hr" },
	{ "an empty list of tables allows none", "\"tables\":{\"allow\":[]}", "public", "orders", R, NAME_DENIED_TABLE, "public" },
	{ "but the catalog", "\"tables\":{\"allow\":[]}", NULL, "pg_attribute", R, NAME_OPEN, "pg_catalog" },
	{ "a listed table", "\"tables\":{\"allow\":[\"public.orders\"]}", NULL, "orders", R, NAME_OPEN, "public" },
	{ "an unlisted table", "\"tables\":{\"allow\":[\"public.orders\"]}", NULL, "users", R, NAME_DENIED_TABLE, "public" },
	{ "listed for reading only", "\"tables\":{\"allow\":[{\"table\":\"orders\",\"access\":\"read\"}]}", "public", "orders",
	    R | W, NAME_DENIED_TABLE, "public" },
	{ "listed for writing can be read", "\"tables\":{\"allow\":[{\"table\":\"orders\",\"access\":\"write\"}]}", "public",
	    "orders", R | W, NAME_OPEN, "public" },
	{ "denied for writing can be read", "\"tables\":{\"deny\":[{\"table\":\"orders\",\"access\":\"write\"}]}", "public",
	    "orders", R, NAME_OPEN, "public" },
	{ "denied for writing", "\"tables\":{\"deny\":[{\"table\":\"orders\",\"access\":\"write\"}]}", "public", "orders", W,
	    NAME_DENIED_TABLE, "public" },
	{ "a catalog cannot be written", "\"access_mode\":\"read_write\"", "pg_catalog", "pg_settings", W, NAME_DENIED_TABLE,
	    "pg_catalog" },
	{ "statistics leak values", "", NULL, "pg_stats", R, NAME_DENIED_TABLE, "pg_catalog" },
	{ "by their full name, too", "", "pg_catalog", "pg_statistic", R, NAME_DENIED_TABLE, "pg_catalog" },
	{ "a glob does not open what leaks", "\"tables\":{\"allow\":[\"*.*\"]}", NULL, "pg_authid", R, NAME_DENIED_TABLE,
	    "pg_catalog" },
	{ "its exact name does", "\"tables\":{\"allow\":[\"pg_catalog.pg_authid\"]}", NULL, "pg_authid", R, NAME_OPEN,
	    "pg_catalog" },
	{ "unless it is denied, too", "\"tables\":{\"allow\":[\"pg_catalog.pg_authid\"],\"deny\":[\"pg_authid\"]}", NULL,
	    "pg_authid", R, NAME_DENIED_TABLE, "pg_catalog" },
	{ "TOAST tables are values of other tables", "", "pg_toast", "pg_toast_16400", R, NAME_DENIED_TABLE, "pg_toast" },
	{ "other sessions' statements in any schema", "", "ext", "pg_stat_statements", R, NAME_DENIED_TABLE, "ext" },
	{ "and in none", "\"search_path\":[]", NULL, "pg_stat_statements", R, NAME_DENIED_TABLE, "pg_catalog" },
	{ "a relation that only newer servers have is looked for in the path, too", "\"tables\":{\"deny\":[\"public.pg_stat_io\"]}",
	    NULL, "pg_stat_io", R, NAME_DENIED_TABLE, "public" },
};

static void
relation_row(void **state)
{
	const struct relation_row *row = *state;
	const char *resolved = NULL;
	struct sb text = { 0 };
	struct policy *p;

	sb_fmt(&text, PROFILE("%s"), row->profile);
	p = parse(sb_text(&text));
	assert_int_equal(
	    profile_relation(policy_default_profile(p), row->schema, row->relation, row->access, &resolved), row->answer);
	assert_string_equal(resolved, row->resolved);
	assert_int_equal(profile_relation(policy_default_profile(p), row->schema, row->relation, row->access, NULL), row->answer);
	policy_unref(p);
	sb_free(&text);
}

/* What may be read of the catalogs, under the built-in policy. */
static const struct catalog_row {
	const char *schema, *name;
	bool open;
} catalog_rows[] = {
	{ "pg_catalog", "pg_class", true },
	{ "pg_catalog", "pg_roles", true },
	{ "pg_catalog", "pg_policy", true },
	{ "pg_catalog", "pg_foreign_server", true },
	{ "pg_catalog", "pg_statistic_ext", true },
	{ "pg_catalog", "pg_settings", true },
	{ "pg_catalog", "pg_locks", true },
	{ "pg_catalog", "pg_stat_user_tables", true },
	{ "pg_catalog", "pg_cursors", true },
	{ "pg_catalog", "pg_prepared_statements", true },
	{ "information_schema", "columns", true },
	{ "pg_catalog", "pg_stats", false },
	{ "pg_catalog", "pg_stats_ext", false },
	{ "pg_catalog", "pg_stats_ext_exprs", false },
	{ "pg_catalog", "pg_statistic", false },
	{ "pg_catalog", "pg_statistic_ext_data", false },
	{ "pg_catalog", "pg_authid", false },
	{ "pg_catalog", "pg_shadow", false },
	{ "pg_catalog", "pg_user_mapping", false },
	{ "pg_catalog", "pg_user_mappings", false },
	{ "pg_catalog", "pg_largeobject", false },
	{ "pg_catalog", "pg_stat_activity", false },
	{ "pg_catalog", "pg_db_role_setting", false },
	{ "pg_catalog", "pg_hba_file_rules", false },
	{ "pg_catalog", "pg_ident_file_mappings", false },
	{ "pg_catalog", "pg_file_settings", false },
	{ "pg_catalog", "pg_subscription", false },
	{ "pg_catalog", "pg_config", false },
	{ "pg_catalog", "pg_backend_memory_contexts", false },
	{ "pg_catalog", "pg_shmem_allocations", false },
	{ "information_schema", "user_mapping_options", false },
	{ "information_schema", "_pg_user_mappings", false },
};

static void
catalogs_that_leak_are_closed(void **state)
{
	struct policy *p = policy_builtin();

	(void)state;
	for (size_t i = 0; i < nitems(catalog_rows); i++)
		if ((profile_relation(policy_default_profile(p), catalog_rows[i].schema, catalog_rows[i].name, R, NULL) ==
			NAME_OPEN) != catalog_rows[i].open)
			fail_msg("%s.%s", catalog_rows[i].schema, catalog_rows[i].name);
	assert_true(catalog_relation("pg_class"));
	assert_false(catalog_relation("orders"));
	policy_unref(p);
}

/* --- assignment -------------------------------------------------------------- */

static const char assignments[] =
    "{\"version\":1,\"profiles\":{\"none\":{},\"mcp\":{},\"net\":{},\"six\":{},\"local\":{},\"app\":{}},\"assign\":["
    "{\"user\":\"mcp_*\",\"database\":\"shop\",\"application_name\":\"*\",\"profile\":\"mcp\"},"
    "{\"client\":\"10.1.0.0/20\",\"profile\":\"net\"},{\"client\":\"fd00::/9\",\"profile\":\"six\"},"
    "{\"client\":\"unix\",\"profile\":\"local\"},{\"client\":\"*\",\"application_name\":\"?app\",\"profile\":\"app\"}],"
    "\"default_profile\":\"none\"}";

static const struct assign_row {
	const char *name;
	struct principal who; /* user, database, application, client */
	const char *profile;
} assign_rows[] = {
	{ "user and database", { "mcp_1", "shop", "", "9.9.9.9" }, "mcp" },
	{ "all conditions must hold", { "mcp_1", "bank", "", "9.9.9.9" }, "none" },
	{ "the first match wins", { "mcp_1", "shop", "", "10.1.2.3" }, "mcp" },
	{ "an address in a range", { "x", "shop", "", "10.1.15.255" }, "net" },
	{ "an address behind it", { "x", "shop", "", "10.1.16.0" }, "none" },
	{ "an IPv4 address in IPv6", { "x", "shop", "", "::ffff:10.1.0.1" }, "net" },
	{ "an IPv6 range", { "x", "shop", "", "fd7f::1" }, "six" },
	{ "an address behind it, by one bit", { "x", "shop", "", "fd80::1" }, "none" },
	{ "a unix socket", { "x", "shop", "", "unix" }, "local" },
	{ "an application", { "x", "shop", "1app", "9.9.9.9" }, "app" },
	{ "nothing known", { "", "", "", "" }, "none" },
};

static void
assign_row(void **state)
{
	const struct assign_row *row = *state;
	struct policy *p = parse(assignments);

	assert_string_equal(profile_name(policy_assign(p, &row->who)), row->profile);
	policy_unref(p);
}

static void
every_rule_has_a_hint(void **state)
{
	struct policy *p = policy_builtin();

	(void)state;
	for (int rule = RULE_NONE + 1; rule <= RULE_PROTOCOL; rule++)
		assert_true(strlen(profile_hint(policy_default_profile(p), (enum rule)rule)) > 10);
	policy_unref(p);
}

int
main(void)
{
	static const struct CMUnitTest fixed[] = {
		{ "catalogs that leak are closed, the others open", catalogs_that_leak_are_closed, NULL, NULL, NULL },
		{ "every rule has a hint", every_rule_has_a_hint, NULL, NULL, NULL },
	};
	struct CMUnitTest tests[nitems(glob_rows) + nitems(relation_rows) + nitems(assign_rows) + nitems(fixed)];
	size_t n = 0;

	for (size_t i = 0; i < nitems(glob_rows); i++)
		tests[n++] = (struct CMUnitTest){ glob_rows[i].name, glob_row, NULL, NULL, (void *)(uintptr_t)&glob_rows[i] };
	for (size_t i = 0; i < nitems(relation_rows); i++)
		tests[n++] =
		    (struct CMUnitTest){ relation_rows[i].name, relation_row, NULL, NULL, (void *)(uintptr_t)&relation_rows[i] };
	for (size_t i = 0; i < nitems(assign_rows); i++)
		tests[n++] = (struct CMUnitTest){ assign_rows[i].name, assign_row, NULL, NULL, (void *)(uintptr_t)&assign_rows[i] };
	for (size_t i = 0; i < nitems(fixed); i++)
		tests[n++] = fixed[i];
	return cmocka_run_group_tests_name("profile", tests, NULL, NULL);
}
