#!/bin/bash
# run.sh [LOGIN...]: the corpus through pgmoat, with policy.json, as three logins.
#
# Every attack must be blocked, with nothing but pgmoat between the case and
# its effect (postgres is a superuser, shop_owner owns it all), and every benign
# statement must answer as PostgreSQL does. expected_failures.txt names what is
# known not to, and why; a case on it that passes is a failure, too, so that it
# stays true.
#
#	CASE='ID...'	only these
. "$(dirname "$0")/../lib/t.sh"
here=$ROOT/tests/corpus
logins=${*:-shop_owner postgres agent}
# dev is the corpus that all implementations are measured by; dev-own are the attacks that we thought of, and
# since they are many, one login has to do for them. A sanitized build is slow: the judge is the same.
sets=dev
[ "$logins" != shop_owner ] || [ -n "${SAN:-}" ] || sets="dev dev-own"
for kind in attacks benign; do
	for set in $sets; do
		cat "$here/$set/$kind.jsonl"
	done >"$T/$kind.jsonl"
done

one_login() {	# in a subshell of its own: a cluster, a pgmoat and the two runs
	local login=$1 password=$2 dir=$T/$1 args=() c port direct dsn
	port=$(free_port)
	PGBIN=$PGBIN "$here/start_cluster.sh" "$dir" "$port" >"$T/$login.cluster" 2>&1 || {
		cat "$T/$login.cluster"
		die "the fixture cannot be made"
	}
	clusters+=("$dir/data")
	PG_PORT=$port
	AUDIT=$T/$login.jsonl
	moat_launch "moat-$login" "$PGMOAT" serve --listen 127.0.0.1:0 --upstream "postgresql://127.0.0.1:$port" \
	    --policy "$here/policy.json" --audit "$AUDIT"
	direct="host=127.0.0.1 port=$port user=postgres password=pg-super-pw dbname=shop"
	dsn="host=127.0.0.1 port=$port user=$login password=$password dbname=shop"
	args=(--host 127.0.0.1 --port "$MOAT_PORT" --user "$login" --password "$password" --db shop --direct-dsn "$direct")
	for c in ${CASE:-}; do
		args+=(--id "$c")
	done
	/usr/bin/python3 "$here/run_corpus.py" "${args[@]}" --corpus "$T/benign.jsonl" --benign-dsn "$dsn" --json "$T/$login.benign" || :
	/usr/bin/python3 "$here/run_corpus.py" "${args[@]}" --corpus "$T/attacks.jsonl" --json "$T/$login.attacks" || :
	alive "$MOAT_PID" || echo "not ok - pgmoat died"
	moat_stop TERM
	cluster_stop "$dir/data"
}

for login in $logins; do
	case $login in
	postgres) password=pg-super-pw ;;
	shop_owner) password=owner-pw ;;
	agent) password=agent-pw ;;
	*) die "no such login: $login" ;;
	esac
	echo "# as $login"
	one_login "$login" "$password" 2>&1
done
results=()
for login in $logins; do
	results+=("$login" "$T/$login.benign" "$T/$login.attacks")
done
/usr/bin/python3 "$here/judge.py" "$here/expected_failures.txt" "${results[@]}"
