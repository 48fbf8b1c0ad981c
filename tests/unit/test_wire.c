/* tests/unit/test_wire.c - the readers and writers of proxy/wire.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base.h"
#include "wire.h"

#define BYTES(s) (const uint8_t *)(s), sizeof(s) - 1

/* One read a letter: 1, 2 and 4 are the integers, s a string, b and B two and
 * no bytes. What they answer is written down in order, then "end", "more" (bytes
 * are left) or "bad". */
static const struct read_row {
	const char *name;
	const uint8_t *bytes;
	size_t n;
	const char *reads, *answer;
} read_rows[] = {
	{ "integers are big-endian", BYTES("\x07\x01\x02\x80\x00\x00\x01"), "124", "7 258 2147483649 end" },
	{ "a string ends at its NUL", BYTES("abc\0d\0"), "ss", "'abc' 'd' end" },
	{ "an empty string is a string", BYTES("\0"), "s", "'' end" },
	{ "bytes left over are not the end", BYTES("a\0b"), "s", "'a' more" },
	{ "nothing read from nothing is the end", BYTES(""), "", "end" },
	{ "no bytes can be read at the end", BYTES("a\0"), "sB", "'a' [0] end" },
	{ "a string without its NUL is bad and empty", BYTES("abc"), "s", "'' bad" },
	{ "a u16 of one byte is bad and 0", BYTES("\x01"), "2", "0 bad" },
	{ "a u32 of three bytes is bad and 0", BYTES("\x01\x02\x03"), "4", "0 bad" },
	{ "a u8 of nothing is bad and 0", BYTES(""), "1", "0 bad" },
	{ "two bytes of one are bad and NULL", BYTES("a"), "b", "NULL bad" },
	{ "reading on after a bad read finds nothing", BYTES("abcd"), "s14sb2", "'' 0 0 '' NULL 0 bad" },
	{ "not even no bytes are there after a bad read", BYTES("a"), "2B", "0 NULL bad" },
	{ "a bad read is not forgotten at the end of the bytes", BYTES("\x01"), "21", "0 0 bad" },
};

static void
read_one(struct wire_reader *r, char what, struct sb *answer)
{
	const uint8_t *p;

	switch (what) {
	case '1':
		sb_fmt(answer, "%u ", wire_u8(r));
		break;
	case '2':
		sb_fmt(answer, "%u ", wire_u16(r));
		break;
	case '4':
		sb_fmt(answer, "%u ", wire_u32(r));
		break;
	case 's':
		sb_fmt(answer, "'%s' ", wire_str(r));
		break;
	default:
		p = wire_bytes(r, what == 'b' ? 2 : 0);
		sb_str(answer, p == NULL ? "NULL " : what == 'b' ? "[2] " : "[0] ");
	}
}

static void
test_read(void **state)
{
	const struct read_row *row = *state;
	struct wire_reader r;
	struct sb answer = { 0 };

	wire_reader_init(&r, row->bytes, row->n);
	for (const char *c = row->reads; *c != '\0'; c++)
		read_one(&r, *c, &answer);
	sb_str(&answer, wire_end(&r) ? "end" : r.bad ? "bad" : "more");
	assert_string_equal(sb_text(&answer), row->answer);
	sb_free(&answer);
}

static void
test_read_huge(void **state)
{
	struct wire_reader r;

	(void)state;
	wire_reader_init(&r, "abc", 3);
	(void)wire_u8(&r);
	assert_null(wire_bytes(&r, SIZE_MAX));
	assert_false(wire_end(&r));
	wire_reader_init(&r, NULL, 0);
	assert_string_equal(wire_str(&r), "");
	assert_true(r.bad);
}

static const struct frame_row {
	const char *name;
	const uint8_t *bytes;
	size_t n;
	bool there;
	char type;
	size_t body;
} frame_rows[] = {
	{ "four bytes are no frame yet", BYTES("Q\0\0\0"), false, 0, 0 },
	{ "no bytes are no frame yet", BYTES(""), false, 0, 0 },
	{ "the body is what the length counts beyond itself",
	    BYTES("Q\0\0\0\x09"
		  "abcd"),
	    true, 'Q', 5 },
	{ "a message may have no body", BYTES("S\0\0\0\x04"), true, 'S', 0 },
	{ "a length of 3 cannot be", BYTES("S\0\0\0\x03"), true, 'S', SIZE_MAX },
	{ "a length of 0 cannot be", BYTES("S\0\0\0\0"), true, 'S', SIZE_MAX },
	{ "a negative length is a very long body", BYTES("d\xff\xff\xff\xff"), true, 'd', 0xfffffffbu },
};

static void
test_frame(void **state)
{
	const struct frame_row *row = *state;
	struct wire_frame f = { 0 };

	assert_int_equal(wire_frame(row->bytes, row->n, &f), row->there);
	assert_int_equal(f.type, row->type);
	assert_int_equal(f.body, row->body);
}

/* One write a letter: T and t begin a message of type T or of none, f finishes,
 * 1, 2 and 4 are integers, s is "hey", b two bytes. */
static const struct write_row {
	const char *name, *writes;
	const uint8_t *bytes;
	size_t n;
	bool bad;
} write_rows[] = {
	{ "nothing written is nothing", "", BYTES(""), false },
	{ "integers are written big-endian", "124", BYTES("\x01\x01\x02\x01\x02\x03\x04"), false },
	{ "a string is written with its NUL", "s", BYTES("hey\0"), false },
	{ "the length counts itself and the body, not the type", "Tsf", BYTES("T\0\0\0\x08hey\0"), false },
	{ "a startup packet has no type", "t4f", BYTES("\0\0\0\x08\x01\x02\x03\x04"), false },
	{ "messages stand one behind the other", "TfTbf", BYTES("T\0\0\0\x04T\0\0\0\x06hi"), false },
	{ "a message inside a message is bad", "TsTf", BYTES(""), true },
	{ "a second end of a message is bad", "Tff", BYTES(""), true },
	{ "an end without a beginning is bad", "f", BYTES(""), true },
};

static void
write_one(struct wire_writer *w, char what)
{
	switch (what) {
	case 'T':
		wire_begin(w, 'T');
		break;
	case 't':
		wire_begin(w, 0);
		break;
	case 'f':
		wire_finish(w);
		break;
	case '1':
		wire_put_u8(w, 1);
		break;
	case '2':
		wire_put_u16(w, 0x0102);
		break;
	case '4':
		wire_put_u32(w, 0x01020304);
		break;
	case 's':
		wire_put_str(w, "hey");
		break;
	default:
		wire_put_bytes(w, "hi", 2);
	}
}

static void
test_write(void **state)
{
	const struct write_row *row = *state;
	struct wire_writer w = { 0 };

	for (const char *c = row->writes; *c != '\0'; c++)
		write_one(&w, *c);
	assert_int_equal(w.bad, row->bad);
	if (!row->bad) {
		assert_int_equal(w.len, row->n);
		if (w.len > 0)
			assert_memory_equal(w.p, row->bytes, row->n);
	}
	wire_writer_free(&w);
	assert_null(w.p);
}

static void
test_write_long(void **state)
{
	struct wire_writer w = { 0 };
	struct wire_frame f;

	(void)state;
	wire_begin(&w, 'd');
	for (unsigned i = 0; i < 100000; i++)
		wire_put_u32(&w, i);
	wire_finish(&w);
	assert_false(w.bad);
	assert_true(wire_frame(w.p, w.len, &f));
	assert_int_equal(f.body, 400000);
	for (size_t i = 0; i < 100000; i++) {
		const uint8_t *p = w.p + WIRE_HEADER + i * 4;

		assert_int_equal(p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3], i);
	}
	wire_writer_free(&w);
}

static void
test_write_beyond_limit(void **state)
{
	struct wire_writer w = { 0 };

	(void)state;
	wire_put_bytes(&w, "hi", 2);
	wire_put_bytes(&w, "hi", SIZE_MAX - 1); /* refused before it is read */
	assert_true(w.bad);
	wire_put_bytes(&w, "hi", 2);
	assert_int_equal(w.len, 2);
	wire_writer_free(&w);
}

static void
test_clear(void **state)
{
	struct wire_writer w = { 0 };
	uint8_t *p;

	(void)state;
	wire_begin(&w, 'Q');
	wire_begin(&w, 'Q');
	assert_true(w.bad);
	p = w.p;
	wire_writer_clear(&w);
	wire_begin(&w, 'S');
	wire_finish(&w);
	assert_false(w.bad);
	assert_int_equal(w.len, 5);
	assert_ptr_equal(w.p, p);
	wire_writer_free(&w);
}

static const struct CMUnitTest single[] = {
	{ "a count near SIZE_MAX does not wrap", test_read_huge, NULL, NULL, NULL },
	{ "a long message grows the buffer and stays whole", test_write_long, NULL, NULL, NULL },
	{ "a write beyond the limit is bad and writes nothing", test_write_beyond_limit, NULL, NULL, NULL },
	{ "a cleared writer is good again and keeps its memory", test_clear, NULL, NULL, NULL },
};

int
main(void)
{
	struct CMUnitTest tests[nitems(read_rows) + nitems(frame_rows) + nitems(write_rows) + nitems(single)];
	size_t n = 0;

	for (size_t i = 0; i < nitems(read_rows); i++)
		tests[n++] = (struct CMUnitTest){ read_rows[i].name, test_read, NULL, NULL, (void *)(uintptr_t)&read_rows[i] };
	for (size_t i = 0; i < nitems(frame_rows); i++)
		tests[n++] = (struct CMUnitTest){ frame_rows[i].name, test_frame, NULL, NULL, (void *)(uintptr_t)&frame_rows[i] };
	for (size_t i = 0; i < nitems(write_rows); i++)
		tests[n++] = (struct CMUnitTest){ write_rows[i].name, test_write, NULL, NULL, (void *)(uintptr_t)&write_rows[i] };
	for (size_t i = 0; i < nitems(single); i++)
		tests[n++] = single[i];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
