#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <libpq-fe.h>
#include <openssl/crypto.h>

#include "mailbox.h"
#include "message.h"
#include "upstream_int.h"

#define CANCEL_SECONDS 5
#define THREAD_STACK ((size_t)256 << 10)

/* --- our own CancelRequest ---------------------------------------------- */

struct cancel {
	struct guest guest;      /* first: the loop frees us by it */
	struct loop *loop;       /* borrowed */
	struct attempt *attempt; /* owned; NULL when connected */
	struct conn *conn;       /* owned; NULL before */
	struct event *timer;     /* owned */
	uint8_t *packet;         /* owned */
	size_t len;
	void (*done)(void *);
	void *arg;
};

static void
cancel_leave(struct guest *g)
{
	struct cancel *c = (struct cancel *)(void *)g;

	TAILQ_REMOVE(&c->loop->guests, &c->guest, next);
	attempt_stop(c->attempt);
	conn_close(c->conn);
	event_free(c->timer);
	OPENSSL_cleanse(c->packet, c->len);
	free(c->packet);
	free(c);
}

static void
cancel_finish(struct cancel *c)
{
	void (*done)(void *) = c->done;
	void *arg = c->arg;

	cancel_leave(&c->guest);
	if (done != NULL)
		done(arg);
}

static void
on_overdue(evutil_socket_t fd, short what, void *arg)
{
	struct cancel *c = arg;
	struct loop *l = c->loop;

	(void)fd;
	(void)what;
	loop_enter(l);
	cancel_finish(c);
	loop_leave(l);
}

static void
cancel_event(struct conn *conn, enum conn_event ev, void *arg)
{
	size_t n;

	switch (ev) {
	case CONN_DATA: /* an error message at most; PostgreSQL says nothing */
		conn_input(conn, &n);
		conn_consume(conn, n);
		break;
	case CONN_DRAINED:
	case CONN_TLS:
		break;
	case CONN_EOF: /* the signal was sent before the server closed */
	case CONN_ERROR:
		cancel_finish(arg);
		break;
	}
}

static void
connected(void *arg, struct conn *conn, const char *why, bool tls_failed)
{
	struct cancel *c = arg;

	(void)why;
	(void)tls_failed;
	c->attempt = NULL;
	if (conn == NULL) {
		cancel_finish(c);
		return;
	}
	c->conn = conn;
	conn_set_callback(conn, cancel_event, c);
	conn_write(conn, c->packet, c->len);
}

void
dial_cancel(struct loop *l, const struct upstream *u, const struct sockaddr_storage *addr, socklen_t len, bool tls, uint32_t pid,
    const uint8_t *key, size_t key_len, void (*done)(void *), void *arg)
{
	const struct timeval limit = { CANCEL_SECONDS, 0 };
	struct place place = { .addr = *addr, .len = len };
	struct cancel *c = xcalloc(1, sizeof(*c));
	struct wire_writer w = { 0 };

	cancel_write(&w, pid, key, key_len);
	c->guest.leave = cancel_leave;
	c->loop = l;
	c->packet = w.p;
	c->len = w.len;
	c->done = done;
	c->arg = arg;
	c->timer = evtimer_new(loop_base(l), on_overdue, c);
	event_add(c->timer, &limit);
	TAILQ_INSERT_TAIL(&l->guests, &c->guest, next);
	c->attempt = attempt_start(l, u, &place, tls && u->tls != NULL ? ENCRYPT_ALWAYS : ENCRYPT_NO, connected, c);
}

/* --- libpq's, which waits: on a thread of its own ----------------------- */

struct job {
	PGcancel *cancel;        /* owned */
	struct mailbox *mailbox; /* one reference */
	struct loop *loop;       /* borrowed; used on its own thread only */
	void (*done)(void *);
	void *arg;
};

static void
job_done(void *arg, bool gone)
{
	struct job *j = arg;

	if (!gone && j->done != NULL) {
		loop_enter(j->loop);
		j->done(j->arg);
		loop_leave(j->loop);
	}
	PQfreeCancel(j->cancel);
	mailbox_unref(j->mailbox);
	free(j);
}

static void *
job_run(void *arg)
{
	struct mailbox *m;
	struct job *j = arg;
	char why[256];

	PQcancel(j->cancel, why, sizeof(why)); /* refused or not: there is nothing more to try */
	m = mailbox_ref(j->mailbox);           /* the letter may free the job's before post is through */
	mailbox_post(m, job_done, j);
	mailbox_unref(m);
	return NULL;
}

/* Signals are for the threads that expect them; SIGPIPE for nobody. */
static bool
start_thread(struct job *j)
{
	sigset_t all, before;
	pthread_attr_t attr;
	pthread_t thread;
	bool ok;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, THREAD_STACK);
	ok = pthread_create(&thread, &attr, job_run, j) == 0;
	pthread_attr_destroy(&attr);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return ok;
}

void
login_cancel(struct loop *l, const struct server_login *login, void (*done)(void *), void *arg)
{
	struct job *j = xcalloc(1, sizeof(*j));

	j->cancel = PQgetCancel(login->pgconn);
	j->mailbox = mailbox_ref(loop_mailbox(l));
	j->loop = l;
	j->done = done;
	j->arg = arg;
	if (j->cancel == NULL || !start_thread(j))
		mailbox_post(j->mailbox, job_done, j);
}
