"""Rates, concurrency and plan costs: what a principal may use up."""
import json
import threading

from moat import eventually, row
from pgserver import Statement
from pgwire import SYNC, bind, execute, extended, fields, kinds, parse, query


def refusal(messages):
    assert "E" in kinds(messages), kinds(messages)
    return next(fields(body) for kind, body in messages if kind == "E")


def plan(cost):
    return Statement(["QUERY PLAN"], [(json.dumps([{"Plan": {"Node Type": "Seq Scan", "Total Cost": cost}}]).encode(),)], "EXPLAIN")


# --- rates ---------------------------------------------------------------------

@row("more statements than the burst are refused, and told when to try again")
def _(b):
    server, moat, client = b.session(*b.policy(limits={"rate_per_minute": 6, "burst": 2}))
    assert kinds(client.query("SELECT 1")) == "TDCZ"
    assert kinds(client.query("SELECT 2")) == "TDCZ"
    error = refusal(client.query("SELECT 3"))
    assert error["C"] == "53400" and "rate_limited" in error["D"] and "Try again in" in error["H"], error
    assert len(server.texts()) == 2
    moat.record(event="refusal")
    other = b.client(moat).login()
    assert refusal(other.query("SELECT 4"))["C"] == "53400", "a new connection has a new bucket"
    other = b.client(moat).login(user="bob")
    assert kinds(other.query("SELECT 5")) == "TDCZ", "another user has none of its own"


@row("Execute counts as Query does, Parse and Bind do not")
def _(b):
    _, _, client = b.session(*b.policy(limits={"rate_per_minute": 6, "burst": 2}))
    client.send((parse("SELECT 1") + bind()) * 5 + execute() + SYNC)
    assert kinds(client.until("Z")) == "12" * 5 + "DCZ"
    client.send(extended("SELECT 1") + SYNC)
    assert kinds(client.until("Z")) == "12TDCZ"
    client.send(extended("SELECT 1") + SYNC)
    messages = client.until("Z")
    assert kinds(messages) == "12TEZ" and refusal(messages)["C"] == "53400"


@row("tokens come back with time")
def _(b):
    _, _, client = b.session(*b.policy(limits={"rate_per_minute": 600, "burst": 1}))
    assert kinds(client.query("SELECT 1")) == "TDCZ"
    eventually(lambda: kinds(client.query("SELECT 1")) == "TDCZ", "a token")


@row("observe limits nothing")
def _(b):
    _, _, client = b.session(*b.policy(mode="observe", limits={"rate_per_minute": 1, "burst": 1, "max_concurrent": 1, "max_plan_cost": 1}))
    for _ in range(5):
        assert kinds(client.query("SELECT 1")) == "TDCZ"


# --- concurrency ---------------------------------------------------------------

@row("as many statements as max_concurrent run at a time")
def _(b):
    options = b.policy(limits={"max_concurrent": 1})
    go = threading.Event()

    def slow(_conn, _text):
        go.wait(10)
        return Statement(["a"], [(b"1",)], "SELECT 1")
    server, moat, one = b.session(*options)
    server.queries.append(("slow", slow))
    two = b.client(moat).login()
    one.send(query("SELECT slow FROM t"))
    eventually(lambda: server.texts(), "the first one to run")
    error = refusal(two.query("SELECT 1"))
    assert error["C"] == "53400" and "at a time" in error["M"], error
    two.send(extended("SELECT 1") + SYNC)
    assert kinds(two.until("Z")) == "12TEZ"
    assert kinds(b.client(moat).login(user="bob").query("SELECT 1")) == "TDCZ"
    go.set()
    assert kinds(one.until("Z")) == "TDCZ"
    assert kinds(two.query("SELECT 1")) == "TDCZ"


@row("a client that goes while its statement runs gives its place back")
def _(b):
    go = threading.Event()
    server, moat, one = b.session(*b.policy(limits={"max_concurrent": 1}))
    server.queries.append(("slow", lambda conn, text: go.wait(10) and Statement(["a"], [(b"1",)], "SELECT 1")))
    one.send(query("SELECT slow FROM t"))
    eventually(lambda: server.texts(), "the first one to run")
    one.close()
    two = b.client(moat).login()
    eventually(lambda: kinds(two.query("SELECT 1")) == "TDCZ", "the place")
    go.set()


@row("a refused statement holds no place")
def _(b):
    _, moat, one = b.session(*b.policy(limits={"max_concurrent": 1}))
    two = b.client(moat).login()
    assert refusal(one.query("DELETE FROM t"))["C"] == "42501"
    assert refusal(one.query("EXECUTE nothing"))["C"] == "26000"
    one.send(extended("EXECUTE nothing") + SYNC)
    one.until("Z")
    assert kinds(two.query("SELECT 1")) == "TDCZ"


# --- plan costs ----------------------------------------------------------------

def costly(b, cost, **profile):
    server, moat, client = b.session(*b.policy(limits={"max_plan_cost": 1000}, **profile))
    server.queries.append(("^EXPLAIN", lambda conn, text: plan(cost)))
    server.queries.append(("^ *ROLLBACK TO", Statement(None, [], "ROLLBACK")))
    return server, moat, client


@row("a statement that is planned to cost too much does not run")
def _(b):
    server, moat, client = costly(b, 1000.5)
    error = refusal(client.query("SELECT a FROM t"))
    assert error["C"] == "54000" and "plan_cost" in error["D"] and "1000" in error["M"], error
    assert server.texts() == ["EXPLAIN (FORMAT JSON) SELECT a FROM t\nLIMIT 1001"], server.texts()
    assert moat.record(event="refusal")


@row("one that is cheap enough runs, and the client sees one answer")
def _(b):
    server, _, client = costly(b, 1000)
    assert kinds(client.query("SELECT a FROM t")) == "TDCZ"
    assert [t.split()[0] for t in server.texts()] == ["EXPLAIN", "SELECT"]


@row("what has no plan is not asked for")
def _(b):
    server, _, client = costly(b, 5000)
    for sql in ("SHOW TimeZone", "BEGIN", "COMMIT", ""):
        assert kinds(client.query(sql))[-1] == "Z"
    assert not [t for t in server.texts() if t.startswith("EXPLAIN")]


@row("a plan that cannot be made is the server's to complain about")
def _(b):
    server, _, client = costly(b, 1)
    server.queries[:] = []
    server.queries.append(("^EXPLAIN", lambda conn, text: Statement(["x"], [(b"no json",)], "EXPLAIN")))
    assert kinds(client.query("SELECT a FROM t")) == "TDCZ"


@row("inside a block a plan is asked for between savepoints")
def _(b):
    server, _, client = costly(b, 1)
    client.query("BEGIN")
    messages = client.query("SELECT a FROM t")
    assert kinds(messages) == "TDCZ" and messages[-1][1] == b"T", messages
    texts = [t.split()[0] for t in server.texts()]
    assert texts == ["BEGIN", "SAVEPOINT", "EXPLAIN", "ROLLBACK", "SELECT"], texts


@row("a Bind's plan is asked for with its parameters")
def _(b):
    server, _, client = costly(b, 5000)
    client.send(parse("SELECT a FROM t WHERE a = $1", "s", types=(23,)) + bind("s", values=(b"17",)) + execute() + SYNC)
    messages = client.until("Z")
    assert kinds(messages) == "1EZ" and refusal(messages)["C"] == "54000", kinds(messages)
    asked = [body for kind, body in server.seen if kind == "B"]
    assert len(asked) == 1 and b"17" in asked[0] and asked[0].startswith(b"pgmoat plan\0pgmoat plan\0"), asked
    parses = [body for kind, body in server.seen if kind == "P"]
    assert parses[1].startswith(b"pgmoat plan\0EXPLAIN (FORMAT JSON) SELECT"), parses
    assert parses[1].endswith(b"\0\1\0\0\0\x17"), parses


@row("a cheap Bind goes on in the client's own series")
def _(b):
    server, _, client = costly(b, 5)
    client.send(extended("SELECT a FROM t") + SYNC)
    messages = client.until("Z")
    assert kinds(messages) == "12TDCZ", kinds(messages)
    client.send(extended("SELECT a FROM t") + SYNC)
    assert kinds(client.until("Z")) == "12TDCZ"
    assert kinds(client.query("SELECT 1")) == "TDCZ"


@row("a Parse that fails before a Bind with a plan is told once, up to the client's Sync")
def _(b):
    server, _, client = costly(b, 5)

    def fail(conn, text):
        from pgserver import Failure
        raise Failure(C="42P01", M="no such table")
    server.queries.append(("broken", fail))
    client.send(extended("SELECT a FROM broken") + SYNC)
    messages = client.until("Z")
    assert kinds(messages) == "EZ" and refusal(messages)["C"] == "42P01", kinds(messages)
    client.send(extended("SELECT a FROM t") + SYNC)
    assert kinds(client.until("Z")) == "12TDCZ"


@row("a second Bind of a series that has run one is refused, inside a block it is not")
def _(b):
    server, _, client = costly(b, 5)
    client.send(extended("SELECT a FROM t") + extended("SELECT a FROM t") + SYNC)
    messages = client.until("Z")
    assert kinds(messages) == "12TDC1EZ" and "series" in refusal(messages)["M"], kinds(messages)
    client.query("BEGIN")
    client.send(extended("SELECT a FROM t") + extended("SELECT a FROM t") + SYNC)
    messages = client.until("Z")
    assert kinds(messages) == "12TDC12TDCZ" and messages[-1][1] == b"T", kinds(messages)


@row("several statements in one text have no plan of their own")
def _(b):
    _, _, client = costly(b, 1, multi="each")
    error = refusal(client.query("SELECT 1; SELECT 2"))
    assert error["C"] == "54000", error


# --- rows that a statement changes ----------------------------------------------

WRITER = {"access_mode": "read_write", "writes": {"mode": "allow", "require_where": False, "max_affected_rows": 10},
          "statements": {"allow": ["select", "insert", "update", "delete", "transaction", "prepare", "explain"]}}


def writer(b, rows, **profile):
    server, moat, client = b.session(*b.policy(**dict(WRITER, **profile)))
    server.queries.append(("^UPDATE t", lambda conn, text: Statement(None, [], "UPDATE %d" % rows)))
    server.queries.append(("^INSERT", lambda conn, text: Statement(["a"], [(b"7",)] * rows, "INSERT 0 %d" % rows)))
    return server, moat, client


def first_words(server):
    return [t.split()[0] for t in server.texts()]


@row("a statement that changes few rows is committed, and the client sees one statement")
def _(b):
    server, _, client = writer(b, 10)
    messages = client.query("UPDATE t SET a = 1")
    assert kinds(messages) == "CZ" and messages[0][1] == b"UPDATE 10\0" and messages[1][1] == b"I", messages
    assert first_words(server) == ["BEGIN", "UPDATE", "COMMIT"], server.texts()
    messages = client.query("INSERT INTO t VALUES (7) RETURNING a")
    assert kinds(messages) == "T" + "D" * 10 + "CZ", kinds(messages)
    assert kinds(client.query("SELECT 1")) == "TDCZ"


@row("one that changes more is taken back")
def _(b):
    server, moat, client = writer(b, 11)
    messages = client.query("UPDATE t SET a = 1")
    error = refusal(messages)
    assert kinds(messages) == "EZ" and messages[-1][1] == b"I", kinds(messages)
    assert error["C"] == "54000" and "11 rows" in error["M"] and "row_cap" in error["D"], error
    assert first_words(server) == ["BEGIN", "UPDATE", "ROLLBACK"], server.texts()
    assert moat.record(event="done")["sqlstate"] == "54000"
    assert kinds(client.query("SELECT 1")) == "TDCZ"


@row("a COMMIT that fails is the statement's failure")
def _(b):
    from pgserver import Failure
    server, _, client = writer(b, 1)

    def fail(conn, _text):
        conn.status = "I"
        raise Failure(C="40001", M="could not serialize access")
    server.queries.insert(0, ("^COMMIT", fail))
    messages = client.query("UPDATE t SET a = 1")
    assert kinds(messages) == "EZ" and refusal(messages)["C"] == "40001" and messages[-1][1] == b"I", messages


@row("an error of the statement's own is told once, and its block ended")
def _(b):
    server, _, client = writer(b, 1)
    messages = client.query("UPDATE broken SET a = 1")
    assert kinds(messages) == "EZ" and messages[-1][1] == b"I", messages
    assert first_words(server) == ["BEGIN", "UPDATE", "ROLLBACK"], server.texts()


@row("inside a block too many rows make the block fail")
def _(b):
    server, _, client = writer(b, 11)
    client.query("BEGIN")
    messages = client.query("UPDATE t SET a = 1")
    assert kinds(messages) == "EZ" and messages[-1][1] == b"E", messages
    assert "COMMIT" not in first_words(server)
    client.query("ROLLBACK")
    assert kinds(client.query("SELECT 1")) == "TDCZ"


@row("an Execute that changes too many rows fails its series before the Sync goes")
def _(b):
    server, _, client = writer(b, 11)
    client.send(parse("UPDATE t SET a = 1") + bind() + execute() + SYNC)
    messages = client.until("Z")
    assert kinds(messages) == "12EZ" and refusal(messages)["C"] == "54000", messages
    order = [kind for kind, _ in server.seen]
    assert order.index("S") == len(order) - 1 and order.count("P") == 2, order
    assert kinds(client.query("SELECT 1")) == "TDCZ"


@row("an Execute that changes few rows passes")
def _(b):
    _, _, client = writer(b, 3)
    client.send((parse("UPDATE t SET a = 1") + bind() + execute()) * 2 + SYNC)
    assert kinds(client.until("Z")) == "12C12CZ"


@row("what cannot be counted is refused")
def _(b):
    server, _, client = writer(b, 1, multi="each")
    for sql in ("WITH x AS (DELETE FROM t RETURNING a) SELECT a FROM x", "EXPLAIN ANALYZE UPDATE t SET a = 1", "UPDATE t SET a = 1; UPDATE t SET a = 2",
                "WITH x AS (DELETE FROM u RETURNING a) INSERT INTO t SELECT a FROM x"):
        error = refusal(client.query(sql))
        assert error["C"] == "54000" and "counted" in error["M"], (sql, error)
    client.send(parse("INSERT INTO t VALUES (1) RETURNING a") + bind() + execute(rows=1) + SYNC)
    assert refusal(client.until("Z"))["C"] == "54000"
    assert server.texts() == []


@row("reads have no block of ours")
def _(b):
    server, _, client = writer(b, 1)
    client.query("SELECT 1")
    assert first_words(server) == ["SELECT"]


@row("a client that goes while its block is open leaves no statement behind")
def _(b):
    server, moat, client = writer(b, 1)
    go = threading.Event()
    server.queries.insert(0, ("^UPDATE slow", lambda conn, text: go.wait(10) and Statement(None, [], "UPDATE 1")))
    client.send(query("UPDATE slow SET a = 1"))
    eventually(lambda: any("slow" in t for t in server.texts()), "the statement to run")
    client.close()
    assert moat.record(event="disconnect")
    go.set()
    assert "COMMIT" not in first_words(server)
