/* tests/unit/test_config.c - settings from options and pgmoat.json, and what is said about wrong ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "config_table.h"
#include "log.h"

#define MANY 12
#define NEEDED "--listen", "127.0.0.1:6432", "--upstream", "postgresql://h"
#define FILE_ "@FILE" /* stands for the file that holds row->file */

static char path[] = "/tmp/test_config.XXXXXX";

static const struct error_row {
	const char *name;
	const char *file;
	const char *argv[MANY];
	const char *errors; /* all of them; "@" is the file's name */
} error_rows[] = {
	{ "nothing at all: both needed settings are named", NULL, { "serve" },
	    "--listen: an address to listen on is needed, for instance 127.0.0.1:6432\n"
	    "--upstream: the server's URL is needed, for instance postgresql://127.0.0.1:5432\n" },
	{ "an unknown option", NULL, { "serve", NEEDED, "--polcy", "x" }, "--polcy: unknown option\nx: unexpected argument\n" },
	{ "an option spelled like its key", NULL, { "serve", NEEDED, "--log_level=info" }, "--log_level=info: unknown option\n" },
	{ "an option of one dash", NULL, { "serve", NEEDED, "-policy" }, "-policy: unknown option\n" },
	{ "an option without its value", NULL, { "serve", NEEDED, "--policy" }, "--policy: needs a value\n" },
	{ "an empty value", NULL, { "serve", NEEDED, "--policy=" }, "--policy: must not be empty\n" },
	{ "an option given twice", NULL, { "serve", NEEDED, "--policy=a", "--policy=b" }, "--policy: given twice\n" },
	{ "a number out of range", NULL, { "serve", NEEDED, "--workers", "257" },
	    "--workers: expected a whole number from 0 to 256, found \"257\"\n" },
	{ "a number with something behind it", NULL, { "serve", NEEDED, "--workers=4x" },
	    "--workers: expected a whole number from 0 to 256, found \"4x\"\n" },
	{ "a word that is not one of the list", NULL, { "serve", NEEDED, "--auth", "trust" },
	    "--auth: expected pass or password, found \"trust\"\n" },
	{ "permissions that are not octal", NULL, { "serve", NEEDED, "--unix-mode", "0789" },
	    "--unix-mode: expected octal permissions like \"0770\", found \"0789\"\n" },
	{ "permissions with more than read, write and execute", NULL, { "serve", NEEDED, "--unix-mode", "4777" },
	    "--unix-mode: expected octal permissions like \"0770\", found \"4777\"\n" },
	{ "a certificate without its key", NULL, { "serve", NEEDED, "--tls-cert", "c" },
	    "--tls-key: certificate and key come together, and this one is missing\n" },
	{ "TLS demanded without a certificate", NULL, { "serve", NEEDED, "--tls-mode", "require" },
	    "--tls-mode: TLS needs --tls-cert and --tls-key\n" },
	{ "all wrong options are told at once", NULL, { "serve", NEEDED, "--auth=x", "--workers=-1" },
	    "--auth: expected pass or password, found \"x\"\n--workers: expected a whole number from 0 to 256, found \"-1\"\n" },
	{ "an argument that is no option", NULL, { "serve", NEEDED, "more" }, "more: unexpected argument\n" },
	{ "a file that is not there", NULL, { "serve", "-c", "/nowhere" }, "/nowhere: No such file or directory\n" },
	{ "two files", "{\"listen\":\"a\",\"upstream\":\"u\"}", { "serve", "-c", FILE_, "-c", FILE_ }, "-c: given twice\n" },

	{ "an unknown key names its place", "{\n  // a comment\n  \"listen\": \"a\", \"upstream\": \"u\",\n  \"polcy\": \"p\",\n}",
	    { "serve", "-c", FILE_ }, "@:4:3: polcy: unknown key\n" },
	{ "a key spelled like its option", "{ \"log-level\": \"info\" }", { "serve", "-c", FILE_ },
	    "@:1:3: log-level: unknown key\n" },
	{ "a mistyped number names its place", "{ \"workers\": \"4\" }", { "serve", "-c", FILE_ },
	    "@:1:14: workers: expected a number\n" },
	{ "a fraction is no whole number", "{ \"workers\": 1.5 }", { "serve", "-c", FILE_ },
	    "@:1:14: workers: expected a whole number from 0 to 256, found \"1.5\"\n" },
	{ "a number is no string", "{ \"policy\": 1 }", { "serve", "-c", FILE_ }, "@:1:13: policy: expected a string\n" },
	{ "a string is no truth value", "{ \"audit_redact\": \"yes\" }", { "serve", "-c", FILE_ },
	    "@:1:19: audit_redact: expected true or false\n" },
	{ "permissions as a number are not octal", "{ \"unix_mode\": 770 }", { "serve", "-c", FILE_ },
	    "@:1:16: unix_mode: expected a string\n" },
	{ "a number among the addresses", "{ \"listen\": [\"a\", 1] }", { "serve", "-c", FILE_ },
	    "@:1:13: listen: expected a string\n" },
	{ "a list is no object", "[]", { "serve", "-c", FILE_ }, "@:1:1: expected an object: { \"listen\": ... }\n" },
	{ "all wrong keys of a file are told at once", "{ \"a\": 1,\n  \"b\": 2 }", { "serve", "-c", FILE_ },
	    "@:1:3: a: unknown key\n@:2:3: b: unknown key\n" },
};

static void
write_file(const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text != NULL ? text : "", f);
	fclose(f);
}

static bool
read_config(struct config *c, const char *const *row_argv, const char *file, struct sb *errors)
{
	char *argv[MANY + 1] = { NULL };
	int argc = 0;

	write_file(file);
	for (; argc < MANY && row_argv[argc] != NULL; argc++)
		argv[argc] = (char *)(uintptr_t)(strcmp(row_argv[argc], FILE_) == 0 ? path : row_argv[argc]);
	config_init(c);
	return config_read(c, argc, argv, errors);
}

static void
test_error(void **state)
{
	const struct error_row *row = *state;
	struct sb errors = { 0 }, wanted = { 0 };
	struct config c;
	const char *p;

	assert_false(read_config(&c, row->argv, row->file, &errors));
	for (p = row->errors; *p != '\0'; p++)
		if (*p == '@')
			sb_str(&wanted, path);
		else
			sb_char(&wanted, *p);
	assert_string_equal(sb_text(&errors), sb_text(&wanted));
	sb_free(&wanted);
	sb_free(&errors);
	config_release(&c);
}

static void
good(struct config *c, const char *const *argv, const char *file)
{
	struct sb errors = { 0 };

	if (!read_config(c, argv, file, &errors))
		fail_msg("%s", sb_text(&errors));
	sb_free(&errors);
}

static void
test_defaults(void **state)
{
	const char *const argv[MANY] = { "serve", NEEDED };
	struct config c;

	(void)state;
	good(&c, argv, NULL);
	assert_int_equal(c.nlisten, 1);
	assert_string_equal(c.upstream, "postgresql://h");
	assert_null(c.policy);
	assert_int_equal(c.audit_on_failure, AUDIT_REFUSE);
	assert_int_equal(c.workers, 0);
	assert_int_equal(c.tls_mode, TLS_DISABLE);
	assert_int_equal(c.auth, AUTH_PASS);
	assert_int_equal(c.login_timeout, 60);
	assert_int_equal(c.max_half_open, 64);
	assert_int_equal(c.max_clients, 10000);
	assert_int_equal(c.unix_mode, 0777);
	assert_int_equal(c.log_level, LOG_INFO_);
	config_release(&c);
}

static void
test_file(void **state)
{
	const char *const argv[MANY] = { "serve", "-c", FILE_ };
	struct config c;

	(void)state;
	good(&c, argv,
	    "/* all of it */ { \"listen\": [\"127.0.0.1:1\", \"unix:/s\"], \"upstream\": \"u\", \"audit\": \"-\", "
	    "\"audit_redact\": true,\n"
	    "\"audit_on_failure\": \"count\", \"workers\": 3, \"tls_cert\": \"c\", \"tls_key\": \"k\", \"unix_mode\": \"0700\", // "
	    "last\n"
	    "\"auth\": \"password\", }");
	assert_int_equal(c.nlisten, 2);
	assert_string_equal(c.listen[1], "unix:/s");
	assert_true(c.audit_redact);
	assert_int_equal(c.audit_on_failure, AUDIT_COUNT);
	assert_int_equal(c.workers, 3);
	assert_int_equal(c.tls_mode, TLS_PREFER); /* there is a certificate */
	assert_int_equal(c.unix_mode, 0700);
	assert_int_equal(c.auth, AUTH_PASSWORD);
	config_release(&c);
}

static void
test_override(void **state)
{
	const char *const argv[MANY] = { "serve", "--listen=b", "--audit-redact=false", "--listen", "c", "-c", FILE_,
		"--tls-mode=disable" };
	struct config c;

	(void)state;
	good(&c, argv,
	    "{\"listen\": \"a\", \"upstream\": \"u\", \"audit_redact\": true, \"tls_cert\": \"c\", \"tls_key\": \"k\", "
	    "\"tls_mode\": \"require\"}");
	assert_int_equal(c.nlisten, 2);
	assert_string_equal(c.listen[0], "b");
	assert_string_equal(c.listen[1], "c");
	assert_false(c.audit_redact);
	assert_int_equal(c.tls_mode, TLS_DISABLE);
	config_release(&c);
}

static void
test_repeated_key(void **state)
{
	const char *const argv[MANY] = { "serve", "-c", FILE_ };
	struct sb errors = { 0 };
	struct config c;

	(void)state;
	assert_false(read_config(&c, argv, "{\"listen\": \"a\", \"upstream\": \"u\",\n \"upstream\": \"v\", \"x\": 1}", &errors));
	assert_non_null(strstr(sb_text(&errors), ":2:2: "));
	assert_non_null(strstr(sb_text(&errors), ":2:19: x: unknown key\n"));
	sb_free(&errors);
	config_release(&c);
}

static void
test_run_options(void **state)
{
	char *argv[] = { (char *)(uintptr_t) "run", (char *)(uintptr_t) "--policy", (char *)(uintptr_t) "p",
		(char *)(uintptr_t) "--", (char *)(uintptr_t) "--command", (char *)(uintptr_t) "--policy", NULL };
	struct sb errors = { 0 };
	struct config c;
	int next;

	(void)state;
	config_init(&c);
	assert_true(config_options(&c, CONFIG_RUN, 6, argv, &next, &errors));
	assert_int_equal(next, 4); /* what follows is the command's */
	assert_string_equal(c.policy, "p");
	argv[1] = (char *)(uintptr_t) "--tls-cert"; /* serve's alone */
	assert_false(config_options(&c, CONFIG_RUN, 3, argv, &next, &errors));
	sb_free(&errors);
	config_release(&c);
}

static int
setup(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	return fd != -1 ? close(fd) : -1;
}

static int
teardown(void **state)
{
	(void)state;
	return unlink(path);
}

static const struct CMUnitTest single[] = {
	{ "what is not said has its default", test_defaults, NULL, NULL, NULL },
	{ "a file with comments and a last comma is read", test_file, NULL, NULL, NULL },
	{ "options override the file, wherever -c stands", test_override, NULL, NULL, NULL },
	{ "a repeated key is an error, and reading goes on", test_repeated_key, NULL, NULL, NULL },
	{ "run leaves its command's options alone", test_run_options, NULL, NULL, NULL },
};

int
main(void)
{
	struct CMUnitTest tests[nitems(error_rows) + nitems(single)];
	size_t n = 0;

	for (size_t i = 0; i < nitems(error_rows); i++)
		tests[n++] = (struct CMUnitTest){ error_rows[i].name, test_error, NULL, NULL, (void *)(uintptr_t)&error_rows[i] };
	for (size_t i = 0; i < nitems(single); i++)
		tests[n++] = single[i];
	return cmocka_run_group_tests(tests, setup, teardown);
}
