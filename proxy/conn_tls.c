#include "conn_int.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "tls.h"

/* --- OpenSSL's view of the socket --------------------------------------- *
 * Our own BIO, because the stock one raises SIGPIPE, knows nothing of edges
 * and costs a recv() that only says EAGAIN after every record. */

static int
bio_read(BIO *bio, char *p, int room)
{
	struct conn *c = BIO_get_data(bio);
	struct conn_tls *t = c->tls;
	ssize_t n;

	BIO_clear_retry_flags(bio);
	if (t->raw.len > 0) {
		n = t->raw.len < (size_t)room ? (ssize_t)t->raw.len : room;
		memcpy(p, t->raw.p + t->raw.off, (size_t)n);
		buf_drop(&c->loop->pool, &t->raw, (size_t)n);
		return (int)n;
	}
	n = -1;
	errno = EAGAIN;
	while (c->readable && (n = recv(c->fd, p, (size_t)room, 0)) < 0 && errno == EINTR)
		continue;
	if (n >= 0) {
		t->eof = n == 0;
		c->readable = n == room || n == 0 || c->hup || c->deaf;
		return (int)n;
	}
	c->readable = false;
	if (errno == EAGAIN || errno == EWOULDBLOCK)
		BIO_set_retry_read(bio);
	return -1;
}

static int
bio_write(BIO *bio, const char *p, int n)
{
	struct conn *c = BIO_get_data(bio);
	ssize_t sent;

	BIO_clear_retry_flags(bio);
	if (c->tls->eof) /* an alert about the end, for nobody: its EPIPE must not hide the reason */
		return -1;
	if (c->blocked || (sent = conn_send(c, p, (size_t)n)) == 0) {
		if (!c->deaf)
			BIO_set_retry_write(bio);
		return -1;
	}
	return (int)sent;
}

static long
bio_ctrl(BIO *bio, int what, long number, void *arg)
{
	const struct conn *c = BIO_get_data(bio);

	(void)number;
	(void)arg;
	switch (what) {
	case BIO_CTRL_FLUSH:
		return 1;
	case BIO_CTRL_EOF:
		return c->tls != NULL && c->tls->eof;
	default:
		return 0;
	}
}

static BIO_METHOD *bio_method;

static void
make_bio_method(void)
{
	BIO_METHOD *m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "pgmoat connection");

	if (m == NULL)
		return;
	BIO_meth_set_read(m, bio_read);
	BIO_meth_set_write(m, bio_write);
	BIO_meth_set_ctrl(m, bio_ctrl);
	bio_method = m;
}

static BIO *
bio_new(struct conn *c)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	BIO *bio;

	pthread_once(&once, make_bio_method);
	if (bio_method == NULL || (bio = BIO_new(bio_method)) == NULL)
		return NULL;
	BIO_set_data(bio, c);
	BIO_set_init(bio, 1);
	return bio;
}

bool
conn_tls_adopt(struct conn *c, SSL *ssl, bool server, bool ready)
{
	BIO *bio = bio_new(c);

	if (bio == NULL)
		return false;
	c->tls = xcalloc(1, sizeof(*c->tls));
	c->tls->ssl = ssl;
	c->tls->server = server;
	c->tls->ready = ready;
	c->tls->more = ready && SSL_has_pending(ssl) == 1;
	SSL_set_bio(ssl, bio, bio);
	SSL_set_options(ssl, SSL_OP_NO_RENEGOTIATION);
	SSL_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
	SSL_set_read_ahead(ssl, 1);
	SSL_set_default_read_buffer_len(ssl, READ_SIZE); /* many records by one recv() */
	return true;
}

/* --- handshake ---------------------------------------------------------- */

/* What was written in the clear (the 'S') goes first; a hello that was read goes to OpenSSL. */
static bool
leave_plain(struct conn *c, struct buf *hello, bool server)
{
	const uint8_t *p;
	size_t n;

	conn_flush(c);
	p = conn_input(c, &n);
	if (c->out.len > 0 || c->deaf || c->closed || c->tls != NULL || (n > 0 && (!server || c->spoke)))
		return false;
	if (!buf_append(&c->loop->pool, hello, p, n))
		return false;
	conn_consume(c, n);
	return true;
}

bool
conn_start_tls(struct conn *c, SSL *ssl, bool server)
{
	struct buf hello = { 0 };

	if (!leave_plain(c, &hello, server) || !conn_tls_adopt(c, ssl, server, false)) {
		buf_release(&c->loop->pool, &hello);
		SSL_free(ssl);
		return false;
	}
	c->tls->raw = hello;
	if (server)
		SSL_set_accept_state(ssl);
	else
		SSL_set_connect_state(ssl);
	c->readable = true;
	conn_do_later(c, LATER_HANDSHAKE);
	return true;
}

static void
end_now(struct conn *c)
{
	c->tls->broken = true;
	c->end = END_ERROR;
	conn_do_later(c, LATER_READ);
}

static void
handshake_failed(struct conn *c, int why)
{
	const char *who = c->tls->server ? "client" : "server";
	long verdict = SSL_get_verify_result(c->tls->ssl);
	struct err text;

	if (why == SSL_ERROR_SSL && !c->tls->server && verdict != X509_V_OK) {
		ERR_clear_error();
		conn_fail(c, "TLS handshake: the server's certificate is not accepted: %s", X509_verify_cert_error_string(verdict));
	} else if (why == SSL_ERROR_SSL && !c->tls->eof) {
		conn_fail(c, "TLS handshake: %s", tls_errors(&text));
	} else if (c->tls->eof) {
		ERR_clear_error();
		conn_fail(c, "TLS handshake: the %s closed the connection", who);
	} else {
		conn_fail(c, "TLS handshake: %s", strerror(errno));
	}
	end_now(c);
}

void
conn_tls_handshake(struct conn *c)
{
	struct conn_tls *t = c->tls;
	int n, why;

	if (t->ready || t->broken || c->end != END_NONE)
		return;
	ERR_clear_error();
	errno = 0;
	if ((n = SSL_do_handshake(t->ssl)) != 1) {
		why = SSL_get_error(t->ssl, n);
		if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE)
			handshake_failed(c, why);
		return;
	}
	t->ready = true;
	t->more = SSL_has_pending(t->ssl) == 1; /* what came with the client's last handshake message */
	conn_tell(c, CONN_TLS);
	conn_mark_dirty(c);
	conn_do_later(c, LATER_READ);
}

/* --- data --------------------------------------------------------------- */

bool
conn_tls_pending(const struct conn *c)
{
	return c->tls != NULL && c->tls->ready && c->tls->more;
}

/* close_notify and a plain FIN mean the same to us: every message has its length. */
static ssize_t
ended(struct conn *c)
{
	c->readable = false;
	c->end = c->error != NULL ? END_ERROR : END_EOF;
	return -1;
}

static void
note_read_error(struct conn *c, int why)
{
	struct conn_tls *t = c->tls;
	struct err text;

	if (why == SSL_ERROR_WANT_READ && c->deaf && !c->readable)
		t->broken = true; /* writing has failed, and this was the last of the input */
	t->read_wants_write = why == SSL_ERROR_WANT_WRITE;
	if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE)
		return;
	t->broken = true;
	t->closed = why == SSL_ERROR_ZERO_RETURN;
	if (t->closed || t->eof)
		ERR_clear_error();
	else if (why == SSL_ERROR_SSL)
		conn_fail(c, "TLS: %s", tls_errors(&text));
	else
		conn_fail(c, "%s", errno != 0 ? strerror(errno) : "TLS: the connection broke");
}

ssize_t
conn_tls_read(struct conn *c, uint8_t *p, size_t room)
{
	struct conn_tls *t = c->tls;
	size_t there = 0, n;

	t->read_wants_write = false;
	while (there < room && !t->broken) {
		ERR_clear_error();
		errno = 0;
		if (SSL_read_ex(t->ssl, p + there, room - there, &n) != 1) {
			note_read_error(c, SSL_get_error(t->ssl, 0));
			break;
		}
		there += n;
	}
	t->more = there == room;
	if (t->broken && there == 0)
		return ended(c);
	c->readable = c->readable || t->broken; /* come back for the end */
	return (ssize_t)there;
}

size_t
conn_tls_write(struct conn *c, const uint8_t *p, size_t n)
{
	struct conn_tls *t = c->tls;
	struct err text;
	size_t sent;
	int why;

	if (t->broken)
		return 0;
	ERR_clear_error();
	if (SSL_write_ex(t->ssl, p, n, &sent) == 1)
		return sent;
	why = SSL_get_error(t->ssl, 0);
	if (why == SSL_ERROR_WANT_READ) {
		t->write_wants_read = c->blocked = true;
	} else if (why != SSL_ERROR_WANT_WRITE && !c->deaf) {
		conn_fail(c, "TLS: %s", why == SSL_ERROR_SSL ? tls_errors(&text) : "the connection broke");
	}
	return 0;
}

void
conn_tls_goodbye(struct conn *c)
{
	if (c->tls == NULL || !c->tls->ready || c->tls->broken || c->deaf || c->blocked || c->out.len > 0)
		return;
	if ((SSL_get_shutdown(c->tls->ssl) & SSL_SENT_SHUTDOWN) == 0)
		SSL_shutdown(c->tls->ssl);
	ERR_clear_error();
}

void
conn_tls_free(struct conn *c)
{
	if (c->tls == NULL)
		return;
	buf_release(&c->loop->pool, &c->tls->raw);
	if (c->release == NULL)
		SSL_free(c->tls->ssl);
	free(c->tls);
	c->tls = NULL;
}
