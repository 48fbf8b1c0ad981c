"""The Postgres protocol for tests: messages as bytes, and a connection that
reads them one by one. Nothing here is polite: a test says exactly what goes on
the wire, and sees exactly what came back.

Standard library only.
"""
import socket
import ssl
import struct

TIMEOUT = 10.0

V30 = 3 << 16
V32 = 3 << 16 | 2
SSL_REQUEST = struct.pack(">IHH", 8, 1234, 5679)
GSSENC_REQUEST = struct.pack(">IHH", 8, 1234, 5680)


class Closed(Exception):
    """The other side ended the connection; what it had said before is in rest."""

    def __init__(self, rest=b""):
        super().__init__("connection closed, %d bytes before it: %r" % (len(rest), rest[:60]))
        self.rest = rest


# --- bytes of messages -------------------------------------------------------

def cstr(s):
    return (s.encode() if isinstance(s, str) else s) + b"\0"


def msg(kind, body=b""):
    return kind.encode() + struct.pack(">I", len(body) + 4) + body


def startup(params, version=V30):
    """params: a dict, or a list of pairs where order or repetition matters."""
    pairs = params.items() if isinstance(params, dict) else params
    body = struct.pack(">I", version) + b"".join(cstr(k) + cstr(v) for k, v in pairs) + b"\0"
    return struct.pack(">I", len(body) + 4) + body


def cancel(pid, key):
    return struct.pack(">IHHI", 12 + len(key), 1234, 5678, pid) + key


def query(text):
    return msg("Q", cstr(text))


def parse(text, name="", types=()):
    return msg("P", cstr(name) + cstr(text) + struct.pack(">H", len(types)) + b"".join(struct.pack(">I", t) for t in types))


def bind(statement="", portal="", values=(), formats=(), results=()):
    body = cstr(portal) + cstr(statement)
    body += struct.pack(">H", len(formats)) + b"".join(struct.pack(">H", f) for f in formats)
    body += struct.pack(">H", len(values))
    for v in values:
        body += struct.pack(">i", -1) if v is None else struct.pack(">i", len(v)) + v
    body += struct.pack(">H", len(results)) + b"".join(struct.pack(">H", f) for f in results)
    return msg("B", body)


def describe(kind, name=""):
    return msg("D", kind.encode() + cstr(name))


def close(kind, name=""):
    return msg("C", kind.encode() + cstr(name))


def execute(portal="", rows=0):
    return msg("E", cstr(portal) + struct.pack(">i", rows))


def extended(text):
    """One statement as most drivers send it, without its Sync."""
    return parse(text) + bind() + describe("P") + execute()


def password(s):
    return msg("p", cstr(s))


SYNC = msg("S")
FLUSH = msg("H")
TERMINATE = msg("X")
COPY_DONE = msg("c")


def copy_data(data):
    return msg("d", data)


# --- what a server says ------------------------------------------------------

def auth(code, data=b""):
    return msg("R", struct.pack(">I", code) + data)


def parameter(name, value):
    return msg("S", cstr(name) + cstr(value))


def key(pid, secret):
    return msg("K", struct.pack(">I", pid) + secret)


def ready(status="I"):
    return msg("Z", status.encode())


def row_description(*names):
    body = struct.pack(">H", len(names))
    for n in names:
        body += cstr(n) + struct.pack(">IHIhiH", 0, 0, 25, -1, -1, 0)
    return msg("T", body)


def data_row(*values):
    body = struct.pack(">H", len(values))
    for v in values:
        body += struct.pack(">i", len(v)) + v
    return msg("D", body)


def complete(tag):
    return msg("C", cstr(tag))


def error(kind="E", **fields):
    """error(S="ERROR", C="42601", M="no")"""
    return msg(kind, b"".join(k.encode() + cstr(str(v)) for k, v in fields.items()) + b"\0")


def fields(body):
    """The fields of an ErrorResponse or NoticeResponse, in their order."""
    out = {}
    parts = body.split(b"\0")
    assert parts[-2:] == [b"", b""], "fields do not end as they must: %r" % body
    for part in parts[:-2]:
        out[chr(part[0])] = part[1:].decode()
    return out


def strings(body):
    return [s.decode() for s in body.split(b"\0")[:-1]]


# --- a connection ------------------------------------------------------------

class Wire:
    """One end of a connection. Reading waits TIMEOUT seconds at most."""

    def __init__(self, sock, timeout=TIMEOUT):
        self.sock = sock
        self.sock.settimeout(timeout)
        self.buffer = bytearray()

    def send(self, *parts):
        self.sock.sendall(b"".join(parts))

    def fill(self):
        try:
            data = self.sock.recv(65536)
        except (ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError):
            data = b""
        if not data:
            raise Closed(bytes(self.buffer))
        self.buffer += data

    def exactly(self, n):
        while len(self.buffer) < n:
            self.fill()
        data = bytes(self.buffer[:n])
        del self.buffer[:n]
        return data

    def message(self):
        """(type, body) of the next message."""
        kind, length = struct.unpack(">cI", self.exactly(5))
        assert length >= 4, "a message %r of length %d" % (kind, length)
        return kind.decode("latin-1"), self.exactly(length - 4)

    def until(self, kind="Z"):
        """Messages up to and with the first of that type."""
        out = []
        while not out or out[-1][0] != kind:
            out.append(self.message())
        return out

    def expect(self, kinds):
        """Exactly these message types next; their bodies."""
        out = []
        for k in kinds:
            got, body = self.message()
            assert got == k, "expected message %r of %r, got %r %r" % (k, kinds, got, body[:200])
            out.append(body)
        return out

    def silent(self, seconds=0.2):
        """Nothing comes for so long."""
        if self.buffer:
            return False
        old = self.sock.gettimeout()
        self.sock.settimeout(seconds)
        try:
            self.fill()
        except (socket.timeout, ssl.SSLWantReadError):
            return True
        finally:
            self.sock.settimeout(old)
        return False

    def ended(self):
        """Everything up to the end that must come now, as messages."""
        try:
            while True:
                self.fill()
        except Closed:
            pass
        out = []
        while self.buffer:
            out.append(self.message())
        return out

    def close(self):
        self.sock.close()

    def reset(self):
        """Ends the connection with RST instead of FIN."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


def kinds(messages):
    return "".join(k for k, _ in messages)


class Client(Wire):
    def __init__(self, address, timeout=TIMEOUT):
        super().__init__(socket.create_connection(address, timeout), timeout)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.parameters, self.pid, self.key = {}, None, b""
        self.login_messages = []

    def start_tls(self, alpn=None):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        if alpn:
            context.set_alpn_protocols(alpn)
        self.sock = context.wrap_socket(self.sock)

    def login(self, user="ann", database="shop", version=V30, **params):
        self.send(startup(dict(user=user, database=database, **params), version))
        return self.logged_in()

    def logged_in(self):
        """Reads up to the first ReadyForQuery and keeps what a client keeps."""
        self.login_messages = self.until("Z")
        for kind, body in self.login_messages:
            if kind == "S":
                name, value = strings(body)
                self.parameters[name] = value
            elif kind == "K":
                self.pid, self.key = struct.unpack(">I", body[:4])[0], body[4:]
            elif kind == "E":
                raise AssertionError("login refused: %r" % fields(body))
        return self

    def query(self, text):
        self.send(query(text))
        return self.until("Z")
