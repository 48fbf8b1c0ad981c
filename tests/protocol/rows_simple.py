"""Simple queries: relayed, refused, rewritten, and written down."""
import struct
import threading

from moat import eventually, row
from pgserver import Failure
from pgwire import COPY_DONE, complete, copy_data, data_row, error, fields, kinds, msg, parameter, query, ready, row_description


def refusal(messages, status="I"):
    """One ErrorResponse and one ReadyForQuery of that status; the error's fields."""
    assert kinds(messages) == "EZ", kinds(messages)
    assert messages[1][1] == status.encode(), messages[1]
    found = fields(messages[0][1])
    assert found["S"] == found["V"] == "ERROR", found
    return found


def statements(server):
    """What ran on the server: texts that are not a refusal's stand-in."""
    return [t for t in server.texts() if "refused" not in t]


@row("a query and its answer pass as they are")
def _(b):
    server, _, client = b.session()
    messages = client.query("SELECT 1")
    assert messages == [("T", row_description("?column?")[5:]), ("D", data_row(b"1")[5:]), ("C", b"SELECT 1\0"), ("Z", b"I")]
    assert server.texts()[0].startswith("SELECT 1")


@row("empty and comment-only texts are answered by EmptyQueryResponse")
def _(b):
    _, _, client = b.session()
    for text in ("", ";", " ", "-- ping", "/* DBD::Pg ping test v3.16.0 */", "/* a /* b */ */;"):
        if "/* b" not in text:		# the scripted server does not know nested comments
            assert kinds(client.query(text)) == "IZ", text


@row("a refusal has severity, SQLSTATE, message, detail, hint and position, and the status stays I")
def _(b):
    server, _, client = b.session()
    found = refusal(client.query("SELECT 1 FROM pg_authid"))
    assert list(found) == ["S", "V", "C", "M", "D", "H", "P"], list(found)
    assert found["C"] == "42501" and "pg_authid" in found["M"] and "table_denied" in found["D"] and found["H"]
    assert found["P"] == str(len("SELECT 1 FROM ") + 1), found["P"]
    assert statements(server) == []


@row("a write is refused by its statement and the connection goes on")
def _(b):
    server, _, client = b.session()
    for text in ("DELETE FROM users", "DROP SCHEMA public CASCADE", "UPDATE users SET a = 1", "TRUNCATE users", "VACUUM",
                 "CREATE TABLE t (a int)", "COPY users FROM PROGRAM 'id'", "DO 'x'", "CALL p()"):
        assert refusal(client.query(text))["C"] == "42501", text
        assert kinds(client.query("SELECT 1")) == "TDCZ"
    assert len(statements(server)) == 9


@row("a syntax error is 42601 with its position, and not the server's business")
def _(b):
    server, _, client = b.session()
    found = refusal(client.query("SELECT 1 FROM FROM t"))
    assert found["C"] == "42601" and found["P"] == "15", found
    assert "parse_error" in found["D"]
    assert server.texts() == []


@row("positions count characters, not bytes")
def _(b):
    _, _, client = b.session()
    text = "SELECT '\u00e4\u00f6\u00fc\u20ac\U0001d11e' FROM pg_authid"
    assert refusal(client.query(text))["P"] == str(text.index("pg_authid") + 1)


@row("text that is not UTF-8 is refused and the connection goes on")
def _(b):
    server, _, client = b.session()
    for bad in (b"SELECT '\xff'", b"SELECT '\xc0\x80'", b"SELECT '\xed\xa0\x80'", b"SELECT '\xe2\x82"):
        client.send(msg("Q", bad + b"\0"))
        found = refusal(client.until("Z"))
        assert "encoding" in found["D"], found
    assert statements(server) == []
    assert kinds(client.query("SELECT 1")) == "TDCZ"


@row("a batch with a refused statement falls whole")
def _(b):
    server, _, client = b.session(*b.policy(multi="each"))
    assert refusal(client.query("SELECT 1; DELETE FROM users; SELECT 2"))["C"] == "42501"
    assert refusal(client.query("COMMIT; DROP SCHEMA public CASCADE"))["C"] == "42501"
    assert statements(server) == []
    assert kinds(client.query("SELECT 1; SELECT 2")) == "TDCTDCZ"


@row("several statements are refused where the policy says one")
def _(b):
    server, _, client = b.session(*b.policy(multi="deny"))
    assert "multi_statement" in refusal(client.query("SELECT 1; SELECT 2"))["D"]
    assert statements(server) == []


# --- transaction blocks --------------------------------------------------------

@row("a refusal inside a block makes it a failed one, on the server too")
def _(b):
    server, _, client = b.session()
    client.query("BEGIN")
    refusal(client.query("DELETE FROM users"), "E")
    assert server.conns[0].status == "E"
    assert refusal(client.query("SELECT 1"), "E")["C"] == "25P02"
    assert client.query("ROLLBACK")[-1] == ("Z", b"I")
    assert kinds(client.query("SELECT 1")) == "TDCZ"
    assert not [t for t in server.texts() if "DELETE" in t]


@row("a refusal inside a failed block leaves it failed")
def _(b):
    _, _, client = b.session()
    client.query("BEGIN")
    refusal(client.query("DELETE FROM users"), "E")
    refusal(client.query("DELETE FROM users"), "E")
    assert client.query("ROLLBACK")[-1] == ("Z", b"I")


@row("pipelined queries are answered in order, refused ones among them")
def _(b):
    _, _, client = b.session()
    texts = ["SELECT 1", "DELETE FROM a", "SELECT 1", "DELETE FROM a", "DELETE FROM a", "SELECT 1"]
    client.send(*[query(t) for t in texts])
    for text in texts:
        assert kinds(client.until("Z")) == ("EZ" if "DELETE" in text else "TDCZ"), text


@row("a refusal behind a pipelined BEGIN says E, not I")
def _(b):
    _, _, client = b.session()
    client.send(query("BEGIN") + query("DELETE FROM users") + query("SELECT 1") + query("ROLLBACK"))
    assert client.until("Z")[-1] == ("Z", b"T")
    refusal(client.until("Z"), "E")
    refusal(client.until("Z"), "E")
    assert client.until("Z")[-1] == ("Z", b"I")


@row("BEGIN READ WRITE becomes READ ONLY with a notice")
def _(b):
    server, _, client = b.session()
    messages = client.query("BEGIN READ WRITE")
    assert kinds(messages) in ("NCZ", "CNZ"), kinds(messages)
    assert [fields(m)["S"] for k, m in messages if k == "N"] == ["NOTICE"]
    assert messages[-1] == ("Z", b"T")
    assert "READ ONLY" in server.texts()[0].upper() and "READ WRITE" not in server.texts()[0].upper()


# --- what the server says --------------------------------------------------------

@row("a server's error passes with all of its fields, those that we do not know too")
def _(b):
    server, _, client = b.session()
    sent = dict(S="FEHLER", V="ERROR", C="22012", M="division by zero", D="why", W="here", s="public", t="users", c="id", n="pk",
                F="int.c", L="841", R="int4div", z="new")
    server.queries.append(("wrong", lambda conn, text: fail(**sent)))
    messages = client.query("SELECT wrong")
    assert kinds(messages) == "EZ" and fields(messages[0][1]) == sent


def fail(**sent):
    raise Failure(**sent)


@row("a server's error without SQLSTATE passes and the connection goes on")
def _(b):
    server, moat, client = b.session()

    conn = server.conns[0]
    conn.on_Q = lambda body: conn.send(error(S="ERROR", M="odd"), ready())
    messages = client.query("SELECT wrong")
    assert kinds(messages) == "EZ" and fields(messages[0][1]) == {"S": "ERROR", "M": "odd"}
    del conn.on_Q
    assert kinds(client.query("SELECT 1")) == "TDCZ"
    assert len(moat.record(event="done", query=1)["sqlstate"]) == 5


def points_at(word):
    """The server's error points at a word in the text that it was given."""
    def answer(conn, text):
        conn.server.pointed = text
        raise Failure(C="42703", M="no " + word, P=str(text.index(word) + 1))
    return answer


@row("error positions behind what we changed are mapped back to the client's text")
def _(b):
    server, _, client = b.session()
    server.queries.append(("nope", points_at("nope")))
    changed = 0
    for text in ("SELECT nope FROM t", "SELECT 1 FROM t LIMIT 5000 OFFSET nope", "SELECT '\u00e4\u00e9\u20ac' FROM t LIMIT ALL OFFSET nope",
                 "SELECT 1 FROM t ORDER BY nope", "VALUES (1) LIMIT 99999 OFFSET nope -- c",
                 "(SELECT 1 FROM t LIMIT 4) UNION (SELECT 2 FROM t) LIMIT 777777 OFFSET nope"):
        found = fields(client.query(text)[0][1])
        assert found["P"] == str(text.index("nope") + 1), (text, server.pointed, found["P"])
        changed += server.pointed.index("nope") != text.index("nope")
    assert changed >= 3, "nothing in front of the position was rewritten: the row shows nothing"


@row("notices, notifications and parameters pass at any time")
def _(b):
    server, _, client = b.session()
    conn = server.conns[0]
    conn.send(parameter("application_name", "x"), error("N", S="WARNING", M="hi"), msg("A", struct.pack(">I", 7) + b"ch\0pay\0"))
    assert client.expect("SNA")[2] == struct.pack(">I", 7) + b"ch\0pay\0"
    assert kinds(client.query("SELECT 1")) == "TDCZ"


@row("the session ends when the server takes up another encoding or other strings")
def _(b):
    for name, value in (("client_encoding", "SJIS"), ("standard_conforming_strings", "off")):
        server, _, client = b.session()
        server.conns[-1].send(parameter(name, value))
        found = client.ended()
        assert "E" in kinds(found) and fields(found[-1][1])["S"] == "FATAL", found


@row("COPY TO STDOUT passes where the policy allows it")
def _(b):
    server, _, client = b.session(*b.policy(statements={"allow": ["select", "copy_to"]}))

    def on_Q(body):
        conn = server.conns[0]
        conn.send(msg("H", b"\0\0\1\0\0"), copy_data(b"1\n"), copy_data(b"2\n"), COPY_DONE, complete("COPY 2"), ready())
    server.conns[0].on_Q = on_Q
    messages = client.query("COPY (SELECT 1) TO STDOUT")
    assert kinds(messages) == "HddcCZ" and messages[1][1] == b"1\n", messages


@row("COPY FROM STDIN is refused, and the data that is on its way does not matter")
def _(b):
    server, _, client = b.session()
    client.send(query("COPY users FROM STDIN") + copy_data(b"1\n") + copy_data(b"2\n") + COPY_DONE)
    refusal(client.until("Z"))
    assert kinds(client.query("SELECT 1")) == "TDCZ"
    assert not [k for k, _ in server.seen if k in "dcf"]


@row("FunctionCall is refused and the connection goes on")
def _(b):
    server, _, client = b.session()
    client.send(msg("F", struct.pack(">IHHHiHH", 1598, 0, 0, 0, 0, 0, 0)[:14]))
    assert refusal(client.until("Z"))["C"] == "42501"
    assert kinds(client.query("SELECT 1")) == "TDCZ"
    assert not [k for k, _ in server.seen if k == "F"]


@row("Terminate reaches the server")
def _(b):
    server, _, client = b.session()
    client.send(msg("X"))
    client.ended()
    eventually(lambda: [k for k, _ in server.seen if k == "X"], "the server sees Terminate")


# --- the audit file ------------------------------------------------------------

@row("an allowed statement has a decision and a completion in the audit file")
def _(b):
    _, moat, client = b.session()
    client.query("SELECT a FROM public.honest_3")
    decision = moat.record(event="query")
    assert (decision["user"], decision["database"], decision["client"]) == ("ann", "shop", "127.0.0.1"), decision
    assert decision["verdict"] in ("allow", "rewrite") and decision["kinds"] == ["select"], decision
    assert "honest_3" in str(decision["relations"]) and decision["text"] == "SELECT a FROM public.honest_3"
    assert decision["time"].endswith("Z") and decision["profile"]
    done = moat.record(event="done", session=decision["session"], query=decision["query"])
    assert (done["rows"], done["sqlstate"]) == (3, "00000"), done
    assert done["bytes"] > 0 and done["milliseconds"] >= 0


@row("a refused statement has a decision with its rule in the audit file, and no completion")
def _(b):
    _, moat, client = b.session()
    client.query("DELETE FROM users")
    decision = moat.record(event="query", verdict="block")
    assert decision["rule"] in ("read_only", "statement_not_allowed") and decision["kinds"] == ["delete"], decision
    client.query("SELECT 1")
    moat.record(event="done")
    assert not moat.records(event="done", query=decision["query"])


@row("a failed statement has its SQLSTATE in the audit file")
def _(b):
    server, moat, client = b.session()
    server.queries.append(("wrong", lambda conn, text: fail(C="22012", M="division by zero")))
    client.query("SELECT wrong")
    assert moat.record(event="done")["sqlstate"] == "22012"


@row("the decision is in the audit file though the server never answers")
def _(b):
    server, moat, client = b.session()
    here = threading.Event()

    def hang(conn, text):
        here.wait(5)
        raise Failure(C="57014", M="canceled")
    server.queries.append(("slow", hang))
    client.send(query("SELECT slow"))
    assert moat.record(event="query")["text"] == "SELECT slow"
    here.set()
    client.until("Z")


@row("--audit-redact leaves the text out")
def _(b):
    _, moat, client = b.session("--audit-redact")
    client.query("SELECT 'very secret'")
    assert moat.record(event="query")["text"] == "redacted"
    with open(moat.audit, encoding="utf-8") as f:
        assert "very secret" not in f.read()


@row("a line that a client would forge in log or audit stays one string")
def _(b):
    _, moat = b.pair()
    client = b.client(moat).login(user='ann\n{"event":"forged"}', application_name="x\r\nlistening on 127.0.0.1:1")
    client.query("SELECT '\n{\"event\":\"forged\"}'")
    moat.record(event="query")
    assert not moat.records(event="forged")
    assert not [line for line in moat.lines if line.startswith(('{"event"', "listening on 127.0.0.1:1"))]
