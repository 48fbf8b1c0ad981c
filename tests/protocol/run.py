#!/usr/bin/env python3
"""Runs the protocol tests: a real `pgmoat serve` between a scripted server and
scripted clients. One line a row, at the end "N passed, M failed".

usage: run.py [-v] [WORDS OF A ROW'S NAME...]        PGMOAT=... or BUILD=build
"""
import os
import sys
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "lib")]

sys.dont_write_bytecode = True
import moat  # noqa: E402
import rows_startup  # noqa: E402,F401
import rows_settings  # noqa: E402,F401
import rows_login  # noqa: E402,F401
import rows_simple  # noqa: E402,F401
import rows_extended  # noqa: E402,F401
import rows_server  # noqa: E402,F401
import rows_hostile  # noqa: E402,F401
import rows_caps  # noqa: E402,F401
import rows_cancel  # noqa: E402,F401
import rows_bound  # noqa: E402,F401
import rows_pipeline  # noqa: E402,F401
import rows_limits  # noqa: E402,F401
import rows_catalog  # noqa: E402,F401


def run(name, function, verbose):
    start = time.monotonic()
    bench = moat.Bench()
    problem = trace = None
    try:
        function(bench)
    except Exception as e:
        problem, trace = e, traceback.format_exc()
    try:
        bench.close()
    except AssertionError as e:
        problem, trace = problem or e, trace or traceback.format_exc()
    took = time.monotonic() - start
    if problem is None:
        print("ok      %5.2f s  %s" % (took, name), flush=True)
        return True
    print("FAILED  %5.2f s  %s: %s: %s" % (took, name, type(problem).__name__, problem), flush=True)
    if verbose:
        print(trace, flush=True)
        for m in bench.moats:
            print("\n".join("    " + line for line in m.lines[-30:]), flush=True)
    return False


def main():
    words = [w for w in sys.argv[1:] if w != "-v"]
    rows = [r for r in moat.ROWS if all(w in r[0] for w in words)]
    if not os.access(moat.PGMOAT, os.X_OK):
        sys.exit("run.py: %s is not there; build it or set PGMOAT" % moat.PGMOAT)
    passed = sum([run(name, function, "-v" in sys.argv[1:]) for name, function in rows])
    print("%d passed, %d failed" % (passed, len(rows) - passed))
    sys.exit(0 if passed == len(rows) and rows else 1)


if __name__ == "__main__":
    main()
