#!/usr/bin/python3
"""Mutants of the corpus, judged, and run as they came out, by a server that holds nothing back.

Three databases: one and three are alike, two differs from them in hidden
values only. What is allowed runs as superuser in one and two, in a
transaction that is rolled back. It is a hole when a mark of something hidden
comes back that the statement did not hold itself, when the two answers differ
(and one and three agree, so that it is no clock or random number), or when
something was written.

With --writes the policy lets write (policy-writes.json), and what the open
columns of both hold afterwards must be the same, too.

Last line: N passed, M failed, one for each statement that was allowed.
"""
import argparse
import collections
import json
import os
import random
import re
import subprocess
import sys
import time

import grammar
import mutants
import pq
from marks import hidden

STATE = """SELECT (SELECT coalesce(md5(string_agg(c.oid::text || ':' || coalesce(pg_sequence_last_value(c.oid)::text, '-'), ',' ORDER BY c.oid)), '')
    FROM pg_class c WHERE relkind = 'S'), (SELECT count(*) FROM pg_largeobject_metadata), (SELECT count(*) FROM pg_prepared_xacts),
    (SELECT count(*) FROM pg_replication_slots), (SELECT sum(n) FROM public.counters), (SELECT count(*) FROM public.audit_log)"""
AFTER = "SELECT pg_current_xact_id_if_assigned()::text, (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid())"
# The open columns of what grammar.py writes to; rows that are hidden left out.
OPEN_CONTENT = "SELECT " + ", ".join("(SELECT md5(string_agg(x::text, ',' ORDER BY x::text)) FROM (%s) x)" % q for q in (
    "SELECT id, full_name, country, birth_date, is_active, profile, tags, referrer_id FROM public.users",
    "SELECT id, name, price, category_id, attrs, specs, search, discontinued, created_at FROM public.products",
    "SELECT id, order_id, amount, paid_at FROM public.payments",
    "SELECT id, name, loc::text, area::text, net, mac, uid, bits, raw FROM public.stores",
    "SELECT * FROM public.reviews WHERE rating <= 3", "SELECT id, title, body FROM public.documents WHERE id <= 20",
    "SELECT * FROM public.orders", "SELECT * FROM public.settings", "SELECT id, name FROM public.categories", "SELECT * FROM public.ssn_guess",
    "SELECT * FROM public.employees", "SELECT * FROM public.countries"))
NOISE = re.compile(r"(cost|time|Time|Memory|Buffers|width|Cost|Width)\"?[=:] ?[\d.]+(\.\.[\d.]+)?( kB| ms)?|\d+kB")
TIMEOUT = "57014"
MASK_KEY = "not the policy's"


class Judge:
    def __init__(self, argv):
        self.argv, self.crashes = argv, 0
        self.start()

    def start(self):
        self.run = subprocess.Popen(self.argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        line = self.run.stdout.readline()
        if not line:
            sys.exit("the judge does not start")
        self.settings = json.loads(line)

    def ask(self, sql):
        """None: it died of it."""
        try:
            self.run.stdin.write(json.dumps({"sql": sql}).encode() + b"\n")
            self.run.stdin.flush()
            line = self.run.stdout.readline()
        except BrokenPipeError:
            line = b""
        if line:
            return json.loads(line)
        self.crashes += 1
        self.start()
        return None


def quoted(text):
    return "'%s'" % text.replace("'", "''")


class Worlds:
    """The three databases."""

    def __init__(self, ports, user, password, settings):
        settings = dict(settings)
        settings["statement_timeout"] = "1500"
        settings["pgmoat.mask_key"] = MASK_KEY
        settings.pop("default_transaction_read_only", None)  # a second lock: here only the judge may hold
        prologue = ["SELECT set_config(%s, %s, false)" % (quoted(k), quoted(v)) for k, v in settings.items()]
        dsn = "host=127.0.0.1 port=%s dbname=shop user=%s password=%s connect_timeout=20"
        self.servers = [pq.Server(dsn % (port, user, password), prologue) for port in ports]

    def reconnect(self):
        for s in self.servers:
            s.close()
            s.connect()

    def close(self):
        for s in self.servers:
            s.close()

    def run(self, which, texts):
        """The texts one after another in one transaction, on each of which: [(answers, what was written)]."""
        servers = [self.servers[i] for i in which]
        answers = [[] for _ in servers]
        for s in servers:
            s.run("BEGIN")
        for text in texts:
            for s in servers:
                s.send(text)
            for s, got in zip(servers, answers):
                got.append(s.receive())
        written = []
        for s, got in zip(servers, answers):
            if s.lost():
                s.connect()
                written.append("the connection was lost")
                continue
            after = s.run(AFTER)
            s.run("ROLLBACK")
            written.append(None if after.error else self.written(after.rows[0]))
        return list(zip(answers, written))

    @staticmethod
    def written(row):
        if row[0] is not None:
            return "a transaction id was assigned"
        return "an advisory lock is held" if row[1] != "0" else None

    def state(self):
        return self.servers[0].value(STATE)


def visible(answers, guarded):
    """As a client of the proxy sees them: without details of errors where something guarded is read."""
    shown = []
    for a in answers:
        shapes, rows, notices, tags, error = a.seen(not guarded)
        if error and " pgmoat:restricted" in error[1]:
            error = ("42501", "restricted")
        shown.append((shapes, rows, notices, tags, error))
    return shown


def flat(shown):
    return "\n".join(str(x) for x in shown)


class Hunt:
    def __init__(self, args, judge, worlds):
        self.args, self.judge, self.worlds = args, judge, worlds
        self.tried = self.allowed = self.guarded = self.failed = 0
        self.last_rule, self.last_guarded, self.code = "", False, None
        self.refused, self.errors = collections.Counter(), collections.Counter()
        self.holes, self.seen = [], set()
        self.broken = collections.Counter()
        self.recent = []

    # --- judging one statement

    def texts(self, sql, verdict):
        """What is run for an allowed statement: itself, and what reads what it has defined."""
        forwarded = verdict.get("rewritten") or sql
        kind = verdict["kinds"][0] if len(verdict["kinds"]) == 1 else ""
        name = verdict.get("name")
        follow = None
        if name and kind == "cursor" and re.match(r"\s*declare", forwarded, re.I):
            follow = 'FETCH 1000 FROM "%s"' % name.replace('"', '""')
        elif name and kind == "prepare" and re.match(r"\s*prepare", forwarded, re.I):
            follow = 'EXECUTE "%s"%s' % (name.replace('"', '""'), self.arguments(forwarded))
        if follow is None:
            return [forwarded]
        after = self.judge.ask(follow)
        if after is None or after["verdict"] == "block":
            return [forwarded]
        texts = [forwarded, after.get("rewritten") or follow]
        return texts + ["DEALLOCATE ALL"] if kind == "prepare" else texts

    def arguments(self, prepare):
        n = max([int(p) for p in re.findall(r"\$(\d+)", prepare)] + [0])
        values = ("NULL", "'1'", "'public.order_no_seq'", "'payroll'", "'9%'", "'{}'", "1", "'ssn'", "current_date::text", "'(1)'")
        return "(%s)" % ", ".join(values[(len(prepare) + i) % len(values)] for i in range(min(n, 20))) if n else ""

    def examine(self, sql):
        """(what is wrong or None, the forwarded text). None, None: it was refused."""
        verdict = self.judge.ask(sql)
        if verdict is None:
            return "the judge died", sql
        self.last_rule, self.last_guarded = verdict["rule"], verdict["guarded"]
        if verdict["verdict"] == "block":
            return None, None
        forwarded = verdict.get("rewritten") or sql
        if set(verdict["kinds"]) & {"transaction", "set", "show"} or len(verdict["kinds"]) != 1:
            return None, forwarded  # they act on the transaction that we hold around them
        texts = self.texts(sql, verdict)
        if self.args.writes and set(verdict["kinds"]) & {"insert", "update", "delete", "merge", "select"}:
            texts.append(OPEN_CONTENT)
        (one, wrote), (two, wrote2) = self.worlds.run((0, 1), texts)
        self.code = next((a.error[0] for a in one[:1] if a.error), None)
        if (wrote or wrote2) and not self.args.writes:
            return wrote or wrote2, forwarded
        shown, other = visible(one, verdict["guarded"]), visible(two, verdict["guarded"])
        mark = hidden(flat(shown), sql)
        if mark:
            return "mark %s" % mark, forwarded
        if self.differs(shown, other):
            return self.confirm(texts, verdict, shown, other), forwarded
        return None, forwarded

    @staticmethod
    def differs(shown, other):
        codes = [a[4] and a[4][0] for a in shown + other]
        if TIMEOUT in codes or shown == other or any(c and c.startswith("23") for c in codes):
            return False  # a constraint that an insertion meets always tells
        return NOISE.sub("#", flat(shown)) != NOISE.sub("#", flat(other))

    def confirm(self, texts, verdict, shown, other):
        """Is it the hidden values, or time, chance and ports?"""
        again = [visible(a, verdict["guarded"]) for a, _ in self.worlds.run((0, 1, 2), texts)]
        if self.differs(shown, again[0]) or self.differs(shown, again[2]) or self.differs(other, again[1]) or not self.differs(*again[:2]):
            return None
        if any(a[4] and a[4][0] == TIMEOUT for a in again[0] + again[1] + again[2]):
            return None
        one, two = NOISE.sub("#", flat(shown)), NOISE.sub("#", flat(other))
        # Where rows of the system catalogs lie differs from copy to copy: making a world writes to them.
        if re.search("pg_|information_schema", texts[0]) and sorted(re.findall(r"\w+", one)) == sorted(re.findall(r"\w+", two)):
            return None
        at = next((i for i, (a, b) in enumerate(zip(one, two)) if a != b), min(len(one), len(two)))
        return "the answers differ: %r / %r" % (one[max(0, at - 40):at + 60], two[max(0, at - 40):at + 60])

    # --- shortening what was found

    def shorten(self, sql, kind):
        def still(text):
            what, _ = self.examine(text)
            return what is not None and what.split()[0] == kind
        parts = mutants.tokens(sql)
        end = time.monotonic() + 20
        step = max(1, len(parts) // 2)
        while step >= 1 and time.monotonic() < end:
            i = 0
            while i < len(parts) and time.monotonic() < end:
                candidate = parts[:i] + parts[i + step:]
                if still(mutants.joined(candidate)):
                    parts = candidate
                else:
                    i += step
            step //= 2
        return mutants.joined(parts)

    def report(self, sql, what):
        kind = what.split()[0]
        short = self.shorten(sql, kind)
        now, forwarded = self.examine(short)
        if now is None:
            short, now, forwarded = sql, what, None
        key = (kind, re.sub(r"\d+", "0", re.sub(r"\s+", "", short.lower())))
        self.failed += 1
        if key in self.seen:
            return
        self.seen.add(key)
        text = "not ok - %s\n#   statement: %s\n#   forwarded: %s" % (now, short, forwarded)
        print(text, flush=True)
        if self.args.out:
            with open(self.args.out, "a", encoding="utf-8") as f:
                f.write(text + "\n#   as found: %s\n\n" % sql)

    # --- all of them

    def run(self, sql):
        if "\0" in sql or self.args.skip and re.search(self.args.skip, sql, re.I):
            return
        self.tried += 1
        self.code = None
        what, forwarded = self.examine(sql)
        if what is None and forwarded is None:
            self.refused[self.last_rule] += 1
            return
        self.allowed += 1
        self.recent.append(sql)
        self.guarded += self.last_guarded
        if self.code:
            self.errors[self.code] += 1
            if self.args.broken and self.code.startswith("42"):
                self.check_broken(sql, forwarded)
        if what:
            self.report(sql, what)

    def check_broken(self, sql, forwarded):
        """Would it have run as it was written?"""
        if forwarded == sql:
            return
        (plain, _), = self.worlds.run((2,), [sql])
        if plain[0].error is None:
            with open(self.args.broken, "a", encoding="utf-8") as f:
                f.write("%s\n    %s\n\n" % (sql, forwarded))
            self.broken[self.code] += 1

    def check_state(self, state):
        """Sequences move without a transaction id: look from time to time, and say what was run since."""
        now = self.worlds.state()
        if now != state and not self.args.writes:
            self.failed += 1
            print("not ok - something was written by one of:\n#   " + "\n#   ".join(s.replace("\n", " ")[:300] for s in self.recent[-20:]), flush=True)
        self.recent = []
        return now


def corpus(folders, server):
    """All statements of the corpus, with its macros filled in."""
    found = []
    for folder in folders:
        for name in ("attacks.jsonl", "benign.jsonl"):
            path = os.path.join(folder, name)
            if os.path.exists(path):
                with open(path, encoding="utf-8") as f:
                    for line in f:
                        found += statements(json.loads(line).get("sql"))
    macros = {"oid": "SELECT '%s'::regclass::oid", "proc": "SELECT '%s'::regprocedure::oid", "type": "SELECT '%s'::regtype::oid",
              "toast": "SELECT reltoastrelid::regclass FROM pg_class WHERE oid = '%s'::regclass"}

    def fill(m):
        if m.group(1) not in macros:
            return m.group()
        answer = server.run(macros[m.group(1)] % m.group(2).replace("'", "''"))
        return answer.rows[0][0] if answer.rows and answer.rows[0][0] else m.group()
    return sorted({re.sub(r"\{\{(\w+):([^}]*)\}\}", fill, s) for s in found})


def statements(sql):
    if isinstance(sql, list):
        return [s for part in sql for s in statements(part)]
    if isinstance(sql, dict):
        sql = sql.get("sql")
    return [sql] if isinstance(sql, str) and len(sql) < 4000 and "\0" not in sql else []


COLUMNS = """SELECT n.nspname || '.' || c.relname, string_agg(a.attname, ',' ORDER BY a.attnum) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped WHERE c.relkind IN ('r','v','m','f','p') GROUP BY 1"""


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--judge", required=True, help="the program and its policy and catalog, in one word")
    p.add_argument("--ports", required=True, nargs=3)
    p.add_argument("--user", default="postgres")
    p.add_argument("--password", default="pg-super-pw")
    p.add_argument("--corpus", nargs="*", default=[])
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--seconds", type=float, default=60)
    p.add_argument("--count", type=int, default=10**9)
    p.add_argument("--grammar", type=float, default=0.5, help="share of statements that are made from nothing")
    p.add_argument("--first", action="store_true", help="end with the first hole")
    p.add_argument("--writes", action="store_true", help="the policy lets write")
    p.add_argument("--skip", help="statements that match are not tried: what is known and not closed yet")
    p.add_argument("--out", help="file to which holes are added")
    p.add_argument("--broken", help="file to which rewritten texts are added that fail where the client's would run")
    args = p.parse_args()
    judge = Judge(args.judge.split())
    worlds = Worlds(args.ports, args.user, args.password, judge.settings)
    columns = {name: text.split(",") for name, text in worlds.servers[0].run(COLUMNS).rows}
    seeds = corpus(args.corpus, worlds.servers[0])
    rng = random.Random(args.seed)
    relations = grammar.GUARDED * 3 + grammar.OVER + grammar.CLOSED + grammar.OPEN
    relations += [r.split(".")[1] for r in relations if r.startswith("public.")]
    hot = "ssn email credit sku description meta method money_in title body rating id full_name profile mark salary api_key service item doc code".split()
    mutator = mutants.Mutator(rng, seeds or ["SELECT * FROM users"], relations, hot * 3 + [c for r in grammar.GUARDED for c in columns.get(r, [])])
    maker = grammar.Grammar(rng, columns)
    hunt = Hunt(args, judge, worlds)
    end, state, at = time.monotonic() + args.seconds, worlds.state(), 0
    while hunt.tried < args.count and time.monotonic() < end and not (args.first and hunt.failed):
        if at < len(seeds):
            sql = seeds[at]
            at += 1
        elif rng.random() < args.grammar:
            sql = maker.dml() if args.writes and rng.random() < 0.8 else maker.statement()
            if rng.random() < 0.3:
                sql = mutator.mutant(sql)
        else:
            sql = mutator.mutant()
        hunt.run(sql)
        if len(hunt.recent) >= 200:
            state = hunt.check_state(state)
    hunt.check_state(state)
    print("# seed %d: %d statements, %d allowed, of these %d about something guarded, %d with an error of the server" % (
        args.seed, hunt.tried, hunt.allowed, hunt.guarded, sum(hunt.errors.values())))
    print("# refused: " + ", ".join("%s %d" % x for x in hunt.refused.most_common()))
    print("# errors: " + ", ".join("%s %d" % x for x in hunt.errors.most_common(12)))
    if hunt.broken:
        print("# rewritten texts that fail where the client's runs: %d" % sum(hunt.broken.values()))
    worlds.close()
    print("%d passed, %d failed" % (hunt.allowed - min(hunt.allowed, hunt.failed), hunt.failed))
    return hunt.failed > 0


if __name__ == "__main__":
    sys.exit(main())
