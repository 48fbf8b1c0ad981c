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

for command in $("$PGMOAT" --help | sed -n 's/^  \([a-z]*\) .*/\1/p' | grep -v help); do
	is "$command --help is help $command" "$("$PGMOAT" "$command" --help)" "$("$PGMOAT" help "$command")"
	like "the manual has $command" "$(cat "$page")" "^\.(It )?Cm $command"
	for option in $("$PGMOAT" "$command" --help | grep -oE '^  .*' | grep -oE -- '--[a-z-]+'); do
		ok "the manual has $option of $command" grep -qE -- "^\.It .*Fl -${option#--}( |\$)" "$page"
	done
done
for key in $("$PGMOAT" serve --help | grep -oE '^  --[a-z-]+' | tr -d ' ' | sed 's/^--//; s/-/_/g'); do
	ok "the manual has the key $key" grep -qE "^\.Li $key( |\$)" "$page"
done
words=$("$PGMOAT" serve --help | grep -A1 -E '^  --(catalog|auth|audit-on-failure|tls-mode|log-level) ' | grep -oE '[a-z]+(\|[a-zA-Z]+)+' | tr '|' '\n' | grep -v '[A-Z]')
for word in $words; do
	ok "the manual has the value $word" grep -qwE "^\.It Fl .*$word|^\.Cm $word" "$page"
done

# What a policy may hold, as its schema says: keys, words and rules.
"$PGMOAT" policy schema >"$T/schema.json"
/usr/bin/python3 - "$T/schema.json" >"$T/language" <<'END'
import json, sys
def walk(node):
    if isinstance(node, dict):
        for key in node.get("properties", {}):
            print("key", key)
        for word in node.get("enum", []):
            if isinstance(word, str):
                print("word", word)
        node = list(node.values())
    if isinstance(node, list):
        for item in node:
            walk(item)
walk(json.load(open(sys.argv[1])))
END
for key in $(sed -n 's/^key //p' "$T/language" | grep -v '^\$' | sort -u); do
	ok "the manual has the key or rule $key" grep -qw -- "$key" "$page"
done
for word in $(sed -n 's/^word //p' "$T/language" | sort -u); do
	ok "the manual has the word $word" grep -qw -- "$word" "$page"
done
ok "the schema has the rules" grep -qx 'key whereless_write' "$T/language"

# The catalog file: its sections and their columns.
sed -n '/^\.Ss The catalog file/,/^\.Sh/p' "$page" | tr ',\n' '  ' >"$T/sections"
sed -n '/ sections\[NSECTIONS\]/,/^};/p' "$ROOT/policy/catalog_rows.c" | tr -d '\n\t' | sed 's/\[S_/\n&/g' | grep '^\[S_' >"$T/rows"
while IFS= read -r row; do
	name=${row#*\"}
	name=${name%%\"*}
	fields=$(grep -oE '\("[a-z_]+"' <<<"$row" | tr -d '("' | tr '\n' ' ')
	like "the manual has the columns of $name" "$(tr -s ' ' <"$T/sections")" "\.It Li $name ${fields% }( \.|\$| )"
done <"$T/rows"
is "and all sections of the file" "$(grep -c . "$T/rows")" "$(grep -o '\.It Li' "$T/sections" | wc -l)"

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
"$PGMOAT" check --catalog /nowhere </dev/null 2>/dev/null
is "check answers 2 for a catalog that is not there" $? 2
"$PGMOAT" catalog dump 2>/dev/null
is "catalog answers 2 without a database" $? 2
"$PGMOAT" catalog probe "postgresql://127.0.0.1:1/nowhere" 2>/dev/null
is "catalog answers 1 when the server cannot be reached" $? 1
echo "SELECT 1" | "$PGMOAT" check >/dev/full 2>/dev/null
is "check answers 2 when its verdicts cannot be written" $? 2
is "no control byte of a file reaches the terminal" "$(printf 'selec \033[2J' | "$PGMOAT" check | grep -c $'\033')" 0

done_testing
