#!/bin/bash
# The catalog is read over the clients' own connections, and kept in step with the database.
. "$(dirname "$0")/../lib/t.sh"

cluster_start trust
direct "CREATE TABLE open (a int); INSERT INTO open VALUES (1); CREATE TABLE secret AS SELECT 42 AS a; CREATE DATABASE other;
	CREATE VIEW v AS SELECT a FROM open; CREATE SCHEMA s; CREATE TABLE s.secret AS SELECT 43 AS a; CREATE TABLE s.open AS SELECT 44 AS a" >/dev/null
cat >"$T/policy" <<'JSON'
{ "version": 1, "default_profile": "reader", "assign": [ { "user": "writer", "profile": "writer" } ],
  "profiles": {
    "reader": { "access_mode": "read_only", "tables": { "deny": ["public.secret", "s.open"] },
      "settings": { "allow": ["search_path", "application_name"] } },
    "writer": { "access_mode": "read_write", "writes": { "mode": "allow", "require_where": false }, "multi_statement": "each",
      "statements": { "allow": ["select", "insert", "update", "delete", "ddl", "transaction", "set", "show"] }, "tables": { "deny": ["public.secret"] } } } }
JSON
direct "CREATE ROLE writer SUPERUSER LOGIN" >/dev/null
reads() {
	grep -c 'catalog read' "$MOAT_LOG"
}
# A connection that stays: ask it, one line an answer.
connect() {
	coproc PSQL { exec psql -XqAt -v VERBOSITY=terse -h 127.0.0.1 -p "$MOAT_PORT" -d "${DB:-postgres}" "$@" 2>&1; }
	exec {to}>&"${PSQL[1]}" {from}<&"${PSQL[0]}"
}
ask() {
	local line
	echo "$1" >&$to
	read -rt 20 line <&$from
	echo "$line"
}
tell() {
	echo "$1" >&$to
}
disconnect() {
	tell '\q'
	exec {to}>&- {from}<&-
	wait "$PSQL_PID" 2>/dev/null
}

moat_start --workers 2 --log-level debug --policy "$T/policy"
many=$(for _ in 1 2 3 4 5 6 7 8; do q "SELECT a FROM open" & done; wait)
is "clients that come at once all get their answers" "$many" "$(printf '1\n%.0s' 1 2 3 4 5 6 7 8)"
is "the catalog was read once for all of them" "$(reads)" 1
is "a later client finds it there" "$(q "SELECT a FROM v") $(reads)" "1 1"

# --- what is changed behind our back
connect
is "a connection stays" "$(ask "SELECT a FROM v;")" 1
direct "CREATE TABLE fresh AS SELECT 7 AS a" >/dev/null
is "a table that is new is found at once" "$(ask "SELECT a FROM fresh;")" 7
direct "CREATE OR REPLACE VIEW v AS SELECT a FROM secret" >/dev/null
like "a view that reads something else is known to a new client" "$(q "SELECT a FROM v")" 'ERROR.*refused|ERROR.*denied|ERROR.*restricted'
sleep 1.1
like "and before long to the old one" "$(ask "SELECT a FROM v;")" 'ERROR'
like "a name that nobody knows is an error" "$(ask "SELECT a FROM nowhere;")" 'ERROR.*nowhere'
is "and the connection lives on" "$(ask "SELECT a FROM fresh;")" 7

# --- prepared statements live as long as what they mean
tell "PREPARE p AS SELECT a FROM open;"
is "a prepared statement runs" "$(ask "EXECUTE p;")" 1
direct "ALTER TABLE open RENAME TO was_open; CREATE VIEW open AS SELECT a FROM secret" >/dev/null
sleep 1.1
like "it is judged again when its names mean something else" "$(ask "EXECUTE p;")" 'ERROR'
direct "DROP VIEW open; ALTER TABLE was_open RENAME TO open" >/dev/null
sleep 1.1
is "and again" "$(ask "EXECUTE p;")" 1

# --- the search_path that texts are read under
like "a schema of its own" "$(ask "SELECT a FROM secret;")" 'ERROR'
tell "SET search_path TO s;"
is "after SET search_path names mean something else" "$(ask "SELECT a FROM secret;")" 43
like "here too" "$(ask "SELECT a FROM open;")" 'ERROR'
tell "RESET search_path;"
is "RESET is seen" "$(ask "SELECT a FROM open;")" 1
tell "BEGIN; "
tell "SET LOCAL search_path TO s;"
is "SET LOCAL is seen" "$(ask "SELECT a FROM secret;")" 43
tell "COMMIT;"
is "and that it ends" "$(ask "SELECT a FROM open;")" 1
tell "BEGIN;"
tell "SAVEPOINT one;"
tell "SET search_path TO s;"
is "in a savepoint" "$(ask "SELECT a FROM secret;")" 43
tell "ROLLBACK TO one;"
is "ROLLBACK TO is seen" "$(ask "SELECT a FROM open;")" 1
tell "ROLLBACK;"
is "and ROLLBACK" "$(ask "SELECT a FROM open;")" 1
tell "BEGIN;"
tell "SET search_path TO s;"
tell "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;"
is "asking takes no snapshot" "$(ask "SHOW transaction_isolation;")" serializable
tell "ROLLBACK;"
disconnect

# --- what is changed through us
connect -U writer
tell "CREATE TABLE mine (a int);"
is "a table is known to who made it" "$(ask "SELECT count(*) FROM mine;")" 0
tell "BEGIN;"
tell "CREATE TABLE inside (a int);"
is "inside the block too" "$(ask "SELECT count(*) FROM inside;")" 0
like "others do not know it" "$(q "SELECT count(*) FROM inside")" 'ERROR.*inside'
tell "CREATE VIEW leak AS SELECT a FROM open;"
is "a view of the block's own" "$(ask "SELECT count(*) FROM leak;")" 1
tell "ROLLBACK;"
like "what was rolled back is not known" "$(ask "SELECT count(*) FROM inside;")" 'ERROR.*inside'
tell "BEGIN;"
tell "SELECT 'first';"
is "a block's first query" "$(read -rt 10 line <&$from; echo "$line")" first
direct "CREATE TABLE later AS SELECT 9 AS a" >/dev/null
is "what others make is found inside a block" "$(ask "SELECT a FROM later;")" 9
is "and no setting of ours stays in it" "$(ask "SHOW search_path;") $(ask "SHOW statement_timeout;")" "$(q "SHOW search_path" -U writer) $(q "SHOW statement_timeout" -U writer)"
tell "COMMIT;"
disconnect

# --- another database under the same name
is "another database" "$(DB=other q "SELECT 1")" 1
DB=other direct "CREATE TABLE t AS SELECT 1 AS a" >/dev/null
is "its own tables" "$(DB=other q "SELECT a FROM t")" 1
until_ 10 eval '[ "$(direct "SELECT count(*) FROM pg_stat_activity WHERE datname = '"'other'"'")" = 0 ]'
direct "DROP DATABASE other" >/dev/null
direct "CREATE DATABASE other" >/dev/null
DB=other direct "CREATE TABLE u AS SELECT 2 AS a" >/dev/null
is "one that was made anew" "$(DB=other q "SELECT a FROM u")" 2
moat_stop

# --- a server that is slow, and connections that end while they read
hold() {	# nobody reads the catalog for so many seconds; ready when this returns
	direct "BEGIN; LOCK pg_policy IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep($1); COMMIT" >/dev/null &
	holder=$!
	until_ 10 eval '[ "$(direct "SELECT count(*) FROM pg_locks WHERE relation = '"'pg_policy'::regclass AND mode = 'AccessExclusiveLock'"' AND granted")" = 1 ]'
}
readers() {
	direct "SELECT count(*) FROM pg_locks WHERE relation = 'pg_policy'::regclass AND NOT granted"
}
moat_start --workers 2 --log-level debug --policy "$T/policy"
hold 2
many=$(for _ in 1 2 3 4; do q "SELECT a FROM open" & done; until_ 10 eval '[ "$(readers)" -ge 1 ]'; readers >"$T/readers"; wait)
is "clients wait for a catalog that is slow to read" "$many" "$(printf '1\n%.0s' 1 2 3 4)"
is "and one of them reads it" "$(cat "$T/readers") $(reads)" "1 1"
wait $holder
moat_stop

moat_start --workers 2 --log-level debug --policy "$T/policy"
hold 3
for i in 1 2 3 4; do
	q "SELECT a FROM open" >"$T/client$i" &
	clients[i]=$!
done
until_ 10 eval '[ "$(readers)" = 1 ]'
direct "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE relation = 'pg_policy'::regclass AND NOT granted" >/dev/null
wait "${clients[@]}" $holder
is "when the one that reads dies, another reads for the rest" "$(cat "$T"/client? | grep -cx 1) $(reads)" "3 1"
like "and it is told what the server said" "$(cat "$T"/client?)" 'terminating connection due to administrator command'
moat_stop

moat_start --workers 2 --log-level debug --policy "$T/policy"
hold 2
timeout -s INT 0.5 psql -XqAt -h 127.0.0.1 -p "$MOAT_PORT" -d postgres -c "SELECT a FROM open" >"$T/cancelled" 2>&1
like "a cancel reaches what waits for it" "$(cat "$T/cancelled")" 'canceling statement due to user request'
is "and not the reading" "$(q "SELECT a FROM open") $(reads)" "1 1"
wait $holder

# A read that fails closes, one that fails later leaves what is known for a while.
moat_stop
direct "ALTER ROLE writer SET lock_timeout = 0" >/dev/null
moat_start --workers 2 --log-level debug --policy "$T/policy"
hold 8
like "a catalog that cannot be read refuses" "$(q "SELECT a FROM open")" "ERROR:  refused: the database's catalog could not be read: .*lock timeout"
is "but not what needs none" "$(q "SHOW server_version_num" | cut -c1-2)" "$(direct "SHOW server_version_num" | cut -c1-2)"
wait $holder
is "until it can" "$(until_ 10 eval '[ "$(q "SELECT a FROM open")" = 1 ]' && echo 1)" 1
moat_stop

# --- off, and bad files
moat_start --catalog off --policy "$T/policy"
is "off: nothing is read" "$(q "SELECT a FROM open") $(reads)" "1 0"
moat_stop
nok "a file that is not there is an error" "$PGMOAT" serve --listen 127.0.0.1:0 --upstream "postgresql://127.0.0.1:$PG_PORT" --catalog /nowhere 2>/dev/null
done_testing
