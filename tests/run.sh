#!/bin/bash
# run.sh BUILD [GROUP...]: runs the tests of these groups (all, when none is named) against BUILD.
#
#	unit		the programs in BUILD/tests
#	protocol	tests/protocol/run.py
#	e2e		tests/e2e/*.sh and *.py
#	corpus		tests/corpus/run.sh, once for each login
#	threads		what ThreadSanitizer should see: unit tests, and many clients at once
#
# Two at a time (JOBS). Each program's output is kept in BUILD/test-logs; that
# of a failed one is shown. Last line: "N passed, M failed"; status 0 when M is 0.
set -u
cd "$(dirname "$0")/.." || exit 1

BUILD=${1:-build}
shift
groups=${*:-unit protocol e2e corpus}
jobs=${JOBS:-2}
case $BUILD in /*) ;; *) BUILD=$PWD/$BUILD ;; esac
export BUILD CMOCKA_MESSAGE_OUTPUT=tap
logs=$BUILD/test-logs
rm -rf "$logs"
mkdir -p "$logs"

# A program that hangs has failed; sanitized ones are slower.
limit=${TEST_TIMEOUT:-900}

# run_one NAME COMMAND...: leaves NAME.log, and NAME.count with "passed failed seconds".
run_one() {
	local name=$1 log=$logs/$1.log start=$SECONDS status p f line skipped
	shift
	timeout -k 20 "$limit" "$@" >"$log" 2>&1 </dev/null
	status=$?
	line=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$log" | tail -n 1)
	if [ -n "$line" ]; then
		read -r p _ f _ <<<"$line"
	else	# cmocka, TAP or not; what was planned and never came has failed
		p=$(grep -cE '^ok |^\[ +OK \]' "$log")
		skipped=$(grep -cE '# SKIP' "$log")
		f=$(sed -n 's/^1\.\.\([0-9]*\)$/\1/p' "$log" | awk -v p="$((p + skipped))" '{ n += $1 } END { print n - p }')
		[ "$((p + f + skipped))" -gt 0 ] || f=1
	fi
	if [ $status -ne 0 ] && [ "$f" = 0 ]; then
		f=1
	fi
	[ $status -ne 124 ] || echo "timed out after $limit s" >>"$log"
	echo "$p $f $((SECONDS - start))" >"$logs/$name.count"
	report "$name" "$p" "$f" $((SECONDS - start)) $status
}

report() {
	if [ "$3" = 0 ]; then
		printf 'ok      %-28s %4d passed %4d s\n' "$1" "$2" "$4"
		return
	fi
	{
		printf 'FAILED  %-28s %4d passed, %d failed, status %d, %d s\n' "$1" "$2" "$3" "$5" "$4"
		if grep -qE '^not ok|^FAIL' "$logs/$1.log"; then
			grep -E -A 12 '^not ok|^FAIL|Sanitizer|runtime error' "$logs/$1.log" | grep -vE '^ok ' | head -n 200
		fi
		tail -n 20 "$logs/$1.log"
	} | sed '2,$s/^/        /'
}

start() {
	while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do
		wait -n
	done
	run_one "$@" &
}

want() {
	case " $groups " in *" $1 "*) return 0 ;; esac
	return 1
}

interpreter() {
	case $1 in
	*.py) echo /usr/bin/python3 ;;
	*) echo bash ;;
	esac
}

# The long one first, so that it has company all the way.
if want corpus && [ -x tests/corpus/run.sh ]; then
	for login in shop_owner $([ -n "${SAN:-}" ] || echo postgres agent); do
		start "corpus-$login" bash tests/corpus/run.sh "$login"
	done
fi
if want unit || want threads; then
	for t in "$BUILD"/tests/test_*; do
		[ ! -x "$t" ] || [ ! -e "tests/unit/$(basename "$t").c" ] || start "$(basename "$t")" "$t"
	done
fi
if want protocol && [ -e tests/protocol/run.py ]; then
	start protocol /usr/bin/python3 tests/protocol/run.py
fi
if want e2e; then
	for t in tests/e2e/*.sh tests/e2e/*.py; do
		[ ! -e "$t" ] || start "e2e-$(basename "${t%.*}")" "$(interpreter "$t")" "$t"
	done
elif want threads; then
	for t in tests/e2e/threads.sh tests/e2e/reload.sh; do
		[ ! -e "$t" ] || start "e2e-$(basename "${t%.*}")" bash "$t"
	done
fi
wait

cat "$logs"/*.count 2>/dev/null | awk '{ p += $1; f += $2 } END { if (p + f == 0) f = 1; printf "%d passed, %d failed\n", p, f; exit f > 0 }'
