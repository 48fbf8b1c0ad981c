/* tests/unit/test_message.c - the messages after the startup packet. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "message.h"

#define BYTES(s) (const uint8_t *)(s), sizeof(s) - 1

/* --- read: a body in, what it says out ----------------------------------- */

static bool
say_query(const uint8_t *p, size_t n, struct sb *out)
{
	struct msg_query m;

	if (!msg_read_query(p, n, &m))
		return false;
	sb_fmt(out, "'%s' %zu", m.text, m.len);
	return true;
}

static bool
say_parse(const uint8_t *p, size_t n, struct sb *out)
{
	struct msg_parse m;

	if (!msg_read_parse(p, n, &m))
		return false;
	sb_fmt(out, "'%s' '%s' %zu %u", m.name, m.text, m.len, m.ntypes);
	for (size_t i = 0; i < m.ntypes; i++)
		sb_fmt(out, " %u", m.types[i * 4 + 3]);
	return true;
}

static bool
say_bind(const uint8_t *p, size_t n, struct sb *out)
{
	struct msg_bind m;

	if (!msg_read_bind(p, n, &m))
		return false;
	sb_fmt(out, "'%s' '%s' %u", m.portal, m.statement, m.nparams);
	return true;
}

static bool
say_describe(const uint8_t *p, size_t n, struct sb *out)
{
	struct msg_describe m;

	if (!msg_read_describe(p, n, &m))
		return false;
	sb_fmt(out, "%c '%s'", m.kind, m.name);
	return true;
}

static bool
say_execute(const uint8_t *p, size_t n, struct sb *out)
{
	struct msg_execute m;

	if (!msg_read_execute(p, n, &m))
		return false;
	sb_fmt(out, "'%s' %d", m.portal, m.max_rows);
	return true;
}

/* Says what it found even in a body that is not whole: a log line wants it. */
static bool
say_error(const uint8_t *p, size_t n, struct sb *out)
{
	struct msg_error m;
	bool whole = msg_read_error(p, n, &m);

	sb_fmt(out, "%s|%s|%s|%s|%s|%d%s", m.severity, m.sqlstate, m.message, m.detail, m.hint, m.position, whole ? "" : " cut");
	return true;
}

static bool
say_auth(const uint8_t *p, size_t n, struct sb *out)
{
	uint32_t code;

	if (!msg_read_auth(p, n, &code))
		return false;
	sb_fmt(out, "%u", code);
	return true;
}

static bool
say_sasl_initial(const uint8_t *p, size_t n, struct sb *out)
{
	const char *mechanism;
	char gs2;

	if (!msg_read_sasl_initial(p, n, &mechanism, &gs2))
		return false;
	sb_fmt(out, "'%s' %c", mechanism, gs2 != 0 ? gs2 : '-');
	return true;
}

/* says NULL: the body is refused. */
static const struct read_row {
	const char *name;
	bool (*say)(const uint8_t *, size_t, struct sb *);
	const uint8_t *body;
	size_t n;
	const char *says;
} read_rows[] = {
	{ "a query is its text", say_query, BYTES("SELECT 1\0"), "'SELECT 1' 8" },
	{ "a query may be empty", say_query, BYTES("\0"), "'' 0" },
	{ "a query without its NUL is refused", say_query, BYTES("SELECT 1"), NULL },
	{ "a query with a NUL inside is refused", say_query, BYTES("SELECT 1\0; DROP\0"), NULL },
	{ "a query of no bytes is refused", say_query, BYTES(""), NULL },

	{ "a parse has name, text and types", say_parse, BYTES("s\0SELECT $1\0\0\x02\0\0\0\x17\0\0\0\x19"),
	    "'s' 'SELECT $1' 9 2 23 25" },
	{ "a parse may be unnamed, empty and untyped", say_parse, BYTES("\0\0\0\0"), "'' '' 0 0" },
	{ "a parse that announces a type too many is refused", say_parse, BYTES("\0\0\0\x02\0\0\0\x17"), NULL },
	{ "a parse that announces 65535 types is refused", say_parse, BYTES("\0\0\xff\xff"), NULL },
	{ "a parse with bytes behind its types is refused", say_parse, BYTES("\0\0\0\0x"), NULL },
	{ "a parse without a text is refused", say_parse, BYTES("s\0"), NULL },

	{ "a bind without parameters", say_bind, BYTES("p\0s\0\0\0\0\0\0\0"), "'p' 's' 0" },
	{ "a bind with one format for all", say_bind, BYTES("\0\0\0\x01\0\x01\0\x02\0\0\0\x01x\0\0\0\0\0\0"), "'' '' 2" },
	{ "a bind with a format each", say_bind, BYTES("\0\0\0\x02\0\0\0\x01\0\x02\0\0\0\0\0\0\0\0\0\0"), "'' '' 2" },
	{ "a bind with a null", say_bind, BYTES("\0\0\0\0\0\x01\xff\xff\xff\xff\0\0"), "'' '' 1" },
	{ "a bind with result formats", say_bind, BYTES("\0\0\0\0\0\0\0\x02\0\x01\0\0"), "'' '' 0" },
	{ "a bind whose formats outnumber its parameters is refused", say_bind, BYTES("\0\0\0\x02\0\0\0\0\0\x01\0\0\0\0\0\0"),
	    NULL },
	{ "a bind with one format and no parameters passes as in PostgreSQL", say_bind, BYTES("\0\0\0\x01\0\x01\0\0\0\0"),
	    "'' '' 0" },
	{ "a bind of format 2 is refused", say_bind, BYTES("\0\0\0\x01\0\x02\0\x01\0\0\0\0\0\0"), NULL },
	{ "a bind of result format 2 is refused", say_bind, BYTES("\0\0\0\0\0\0\0\x01\0\x02"), NULL },
	{ "a bind with a value of length -2 is refused", say_bind, BYTES("\0\0\0\0\0\x01\xff\xff\xff\xfe\0\0"), NULL },
	{ "a bind with a value longer than the message is refused", say_bind, BYTES("\0\0\0\0\0\x01\x7f\xff\xff\xff\0\0"), NULL },
	{ "a bind that announces 65535 formats is refused", say_bind, BYTES("\0\0\xff\xff\0\0"), NULL },
	{ "a bind without result formats' count is refused", say_bind, BYTES("\0\0\0\0\0\0"), NULL },
	{ "a bind with bytes behind its end is refused", say_bind, BYTES("\0\0\0\0\0\0\0\0x"), NULL },

	{ "a statement is described", say_describe, BYTES("Ss1\0"), "S 's1'" },
	{ "a portal is described", say_describe, BYTES("P\0"), "P ''" },
	{ "a description of something else is refused", say_describe, BYTES("Xs1\0"), NULL },
	{ "a description without a name is refused", say_describe, BYTES("S"), NULL },
	{ "an execute names portal and rows", say_execute, BYTES("p\0\0\0\0\x32"), "'p' 50" },
	{ "an execute of all rows", say_execute, BYTES("\0\0\0\0\0"), "'' 0" },
	{ "an execute with a negative count", say_execute, BYTES("\0\xff\xff\xff\xff"), "'' -1" },
	{ "an execute without a count is refused", say_execute, BYTES("p\0"), NULL },

	{ "an error's fields are found in any order", say_error, BYTES("Mno\0C42501\0SERROR\0VERROR\0Hask\0Dwhy\0P7\0\0"),
	    "ERROR|42501|no|why|ask|7" },
	{ "a localized severity gives way to the other", say_error, BYTES("SFEHLER\0VERROR\0\0"), "ERROR|||||0" },
	{ "a server before 9.6 has only the localized severity", say_error, BYTES("SFEHLER\0\0"), "FEHLER|||||0" },
	{ "an error without SQLSTATE has an empty one", say_error, BYTES("SERROR\0Mno\0\0"), "ERROR||no|||0" },
	{ "an error may have no fields", say_error, BYTES("\0"), "|||||0" },
	{ "an unknown field of an error is passed over", say_error, BYTES("?what\0Mno\0\0"), "||no|||0" },
	{ "a position that is no number is none", say_error, BYTES("P7x\0\0"), "|||||0" },
	{ "a position beyond an int is none", say_error, BYTES("P99999999999\0\0"), "|||||0" },
	{ "an error that is cut in a field keeps the fields before", say_error, BYTES("SERROR\0C42501\0Mpermission"),
	    "ERROR|42501||||0 cut" },
	{ "an error without its last NUL is cut", say_error, BYTES("SERROR\0"), "ERROR|||||0 cut" },
	{ "bytes behind an error's end make it no error", say_error, BYTES("SERROR\0\0x"), "ERROR|||||0 cut" },

	{ "trust is OK at once", say_auth, BYTES("\0\0\0\0"), "0" },
	{ "OK with a body is refused", say_auth, BYTES("\0\0\0\0x"), NULL },
	{ "md5 has a salt of four bytes", say_auth, BYTES("\0\0\0\x05salt"), "5" },
	{ "md5 with a shorter salt is refused", say_auth, BYTES("\0\0\0\x05sal"), NULL },
	{ "mechanisms are a list of strings", say_auth, BYTES("\0\0\0\x0aSCRAM-SHA-256\0\0"), "10" },
	{ "mechanisms without an end are refused", say_auth, BYTES("\0\0\0\x0aSCRAM-SHA-256\0"), NULL },
	{ "SASL data is not looked at", say_auth, BYTES("\0\0\0\x0br=abc"), "11" },
	{ "an unknown code is the caller's business", say_auth, BYTES("\0\0\0\x63xyz"), "99" },
	{ "an authentication without a code is refused", say_auth, BYTES("\0\0\0"), NULL },

	{ "a first message without binding", say_sasl_initial, BYTES("SCRAM-SHA-256\0\0\0\0\x03n,,"), "'SCRAM-SHA-256' n" },
	{ "a first message of a client that could bind", say_sasl_initial, BYTES("SCRAM-SHA-256\0\0\0\0\x03y,,"),
	    "'SCRAM-SHA-256' y" },
	{ "a first message that binds", say_sasl_initial, BYTES("SCRAM-SHA-256-PLUS\0\0\0\0\x02p="), "'SCRAM-SHA-256-PLUS' p" },
	{ "a first message may come later", say_sasl_initial, BYTES("SCRAM-SHA-256\0\xff\xff\xff\xff"), "'SCRAM-SHA-256' -" },
	{ "a first message may be empty", say_sasl_initial, BYTES("X\0\0\0\0\0"), "'X' -" },
	{ "a first message longer than its bytes is refused", say_sasl_initial, BYTES("X\0\0\0\0\x04n,,"), NULL },
	{ "a first message with bytes behind it is refused", say_sasl_initial, BYTES("X\0\0\0\0\x03n,,x"), NULL },
	{ "no first message with bytes behind it is refused", say_sasl_initial, BYTES("X\0\xff\xff\xff\xffx"), NULL },
};

static void
test_read(void **state)
{
	const struct read_row *row = *state;
	struct sb out = { 0 };
	bool ok = row->say(row->body, row->n, &out);

	assert_string_equal(ok ? sb_text(&out) : "refused", row->says != NULL ? row->says : "refused");
	sb_free(&out);
}

/* --- write: the bytes of a whole message ---------------------------------- */

static void
write_query(struct wire_writer *w)
{
	msg_write_query(w, "SELECT 1", 8);
}

static void
write_parse(struct wire_writer *w)
{
	msg_write_parse(w, "s", "SELECT $1", 9, 1, (const uint8_t *)"\0\0\0\x17");
}

static void
write_parse_untyped(struct wire_writer *w)
{
	msg_write_parse(w, "", "", 0, 0, NULL);
}

static void
write_execute(struct wire_writer *w)
{
	msg_write_execute(w, "p", -1);
}

static void
write_password(struct wire_writer *w)
{
	msg_write_password(w, "secret");
}

static void
write_error(struct wire_writer *w)
{
	const struct msg_error m = { "ERROR", "42501", "no", "why", "ask", 7 };

	msg_write_error(w, 'E', &m);
}

static void
write_notice(struct wire_writer *w)
{
	const struct msg_error m = { "NOTICE", "00000", "cut", NULL, "", 0 };

	msg_write_error(w, 'N', &m);
}

static void
write_ready(struct wire_writer *w)
{
	msg_write_ready(w, 'T');
}

static void
write_key(struct wire_writer *w)
{
	msg_write_key(w, 258, (const uint8_t *)"0123456789", 10);
}

static void
write_parameter(struct wire_writer *w)
{
	msg_write_parameter(w, "a", "b");
}

static void
write_negotiate(struct wire_writer *w)
{
	const char *unknown[] = { "_pq_.x", "_pq_.y" };

	msg_write_negotiate(w, PROTOCOL(3, 2), unknown, 2);
}

static void
write_small(struct wire_writer *w)
{
	msg_write_sync(w);
	msg_write_terminate(w);
	msg_write_copy_done(w);
	msg_write_complete(w, "SELECT 1");
	msg_write_auth(w, AUTH_CLEARTEXT);
}

static const struct write_row {
	const char *name;
	void (*write)(struct wire_writer *);
	const uint8_t *bytes;
	size_t n;
} write_rows[] = {
	{ "a query is written with its NUL", write_query, BYTES("Q\0\0\0\x0dSELECT 1\0") },
	{ "a parse is written with its types", write_parse, BYTES("P\0\0\0\x16s\0SELECT $1\0\0\x01\0\0\0\x17") },
	{ "a parse is written without any", write_parse_untyped, BYTES("P\0\0\0\x08\0\0\0\0") },
	{ "an execute is written", write_execute, BYTES("E\0\0\0\x0ap\0\xff\xff\xff\xff") },
	{ "a password is written", write_password, BYTES("p\0\0\0\x0bsecret\0") },
	{ "an error has its severity twice", write_error, BYTES("E\0\0\0\x2bSERROR\0VERROR\0C42501\0Mno\0Dwhy\0Hask\0P7\0\0") },
	{ "a notice leaves out what it does not have", write_notice, BYTES("N\0\0\0\x21SNOTICE\0VNOTICE\0C00000\0Mcut\0\0") },
	{ "ready says the transaction's status", write_ready, BYTES("Z\0\0\0\x05T") },
	{ "a key may be longer than four bytes", write_key,
	    BYTES("K\0\0\0\x12\0\0\x01\x02"
		  "0123456789") },
	{ "a parameter's status is written", write_parameter,
	    BYTES("S\0\0\0\x08"
		  "a\0b\0") },
	{ "negotiation names version and unknown options", write_negotiate,
	    BYTES("v\0\0\0\x1a\0\x03\0\x02\0\0\0\x02_pq_.x\0_pq_.y\0") },
	{ "small messages stand in a row", write_small,
	    BYTES("S\0\0\0\x04X\0\0\0\x04"
		  "c\0\0\0\x04"
		  "C\0\0\0\x0dSELECT 1\0R\0\0\0\x08\0\0\0\x03") },
};

static void
test_write(void **state)
{
	const struct write_row *row = *state;
	struct wire_writer w = { 0 };

	row->write(&w);
	assert_false(w.bad);
	assert_int_equal(w.len, row->n);
	assert_memory_equal(w.p, row->bytes, row->n);
	wire_writer_free(&w);
}

/* --- copies, with a change ------------------------------------------------ */

static const struct error_row {
	const char *name;
	const uint8_t *body;
	size_t n;
	int position;
	const uint8_t *bytes;
	size_t nbytes;
} error_rows[] = {
	{ "an error's position is replaced, the rest kept in order", BYTES("SE\0P41\0tusers\0?x\0\0"), 7,
	    BYTES("E\0\0\0\x15SE\0P7\0tusers\0?x\0\0") },
	{ "an error's position is dropped", BYTES("SE\0P41\0Mno\0\0"), 0, BYTES("E\0\0\0\x0cSE\0Mno\0\0") },
	{ "an error without a position gets none", BYTES("Mno\0\0"), 7, BYTES("E\0\0\0\x09Mno\0\0") },
	{ "an empty field is kept", BYTES("W\0Mno\0\0"), 7, BYTES("E\0\0\0\x0bW\0Mno\0\0") },
	{ "an error that is cut is not copied at all", BYTES("SE\0P41\0M"), 7, BYTES("") },
};

static void
test_copy_error(void **state)
{
	const struct error_row *row = *state;
	struct wire_writer w = { 0 };

	assert_int_equal(msg_copy_error(&w, 'E', row->body, row->n, row->position), row->nbytes > 0);
	assert_false(w.bad);
	assert_int_equal(w.len, row->nbytes);
	if (w.len > 0)
		assert_memory_equal(w.p, row->bytes, row->nbytes);
	wire_writer_free(&w);
}

static const struct sasl_row {
	const char *name;
	const uint8_t *body;
	size_t n;
	bool ok, plus;
	size_t left;
	const uint8_t *bytes;
	size_t nbytes;
} sasl_rows[] = {
	{ "an offer without -PLUS stays as it is", BYTES("\0\0\0\x0aSCRAM-SHA-256\0\0"), true, false, 1,
	    BYTES("R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0") },
	{ "-PLUS goes out of an offer", BYTES("\0\0\0\x0aSCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0"), true, true, 1,
	    BYTES("R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0") },
	{ "only -PLUS leaves nothing to offer", BYTES("\0\0\0\x0aSCRAM-SHA-256-PLUS\0\0"), true, true, 0, BYTES("") },
	{ "PLUS elsewhere in a name is no binding", BYTES("\0\0\0\x0aPLUS\0X-PLUS-Y\0\0"), true, false, 2,
	    BYTES("R\0\0\0\x17\0\0\0\x0aPLUS\0X-PLUS-Y\0\0") },
	{ "an empty offer has nothing left", BYTES("\0\0\0\x0a\0"), true, false, 0, BYTES("") },
	{ "an offer without its end is refused", BYTES("\0\0\0\x0aSCRAM-SHA-256\0"), false, false, 0, BYTES("") },
	{ "bytes behind an offer are refused", BYTES("\0\0\0\x0aX\0\0x"), false, false, 0, BYTES("") },
	{ "another authentication is no offer", BYTES("\0\0\0\x0bX\0\0"), false, false, 0, BYTES("") },
};

static void
test_copy_sasl(void **state)
{
	const struct sasl_row *row = *state;
	struct wire_writer w = { 0 };
	bool plus = false;
	size_t left = 0;

	assert_int_equal(msg_copy_sasl(&w, row->body, row->n, &plus, &left), row->ok);
	assert_int_equal(plus, row->plus);
	assert_int_equal(left, row->left);
	assert_int_equal(w.len, row->nbytes);
	if (w.len > 0)
		assert_memory_equal(w.p, row->bytes, row->nbytes);
	wire_writer_free(&w);
}

static const struct tag_row {
	const char *name, *tag;
	int64_t rows;
} tag_rows_[] = {
	{ "SELECT counts rows", "SELECT 5", 5 },
	{ "INSERT counts rows behind an oid", "INSERT 0 12", 12 },
	{ "FETCH of nothing counts none", "FETCH 0", 0 },
	{ "BEGIN counts nothing", "BEGIN", -1 },
	{ "CREATE TABLE counts nothing", "CREATE TABLE", -1 },
	{ "a tag that ends in a blank counts nothing", "SELECT ", -1 },
	{ "an empty tag counts nothing", "", -1 },
	{ "a count that no int64 holds is none", "SELECT 99999999999999999999", -1 },
};

static void
test_tag(void **state)
{
	const struct tag_row *row = *state;

	assert_int_equal(tag_rows(row->tag), row->rows);
}

#define ADD(rows, test)                                                             \
	for (size_t i = 0; i < nitems(rows); i++)                                   \
		tests[n++] = (struct CMUnitTest)                                    \
		{                                                                   \
			rows[i].name, test, NULL, NULL, (void *)(uintptr_t)&rows[i] \
		}

int
main(void)
{
	struct CMUnitTest
	    tests[nitems(read_rows) + nitems(write_rows) + nitems(error_rows) + nitems(sasl_rows) + nitems(tag_rows_)];
	size_t n = 0;

	ADD(read_rows, test_read);
	ADD(write_rows, test_write);
	ADD(error_rows, test_copy_error);
	ADD(sasl_rows, test_copy_sasl);
	ADD(tag_rows_, test_tag);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
