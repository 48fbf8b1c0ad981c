#!/bin/bash
# What substitution writes, run by a real PostgreSQL: masked columns keep their
# type and length, rows that are hidden cannot be felt, the system catalogs show
# the insides of open objects only. Statements are judged offline, against a dump of the
# catalog, and what comes out is run as a superuser: nothing else holds anything back.
. "$(dirname "$0")/../lib/t.sh"

cluster_start trust
direct "$(cat <<'SQL'
CREATE EXTENSION citext;
CREATE EXTENSION hstore;
CREATE SCHEMA secret;
CREATE DOMAIN email AS text CHECK (VALUE ~ '@');
CREATE DOMAIN positive AS int NOT NULL CHECK (VALUE > 0);
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TYPE secret.level AS ENUM ('S3CR3T_LOW');
CREATE TYPE pair AS (a int, b text);
-- what a search_path could put before PostgreSQL's own
CREATE FUNCTION "left"(text, int) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'HIJACKED'::text $$;
CREATE FUNCTION hijack(text, text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'HIJACKED'::text $$;
CREATE OPERATOR || (LEFTARG = text, RIGHTARG = text, FUNCTION = hijack);
CREATE OPERATOR ~ (LEFTARG = text, RIGHTARG = text, FUNCTION = texteq);

CREATE TABLE all_types (id int, "Te""xt" text, v20 varchar(20), v varchar, c2 char(2), c10 char(10), nm name, ci citext, em email,
    po positive, mo mood, pa pair, i2 smallint, i4 int, i8 bigint, n numeric, n102 numeric(10,2), nneg numeric(3,-2), f4 real, f8 float8,
    b bool, by bytea, u uuid, d date, ts timestamp, ts3 timestamp(3), tz timestamptz, tz0 timestamptz(0), tm time(2), tmz timetz(1),
    iv interval, ivd interval day to second(2), ivy interval year, iv3 interval(3), j json, jb jsonb, x xml, bi bit(5), vb varbit(7),
    ta text[], va varchar(5)[], na numeric(5,1)[], r int4range, ip inet, mac macaddr, tsv tsvector, pt point, h hstore, o oid, ch "char",
    co text COLLATE "C");
INSERT INTO all_types (id, po, "Te""xt", v20, c2, c10, i4, i8, u, d, tz, ci) VALUES
    (1, 1, 'ann@example.org', '1234567890', 'DE', 'abcdefghij', 42, 43, '550e8400-e29b-41d4-a716-446655440000', '2024-05-06',
     '2024-05-06 07:08:09+00', 'Foo@Bar.com'),
    (2, 1, 'two@signs@here', 'abcd', 'x', '', NULL, NULL, NULL, 'infinity', '2024-01-01 00:30:00+02', 'abc'),
    (3, 1, NULL, '@x', NULL, 'a b@c d', -1, 43, NULL, NULL, NULL, NULL);
CREATE TABLE nulled (LIKE all_types);
CREATE TABLE redacted (LIKE all_types);
CREATE TABLE hashed (id, t, v20, i4, i8, u) AS SELECT id, "Te""xt", v20, i4, i8, u FROM all_types;
CREATE TABLE part (id, t, v20, c2, c10, d, tz, ci) AS SELECT id, "Te""xt", v20, c2, c10, d, tz, ci FROM all_types;
CREATE TABLE made (id, email, v20) AS SELECT id, "Te""xt", v20 FROM all_types;
INSERT INTO nulled SELECT * FROM all_types;
INSERT INTO redacted SELECT * FROM all_types;

CREATE TABLE people (id int PRIMARY KEY, email text, full_name text, ssn text);
INSERT INTO people VALUES (1, 'ann@example.org', 'Ann', 'S3CR3T_SSN'), (2, 'bob@example.org', 'Bob', 'S3CR3T_SSN'), (3, NULL, 'Eve', NULL);
CREATE TABLE bills (id int PRIMARY KEY, person_id int, total int);
INSERT INTO bills VALUES (1, 1, 10), (2, 1, 20), (3, 2, 30);

CREATE TABLE docs (id int PRIMARY KEY, tenant text, body text DEFAULT 'open default');
INSERT INTO docs VALUES (1, 'a', 'mine'), (2, 'b', 'S3CR3T_BODY'), (3, 'a', 'mine too');
CREATE TABLE secret.keys (id int PRIMARY KEY, k text DEFAULT 'S3CR3T_DEFAULT' CHECK (k <> 'S3CR3T_CHECK'), l secret.level);
COMMENT ON TABLE secret.keys IS 'S3CR3T_COMMENT';
COMMENT ON TABLE docs IS 'papers';
COMMENT ON COLUMN docs.body IS 'text';
CREATE FUNCTION f() RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'S3CR3T_FUNCTION'::text $$;
CREATE TABLE parts (k text) PARTITION BY LIST (k);
CREATE TABLE parts_a PARTITION OF parts FOR VALUES IN ('a');
CREATE TABLE secret.parts_x PARTITION OF parts FOR VALUES IN ('S3CR3T_BOUND');
ANALYZE;
SQL
)" -v ON_ERROR_STOP=1 >/dev/null

cat >"$T/policy.json" <<'JSON'
{ "version": 1, "mode": "enforce", "mask_key": "not to be seen 0123456789abcdef",
  "profiles": { "agent": {
    "access_mode": "read_only",
    "schemas": { "deny": ["secret"] },
    "columns": [
      { "column": "public.people.ssn", "action": "deny" },
      { "column": "public.nulled.*", "action": "mask", "mask": "null" },
      { "column": "public.redacted.*", "action": "mask", "mask": "redact" },
      { "column": "public.hashed.id", "action": "deny" },
      { "column": "public.hashed.*", "action": "mask", "mask": "hash" },
      { "column": "public.part.id", "action": "mask", "mask": "expression", "expression": "part.id * 100" },
      { "column": "public.part.*", "action": "mask", "mask": "partial" },
      { "column": "public.made.email", "action": "mask", "mask": "expression", "expression": "split_part(email, '@', 2)" },
      { "column": "public.made.v20", "action": "mask", "mask": "expression", "expression": "repeat('x', 99)" }
    ],
    "row_filters": [ { "table": "public.docs", "where": "tenant = current_setting('app.tenant')" } ]
  } }, "default_profile": "agent" }
JSON

ok "the catalog is dumped" "$PGMOAT" catalog dump "postgresql://127.0.0.1:$PG_PORT/postgres" -o "$T/catalog.json"

# judged SQL: what would be forwarded, or "refused: ..." on standard output.
judged() {
	"$PGMOAT" check --policy "$T/policy.json" --catalog "$T/catalog.json" --format json <<<"$1" | /usr/bin/python3 -c '
import json, sys
for line in sys.stdin:
    r = json.loads(line)
    print("refused: " + r["reason"] if r["verdict"] == "block" else r.get("rewritten") or r["text"])'
}

# run SQL: judged, and then run as it came out.
run() {
	local text
	text=$(judged "$1")
	case $text in refused:*) echo "$text" && return ;; esac
	direct "SET pgmoat.mask_key = 'k3y';
SET app.tenant = 'a';
SET timezone = 'America/New_York';
SET search_path = public, pg_catalog;
$text${2:-;}"
}

described() {	# names, types and modifiers of what a statement gives
	run "$1" ' \gdesc'
}

# --- types
columns=$(direct 'SELECT * FROM all_types \gdesc')
is "null keeps every type and length" "$(described "SELECT * FROM nulled")" "$columns"
is "redact keeps every type and length" "$(described "SELECT * FROM redacted")" "$columns"
is "hash keeps the types" "$(described "SELECT * FROM hashed")" \
    "$(direct 'SELECT t, v20, i4, i8, u FROM hashed \gdesc')"
is "partial keeps the types" "$(described "SELECT * FROM part")" "$(direct 'SELECT * FROM part \gdesc')"
is "an expression is cast to the type" "$(described "SELECT * FROM made")" "$(direct 'SELECT * FROM made \gdesc')"
is "null is null" "$(run "SELECT count(*), count(\"Te\"\"xt\"), count(em), count(po), count(i4), count(d) FROM nulled")" "3|0|0|0|0|0"
is "so is a whole row" "$(run "SELECT DISTINCT nulled::text FROM nulled")" "$(direct "SELECT '(' || repeat(',', 50) || ')'")"

# --- values
is "redact shows stars, cut at the length" "$(run "SELECT \"Te\"\"xt\", v20, c2, c10, em, i4 FROM redacted WHERE v20 = '***' LIMIT 1")" \
    "***|***|**|***       ||"
hash() {
	direct "SET search_path = pg_catalog;
SELECT left(encode(sha256(convert_to('k3y', 'UTF8') || sha256(convert_to('k3y' || $1, 'UTF8'))), 'hex'), $2)"
}
is "hash is keyed, NULL stays NULL" "$(run "SELECT t FROM hashed ORDER BY t DESC")" \
    "$({ hash "'ann@example.org'" 64; hash "'two@signs@here'" 64; } | sort -r | sed '1i\\')"
is "hash of a varchar is cut" "$(run "SELECT v20 FROM hashed WHERE v20 LIKE '$(hash "'abcd'" 20)'")" "$(hash "'abcd'" 20)"
is "hash of an integer is one, and not negative" "$(run "SELECT i4 FROM hashed WHERE i4 >= 0 ORDER BY 1" | wc -l)" 2
is "equal values have equal hashes" "$(run "SELECT count(*) FROM hashed a JOIN hashed b USING (i8)")" 4
is "hash of a uuid is one" "$(run "SELECT count(u) FROM hashed")" 1
is "partial keeps first letter and domain, or the end" "$(run "SELECT t, v20, c2, c10, ci FROM part ORDER BY id")" \
    "$(printf '%s\n' 'a***@example.org|***7890|**|***ghij   |F***@Bar.com' '***here|a***|**|***       |***' '|***||a***      |')"
is "partial of a date is its year" "$(run "SELECT d, tz AT TIME ZONE 'UTC' FROM part ORDER BY id")" \
    "$(printf '%s\n' '2024-01-01|2024-01-01 00:00:00' 'infinity|2023-01-01 00:00:00' '|')"
is "an expression sees the row" "$(run "SELECT id FROM part ORDER BY 1" | tr '\n' ' ')" "100 200 300 "
is "an expression is cut to the length" "$(run "SELECT v20 FROM made LIMIT 1")" "xxxxxxxxxxxxxxxxxxxx"
is "a denied column is not there" "$(run "SELECT * FROM hashed LIMIT 0" ' \gdesc' | head -n 1)" "t|text"
unlike "nothing of the user's own is called" "$(run "SELECT * FROM part")$(run "SELECT * FROM hashed")" HIJACKED
unlike "no mask lets the value through in a condition" "$(run "SELECT * FROM part WHERE t = 'ann@example.org'")" example

# --- what is written where
like "EXPLAIN VERBOSE would print the masks" "$(run "EXPLAIN (VERBOSE, COSTS OFF) SELECT * FROM hashed")" "refused: EXPLAIN VERBOSE of hashed"
plan=$(run "EXPLAIN (COSTS OFF) SELECT * FROM hashed WHERE t = 'x'")
like "EXPLAIN names the key in a filter" "$plan" "current_setting\('pgmoat.mask_key'"
unlike "and does not show it" "$plan" 'k3y'
nok "without the key there is no hash" grep -q '[0-9a-f]\{20\}' <<<"$(direct "$(judged "SELECT t FROM hashed")")"

# --- rows
is "only rows that fit are there" "$(run "SELECT id FROM docs ORDER BY id" | tr '\n' ' ')" "1 3 "
is "in every form" "$(run "SELECT count(*) FROM public.docs d, docs e")$(run "TABLE docs" | wc -l)$(run "WITH d AS (SELECT * FROM ONLY docs) SELECT count(*) FROM d")" 422
is "a name with its schema still means it" "$(run "SELECT public.docs.id, docs.* FROM public.docs ORDER BY 1 LIMIT 1")" "1|1|a|mine"
is "a condition is not tried on the others" "$(run "SELECT id FROM docs WHERE 1 / (CASE WHEN tenant = 'b' THEN 0 ELSE 1 END) = 1 ORDER BY 1" | tr '\n' ' ')" "1 3 "
is "nor a cast that would tell the value" "$(run "SELECT id FROM docs WHERE body::int > 0" | grep -c S3CR3T)" 0
unlike "a filter's column cannot be given from outside" "$(run "SELECT (SELECT string_agg(body, ',') FROM docs) FROM (SELECT 'b' AS tenant) t")" S3CR3T

# --- GROUP BY a primary key: PostgreSQL must see the table itself
for sql in "SELECT u.id, u.email, u.full_name, count(b.id), count(*) FROM people u LEFT JOIN bills b ON b.person_id = u.id GROUP BY u.id ORDER BY 1" \
    'SELECT "people"."id", "people"."full_name", sum(bills.total * 2) FROM "people" INNER JOIN bills ON bills.person_id = people.id GROUP BY "people"."id" ORDER BY 2 DESC' \
    "SELECT public.people.email FROM public.people GROUP BY people.id HAVING count(*) = 1 ORDER BY people.full_name" \
    "SELECT email FROM ONLY (people) AS u GROUP BY GROUPING SETS ((id)) ORDER BY full_name" \
    "WITH c AS (SELECT id, email FROM people GROUP BY id) SELECT c.email, v.full_name FROM c, LATERAL (SELECT w.full_name FROM people w WHERE w.id = c.id GROUP BY w.id) v ORDER BY 1" \
    "SELECT u.id, u.email, v.full_name FROM people u JOIN (SELECT id, full_name FROM people) v USING (id) GROUP BY u.id, v.full_name ORDER BY 1" \
    "SELECT u.email FROM people u GROUP BY u.id UNION SELECT full_name FROM people GROUP BY id ORDER BY 1"; do
	is "the same: $sql" "$(run "$sql")" "$(direct "$sql;")"
done
for sql in "SELECT u.* FROM people u GROUP BY u.id" "SELECT * FROM people GROUP BY id" "SELECT u FROM people u GROUP BY u.id" "SELECT array_agg(u) FROM people u GROUP BY u.id" \
    "SELECT (u).ssn FROM people u GROUP BY u.id" "SELECT u.row_to_json FROM people u GROUP BY u.id" "SELECT row_to_json(people) FROM people GROUP BY id" \
    "SELECT ssn(u) FROM people u GROUP BY u.id" "SELECT u::text FROM people u GROUP BY u.id" "SELECT u IS NULL, u = u FROM people u GROUP BY u.id" \
    "SELECT d FROM people u(a, b, c, d) GROUP BY a, d" "SELECT j FROM (people u CROSS JOIN bills b) AS j GROUP BY j" "SELECT U&\"\\0073sn\" FROM people GROUP BY id" \
    "SELECT x.* FROM (SELECT id, email FROM people GROUP BY id) x, people y" "SELECT people FROM people GROUP BY id" "SELECT (SELECT people) FROM people GROUP BY id" \
    "SELECT 1 FROM people NATURAL JOIN (SELECT 'S3CR3T_SSN' AS ssn) x GROUP BY id" "SELECT id FROM people GROUP BY id UNION ALL SELECT id FROM (TABLE people) t" \
    "SELECT count(*) FROM people JOIN (SELECT 'S3CR3T_SSN' AS ssn) x USING (ssn) GROUP BY people.id" "SELECT people.* FROM people, bills GROUP BY people.id, bills.id"; do
	unlike "nothing closed: $sql" "$(run "$sql")" S3CR3T_SSN
done

# --- definitions: raised for what is closed
for sql in "SELECT enumlabel FROM pg_enum" "SELECT e FROM pg_enum e" "TABLE pg_enum" "SELECT count(*) FROM pg_enum WHERE enumlabel LIKE 'S3%'" \
    "SELECT prosrc FROM pg_proc WHERE proname = 'f'" "SELECT to_jsonb(p) FROM pg_proc p WHERE proname = 'f'" \
    "SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef" "SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE relispartition" \
    "SELECT description FROM pg_description WHERE objsubid = 0 AND classoid = 'pg_class'::regclass AND objoid > 16384" \
    "SELECT column_default FROM information_schema.columns WHERE table_name LIKE 'key_'" \
    "SELECT routine_definition FROM information_schema.routines WHERE routine_name LIKE 'f'" \
    "SELECT setting FROM pg_settings WHERE name LIKE 'data_dir%'" "SELECT reltuples FROM pg_class WHERE relname LIKE 'key_'" \
    "SELECT n_live_tup FROM pg_stat_all_tables WHERE relname LIKE 'key_'"; do
	like "raises, or is refused: $sql" "$(run "$sql")" 'ERROR: .* pgmoat:restricted|refused: access to all of pg_'
	unlike "and tells nothing" "$(run "$sql")" S3CR3T
done

# --- and the same as ever for what is open
for sql in "SELECT enumlabel FROM pg_enum WHERE enumtypid = 'mood'::regtype ORDER BY enumsortorder" \
    "SELECT enumlabel FROM pg_type t LEFT JOIN pg_enum e ON e.enumtypid = t.oid WHERE typname = 'mood' ORDER BY 1" \
    "SELECT pg_get_expr(d.adbin, d.adrelid) FROM pg_attribute a LEFT JOIN pg_attrdef d ON a.attrelid = d.adrelid AND a.attnum = d.adnum WHERE a.attrelid = 'docs'::regclass AND attnum > 0 ORDER BY attnum" \
    "SELECT c.relname, d.description FROM pg_class c LEFT JOIN pg_description d ON d.objoid = c.oid AND d.objsubid = 0 WHERE c.relname IN ('docs', 'nulled') ORDER BY 1" \
    "SELECT relname, reltuples, pg_get_expr(relpartbound, oid) FROM pg_class WHERE relname IN ('docs', 'parts_a') ORDER BY 1" \
    "SELECT prosrc FROM pg_proc WHERE proname = 'texteq'" "SELECT name, setting FROM pg_settings WHERE name = 'work_mem'" \
    "SELECT column_name, column_default FROM information_schema.columns WHERE table_name = 'docs' ORDER BY ordinal_position" \
    "SELECT relname, relkind FROM pg_class WHERE relnamespace >= 16384 ORDER BY 1" "SELECT typname, tableoid::regclass FROM pg_type WHERE typname = 'mood'" \
    "SELECT typname, typdefault, tableoid::regclass FROM pg_type t WHERE typname = 'mood'" \
    "SELECT t.typname, d.description FROM pg_type t LEFT JOIN pg_description d ON d.classoid = t.tableoid AND d.objoid = t.oid AND d.objsubid = 0 WHERE t.typname = 'mood'"; do
	is "the same: $sql" "$(run "$sql")" "$(direct "SET timezone = 'America/New_York';
$sql;")"
done

done_testing
