/* tests/unit/test_log.c - the operator's log: whole lines, that no peer can forge. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "log.h"

static struct fixture {
	char dir[32], file[64], moved[64];
} fixture;

static int
setup(void **state)
{
	(void)state;
	strcpy(fixture.dir, "/tmp/test_log.XXXXXX");
	if (mkdtemp(fixture.dir) == NULL)
		return -1;
	snprintf(fixture.file, sizeof(fixture.file), "%s/log", fixture.dir);
	snprintf(fixture.moved, sizeof(fixture.moved), "%s/moved", fixture.dir);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	log_close();
	unlink(fixture.file);
	unlink(fixture.moved);
	return rmdir(fixture.dir);
}

static char *
contents(const char *path)
{
	static char buf[65536];
	FILE *f = fopen(path, "r");
	size_t n = 0;

	if (f != NULL) {
		n = fread(buf, 1, sizeof(buf) - 1, f);
		fclose(f);
	}
	buf[n] = '\0';
	return buf;
}

static void
open_log(enum log_level level)
{
	struct err err;

	if (!log_open(fixture.file, level, &err))
		fail_msg("%s", err.text);
}

/* What follows the time and the level. */
static const struct row {
	const char *name, *message, *line;
} rows[] = {
	{ "plain text stays as it is", "hello", "hello\n" },
	{ "a newline cannot begin a line of its own", "a\nb", "a\\x0ab\n" },
	{ "an escape sequence does not reach the terminal", "\033[2J", "\\x1b[2J\n" },
	{ "a delete is escaped", "a\177", "a\\x7f\n" },
	{ "letters beyond ASCII stay", "gr\303\274n", "gr\303\274n\n" },
	{ "a C1 control in UTF-8 is escaped", "a\302\233b", "a\\xc2\\x9bb\n" },
	{ "a letter that shares the lead byte of C1 stays", "\302\251", "\302\251\n" },
	{ "what is not UTF-8 is escaped", "a\377", "a\\xff\n" },
};

static void
test_escape(void **state)
{
	const struct row *row = *state;
	char *line;

	open_log(LOG_INFO_);
	log_info(0, "%s", row->message);
	log_close();
	line = contents(fixture.file);
	assert_int_equal(line[10], 'T');
	assert_memory_equal(line + 26, "Z info ", 7);
	assert_string_equal(line + 33, row->line);
	unlink(fixture.file);
}

static void
test_session(void **state)
{
	(void)state;
	open_log(LOG_INFO_);
	log_warn(42, "x");
	log_close();
	assert_non_null(strstr(contents(fixture.file), " warn session=42 x\n"));
	unlink(fixture.file);
}

static void
test_level(void **state)
{
	(void)state;
	open_log(LOG_WARN_);
	log_debug(0, "hidden");
	log_info(0, "hidden");
	log_error(0, "shown");
	assert_false(log_enabled(LOG_INFO_));
	log_close();
	assert_null(strstr(contents(fixture.file), "hidden"));
	assert_non_null(strstr(contents(fixture.file), "shown"));
	unlink(fixture.file);
}

static void
test_long(void **state)
{
	char *text = xmalloc(10001);
	size_t len;

	(void)state;
	memset(text, 'a', 10000);
	text[10000] = '\0';
	open_log(LOG_INFO_);
	log_info(0, "%s", text);
	log_close();
	free(text);
	len = strlen(contents(fixture.file));
	assert_true(len < 5000);
	assert_string_equal(contents(fixture.file) + len - 7, " [cut]\n");
	unlink(fixture.file);
}

static void
test_reopen(void **state)
{
	(void)state;
	open_log(LOG_INFO_);
	log_info(0, "before");
	assert_int_equal(rename(fixture.file, fixture.moved), 0);
	log_info(0, "still the old file");
	log_reopen();
	log_info(0, "after");
	log_close();
	assert_non_null(strstr(contents(fixture.moved), "still the old file"));
	assert_non_null(strstr(contents(fixture.file), "after"));
	assert_null(strstr(contents(fixture.file), "before"));
}

static void
test_cannot_open(void **state)
{
	struct err err;

	(void)state;
	assert_false(log_open("/nowhere/log", LOG_INFO_, &err));
	assert_string_equal(err.text, "log file /nowhere/log: No such file or directory");
}

static const struct CMUnitTest single[] = {
	{ "a line names its session", test_session, NULL, NULL, NULL },
	{ "less severe lines are left out", test_level, NULL, NULL, NULL },
	{ "a long line is cut and says so", test_long, NULL, NULL, NULL },
	{ "after a rotation the new file is written", test_reopen, NULL, NULL, NULL },
	{ "a file that cannot be opened is named", test_cannot_open, NULL, NULL, NULL },
};

int
main(void)
{
	struct CMUnitTest tests[nitems(rows) + nitems(single)];
	size_t n = 0;

	for (size_t i = 0; i < nitems(rows); i++)
		tests[n++] = (struct CMUnitTest){ rows[i].name, test_escape, NULL, NULL, (void *)(uintptr_t)&rows[i] };
	for (size_t i = 0; i < nitems(single); i++)
		tests[n++] = single[i];
	return cmocka_run_group_tests(tests, setup, teardown);
}
