"""Clients that lie about lengths, say what is not for them to say, or do not read."""
import os
import random
import socket
import struct
import threading
import time

from moat import eventually, row
from pgserver import Statement
from pgwire import (COPY_DONE, SYNC, TIMEOUT, Closed, bind, copy_data, cstr, execute, extended, fields, kinds, msg, parse, query,
                    row_description, startup)
from rows_simple import refusal
from rows_startup import LOGIN, refused, serves

TYPES = "QPBDECHSdcfFX"		# what a client may say after its login


def ends(client):
    """A FATAL error or just the end."""
    found = client.ended()
    assert kinds(found) in ("", "E"), found
    assert not found or fields(found[0][1])["S"] == "FATAL", found
    return found


@row("lengths that cannot be are refused for every type of message")
def _(b):
    _, moat = b.pair()
    before = moat.memory()
    for kind in TYPES:
        for length in (0, 1, 3, 0x40000005, 0x7fffffff, 0x80000000, 0xffffffff):
            client = b.client(moat).login()
            client.send(kind.encode() + struct.pack(">I", length) + b"\0" * 8)
            ends(client)
    assert moat.memory() - before < 20000
    serves(b, moat)


@row("types that no client message has are refused with 08P01")
def _(b):
    server, moat = b.pair()
    for code in range(256):
        if chr(code) not in TYPES:
            client = b.client(moat).login()
            client.send(bytes([code]) + struct.pack(">I", 4))
            refused(client, "08P01")
    assert not [k for k, _ in server.seen if k != "X"]


@row("a password message after the login is refused")
def _(b):
    server, _, client = b.session()
    client.send(msg("p", b"x\0"))
    refused(client, "08P01")
    assert not [k for k, _ in server.seen if k == "p"]


BROKEN = (
    ("a Query without its NUL", msg("Q", b"SELECT 1")),
    ("a Query with a NUL inside", msg("Q", b"SELECT 1\0; DROP TABLE users\0")),
    ("a Query of no bytes", msg("Q")),
    ("a Parse without a text", msg("P", b"s\0")),
    ("a Parse that announces more types than it has", msg("P", b"\0SELECT 1\0\xff\xff")),
    ("a Parse with bytes behind its end", msg("P", b"\0SELECT 1\0\0\0x")),
    ("a Bind with a value longer than itself", msg("B", b"\0\0\0\0\0\1\x7f\xff\xff\xff\0\0")),
    ("a Bind with a value of length -2", msg("B", b"\0\0\0\0\0\1\xff\xff\xff\xfe\0\0")),
    ("a Bind with more formats than values", msg("B", b"\0\0\0\3\0\0\0\0\0\0\0\1\0\0\0\0\0\0")),
    ("a Bind of format 7", msg("B", b"\0\0\0\1\0\7\0\0\0\0")),
    ("a Bind that announces 65535 values", msg("B", b"\0\0\0\0\xff\xff")),
    ("a Describe of nothing that is", msg("D", b"X\0")),
    ("a Describe without a name", msg("D", b"S")),
    ("a Close of nothing that is", msg("C", b"X\0")),
    ("an Execute without a count", msg("E", b"\0")),
    ("a Sync with a body", msg("S", b"x")),
    ("a Flush with a body", msg("H", b"x")),
    ("a Terminate with a body", msg("X", b"x")),
)


def broken(message):
    def test(b):
        server, moat, client = b.session()
        client.send(parse("SELECT 1") + SYNC)
        client.until("Z")
        before = len(server.seen)
        client.send(message)
        ends(client)
        assert not [k for k, _ in server.seen[before:] if k != "X"], server.seen[before:]
        serves(b, moat)
    return test


for what, message_ in BROKEN:
    row("%s ends the session and does not reach the server" % what)(broken(message_))


@row("CopyData outside COPY ends the session and does not reach the server")
def _(b):
    for message in (copy_data(b"1\n"), COPY_DONE, msg("f", b"no\0")):
        server, _, client = b.session()
        client.send(message)
        ends(client)
        assert not [k for k, _ in server.seen if k in "dcf"]


@row("a statement longer than the policy allows is refused and the connection goes on")
def _(b):
    server, _, client = b.session(*b.policy(limits={"max_query_bytes": "4kB"}))
    for size in (5000, 100000, 3000000):
        client.send(query("SELECT '%s'" % ("x" * size)))
        found = refusal(client.until("Z"))
        assert found["C"] in ("54000", "42501", "54001") and "too_long" in found["D"], found
        client.send(parse("SELECT '%s'" % ("x" * size)) + bind() + execute() + SYNC)
        assert kinds(client.until("Z")) == "EZ"
    assert kinds(client.query("SELECT 1")) == "TDCZ"
    assert max(len(t) for t in server.texts()) < 200


def big_text(b, text, seconds):
    """One client's monster is answered, and another client is served meanwhile."""
    server, moat, client = b.session(*b.policy(limits={"max_query_bytes": "8MB", "max_query_depth": 500}))
    other = b.client(moat).login()
    start = time.monotonic()
    client.send(query(text))
    assert kinds(other.query("SELECT 1")) == "TDCZ"
    assert kinds(client.until("Z")) in ("EZ", "TDCZ")
    assert time.monotonic() - start < seconds
    assert kinds(client.query("SELECT 1")) == "TDCZ"


@row("1 MB of +1 is answered, and others are served")
def _(b):
    big_text(b, "SELECT 1" + "+1" * 500000, TIMEOUT)


@row("100,000 parentheses are answered, and others are served")
def _(b):
    big_text(b, "SELECT " + "(" * 100000 + "1" + ")" * 100000, TIMEOUT)


@row("100,000 nested subqueries, casts, arrays and NOTs are answered, and others are served")
def _(b):
    for text in ("SELECT " + "(SELECT " * 100000 + "1" + ")" * 100000, "SELECT 1" + "::int" * 100000, "SELECT " + "ARRAY[" * 100000 + "1" + "]" * 100000,
                 "SELECT " + "NOT " * 100000 + "true", "SELECT 1" + " UNION SELECT 1" * 50000, "SELECT " + "- " * 100000 + "1",
                 "SELECT a" + "[1]" * 100000, "EXPLAIN " * 100000 + "SELECT 1"):
        big_text(b, text, TIMEOUT)


@row("100,000 statements in one text are answered")
def _(b):
    _, _, client = b.session(*b.policy(multi="each", limits={"max_query_bytes": "8MB"}))
    client.send(query("DELETE FROM t;" * 100000))
    refusal(client.until("Z"))
    assert kinds(client.query("SELECT 1")) == "TDCZ"


@row("a client that never reads does not make us hold what the server has to say")
def _(b):
    server, moat, client = b.session(*b.policy(limits={"max_rows": 0, "max_result_bytes": 0}))
    offered = [0]

    def flood(conn, text):
        conn.send(row_description("a"))
        piece = (b"D" + struct.pack(">IHi", 10000, 1, 9990) + b"x" * 9990) * 100
        while offered[0] < 200 << 20:
            conn.send(piece)
            offered[0] += len(piece)
        return Statement(None, [], "SELECT 20000")
    server.queries.append(("flood", flood))
    before = moat.memory()
    client.send(query("SELECT flood"))
    eventually(lambda: stands_still(offered), "the server is not read any more")
    grown = moat.memory() - before
    assert offered[0] < 100 << 20, "%d bytes were taken" % offered[0]
    assert grown < 16000, "grew by %d kB" % grown
    assert kinds(b.client(moat).login().query("SELECT 1")) == "TDCZ"


def stands_still(counter):
    before = counter[0]
    time.sleep(0.3)
    return before > 0 and counter[0] == before


@row("a client that reads late gets every byte")
def _(b):
    server, _, client = b.session(*b.policy(limits={"max_rows": 0, "max_result_bytes": 0}))
    rows = [(b"%d" % i * 500,) for i in range(10000)]
    server.queries.append(("many", lambda conn, text: Statement(["a"], list(rows), "SELECT 10000")))
    client.send(query("SELECT many"))
    time.sleep(0.5)
    messages = client.until("Z")
    assert kinds(messages) == "T" + "D" * 10000 + "CZ"
    assert all(body[6:] == rows[i][0] for i, (kind, body) in enumerate(messages[1:-2]))


@row("a server that never reads does not make us hold what the client has to say")
def _(b):
    done = threading.Event()

    def talk(conn):
        if conn.startup() is not None:
            conn.welcome()
            done.wait(30)
    _, moat, client = b.session(talk=talk)
    before = moat.memory()
    sent = [0]

    def push():
        text = query("SELECT '%s'" % ("x" * 10000))
        try:
            while sent[0] < 200 << 20:
                client.send(text)
                sent[0] += len(text)
        except OSError:
            pass
    client.sock.settimeout(3)
    threading.Thread(target=push, daemon=True).start()
    eventually(lambda: stands_still(sent), "the client is not read any more")
    grown = moat.memory() - before
    done.set()
    assert sent[0] < 100 << 20 and grown < 40000, "%d bytes were taken, grew by %d kB" % (sent[0], grown)


@row("clients that vanish in every state leave nothing behind")
def _(b):
    server, moat = b.pair()
    pieces = (b"", b"\0", startup(LOGIN)[:20], startup(LOGIN), startup(LOGIN) + query("SELECT 1"), startup(LOGIN) + extended("SELECT 1"))
    before = moat_sockets(moat)
    for i in range(60):
        client = b.client(moat)
        client.send(pieces[i % len(pieces)])
        if i // 6 % 2:
            client.reset()
        else:
            client.close()
    serves(b, moat)
    b.clients[-1].close()
    eventually(lambda: moat_sockets(moat) <= before, "the sockets are closed")


@row("a client that has reset its connection already is not taken for a local one")
def _(b):
    _, moat = b.pair()
    for _ in range(50):
        client = b.client(moat)
        client.send(startup(LOGIN) + query("SELECT 1"))
        client.reset()
    serves(b, moat)
    assert "client unix" not in moat.log()
    assert not [r for r in moat.records() if r.get("client") == "unix"]


def moat_sockets(moat):
    folder = "/proc/%d/fd" % moat.process.pid
    count = 0
    for fd in os.listdir(folder):
        try:
            count += os.readlink(os.path.join(folder, fd)).startswith("socket:")
        except FileNotFoundError:
            pass
    return count


@row("a reset that comes right behind a piece of a message is noticed")
def _(b):
    server, moat = b.pair()
    before = moat_sockets(moat)
    clients = [b.client(moat).login() for _ in range(40)]
    for client in clients:
        client.send(query("SELECT 1")[:7])
        client.reset()
    eventually(lambda: moat_sockets(moat) <= before, "the sockets are closed")


@row("a client that closes its sending side after its query is answered or ended, not kept")
def _(b):
    _, moat, client = b.session()
    client.send(query("SELECT 1"))
    client.sock.shutdown(socket.SHUT_WR)
    assert kinds(client.ended()) in ("", "TDCZ")
    serves(b, moat)


@row("random bytes after the login never harm another client")
def _(b):
    server, moat = b.pair()
    other = b.client(moat).login()
    random_ = random.Random(7)
    for _ in range(100):
        client = b.client(moat).login()
        data = bytes(random_.choice(TYPES.encode()) if random_.random() < 0.3 else random_.randrange(256) for _ in range(200))
        try:
            client.send(data)
            client.sock.shutdown(socket.SHUT_WR)
            while True:
                client.fill()
        except (Closed, OSError):
            pass
        client.close()
    assert kinds(other.query("SELECT 1")) == "TDCZ"


@row("messages that are mutated never reach the server as a write")
def _(b):
    server, moat = b.pair()
    random_ = random.Random(11)
    whole = query("SELECT 1") + parse("SELECT $1", "s", [23]) + bind("s", "p", [b"1"]) + execute("p") + SYNC + query("DELETE FROM users")
    for _ in range(200):
        client = b.client(moat).login()
        data = bytearray(whole)
        for _ in range(random_.randrange(1, 4)):
            data[random_.randrange(len(data))] = random_.randrange(256)
        try:
            client.send(bytes(data))
            client.sock.shutdown(socket.SHUT_WR)
            while True:
                client.fill()
        except (Closed, OSError):
            pass
        client.close()
    serves(b, moat)
    assert not [t for t in server.texts() if "DELETE" in t.upper()]


@row("500 clients at once are served")
def _(b):
    _, moat = b.pair("--max-half-open", "1000")
    clients = [b.client(moat) for _ in range(500)]
    for client in clients:
        client.send(startup(LOGIN))
    for client in clients:
        client.logged_in()
        client.send(query("SELECT 1"))
    for client in clients:
        assert kinds(client.until("Z")) == "TDCZ"


@row("a name of 16 kB is refused and not kept")
def _(b):
    server, _, client = b.session()
    client.send(msg("D", b"S" + cstr("x" * 20000)))
    ends(client)
    assert server.seen == [] or server.seen == [("X", b"")]
