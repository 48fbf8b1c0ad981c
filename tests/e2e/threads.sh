#!/bin/bash
# Many clients of all sorts at once on several workers: nothing is lost, mixed up or left behind.
. "$(dirname "$0")/../lib/t.sh"

cluster_start trust
seconds=${SECONDS_OF_LOAD:-4}
DB=postgres direct "CREATE DATABASE bench" >/dev/null
export PGDATABASE=bench
DB=bench
pgbench -q -i -s 1 -h 127.0.0.1 -p "$PG_PORT" bench >/dev/null 2>&1
moat_start --workers 4

load() {	# load NAME CLIENTS OPTION...: pgbench without an error
	local name=$1 clients=$2 out
	shift 2
	out=$(pgbench -n -S -h 127.0.0.1 -p "$MOAT_PORT" -c "$clients" -j 2 -T "$seconds" "$@" bench 2>&1)
	like "$name: no transaction failed" "$out" 'number of failed transactions: 0 '
	unlike "$name: no client was aborted" "$out" 'aborted|ERROR|error:'
}

for mode in simple extended prepared; do
	load "$mode, 1 client" 1 -M $mode
	load "$mode, 16 clients" 16 -M $mode
done
load "a connection for every transaction" 8 -C

# Refusals between answers, on many connections.
cat >"$T/mixed.sql" <<'SQL'
\set aid random(1, 100000)
BEGIN;
SELECT abalance FROM pgbench_accounts WHERE aid = :aid;
COMMIT;
SELECT count(*) FROM pgbench_branches;
SQL
out=$(pgbench -n -f "$T/mixed.sql" -h 127.0.0.1 -p "$MOAT_PORT" -c 16 -j 2 -T "$seconds" bench 2>&1)
like "transaction blocks: no transaction failed" "$out" 'number of failed transactions: 0 '

# Policies are swapped while clients work.
pgbench -n -S -h 127.0.0.1 -p "$MOAT_PORT" -c 8 -j 2 -T "$seconds" bench >"$T/reload.out" 2>&1 &
load_pid=$!
for _ in 1 2 3 4 5 6 7 8 9 10; do
	kill -HUP "$MOAT_PID"
	q "SELECT 1" >/dev/null
done
wait $load_pid
like "reloads hurt no client" "$(cat "$T/reload.out")" 'number of failed transactions: 0 '

# Every one of many clients gets its own answers.
worker() {
	local i
	for i in 1 2 3 4 5; do
		[ "$(q "SELECT $1 * 1000 + $i")" = $(($1 * 1000 + i)) ] || echo "client $1 got another's answer"
	done
}
wrong=$(for n in 1 2 3 4 5 6 7 8; do worker $n & done; wait)
is "nobody gets another's answer" "$wrong" ""
ok "no server connection is left behind" until_ 10 eval '[ "$(direct "SELECT count(*) FROM pg_stat_activity WHERE datname = '"'bench'"' AND pid <> pg_backend_pid()")" = 0 ]'
fds() {
	find "/proc/$MOAT_PID/fd" -mindepth 1 | wc -l
}
ok "no descriptor is left behind" until_ 10 eval '[ "$(fds)" -lt 60 ]'

# SIGTERM lets the busy finish: pgbench's transactions are over in no time, so none may fail.
moat_stop TERM
is "SIGTERM ends it well" "$MOAT_STATUS" 0
done_testing
