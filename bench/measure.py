#!/usr/bin/env python3
"""measure.py OUT.json LABEL=PORT[:PID]...: pgbench -S through each endpoint in turn, several rounds.

RUN_SECONDS (4), ROUNDS (5), MODES, CLIENTS. A round visits every endpoint
before the next begins, so that whatever else the machine does meets all of
them; only ratios within one run mean anything. Medians go to OUT.json and, as
Markdown, to standard output. The proxy's CPU time comes from the scheduler's
accounting of all threads of PID.
"""
import glob
import json
import os
import re
import statistics
import subprocess
import sys

SECONDS = os.environ.get('RUN_SECONDS', '4')
ROUNDS = int(os.environ.get('ROUNDS', '5'))
MODES = os.environ.get('MODES', 'simple extended prepared').split()
CLIENTS = [int(c) for c in os.environ.get('CLIENTS', '1 16').split()]
REFERENCE = 'PgBouncer'


def cpu_seconds(pid):
    total = 0
    for path in glob.glob('/proc/%s/task/*/schedstat' % pid):
        with open(path, encoding='ascii') as f:
            total += int(f.read().split()[0])
    return total / 1e9


def pgbench(port, mode, clients):
    command = ['pgbench', '-h', '127.0.0.1', '-p', port, '-n', '-S', '-M', mode, '-c', str(clients), '-j', '1', '-T', SECONDS, 'bench']
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    tps = re.search(r'tps = ([\d.]+)', done.stdout)
    latency = re.search(r'latency average = ([\d.]+)', done.stdout)
    count = re.search(r'actually processed: (\d+)', done.stdout)
    failed = re.search(r'failed transactions: ([1-9]\d*)', done.stdout)
    if done.returncode != 0 or not (tps and latency and count) or failed or 'ERROR' in done.stderr:
        sys.exit('pgbench on port %s: %s' % (port, done.stderr[-500:]))
    return float(tps[1]), float(latency[1]) * 1000, int(count[1])


def measure(endpoints, mode, clients):
    runs = {label: [] for label, _, _ in endpoints}
    for _ in range(ROUNDS):
        for label, port, pid in endpoints:
            before = cpu_seconds(pid) if pid else 0
            tps, latency, count = pgbench(port, mode, clients)
            after = cpu_seconds(pid) if pid else 0
            runs[label].append((tps, latency, (after - before) / count * 1e6))
    return {label: [statistics.median(column) for column in zip(*values)] for label, values in runs.items()}


def table(results, labels):
    print('| mode, clients | through | transactions/s | of direct | of PgBouncer | latency, us | proxy CPU, us/transaction |')
    print('| --- | --- | ---: | ---: | ---: | ---: | ---: |')
    for key, row in results.items():
        for label in labels:
            tps, latency, cpu = row[label]
            of_reference = '%.2f' % (tps / row[REFERENCE][0]) if REFERENCE in row else ''
            print('| %s | %s | %.0f | %.2f | %s | %.0f | %s |' % (key, label, tps, tps / row[labels[0]][0], of_reference, latency,
                                                              '%.1f' % cpu if cpu else ''))


def main(out, *args):
    endpoints = []
    for arg in args:
        label, _, rest = arg.partition('=')
        port, _, pid = rest.partition(':')
        endpoints.append((label, port, pid))
    for _, port, _ in endpoints:        # caches warm, connections made once
        pgbench(port, 'simple', 1)
    results = {'%s, %d' % (mode, clients): measure(endpoints, mode, clients) for mode in MODES for clients in CLIENTS}
    with open(out, 'w', encoding='utf-8') as f:
        json.dump(results, f, indent=1)
    table(results, [label for label, _, _ in endpoints])


if __name__ == '__main__':
    main(*sys.argv[1:])
