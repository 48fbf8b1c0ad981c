#!/bin/bash
# mutate.sh [SECONDS]: mutants of the corpus against the judge, with a server as the oracle (mutate.py).
#
# As owner and as superuser, for row-level security holds for the one only, and
# with a policy that lets write. The same seeds every time; SEEDS='7 8' for
# others, OUT=FILE keeps what was found.
. "$(dirname "$0")/../lib/t.sh"
here=$ROOT/tests/smith
. "$here/worlds.sh"
seconds=${1:-120}
seeds=${SEEDS:-1 2}
[ -x "$BUILD/smith/judge" ] || die "make $BUILD/smith/judge comes first"

worlds_start
mutate() {	# mutate LOGIN PASSWORD POLICY SEED SECONDS [option...]
	# shellcheck disable=SC2086
	/usr/bin/python3 "$here/mutate.py" --judge "$BUILD/smith/judge $here/$3 $T/catalog.json" --ports $WORLDS \
	    --corpus "$ROOT/tests/corpus/dev" "$ROOT/tests/corpus/dev-own" --user "$1" --password "$2" --seed "$4" --seconds "$5" "${@:6}"
}

hunt() {	# the same; its count is added
	local log=$T/mutants p f
	mutate "$@" >"$log" 2>&1
	sed "s/^# seed/# $1, ${3%.json}, seed/" "$log" | grep -vE '^[0-9]+ passed'
	read -r p _ f _ < <(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$log" | tail -n 1)
	passed=$((passed + ${p:-0})) failed=$((failed + ${f:-1}))
}

like "a hole is found where nothing is hidden" "$(mutate postgres pg-super-pw policy-open.json 1 30 --grammar 1 --first)" '^not ok - (mark|the answers)'
# shellcheck disable=SC2086
set -- $seeds
slice=$((seconds / (3 * $#) + 1))
for seed in $seeds; do
	hunt shop_owner owner-pw policy.json "$seed" "$slice" ${OUT:+--out "$OUT"}
	hunt postgres pg-super-pw policy.json "$((seed + 1000))" "$slice" ${OUT:+--out "$OUT"}
	hunt postgres pg-super-pw policy-writes.json "$((seed + 2000))" "$slice" --writes --grammar 0.8 ${OUT:+--out "$OUT"}
done
done_testing
