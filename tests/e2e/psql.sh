#!/bin/bash
# What a person at psql sees: harmless statements as ever, refusals that explain
# themselves, limits that say so, and an audit record of each.
. "$(dirname "$0")/../lib/t.sh"

cluster_start scram
direct "CREATE TABLE orders AS SELECT i AS id, 'pending' AS status FROM generate_series(1, 2500) i" >/dev/null
moat_start

# --- harmless
is "a SELECT answers as ever" "$(q "SELECT 6 * 7")" 42
is "text comes through unharmed" "$(q "SELECT 'Größe ☃ ' || chr(128512)")" "Größe ☃ 😀"
is "several rows in order" "$(q "SELECT i FROM generate_series(1, 3) i ORDER BY i DESC")" $'3\n2\n1'
is "an empty query is an empty answer" "$(q ";")" ""
is "a comment is not a statement" "$(q "-- nothing
/* at all */")" ""
is "a transaction block" "$(q "BEGIN; SELECT 1; COMMIT;")" 1
is "SHOW" "$(q "SHOW standard_conforming_strings")" on
is "the search path is pinned" "$(q "SHOW search_path" | tr -d ' "')" "public"
is "the session is read-only in the server, too" "$(q "SHOW default_transaction_read_only")" on
is "the statement timeout is ours" "$(q "SHOW statement_timeout")" 5s
is "prepared by SQL" "$(q "PREPARE p AS SELECT \$1::int + 1; EXECUTE p(41); DEALLOCATE p;")" 42
is "a cursor" "$(q "BEGIN; DECLARE c CURSOR FOR SELECT i FROM generate_series(1, 5) i; FETCH 2 FROM c; CLOSE c; COMMIT;")" $'1\n2'
like "psql's own \\d" "$(q '\d orders')" 'status\|text'
like "psql's own \\l" "$(q '\l')" 'postgres'
is "EXPLAIN" "$(q "EXPLAIN (COSTS OFF) SELECT 1")" "Result"
is "a server's error is the server's" "$(qv "SELECT 1/0" | head -n 1)" "ERROR:  22012: division by zero"
is "an error's position is in the client's text" "$(q "SELECT nothing FROM orders" | sed -n 3p)" "               ^"

# --- refused
out=$(qv "UPDATE orders SET status = 'cancelled' WHERE status = 'pending'")
like "UPDATE is refused with 42501" "$out" '^ERROR:  42501'
like "the DETAIL names the rule" "$out" 'DETAIL:.*(read_only|statement_not_allowed)'
like "the HINT says what to do instead" "$out" 'HINT:  ...'
is "and nothing changed" "$(direct "SELECT count(*) FROM orders WHERE status = 'pending'")" 2500
for sql in "DELETE FROM orders" "INSERT INTO orders VALUES (0, 'x')" "TRUNCATE orders" "DROP TABLE orders" "CREATE TABLE t (a int)" \
    "ALTER TABLE orders ADD x int" "GRANT ALL ON orders TO public" "VACUUM" "LOCK TABLE orders" "COPY orders FROM stdin" \
    "COPY (SELECT 1) TO PROGRAM 'cat'" "DO 'BEGIN END'" "CALL f()" "SELECT * INTO t FROM orders" "CREATE TABLE t AS SELECT 1" \
    "SELECT * FROM orders FOR UPDATE" "WITH d AS (DELETE FROM orders RETURNING *) SELECT * FROM d" "SELECT pg_sleep(1)" \
    "SELECT pg_read_file('/etc/passwd')" "SELECT pg_terminate_backend(1)" "SELECT set_config('transaction_read_only', 'off', false)" \
    "SET default_transaction_read_only = off" "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE" "RESET ALL" "SET ROLE postgres" \
    "SET search_path = pg_catalog" "LISTEN x" "NOTIFY x" "EXPLAIN ANALYZE DELETE FROM orders" "PREPARE p AS DELETE FROM orders" \
    "DECLARE c CURSOR FOR SELECT * FROM orders FOR UPDATE" "SELECT rolpassword FROM pg_authid" "SELECT lo_import('/etc/passwd')"; do
	like "refused: $sql" "$(qv "$sql" | head -n 1)" '^ERROR:  42501'
done
like "what does not parse is a syntax error" "$(qv "SELEC 1" | head -n 1)" '^ERROR:  42601'
is "a batch falls whole" "$(psql -XqAt -h 127.0.0.1 -p "$MOAT_PORT" -c "SELECT 1; DELETE FROM orders" 2>/dev/null)" ""
is "COMMIT; DROP falls whole" "$(psql -XqAt -h 127.0.0.1 -p "$MOAT_PORT" -c "COMMIT; DROP SCHEMA public CASCADE" 2>&1 | grep -c '^ERROR')" 1
is "all is there" "$(direct "SELECT count(*) FROM orders")" 2500
is "the connection lives on after a refusal" "$(q "DELETE FROM orders; SELECT 7" 2>&1 | tail -n 1)" 7
out=$(q "BEGIN;
DELETE FROM orders;
SELECT 1;
ROLLBACK;
SELECT 2;")
like "in a block a refusal fails the block, as the server sees it" "$out" 'current transaction is aborted'
is "and ROLLBACK heals it" "$(tail -n 1 <<<"$out")" 2

# --- limited
is "at most 1000 rows" "$(q "SELECT id FROM orders" 2>/dev/null | grep -c '^[0-9]*$')" 1000
like "a notice says that rows are missing" "$(q "SELECT id FROM orders")" '^NOTICE:'
is "a smaller LIMIT is the client's own" "$(q "SELECT id FROM orders LIMIT 3" | wc -l)" 3
unlike "and needs no notice" "$(q "SELECT id FROM orders LIMIT 3")" 'NOTICE'
is "exactly 1000 rows are not cut" "$(q "SELECT id FROM orders WHERE id <= 1000" | grep -c NOTICE)" 0
is "a larger LIMIT is lowered" "$(q "SELECT id FROM orders LIMIT 2000" | grep -c '^[0-9]*$')" 1000
is "a comment at the end does not swallow the LIMIT" "$(q "SELECT id FROM orders -- all of them" | grep -c '^[0-9]*$')" 1000
is "what a LIMIT cannot reach is cut on the way" "$(q "BEGIN; DECLARE c CURSOR FOR SELECT id FROM orders; FETCH ALL FROM c; COMMIT;" | grep -c '^[0-9]*$')" 1000
like "a slow query is stopped" "$(qv "SELECT count(*) FROM generate_series(1, 1000000) a, generate_series(1, 1000000) b")" '^ERROR:  57014'

# --- written down
ok "the refused UPDATE is in the audit" audited "r['verdict'] == 'block' and r['text'].startswith('UPDATE orders')"
ok "with its relation" audited "r['verdict'] == 'block' and 'orders' in json.dumps(r.get('relations', '')) and r['text'].startswith('UPDATE orders')"
ok "the rewritten text is in the audit" audited "r['verdict'] == 'rewrite' and 'LIMIT 1001' in r['rewritten']"
is "who asked is in the audit" "$(audit_field "r['event'] == 'query'" user)" postgres
ok "a completion has rows and time" audited "r['event'] == 'done' and r['rows'] == 1000 and 'milliseconds' in r"
ok "a server's error is in the audit" audited "r['event'] == 'done' and r['sqlstate'] == '22012'"

moat_stop TERM
is "SIGTERM ends it well" "$MOAT_STATUS" 0
done_testing
