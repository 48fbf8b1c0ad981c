/* tests/unit/test_decide.c - which rule stops what, under four profiles. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy.h"

/* ro: an agent that reads. rw: one that writes, carefully. all: everything
 * that can be allowed. open: read-write without any list. dry: writes are listed
 * and yet denied. */
static const char policy_text[] =
    "{ \"version\": 1, \"mode\": \"enforce\", \"profiles\": {"
    "  \"ro\": { \"access_mode\": \"read_only\","
    "    \"statements\": { \"allow\": [\"select\", \"explain\", \"show\", \"set\", \"transaction\", \"cursor\", \"prepare\"] },"
    "    \"multi_statement\": \"handshake\", \"schemas\": { \"deny\": [\"secret\"] }, \"tables\": { \"deny\": [\"public.payroll\"] "
    "} },"
    "  \"rw\": { \"access_mode\": \"read_write\", \"multi_statement\": \"each\","
    "    \"statements\": { \"allow\": [\"select\", \"insert\", \"update\", \"delete\", \"transaction\"] },"
    "    \"tables\": { \"deny\": [ \"public.payroll\", { \"table\": \"public.users\", \"access\": \"write\" } ] },"
    "    \"writes\": { \"mode\": \"allow\", \"require_where\": true } },"
    "  \"all\": { \"access_mode\": \"read_write\", \"multi_statement\": \"deny\","
    "    \"statements\": { \"allow\": [\"select\", \"insert\", \"update\", \"delete\", \"merge\", \"copy_to\", \"copy_from\", "
    "\"ddl\", \"call\","
    "      \"do\", \"explain\", \"show\", \"set\", \"transaction\", \"cursor\", \"prepare\", \"listen\", \"lock\", "
    "\"maintenance\"] },"
    "    \"functions\": { \"allow\": [\"public.p\"] }, \"writes\": { \"mode\": \"allow\", \"require_where\": false } },"
    "  \"open\": { \"access_mode\": \"read_write\" },"
    "  \"dry\": { \"access_mode\": \"read_write\", \"statements\": { \"allow\": [\"insert\"] }, \"writes\": { \"mode\": \"deny\" } "
    "}"
    "}, \"default_profile\": \"ro\" }";

static const struct row {
	const char *name, *profile, *sql;
	enum rule rule;
} rows[] = {
	/* texts */
	{ "an empty text passes", "ro", "", RULE_NONE },
	{ "a semicolon passes", "ro", ";", RULE_NONE },
	{ "a comment alone passes", "ro", "-- ping", RULE_NONE },
	{ "text that does not parse is refused", "ro", "SELEC 1", RULE_PARSE_ERROR },
	{ "text that is not UTF-8 is refused", "ro", "SELECT '\xff'", RULE_ENCODING },
	{ "a parameter of number 0 is refused", "ro", "SELECT $0", RULE_PARSE_ERROR },

	/* settings that are read */
	{ "a setting of the server may be shown", "ro", "SHOW TimeZone", RULE_NONE },
	{ "a setting of an application may be shown", "ro", "SELECT current_setting('app.tenant', true)", RULE_NONE },
	{ "unless its name says what it is", "ro", "SELECT current_setting('app.jwt_secret', true)", RULE_FUNCTION_DENIED },
	{ "whatever the case", "ro", "SHOW app.\"API_Key\"", RULE_SETTING_DENIED },
	{ "a computed name could be any", "ro", "SELECT current_setting('app.' || 'x')", RULE_FUNCTION_DENIED },
	{ "a name from rows too", "ro", "SELECT current_setting(n) FROM unnest(ARRAY['a']) n", RULE_FUNCTION_DENIED },
	{ "a name as the value before the dot too", "ro", "SELECT n.current_setting FROM (SELECT 'a'::text) n",
	    RULE_FUNCTION_DENIED },

	/* what tools begin with */
	{ "pgAdmin's first batch passes", "ro",
	    "SET DateStyle=ISO; SET client_min_messages=notice; SELECT set_config('bytea_output','hex',false) "
	    "FROM pg_show_all_settings() WHERE name = 'bytea_output'; SET client_encoding='utf-8';",
	    RULE_NONE },
	{ "set_config in a batch is judged", "ro", "SELECT set_config('role', 'x', false); SET TimeZone = 'UTC'",
	    RULE_FUNCTION_DENIED },
	{ "set_config over a table is no housekeeping", "ro",
	    "SELECT set_config('TimeZone', 'UTC', false) FROM users; SHOW TimeZone", RULE_MULTI_STATEMENT },
	{ "nor over any rows", "ro", "SELECT set_config('jit', 'off', false) FROM generate_series(1, 9); SHOW jit",
	    RULE_MULTI_STATEMENT },

	/* read-only is a ceiling */
	{ "a read passes", "ro", "SELECT * FROM users", RULE_NONE },
	{ "INSERT is refused", "ro", "INSERT INTO t VALUES (1)", RULE_READ_ONLY },
	{ "UPDATE is refused", "ro", "UPDATE t SET a = 1 WHERE b = 2", RULE_READ_ONLY },
	{ "DELETE is refused", "ro", "DELETE FROM t WHERE a = 1", RULE_READ_ONLY },
	{ "MERGE is refused", "ro", "MERGE INTO t USING u ON t.a = u.a WHEN MATCHED THEN DELETE", RULE_READ_ONLY },
	{ "a CTE that deletes is refused", "ro", "WITH d AS (DELETE FROM t RETURNING *) SELECT * FROM d", RULE_READ_ONLY },
	{ "a CTE that deletes inside a CTE is refused", "ro", "WITH a AS (SELECT 1), d AS (UPDATE t SET a = 1) TABLE a",
	    RULE_READ_ONLY },
	{ "SELECT INTO is refused", "ro", "SELECT 1 INTO x", RULE_READ_ONLY },
	{ "CREATE TABLE AS EXECUTE is refused", "ro", "CREATE TABLE x AS EXECUTE p", RULE_READ_ONLY },
	{ "TRUNCATE is refused", "ro", "TRUNCATE t", RULE_READ_ONLY },
	{ "DROP is refused", "ro", "DROP SCHEMA public CASCADE", RULE_READ_ONLY },
	{ "GRANT is refused", "ro", "GRANT ALL ON t TO PUBLIC", RULE_READ_ONLY },
	{ "CALL is refused", "ro", "CALL p()", RULE_READ_ONLY },
	{ "DO is refused", "ro", "DO 'BEGIN END'", RULE_READ_ONLY },
	{ "LOCK is refused", "ro", "LOCK TABLE t", RULE_READ_ONLY },
	{ "VACUUM is refused", "ro", "VACUUM t", RULE_READ_ONLY },
	{ "LISTEN is refused", "ro", "LISTEN x", RULE_READ_ONLY },
	{ "NOTIFY is refused", "ro", "NOTIFY x", RULE_READ_ONLY },
	{ "UNLISTEN passes: there is nothing to forget", "ro", "UNLISTEN *", RULE_NONE },
	{ "COPY FROM is refused", "ro", "COPY t FROM STDIN", RULE_READ_ONLY },
	{ "COPY TO is refused when it is not listed", "ro", "COPY t TO STDOUT", RULE_STATEMENT_NOT_ALLOWED },
	{ "EXPLAIN ANALYZE of a DELETE is refused", "ro", "EXPLAIN ANALYZE DELETE FROM t", RULE_READ_ONLY },
	{ "plain EXPLAIN of a DELETE too", "ro", "EXPLAIN DELETE FROM t", RULE_READ_ONLY },
	{ "EXPLAIN CREATE TABLE AS too", "ro", "EXPLAIN ANALYZE CREATE TABLE x AS SELECT 1", RULE_READ_ONLY },
	{ "PREPARE of a DELETE too", "ro", "PREPARE p AS DELETE FROM t", RULE_READ_ONLY },
	{ "a locking SELECT is refused", "ro", "SELECT 1 FROM t FOR UPDATE", RULE_LOCKING_SELECT },
	{ "FOR READ ONLY locks nothing", "ro", "SELECT 1 FROM t FOR READ ONLY", RULE_NONE },
	{ "SET CONSTRAINTS is refused", "ro", "SET CONSTRAINTS ALL DEFERRED", RULE_READ_ONLY },
	{ "ALTER SYSTEM is never allowed", "all", "ALTER SYSTEM SET work_mem = '1MB'", RULE_STATEMENT_NOT_ALLOWED },
	{ "LOAD is never allowed", "all", "LOAD 'x'", RULE_STATEMENT_NOT_ALLOWED },
	{ "CREATE ROLE is never allowed", "all", "CREATE ROLE x", RULE_STATEMENT_NOT_ALLOWED },

	/* relations */
	{ "a denied schema is refused", "ro", "SELECT 1 FROM secret.keys", RULE_SCHEMA_DENIED },
	{ "a denied table is refused", "ro", "SELECT 1 FROM public.payroll", RULE_TABLE_DENIED },
	{ "a denied table is refused by its bare name", "ro", "SELECT 1 FROM payroll", RULE_TABLE_DENIED },
	{ "a denied table inside a CTE is refused", "ro", "WITH x AS (SELECT 1 FROM payroll) SELECT 1 FROM x", RULE_TABLE_DENIED },
	{ "a CTE of the same name is no way in", "ro", "WITH payroll AS (SELECT 1 FROM payroll) SELECT 1 FROM payroll",
	    RULE_TABLE_DENIED },
	{ "a CTE of the same name is harmless", "ro", "WITH payroll AS (SELECT 1) SELECT 1 FROM payroll", RULE_NONE },
	{ "the database's name before it changes nothing", "ro", "SELECT 1 FROM shop.secret.keys", RULE_SCHEMA_DENIED },
	{ "a table that may be read but not written is read", "rw", "SELECT 1 FROM users", RULE_NONE },
	{ "and not written", "rw", "UPDATE users SET a = 1 WHERE b = 2", RULE_TABLE_DENIED },
	{ "a table's name in a string is only a string", "ro", "SELECT 'secret.keys'", RULE_NONE },

	/* functions */
	{ "a harmless function passes", "ro", "SELECT lower('A'), now(), random()", RULE_NONE },
	{ "nextval is refused", "ro", "SELECT nextval('s')", RULE_FUNCTION_DENIED },
	{ "in FROM too", "ro", "SELECT * FROM pg_read_file('/etc/passwd')", RULE_FUNCTION_DENIED },
	{ "in attribute notation too", "ro", "SELECT ('s'::regclass).nextval", RULE_FUNCTION_DENIED },
	{ "as TREAT too", "ro", "SELECT TREAT('s'::regclass AS nextval)", RULE_FUNCTION_DENIED },
	{ "a function of the user is refused", "ro", "SELECT public.f(1)", RULE_FUNCTION_DENIED },
	{ "an operator of the user is refused", "ro", "SELECT 1 OPERATOR(public.+) 2", RULE_FUNCTION_DENIED },
	{ "SQL in a string is refused with its function", "ro", "SELECT query_to_xml('select 1', true, true, '')",
	    RULE_FUNCTION_DENIED },
	{ "a column of such a name is no call", "ro", "SELECT x.pg_read_file FROM (SELECT 'not a call' AS pg_read_file) x",
	    RULE_NONE },

	/* settings */
	{ "a harmless setting passes", "ro", "SET application_name = 'x'", RULE_NONE },
	{ "search_path is refused", "ro", "SET search_path = secret", RULE_SETTING_DENIED },
	{ "read-write by setting is refused", "ro", "SET LOCAL transaction_read_only = off", RULE_SETTING_DENIED },
	{ "by set_config too, as a function", "ro", "SELECT set_config('search_path', 'secret', false)", RULE_FUNCTION_DENIED },
	{ "set_config of a harmless setting passes", "ro", "SELECT set_config('application_name', 'x', false)", RULE_NONE },
	{ "set_config of an unknown name is refused", "ro", "SELECT set_config($1, 'x', false)", RULE_FUNCTION_DENIED },
	{ "SET ROLE is refused", "ro", "SET ROLE postgres", RULE_SETTING_DENIED },
	{ "RESET ROLE is refused", "ro", "RESET ROLE", RULE_SETTING_DENIED },
	{ "SET SESSION AUTHORIZATION is refused", "ro", "SET SESSION AUTHORIZATION postgres", RULE_SETTING_DENIED },
	{ "SET FROM CURRENT is refused", "ro", "SET application_name FROM CURRENT", RULE_SETTING_DENIED },
	{ "RESET ALL alone is refused", "ro", "RESET ALL", RULE_SETTING_DENIED },
	{ "DISCARD PLANS passes", "ro", "DISCARD PLANS", RULE_NONE },
	{ "DISCARD TEMP is refused", "ro", "DISCARD TEMP", RULE_STATEMENT_NOT_ALLOWED },
	{ "SHOW passes", "ro", "SHOW ALL", RULE_NONE },

	/* transactions */
	{ "BEGIN passes", "ro", "BEGIN ISOLATION LEVEL SERIALIZABLE, READ ONLY, DEFERRABLE", RULE_NONE },
	{ "SET TRANSACTION READ WRITE is refused", "ro", "SET TRANSACTION READ WRITE", RULE_READ_ONLY },
	{ "SET SESSION CHARACTERISTICS READ WRITE too", "ro", "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE",
	    RULE_READ_ONLY },
	{ "an isolation level passes", "ro", "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE", RULE_NONE },
	{ "AND CHAIN is refused", "ro", "ROLLBACK AND CHAIN", RULE_READ_ONLY },
	{ "AND NO CHAIN passes", "ro", "COMMIT AND NO CHAIN", RULE_NONE },
	{ "PREPARE TRANSACTION is refused", "all", "PREPARE TRANSACTION 'x'", RULE_STATEMENT_NOT_ALLOWED },
	{ "COMMIT PREPARED is refused", "all", "COMMIT PREPARED 'x'", RULE_STATEMENT_NOT_ALLOWED },

	/* several statements */
	{ "COMMIT; DROP SCHEMA falls whole", "ro", "COMMIT; DROP SCHEMA public CASCADE", RULE_MULTI_STATEMENT },
	{ "two reads fall", "ro", "SELECT 1; SELECT 2", RULE_MULTI_STATEMENT },
	{ "one statement with an empty one passes", "ro", "SELECT 1 ; -- done", RULE_NONE },
	{ "a line comment that a return ends hides nothing", "ro", "SELECT 1 -- x\r; DELETE FROM t", RULE_MULTI_STATEMENT },
	{ "asyncpg's reset passes", "ro", "SELECT pg_advisory_unlock_all();\nCLOSE ALL;\nUNLISTEN *;\nRESET ALL;", RULE_NONE },
	{ "psqlodbc's greeting passes", "ro", "SET DateStyle = 'ISO';SET extra_float_digits = 2;show transaction_isolation",
	    RULE_NONE },
	{ "psqlodbc's savepoint batch passes", "ro", "SAVEPOINT _per_query_svp_;DEALLOCATE \"_PLAN0x1\";RELEASE _per_query_svp_",
	    RULE_NONE },
	{ "libpqxx's begin passes", "ro", "BEGIN; SET TRANSACTION READ ONLY", RULE_NONE },
	{ "housekeeping is judged as well", "ro", "BEGIN; SET search_path = secret", RULE_SETTING_DENIED },
	{ "another lock function is no housekeeping", "ro", "SELECT pg_advisory_lock(1); RESET ALL", RULE_MULTI_STATEMENT },
	{ "the reset call must be alone in its SELECT", "ro", "SELECT pg_advisory_unlock_all(), 1; RESET ALL",
	    RULE_MULTI_STATEMENT },
	{ "each: two reads pass", "rw", "SELECT 1; SELECT 2", RULE_NONE },
	{ "each: one bad statement fells the batch", "rw", "SELECT 1; DROP TABLE t; SELECT 2", RULE_STATEMENT_NOT_ALLOWED },
	{ "deny: even housekeeping falls", "all", "BEGIN; COMMIT", RULE_MULTI_STATEMENT },

	/* writes */
	{ "an allowed write passes", "rw", "INSERT INTO t VALUES (1)", RULE_NONE },
	{ "UPDATE without WHERE is refused", "rw", "UPDATE t SET a = 1", RULE_WHERELESS_WRITE },
	{ "DELETE WHERE true is refused", "rw", "DELETE FROM t WHERE true", RULE_WHERELESS_WRITE },
	{ "inside a CTE as well", "rw", "WITH x AS (DELETE FROM t RETURNING 1) SELECT 1 FROM x", RULE_WHERELESS_WRITE },
	{ "DELETE with WHERE passes", "rw", "DELETE FROM t WHERE a = 1", RULE_NONE },
	{ "MERGE is refused when it is not listed", "rw", "MERGE INTO t USING u ON t.a = u.a WHEN MATCHED THEN DELETE",
	    RULE_STATEMENT_NOT_ALLOWED },
	{ "a locking SELECT passes", "rw", "SELECT 1 FROM t FOR UPDATE", RULE_NONE },
	{ "READ WRITE passes", "rw", "BEGIN READ WRITE", RULE_NONE },
	{ "writes denied: a write is refused", "dry", "INSERT INTO t VALUES (1)", RULE_READ_ONLY },
	{ "no list at all: DDL is still refused", "open", "CREATE TABLE x (a int)", RULE_STATEMENT_NOT_ALLOWED },
	{ "no list at all: COPY TO is still refused", "open", "COPY t TO STDOUT", RULE_STATEMENT_NOT_ALLOWED },
	{ "no list at all: LISTEN is still refused", "open", "LISTEN x", RULE_STATEMENT_NOT_ALLOWED },
	{ "DDL passes by name", "all", "CREATE TABLE x (a int DEFAULT 1)", RULE_NONE },
	{ "DDL that carries code does not", "all", "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
	    RULE_STATEMENT_NOT_ALLOWED },
	{ "COPY FROM STDIN passes by name", "all", "COPY t FROM STDIN", RULE_NONE },
	{ "COPY from a file never does", "all", "COPY t FROM '/etc/passwd'", RULE_STATEMENT_NOT_ALLOWED },
	{ "COPY to a program never does", "all", "COPY t TO PROGRAM 'sh'", RULE_STATEMENT_NOT_ALLOWED },
	{ "CALL passes when its procedure is named", "all", "CALL public.p()", RULE_NONE },
	{ "and not otherwise", "all", "CALL public.q()", RULE_FUNCTION_DENIED },
	{ "LISTEN passes by name", "all", "LISTEN x", RULE_NONE },
	{ "VACUUM passes by name", "all", "VACUUM t", RULE_NONE },
};

static struct policy *policy;

static void
test_row(void **state)
{
	const struct row *row = *state;
	const struct profile *p = policy_profile(policy, row->profile);
	struct judgement *j = policy_judge(policy, p, row->sql, strlen(row->sql), JUDGE_SIMPLE);

	if (j->rule != row->rule || (j->verdict == VERDICT_BLOCK) != (row->rule != RULE_NONE))
		fail_msg("%s: %s\n  expected %s\n  found    %s: %s", row->profile, row->sql, rule_name(row->rule),
		    rule_name(j->rule), j->message != NULL ? j->message : "");
	judgement_unref(j);
}

/* --- sizes ---------------------------------------------------------------- */

static char *
repeat(const char *head, const char *middle, size_t n, const char *tail)
{
	struct sb sb = { 0 };

	sb_str(&sb, head);
	for (size_t i = 0; i < n; i++)
		sb_str(&sb, middle);
	sb_str(&sb, tail);
	return sb_take(&sb);
}

static void
expect_rule(char *sql, enum rule rule)
{
	struct judgement *j = policy_judge(policy, policy_profile(policy, "ro"), sql, strlen(sql), JUDGE_SIMPLE);

	if (j->rule != rule)
		fail_msg("%.40s...: expected %s, found %s: %s", sql, rule_name(rule), rule_name(j->rule),
		    j->message != NULL ? j->message : "");
	judgement_unref(j);
	free(sql);
}

static void
test_too_long(void **state)
{
	(void)state;
	expect_rule(repeat("SELECT '", "x", 600000, "'"), RULE_TOO_LONG);
}

static void
test_deep_operators(void **state)
{
	(void)state;
	expect_rule(repeat("SELECT 1", "+1", 100000, ""), RULE_TOO_DEEP);
}

static void
test_deep_parentheses(void **state)
{
	(void)state;
	expect_rule(repeat("SELECT ", "(", 100000, "1"), RULE_PARSE_ERROR);
}

/* One token to the lexer, 100,000 to the grammar: minutes, if it were read. */
static void
test_operator_run(void **state)
{
	(void)state;
	expect_rule(repeat("SELECT 1", "+", 100000, "1"), RULE_TOO_DEEP);
}

static void
test_comment_run(void **state)
{
	(void)state;
	expect_rule(repeat("", "/*", 100000, "SELECT 1"), RULE_TOO_DEEP);
}

static void
test_dashes(void **state)
{
	(void)state;
	expect_rule(repeat("SELECT 1 ", "-", 100000, "\n"), RULE_NONE);
}

static void
test_long_list(void **state)
{
	(void)state;
	expect_rule(repeat("SELECT 1 WHERE 1 IN (", "1, ", 60000, "1)"), RULE_NONE);
}

static void
test_many_ctes(void **state)
{
	struct sb sb = { 0 };

	(void)state;
	sb_str(&sb, "WITH RECURSIVE c0 AS (SELECT 1)");
	for (int i = 1; i < 1500; i++)
		sb_fmt(&sb, ", c%d AS (SELECT 1 FROM c%d)", i, 1499 - i);
	sb_str(&sb, " SELECT 1 FROM c7");
	expect_rule(sb_take(&sb), RULE_NONE);
}

/* In the extended protocol even housekeeping comes one at a time. */
static void
test_extended(void **state)
{
	struct judgement *j = policy_judge(policy, policy_profile(policy, "ro"), "BEGIN; COMMIT", 13, JUDGE_EXTENDED);

	(void)state;
	assert_int_equal(j->rule, RULE_MULTI_STATEMENT);
	assert_string_equal(j->sqlstate, "42601");
	judgement_unref(j);
}

static int
load_policy(void **state)
{
	struct sb errors = { 0 };

	(void)state;
	policy = policy_parse("test.json", policy_text, sizeof(policy_text) - 1, &errors);
	if (policy == NULL)
		print_error("%s", sb_text(&errors));
	sb_free(&errors);
	return policy != NULL ? 0 : -1;
}

static int
free_policy(void **state)
{
	(void)state;
	policy_unref(policy);
	return 0;
}

static const struct CMUnitTest more[] = {
	{ "a text over the length limit is refused", test_too_long, NULL, NULL, NULL },
	{ "a long sum is refused for its depth", test_deep_operators, NULL, NULL, NULL },
	{ "100,000 parentheses are a syntax error", test_deep_parentheses, NULL, NULL, NULL },
	{ "a run of operators is refused before the lexer sees it", test_operator_run, NULL, NULL, NULL },
	{ "a run of comment openers is refused before the lexer sees it", test_comment_run, NULL, NULL, NULL },
	{ "a long line of dashes is a comment", test_dashes, NULL, NULL, NULL },
	{ "60,000 elements in a list pass", test_long_list, NULL, NULL, NULL },
	{ "1,500 CTEs pass", test_many_ctes, NULL, NULL, NULL },
	{ "several statements in Parse are refused as PostgreSQL does", test_extended, NULL, NULL, NULL },
};

int
main(void)
{
	struct CMUnitTest tests[nitems(rows) + nitems(more)];

	for (size_t i = 0; i < nitems(rows); i++)
		tests[i] = (struct CMUnitTest){
			.name = rows[i].name, .test_func = test_row, .initial_state = (void *)(uintptr_t)&rows[i]
		};
	memcpy(tests + nitems(rows), more, sizeof(more));
	return cmocka_run_group_tests_name("decide", tests, load_policy, free_policy);
}
