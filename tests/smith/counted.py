#!/usr/bin/python3
"""counted.py FILE: what relay.py has written there, in a few lines."""
import json
import sys

with open(sys.argv[1], encoding="utf-8") as f:
    r = json.load(f)
n = r["counts"]
print("statements sent %d, allowed %d, refused %d, errors of the server %d; rows %d" % tuple(
    n.get(k, 0) for k in ("sent", "allowed", "refused", "server errors", "rows")))
for what in ("rules", "errors"):
    print("%s: %s" % (what, ", ".join("%s %d" % x for x in sorted(r[what].items(), key=lambda x: -x[1]))))
for leak in r["leaks"]:
    print("LEAK %s: %s" % (leak["mark"], " ".join(leak["statement"].split())[:3000]))
