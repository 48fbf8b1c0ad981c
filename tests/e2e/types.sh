#!/bin/bash
# Functions, operators and casts as PostgreSQL resolves them: thousands of expressions over random types,
# each made a view by a real server, whose tree says what was taken. SEED and N choose
# others.
. "$(dirname "$0")/../lib/t.sh"

oracle=$(dirname "$0")/../lib/types_oracle.py
seed=${SEED:-1} n=${N:-3000}
echo "# SEED=$seed N=$n"

cluster_start trust
# Some of the overloads at random collide, and fail.
/usr/bin/python3 "$oracle" schema "${SCHEMA_SEED:-$seed}" | psql -XqAt -h 127.0.0.1 -p "$PG_PORT" -U postgres -d postgres >/dev/null 2>&1
"$BUILD/pgmoat" catalog dump "postgresql://postgres@127.0.0.1:$PG_PORT/postgres" -o "$T/catalog.json" || die "no catalog"
/usr/bin/python3 "$oracle" cases "$T/catalog.json" "$seed" "$n" >"$T/questions"
{
	echo "COPY public.expressions (id, expression, question) FROM STDIN;"
	sed 's/\\/\\\\/g' "$T/questions"
	echo '\.'
	echo "SET client_min_messages = error; SET search_path = s1, pg_catalog, public, s2; CALL public.ask();"
} | psql -XqAt -h 127.0.0.1 -p "$PG_PORT" -U postgres -d postgres >"$T/ask.log" 2>&1 || cat "$T/ask.log"
direct "SELECT id, question, state, tree FROM public.expressions ORDER BY id" -F $'\t' >"$T/answers"
/usr/bin/python3 "$oracle" expect <"$T/answers" >"$T/cases"
ok "the server resolved many of them" test "$(wc -l <"$T/cases")" -gt $((n / 3))
CMOCKA_MESSAGE_OUTPUT=stdout "$BUILD/tests/test_types" "$T/catalog.json" "$T/cases" >"$T/test.log" 2>&1
ok "functions, operators and casts are those of the server" grep -q '^\[ *OK \] functions, operators' "$T/test.log"
ok "an operand of any type hides none of them" grep -q '^\[ *OK \] an operand of any type hides' "$T/test.log"
grep -B 3 -A 3 -E 'not as the server|too few' "$T/test.log" | head -n 60 | sed 's/^/# /'
done_testing
