"""set_config() with parameters, as MCP servers send it: judged when Bind brings them."""
from moat import row
from pgwire import SYNC, bind, describe, execute, fields, kinds, parse

TWO = "SELECT set_config($1, $3, false), set_config($2, $3, false)"


def answers(client, text, values, types=(), formats=()):
    client.send(parse(text, types=types) + bind(values=values, formats=formats) + describe("P") + execute() + SYNC)
    return client.until("Z")


def refused(messages, words):
    assert kinds(messages) == "1EZ", messages
    found = fields(messages[1][1])
    assert found["C"] == "42501" and words in found["M"], found


@row("a timeout within the profile's may be set by parameters")
def _(b):
    _, _, client = b.session()
    assert kinds(answers(client, TWO, [b"statement_timeout", b"lock_timeout", b"900"])).startswith("12")


@row("a timeout beyond the profile's may not, and the connection lives on")
def _(b):
    server, _, client = b.session()
    refused(answers(client, TWO, [b"statement_timeout", b"lock_timeout", b"99min"]), "statement_timeout")
    assert not [1 for kind, _ in server.seen if kind == "E"]
    assert kinds(client.query("SELECT 1")) == "TDCZ"


@row("a pinned setting may not be moved by a parameter, in text or binary")
def _(b):
    for name, value in ((b"search_path", b"secret"), (b"default_transaction_read_only", b"off"), (b"role", b"postgres"),
                        (b"SEARCH_PATH", b"secret"), (b"client_encoding", b"SJIS"), (b"standard_conforming_strings", b"off")):
        for formats in ((), (1,)):
            _, _, client = b.session()
            refused(answers(client, "SELECT set_config($1, $2, false)", [name, value], formats=formats), "set_config")


@row("NULL, missing and overlong parameters set nothing")
def _(b):
    for values in ([b"statement_timeout", None], [None, b"1"], [b"statement_timeout"], [b"application_name", b"x" * 5000],
                   [b"application_name\0x", b"1"], [b"application_name", b"\xff"]):
        _, _, client = b.session()
        refused(answers(client, "SELECT set_config($1, $2, false)", values), "set_config")


@row("a parameter that is said not to be text is refused at Parse")
def _(b):
    _, _, client = b.session()
    messages = answers(client, "SELECT set_config($1, $2, false)", [b"application_name", b"x"], types=[25, 99999])
    assert kinds(messages) == "EZ" and fields(messages[0][1])["C"] == "42501", messages
