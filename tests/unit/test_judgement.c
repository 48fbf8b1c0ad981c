/* tests/unit/test_judgement.c - what a judgement says: to the client, to the
 * audit trail and to the table of names.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "policy.h"

static struct policy *policy;

static struct judgement *
judge(const char *sql)
{
	return policy_judge(policy, policy_default_profile(policy), sql, strlen(sql), JUDGE_SIMPLE);
}

/* --- refusals ------------------------------------------------------------- */

static const struct refusal_row {
	const char *name, *sql, *sqlstate, *message;
	int position;
} refusals[] = {
	{ "a write is refused at its table", "UPDATE public.users SET a = 1", "42501",
	    "UPDATE of public.users refused: this connection is read-only", 8 },
	{ "a definition is refused at its first word", " /* x */ DROP TABLE t", "42501",
	    "DROP TABLE refused: this connection is read-only", 10 },
	{ "a syntax error has PostgreSQL's words and place", "SELECT \xc3\xa9, FROM WHERE", "42601",
	    "syntax error at or near \"FROM\"", 11 },
	{ "a call is refused where it stands, in characters", "SELECT '\xc3\xa9\xc3\xa9', pg_sleep(1)", "42501", NULL, 14 },
	{ "a denied catalog is refused where it stands", "SELECT * FROM pg_authid", "42501", NULL, 15 },
	{ "invalid UTF-8 has its own state", "SELECT '\xe9'", "22021", "the statement is not valid UTF-8", 0 },
	{ "the second statement is pointed at", "BEGIN; DROP TABLE t", "42501", NULL, 8 },
};

static void
test_refusal(void **state)
{
	const struct refusal_row *row = *state;
	struct judgement *j = judge(row->sql);

	assert_int_equal(j->verdict, VERDICT_BLOCK);
	assert_string_equal(j->sqlstate, row->sqlstate);
	if (row->message != NULL)
		assert_string_equal(j->message, row->message);
	assert_int_equal(j->position, row->position);
	assert_null(j->rewritten);
	judgement_unref(j);
}

/* --- names ---------------------------------------------------------------- */

#define LONG_NAME "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk"
#define E_ACUTE_31                                                                                                                 \
	"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9" \
	"\xc3\xa9"                                                                                                                 \
	"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"

static const struct effect_row {
	const char *name, *sql;
	enum statement_kind kind;
	enum name_effect effect;
	const char *about;
} effects[] = {
	{ "PREPARE defines a name", "PREPARE p AS SELECT 1", KIND_PREPARE, NAME_PREPARE, "p" },
	{ "EXECUTE uses one", "EXECUTE \"P\"", KIND_PREPARE, NAME_EXECUTE, "P" },
	{ "EXPLAIN EXECUTE uses one", "EXPLAIN EXECUTE p", KIND_EXPLAIN, NAME_EXECUTE, "p" },
	{ "DEALLOCATE drops one", "DEALLOCATE PREPARE p", KIND_PREPARE, NAME_DEALLOCATE, "p" },
	{ "DEALLOCATE ALL drops all", "DEALLOCATE ALL", KIND_PREPARE, NAME_DEALLOCATE_ALL, NULL },
	{ "DECLARE defines a portal", "DECLARE c CURSOR FOR SELECT 1", KIND_CURSOR, NAME_DECLARE, "c" },
	{ "WITH HOLD is told apart", "DECLARE c CURSOR WITH HOLD FOR SELECT 1", KIND_CURSOR, NAME_DECLARE_HOLD, "c" },
	{ "EXPLAIN DECLARE defines none", "EXPLAIN DECLARE c CURSOR FOR SELECT 1", KIND_EXPLAIN, NAME_NONE, NULL },
	{ "FETCH uses one", "FETCH c", KIND_CURSOR, NAME_FETCH, "c" },
	{ "MOVE uses one", "MOVE c", KIND_CURSOR, NAME_FETCH, "c" },
	{ "CLOSE closes one", "CLOSE c", KIND_CURSOR, NAME_CLOSE, "c" },
	{ "CLOSE ALL closes all", "CLOSE ALL", KIND_CURSOR, NAME_CLOSE_ALL, NULL },
	{ "a name is cut at 63 bytes", "DEALLOCATE " LONG_NAME "xyz", KIND_PREPARE, NAME_DEALLOCATE, LONG_NAME },
	{ "a name is not cut within a character", "DEALLOCATE \"" E_ACUTE_31 "\xc3\xa9\"", KIND_PREPARE, NAME_DEALLOCATE,
	    E_ACUTE_31 },
	{ "SELECT is about no name", "SELECT 1", KIND_SELECT, NAME_NONE, NULL },
	{ "SHOW is of its own kind", "SHOW server_version", KIND_SHOW, NAME_NONE, NULL },
};

static void
test_effect(void **state)
{
	const struct effect_row *row = *state;
	struct judgement *j = judge(row->sql);

	assert_int_equal(j->nstatements, 1);
	assert_int_equal(j->statements[0].kind, row->kind);
	assert_int_equal(j->statements[0].effect, row->effect);
	if (row->about == NULL)
		assert_null(j->statements[0].name);
	else
		assert_string_equal(j->statements[0].name, row->about);
	judgement_unref(j);
}

/* --- the rest ------------------------------------------------------------- */

static void
test_transaction_flags(void **state)
{
	struct judgement *begin = judge("BEGIN"), *end = judge("ROLLBACK"), *savepoint = judge("ROLLBACK TO x");

	(void)state;
	assert_true(begin->statements[0].begins && !begin->statements[0].ends);
	assert_true(!end->statements[0].begins && end->statements[0].ends);
	assert_true(!savepoint->statements[0].begins && !savepoint->statements[0].ends);
	judgement_unref(begin);
	judgement_unref(end);
	judgement_unref(savepoint);
}

static void
test_empty(void **state)
{
	struct judgement *j = judge(" ; -- ping");

	(void)state;
	assert_int_equal(j->verdict, VERDICT_ALLOW);
	assert_int_equal(j->nstatements, 0);
	judgement_unref(j);
}

static void
test_facts(void **state)
{
	struct judgement *j = judge("SELECT lower(a), round(b), round(b, 1) FROM users, public.users u, pg_class");

	(void)state;
	assert_int_equal(j->nrelations, 2);
	assert_string_equal(j->relations[0].schema, "pg_catalog");
	assert_string_equal(j->relations[0].name, "pg_class");
	assert_string_equal(j->relations[1].schema, "public");
	assert_string_equal(j->relations[1].name, "users");
	assert_int_equal(j->relations[1].access, ACCESS_READ);
	assert_int_equal(j->nfunctions, 2);
	assert_string_equal(j->functions[0], "lower");
	assert_string_equal(j->functions[1], "round");
	judgement_unref(j);
}

static void
test_settings(void **state)
{
	struct judgement *j = judge("SET application_name = 'x'");

	(void)state;
	assert_int_equal(j->nsettings, 1);
	assert_string_equal(j->settings[0], "application_name");
	judgement_unref(j);
}

static void
expect_json(const char *sql, bool with_text, const char *want)
{
	struct judgement *j = judge(sql);
	struct sb sb = { 0 };

	judgement_json(j, &sb, with_text);
	assert_string_equal(sb_text(&sb), want);
	sb_free(&sb);
	judgement_unref(j);
}

static void
test_json(void **state)
{
	(void)state;
	expect_json("SELECT lower('\"') FROM t", true,
	    "\"verdict\":\"rewrite\",\"rule\":\"none\",\"reason\":null,\"hint\":null,\"kinds\":[\"select\"],"
	    "\"relations\":[{\"schema\":\"public\",\"name\":\"t\",\"access\":\"read\"}],\"functions\":[\"lower\"],\"settings\":[],"
	    "\"reached\":[],"
	    "\"text\":\"SELECT lower('\\\"') FROM t\",\"rewritten\":\"SELECT lower('\\\"') FROM t\\nLIMIT 1001\"");
}

static void
test_json_redacted(void **state)
{
	(void)state;
	expect_json("SELECT 'secret'", false,
	    "\"verdict\":\"allow\",\"rule\":\"none\",\"reason\":null,\"hint\":null,\"kinds\":[\"select\"],\"relations\":[],"
	    "\"functions\":[],"
	    "\"settings\":[],\"reached\":[],\"text\":\"redacted\"");
}

static void
test_detail(void **state)
{
	struct judgement *j = judge("DELETE FROM t");
	struct sb want = { 0 };

	(void)state;
	sb_fmt(&want, "rule read_only, profile %s (built-in policy)", profile_name(policy_default_profile(policy)));
	assert_string_equal(j->detail, sb_text(&want));
	assert_non_null(j->hint);
	sb_free(&want);
	judgement_unref(j);
}

static void
test_notice(void **state)
{
	struct judgement *j = judge("BEGIN READ WRITE");

	(void)state;
	assert_non_null(j->notice);
	judgement_unref(j);
}

static void
test_text_is_copied(void **state)
{
	char sql[] = "SELECT 1 and more";
	struct judgement *j = policy_judge(policy, policy_default_profile(policy), sql, 8, JUDGE_SIMPLE);

	(void)state;
	memset(sql, 'x', sizeof(sql) - 1);
	assert_string_equal(j->text, "SELECT 1");
	assert_int_equal(j->text_len, 8);
	assert_string_equal(j->profile, profile_name(policy_default_profile(policy)));
	assert_int_equal(j->generation, policy_generation(policy));
	judgement_unref(j);
}

static void
test_references(void **state)
{
	struct judgement *j = judge("SELECT 1");

	(void)state;
	assert_ptr_equal(judgement_ref(j), j);
	judgement_unref(j);
	assert_string_equal(j->text, "SELECT 1");
	judgement_unref(j);
	judgement_unref(NULL);
}

static void
test_selftest(void **state)
{
	struct err err = { "" };

	(void)state;
	if (!policy_selftest(&err))
		fail_msg("%s", err.text);
	assert_non_null(strstr(policy_grammar_version(), "PostgreSQL 1"));
}

static void
test_names_of_rules(void **state)
{
	(void)state;
	assert_string_equal(rule_name(RULE_NONE), "none");
	assert_string_equal(rule_name(RULE_PROTOCOL), "protocol");
	assert_string_equal(rule_name(RULE_WHERELESS_WRITE), "whereless_write");
	assert_string_equal(kind_name(KIND_COPY_TO), "copy_to");
	assert_string_equal(kind_name(KIND_UNKNOWN), "unknown");
	assert_string_equal(verdict_name(VERDICT_REWRITE), "rewrite");
}

/* The parser's words quote the token, whatever its length. */
static void
test_long_message(void **state)
{
	struct sb sql = { 0 };
	struct judgement *j;

	(void)state;
	sb_str(&sql, "SELECT a b \"");
	for (int i = 0; i < 3000; i++)
		sb_str(&sql, "\xc3\xa9");
	sb_str(&sql, "\"");
	j = judge(sb_text(&sql));
	assert_int_equal(j->rule, RULE_PARSE_ERROR);
	assert_true(strlen(j->message) < 1100);
	assert_true(utf8_valid(j->message, strlen(j->message)));
	judgement_unref(j);
	sb_free(&sql);
}

/* What Bind decides: only where a Bind will come, and only by this statement's own parameters. */
static const struct bound_row {
	const char *sql;
	unsigned flags;
	bool allowed;
	size_t nbound;
} bound_rows[] = {
	{ "SELECT set_config($1, $3, false), set_config($2, $3, false)", JUDGE_EXTENDED, true, 2 },
	{ "SELECT set_config('statement_timeout', $1, false)", JUDGE_EXTENDED, true, 1 },
	{ "SELECT set_config($1, $3, false)", JUDGE_SIMPLE, false, 0 },
	{ "PREPARE p AS SELECT set_config($1, $2, false)", JUDGE_EXTENDED, false, 0 },
	{ "EXPLAIN ANALYZE SELECT set_config($1, $2, false)", JUDGE_EXTENDED, false, 0 },
	{ "DECLARE c CURSOR FOR SELECT set_config($1, $2, false)", JUDGE_EXTENDED, false, 0 },
	{ "SELECT set_config($1 || 'x', $2, false)", JUDGE_EXTENDED, false, 0 },
	{ "SELECT set_config('search_path', $1, $2)", JUDGE_EXTENDED, false, 0 },
};

static void
test_bound(void **state)
{
	(void)state;
	for (size_t i = 0; i < nitems(bound_rows); i++) {
		const struct bound_row *row = &bound_rows[i];
		struct judgement *j = policy_judge(policy, policy_default_profile(policy), row->sql, strlen(row->sql), row->flags);

		if ((j->verdict != VERDICT_BLOCK) != row->allowed)
			fail_msg("%s", row->sql);
		if (row->allowed)
			assert_int_equal(j->nbound_settings, row->nbound);
		judgement_unref(j);
	}
}

static void
test_bound_fields(void **state)
{
	static const char sql[] = "SELECT set_config('TimeZone', $2, true)";
	struct judgement *j = policy_judge(policy, policy_default_profile(policy), sql, strlen(sql), JUDGE_EXTENDED);

	(void)state;
	assert_int_equal(j->nbound_settings, 1);
	assert_string_equal(j->bound_settings[0].name, "TimeZone");
	assert_int_equal(j->bound_settings[0].name_param, 0);
	assert_null(j->bound_settings[0].value);
	assert_int_equal(j->bound_settings[0].value_param, 2);
	judgement_unref(j);
}

static const struct CMUnitTest more[] = {
	{ "set_config with parameters waits for a Bind, where one will come", test_bound, NULL, NULL, NULL },
	{ "and says which parameter is what", test_bound_fields, NULL, NULL, NULL },
	{ "a long token in a message is cut between characters", test_long_message, NULL, NULL, NULL },
	{ "BEGIN begins, ROLLBACK ends, ROLLBACK TO does neither", test_transaction_flags, NULL, NULL, NULL },
	{ "an empty text holds no statement and passes", test_empty, NULL, NULL, NULL },
	{ "relations and functions are there once, resolved", test_facts, NULL, NULL, NULL },
	{ "settings are named", test_settings, NULL, NULL, NULL },
	{ "the JSON form holds all of it", test_json, NULL, NULL, NULL },
	{ "the JSON form without the text", test_json_redacted, NULL, NULL, NULL },
	{ "a refusal names rule, profile and policy, and gives a hint", test_detail, NULL, NULL, NULL },
	{ "READ WRITE that became READ ONLY is told", test_notice, NULL, NULL, NULL },
	{ "a judgement keeps its own copies", test_text_is_copied, NULL, NULL, NULL },
	{ "the last reference frees", test_references, NULL, NULL, NULL },
	{ "the headers fit the library", test_selftest, NULL, NULL, NULL },
	{ "rules, kinds and verdicts have their names", test_names_of_rules, NULL, NULL, NULL },
};

static int
load_policy(void **state)
{
	(void)state;
	policy = policy_builtin();
	return policy != NULL ? 0 : -1;
}

static int
free_policy(void **state)
{
	(void)state;
	policy_unref(policy);
	return 0;
}

int
main(void)
{
	struct CMUnitTest tests[nitems(refusals) + nitems(effects) + nitems(more)];
	size_t n = 0;

	for (size_t i = 0; i < nitems(refusals); i++)
		tests[n++] = (struct CMUnitTest){
			.name = refusals[i].name, .test_func = test_refusal, .initial_state = (void *)(uintptr_t)&refusals[i]
		};
	for (size_t i = 0; i < nitems(effects); i++)
		tests[n++] = (struct CMUnitTest){
			.name = effects[i].name, .test_func = test_effect, .initial_state = (void *)(uintptr_t)&effects[i]
		};
	memcpy(tests + n, more, sizeof(more));
	return cmocka_run_group_tests_name("judgement", tests, load_policy, free_policy);
}
