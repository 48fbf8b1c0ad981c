"""Statements made from statements: what an attacker who has the corpus would try next."""
import re

TOKEN = re.compile(r"""
    (?P<space>\s+|--[^\n]*|/\*.*?\*/)
  | (?P<string>(?:[eEbBxXnN]|[uU]&)?'(?:[^']|'')*')
  | (?P<dollar>\$(?P<tag>[A-Za-z_]*)\$.*?\$(?P=tag)\$)
  | (?P<quoted>(?:[uU]&)?"(?:[^"]|"")*")
  | (?P<word>[A-Za-z_\u0080-\uffff][A-Za-z0-9_$\u0080-\uffff]*)
  | (?P<number>\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+)
  | (?P<param>\$\d+)
  | (?P<op>::|:=|=>|\.\.|[-+*/<>=~!@\#%^&|`?]+)
  | (?P<other>.)
""", re.S | re.X)
KEYWORDS = set("""select from where group by order having limit offset union all except intersect with recursive as on using join left right full
    inner outer cross natural lateral distinct and or not in is null case when then else end exists between like ilike similar to any some array row
    values table explain analyze verbose declare cursor for prepare execute fetch insert into update set delete merge create drop alter grant begin
    commit rollback copy lock over partition window filter within materialized only asc desc nulls first last cast true false default returning
    savepoint release show reset rows range current of do call listen notify if view function language returns next ties collate escape""".split())
FUNCTIONS = """row_to_json to_json to_jsonb json_agg jsonb_agg array_agg count max md5 length lower upper hstore quote_literal concat format
    pg_column_size pg_typeof string_agg xmlagg json_build_array unnest user_ssn log_view note nextval query_to_xml now round get_salary key_for
    lo_get pg_read_file set_config current_setting pg_get_viewdef to_regclass text json_object_agg table_to_xml cursor_to_xml dblink ts_stat
    lying_stable lying_immutable make_ref greet key_atomic const_secret find_user all_pay open_pay exec_stable lying_ts tally os_agg
    pg_advisory_lock pg_notify txid_current pg_export_snapshot currval lastval setval xpath_table crosstab connectby""".split()
TYPES = "text json jsonb varchar name regclass oid xml bytea int numeric audited known_mark loud users emp_ref badge record audited_range float8".split()

# {q} is the statement, {g} a relation, {c} a column, {f} a function, {t} a type.
WRAPPERS = """
SELECT * FROM ({q}) AS m1
SELECT m1 FROM ({q}) AS m1
SELECT (m1).* FROM ({q}) AS m1
SELECT m1::text FROM ({q}) AS m1
SELECT {f}(m1) FROM ({q}) AS m1
SELECT m1.{f} FROM ({q}) AS m1
SELECT {f}(m1.*) FROM ({q}) AS m1
SELECT ROW(m1.*)::text FROM ({q}) AS m1
SELECT m1.{c} FROM ({q}) AS m1
SELECT (m1).{c} FROM (SELECT m2 AS m1 FROM ({q}) AS m2) AS m3
SELECT b FROM ({q}) AS m1(a, b)
SELECT d FROM ({q}) AS m1(a, b, c, d)
SELECT count(*) FROM ({q}) AS m1
SELECT string_agg(m1::text, ',') FROM ({q}) AS m1
SELECT * FROM (SELECT * FROM ({q}) AS m1) AS m2
WITH m1 AS ({q}) SELECT * FROM m1
WITH m1 AS MATERIALIZED ({q}) TABLE m1
WITH {g} AS ({q}) SELECT * FROM {g}
WITH RECURSIVE m1 AS ({q}) SELECT m1::text FROM m1
WITH m1(a, b) AS ({q}) SELECT * FROM m1
WITH m1 AS ({q}), m2 AS (SELECT * FROM {g}) SELECT * FROM m1, m2
EXPLAIN {q}
EXPLAIN (VERBOSE, COSTS OFF) {q}
EXPLAIN (VERBOSE, FORMAT JSON) {q}
EXPLAIN (ANALYZE, VERBOSE, TIMING OFF, SUMMARY OFF) {q}
EXPLAIN ANALYZE {q}
DECLARE mc CURSOR FOR {q}
DECLARE mc SCROLL CURSOR WITH HOLD FOR {q}
PREPARE mp AS {q}
{q} UNION ALL SELECT * FROM {g}
{q} UNION ALL SELECT {c} FROM {g}
{q} UNION ALL TABLE {g}
SELECT * FROM {g} UNION ({q})
SELECT {c} FROM {g} EXCEPT ({q})
({q}) INTERSECT (SELECT * FROM {g})
SELECT ARRAY({q})
SELECT ({q})
SELECT EXISTS({q})
SELECT ({q})::{t}
SELECT * FROM {g} WHERE EXISTS ({q})
SELECT * FROM {g} g1, LATERAL ({q}) AS m1
SELECT g1.*, m1.* FROM {g} g1 LEFT JOIN ({q}) AS m1 ON true
SELECT * FROM ({q}) AS m1 NATURAL JOIN {g}
SELECT * FROM ({q}) AS m1 JOIN {g} USING ({c})
SELECT * FROM ({q}) AS m1 JOIN {g} AS g1 ON m1.{c}::text = g1.{c}::text
SELECT {c} FROM {g} WHERE {c}::text IN ({q})
SELECT {c} FROM {g} WHERE {c}::text = ANY ({q})
SELECT CASE WHEN EXISTS ({q}) THEN 1 ELSE 1/0 END
SELECT * FROM {g} ORDER BY ({q})
SELECT * FROM {g} LIMIT ({q})
SELECT * FROM generate_series(1, 2) gs, LATERAL ({q}) AS m1
SELECT coalesce(({q})::text, '')
SELECT {f}(({q}))
SELECT {f}(ARRAY({q}))
SELECT * FROM unnest(ARRAY({q})) AS m1
SELECT * FROM ROWS FROM ({f}(({q}))) AS m1
SELECT row_to_json(m1) FROM ({q}) AS m1 GROUP BY m1
SELECT DISTINCT ON (m1) m1 FROM ({q}) AS m1
SELECT * FROM ({q}) AS m1 ORDER BY m1
SELECT * FROM ({q}) AS m1 WHERE m1 IS NOT NULL
SELECT first_value(m1) OVER () FROM ({q}) AS m1
SELECT json_populate_record(NULL::{g}, to_json(m1)) FROM ({q}) AS m1
SELECT (jsonb_populate_record(NULL::{g}, to_jsonb(m1))).* FROM ({q}) AS m1
VALUES (({q})), (NULL)
BEGIN; {q}
{q}; {q}
SELECT 1 WHERE ({q}) IS NULL
TABLE {g} LIMIT ({q})
SELECT x FROM xmltable('/a' PASSING (SELECT xmlagg(xmlelement(name a, m1)) FROM ({q}) AS m1) COLUMNS x text PATH '.')
SELECT * FROM ({q}) AS m1 TABLESAMPLE system (100)
SELECT j.* FROM (({q}) AS m1 CROSS JOIN {g}) AS j
SELECT grouping(1), * FROM ({q}) AS m1
SELECT {c} FROM ({q}) AS {g}
SELECT {g} FROM ({q}) AS {g}
""".strip().splitlines()

INSIDE = """({x})::text|CAST({x} AS {t})|coalesce({x}, NULL)|ROW({x})|ARRAY[{x}]|({x})||''|{f}({x})|(SELECT {x})|({x}).{c}|({x}).*|
    CASE WHEN {x} IS NULL THEN NULL ELSE {x} END|{x}::{t}|md5({x}::text)|left({x}::text, 3)|({x} COLLATE "C")|json_build_object('a', {x})|
    nullif({x}, NULL)|max({x})|string_agg({x}::text, '')|first_value({x}) OVER ()|array_agg({x})|({x} LIKE '9%')|({x}::text)::int|
    (SELECT {x} FROM {g} LIMIT 1)|(SELECT {c} FROM {g} LIMIT 1)|({x}, {c})|concat({x}, {c})|quote_nullable({x})|num_nulls({x})|{x}::text::regclass|
    format('%s', {x})|xmlforest({x} AS a)|greatest({x}, {x})|({x} IS DISTINCT FROM {c})|lag({x}) OVER (ORDER BY {x})|(ARRAY[{x}])[1]|
    mode() WITHIN GROUP (ORDER BY {x})|{x} || {c}::text""".replace("\n    ", "").split("|")
INSIDE = [t for t in "\n".join(INSIDE).split("\n") if "{x}" in t or "{c}" in t]


def tokens(sql):
    return [(m.lastgroup if m.lastgroup != "tag" else "dollar", m.group()) for m in TOKEN.finditer(sql)]


def joined(parts):
    return "".join(t for _, t in parts)


def words(parts):
    return [i for i, (k, t) in enumerate(parts) if k == "quoted" or k == "word" and t.lower() not in KEYWORDS]


class Mutator:
    def __init__(self, rng, statements, relations, columns):
        self.rng, self.relations, self.columns = rng, relations, columns
        self.parts = [tokens(s) for s in statements]
        self.names = {n.split(".")[-1] for n in relations} | set(relations)
        self.known_columns = set(columns)

    def fill(self, template, **more):
        for mark, pool in (("{g}", self.relations), ("{c}", self.columns), ("{f}", FUNCTIONS), ("{t}", TYPES)):
            choice = self.rng.choice(pool)  # one relation throughout, so that it can meet itself
            template = template.replace(mark, choice)
        for mark, text in more.items():
            template = template.replace("{%s}" % mark, text)
        return template

    # --- one step; each takes and gives a list of tokens

    def swap_word(self, parts):
        where = words(parts)
        if not where:
            return parts
        i = self.rng.choice(where)
        old = parts[i][1].strip('"').lower()
        follows = next((t for k, t in parts[i + 1:] if k != "space"), "")
        before = next((t.lower() for k, t in reversed(parts[:i]) if k != "space"), "")
        if old in self.names or before in ("from", "join", "table", "only", "into"):
            new = self.rng.choice(self.relations)
        elif follows == "(":
            new = self.rng.choice(FUNCTIONS)
        elif before in ("::",):
            new = self.rng.choice(TYPES)
        else:
            new = self.rng.choice(self.columns)
        return parts[:i] + [("word", new)] + parts[i + 1:]

    def swap_relation(self, parts):
        where = [i for i in words(parts) if parts[i][1].strip('"').lower() in self.names]
        if not where:
            return self.swap_word(parts)
        i = self.rng.choice(where)
        return parts[:i] + [("word", self.rng.choice(self.relations))] + parts[i + 1:]

    def swap_column(self, parts):
        where = [i for i in words(parts) if parts[i][1].strip('"').lower() in self.known_columns]
        if not where:
            return self.swap_word(parts)
        i = self.rng.choice(where)
        return parts[:i] + [("word", self.rng.choice(self.columns))] + parts[i + 1:]

    def wrap(self, parts):
        sql = joined(parts).strip().rstrip(";")
        return tokens(self.fill(self.rng.choice(WRAPPERS), q=sql))

    def inside(self, parts):
        where = words(parts)
        if not where:
            return parts
        i = self.rng.choice(where)
        start, end = i, i + 1
        while start >= 2 and parts[start - 1][1] == "." and parts[start - 2][0] in ("word", "quoted"):
            start -= 2
        while end + 1 < len(parts) and parts[end][1] == "." and (parts[end + 1][0] in ("word", "quoted") or parts[end + 1][1] == "*"):
            end += 2
        x = joined(parts[start:end])
        return parts[:start] + tokens(self.fill(self.rng.choice(INSIDE), x=x)) + parts[end:]

    def rename(self, parts):
        """One name becomes another wherever it stands."""
        where = words(parts)
        if not where:
            return parts
        old = parts[self.rng.choice(where)][1]
        new = self.rng.choice(self.relations + self.columns + ["m", "pg_catalog", "public", "row_to_json", "U", '"USERS"'])
        return [(k, new) if t == old else (k, t) for k, t in parts]

    def spell(self, parts):
        where = words(parts)
        if not where:
            return parts
        i = self.rng.choice(where)
        name = parts[i][1]
        bare = name.strip('"')
        new = self.rng.choice((
            name.upper(), '"%s"' % bare.lower(), 'U&"%s"' % "".join("\\%04x" % ord(c) if self.rng.random() < 0.5 else c for c in bare.lower()),
            "/* x */ %s /* ' */" % name, "-- '\n%s" % name, name.title(), '"%s"' % bare.upper(), "U&\"!0075sers\" UESCAPE '!'",
            "public.%s" % name, "pg_catalog.%s" % name, "shop.public.%s" % name, '"public"."%s"' % bare.lower(), "\t\n%s\f" % name))
        return parts[:i] + tokens(new) + parts[i + 1:]

    def groups(self, parts):
        """Spans of matching parentheses."""
        open_, found = [], []
        for i, (_, t) in enumerate(parts):
            if t == "(":
                open_.append(i)
            elif t == ")" and open_:
                found.append((open_.pop(), i + 1))
        return found

    def splice(self, parts):
        other = self.rng.choice(self.parts)
        here, there = self.groups(parts), self.groups(other)
        if not here or not there:
            return self.cross(parts)
        a, b = self.rng.choice(here)
        c, d = self.rng.choice(there)
        return parts[:a] + other[c:d] + parts[b:]

    def cross(self, parts):
        """The head of one, the tail of another, each cut before a clause."""
        other = self.rng.choice(self.parts)
        cut = lambda p: [i for i, (k, t) in enumerate(p) if k == "word" and t.lower() in ("from", "where", "order", "group", "join", "union", "limit", "select")]
        here, there = cut(parts), cut(other)
        if not here or not there:
            return self.wrap(parts)
        word = parts[self.rng.choice(here)][1].lower()
        a = [i for i in here if parts[i][1].lower() == word]
        b = [i for i in there if other[i][1].lower() == word] or there
        return parts[:self.rng.choice(a)] + other[self.rng.choice(b):]

    def embed(self, parts):
        """Another statement as a subquery in the place of a name."""
        other = joined(self.rng.choice(self.parts)).strip().rstrip(";")
        where = words(parts)
        if not where:
            return parts
        i = self.rng.choice(where)
        return parts[:i] + tokens(self.rng.choice(("({q})", "({q}) AS e1", "(({q}))::text", "ARRAY({q})", "LATERAL ({q}) AS e1")).replace("{q}", other)) + parts[i + 1:]

    def drop(self, parts):
        if len(parts) < 4:
            return parts
        i = self.rng.randrange(len(parts))
        return parts[:i] + parts[i + self.rng.randint(1, 3):]

    def double(self, parts):
        i = self.rng.randrange(len(parts)) if parts else 0
        j = i + self.rng.randint(1, 5)
        return parts[:j] + [("space", " ")] + parts[i:j] + parts[j:]

    STEPS = (swap_word, swap_relation, swap_relation, swap_relation, swap_column, swap_column, swap_column, wrap, wrap, wrap, inside, inside, inside, rename, spell, splice,
             cross, embed, drop, double)

    def mutant(self, sql=None):
        parts = tokens(sql) if sql is not None else self.rng.choice(self.parts)
        for _ in range(self.rng.choice((1, 1, 2, 2, 3, 4))):
            parts = self.rng.choice(self.STEPS)(self, parts)
            if sum(len(t) for _, t in parts) > 6000:
                break
        return joined(parts)
