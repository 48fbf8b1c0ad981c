#!/bin/bash
# run.sh BUILD: pgmoat beside HAProxy, PgBouncer and no proxy at all, in one run. `make bench` calls it.
#
# Each proxy has one worker; pgmoat judges every statement with the built-in
# policy, once without an audit file and once with. T_SECONDS (a run), ROUNDS, MODES, CLIENTS
# and SCALE make it longer or shorter; OUT is where the report goes (bench/RESULTS.md).
BUILD=${1:-build}
. "$(dirname "$0")/../tests/lib/t.sh"
OUT=${OUT:-$ROOT/bench/RESULTS.md}
export PATH=$PATH:/usr/sbin PGDATABASE=bench

die() {
	echo "bench: $*" >&2
	exit 1
}

start_other() {	# start_other NAME PORT COMMAND...: a proxy that is not ours; sets OTHER_PID
	local name=$1 port=$2
	shift 2
	"$@" >"$T/$name.out" 2>&1 </dev/null &
	OTHER_PID=$!
	others+=("$OTHER_PID")
	until_ 15 pg_isready -q -h 127.0.0.1 -p "$port" || {
		cat "$T/$name.out"
		die "$name does not listen"
	}
}

haproxy_start() {
	HAPROXY_PORT=$(free_port)
	cat >"$T/haproxy.cfg" <<-CFG
	global
		nbthread 1
		maxconn 1000
	defaults
		mode tcp
		timeout connect 5s
		timeout client 1h
		timeout server 1h
	listen bench
		bind 127.0.0.1:$HAPROXY_PORT
		server pg 127.0.0.1:$PG_PORT
	CFG
	start_other haproxy "$HAPROXY_PORT" haproxy -db -f "$T/haproxy.cfg"
	HAPROXY_PID=$OTHER_PID
}

pgbouncer_start() {
	BOUNCER_PORT=$(free_port)
	mkdir -p "$T/bouncer"
	echo '"postgres" "secret"' >"$T/bouncer/users.txt"
	cat >"$T/bouncer/pgbouncer.ini" <<-INI
	[databases]
	* = host=127.0.0.1 port=$PG_PORT
	[pgbouncer]
	listen_addr = 127.0.0.1
	listen_port = $BOUNCER_PORT
	unix_socket_dir =
	auth_type = trust
	auth_file = $T/bouncer/users.txt
	pool_mode = session
	default_pool_size = 100
	max_client_conn = 200
	ignore_startup_parameters = extra_float_digits
	log_connections = 0
	log_disconnections = 0
	INI
	[ "$(id -u)" != 0 ] || chown -R postgres: "$T/bouncer"
	# exec keeps the process id; it refuses to be root, and so does PostgreSQL.
	if [ "$(id -u)" = 0 ]; then
		start_other pgbouncer "$BOUNCER_PORT" setpriv --reuid=postgres --regid=postgres --init-groups -- pgbouncer -q "$T/bouncer/pgbouncer.ini"
	else
		start_other pgbouncer "$BOUNCER_PORT" pgbouncer -q "$T/bouncer/pgbouncer.ini"
	fi
	BOUNCER_PID=$OTHER_PID
}

# A long answer, in megabytes a second: best of three, psql throwing it away.
stream_row() {
	local label=$1 port=$2 best=0 i start us
	for i in 1 2 3; do
		start=${EPOCHREALTIME/./}
		[ "$(psql -X -h 127.0.0.1 -p "$port" -At -c "SELECT * FROM pgbench_accounts" | wc -l)" = 1000000 ] || die "rows are missing through $label"
		us=$((${EPOCHREALTIME/./} - start))
		[ $best -ne 0 ] && [ $us -ge $best ] || best=$us
	done
	[ -n "${direct_us:-}" ] || direct_us=$best
	printf '| %s | %d.%02d | %s |\n' "$label" $((best / 1000000)) $((best % 1000000 / 10000)) \
	    "$(awk -v a="$direct_us" -v b="$best" 'BEGIN { printf "%.2f", a / b }')"
}

machine() {
	printf '%s, %d cores, %s, %s; %s, %s, %s, pgmoat %s.\n' "$(sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo | head -n 1)" "$(nproc)" \
	    "$(. /etc/os-release; echo "$PRETTY_NAME")" "$(uname -r)" "$(postgres --version | sed 's/^postgres (PostgreSQL) \([^ ]*\).*/PostgreSQL \1/')" \
	    "$(haproxy -v | sed -n '1s/^\(HAProxy version [^ ]*\).*/\1/p')" "$(pgbouncer --version | head -n 1)" \
	    "$("$PGMOAT" --version | head -n 1 | sed 's/^pgmoat //')"
}

cluster_start trust pg "shared_buffers = 256MB" "max_connections = 120" "synchronous_commit = off"
DB=postgres direct "CREATE DATABASE bench" >/dev/null
pgbench -q -i -s "${SCALE:-10}" -h 127.0.0.1 -p "$PG_PORT" bench >/dev/null 2>&1
direct "VACUUM ANALYZE" >/dev/null
# 5,000 tables beside pgbench's, TPC-H's among them: what the judge looks names up in. One transaction each, for the locks.
psql -qAtX -v ON_ERROR_STOP=1 -h 127.0.0.1 -p "$PG_PORT" bench >/dev/null <<'SQL' || die "the tables"
SELECT format('CREATE TABLE t%s (id int PRIMARY KEY, a int, b text, c text, d numeric(12,2), e date, f timestamptz,
    g boolean, h jsonb, i text[])', i) FROM generate_series(1, 5000) i \gexec
CREATE TABLE region (r_regionkey int, r_name char(25));
CREATE TABLE nation (n_nationkey int, n_name char(25), n_regionkey int);
CREATE TABLE supplier (s_suppkey int, s_name char(25), s_address varchar(40), s_nationkey int, s_phone char(15),
    s_acctbal numeric(15,2), s_comment varchar(101));
CREATE TABLE part (p_partkey int, p_mfgr char(25), p_type varchar(25), p_size int);
CREATE TABLE partsupp (ps_partkey int, ps_suppkey int, ps_supplycost numeric(15,2));
SQL
"$PGMOAT" catalog dump "postgresql://postgres@127.0.0.1:$PG_PORT/bench" -o "$T/catalog.json" || die "catalog dump"
haproxy_start
pgbouncer_start
cat >"$T/wide.json" <<'JSON'
{
  "version": 1,
  "profiles": { "wide": { "limits": { "max_rows": 2000000, "max_result_bytes": "1GB", "statement_timeout": "300s" } } },
  "default_profile": "wide"
}
JSON
serve() {	# serve NAME [option...]
	moat_launch "$1" "$PGMOAT" serve --listen 127.0.0.1:0 --upstream "postgresql://127.0.0.1:$PG_PORT" --workers 1 "${@:2}"
}
serve wide --policy "$T/wide.json"
wide_port=$MOAT_PORT
serve audited --audit "$T/audit.jsonl"
audited=$MOAT_PORT:$MOAT_PID
serve plain

{
	echo "# What it costs"
	echo
	echo "Written by \`make bench\` on $(date -u +%Y-%m-%d). $(machine)"
	echo
	echo "Ratios hold within one run on one machine; absolute numbers move with the machine and its other work."
	echo
	echo "## pgbench -S"
	echo
	echo "Scale ${SCALE:-10}, medians of ${ROUNDS:-5} interleaved rounds of ${T_SECONDS:-4} s, one worker each, everything on one machine."
	echo "PgBouncer in session mode, HAProxy in mode tcp, pgmoat with the built-in policy, without and with an audit file."
	echo
	RUN_SECONDS=${T_SECONDS:-4} /usr/bin/python3 "$ROOT/bench/measure.py" "$T/bench.json" direct="$PG_PORT" HAProxy="$HAPROXY_PORT:$HAPROXY_PID" \
	    PgBouncer="$BOUNCER_PORT:$BOUNCER_PID" pgmoat="$MOAT_PORT:$MOAT_PID" \
	    "pgmoat, audit"="$audited" || die "pgbench"
	echo
	echo "## One answer of a million rows"
	echo
	echo "| through | seconds | speed of direct |"
	echo "| --- | ---: | ---: |"
	stream_row direct "$PG_PORT"
	stream_row HAProxy "$HAPROXY_PORT"
	stream_row PgBouncer "$BOUNCER_PORT"
	stream_row "pgmoat, limits raised" "$wide_port"
	echo
	echo "## One verdict"
	echo
	"$BUILD/bench/verdict" "$T/catalog.json"
	echo
	echo "## A snapshot of the catalog"
	echo
	"$BUILD/bench/catalog"
} >"$T/RESULTS.md" || die "the benchmark failed"
cat "$T/RESULTS.md"
cp "$T/RESULTS.md" "$OUT"
