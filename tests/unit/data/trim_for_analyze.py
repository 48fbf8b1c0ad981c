#!/usr/bin/env python3
"""Makes tests/unit/data/analyze.catalog.json of a dump of the corpus's database: trim_for_analyze.py < dump > that file

Keeps what users made, less the extensions' functions that nothing refers to, and of PostgreSQL's own functions those that
test_analyze.c and the guards' texts name, and those behind operators, casts, aggregates and types. One row a line.
"""
import json
import os
import re
import sys

FIRST_USER_OID = 16384
ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..")
SOURCES = ("tests/unit/test_analyze.c", "policy/definitions.c", "policy/definitions_sql.c", "policy/mask.c", "policy/guard_sql.c",
           "policy/substitute.c")
SYSTEM_RELATIONS = {"pg_class", "pg_proc", "pg_enum", "pg_type", "pg_attrdef", "pg_rewrite", "pg_description", "pg_settings"}
HIDDEN_WORDS = {"similar_to_escape", "like_escape", "textanycat", "anytextcat", "unnest"}


def main():
    dump = json.load(sys.stdin)
    s = dump["sections"]
    own = lambda row: int(row[0]) >= FIRST_USER_OID
    words = set(HIDDEN_WORDS)
    for name in SOURCES:
        with open(os.path.join(ROOT, name), encoding="utf-8") as f:
            words |= set(re.findall(r"\w+", f.read()))
    texts = [r[1] for r in s["views"] if own(r)] + [r[2] or "" for r in s["policies"]] + [r[2] for r in s["domain_checks"]]
    words |= set(re.findall(r"\w+", " ".join(texts + [r[15] or "" for r in s["functions"] if own(r)])))

    s["relations"] = [r for r in s["relations"] if own(r) or r[2] in SYSTEM_RELATIONS]
    kept = {r[0] for r in s["relations"]}
    s["columns"] = [r for r in s["columns"] if r[0] in kept]
    s["views"] = [r for r in s["views"] if own(r)]
    s["depends"] = [r for r in s["depends"] if r[0] in kept]
    rows = {r[0] for r in s["types"] if not own(r) and r[3] == "c" and r[10] not in kept}
    s["types"] = [r for r in s["types"] if r[0] not in rows and r[6] not in rows]
    s["operators"] = [r for r in s["operators"] if r[-1] is None]
    support = {r[0]: r[3].split() for r in s["aggregates"]}
    wanted = {r[6] for r in s["operators"]} | {r[2] for r in s["casts"]} | {o for r in s["opclasses"] for o in r[4].split()}
    wanted |= {o for r in s["types"] for o in r[11].split()}
    wanted |= {r[0] for r in s["functions"] if r[2] in words or (own(r) and r[-1] is None)}
    wanted |= {o for oid, all in support.items() if oid in wanted for o in all}
    s["functions"] = [r for r in s["functions"] if r[0] in wanted]
    s["aggregates"] = [r for r in s["aggregates"] if r[0] in wanted]

    print('{"pgmoat_catalog": %d, "sections": {' % dump["pgmoat_catalog"])
    parts = []
    for name, all in s.items():
        parts.append("%s: [%s]" % (json.dumps(name), ",".join("\n" + json.dumps(row, ensure_ascii=False) for row in all)))
    print(",\n".join(parts) + "}}")


main()
