#include "conn_int.h"

#include <errno.h>
#include <string.h>

static void
tell_end(struct conn *c)
{
	if (c->told)
		return;
	c->told = true;
	conn_tell(c, c->end == END_EOF ? CONN_EOF : CONN_ERROR);
}

/* A gap in the stream: nothing behind it may be taken for a message. */
static void
lose_input(struct conn *c)
{
	conn_fail(c, "out of memory");
	c->end = END_ERROR;
}

static bool
may_read(const struct conn *c)
{
	if (c->tls != NULL && !c->tls->ready)
		return false; /* what comes is the handshake's */
	return !c->closed && !c->paused && c->end == END_NONE && (c->readable || conn_tls_pending(c));
}

static void
keep_rest(struct conn *c)
{
	if (c->lent_len > 0 && !c->closed && !buf_append(&c->loop->pool, &c->left, c->lent, c->lent_len))
		lose_input(c);
	c->lent = NULL;
	c->lent_len = 0;
}

/* Delivers what is there: lent from the scratch buffer, or left from before. */
static void
deliver(struct conn *c)
{
	c->expect = 0;
	conn_tell(c, CONN_DATA);
	keep_rest(c);
}

/* Bytes into p; 0: nothing now, -1: c->end says how it ended. A recv() that
 * comes back short has emptied the socket, unless a FIN waits behind. */
static ssize_t
take_plain(struct conn *c, uint8_t *p, size_t room)
{
	ssize_t n;

	do
		n = recv(c->fd, p, room, 0);
	while (n < 0 && errno == EINTR);
	if (n > 0) {
		c->readable = (size_t)n == room || c->hup || c->deaf;
		return n;
	}
	c->readable = false;
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) && !c->deaf)
		return 0;
	if (n < 0 && c->error == NULL)
		c->error = xstrdup(strerror(errno));
	c->end = c->error != NULL ? END_ERROR : END_EOF;
	return -1;
}

static ssize_t
take(struct conn *c, uint8_t *p, size_t room)
{
	return c->tls != NULL ? conn_tls_read(c, p, room) : take_plain(c, p, room);
}

/* The common case: nothing was left, or so little that it goes in front. */
static ssize_t
read_to_scratch(struct conn *c)
{
	uint8_t *p = c->loop->scratch + PREPEND_MAX;
	ssize_t n = take(c, p, READ_SIZE);

	if (n <= 0)
		return n;
	c->lent = p - c->left.len;
	c->lent_len = (size_t)n + c->left.len;
	if (c->left.len > 0) {
		memcpy(p - c->left.len, c->left.p + c->left.off, c->left.len);
		buf_release(&c->loop->pool, &c->left);
	}
	if (c->lent_len >= c->expect)
		deliver(c);
	else
		keep_rest(c);
	return n;
}

/* A long message comes in pieces: each goes straight to where it belongs. The
 * buffer doubles, so that an announced length costs nothing before it is sent. */
static ssize_t
read_to_left(struct conn *c)
{
	struct buf *b = &c->left;
	size_t want = b->len < READ_SIZE ? READ_SIZE : b->len, room;
	uint8_t *p;
	ssize_t n;

	if (c->expect > b->len && c->expect - b->len < want)
		want = c->expect - b->len;
	if (!buf_reserve(&c->loop->pool, b, want)) {
		lose_input(c);
		return -1;
	}
	p = buf_tail(b, &room);
	if ((n = take(c, p, room)) <= 0)
		return n;
	b->len += (size_t)n;
	if (b->len >= c->expect)
		deliver(c);
	return n;
}

static bool
is_unread(const struct conn *c, ssize_t in_kernel)
{
	return in_kernel > 0 || c->left.len > 0 || conn_tls_pending(c);
}

/* Paused, and something happened: is the peer gone? The bytes stay where they are. */
static void
look_for_end(struct conn *c)
{
	bool gone = c->hup;
	ssize_t n = 1;
	char byte;

	if (c->end == END_NONE) {
		n = recv(c->fd, &byte, 1, MSG_PEEK);
		if (n == 0)
			gone = true;
		if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
			if (c->error == NULL)
				c->error = xstrdup(strerror(errno));
			c->deaf = true;
		}
	} else {
		n = 0;
	}
	if (c->patient && is_unread(c, n))
		return;
	if (c->error != NULL || c->end != END_NONE) {
		if (c->end == END_NONE)
			c->end = END_ERROR;
		tell_end(c);
	} else if (gone && !c->told_gone) {
		c->told_gone = true;
		conn_tell(c, CONN_EOF);
	}
}

static void
read_end(struct conn *c)
{
	if (c->expect > 0 && c->left.len > 0) /* a message that was cut short: it will not get longer */
		deliver(c);
	if (!c->closed && !c->paused)
		tell_end(c);
}

void
conn_read(struct conn *c)
{
	ssize_t n = 1;
	int i;

	for (i = 0; i < READ_ROUNDS && n > 0 && may_read(c); i++) {
		if (c->left.len > PREPEND_MAX || c->expect > READ_SIZE)
			n = read_to_left(c);
		else
			n = read_to_scratch(c);
		if (i > 0 || c->readable)
			loop_flush(c->loop); /* a long stream flows through, it does not pile up */
	}
	if (!c->closed && n < 0)
		read_end(c);
	if (c->closed)
		return;
	if (c->paused && (c->readable || c->end != END_NONE))
		look_for_end(c);
	else if (may_read(c))
		conn_do_later(c, LATER_READ);
}

/* What was left and not asked for since, then what has come meanwhile. */
void
conn_redeliver(struct conn *c)
{
	if (!c->paused && c->left.len > 0 && c->left.len >= c->expect)
		deliver(c);
	if (c->closed)
		return;
	if (c->end == END_NONE)
		conn_input_ready(c);
	else if (c->paused)
		look_for_end(c);
	else
		read_end(c);
}
