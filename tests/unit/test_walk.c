/* tests/unit/test_walk.c - what the walk sees in a statement.
 *
 * Facts are written as words, in the order in which they are found:
 * SELECT (an act; ! when no WHERE limits it), r:t w:t rw:t (relations),
 * f:name/2 (a call with two arguments), a:name (attribute notation of a
 * refused function), o:s.op (an operator), s:name=value, v:name (a setting
 * that is shown; no name when it is computed), p:what (a problem).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "facts.h"

static const struct row {
	const char *name, *sql, *facts;
} rows[] = {
	/* where names can stand */
	{ "a plain read is one act and one relation", "SELECT id FROM users", "SELECT r:users" },
	{ "a schema is kept as it is written", "SELECT 1 FROM shop.secret.keys", "SELECT r:secret.keys" },
	{ "TABLE is a SELECT", "TABLE users", "SELECT r:users" },
	{ "VALUES reads nothing", "VALUES (1)", "VALUES" },
	{ "both sides of a join count", "SELECT 1 FROM a JOIN b ON f(1) > 0", "SELECT r:a r:b f:f/1" },
	{ "a sub-select in the target list counts", "SELECT (SELECT max(x) FROM t)", "SELECT r:t f:max/1" },
	{ "EXISTS counts", "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM t)", "SELECT r:t" },
	{ "IN with a sub-select counts", "SELECT 1 WHERE 1 IN (SELECT x FROM t)", "SELECT r:t" },
	{ "ARRAY of a sub-select counts", "SELECT ARRAY(SELECT x FROM t)", "SELECT r:t" },
	{ "both arms of a UNION count", "SELECT 1 FROM a UNION ALL (SELECT 2 FROM b EXCEPT SELECT 3 FROM c)",
	    "SELECT r:a r:b r:c" },
	{ "equal facts are noted once", "SELECT f(1), f(2) FROM t, t u", "SELECT r:t f:f/1" },
	{ "LATERAL counts", "SELECT 1 FROM a, LATERAL (SELECT f(a.x) FROM b) l", "SELECT r:a r:b f:f/1" },
	{ "TABLESAMPLE's relation and arguments count", "SELECT 1 FROM t TABLESAMPLE system (f(1)) REPEATABLE (g())",
	    "SELECT r:t f:f/1 f:g/0" },
	{ "a sampling method that is not built in is a call", "SELECT 1 FROM t TABLESAMPLE system_rows (5)",
	    "SELECT r:t f:system_rows/1" },

	/* calls */
	{ "functions in FROM count", "SELECT 1 FROM nextval('s') WITH ORDINALITY AS t(a, b)", "SELECT f:nextval/1" },
	{ "ROWS FROM is a list of lists", "SELECT 1 FROM ROWS FROM (f(g(1)), h() AS (a int))", "SELECT f:f/1 f:g/1 f:h/0" },
	{ "unnest of many in FROM is many unnests", "SELECT 1 FROM unnest(a, f())", "SELECT f:pg_catalog.unnest/1 f:f/0" },
	{ "named and variadic arguments count", "SELECT f(a => g()), h(VARIADIC ARRAY[i()])", "SELECT f:f/1 f:g/0 f:h/1 f:i/0" },
	{ "aggregate clauses count",
	    "SELECT f(a ORDER BY g()) FILTER (WHERE h()) OVER (PARTITION BY i() ORDER BY j() ROWS k() PRECEDING)",
	    "SELECT f:f/1 f:g/0 f:h/0 f:i/0 f:j/0 f:k/0" },
	{ "WITHIN GROUP adds arguments", "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY x)", "SELECT f:percentile_cont/2" },
	{ "count(*) has no argument", "SELECT count(*)", "SELECT f:count/0" },
	{ "named windows count", "SELECT sum(1) OVER w WINDOW w AS (ORDER BY f())", "SELECT f:sum/1 f:f/0" },
	{ "CASE counts in every part", "SELECT CASE f() WHEN g() THEN h() ELSE i() END", "SELECT f:f/0 f:g/0 f:h/0 f:i/0" },
	{ "grouping sets count", "SELECT 1 GROUP BY GROUPING SETS ((), (f()), CUBE (g()))", "SELECT f:f/0 f:g/0" },
	{ "HAVING, LIMIT and OFFSET count", "SELECT 1 HAVING f() LIMIT g() OFFSET h()", "SELECT f:f/0 f:h/0 f:g/0" },
	{ "subscripts count", "SELECT (ARRAY[1])[f()], a[g():h()]", "SELECT f:f/0 f:g/0 f:h/0" },
	{ "rows, coalesce, greatest and tests count", "SELECT ROW(f()), COALESCE(g()), GREATEST(h()), i() IS NULL, j() IS TRUE",
	    "SELECT f:f/0 f:g/0 f:h/0 f:i/0 f:j/0" },
	{ "BETWEEN, LIKE and IN count", "SELECT 1 BETWEEN f() AND g(), 'a' LIKE h(), 1 IN (2, i())",
	    "SELECT f:f/0 f:g/0 f:h/0 f:i/0" },
	{ "casts and collations count", "SELECT f()::int, g() COLLATE \"C\", 1::numeric(3,1)", "SELECT f:f/0 f:g/0" },
	{ "XML counts", "SELECT XMLELEMENT(NAME a, XMLATTRIBUTES(f() AS b), g()), XMLSERIALIZE(CONTENT h() AS text)",
	    "SELECT f:f/0 f:g/0 f:h/0" },
	{ "XMLTABLE counts in every part",
	    "SELECT 1 FROM XMLTABLE(XMLNAMESPACES(f() AS x), g() PASSING h() COLUMNS a text PATH i() DEFAULT j())",
	    "SELECT f:h/0 f:g/0 f:f/0 f:i/0 f:j/0" },
	{ "TREAT is a call of its type's name", "SELECT TREAT(x AS nextval)", "SELECT f:pg_catalog.nextval/1" },
	{ "quoted and escaped names are the same names", "SELECT U&\"n\\0065xtval\"('s')", "SELECT f:nextval/1" },
	{ "DISTINCT ON counts", "SELECT DISTINCT ON (f()) 1", "SELECT f:f/0" },
	{ "DISTINCT alone is fine", "SELECT DISTINCT a FROM t", "SELECT r:t" },
	{ "ORDER BY USING with a foreign operator counts", "SELECT 1 ORDER BY a USING OPERATOR(s.<)", "SELECT o:s.<" },
	{ "an operator of another schema is noted", "SELECT 1 OPERATOR(evil.+) 2, 1 OPERATOR(pg_catalog.+) 2", "SELECT o:evil.+" },

	/* attribute notation */
	{ "a field of a value may be a call", "SELECT ('s'::regclass).nextval", "SELECT a:nextval" },
	{ "a field behind a subscript may be a call", "SELECT (x)[1].nextval", "SELECT a:nextval" },
	{ "a field of a parameter may be a call", "SELECT ($1).pg_sleep", "SELECT a:pg_sleep" },
	{ "a column of a table may be a call", "SELECT t.nextval FROM t", "SELECT r:t a:nextval" },
	{ "a name alone is a column", "SELECT nextval FROM t", "SELECT r:t" },
	{ "a column that the sub-select names is one", "SELECT x.pg_read_file FROM (SELECT 'a' AS pg_read_file) x", "SELECT" },
	{ "a column of an alias list is one", "SELECT x.pg_sleep FROM (SELECT 1) x(pg_sleep)", "SELECT" },
	{ "a column of a CTE is one", "WITH x AS (SELECT 1 AS nextval) SELECT y.nextval FROM x y", "SELECT" },
	{ "a column that an alias list renames is none", "SELECT x.nextval FROM (SELECT 1 AS nextval) x(a)", "SELECT a:nextval" },
	{ "an inner table of the same alias hides the sub-select",
	    "SELECT (SELECT x.nextval FROM t x) FROM (SELECT 1 AS nextval) x", "SELECT r:t a:nextval" },
	{ "inside FROM nothing is looked up", "SELECT 1 FROM (SELECT 1 AS nextval) x, LATERAL (SELECT x.nextval) y",
	    "SELECT a:nextval" },
	{ "three parts are not looked up", "SELECT s.x.nextval FROM (SELECT 1 AS nextval) x", "SELECT a:nextval" },

	/* CTE names */
	{ "a CTE is no relation", "WITH c AS (SELECT 1 FROM t) SELECT 1 FROM c", "SELECT r:t" },
	{ "a CTE does not cover a qualified name", "WITH c AS (SELECT 1) SELECT 1 FROM public.c", "SELECT r:public.c" },
	{ "a CTE does not see itself", "WITH c AS (SELECT 1 FROM c) SELECT 1 FROM c", "SELECT r:c" },
	{ "a recursive CTE sees itself", "WITH RECURSIVE c AS (SELECT 1 UNION SELECT 1 FROM c) SELECT 1 FROM c", "SELECT" },
	{ "a CTE does not see those after it", "WITH a AS (SELECT 1 FROM b), b AS (SELECT 1) SELECT 1 FROM a, b", "SELECT r:b" },
	{ "a recursive CTE sees those after it", "WITH RECURSIVE a AS (SELECT 1 FROM b), b AS (SELECT 1) SELECT 1 FROM a",
	    "SELECT" },
	{ "a CTE ends with its statement", "SELECT 1 FROM (WITH c AS (SELECT 1) SELECT 1 FROM c) x, c", "SELECT r:c" },
	{ "an inner CTE does not cover the outer query", "WITH a AS (WITH p AS (SELECT 1) SELECT 1 FROM p) SELECT 1 FROM a, p",
	    "SELECT r:p" },
	{ "an outer CTE is seen inside", "WITH c AS (SELECT 1) SELECT (SELECT 1 FROM c)", "SELECT" },
	{ "an arm of a UNION has its own CTEs", "(WITH c AS (SELECT 1) SELECT 1 FROM c) UNION SELECT 1 FROM c", "SELECT r:c" },
	{ "a DELETE's target is never a CTE", "WITH c AS (SELECT 1) DELETE FROM c WHERE a = 1", "DELETE rw:c" },

	/* writes */
	{ "INSERT writes and reads", "INSERT INTO a SELECT f() FROM b RETURNING g()", "INSERT w:a r:b f:f/0 f:g/0" },
	{ "ON CONFLICT counts", "INSERT INTO a VALUES (1) ON CONFLICT (lower(x)) WHERE f() DO UPDATE SET x = g() WHERE h()",
	    "INSERT w:a f:lower/1 f:f/0 f:g/0 f:h/0" },
	{ "UPDATE with many columns of one row walks it once", "UPDATE a SET (x, y) = (SELECT f(), 1) WHERE x = 1",
	    "UPDATE rw:a f:f/0" },
	{ "UPDATE without WHERE is seen", "UPDATE a SET x = 1", "UPDATE! rw:a" },
	{ "DELETE WHERE true is DELETE without WHERE", "DELETE FROM a WHERE true", "DELETE! rw:a" },
	{ "DELETE WHERE 1 = 1 as well", "DELETE FROM a WHERE 1 = 1", "DELETE! rw:a" },
	{ "DELETE USING counts", "DELETE FROM a USING b WHERE a.x = b.x", "DELETE rw:a r:b" },
	{ "MERGE counts in every part",
	    "MERGE INTO a USING b ON f() WHEN MATCHED AND g() THEN UPDATE SET x = h() WHEN NOT MATCHED THEN INSERT VALUES (i())",
	    "MERGE rw:a r:b f:f/0 f:g/0 f:h/0 f:i/0" },
	{ "a CTE that deletes is a DELETE", "WITH d AS (DELETE FROM t WHERE x = 1 RETURNING *) SELECT 1 FROM d",
	    "SELECT DELETE rw:t" },
	{ "SELECT INTO creates a table", "SELECT 1 INTO x FROM t", "SELECT r:t SELECT_INTO w:x" },
	{ "SELECT INTO in the first arm of a UNION does too", "SELECT 1 INTO x UNION SELECT 2", "SELECT SELECT_INTO w:x" },
	{ "locking is a problem", "SELECT 1 FROM t FOR NO KEY UPDATE", "SELECT r:t p:SELECT_FOR_NO_KEY_UPDATE" },
	{ "locking inside is a problem", "SELECT 1 FROM (SELECT 1 FROM t FOR SHARE) x", "SELECT r:t p:SELECT_FOR_SHARE" },

	/* statements in statements */
	{ "EXPLAIN is judged as what it explains", "EXPLAIN DELETE FROM t WHERE x = 1", "EXPLAIN DELETE rw:t" },
	{ "PREPARE too", "PREPARE p AS SELECT f() FROM t", "PREPARE SELECT r:t f:f/0" },
	{ "DECLARE too", "DECLARE c CURSOR FOR SELECT 1 FROM t", "DECLARE_CURSOR SELECT r:t" },
	{ "COPY of a query too", "COPY (SELECT 1 FROM t) TO STDOUT", "COPY_TO SELECT r:t" },
	{ "COPY of a table reads it", "COPY t (a) TO STDOUT (FORMAT csv, FORCE_QUOTE (a))", "COPY_TO r:t" },
	{ "COPY FROM writes it", "COPY t FROM STDIN WHERE f()", "COPY_FROM w:t f:f/0" },
	{ "COPY with a program is a problem", "COPY t TO PROGRAM 'x'", "COPY_TO r:t p:COPY_with_PROGRAM" },
	{ "CREATE TABLE AS is walked", "CREATE TABLE x AS SELECT f() FROM t", "CREATE_TABLE_AS w:x SELECT r:t f:f/0" },
	{ "EXECUTE's arguments are walked", "EXECUTE p(f())", "EXECUTE f:f/0" },
	{ "EXPLAIN EXECUTE's as well", "EXPLAIN EXECUTE p(f())", "EXPLAIN EXECUTE f:f/0" },
	{ "CALL is a call", "CALL s.p(f())", "CALL f:s.p/1 f:f/0" },
	{ "CREATE VIEW's query is walked", "CREATE VIEW v AS SELECT 1 FROM t", "CREATE_VIEW w:v r:t" },
	{ "column defaults are walked", "CREATE TABLE x (a int DEFAULT f() CHECK (g()), b int REFERENCES y)",
	    "CREATE_TABLE w:x f:f/0 f:g/0 r:y" },
	{ "ALTER TABLE's expressions are walked", "ALTER TABLE x ALTER a TYPE text USING f(a)", "ALTER_TABLE w:x f:f/1" },
	{ "DROP TABLE names its tables", "DROP TABLE a, s.b", "DROP_TABLE w:a w:s.b" },
	{ "DROP SCHEMA writes to all that is in it", "DROP SCHEMA s CASCADE", "DROP_SCHEMA w:s.*" },
	{ "what carries code is a problem by itself", "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
	    "CREATE_FUNCTION p:CREATE_FUNCTION" },

	/* settings */
	{ "SET of several values joins them", "SET DateStyle = 'ISO', DMY", "SET s:datestyle=ISO,_dmy" },
	{ "SET of a number", "SET x.y = 3.5", "SET s:x.y=3.5" },
	{ "SET TIME ZONE INTERVAL", "SET TIME ZONE INTERVAL '2' HOUR", "SET s:timezone=INTERVAL_'2'" },
	{ "a list of names keeps its quotes", "SET search_path = a, 'b, c'", "SET s:search_path=a,_\"b,_c\"" },
	{ "SET NAMES is client_encoding", "SET NAMES 'UTF8'", "SET s:client_encoding=UTF8" },
	{ "SET ROLE is a setting", "SET ROLE x", "SET s:role=x" },
	{ "DEFAULT has no value", "SET LOCAL a TO DEFAULT", "SET s:a" },
	{ "RESET has no value", "RESET a", "RESET s:a" },
	{ "set_config of constants is a setting", "SELECT set_config('a', 'b', true)", "SELECT s:a=b" },
	{ "set_config of anything else is a problem", "SELECT set_config('a' || 'b', 'c', true)", "SELECT p:call_of_set_config" },
	{ "set_config of a parameter waits for Bind", "SELECT pg_catalog.set_config('a', $1, false)", "SELECT b:a/0=/1" },
	{ "set_config of two parameters too", "SELECT set_config($2, $1::text, true)", "SELECT b:/2=/1" },
	{ "set_config of a name that a cast cuts is a problem", "SELECT set_config('ab'::varchar(1), 'b', true)",
	    "SELECT p:call_of_set_config" },
	{ "set_config of a name of another type is a problem", "SELECT set_config('ab'::s.t, 'b', true)",
	    "SELECT p:call_of_set_config" },
	{ "a cast to text keeps the string", "SELECT set_config('a'::text, 'b'::pg_catalog.text, true)", "SELECT s:a=b" },
	{ "SHOW reads a setting", "SHOW \"App\".x", "SHOW v:App.x" },
	{ "current_setting reads one", "SELECT current_setting('a.b', true)", "SELECT v:a.b f:current_setting/2" },
	{ "of a computed name", "SELECT pg_catalog.current_setting('a' || x)", "SELECT v: f:pg_catalog.current_setting/1" },
	{ "of a name that a cast cuts", "SELECT current_setting('abc'::char(2))", "SELECT v: f:current_setting/1" },
	{ "of a parameter", "SELECT current_setting($1)", "SELECT v: f:current_setting/1" },
	{ "as a type name", "SELECT TREAT('a' AS current_setting)", "SELECT v:a f:pg_catalog.current_setting/1" },
	{ "as an attribute", "SELECT ('a'::text).current_setting", "SELECT a:current_setting" },
	{ "set_config with a computed scope is a problem", "SELECT set_config('a', $1, $2)", "SELECT p:call_of_set_config" },
	{ "another schema's set_config is a call", "SELECT s.set_config('a', 'b', false)", "SELECT f:s.set_config/3" },
	{ "READ WRITE in SET TRANSACTION is a problem", "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE, READ WRITE",
	    "SET p:SET_TRANSACTION_READ_WRITE" },
	{ "SNAPSHOT is a problem", "SET TRANSACTION SNAPSHOT 'x'", "SET p:SET_TRANSACTION_SNAPSHOT" },
	{ "RESET ALL alone is a problem", "RESET ALL", "RESET p:RESET_ALL" },
	{ "RESET ALL in a batch is none", "CLOSE ALL; RESET ALL", "CLOSE RESET" },
	{ "pg_advisory_unlock_all alone is a call", "SELECT pg_advisory_unlock_all()", "SELECT f:pg_advisory_unlock_all/0" },
	{ "pg_advisory_unlock_all in a batch is housekeeping", "SELECT pg_advisory_unlock_all(); CLOSE ALL",
	    "SELECT_pg_advisory_unlock_all() CLOSE" },
	{ "DISCARD ALL is a problem", "DISCARD ALL", "DISCARD p:DISCARD_ALL" },
	{ "AND CHAIN is a problem", "COMMIT AND CHAIN", "COMMIT p:COMMIT_AND_CHAIN" },
	{ "two-phase commit is a problem", "PREPARE TRANSACTION 'x'", "PREPARE_TRANSACTION p:PREPARE_TRANSACTION" },
};

static void
write_act(struct sb *sb, const struct fact *f)
{
	for (const char *s = f->what; *s != '\0'; s++)
		sb_char(sb, *s == ' ' ? '_' : *s);
	sb_str(sb, f->whereless ? "!" : "");
}

static void
write_name(struct sb *sb, const char *prefix, const struct fact *f)
{
	sb_fmt(sb, "%s:%s%s%s", prefix, f->schema, *f->schema != '\0' ? "." : "", f->name);
}

static void
write_setting(struct sb *sb, const struct fact *f)
{
	sb_fmt(sb, "s:%s", f->name);
	if (f->value != NULL)
		sb_char(sb, '=');
	for (const char *s = f->value; s != NULL && *s != '\0'; s++)
		sb_char(sb, *s == ' ' ? '_' : *s);
}

static void
write_fact(struct sb *sb, const struct fact *f)
{
	static const char *const access[] = { "?", "r", "w", "rw" };

	switch (f->type) {
	case FACT_ACT:
		write_act(sb, f);
		break;
	case FACT_RELATION:
		write_name(sb, access[f->number & 3], f);
		break;
	case FACT_FUNCTION:
		write_name(sb, "f", f);
		sb_fmt(sb, "/%d", f->number);
		break;
	case FACT_ATTRIBUTE:
		write_name(sb, "a", f);
		break;
	case FACT_OPERATOR:
		write_name(sb, "o", f);
		break;
	case FACT_SETTING:
		write_setting(sb, f);
		break;
	case FACT_SHOWN:
		write_name(sb, "v", f);
		break;
	case FACT_BOUND:
		sb_fmt(sb, "b:%s/%d=%s/%d", f->name, f->number, f->value != NULL ? f->value : "", f->value_number);
		break;
	case FACT_PROBLEM:
		sb_str(sb, "p:");
		write_act(sb, f);
		break;
	}
}

static void
collect(struct sb *sb, const char *sql)
{
	struct policy *policy = policy_builtin();
	struct parser parser;
	struct tree tree;
	struct facts facts;

	facts_init(&facts);
	parser_open(&parser);
	if (parser_parse(&parser, sql, &tree))
		facts_collect(&facts, &tree, sql, strlen(sql), policy_default_profile(policy));
	else
		sb_fmt(sb, "error: %s", tree.error);
	if (facts.fatal != NULL)
		sb_fmt(sb, "fatal: %s ", facts.fatal->value);
	for (size_t i = 0; i < facts.n; i++) {
		sb_str(sb, i > 0 ? " " : "");
		write_fact(sb, &facts.items[i]);
	}
	facts_release(&facts);
	tree_release(&tree);
	parser_close(&parser);
	policy_unref(policy);
}

static void
test_row(void **state)
{
	const struct row *row = *state;
	struct sb sb = { 0 };

	collect(&sb, row->sql);
	if (strcmp(sb_text(&sb), row->facts) != 0)
		fail_msg("%s\n  expected %s\n  found    %s", row->sql, row->facts, sb_text(&sb));
	sb_free(&sb);
}

int
main(void)
{
	struct CMUnitTest tests[nitems(rows)];

	for (size_t i = 0; i < nitems(rows); i++)
		tests[i] = (struct CMUnitTest){
			.name = rows[i].name, .test_func = test_row, .initial_state = (void *)(uintptr_t)&rows[i]
		};
	return cmocka_run_group_tests_name("walk", tests, NULL, NULL);
}
