"""A running `pgmoat serve` for tests, and the rows that use one.

row("a sentence") makes a function a test; its argument is a Bench, which
starts what the test asks for and ends it again, by pid, whatever happens.
A pgmoat that is dead at the end of a row, that does not end when asked to or
that a sanitizer complained about fails the row.
"""
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time

from pgserver import Server, behave
from pgwire import TIMEOUT, Client

PGMOAT = os.environ.get("PGMOAT") or os.path.join(os.environ.get("BUILD", "build"), "pgmoat")
COMPLAINTS = re.compile(r"ERROR: (Address|Leak|Thread)Sanitizer|runtime error:")

ROWS = []


def row(name):
    def add(function):
        ROWS.append((name, function))
        return function
    return add


def eventually(condition, what, seconds=TIMEOUT):
    """Waits for what another process does; answers the first true value."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, "did not happen in %.0f s: %s" % (seconds, what)
        time.sleep(0.01)


class Pgmoat:
    def __init__(self, folder, upstream, options):
        self.audit = os.path.join(folder, "audit.jsonl")
        self.lines = []
        self.bound = threading.Event()
        self.address = None
        command = [PGMOAT, "serve", "--listen", "127.0.0.1:0", "--upstream", upstream, "--audit", self.audit, "--workers", "1",
                   "--pid-file", os.path.join(folder, "pid")] + list(options)
        if "--catalog" not in options:		# a scripted server has none
            command += ["--catalog", "off"]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.reader = threading.Thread(target=self.read_log, daemon=True)
        self.reader.start()
        assert self.bound.wait(TIMEOUT * 2) and self.address, "pgmoat did not start: %s" % self.log()

    def read_log(self):
        for line in self.process.stderr:
            self.lines.append(line.decode(errors="replace").rstrip())
            found = re.search(r"listening on 127\.0\.0\.1:(\d+)", self.lines[-1])
            if found:
                self.address = ("127.0.0.1", int(found.group(1)))
                self.bound.set()
        self.bound.set()

    def log(self):
        return "\n".join(self.lines)

    def records(self, **want):
        """Audit records that have these fields."""
        try:
            with open(self.audit, encoding="utf-8") as f:
                all_records = [json.loads(line) for line in f if line.endswith("\n")]
        except FileNotFoundError:
            return []
        return [r for r in all_records if all(r.get(k) == v for k, v in want.items())]

    def record(self, **want):
        """The first such record: written before long, not at once."""
        return eventually(lambda: self.records(**want), "an audit record with %r" % want)[0]

    def memory(self):
        """Resident kilobytes."""
        with open("/proc/%d/status" % self.process.pid, encoding="ascii") as f:
            return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1))

    def stop(self):
        alive = self.process.poll() is None
        if alive:
            self.process.send_signal(signal.SIGINT)
        try:
            status = self.process.wait(TIMEOUT * 2)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError("pgmoat did not stop on SIGINT") from None
        self.reader.join(TIMEOUT)
        assert alive, "pgmoat died with status %d:\n%s" % (status, self.log()[-3000:])
        assert not COMPLAINTS.search(self.log()), self.log()[-6000:]
        assert status == 0, "pgmoat stopped with status %d:\n%s" % (status, self.log()[-3000:])


class Bench:
    """What one row works with."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="pgmoat-protocol-")
        self.servers, self.moats, self.clients = [], [], []

    def server(self, talk=behave):
        self.servers.append(Server(talk))
        return self.servers[-1]

    def file(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return path

    def policy(self, multi="deny", mode="enforce", **profile):
        profile.setdefault("access_mode", "read_only")
        text = json.dumps({"version": 1, "mode": mode, "profiles": {"agent": dict(profile, multi_statement=multi)},
                           "default_profile": "agent"})
        return ["--policy", self.file("policy.json", text)]

    def pgmoat(self, server, *options, url="postgresql://127.0.0.1:%d/shop?sslmode=disable"):
        self.moats.append(Pgmoat(self.folder, url % server.port, options))
        return self.moats[-1]

    def client(self, moat):
        self.clients.append(Client(moat.address))
        return self.clients[-1]

    def pair(self, *options, talk=behave):
        """(server, pgmoat) with the built-in policy unless options say otherwise."""
        server = self.server(talk)
        return server, self.pgmoat(server, *options)

    def session(self, *options, talk=behave):
        """(server, pgmoat, client that is logged in)"""
        server, moat = self.pair(*options, talk=talk)
        return server, moat, self.client(moat).login()

    def close(self):
        problem = None
        for client in self.clients:
            client.close()
        for moat in self.moats:
            try:
                moat.stop()
            except AssertionError as e:
                problem = problem or e
        for server in self.servers:
            server.close()
            if server.failures and problem is None:
                problem = AssertionError("the scripted server failed: %r" % server.failures[0])
        shutil.rmtree(self.folder, ignore_errors=True)
        if problem is not None:
            raise problem
