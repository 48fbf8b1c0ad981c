"""More rows and bytes than a profile gives: withheld, said, and stopped at the server."""
from moat import row
from pgserver import Failure, Statement
from pgwire import SYNC, bind, complete, copy_data, data_row, execute, extended, fields, kinds, msg, parse, query, ready, row_description


def insist_capped(messages, rows, tag):
    """So many rows, a notice, and a tag that says what the client got."""
    got = kinds(messages)
    assert got.count("D") == rows, "%d rows" % got.count("D")
    notices = [fields(body) for kind, body in messages if kind == "N"]
    assert len(notices) == 1, notices
    assert notices[0]["S"] == "NOTICE" and str(rows) in notices[0]["M"], notices[0]
    assert [body for kind, body in messages if kind == "C"] == [tag.encode() + b"\0"], messages[-2:]
    assert messages[-1] == ("Z", b"I")


@row("a LIMIT is added that keeps the cap: 1000 rows, a notice, SELECT 1000")
def _(b):
    server, moat, client = b.session()
    insist_capped(client.query("SELECT a FROM honest_5000"), 1000, "SELECT 1000")
    assert "LIMIT 1001" in server.texts()[0], server.texts()
    assert server.cancels == []
    decision = moat.record(event="query")
    assert decision["verdict"] == "rewrite" and "1001" in decision["rewritten"], decision
    done = moat.record(event="done")
    assert (done["rows"], done["capped"], done["sqlstate"]) == (1000, True, "00000"), done


@row("exactly as many rows as the cap are no cap")
def _(b):
    _, _, client = b.session()
    messages = client.query("SELECT a FROM honest_1000")
    assert kinds(messages) == "T" + "D" * 1000 + "CZ" and messages[-2][1] == b"SELECT 1000\0"


@row("fewer rows than the cap pass as they are")
def _(b):
    _, moat, client = b.session()
    assert kinds(client.query("SELECT a FROM honest_3")) == "TDDDCZ"
    assert moat.record(event="done")["capped"] in (False, None)


@row("a larger LIMIT of the client is lowered, a smaller one stays")
def _(b):
    server, _, client = b.session(*b.policy(limits={"max_rows": 10}))
    insist_capped(client.query("SELECT a FROM honest_5000 LIMIT 4000"), 10, "SELECT 10")
    assert kinds(client.query("SELECT a FROM honest_5000 LIMIT 4")) == "TDDDDCZ"
    assert "LIMIT 4" in server.texts()[-1]


@row("a trailing comment cannot swallow the LIMIT")
def _(b):
    server, _, client = b.session(*b.policy(limits={"max_rows": 10}))
    insist_capped(client.query("SELECT a FROM honest_50 -- all of them"), 10, "SELECT 10")
    insist_capped(client.query("SELECT a FROM honest_50; /* all */ -- of them"), 10, "SELECT 10")


@row("a server that does not keep the LIMIT is cut off all the same")
def _(b):
    _, _, client = b.session()
    insist_capped(client.query("SELECT a FROM stubborn_5000"), 1000, "SELECT 1000")
    assert kinds(client.query("SELECT 1")) == "TDCZ"


@row("the cap holds in the extended protocol")
def _(b):
    server, _, client = b.session(*b.policy(limits={"max_rows": 10}))
    client.send(extended("SELECT a FROM honest_500") + SYNC)
    insist_capped(client.until("Z"), 10, "SELECT 10")
    client.send(extended("SELECT a FROM stubborn_500") + SYNC)
    insist_capped(client.until("Z"), 10, "SELECT 10")
    assert "LIMIT 11" in server.texts("P")[0]


@row("fetching a portal piece by piece does not get around the cap")
def _(b):
    _, _, client = b.session(*b.policy(limits={"max_rows": 10}))
    client.query("BEGIN")
    client.send(parse("SELECT a FROM stubborn_500") + bind("", "c") + SYNC)
    client.until("Z")
    rows = 0
    for _ in range(10):
        client.send(execute("c", 4) + SYNC)
        rows += kinds(client.until("Z")).count("D")
    assert rows == 10, rows


@row("the cap counts every result of a batch by itself")
def _(b):
    _, _, client = b.session(*b.policy(multi="each", limits={"max_rows": 10}))
    messages = client.query("SELECT a FROM honest_4; SELECT a FROM honest_50; SELECT a FROM honest_4")
    assert kinds([m for m in messages if m[0] != "N"]) == "T" + "D" * 4 + "CT" + "D" * 10 + "CT" + "D" * 4 + "CZ", kinds(messages)
    assert kinds(messages).count("N") == 1


def endless(conn, text):
    """Rows without end, until somebody cancels."""
    conn.send(row_description("a"))
    for _ in range(1000):
        if conn.server.cancelled.wait(0.01):
            raise Failure(C="57014", M="canceling statement due to user request")
        conn.send(data_row(b"x") * 100)
    raise AssertionError("nobody cancelled")


@row("what no LIMIT could be given to is cancelled at the server when it reaches the cap")
def _(b):
    server, _, client = b.session(*b.policy(limits={"max_rows": 10}))
    server.queries.append(("SHOW ALL", endless))
    client.send(query("SHOW ALL"))
    messages = client.until("Z")
    assert server.cancelled.wait(5), "no CancelRequest came"
    insist_capped(messages, 10, "SHOW")	# what the server would have said
    assert kinds(client.query("SELECT 1")) == "TDCZ"


@row("a cap that cancels what stands behind a series without Sync is told as an error: the series is rolled back too")
def _(b):
    server, _, client = b.session(*b.policy(limits={"max_rows": 10}))
    server.queries.append(("SHOW ALL", endless))
    client.send(parse("SELECT 1") + bind() + execute() + query("SHOW ALL"))
    messages = client.until("Z")
    errors = [fields(body) for kind, body in messages if kind == "E"]
    assert len(errors) == 1 and errors[0]["C"] == "54000", messages[-3:]


@row("the cancel of a cap does not hit the next statement")
def _(b):
    server, _, client = b.session(*b.policy(limits={"max_rows": 10}))
    server.queries.append(("SHOW ALL", lambda conn, text: Statement(["a"], [(b"x",)] * 5000, "SHOW")))
    late = []
    server.note_cancel = lambda pid, secret: late.append(len(server.texts()))
    for _ in range(30):
        client.send(query("SHOW ALL") + query("SELECT 1"))
        client.until("Z")
        assert kinds(client.until("Z")) == "TDCZ"


@row("on_cap error makes an error of it, with a hint")
def _(b):
    _, _, client = b.session(*b.policy(limits={"max_rows": 10, "on_cap": "error"}))
    for text in ("SELECT a FROM honest_50", "SELECT a FROM stubborn_5000"):
        messages = client.query(text)
        got = kinds(messages)
        assert got.endswith("EZ") and got.count("D") <= 10 and "C" not in got, got
        found = fields(messages[-2][1])
        assert "row_cap" in found["D"] and found["H"] and found["S"] == "ERROR", found
    assert kinds(client.query("SELECT 1")) == "TDCZ"


@row("max_result_bytes holds too")
def _(b):
    server, _, client = b.session(*b.policy(limits={"max_result_bytes": "64kB"}))
    server.queries.append(("wide", lambda conn, text: Statement(["a"], [(b"x" * 10000,)] * 100, "SELECT 100")))
    messages = client.query("SELECT wide")
    got = kinds(messages)
    assert 0 < got.count("D") <= 6 and got.count("N") == 1 and got.endswith("Z") and "C" in got, got
    assert kinds(client.query("SELECT 1")) == "TDCZ"


@row("COPY TO STDOUT is capped like rows")
def _(b):
    policy = b.policy(statements={"allow": ["select", "copy_to"]}, limits={"max_rows": 10, "max_result_bytes": "1MB"})
    server, _, client = b.session(*policy)
    conn = server.conns[0]
    conn.on_Q = lambda body: conn.send(msg("H", b"\0\0\1\0\0"), copy_data(b"1\n") * 500, msg("c"), complete("COPY 500"), ready())
    messages = client.query("COPY (SELECT 1) TO STDOUT")
    got = kinds(messages)
    assert got.startswith("H") and got.count("d") == 10 and got.count("c") == 1 and got.endswith("Z"), got
    assert got.count("N") == 1 and b"COPY 10\0" in [body for kind, body in messages if kind == "C"], messages[-4:]


@row("under mode observe nothing is cut or refused, and the audit file says what would have been")
def _(b):
    server, moat, client = b.session(*b.policy(mode="observe", limits={"max_rows": 10}))
    assert kinds(client.query("SELECT a FROM stubborn_50")).count("D") == 50
    server.queries.append(("DELETE", Statement(None, [], "DELETE 3")))
    assert kinds(client.query("DELETE FROM users")) == "CZ"
    found = moat.record(event="query", verdict="block")
    assert found["observed"] is True and found["kinds"] == ["delete"], found
