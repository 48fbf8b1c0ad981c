#!/bin/bash
# SIGHUP swaps the policy for a good file and keeps the old one for a bad one;
# SIGTERM drains, SIGINT stops.
. "$(dirname "$0")/../lib/t.sh"

cluster_start trust
direct "CREATE TABLE payroll AS SELECT 1 AS salary" >/dev/null
policy() {	# policy DENIED_TABLES: written beside and moved, as an editor does
	cat >"$T/policy.new" <<-JSON
	{
	  "version": 1,	// comments are welcome
	  "profiles": { "agent": { "access_mode": "read_only", "tables": { "deny": [$1] }, } },
	  "default_profile": "agent",
	}
	JSON
	mv "$T/policy.new" "$T/policy.json"
}

policy ''
moat_start --policy "$T/policy.json" --workers 2
is "an open table is open" "$(q "SELECT salary FROM payroll")" 1

policy '"public.payroll"'
kill -HUP "$MOAT_PID"
denied() {
	q "SELECT salary FROM payroll" | grep -q '^ERROR'
}
open() {
	! denied
}
ok "after SIGHUP the new policy holds" until_ 10 denied
like "it names the table" "$(qv "SELECT salary FROM payroll")" 'payroll'
like "and its rule" "$(qv "SELECT salary FROM payroll")" 'table_denied'

echo '{ "version": 1, "profiles": { "agent": { "acces_mode": "read_only" } } }' >"$T/policy.json"
kill -HUP "$MOAT_PID"
ok "a bad file is told in the log" until_ 10 grep -q 'acces_mode' "$MOAT_LOG"
ok "and the last good policy stays" denied

rm "$T/policy.json"
kill -HUP "$MOAT_PID"
ok "a file that is gone is told in the log" until_ 10 grep -qE 'policy\.json.*No such file' "$MOAT_LOG"
ok "and the last good policy stays" denied
policy ''
kill -HUP "$MOAT_PID"
ok "and the next good one comes" until_ 10 open

# A cached verdict of the old policy is worth nothing under the new one: one connection over the reload.
coproc PSQL { psql -XqAt -h 127.0.0.1 -p "$MOAT_PORT" -d postgres 2>&1; }
exec {to}>&"${PSQL[1]}" {from}<&"${PSQL[0]}"	# bash forgets PSQL when it ends
ask() {
	local line
	echo "$1" >&$to
	read -rt 10 line <&$from
	echo "$line"
}
is "a connection before the reload" "$(ask "SELECT salary FROM payroll;")" 1
policy '"public.payroll"'
kill -HUP "$MOAT_PID"
until_ 10 denied
like "the same connection after it" "$(ask "SELECT salary FROM payroll;")" '^ERROR'

# Draining: the client of before is idle.
kill -TERM "$MOAT_PID"
ok "pgmoat has ended" until_ 10 not alive "$MOAT_PID"
wait "$MOAT_PID"
is "with status 0" $? 0
ended+=("$MOAT_PID")
echo "SELECT 1;" >&$to
like "the idle client was let go" "$(timeout 10 grep -m 1 -E 'closed|terminat|lost' <&$from)" '.'

moat_start --policy "$T/policy.json"
q "SELECT count(*) FROM generate_series(1, 100000) a, generate_series(1, 100000) b" >"$T/busy.out" &
busy=$!
running() {
	[ "$(direct "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%generate_series(1, 100000) b%' AND state = 'active' AND pid <> pg_backend_pid()")" = "$1" ]
}
until_ 10 running 1
moat_stop INT
wait $busy
like "SIGINT ends a busy client" "$(cat "$T/busy.out")" 'closed|terminat|shut|lost|canceling'
ok "and its query in the server" until_ 10 running 0
nok "pgmoat has ended" alive "$MOAT_PID"

nok "a bad policy at the start: it does not run" "$PGMOAT" serve --listen 127.0.0.1:0 --upstream "postgresql://127.0.0.1:$PG_PORT" --policy /nonexistent 2>/dev/null
done_testing
