#!/bin/bash
# README.md tells no lies: its examples are run as they stand.
#
# A fenced block's words say what it is: "sh test" must succeed, "sh fails" must
# fail, "sh serve" is started and kept until the next one; a "text output" block
# behind one is what it prints. "json file=NAME" is put into that file. The
# ports 5432 and 6432 become those of a throwaway server and a free one.
. "$(dirname "$0")/../lib/t.sh"

cluster_start scram
DB=postgres direct "CREATE DATABASE shop" >/dev/null
DB=shop direct "\\i $ROOT/tests/demo/shop.sql" >/dev/null
unset PGPASSWORD
port=$(free_port)
mkdir "$T/work" "$T/bin"
ln -s "$PGMOAT" "$T/bin/pgmoat"
export PATH=$T/bin:$PATH
cd "$T/work" || die "no work directory"

# Block N as blocks/N.words (the line of the fence) and blocks/N.text.
mkdir "$T/blocks"
awk -v dir="$T/blocks" '
/^```/ && !open { open = 1; n++; name = sprintf("%s/%03d", dir, n); print substr($0, 4) > (name ".words"); printf "" > (name ".text"); next }
/^```/ { open = 0; close(name ".text"); next }
open { print >> (name ".text") }' "$ROOT/README.md"

ours() {	# the block as it will be run
	sed "s/127\.0\.0\.1:5432/127.0.0.1:$PG_PORT/g; s/127\.0\.0\.1:6432/127.0.0.1:$port/g" "$1"
}

output='' name=''
for words in "$T"/blocks/*.words; do
	text=${words%.words}.text
	case $(cat "$words") in
	*file=*)
		file=$(sed -n 's/.*file=\([^ ]*\).*/\1/p' "$words")
		ours "$text" >"$file"
		;;
	"sh serve")
		[ -z "${serving:-}" ] || moat_stop TERM
		serving=1
		# The block's one process: the shell becomes it, so that its number is the one that we end.
		moat_launch "serve-$(basename "$text" .text)" bash -c "exec $(ours "$text")"
		ok "README starts: $(head -n 1 "$text")" alive "$MOAT_PID"
		;;
	"sh test" | "sh fails")
		name=$(head -n 1 "$text")
		output=$(ours "$text" | bash 2>&1)
		status=$?
		if [ "$(cat "$words")" = "sh test" ]; then
			is "README works: $name" "$status" 0 || echo "$output"
		else
			nok "README is refused: $name" [ "$status" = 0 ]
		fi
		;;
	"text output")
		is "README says what it prints: $name" "$output" "$(cat "$text")"
		;;
	esac
done

# What README says of the policy and of the options is all that there is.
for key in $("$PGMOAT" serve --help | sed -n 's/^  .*\(--[a-z-]*\).*/\1/p' | grep -E -- '--(listen|upstream|policy|catalog|catalog-max-age|audit|tls-cert)$'); do
	ok "README names $key" grep -q -- "$key" "$ROOT/README.md"
done
for key in $(grep -hv LATER "$ROOT"/policy/load*.c | sed -n 's/^	{ "\([a-z_]*\)", .*/\1/p' | sort -u); do
	ok "README names the policy key $key" grep -qw -- "$key" "$ROOT/README.md"
done
for word in $(sed -n '/ mask_words\[\]/,/};/p' "$ROOT"/policy/load_columns.c | grep -oE '"[a-z]+"' | tr -d '"'); do
	ok "README names the mask $word" grep -q "^| \`$word\` |" "$ROOT/README.md"
done
for command in $("$PGMOAT" --help | sed -n 's/^  \([a-z]*\) .*/\1/p' | grep -v help) "catalog dump" "policy lint" "policy show" "policy schema"; do
	ok "README has an example of $command" grep -qE "^(echo .* \| )?pgmoat $command( |$)" "$ROOT/README.md"
done
for file in LICENSE CHANGELOG.md; do
	ok "there is a $file" [ -s "$ROOT/$file" ]
done
done_testing
