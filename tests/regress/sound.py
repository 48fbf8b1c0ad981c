#!/usr/bin/python3
"""Runs what the judge allows, and looks whether anything changed.

Every statement of the suite is judged; an allowed one is executed in a READ
ONLY transaction and, when that one went well, in a normal one that commits.
Afterwards nothing may be different: no transaction id was assigned, no
sequence moved, no large object came or went, no advisory lock is held, no
channel is listened to, no setting changed, and the tables' contents (by
pg_stat's counters of what was written) are what they were.

Prints what was refused although PostgreSQL runs it as a pure read, by rule.
Last line: N passed, M failed, one for each allowed statement.
"""
import argparse
import collections
import json
import os
import subprocess
import sys

import psycopg2
import psycopg2.errors

from statements import split

SETTINGS = "SELECT name, setting FROM pg_settings WHERE context <> 'internal'"
# Refusals of functions that do something, though PostgreSQL runs them in a READ ONLY transaction: no pure reads.
ACTS = ("it administers the server", "it takes or gives back advisory locks", "it notifies other sessions", "it only waits",
        "it changes the state of the session", "it acts on other sessions", "it changes settings", "it changes large objects",
        "it changes a sequence", "it assigns a transaction number", "it reaches files of the server", "is fixed by the policy")
STATE = """
SELECT (SELECT coalesce(md5(string_agg(c.oid::text || ':' || coalesce(pg_sequence_last_value(c.oid)::text, '-'), ',' ORDER BY c.oid)), '')
          FROM pg_class c WHERE relkind = 'S'),
       (SELECT count(*) FROM pg_largeobject_metadata),
       (SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0) FROM pg_stat_xact_all_tables WHERE schemaname <> 'pg_catalog'),
       (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()),
       (SELECT count(*) FROM pg_listening_channels()),
       (SELECT count(*) FROM pg_prepared_xacts)
"""


def judge(args, name, statements):
    """One check run a file: the texts go in one by one, so that splitting is not what is tested."""
    verdicts = []
    directory = os.path.join(args.work, "texts", name)
    os.makedirs(directory, exist_ok=True)
    paths = []
    for i, (_, text) in enumerate(statements):
        path = os.path.join(directory, "%05d.sql" % i)
        with open(path, "w", encoding="utf-8", errors="surrogateescape") as f:
            f.write(text)
        paths.append(path)
    for at in range(0, len(paths), 500):
        run = subprocess.run(
            [args.pgmoat, "check", "--policy", args.policy, "--catalog", args.catalog, "--format", "json"] + paths[at : at + 500],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        if run.returncode not in (0, 1):
            print("not ok - the judge on %s: status %d: %s" % (name, run.returncode, run.stderr.decode(errors="replace")[:400]))
            return None
        by_file = {}
        for line in run.stdout.decode("utf-8", "replace").splitlines():
            verdict = json.loads(line)
            by_file.setdefault(verdict["file"], []).append(verdict)
        for path in paths[at : at + 500]:
            verdicts.append(by_file.get(path, []))
    return verdicts


class Server:
    def __init__(self, dsn):
        self.dsn = dsn
        self.connect()

    def connect(self):
        self.db = psycopg2.connect(self.dsn)
        self.db.autocommit = True
        self.run("SET statement_timeout = '4s'")
        self.settings = dict(self.run(SETTINGS))
        self.state = self.run(STATE)[0]

    def run(self, sql):
        with self.db.cursor() as c:
            c.execute(sql)
            return c.fetchall() if c.description else []

    def attempt(self, begin, sql, end="COMMIT"):
        """None when it went well and nothing was assigned; else what happened: ("error", ...) or ("changed", ...)."""
        try:
            self.run(begin)
            with self.db.cursor() as c:
                c.execute(sql)
            xid = self.run("SELECT pg_current_xact_id_if_assigned()::text")[0][0]
            held = self.run("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()")[0][0]
            self.run(end)
        except psycopg2.OperationalError as e:
            if self.db.closed:
                self.connect()
                return ("changed", "the connection was lost: %s" % e)
            self.run("ROLLBACK")
            return ("error", e.pgcode)
        except psycopg2.Error as e:
            if self.db.closed:
                self.connect()
                return ("changed", "the connection was lost: %s" % e)
            self.run("ROLLBACK")
            return ("error", e.pgcode)
        if xid is not None:
            return ("changed", "transaction id %s was assigned" % xid)
        if held:
            return ("changed", "an advisory lock is held")
        return None

    def changed(self):
        settings = dict(self.run(SETTINGS))
        moved = sorted(name for name, was in self.settings.items() if settings.get(name) != was)
        if moved:
            return "settings " + ", ".join(moved)
        state = self.run(STATE)[0]
        names = ("a sequence", "large objects", "rows", "advisory locks", "channels", "prepared transactions")
        for name, was, now in zip(names, self.state, state):
            if was != now:
                return name
        return None


def main():
    p = argparse.ArgumentParser()
    for name in ("suite", "work", "pgmoat", "catalog", "policy", "dsn"):
        p.add_argument("--" + name, required=True)
    p.add_argument("--only", default="")
    args = p.parse_args()
    server = Server(args.dsn)
    refusing = Server(args.dsn)  # what was refused is tried on a connection of its own: it may do what it likes there
    passed = failed = reads = 0
    refused = collections.Counter()
    examples = {}
    names = args.only.split() or sorted(f[:-4] for f in os.listdir(args.suite) if f.endswith(".sql"))
    for name in names:
        with open(os.path.join(args.suite, name + ".sql"), encoding="utf-8", errors="surrogateescape") as f:
            statements = list(split(f.read()))
        statements = [(l, t) for l, t in statements if "\0" not in t]
        verdicts = judge(args, name, statements)
        if verdicts is None:
            failed += 1
            continue
        for (line, text), verdict in zip(statements, verdicts):
            text = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
            if len(verdict) != 1:
                continue
            verdict = verdict[0]
            kinds = verdict.get("kinds", [])
            if verdict["verdict"] == "block":
                # Would it have been a pure read? Only then is it worth a line.
                if kinds and set(kinds) <= {"select", "explain"} and verdict["rule"] != "parse_error":
                    reason = verdict["reason"] or ""
                    if not reason.endswith(ACTS) and refusing.attempt("BEGIN READ ONLY", text, "ROLLBACK") is None:
                        reads += 1
                        reason = verdict["rule"] + ": " + classify(verdict)
                        refused[reason] += 1
                        examples.setdefault(reason, []).append("%s:%d: %s" % (name, line, verdict["reason"]))
                continue
            if set(kinds) & {"transaction", "set", "cursor", "prepare"}:
                continue
            first = server.attempt("BEGIN READ ONLY", text)
            if first is None:
                reads += set(kinds) <= {"select", "explain"}
                first = server.attempt("BEGIN", text)
            if first is not None and first[0] == "changed":
                failed += 1
                print("not ok - %s:%d: %s: %s" % (name, line, first[1], text[:300]))
            else:
                passed += 1
        what = server.changed()
        if what is not None:
            failed += 1
            print("not ok - %s: %s changed" % (name, what))
            server.connect()
    total = sum(refused.values())
    print("# pure reads: %d, refused: %d (%.1f%%)" % (reads, total, 100.0 * total / max(reads, 1)))
    for reason, n in refused.most_common():
        print("#   %5d  %s" % (n, reason))
        for example in examples[reason][: int(os.environ.get("EXAMPLES", "3"))]:
            print("#            %s" % example[:220])
    unexplained = sum(n for reason, n in refused.items() if not reason.startswith("function_denied: not built in, and not named"))
    share = 100.0 * unexplained / max(reads, 1)
    print("# refused for another reason than a function that the suite made itself: %d (%.2f%%)" % (unexplained, share))
    if share < 2.0:
        passed += 1
    else:
        failed += 1
        print("not ok - below 2% of the pure reads are refused")
    print("%d passed, %d failed" % (passed, failed))
    return failed > 0


def classify(verdict):
    """What kind of refusal it was, without the names in it."""
    reason = verdict["reason"] or ""
    if verdict["rule"] == "function_denied":
        if "the policy does not name it" in reason:
            return "not built in, and not named"
        return reason.split(" refused: ")[-1][:90]
    return reason.split(" refused: ")[-1][:90]


if __name__ == "__main__":
    sys.exit(main())
