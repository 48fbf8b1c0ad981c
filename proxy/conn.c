#include "conn_int.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- telling ------------------------------------------------------------ */

void
conn_tell(struct conn *c, enum conn_event ev)
{
	if (!c->closed && c->event != NULL)
		c->event(c, ev, c->arg);
}

void
conn_do_later(struct conn *c, enum conn_later what)
{
	struct loop *l = c->loop;

	if (c->closed)
		return;
	c->later |= what;
	if (c->later_in != NULL)
		return;
	c->later_in = &l->later[l->filling];
	TAILQ_INSERT_TAIL(c->later_in, c, later_next);
	loop_schedule(l);
}

/* The first reason is the one that counts. What the peer sent before is still
 * read, and told before the error. */
void
conn_fail(struct conn *c, const char *fmt, ...)
{
	struct err why;
	va_list ap;

	if (c->error == NULL) {
		va_start(ap, fmt);
		vsnprintf(why.text, sizeof(why.text), fmt, ap);
		va_end(ap);
		c->error = xstrdup(why.text);
	}
	c->deaf = true;
	c->readable = true;
	buf_release(&c->loop->pool, &c->out);
	conn_do_later(c, LATER_READ);
}

/* --- closing politely --------------------------------------------------- */

static void
on_linger_timeout(evutil_socket_t fd, short what, void *arg)
{
	struct conn *c = arg;

	(void)fd;
	(void)what;
	loop_enter(c->loop);
	conn_close(c);
	loop_leave(c->loop);
}

/* Closing a socket that holds unread input sends RST, and the peer may lose our
 * last words. So: FIN, and read to the end, what it sends is of no interest. */
static void
linger(struct conn *c)
{
	ssize_t n = 1;
	int i;

	for (i = 0; i < READ_ROUNDS && n > 0; i++)
		n = recv(c->fd, c->loop->scratch, READ_SIZE, 0);
	if (n > 0)
		conn_do_later(c, LATER_READ);
	else if (n == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR))
		conn_close(c);
}

static void
linger_sent(struct conn *c)
{
	if (c->deaf || c->release != NULL || c->end != END_NONE) {
		conn_close(c);
		return;
	}
	conn_tls_goodbye(c);
	shutdown(c->fd, SHUT_WR);
	linger(c);
}

void
conn_close_when_drained(struct conn *c, int milliseconds)
{
	const struct timeval tv = { milliseconds / 1000, (milliseconds % 1000) * 1000L };

	if (c == NULL || c->closed || c->linger != NULL)
		return;
	c->event = NULL;
	c->linger = evtimer_new(c->loop->base, on_linger_timeout, c);
	event_add(c->linger, &tv);
	c->lent_len = 0;
	buf_release(&c->loop->pool, &c->left);
	c->full = true; /* once it is sent: LATER_DRAINED */
	conn_mark_dirty(c);
}

/* --- events ------------------------------------------------------------- */

void
conn_input_ready(struct conn *c)
{
	if (c->linger != NULL) {
		if (c->out.len == 0)
			linger(c);
		return;
	}
	if (c->tls != NULL && !c->tls->ready) {
		conn_tls_handshake(c);
		return;
	}
	if (c->tls != NULL && c->tls->write_wants_read) {
		c->tls->write_wants_read = c->blocked = false;
		conn_mark_dirty(c);
	}
	conn_read(c);
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct conn *c = arg;

	(void)fd;
	loop_enter(c->loop);
	c->readable = true;
	if ((what & EV_CLOSED) != 0)
		c->hup = true;
	conn_input_ready(c);
	loop_leave(c->loop);
}

void
conn_turn(struct conn *c, unsigned later)
{
	if ((later & LATER_HANDSHAKE) != 0 && !c->closed)
		conn_tls_handshake(c);
	if ((later & LATER_DRAINED) != 0 && !c->closed) {
		if (c->linger == NULL)
			conn_tell(c, CONN_DRAINED);
		else if (c->out.len == 0)
			linger_sent(c);
	}
	if ((later & LATER_READ) != 0 && !c->closed)
		conn_redeliver(c);
}

/* --- from birth to death ------------------------------------------------ */

static void
note_address(struct conn *c)
{
	struct sockaddr_storage ss = { 0 };

	if (conn_peer(c, &ss) == 0) { /* reset already: never to be taken for a local one */
		snprintf(c->address, sizeof(c->address), "gone");
		conn_fail(c, "the peer is gone");
		return;
	}
	snprintf(c->address, sizeof(c->address), "unix");
	if (ss.ss_family == AF_INET) {
		inet_ntop(AF_INET, &((struct sockaddr_in *)(void *)&ss)->sin_addr, c->address, sizeof(c->address));
	} else if (ss.ss_family == AF_INET6) {
		const struct in6_addr *in6 = &((struct sockaddr_in6 *)(void *)&ss)->sin6_addr;

		if (IN6_IS_ADDR_V4MAPPED(in6)) /* a dual-stack listener: one client, one spelling */
			inet_ntop(AF_INET, &in6->s6_addr[12], c->address, sizeof(c->address));
		else
			inet_ntop(AF_INET6, in6, c->address, sizeof(c->address));
	}
}

static void
prepare_socket(int fd)
{
	const int on = 1;

	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)); /* a unix socket refuses, and needs none */
}

struct conn *
conn_new(struct loop *l, int fd, void (*event)(struct conn *, enum conn_event, void *), void *arg)
{
	struct conn *c = xcalloc(1, sizeof(*c));

	prepare_socket(fd);
	c->loop = l;
	c->fd = fd;
	c->event = event;
	c->arg = arg;
	note_address(c);
	event_assign(&c->on_read, l->base, fd, EV_READ | EV_CLOSED | EV_ET | EV_PERSIST, on_readable, c);
	event_assign(&c->on_write, l->base, fd, EV_WRITE | EV_ET | EV_PERSIST, conn_on_writable, c);
	TAILQ_INSERT_TAIL(&l->conns, c, all);
	if (event_add(&c->on_read, NULL) < 0)
		conn_fail(c, "the kernel does not watch the socket");
	return c;
}

void
conn_set_callback(struct conn *c, void (*event)(struct conn *, enum conn_event, void *), void *arg)
{
	c->event = event;
	c->arg = arg;
}

void
conn_borrow(struct conn *c, struct ssl_st *ssl, void (*release)(void *), void *arg)
{
	c->release = release;
	c->release_arg = arg;
	if (ssl != NULL && !conn_tls_adopt(c, ssl, false, true))
		conn_fail(c, "out of memory");
	conn_do_later(c, LATER_READ); /* OpenSSL may have read ahead */
}

void
conn_close(struct conn *c)
{
	struct loop *l;

	if (c == NULL || c->closed)
		return;
	l = c->loop;
	conn_flush(c);
	if (c->release == NULL)
		conn_tls_goodbye(c);
	c->closed = true;
	event_del(&c->on_read);
	event_del(&c->on_write);
	if (c->linger != NULL)
		event_del(c->linger);
	if (c->dirty)
		TAILQ_REMOVE(&l->dirty, c, dirty_next);
	if (c->later_in != NULL)
		TAILQ_REMOVE(c->later_in, c, later_next);
	c->dirty = false;
	c->later_in = NULL;
	TAILQ_REMOVE(&l->conns, c, all);
	TAILQ_INSERT_TAIL(&l->dead, c, all);
	loop_schedule(l);
}

void
conn_free(struct conn *c)
{
	if (c->release != NULL)
		c->release(c->release_arg);
	conn_tls_free(c);
	if (c->release == NULL)
		close(c->fd);
	if (c->linger != NULL)
		event_free(c->linger);
	buf_release(&c->loop->pool, &c->left);
	buf_release(&c->loop->pool, &c->out);
	free(c->error);
	free(c);
}

/* --- what the owner asks for -------------------------------------------- */

const uint8_t *
conn_input(struct conn *c, size_t *len)
{
	static const uint8_t nothing;

	if (c->lent_len > 0) {
		*len = c->lent_len;
		return c->lent;
	}
	*len = c->left.len;
	return c->left.len > 0 ? c->left.p + c->left.off : &nothing;
}

void
conn_consume(struct conn *c, size_t n)
{
	c->spoke = c->spoke || n > 0;
	c->expect = 0;
	if (c->lent_len == 0) {
		buf_drop(&c->loop->pool, &c->left, n);
		return;
	}
	if (n > c->lent_len)
		n = c->lent_len;
	c->lent += n;
	c->lent_len -= n;
}

void
conn_expect(struct conn *c, size_t n)
{
	c->expect = n;
}

void
conn_pause(struct conn *c)
{
	c->paused = true;
}

void
conn_probe(struct conn *c)
{
	if (c->closed)
		return;
	c->readable = true;
	conn_do_later(c, LATER_READ);
}

void
conn_resume(struct conn *c)
{
	c->paused = false;
	if (c->left.len > 0 || c->lent_len > 0 || c->readable || conn_tls_pending(c) || (c->end != END_NONE && !c->told))
		conn_do_later(c, LATER_READ);
}

bool
conn_paused(const struct conn *c)
{
	return c->paused;
}

void
conn_read_to_end(struct conn *c)
{
	c->patient = true;
}

bool
conn_is_tls(const struct conn *c)
{
	return c->tls != NULL;
}

struct ssl_st *
conn_ssl(const struct conn *c)
{
	return c->tls != NULL ? c->tls->ssl : NULL;
}

const char *
conn_error(const struct conn *c)
{
	return c->error != NULL ? c->error : "";
}

const char *
conn_address(const struct conn *c)
{
	return c->address;
}

socklen_t
conn_peer(const struct conn *c, struct sockaddr_storage *ss)
{
	socklen_t len = sizeof(*ss);

	return getpeername(c->fd, (struct sockaddr *)ss, &len) == 0 ? len : 0;
}
