"""Logging in: the server's own exchange relayed, or libpq with the client's password."""
import socket
import struct

from moat import eventually, row
from pgserver import KEY, PID, behave
from pgwire import (SSL_REQUEST, auth, cstr, error, fields, key, kinds, msg, parameter, password, query, ready, startup)
from rows_startup import LOGIN, certificate, refused, serves


def asks(*exchange):
    """A server that says each of exchange and wants the client's answer behind
    it, then welcomes. What it was answered is in server.seen."""
    def talk(conn):
        if conn.startup() is None:
            return
        for request in exchange:
            conn.send(request)
            conn.server.seen.append(conn.message())
        conn.welcome()
        conn.run()
    return talk


def begin(b, moat):
    client = b.client(moat)
    client.send(startup(LOGIN))
    return client


@row("trust: the client is in at once, with a key of ours and not the server's")
def _(b):
    _, _, client = b.session()
    assert kinds(client.login_messages).startswith("R") and kinds(client.login_messages).endswith("KZ"), kinds(client.login_messages)
    assert client.login_messages[0][1] == struct.pack(">I", 0)
    assert (client.pid, client.key) != (PID, KEY)
    assert client.parameters["server_version"] == "15.20"


@row("every client has a key of its own")
def _(b):
    _, moat = b.pair()
    clients = [b.client(moat).login() for _ in range(20)]
    assert len({(c.pid, c.key) for c in clients}) == 20
    assert len({c.key for c in clients}) == 20


@row("cleartext: question and password are relayed")
def _(b):
    server, moat = b.pair(talk=asks(auth(3)))
    client = begin(b, moat)
    assert client.expect("R") == [struct.pack(">I", 3)]
    client.send(password("s3cret"))
    client.logged_in()
    assert server.seen[0] == ("p", b"s3cret\0")
    assert kinds(client.query("SELECT 1")) == "TDCZ"
    assert "s3cret" not in moat.log()


@row("md5: the salt and the answer are relayed as they are")
def _(b):
    server, moat = b.pair(talk=asks(auth(5, b"\0\xff\n ")))
    client = begin(b, moat)
    assert client.expect("R") == [struct.pack(">I", 5) + b"\0\xff\n "]
    client.send(password("md5" + "0" * 32))
    client.logged_in()
    assert server.seen[0] == ("p", b"md5" + b"0" * 32 + b"\0")


def sasl_initial(mechanism, data):
    return msg("p", cstr(mechanism) + struct.pack(">I", len(data)) + data)


OFFER = auth(10, cstr("SCRAM-SHA-256-PLUS") + cstr("SCRAM-SHA-256") + b"\0")


@row("SASL: -PLUS goes out of the offer, the rest of the exchange is relayed as it is")
def _(b):
    def talk(conn):
        if conn.startup() is None:
            return
        conn.send(OFFER)
        conn.server.seen.append(conn.message())
        conn.send(auth(11, b"r=abc,s=c2FsdA==,i=4096"))
        conn.server.seen.append(conn.message())
        conn.send(auth(12, b"v=proof"))
        conn.welcome()
        conn.run()
    server, moat = b.pair(talk=talk)
    client = begin(b, moat)
    assert client.expect("R") == [struct.pack(">I", 10) + b"SCRAM-SHA-256\0\0"]
    client.send(sasl_initial("SCRAM-SHA-256", b"n,,n=,r=abc"))
    assert client.expect("R") == [struct.pack(">I", 11) + b"r=abc,s=c2FsdA==,i=4096"]
    client.send(msg("p", b"c=biws,r=abc,p=x"))
    assert client.expect("R") == [struct.pack(">I", 12) + b"v=proof"]
    client.logged_in()
    assert server.seen[0] == ("p", cstr("SCRAM-SHA-256") + struct.pack(">I", 11) + b"n,,n=,r=abc")
    assert server.seen[1] == ("p", b"c=biws,r=abc,p=x")


@row("SASL: an offer without -PLUS is relayed as it is")
def _(b):
    _, moat = b.pair(talk=asks(auth(10, b"SCRAM-SHA-256\0\0")))
    client = begin(b, moat)
    assert client.expect("R") == [struct.pack(">I", 10) + b"SCRAM-SHA-256\0\0"]


@row("SASL: an offer of -PLUS alone is a clear error")
def _(b):
    _, moat = b.pair(talk=asks(auth(10, b"SCRAM-SHA-256-PLUS\0\0")))
    found = refused(begin(b, moat), "28000")
    assert "SASL" in found["M"] and "--auth password" in found["H"], found


@row("SASL: a client inside TLS that could bind is told before its proof that it cannot be relayed")
def _(b):
    server, moat = b.pair(*certificate(b), talk=asks(OFFER))
    client = b.client(moat)
    client.send(SSL_REQUEST)
    assert client.exactly(1) == b"S"
    client.start_tls()
    client.send(startup(LOGIN))
    client.expect("R")
    client.send(sasl_initial("SCRAM-SHA-256", b"y,,n=,r=abc"))
    assert "--auth password" in refused(client, "28000")["H"]
    assert not [k for k, _ in server.seen if k == "p"]


@row("SASL: a mechanism that was not offered is refused")
def _(b):
    server, moat = b.pair(talk=asks(OFFER))
    client = begin(b, moat)
    client.expect("R")
    client.send(sasl_initial("SCRAM-SHA-256-PLUS", b"p=tls-server-end-point,,n=,r=abc"))
    refused(client, "28000")
    assert not [k for k, _ in server.seen if k == "p"]


@row("GSS, SSPI, Kerberos and unknown methods are a clear error")
def _(b):
    for code in (2, 6, 7, 9, 99, 0x7fffffff):
        _, moat = b.pair(talk=asks(auth(code)))
        found = refused(begin(b, moat), "28000")
        assert "authentication" in found["M"] and found["H"], found


@row("a login that we refuse is in the audit file, with its reason")
def _(b):
    _, moat = b.pair(talk=asks(auth(7)))
    refused(begin(b, moat), "28000")
    eventually(lambda: moat.records(event="refused_login"), "the record is written")
    record, = moat.records(event="refused_login")
    assert record["user"] == "ann" and "authentication" in record["reason"], record


@row("a malformed authentication request ends the login")
def _(b):
    for request in (auth(5, b"sal"), auth(0, b"x"), auth(10, b"SCRAM-SHA-256\0"), msg("R", b"\0\0")):
        _, moat = b.pair(talk=asks(request))
        found, = begin(b, moat).ended()
        assert fields(found[1])["S"] == "FATAL", found


@row("the server's refusal of a login reaches the client with all its fields")
def _(b):
    def talk(conn):
        if conn.startup() is not None:
            conn.send(error(S="FATAL", V="FATAL", C="28P01", M='password authentication failed for user "ann"', F="auth.c", L="1"))
    _, moat = b.pair(talk=talk)
    (kind, body), = begin(b, moat).ended()
    assert kind == "E"
    assert fields(body) == dict(S="FATAL", V="FATAL", C="28P01", M='password authentication failed for user "ann"', F="auth.c", L="1")


@row("notices and parameters during the login are relayed")
def _(b):
    def talk(conn):
        if conn.startup() is not None:
            conn.send(auth(0), error("N", S="WARNING", C="01000", M="hello"), parameter("is_superuser", "off"))
            conn.send(key(PID, KEY), ready())
            conn.run()
    _, _, client = b.session(talk=talk)
    assert kinds(client.login_messages) == "RNSKZ", kinds(client.login_messages)
    assert client.parameters == {"is_superuser": "off"}


@row("a client that says something else than its password is refused")
def _(b):
    server, moat = b.pair(talk=asks(auth(3)))
    for other in (query("SELECT 1"), msg("S"), msg("p", b"x" * 9000), msg("B", b"x")):
        client = begin(b, moat)
        client.expect("R")
        client.send(other)
        refused(client, "08P01")
    assert not [k for k, _ in server.seen if k != "X"], server.seen


@row("a password that nobody asked for is not relayed")
def _(b):
    server, moat = b.pair(talk=asks(auth(3)))
    client = begin(b, moat)
    client.expect("R")
    client.send(password("one") + password("two"))
    client.ended()
    assert [body for k, body in server.seen if k == "p"] in ([], [b"one\0"]), server.seen


@row("a query that is sent before the login is done does not run before it")
def _(b):
    server, moat = b.pair(talk=asks(auth(3)))
    client = begin(b, moat)
    client.expect("R")
    client.send(password("one") + query("DROP TABLE users"))
    client.ended()
    assert not [k for k, _ in server.seen if k == "Q"]


@row("a server that cannot be reached is FATAL in class 08")
def _(b):
    server = b.server()
    moat = b.pgmoat(server)
    server.listener.shutdown(socket.SHUT_RDWR)
    server.listener.close()
    found = refused(begin(b, moat), "08006")
    assert "127.0.0.1:%d" % server.port in found["M"] and found["H"]


@row("with --auth password the client is asked, and libpq logs in with what it says")
def _(b):
    server, moat = b.pair("--auth", "password", talk=asks(auth(3)))
    client = begin(b, moat)
    assert client.expect("R") == [struct.pack(">I", 3)]
    client.send(password("s3cret"))
    client.logged_in()
    assert server.seen[0] == ("p", b"s3cret\0")
    assert server.startups[0]["user"] == "ann" and server.startups[0]["database"] == "shop"
    assert client.parameters["server_version"] == "15.20"
    assert kinds(client.query("SELECT 1")) == "TDCZ"
    assert "s3cret" not in moat.log()


@row("with --auth password a wrong one is the server's refusal")
def _(b):
    def talk(conn):
        if conn.startup() is not None:
            conn.send(auth(3))
            conn.message()
            conn.send(error(S="FATAL", V="FATAL", C="28P01", M="password authentication failed"))
    _, moat = b.pair("--auth", "password", talk=talk)
    client = begin(b, moat)
    client.expect("R")
    client.send(password("wrong"))
    assert "password authentication failed" in refused(client, "28P01")["M"]
    server = b.servers[0]
    server.talk = asks(auth(3))
    client = begin(b, moat)
    client.expect("R")
    client.send(password("right"))
    client.logged_in()


@row("a login and its end are in the audit file")
def _(b):
    _, moat, client = b.session()
    found = moat.record(event="connect")
    assert (found["user"], found["database"], found["client"]) == ("ann", "shop", "127.0.0.1"), found
    client.close()
    assert moat.record(event="disconnect")["session"] == found["session"]


@row("a client that goes away during the login takes the server connection with it")
def _(b):
    gone = []

    def talk(conn):
        if conn.startup() is None:
            return
        conn.send(auth(3))
        try:
            while True:
                conn.message()
        finally:
            gone.append(True)
    _, moat = b.pair(talk=talk)
    client = begin(b, moat)
    client.expect("R")
    client.close()
    eventually(lambda: gone, "the server connection is closed")
    b.servers[0].talk = behave
    serves(b, moat)
