#!/bin/bash
# The command line itself: help, the manual that agrees with it, and exit statuses.
. "$(dirname "$0")/../lib/t.sh"

page=$ROOT/proxy/pgmoat.1
like "the version names the grammar" "$("$PGMOAT" --version)" '^pgmoat [0-9.]+, PostgreSQL 1[0-9.]+ grammar \(libpg_query'
is "help goes to standard output" "$("$PGMOAT" --help 2>/dev/null | head -n 1)" "usage: pgmoat COMMAND [OPTION...]"
"$PGMOAT" >/dev/null 2>&1
is "no command is a usage error" $? 2
out=$("$PGMOAT" srve 2>&1)
is "an unknown command is a usage error" "$? $out" '2 pgmoat: unknown command "srve"; pgmoat help lists them'

for command in serve run check; do
	is "$command --help is help $command" "$("$PGMOAT" $command --help)" "$("$PGMOAT" help $command)"
	like "the manual has $command" "$(cat "$page")" "^\.(It )?Cm $command"
	for option in $("$PGMOAT" $command --help | grep -oE '^  .*' | grep -oE -- '--[a-z-]+'); do
		ok "the manual has $option of $command" grep -qE -- "^\.It .*Fl -${option#--}( |\$)" "$page"
	done
done
for key in $("$PGMOAT" serve --help | grep -oE '^  --[a-z-]+' | tr -d ' ' | sed 's/^--//; s/-/_/g'); do
	ok "the manual has the key $key" grep -qE "^\.Li $key( |\$)" "$page"
done
for rule in parse_error whereless_write function_denied row_cap; do
	ok "the manual has the rule $rule" grep -q "$rule" "$page"
done

"$PGMOAT" serve --listen 127.0.0.1:0 2>"$T/err"
is "serve without its server is a usage error" "$?" 2
like "that says what is missing" "$(cat "$T/err")" '^--upstream: '
"$PGMOAT" serve -c /nowhere 2>"$T/err"
is "serve with a file that is not there" "$?" 2
echo '{ "listen": "127.0.0.1:0", "upstrem": "postgresql://h" }' >"$T/config"
"$PGMOAT" serve -c "$T/config" 2>"$T/err"
is "serve with a mistyped key" "$?: $(cat "$T/err")" "2: $T/config:1:28: upstrem: unknown key"

echo "SELECT 1" | "$PGMOAT" check >/dev/null
is "check answers 0 when all is allowed" $? 0
echo "DROP TABLE t" | "$PGMOAT" check - >/dev/null
is "check answers 1 when one is refused" $? 1
"$PGMOAT" check /nowhere 2>/dev/null
is "check answers 2 for a file that is not there" $? 2
"$PGMOAT" check --profile nobody </dev/null 2>/dev/null
is "check answers 2 for a profile that is not there" $? 2
printf 'SELECT 1\0; DROP TABLE t' | "$PGMOAT" check >/dev/null 2>&1
is "check answers 2 for a NUL byte" $? 2
echo "SELECT 1" | "$PGMOAT" check >/dev/full 2>/dev/null
is "check answers 2 when its verdicts cannot be written" $? 2
is "no control byte of a file reaches the terminal" "$(printf 'selec \033[2J' | "$PGMOAT" check | grep -c $'\033')" 0

done_testing
