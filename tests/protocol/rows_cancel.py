"""CancelRequest: whose key, which query, and clients that go away."""
import signal
import struct
import threading

from moat import eventually, row
from pgserver import KEY, PID, Failure, Statement
from pgwire import SSL_REQUEST, V32, Client, cancel, extended, fields, kinds, query, SYNC
from rows_startup import certificate, serves


def slow(conn, text):
    """Runs until it is cancelled."""
    if conn.server.cancelled.wait(5):
        raise Failure(C="57014", M="canceling statement due to user request")
    return Statement(["a"], [(b"late",)], "SELECT 1")


def slow_session(b, *options, **login):
    server, moat = b.pair(*options)
    server.queries.append(("slow", slow))
    return server, moat, b.client(moat).login(**login)


def running(server, text="SELECT slow"):
    eventually(lambda: [k for k, body in server.seen if text.encode() in body], "the server runs it")


def send_cancel(b, moat, pid, key):
    """As libpq does: waits for the other side's close."""
    client = b.client(moat)
    client.send(cancel(pid, key))
    assert client.ended() == [], "a cancel request has no answer"


@row("the right key cancels the query that runs, with the server's own key")
def _(b):
    server, moat, client = slow_session(b)
    client.send(query("SELECT slow"))
    running(server)
    send_cancel(b, moat, client.pid, client.key)
    assert server.cancelled.wait(5)
    assert server.cancels == [(PID, KEY)]
    messages = client.until("Z")
    assert kinds(messages) == "EZ" and fields(messages[0][1])["C"] == "57014"
    assert kinds(client.query("SELECT 1")) == "TDCZ"


@row("a query of the extended protocol is cancelled too")
def _(b):
    server, moat, client = slow_session(b)
    client.send(extended("SELECT slow") + SYNC)
    running(server)
    send_cancel(b, moat, client.pid, client.key)
    assert "E" in kinds(client.until("Z"))
    assert server.cancels == [(PID, KEY)]


@row("a wrong key, a wrong pid and keys of other lengths are ignored")
def _(b):
    server, moat, client = slow_session(b)
    client.send(query("SELECT slow"))
    running(server)
    wrong = bytes([client.key[0] ^ 1]) + client.key[1:]
    for pid, secret in ((client.pid, wrong), (client.pid + 1, client.key), (PID, KEY), (client.pid, client.key + b"\0"),
                        (client.pid, b"\0" * 4), (0, client.key)):
        send_cancel(b, moat, pid, secret)
    assert server.cancels == []
    send_cancel(b, moat, client.pid, client.key)
    assert kinds(client.until("Z")) == "EZ"


@row("a cancel while nothing runs is not forwarded")
def _(b):
    server, moat, client = slow_session(b)
    client.query("SELECT 1")
    send_cancel(b, moat, client.pid, client.key)
    assert kinds(client.query("SELECT 1")) == "TDCZ"
    client.query("BEGIN")
    send_cancel(b, moat, client.pid, client.key)
    assert server.cancels == []


@row("a cancel hits its own client's query only")
def _(b):
    def by_name(conn, text):
        mine.append(conn)
        if stop[conn].wait(3):
            raise Failure(C="57014", M="canceled")
        return Statement(["a"], [(b"1",)], "SELECT 1")
    server, moat = b.pair()
    mine, stop = [], {}
    server.queries.append(("slow", by_name))
    first, second = b.client(moat).login(), b.client(moat).login()
    for conn in server.conns:
        stop[conn] = threading.Event()
    first.send(query("SELECT slow"))
    eventually(lambda: len(mine) == 1, "the first runs")
    second.send(query("SELECT slow"))
    eventually(lambda: len(mine) == 2, "the second runs")
    server.note_cancel = lambda pid, secret: stop[mine[1]].set()
    send_cancel(b, moat, second.pid, second.key)
    assert kinds(second.until("Z")) == "EZ"
    stop[mine[0]].set()
    first.until("Z")


@row("a client of 3.2 cancels with its long key")
def _(b):
    server, moat, client = slow_session(b, version=V32)
    client.send(query("SELECT slow"))
    running(server)
    send_cancel(b, moat, client.pid, client.key[:4])
    assert server.cancels == []
    send_cancel(b, moat, client.pid, client.key)
    assert server.cancels == [(PID, KEY)]
    assert kinds(client.until("Z")) == "EZ"


@row("a cancel in clear is taken though logins must use TLS")
def _(b):
    server, moat = b.pair(*certificate(b), "--tls-mode", "require")
    server.queries.append(("slow", slow))
    client = b.client(moat)
    client.send(SSL_REQUEST)
    client.exactly(1)
    client.start_tls()
    client.login()
    client.send(query("SELECT slow"))
    running(server)
    send_cancel(b, moat, client.pid, client.key)
    assert server.cancels == [(PID, KEY)]
    assert kinds(client.until("Z")) == "EZ"


@row("a cancel inside TLS works")
def _(b):
    server, moat, client = slow_session(b, *certificate(b))
    client.send(query("SELECT slow"))
    running(server)
    other = b.client(moat)
    other.send(SSL_REQUEST)
    assert other.exactly(1) == b"S"
    other.start_tls()
    other.send(cancel(client.pid, client.key))
    other.ended()
    assert server.cancels == [(PID, KEY)]


@row("a cancel whose sender closes at once is forwarded")
def _(b):
    server, moat, client = slow_session(b)
    client.send(query("SELECT slow"))
    running(server)
    other = b.client(moat)
    other.send(cancel(client.pid, client.key))
    other.close()
    assert server.cancelled.wait(5)
    assert kinds(client.until("Z")) == "EZ"


@row("cancel requests that are malformed end quietly")
def _(b):
    server, moat, client = slow_session(b)
    for packet in (struct.pack(">IHH", 8, 1234, 5678), struct.pack(">IHHI", 12, 1234, 5678, client.pid), cancel(client.pid, b"abc"),
                   cancel(client.pid, b"x" * 257), cancel(client.pid, client.key) + b"more"):
        other = b.client(moat)
        other.send(packet)
        assert kinds(other.ended()) in ("", "E")
    serves(b, moat)


@row("a client that vanishes has its query cancelled at the server")
def _(b):
    for end in (Client.close, Client.reset):
        server, moat, client = slow_session(b)
        client.send(query("SELECT slow"))
        running(server)
        end(client)
        assert server.cancelled.wait(5), "no CancelRequest came"
        assert server.cancels == [(PID, KEY)]


@row("a client that leaves while nothing runs cancels nothing")
def _(b):
    server, moat, client = slow_session(b)
    client.query("SELECT 1")
    client.close()
    eventually(lambda: [k for k, _ in server.seen if k == "X"], "the server is told")
    assert server.cancels == []


@row("a thousand cancel requests with wrong keys do no harm")
def _(b):
    server, moat, client = slow_session(b, "--max-half-open", "2000")
    for i in range(1000):
        other = Client(moat.address)
        other.send(cancel(client.pid, struct.pack(">I", i)))
        other.close()
    assert kinds(client.query("SELECT 1")) == "TDCZ"
    assert server.cancels == []


@row("a statement past its time is cancelled by us when the server does not do it")
def _(b):
    server, moat = b.pair(*b.policy(limits={"statement_timeout": "500ms"}))
    server.queries.append(("slow", slow))
    client = b.client(moat).login()
    client.send(query("SELECT slow"))
    assert server.cancelled.wait(5), "no CancelRequest came"
    assert kinds(client.until("Z")) == "EZ"


# --- signals -------------------------------------------------------------------

@row("SIGTERM ends idle clients with 57P01, lets a running query finish, and then the process")
def _(b):
    server, moat = b.pair()
    go = threading.Event()

    def wait(conn, text):
        go.wait(5)
        return Statement(["a"], [(b"1",)], "SELECT 1")
    server.queries.append(("slow", wait))
    idle, busy = b.client(moat).login(), b.client(moat).login()
    busy.send(query("SELECT slow"))
    running(server)
    moat.process.send_signal(signal.SIGTERM)
    found = idle.ended()
    assert kinds(found) == "E" and fields(found[0][1])["C"] == "57P01", found
    go.set()
    assert kinds(busy.until("Z")) == "TDCZ"
    assert moat.process.wait(10) == 0
    b.moats.remove(moat)


@row("SIGHUP takes a new policy for the next transaction, and keeps the old one when the file is wrong")
def _(b):
    server, moat, client = b.session(*b.policy(tables={"deny": []}))
    assert kinds(client.query("SELECT a FROM public.t")) == "TDCZ"
    b.policy(tables={"deny": ["public.t"]})
    moat.process.send_signal(signal.SIGHUP)
    eventually(lambda: kinds(client.query("SELECT a FROM public.t")) == "EZ", "the new policy holds")
    b.file("policy.json", "{ broken")
    lines = len(moat.lines)
    moat.process.send_signal(signal.SIGHUP)
    eventually(lambda: [line for line in moat.lines[lines:] if "policy.json:" in line], "the log says what is wrong")
    assert kinds(client.query("SELECT a FROM public.t")) == "EZ"
    assert kinds(client.query("SELECT 1")) == "TDCZ"
