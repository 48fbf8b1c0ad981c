#!/bin/bash
# Against a real server: plan costs, rows that a statement changes, settings of the session, and what errors may tell.
. "$(dirname "$0")/../lib/t.sh"

cluster_start trust
direct "CREATE TABLE t AS SELECT i AS a, 'secret-' || i AS s FROM generate_series(1, 10000) i; CREATE UNIQUE INDEX ON t (a);
	CREATE TABLE p (tenant text, a int, CHECK (a > 0)); INSERT INTO p VALUES ('ann', 1), ('bob', 2);
	CREATE TABLE d (a int PRIMARY KEY CHECK (a < 100), s text UNIQUE DEFERRABLE INITIALLY DEFERRED); INSERT INTO d VALUES (1, 'secret-1'), (2, 'secret-2');
	CREATE ROLE ann LOGIN; GRANT ALL ON ALL TABLES IN SCHEMA public TO ann; VACUUM ANALYZE t" >/dev/null
cat >"$T/policy" <<'JSON'
{ "version": 1, "default_profile": "planner", "assign": [ { "user": "ann", "profile": "writer" } ],
  "profiles": {
    "planner": { "access_mode": "read_only", "multi_statement": "each", "limits": { "max_plan_cost": 100 },
      "statements": { "allow": ["select", "prepare", "transaction", "cursor", "show"] } },
    "writer": { "access_mode": "read_write", "statements": { "allow": ["select", "insert", "update", "delete", "transaction", "show", "set"] },
      "writes": { "mode": "allow", "require_where": false, "max_affected_rows": 5 },
      "columns": [ { "column": "public.t.s", "action": "deny" }, { "column": "public.d.s", "action": "mask", "mask": "null" } ],
      "row_filters": [ { "table": "public.p", "where": "tenant = current_setting('app.user')" } ],
      "session": { "app.user": "${user}" } } } }
JSON
moat_start --policy "$T/policy" --workers 2

# --- plan costs
like "a plan that costs too much is refused" "$(qv "SELECT count(*) FROM t a, t b WHERE a.s = b.s")" 'ERROR:  54000: the planner expects a cost of [0-9]+, and 100 is the limit'
is "a cheap one runs" "$(q "SELECT s FROM t WHERE a = 17")" secret-17
like "EXECUTE is asked for" "$(q "PREPARE x AS SELECT count(*) FROM t a, t b WHERE a.s = b.s; " ; q "PREPARE x AS SELECT count(*) FROM t a, t b WHERE a.s = b.s;
EXECUTE x;")" 'ERROR.*planner expects'
like "so is DECLARE" "$(q "BEGIN;
DECLARE c CURSOR FOR SELECT a.* FROM t a, t b;")" 'ERROR.*planner expects'
is "a statement that does not plan has the server's error" "$(q "SELECT 1/0" | head -n 1)" "ERROR:  division by zero"
is "inside a block nothing of ours is left" "$(q "BEGIN;
SELECT s FROM t WHERE a = 18;
SHOW transaction_isolation;
COMMIT;")" "$(printf 'secret-18\nread committed')"
cat >"$T/bench.sql" <<'SQL'
\set a random(1, 10000)
SELECT s FROM t WHERE a = :a;
SQL
for mode in extended prepared; do
	like "$mode: cheap statements with parameters run" "$(pgbench -n -M $mode -f "$T/bench.sql" -c 4 -t 50 -h 127.0.0.1 -p "$MOAT_PORT" postgres 2>&1)" \
	    'number of transactions actually processed: 200/200'
done
echo '\set a 1
SELECT count(*) FROM t x, t y WHERE x.s = y.s AND x.a > :a;' >"$T/dear.sql"
like "extended: dear ones do not" "$(pgbench -n -M extended -f "$T/dear.sql" -c 1 -t 1 -h 127.0.0.1 -p "$MOAT_PORT" postgres 2>&1)" 'planner expects a cost'

# --- rows that a statement changes
is "few rows" "$(q "UPDATE t SET a = -a WHERE a <= 5 RETURNING 1" -U ann | wc -l)" 5
is "are changed" "$(direct "SELECT count(*) FROM t WHERE a < 0")" 5
like "too many" "$(q "UPDATE t SET a = -a WHERE a BETWEEN 100 AND 105" -U ann)" 'ERROR:  the statement changes 6 rows, and 5 is the limit'
is "are not" "$(direct "SELECT count(*) FROM t WHERE a < 0")" 5
like "nor inside a block" "$(q "BEGIN;
UPDATE t SET a = -a WHERE a BETWEEN 100 AND 105;
COMMIT;" -U ann)" 'ERROR:  the statement changes 6 rows'
is "which fails" "$(direct "SELECT count(*) FROM t WHERE a < 0")" 5
echo 'UPDATE t SET a = -a WHERE a BETWEEN 200 AND 205;' >"$T/write.sql"
for mode in simple extended prepared; do
	like "$mode: too many" "$(pgbench -n -M $mode -f "$T/write.sql" -c 1 -t 1 -h 127.0.0.1 -p "$MOAT_PORT" -U ann postgres 2>&1)" 'changes 6 rows'
	is "$mode: are not changed" "$(direct "SELECT count(*) FROM t WHERE a < 0")" 5
done
like "what fails at COMMIT has failed" "$(qv "INSERT INTO d VALUES (3, 'secret-1')" -U ann)" 'ERROR:  23505'
is "and is not there" "$(direct "SELECT count(*) FROM d")" 2
is "no transaction stays open" "$(direct "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'")" 0

# --- settings of the session
is "the profile sets what row filters read" "$(q "SELECT a FROM p" -U ann)" 1
like "which the client cannot" "$(q "SET app.user TO 'bob'" -U ann)" 'ERROR'
is "nor at login" "$(PGOPTIONS="-c app.user=bob" q "SELECT a FROM p" -U ann)" 1

# --- what errors may tell
like "a constraint violation has its message" "$(qv "INSERT INTO d VALUES (1, 'x')" -U ann)" 'ERROR:  23505: duplicate key'
unlike "a CHECK does not show the row that it refuses" "$(qv "UPDATE d SET a = 1000 WHERE a = 1" -U ann)" 'secret-1'
like "though it is named" "$(qv "UPDATE d SET a = 1000 WHERE a = 1" -U ann)" 'ERROR:  23514'
unlike "but not the row, where columns are masked" "$(qv "INSERT INTO d SELECT 1, 'x' FROM d LIMIT 1" -U ann)" 'DETAIL:  Key'
done_testing
