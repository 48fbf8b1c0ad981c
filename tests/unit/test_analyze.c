/* tests/unit/test_analyze.c - what every name means, and what runs without being called. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analyze.h"

/* The corpus's policy, with a column masked and rows filtered beside. */
static const char policy_text[] =
    "{ \"version\": 1, \"profiles\": {"
    "  \"ro\": { \"access_mode\": \"read_only\", \"multi_statement\": \"each\","
    "    \"schemas\": { \"deny\": [\"secret\"] }, \"tables\": { \"deny\": [\"public.payroll\"] },"
    "    \"columns\": [ { \"column\": \"public.users.ssn\", \"action\": \"deny\" },"
    "                   { \"column\": \"public.employees.hired\", \"action\": \"mask\", \"mask\": \"null\" } ],"
    "    \"row_filters\": [ { \"table\": \"public.counters\", \"where\": \"n > 0\" } ],"
    "    \"functions\": { \"allow\": [\"public.full_label(text,text)\", \"public.cents(numeric)\", \"public.tally\"] } },"
    "  \"rw\": { \"access_mode\": \"read_write\", \"multi_statement\": \"each\","
    "    \"statements\": { \"allow\": [\"select\", \"insert\", \"update\", \"delete\", \"merge\", \"copy_to\", \"prepare\"] },"
    "    \"columns\": [ { \"column\": \"public.users.ssn\", \"action\": \"deny\" },"
    "                   { \"column\": \"public.employees.hired\", \"action\": \"mask\", \"mask\": \"null\" } ],"
    "    \"row_filters\": [ { \"table\": \"public.counters\", \"where\": \"n > 0\" } ],"
    "    \"writes\": { \"mode\": \"allow\", \"require_where\": false } }"
    "}, \"default_profile\": \"ro\" }";

static struct policy *policy;
static struct catalog *catalog;
static struct rights *read_only, *read_write;

enum { AUDITED = 1 };

static const struct row {
	const char *name, *sql;
	enum rule rule;
	const char *words; /* in the refusal's message, or the rewritten text */
	int parameter;     /* AUDITED: $1 is of that domain */
	bool writes;       /* under read_write */
} rows[] = {
	/* calls */
	{ "a built-in passes", "SELECT upper(name) FROM products", RULE_NONE, NULL, 0, false },
	{ "an allowed function passes", "SELECT full_label(name, sku) FROM products", RULE_NONE, NULL, 0, false },
	{ "with a cast on the way", "SELECT cents(5)", RULE_NONE, NULL, 0, false },
	{ "one that nobody named is refused", "SELECT note('x')", RULE_FUNCTION_DENIED, "call of public.note refused", 0, false },
	{ "an overload of a built-in's name too", "SELECT round(v, 1) FROM metrics", RULE_FUNCTION_DENIED, "public.round", 0,
	    false },
	{ "the built-in of that name passes", "SELECT round(total, 1) FROM orders", RULE_NONE, NULL, 0, false },
	{ "a call of what is not there is unknown", "SELECT nosuch(1)", RULE_UNKNOWN_OBJECT, "function nosuch(int4) does not exist",
	    0, false },
	{ "an aggregate runs its functions", "SELECT tally(key) FROM settings", RULE_FUNCTION_DENIED,
	    "a function that the aggregate runs", 0, false },
	{ "an ordered-set one too", "SELECT os_agg(0.5) WITHIN GROUP (ORDER BY key) FROM settings", RULE_FUNCTION_DENIED, NULL, 0,
	    false },
	{ "default arguments run", "SELECT make_ref('A')", RULE_FUNCTION_DENIED, NULL, 0, false },
	{ "a sampling method is a function", "SELECT 1 FROM orders TABLESAMPLE system_rows(5)", RULE_FUNCTION_DENIED, NULL, 0,
	    false },

	/* attribute notation */
	{ "row.name calls", "SELECT u.log_view FROM users u", RULE_FUNCTION_DENIED, "public.log_view", 0, false },
	{ "schema.table.name calls", "SELECT public.orders.note_int FROM public.orders", RULE_UNKNOWN_OBJECT, NULL, 0, false },
	{ "(value).name calls", "SELECT (3).get_salary", RULE_FUNCTION_DENIED, "get_salary", 0, false },
	{ "the alias of one that gives rows is of their type", "SELECT quote_literal(x) FROM unnest(ARRAY[ROW(1)::emp_ref]) x",
	    RULE_FUNCTION_DENIED, "emp_ref_to_text", 0, false },
	{ "not with other columns beside them", "SELECT quote_literal(x) FROM unnest(ARRAY[ROW(1)::emp_ref]) WITH ORDINALITY x",
	    RULE_NONE, NULL, 0, false },
	{ "a function's alias is its value", "SELECT x.get_salary FROM generate_series(1, 3) x", RULE_FUNCTION_DENIED, "get_salary",
	    0, false },
	{ "TREAT calls", "SELECT TREAT(3 AS get_salary)", RULE_UNKNOWN_OBJECT, NULL, 0, false },
	{ "a column comes first", "SELECT o.note, (o.ship_to).city FROM orders o", RULE_NONE, NULL, 0, false },
	{ "a name alone is never a call", "SELECT note FROM orders", RULE_NONE, NULL, 0, false },
	{ "what is neither is unknown", "SELECT o.nosuch FROM orders o", RULE_UNKNOWN_OBJECT, "o.nosuch does not exist", 0, false },

	/* operators and keywords */
	{ "a built-in's operator passes", "SELECT name LIKE 'a%' FROM products", RULE_NONE, NULL, 0, false },
	{ "a user's operator is refused", "SELECT name <+> sku FROM products", RULE_FUNCTION_DENIED, "operator <+> refused", 0,
	    false },
	{ "LIKE is one for these types", "SELECT 1 FROM orders WHERE id LIKE '5%'", RULE_FUNCTION_DENIED,
	    "operator ~~ refused: it runs public.int_like", 0, false },
	{ "through a subquery's column too", "SELECT 1 FROM (SELECT id AS x FROM orders) a WHERE a.x ILIKE '5%'",
	    RULE_FUNCTION_DENIED, "int_ilike", 0, false },
	{ "and through a CTE's", "WITH a(x) AS (SELECT id FROM orders) SELECT 1 FROM a WHERE x SIMILAR TO '5%'",
	    RULE_FUNCTION_DENIED, "int_sim", 0, false },
	{ "IN compares by =", "SELECT 1 FROM orders WHERE ship_to IN ('x'::text)", RULE_FUNCTION_DENIED, "addr_eq_text", 0, false },
	{ "so does NULLIF", "SELECT NULLIF(ship_to, 'x'::text) FROM orders", RULE_FUNCTION_DENIED, "addr_eq_text", 0, false },
	{ "and CASE x WHEN", "SELECT CASE ship_to WHEN 'x'::text THEN 1 END FROM orders", RULE_FUNCTION_DENIED, "addr_eq_text", 0,
	    false },
	{ "and rows, one by one", "SELECT 1 FROM orders WHERE (id, ship_to) = (1, 'x'::text)", RULE_FUNCTION_DENIED, "addr_eq_text",
	    0, false },
	{ "and a row with a subquery", "SELECT 1 FROM orders WHERE (id, ship_to) = (SELECT 1, 'x'::text)", RULE_FUNCTION_DENIED,
	    "addr_eq_text", 0, false },
	{ "and USING", "SELECT 1 FROM orders JOIN (SELECT 'x'::text AS ship_to) y USING (ship_to)", RULE_FUNCTION_DENIED,
	    "addr_eq_text", 0, false },
	{ "and NATURAL", "SELECT 1 FROM orders NATURAL JOIN (SELECT 'x'::text AS ship_to) y", RULE_FUNCTION_DENIED, "addr_eq_text",
	    0, false },
	{ "BETWEEN is >= and <=", "SELECT ship_to BETWEEN 'a'::text AND 'b'::text FROM orders", RULE_FUNCTION_DENIED, "addr_ge", 0,
	    false },
	{ "a parameter keeps the type of its first use", "SELECT 1 FROM orders WHERE id = $1 AND $1 LIKE '5%'",
	    RULE_FUNCTION_DENIED, "int_like", 0, false },
	{ "|| casts to text as a user's cast does", "SELECT '' || ROW(1)::emp_ref", RULE_FUNCTION_DENIED, "emp_ref_to_text", 0,
	    false },
	{ "quote_literal() does", "SELECT quote_literal(ROW(1)::emp_ref)", RULE_FUNCTION_DENIED, "emp_ref_to_text", 0, false },

	/* comparison without an operator */
	{ "ORDER BY compares", "SELECT id FROM keyed ORDER BY k", RULE_FUNCTION_DENIED,
	    "ORDER BY refused: comparing values of type public.ckey runs public.ckey_", 0, false },
	{ "by ordinal", "SELECT k FROM keyed ORDER BY 1", RULE_FUNCTION_DENIED, "ORDER BY", 0, false },
	{ "by the output's name", "SELECT k AS a FROM keyed ORDER BY a", RULE_FUNCTION_DENIED, "ORDER BY", 0, false },
	{ "GROUP BY compares", "SELECT 1 FROM keyed GROUP BY k", RULE_FUNCTION_DENIED, "GROUP BY", 0, false },
	{ "GROUPING SETS do", "SELECT 1 FROM keyed GROUP BY GROUPING SETS ((id), (id, k))", RULE_FUNCTION_DENIED, "GROUP BY", 0,
	    false },
	{ "DISTINCT does", "SELECT DISTINCT k FROM keyed", RULE_FUNCTION_DENIED, "DISTINCT", 0, false },
	{ "of a whole row too", "SELECT DISTINCT keyed FROM keyed", RULE_FUNCTION_DENIED, "DISTINCT", 0, false },
	{ "UNION does", "SELECT k FROM keyed UNION SELECT k FROM keyed", RULE_FUNCTION_DENIED, "UNION", 0, false },
	{ "UNION ALL does not", "SELECT k FROM keyed UNION ALL SELECT k FROM keyed", RULE_NONE, NULL, 0, false },
	{ "INTERSECT ALL does", "SELECT k FROM keyed INTERSECT ALL SELECT k FROM keyed", RULE_FUNCTION_DENIED, "INTERSECT", 0,
	    false },
	{ "windows do", "SELECT count(*) OVER w FROM keyed WINDOW w AS (PARTITION BY k)", RULE_FUNCTION_DENIED, "PARTITION BY", 0,
	    false },
	{ "an aggregate's DISTINCT does", "SELECT count(DISTINCT k) FROM keyed", RULE_FUNCTION_DENIED, NULL, 0, false },
	{ "an aggregate's ORDER BY does", "SELECT array_agg(id ORDER BY k) FROM keyed", RULE_FUNCTION_DENIED, NULL, 0, false },
	{ "counting does not", "SELECT count(k) FROM keyed", RULE_NONE, NULL, 0, false },
	{ "arrays do", "SELECT ARRAY[k] @> ARRAY[k] FROM keyed", RULE_FUNCTION_DENIED, NULL, 0, false },
	{ "rows do", "SELECT ROW(k) < ROW(k) FROM keyed", RULE_FUNCTION_DENIED, NULL, 0, false },
	{ "GREATEST does", "SELECT GREATEST(k, k) FROM keyed", RULE_FUNCTION_DENIED, "GREATEST", 0, false },
	{ "IN over a subquery does", "SELECT 1 FROM keyed WHERE k IN (SELECT k FROM keyed)", RULE_FUNCTION_DENIED, NULL, 0, false },

	/* casts and types */
	{ "a domain's CHECK runs", "SELECT 'x'::audited", RULE_FUNCTION_DENIED, "note_bool", 0, false },
	{ "by its name as a call", "SELECT audited('x')", RULE_FUNCTION_DENIED, NULL, 0, false },
	{ "in an array", "SELECT '{a}'::audited[]", RULE_FUNCTION_DENIED, NULL, 0, false },
	{ "in a row", "SELECT ROW(1, 'x')::audited_pair", RULE_FUNCTION_DENIED, NULL, 0, false },
	{ "in a range", "SELECT '[a,b]'::audited_range", RULE_FUNCTION_DENIED, NULL, 0, false },
	{ "in a column definition", "SELECT * FROM jsonb_to_record('{}') AS t(b audited)", RULE_FUNCTION_DENIED, NULL, 0, false },
	{ "in XMLTABLE", "SELECT * FROM XMLTABLE('/a' PASSING '<a/>' COLUMNS x audited PATH '.')", RULE_FUNCTION_DENIED, NULL, 0,
	    false },
	{ "as a parameter's type in the message", "SELECT 1", RULE_FUNCTION_DENIED, NULL, AUDITED, false },
	{ "as a parameter's type in PREPARE", "PREPARE p(audited) AS SELECT 1", RULE_FUNCTION_DENIED, NULL, 0, false },
	{ "EXECUTE casts to a parameter's type", "PREPARE p(loud) AS SELECT 1", RULE_FUNCTION_DENIED, "int_to_loud", 0, false },
	{ "implicit casts run in CASE", "SELECT CASE WHEN true THEN ROW(1)::quiet ELSE NULL::loud END", RULE_FUNCTION_DENIED,
	    "quiet_to_loud", 0, false },
	{ "in UNION", "SELECT NULL::loud UNION ALL SELECT ROW(1)::quiet", RULE_FUNCTION_DENIED, "quiet_to_loud", 0, false },
	{ "in VALUES", "VALUES (ROW(1)::quiet), (NULL::loud)", RULE_FUNCTION_DENIED, "quiet_to_loud", 0, false },
	{ "in arguments", "SELECT loud_len(5)", RULE_FUNCTION_DENIED, NULL, 0, false },
	{ "casts to json run", "SELECT to_json(b) FROM badges", RULE_FUNCTION_DENIED, "badge_to_json", 0, false },
	{ "for a column of a row", "SELECT json_agg(x) FROM (SELECT * FROM badges) x", RULE_FUNCTION_DENIED, "badge_to_json", 0,
	    false },
	{ "other rows become JSON", "SELECT row_to_json(o) FROM orders o", RULE_NONE, NULL, 0, false },
	{ "a type of a closed schema is not named", "SELECT NULL::secret.clearance", RULE_SCHEMA_DENIED, "secret.clearance", 0,
	    false },
	{ "a type that is not there is unknown", "SELECT 1::nosuch", RULE_UNKNOWN_OBJECT, "type \"nosuch\" does not exist", 0,
	    false },

	/* names in strings */
	{ "a closed table has no regclass", "SELECT 'secret.api_keys'::regclass", RULE_SCHEMA_DENIED, NULL, 0, false },
	{ "however it is quoted", "SELECT ' \"public\" . \"payroll\"'::regclass", RULE_TABLE_DENIED, "public.payroll", 0, false },
	{ "nor beside one", "SELECT 1 FROM pg_class WHERE oid::regclass = 'payroll'", RULE_TABLE_DENIED, NULL, 0, false },
	{ "nor in an array of them", "SELECT '{users,payroll}'::regclass[]", RULE_TABLE_DENIED, NULL, 0, false },
	{ "its size is not told", "SELECT pg_relation_size('payroll')", RULE_TABLE_DENIED, NULL, 0, false },
	{ "its privileges are not told", "SELECT has_table_privilege('agent', 'payroll', 'select')", RULE_TABLE_DENIED, NULL, 0,
	    false },
	{ "a computed name could be its", "SELECT to_regclass('pay' || 'roll')", RULE_FUNCTION_DENIED, "computed", 0, false },
	{ "an oid of a row is fine", "SELECT oid::regclass, pg_relation_size(oid) FROM pg_class", RULE_NONE, NULL, 0, false },
	{ "an open table has one", "SELECT 'users'::regclass", RULE_NONE, NULL, 0, false },
	{ "a closed schema has no regnamespace", "SELECT 'secret'::regnamespace", RULE_SCHEMA_DENIED, NULL, 0, false },
	{ "a function that may not run has no regproc", "SELECT 'note'::regproc", RULE_FUNCTION_DENIED, NULL, 0, false },
	{ "statistics of closed tables are not for asking", "SELECT reltuples FROM pg_class WHERE relname = 'payroll'",
	    RULE_TABLE_DENIED, "statistics of payroll", 0, false },
	{ "of others they are", "SELECT reltuples FROM pg_class WHERE relname = 'orders'", RULE_NONE, NULL, 0, false },

	{ "a closed object's definition is not shown", "SELECT pg_get_viewdef('v_payroll'::regclass)", RULE_TABLE_DENIED, NULL, 0,
	    false },
	{ "of a row's object it is looked at when it runs", "SELECT pg_get_viewdef(c.oid) FROM pg_class c", RULE_NONE,
	    "regexp_replace\"((c.oid)", 0, false },
	{ "which as an attribute cannot be", "SELECT (c.oid).pg_get_viewdef FROM pg_class c", RULE_FUNCTION_DENIED,
	    "write it as a call", 0, false },

	{ "nor by the text that becomes a name", "SELECT pg_get_viewdef(('v_pay' || 'roll')::varchar)", RULE_FUNCTION_DENIED,
	    "computed name", 0, false },
	{ "a number that is read in another way is looked at, too", "SELECT pg_get_viewdef(' 99'::oid), pg_get_viewdef('099'::oid)",
	    RULE_NONE, "((' 99'::oid)", 0, false },
	{ "and one that is rounded", "SELECT pg_get_viewdef(99.0::int4)", RULE_NONE, "((99.0::int4)", 0, false },
	{ "a constant that a cast cuts is computed", "SELECT 'public.payrollX'::varchar(14)::regclass", RULE_FUNCTION_DENIED,
	    "computed name", 0, false },
	{ "the type's name of a value, too", "SELECT pg_input_is_valid('x', 'auditedX'::varchar(7))", RULE_UNKNOWN_OBJECT, NULL, 0,
	    false },

	/* what an argument decides, without brackets */
	{ "a setting by an attribute", "SELECT ('app.jwt_secret').current_setting", RULE_FUNCTION_DENIED, "write it as a call", 0,
	    false },
	{ "of an alias", "SELECT n.current_setting FROM unnest(ARRAY['app.jwt_secret']) n", RULE_FUNCTION_DENIED, "as a call", 0,
	    false },
	{ "however it is spelled", "SELECT ('pgmoat.mask_key').U&\"\\0063urrent_setting\"", RULE_FUNCTION_DENIED, "as a call", 0,
	    false },
	{ "or as TREAT", "SELECT TREAT('app.jwt_secret' AS current_setting)", RULE_FUNCTION_DENIED, "secret", 0, false },
	{ "a closed table's name by an attribute", "SELECT ('public.payroll').to_regclass", RULE_TABLE_DENIED, "public.payroll", 0,
	    false },
	{ "as a function's reg parameter", "SELECT ('public.payroll').pg_relation_size", RULE_TABLE_DENIED, "public.payroll", 0,
	    false },
	{ "as a type's name", "SELECT ('public.payroll').regclass", RULE_TABLE_DENIED, "public.payroll", 0, false },
	{ "as TREAT", "SELECT TREAT('public.payroll' AS regclass)", RULE_TABLE_DENIED, "public.payroll", 0, false },
	{ "as a value from rows", "SELECT v.to_regclass FROM unnest(ARRAY['secret.keys']) v", RULE_FUNCTION_DENIED, "computed", 0,
	    false },
	{ "a definition by an attribute", "SELECT ('public.v_payroll').pg_get_viewdef", RULE_TABLE_DENIED, "v_payroll", 0, false },
	{ "of a row's object its size is no definition", "SELECT (c.oid).pg_relation_size FROM pg_class c", RULE_NONE, NULL, 0,
	    false },

	/* definitions of whatever comes first */
	{ "all comments are refused", "SELECT description FROM pg_description", RULE_COLUMN_DENIED, "name the object", 0, false },
	{ "in a subquery, too",
	    "SELECT 1 FROM orders WHERE id IN (SELECT enumsortorder FROM pg_enum e WHERE true ORDER BY e.enumlabel)",
	    RULE_COLUMN_DENIED, "name the object", 0, false },
	{ "and beside another table", "SELECT d.description FROM pg_description d, pg_class c", RULE_COLUMN_DENIED, NULL, 0,
	    false },
	{ "a join on nothing is none", "SELECT d.description FROM pg_class c JOIN pg_description d ON true", RULE_COLUMN_DENIED,
	    NULL, 0, false },
	{ "a condition is", "SELECT d.description FROM pg_class c JOIN pg_description d ON d.objoid = c.oid", RULE_NONE, NULL, 0,
	    false },
	{ "so is WHERE", "SELECT enumlabel FROM pg_enum WHERE enumtypid = 5", RULE_NONE, NULL, 0, false },
	{ "names alone are no definitions", "SELECT relname FROM pg_class", RULE_NONE, NULL, 0, false },

	/* settings as rows */
	{ "a closed setting is not for asking", "SELECT setting FROM pg_settings WHERE name = 'data_directory'",
	    RULE_SETTING_DENIED, "data_directory", 0, false },
	{ "an open one is", "SELECT setting FROM pg_settings WHERE name = 'work_mem'", RULE_NONE, NULL, 0, false },
	{ "SHOW neither", "SHOW Data_Directory", RULE_SETTING_DENIED, "files, commands or keys", 0, false },
	{ "nor current_setting", "SELECT current_setting('hba_file')", RULE_FUNCTION_DENIED, "files, commands or keys", 0, false },
	{ "nor its flags", "SELECT pg_settings_get_flags('ssl_key_file')", RULE_SETTING_DENIED, "ssl_key_file", 0, false },
	{ "the function behind is refused", "SELECT pg_show_all_settings()", RULE_FUNCTION_DENIED, "use pg_settings", 0, false },
	{ "and its values in FROM", "SELECT setting FROM pg_show_all_settings()", RULE_COLUMN_DENIED, "setting", 0, false },
	{ "by a star", "SELECT * FROM pg_show_all_settings()", RULE_COLUMN_DENIED, NULL, 0, false },
	{ "by a whole row", "SELECT (x).setting FROM pg_show_all_settings() x", RULE_COLUMN_DENIED, "whole row", 0, false },
	{ "by a name that stands for it", "SELECT b FROM pg_show_all_settings() AS x(a, b)", RULE_COLUMN_DENIED, NULL, 0, false },
	{ "pgAdmin asks for a name",
	    "SELECT set_config('bytea_output', 'hex', false) FROM pg_show_all_settings() WHERE name = "
	    "'bytea_output'",
	    RULE_NONE, NULL, 0, false },

	/* EXPLAIN */
	{ "counts of hidden rows are not shown", "EXPLAIN ANALYZE SELECT n FROM counters", RULE_COLUMN_DENIED, "plain EXPLAIN", 0,
	    false },
	{ "however it is asked for", "EXPLAIN (BUFFERS, ANALYSE 1) SELECT n FROM counters", RULE_COLUMN_DENIED, "hidden", 0,
	    false },
	{ "nor the filter's words at length", "EXPLAIN (VERBOSE) SELECT n FROM counters", RULE_COLUMN_DENIED, "VERBOSE", 0, false },
	{ "nor a mask's", "EXPLAIN (VERBOSE on) SELECT hired FROM employees", RULE_COLUMN_DENIED, "VERBOSE", 0, false },
	{ "nor of what was prepared", "EXPLAIN ANALYZE EXECUTE p", RULE_COLUMN_DENIED, "prepared", 0, false },
	{ "a plain plan is", "EXPLAIN (ANALYZE off, VERBOSE 0, COSTS off) SELECT n FROM counters", RULE_NONE, NULL, 0, false },
	{ "so is ANALYZE where all rows are there", "EXPLAIN ANALYZE SELECT id FROM users", RULE_NONE, NULL, 0, false },

	/* columns that are closed */
	{ "a column in functional notation", "SELECT ssn(u) FROM users u", RULE_COLUMN_DENIED, "ssn", 0, false },
	{ "naming one is refused", "SELECT ssn FROM users", RULE_COLUMN_DENIED, "column ssn of public.users refused", 0, false },
	{ "wherever it is", "SELECT 1 FROM users GROUP BY id HAVING max(ssn) > ''", RULE_COLUMN_DENIED, NULL, 0, false },
	{ "from a subquery inside", "SELECT (SELECT ssn FROM categories LIMIT 1) FROM users", RULE_COLUMN_DENIED, NULL, 0, false },
	{ "through a subquery's star", "SELECT x.ssn FROM (SELECT * FROM users) x", RULE_COLUMN_DENIED, NULL, 0, false },
	{ "through a CTE's star", "WITH x AS (TABLE users) SELECT ssn FROM x", RULE_COLUMN_DENIED, NULL, 0, false },
	{ "by position", "SELECT d FROM users AS u(a, b, c, d)", RULE_COLUMN_DENIED, NULL, 0, false },
	{ "by position of a CTE", "WITH x(a, b, c, d) AS (SELECT * FROM users) SELECT d FROM x", RULE_COLUMN_DENIED, NULL, 0,
	    false },
	{ "by position of a join", "SELECT d FROM (users u CROSS JOIN settings) AS j(a, b, c, d)", RULE_COLUMN_DENIED, NULL, 0,
	    false },
	{ "by position of a set operation", "SELECT id, email, full_name FROM users UNION ALL TABLE users", RULE_COLUMN_DENIED,
	    NULL, 0, false },
	{ "in USING", "SELECT 1 FROM users JOIN ssn_guess USING (ssn)", RULE_COLUMN_DENIED, "USING", 0, false },
	{ "in NATURAL JOIN", "SELECT 1 FROM users NATURAL JOIN ssn_guess", RULE_COLUMN_DENIED, "NATURAL JOIN", 0, false },
	{ "in a whole row", "SELECT u FROM users u", RULE_COLUMN_DENIED, "whole row of u", 0, false },
	{ "with a hint of what is open", "SELECT to_json(u) FROM users u", RULE_COLUMN_DENIED, "these are: id, email", 0, false },
	{ "in ROW(u.*)", "SELECT ROW(u.*) FROM users u", RULE_COLUMN_DENIED, NULL, 0, false },
	{ "in count(u.*)", "SELECT count(u.*) FROM users u", RULE_COLUMN_DENIED, NULL, 0, false },
	{ "in a call of a function of the row", "SELECT u.row_to_json FROM users u", RULE_COLUMN_DENIED, NULL, 0, false },
	{ "a system column is not there either", "SELECT ctid FROM users", RULE_COLUMN_DENIED, "ctid", 0, false },
	{ "nor is a sample", "SELECT id FROM users TABLESAMPLE system (10)", RULE_TABLE_DENIED, NULL, 0, false },
	{ "a star lacks it", "SELECT * FROM users", RULE_NONE, "FROM \"public\".\"users\") AS \"users\"", 0, false },
	{ "others stay", "SELECT u.email FROM users u WHERE u.id = 5", RULE_NONE, "FROM \"public\".\"users\") u", 0, false },
	{ "a schema before a name goes", "SELECT public.users.id FROM public.users", RULE_NONE, "SELECT users.id", 0, false },
	{ "EXISTS may have a star", "SELECT EXISTS (SELECT * FROM users)", RULE_NONE, NULL, 0, false },
	{ "a masked column stays", "SELECT name, hired FROM employees", RULE_NONE, "NULL", 0, false },
	{ "in a whole row, too", "SELECT to_json(e) FROM employees e", RULE_NONE, "NULL", 0, false },
	{ "a view that reads a closed one is closed", "SELECT code FROM v_contacts", RULE_COLUMN_DENIED, NULL, 0, false },
	{ "a CTE covers the name of a table", "WITH users AS (SELECT 1 AS ssn) SELECT ssn FROM users", RULE_NONE, NULL, 0, false },
	{ "but not of one with its schema", "WITH users AS (SELECT 1 AS ssn) SELECT ssn FROM public.users", RULE_COLUMN_DENIED,
	    NULL, 0, false },
	{ "a column of its own name elsewhere is open", "SELECT g.ssn FROM users u, ssn_guess g", RULE_NONE, NULL, 0, false },

	/* GROUP BY a key: the table stays where nothing could name what is closed */
	{ "a grouped table stays",
	    "SELECT u.id, u.email, count(o.id), count(*) FROM users u LEFT JOIN orders o ON o.id = u.id * 2 GROUP BY u.id",
	    RULE_NONE, "FROM users u LEFT JOIN orders o ON o.id = u.id * 2 GROUP BY u.id\nLIMIT", 0, false },
	{ "with its schema, and without an alias",
	    "SELECT public.users.id, \"users\".\"email\" FROM public.users GROUP BY users.id", RULE_NONE,
	    "SELECT public.users.id, \"users\".\"email\" FROM public.users GROUP BY users.id\nLIMIT", 0, false },
	{ "in a CTE and a subquery",
	    "WITH c AS (SELECT id, email FROM users GROUP BY id) SELECT (SELECT u.email FROM ONLY (users) AS u GROUP BY u.id LIMIT "
	    "1) FROM c",
	    RULE_NONE, "SELECT id, email FROM users GROUP BY id) SELECT (SELECT u.email FROM ONLY (users) AS u GROUP BY u.id", 0,
	    false },
	{ "and stays beside one that does not",
	    "SELECT u.email, v.email FROM users u JOIN (SELECT id, email FROM users w) v ON v.id = u.id GROUP BY u.id, v.email",
	    RULE_NONE, "FROM users u JOIN (SELECT id, email FROM (SELECT", 0, false },
	{ "without GROUP BY it does not", "SELECT u.id FROM users u", RULE_NONE, "FROM \"public\".\"users\") u\nLIMIT", 0, false },
	{ "with a star", "SELECT * FROM users u GROUP BY u.id", RULE_NONE, "FROM \"public\".\"users\") u GROUP", 0, false },
	{ "of its own", "SELECT u.* FROM users u GROUP BY u.id", RULE_NONE, "FROM \"public\".\"users\") u GROUP", 0, false },
	{ "of what is around", "SELECT x.* FROM (SELECT id FROM users u GROUP BY u.id) x", RULE_NONE,
	    "FROM \"public\".\"users\") u GROUP", 0, false },
	{ "behind DISTINCT ON", "SELECT DISTINCT ON (id) * FROM (SELECT id FROM users u GROUP BY u.id) x", RULE_NONE,
	    "FROM \"public\".\"users\") u GROUP", 0, false },
	{ "as TABLE", "SELECT id FROM users u GROUP BY u.id UNION ALL (SELECT 1 FROM (TABLE orders) t)", RULE_NONE,
	    "FROM \"public\".\"users\") u GROUP", 0, false },
	{ "and NATURAL JOIN", "SELECT 1 FROM users u NATURAL JOIN orders GROUP BY u.id", RULE_NONE,
	    "FROM \"public\".\"users\") u NATURAL", 0, false },
	{ "a closed column's name anywhere", "SELECT u.id AS ssn FROM users u GROUP BY u.id", RULE_NONE,
	    "FROM \"public\".\"users\") u GROUP", 0, false },
	{ "quoted in another case", "SELECT u.id AS \"SSN\" FROM users u GROUP BY u.id", RULE_NONE,
	    "FROM \"public\".\"users\") u GROUP", 0, false },
	{ "in letters that are hard to read", "SELECT u.id AS U&\"\\0073sn\" FROM users u GROUP BY u.id", RULE_NONE,
	    "FROM \"public\".\"users\") u GROUP", 0, false },
	{ "of another table", "SELECT u.id, count(g.ssn) FROM users u, ssn_guess g GROUP BY u.id", RULE_NONE,
	    "FROM \"public\".\"users\") u, ssn_guess", 0, false },
	{ "the row's name anywhere", "SELECT u.id AS u FROM users u GROUP BY u.id", RULE_NONE, "FROM \"public\".\"users\") u GROUP",
	    0, false },
	{ "and the row's type", "SELECT u.id, NULL::users FROM users u GROUP BY u.id", RULE_NONE,
	    "FROM \"public\".\"users\") u GROUP", 0, false },
	{ "a join's alias", "SELECT j.id FROM (users u JOIN settings s ON true) AS j GROUP BY j.id", RULE_NONE,
	    "FROM \"public\".\"users\") u JOIN", 0, false },
	{ "a masked table never stays", "SELECT e.emp_id FROM employees e GROUP BY e.emp_id", RULE_NONE, "NULL", 0, false },
	{ "nor does a filtered one", "SELECT name FROM counters c GROUP BY name", RULE_NONE, "OFFSET 0", 0, false },
	{ "a whole row is refused as ever", "SELECT count(u) FROM users u GROUP BY u.id", RULE_COLUMN_DENIED, "whole row of u", 0,
	    false },
	{ "so is a function of it", "SELECT u.row_to_json FROM users u GROUP BY u.id", RULE_COLUMN_DENIED, NULL, 0, false },
	{ "and the column itself", "SELECT u.id FROM users u GROUP BY u.id ORDER BY min(u.ssn)", RULE_COLUMN_DENIED, NULL, 0,
	    false },

	/* scopes */
	{ "LATERAL sees its left", "SELECT l.x FROM orders o, LATERAL (SELECT o.id AS x) l WHERE l.x LIKE '5'",
	    RULE_FUNCTION_DENIED, "int_like", 0, false },
	{ "a join's alias names its columns",
	    "SELECT 1 FROM (orders a JOIN payments b ON b.order_id = a.id) AS j(x) WHERE x LIKE '5'", RULE_FUNCTION_DENIED,
	    "int_like", 0, false },
	{ "a merged column has its type", "SELECT 1 FROM orders a FULL JOIN payments b USING (id) WHERE id LIKE '5'",
	    RULE_FUNCTION_DENIED, "int_like", 0, false },
	{ "a recursive CTE has its first arm's types",
	    "WITH RECURSIVE t(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM t WHERE n LIKE '1') SELECT n FROM t",
	    RULE_FUNCTION_DENIED, "int_like", 0, false },
	{ "SEARCH and CYCLE add columns",
	    "WITH RECURSIVE t(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM t) SEARCH DEPTH FIRST BY n SET o CYCLE n SET c USING p "
	    "SELECT t.n, t.o, t.c, t.p FROM t ORDER BY o",
	    RULE_NONE, NULL, 0, false },
	{ "functions in FROM have columns", "SELECT t.a FROM generate_series(1, 3) WITH ORDINALITY AS t(a, b) WHERE t.a LIKE '1'",
	    RULE_FUNCTION_DENIED, "int_like", 0, false },
	{ "so has unnest of many", "SELECT 1 FROM unnest(ARRAY[1], ARRAY['a']) AS t(x, y) WHERE y LIKE 'a'", RULE_NONE, NULL, 0,
	    false },
	{ "and a function of several OUT columns", "SELECT 1 FROM jsonb_each_text('{}') WHERE key LIKE 'a' AND value LIKE 'b'",
	    RULE_NONE, NULL, 0, false },
	{ "VALUES have column1", "SELECT v.column1 FROM (VALUES (1)) v WHERE v.column1 LIKE '1'", RULE_FUNCTION_DENIED, "int_like",
	    0, false },
	{ "a table that is not there is unknown", "SELECT * FROM nosuch", RULE_UNKNOWN_OBJECT, NULL, 0, false },

	/* writes */
	{ "a write that reads nothing closed passes", "UPDATE users SET ssn = NULL WHERE id = 1", RULE_NONE, NULL, 0, true },
	{ "its WHERE is read", "UPDATE users SET email = 'x' WHERE ssn = 'y'", RULE_COLUMN_DENIED, NULL, 0, true },
	{ "RETURNING is read", "DELETE FROM users WHERE id = 1 RETURNING *", RULE_COLUMN_DENIED, NULL, 0, true },
	{ "a mask cannot be put into RETURNING", "UPDATE employees SET name = 'x' RETURNING hired", RULE_COLUMN_DENIED, "masked", 0,
	    true },
	{ "hidden rows are not changed", "DELETE FROM counters WHERE name = 'x'", RULE_TABLE_DENIED, "rows of it are hidden", 0,
	    true },
	{ "nor merged with", "MERGE INTO counters c USING settings s ON s.key = c.name WHEN MATCHED THEN DELETE", RULE_TABLE_DENIED,
	    NULL, 0, true },
	{ "but added to", "INSERT INTO counters VALUES ('x', 1)", RULE_NONE, NULL, 0, true },
	{ "a star that lost a column is not inserted", "INSERT INTO documents SELECT * FROM users", RULE_COLUMN_DENIED, NULL, 0,
	    true },
	{ "ON CONFLICT reads the target", "INSERT INTO users (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET email = users.ssn",
	    RULE_COLUMN_DENIED, NULL, 0, true },
	{ "excluded is what the statement says",
	    "INSERT INTO counters VALUES ('x', 1) ON CONFLICT (name) DO UPDATE SET n = excluded.n", RULE_NONE, NULL, 0, true },
	{ "an assignment casts", "UPDATE keyed SET id = 1, k = ROW(1)", RULE_NONE, NULL, 0, true },
	{ "COPY of a table has no subquery", "COPY users TO STDOUT", RULE_COLUMN_DENIED, "use COPY (SELECT", 0, true },
	{ "of open columns it needs none", "COPY users (id, email) TO STDOUT", RULE_NONE, NULL, 0, true },
};

static void
test_row(void **state)
{
	const struct row *row = *state;
	const struct cat_namespace *public = catalog_namespace_named(catalog, "public");
	const uint32_t types[] = { catalog_type_named(catalog, public->oid, "audited")->oid };
	struct judgement *j = rights_judge(row->writes ? read_write : read_only, row->sql, strlen(row->sql),
	    row->parameter != 0 ? JUDGE_EXTENDED : JUDGE_SIMPLE, types, row->parameter != 0 ? 1 : 0);
	const char *said = j->message != NULL ? j->message : j->rewritten != NULL ? j->rewritten : "";

	if (j->rule != row->rule)
		fail_msg("%s: %s %s", row->sql, rule_name(j->rule), said);
	if (row->words != NULL && strstr(said, row->words) == NULL)
		fail_msg("%s: %s", row->sql, said);
	assert_int_equal(j->unknown, row->rule == RULE_UNKNOWN_OBJECT);
	judgement_unref(j);
}

/* --- what analyze() itself answers --------------------------------------------------- */

struct asked {
	struct parser parser;
	struct tree tree;
	struct analysis analysis;
	struct refusal refusal;
	bool fine;
};

static void
ask(struct asked *q, const char *sql)
{
	*q = (struct asked){ 0 };
	parser_open(&q->parser);
	assert_true(parser_parse(&q->parser, sql, &q->tree));
	rights_set_parser(read_only, &q->parser);
	q->fine = analyze(&q->analysis, read_only, &q->tree, sql, NULL, 0, &q->refusal);
}

static void
done(struct asked *q)
{
	analysis_release(&q->analysis);
	refusal_release(&q->refusal);
	tree_release(&q->tree);
	rights_set_parser(read_only, NULL);
	parser_close(&q->parser);
}

static void
test_sites(void **state)
{
	const char *sql =
	    "SELECT public.users.id FROM public.users, employees e LEFT JOIN employees f USING (emp_id) WHERE EXISTS (TABLE ONLY "
	    "users)";
	struct asked q;

	(void)state;
	ask(&q, sql);
	assert_true(q.fine);
	assert_true(q.analysis.complete);
	assert_int_equal(q.analysis.nsites, 4);
	for (size_t i = 1; i < q.analysis.nsites; i++)
		assert_true(q.analysis.sites[i - 1].location < q.analysis.sites[i].location);
	assert_memory_equal(sql + q.analysis.sites[0].location, "public.users,", 13);
	assert_false(q.analysis.sites[0].has_alias);
	assert_true(q.analysis.sites[1].has_alias);
	assert_false(q.analysis.sites[1].nullable);
	assert_true(q.analysis.sites[2].nullable);
	assert_true(q.analysis.sites[3].is_table_command);
	assert_true(q.analysis.sites[3].only);
	assert_int_equal(q.analysis.nunqualified, 1);
	assert_int_equal(q.analysis.unqualified[0].parts, 1);
	done(&q);
}

static void
test_wraps(void **state)
{
	const char *sql =
	    "SELECT pg_get_viewdef(oid), pg_get_ruledef(5), obj_description(oid), pg_get_viewdef('v_sales_daily'::regclass) FROM "
	    "pg_class";
	struct asked q;

	(void)state;
	ask(&q, sql);
	assert_true(q.fine);
	assert_int_equal(q.analysis.nwraps, 3);
	assert_int_equal(q.analysis.wraps[0].location, 7);
	assert_int_equal(q.analysis.wraps[0].what, WRAP_RELATION);
	assert_int_equal(q.analysis.wraps[1].what, WRAP_RULE);
	assert_int_equal(q.analysis.wraps[2].what, WRAP_COMMENT);
	done(&q);
}

static void
test_complete(void **state)
{
	static const struct {
		const char *sql;
		bool complete;
	} all[] = { { "BEGIN; SHOW ALL; FETCH 1 FROM c; SELECT 1", true }, { "SELECT 1; LOCK orders", false },
		{ "CREATE INDEX ON orders (id)", false } };
	struct asked q;

	(void)state;
	for (size_t i = 0; i < nitems(all); i++) {
		ask(&q, all[i].sql);
		assert_true(q.fine);
		assert_int_equal(q.analysis.complete, all[i].complete);
		done(&q);
	}
}

/* What we wrote ourselves is not judged, what stands beside it is. */
static void
test_ours(void **state)
{
	const char *sql = "SELECT id FROM (SELECT id, note(ssn) FROM public.users) AS u";
	const struct text_range ours[] = { { 15, 55 } };
	struct asked q;

	(void)state;
	ask(&q, sql);
	assert_false(q.fine);
	refusal_release(&q.refusal);
	assert_true(analyze_rewritten(&q.analysis, read_only, &q.tree, sql, NULL, 0, ours, 1, &q.refusal));
	assert_int_equal(q.analysis.nsites, 0);
	done(&q);
}

static void
test_bodies(void **state)
{
	static const struct {
		const char *sql;
		bool trusted, fine;
	} all[] = {
		{ "SELECT id FROM public.users", false, true },
		{ "SELECT ssn FROM public.users", false, false },
		{ "SELECT u.* FROM public.users u", false, false },
		{ "SELECT hired FROM public.employees", false, false },
		{ "SELECT name FROM public.counters", false, false },
		{ "SELECT 1 FROM secret.api_keys", false, false },
		{ "SELECT public.note('x'::text)", false, false },
		{ "SELECT public.note('x'::text)", true, true },
		{ "SELECT 1; SELECT 2", true, false },
		{ "", true, false },
		{ "SHOW work_mem", true, false },
		{ "SELECT 1 INTO t", true, false },
		{ "DELETE FROM public.orders", true, false },
		{ "WITH x AS (DELETE FROM public.orders RETURNING id) SELECT id FROM x", true, false },
		{ "SELECT VALUE > 0", false, true },
		{ "SELECT VALUE LIKE '5'::text", false, true },
		{ "SELECT VALUE OPERATOR(public.~~) '5'::text", false, false },
	};
	struct refusal r = { 0 };
	struct parser parser;

	(void)state;
	for (size_t i = 0; i < nitems(all); i++) {
		const struct body body = { .sql = all[i].sql, .value = { .type = 23 }, .trusted_functions = all[i].trusted };
		bool fine;

		parser_open(&parser);
		rights_set_parser(read_only, &parser);
		fine = analyze_body(read_only, &parser, &body, &r);
		rights_set_parser(read_only, NULL);
		parser_close(&parser);
		if (fine != all[i].fine)
			fail_msg("%s: %s", all[i].sql, r.message != NULL ? r.message : "fine");
		refusal_release(&r);
	}
}

/* Empties the text. */
static void
assert_judged(struct sb *sb, enum rule rule)
{
	struct judgement *j = rights_judge(read_only, sb->text, sb->len, JUDGE_SIMPLE, NULL, 0);

	if (j->rule != rule)
		fail_msg("%.60s...: %s", sb->text, j->message != NULL ? j->message : "passes");
	judgement_unref(j);
	sb_clear(sb);
}

/* What grows faster than the text that asks for it is refused in time. */
static void
test_bounds(void **state)
{
	struct sb sb = { 0 };

	(void)state;
	sb_str(&sb, "WITH c0 AS (SELECT 1 AS a)");
	for (int i = 1; i < 60; i++)
		sb_fmt(&sb, ", c%d AS (SELECT * FROM c%d x CROSS JOIN c%d y)", i, i - 1, i - 1);
	sb_str(&sb, " SELECT * FROM c59");
	assert_judged(&sb, RULE_TOO_DEEP);
	sb_str(&sb, "SELECT ");
	for (int i = 0; i < 5000; i++)
		sb_str(&sb, "NOT ");
	sb_str(&sb, "true");
	assert_judged(&sb, RULE_TOO_DEEP);
	sb_free(&sb);
}

static void
repeat(struct sb *sb, const char *text, int n)
{
	for (int i = 0; i < n; i++)
		sb_fmt(sb, "%s%s", i > 0 ? ", " : "", text);
}

/* Long texts that once took up to a second. */
static void
test_long(void **state)
{
	struct sb sb = { 0 };

	(void)state;
	sb_str(&sb, "SELECT ");
	repeat(&sb, "true = '1'", 20000); /* settled at once, and remembered */
	assert_judged(&sb, RULE_NONE);
	sb_str(&sb, "SELECT ");
	repeat(&sb, "'1' - '1'", 3000); /* nothing says of what type */
	assert_judged(&sb, RULE_TOO_DEEP);
	sb_str(&sb, "SELECT ");
	repeat(&sb, "o = o", 20000);
	sb_str(&sb, " FROM payments o");
	assert_judged(&sb, RULE_NONE);
	sb_str(&sb, "SELECT ");
	for (int i = 0; i < 10000; i++)
		sb_fmt(&sb, "%s1 AS a%d", i > 0 ? ", " : "", i);
	for (int i = 9999; i >= 0; i--)
		sb_fmt(&sb, "%sa%d", i == 9999 ? " ORDER BY " : ", ", i);
	assert_judged(&sb, RULE_TOO_DEEP);
	sb_str(&sb, "SELECT ");
	repeat(&sb, "1", 1600);
	sb_str(&sb, " ORDER BY ");
	repeat(&sb, "1600", 20000);
	assert_judged(&sb, RULE_TOO_DEEP);
	sb_str(&sb, "SELECT ");
	repeat(&sb, "(SELECT id FROM users)", 20000); /* each would be a subquery */
	assert_judged(&sb, RULE_COLUMN_DENIED);
	sb_str(&sb, "SELECT ");
	repeat(&sb, "pg_get_viewdef(oid)", 20000);
	sb_str(&sb, " FROM pg_class");
	assert_judged(&sb, RULE_COLUMN_DENIED);
	sb_str(&sb, "VALUES ");
	repeat(&sb, "(1, 'a')", 50000);
	assert_judged(&sb, RULE_NONE);
	sb_str(&sb, "SELECT 1 FROM users u, users v GROUP BY ");
	repeat(&sb, "u.id, v.email", 20000);
	assert_judged(&sb, RULE_NONE);
	sb_free(&sb);
}

static int
setup(void **state)
{
	struct sb errors = { 0 };
	struct err err = { "" };

	(void)state;
	policy = policy_parse("test", policy_text, strlen(policy_text), &errors);
	catalog = catalog_load("tests/unit/data/analyze.catalog.json", &err);
	if (policy == NULL || catalog == NULL) {
		print_error("%s%s\n", sb_text(&errors), err.text);
		sb_free(&errors);
		return -1;
	}
	sb_free(&errors);
	read_only = rights_new(policy, policy_profile(policy, "ro"), catalog, NULL);
	read_write = rights_new(policy, policy_profile(policy, "rw"), catalog, NULL);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	rights_unref(read_only);
	rights_unref(read_write);
	catalog_unref(catalog);
	policy_unref(policy);
	return 0;
}

int
main(void)
{
	static const struct CMUnitTest others[] = { cmocka_unit_test(test_sites), cmocka_unit_test(test_wraps),
		cmocka_unit_test(test_complete), cmocka_unit_test(test_ours), cmocka_unit_test(test_bodies),
		cmocka_unit_test(test_bounds), cmocka_unit_test(test_long) };
	struct CMUnitTest tests[nitems(rows) + nitems(others)];

	for (size_t i = 0; i < nitems(rows); i++)
		tests[i] = (struct CMUnitTest){ rows[i].name, test_row, NULL, NULL, (void *)(uintptr_t)&rows[i] };
	memcpy(tests + nitems(rows), others, sizeof(others));
	return cmocka_run_group_tests(tests, setup, teardown);
}
