#!/usr/bin/env python3
"""Makes a small catalog dump of a big one: trim_catalog.py < shop.catalog.json > tests/unit/data/shop.catalog.json

Keeps what users made, and of PostgreSQL's own and the extensions' objects those that the users' refer to by OID or by a
word in their texts. Rows stand one a line, so that changes can be read.
"""
import json
import re
import sys

FIRST_USER_OID = 16384
SYSTEM_RELATIONS = {"pg_class", "pg_proc", "pg_am", "pg_enum", "pg_type", "pg_attrdef", "pg_settings", "pg_authid", "pg_stats"}

OPERATORS = {"=", "<>", "<", ">", "<=", ">=", "+", "-", "*", "/", "||", "~~", "->", "->>"}


def main():
    dump = json.load(sys.stdin)
    s = dump["sections"]
    own = lambda row: int(row[0]) >= FIRST_USER_OID
    texts = [row[1] for row in s["views"] if own(row)] + [row[2] or "" for row in s["policies"]]
    texts += [row[2] for row in s["domain_checks"]] + [row[15] or "" for row in s["functions"] if own(row)]
    words = set(re.findall(r"\w+", " ".join(texts)))

    s["relations"] = [r for r in s["relations"] if own(r) or r[2] in SYSTEM_RELATIONS]
    kept = {r[0] for r in s["relations"]}
    s["columns"] = [r for r in s["columns"] if r[0] in kept]
    s["views"] = [r for r in s["views"] if own(r)]
    s["depends"] = [r for r in s["depends"] if r[0] in kept]
    rows = {r[0] for r in s["types"] if not own(r) and r[3] == "c" and r[10] not in kept}
    s["types"] = [r for r in s["types"] if r[0] not in rows and r[6] not in rows]
    s["operators"] = [r for r in s["operators"] if r[-1] is None and (own(r) or r[2] in OPERATORS)]
    aggregates = {r[0]: r for r in s["aggregates"]}
    wanted = {r[6] for r in s["operators"]} | {r[2] for r in s["casts"]} | {o for r in s["opclasses"] for o in r[4].split()}
    wanted |= {o for r in s["types"] for o in r[11].split()}
    wanted |= {r[0] for r in s["functions"] if r[2] in words or (own(r) and r[-1] is None)}
    wanted |= {o for oid, row in aggregates.items() if oid in wanted for o in row[3].split()}
    s["functions"] = [r for r in s["functions"] if r[0] in wanted]
    s["aggregates"] = [r for r in s["aggregates"] if r[0] in wanted]

    print('{"pgmoat_catalog": %d, "sections": {' % dump["pgmoat_catalog"])
    parts = []
    for name, rows in s.items():
        parts.append("%s: [%s]" % (json.dumps(name), ",".join("\n" + json.dumps(row, ensure_ascii=False) for row in rows)))
    print(",\n".join(parts) + "}}")


main()
