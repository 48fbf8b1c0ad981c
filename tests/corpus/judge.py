#!/usr/bin/env python3
"""judge.py EXPECTED_FAILURES (LOGIN BENIGN.json ATTACKS.json)...: compares the runner's results with the list.

A line of the list is "ID[@LOGIN] reason". A case that fails must be on it, and
a case on it must fail. Of the benign statements 99% must be identical, list or
no list. Last line: "N passed, M failed".
"""
import json
import sys

THRESHOLD = 0.99


def read_list(path):
    expected = {}
    with open(path, encoding='utf-8') as f:
        for number, line in enumerate(f, 1):
            line = line.split('#', 1)[0].strip()
            if not line:
                continue
            case, reason = (line.split(None, 1) + [''])[:2]
            if not reason.strip():
                sys.exit('%s:%d: %s: no reason given' % (path, number, case))
            expected[case] = reason.strip()
    return expected


def read_results(path):
    try:
        with open(path, encoding='utf-8') as f:
            return json.load(f)
    except (OSError, ValueError) as e:
        print('not ok - no results: %s' % e)
        return []


def main(list_path, *args):
    expected = read_list(list_path)
    passed = failed = 0
    for login, benign_path, attacks_path in zip(args[::3], args[1::3], args[2::3]):
        benign, attacks = read_results(benign_path), read_results(attacks_path)
        failed += (not benign) + (not attacks)
        seen = set()
        for r in benign + attacks:
            reason = expected.get('%s@%s' % (r['id'], login), expected.get(r['id']))
            seen.add(r['id'])
            if r['passed'] and reason:
                failed += 1
                print('not ok - %s as %s: passes now, take it off %s' % (r['id'], login, list_path))
            elif r['passed'] or reason:
                passed += 1
            else:
                failed += 1
                print('not ok - %s as %s: %s' % (r['id'], login, r['why']))
        identical = sum(r['passed'] for r in benign)
        blocked = sum(r['passed'] for r in attacks)
        print('# as %s: %d of %d attacks blocked, %d of %d benign statements identical' % (login, blocked, len(attacks), identical, len(benign)))
        if benign and identical < THRESHOLD * len(benign):
            failed += 1
            print('not ok - as %s fewer than %d%% of the benign statements are identical' % (login, THRESHOLD * 100))
    print('%d passed, %d failed' % (passed, failed))
    return failed > 0


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
