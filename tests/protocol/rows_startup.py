"""Before the login: encryption requests, versions, lengths, clocks and counts."""
import os
import ssl
import struct
import subprocess
import time

from moat import eventually, row
from pgwire import (GSSENC_REQUEST, SSL_REQUEST, V30, V32, Closed, TIMEOUT, fields, kinds, startup, strings)

LOGIN = {"user": "ann", "database": "shop"}


def certificate(b):
    cert, key = os.path.join(b.folder, "cert.pem"), os.path.join(b.folder, "key.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-keyout", key, "-out", cert], check=True, stderr=subprocess.DEVNULL, timeout=30)
    return ["--tls-cert", cert, "--tls-key", key]


def refused(client, code):
    """A FATAL error with that SQLSTATE, then the end."""
    (kind, body), = client.ended()
    found = fields(body)
    assert (kind, found["S"], found["C"]) == ("E", "FATAL", code), "expected FATAL %s, got %s %r" % (code, kind, found)
    return found


def serves(b, moat):
    """Somebody else can still log in and ask."""
    client = b.client(moat).login()
    assert kinds(client.query("SELECT 1")) == "TDCZ"


# --- encryption --------------------------------------------------------------

@row("SSLRequest is answered N without a certificate, and the login goes on in clear")
def _(b):
    _, moat = b.pair()
    client = b.client(moat)
    client.send(SSL_REQUEST)
    assert client.exactly(1) == b"N"
    client.login()
    assert kinds(client.query("SELECT 1")) == "TDCZ"


@row("SSLRequest is answered S with a certificate, and the login goes on inside TLS")
def _(b):
    _, moat = b.pair(*certificate(b))
    client = b.client(moat)
    client.send(SSL_REQUEST)
    assert client.exactly(1) == b"S"
    client.start_tls()
    client.login()
    assert kinds(client.query("SELECT 1")) == "TDCZ"


@row("a certificate does not keep clients in clear away under tls-mode prefer")
def _(b):
    _, moat = b.pair(*certificate(b), "--tls-mode", "prefer")
    serves(b, moat)


@row("tls-mode require refuses a login in clear and takes one inside TLS")
def _(b):
    server, moat = b.pair(*certificate(b), "--tls-mode", "require")
    client = b.client(moat)
    client.send(startup(LOGIN))
    assert "TLS" in refused(client, "28000")["M"]
    assert server.startups == []
    client = b.client(moat)
    client.send(SSL_REQUEST)
    assert client.exactly(1) == b"S"
    client.start_tls()
    client.login()


@row("GSSENCRequest is answered N, and SSLRequest may follow")
def _(b):
    _, moat = b.pair()
    client = b.client(moat)
    client.send(GSSENC_REQUEST)
    assert client.exactly(1) == b"N"
    client.send(SSL_REQUEST)
    assert client.exactly(1) == b"N"
    client.login()


def injected(b, options, request):
    """A login behind an encryption request in the same packet must reach nobody."""
    server, moat = b.pair(*options)
    client = b.client(moat)
    client.send(request + startup(LOGIN))
    try:
        while True:
            client.fill()
    except Closed:
        pass
    assert bytes(client.buffer) in (b"", b"S", b"N") or client.buffer[:1] == b"E", "answered with %r" % bytes(client.buffer[:80])
    assert server.startups == []
    serves(b, moat)


@row("bytes behind SSLRequest end the connection where TLS would start")
def _(b):
    injected(b, certificate(b), SSL_REQUEST)


@row("bytes behind SSLRequest end the connection where it would go on in clear")
def _(b):
    injected(b, [], SSL_REQUEST)


@row("bytes behind GSSENCRequest end the connection")
def _(b):
    injected(b, [], GSSENC_REQUEST)


@row("bytes behind a second SSLRequest inside TLS do not log in")
def _(b):
    server, moat = b.pair(*certificate(b))
    client = b.client(moat)
    client.send(SSL_REQUEST)
    assert client.exactly(1) == b"S"
    client.start_tls()
    client.send(SSL_REQUEST)
    client.ended()
    assert server.startups == []


@row("direct TLS with ALPN postgresql works")
def _(b):
    _, moat = b.pair(*certificate(b))
    client = b.client(moat)
    client.start_tls(["postgresql"])
    assert client.sock.selected_alpn_protocol() == "postgresql"
    client.login()
    assert kinds(client.query("SELECT 1")) == "TDCZ"


def no_direct_tls(b, alpn):
    server, moat = b.pair(*certificate(b))
    client = b.client(moat)
    try:
        client.start_tls(alpn)
        client.login()
    except (ssl.SSLError, ConnectionError, Closed):
        pass
    else:
        raise AssertionError("logged in")
    assert server.startups == []
    serves(b, moat)


@row("direct TLS without ALPN is refused")
def _(b):
    no_direct_tls(b, None)


@row("direct TLS with another protocol's ALPN is refused")
def _(b):
    no_direct_tls(b, ["http/1.1"])


@row("direct TLS without a certificate ends the connection")
def _(b):
    _, moat = b.pair()
    client = b.client(moat)
    try:
        client.start_tls(["postgresql"])
        raise AssertionError("handshake done")
    except (ssl.SSLError, ConnectionError):
        pass
    serves(b, moat)


# --- versions ----------------------------------------------------------------

def negotiated(client):
    found = [body for kind, body in client.login_messages if kind == "v"]
    if not found:
        return None
    newest, count = struct.unpack(">II", found[0][:8])
    names = strings(found[0][8:])
    assert len(found) == 1 and len(names) == count
    return newest, names


@row("a 3.0 client is told nothing about versions and gets a key of four bytes")
def _(b):
    _, _, client = b.session()
    assert negotiated(client) is None
    assert len(client.key) == 4


@row("a 3.2 client is told nothing about versions and gets a longer key")
def _(b):
    _, moat = b.pair()
    client = b.client(moat).login(version=V32)
    assert negotiated(client) is None
    assert 4 < len(client.key) <= 256, "%d bytes" % len(client.key)


@row("a newer minor version is negotiated down to 3.2, before the authentication")
def _(b):
    _, moat = b.pair()
    client = b.client(moat).login(version=V30 | 9999)
    assert negotiated(client) == (V32, [])
    assert client.login_messages[0][0] == "v", kinds(client.login_messages)
    assert len(client.key) > 4


@row("unknown _pq_ options are named in NegotiateProtocolVersion and kept from the server")
def _(b):
    server, moat = b.pair()
    client = b.client(moat).login(**{"_pq_.new_thing": "1", "_pq_.other": "2"})
    assert negotiated(client) == (V30, ["_pq_.new_thing", "_pq_.other"])
    assert not [n for n in server.startups[0] if n.startswith("_pq_.")]


@row("protocol 2 is refused")
def _(b):
    server, moat = b.pair()
    client = b.client(moat)
    client.send(struct.pack(">II", 8 + 64, 2 << 16) + b"ann".ljust(64, b"\0"))
    refused(client, "0A000")
    assert server.startups == []


# --- packets that are refused --------------------------------------------------

@row("replication connections are refused, in every spelling")
def _(b):
    server, moat = b.pair()
    for value in ("true", "on", "yes", "1", "database", "t", "TRUE"):
        client = b.client(moat)
        client.send(startup(dict(LOGIN, replication=value)))
        assert refused(client, "42501")["H"]
    assert server.startups == []


@row("replication=false is an ordinary login")
def _(b):
    server, moat = b.pair()
    b.client(moat).login(replication="false")
    assert server.startups[0].get("replication", "false") == "false"


@row("a startup packet without a user is refused")
def _(b):
    server, moat = b.pair()
    client = b.client(moat)
    client.send(startup({"database": "shop"}))
    refused(client, "28000")
    assert server.startups == []


@row("a startup packet with a repeated parameter is refused")
def _(b):
    server, moat = b.pair()
    client = b.client(moat)
    client.send(startup([("user", "ann"), ("database", "shop"), ("user", "postgres")]))
    refused(client, "08P01")
    assert server.startups == []


@row("startup packets of impossible lengths are refused at once")
def _(b):
    server, moat = b.pair()
    for length in (0, 1, 3, 4, 7, 10005, 20000, 1 << 24, 0x7fffffff, 0x80000000, 0xffffffff):
        client = b.client(moat)
        client.send(struct.pack(">II", length, V30) + b"user\0ann\0")
        found = client.ended()
        assert kinds(found) in ("", "E"), "%d: %r" % (length, found)
    assert server.startups == []
    serves(b, moat)


@row("a startup packet of the greatest length passes")
def _(b):
    server, moat = b.pair()
    client = b.client(moat)
    packet = startup(dict(LOGIN, application_name="x"))
    client.send(startup(dict(LOGIN, application_name="x" * (1 + 10000 - len(packet)))))
    client.logged_in()
    assert server.startups[0]["user"] == "ann"


@row("a startup packet that is not terminated is refused")
def _(b):
    server, moat = b.pair()
    for body in (b"user\0ann\0", b"user\0ann", b"user\0", b"\0\0", b"user\0ann\0\0more\0", b""):
        client = b.client(moat)
        client.send(struct.pack(">II", 8 + len(body), V30) + body)
        refused(client, "08P01")
    assert server.startups == []


@row("65 startup parameters are refused")
def _(b):
    server, moat = b.pair()
    client = b.client(moat)
    client.send(startup(dict(LOGIN, **{"app.p%d" % i: "v" for i in range(63)})))
    refused(client, "08P01")
    assert server.startups == []


@row("bytes of another protocol end the connection")
def _(b):
    _, moat = b.pair()
    for greeting in (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", b"\0" * 64, b"\xff" * 64, b"SSH-2.0-x\r\n" + b"x" * 64):
        client = b.client(moat)
        client.send(greeting)
        assert kinds(client.ended()) in ("", "E")
    serves(b, moat)


# --- clocks and counts ---------------------------------------------------------

@row("a login that says nothing ends by the login timeout")
def _(b):
    _, moat = b.pair("--login-timeout", "1")
    client = b.client(moat)
    start = time.monotonic()
    client.ended()
    assert 0.5 < time.monotonic() - start < TIMEOUT
    serves(b, moat)


@row("a login that says a byte at a time ends by the login timeout")
def _(b):
    _, moat = b.pair("--login-timeout", "1")
    client = b.client(moat)
    client.sock.settimeout(0.1)
    for byte in startup(dict(LOGIN, application_name="x" * 500)):
        try:
            client.send(bytes([byte]))
            client.fill()
        except (Closed, ConnectionError):
            break
        except TimeoutError:
            continue
    else:
        raise AssertionError("it went on for ever")
    serves(b, moat)


@row("a client that keeps the server's question for its password waiting ends by the login timeout")
def _(b):
    def talk(conn):
        if conn.startup() is not None:
            conn.send(b"R" + struct.pack(">II", 8, 3))
            conn.message()
    _, moat = b.pair("--login-timeout", "1", talk=talk)
    client = b.client(moat)
    client.send(startup(LOGIN))
    client.expect("R")
    found = client.ended()
    assert kinds(found) in ("", "E"), found
    assert not found or fields(found[0][1])["S"] == "FATAL"


@row("a client that logged in is no longer watched by the login timeout")
def _(b):
    _, moat = b.pair("--login-timeout", "1")
    client = b.client(moat).login()
    other = b.client(moat)
    other.ended()
    assert kinds(client.query("SELECT 1")) == "TDCZ"


@row("half-open logins per address are counted, logged-in clients are not")
def _(b):
    _, moat = b.pair("--max-half-open", "3")
    done = [b.client(moat).login() for _ in range(5)]
    waiting = [b.client(moat) for _ in range(3)]
    for client in waiting:
        client.send(b"\0")
    eventually(lambda: turned_away(b, moat), "the fourth half-open login is turned away")
    waiting[0].close()
    eventually(lambda: not turned_away(b, moat), "a place is free again")
    assert kinds(done[0].query("SELECT 1")) == "TDCZ"


def turned_away(b, moat):
    client = b.client(moat)
    client.send(startup(LOGIN))
    kind, body = client.message()
    if kind == "E":
        assert fields(body)["C"] == "53300", fields(body)
    client.ended() if kind == "E" else client.close()
    return kind == "E"
