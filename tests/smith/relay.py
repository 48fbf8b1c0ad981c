#!/usr/bin/python3
"""A relay between a client and pgmoat that looks for what nobody may see.

	relay.py PORT RESULT [CLOSED]

Listens on a free port of 127.0.0.1, which it prints, and passes everything on
to PORT, both ways. Every message of the server is searched for the marks of
hidden values (marks.py); a mark that the statement did not hold itself is
written down with the statement. On SIGTERM the counts go to RESULT as JSON.

CLOSED is a file of names, schema.relation, one a line. While sqlsmith asks
what there is, the rows of these are held back, and those of functions in
public: else nearly every statement of its would name something that is
refused, and none would show how the others are rewritten.
"""
import asyncio
import collections
import json
import re
import signal
import struct
import sys

from marks import hidden

NAME = re.compile(rb"[a-z_0-9]+\.(?!delete)[a-z_0-9]+")
CLOSED_COLUMNS = (b"ssn", b"money_in")
RULE = re.compile(rb"rule (\w+), profile ")
RANDOM = b"sqlsmith::dut"  # what it calls itself on the connection on which the random statements come
HOUSEKEEPING = re.compile(rb"\s*(begin|rollback|commit|set)\b|\s*$", re.I)  # around each statement of sqlsmith's


class Count:
    def __init__(self):
        self.n, self.rules, self.errors = collections.Counter(), collections.Counter(), collections.Counter()
        self.leaks, self.examples = [], {}


def values(body):
    """The columns of a DataRow."""
    at, row = 2, []
    for _ in range(struct.unpack_from("!H", body)[0]):
        length = struct.unpack_from("!i", body, at)[0]
        row.append(body[at + 4:at + 4 + length] if length >= 0 else b"")
        at += 4 + max(length, 0)
    return row


class Link:
    """One connection of the client. The statement that an answer belongs to is the last one sent: sqlsmith waits."""

    def __init__(self, count, closed):
        self.count, self.closed, self.statement = count, closed, b""
        self.random = self.counts = False
        self.parts = {"client": bytearray(), "server": bytearray()}
        self.startup = True

    def from_client(self, data):
        buf = self.parts["client"]
        buf += data
        while True:
            head = 0 if self.startup else 1
            if len(buf) < head + 4:
                return data
            length = head + struct.unpack_from("!I", buf, head)[0]
            if len(buf) < length:
                return data
            if self.startup:
                self.startup = struct.unpack_from("!I", buf, 4)[0] >> 16 == 1234  # SSLRequest: another one follows
            elif buf[:1] == b"Q":
                self.asked(bytes(buf[5:length - 1]))
            elif buf[:1] == b"P":
                self.asked(bytes(buf[5:length]).split(b"\0")[1])
            del buf[:length]

    def asked(self, statement):
        self.statement = statement
        self.random = self.random or RANDOM in statement
        self.counts = self.random and not HOUSEKEEPING.match(statement)
        self.count.n["sent"] += self.counts

    def from_server(self, data):
        buf, out = self.parts["server"], bytearray()
        buf += data
        while len(buf) >= 5:
            length = 1 + struct.unpack_from("!I", buf, 1)[0]
            if len(buf) < length:
                break
            kind, body = chr(buf[0]), bytes(buf[5:length])
            self.answered(kind, body)
            if self.closed is None or self.random or kind != "D" or not self.is_closed(values(body)):
                out += buf[:length]
            del buf[:length]
        return out

    def is_closed(self, row):
        """Does this row tell sqlsmith of something that is refused, or that it cannot spell?"""
        if b"information_schema.tables" in self.statement:
            return row[1] + b"." + row[0] in self.closed or not NAME.fullmatch(row[1] + b"." + row[0])
        if b"select attname" in self.statement:
            return row[0] in CLOSED_COLUMNS
        return b"from pg_proc" in self.statement and row[0] == b"public"

    def answered(self, kind, body):
        n = self.count
        if kind == "E" and self.counts:
            rule = RULE.search(body)
            fields = dict((f[:1], f[1:]) for f in body.split(b"\0") if f)
            if rule:
                n.n["refused"] += 1
                n.rules[rule.group(1).decode()] += 1
            else:
                n.n["server errors"] += 1
                n.errors[fields.get(b"C", b"?").decode()] += 1
            n.examples.setdefault((rule.group(1) if rule else fields.get(b"C", b"?")).decode(),
                                  (self.statement.decode("utf-8", "replace"), fields.get(b"M", b"").decode("utf-8", "replace")))
        elif kind == "C":
            n.n["allowed"] += self.counts
        elif kind == "D":
            n.n["rows"] += self.counts
        if kind in "DENAd":  # rows, errors, notices, notifications, COPY
            mark = hidden(body.decode("utf-8", "replace"), self.statement.decode("utf-8", "replace"))
            if mark and len(n.leaks) < 100:
                n.leaks.append({"mark": mark, "statement": self.statement.decode("utf-8", "replace")})


async def pump(reader, writer, seen):
    try:
        while data := await reader.read(65536):
            writer.write(seen(data))
            await writer.drain()
    except ConnectionError:
        pass
    writer.close()


async def main():
    port, result = int(sys.argv[1]), sys.argv[2]
    closed = None
    if len(sys.argv) > 3:
        with open(sys.argv[3], "rb") as f:
            closed = set(f.read().split())
    count, links = Count(), set()

    async def serve(reader, writer):
        link = Link(count, closed)
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", port)
        both = asyncio.gather(pump(reader, up_writer, link.from_client), pump(up_reader, writer, link.from_server))
        links.add(both)
        try:
            await both
        finally:
            links.discard(both)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    with open(result, "w", encoding="utf-8") as f:
        json.dump({"counts": count.n, "rules": count.rules, "errors": count.errors, "leaks": count.leaks, "examples": count.examples}, f, indent=1)


asyncio.run(main())
