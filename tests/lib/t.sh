# shellcheck shell=bash
# t.sh - for end-to-end tests: source it.
#
#	. "$(dirname "$0")/../lib/t.sh"
#	cluster_start			# a throwaway PostgreSQL on $PG_PORT, trust; "scram": passwords
#	moat_start [option...]		# pgmoat before it, on $MOAT_PORT
#	is "sum" "$(q "SELECT 1 + 1")" 2
#	done_testing
#
# Everything is made in $T, a directory of the test's own, and ended by number
# and removed when the script ends, however it ends. BUILD says which pgmoat.
# Nothing sleeps to wait for something: until() looks until it is there.

set -u
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BUILD=${BUILD:-build}
case $BUILD in /*) ;; *) BUILD=$ROOT/$BUILD ;; esac
PGMOAT=$BUILD/pgmoat
PGBIN=${PGBIN:-$(for d in /usr/lib/postgresql/*/bin; do echo "$d"; done | sort -V | tail -n 1)}
export PATH="$PGBIN:$PATH" PGCONNECT_TIMEOUT=20 PGUSER=postgres LC_ALL=C.UTF-8 TZ=UTC
export ASAN_OPTIONS=${ASAN_OPTIONS:-abort_on_error=0:exitcode=99} UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
unset PGHOST PGPORT PGDATABASE PGPASSWORD PGSERVICE PGSSLMODE DATABASE_URL
T=$(mktemp -d "${TMPDIR:-/tmp}/pgmoat-test.XXXXXX")
chmod 711 "$T"
passed=0 failed=0
clusters=() moats=() others=() ended=()		# what clean_up() takes down: data directories, process ids

# --- saying what happened --------------------------------------------------------

ok() {		# ok NAME COMMAND...
	local name=$1
	shift
	if "$@"; then
		passed=$((passed + 1))
		echo "ok - $name"
	else
		failed=$((failed + 1))
		echo "not ok - $name"
		return 1
	fi
}

nok() {		# the command must fail
	local name=$1
	shift
	ok "$name" not "$@"
}

not() {
	! "$@"
}

is() {		# is NAME FOUND EXPECTED
	ok "$1" [ "$2" = "$3" ] || printf '#   found:    %s\n#   expected: %s\n' "${2//$'\n'/$'\n#             '}" "${3//$'\n'/$'\n#             '}"
}

like() {	# like NAME TEXT EXTENDED_REGEX
	ok "$1" grep -qE -- "$3" <<<"$2" || printf '#   found:    %s\n#   expected: /%s/\n' "${2//$'\n'/$'\n#             '}" "$3"
}

unlike() {
	nok "$1" grep -qE -- "$3" <<<"$2" || printf '#   found:        %s\n#   not expected: /%s/\n' "${2//$'\n'/$'\n#                 '}" "$3"
}

done_testing() {
	echo "$passed passed, $failed failed"
	[ $failed -eq 0 ]
	exit
}

# until_ SECONDS COMMAND...: looks every 20 ms until the command says yes.
until_() {
	local end=$((${EPOCHREALTIME/./} + $1 * 1000000))
	shift
	until "$@"; do
		[ "${EPOCHREALTIME/./}" -lt $end ] || return 1
		read -rt 0.02 <> <(:) || :
	done
}

# --- processes and ports ---------------------------------------------------------

alive() {
	kill -0 "$1" 2>/dev/null && [ "$(ps -o stat= -p "$1" | cut -c1)" != Z ]
}

free_port() {
	/usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

as_postgres() {	# the server refuses to run as root
	if [ "$(id -u)" = 0 ]; then
		setpriv --reuid=postgres --regid=postgres --init-groups --inh-caps=-all -- "$@"
	else
		"$@"
	fi
}

# cluster_start [trust|scram|md5|password] [NAME] [setting=value...]: sets PG_PORT and PG_DATA.
# The superuser is postgres, password "secret", with sockets in $T too.
cluster_start() {
	local auth=${1:-trust} name=${2:-pg} try setting
	shift $(($# < 2 ? $# : 2))
	PG_DATA=$T/$name/data
	mkdir -p "$T/$name"
	[ "$(id -u)" != 0 ] || chown postgres: "$T/$name"
	echo secret >"$T/$name.pw"
	chmod 644 "$T/$name.pw"
	(cd / && as_postgres initdb -D "$PG_DATA" -U postgres -A "$([ "$auth" = scram ] && echo scram-sha-256 || echo "$auth")" \
	    --pwfile="$T/$name.pw" -E UTF8 --locale=C.UTF-8 --no-sync >"$T/$name.initdb" 2>&1) || {
		cat "$T/$name.initdb"
		die "initdb failed"
	}
	{
		echo "listen_addresses = '127.0.0.1'"
		echo "unix_socket_directories = '$T/$name'"
		echo "fsync = off"
		echo "full_page_writes = off"
		echo "shared_buffers = 64MB"
		echo "max_connections = 200"
		echo "timezone = 'UTC'"
		[ "$auth" != md5 ] || echo "password_encryption = md5"
		for setting; do
			echo "$setting"
		done
	} >>"$PG_DATA/postgresql.conf"
	for try in 1 2 3; do
		PG_PORT=$(free_port)
		(cd / && as_postgres pg_ctl -D "$PG_DATA" -o "-p $PG_PORT" -l "$T/$name/log" -w -t 60 start >/dev/null 2>&1) && break
		[ "$try" != 3 ] || {
			cat "$T/$name/log"
			die "PostgreSQL does not start"
		}
	done
	clusters+=("$PG_DATA")
	[ "$auth" = trust ] || export PGPASSWORD=secret
	[ "$auth" != md5 ] || direct "ALTER ROLE postgres PASSWORD 'secret'" >/dev/null
}

cluster_stop() {	# cluster_stop DATA [MODE]
	[ ! -e "$1/postmaster.pid" ] || (cd / && as_postgres pg_ctl -D "$1" -m "${2:-immediate}" -w stop >/dev/null 2>&1)
}

# moat_launch NAME COMMAND...: starts it, waits for "listening on" in its log
# $T/NAME.log; sets MOAT_PID and MOAT_PORT.
moat_launch() {
	local name=$1
	shift
	MOAT_LOG=$T/$name.log
	: >"$MOAT_LOG"
	"$@" >"$T/$name.out" 2>>"$MOAT_LOG" </dev/null &
	MOAT_PID=$!
	moats+=("$MOAT_PID")
	until_ 30 moat_ready || {
		cat "$MOAT_LOG"
		die "pgmoat does not listen"
	}
	MOAT_PORT=$(sed -n 's/.*listening on 127\.0\.0\.1:\([0-9]*\).*/\1/p' "$MOAT_LOG" | head -n 1)
}

moat_ready() {	# listens, or will never
	grep -qs 'listening on' "$MOAT_LOG" && return 0
	alive "$MOAT_PID" && return 1
	cat "$MOAT_LOG"
	die "pgmoat ended"
}

# moat_start [option...]: serve before the last cluster; its audit goes to $AUDIT.
moat_start() {
	AUDIT=$T/audit${#moats[@]}.jsonl
	moat_launch "moat${#moats[@]}" "$PGMOAT" serve --listen 127.0.0.1:0 --upstream "postgresql://127.0.0.1:$PG_PORT" --audit "$AUDIT" "$@"
}

# moat_stop [SIGNAL]: ends the last one; MOAT_STATUS is how it ended.
moat_stop() {
	kill "-${1:-TERM}" "$MOAT_PID" 2>/dev/null
	wait "$MOAT_PID"
	MOAT_STATUS=$?
	ended+=("$MOAT_PID")
}

# --- asking ----------------------------------------------------------------------

# What a client sees through pgmoat, errors included; more options of psql may follow the SQL.
q() {
	local sql=$1
	shift
	psql -XqAt -h 127.0.0.1 -p "$MOAT_PORT" -d "${DB:-postgres}" "$@" <<<"$sql" 2>&1
}

qv() {		# the same, with SQLSTATE, DETAIL and HINT
	q "\\set VERBOSITY verbose
$1" "${@:2}"
}

# Straight to PostgreSQL.
direct() {
	local sql=$1
	shift
	psql -XqAt -h 127.0.0.1 -p "$PG_PORT" -d "${DB:-postgres}" "$@" <<<"$sql" 2>&1
}

# audit FILTER: the audit records for which the Python expression over r (the record; a key that is
# not there is "") is true, as JSON lines.
audit() {
	/usr/bin/python3 -c '
import json, sys
class Record(dict):
    __missing__ = lambda self, key: ""
for line in open(sys.argv[1]):
    r = Record(json.loads(line))
    if eval(sys.argv[2]):
        print(json.dumps(r))' "$AUDIT" "${1:-True}" 2>/dev/null
}

# audit_field FILTER FIELD: that field of the last such record.
audit_field() {
	audit "$1" | tail -n 1 | /usr/bin/python3 -c '
import json, sys
for line in sys.stdin:
    v = json.loads(line).get(sys.argv[1])
    print(v if isinstance(v, str) else json.dumps(v))' "$2"
}

audited() {	# is there such a record?
	[ -n "$(audit "$1")" ]
}

# --- the end ---------------------------------------------------------------------

die() {
	echo "not ok - $*"
	echo "$passed passed, $((failed + 1)) failed"
	exit 1
}

clean_up() {
	local status=$? pid log
	trap - EXIT
	exec 2>/dev/null	# bash would tell of every process that we end
	for pid in "${moats[@]}"; do
		case " ${ended[*]-} " in *" $pid "*) continue ;; esac
		kill -INT "$pid" 2>/dev/null && until_ 10 not alive "$pid" || kill -KILL "$pid" 2>/dev/null
	done
	for pid in "${others[@]}"; do
		kill -TERM "$pid" 2>/dev/null && until_ 3 not alive "$pid" || kill -KILL "$pid" 2>/dev/null
	done
	for pid in "${clusters[@]}"; do
		cluster_stop "$pid"
	done
	# A sanitizer's report is a failure, whatever the test thought.
	for log in "$T"/*.log; do
		if grep -qE 'ERROR: (Address|Leak|Thread)Sanitizer|WARNING: ThreadSanitizer|runtime error:' "$log" 2>/dev/null; then
			echo "not ok - sanitizer: $log"
			grep -EA 40 'Sanitizer|runtime error:' "$log" | head -n 80
			status=1
		fi
	done
	if [ -n "${KEEP:-}" ]; then
		echo "# kept: $T"
	else
		rm -rf "$T"
	fi
	exit $status
}
trap clean_up EXIT
trap 'exit 130' INT TERM HUP
