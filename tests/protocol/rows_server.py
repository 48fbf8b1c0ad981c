"""Servers that die, and servers that lie."""
import struct
import time

from moat import row
from pgserver import KEY, PID, behave
from pgwire import (COPY_DONE, SYNC, Closed, auth, bind, complete, copy_data, cstr, data_row, error, execute, extended, fields, key,
                    kinds, msg, parameter, parse, password, query, ready, row_description, startup)
from rows_startup import LOGIN

HEADER = b"D" + struct.pack(">I", 1000)		# a row of 996 bytes, or its beginning


def logged_in(*says):
    """A server that answers the first message after the login with says, and dies."""
    def talk(conn):
        if conn.startup() is not None:
            conn.welcome()
            conn.message()
            conn.send(*says)
    return talk


def at_login(*says):
    """A server that says this to the startup packet, waiting for one message behind each, and dies."""
    def talk(conn):
        if conn.startup() is not None:
            for i, part in enumerate(says):
                conn.send(part)
                if i + 1 < len(says):
                    conn.message()
    return talk


def to_the_end(client):
    """Whole messages up to the end, and the bytes of one that was cut."""
    try:
        while True:
            client.fill()
    except Closed:
        pass
    found = []
    while len(client.buffer) >= 5:
        length = struct.unpack(">I", client.buffer[1:5])[0] + 1
        if length > len(client.buffer):
            break
        found.append(client.message())
    return found, bytes(client.buffer)


def ends_well(b, moat, client, expected, may_cut=False):
    """What the server said first, then FATAL in class 08 or just the end; and others are served."""
    found, cut = to_the_end(client)
    said = kinds(found)
    assert said in (expected, expected + "E"), "expected %r and FATAL, got %r" % (expected, said)
    if said != expected:
        last = fields(found[-1][1])
        assert last["S"] == "FATAL" and last["C"].startswith("08"), last
    assert may_cut or cut == b"", cut[:60]
    b.servers[0].talk = behave
    assert kinds(b.client(moat).login().query("SELECT 1")) == "TDCZ"
    return said != expected


DIES_AT_LOGIN = (
    ("before it says anything", at_login(b""), "", None),
    ("in the middle of its first message", at_login(b"R\0\0"), "", None),
    ("after asking for a password", at_login(auth(3)), "R", None),
    ("when it has the password", at_login(auth(3), b""), "R", password("x")),
    ("in the middle of SASL", at_login(auth(10, b"SCRAM-SHA-256\0\0"), auth(11, b"r=")[:7]), "R",
     msg("p", cstr("SCRAM-SHA-256") + struct.pack(">I", 3) + b"n,,")),
    ("between OK and the first parameter", at_login(auth(0)), "R", None),
    ("between key and ReadyForQuery", at_login(auth(0) + parameter("a", "b") + key(PID, KEY)), "RS", None),
)


def dies_at_login(talk, expected, answer):
    def test(b):
        _, moat = b.pair(talk=talk)
        client = b.client(moat)
        client.send(startup(LOGIN))
        if answer is not None:
            client.expect("R")
            client.send(answer)
            expected_then = expected[1:]
        else:
            expected_then = expected
        ends_well(b, moat, client, expected_then)
    return test


for where, talk_, expected_, answer_ in DIES_AT_LOGIN:
    row("a server that dies during the login %s" % where)(dies_at_login(talk_, expected_, answer_))


T, D, C = row_description("a"), data_row(b"1"), complete("SELECT 1")
DIES_LATER = (
    ("before it answers a query", query("SELECT 1"), (), "", False),
    ("in the middle of a message's header", query("SELECT 1"), (b"T\0\0",), "", False),
    ("in the middle of RowDescription", query("SELECT 1"), (T[:9],), "", False),
    ("between RowDescription and the rows", query("SELECT 1"), (T,), "T", False),
    ("in the middle of a row", query("SELECT 1"), (T, D, HEADER + b"x" * 500), "TD", True),
    ("between a row's header and its body", query("SELECT 1"), (T, D, HEADER), "TD", True),
    ("between CommandComplete and ReadyForQuery", query("SELECT 1"), (T, D, C), "TDC", False),
    ("in the middle of ReadyForQuery", query("SELECT 1"), (T, D, C, b"Z\0\0\0\5"), "TDC", False),
    ("after ParseComplete", extended("SELECT 1") + SYNC, (msg("1"),), "1", False),
    ("after BindComplete", extended("SELECT 1") + SYNC, (msg("1"), msg("2")), "12", False),
    ("after its answers and before Sync's", extended("SELECT 1") + SYNC, (msg("1"), msg("2"), T, D, C), "12TDC", False),
    ("after an error and before ReadyForQuery", query("SELECT 1"), (error(S="ERROR", C="22012", M="x"),), "E", False),
    ("in the answer to what was put in a refusal's place", query("BEGIN") + query("DELETE FROM users"),
     (complete("BEGIN"), ready("T")), "CZ", False),
)


def dies_later(asks, says, expected, may_cut):
    def test(b):
        _, moat, client = b.session(talk=logged_in(*says))
        client.send(asks)
        assert ends_well(b, moat, client, expected, may_cut) or may_cut, "no FATAL, though no message was cut"
    return test


for where, asks_, says_, expected_, cut_ in DIES_LATER:
    row("a server that dies %s" % where)(dies_later(asks_, says_, expected_, cut_))


@row("a server that dies in COPY out")
def _(b):
    talk = logged_in(msg("H", b"\0\0\1\0\0"), copy_data(b"1\n"))
    _, moat, client = b.session(*b.policy(statements={"allow": ["select", "copy_to"]}), talk=talk)
    client.send(query("COPY (SELECT 1) TO STDOUT"))
    ends_well(b, moat, client, "Hd")


@row("a server that dies while nothing runs")
def _(b):
    def talk(conn):
        if conn.startup() is not None:
            conn.welcome()
    _, moat, client = b.session(talk=talk)
    ends_well(b, moat, client, "")


@row("a server that says FATAL and dies has its own words relayed, once")
def _(b):
    bye = dict(S="FATAL", V="FATAL", C="57P01", M="terminating connection due to administrator command")
    _, _, client = b.session(talk=logged_in(error(**bye)))
    client.send(query("SELECT 1"))
    found = client.ended()
    assert kinds(found) == "E" and fields(found[0][1]) == bye, found


@row("the statement that a dying server ran has its completion in the audit file")
def _(b):
    _, moat, client = b.session(talk=logged_in(T, D))
    client.send(query("SELECT 1"))
    client.ended()
    assert moat.record(event="done")["sqlstate"] == "08006"


# --- lies ----------------------------------------------------------------------

LIES = (
    ("a type that no message has", query("SELECT 1"), b"\xff\0\0\0\4", ""),
    ("a type 0", query("SELECT 1"), b"\0\0\0\0\4", ""),
    ("a length of 0", query("SELECT 1"), b"T\0\0\0\0", ""),
    ("a length of 3", query("SELECT 1"), b"C\0\0\0\3", ""),
    ("a negative length", query("SELECT 1"), b"T\xff\xff\xff\xff", ""),
    ("a length of 2 GB", query("SELECT 1"), b"T\x7f\xff\xff\xff", ""),
    ("a row with a negative length", query("SELECT 1"), T + b"D\xff\xff\xff\xff", "T"),
    ("a row with a length of 3", query("SELECT 1"), T + b"D\0\0\0\3", "T"),
    ("a ReadyForQuery without a status", query("SELECT 1"), T + D + C + b"Z\0\0\0\4", "TDC"),
    ("a ReadyForQuery with a status that is none", query("SELECT 1"), T + D + C + b"Z\0\0\0\5X", "TDC"),
    ("a second ReadyForQuery", query("SELECT 1"), T + D + C + ready() + ready(), "TDCZ"),
    ("ParseComplete to a query", query("SELECT 1"), msg("1"), ""),
    ("rows to a Parse", parse("SELECT 1") + SYNC, D, ""),
    ("BindComplete before ParseComplete", parse("SELECT 1") + bind() + SYNC, msg("2"), ""),
    ("CommandComplete to a Bind", parse("SELECT 1") + bind() + SYNC, msg("1") + C, "1"),
    ("ReadyForQuery before the answers", parse("SELECT 1") + bind() + execute() + SYNC, msg("1") + ready(), "1"),
    ("CopyInResponse to a SELECT", query("SELECT 1"), msg("G", b"\0\0\1\0\0"), ""),
    ("CopyOutResponse to a SELECT", query("SELECT 1"), msg("H", b"\0\0\1\0\0"), ""),
    ("CopyBothResponse", query("SELECT 1"), msg("W", b"\0\0\1\0\0"), ""),
    ("CopyData outside COPY", query("SELECT 1"), T + copy_data(b"1\n"), "T"),
    ("CopyDone outside COPY", query("SELECT 1"), T + COPY_DONE, "T"),
    ("FunctionCallResponse", query("SELECT 1"), msg("V", struct.pack(">i", -1)), ""),
    ("another authentication request", query("SELECT 1"), auth(3), ""),
    ("an error that is not terminated", query("SELECT 1"), msg("E", b"SERROR\0Mno"), ""),
    ("a parameter without a value", query("SELECT 1"), msg("S", b"name\0"), ""),
)


def lies(asks, says, expected):
    def test(b):
        def talk(conn):
            if conn.startup() is not None:
                conn.welcome()
                conn.message()
                conn.send(says)
                conn.run()		# and stays, so that only we can end it
        _, moat, client = b.session(talk=talk)
        client.send(asks)
        assert ends_well(b, moat, client, expected), "no FATAL"
    return test


for what, asks_, says_, expected_ in LIES:
    row("a server that sends %s ends its session" % what)(lies(asks_, says_, expected_))


UNASKED = (("ReadyForQuery", ready()), ("a row", D), ("CommandComplete", C), ("ParseComplete", msg("1")), ("CopyInResponse", msg("G", b"\0\0\0")),
           ("EmptyQueryResponse", msg("I")), ("PortalSuspended", msg("s")))


def unasked(says):
    def test(b):
        def talk(conn):
            if conn.startup() is not None:
                conn.welcome()
                conn.send(says)
                conn.run()
        _, moat, client = b.session(talk=talk)
        assert ends_well(b, moat, client, ""), "no FATAL"
    return test


for what, says_ in UNASKED:
    row("a server that sends %s unasked ends its session" % what)(unasked(says_))


@row("a server that sends rubbish during the login ends the login")
def _(b):
    for rubbish in (b"\xff" * 64, b"HTTP/1.1 400 Bad Request\r\n\r\n", b"Z\0\0\0\5I", D, b"R\xff\xff\xff\xff", b"R\0\0\0\2", b"v\0\0\0\4",
                    auth(0) + msg("S", b"a"), auth(0) + msg("K", b"\0"), auth(0) + msg("K", b"x" * 300) + ready()):
        def talk(conn, rubbish=rubbish):
            if conn.startup() is not None:
                conn.send(rubbish)
                time.sleep(0.2)
        _, moat = b.pair(talk=talk)
        client = b.client(moat)
        client.send(startup(LOGIN))
        found, cut = to_the_end(client)
        assert kinds(found).lstrip("RS") in ("", "E") and cut == b"", (rubbish, found)


@row("a server that welcomes without a key gets no cancel")
def _(b):
    def talk(conn):
        if conn.startup() is not None:
            conn.send(auth(0), ready())
            conn.run()
    _, _, client = b.session(talk=talk)
    assert kinds(client.query("SELECT 1")) == "TDCZ"
