"""Startup parameters: what the server gets to see of what the client says."""
import re

from moat import row
from pgwire import kinds, startup

PINNED = {"default_transaction_read_only": "on", "standard_conforming_strings": "on", "client_encoding": "UTF8"}


def words(options):
    """As pg_split_opts() does."""
    return [re.sub(r"\\(.)", r"\1", w, flags=re.S) for w in re.findall(r"(?:\\.|[^\s\\])+", options, re.S)]


def settings(params):
    """Every setting of a startup packet, by lower-case name, `options` taken apart."""
    out = {k.lower(): v for k, v in params.items() if k not in ("options", "user", "database")}
    rest = words(params.get("options", ""))
    while rest:
        word = rest.pop(0)
        setting = rest.pop(0) if word == "-c" else word[2:]
        assert word.startswith(("-c", "--")), "a switch in what the server gets: %r" % params
        name, value = setting.split("=", 1)
        out[name.replace("-", "_").lower()] = value
    return out


def received(b, *policy, **params):
    server, moat = b.pair(*policy)
    client = b.client(moat).login(**params)
    assert kinds(client.query("SELECT 1")) == "TDCZ"
    return settings(server.startups[0])


def milliseconds(value):
    number, unit = re.match(r"(\d+)\s*(\w*)$", value).groups()
    return int(number) * {"": 1, "ms": 1, "s": 1000, "min": 60000}[unit]


def insist(found, **want):
    wrong = {k: found.get(k) for k, v in want.items() if found.get(k) != v}
    assert not wrong, "expected %r, the server got %r" % (want, wrong)


@row("the second lock is in every startup packet")
def _(b):
    found = received(b)
    insist(found, **PINNED)
    assert found["search_path"]
    assert 0 < milliseconds(found["statement_timeout"]) <= 5000, found["statement_timeout"]


@row("timeouts and search_path of the profile are in the startup packet")
def _(b):
    policy = b.policy(search_path=["public", "analytics"],
                      limits={"statement_timeout": "3s", "lock_timeout": "1s", "idle_in_transaction_timeout": "30s"})
    found = received(b, *policy)
    insist(found, **PINNED)
    assert re.sub(r'[" ]', "", found["search_path"]).endswith("public,analytics"), found["search_path"]
    assert milliseconds(found["statement_timeout"]) == 3000
    assert milliseconds(found["lock_timeout"]) == 1000
    assert milliseconds(found["idle_in_transaction_session_timeout"]) == 30000


@row("user and database reach the server as they are")
def _(b):
    server, moat = b.pair()
    b.client(moat).login(user="\u00c4nne O'Hara", database='sh"op')
    assert server.startups[0]["user"] == "\u00c4nne O'Hara"
    assert server.startups[0]["database"] == 'sh"op'


@row("the database is the user's name when none is given")
def _(b):
    server, moat = b.pair()
    client = b.client(moat)
    client.send(startup({"user": "ann"}))
    client.logged_in()
    assert server.startups[0].get("database", "ann") == "ann"


@row("harmless parameters reach the server")
def _(b):
    found = received(b, application_name="psql", DateStyle="ISO, MDY", TimeZone="Europe/Berlin", extra_float_digits="2",
                     IntervalStyle="postgres")
    insist(found, application_name="psql", datestyle="ISO, MDY", timezone="Europe/Berlin", extra_float_digits="2")


@row("drivers' spellings of UTF8 all work")
def _(b):
    for spelling in ("UTF8", "utf-8", "'utf-8'", "UTF-8", "unicode"):
        found = received(b, client_encoding=spelling)
        assert re.sub(r"[^a-z0-9]", "", found["client_encoding"].lower()) in ("utf8", "unicode"), found


@row("another client_encoding does not reach the server")
def _(b):
    for encoding in ("SJIS", "GBK", "BIG5", "SQL_ASCII"):
        insist(received(b, client_encoding=encoding), client_encoding="UTF8")


@row("pinned settings cannot be moved by parameters, in any case of letters")
def _(b):
    found = received(b, Default_Transaction_Read_Only="off", standard_conforming_strings="off", SEARCH_PATH="evil",
                     backslash_quote="on")
    insist(found, **PINNED)
    assert "evil" not in found["search_path"]
    assert "backslash_quote" not in found or found["backslash_quote"] == "safe_encoding"


@row("a statement_timeout of the client is never longer than ours")
def _(b):
    for value in ("0", "60000", "1h", "-1"):
        assert 0 < milliseconds(received(b, statement_timeout=value)["statement_timeout"]) <= 5000


@row("settings with power do not reach the server")
def _(b):
    powerful = {"role": "postgres", "session_authorization": "postgres", "session_preload_libraries": "x",
                "local_preload_libraries": "x", "dynamic_library_path": "/tmp", "transaction_read_only": "off",
                "row_security": "off", "session_replication_role": "replica", "log_statement": "none", "jit_provider": "x"}
    found = received(b, **powerful)
    assert not set(powerful) & set(found), set(powerful) & set(found)


@row("options are taken apart: accepted ones arrive, refused ones do not")
def _(b):
    found = received(b, options="-c DateStyle=German --extra-float-digits=1 -cTimeZone=UTC -c default_transaction_read_only=off "
                     "-c role=postgres --search_path=evil")
    insist(found, datestyle="German", extra_float_digits="1", timezone="UTC", **PINNED)
    assert "role" not in found and "evil" not in found["search_path"]


@row("escaped blanks in options stay inside their value")
def _(b):
    found = received(b, options="-c application_name=a\\ -c\\ default_transaction_read_only=off -c DateStyle=ISO,\\ MDY")
    insist(found, application_name="a -c default_transaction_read_only=off", datestyle="ISO, MDY", **PINNED)


@row("tabs and newlines separate options too")
def _(b):
    found = received(b, options="-c\tdefault_transaction_read_only=off\n-c\vapplication_name=x")
    insist(found, application_name="x", **PINNED)


@row("a switch in options does not reach the server")
def _(b):
    for options in ("-d 5", "-O", "-P", "-ec default_transaction_read_only=off", "-- x", "-f s"):
        insist(received(b, options=options), **PINNED)


@row("a value cannot smuggle a second setting into options")
def _(b):
    for value in ("x -c default_transaction_read_only=off", "x\\", "x\t--role=postgres", "x\u0085-c\u00a0role=postgres"):
        found = received(b, application_name=value)
        insist(found, **PINNED)
        assert "role" not in found
        assert found.get("application_name") in (value, None)
