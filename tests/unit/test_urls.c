/* tests/unit/test_urls.c - what pgmoat run finds in arguments and environment, and what its child gets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "urls.h"

#define MANY 8

static const struct row {
	const char *name;
	const char *upstream; /* --upstream */
	const char *argv[MANY], *env[MANY];
	const char *error;           /* part of the refusal; then nothing else counts */
	const char *conninfo[MANY];  /* parts of the upstream */
	const char *want_argv[MANY]; /* exactly these; none: not looked at */
	const char *want_env[MANY];  /* among the child's */
	const char *gone[MANY];      /* in no argument or variable of the child */
	const char *leaks;           /* what still holds the password */
} rows[] = {
	{ .name = "a URL that is an argument leads to the guard",
	    .argv = { "npx", "server", "postgresql://app:s3cretpw@db.example.com:5433/shop" },
	    .conninfo = { "host='db.example.com'", "port='5433'", "user='app'", "password='s3cretpw'", "dbname='shop'" },
	    .want_argv = { "npx", "server", "postgresql://app:TOKEN@127.0.0.1:6000/shop?sslmode=disable" },
	    .want_env = { "PGHOST=127.0.0.1", "PGPORT=6000", "PGUSER=app", "PGPASSWORD=TOKEN", "PGDATABASE=shop",
		"PGSSLMODE=disable" },
	    .gone = { "s3cretpw", "db.example.com" } },
	{ .name = "the short scheme is kept",
	    .argv = { "x", "postgres://a:b@h/d" },
	    .want_argv = { "x", "postgres://a:TOKEN@127.0.0.1:6000/d?sslmode=disable" } },
	{ .name = "a URL behind --flag= is found",
	    .argv = { "x", "--dsn=postgres://a:b@h/d" },
	    .want_argv = { "x", "--dsn=postgres://a:TOKEN@127.0.0.1:6000/d?sslmode=disable" } },
	{ .name = "a URL inside JSON ends at the quote",
	    .argv = { "x", "{\"url\": \"postgres://a:b@h/d\", \"n\": 1}" },
	    .want_argv = { "x", "{\"url\": \"postgres://a:TOKEN@127.0.0.1:6000/d?sslmode=disable\", \"n\": 1}" } },
	{ .name = "a URL inside a shell command ends at the blank",
	    .argv = { "sh", "-c", "psql postgres://a:b@h/d -c 'SELECT 1'" },
	    .want_argv = { "sh", "-c", "psql postgres://a:TOKEN@127.0.0.1:6000/d?sslmode=disable -c 'SELECT 1'" } },
	{ .name = "two URLs in one argument are both changed",
	    .argv = { "x", "postgres://a:b@h/d postgres://a:b@h/d" },
	    .want_argv = { "x",
		"postgres://a:TOKEN@127.0.0.1:6000/d?sslmode=disable postgres://a:TOKEN@127.0.0.1:6000/d?sslmode=disable" } },
	{ .name = "a variable of any name is found",
	    .argv = { "x" },
	    .env = { "LEDGER_MAIN=postgres://a:b@h/d", "HOME=/root" },
	    .want_env = { "LEDGER_MAIN=postgres://a:TOKEN@127.0.0.1:6000/d?sslmode=disable", "HOME=/root" } },
	{ .name = "percent-encoding is undone for the server and made for the client",
	    .argv = { "x", "postgres://us%20er:p%40ss%2Fword@h/my%20db" },
	    .conninfo = { "user='us er'", "password='p@ss/word'", "dbname='my db'" },
	    .want_argv = { "x", "postgres://us%20er:TOKEN@127.0.0.1:6000/my%20db?sslmode=disable" } },
	{ .name = "a bare @ in the password does not end it",
	    .argv = { "x", "postgres://a:p@ss@h/d" },
	    .conninfo = { "password='p@ss'", "host='h'" },
	    .want_argv = { "x", "postgres://a:TOKEN@127.0.0.1:6000/d?sslmode=disable" } },
	{ .name = "a password with quotes reaches the server's string escaped",
	    .argv = { "x", "postgres://a:p%27w%5C@h/d" },
	    .conninfo = { "password='p\\'w\\\\'" } },
	{ .name = "a semicolon in a password of a whole argument belongs to it",
	    .argv = { "x", "postgres://a:p;w)@h/d" },
	    .conninfo = { "password='p;w)'", "dbname='d'" } },
	{ .name = "several hosts become libpq's lists",
	    .argv = { "x", "postgres://a:b@h1:1111,h2,[::1]:3333/d" },
	    .conninfo = { "host='h1,h2,::1'", "port='1111,,3333'" },
	    .want_argv = { "x", "postgres://a:TOKEN@127.0.0.1:6000/d?sslmode=disable" } },
	{ .name = "an IPv6 host loses its brackets",
	    .argv = { "x", "postgres://a@[fe80::1]:5555/d" },
	    .conninfo = { "host='fe80::1'", "port='5555'" } },
	{ .name = "a socket directory may stand in the host",
	    .argv = { "x", "postgres://a@%2Fvar%2Frun%2Fpostgresql/d" },
	    .conninfo = { "host='/var/run/postgresql'" } },
	{ .name = "a socket directory may stand in a parameter",
	    .argv = { "x", "postgres:///d?host=/run/pg&port=7&user=a" },
	    .conninfo = { "host='/run/pg'", "port='7'", "user='a'" },
	    .want_argv = { "x", "postgres://a:TOKEN@127.0.0.1:6000/d?sslmode=disable" } },
	{ .name = "parameters of the server's side go to the server alone",
	    .argv = { "x", "postgres://a:b@h/d?sslmode=verify-full&sslrootcert=/ca.pem&target_session_attrs=any" },
	    .conninfo = { "sslmode='verify-full'", "sslrootcert='/ca.pem'", "target_session_attrs='any'" },
	    .want_argv = { "x", "postgres://a:TOKEN@127.0.0.1:6000/d?sslmode=disable" } },
	{ .name = "parameters of the session stay as they are",
	    .argv = { "x", "postgres://a:b@h/d?application_name=my%20app&options=-c%20a%3D1&connect_timeout=3" },
	    .want_argv = { "x", "postgres://a:TOKEN@127.0.0.1:6000/d?sslmode=disable&application_name=my%20app&options=-c%20a%3D1"
				"&connect_timeout=3" } },
	{ .name = "parameters that only a driver knows stay, and do not disturb",
	    .argv = { "x", "postgres://a:b@h/d?schema=s&pgbouncer=true" },
	    .conninfo = { "host='h'" },
	    .want_argv = { "x", "postgres://a:TOKEN@127.0.0.1:6000/d?sslmode=disable&schema=s&pgbouncer=true" } },
	{ .name = "node's no-verify is libpq's require",
	    .argv = { "x", "postgres://a:b@h/d?sslmode=no-verify" },
	    .conninfo = { "sslmode='require'" },
	    .want_argv = { "x", "postgres://a:TOKEN@127.0.0.1:6000/d?sslmode=disable" } },
	{ .name = "ssl=true is libpq's require",
	    .argv = { "x", "postgres://a:b@h/d?ssl=true" },
	    .conninfo = { "sslmode='require'" } },
	{ .name = "JDBC has its user and password in parameters",
	    .argv = { "x", "jdbc:postgresql://h:1/d?user=a&password=b&ssl=false" },
	    .conninfo = { "user='a'", "password='b'", "port='1'", "sslmode='disable'" },
	    .want_argv = { "x", "jdbc:postgresql://127.0.0.1:6000/d?user=a&password=TOKEN&sslmode=disable" } },
	{ .name = "a driver in the scheme is kept, and asyncpg is told nothing that it does not know",
	    .env = { "DSN=postgresql+asyncpg://a:b@h/d" },
	    .argv = { "x" },
	    .want_env = { "DSN=postgresql+asyncpg://a:TOKEN@127.0.0.1:6000/d" } },
	{ .name = "a scheme that only ends like ours is another",
	    .argv = { "x", "notpostgres://a:b@h/d" },
	    .error = "found no Postgres URL" },
	{ .name = "broken percent-encoding is refused, not passed on",
	    .argv = { "x", "postgres://a:b%4@h/d" },
	    .error = "argument 1 of the command: the Postgres URL has broken percent-encoding in its password" },

	{ .name = "a key=value argument leads to the guard",
	    .argv = { "psql", "host=h port=5 user=a password='b c' dbname=d application_name=me" },
	    .conninfo = { "host='h'", "port='5'", "password='b c'" },
	    .want_argv = { "psql",
		"host='127.0.0.1' port=6000 user='a' password='TOKEN' dbname='d' sslmode=disable application_name='me'" } },
	{ .name = "a key=value string behind --flag= too",
	    .argv = { "x", "--conn=dbname=d user=a host=h" },
	    .want_argv = { "x", "--conn=host='127.0.0.1' port=6000 user='a' password='TOKEN' dbname='d' sslmode=disable" } },
	{ .name = "key=value with an unknown key is no connection string",
	    .argv = { "x", "host=h colour=red" },
	    .error = "found no Postgres URL" },
	{ .name = "SQL with host= in it is no connection string",
	    .argv = { "x", "SELECT host=dbname FROM t" },
	    .error = "found no Postgres URL" },

	{ .name = "PG variables lead to the guard",
	    .argv = { "psql" },
	    .env = { "PGHOST=h", "PGPORT=7", "PGUSER=a", "PGPASSWORD=s3cretpw", "PGDATABASE=d", "PGAPPNAME=me",
		"PGSSLROOTCERT=/ca" },
	    .conninfo = { "host='h'", "port='7'", "user='a'", "password='s3cretpw'", "dbname='d'", "sslrootcert='/ca'" },
	    .want_env = { "PGHOST=127.0.0.1", "PGPORT=6000", "PGPASSWORD=TOKEN", "PGAPPNAME=me" },
	    .gone = { "s3cretpw", "PGHOST=h", "PGSSLROOTCERT" } },
	{ .name = "PGPASSFILE and PGHOSTADDR do not reach the child",
	    .argv = { "psql" },
	    .env = { "PGHOST=h", "PGHOSTADDR=10.0.0.1", "PGUSER=a", "PGPASSFILE=/pass" },
	    .conninfo = { "hostaddr='10.0.0.1'", "passfile='/pass'" },
	    .gone = { "PGPASSFILE", "PGHOSTADDR" } },
	{ .name = "PGPASSWORD completes a URL that has none",
	    .argv = { "x", "postgres://a@h/d" },
	    .env = { "PGPASSWORD=s3cretpw" },
	    .conninfo = { "password='s3cretpw'" },
	    .want_argv = { "x", "postgres://a:TOKEN@127.0.0.1:6000/d?sslmode=disable" },
	    .gone = { "s3cretpw" } },
	{ .name = "PGUSER alone is only a default behind a URL",
	    .argv = { "x", "postgres://a:b@h/d" },
	    .env = { "PGUSER=other" },
	    .conninfo = { "user='a'" },
	    .want_env = { "PGUSER=a" } },
	{ .name = "a family of variables leads to the guard",
	    .argv = { "x" },
	    .env = { "POSTGRES_HOST=h", "POSTGRES_PORT=7", "POSTGRES_USER=a", "POSTGRES_PASSWORD=s3cretpw", "POSTGRES_DATABASE=d",
		"POSTGRES_SSL=true", "POSTGRES_COLOUR=red" },
	    .conninfo = { "host='h'", "port='7'", "user='a'", "password='s3cretpw'", "dbname='d'" },
	    .want_env = { "POSTGRES_HOST=127.0.0.1", "POSTGRES_PORT=6000", "POSTGRES_USER=a", "POSTGRES_PASSWORD=TOKEN",
		"POSTGRES_DATABASE=d", "POSTGRES_SSL=false", "POSTGRES_COLOUR=red" },
	    .gone = { "s3cretpw" } },
	{ .name = "DB_HOST, DB_NAME and DB_PASS are such a family",
	    .argv = { "x" },
	    .env = { "DB_TYPE=postgres", "DB_HOST=h", "DB_NAME=d", "DB_USER=a", "DB_PASS=b" },
	    .want_env = { "DB_HOST=127.0.0.1", "DB_NAME=d", "DB_PASS=TOKEN", "DB_TYPE=postgres" } },
	{ .name = "a family of another database is left alone",
	    .argv = { "x", "postgres://a:b@h/d" },
	    .env = { "DB_TYPE=mysql", "DB_HOST=other", "DB_USER=root" },
	    .want_env = { "DB_HOST=other" },
	    .conninfo = { "host='h'" } },

	{ .name = "the same server twice is one",
	    .argv = { "x", "postgres://a:b@H:5432/d" },
	    .env = { "DATABASE_URL=postgresql://a:b@h/d?application_name=x", "PGHOST=h", "PGDATABASE=d" },
	    .want_argv = { "x", "postgres://a:TOKEN@127.0.0.1:6000/d?sslmode=disable" },
	    .want_env = { "DATABASE_URL=postgresql://a:TOKEN@127.0.0.1:6000/d?sslmode=disable&application_name=x" } },
	{ .name = "two hosts are refused",
	    .argv = { "x", "postgres://a:b@one/d" },
	    .env = { "DATABASE_URL=postgres://a:b@two/d" },
	    .error = "DATABASE_URL: a@two/d (host differs)" },
	{ .name = "two ports are refused, and 5432 is one when unsaid",
	    .argv = { "x", "postgres://a:b@h/d", "postgres://a:b@h:5433/d" },
	    .error = "argument 2 of the command: a@h:5433/d (port differs)" },
	{ .name = "two databases are refused",
	    .argv = { "x", "postgres://a:b@h/d" },
	    .env = { "PGHOST=h", "PGDATABASE=e" },
	    .error = "PGHOST: h/e (dbname differs)" },
	{ .name = "two passwords are refused without being told",
	    .argv = { "x", "postgres://a:first@h/d", "postgres://a:second@h/d" },
	    .error = "a@h/d (password differs)" },
	{ .name = "--upstream must agree with what the command is given",
	    .upstream = "postgres://a:b@one/d",
	    .argv = { "x", "postgres://a:b@two/d" },
	    .error = "(host differs)" },

	{ .name = "with --upstream alone PG variables and DATABASE_URL lead to the guard",
	    .upstream = "postgres://a:b@h/d",
	    .argv = { "x" },
	    .conninfo = { "host='h'", "password='b'" },
	    .want_env = { "PGHOST=127.0.0.1", "PGPASSWORD=TOKEN",
		"DATABASE_URL=postgresql://a:TOKEN@127.0.0.1:6000/d?sslmode=disable" } },
	{ .name = "--upstream may be a key=value string",
	    .upstream = "host=h user=a dbname=d",
	    .argv = { "x" },
	    .conninfo = { "host='h'" } },
	{ .name = "--upstream that is no connection string is refused",
	    .upstream = "shop",
	    .argv = { "x" },
	    .error = "--upstream: expected a Postgres URL" },
	{ .name = "nothing found is refused with what was looked for",
	    .argv = { "x" },
	    .env = { "HOME=/root" },
	    .error = "--upstream URL says" },

	{ .name = "a password option that repeats the password gets the token",
	    .argv = { "x", "postgres://a:pw1@h/d", "--password", "pw1", "--db-password=pw1", "pw1" },
	    .want_argv = { "x", "postgres://a:TOKEN@127.0.0.1:6000/d?sslmode=disable", "--password", "TOKEN", "--db-password=TOKEN",
		"pw1" },
	    .leaks = "argument 5 of the command" },
	{ .name = "a password variable that repeats the password gets the token",
	    .argv = { "x", "postgres://a:longsecret@h/d" },
	    .env = { "MY_DB_PASSWORD=longsecret" },
	    .want_env = { "MY_DB_PASSWORD=TOKEN" },
	    .gone = { "longsecret" } },
	{ .name = "another variable that holds the password is named",
	    .argv = { "x", "postgres://a:longsecret@h/d" },
	    .env = { "NOTES=the password is longsecret", "OTHER=1" },
	    .want_env = { "NOTES=the password is longsecret" },
	    .leaks = "NOTES" },
	{ .name = "a password that is the user's name is not hunted for",
	    .argv = { "x", "postgres://postgres:postgres@h/d" },
	    .env = { "LOGNAME=postgres" },
	    .want_env = { "LOGNAME=postgres" } },
};

static size_t
count(const char *const *v)
{
	size_t n = 0;

	while (n < MANY && v[n] != NULL)
		n++;
	return n;
}

static char **
copy_vector(const char *const *v)
{
	char **out = xcalloc(MANY + 1, sizeof(*out));
	size_t i;

	for (i = 0; i < count(v); i++)
		out[i] = xstrdup(v[i]);
	return out;
}

static void
free_vector(char **v)
{
	size_t i;

	for (i = 0; v[i] != NULL; i++)
		free(v[i]);
	free(v);
}

static bool
contains(char *const *v, const char *text)
{
	for (; *v != NULL; v++)
		if (strcmp(*v, text) == 0)
			return true;
	return false;
}

static void
assert_gone(char *const *v, const char *text)
{
	for (; *v != NULL; v++)
		if (strstr(*v, text) != NULL)
			fail_msg("\"%s\" is still in \"%s\"", text, *v);
}

static void
assert_same(char *const *found, const char *const *wanted)
{
	size_t i;

	for (i = 0; i < count(wanted); i++) {
		assert_non_null(found[i]);
		assert_string_equal(found[i], wanted[i]);
	}
	assert_null(found[i]);
}

static void
check_child(const struct row *row, char **argv, char **env, struct urls *urls, const struct target *target)
{
	const struct guard guard = { .host = "127.0.0.1",
		.port = "6000",
		.user = target->value[TARGET_USER],
		.password = "TOKEN",
		.dbname = target->value[TARGET_DBNAME] };
	const char *secret = target->value[TARGET_PASSWORD];
	char **child_argv = urls_argv(argv, &guard, secret), **child_env = urls_env(urls, env, &guard, secret);
	struct sb leaks = { 0 };
	size_t i;

	if (count(row->want_argv) > 0)
		assert_same(child_argv, row->want_argv);
	for (i = 0; i < count(row->want_env); i++)
		if (!contains(child_env, row->want_env[i]))
			fail_msg("the child does not get %s", row->want_env[i]);
	for (i = 0; i < count(row->gone); i++) {
		assert_gone(child_argv, row->gone[i]);
		assert_gone(child_env, row->gone[i]);
	}
	urls_leaks(child_argv, child_env, target, &leaks);
	assert_string_equal(sb_text(&leaks), row->leaks != NULL ? row->leaks : "");
	sb_free(&leaks);
	free_vector(child_argv);
	free_vector(child_env);
}

/* libpq reads the process's own environment for its defaults. */
static void
set_environment(const char *const *env)
{
	size_t i;

	clearenv();
	for (i = 0; i < count(env); i++)
		putenv((char *)(uintptr_t)env[i]);
}

static void
test_row(void **state)
{
	const struct row *row = *state;
	char **argv = copy_vector(row->argv), **env = copy_vector(row->env);
	struct target target = { 0 };
	struct sb text = { 0 };
	struct urls urls;
	struct err err;
	size_t i;
	bool good;

	set_environment(row->env);
	if (!(good = urls_find(&urls, row->upstream, argv, env, &err)))
		sb_str(&text, err.text);
	else
		good = urls_target(&urls, &target, &text);
	if (row->error == NULL && !good)
		fail_msg("refused: %s", sb_text(&text));
	if (row->error != NULL) {
		assert_false(good);
		if (strstr(sb_text(&text), row->error) == NULL)
			fail_msg("not \"%s\" but \"%s\"", row->error, sb_text(&text));
		if (strstr(sb_text(&text), "first") != NULL || strstr(sb_text(&text), "second") != NULL)
			fail_msg("a password is in \"%s\"", sb_text(&text));
	} else {
		target_conninfo(&target, &text);
		for (i = 0; i < count(row->conninfo); i++)
			if (strstr(sb_text(&text), row->conninfo[i]) == NULL)
				fail_msg("no %s in %s", row->conninfo[i], sb_text(&text));
		check_child(row, argv, env, &urls, &target);
	}
	sb_free(&text);
	urls_release(&urls);
	target_release(&target);
	free_vector(argv);
	free_vector(env);
}

static void
test_wipe(void **state)
{
	const char *const args[MANY] = { "run", "--upstream", "postgres://a:longsecret@h/d", "--name", "x-longsecret-y" };
	const char *const vars[MANY] = { "DATABASE_URL=postgres://a:longsecret@h/d", "PGPASSWORD=longsecret", "HOME=/root" };
	char **argv = copy_vector(args), **env = copy_vector(vars);
	struct target target = { 0 };

	(void)state;
	target_set(&target, TARGET_PASSWORD, "longsecret", strlen("longsecret"));
	urls_wipe(argv, env, &target);
	assert_gone(argv, "longsecret");
	assert_gone(env, "longsecret");
	assert_string_equal(argv[3], "--name");
	assert_string_equal(env[2], "HOME=/root");
	assert_int_equal(strlen(argv[2]), strlen(args[2]));
	target_release(&target);
	free_vector(argv);
	free_vector(env);
}

/* A guard on a socket, and on IPv6, as each way of saying it wants it. */
static void
test_other_guards(void **state)
{
	const struct guard socket = { .host = "/run/moat", .port = "6000", .user = "a", .password = "T", .dbname = "d" };
	const struct guard six = { .host = "::1", .port = "6000", .user = "a", .password = "T", .dbname = "d" };
	struct sb out = { 0 };

	(void)state;
	dburl_guard("postgres://x", strlen("postgres://x"), &socket, &out);
	assert_string_equal(sb_text(&out), "postgres://a:T@/d?host=%2Frun%2Fmoat&port=6000&sslmode=disable");
	sb_clear(&out);
	dburl_guard("postgres://x", strlen("postgres://x"), &six, &out);
	assert_string_equal(sb_text(&out), "postgres://a:T@[::1]:6000/d?sslmode=disable");
	sb_free(&out);
}

int
main(void)
{
	struct CMUnitTest tests[nitems(rows) + 2];
	size_t n = 0;

	for (size_t i = 0; i < nitems(rows); i++)
		tests[n++] = (struct CMUnitTest){ rows[i].name, test_row, NULL, NULL, (void *)(uintptr_t)&rows[i] };
	tests[n++] =
	    (struct CMUnitTest){ "our own arguments and environment are overwritten in place", test_wipe, NULL, NULL, NULL };
	tests[n++] =
	    (struct CMUnitTest){ "a guard on a socket or on IPv6 is spelled as URLs want it", test_other_guards, NULL, NULL, NULL };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
