#!/usr/bin/python3
"""What PostgreSQL makes of calls, operators and casts: the oracle for policy/types*.c.

    types_oracle.py schema [SEED]                 SQL: a database full of overloads, casts, domains and polymorphic functions
    types_oracle.py cases CATALOG SEED N          TSV (id, expression, what test_types asks) for the table "expressions"
    types_oracle.py expect < RESULT               what the server made of them -> what test_types reads
    types_oracle.py trim CATALOG CASES            the catalog without what the cases do not need

CATALOG is what `pgmoat catalog dump` writes. The path is s1, pg_catalog, public, s2. tests/e2e/types.sh
puts the steps together; tests/unit/data/types.* was made the same way.
"""
import json
import random
import re
import sys

ANY = 2276
UNKNOWN = 705
RECORD = 2249
POLYMORPHIC = {2283: [23, 25, 1700], 2277: [1007, 1009], 2776: [23, 25, 1042], 3500: [], 3831: [3904, 3910], 4537: [4451],
               4538: [4451], 5077: [23, 25, 20], 5078: [1007, 1009, 1016], 5079: [23, 25], 5080: [3904, 3906], ANY: [23, 25, 1114]}
SYMBOLS = ['=', '+', '-', '||', '~~', '@>', '#>', '@#@', '!@', '<']
BUILTINS = set('''abs length lower upper round trunc substring substr replace left concat concat_ws format to_char date_part date_trunc
    sum avg min max count string_agg array_agg json_agg to_json jsonb_build_object array_append array_cat array_position unnest
    array_length int4range lower_inf range_merge multirange percentile coalesce nullif age now generate_series lag lead ntile
    nextval to_date regexp_replace repeat position overlay bit_length width_bucket row_to_json int4 text float8 numeric
    rank mode percentile_disc make_interval make_date'''.split())
USER = '''loud quiet badge audited audited_pair audited_range address e1 d_int d_arr c1 d_c1 ct child parent ur pct _loud
    _badge _c1 _e1 _d_int ckey'''.split()
POOL = [21, 23, 20, 1700, 700, 701, 25, 1043, 1042, 19, 18, 16, 1082, 1114, 1184, 1083, 1186, 26, 2205, 114, 3802, 17, 2950, 869,
        650, 600, 1007, 1009, 1015, 3614, 3904, 3910, 1560, 1562, 790, 142, RECORD, 22]

FIXED = '''
SET client_min_messages = error;
CREATE SCHEMA s1; CREATE SCHEMA s2;
SET search_path = s1, pg_catalog, public, s2;
CREATE FUNCTION public.nothing(text) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RETURN true; END';
CREATE TYPE public.address AS (street text, city text);
CREATE TYPE public.loud AS (v text);
CREATE TYPE public.quiet AS (v int);
CREATE TYPE public.badge AS ENUM ('1', '2');
CREATE TYPE public.ckey AS (v int);
CREATE DOMAIN public.audited AS text CHECK (public.nothing(VALUE));
CREATE DOMAIN public.pct AS numeric;
CREATE TYPE public.audited_pair AS (a int, b public.audited);
CREATE TYPE public.audited_range AS RANGE (subtype = public.audited);
CREATE TYPE s1.e1 AS ENUM ('a');
CREATE DOMAIN s1.d_int AS int4;
CREATE DOMAIN s1.d_arr AS int4[];
CREATE TYPE s1.c1 AS (a int, b text);
CREATE DOMAIN s1.d_c1 AS s1.c1;
CREATE TYPE s1.ct AS (a int, b s1.d_int, c s1.e1);
CREATE TABLE s1.typed OF s1.c1;
CREATE TABLE s1.parent (x int);
CREATE TABLE s1.child (y int) INHERITS (s1.parent);
CREATE TYPE s1.ur AS RANGE (subtype = text);
CREATE FUNCTION public.cast_nothing(int) RETURNS public.loud LANGUAGE plpgsql AS 'BEGIN RETURN null; END';
CREATE CAST (int AS public.loud) WITH FUNCTION public.cast_nothing(int) AS IMPLICIT;
CREATE FUNCTION public.cast_nothing(public.quiet) RETURNS public.loud LANGUAGE plpgsql AS 'BEGIN RETURN null; END';
CREATE CAST (public.quiet AS public.loud) WITH FUNCTION public.cast_nothing(public.quiet) AS IMPLICIT;
CREATE FUNCTION public.cast_json(public.badge) RETURNS json LANGUAGE plpgsql AS 'BEGIN RETURN null; END';
CREATE CAST (public.badge AS json) WITH FUNCTION public.cast_json(public.badge);
CREATE FUNCTION public.cast_json(public.address) RETURNS jsonb LANGUAGE plpgsql AS 'BEGIN RETURN null; END';
CREATE CAST (public.address AS jsonb) WITH FUNCTION public.cast_json(public.address) AS IMPLICIT;
CREATE FUNCTION s1.cast_text(s1.e1) RETURNS text LANGUAGE plpgsql AS 'BEGIN RETURN null; END';
CREATE CAST (s1.e1 AS text) WITH FUNCTION s1.cast_text(s1.e1) AS IMPLICIT;
CREATE FUNCTION s1.cast_int(s1.c1) RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN null; END';
CREATE CAST (s1.c1 AS int4) WITH FUNCTION s1.cast_int(s1.c1) AS ASSIGNMENT;
CREATE FUNCTION s1.cast_c1(s1.ct) RETURNS s1.c1 LANGUAGE plpgsql AS 'BEGIN RETURN null; END';
CREATE CAST (s1.ct AS s1.c1) WITH FUNCTION s1.cast_c1(s1.ct) AS IMPLICIT;
CREATE CAST (s1.c1 AS jsonb) WITH INOUT AS IMPLICIT;
CREATE FUNCTION public.round(x float8, n int) RETURNS numeric LANGUAGE plpgsql AS 'BEGIN RETURN null; END';
CREATE FUNCTION public.lower(i int) RETURNS text LANGUAGE plpgsql AS 'BEGIN RETURN null; END';
CREATE FUNCTION public.int_like(a int, b text) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RETURN null; END';
CREATE OPERATOR public.~~ (LEFTARG = int, RIGHTARG = text, FUNCTION = public.int_like);
CREATE FUNCTION public.addr_eq(a public.address, b text) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RETURN null; END';
CREATE OPERATOR public.= (LEFTARG = public.address, RIGHTARG = text, FUNCTION = public.addr_eq);
CREATE FUNCTION public.ckey_cmp(public.ckey, public.ckey) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN 0; END';
CREATE FUNCTION public.ckey_lt(public.ckey, public.ckey) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN true; END';
CREATE OPERATOR public.< (LEFTARG = public.ckey, RIGHTARG = public.ckey, FUNCTION = public.ckey_lt);
CREATE OPERATOR CLASS public.ckey_ops DEFAULT FOR TYPE public.ckey USING btree AS OPERATOR 1 public.<,
    FUNCTION 1 public.ckey_cmp(public.ckey, public.ckey);
CREATE TABLE public.keyed (id int, k public.ckey);
CREATE FUNCTION s1.give(a int, b text DEFAULT 'x', c text DEFAULT 'y') RETURNS text LANGUAGE plpgsql AS 'BEGIN RETURN null; END';
CREATE FUNCTION s1.pairs(OUT a int, OUT b text) LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION s1.twice(x anyelement, OUT a anyelement, OUT b anyarray) LANGUAGE plpgsql AS 'BEGIN END';
CREATE TABLE public.expressions (id int, expression text, question text, state text, tree text);
CREATE PROCEDURE public.ask() LANGUAGE plpgsql AS $$
DECLARE r record; t text; BEGIN
 FOR r IN SELECT * FROM public.expressions ORDER BY id LOOP
  BEGIN
   EXECUTE 'CREATE TEMP VIEW asked AS SELECT (' || r.expression || ') IS NULL AS x';
   SELECT ev_action::text INTO t FROM pg_rewrite WHERE ev_class = 'pg_temp.asked'::regclass;
   EXECUTE 'DROP VIEW pg_temp.asked';
   t := substring(t from ':targetList .*');
   UPDATE public.expressions SET state = 'ok', tree = (SELECT string_agg(m[1] || ' ' || m[2], ',') FROM regexp_matches(t,
    ':(funcid|funcresulttype|opfuncid|opresulttype|opno|aggfnoid|aggtype|winfnoid|wintype|coalescetype) (\\d+)', 'g') m) WHERE id = r.id;
  EXCEPTION WHEN OTHERS THEN
   UPDATE public.expressions SET state = SQLSTATE WHERE id = r.id;
  END;
  IF r.id % 200 = 0 THEN COMMIT; END IF; -- each view takes a lock
 END LOOP;
END $$;
'''


def schema(seed=7):
    """Overloads at random: their names and types collide in every way the rules speak of."""
    random.seed(seed)
    types = '''int2 int4 int8 numeric float4 float8 text varchar bpchar name "char" bool date timestamp timestamptz time interval oid
        regclass json jsonb bytea uuid inet cidr int4[] text[] int8[] varchar[] int4range int8range numrange int4multirange bit varbit
        address loud quiet badge pct audited record s1.e1 s1.d_arr s1.c1 s1.d_c1 s1.ct loud[] s1.d_int s1.child s1.parent s1.typed xml
        point tsquery s1.ur'''.split()
    generic = '''anyelement anyarray anynonarray anyenum anyrange anymultirange anycompatible anycompatiblearray
        anycompatiblenonarray anycompatiblerange'''.split()
    print(FIXED)
    for i in range(40):
        few = random.sample(types, random.randint(2, 8)) if random.random() < .7 else types
        usual = random.choice([1, 1, 2, 2, 2, 3])
        for _ in range(random.randint(2, 9)):
            n = max(0, usual + random.choice([0, 0, 0, 0, 1, -1]))
            args = [random.choice(generic if random.random() < .12 else few) for _ in range(n)]
            variadic = n > 0 and random.random() < .2
            if variadic:
                args[-1] = random.choice(['int4[]', 'text[]', 'numeric[]', 'anyarray', 'anycompatiblearray', '"any"', 'int8[]'])
            internal = '"any"' in args
            defaults = 0 if internal else random.choice([0, 0, 0, 1, 2])
            returns = ['int4', 'text', 'bool']
            if internal:
                returns = ['int4']
            elif set(args) & {'anyelement', 'anyarray', 'anynonarray', 'anyenum'}:
                returns = ['anyelement', 'anyarray', 'int4']
            elif set(args) & {'anycompatible', 'anycompatiblearray', 'anycompatiblenonarray'}:
                returns = ['anycompatible', 'anycompatiblearray']
            elif 'anyrange' in args:
                returns = ['anyelement', 'anyrange']
            named = random.random() < .6
            written = ', '.join(('VARIADIC ' if variadic and z == n - 1 else '') + ('abcdef'[z] + ' ' if named else '') + a +
                                (' DEFAULT NULL' if n - z <= defaults and a != 'anyenum' else '') for z, a in enumerate(args))
            body = "internal AS 'pg_num_nulls'" if internal else "plpgsql AS 'BEGIN RETURN null; END'"
            # A signature that is there already, or defaults with a gap, fail: the next one will do.
            print(f"CREATE FUNCTION {random.choice(['s1', 's2', 'public'])}.t{i}({written}) RETURNS {random.choice(returns)} LANGUAGE {body};")
    for k, symbol in enumerate(['@#@', '#>', '+', '=', '||', '~~', '!@', '@>'] * 3):
        few = random.sample(types, random.randint(2, 7))
        for j in range(random.randint(2, 6)):
            left, right = random.choice(few + generic[:9]), random.choice(few + generic[:9])
            prefix = random.random() < .15
            name = f"{random.choice(['s1', 's2', 'public'])}.op{k}_{j}"
            print(f"CREATE FUNCTION {name}({right if prefix else left + ',' + right}) RETURNS bool LANGUAGE plpgsql AS 'BEGIN RETURN null; END';")
            print(f"CREATE OPERATOR {name.split('.')[0]}.{symbol} ({'' if prefix else f'LEFTARG = {left}, '}RIGHTARG = {right}, FUNCTION = {name});")


class Catalog:
    def __init__(self, path):
        with open(path, encoding='utf-8') as f:
            self.json = json.load(f)
        s = self.json['sections']
        self.types = {int(r[0]): r for r in s['types']}
        self.schemas = {r[0]: r[1] for r in s['namespaces']}
        self.functions = s['functions']
        self.operators = s['operators']
        self.aggregates = {r[0]: r[1] for r in s['aggregates']}


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


class Maker:
    """Expressions over NULLs of many types: nothing is called, but everything is resolved."""

    def __init__(self, catalog):
        self.c = catalog
        by_name = {r[2]: o for o, r in catalog.types.items() if o >= 16384}
        self.pool = POOL + [by_name[n] for n in USER if n in by_name]
        POLYMORPHIC[3500] = [by_name['badge'], by_name['e1']]
        self.kin = {}
        for o in self.pool:
            self.kin.setdefault(catalog.types[o][4], []).append(o)
        self.own = [r for r in catalog.functions if re.fullmatch(r't\d+|give|round|lower', r[2])]
        self.named = [r for r in catalog.functions if r[2] in BUILTINS and r[3] != 'p' and self.c.aggregates.get(r[0], 'n') == 'n']
        self.symbols = [r for r in catalog.operators if r[2] in SYMBOLS]

    def value(self, o):
        if o == UNKNOWN:
            return 'NULL'
        r = self.c.types[o]
        return f'NULL::{quoted(self.c.schemas[r[1]])}.{quoted(r[2])}'

    def near(self, o):
        x = random.random()
        if o in POLYMORPHIC and x < .7:
            return random.choice(POLYMORPHIC[o])
        if self.c.types[o][3] == 'p' and o != RECORD:
            return random.choice(self.pool + [UNKNOWN] * 10)
        if x < .5:
            return o
        if x < .7:
            return UNKNOWN
        if x < .93 and self.c.types[o][4] in self.kin:
            return random.choice(self.kin[self.c.types[o][4]])
        return random.choice(self.pool)

    def call(self):
        r = random.choice(self.own if random.random() < .6 else self.named)
        args = [int(x) for x in r[11].split()]
        variadic = int(r[9]) != 0 and random.random() < .3
        if int(r[9]) != 0 and not variadic:
            element = int(r[9]) if int(r[9]) != ANY else random.choice(self.pool)
            args = args[:-1] + [element] * random.randint(1, 3)
        elif int(r[10]) > 0 and not variadic and random.random() < .7:
            args = args[:len(args) - random.randint(1, int(r[10]))]
        args = [self.near(a) for a in args]
        names = [n for n in json.loads(r[14] or '[]')]
        order = list(range(len(args)))
        named = 0
        if len(names) >= len(args) > 0 and all(re.fullmatch('[a-z]+', n) for n in names) and int(r[9]) == 0 and random.random() < .2:
            named = random.randint(1, len(args))
            tail = order[len(args) - named:]
            random.shuffle(tail)
            order = order[:len(args) - named] + tail
        text, question = [], []
        for k, i in enumerate(order):
            is_named = k >= len(args) - named
            text.append((quoted(names[i]) + ' => ' if is_named else '') + ('VARIADIC ' if variadic and k == len(order) - 1 else '') +
                        self.value(args[i]))
            question.append((names[i] + '=' if is_named else '') + str(args[i]))
        schema_ = self.c.schemas[r[1]] if random.random() < .1 else '-'
        return ((quoted(schema_) + '.' if schema_ != '-' else '') + quoted(r[2]) + '(' + ', '.join(text) + ')' + (' OVER ()' if r[3] == 'w' else ''),
                ' '.join(['V' if variadic else 'F', schema_, r[2]] + question))

    def operator(self):
        r = random.choice(self.symbols)
        left, right = int(r[3]), self.near(int(r[4]))
        left = self.near(left) if left else 0
        if left and random.random() < .1:
            array = int(self.c.types[right][7]) if right != UNKNOWN else UNKNOWN
            if array:
                return f'{self.value(left)} {r[2]} ANY ({self.value(array)})', f'A - {r[2]} {left} {array}'
        return f"{self.value(left) + ' ' if left else ''}{r[2]} {self.value(right)}", f'O - {r[2]} {left} {right}'

    def cast(self):
        a, b = random.choice(self.pool + [UNKNOWN]), random.choice(self.pool)
        if self.c.types[a][4] != self.c.types[b][4] and random.random() < .5:
            b = random.choice(self.kin.get(self.c.types[a][4], self.pool))
        if random.random() < .6:
            return f'CAST({self.value(a)} AS {self.value(b)[6:]})', f'C {a} {b} 2'
        return f'COALESCE({self.value(a)}, {self.value(b)})', f'U {a} {b}'


def cases(path, seed, n):
    random.seed(seed)
    maker = Maker(Catalog(path))
    seen = set()
    while len(seen) < n:
        text, question = random.choice([maker.call, maker.call, maker.operator, maker.operator, maker.cast])()
        if question not in seen:
            seen.add(question)
            print(len(seen), text, question, sep='\t')


def expect():
    """question, type of the result ("-": not asked), functions: the one called first, then those of casts."""
    for line in sys.stdin:
        _, question, state, tree = line.rstrip('\n').split('\t')
        if state != 'ok' or question in ('O - = 2249 2249', 'O - < 2249 2249'):  # rows are compared field by field
            continue
        pairs = [p.split(' ') for p in tree.split(',')] if tree else []
        functions = [v for k, v in pairs if k in ('funcid', 'opfuncid', 'aggfnoid', 'winfnoid') and v != '0']
        result = next((v for k, v in pairs if k in ('funcresulttype', 'opresulttype', 'aggtype', 'wintype', 'coalescetype')), '-')
        if question[0] == 'A':
            result = '16'
        elif question[0] == 'C':
            result = question.split()[2]
        elif question[0] == 'U' and 'coalescetype' not in tree:
            continue
        if result.isdigit() and int(result) in POLYMORPHIC:  # settled by a default, when it is called
            result = '-'
        print(question, result, ' '.join(functions), sep='\t')


def trim(path, questions):
    c = Catalog(path)
    s = c.json['sections']
    names, symbols = set(BUILTINS), set(SYMBOLS)
    with open(questions, encoding='utf-8') as f:
        for line in f:
            words = line.split('\t')[0].split(' ')
            (names if words[0] in 'FV' else symbols if words[0] in 'OA' else set()).add(words[2])
    s['operators'] = [r for r in c.operators if r[2] in symbols]
    wanted = {r[6] for r in s['operators']} | {r[2] for r in s['casts']} | {f for r in s['opclasses'] for f in r[4].split()}
    s['functions'] = [r for r in c.functions if r[2] in names or r[0] in wanted or int(r[0]) >= 16384]
    kept = {r[0] for r in s['functions']}
    s['aggregates'] = [r for r in s['aggregates'] if r[0] in kept]
    system = {'11', '13207', '99'}
    composite = {r[0]: r for r in s['types'] if r[3] == 'c'}
    rows = {r[0] for r in composite.values() if r[1] in system or c.schemas[r[1]] == 'information_schema'}
    arrays = {composite[r][7] for r in rows}
    s['types'] = [r for r in s['types'] if r[0] not in rows and r[0] not in arrays and c.schemas[r[1]] != 'information_schema']
    s['relations'] = [r for r in s['relations'] if int(r[0]) >= 16384]
    s['columns'] = [r for r in s['columns'] if int(r[0]) >= 16384]
    s['views'] = s['depends'] = s['expressions'] = s['policies'] = []
    print('{"pgmoat_catalog": 1, "sections": {')
    print(',\n'.join(json.dumps(k) + ': [\n' + ',\n'.join(json.dumps(r, ensure_ascii=False) for r in v) + ']' for k, v in s.items()))
    print('}}')


if __name__ == '__main__':
    command, args = sys.argv[1], sys.argv[2:]
    if command == 'schema':
        schema(*map(int, args))
    elif command == 'cases':
        cases(args[0], int(args[1]), int(args[2]))
    elif command == 'expect':
        expect()
    elif command == 'trim':
        trim(args[0], args[1])
    else:
        sys.exit(__doc__)
