#include "listener.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <event2/event.h>

#include "conn_int.h"

#define ACCEPTS 64       /* at most in one turn */
#define REST_USEC 100000 /* without descriptors: how long nobody is accepted */

struct listener {
	struct loop *loop;    /* borrowed */
	int fd;               /* borrowed */
	int spare;            /* owned; given up to turn somebody away, -1: none */
	struct event *ready;  /* owned */
	struct event *rested; /* owned: timer */
	void (*accepted)(void *, int);
	void *arg;
};

static int
open_spare(void)
{
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* The waiting client would make the loop spin: it is told by a closed
 * connection, and the others wait in the kernel's queue for a moment. */
static void
turn_away(struct listener *l)
{
	const struct timeval rest = { 0, REST_USEC };
	int fd;

	if (l->spare >= 0)
		close(l->spare);
	fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd >= 0)
		close(fd);
	l->spare = open_spare();
	event_del(l->ready);
	event_add(l->rested, &rest);
}

static void
on_rested(evutil_socket_t fd, short what, void *arg)
{
	struct listener *l = arg;

	(void)fd;
	(void)what;
	if (l->spare < 0)
		l->spare = open_spare();
	event_add(l->ready, NULL);
}

static bool
is_exhaustion(int why)
{
	return why == EMFILE || why == ENFILE || why == ENOBUFS || why == ENOMEM;
}

static void
on_ready(evutil_socket_t listening, short what, void *arg)
{
	struct listener *l = arg;
	int i, fd, why;

	(void)what;
	loop_enter(l->loop);
	for (i = 0; i < ACCEPTS; i++) {
		fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd >= 0) {
			l->accepted(l->arg, fd);
			continue;
		}
		why = errno;
		if (is_exhaustion(why))
			turn_away(l);
		if (why != EINTR && why != ECONNABORTED) /* the network's errors concern one client: next turn */
			break;
	}
	loop_leave(l->loop);
}

struct listener *
listener_new(struct loop *loop, int fd, void (*accepted)(void *, int), void *arg)
{
	struct listener *l = xcalloc(1, sizeof(*l));

	l->loop = loop;
	l->fd = fd;
	l->spare = open_spare();
	l->accepted = accepted;
	l->arg = arg;
	l->ready = event_new(loop_base(loop), fd, EV_READ | EV_PERSIST, on_ready, l);
	l->rested = evtimer_new(loop_base(loop), on_rested, l);
	event_add(l->ready, NULL);
	return l;
}

void
listener_free(struct listener *l)
{
	if (l == NULL)
		return;
	event_free(l->ready);
	event_free(l->rested);
	if (l->spare >= 0)
		close(l->spare);
	free(l);
}
