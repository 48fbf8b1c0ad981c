"""libpq by ctypes: what a server says, as text and complete.

psycopg2 would turn values into Python's and drop all results but the last.
"""
import ctypes
import ctypes.util

lib = ctypes.CDLL(ctypes.util.find_library("pq") or "libpq.so.5")
P, S, I = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int
for _name, _result, _args in (
        ("PQconnectdb", P, [S]), ("PQstatus", I, [P]), ("PQfinish", None, [P]), ("PQerrorMessage", S, [P]),
        ("PQsendQuery", I, [P, S]), ("PQgetResult", P, [P]), ("PQresultStatus", I, [P]), ("PQclear", None, [P]),
        ("PQntuples", I, [P]), ("PQnfields", I, [P]), ("PQfname", S, [P, I]), ("PQftype", ctypes.c_uint, [P, I]),
        ("PQgetvalue", P, [P, I, I]), ("PQgetlength", I, [P, I, I]), ("PQgetisnull", I, [P, I, I]),
        ("PQresultErrorField", S, [P, I]), ("PQcmdStatus", S, [P]), ("PQsetClientEncoding", I, [P, S]),
        ("PQgetCopyData", I, [P, ctypes.POINTER(P), I]), ("PQputCopyEnd", I, [P, S]), ("PQfreemem", None, [P]),
        ("PQtransactionStatus", I, [P])):
    getattr(lib, _name).restype, getattr(lib, _name).argtypes = _result, _args
RECEIVER = ctypes.CFUNCTYPE(None, P, P)
lib.PQsetNoticeReceiver.restype, lib.PQsetNoticeReceiver.argtypes = P, [P, RECEIVER, P]

COPY_OUT, COPY_IN, COPY_BOTH, FATAL = 3, 4, 8, 7


def text(raw):
    return raw.decode("utf-8", "replace") if raw is not None else ""


class Answer:
    """All that came back for one Query message."""

    def __init__(self):
        self.shapes, self.rows, self.notices, self.tags = [], [], [], []
        self.error = None  # (sqlstate, message, everything else)

    def seen(self, details):
        """What a client may get to see; details: also what proxies take out of errors."""
        error = self.error and (self.error if details else self.error[:2])
        return (self.shapes, self.rows, [n if details else n[:2] for n in self.notices], self.tags, error)


class Server:
    def __init__(self, dsn, prologue=()):
        self.dsn, self.prologue, self.notices = dsn, prologue, []
        self.receiver = RECEIVER(self.on_notice)
        self.connect()

    def connect(self):
        self.conn = lib.PQconnectdb(self.dsn.encode())
        if lib.PQstatus(self.conn) != 0:
            raise ConnectionError(text(lib.PQerrorMessage(self.conn)))
        lib.PQsetClientEncoding(self.conn, b"UTF8")
        lib.PQsetNoticeReceiver(self.conn, self.receiver, None)
        for sql in self.prologue:
            answer = self.run(sql)
            if answer.error:
                raise ConnectionError("%s: %s" % (sql, answer.error))

    def close(self):
        lib.PQfinish(self.conn)
        self.conn = None

    def lost(self):
        return lib.PQstatus(self.conn) != 0

    def on_notice(self, _arg, result):
        self.notices.append(self.fields(result))

    @staticmethod
    def fields(result):
        rest = [text(lib.PQresultErrorField(result, ord(c))) for c in "DHWqstcdn"]
        return (text(lib.PQresultErrorField(result, ord("C"))), text(lib.PQresultErrorField(result, ord("M"))),
                "\n".join(r for r in rest if r))

    def send(self, sql):
        self.notices = []
        return lib.PQsendQuery(self.conn, sql.encode("utf-8", "surrogateescape")) == 1

    def receive(self):
        answer = Answer()
        while True:
            result = lib.PQgetResult(self.conn)
            if not result:
                break
            self.take(answer, result)
            lib.PQclear(result)
            if lib.PQstatus(self.conn) != 0:
                break
        answer.notices = self.notices
        return answer

    def take(self, answer, result):
        status = lib.PQresultStatus(result)
        if status == FATAL:
            answer.error = self.fields(result)
            if not answer.error[0]:
                answer.error = ("08006", text(lib.PQerrorMessage(self.conn)), "")
        elif status == COPY_OUT:
            self.copy_out(answer)
        elif status in (COPY_IN, COPY_BOTH):
            lib.PQputCopyEnd(self.conn, b"no data here")
        fields = range(lib.PQnfields(result))
        if fields:
            answer.shapes.append([(text(lib.PQfname(result, i)), lib.PQftype(result, i)) for i in fields])
        answer.tags.append(text(lib.PQcmdStatus(result)))
        for row in range(lib.PQntuples(result)):
            answer.rows.append(tuple(
                None if lib.PQgetisnull(result, row, i) else text(ctypes.string_at(lib.PQgetvalue(result, row, i)))
                for i in fields))

    def copy_out(self, answer):
        data = P()
        while True:
            n = lib.PQgetCopyData(self.conn, ctypes.byref(data), 0)
            if n < 0:
                return
            answer.rows.append((text(ctypes.string_at(data, n)),))
            lib.PQfreemem(data)

    def run(self, sql):
        if not self.send(sql):
            answer = Answer()
            answer.error = ("08006", text(lib.PQerrorMessage(self.conn)), "")
            return answer
        return self.receive()

    def value(self, sql):
        answer = self.run(sql)
        if answer.error or not answer.rows:
            raise ConnectionError("%s: %s" % (sql, answer.error))
        return answer.rows[0]
