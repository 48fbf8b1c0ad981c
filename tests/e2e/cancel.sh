#!/bin/bash
# A cancel reaches the query of the client that it is for, and no other; a client
# that goes away takes its query with it; a server that dies is told.
. "$(dirname "$0")/../lib/t.sh"

cluster_start trust
cat >"$T/policy.json" <<'JSON'
{
  "version": 1,
  "profiles": { "slow": { "limits": { "statement_timeout": "120s" } } },
  "default_profile": "slow"
}
JSON
moat_start --policy "$T/policy.json" --workers 2

slow() {	# slow TAG: a query that takes too long
	echo "SELECT count(*) /* $1 */ FROM generate_series(1, 1000000) a, generate_series(1, 1000000) b"
}
running() {	# running TAG COUNT
	[ "$(direct "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%/* $1 */%' AND state = 'active' AND pid <> pg_backend_pid()")" = "$2" ]
}

exec psql -XqAt -h 127.0.0.1 -p "$MOAT_PORT" -d postgres -c "$(slow one)" >"$T/one.out" 2>&1 &
one=$!
exec psql -XqAt -h 127.0.0.1 -p "$MOAT_PORT" -d postgres -c "$(slow two)" >"$T/two.out" 2>&1 &
two=$!
ok "two queries run" until_ 10 eval 'running one 1 && running two 1'
kill -INT $one
ok "the first client's cancel ends the first query" until_ 10 running one 0
wait $one
like "and its client is told" "$(cat "$T/one.out")" 'canceling statement due to user request'
ok "the second query still runs" running two 1

kill -KILL $two
ok "a client that vanishes takes its query with it" until_ 10 running two 0

q "$(slow three)" >"$T/three.out" &
three=$!
until_ 10 running three 1
direct "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%/* three */%' AND pid <> pg_backend_pid()" >/dev/null
wait $three
like "a terminated server connection is told" "$(cat "$T/three.out")" 'terminating connection|server closed|connection to server was lost'
is "others go on" "$(q "SELECT 1")" 1

data=$PG_DATA port=$PG_PORT
cluster_stop "$data" immediate
like "without a server a login fails with a reason" "$(q "SELECT 1")" 'refused|could not connect|cannot be reached|not reach|connect'
ok "pgmoat lives on" alive "$MOAT_PID"
(cd / && as_postgres pg_ctl -D "$data" -o "-p $port" -l "$T/pg/log" -w start >/dev/null 2>&1)
is "and serves when the server is back" "$(q "SELECT 2")" 2
done_testing
