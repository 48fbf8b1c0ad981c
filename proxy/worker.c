#include "worker.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "look.h"
#include "mailbox.h"
#include "session.h"

#define TICK_MS 250
#define CACHE_ENTRIES 8192
#define CACHE_BYTES ((size_t)32 << 20)

/* --- mail from other threads -------------------------------------------- */

struct letter {
	struct worker *worker;
	void (*f)(struct worker *, void *);
	void *arg;
};

static void
letter_read(void *arg, bool gone)
{
	struct letter *l = arg;

	l->f(gone ? NULL : l->worker, l->arg);
	if (!gone)
		loop_flush(l->worker->loop);
	free(l);
}

void
worker_post(struct worker *w, void (*f)(struct worker *, void *), void *arg)
{
	struct letter *l = xmalloc(sizeof(*l));

	*l = (struct letter){ w, f, arg };
	mailbox_post(w->mailbox, letter_read, l);
}

/* --- clock -------------------------------------------------------------- */

static void
tick(evutil_socket_t fd, short what, void *arg)
{
	struct worker *w = arg;
	struct session *s, *next;
	int64_t now = loop_now(w->loop);

	(void)fd;
	(void)what;
	for (s = TAILQ_FIRST(&w->sessions); s != NULL && (next = TAILQ_NEXT(s, next), true); s = next)
		session_tick(s, now);
	look_wake(w);
	loop_flush(w->loop);
}

static void
sweep(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	session_sweep(arg);
}

void
worker_sweep_soon(struct worker *w)
{
	event_active(w->sweep, EV_TIMEOUT, 1);
}

/* --- life --------------------------------------------------------------- */

struct worker *
worker_new(struct gateway *g, struct err *err)
{
	const struct timeval every = { 0, TICK_MS * 1000 };
	struct worker *w = xcalloc(1, sizeof(*w));

	w->gateway = g;
	TAILQ_INIT(&w->sessions);
	TAILQ_INIT(&w->cancels);
	TAILQ_INIT(&w->waiting);
	w->loop = loop_new(err);
	if (w->loop == NULL) {
		free(w);
		return NULL;
	}
	w->mailbox = mailbox_new(loop_base(w->loop));
	w->tick = event_new(loop_base(w->loop), -1, EV_PERSIST, tick, w);
	w->sweep = event_new(loop_base(w->loop), -1, 0, sweep, w);
	w->cache = cache_new(CACHE_ENTRIES, CACHE_BYTES);
	w->rights = rights_table_new();
	w->policy = policy_ref(g->policy);
	w->tls = g->tls != NULL ? tls_server_ref(g->tls) : NULL;
	if (w->tick == NULL || w->sweep == NULL || w->mailbox == NULL) {
		err_set(err, "cannot make a worker's events: %s", strerror(errno));
		worker_free(w);
		return NULL;
	}
	event_add(w->tick, &every);
	return w;
}

static void
accepted(void *arg, int fd)
{
	struct worker *w = arg;

	session_accept(w, fd);
	loop_flush(w->loop);
}

bool
worker_listen(struct worker *w, int fd)
{
	size_t i;

	for (i = 0; i < nitems(w->listeners); i++)
		if (w->listeners[i] == NULL) {
			w->listeners[i] = listener_new(w->loop, fd, accepted, w);
			return w->listeners[i] != NULL;
		}
	return false;
}

static void *
run(void *arg)
{
	struct worker *w = arg;

	event_base_dispatch(loop_base(w->loop));
	return NULL;
}

/* Signals belong to the main thread. */
void
worker_start(struct worker *w)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	if (pthread_create(&w->thread, NULL, run, w) != 0)
		abort();
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void
stop(struct worker *w, void *arg)
{
	struct session *s, *next;

	(void)arg;
	if (w == NULL)
		return;
	for (s = TAILQ_FIRST(&w->sessions); s != NULL && (next = TAILQ_NEXT(s, next), true); s = next)
		session_fatal(s, "57P01", "Connect again.", "terminating connection: pgmoat is stopping");
	loop_flush(w->loop);
	event_base_loopexit(loop_base(w->loop), NULL);
}

void
worker_stop(struct worker *w)
{
	worker_post(w, stop, NULL);
	pthread_join(w->thread, NULL);
}

void
worker_free(struct worker *w)
{
	size_t i;

	if (w == NULL)
		return;
	for (i = 0; i < nitems(w->listeners); i++)
		listener_free(w->listeners[i]);
	session_sweep(w);
	if (w->mailbox != NULL)
		mailbox_close(w->mailbox);
	mailbox_unref(w->mailbox);
	if (w->tick != NULL)
		event_free(w->tick);
	if (w->sweep != NULL)
		event_free(w->sweep);
	loop_free(w->loop);
	session_forget_cancels(w);
	cache_free(w->cache);
	rights_table_free(w->rights);
	policy_unref(w->policy);
	tls_server_unref(w->tls);
	free(w);
}
