"""What was forwarded and is not answered yet: names, caps and clocks must follow what the server does, not what we hope."""
import struct
import threading
import time

from moat import eventually, row
from pgserver import Failure, Statement
from pgwire import (COPY_DONE, FLUSH, SYNC, bind, close, complete, copy_data, data_row, describe, error, execute, extended, fields, kinds, msg,
                    parse, query, ready, row_description)
from rows_simple import fail, refusal

SETTER = "SELECT set_config($1, $2, false)"
HARMLESS = "SELECT $1::text, $2::text"


# --- names -----------------------------------------------------------------------

@row("mode off lets the extended protocol through")
def _(b):
    _, _, client = b.session(*b.policy(mode="off"))
    client.send(parse("DELETE FROM honest_3", "s") + bind("s", "p") + describe("P", "p") + execute("p") + SYNC)
    assert kinds(client.until("Z"))[-2:] in ("EZ", "CZ")
    client.send(extended("SELECT a FROM stubborn_5000") + SYNC)
    assert kinds(client.until("Z")).count("D") == 5000
    client.send(close("S", "s") + SYNC)
    assert kinds(client.until("Z")) == "3Z"


@row("modes off and observe leave unknown names to the server")
def _(b):
    for mode in ("off", "observe"):
        server, _, client = b.session(*b.policy(mode=mode))
        client.query("PREPARE s AS SELECT 1")
        client.send(bind("s") + SYNC + describe("S", "s") + SYNC + execute("c") + SYNC)
        for _ in range(3):
            client.until("Z")
        assert [k for k, _ in server.seen if k in "BDE"] == ["B", "D", "E"], mode


@row("EXECUTE cannot give parameters to a set_config that Bind would have judged")
def _(b):
    server, _, client = b.session()
    client.send(parse(SETTER, "s") + SYNC)
    assert kinds(client.until("Z")) == "1Z"
    for text in ("EXECUTE s('search_path', 'secret')", "EXPLAIN ANALYZE EXECUTE s('search_path', 'secret')"):
        assert refusal(client.query(text))["C"] == "42501", text
        client.send(parse(text) + bind() + execute() + SYNC)
        assert kinds(client.until("Z"))[-2:] == "EZ"
    assert not [1 for t in server.texts() if "secret" in t]
    assert not [1 for k, _ in server.seen if k == "E"]


def series_that_fails(server):
    server.queries.append(("missing", lambda conn, text: fail(C="42703", M="no such column")))
    return parse("SELECT missing", "x")


@row("a Bind behind a series that fails is judged by the statement that the server still has")
def _(b):
    for name in ("s", ""):
        server, moat, client = b.session()
        bad = series_that_fails(server)
        client.send(parse(SETTER, name) + SYNC)
        client.until("Z")
        again = (close("S", name) if name else b"") + parse(HARMLESS, name)
        client.send(bad + again + SYNC + bind(name, "", [b"search_path", b"secret"]) + execute() + SYNC)
        assert kinds(client.until("Z")) == "EZ"
        assert kinds(client.until("Z")) == "EZ"
        assert not [1 for k, body in server.seen if k == "B" and b"secret" in body]
        client.send(extended("SELECT 1") + SYNC)
        assert kinds(client.until("Z")) == "12TDCZ"


@row("an EXECUTE behind a block that failed is judged by the statement that the server still has")
def _(b):
    server, _, client = b.session()
    series_that_fails(server)
    client.send(parse("SELECT 1", "s") + SYNC)
    client.until("Z")
    texts = ("BEGIN", "SELECT missing", "DEALLOCATE s", "PREPARE s AS SELECT 2", "ROLLBACK", "EXECUTE s")
    client.send(b"".join(query(t) for t in texts))
    assert [kinds(client.until("Z")) for _ in texts] == ["CZ", "EZ", "EZ", "EZ", "CZ", "EZ"]
    assert "EXECUTE s" not in server.texts()


@row("a statement that is prepared and used in one packet, a Sync between, is used")
def _(b):
    server, _, client = b.session()
    client.send(parse("SELECT 1", "s") + SYNC + b"".join(bind("s") + execute() + SYNC for _ in range(50)))
    assert kinds(client.until("Z")) == "1Z"
    for _ in range(50):
        assert kinds(client.until("Z")) == "2DCZ"


@row("what waits for a name goes on when its series fails without a Sync")
def _(b):
    server, _, client = b.session()
    series_that_fails(server)
    client.send(parse("SELECT missing", "s") + query("CLOSE ALL") + bind("s") + execute() + SYNC + query("SELECT 1"))
    assert kinds(client.until("Z")) == "EZ"
    assert kinds(client.until("Z")) == "TDCZ"


@row("a name whose definition failed in the series before can be defined at once")
def _(b):
    server, _, client = b.session()
    client.send(series_that_fails(server) + SYNC + parse("SELECT 1", "x") + bind("x") + execute() + SYNC)
    assert kinds(client.until("Z")) == "EZ"
    assert kinds(client.until("Z")) == "12DCZ"


@row("a refused Parse of the unnamed statement leaves none to bind")
def _(b):
    _, _, client = b.session()
    client.send(parse("SELECT 1") + SYNC + parse("DELETE FROM t") + SYNC + bind() + execute() + SYNC)
    assert kinds(client.until("Z")) == "1Z"
    refusal(client.until("Z"))
    assert refusal(client.until("Z"))["C"] == "26000"


@row("PREPARE in SQL, Bind and Execute on the wire")
def _(b):
    server, _, client = b.session()
    client.query("PREPARE s AS SELECT 1")
    server.conns[0].statements["s"] = ("SELECT 1", None)
    for _ in range(2):
        client.send(bind("s", "p") + execute("p") + SYNC)
        assert kinds(client.until("Z")) == "2DCZ"


@row("DECLARE in SQL, Execute on the wire")
def _(b):
    server, _, client = b.session()
    client.query("BEGIN")
    client.query("DECLARE c CURSOR FOR SELECT a FROM honest_5")
    server.conns[0].portals["c"] = Statement(["a"], [(b"1",)] * 5, "SELECT 5")
    client.send(execute("c", 2) + SYNC)
    assert kinds(client.until("Z")) == "DDsZ"


@row("a cursor that a savepoint took away can be declared again")
def _(b):
    _, _, client = b.session()
    for text in ("BEGIN", "SAVEPOINT a", "DECLARE c CURSOR FOR SELECT 1", "ROLLBACK TO a", "DECLARE c CURSOR FOR SELECT 1"):
        if text.startswith("ROLLBACK"):		# the scripted server ends its block; what it says does not matter here
            client.send(query("SELECT 1"))
            client.until("Z")
        else:
            assert kinds(client.query(text)) == "CZ", text


@row("what a reload forbids is not run by EXECUTE of what was prepared before")
def _(b):
    import signal
    options = b.policy(tables={"deny": []})
    server, moat, client = b.session(*options)
    assert kinds(client.query("PREPARE s AS SELECT a FROM ledger")) == "CZ"
    assert kinds(client.query("EXECUTE s")) == "TDCZ"
    b.policy(tables={"deny": ["*.ledger"]})
    moat.process.send_signal(signal.SIGHUP)
    eventually(lambda: "reloaded" in moat.log(), "the reload")
    eventually(lambda: kinds(client.query("SELECT a FROM ledger")) == "EZ", "the new policy")
    assert refusal(client.query("EXECUTE s"))["C"] == "42501"
    assert server.texts().count("EXECUTE s") == 1


@row("a message that is too long does not undo the one before it")
def _(b):
    server, _, client = b.session(*b.policy(limits={"max_query_bytes": "1kB"}))
    client.send(query("BEGIN") + parse("SELECT 1", "s") + query("SELECT '" + "x" * 200000 + "'"))
    assert kinds(client.until("Z")) == "CZ"
    assert kinds(client.until("Z")) == "1EZ"
    client.query("ROLLBACK")
    client.send(bind("s") + execute() + SYNC)
    assert kinds(client.until("Z")) == "2DCZ"


# --- caps ------------------------------------------------------------------------

@row("every portal of a pipeline has its own cap")
def _(b):
    server, _, client = b.session(*b.policy(limits={"max_rows": 10}))
    for one in (extended("SELECT a FROM honest_6"), extended("SELECT a FROM honest_6") + SYNC):
        client.send(one * 20 + SYNC)
        rows = 0
        while rows < 120:
            messages = client.until("Z")
            assert "N" not in kinds(messages), kinds(messages)
            rows += kinds(messages).count("D")
            if one[-5:] != SYNC:
                break
        if one[-5:] == SYNC:
            client.until("Z")
        assert rows == 120, rows


def pieces(b, opening, piece, closing):
    server, _, client = b.session(*b.policy(limits={"max_rows": 10}))
    server.queries.append(("SHOW ALL", lambda conn, text: Statement(["a"], [(b"x",)] * 500, "SHOW")))
    client.query("BEGIN")
    client.send(opening + piece * 20 + closing)
    rows = 0
    while True:
        try:
            rows += kinds(client.until("Z")).count("D")
            client.sock.settimeout(0.5)
        except TimeoutError:
            return rows


@row("a portal that is fetched in pieces and closed in the same packet has one cap")
def _(b):
    assert pieces(b, parse("SHOW ALL") + bind("", "c"), execute("c", 9), close("P", "c") + SYNC) == 10


@row("a cursor that is fetched in pieces and closed in the same packet has one cap")
def _(b):
    fetch = query("FETCH 9 FROM c /* FROM honest_9 */")
    assert pieces(b, query("DECLARE c CURSOR FOR SELECT a FROM honest_500"), fetch, query("CLOSE c")) == 10


@row("binding the portal's name again does not give a running one new rows")
def _(b):
    server, _, client = b.session(*b.policy(limits={"max_rows": 10}))
    go_on = threading.Event()

    def slow(conn, text):
        return Statement(["a"], [(b"x",)] * 8, "SHOW")
    server.queries.append(("SHOW ALL", slow))
    conn = server.conns[0]
    rows = conn.rows

    def halting(statement, limit=0):
        conn.send(*[data_row(b"x")] * 8)
        go_on.wait(5)
        go_on.clear()
        conn.send(*[data_row(b"x")] * 8)
        conn.send(complete("SHOW"))
    conn.rows = halting
    client.send(parse("SHOW ALL") + bind() + execute() + SYNC)
    client.expect("12" + "D" * 8)
    client.send(bind() + SYNC)
    time.sleep(0.1)		# the Bind is with pgmoat; nothing tells when
    go_on.set()
    assert kinds(client.until("Z")).count("D") == 2
    conn.rows = rows
    go_on.set()


@row("a cap cancels nothing while another statement stands behind")
def _(b):
    server, _, client = b.session(*b.policy(limits={"max_rows": 10}))
    server.queries.append(("SHOW ALL", lambda conn, text: Statement(["a"], [(b"x",)] * 5000, "SHOW")))
    client.send(query("SHOW ALL") + query("SELECT 1"))
    assert kinds(client.until("Z")) == "T" + "D" * 10 + "NCZ"
    assert kinds(client.until("Z")) == "TDCZ"
    assert server.cancels == []


@row("a FunctionCall is in the audit file, refused or only observed")
def _(b):
    call = msg("F", struct.pack(">IHHH", 1598, 0, 0, 0))
    for mode, reason in (("enforce", "refused"), ("observe", "observed")):
        server, moat, client = b.session(*b.policy(mode=mode))
        server.conns[0].on_F = lambda body, conn=server.conns[0]: conn.send(msg("V", struct.pack(">i", -1)), ready())
        client.send(call)
        assert kinds(client.until("Z")) == ("EZ" if mode == "enforce" else "VZ")
        moat.record(event="function_call", reason=reason)


@row("on_cap error: what stands behind the result in the series does not run, and a block has failed")
def _(b):
    policy = b.policy(limits={"max_rows": 10, "on_cap": "error"})
    server, _, client = b.session(*policy)
    client.query("BEGIN")
    client.send(extended("SELECT a FROM honest_50") + extended("SELECT 'behind'") + SYNC)
    messages = client.until("Z")
    assert kinds(messages) == "12T" + "D" * 10 + "EZ", kinds(messages)
    assert messages[-1] == ("Z", b"E"), messages[-1]
    assert not [t for t in server.texts("P") if "behind" in t]
    assert client.query("ROLLBACK")[-1] == ("Z", b"I")
    client.query("BEGIN")
    messages = client.query("SELECT a FROM honest_50")
    assert kinds(messages) == "T" + "D" * 10 + "EZ" and messages[-1] == ("Z", b"E"), messages[-1]
    assert client.query("ROLLBACK")[-1] == ("Z", b"I")
    assert kinds(client.query("SELECT 1")) == "TDCZ"


# --- COPY ------------------------------------------------------------------------

@row("data behind a COPY that failed is dropped, and the connection goes on")
def _(b):
    policy = b.policy(access_mode="read_write", statements={"allow": ["select", "copy_from"]}, writes={"mode": "allow"})
    server, _, client = b.session(*policy)
    conn = server.conns[0]
    conn.on_Q = lambda body: conn.send(msg("G", b"\0\0\1\0\0"))
    conn.on_d = lambda body: conn.send(error(S="ERROR", C="22P04", M="bad row"), ready()) if body == b"bad\n" else None
    conn.on_c = lambda body: None
    client.send(query("COPY t FROM STDIN"))
    client.expect("G")
    client.send(copy_data(b"bad\n"))
    client.expect("EZ")
    client.send(copy_data(b"2\n") + COPY_DONE)
    del conn.on_Q
    assert kinds(client.query("SELECT 1")) == "TDCZ"


# --- clocks and memory -------------------------------------------------------------

@row("the clock runs though the client says neither Flush nor Sync")
def _(b):
    server, _, client = b.session(*b.policy(limits={"statement_timeout": "200ms"}))
    gone = threading.Event()
    server.queries.append(("forever", lambda conn, text: gone.wait(30) and None))
    client.send(extended("SELECT forever"))
    assert server.cancelled.wait(8), "nobody cancelled"
    found = client.ended()
    assert fields(found[-1][1])["C"] == "57014", found
    gone.set()


@row("a transaction that waits for its Sync is open as well")
def _(b):
    _, _, client = b.session(*b.policy(limits={"transaction_timeout": "300ms"}))
    client.send(extended("SELECT 1") + FLUSH)
    client.expect("12TDC")
    found = client.ended()
    assert fields(found[-1][1])["C"] == "25P04", found


@row("a series of large statements without Sync does not fill the memory")
def _(b):
    def talk(conn):
        if conn.startup() is not None:
            conn.welcome()
            while True:
                kind, _ = conn.message()
                if kind == "H":
                    asked.append(len(sent))
                    conn.send(msg("1") * len(sent))
                    sent.clear()
                else:
                    sent.append(kind)
    sent, asked = [], []
    _, _, client = b.session(*b.policy(limits={"max_query_bytes": "1MB"}), talk=talk)
    for i in range(100):
        client.send(parse("SELECT '%d%s'" % (i, "x" * 900000)))
    assert max(asked) < 40, asked		# held at once


@row("nothing is forwarded while a cancel is under way")
def _(b):
    server, _, client = b.session()
    arrived, release = threading.Event(), threading.Event()

    def note(pid, secret):
        arrived.set()
        release.wait(5)
    server.note_cancel = note
    done = threading.Event()

    def slow(conn, text):
        done.wait(5)
        raise Failure(C="57014", M="canceling")
    server.queries.append(("slow", slow))
    client.send(query("SELECT slow"))
    eventually(lambda: server.texts(), "the query")
    other = b.client(b.moats[0])
    from pgwire import cancel
    other.send(cancel(client.pid, client.key))
    assert arrived.wait(5)
    client.send(query("SELECT 'next'"))
    time.sleep(0.1)
    assert len(server.seen) == 1
    done.set()
    client.until("Z")
    time.sleep(0.2)
    assert len(server.seen) == 1, "the next statement is there before the cancel was taken"
    release.set()
    assert kinds(client.until("Z")) == "TDCZ"
