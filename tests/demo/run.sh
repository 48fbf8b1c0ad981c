#!/bin/bash
# run.sh BUILD: the demonstration. `make demo` calls it.
#
# A throwaway PostgreSQL with a small shop, pgmoat before it without a word of
# configuration, and two clients that know nothing of it: psql, and the MCP
# server that many agents use. Ends with 0 only when each scene came out as told.
BUILD=${1:-build}
. "$(dirname "$0")/../lib/t.sh"
here=$ROOT/tests/demo
node_dir=$ROOT/build/demo/node
export PGDATABASE=shop
DB=shop

if [ -t 1 ]; then
	bold=$'\e[1m' red=$'\e[31m' green=$'\e[32m' dim=$'\e[2m' blue=$'\e[36m' plain=$'\e[0m'
else
	bold='' red='' green='' dim='' blue='' plain=''
fi

say() {
	printf '%s\n' "$*"
}

scene() {
	say
	say "$bold$*$plain"
}

sent() {
	say "  ${blue}sent$plain   $1: $bold$2$plain"
}

saw() {		# at most six lines, cut to the screen
	local lines
	lines=$(wc -l <<<"$1")
	head -n 6 <<<"$1" | cut -c 1-150 | sed "s/^/  ${blue}saw$plain    /"
	[ "$lines" -le 6 ] || say "         ${dim}... $((lines - 6)) lines more$plain"
}

# The decision and what became of it, from the two records of the last query whose text holds $1.
record() {
	until_ 10 done_record "$1" || wrong "no audit record of it"
	/usr/bin/python3 -c '
import json, sys
blue, plain = sys.argv[3:]
records = [json.loads(line) for line in open(sys.argv[1])]
r = [r for r in records if sys.argv[2] in r.get("text", "")][-1]
shown = {k: r[k] for k in ("verdict", "rule", "user", "application", "kinds", "relations", "rewritten", "reason") if r.get(k) not in (None, "", [], "none")}
for d in records:
    if d["event"] == "done" and (d["session"], d["query"]) == (r["session"], r["query"]):
        shown.update((k, d[k]) for k in ("rows", "milliseconds", "sqlstate", "capped") if d.get(k))
print("  %saudit%s  %s" % (blue, plain, json.dumps(shown)))' "$AUDIT" "$1" "$blue" "$plain"
}

done_record() {
	/usr/bin/python3 -c '
import json, sys
records = [json.loads(line) for line in open(sys.argv[1])]
r = [r for r in records if sys.argv[2] in r.get("text", "")]
sys.exit(not r or (r[-1]["verdict"] != "block" and not any(d["event"] == "done" and
    (d["session"], d["query"]) == (r[-1]["session"], r[-1]["query"]) for d in records)))' "$AUDIT" "$1" 2>/dev/null
}

wrong() {
	say "  ${red}NOT AS TOLD: $*$plain"
	[ ! -e "${MOAT_LOG:-}" ] || tail -n 20 "$MOAT_LOG"
	exit 1
}

told() {	# told WHAT COMMAND...: what must be true
	local what=$1
	shift
	"$@" || wrong "$what"
	say "  ${green}true$plain   $what"
}

has() {
	grep -qE -- "$2" <<<"$1"
}

mcp() {		# mcp PORT SQL...: through the MCP server
	local url="postgresql://agent:agent-pw@127.0.0.1:$1/${MCP_DB:-shop}"
	shift
	/usr/bin/python3 "$here/mcp_call.py" "$@" -- node "$node_dir/node_modules/@modelcontextprotocol/server-postgres/dist/index.js" "$url" 2>/dev/null
}

agent() {	# psql as the agent, through pgmoat
	PGPASSWORD=agent-pw psql -X -h 127.0.0.1 -p "$MOAT_PORT" -U agent "$@" 2>&1
}

if ! cmp -s "$here/package-lock.json" "$node_dir/package-lock.json"; then
	mkdir -p "$node_dir"
	cp "$here"/package*.json "$node_dir/"
	(cd "$node_dir" && npm ci --ignore-scripts --no-audit --no-fund --silent) || {
		rm -f "$node_dir/package-lock.json"
		wrong "npm cannot install @modelcontextprotocol/server-postgres"
	}
fi

say "${dim}making a PostgreSQL cluster that will be thrown away ...$plain"
cluster_start scram
DB=postgres direct "CREATE ROLE agent LOGIN PASSWORD 'agent-pw'" >/dev/null
DB=postgres direct "CREATE DATABASE shop OWNER agent" >/dev/null
PGUSER=agent PGPASSWORD=agent-pw direct "\\i $here/shop.sql" >"$T/shop.out" || wrong "the shop cannot be filled"
[ ! -s "$T/shop.out" ] || wrong "$(cat "$T/shop.out")"
direct "ALTER SCHEMA public OWNER TO agent" >/dev/null
DB=postgres direct "CREATE DATABASE shop_copy TEMPLATE shop OWNER agent" >/dev/null
moat_start
say "${dim}PostgreSQL on 127.0.0.1:$PG_PORT, pgmoat on 127.0.0.1:$MOAT_PORT; the agent's role owns every table.$plain"

scene "1. A question that an agent should ask: it works"
sql="SELECT name, price FROM products ORDER BY price DESC LIMIT 3"
sent psql "$sql"
out=$(agent -c "$sql")
saw "$out"
record "$sql"
told "three rows, unchanged" has "$out" '^\(3 rows\)$'
sql="SELECT status, count(*) FROM orders GROUP BY status ORDER BY status"
sent "MCP server" "$sql"
out=$(mcp "$MOAT_PORT" "$sql")
saw "$out"
record "$sql"
told "847 orders are pending" has "$out" '"pending", "count": "847"'

scene "2. A question with an answer too long: a LIMIT is added"
sql="SELECT * FROM orders"
sent psql "$sql"
out=$(agent -At -c "$sql")
saw "$(grep -vE '^[0-9]+\|' <<<"$out"; grep -E '^[0-9]+\|' <<<"$out")"
record "$sql"
told "1000 of 2500 rows came" [ "$(grep -cE '^[0-9]+\|' <<<"$out")" = 1000 ]
told "the client was told that rows are missing" has "$out" '^NOTICE:'
told "PostgreSQL got LIMIT 1001, so that we know that there are more" audited "r.get('text') == '$sql' and 'LIMIT 1001' in r.get('rewritten', '')"

scene "3. The incident: one hallucinated UPDATE, 847 rows"
sql="UPDATE orders SET status = 'cancelled' WHERE status = 'pending'"
sent psql "$sql"
out=$(agent -v VERBOSITY=verbose -c "$sql")
saw "$out"
record "$sql"
told "it was refused, with an error that says what would work" has "$out" '^ERROR:  42501'
told "all 847 orders are still pending" [ "$(direct "SELECT count(*) FROM orders WHERE status = 'pending'")" = 847 ]

scene "4. COMMIT; DROP SCHEMA public CASCADE, through the MCP server's \"read-only\" tool"
sql="COMMIT; DROP SCHEMA public CASCADE"
sent "MCP server, without pgmoat, on a copy" "$sql"
out=$(MCP_DB=shop_copy mcp "$PG_PORT" "$sql")
saw "$out"
told "without pgmoat the schema is gone" [ "$(DB=shop_copy direct "SELECT count(*) FROM pg_namespace WHERE nspname = 'public'")" = 0 ]
sent "MCP server, with pgmoat" "$sql"
out=$(mcp "$MOAT_PORT" "$sql" "SELECT count(*) FROM products")
saw "$out"
record "$sql"
told "it was refused" has "$(head -n 1 <<<"$out")" '^error '
told "the next call works as if nothing had been" has "$(tail -n 1 <<<"$out")" '^result .*"60"'
told "every table is there" [ "$(direct "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")" = 4 ]

scene "5. A query that would run for hours: stopped after five seconds"
sql="SELECT count(*) FROM generate_series(1, 1000000) a, generate_series(1, 1000000) b"
sent psql "$sql"
start=${EPOCHREALTIME/./}
out=$(agent -v VERBOSITY=verbose -c "$sql")
took=$(((${EPOCHREALTIME/./} - start) / 1000))
saw "$out"
record "$sql"
told "stopped" has "$out" '^ERROR:  57014'
told "after $((took / 1000)).$((took % 1000 / 100)) seconds" [ $took -ge 4000 -a $took -le 15000 ]

moat_stop TERM
told "pgmoat ended when asked to" [ "$MOAT_STATUS" = 0 ]
cluster_stop "$PG_DATA"
say
say "${bold}Everything came out as told. PostgreSQL and pgmoat are taken down again.$plain"
