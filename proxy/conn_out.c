#include "conn_int.h"

#include <errno.h>
#include <string.h>

void
conn_mark_dirty(struct conn *c)
{
	if (c->dirty || c->closed)
		return;
	c->dirty = true;
	TAILQ_INSERT_TAIL(&c->loop->dirty, c, dirty_next);
	if (c->loop->depth == 0) /* not in a callback of ours: if nobody calls loop_flush(), the next turn does */
		loop_schedule(c->loop);
}

/* Added after EAGAIN only; adding it also asks whether there is room already. */
void
conn_block(struct conn *c)
{
	c->blocked = true;
	if (c->writing || c->closed)
		return;
	if (event_add(&c->on_write, NULL) < 0)
		conn_fail(c, "the kernel does not watch the socket");
	else
		c->writing = true;
}

ssize_t
conn_send(struct conn *c, const void *p, size_t n)
{
	ssize_t sent;

	do
		sent = send(c->fd, p, n, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	if (sent < 0 && errno != EAGAIN && errno != EWOULDBLOCK) {
		conn_fail(c, "%s", strerror(errno));
		return 0;
	}
	if (sent < (ssize_t)n)
		conn_block(c);
	return sent < 0 ? 0 : sent;
}

static size_t
send_some(struct conn *c, const uint8_t *p, size_t n)
{
	if (c->tls != NULL)
		return conn_tls_write(c, p, n);
	return (size_t)conn_send(c, p, n);
}

static bool
can_send(const struct conn *c)
{
	return !c->blocked && !c->deaf && !c->closed && (c->tls == NULL || c->tls->ready);
}

static size_t
send_all(struct conn *c, const uint8_t *p, size_t n)
{
	size_t done = 0, sent = 1;

	while (done < n && sent > 0 && can_send(c)) {
		sent = send_some(c, p + done, n - done);
		done += sent;
	}
	return done;
}

void
conn_flush(struct conn *c)
{
	size_t sent;

	if (c->out.len > 0 && (sent = send_all(c, c->out.p + c->out.off, c->out.len)) > 0)
		buf_drop(&c->loop->pool, &c->out, sent);
	if (c->full && c->out.len <= (c->linger != NULL ? 0 : LOW_MARK)) {
		c->full = false;
		conn_do_later(c, LATER_DRAINED);
	}
}

void
conn_on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct conn *c = arg;

	(void)fd;
	(void)what;
	loop_enter(c->loop);
	c->blocked = false;
	if (c->tls != NULL && !c->tls->ready)
		conn_tls_handshake(c);
	conn_flush(c);
	if (c->writing && !c->blocked && c->out.len == 0) {
		event_del(&c->on_write);
		c->writing = false;
	}
	if (c->tls != NULL && c->tls->read_wants_write && c->linger == NULL) {
		c->tls->more = true;
		conn_read(c);
	}
	loop_leave(c->loop);
}

void
conn_write(struct conn *c, const void *data, size_t n)
{
	const uint8_t *p = data;
	size_t sent;

	if (c->closed || c->deaf || c->linger != NULL || n == 0)
		return;
	c->spoke = true;
	if (n >= DIRECT_MIN && can_send(c)) {
		conn_flush(c);
		if (c->out.len == 0) {
			sent = send_all(c, p, n);
			p += sent;
			n -= sent;
		}
		if (n == 0 || c->deaf)
			return;
	}
	if (!buf_append(&c->loop->pool, &c->out, p, n)) {
		conn_fail(c, "out of memory");
		return;
	}
	if (c->out.len > HIGH_MARK)
		c->full = true;
	if (!c->blocked)
		conn_mark_dirty(c);
}

size_t
conn_output(const struct conn *c)
{
	return c->out.len;
}

bool
conn_full(const struct conn *c)
{
	return c->out.len > HIGH_MARK;
}
