/* tests/unit/test_startup.c - startup packets, cancel requests and `options`. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "message.h"

#define BYTES(s) (const uint8_t *)(s), sizeof(s) - 1
#define V30 "\0\x03\0\0"
#define CANCEL "\x04\xd2\x16\x2e\0\0\x01\x02"

/* says: what was read; or a piece of the reason why not, behind "no: ". */
static const struct startup_row {
	const char *name;
	const uint8_t *body;
	size_t n;
	const char *says;
} startup_rows[] = {
	{ "parameters are read in order", BYTES(V30 "user\0ann\0database\0shop\0\0"), "3.0 user=ann database=shop" },
	{ "a value may be empty", BYTES(V30 "user\0ann\0options\0\0\0"), "3.0 user=ann options=" },
	{ "a packet may hold no parameters", BYTES(V30 "\0"), "3.0" },
	{ "a newer minor version is read too", BYTES("\0\x03\x27\x0fuser\0ann\0\0"), "3.9999 user=ann" },
	{ "SSLRequest is a code alone", BYTES("\x04\xd2\x16\x2f"), "1234.5679" },
	{ "GSSENCRequest is a code alone", BYTES("\x04\xd2\x16\x30"), "1234.5680" },
	{ "a cancel request has pid and key", BYTES(CANCEL "abcd"), "1234.5678 pid 258 key 4" },
	{ "a cancel key of 3.2 is longer", BYTES(CANCEL "0123456789abcdef"), "1234.5678 pid 258 key 16" },
	{ "a cancel key of three bytes is refused", BYTES(CANCEL "abc"), "no: found 3" },
	{ "a cancel request without a pid is refused", BYTES("\x04\xd2\x16\x2e\0\0"), "no: cancel request" },
	{ "SSLRequest with a body is refused", BYTES("\x04\xd2\x16\x2f\0"), "no: encryption request: 1 bytes" },
	{ "GSSENCRequest with a body is refused", BYTES("\x04\xd2\x16\x30user\0"), "no: encryption request: 5 bytes" },
	{ "protocol 2 has its version and no parameters for us", BYTES("\0\x02\0\0user\0ann\0\0"), "2.0" },
	{ "protocol 4 has its version and no parameters for us", BYTES("\0\x04\0\0user\0ann\0\0"), "4.0" },
	{ "a packet without a version is refused", BYTES("\0\x03\0"), "no: 3 bytes long" },
	{ "a packet without its last NUL is refused", BYTES(V30 "user\0ann\0"), "no: no NUL byte" },
	{ "a name without its NUL is refused", BYTES(V30 "user"), "no: no NUL byte" },
	{ "a name without a value is refused", BYTES(V30 "user\0"), "no: \"user\" has no value" },
	{ "bytes behind the end are refused", BYTES(V30 "user\0ann\0\0more\0"), "no: 5 bytes behind its end" },
	{ "a repeated name is refused", BYTES(V30 "user\0ann\0user\0bob\0\0"), "no: \"user\" is there twice" },
	{ "a name repeated in another case is refused", BYTES(V30 "DateStyle\0ISO\0datestyle\0SQL\0\0"),
	    "no: \"datestyle\" is there twice" },
};

static void
say_startup(const struct startup *s, struct sb *out)
{
	sb_fmt(out, "%u.%u", s->version >> 16, s->version & 0xffff);
	for (size_t i = 0; i < s->nparams; i++)
		sb_fmt(out, " %s=%s", s->params[i].name, s->params[i].value);
	if (s->key != NULL)
		sb_fmt(out, " pid %u key %zu", s->pid, s->key_len);
}

static void
assert_says(bool ok, const char *said, const struct err *why, const char *says)
{
	if (strncmp(says, "no: ", 4) != 0) {
		assert_string_equal(ok ? said : why->text, says);
	} else if (ok || strstr(why->text, says + 4) == NULL) {
		fail_msg("expected %s, found %s", says, ok ? said : why->text);
	}
}

static void
test_startup(void **state)
{
	const struct startup_row *row = *state;
	struct startup s = { 0 };
	struct err why = { "" };
	struct sb out = { 0 };
	bool ok = startup_read(row->body, row->n, &s, &why);

	say_startup(&s, &out);
	assert_says(ok, sb_text(&out), &why, row->says);
	if (!ok)
		assert_string_equal(sb_text(&out), "0.0"); /* left as it was */
	sb_free(&out);
}

/* What is written is read as it was; returns whether it was accepted. */
static bool
round_trip(uint32_t version, const struct startup_param *params, size_t n)
{
	struct wire_writer w = { 0 };
	struct startup s;
	struct err why;
	bool ok;

	startup_write(&w, version, params, n);
	assert_false(w.bad);
	ok = startup_read(w.p + 4, w.len - 4, &s, &why);
	if (ok) {
		assert_int_equal(s.version, version);
		assert_int_equal(s.nparams, n);
	}
	for (size_t i = 0; ok && i < n; i++)
		assert_string_equal(startup_get(&s, params[i].name), params[i].value);
	wire_writer_free(&w);
	return ok;
}

static void
test_startup_written(void **state)
{
	const struct startup_param params[] = { { "user", "ann" }, { "options", "-c a=b" }, { "empty", "" } };

	(void)state;
	assert_true(round_trip(PROTOCOL(3, 0), params, nitems(params)));
}

static void
test_startup_many(void **state)
{
	struct startup_param params[STARTUP_PARAMS_MAX + 1];
	char names[STARTUP_PARAMS_MAX + 1][8];

	(void)state;
	for (size_t i = 0; i < nitems(params); i++) {
		(void)snprintf(names[i], sizeof(names[i]), "p%zu", i);
		params[i] = (struct startup_param){ names[i], "v" };
	}
	assert_true(round_trip(PROTOCOL(3, 0), params, STARTUP_PARAMS_MAX));
	assert_false(round_trip(PROTOCOL(3, 0), params, STARTUP_PARAMS_MAX + 1));
}

static void
test_startup_long(void **state)
{
	static char value[STARTUP_MAX];
	const struct startup_param param = { "u", value };

	(void)state;
	memset(value, 'x', STARTUP_MAX - 8); /* version, "u", its NUL, the value's and the last one */
	assert_true(round_trip(PROTOCOL(3, 0), &param, 1));
	value[STARTUP_MAX - 8] = 'x';
	assert_false(round_trip(PROTOCOL(3, 0), &param, 1));
}

static void
test_startup_no_name(void **state)
{
	const struct startup_param param = { "", "value" };
	struct wire_writer w = { 0 };

	(void)state;
	startup_write(&w, PROTOCOL(3, 0), &param, 1);
	assert_true(w.bad);
	wire_writer_free(&w);
}

static void
test_startup_get(void **state)
{
	struct startup s;
	struct err why;

	(void)state;
	assert_true(startup_read(BYTES(V30 "user\0ann\0\0"), &s, &why));
	assert_string_equal(startup_get(&s, "user"), "ann");
	assert_null(startup_get(&s, "User"));
	assert_null(startup_get(&s, "database"));
}

static void
test_cancel(void **state)
{
	static const uint8_t key[256] = "k";
	struct wire_writer w = { 0 };
	struct startup s;
	struct err why;

	(void)state;
	cancel_write(&w, 77, key, sizeof(key));
	assert_true(startup_read(w.p + 4, w.len - 4, &s, &why));
	assert_int_equal(s.version, CODE_CANCEL);
	assert_int_equal(s.pid, 77);
	assert_int_equal(s.key_len, sizeof(key));
	assert_memory_equal(s.key, key, sizeof(key));
	wire_writer_clear(&w);
	wire_put_bytes(&w, CANCEL, 8);
	wire_put_bytes(&w, key, sizeof(key));
	wire_put_u8(&w, 0);
	assert_false(startup_read(w.p, w.len, &s, &why)); /* 257 bytes of key */
	wire_writer_free(&w);
}

/* --- options ---------------------------------------------------------------- */

static const struct options_row {
	const char *name, *options, *says;
} options_rows[] = {
	{ "no options are no settings", "", "" },
	{ "blanks are no settings", " \t\r\n\v\f ", "" },
	{ "-c takes the next word", "-c a=b", "[a=b]" },
	{ "-c may stick to its setting", "-ca=b", "[a=b]" },
	{ "-- is the long form", "--a=b", "[a=b]" },
	{ "settings follow each other", " -c a=b  --c=d\t-ce=f ", "[a=b][c=d][e=f]" },
	{ "dashes in a name are underscores", "--statement-timeout=5", "[statement_timeout=5]" },
	{ "dashes in a value stay", "-c a=b-c", "[a=b-c]" },
	{ "the first = ends the name", "-c a=b=c", "[a=b=c]" },
	{ "a value may be empty", "-c a=", "[a=]" },
	{ "an escaped blank belongs to the word", "-c a=b\\ c", "[a=b c]" },
	{ "an escaped backslash is one", "-c a=b\\\\c", "[a=b\\c]" },
	{ "a backslash hides in front of any byte", "-c \\a\\=\\b", "[a=b]" },
	{ "a backslash at the very end is dropped", "-c a=b\\", "[a=b]" },
	{ "a word may be escaped altogether", "\\-\\c a=b", "[a=b]" },
	{ "an escaped blank in front makes it no switch", "\\ -c a=b", "no: found \" -c\"" },
	{ "-c takes the next word whatever it looks like", "-c -c=x", "[_c=x]" },
	{ "a setting without = is refused", "-c a", "no: found \"a\"" },
	{ "a setting without a name is refused", "-c =a", "no: found \"=a\"" },
	{ "-c without a setting is refused", "-c", "no: behind -c" },
	{ "-c with an empty word is refused", "-c \\", "no: found \"\"" },
	{ "an empty word is refused", "\\", "no: found \"\"" },
	{ "-- alone is refused", "-- -c a=b", "no: found \"--\"" },
	{ "- alone is refused", "-", "no: found \"-\"" },
	{ "a word that is no switch is refused", "a=b", "no: found \"a=b\"" },
	{ "another switch is refused", "-d 5", "no: found \"-d\"" },
	{ "a switch before -c in one word is refused", "-ec a=b", "no: found \"-ec\"" },
	{ "a refusal comes where it stands", "-c a=b -e", "no: found \"-e\"" },
};

static bool
note_setting(void *arg, const char *name, const char *value)
{
	sb_fmt(arg, "[%s=%s]", name, value);
	return true;
}

static void
test_options(void **state)
{
	const struct options_row *row = *state;
	struct sb out = { 0 };
	struct err why = { "" };
	bool ok = options_read(row->options, note_setting, &out, &why);

	assert_says(ok, sb_text(&out), &why, row->says);
	sb_free(&out);
}

static bool
stop_at_once(void *arg, const char *name, const char *value)
{
	(void)name;
	(void)value;
	++*(int *)arg;
	return false;
}

static void
test_options_stop(void **state)
{
	struct err why = { "mine" };
	int calls = 0;

	(void)state;
	assert_false(options_read("-c a=b -c c=d", stop_at_once, &calls, &why));
	assert_int_equal(calls, 1);
	assert_string_equal(why.text, "mine");
}

static void
test_options_append(void **state)
{
	struct sb options = { 0 }, out = { 0 };
	struct err why;

	(void)state;
	options_append(&options, "a", "plain_1.5,x/y");
	options_append(&options, "b", " -c evil=1\\ \t");
	options_append(&options, "c", "");
	options_append(&options, "d", "\xc2\x85\xa0");
	assert_true(options_read(sb_text(&options), note_setting, &out, &why));
	assert_string_equal(sb_text(&out), "[a=plain_1.5,x/y][b= -c evil=1\\ \t][c=][d=\xc2\x85\xa0]");
	assert_null(strstr(sb_text(&options), " -c evil"));
	sb_free(&options);
	sb_free(&out);
}

static void
test_options_append_name(void **state)
{
	struct sb options = { 0 };

	(void)state;
	options_append(&options, "a=b", "c");
	assert_true(options.bad);
	sb_free(&options);
}

static const struct CMUnitTest single[] = {
	{ "a packet that is written is read the same", test_startup_written, NULL, NULL, NULL },
	{ "64 parameters pass, 65 do not", test_startup_many, NULL, NULL, NULL },
	{ "10000 bytes pass, 10001 do not", test_startup_long, NULL, NULL, NULL },
	{ "a parameter without a name cannot be written", test_startup_no_name, NULL, NULL, NULL },
	{ "a parameter is found by its exact name", test_startup_get, NULL, NULL, NULL },
	{ "a cancel request is read as written, up to 256 bytes of key", test_cancel, NULL, NULL, NULL },
	{ "the receiver of settings may stop", test_options_stop, NULL, NULL, NULL },
	{ "settings that are appended are read the same", test_options_append, NULL, NULL, NULL },
	{ "a name that would split elsewhere cannot be appended", test_options_append_name, NULL, NULL, NULL },
};

int
main(void)
{
	struct CMUnitTest tests[nitems(startup_rows) + nitems(options_rows) + nitems(single)];
	size_t n = 0;

	for (size_t i = 0; i < nitems(startup_rows); i++)
		tests[n++] =
		    (struct CMUnitTest){ startup_rows[i].name, test_startup, NULL, NULL, (void *)(uintptr_t)&startup_rows[i] };
	for (size_t i = 0; i < nitems(options_rows); i++)
		tests[n++] =
		    (struct CMUnitTest){ options_rows[i].name, test_options, NULL, NULL, (void *)(uintptr_t)&options_rows[i] };
	for (size_t i = 0; i < nitems(single); i++)
		tests[n++] = single[i];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
