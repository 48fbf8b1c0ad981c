#include "mailbox.h"

#include <sys/eventfd.h>
#include <sys/queue.h>

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include <event2/event.h>

struct letter {
	STAILQ_ENTRY(letter) next;
	void (*read)(void *, bool);
	void *arg;
};

STAILQ_HEAD(letters, letter);

struct mailbox {
	pthread_mutex_t lock; /* guards all below but event */
	unsigned refs;
	bool closed;
	int fd;                 /* owned: eventfd, written under lock only */
	struct letters letters; /* owned */
	struct event *event;    /* owned; the loop's thread only */
};

static void
read_letters(struct letters *letters, bool gone)
{
	struct letter *l;

	while ((l = STAILQ_FIRST(letters)) != NULL) {
		STAILQ_REMOVE_HEAD(letters, next);
		l->read(l->arg, gone);
		free(l);
	}
}

static void
take_letters(struct mailbox *m, struct letters *out)
{
	STAILQ_INIT(out);
	pthread_mutex_lock(&m->lock);
	STAILQ_CONCAT(out, &m->letters);
	pthread_mutex_unlock(&m->lock);
}

static void
on_letters(evutil_socket_t fd, short what, void *arg)
{
	struct letters letters;
	uint64_t count;

	(void)what;
	if (read(fd, &count, sizeof(count)) < 0)
		return; /* somebody was faster: the list is read after the count, never before */
	take_letters(arg, &letters);
	read_letters(&letters, false);
}

struct mailbox *
mailbox_new(struct event_base *base)
{
	struct mailbox *m = xcalloc(1, sizeof(*m));

	if ((m->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) < 0) {
		free(m);
		return NULL;
	}
	pthread_mutex_init(&m->lock, NULL);
	STAILQ_INIT(&m->letters);
	m->refs = 1;
	m->event = event_new(base, m->fd, EV_READ | EV_PERSIST, on_letters, m);
	event_add(m->event, NULL);
	return m;
}

struct mailbox *
mailbox_ref(struct mailbox *m)
{
	pthread_mutex_lock(&m->lock);
	m->refs++;
	pthread_mutex_unlock(&m->lock);
	return m;
}

void
mailbox_unref(struct mailbox *m)
{
	bool last;

	if (m == NULL)
		return;
	pthread_mutex_lock(&m->lock);
	last = --m->refs == 0;
	pthread_mutex_unlock(&m->lock);
	if (!last)
		return;
	close(m->fd);
	pthread_mutex_destroy(&m->lock);
	free(m);
}

void
mailbox_close(struct mailbox *m)
{
	struct letters letters;

	pthread_mutex_lock(&m->lock);
	m->closed = true;
	pthread_mutex_unlock(&m->lock);
	event_free(m->event);
	m->event = NULL;
	take_letters(m, &letters);
	read_letters(&letters, true);
}

void
mailbox_post(struct mailbox *m, void (*read)(void *, bool), void *arg)
{
	const uint64_t one = 1;
	struct letter *l;
	bool closed;

	l = xmalloc(sizeof(*l));
	l->read = read;
	l->arg = arg;
	pthread_mutex_lock(&m->lock);
	if (!(closed = m->closed)) {
		STAILQ_INSERT_TAIL(&m->letters, l, next);
		if (write(m->fd, &one, sizeof(one)) < 0)
			closed = false; /* full: the loop has not read the last 2^64 yet and will */
	}
	pthread_mutex_unlock(&m->lock);
	if (!closed)
		return;
	free(l);
	read(arg, true);
}
