#!/bin/bash
# run.sh [option of run_clients.sh...]: real drivers and MCP servers through pgmoat.
#
# Install them first: BENCH_DEPS=DIR tests/clients/install.sh (build/clients
# by default). expected_refusals.txt names what pgmoat refuses them, and why.
#
#	DIRECT=1	straight to PostgreSQL, to see whether the bench itself works
. "$(dirname "$0")/../lib/t.sh"
here=$ROOT/tests/clients
export BENCH_DEPS=${BENCH_DEPS:-$ROOT/build/clients}

cluster_start scram pg "max_connections = 300"
"$here/seed.sh" 127.0.0.1 "$PG_PORT" postgres secret bench bench benchpw >"$T/seed.out" 2>&1 || {
	cat "$T/seed.out"
	die "the database cannot be filled"
}
unset PGPASSWORD
port=$PG_PORT
allow=(--allow "$here/expected_refusals.txt")
if [ -z "${DIRECT:-}" ]; then
	moat_start --policy "$here/policy.json"
	port=$MOAT_PORT
else
	allow=()
fi
"$here/run_clients.sh" 127.0.0.1 "$port" bench benchpw bench "${allow[@]}" "$@"
status=$?
[ -n "${DIRECT:-}" ] || alive "$MOAT_PID" || {
	tail -n 50 "$MOAT_LOG"
	echo "pgmoat died"
	exit 1
}
exit $status
