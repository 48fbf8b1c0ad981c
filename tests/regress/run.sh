#!/bin/bash
# run.sh: PostgreSQL's own regression suite against the judge.
#
# The suite is run straight on a throwaway cluster, so that its tables, types
# and functions are there; the catalog is dumped; then every statement of it
# is judged under read_only (`pgmoat check --catalog`), and what is allowed
# is run for real, in a READ ONLY transaction and in a normal one. Not one may
# change anything. sound.py says what is looked at, oracle.py compares what
# the judge saw with what PostgreSQL's own analysis wrote into pg_depend.
#
#	ONLY='select join'	only these files
. "$(dirname "$0")/../lib/t.sh"
here=$ROOT/tests/regress
suite=${PGREGRESS:-$ROOT/build/regress}
"$here/fetch.sh" "$suite" || die "the suite cannot be fetched"
suite=$suite/src/test/regress
pgxs=$(dirname "$PGBIN")/lib/pgxs/src/test/regress
[ -x "$pgxs/pg_regress" ] || pgxs=$(dirname "$(find /usr/lib/postgresql -name pg_regress | sort -V | tail -n 1)")

cluster_start trust pg max_connections=60 autovacuum=off
gcc -shared -fPIC -w -I"$(pg_config --includedir-server)" -o "$T/regress.so" "$suite/regress.c" ||
    die "regress.so cannot be built"
mkdir -p "$T/out"
chmod -R a+rX "$suite"
[ "$(id -u)" != 0 ] || chown -R postgres: "$T/out"
# Some tests want what Debian's build has not; what counts is that the objects are there.
(cd "$suite" && as_postgres "$pgxs/pg_regress" --inputdir="$suite" --outputdir="$T/out" --bindir="$PGBIN" --dlpath="$T" \
    --host=127.0.0.1 --port="$PG_PORT" --user=postgres --dbname=regression --max-connections=4 \
    --schedule="$suite/parallel_schedule") >"$T/pg_regress.log" 2>&1 || true
grep -cE '^(ok|test| ) ' "$T/pg_regress.log" | sed 's/^/# lines of pg_regress: /'
psql -qAtX -h 127.0.0.1 -p "$PG_PORT" -d regression -c 'SELECT count(*) FROM pg_class' >/dev/null || die "no database regression"

ok "the catalog is dumped" "$PGMOAT" catalog dump "postgresql://postgres@127.0.0.1:$PG_PORT/regression" -o "$T/catalog.json" ||
    done_testing

# step NAME COMMAND...: its last line "N passed, M failed" counts.
step() {
	local name=$1 p f
	shift
	echo "# $name"
	"$@" >"$T/$name.log" 2>&1
	cat "$T/$name.log"
	read -r p _ f _ < <(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$T/$name.log" | tail -n 1)
	passed=$((passed + ${p:-0})) failed=$((failed + ${f:-1}))
}

dsn="host=127.0.0.1 port=$PG_PORT user=postgres dbname=regression"
judge() {	# judge SCRIPT POLICY
	/usr/bin/python3 "$here/$1.py" --suite "$suite/sql" --work "$T" --pgmoat "$PGMOAT" --catalog "$T/catalog.json" \
	    --policy "$here/$2.json" --dsn "$dsn" ${ONLY:+--only "$ONLY"}
}
agree() {	# both walks, over the texts that sound.py cut the suite into
	find "$T/texts" -name '*.sql' -print0 | xargs -0 -n 100000 "$BUILD/regress/agree" |
	    awk '/^[0-9]+ passed,/ { p += $1; f += $3; next } { print } END { printf "%d passed, %d failed\n", p, f }'
}

step sound judge sound read_only
step oracle judge oracle all_functions
step agree agree
done_testing
