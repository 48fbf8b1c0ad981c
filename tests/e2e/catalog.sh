#!/bin/bash
# The catalog snapshot against a real server: what is dumped, and what the probe notices.
. "$(dirname "$0")/../lib/t.sh"

fixture=$T/fixture
mkdir -p "$fixture"
PG_PORT=$(free_port)
"$ROOT/tests/corpus/start_cluster.sh" "$fixture" "$PG_PORT" >"$T/fixture.out" 2>&1 || {
	cat "$T/fixture.out"
	die "the corpus' fixture does not start"
}
clusters+=("$fixture/data")
export PGPASSWORD=pg-super-pw DB=shop
url="postgresql://postgres:pg-super-pw@127.0.0.1:$PG_PORT/shop"

# --- dump ------------------------------------------------------------------------

"$PGMOAT" catalog dump "$url" -o "$T/shop.json" >"$T/out" 2>&1
is "dump writes a file and says nothing" "$?: $(cat "$T/out")" "0: "
ok "it is JSON" /usr/bin/python3 -c 'import json, sys; json.load(open(sys.argv[1]))' "$T/shop.json"
"$PGMOAT" catalog dump "$url" >"$T/stdout.json"
is "without -o it goes to standard output" "$?: $(cmp "$T/shop.json" "$T/stdout.json")" "0: "
CATALOG_URL=$url CATALOG_FILE=$T/shop.json "$BUILD/tests/test_catalog_live" >"$T/live.log" 2>&1
is "every object of the server is found in the file" "$?" 0 || cat "$T/live.log"
nok "and nothing of that was skipped" grep -qi skip "$T/live.log"

direct "CREATE SCHEMA \"a \"\"quoted\"\" \\ one\"; CREATE VIEW \"a \"\"quoted\"\" \\ one\".\"tab	é
line\" AS SELECT E'back\\\\slash' AS x" >/dev/null
ok "names may hold anything" "$PGMOAT" catalog dump "$url" -o "$T/odd.json"
ok "and come out as they are" /usr/bin/python3 -c '
import json, sys
s = json.load(open(sys.argv[1]))["sections"]
schema = [n[0] for n in s["namespaces"] if n[1] == "a \"quoted\" \\ one"]
assert [r for r in s["relations"] if r[1] == schema[0] and r[2] == "tab\t\u00e9\nline"]' "$T/odd.json"
direct "DROP SCHEMA \"a \"\"quoted\"\" \\ one\" CASCADE" >/dev/null 2>&1

direct "CREATE DATABASE latin TEMPLATE template0 ENCODING LATIN1 LC_COLLATE 'C' LC_CTYPE 'C'" >/dev/null
PGCLIENTENCODING=UTF8 DB=latin direct "CREATE TABLE \"café\" (id int)" >/dev/null
"$PGMOAT" catalog dump "${url%shop}latin" >"$T/latin.json"
ok "a database of another encoding is dumped as UTF-8" grep -q '"café"' "$T/latin.json"

# --- what goes wrong -------------------------------------------------------------

"$PGMOAT" catalog dump "postgresql://postgres:wrong@127.0.0.1:$PG_PORT/shop" -o "$T/none.json" 2>"$T/err"
is "a server that does not let us in is status 1" "$?" 1
like "with the reason" "$(cat "$T/err")" '^pgmoat catalog: cannot connect: .*password authentication failed'
unlike "but not the password" "$(cat "$T/err")" wrong
nok "and no file" [ -e "$T/none.json" ]
is "nor what would have become one" "$(find "$T" -name 'none.json*')" ""
"$PGMOAT" catalog dump "$url" -o /nowhere/c.json 2>"$T/err"
is "a file that cannot be written is status 2" "$?: $(cat "$T/err")" "2: pgmoat catalog: /nowhere/c.json: No such file or directory"
"$PGMOAT" catalog dump "$url" >/dev/full 2>"$T/err"
is "so is a full disk" "$?: $(cat "$T/err")" "2: pgmoat catalog: standard output: No space left on device"
for arguments in "" dump "dump a b" "dump --frob x" "dump x -o" frob "probe"; do
	# shellcheck disable=SC2086
	"$PGMOAT" catalog $arguments >/dev/null 2>"$T/err"
	is "status 2: catalog $arguments" "$?" 2
	ok "with a reason" [ -s "$T/err" ]
done
is "help is help" "$("$PGMOAT" catalog dump --help)" "$("$PGMOAT" help catalog)"

# A role that may read nothing sees the same: all of it is public in PostgreSQL.
direct "CREATE ROLE nobody_special LOGIN PASSWORD 'np'" >/dev/null
"$PGMOAT" catalog dump "$url" -o "$T/all.json"
"$PGMOAT" catalog dump "postgresql://nobody_special:np@127.0.0.1:$PG_PORT/shop" -o "$T/nobody.json"
is "any role can dump it" "$(cmp "$T/all.json" "$T/nobody.json")" ""

# A client's own objects must not be taken for the server's.
out=$(PGOPTIONS='-c search_path=evil,pg_catalog' "$PGMOAT" catalog dump "$url" 2>&1 | cmp - "$T/all.json")
is "the path of the session does not matter" "$out" ""

# --- the probe -------------------------------------------------------------------

probe() {
	"$PGMOAT" catalog probe "$url"
}

# changes SQL: the probe differs afterwards
changes() {
	local before after out
	before=$(probe)
	out=$(direct "$1" 2>&1)
	after=$(probe)
	ok "noticed: ${1//$'\n'/ }" [ "$before" != "$after" ]
	case $out in *ERROR*) nok "${out%%$'\n'*}" true ;; esac
}

# keeps SQL: it does not
keeps() {
	local before after out
	before=$(probe)
	out=$(direct "$1" 2>&1)
	after=$(probe)
	is "no change: ${1//$'\n'/ }" "$after" "$before"
	case $out in *ERROR*) nok "${out%%$'\n'*}" true ;; esac
}

like "a probe is one line" "$(probe)" '^1[0-9]{5} [0-9]+:shop '

while IFS= read -r sql; do
	changes "$sql"
done <<'DDL'
CREATE SCHEMA probe
ALTER SCHEMA probe RENAME TO probes
CREATE TABLE probes.t (id int, name text)
ALTER TABLE probes.t ADD COLUMN extra text
ALTER TABLE probes.t DROP COLUMN extra
ALTER TABLE probes.t RENAME COLUMN name TO title
ALTER TABLE probes.t ALTER COLUMN title TYPE varchar(20)
ALTER TABLE probes.t ALTER COLUMN title SET NOT NULL
ALTER TABLE probes.t ALTER COLUMN title SET DEFAULT 'x'
ALTER TABLE probes.t ALTER COLUMN title SET DEFAULT 'y'
ALTER TABLE probes.t RENAME TO t2
ALTER TABLE probes.t2 SET SCHEMA public
ALTER TABLE public.t2 ENABLE ROW LEVEL SECURITY
CREATE POLICY p ON public.t2 USING (id > 0)
ALTER POLICY p ON public.t2 USING (id > 1)
DROP POLICY p ON public.t2
ALTER TABLE public.t2 ADD CHECK (id < 100)
CREATE INDEX t2_id ON public.t2 (id)
DROP INDEX public.t2_id
CREATE STATISTICS t2_stats ON (id + 1), (id + 2) FROM public.t2
DROP STATISTICS t2_stats
CREATE TABLE probes.child () INHERITS (public.t2)
ALTER TABLE probes.child NO INHERIT public.t2
ALTER TABLE probes.child INHERIT public.t2
CREATE VIEW probes.v AS SELECT id FROM public.t2
CREATE OR REPLACE VIEW probes.v AS SELECT id + 1 AS id FROM public.t2
CREATE MATERIALIZED VIEW probes.m AS SELECT id FROM public.t2
DROP MATERIALIZED VIEW probes.m
DROP VIEW probes.v
CREATE SEQUENCE probes.s
DROP SEQUENCE probes.s
CREATE FUNCTION probes.f(int) RETURNS int LANGUAGE sql STABLE AS 'SELECT 1'
CREATE OR REPLACE FUNCTION probes.f(int) RETURNS int LANGUAGE sql STABLE AS 'SELECT 2'
ALTER FUNCTION probes.f(int) VOLATILE
ALTER FUNCTION probes.f(int) SECURITY DEFINER
ALTER FUNCTION probes.f(int) RENAME TO g
ALTER FUNCTION pg_catalog.pg_sleep(double precision) STABLE
ALTER FUNCTION pg_catalog.pg_sleep(double precision) VOLATILE
CREATE AGGREGATE probes.a (int) (SFUNC = int4pl, STYPE = int)
CREATE OR REPLACE AGGREGATE probes.a (int) (SFUNC = int4mul, STYPE = int)
CREATE FUNCTION probes.two(int, int) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true'
CREATE OPERATOR probes.## (LEFTARG = int, RIGHTARG = int, FUNCTION = probes.two)
DROP OPERATOR probes.## (int, int)
CREATE TYPE probes.e AS ENUM ('a', 'b')
ALTER TYPE probes.e RENAME TO e2
CREATE TYPE probes.c AS (v int)
ALTER TYPE probes.c ADD ATTRIBUTE w text
CREATE FUNCTION probes.c_of(int) RETURNS probes.c LANGUAGE sql AS 'SELECT ROW($1, $1::text)::probes.c'
CREATE CAST (int AS probes.c) WITH FUNCTION probes.c_of(int)
DROP CAST (int AS probes.c)
CREATE DOMAIN probes.d AS int
ALTER DOMAIN probes.d ADD CONSTRAINT positive CHECK (VALUE > 0)
ALTER DOMAIN probes.d DROP CONSTRAINT positive
CREATE TYPE probes.r AS RANGE (subtype = int)
CREATE FUNCTION probes.c_cmp(probes.c, probes.c) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 0'
CREATE OPERATOR CLASS probes.c_ops DEFAULT FOR TYPE probes.c USING btree AS FUNCTION 1 probes.c_cmp(probes.c, probes.c)
CREATE FUNCTION probes.c_int(probes.c, int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 0'
ALTER OPERATOR FAMILY probes.c_ops USING btree ADD FUNCTION 1 (probes.c, int) probes.c_int(probes.c, int)
DROP OPERATOR CLASS probes.c_ops USING btree
ALTER EXTENSION hstore ADD FUNCTION probes.two(int, int)
ALTER EXTENSION hstore DROP FUNCTION probes.two(int, int)
CREATE EXTENSION bloom
DROP EXTENSION bloom
CREATE OR REPLACE VIEW information_schema.information_schema_catalog_name AS SELECT 'x'::information_schema.sql_identifier AS catalog_name
DROP TABLE public.t2 CASCADE
DDL

while IFS= read -r sql; do
	keeps "$sql"
done <<'OTHER'
SELECT count(*) FROM public.users
SELECT nextval('public.order_no_seq')
INSERT INTO public.audit_log (what) VALUES ('probe')
UPDATE public.users SET full_name = full_name
DELETE FROM public.audit_log
ANALYZE public.users
VACUUM public.users
VACUUM ANALYZE
VACUUM FREEZE public.users
VACUUM FREEZE pg_catalog.pg_class
BEGIN; CREATE TABLE public.never (id int); ROLLBACK
CREATE TEMP TABLE mine (id serial PRIMARY KEY, note text); CREATE TEMP VIEW seen AS SELECT * FROM mine; INSERT INTO mine (note) VALUES ('x')
SELECT pg_current_xact_id()
CHECKPOINT
OTHER

# The same database, dropped and made anew.
before=$(probe)
DB=postgres direct "DROP DATABASE shop; CREATE DATABASE shop TEMPLATE shop_tmpl" >/dev/null
ok "a database made anew differs" [ "$before" != "$(probe)" ]

done_testing
