"""A scripted PostgreSQL: enough of one for a proxy to work against, and a
place to misbehave at.

A Server listens on a loopback port; every connection runs talk(conn) on its
own thread. The default one logs in by trust and answers statements by their
text (see answers()). A test replaces talk, or adds to queries, to send
whatever it likes. What came in is in startups, cancels and seen.
"""
import copy
import re
import socket
import struct
import threading

from pgwire import (Closed, Wire, auth, complete, data_row, error, key, msg, parameter, ready, row_description, strings)

PARAMETERS = {"server_version": "15.20", "client_encoding": "UTF8", "standard_conforming_strings": "on", "DateStyle": "ISO, MDY"}
PID, KEY = 4711, b"\xde\xad\xbe\xef"
COMMANDS = ("SET", "RESET", "SHOW", "DISCARD", "DEALLOCATE", "CLOSE", "PREPARE", "DECLARE", "LISTEN", "SAVEPOINT", "RELEASE")


class Statement:
    """What a text gives: columns (None: no result), rows, tag, status after it."""

    def __init__(self, columns, rows, tag, status=None):
        self.columns, self.rows, self.tag, self.status = columns, rows, tag, status


class Failure(Exception):
    def __init__(self, **fields):
        super().__init__(repr(fields))
        self.fields = dict(dict(S="ERROR", V="ERROR"), **fields)


def without_comments(text):
    return re.sub(r"--[^\n]*|/\*.*?\*/", " ", text, flags=re.S).strip().rstrip(";").strip()


def select(text):
    """FROM honest_N gives N rows or what the last LIMIT says, FROM stubborn_N always N."""
    found = re.search(r"\b(honest|stubborn)_(\d+)", text)
    if not found:
        return Statement(["?column?"], [(b"1",)], "SELECT 1")
    n = int(found.group(2))
    limits = re.findall(r"\bLIMIT\s+(\d+)", text, re.I)
    if limits and found.group(1) == "honest":
        n = min(n, int(limits[-1]))
    return Statement(["n"], [(b"%d" % i,) for i in range(n)], "SELECT %d" % n)


def answers(text):
    """A Statement for one text, None for an empty one; raises Failure."""
    text = without_comments(text)
    word = re.match(r"\(*\s*([A-Za-z]*)", text).group(1).upper()
    if text == "":
        return None
    if word in ("SELECT", "VALUES", "TABLE", "WITH", "FETCH", "EXECUTE", "EXPLAIN"):
        return select(text)
    if word in ("BEGIN", "START"):
        return Statement(None, [], "BEGIN", "T")
    if word in ("COMMIT", "ROLLBACK", "END"):
        return Statement(None, [], "ROLLBACK" if word == "ROLLBACK" else "COMMIT", "I")
    if word in COMMANDS:
        return Statement(["x"], [(b"on",)], "SHOW") if word == "SHOW" else Statement(None, [], word)
    raise Failure(C="42601", M='syntax error at or near "%s"' % word, P="1")


def short(body):
    """The first two strings; a name is cut at 63 bytes, as PostgreSQL's tables do."""
    first, rest = body.split(b"\0", 1)
    return first[:63].decode(errors="replace"), rest.split(b"\0", 1)[0].decode(errors="replace")


class Conn(Wire):
    """The server's end of one connection."""

    def __init__(self, sock, server):
        super().__init__(sock, 30.0)
        self.server = server
        self.params = {}
        self.status = "I"
        self.statements, self.portals = {}, {}
        self.skipping = False

    # --- login

    def startup(self):
        """The startup packet's parameters; None after a cancel request."""
        while True:
            length, code = struct.unpack(">II", self.exactly(8))
            body = self.exactly(length - 8)
            if code >> 16 != 1234:
                break
            if code & 0xffff == 5678:
                self.server.note_cancel(struct.unpack(">I", body[:4])[0], body[4:])
                return None
            self.send(b"N")
        parts = strings(body[:-1])
        self.params = dict(zip(parts[::2], parts[1::2]))
        self.server.startups.append(self.params)
        return self.params

    def welcome(self):
        self.send(auth(0), *[parameter(k, v) for k, v in PARAMETERS.items()], key(PID, KEY), ready("I"))

    # --- statements

    def run(self):
        """Answers messages until the client goes."""
        while True:
            kind, body = self.message()
            self.server.seen.append((kind, body))
            if kind == "X":
                return
            handler = getattr(self, "on_" + kind, None)
            if handler is None:
                self.send(error(S="FATAL", C="08P01", M="invalid frontend message type"))
                return
            if not self.skipping or kind in "S":
                handler(body)

    def fail(self, failure):
        if self.status == "T":
            self.status = "E"
        self.send(error(**failure.fields))

    def statement(self, text):
        for pattern, answer in self.server.queries:
            if re.search(pattern, text):
                found = answer(self, text) if callable(answer) else copy.copy(answer)
                break
        else:
            found = answers(text)
        if self.status == "E" and (found is None or found.status != "I"):
            raise Failure(C="25P02", M="current transaction is aborted, commands ignored until end of transaction block")
        return found

    def rows(self, statement, limit=0):
        """Sends rows from where the portal is; True: all of them were sent."""
        n = len(statement.rows) if limit <= 0 else limit
        sent, statement.rows = statement.rows[:n], statement.rows[n:]
        self.send(*[data_row(*r) for r in sent])
        if limit > 0 and len(sent) == limit:
            self.send(msg("s"))
            return False
        self.send(complete(statement.tag))
        return True

    def on_Q(self, body):
        try:
            texts = [t for t in body[:-1].decode(errors="replace").split(";") if without_comments(t)] or [""]
            for text in texts:
                found = self.statement(text)
                if found is None:
                    self.send(msg("I"))
                    continue
                if found.columns:
                    self.send(row_description(*found.columns))
                self.status = found.status or self.status
                self.rows(found)
        except Failure as f:
            self.fail(f)
        self.send(ready(self.status))

    def extended(self, step):
        try:
            step()
        except Failure as f:
            self.skipping = True
            self.fail(f)

    def on_P(self, body):
        def step():
            name, text = short(body)
            answer = self.statement(text)
            self.statements[name] = (text, answer)
            self.send(msg("1"))
        self.extended(step)

    def on_B(self, body):
        def step():
            portal, name = short(body)
            name = name[:63]
            if name not in self.statements:
                raise Failure(C="26000", M="prepared statement does not exist")
            self.portals[portal] = self.statement(self.statements[name][0])
            self.send(msg("2"))
        self.extended(step)

    def on_D(self, body):
        name = body[1:-1][:63].decode(errors="replace")
        known = self.statements if body[:1] == b"S" else self.portals

        def step():
            if name not in known:
                raise Failure(C="34000", M="portal does not exist")
            found = known[name][1] if body[:1] == b"S" else known[name]
            if body[:1] == b"S":
                self.send(msg("t", struct.pack(">H", 0)))
            self.send(row_description(*found.columns) if found is not None and found.columns else msg("n"))
        self.extended(step)

    def on_E(self, body):
        def step():
            name, limit = body[:-5][:63].decode(errors="replace"), struct.unpack(">i", body[-4:])[0]
            if name not in self.portals:
                raise Failure(C="34000", M="portal does not exist")
            found = self.portals[name]
            if found is None:
                self.send(msg("I"))
                return
            self.rows(found, limit)
            self.status = found.status or self.status
        self.extended(step)

    def on_C(self, body):
        known = self.statements if body[:1] == b"S" else self.portals
        known.pop(body[1:-1][:63].decode(errors="replace"), None)
        self.send(msg("3"))

    def on_H(self, body):
        pass

    def on_S(self, body):
        self.skipping = False
        if self.status == "I":
            self.portals.clear()
        self.send(ready(self.status))


def behave(conn):
    if conn.startup() is not None:
        conn.welcome()
        conn.run()


class Server:
    def __init__(self, talk=behave):
        self.talk = talk
        self.queries = []		# (pattern, Statement or function of (conn, text)), first match wins
        self.startups, self.cancels, self.seen = [], [], []
        self.cancelled = threading.Event()
        self.failures = []
        self.conns = []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            conn = Conn(sock, self)
            self.conns.append(conn)
            threading.Thread(target=self.serve, args=(conn,), daemon=True).start()

    def serve(self, conn):
        try:
            self.talk(conn)
        except (Closed, OSError):
            pass
        except Exception as e:		# a mistake of the script: the row must not pass
            self.failures.append(e)
        finally:
            conn.close()

    def note_cancel(self, pid, secret):
        self.cancels.append((pid, secret))
        self.cancelled.set()

    def texts(self, kind="Q"):
        """The texts of the Query or Parse messages that came in."""
        if kind == "Q":
            return [b[:-1].decode(errors="replace") for k, b in self.seen if k == "Q"]
        return [short(b)[1] for k, b in self.seen if k == "P"]

    def close(self):
        self.listener.close()
        for conn in self.conns:
            conn.close()
