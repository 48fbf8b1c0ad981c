/* tests/unit/test_rewrite.c - LIMIT, FETCH and READ ONLY by splice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>
#include <pg_query.h>

#include "policy.h"
#include "rewrite.h"

/* cap: 10 rows by text. error: the same cap, but texts stay. write: not read-only. */
static const char policy_text[] =
    "{ \"version\": 1, \"mode\": \"enforce\", \"profiles\": {"
    "  \"cap\": { \"access_mode\": \"read_only\", \"multi_statement\": \"each\", \"limits\": { \"max_rows\": 10 } },"
    "  \"error\": { \"access_mode\": \"read_only\", \"limits\": { \"max_rows\": 10, \"on_cap\": \"error\" } },"
    "  \"write\": { \"access_mode\": \"read_write\", \"limits\": { \"max_rows\": 10 },"
    "    \"statements\": { \"allow\": [\"select\", \"update\", \"transaction\"] }, \"writes\": { \"mode\": \"allow\" } }"
    "}, \"default_profile\": \"cap\" }";

static const struct row {
	const char *name, *profile, *sql, *rewritten; /* NULL: forwarded as it is */
	bool limited;                                 /* the first statement */
} rows[] = {
	/* nothing there */
	{ "a missing LIMIT is appended", "cap", "SELECT * FROM t", "SELECT * FROM t\nLIMIT 11", true },
	{ "before the semicolon", "cap", "SELECT * FROM t ;", "SELECT * FROM t \nLIMIT 11;", true },
	{ "a comment at the end does not swallow it", "cap", "SELECT * FROM t -- all", "SELECT * FROM t -- all\nLIMIT 11", true },
	{ "a comment behind the semicolon stays", "cap", "SELECT * FROM t; -- x", "SELECT * FROM t\nLIMIT 11; -- x", true },
	{ "each statement gets its own", "cap", "TABLE a; TABLE b", "TABLE a\nLIMIT 11; TABLE b\nLIMIT 11", true },
	{ "parentheses stay closed", "cap", "((SELECT * FROM t))", "((SELECT * FROM t))\nLIMIT 11", true },
	{ "ORDER BY stays before it", "cap", "SELECT * FROM t ORDER BY a", "SELECT * FROM t ORDER BY a\nLIMIT 11", true },
	{ "OFFSET alone keeps its place", "cap", "SELECT * FROM t OFFSET 3", "SELECT * FROM t OFFSET 3\nLIMIT 11", true },
	/* the server would take a LIMIT there, the library's grammar does not */
	{ "OFFSET in parentheses is left to the count of rows", "cap", "(SELECT * FROM t OFFSET 3)", NULL, false },
	{ "a set operation is limited as a whole", "cap", "(SELECT 1 LIMIT 5) UNION ALL SELECT 2",
	    "(SELECT 1 LIMIT 5) UNION ALL SELECT 2\nLIMIT 11", true },
	{ "VALUES is limited", "cap", "VALUES (1), (2)", "VALUES (1), (2)\nLIMIT 11", true },
	{ "a CTE's LIMIT is not the query's", "cap", "WITH c AS (SELECT 1 LIMIT 1) SELECT * FROM c, t",
	    "WITH c AS (SELECT 1 LIMIT 1) SELECT * FROM c, t\nLIMIT 11", true },
	{ "FOR READ ONLY is no lock", "cap", "SELECT * FROM t FOR READ ONLY", "SELECT * FROM t FOR READ ONLY\nLIMIT 11", true },
	{ "PREPARE's query is limited", "cap", "PREPARE p AS SELECT * FROM t", "PREPARE p AS SELECT * FROM t\nLIMIT 11", true },

	/* something there */
	{ "a small LIMIT stays", "cap", "SELECT * FROM t LIMIT 10", NULL, true },
	{ "one more than the cap stays", "cap", "SELECT * FROM t LIMIT 11", NULL, true },
	{ "a large LIMIT is lowered", "cap", "SELECT * FROM t LIMIT 5000 OFFSET 2 -- x", "SELECT * FROM t LIMIT 11 OFFSET 2 -- x",
	    true },
	{ "a very large LIMIT is lowered", "cap", "SELECT * FROM t LIMIT 5000000000", "SELECT * FROM t LIMIT 11", true },
	{ "in parentheses too", "cap", "(SELECT * FROM t LIMIT 5000)", "(SELECT * FROM t LIMIT 11)", true },
	{ "a LIMIT in parentheses of its own too", "cap", "SELECT * FROM t LIMIT (5000)", "SELECT * FROM t LIMIT (11)", true },
	{ "LIMIT ALL is replaced", "cap", "SELECT * FROM t LIMIT ALL", "SELECT * FROM t LIMIT 11", true },
	{ "LIMIT NULL is replaced", "cap", "SELECT * FROM t LIMIT null OFFSET 1", "SELECT * FROM t LIMIT 11 OFFSET 1", true },
	{ "a parameter is taken with LEAST", "cap", "SELECT * FROM t LIMIT $12 OFFSET $2",
	    "SELECT * FROM t LIMIT LEAST($12, 11::bigint) OFFSET $2", true },
	{ "FETCH FIRST is lowered", "cap", "SELECT * FROM t FETCH FIRST 3000 ROWS ONLY", "SELECT * FROM t FETCH FIRST 11 ROWS ONLY",
	    true },
	{ "FETCH FIRST ROW is one", "cap", "SELECT * FROM t FETCH FIRST ROW ONLY", NULL, true },
	{ "WITH TIES is lowered and still watched", "cap", "SELECT * FROM t ORDER BY 1 FETCH FIRST 3000 ROWS WITH TIES",
	    "SELECT * FROM t ORDER BY 1 FETCH FIRST 11 ROWS WITH TIES", false },
	{ "a small WITH TIES is watched", "cap", "SELECT * FROM t ORDER BY 1 FETCH FIRST 1 ROWS WITH TIES", NULL, false },
	{ "an expression is left to the count of rows", "cap", "SELECT * FROM t LIMIT 900 + 900", NULL, false },
	{ "a cast parameter too", "cap", "SELECT * FROM t LIMIT $1::int", NULL, false },
	{ "a negative number too", "cap", "SELECT * FROM t LIMIT -5", NULL, false },
	{ "a string too", "cap", "SELECT * FROM t LIMIT '5000'", NULL, false },
	{ "a fraction too", "cap", "SELECT * FROM t LIMIT 5e3", NULL, false },

	/* what is never touched */
	{ "a row of constants needs no LIMIT", "cap", "SELECT 1, 'x'::text, $1", NULL, true },
	{ "a call might return many", "cap", "SELECT generate_series(1, 99)", "SELECT generate_series(1, 99)\nLIMIT 11", true },
	{ "EXPLAIN is left alone", "cap", "EXPLAIN SELECT * FROM t", NULL, false },
	{ "DECLARE is left alone, and its portal watched", "cap", "DECLARE c CURSOR FOR SELECT * FROM t", NULL, false },
	{ "EXECUTE is watched", "cap", "EXECUTE p", NULL, false },
	{ "SHOW of one returns one", "cap", "SHOW server_version", NULL, true },
	{ "SHOW ALL is watched", "cap", "SHOW ALL", NULL, false },
	{ "SET returns nothing", "cap", "SET application_name = 'x'", NULL, true },
	{ "on_cap error leaves texts alone", "error", "SELECT * FROM t LIMIT 5000", NULL, false },
	{ "on_cap error leaves FETCH alone", "error", "FETCH ALL FROM c", NULL, false },
	{ "a locking SELECT is left alone", "write", "SELECT * FROM t FOR UPDATE", NULL, false },
	{ "RETURNING is left alone", "write", "UPDATE t SET a = 1 WHERE b = 2 RETURNING *", NULL, false },

	/* FETCH */
	{ "FETCH ALL is lowered to the cap", "cap", "FETCH ALL IN \"my \"\"c\"", "FETCH FORWARD 10 FROM \"my \"\"c\"", true },
	{ "FETCH BACKWARD ALL too", "cap", "FETCH BACKWARD ALL FROM c", "FETCH BACKWARD 10 FROM \"c\"", true },
	{ "FETCH 5000 too", "cap", "FETCH 5000 FROM c", "FETCH FORWARD 10 FROM \"c\"", true },
	{ "FETCH -5000 goes backward", "cap", "FETCH -5000 FROM c", "FETCH BACKWARD 10 FROM \"c\"", true },
	{ "a small FETCH stays", "cap", "FETCH 10 FROM c", NULL, true },
	{ "FETCH NEXT stays", "cap", "FETCH NEXT FROM c", NULL, true },
	{ "FETCH ABSOLUTE fetches one", "cap", "FETCH ABSOLUTE 5000 FROM c", NULL, true },
	{ "MOVE returns nothing", "cap", "MOVE ALL FROM c", NULL, true },

	/* READ WRITE */
	{ "BEGIN READ WRITE becomes READ ONLY", "cap", "BEGIN READ WRITE", "BEGIN READ ONLY", true },
	{ "START TRANSACTION keeps its level", "cap", "start transaction isolation level repeatable read, read /* x */ write",
	    "START TRANSACTION ISOLATION LEVEL repeatable read, READ ONLY", true },
	{ "DEFERRABLE is kept", "cap", "BEGIN ISOLATION LEVEL SERIALIZABLE READ WRITE NOT DEFERRABLE;",
	    "BEGIN ISOLATION LEVEL serializable, READ ONLY, NOT DEFERRABLE;", true },
	{ "READ ONLY stays", "cap", "BEGIN READ ONLY", NULL, true },
	{ "a read-write profile keeps READ WRITE", "write", "BEGIN READ WRITE", NULL, true },
	{ "in a batch each statement keeps its place", "cap", "BEGIN READ WRITE; TABLE t; COMMIT",
	    "BEGIN READ ONLY; TABLE t\nLIMIT 11; COMMIT", true },
};

static struct policy *policy;

static void
test_row(void **state)
{
	const struct row *row = *state;
	struct judgement *j = policy_judge(policy, policy_profile(policy, row->profile), row->sql, strlen(row->sql), JUDGE_SIMPLE);
	const char *want = row->rewritten != NULL ? row->rewritten : row->sql;
	const char *found = j->rewritten != NULL ? j->rewritten : j->text;

	if (j->verdict == VERDICT_BLOCK)
		fail_msg("%s: %s", row->sql, j->message);
	if (strcmp(want, found) != 0)
		fail_msg("%s\n  expected %s\n  found    %s", row->sql, want, found);
	assert_int_equal(j->verdict, row->rewritten != NULL ? VERDICT_REWRITE : VERDICT_ALLOW);
	assert_int_equal(j->statements[0].limited, row->limited);
	if (j->rewritten != NULL)
		assert_int_equal(j->rewritten_len, strlen(j->rewritten));
	judgement_unref(j);
}

/* --- positions ------------------------------------------------------------ */

static void
expect_position(const char *sql, const char *at, int want)
{
	struct judgement *j = policy_judge(policy, policy_profile(policy, "cap"), sql, strlen(sql), JUDGE_SIMPLE);
	const char *found = strstr(j->rewritten, at);
	int position = 1;

	assert_non_null(found);
	for (const char *s = j->rewritten; s < found; s++)
		position += ((unsigned char)*s & 0xc0) != 0x80;
	assert_int_equal(judgement_position(j, position), want);
	judgement_unref(j);
}

static void
test_position_before(void **state)
{
	(void)state;
	expect_position("SELECT \"\xc3\xa9\", x FROM t", "x", 13);
}

static void
test_position_after_shrinking(void **state)
{
	(void)state;
	expect_position("SELECT '\xc3\xa9' FROM t LIMIT 50000 OFFSET y", "y", 38);
}

static void
test_position_after_growing(void **state)
{
	(void)state;
	expect_position("SELECT 1 FROM t LIMIT $1 OFFSET y", "y", 33);
}

static void
test_position_inside(void **state)
{
	(void)state;
	expect_position("SELECT 1 FROM t LIMIT $1", "bigint", 23);
}

static void
test_position_second(void **state)
{
	(void)state;
	expect_position("TABLE a; TABLE b", "b", 16);
}

static void
test_position_without_rewrite(void **state)
{
	struct judgement *j = policy_judge(policy, policy_profile(policy, "cap"), "SELECT 1", 8, JUDGE_SIMPLE);

	(void)state;
	assert_int_equal(judgement_position(j, 8), 8);
	assert_int_equal(judgement_position(j, 0), 0);
	judgement_unref(j);
}

/* --- what needs no second parse -------------------------------------------- */

/* The tree as JSON, without the length of the statement: a LIMIT lengthens it. Caller frees. */
static char *
tree_json(const char *sql)
{
	PgQueryParseResult result = pg_query_parse(sql);
	char *json, *length;

	if (result.error != NULL)
		fail_msg("%s: %s", sql, result.error->message);
	json = strdup(result.parse_tree);
	pg_query_free_parse_result(result);
	if ((length = strstr(json, ",\"stmt_len\":")) != NULL)
		memmove(length, strpbrk(length + 1, ",}"), strlen(strpbrk(length + 1, ",}")) + 1);
	return json;
}

/* Takes the count at that place, and that there is one, out of the tree. */
static void
without_count(char *json, size_t location)
{
	static const char none[] = "\"limitOption\":\"LIMIT_OPTION_DEFAULT\"";
	char count[256], *at;

	snprintf(count, sizeof(count),
	    "\"limitCount\":{\"A_Const\":{\"ival\":{\"ival\":11},\"location\":%zu}},\"limitOption\":\"LIMIT_OPTION_COUNT\"",
	    location);
	if ((at = strstr(json, count)) == NULL)
		fail_msg("%s\n  does not hold %s", json, count);
	memmove(at + strlen(none), at + strlen(count), strlen(at + strlen(count)) + 1);
	memcpy(at, none, strlen(none));
}

/* What the second parse would have found: the same facts, and the same tree but for the count. */
static void
compare_trees(struct parser *parser, const struct rewrite *w, const struct facts *was, const struct profile *p, const char *sql)
{
	struct facts now;
	struct tree tree;
	size_t len;
	char *text = rewrite_apply(w, sql, strlen(sql), &len), *before = tree_json(sql), *after = tree_json(text);

	facts_init(&now);
	assert_true(parser_parse(parser, text, &tree));
	facts_collect(&now, &tree, text, len, p);
	if (!rewrite_holds(w, &tree, was, &now, false))
		fail_msg("%s\n  does not say the same", text);
	without_count(after, w->splices[0].at + strlen("\nLIMIT "));
	assert_string_equal(after, before);
	facts_release(&now);
	tree_release(&tree);
	free(text);
	free(before);
	free(after);
}

/* 1: it was settled by the first parse. */
static int
check_settled(const char *sql)
{
	const struct profile *p = policy_profile(policy, "cap");
	struct rewrite w = { 0 };
	struct parser parser;
	struct tree tree;
	struct facts facts;
	int settled;

	if (!utf8_valid(sql, strlen(sql)))
		return 0;
	parser_open(&parser);
	facts_init(&facts);
	if (parser_parse(&parser, sql, &tree)) {
		facts_collect(&facts, &tree, sql, strlen(sql), p);
		if (facts.fatal == NULL)
			rewrite_plan(&w, &tree, &facts, p, sql);
	}
	settled = w.settled;
	if (settled)
		compare_trees(&parser, &w, &facts, p, sql);
	rewrite_release(&w);
	facts_release(&facts);
	tree_release(&tree);
	parser_close(&parser);
	return settled;
}

static const char *const settled[] = {
	"SELECT * FROM t",
	"SELECT * FROM t;",
	"SELECT * FROM t ; ;\n",
	";; SELECT * FROM t ;;",
	"/* ( */ SELECT * FROM t -- all",
	"SELECT * FROM t -- all;",
	"SELECT * FROM t /* before ; */",
	"SELECT * FROM t -- all\r;",
	"SELECT a FROM t WHERE b = 'x' -- 'y'",
	"SELECT a FROM t WHERE b = 'x'\n'y'",
	"SELECT a FROM t WHERE b = $$;$$ ;",
	"SELECT a FROM t WHERE b = U&'d!0061t' UESCAPE '!'",
	"SELECT a FROM t WHERE b = E'\\''",
	"SELECT a AS \"b;\" FROM t",
	"SELECT a nulls FROM t nulls",
	"SELECT 1. FROM t ORDER BY 1.",
	"SELECT * FROM t ORDER BY a USING < NULLS FIRST",
	"SELECT * FROM t ORDER BY a COLLATE \"C\" DESC",
	"SELECT * FROM t FOR READ ONLY",
	"SELECT a::interval FROM t ORDER BY a::interval",
	"SELECT * FROM t WHERE a IS NOT NULL",
	"SELECT * FROM t WINDOW w AS (PARTITION BY a)",
	"SELECT a FROM t GROUP BY DISTINCT a HAVING count(*) > (SELECT 1 LIMIT 1)",
	"SELECT * FROM generate_series(1, 9) WITH ORDINALITY",
	"SELECT * FROM t TABLESAMPLE system (1) REPEATABLE (2)",
	"SELECT * FROM (SELECT 1 LIMIT 5) s",
	"VALUES (1), (2)",
	"TABLE t *",
};

static const char *const not_settled[] = {
	"(SELECT * FROM t)",
	"( (TABLE t) )",
	"-- x\n(SELECT * FROM t)",
	"SELECT * FROM t OFFSET 3",
	"(SELECT * FROM t OFFSET 3)",
	"SELECT 1 FROM a UNION SELECT 2 FROM b",
	"WITH c AS (SELECT 1) SELECT * FROM c",
	"SELECT * FROM t; -- behind the semicolon",
	"SELECT * FROM t; /* behind */ ;",
	"TABLE a; TABLE b",
	"SELECT * FROM t LIMIT 5000",
	"SELECT * FROM t FETCH FIRST 5000 ROWS WITH TIES",
	"SELECT * INTO x FROM t",
	"SELECT * FROM t FOR UPDATE",
	"SELECT * FROM t FOR SHARE SKIP LOCKED",
	"PREPARE p AS SELECT * FROM t",
	"EXPLAIN SELECT * FROM t",
	"DECLARE c CURSOR FOR SELECT * FROM t",
	"SELECT 1",
	"FETCH ALL FROM c",
	"BEGIN READ WRITE",
};

static void
test_settled(void **state)
{
	(void)state;
	for (size_t i = 0; i < nitems(settled); i++)
		if (!check_settled(settled[i]))
			fail_msg("%s: parsed a second time", settled[i]);
}

static void
test_not_settled(void **state)
{
	(void)state;
	for (size_t i = 0; i < nitems(not_settled); i++)
		if (check_settled(not_settled[i]))
			fail_msg("%s: not parsed a second time", not_settled[i]);
}

/* Every string of a line, for some of them are SQL. */
static int
check_strings(const cJSON *json)
{
	int n = cJSON_IsString(json) ? check_settled(json->valuestring) : 0;

	for (const cJSON *child = json->child; child != NULL; child = child->next)
		n += check_strings(child);
	return n;
}

static int
check_corpus(const char *path)
{
	FILE *f = fopen(path, "r");
	char *line = NULL;
	size_t room = 0;
	int n = 0;

	if (f == NULL)
		fail_msg("%s is not there", path);
	while (getline(&line, &room, f) > 0) {
		cJSON *json = cJSON_Parse(line);

		assert_non_null(json);
		n += check_strings(json);
		cJSON_Delete(json);
	}
	free(line);
	fclose(f);
	return n;
}

static void
test_settled_corpus(void **state)
{
	(void)state;
	assert_true(check_corpus("tests/corpus/dev/benign.jsonl") > 50);
	assert_true(check_corpus("tests/corpus/dev/attacks.jsonl") > 50);
	check_corpus("tests/corpus/dev-own/benign.jsonl");
	check_corpus("tests/corpus/dev-own/attacks.jsonl");
}

static const struct CMUnitTest more[] = {
	{ "a LIMIT behind a plain SELECT changes nothing else in the tree", test_settled, NULL, NULL, NULL },
	{ "anything less plain is parsed again", test_not_settled, NULL, NULL, NULL },
	{ "the corpus agrees on what is plain", test_settled_corpus, NULL, NULL, NULL },
	{ "a position before the splice stays", test_position_before, NULL, NULL, NULL },
	{ "a position behind a shorter text moves right", test_position_after_shrinking, NULL, NULL, NULL },
	{ "a position behind a longer text moves left", test_position_after_growing, NULL, NULL, NULL },
	{ "a position inside what was added is where it was added", test_position_inside, NULL, NULL, NULL },
	{ "a position between two splices is right", test_position_second, NULL, NULL, NULL },
	{ "without a rewrite positions stay", test_position_without_rewrite, NULL, NULL, NULL },
};

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

int
main(void)
{
	struct CMUnitTest tests[nitems(rows) + nitems(more)];

	for (size_t i = 0; i < nitems(rows); i++)
		tests[i] = (struct CMUnitTest){
			.name = rows[i].name, .test_func = test_row, .initial_state = (void *)(uintptr_t)&rows[i]
		};
	memcpy(tests + nitems(rows), more, sizeof(more));
	return cmocka_run_group_tests_name("rewrite", tests, load_policy, free_policy);
}
