#!/bin/bash
# fuzz.sh DIR SECONDS FUZZER...: runs each fuzzer of DIR that long, two at a time (JOBS).
#
# It starts from tests/fuzz/corpus/NAME and the dictionary tests/fuzz/NAME.dict
# (NAME with or without fuzz_) and grows a copy of the corpus in DIR/work, so
# that the committed one changes only by hand. What crashed is in DIR/crashes.
set -u
cd "$(dirname "$0")/../.." || exit 1
dir=$1 seconds=$2
shift 2
mkdir -p "$dir/crashes"
export ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1 UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1

first() {
	local f
	for f; do
		[ ! -e "$f" ] || {
			echo "$f"
			return
		}
	done
}

fuzz() {
	local name=$1 short=${1#fuzz_} work=$dir/work/$1 log=$dir/$1.log dict seeds args=()
	seeds=$(first "tests/fuzz/corpus/$name" "tests/fuzz/corpus/$short")
	dict=$(first "tests/fuzz/$name.dict" "tests/fuzz/$short.dict" "tests/fuzz/dict/$short.dict")
	mkdir -p "$work"
	[ -z "$seeds" ] || cp -r "$seeds/." "$work/"
	[ -z "$dict" ] || args+=("-dict=$dict")
	if "$dir/$name" "${args[@]}" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 -print_final_stats=1 \
	    -artifact_prefix="$dir/crashes/$name-" "$work" >"$log" 2>&1 </dev/null; then
		echo "ok - $name: $(sed -n 's/stat::number_of_executed_units: *//p' "$log") runs, $(find "$work" -type f | wc -l) inputs kept"
	else
		echo "not ok - $name"
		grep -vE '^#[0-9]+|^NEW_FUNC' "$log" | tail -n 60
	fi
}

for name; do
	while [ "$(jobs -rp | wc -l)" -ge "${JOBS:-2}" ]; do
		wait -n
	done
	fuzz "$name" >"$dir/$name.result" &
done
wait
for name; do
	cat "$dir/$name.result"
done
p=$(for name; do cat "$dir/$name.result"; done | grep -c '^ok ')
echo "$p passed, $(($# - p)) failed"
[ "$p" = $# ]
