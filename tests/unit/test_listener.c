/* Listening sockets on loopback and in a temporary directory, and the counts of
 * clients that have not logged in. */
#include <sys/resource.h>
#include <sys/stat.h>

#include <netinet/in.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <event2/event.h>

#include "listener.h"

/* --- addresses ------------------------------------------------------------- */

static const struct address_row {
	const char *name, *text;
	const char *expect; /* the text as parsed; NULL: refused, with `why` in the reason */
	const char *why;
} address_rows[] = {
	{ "an IPv4 address and port", "127.0.0.1:6432", "127.0.0.1:6432", NULL },
	{ "an IPv6 address in brackets", "[::1]:6432", "[::1]:6432", NULL },
	{ "port 0 lets the kernel choose", "127.0.0.1:0", "127.0.0.1:0", NULL },
	{ "a unix socket", "unix:/tmp/pgmoat.sock", "unix:/tmp/pgmoat.sock", NULL },
	{ "an IPv6 address without brackets is refused", "::1:6432", NULL, "expected HOST:PORT" },
	{ "a host without port is refused", "localhost", NULL, "expected HOST:PORT" },
	{ "an empty host is refused", ":6432", NULL, "expected HOST:PORT" },
	{ "empty brackets are refused", "[]:6432", NULL, "expected HOST:PORT" },
	{ "a port beyond 65535 is refused", "127.0.0.1:65536", NULL, "expected HOST:PORT" },
	{ "a negative port is refused", "127.0.0.1:-1", NULL, "expected HOST:PORT" },
	{ "a port with letters is refused", "127.0.0.1:54x", NULL, "expected HOST:PORT" },
	{ "a relative socket path is refused", "unix:pgmoat.sock", NULL, "absolute path" },
	{ "a directory is refused, with the name that clients look for", "unix:/tmp", NULL, "/tmp/.s.PGSQL.5432" },
	{ "a socket path that is too long is refused",
	    "unix:/"
	    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901",
	    NULL, "longer than" },
};

static void
test_address(void **state)
{
	const struct address_row *row = *state;
	struct listen_address a;
	struct err err;
	bool ok;

	memset(&a, 0, sizeof(a));
	ok = listen_address_parse(row->text, &a, &err);
	assert_int_equal(ok, row->expect != NULL);
	if (ok)
		assert_string_equal(a.text, row->expect);
	else
		assert_non_null(strstr(err.text, row->why));
}

/* --- accepting --------------------------------------------------------------- */

struct door {
	struct loop *loop;
	struct listener *listener;
	struct listen_address address;
	int fd;
	int accepted[64];
	size_t n;
};

static void
on_accepted(void *arg, int fd)
{
	struct door *d = arg;

	assert_true(d->n < nitems(d->accepted));
	d->accepted[d->n++] = fd;
}

static void
open_door(struct door *d, const char *text)
{
	struct err err = { "" };

	memset(d, 0, sizeof(*d));
	assert_true(listen_address_parse(text, &d->address, &err));
	if ((d->fd = listen_open(&d->address, 0700, &err)) < 0)
		fail_msg("%s", err.text);
	d->loop = loop_new(&err);
	d->listener = listener_new(d->loop, d->fd, on_accepted, d);
}

static void
close_door(struct door *d)
{
	size_t i;

	for (i = 0; i < d->n; i++)
		close(d->accepted[i]);
	listener_free(d->listener);
	loop_free(d->loop);
	close(d->fd);
	listen_unlink(&d->address);
}

static int
knock(const struct door *d)
{
	int fd = socket(d->address.addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (const struct sockaddr *)&d->address.addr, d->address.len), 0);
	return fd;
}

static bool too_late;

static void
on_too_late(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	too_late = true;
}

static void
run_until_accepted(struct door *d, size_t n)
{
	const struct timeval limit = { 20, 0 };
	struct event *guard = evtimer_new(loop_base(d->loop), on_too_late, NULL);

	too_late = false;
	event_add(guard, &limit);
	while (d->n < n && !too_late)
		event_base_loop(loop_base(d->loop), EVLOOP_ONCE);
	event_free(guard);
	assert_false(too_late);
}

static void
test_kernel_port(void **state)
{
	struct door d;
	int fd;

	(void)state;
	open_door(&d, "127.0.0.1:0");
	assert_string_not_equal(d.address.text, "127.0.0.1:0");
	fd = knock(&d);
	run_until_accepted(&d, 1);
	assert_true((fcntl(d.accepted[0], F_GETFL) & O_NONBLOCK) != 0);
	assert_true((fcntl(d.accepted[0], F_GETFD) & FD_CLOEXEC) != 0);
	close(fd);
	close_door(&d);
}

static void
test_every_address(void **state)
{
	struct door d;
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	(void)state;
	open_door(&d, "*:0");
	sin.sin_port = d.address.addr.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)(void *)&d.address.addr)->sin6_port
							    : ((struct sockaddr_in *)(void *)&d.address.addr)->sin_port;
	assert_int_equal(connect(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	run_until_accepted(&d, 1);
	close(fd);
	close_door(&d);
}

static void
test_shared_port(void **state)
{
	struct listen_address again;
	struct door d;
	struct err err;
	int fd;

	(void)state;
	open_door(&d, "127.0.0.1:0");
	again = d.address;
	fd = listen_open(&again, 0, &err); /* another worker */
	assert_true(fd >= 0);
	close(fd);
	assert_false(listen_probe(&d.address, &err)); /* another pgmoat asks first */
	assert_non_null(strstr(err.text, d.address.text));
	close_door(&d);
	assert_true(listen_probe(&again, &err));
}

static char dir[] = "/tmp/pgmoat-test-listener.XXXXXX";

static const char *
socket_path(void)
{
	static char path[128];

	snprintf(path, sizeof(path), "unix:%s/s", dir);
	return path;
}

static void
test_unix_socket(void **state)
{
	struct listen_address again;
	struct stat st;
	struct err err;
	struct door d;
	int fd;

	(void)state;
	open_door(&d, socket_path());
	assert_int_equal(stat(socket_path() + 5, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	fd = knock(&d);
	run_until_accepted(&d, 1);
	again = d.address;
	assert_int_equal(listen_open(&again, 0700, &err), -1);
	assert_non_null(strstr(err.text, "somebody else is listening"));
	close(fd);
	close_door(&d);
	assert_int_equal(stat(socket_path() + 5, &st), -1);
}

static void
test_stale_socket(void **state)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct listen_address a;
	struct err err;
	struct door d;

	(void)state;
	assert_true(listen_address_parse(socket_path(), &a, &err));
	assert_int_equal(bind(fd, (struct sockaddr *)&a.addr, a.len), 0);
	close(fd); /* crashed: the file stays */
	open_door(&d, socket_path());
	close(knock(&d));
	run_until_accepted(&d, 1);
	close_door(&d);
}

static void
test_file_is_kept(void **state)
{
	int fd = open(socket_path() + 5, O_CREAT | O_WRONLY, 0600);
	struct listen_address a;
	struct stat st;
	struct err err;

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	assert_true(listen_address_parse(socket_path(), &a, &err));
	assert_int_equal(listen_open(&a, 0700, &err), -1);
	assert_non_null(strstr(err.text, "not a socket"));
	assert_int_equal(stat(socket_path() + 5, &st), 0);
	unlink(socket_path() + 5);
}

/* Without descriptors the first client is turned away, the second waits. */
static void
test_exhaustion(void **state)
{
	struct rlimit old, few;
	int one, two, fd, top;
	struct door d;
	char c;

	(void)state;
	open_door(&d, "127.0.0.1:0");
	one = knock(&d);
	two = knock(&d);
	top = fcntl(two, F_DUPFD_CLOEXEC, 0); /* the lowest free one */
	close(top);
	getrlimit(RLIMIT_NOFILE, &old);
	few = old;
	few.rlim_cur = (rlim_t)top;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	event_base_loop(loop_base(d.loop), EVLOOP_ONCE);
	assert_int_equal(d.n, 0);
	setrlimit(RLIMIT_NOFILE, &old);
	assert_int_equal(read(one, &c, 1), 0);
	run_until_accepted(&d, 1); /* by itself, after a rest */
	fd = knock(&d);
	run_until_accepted(&d, 2);
	close(one);
	close(two);
	close(fd);
	close_door(&d);
}

/* --- half-open ----------------------------------------------------------------- */

static void
test_halfopen_counts(void **state)
{
	struct halfopen *h = halfopen_new(2);

	(void)state;
	assert_true(halfopen_enter(h, "10.0.0.1"));
	assert_true(halfopen_enter(h, "10.0.0.1"));
	assert_false(halfopen_enter(h, "10.0.0.1"));
	assert_true(halfopen_enter(h, "10.0.0.2"));
	halfopen_leave(h, "10.0.0.1");
	assert_true(halfopen_enter(h, "10.0.0.1"));
	halfopen_leave(h, "never came");
	halfopen_free(h);
}

static void
test_halfopen_forgets(void **state)
{
	struct halfopen *h = halfopen_new(1);
	char address[32];
	int i;

	(void)state;
	for (i = 0; i < 5000; i++) {
		snprintf(address, sizeof(address), "10.0.%d.%d", i / 256, i % 256);
		assert_true(halfopen_enter(h, address));
		if (i % 2 == 0)
			halfopen_leave(h, address);
	}
	for (i = 0; i < 5000; i++) {
		snprintf(address, sizeof(address), "10.0.%d.%d", i / 256, i % 256);
		assert_int_equal(halfopen_enter(h, address), i % 2 == 0);
	}
	halfopen_free(h);
}

static void *
come_and_go(void *arg)
{
	int i;

	for (i = 0; i < 2000; i++) {
		if (!halfopen_enter(arg, "::1"))
			return NULL;
		halfopen_leave(arg, "::1");
	}
	return arg;
}

static void
test_halfopen_threads(void **state)
{
	struct halfopen *h = halfopen_new(4);
	pthread_t threads[4];
	void *result;
	size_t i;

	(void)state;
	for (i = 0; i < nitems(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, come_and_go, h), 0);
	for (i = 0; i < nitems(threads); i++) {
		pthread_join(threads[i], &result);
		assert_non_null(result);
	}
	halfopen_free(h);
}

/* --- all of them ------------------------------------------------------------------ */

static const struct CMUnitTest rows[] = {
	{ .name = "port 0 is replaced by the kernel's, clients arrive non-blocking", .test_func = test_kernel_port },
	{ .name = "* takes IPv4 clients too", .test_func = test_every_address },
	{ .name = "workers share a port, a second program learns of it", .test_func = test_shared_port },
	{ .name = "a unix socket has its mode, its owner, and goes at the end", .test_func = test_unix_socket },
	{ .name = "a stale socket file is replaced", .test_func = test_stale_socket },
	{ .name = "a file that is no socket is kept", .test_func = test_file_is_kept },
	{ .name = "without descriptors accepting rests and resumes", .test_func = test_exhaustion },
	{ .name = "half-open clients are counted by address", .test_func = test_halfopen_counts },
	{ .name = "an address is forgotten when its last client has left", .test_func = test_halfopen_forgets },
	{ .name = "threads count together", .test_func = test_halfopen_threads },
};

int
main(void)
{
	struct CMUnitTest tests[nitems(rows) + nitems(address_rows)];
	const struct address_row *row;
	size_t i;
	int failed;

	memset(tests, 0, sizeof(tests));
	memcpy(tests, rows, sizeof(rows));
	for (i = 0; i < nitems(address_rows); i++) {
		row = &address_rows[i];
		tests[nitems(rows) + i].name = row->name;
		tests[nitems(rows) + i].test_func = test_address;
		memcpy(&tests[nitems(rows) + i].initial_state, &row, sizeof(void *));
	}
	if (mkdtemp(dir) == NULL)
		return 1;
	failed = cmocka_run_group_tests_name("listener", tests, NULL, NULL);
	rmdir(dir);
	return failed;
}
