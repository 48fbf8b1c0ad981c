#include <netinet/in.h>
#include <netinet/tcp.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "message.h"
#include "upstream_int.h"

struct attempt {
	struct loop *loop;               /* borrowed */
	const struct upstream *upstream; /* borrowed */
	struct place place;
	enum encrypt encrypt;
	void (*done)(void *, struct conn *, const char *, bool);
	void *arg;
	int fd;                  /* owned until conn has it; -1 */
	struct event *connected; /* owned; NULL once it is */
	struct event *timer;     /* owned; NULL: no limit */
	struct conn *conn;       /* owned until done */
	bool handshaking;
	struct err why;       /* of a failure that is told by the next turn */
	struct event *failed; /* owned; NULL */
};

/* --- ending ------------------------------------------------------------- */

void
attempt_stop(struct attempt *a)
{
	if (a == NULL)
		return;
	if (a->connected != NULL)
		event_free(a->connected);
	if (a->timer != NULL)
		event_free(a->timer);
	if (a->failed != NULL)
		event_free(a->failed);
	if (a->conn != NULL)
		conn_close(a->conn);
	else if (a->fd >= 0)
		close(a->fd);
	free(a);
}

static void
fail(struct attempt *a, const char *why)
{
	void (*done)(void *, struct conn *, const char *, bool) = a->done;
	bool tls_failed = a->handshaking;
	void *arg = a->arg;
	struct err text;

	err_set(&text, "%s", why); /* why may be the conn's */
	attempt_stop(a);
	done(arg, NULL, text.text, tls_failed);
}

static void
succeed(struct attempt *a)
{
	void (*done)(void *, struct conn *, const char *, bool) = a->done;
	struct conn *c = a->conn;
	void *arg = a->arg;

	conn_set_callback(c, NULL, NULL);
	conn_read_to_end(c);
	a->conn = NULL;
	a->fd = -1;
	attempt_stop(a);
	done(arg, c, NULL, false);
}

/* --- TLS ---------------------------------------------------------------- */

/* verify-full of a cancel: the peer's address is known, its name is one of the upstream's. */
static struct ssl_st *
connect_unnamed(struct attempt *a)
{
	const struct upstream *u = a->upstream;
	struct ssl_st *ssl = tls_connect(u->tls, u->hosts[0].name, u->direct);
	size_t i;

	for (i = 1; ssl != NULL && i < u->nhosts; i++)
		tls_also_host(ssl, u->hosts[i].name);
	return ssl;
}

static void
start_tls(struct attempt *a)
{
	const struct upstream_host *h = a->place.host;
	struct ssl_st *ssl;

	a->handshaking = true;
	ssl = h != NULL ? tls_connect(a->upstream->tls, h->name, a->upstream->direct) : connect_unnamed(a);
	if (ssl == NULL)
		fail(a, "TLS: there is no host name that the server's certificate could be checked against");
	else if (!conn_start_tls(a->conn, ssl, false)) {
		a->handshaking = false;
		fail(a, "the server sent bytes before the TLS handshake");
	}
}

static void
on_tls(struct attempt *a)
{
	if (a->upstream->direct && !tls_alpn_agreed(conn_ssl(a->conn)))
		fail(a, "TLS: the server did not agree to speak postgresql (ALPN)");
	else
		succeed(a);
}

/* PostgreSQL manual, "SSL Session Encryption". Nothing may follow the byte:
 * it would be somebody else's, put in front of what TLS protects. */
static void
on_answer(struct attempt *a)
{
	const uint8_t *in;
	size_t n;
	uint8_t answer;

	in = conn_input(a->conn, &n);
	if (n == 0)
		return;
	answer = in[0];
	if (n > 1) {
		fail(a, answer == 'E' ? "the server refused the connection before encryption"
				      : "the server sent more than one byte as its answer to SSLRequest");
		return;
	}
	conn_consume(a->conn, n);
	switch (answer) {
	case 'S':
		start_tls(a);
		break;
	case 'N':
		if (a->encrypt == ENCRYPT_IF_OFFERED)
			succeed(a);
		else
			fail(a, "the server does not support TLS, but sslmode demands it");
		break;
	case 'E':
		fail(a, "the server refused the connection before encryption");
		break;
	default:
		fail(a, "the answer to SSLRequest is not PostgreSQL's");
	}
}

static void
attempt_event(struct conn *c, enum conn_event ev, void *arg)
{
	struct attempt *a = arg;

	switch (ev) {
	case CONN_DATA:
		if (a->handshaking)
			break; /* cannot be: success ends us before the first byte */
		on_answer(a);
		break;
	case CONN_DRAINED:
		break;
	case CONN_TLS:
		on_tls(a);
		break;
	case CONN_EOF:
		fail(a, "the server closed the connection");
		break;
	case CONN_ERROR:
		fail(a, conn_error(c));
		break;
	}
}

static void
ask_for_tls(struct attempt *a)
{
	struct wire_writer w = { 0 };

	wire_begin(&w, 0);
	wire_put_u32(&w, CODE_SSL);
	wire_finish(&w);
	conn_write(a->conn, w.p, w.len);
	wire_writer_free(&w);
}

/* --- the socket --------------------------------------------------------- */

static void
set_number(const struct upstream *u, int fd, const char *key, int level, int option)
{
	const char *text = upstream_setting(u, key);
	int n = text != NULL ? (int)strtol(text, NULL, 10) : 0;

	if (n > 0)
		setsockopt(fd, level, option, &n, sizeof(n));
}

static void
set_keepalive(const struct upstream *u, int fd)
{
	const char *text = upstream_setting(u, "keepalives");
	int on = text == NULL || strtol(text, NULL, 10) != 0;

	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	set_number(u, fd, "keepalives_idle", IPPROTO_TCP, TCP_KEEPIDLE);
	set_number(u, fd, "keepalives_interval", IPPROTO_TCP, TCP_KEEPINTVL);
	set_number(u, fd, "keepalives_count", IPPROTO_TCP, TCP_KEEPCNT);
	set_number(u, fd, "tcp_user_timeout", IPPROTO_TCP, TCP_USER_TIMEOUT);
}

static void
on_connected(evutil_socket_t fd, short what, void *arg)
{
	struct attempt *a = arg;
	struct loop *l = a->loop;
	socklen_t len = sizeof(int);
	int why = 0;

	(void)what;
	loop_enter(l);
	event_free(a->connected);
	a->connected = NULL;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &why, &len) < 0)
		why = errno;
	if (why != 0) {
		fail(a, strerror(why));
	} else {
		a->conn = conn_new(l, fd, attempt_event, a);
		if (a->encrypt == ENCRYPT_NO)
			succeed(a);
		else if (a->upstream->direct)
			start_tls(a);
		else
			ask_for_tls(a);
	}
	loop_leave(l);
}

static void
on_timeout(evutil_socket_t fd, short what, void *arg)
{
	struct attempt *a = arg;
	struct loop *l = a->loop;

	(void)fd;
	(void)what;
	loop_enter(l);
	a->handshaking = false; /* a server that is too slow for TLS is too slow */
	fail(a, "timeout expired");
	loop_leave(l);
}

static void
on_failed(evutil_socket_t fd, short what, void *arg)
{
	struct attempt *a = arg;
	struct loop *l = a->loop;

	(void)fd;
	(void)what;
	loop_enter(l);
	fail(a, a->why.text);
	loop_leave(l);
}

static void
fail_later(struct attempt *a)
{
	const struct timeval soon = { 0, 0 };

	err_set(&a->why, "%s", strerror(errno));
	a->failed = evtimer_new(loop_base(a->loop), on_failed, a);
	event_add(a->failed, &soon);
}

static bool
start_connect(struct attempt *a)
{
	const struct sockaddr *sa = (const struct sockaddr *)&a->place.addr;

	if ((a->fd = socket(sa->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) < 0)
		return false;
	if (sa->sa_family != AF_UNIX)
		set_keepalive(a->upstream, a->fd);
	return connect(a->fd, sa, a->place.len) == 0 || errno == EINPROGRESS;
}

struct attempt *
attempt_start(struct loop *l, const struct upstream *u, const struct place *place, enum encrypt encrypt,
    void (*done)(void *, struct conn *, const char *, bool), void *arg)
{
	const struct timeval limit = { u->timeout, 0 };
	struct attempt *a = xcalloc(1, sizeof(*a));

	a->loop = l;
	a->upstream = u;
	a->place = *place;
	a->encrypt = place->addr.ss_family == AF_UNIX ? ENCRYPT_NO : encrypt;
	a->done = done;
	a->arg = arg;
	a->fd = -1;
	if (!start_connect(a)) {
		fail_later(a);
		return a;
	}
	if (u->timeout > 0) {
		a->timer = evtimer_new(loop_base(l), on_timeout, a);
		event_add(a->timer, &limit);
	}
	a->connected = event_new(loop_base(l), a->fd, EV_WRITE, on_connected, a);
	event_add(a->connected, NULL);
	return a;
}
