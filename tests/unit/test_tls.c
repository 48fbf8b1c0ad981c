/* TLS contexts, and handshakes between two connections over a socket pair. */
#include <sys/socket.h>
#include <sys/syscall.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <event2/event.h>
#include <openssl/ssl.h>

#include "certs.h"
#include "conn_int.h"
#include "tls.h"

static char dir[] = "/tmp/pgmoat-test-tls.XXXXXX";
static unsigned recvs;

__attribute__((visibility("default"))) ssize_t /* libraries are to find this one */
recv(int fd, void *p, size_t n, int flags)
{
	recvs++;
	return syscall(SYS_recvfrom, fd, p, n, flags, NULL, NULL);
}

static const char *
path(const char *name)
{
	return name != NULL && name[0] != '/' && strcmp(name, "system") != 0 ? cert_path(dir, name) : name;
}

/* --- contexts ---------------------------------------------------------------- */

static const struct server_row {
	const char *name, *cert, *key, *ca;
	mode_t key_mode;
	const char *why; /* in the reason; NULL: accepted */
} server_rows[] = {
	{ "a certificate and its key", "server.crt", "server.key", NULL, 0600, NULL },
	{ "with an authority for clients", "server.crt", "server.key", "ca.crt", 0600, NULL },
	{ "a certificate without key is refused", "server.crt", NULL, NULL, 0600, "set both" },
	{ "a key without certificate is refused", NULL, "server.key", NULL, 0600, "set both" },
	{ "a certificate that is not there is refused", "none.crt", "server.key", NULL, 0600, "none.crt\": No such file" },
	{ "a key in place of the certificate is refused", "server.key", "server.key", NULL, 0600, "certificate file" },
	{ "a key that is not there is refused", "server.crt", "none.key", NULL, 0600, "none.key\": No such file" },
	{ "somebody else's key is refused", "server.crt", "client.key", NULL, 0600, "key" },
	{ "a key that all can read is refused", "server.crt", "server.key", NULL, 0644, "others may read" },
	{ "a key that a group can write is refused", "server.crt", "server.key", NULL, 0660, "others may read or write" },
	{ "an authority that is not there is refused", "server.crt", "server.key", "none.crt", 0600, "client CA file" },
	{ "an authority that is none is refused", "server.crt", "server.key", "ca.key", 0600, "client CA file" },
};

static void
test_server_context(void **state)
{
	const struct server_row *row = *state;
	const struct tls_options o = { TLS_PREFER, path(row->cert), path(row->key), path(row->ca) };
	struct tls_server *t;
	struct err err;

	chmod(path("server.key"), row->key_mode);
	t = tls_server_new(&o, &err);
	chmod(path("server.key"), 0600);
	assert_int_equal(t != NULL, row->why == NULL);
	if (row->why != NULL && strstr(err.text, row->why) == NULL)
		fail_msg("%s", err.text);
	tls_server_unref(tls_server_ref(t));
	tls_server_unref(t);
}

static const struct client_row {
	const char *name;
	struct tls_client_options o; /* file names below dir */
	const char *why;
} client_rows[] = {
	{ "require needs no root certificate", { .mode = SSL_REQUIRE_ }, NULL },
	{ "verify-ca without root certificate is refused", { .mode = SSL_VERIFY_CA_ }, "root certificate file" },
	{ "verify-full names the file that is missing", { .mode = SSL_VERIFY_FULL_, .rootcert = "none.crt" },
	    "none.crt\" does not exist" },
	{ "require forgives a named root certificate that is missing, as libpq does",
	    { .mode = SSL_REQUIRE_, .rootcert = "none.crt" }, NULL },
	{ "a root certificate that is none is refused", { .mode = SSL_REQUIRE_, .rootcert = "ca.key" }, "root certificate file" },
	{ "the system's roots need verify-full", { .mode = SSL_REQUIRE_, .rootcert = "system" }, "needs sslmode=verify-full" },
	{ "the system's roots with verify-full", { .mode = SSL_VERIFY_FULL_, .rootcert = "system" }, NULL },
	{ "a client certificate needs its key", { .mode = SSL_REQUIRE_, .cert = "client.crt" }, "sslkey" },
	{ "a client certificate and key", { .mode = SSL_REQUIRE_, .cert = "client.crt", .key = "client.key" }, NULL },
	{ "a revocation list that is missing is refused", { .mode = SSL_REQUIRE_, .crl = "none.crl" }, "revocation list" },
	{ "versions by name", { .mode = SSL_REQUIRE_, .min_version = "TLSv1.3", .max_version = "tlsv1.3" }, NULL },
	{ "an old minimum means 1.2", { .mode = SSL_REQUIRE_, .min_version = "TLSv1" }, NULL },
	{ "an unknown version is refused", { .mode = SSL_REQUIRE_, .max_version = "TLSv9" }, "ssl_max_protocol_version" },
	{ "versions that exclude each other are refused",
	    { .mode = SSL_REQUIRE_, .min_version = "TLSv1.3", .max_version = "TLSv1.2" }, "below" },
};

static struct tls_client_options
with_paths(struct tls_client_options o)
{
	o.rootcert = path(o.rootcert);
	o.cert = path(o.cert);
	o.key = path(o.key);
	o.crl = path(o.crl);
	return o;
}

static void
test_client_context(void **state)
{
	const struct client_row *row = *state;
	const struct tls_client_options o = with_paths(row->o);
	struct tls_client *t;
	struct err err = { "" };

	t = tls_client_new(&o, &err);
	if ((t != NULL) != (row->why == NULL) || (row->why != NULL && strstr(err.text, row->why) == NULL))
		fail_msg("%s", err.text);
	tls_client_free(t);
}

/* --- two connections --------------------------------------------------------- */

struct side {
	struct conn *conn;
	bool secure, ended, failed, echo;
	struct sb got;
	char error[1024];
};

struct pair {
	struct loop *loop;
	struct side client, server;
};

static void
on_event(struct conn *c, enum conn_event ev, void *arg)
{
	struct side *s = arg;
	const uint8_t *p;
	size_t n;

	switch (ev) {
	case CONN_DATA:
		p = conn_input(c, &n);
		if (s->echo)
			conn_write(c, p, n);
		else
			sb_bytes(&s->got, p, n);
		conn_consume(c, n);
		if (s->echo && conn_full(c))
			conn_pause(c);
		break;
	case CONN_DRAINED:
		conn_resume(c);
		break;
	case CONN_TLS:
		s->secure = true;
		break;
	case CONN_EOF:
		s->ended = true;
		break;
	case CONN_ERROR:
		s->failed = true;
		snprintf(s->error, sizeof(s->error), "%s", conn_error(c));
		break;
	}
}

static void
open_pair(struct pair *p)
{
	struct err err;
	int fd[2];

	memset(p, 0, sizeof(*p));
	p->loop = loop_new(&err);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	p->client.conn = conn_new(p->loop, fd[0], on_event, &p->client);
	p->server.conn = conn_new(p->loop, fd[1], on_event, &p->server);
}

static void
close_pair(struct pair *p)
{
	loop_free(p->loop);
	sb_free(&p->client.got);
	sb_free(&p->server.got);
}

static void
settle(struct pair *p)
{
	int i;

	for (i = 0; i < 40; i++)
		event_base_loop(loop_base(p->loop), EVLOOP_NONBLOCK);
}

/* --- handshakes ----------------------------------------------------------------- */

static const struct handshake_row {
	const char *name;
	const char *server; /* certificate, less ".crt" */
	const char *ca;     /* asked of clients */
	struct tls_client_options o;
	const char *host;
	bool client_direct, server_direct;
	const char *client_error, *server_error; /* NULL: it works */
} handshake_rows[] = {
	{ "require takes any certificate", "alien", NULL, { .mode = SSL_REQUIRE_ }, "localhost", false, false, NULL, NULL },
	{ "require with a root certificate is verify-ca", "alien", NULL, { .mode = SSL_REQUIRE_, .rootcert = "ca.crt" },
	    "localhost", false, false, "certificate is not accepted: unable to get local", "unknown ca" },
	{ "verify-ca takes the authority's", "server", NULL, { .mode = SSL_VERIFY_CA_, .rootcert = "ca.crt" }, "elsewhere", false,
	    false, NULL, NULL },
	{ "verify-ca refuses another authority's", "alien", NULL, { .mode = SSL_VERIFY_CA_, .rootcert = "ca.crt" }, "localhost",
	    false, false, "certificate is not accepted", "unknown ca" },
	{ "verify-full takes the right name", "server", NULL, { .mode = SSL_VERIFY_FULL_, .rootcert = "ca.crt" }, "localhost",
	    false, false, NULL, NULL },
	{ "verify-full takes a wildcard", "server", NULL, { .mode = SSL_VERIFY_FULL_, .rootcert = "ca.crt" }, "db.example.com",
	    false, false, NULL, NULL },
	{ "verify-full takes the right address", "server", NULL, { .mode = SSL_VERIFY_FULL_, .rootcert = "ca.crt" }, "127.0.0.1",
	    false, false, NULL, NULL },
	{ "verify-full refuses another name", "server", NULL, { .mode = SSL_VERIFY_FULL_, .rootcert = "ca.crt" }, "elsewhere",
	    false, false, "hostname mismatch", "alert" },
	{ "verify-full refuses another address", "server", NULL, { .mode = SSL_VERIFY_FULL_, .rootcert = "ca.crt" }, "127.0.0.2",
	    false, false, "IP address mismatch", "alert" },
	{ "a revoked certificate is refused", "server", NULL,
	    { .mode = SSL_VERIFY_CA_, .rootcert = "ca.crt", .crl = "revoked.crl" }, "localhost", false, false,
	    "certificate revoked", "revoked" },
	{ "a client certificate is asked for and given", "server", "ca.crt",
	    { .mode = SSL_REQUIRE_, .cert = "client.crt", .key = "client.key" }, "localhost", false, false, NULL, NULL },
	{ "a client without certificate is refused", "server", "ca.crt", { .mode = SSL_REQUIRE_ }, "localhost", false, false,
	    "certificate required", "peer did not return a certificate" },
	{ "a client with a stranger's certificate is refused", "server", "ca.crt",
	    { .mode = SSL_REQUIRE_, .cert = "alien.crt", .key = "alien.key" }, "localhost", false, false, "unknown ca",
	    "certificate verify failed" },
	{ "TLS 1.2 is spoken", "server", NULL, { .mode = SSL_REQUIRE_, .max_version = "TLSv1.2" }, "localhost", false, false, NULL,
	    NULL },
	{ "direct TLS with ALPN works", "server", NULL, { .mode = SSL_REQUIRE_ }, "localhost", true, true, NULL, NULL },
	{ "direct TLS without ALPN is refused", "server", NULL, { .mode = SSL_REQUIRE_ }, "localhost", false, true, "alert",
	    "TLS handshake" },
	{ "ALPN does no harm behind SSLRequest", "server", NULL, { .mode = SSL_REQUIRE_ }, "localhost", true, false, NULL, NULL },
};

static void
check_side(const struct side *s, const char *error)
{
	if (error == NULL && s->failed)
		fail_msg("%s", s->error);
	if (error != NULL && strstr(s->error, error) == NULL)
		fail_msg("expected \"%s\", found \"%s\"", error, s->error);
	if (error == NULL)
		assert_true(s->secure);
}

static struct tls_server *
new_server(const char *cert, const char *ca)
{
	char crt[32], key[32];
	struct tls_options o = { .mode = TLS_REQUIRE, .ca = path(ca) };
	struct tls_server *t;
	struct err err;

	snprintf(crt, sizeof(crt), "%s.crt", cert);
	snprintf(key, sizeof(key), "%s.key", cert);
	o.cert = path(crt);
	o.key = path(key);
	t = tls_server_new(&o, &err);
	assert_non_null(t);
	return t;
}

static void
shake_hands(struct pair *p, struct tls_server *ts, struct tls_client *tc, const char *host, bool client_direct, bool server_direct)
{
	assert_true(conn_start_tls(p->client.conn, tls_connect(tc, host, client_direct), false));
	assert_true(conn_start_tls(p->server.conn, tls_accept(ts, server_direct), true));
	settle(p);
}

static void
test_handshake(void **state)
{
	const struct handshake_row *row = *state;
	const struct tls_client_options o = with_paths(row->o);
	struct tls_server *ts = new_server(row->server, row->ca);
	struct tls_client *tc;
	struct pair p;
	struct err err;

	assert_non_null(tc = tls_client_new(&o, &err));
	open_pair(&p);
	shake_hands(&p, ts, tc, row->host, row->client_direct, row->server_direct);
	check_side(&p.server, row->server_error);
	check_side(&p.client, row->client_error);
	if (row->client_error == NULL) {
		if (row->client_direct)
			assert_true(tls_alpn_agreed(conn_ssl(p.client.conn)));
		conn_write(p.client.conn, "query", 5);
		settle(&p);
		assert_string_equal(sb_text(&p.server.got), "query");
		assert_true(conn_is_tls(p.server.conn));
	}
	close_pair(&p);
	tls_client_free(tc);
	tls_server_unref(ts);
}

/* --- data ------------------------------------------------------------------------- */

static void
open_secure(struct pair *p, const char *version)
{
	const struct tls_client_options o = { .mode = SSL_REQUIRE_, .max_version = version };
	struct tls_server *ts = new_server("server", NULL);
	struct tls_client *tc;
	struct err err;

	assert_non_null(tc = tls_client_new(&o, &err));
	open_pair(p);
	shake_hands(p, ts, tc, "localhost", false, false);
	assert_true(p->client.secure && p->server.secure);
	tls_client_free(tc); /* connections outlive what made them */
	tls_server_unref(ts);
}

static void
test_much_data(void **state)
{
	const char *version = *state;
	size_t size = 3 << 20, i;
	char *text = malloc(size);
	struct pair p;

	open_secure(&p, version);
	p.server.echo = true;
	for (i = 0; i < size; i++)
		text[i] = (char)('a' + (i / 13 + i / 4099) % 26);
	conn_write(p.client.conn, text, 10);
	conn_write(p.client.conn, text + 10, size - 10);
	while (p.client.got.len < size && !p.client.failed && !p.client.ended)
		event_base_loop(loop_base(p.loop), EVLOOP_ONCE);
	assert_int_equal(p.client.got.len, size);
	assert_memory_equal(p.client.got.text, text, size);
	assert_null(p.client.conn->out.p);
	free(text);
	close_pair(&p);
}

static void
test_one_recv(void **state)
{
	struct pair p;

	(void)state;
	open_secure(&p, NULL);
	p.server.echo = true;
	conn_write(p.client.conn, "first", 5);
	settle(&p);
	recvs = 0;
	conn_write(p.client.conn, "again", 5);
	settle(&p);
	assert_string_equal(sb_text(&p.client.got), "firstagain");
	assert_int_equal(recvs, 2); /* one at each side */
	close_pair(&p);
}

static void
test_paused_tls(void **state)
{
	struct pair p;

	(void)state;
	open_secure(&p, NULL);
	conn_read_to_end(p.server.conn);
	conn_pause(p.server.conn);
	conn_write(p.client.conn, "last words", 10);
	conn_close(p.client.conn);
	settle(&p);
	assert_false(p.server.ended);
	conn_resume(p.server.conn);
	settle(&p);
	assert_string_equal(sb_text(&p.server.got), "last words");
	assert_true(p.server.ended && !p.server.failed);
	close_pair(&p);
}

static void
test_paused_tls_client_goes(void **state)
{
	struct pair p;

	(void)state;
	open_secure(&p, NULL);
	conn_pause(p.server.conn);
	conn_close(p.client.conn);
	settle(&p);
	assert_true(p.server.ended);
	close_pair(&p);
}

static void
test_end_without_notify(void **state)
{
	struct pair p;

	(void)state;
	open_secure(&p, NULL);
	shutdown(p.client.conn->fd, SHUT_RDWR);
	settle(&p);
	assert_true(p.server.ended && !p.server.failed);
	close_pair(&p);
}

static void
test_garbage_inside(void **state)
{
	static const char junk[] = "\x17\x03\x03\x00\x20this is not what was agreed on!!";
	struct pair p;

	(void)state;
	open_secure(&p, NULL);
	assert_int_equal(write(p.client.conn->fd, junk, sizeof(junk) - 1), sizeof(junk) - 1);
	settle(&p);
	assert_true(p.server.failed);
	assert_non_null(strstr(p.server.error, "TLS: "));
	assert_string_equal(sb_text(&p.server.got), "");
	close_pair(&p);
}

static void
test_last_words(void **state)
{
	struct pair p;

	(void)state;
	open_secure(&p, NULL);
	conn_write(p.client.conn, "unread", 6);
	conn_write(p.server.conn, "FATAL", 5);
	conn_close_when_drained(p.server.conn, 20000);
	settle(&p);
	assert_string_equal(sb_text(&p.client.got), "FATAL");
	assert_true(p.client.ended && !p.client.failed);
	close_pair(&p);
}

/* --- before the handshake ------------------------------------------------------- */

static void
hold(struct conn *c, enum conn_event ev, void *arg)
{
	(void)c;
	(void)ev;
	(void)arg;
}

static void
test_injection(void **state)
{
	const bool *server = *state;
	struct tls_server *ts = new_server("server", NULL);
	struct pair p;

	open_pair(&p);
	conn_set_callback(p.server.conn, hold, NULL);
	conn_write(p.client.conn, "SSLRequest and more", 19);
	settle(&p);
	conn_consume(p.server.conn, 10);
	assert_false(conn_start_tls(p.server.conn, tls_accept(ts, false), *server));
	assert_false(conn_is_tls(p.server.conn));
	close_pair(&p);
	tls_server_unref(ts);
}

static void
test_direct_hello_was_read(void **state)
{
	const struct tls_client_options o = { .mode = SSL_REQUIRE_ };
	struct tls_server *ts = new_server("server", NULL);
	struct tls_client *tc;
	struct pair p;
	struct err err;
	size_t n;

	(void)state;
	assert_non_null(tc = tls_client_new(&o, &err));
	open_pair(&p);
	conn_set_callback(p.server.conn, hold, NULL);
	assert_true(conn_start_tls(p.client.conn, tls_connect(tc, "localhost", true), false));
	settle(&p);
	assert_int_equal(conn_input(p.server.conn, &n)[0], 0x16);
	conn_set_callback(p.server.conn, on_event, &p.server);
	assert_true(conn_start_tls(p.server.conn, tls_accept(ts, true), true));
	settle(&p);
	check_side(&p.server, NULL);
	check_side(&p.client, NULL);
	close_pair(&p);
	tls_client_free(tc);
	tls_server_unref(ts);
}

static void
test_plain_first(void **state)
{
	struct tls_server *ts = new_server("server", NULL);
	struct pair p;
	char buf[8];

	(void)state;
	open_pair(&p);
	conn_set_callback(p.client.conn, NULL, NULL);
	conn_pause(p.client.conn);
	conn_write(p.server.conn, "S", 1);
	assert_true(conn_start_tls(p.server.conn, tls_accept(ts, false), true));
	assert_int_equal(read(p.client.conn->fd, buf, sizeof(buf)), 1);
	assert_int_equal(buf[0], 'S');
	close_pair(&p);
	tls_server_unref(ts);
}

static void
test_not_tls_at_all(void **state)
{
	struct tls_server *ts = new_server("server", NULL);
	struct pair p;

	(void)state;
	open_pair(&p);
	assert_true(conn_start_tls(p.server.conn, tls_accept(ts, false), true));
	conn_write(p.client.conn, "GET / HTTP/1.1\r\n\r\n", 18);
	settle(&p);
	assert_true(p.server.failed);
	assert_non_null(strstr(p.server.error, "TLS handshake: "));
	close_pair(&p);
	tls_server_unref(ts);
}

/* ~/.postgresql/root.crt is used though nobody named it, as libpq does. */
static void
test_default_root(void **state)
{
	const struct tls_client_options o = { .mode = SSL_REQUIRE_ };
	struct tls_server *ts = new_server("alien", NULL);
	struct tls_client *tc;
	struct pair p;
	struct err err;

	(void)state;
	mkdir(cert_path(dir, ".postgresql"), 0700);
	assert_int_equal(link(cert_path(dir, "ca.crt"), cert_path(dir, ".postgresql/root.crt")), 0);
	tc = tls_client_new(&o, &err);
	unlink(cert_path(dir, ".postgresql/root.crt"));
	rmdir(cert_path(dir, ".postgresql"));
	assert_non_null(tc);
	open_pair(&p);
	shake_hands(&p, ts, tc, "localhost", false, false);
	assert_non_null(strstr(p.client.error, "certificate is not accepted"));
	close_pair(&p);
	tls_client_free(tc);
	tls_server_unref(ts);
}

static void
test_client_leaves(void **state)
{
	struct tls_server *ts = new_server("server", NULL);
	struct pair p;

	(void)state;
	open_pair(&p);
	assert_true(conn_start_tls(p.server.conn, tls_accept(ts, false), true));
	conn_close(p.client.conn);
	settle(&p);
	assert_string_equal(p.server.error, "TLS handshake: the client closed the connection");
	close_pair(&p);
	tls_server_unref(ts);
}

/* --- all of them ------------------------------------------------------------------- */

static const bool as_server = true, as_client = false;

static const struct row {
	const char *name;
	void (*test)(void **);
	const void *arg;
} rows[] = {
	{ "the root certificate of ~/.postgresql is used unasked", test_default_root, NULL },
	{ "3 MB there and back by TLS 1.3", test_much_data, NULL },
	{ "3 MB there and back by TLS 1.2", test_much_data, "TLSv1.2" },
	{ "a message inside TLS is one recv", test_one_recv, NULL },
	{ "paused, a server's last words come before its end", test_paused_tls, NULL },
	{ "paused, a client that says goodbye is told at once", test_paused_tls_client_goes, NULL },
	{ "an end without close_notify is an end", test_end_without_notify, NULL },
	{ "a forged record ends the connection", test_garbage_inside, NULL },
	{ "last words arrive though input was not read", test_last_words, NULL },
	{ "bytes behind the SSLRequest refuse the handshake", test_injection, &as_server },
	{ "bytes behind the server's S refuse the handshake", test_injection, &as_client },
	{ "a direct hello that was read already is taken", test_direct_hello_was_read, NULL },
	{ "what was written in the clear goes in the clear", test_plain_first, NULL },
	{ "another protocol is an error in OpenSSL's words", test_not_tls_at_all, NULL },
	{ "a client that leaves during the handshake is named", test_client_leaves, NULL },
};

static void
add(struct CMUnitTest *t, const char *name, void (*test)(void **), const void *state)
{
	t->name = name;
	t->test_func = test;
	memcpy(&t->initial_state, &state, sizeof(void *));
}

int
main(void)
{
	struct CMUnitTest tests[nitems(rows) + nitems(server_rows) + nitems(client_rows) + nitems(handshake_rows)];
	size_t i, n = 0;
	int failed;

	memset(tests, 0, sizeof(tests));
	for (i = 0; i < nitems(server_rows); i++)
		add(&tests[n++], server_rows[i].name, test_server_context, &server_rows[i]);
	for (i = 0; i < nitems(client_rows); i++)
		add(&tests[n++], client_rows[i].name, test_client_context, &client_rows[i]);
	for (i = 0; i < nitems(handshake_rows); i++)
		add(&tests[n++], handshake_rows[i].name, test_handshake, &handshake_rows[i]);
	for (i = 0; i < nitems(rows); i++)
		add(&tests[n++], rows[i].name, rows[i].test, rows[i].arg);
	if (mkdtemp(dir) == NULL)
		return 1;
	setenv("HOME", dir, 1); /* nobody's ~/.postgresql */
	certs_make(dir);
	failed = cmocka_run_group_tests_name("tls", tests, NULL, NULL);
	certs_remove(dir);
	rmdir(dir);
	return failed;
}
