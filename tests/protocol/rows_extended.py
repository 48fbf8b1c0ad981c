"""The extended protocol: series, pipelines, names, and one ReadyForQuery per Sync."""
import struct
import threading

from moat import eventually, row
from pgserver import Statement
from pgwire import (FLUSH, SYNC, bind, close, data_row, describe, execute, extended, fields, kinds, parse, query, startup)
from rows_simple import fail, refusal
from rows_startup import LOGIN

GOOD = extended("SELECT 1")		# 1 2 T D C
BAD = extended("DELETE FROM users")


def poisoned(server):
    """Parse texts that reached the server and are a client's."""
    return [t for t in server.texts("P") if "refused" not in t]


@row("a series and its answers pass as they are")
def _(b):
    server, _, client = b.session()
    client.send(parse("SELECT $1", "s", [23]) + bind("s", "p", [b"1", None], [0], [1]) + describe("P", "p") + execute("p", 0) + SYNC)
    assert kinds(client.until("Z")) == "12TDCZ"
    assert [k for k, _ in server.seen] == list("PBDES")
    assert server.seen[1] == ("B", bind("s", "p", [b"1", None], [0], [1])[5:])


@row("an empty Parse is answered by EmptyQueryResponse")
def _(b):
    _, _, client = b.session()
    client.send(parse("") + bind() + describe("P") + execute() + SYNC)
    assert kinds(client.until("Z")) == "12nIZ"


@row("Sync alone is answered by ReadyForQuery")
def _(b):
    _, _, client = b.session()
    client.send(SYNC + SYNC + SYNC)
    assert kinds(client.until("Z") + client.until("Z") + client.until("Z")) == "ZZZ"
    assert client.silent()


@row("a refusal arrives at Flush, without Sync")
def _(b):
    server, _, client = b.session()
    client.send(parse("DELETE FROM users", "s") + describe("S", "s") + FLUSH)
    (body,) = client.expect("E")
    assert fields(body)["C"] == "42501"
    assert client.silent(), "something more came before Sync"
    client.send(SYNC)
    assert kinds(client.until("Z")) == "Z"
    assert poisoned(server) == []
    client.send(GOOD + SYNC)
    assert kinds(client.until("Z")) == "12TDCZ"


@row("Parse, Describe and Flush are answered without Sync")
def _(b):
    _, _, client = b.session()
    client.send(parse("SELECT 1", "s") + describe("S", "s") + FLUSH)
    client.expect("1tT")
    client.send(bind("s") + execute() + SYNC)
    assert kinds(client.until("Z")) == "2DCZ"


@row("Parse, Bind, Describe, Execute, Flush in separate packets are answered before Sync")
def _(b):
    _, _, client = b.session()
    for part in (parse("SELECT 1"), bind(), describe("P"), execute(), FLUSH):
        client.send(part)
    client.expect("12TDC")
    client.send(close("P") + SYNC)
    assert kinds(client.until("Z")) == "3Z"


@row("statements before a refused one are answered, those behind it up to Sync are skipped")
def _(b):
    server, _, client = b.session()
    client.send(GOOD + BAD + GOOD + query("SELECT 1") + SYNC + GOOD + SYNC)
    assert kinds(client.until("Z")) == "12TDCEZ"
    assert kinds(client.until("Z")) == "12TDCZ"
    assert client.silent()
    assert not [t for t in server.texts("P") if "DELETE" in t]
    assert len(poisoned(server)) == 2


@row("a refusal first in a series is answered without the server")
def _(b):
    server, _, client = b.session()
    client.send(BAD + GOOD + SYNC)
    found = refusal(client.until("Z"))
    assert found["C"] == "42501" and found["H"]
    assert poisoned(server) == []


@row("a refusal that arrives while an earlier series runs keeps the order")
def _(b):
    _, _, client = b.session()
    client.send(GOOD + SYNC + BAD + SYNC + GOOD + SYNC + BAD + SYNC)
    for expected in ("12TDCZ", "EZ", "12TDCZ", "EZ"):
        assert kinds(client.until("Z")) == expected


@row("a refusal inside a block says E, and so does the server")
def _(b):
    server, _, client = b.session()
    client.query("BEGIN")
    client.send(BAD + SYNC)
    refusal(client.until("Z"), "E")
    assert server.conns[0].status == "E"
    client.send(GOOD + SYNC)
    assert refusal(client.until("Z"), "E")["C"] == "25P02"
    assert client.query("ROLLBACK")[-1] == ("Z", b"I")


@row("a refusal behind a BEGIN of the same series says E")
def _(b):
    server, _, client = b.session()
    client.send(parse("BEGIN") + bind() + execute() + BAD + SYNC)
    messages = client.until("Z")
    assert kinds(messages) == "12CEZ" and messages[-1] == ("Z", b"E"), messages
    assert server.conns[0].status == "E"
    assert client.query("ROLLBACK")[-1] == ("Z", b"I")


@row("an error of the server skips up to Sync as well")
def _(b):
    server, _, client = b.session()
    client.send(GOOD + parse("SELECT broken; SELECT 2") + GOOD + SYNC + GOOD + SYNC)
    first = client.until("Z")
    assert kinds(first) == "12TDCEZ", kinds(first)
    assert kinds(client.until("Z")) == "12TDCZ"
    server.queries.append(("wrong", lambda conn, text: fail(C="22012", M="division by zero")))
    client.send(extended("SELECT wrong") + BAD + SYNC + GOOD + SYNC)
    assert kinds(client.until("Z")) == "EZ"
    assert kinds(client.until("Z")) == "12TDCZ"


@row("500 outstanding Syncs get one ReadyForQuery each, refusals among them")
def _(b):
    _, _, client = b.session()
    client.send(*[(BAD if i % 7 == 3 else GOOD) + SYNC for i in range(500)])
    for i in range(500):
        assert kinds(client.until("Z")) == ("EZ" if i % 7 == 3 else "12TDCZ"), i
    assert client.silent()


@row("20000 pipelined Syncs are all answered")
def _(b):
    _, _, client = b.session()
    sender = threading.Thread(target=client.send, args=(SYNC * 20000,), daemon=True)
    sender.start()
    for _ in range(20000):
        assert client.message() == ("Z", b"I")
    sender.join(10)


@row("Query and series mixed in one packet are answered in order")
def _(b):
    _, _, client = b.session()
    client.send(query("BEGIN") + GOOD + SYNC + query("SELECT 1") + query("DELETE FROM users") + BAD + SYNC + query("ROLLBACK"))
    for expected in ("CZ", "12TDCZ", "TDCZ", "EZ", "EZ", "CZ"):
        assert kinds(client.until("Z")) == expected
    assert client.silent()


@row("Close, Sync and Query in one packet are answered in order")
def _(b):
    _, _, client = b.session()
    client.send(parse("SELECT 1", "s0") + SYNC)
    client.until("Z")
    client.send(close("S", "s0") + SYNC + query("SELECT 1"))
    assert kinds(client.until("Z")) == "3Z"
    assert kinds(client.until("Z")) == "TDCZ"


@row("a whole session one byte at a time")
def _(b):
    _, moat = b.pair()
    client = b.client(moat)

    def drip(data):
        for i in range(len(data)):
            client.send(data[i:i + 1])
    drip(startup(LOGIN))
    client.logged_in()
    drip(query("SELECT 1") + GOOD + BAD + SYNC)
    assert kinds(client.until("Z")) == "TDCZ"
    assert kinds(client.until("Z")) == "12TDCEZ"


@row("a server that answers one byte at a time is relayed whole")
def _(b):
    server, _, client = b.session()
    conn = server.conns[0]
    send = conn.send

    def drip(*parts):
        for byte in b"".join(parts):
            send(bytes([byte]))
    conn.send = drip
    client.send(query("SELECT a FROM honest_20") + GOOD + SYNC)
    assert kinds(client.until("Z")) == "T" + "D" * 20 + "CZ"
    assert kinds(client.until("Z")) == "12TDCZ"


# --- names ---------------------------------------------------------------------

@row("Bind, Describe and Execute of unknown names are refused as PostgreSQL does")
def _(b):
    server, _, client = b.session()
    for part, code in ((bind("nobody"), "26000"), (bind(), "26000"), (describe("S", "nobody"), "26000"),
                       (describe("P", "nobody"), "34000"), (execute("nobody"), "34000"), (execute(), "34000")):
        client.send(part + GOOD + SYNC)
        assert refusal(client.until("Z"))["C"] == code, part
    client.send(GOOD + SYNC)
    assert kinds(client.until("Z")) == "12TDCZ"


@row("Close of an unknown name is no error")
def _(b):
    _, _, client = b.session()
    client.send(close("S", "nobody") + close("P", "nobody") + SYNC)
    assert kinds(client.until("Z")) == "33Z"


@row("the statement of a refused Parse does not exist")
def _(b):
    server, _, client = b.session()
    client.send(parse("DELETE FROM users", "s") + SYNC + bind("s") + execute() + SYNC)
    refusal(client.until("Z"))
    assert refusal(client.until("Z"))["C"] == "26000"


@row("a refused Parse of a name leaves the statement that has it")
def _(b):
    _, _, client = b.session()
    client.send(parse("SELECT 1", "s") + SYNC)
    client.until("Z")
    client.send(parse("DELETE FROM users", "s") + SYNC)
    refusal(client.until("Z"))
    client.send(bind("s") + execute() + SYNC)
    assert kinds(client.until("Z")) == "2DCZ"


@row("a name that is taken is refused with 42P05")
def _(b):
    _, _, client = b.session()
    client.send(parse("SELECT 1", "s") + SYNC + parse("SELECT 2", "s") + SYNC)
    assert kinds(client.until("Z")) == "1Z"
    assert refusal(client.until("Z"))["C"] == "42P05"


@row("names are cut at 63 bytes, as the server cuts them")
def _(b):
    server, _, client = b.session()
    long = "x" * 63
    client.send(parse("SELECT 1", long + "a") + SYNC)
    assert kinds(client.until("Z")) == "1Z"
    client.send(parse("SELECT 2", long + "b") + SYNC)
    assert refusal(client.until("Z"))["C"] == "42P05"
    client.send(bind(long + "c", long + "p") + execute(long + "q") + SYNC)
    assert kinds(client.until("Z")) == "2DCZ"
    client.send(close("S", long) + bind(long + "a") + SYNC)
    assert kinds(client.until("Z")) == "3EZ"


@row("SQL and the protocol share one table of names")
def _(b):
    _, _, client = b.session()
    client.send(parse("SELECT 1", "s1") + SYNC)
    client.until("Z")
    assert kinds(client.query("DEALLOCATE s1")) == "CZ"
    client.send(bind("s1") + SYNC)
    assert refusal(client.until("Z"))["C"] == "26000"
    client.query("PREPARE s2 AS SELECT 1")
    assert kinds(client.query("EXECUTE s2"))[-1] == "Z"
    client.send(parse("SELECT 2", "s2") + SYNC)
    assert refusal(client.until("Z"))["C"] == "42P05"
    assert kinds(client.query("DEALLOCATE ALL")) == "CZ"
    assert refusal(client.query("EXECUTE s2"))["C"] == "26000"


@row("EXECUTE of a statement that nobody prepared is refused")
def _(b):
    server, _, client = b.session()
    assert refusal(client.query("EXECUTE nobody"))["C"] == "26000"
    assert not [t for t in server.texts() if "nobody" in t]


@row("a statement whose Parse failed on the server does not exist")
def _(b):
    server, _, client = b.session()
    server.queries.append(("missing", lambda conn, text: fail(C="42703", M="no such column")))
    client.send(parse("SELECT missing", "s") + SYNC)
    assert kinds(client.until("Z")) == "EZ"
    client.send(parse("SELECT 1", "s") + bind("s") + execute() + SYNC)
    assert kinds(client.until("Z")) == "12DCZ"


@row("portals end with their transaction")
def _(b):
    _, _, client = b.session()
    client.send(parse("SELECT 1", "s") + bind("s", "p") + SYNC + execute("p") + SYNC)
    assert kinds(client.until("Z")) == "12Z"
    assert refusal(client.until("Z"))["C"] == "34000"


@row("a portal inside a block is suspended and goes on")
def _(b):
    _, _, client = b.session()
    client.query("BEGIN")
    client.send(parse("SELECT a FROM honest_5") + bind("", "c") + execute("c", 2) + SYNC)
    assert kinds(client.until("Z")) == "12DDsZ"
    client.send(execute("c", 2) + FLUSH)
    client.expect("DDs")
    client.send(execute("c", 0) + SYNC)
    assert kinds(client.until("Z")) == "DCZ"
    assert client.query("COMMIT")[-1] == ("Z", b"I")


@row("10,001 prepared statements of one client are refused, not kept")
def _(b):
    _, _, client = b.session()
    failed = None
    for start in range(0, 10500, 500):
        client.send(*[parse("SELECT 1", "s%d" % i) for i in range(start, start + 500)], SYNC)
        found = client.until("Z")
        if "E" in kinds(found):
            failed = start + kinds(found).index("E")
            break
    assert failed == 10000, failed
    client.send(close("S", "s1") + parse("SELECT 1", "again") + SYNC)
    assert kinds(client.until("Z")) == "31Z"


@row("decisions about Parse and Execute are in the audit file")
def _(b):
    _, moat, client = b.session()
    client.send(extended("SELECT a FROM honest_3") + SYNC + BAD + SYNC)
    client.until("Z")
    client.until("Z")
    assert moat.record(event="parse", verdict="block")["kinds"] == ["delete"]
    ran = moat.record(event="execute")
    assert ran["text"] == "SELECT a FROM honest_3"
    assert moat.record(event="done", query=ran["query"])["rows"] == 3
    assert eventually(lambda: len(moat.records(event="parse")) == 2, "two Parse decisions")


@row("binary values pass unchanged")
def _(b):
    server, _, client = b.session()
    value = bytes(range(256))
    server.queries.append(("blob", Statement(["b"], [(value,)], "SELECT 1")))
    client.send(parse("SELECT blob") + bind("", "", [value, struct.pack(">q", -1)], [1], [1]) + execute() + SYNC)
    messages = client.until("Z")
    assert messages[2] == ("D", data_row(value)[5:])
    assert server.seen[1][1] == bind("", "", [value, struct.pack(">q", -1)], [1], [1])[5:]
