#!/usr/bin/python3
"""What the judge saw against what PostgreSQL's own analysis found.

For every SELECT of the suite (and of files given), CREATE TEMP VIEW in a
transaction that is rolled back; pg_depend of its rule then lists relations,
columns, functions, operators, types and operator classes. User objects of it
that the judge did not report are holes: relations must be among "relations"
of the verdict, functions (called, or behind operators and casts) among
"reached", or the statement must have been refused.

Last line: N passed, M failed, one for each SELECT that could be made a view.
"""
import argparse
import json
import os
import sys

import psycopg2

from sound import judge
from statements import split

DEPENDS = """
SELECT DISTINCT d.refclassid::regclass::text, d.refobjid::bigint,
       CASE d.refclassid
         WHEN 'pg_class'::regclass THEN (SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = d.refobjid)
         WHEN 'pg_proc'::regclass THEN (SELECT n.nspname || '.' || p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE p.oid = d.refobjid)
         WHEN 'pg_operator'::regclass THEN (SELECT n.nspname || '.' || p.proname FROM pg_operator o JOIN pg_proc p ON p.oid = o.oprcode JOIN pg_namespace n ON n.oid = p.pronamespace WHERE o.oid = d.refobjid AND p.oid >= 16384)
       END
  FROM pg_depend d JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
 WHERE r.ev_class = 'pg_temp.pgmoat_oracle'::regclass AND d.refobjid >= 16384
   AND d.refclassid IN ('pg_class'::regclass, 'pg_proc'::regclass, 'pg_operator'::regclass)
   AND d.refobjid <> 'pg_temp.pgmoat_oracle'::regclass
   -- 'x'::regclass, nextval('x') and 'f'::regproc depend on x and f, too, without reading or calling them
   AND (d.refclassid <> 'pg_class'::regclass OR r.ev_action::text LIKE '%:relid ' || d.refobjid || ' %')
   AND (d.refclassid <> 'pg_proc'::regclass OR r.ev_action::text ~ (':(funcid|aggfnoid|winfnoid|opfuncid|tsmhandler) ' || d.refobjid || '\\y'))
"""


def depends(db, text):
    """None when it cannot be a view."""
    with db.cursor() as c:
        try:
            c.execute("BEGIN")
            c.execute("CREATE TEMP VIEW pgmoat_oracle AS " + text)
            c.execute(DEPENDS)
            return c.fetchall()
        except psycopg2.Error:
            return None
        finally:
            c.execute("ROLLBACK")


def main():
    p = argparse.ArgumentParser()
    for name in ("suite", "work", "pgmoat", "catalog", "policy", "dsn"):
        p.add_argument("--" + name, required=True)
    p.add_argument("--only", default="")
    args = p.parse_args()
    db = psycopg2.connect(args.dsn)
    db.autocommit = True
    with db.cursor() as c:
        c.execute("SET statement_timeout = '4s'")
    passed = failed = 0
    names = args.only.split() or sorted(f[:-4] for f in os.listdir(args.suite) if f.endswith(".sql"))
    for name in names:
        with open(os.path.join(args.suite, name + ".sql"), encoding="utf-8", errors="surrogateescape") as f:
            statements = [(l, t) for l, t in split(f.read()) if "\0" not in t]
        verdicts = judge(args, name, statements)
        if verdicts is None:
            failed += 1
            continue
        for (line, text), verdict in zip(statements, verdicts):
            if len(verdict) != 1 or verdict[0].get("kinds") != ["select"]:
                continue
            verdict = verdict[0]
            # What is refused for what it does has been seen; the rest must have been seen in full.
            if verdict["verdict"] == "block":
                continue
            found = depends(db, text.encode("utf-8", "surrogateescape").decode("utf-8", "replace"))
            if found is None:
                continue
            relations = {r["schema"] + "." + r["name"] for r in verdict["relations"]}
            reached = set(verdict.get("reached", []))
            holes = []
            for kind, _, label in found:
                if label is None:
                    continue
                if kind == "pg_class" and label not in relations:
                    holes.append("relation " + label)
                elif kind in ("pg_proc", "pg_operator") and label not in reached:
                    holes.append("function " + label)
            if holes:
                failed += 1
                print("not ok - %s:%d: not seen: %s: %s" % (name, line, ", ".join(sorted(holes)), text[:200].replace("\n", " ")))
            else:
                passed += 1
    print("%d passed, %d failed" % (passed, failed))
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
