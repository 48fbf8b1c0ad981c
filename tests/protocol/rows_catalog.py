"""Reading the catalog from a server that is scripted: what goes wrong there stays there."""
import threading

from moat import eventually, row
from pgserver import PARAMETERS, behave
from pgwire import SYNC, auth, complete, data_row, error, extended, fields, key, kinds, msg, parameter, query, ready, row_description

SERVER = ("--catalog", "server")


def refusal(messages):
    assert "E" in kinds(messages), kinds(messages)
    return next(fields(body) for kind, body in messages if kind == "E")


def loads(*says, then=None):
    """A server that answers the first Query after the login, ours, with says."""
    def talk(conn):
        if conn.startup() is not None:
            conn.welcome()
            kind, body = conn.message()
            assert kind == "Q" and b"set_config" in body, body
            conn.send(*says)
            if then is None:
                conn.run()
            else:
                then(conn)
    return talk


def unreadable(client, words):
    found = refusal(client.query("SELECT a FROM t"))
    assert found["C"] == "58000" and "catalog could not be read" in found["M"] and words in found["M"], found
    client.send(extended("SELECT a FROM t") + SYNC)
    assert refusal(client.until("Z"))["C"] == "58000"
    assert kinds(client.query("SHOW TimeZone")) == "TDCZ"
    assert kinds(client.query("BEGIN")) == "CZ"
    assert kinds(client.query("COMMIT")) == "CZ"


FAILS = (
    ("an error", (error(S="ERROR", C="42501", M="permission denied for pg_policy"), ready()), "permission denied for pg_policy"),
    ("rows of another shape", (row_description("a"), data_row(b"1"), complete("SELECT 1")) * 4 + (ready(),), "expected"),
    ("nothing", (ready(),), ""),
    ("a row without its values", (row_description("a"), msg("D", b"\0\5\0\0\0\1x"), complete("SELECT 1"), ready()), ""),
    ("a row of 1000 columns", (msg("D", b"\3\xe8" + b"\xff" * 4000), complete("SELECT 1"), ready()), ""),
    ("a NUL in a value", (msg("D", b"\0\1\0\0\0\3a\0b"), complete("SELECT 1"), ready()), ""),
)


def fails(says, words):
    def test(b):
        _, moat, client = b.session(*SERVER, talk=loads(*says))
        unreadable(client, words)
        assert "catalog could not be read" in moat.log()
    return test


for what_, says_, words_ in FAILS:
    row("a catalog that comes as %s refuses what needs it" % what_)(fails(says_, words_))


LIES = (("a COPY", msg("G", b"\0\0\0")), ("an authentication request", auth(3)), ("another status", ready("T")), ("a status that is none", ready("x")),
        ("FunctionCallResponse", msg("V", b"\xff\xff\xff\xff")), ("an error that is not terminated", msg("E", b"SERROR")))


def lies(says):
    def test(b):
        server, moat = b.pair(*SERVER, talk=loads(says))
        client = b.client(moat)
        client.login()
        found = client.ended()
        assert kinds(found) == "E" and fields(found[0][1])["S"] == "FATAL", found
        server.talk = behave
        assert kinds(b.client(moat).login().query("SHOW TimeZone")) == "TDCZ"
    return test


for what_, says_ in LIES:
    row("a server that answers the reading of its catalog with %s ends its session" % what_)(lies(says_))


@row("a server that dies while its catalog is read")
def _(b):
    server, moat = b.pair(*SERVER, talk=loads(row_description("a"), data_row(b"1"), then=lambda conn: None))
    client = b.client(moat)
    client.login()
    found = client.ended()
    assert kinds(found) == "E" and fields(found[0][1])["C"] == "08006", found
    server.talk = behave
    assert kinds(b.client(moat).login().query("SHOW TimeZone")) == "TDCZ"


@row("the server's FATAL while its catalog is read reaches the client as it is")
def _(b):
    bye = dict(S="FATAL", V="FATAL", C="57P01", M="terminating connection due to administrator command")
    _, moat = b.pair(*SERVER, talk=loads(error(**bye), then=lambda conn: None))
    client = b.client(moat)
    client.login()
    found = client.ended()
    assert kinds(found) == "E" and fields(found[0][1]) == bye, found


@row("of the reading, a client sees settings and notifications and nothing else")
def _(b):
    says = (error("N", S="NOTICE", C="00000", M="psst"), parameter("TimeZone", "UTC"), msg("A", b"\0\0\0\1ch\0\0"), complete("SELECT 1"),
            error(S="ERROR", C="42501", M="no"), ready())
    _, _, client = b.session(*SERVER, talk=loads(*says))
    client.send(query("SHOW TimeZone"))
    assert kinds(client.until("Z")) == "SATDCZ"


@row("a client that goes while the catalog is read leaves the turn to the next")
def _(b):
    go = threading.Event()
    server, moat = b.pair(*SERVER, talk=loads(row_description("a"), then=lambda conn: go.wait(10)))
    one = b.client(moat).login()
    one.send(query("SELECT a FROM t"))
    eventually(lambda: server.conns, "the connection")
    one.close()
    moat.record(event="disconnect")
    server.talk = loads(error(S="ERROR", C="42501", M="the second one"), ready())
    two = b.client(moat).login()
    assert "the second one" in refusal(two.query("SELECT a FROM t"))["M"]
    go.set()


@row("a server that is too old says so")
def _(b):
    def talk(conn):
        if conn.startup() is not None:
            old = dict(PARAMETERS, server_version="12.22 (Debian)")
            conn.send(auth(0), *[parameter(k, v) for k, v in old.items()], key(1, b"abcd"), ready("I"))
            conn.run()
    server, _, client = b.session(*SERVER, talk=talk)
    unreadable(client, "PostgreSQL 13 or later")
    assert not [t for t in server.texts() if "set_config" in t]


@row("observe goes on without a catalog")
def _(b):
    _, _, client = b.session(*SERVER, *b.policy(mode="observe"), talk=loads(error(S="ERROR", C="42501", M="no"), ready()))
    assert kinds(client.query("SELECT a FROM t")) == "TDCZ"


@row("a profile that restricts nothing reads none")
def _(b):
    policy = {"access_mode": "read_write", "writes": {"mode": "allow"}, "functions": {"volatile": "allow", "user_defined": "allow"}}
    server, _, client = b.session(*SERVER, *b.policy(**policy))
    assert kinds(client.query("SELECT a FROM t")) == "TDCZ"
    assert not [t for t in server.texts() if "set_config" in t], server.texts()
