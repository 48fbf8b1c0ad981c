#!/bin/bash
# Every folder of tests/policy is a policy, SQL and the verdicts that are expected of
# pgmoat check: policy.json (none: the built-in policy), in.sql, args (more
# options, may be absent) and expected, whose last line is the exit status.
# UPDATE=1 writes expected anew: look at the difference before you commit it.
. "$(dirname "$0")/../lib/t.sh"

for dir in "$ROOT"/tests/policy/*/; do
	[ -e "$dir/in.sql" ] || continue	# policy.sh's
	cd "$dir" || exit 1
	args=()
	[ ! -e args ] || read -ra args <args
	[ ! -e policy.json ] || args+=(--policy policy.json)
	found=$("$PGMOAT" check "${args[@]}" in.sql 2>&1)
	found+=$'\n'"exit $?"
	[ -z "${UPDATE:-}" ] || echo "$found" >expected
	if ! ok "$(basename "$dir")" [ "$found" = "$(cat expected)" ]; then
		diff -u expected - <<<"$found" | sed 's/^/#   /'
	fi
done

done_testing
