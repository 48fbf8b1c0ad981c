#!/bin/bash
# run.sh [SECONDS]: sqlsmith's random statements through pgmoat, as owner and as superuser.
#
# The fixture of the corpus, with marks in everything that policy.json hides;
# between sqlsmith and pgmoat sits relay.py, which reads what comes back. At
# the end pgmoat must be alive, the database unchanged, and no mark seen.
# The same seeds every time; how far each comes depends on the machine.
. "$(dirname "$0")/../lib/t.sh"
here=$ROOT/tests/smith
. "$here/worlds.sh"
seconds=${1:-300}
seeds=${SEEDS:-1 2 4}
command -v sqlsmith >/dev/null || die "sqlsmith is not installed"

world_fixture
# All that a statement could have left behind. The next transaction id covers every row.
state() {
	world "$world_port" -At -c "
	SELECT 'xid', pg_snapshot_xmax(pg_current_snapshot())::text UNION ALL
	SELECT 'sequences', md5(string_agg(oid::text || coalesce(pg_sequence_last_value(oid)::text, '-'), ',' ORDER BY oid)) FROM pg_class WHERE relkind = 'S' UNION ALL
	SELECT 'rows', sum(n_tup_ins + n_tup_upd + n_tup_del)::text FROM pg_stat_all_tables WHERE schemaname !~ '^pg_' UNION ALL
	SELECT 'large objects', md5(string_agg(loid::text || md5(data), ',' ORDER BY loid, pageno)) FROM pg_largeobject UNION ALL
	SELECT 'relations', count(*)::text FROM pg_class UNION ALL SELECT 'functions', count(*)::text FROM pg_proc UNION ALL
	SELECT 'slots', count(*)::text FROM pg_replication_slots UNION ALL SELECT 'prepared', count(*)::text FROM pg_prepared_xacts UNION ALL
	SELECT 'settings', md5(string_agg(name || coalesce(setting, ''), ',' ORDER BY name)) FROM pg_settings UNION ALL
	SELECT 'files', count(*)::text FROM pg_ls_dir('.') f UNION ALL
	SELECT 'advisory locks', count(*)::text FROM pg_locks WHERE locktype = 'advisory'" 2>&1
}

moat_launch moat "$PGMOAT" serve --listen 127.0.0.1:0 --upstream "postgresql://127.0.0.1:$world_port" --policy "$here/policy.json" --audit "$T/audit.jsonl"
closed() {	# the relations that a statement cannot even name
	local name
	world "$world_port" -At -c "SELECT format('%I.%I', n.nspname, relname) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
		WHERE relkind IN ('r', 'v', 'm', 'f', 'p') AND relpersistence = 'p'" | sed "s/.*/\\\\echo &\nTABLE & LIMIT 0;/" >"$T/tables.sql"
	PGPASSWORD=pg-super-pw psql -XAtq -h 127.0.0.1 -p "$MOAT_PORT" -d shop -f "$T/tables.sql" 2>&1 |
	    awk '/ERROR/ { print last } { last = $0 }'
}

relay_start() {	# relay_start NAME [FILE]: sets relay and port
	/usr/bin/python3 "$here/relay.py" "$MOAT_PORT" "$T/$1.json" "${@:2}" >"$T/$1.port" 2>"$T/$1.log" &
	others+=("$!")
	until_ 10 test -s "$T/$1.port" || die "the relay does not start"
	port=$(<"$T/$1.port")
}

closed >"$T/closed"
relay_start all
all=$port
relay_start open "$T/closed"
open=$port
before=$(state)

# Even seeds get to know what is open, odd ones everything.
smith() {	# smith LOGIN PASSWORD SEED
	local port=$all out=$T/sqlsmith.$1.$3 options=()
	[ $(($3 % 2)) = 1 ] || {
		port=$open
		options=(--exclude-catalog)
	}
	PGPASSWORD=$2 timeout "$slice" sqlsmith --seed="$3" "${options[@]}" \
	    --target="host=127.0.0.1 port=$port dbname=shop user=$1 sslmode=disable" >"$out" 2>&1
	[ $? = 124 ] || {	# it ends by itself only when it cannot go on
		nok "sqlsmith goes on, as $1, seed $3" true
		tail -n 5 "$out" | cut -c1-300
	}
}

# shellcheck disable=SC2086
set -- $seeds
slice=$((seconds / (2 * $#) + 1))
for login in shop_owner:owner-pw postgres:pg-super-pw; do
	for seed in $seeds; do
		smith "${login%:*}" "${login#*:}" "$seed"
	done
	ok "pgmoat is alive after ${login%:*}" alive "$MOAT_PID"
	like "and answers" "$(PGPASSWORD=${login#*:} PGUSER=${login%:*} DB=shop q 'SELECT 41 + 1')" '^42$'
done
is "nothing was written" "$(state)" "$before"
kill -TERM "${others[@]}"
for relay in all open; do
	until_ 10 test -s "$T/$relay.json" || die "the relay has not counted"
	/usr/bin/python3 "$here/counted.py" "$T/$relay.json" >"$T/report.$relay"
	sed "s/^/# $relay: /" "$T/report.$relay"
	nok "nothing hidden was seen" grep -q '^LEAK' "$T/report.$relay"
done
like "statements were allowed" "$(cat "$T"/report.*)" 'allowed [1-9][0-9]'
moat_stop TERM
is "pgmoat ends well" "$MOAT_STATUS" 0
done_testing
