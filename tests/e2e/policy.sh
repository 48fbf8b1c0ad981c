#!/bin/bash
# pgmoat policy schema, show and lint: help, exit statuses, the folders of tests/policy that have a "command",
# the schema against a validator that is not ours, and lint with the catalog of a real database.
# UPDATE=1 writes expected anew: look at the difference before you commit it.
. "$(dirname "$0")/../lib/t.sh"

page=$ROOT/proxy/pgmoat.1
policy() {
	"$PGMOAT" policy "$@"
}

# --- the command line -------------------------------------------------------------

for command in schema show lint; do
	like "policy $command --help begins with its usage" "$(policy $command --help)" "^usage: pgmoat policy $command"
	like "policy --help has $command" "$(policy --help)" "^  $command "
	ok "the manual has policy $command" grep -qE "^\.It Cm policy $command\$" "$page"
	for option in $(policy $command --help | grep -oE '^  .*' | grep -oE -- '--[a-z-]+'); do
		ok "the manual has $option of policy $command" grep -qE -- "^\.It .*Fl -${option#--}( |\$)" "$page"
	done
done
for check in $(sed -n 's/^#define LINT_[A-Z_]* "\([a-z_]*\)".*/\1/p' "$ROOT/policy/lint.h"); do
	ok "the manual has the finding $check" grep -qE "^\.It Li $check\$" "$page"
done
policy >/dev/null 2>&1
is "no command is a usage error" $? 2
policy shw >/dev/null 2>&1
is "nor is an unknown one" $? 2
policy show --catalog x >/dev/null 2>&1
is "an option of another command is a usage error" $? 2
policy show --format yaml >/dev/null 2>&1
is "so is an unknown format" $? 2
policy show --profile nobody >/dev/null 2>&1
is "and a profile that is not there" $? 2
policy show --policy /nowhere >/dev/null 2>&1
is "and a policy that is not there" $? 2
is "lint needs a policy" "$(policy lint 2>&1; echo $?)" $'pgmoat policy lint: --policy: needs a file\n2'
policy lint --policy /nowhere >/dev/null 2>&1
is "lint answers 2 for a policy that is not there" $? 2
echo '{ "version": 1, "profiles": { "a": {} } }' >"$T/small.json"
is "lint answers 0 when it finds nothing" "$(policy lint --policy="$T/small.json" 2>&1; echo $?)" 0
is "lint answers 2 for a catalog that is not there" "$(policy lint --policy "$T/small.json" --catalog /nowhere >/dev/null 2>&1; echo $?)" 2
is "lint answers 2 for a catalog that is none" \
    "$(policy lint --policy "$T/small.json" --catalog "$T/small.json" >/dev/null 2>&1; echo $?)" 2
echo '{ "version": 2 }' >"$T/wrong.json"
is "lint answers 2 for a policy that does not load" "$(policy lint --policy "$T/wrong.json" 2>/dev/null; echo $?)" 2
is "what cannot be written is no success" "$(policy schema 2>/dev/null >/dev/full; echo $?)" 2

# --- folders ------------------------------------------------------------------------

for dir in "$ROOT"/tests/policy/*/; do
	[ -e "$dir/command" ] || continue
	cd "$dir" || exit 1
	args=()
	[ ! -e args ] || read -ra args <args
	found=$(policy "$(cat command)" --policy policy.json "${args[@]}" 2>&1)
	found+=$'\n'"exit $?"
	[ -z "${UPDATE:-}" ] || echo "$found" >expected
	if ! ok "$(basename "$dir")" [ "$found" = "$(cat expected)" ]; then
		diff -u expected - <<<"$found" | sed 's/^/#   /'
	fi
done
cd "$T" || exit 1

policy lint --policy "$ROOT/tests/policy/policy_lint/policy.json" --format json >"$T/findings.jsonl"
is "lint as JSON is one object a line" "$(/usr/bin/python3 -c '
import json, sys
rows = [json.loads(line) for line in open(sys.argv[1])]
print(all(r.keys() == {"file", "line", "column", "path", "check", "message"} for r in rows))' "$T/findings.jsonl")" True
is "and says the same" "$(wc -l <"$T/findings.jsonl")" "$(grep -c '^policy.json:' "$ROOT/tests/policy/policy_lint/expected")"

# --- the schema -----------------------------------------------------------------------

policy schema >"$T/schema.json"
python=''
for p in /usr/bin/python3 python3; do
	"$p" -c 'from jsonschema import Draft202012Validator' 2>/dev/null && python=$p && break
done

# A policy a line, and whether it is one. The loader and the schema must both think so.
cat >"$T/policies" <<'END'
good {"version": 1, "profiles": {"a": {}}}
good {"$schema": "x", "version": 1, "mode": "observe", "profiles": {"a.b-c_1": {}}}
good {"version": 1, "profiles": {"a": {}, "b": {}}, "default_profile": "b", "assign": [{"user": "x*", "database": "d", "client": "unix", "application_name": "?", "profile": "a"}]}
good {"version": 1, "mask_key": "0123456789abcdef", "profiles": {"a": {"columns": [{"column": "public.users.email", "action": "mask", "mask": "hash"}]}}}
good {"version": 1, "profiles": {"a": {"mask_key": "0123456789abcdef"}}}
good {"version": 1, "profiles": {"a": {"access_mode": "read_write", "statements": {"allow": ["select", "update"], "deny": ["do"]}, "multi_statement": "each", "writes": {"mode": "allow", "require_where": false, "max_affected_rows": 5}}}}
good {"version": 1, "profiles": {"a": {"schemas": {"allow": ["public", "\"My \"\"Schema\"", "app_*"], "deny": []}, "tables": {"allow": ["orders", "public.users", {"table": "*.t?", "access": "read"}], "deny": ["\u00e4.b"]}}}}
good {"version": 1, "profiles": {"a": {"columns": [{"column": "a.\"B c\".*", "action": "deny"}, {"column": "a.b.c", "action": "mask", "mask": "expression", "expression": "left(c, 1)"}]}}}
good {"version": 1, "profiles": {"a": {"row_filters": [{"table": "t", "where": "a = 1"}], "session": {"app.user": "${user} $$", "a.b.c": ""}}}}
good {"version": 1, "profiles": {"a": {"functions": {"allow": ["f", "public.g(text, numeric(10,2))", "extension:hstore", "*.h()"], "deny": [], "volatile": "deny", "user_defined": "allow"}}}}
good {"version": 1, "profiles": {"a": {"settings": {"allow": ["work_mem", "app.x", "search_path"]}, "search_path": ["public", "\"Sales\""], "hints": {"table_denied": "Ask.", "rate_limited": "Wait."}}}}
good {"version": 1, "profiles": {"a": {"limits": {"max_rows": 0, "max_result_bytes": "16MB", "on_cap": "error", "statement_timeout": "5s", "lock_timeout": 1500, "max_query_depth": 3000, "max_plan_cost": null, "rate_per_minute": 3, "burst": 1, "max_concurrent": 8}}}}
good {"version": 1, "profiles": {"a": {"limits": {"max_plan_cost": 1000.5}}}}
bad {"profiles": {"a": {}}}
bad {"version": 2, "profiles": {"a": {}}}
bad {"version": 1}
bad {"version": 1, "profiles": {}}
bad {"version": 1, "profiles": {"a b": {}}}
bad {"version": 1, "profiles": {"a": {"tabels": {}}}}
bad {"version": 1, "profiles": {"a": {}}, "mode": "on"}
bad {"version": 1, "profiles": {"a": {}}, "assign": [{"user": "x"}]}
bad {"version": 1, "profiles": {"a": {}}, "assign": [{"user": "", "profile": "a"}]}
bad {"version": 1, "profiles": {"a": {"access_mode": "readonly"}}}
bad {"version": 1, "profiles": {"a": {"statements": {"allow": ["selct"]}}}}
bad {"version": 1, "profiles": {"a": {"statements": ["select"]}}}
bad {"version": 1, "profiles": {"a": {"writes": {"mode": "allow"}}}}
bad {"version": 1, "profiles": {"a": {"writes": {"mode": "dry_run"}}}}
bad {"version": 1, "profiles": {"a": {"writes": {"max_affected_rows": 0}}}}
bad {"version": 1, "profiles": {"a": {"schemas": {"allow": ["my-schema"]}}}}
bad {"version": 1, "profiles": {"a": {"schemas": {"allow": [""]}}}}
bad {"version": 1, "profiles": {"a": {"tables": {"deny": ["a.b.c"]}}}}
bad {"version": 1, "profiles": {"a": {"tables": {"deny": [{"access": "read"}]}}}}
bad {"version": 1, "profiles": {"a": {"tables": {"deny": ["\"a*\""]}}}}
bad {"version": 1, "profiles": {"a": {"columns": [{"column": "users.ssn", "action": "deny"}]}}}
bad {"version": 1, "profiles": {"a": {"columns": [{"column": "a.b.c", "action": "mask"}]}}}
bad {"version": 1, "profiles": {"a": {"columns": [{"column": "a.b.c", "action": "deny", "mask": "null"}]}}}
bad {"version": 1, "profiles": {"a": {"columns": [{"column": "a.b.c", "action": "mask", "mask": "expression"}]}}}
bad {"version": 1, "profiles": {"a": {"columns": [{"column": "a.b.c", "action": "mask", "mask": "null", "expression": "c"}]}}}
bad {"version": 1, "profiles": {"a": {"row_filters": [{"table": "t"}]}}}
bad {"version": 1, "profiles": {"a": {"row_filters": [{"table": "t", "where": ""}]}}}
bad {"version": 1, "profiles": {"a": {"session": {"user_id": "x"}}}}
bad {"version": 1, "profiles": {"a": {"session": {"pgmoat.x": "x"}}}}
bad {"version": 1, "profiles": {"a": {"session": {"app.x": "${usr}"}}}}
bad {"version": 1, "profiles": {"a": {"session": {"app.x": "$user"}}}}
bad {"version": 1, "profiles": {"a": {"session": {"app.x": 1}}}}
bad {"version": 1, "profiles": {"a": {"mask_key": "short"}}}
bad {"version": 1, "profiles": {"a": {"mask_key": {}}}}
bad {"version": 1, "profiles": {"a": {"functions": {"allow": ["f(text"]}}}}
bad {"version": 1, "profiles": {"a": {"settings": {"allow": ["a b"]}}}}
bad {"version": 1, "profiles": {"a": {"search_path": ["p*"]}}}
bad {"version": 1, "profiles": {"a": {"hints": {"table_denid": "x"}}}}
bad {"version": 1, "profiles": {"a": {"limits": {"max_rows": -1}}}}
bad {"version": 1, "profiles": {"a": {"limits": {"max_rows": 1.5}}}}
bad {"version": 1, "profiles": {"a": {"limits": {"statement_timeout": "5 s"}}}}
bad {"version": 1, "profiles": {"a": {"limits": {"max_result_bytes": "16mb"}}}}
bad {"version": 1, "profiles": {"a": {"limits": {"max_query_depth": 0}}}}
bad {"version": 1, "profiles": {"a": {"limits": {"burst": 5}}}}
bad {"version": 1, "profiles": {"a": {"limits": {"max_plan_cost": "1"}}}}
END

while read -r word text; do
	echo "$text" >"$T/one.json"
	policy show --policy "$T/one.json" >/dev/null 2>&1 && found=good || found=bad
	is "the loader thinks so: $word $text" "$found" "$word"
done <"$T/policies"

if [ -n "$python" ]; then
	"$python" - "$T/schema.json" "$T/policies" <<'END' >"$T/schema.out" 2>&1
import json, sys
from jsonschema import Draft202012Validator
schema = json.load(open(sys.argv[1]))
Draft202012Validator.check_schema(schema)
validator = Draft202012Validator(schema)
for line in open(sys.argv[2]):
    word, text = line.rstrip("\n").split(" ", 1)
    found = "good" if validator.is_valid(json.loads(text)) else "bad"
    print("agrees" if found == word else "differs: " + line)
print("done")
END
	is "a validator takes the schema, and the schema thinks as the loader does" \
	    "$(grep -v '^agrees$' "$T/schema.out")" "done"
	is "on every one of them" "$(grep -c '^agrees$' "$T/schema.out")" "$(wc -l <"$T/policies")"
else
	echo "# no python3-jsonschema: the schema is not validated"
fi

# --- the catalog of a database ----------------------------------------------------------

cluster_start
direct 'CREATE SCHEMA hr;
CREATE TABLE users (id int PRIMARY KEY, email text, born date, ssn text, balance numeric);
CREATE TABLE orders (id int, tenant int);
CREATE TABLE hr.payroll (id int, salary numeric);
CREATE FUNCTION harmless(int) RETURNS int STABLE LANGUAGE sql AS $$SELECT $1$$;
CREATE FUNCTION moody(int) RETURNS int LANGUAGE sql AS $$SELECT $1$$;
CREATE EXTENSION hstore' >/dev/null
cat >"$T/policy.json" <<'END'
{
  "version": 1,
  "mask_key": "0123456789abcdef",
  "profiles": {
    "a": {
      "schemas": { "allow": ["public", "h*", "sales", "x*"], "deny": ["secret"] },
      "tables": { "allow": ["public.*", "orders", "hr.payrol"], "deny": ["*.audit_*"] },
      "columns": [
        { "column": "public.users.ssn", "action": "deny" },
        { "column": "public.users.sssn", "action": "deny" },
        { "column": "public.usrs.email", "action": "deny" },
        { "column": "public.users.email", "action": "mask", "mask": "partial" },
        { "column": "public.users.balance", "action": "mask", "mask": "hash" },
      ],
      "row_filters": [
        { "table": "public.orders", "where": "tenant = 1" },
        { "table": "public.ordres", "where": "tenant = 1" },
        { "table": "hr.payroll", "where": "tenant = 1" },
      ],
      "functions": {
        "allow": ["harmless", "public.moody", "public.moody(text)", "gone", "extension:hstore", "extension:pg_trgm"],
        "deny": ["nothing_*"],
      },
      "search_path": ["public", "sales"],
    },
  },
}
END
"$PGMOAT" catalog dump "postgresql://127.0.0.1:$PG_PORT/postgres" -o "$T/catalog.json"
is "a catalog is dumped" $? 0
found=$(policy lint --policy "$T/policy.json" --catalog "$T/catalog.json" 2>&1)
is "lint answers 1 when it finds something" $? 1
is "names that match nothing, masks that a type cannot bear, functions that stay closed" "$(sed "s|^$T/policy.json:||" <<<"$found")" \
'6:46: profiles.a.schemas.allow[2]: there is no schema sales [no_match]
6:55: profiles.a.schemas.allow[3]: there is no schema x* [no_match]
6:71: profiles.a.schemas.deny[0]: there is no schema secret [no_match]
7:51: profiles.a.tables.allow[2]: there is no table hr.payrol [no_match]
7:74: profiles.a.tables.deny[0]: there is no table *.audit_* [no_match]
10:9: profiles.a.columns[1]: public.users has no column sssn [no_match]
11:9: profiles.a.columns[2]: there is no table public.usrs [no_match]
13:9: profiles.a.columns[4]: closes public.users: mask "hash" needs a text, uuid, integer or bigint column, and it is of type numeric [refused]
17:9: profiles.a.row_filters[1]: there is no table public.ordres [no_match]
18:9: profiles.a.row_filters[2]: closes hr.payroll: "tenant" in an expression of the policy is no column of it [refused]
21:31: profiles.a.functions.allow[1]: public.moody stays closed: it is volatile, so it may change something, whatever the policy names [refused]
21:47: profiles.a.functions.allow[2]: there is no such function [no_match]
21:69: profiles.a.functions.allow[3]: there is no such function [no_match]
21:97: profiles.a.functions.allow[5]: the database has no extension pg_trgm with functions [no_match]
22:18: profiles.a.functions.deny[0]: there is no such function [no_match]
24:33: profiles.a.search_path[1]: there is no schema sales [no_match]'
policy lint --policy "$T/small.json" --catalog "$T/catalog.json"
is "nothing is found in nothing" $? 0

# --- check with a catalog -------------------------------------------------------------

verdict() {	# verdict SQL [option...]: verdict and rule of one statement
	local sql=$1
	shift
	echo "$sql" | "$PGMOAT" check "$@" 2>&1 | sed -nE 's/^stdin:1: ([a-z]+( \[[a-z_]+\])?).*/\1/p'
}

is "with a catalog what is not there is unknown" "$(verdict "SELECT * FROM nowhere" --catalog "$T/catalog.json")" "block [unknown_object]"
is "without one it is not" "$(verdict "SELECT * FROM nowhere")" rewrite
is "names are looked up along the search path" "$(verdict "SELECT * FROM payroll" --catalog "$T/catalog.json")" "block [unknown_object]"
is "which may be another" "$(verdict "SELECT * FROM payroll" --catalog "$T/catalog.json" --search-path hr)" rewrite
echo "SELECT 1" | "$PGMOAT" check --search-path hr >/dev/null 2>&1
is "but means nothing without a catalog" $? 2
like "hidden columns need a catalog, says check" "$(echo "SELECT 1" | "$PGMOAT" check --policy "$T/policy.json" 2>&1)" \
    '^pgmoat check: note: the profile hides columns or rows'

done_testing
