/* The way to the server: URLs, dialling, logging in by libpq and cancelling,
 * against a server that follows a script (tests/lib/pgscript.h). */
#include <signal.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <event2/event.h>
#include <libpq-fe.h>

#include "certs.h"
#include "pgscript.h"
#include "upstream_int.h"

static char dir[] = "/tmp/pgmoat-test-upstream.XXXXXX";
static SSL_CTX *server_tls;

/* --- URLs --------------------------------------------------------------------- */

static const struct url_row {
	const char *name, *url;
	const char *expect; /* upstream_name(); NULL: refused */
	const char *why;    /* in the reason */
	const char *user, *password, *database;
	bool may_tls;
} url_rows[] = {
	{ "a URL with everything", "postgresql://u%40x:p%3Aw@db.example.com:6432/shop?sslmode=require", "db.example.com:6432", NULL,
	    "u@x", "p:w", "shop", true },
	{ "the short scheme", "postgres://db/shop", "db:5432", NULL, NULL, NULL, "shop", true },
	{ "key=value pairs", "host=db port=5433 user=u password='p w' dbname=d", "db:5433", NULL, "u", "p w", "d", true },
	{ "several hosts, one port", "postgresql://a,b:6000/d", "a:5432,b:6000", NULL, NULL, NULL, "d", true },
	{ "several hosts, several ports", "host=a,b port=1,2", "a:1,b:2", NULL, NULL, NULL, NULL, true },
	{ "one port for all", "host=a,b port=7", "a:7,b:7", NULL, NULL, NULL, NULL, true },
	{ "an IPv6 address", "postgresql://[::1]:5433/d", "[::1]:5433", NULL, NULL, NULL, "d", true },
	{ "hostaddr alone", "hostaddr=10.0.0.7", "10.0.0.7:5432", NULL, NULL, NULL, NULL, true },
	{ "a unix socket's directory", "host=/tmp dbname=d", "/tmp/.s.PGSQL.5432", NULL, NULL, NULL, "d", false },
	{ "a unix socket in a URL", "postgresql://%2Ftmp:7/d", "/tmp/.s.PGSQL.7", NULL, NULL, NULL, "d", false },
	{ "no host means Debian's socket directory", "postgresql:///d", "/var/run/postgresql/.s.PGSQL.5432", NULL, NULL, NULL, "d",
	    false },
	{ "sslmode=disable does without TLS", "postgresql://db/?sslmode=disable", "db:5432", NULL, NULL, NULL, NULL, false },
	{ "an unknown sslmode is refused", "postgresql://db/?sslmode=maybe", NULL, "sslmode: expected", NULL, NULL, NULL, false },
	{ "verify-full without root certificate is refused", "postgresql://db/?sslmode=verify-full", NULL, "root certificate file",
	    NULL, NULL, NULL, false },
	{ "a port of letters is refused", "host=db port=x", NULL, "port: expected", NULL, NULL, NULL, false },
	{ "port 0 is refused", "host=db port=0", NULL, "port: expected", NULL, NULL, NULL, false },
	{ "more ports than hosts are refused", "host=a,b,c port=1,2", NULL, "2 ports for 3 hosts", NULL, NULL, NULL, false },
	{ "hostaddr must match the hosts", "host=a,b hostaddr=10.0.0.1", NULL, "hostaddr", NULL, NULL, NULL, false },
	{ "an unknown key is named", "host=db colour=red", NULL, "\"colour\"", NULL, NULL, NULL, false },
	{ "GSS encryption cannot be promised", "host=db gssencmode=require", NULL, "gssencmode=require", NULL, NULL, NULL, false },
	{ "GSS encryption that is only preferred is left out", "host=db gssencmode=prefer", "db:5432", NULL, NULL, NULL, NULL,
	    true },
	{ "a service is refused", "service=prod", NULL, "service: not supported", NULL, NULL, NULL, false },
	{ "replication is refused", "host=db replication=database", NULL, "replication: not supported", NULL, NULL, NULL, false },
	{ "a timeout that is none is refused", "host=db connect_timeout=soon", NULL, "connect_timeout", NULL, NULL, NULL, false },
	{ "another scheme is refused", "mysql://u:secret@db/d", NULL, "expected postgresql://", NULL, NULL, NULL, false },
	{ "nothing at all is Debian's socket too", "", "/var/run/postgresql/.s.PGSQL.5432", NULL, NULL, NULL, NULL, false },
};

static void
assert_same(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		assert_ptr_equal(a, b);
	else
		assert_string_equal(a, b);
}

static void
test_url(void **state)
{
	const struct url_row *row = *state;
	struct upstream *u;
	struct err err = { "" };

	u = upstream_parse(row->url, &err);
	if ((u != NULL) != (row->expect != NULL))
		fail_msg("%s: %s", row->url, err.text);
	if (u == NULL) {
		if (strstr(err.text, row->why) == NULL)
			fail_msg("%s", err.text);
		return;
	}
	assert_string_equal(upstream_name(u), row->expect);
	assert_same(upstream_user(u), row->user);
	assert_same(upstream_password(u), row->password);
	assert_same(upstream_database(u), row->database);
	assert_int_equal(upstream_may_tls(u), row->may_tls);
	upstream_free(u);
}

static const struct secret_row {
	const char *name, *url;
} secret_rows[] = {
	{ "a mistyped scheme does not show the password", "postgers://u:hunter2@db/d" },
	{ "a bad escape does not show the password", "postgresql://u:hunter2%zz@db/d" },
	{ "an unquoted blank does not show the password", "host=db password=my hunter2" },
	{ "an open quote does not show the password", "host=db password='hunter2" },
	{ "an open bracket does not show the password", "postgresql://u:hunter2@[::1/d" },
};

static void
test_secret(void **state)
{
	const struct secret_row *row = *state;
	struct err err = { "" };

	assert_null(upstream_parse(row->url, &err));
	assert_true(err.text[0] != '\0');
	assert_null(strstr(err.text, "hunter2"));
}

/* --- turning the loop ----------------------------------------------------------- */

struct call {
	struct loop *loop;
	struct conn *conn;
	struct server_login *login;
	bool done, ended;
	char why[1024], sqlstate[8];
	struct sb got;
	unsigned cancels;
};

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
run_while(struct call *c, bool (*waiting)(const struct call *))
{
	const struct timeval limit = { 20, 0 };
	struct event *guard = evtimer_new(loop_base(c->loop), on_too_late, NULL);

	too_late = false;
	event_add(guard, &limit);
	while (waiting(c) && !too_late)
		event_base_loop(loop_base(c->loop), EVLOOP_ONCE);
	event_free(guard);
	assert_false(too_late);
}

static bool
not_done(const struct call *c)
{
	return !c->done;
}

static bool
no_word(const struct call *c)
{
	return c->got.len < 5 && !c->ended;
}

static bool
no_cancel(const struct call *c)
{
	return c->cancels == 0;
}

static void
settle(struct call *c)
{
	int i;

	for (i = 0; i < 10; i++)
		event_base_loop(loop_base(c->loop), EVLOOP_NONBLOCK);
}

static void
open_call(struct call *c)
{
	struct err err;

	memset(c, 0, sizeof(*c));
	c->loop = loop_new(&err);
	assert_non_null(c->loop);
}

static void
close_call(struct call *c)
{
	conn_close(c->conn);
	loop_free(c->loop);
	sb_free(&c->got);
}

static void
on_server(struct conn *conn, enum conn_event ev, void *arg)
{
	struct call *c = arg;
	const uint8_t *p;
	size_t n;

	switch (ev) {
	case CONN_DATA:
		p = conn_input(conn, &n);
		sb_bytes(&c->got, p, n);
		conn_consume(conn, n);
		break;
	case CONN_DRAINED:
	case CONN_TLS:
		break;
	case CONN_EOF:
	case CONN_ERROR:
		c->ended = true;
		break;
	}
}

static void
connected(struct call *c, struct conn *conn, const char *why)
{
	assert_false(c->done);
	c->done = true;
	c->conn = conn;
	snprintf(c->why, sizeof(c->why), "%s", why != NULL ? why : "");
	if (conn == NULL)
		return;
	conn_set_callback(conn, on_server, c);
	conn_write(conn, "hello", 5);
}

static void
on_dialled(void *arg, struct conn *conn, const char *why)
{
	connected(arg, conn, why);
}

/* --- dialling ---------------------------------------------------------------------- */

static const struct dial_row {
	const char *name;
	const char *url; /* {port}: the server's, {closed}: nobody listens, {dir}: of certificates */
	const char *script;
	const char *why; /* in the reason; NULL: it works */
	bool tls;
} dial_rows[] = {
	{ "disable asks for nothing", "host=127.0.0.1 port={port} sslmode=disable", "P", NULL, false },
	{ "allow begins in plain", "host=127.0.0.1 port={port} sslmode=allow", "P", NULL, false },
	{ "prefer takes TLS when it is offered", "host=127.0.0.1 port={port}", "T", NULL, true },
	{ "prefer goes on in plain on the same connection", "host=127.0.0.1 port={port}", "N", NULL, false },
	{ "prefer connects again in plain when the handshake fails", "host=127.0.0.1 port={port}", "SP", NULL, false },
	{ "prefer connects again when the certificate is a stranger's", "host=127.0.0.1 port={port} sslrootcert={dir}/other.crt",
	    "TP", NULL, false },
	{ "require takes TLS", "host=127.0.0.1 port={port} sslmode=require", "T", NULL, true },
	{ "require refuses a server without TLS", "host=127.0.0.1 port={port} sslmode=require", "N", "does not support TLS",
	    false },
	{ "require does not fall back", "host=127.0.0.1 port={port} sslmode=require", "S", "TLS handshake", false },
	{ "verify-ca takes the authority's server", "host=127.0.0.1 port={port} sslmode=verify-ca sslrootcert={dir}/ca.crt", "T",
	    NULL, true },
	{ "verify-ca refuses a stranger", "host=127.0.0.1 port={port} sslmode=verify-ca sslrootcert={dir}/other.crt", "T",
	    "certificate is not accepted", false },
	{ "verify-full takes the right name",
	    "host=localhost hostaddr=127.0.0.1 port={port} sslmode=verify-full sslrootcert={dir}/ca.crt", "T", NULL, true },
	{ "verify-full refuses another name",
	    "host=elsewhere hostaddr=127.0.0.1 port={port} sslmode=verify-full sslrootcert={dir}/ca.crt", "T", "hostname mismatch",
	    false },
	{ "verify-full without any name is refused", "hostaddr=127.0.0.1 port={port} sslmode=verify-full sslrootcert={dir}/ca.crt",
	    "S", "no host name", false },
	{ "an error in place of the answer ends the attempt", "host=127.0.0.1 port={port}", "E",
	    "refused the connection before encryption", false },
	{ "garbage in place of the answer ends the attempt", "host=127.0.0.1 port={port}", "X", "not PostgreSQL's", false },
	{ "bytes behind the S are an injection", "host=127.0.0.1 port={port} sslmode=require", "I", "more than one byte", false },
	{ "bytes behind the N are an injection", "host=127.0.0.1 port={port}", "M", "more than one byte", false },
	{ "a server that hangs up is named so", "host=127.0.0.1 port={port}", "C", "closed the connection", false },
	{ "a silent server meets connect_timeout", "host=127.0.0.1 port={port} connect_timeout=1", "-", "timeout expired", false },
	{ "nobody listens", "host=127.0.0.1 port={closed}", "", "Connection refused", false },
	{ "the next host is tried, in order", "host=127.0.0.1,127.0.0.1 port={closed},{port}", "N", NULL, false },
	{ "the next host is tried when the first refuses TLS", "host=127.0.0.1,127.0.0.1 port={port} sslmode=require", "NT", NULL,
	    true },
	{ "all reasons are told, with their addresses", "host=127.0.0.1,127.0.0.1 port={closed},{port} sslmode=require", "N",
	    "Connection refused; 127.0.0.1:", false },
	{ "localhost needs no resolver", "host=localhost port={port}", "N", NULL, false },
	{ "a hostaddr that is none", "host=db hostaddr=nonsense port={port}", "", "not a numeric address", false },
	{ "target_session_attrs cannot be kept here", "host=127.0.0.1 port={port} target_session_attrs=read-write", "",
	    "--auth password", false },
	{ "channel_binding=require cannot be kept here", "host=127.0.0.1 port={port} channel_binding=require", "",
	    "--auth password", false },
	{ "a missing unix socket", "host=/nonexistent", "", "No such file", false },
};

/* Puts the ports and the directory into a row's URL. */
static void
expand(struct sb *url, const char *text, int port, int closed)
{
	while (*text != '\0') {
		if (strncmp(text, "{port}", 6) == 0)
			sb_fmt(url, "%d", port);
		else if (strncmp(text, "{closed}", 8) == 0)
			sb_fmt(url, "%d", closed);
		else if (strncmp(text, "{dir}", 5) == 0)
			sb_str(url, dir);
		else
			sb_char(url, *text);
		text += *text == '{' ? strcspn(text, "}") + 1 : 1;
	}
}

static struct upstream *
parse(const char *text, int port, int closed)
{
	struct sb url = { 0 };
	struct upstream *u;
	struct err err;

	expand(&url, text, port, closed);
	u = upstream_parse(sb_text(&url), &err);
	sb_free(&url);
	if (u == NULL)
		fail_msg("%s", err.text);
	return u;
}

static void
test_dial(void **state)
{
	const struct dial_row *row = *state;
	struct script s = { .acts = row->script, .talk = echo, .tls = server_tls };
	struct upstream *u;
	struct call c;
	int closed = 0, refusing;

	refusing = script_bind(&closed);
	assert_true(script_start(&s));
	u = parse(row->url, s.port, closed);
	open_call(&c);
	assert_non_null(dial_start(c.loop, u, on_dialled, &c));
	assert_false(c.done); /* never from inside */
	run_while(&c, not_done);
	if (row->why == NULL && c.conn == NULL)
		fail_msg("%s", c.why);
	if (row->why != NULL && (c.conn != NULL || strstr(c.why, row->why) == NULL))
		fail_msg("expected \"%s\", found \"%s\"", row->why, c.why);
	if (c.conn != NULL) {
		run_while(&c, no_word);
		assert_string_equal(sb_text(&c.got), "world");
		assert_int_equal(conn_is_tls(c.conn), row->tls);
		assert_string_equal(conn_address(c.conn), "127.0.0.1");
	}
	close_call(&c);
	script_join(&s);
	assert_int_equal(s.served, strlen(row->script));
	close(refusing);
	upstream_free(u);
}

static void
test_dial_unix(void **state)
{
	struct script s = { .acts = "P", .talk = echo };
	struct sockaddr_un {
		sa_family_t family;
		char path[108];
	} sun = { AF_UNIX, "" };
	struct upstream *u;
	struct call c;

	(void)state;
	snprintf(sun.path, sizeof(sun.path), "%s/.s.PGSQL.77", dir);
	s.listening = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(s.listening, (struct sockaddr *)(void *)&sun, sizeof(sun)), 0);
	assert_int_equal(listen(s.listening, 1), 0);
	assert_int_equal(pthread_create(&s.thread, NULL, script_run, &s), 0);
	u = parse("host={dir} port=77 sslmode=require", 0, 0); /* libpq does without TLS there, too */
	open_call(&c);
	assert_non_null(dial_start(c.loop, u, on_dialled, &c));
	run_while(&c, no_word);
	assert_string_equal(sb_text(&c.got), "world");
	assert_string_equal(conn_address(c.conn), "unix");
	close_call(&c);
	script_join(&s);
	unlink(sun.path);
	upstream_free(u);
}

/* Stopped before it starts, while it waits for the server, and with the loop. */
static void
test_dial_stop(void **state)
{
	struct script s = { .acts = "-", .talk = echo };
	struct upstream *u;
	struct dial *d;
	struct call c;

	(void)state;
	assert_true(script_start(&s));
	u = parse("host=127.0.0.1 port={port}", s.port, 0);
	open_call(&c);
	dial_stop(dial_start(c.loop, u, on_dialled, &c));
	d = dial_start(c.loop, u, on_dialled, &c);
	settle(&c);
	dial_stop(d);
	settle(&c);
	assert_false(c.done);
	close_call(&c);
	script_join(&s);
	upstream_free(u);
}

/* A name that nobody answers for: stopped while the question is out. */
static void
test_dial_stop_resolving(void **state)
{
	struct upstream *u = parse("host=nobody.pgmoat.invalid port=5432", 0, 0);
	struct dial *d;
	struct call c;

	(void)state;
	open_call(&c);
	d = dial_start(c.loop, u, on_dialled, &c);
	settle(&c);
	if (!c.done)
		dial_stop(d);
	close_call(&c);
	upstream_free(u);
}

/* --- cancelling ---------------------------------------------------------------------- */

static void
on_cancelled(void *arg)
{
	((struct call *)arg)->cancels++;
}

static const struct cancel_row {
	const char *name, *url, *script;
	bool tls;
	bool arrives;
} cancel_rows[] = {
	{ "a cancel in plain", "host=127.0.0.1 port={port}", "P", false, true },
	{ "a cancel inside TLS", "host=127.0.0.1 port={port} sslmode=verify-full sslrootcert={dir}/ca.crt", "T", true, true },
	{ "a cancel whose key stays here when the server is a stranger",
	    "host=127.0.0.1 port={port} sslmode=verify-ca sslrootcert={dir}/other.crt", "T", true, false },
	{ "a cancel that is not let in is done all the same", "host=127.0.0.1 port={port}", "C", false, false },
};

static void
test_cancel(void **state)
{
	static const unsigned char request[] = { 4, 210, 22, 46, 0, 0, 1, 2, 9, 8, 7, 6 };
	const struct cancel_row *row = *state;
	struct script s = { .acts = row->script, .talk = cancel, .tls = server_tls };
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_storage ss = { 0 };
	struct upstream *u;
	struct call c;

	assert_true(script_start(&s));
	u = parse(row->url, s.port, 0);
	sin.sin_port = htons((uint16_t)s.port);
	memcpy(&ss, &sin, sizeof(sin));
	open_call(&c);
	dial_cancel(c.loop, u, &ss, sizeof(sin), row->tls, 0x102, request + 8, 4, on_cancelled, &c);
	assert_int_equal(c.cancels, 0);
	run_while(&c, no_cancel);
	script_join(&s);
	assert_int_equal(s.packet_len, row->arrives ? sizeof(request) : 0);
	assert_memory_equal(s.packet, request, s.packet_len);
	settle(&c);
	assert_int_equal(c.cancels, 1);
	close_call(&c);
	upstream_free(u);
}

static void
test_cancel_outlived(void **state)
{
	struct script s = { .acts = "-", .talk = cancel };
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_storage ss = { 0 };
	struct upstream *u;
	struct call c;

	(void)state;
	assert_true(script_start(&s));
	u = parse("host=127.0.0.1 port={port}", s.port, 0);
	sin.sin_port = htons((uint16_t)s.port);
	memcpy(&ss, &sin, sizeof(sin));
	open_call(&c);
	dial_cancel(c.loop, u, &ss, sizeof(sin), false, 1, (const uint8_t *)"key!", 4, on_cancelled, &c);
	settle(&c);
	close_call(&c); /* the loop ends first: everything is freed, nobody is called */
	assert_int_equal(c.cancels, 0);
	script_join(&s);
	upstream_free(u);
}

/* --- logging in ------------------------------------------------------------------------- */

#define WELCOME                               \
	"R\0\0\0\010\0\0\0\0"                 \
	"S\0\0\0\030server_version\00015.7\0" \
	"S\0\0\0\021TimeZone\0UTC\0"          \
	"K\0\0\0\014\0\0\1\2\1\2\3\4"         \
	"Z\0\0\0\5I"
#define REFUSAL "E\0\0\0\105SFATAL\0VFATAL\0C28P01\0Mpassword authentication failed: x\0Fauth.c\0\0"
#define STARTUP "E\0\0\0\065SFATAL\0VFATAL\0C57P03\0Mthe system is starting up\0\0"

static const struct login_row {
	const char *name, *url, *script, *reply;
	size_t reply_len;
	const char *password;
	const char *why, *sqlstate;
	bool tls;
} login_rows[] = {
	{ "a login in plain", "host=127.0.0.1 port={port} sslmode=disable", "P", WELCOME, sizeof(WELCOME) - 1, "pw", NULL, NULL,
	    false },
	{ "a login inside TLS", "host=127.0.0.1 port={port} sslmode=require", "T", WELCOME, sizeof(WELCOME) - 1, "pw", NULL, NULL,
	    true },
	{ "a login inside TLS with the name checked",
	    "host=localhost hostaddr=127.0.0.1 port={port} sslmode=verify-full sslrootcert={dir}/ca.crt", "T", WELCOME,
	    sizeof(WELCOME) - 1, NULL, NULL, NULL, true },
	{ "a login that prefers TLS and finds none", "host=127.0.0.1 port={port}", "N", WELCOME, sizeof(WELCOME) - 1, "pw", NULL,
	    NULL, false },
	{ "a refusal with its SQLSTATE", "host=127.0.0.1 port={port} sslmode=disable", "P", REFUSAL, sizeof(REFUSAL) - 1, "pw",
	    "password authentication failed: x", "28P01", false },
	{ "a refusal is final, though there is another host", "host=127.0.0.1,127.0.0.1 port={port} sslmode=disable", "P", REFUSAL,
	    sizeof(REFUSAL) - 1, "pw", "password authentication failed: x", "28P01", false },
	{ "a server that starts up lets the next host have a try", "host=127.0.0.1,127.0.0.1 port={port} sslmode=disable", "PP",
	    STARTUP, sizeof(STARTUP) - 1, "pw", "the system is starting up; 127.0.0.1:", "57P03", false },
	{ "a server that hangs up", "host=127.0.0.1 port={port} sslmode=disable", "C", "", 0, "pw", "server closed the connection",
	    NULL, false },
	{ "nobody listens", "host=127.0.0.1 port={closed}", "", "", 0, "pw", "Connection refused", NULL, false },
	{ "the next host is tried", "host=127.0.0.1,localhost port={closed},{port} sslmode=disable", "P", WELCOME,
	    sizeof(WELCOME) - 1, "pw", NULL, NULL, false },
	{ "a certificate that is not accepted", "host=127.0.0.1 port={port} sslmode=verify-ca sslrootcert={dir}/other.crt", "T", "",
	    0, "pw", "certificate verify failed", NULL, false },
	{ "an empty password is never replaced by the operator's", "host=127.0.0.1 port={port}", "", "", 0, "", "empty password",
	    "28P01", false },
	{ "a silent server meets connect_timeout", "host=127.0.0.1 port={port} connect_timeout=1", "-", "", 0, "pw",
	    "timeout expired", NULL, false },
};

static const struct error_row {
	const char *name, *text, *sqlstate, *why;
} error_rows[] = {
	{ "a server's refusal without the place in its source",
	    "connection to server at \"127.0.0.1\", port 5 failed: FATAL:  28000: no entry for host\nLOCATION:  ClientAuth, "
	    "auth.c:1\n",
	    "28000", "no entry for host" },
	{ "the last of two answers counts", "c failed: FATAL:  28000: SSL encryption\nc failed: FATAL:  28P01: no encryption\n",
	    "28P01", "no encryption" },
	{ "a translated severity", "c failed: FATALE:  3D000: il database non esiste\n", "3D000", "il database non esiste" },
	{ "a network error, first line only",
	    "connection to server at \"h\", port 5 failed: Connection refused\n\tIs the server running on that host?\n", "",
	    "Connection refused" },
	{ "a text without any form", "out of memory", "", "out of memory" },
	{ "a text that only looks like a code", "c failed: FATAL:  28P0", "", "FATAL:  28P0" },
	{ "no text", "", "", "" },
};

static void
test_error(void **state)
{
	const struct error_row *row = *state;
	char sqlstate[6];
	struct err why;

	login_read_error(row->text, sqlstate, &why);
	assert_string_equal(sqlstate, row->sqlstate);
	assert_string_equal(why.text, row->why);
}

static void
on_logged_in(void *arg, struct conn *conn, struct server_login *login, const char *why, const char *sqlstate)
{
	struct call *c = arg;

	connected(c, conn, why);
	c->login = login;
	snprintf(c->sqlstate, sizeof(c->sqlstate), "%s", sqlstate != NULL ? sqlstate : "");
}

static void
note_parameter(void *arg, const char *name, const char *value)
{
	sb_fmt(arg, "%s=%s ", name, value);
}

static const struct login_param params[] = {
	{ "application_name", "a b" },
	{ "client_encoding", "UTF8" },
	{ "search_path", "public, \\x y" },
};

/* The startup packet holds name and value, one behind the other. */
static bool
startup_has(const struct script *s, const char *name, const char *value)
{
	char pair[256];
	int n = snprintf(pair, sizeof(pair), "%s%c%s", name, '\0', value);

	return memmem(s->packet, s->packet_len, pair, (size_t)n + 1) != NULL;
}

static void
check_logged_in(struct call *c, struct script *s, bool tls)
{
	struct sb known = { 0 };

	run_while(c, no_word);
	assert_string_equal(sb_text(&c->got), "world");
	assert_int_equal(conn_is_tls(c->conn), tls);
	login_parameters(c->login, note_parameter, &known);
	assert_string_equal(sb_text(&known), "server_version=15.7 TimeZone=UTC ");
	sb_free(&known);
	conn_close(c->conn);
	c->conn = NULL;
	settle(c);
	script_join(s);
	assert_true(s->said_terminate);
	assert_true(startup_has(s, "user", "alice"));
	assert_true(startup_has(s, "database", "shop"));
	assert_true(startup_has(s, "application_name", "a b"));
	assert_true(startup_has(s, "client_encoding", "UTF8"));
	assert_true(startup_has(s, "options", "-c search_path=public,\\ \\\\x\\ y"));
}

static void
test_login(void **state)
{
	const struct login_row *row = *state;
	struct script s = {
		.acts = row->script, .talk = login, .reply = row->reply, .reply_len = row->reply_len, .tls = server_tls
	};
	struct upstream *u;
	struct call c;
	int closed = 0, refusing;

	refusing = script_bind(&closed);
	assert_true(script_start(&s));
	u = parse(row->url, s.port, closed);
	open_call(&c);
	assert_non_null(login_start(c.loop, u, "alice", row->password, "shop", params, nitems(params), on_logged_in, &c));
	assert_false(c.done);
	run_while(&c, not_done);
	if ((c.conn == NULL) != (row->why != NULL) || (row->why != NULL && strstr(c.why, row->why) == NULL))
		fail_msg("expected \"%s\", found \"%s\"", row->why != NULL ? row->why : "", c.why);
	assert_string_equal(c.sqlstate, row->sqlstate != NULL ? row->sqlstate : "");
	if (c.conn != NULL)
		check_logged_in(&c, &s, row->tls);
	else
		script_join(&s);
	close_call(&c);
	assert_int_equal(s.served, strlen(row->script));
	close(refusing);
	upstream_free(u);
}

static void
test_login_stop(void **state)
{
	struct script s = { .acts = "-", .talk = login };
	struct upstream *u;
	struct login *l;
	struct call c;

	(void)state;
	assert_true(script_start(&s));
	u = parse("host=127.0.0.1 port={port}", s.port, 0);
	open_call(&c);
	login_stop(login_start(c.loop, u, "alice", "pw", "shop", NULL, 0, on_logged_in, &c));
	l = login_start(c.loop, u, "alice", "pw", "shop", NULL, 0, on_logged_in, &c);
	settle(&c);
	login_stop(l);
	settle(&c);
	assert_false(c.done);
	close_call(&c);
	script_join(&s);
	upstream_free(u);
}

/* The server's first connection logs in, the second is the cancel. */
static void
login_then_cancel(struct script *s)
{
	if (s->served > 0) {
		cancel(s);
		return;
	}
	if (script_packet(s))
		script_write(s, s->reply, s->reply_len);
}

static void
test_login_cancel(void **state)
{
	static const unsigned char request[] = { 4, 210, 22, 46, 0, 0, 1, 2, 1, 2, 3, 4 };
	const bool *loop_ends_first = *state;
	struct script s = { .acts = "PP", .talk = login_then_cancel, .reply = WELCOME, .reply_len = sizeof(WELCOME) - 1 };
	struct upstream *u;
	struct call c;

	assert_true(script_start(&s));
	u = parse("host=127.0.0.1 port={port} sslmode=disable", s.port, 0);
	open_call(&c);
	assert_non_null(login_start(c.loop, u, "alice", "pw", "shop", NULL, 0, on_logged_in, &c));
	run_while(&c, not_done);
	assert_non_null(c.conn);
	login_cancel(c.loop, c.login, on_cancelled, &c);
	conn_close(c.conn); /* the login may go at once */
	c.conn = NULL;
	if (*loop_ends_first) {
		close_call(&c);
		script_join(&s);
		assert_int_equal(c.cancels, 0);
	} else {
		run_while(&c, no_cancel);
		script_join(&s);
		close_call(&c);
	}
	assert_memory_equal(s.packet, request, sizeof(request));
	upstream_free(u);
}

/* --- all of them --------------------------------------------------------------------------- */

static const bool yes = true, no = false;

static const struct row {
	const char *name;
	void (*test)(void **);
	const void *arg;
} rows[] = {
	{ "a unix socket is dialled without TLS", test_dial_unix, NULL },
	{ "a dial can be stopped at any time", test_dial_stop, NULL },
	{ "a dial can be stopped while its name is looked up", test_dial_stop_resolving, NULL },
	{ "a cancel ends with its loop", test_cancel_outlived, NULL },
	{ "a login can be stopped at any time", test_login_stop, NULL },
	{ "libpq's cancel arrives, and its end is told", test_login_cancel, &no },
	{ "libpq's cancel arrives though the loop is gone", test_login_cancel, &yes },
};

static void
add(struct CMUnitTest *t, const char *name, void (*test)(void **), const void *state)
{
	t->name = name;
	t->test_func = test;
	memcpy(&t->initial_state, &state, sizeof(void *));
}

static void
make_server_tls(void)
{
	server_tls = SSL_CTX_new(TLS_server_method());
	if (SSL_CTX_use_certificate_chain_file(server_tls, cert_path(dir, "server.crt")) != 1 ||
	    SSL_CTX_use_PrivateKey_file(server_tls, cert_path(dir, "server.key"), SSL_FILETYPE_PEM) != 1)
		abort();
}

int
main(void)
{
	struct CMUnitTest tests[nitems(rows) + nitems(url_rows) + nitems(secret_rows) + nitems(dial_rows) + nitems(cancel_rows) +
				nitems(error_rows) + nitems(login_rows)];
	size_t i, n = 0;
	int failed;

	memset(tests, 0, sizeof(tests));
	for (i = 0; i < nitems(url_rows); i++)
		add(&tests[n++], url_rows[i].name, test_url, &url_rows[i]);
	for (i = 0; i < nitems(secret_rows); i++)
		add(&tests[n++], secret_rows[i].name, test_secret, &secret_rows[i]);
	for (i = 0; i < nitems(dial_rows); i++)
		add(&tests[n++], dial_rows[i].name, test_dial, &dial_rows[i]);
	for (i = 0; i < nitems(cancel_rows); i++)
		add(&tests[n++], cancel_rows[i].name, test_cancel, &cancel_rows[i]);
	for (i = 0; i < nitems(error_rows); i++)
		add(&tests[n++], error_rows[i].name, test_error, &error_rows[i]);
	for (i = 0; i < nitems(login_rows); i++)
		add(&tests[n++], login_rows[i].name, test_login, &login_rows[i]);
	for (i = 0; i < nitems(rows); i++)
		add(&tests[n++], rows[i].name, rows[i].test, rows[i].arg);
	if (mkdtemp(dir) == NULL)
		return 1;
	signal(SIGPIPE, SIG_IGN); /* the script's SSL_write */
	setenv("HOME", dir, 1);
	setenv("PGPASSWORD", "the operator's own", 1);
	certs_make(dir);
	make_server_tls();
	failed = cmocka_run_group_tests_name("upstream", tests, NULL, NULL);
	SSL_CTX_free(server_tls);
	certs_remove(dir);
	rmdir(dir);
	return failed;
}
