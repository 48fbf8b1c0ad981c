#!/usr/bin/env python3
"""Writes the binary seeds: corpus/fuzz_startup and corpus/fuzz_wire.

The seeds are committed; this is where they come from. Run it again after a
message was added. A seed's file name says what it is.
"""
import os
import struct

HERE = os.path.dirname(os.path.abspath(__file__))


def cstr(s):
    return s.encode() + b"\0"


def startup(version, *pairs):
    return struct.pack(">I", version) + b"".join(cstr(k) + cstr(v) for k, v in pairs) + b"\0"


V30, V32 = 3 << 16, 3 << 16 | 2
STARTUP = {
    "plain": startup(V30, ("user", "ann"), ("database", "shop")),
    "psql": startup(V30, ("user", "ann"), ("database", "shop"), ("application_name", "psql"), ("client_encoding", "UTF8")),
    "asyncpg": startup(V30, ("client_encoding", "'utf-8'"), ("user", "ann"), ("database", "shop")),
    "jdbc": startup(V30, ("user", "ann"), ("database", "shop"), ("client_encoding", "UTF8"), ("DateStyle", "ISO"),
                    ("TimeZone", "Europe/Berlin"), ("extra_float_digits", "2")),
    "newer": startup(V32, ("user", "ann"), ("_pq_.report_parameters", "a")),
    "grease": startup(3 << 16 | 9999, ("user", "ann"), ("_pq_.test_protocol_negotiation", "")),
    "options": startup(V30, ("user", "ann"), ("options", "-c search_path=public --statement-timeout=5s")),
    "replication": startup(V30, ("user", "ann"), ("replication", "database")),
    "repeated": startup(V30, ("user", "ann"), ("User", "bob")),
    "protocol2": struct.pack(">I", 2 << 16) + b"ann".ljust(64, b"\0"),
    "ssl": struct.pack(">HH", 1234, 5679),
    "gssenc": struct.pack(">HH", 1234, 5680),
    "cancel": struct.pack(">HHI", 1234, 5678, 77) + b"abcd",
    "cancel_long": struct.pack(">HHI", 1234, 5678, 77) + b"k" * 32,
    "cut": struct.pack(">I", V30) + b"user\0ann",
    "option_words": b"-c a=b -cc=d --e-f=g",
    "option_escapes": b"-c a=b\\ c\\\\d -c\te=\\-f\\",
    "option_switch": b"-d 5 -c a=b",
    "option_end": b"-- -c a=b",
    "option_no_value": b"-c a",
}

# In the order of readers[] in fuzz_wire.c.
QUERY, PARSE, BIND, DESCRIBE, EXECUTE, ERROR, SASL, AUTH, FRAME, TAG = (bytes([i]) for i in range(10))
WIRE = {
    "query": QUERY + cstr("SELECT 1"),
    "query_empty": QUERY + b"\0",
    "query_nul": QUERY + b"SELECT 1\0; DROP\0",
    "parse": PARSE + cstr("s1") + cstr("SELECT $1") + struct.pack(">HI", 1, 23),
    "parse_unnamed": PARSE + b"\0\0\0\0",
    "parse_lies": PARSE + b"\0\0\xff\xff",
    "bind": BIND + cstr("p1") + cstr("s1") + struct.pack(">HHHI4sHH", 1, 1, 1, 4, b"\0\0\0\7", 1, 0),
    "bind_null": BIND + b"\0\0" + struct.pack(">HHiH", 0, 1, -1, 0),
    "bind_formats": BIND + b"\0\0" + struct.pack(">HHHHIIHHH", 2, 0, 1, 2, 0, 0, 2, 1, 0),
    "bind_negative": BIND + b"\0\0" + struct.pack(">HHiH", 0, 1, -2, 0),
    "describe": DESCRIBE + b"S" + cstr("s1"),
    "describe_portal": DESCRIBE + b"P\0",
    "execute": EXECUTE + cstr("p1") + struct.pack(">i", 50),
    "error": ERROR + b"SERROR\0VERROR\0C42501\0Mno\0Dwhy\0Hask\0P7\0tusers\0\0",
    "error_no_sqlstate": ERROR + b"SFATAL\0Mgone\0\0",
    "error_cut": ERROR + b"SFATAL\0Mgone",
    "sasl": SASL + struct.pack(">I", 10) + cstr("SCRAM-SHA-256-PLUS") + cstr("SCRAM-SHA-256") + b"\0",
    "sasl_plus_only": SASL + struct.pack(">I", 10) + cstr("SCRAM-SHA-256-PLUS") + b"\0",
    "auth_ok": AUTH + struct.pack(">I", 0),
    "auth_md5": AUTH + struct.pack(">I4s", 5, b"salt"),
    "auth_initial": AUTH + cstr("SCRAM-SHA-256") + struct.pack(">I", 8) + b"n,,n=,r=",
    "frame": FRAME + b"Q" + struct.pack(">I", 13),
    "tag": TAG + b"INSERT 0 5",
    "tag_long": TAG + b"SELECT 99999999999999999999",
}


def main():
    for name, seeds in (("fuzz_startup", STARTUP), ("fuzz_wire", WIRE)):
        folder = os.path.join(HERE, "corpus", name)
        os.makedirs(folder, exist_ok=True)
        for seed, data in seeds.items():
            with open(os.path.join(folder, seed), "wb") as f:
                f.write(data)


if __name__ == "__main__":
    main()
