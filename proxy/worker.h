/* proxy/worker.h - one event loop on one thread, and what all of them share.
 *
 * A worker owns its sessions, its verdict cache and its listeners. The
 * gateway is what the workers have in common; it is made before them and
 * outlives them. Other threads reach a worker by worker_post() alone.
 */
#ifndef WORKER_H
#define WORKER_H

#include <stdatomic.h>
#include <sys/queue.h>

#include "audit.h"
#include "config.h"
#include "conn.h"
#include "directory.h"
#include "listener.h"
#include "principals.h"
#include "rights_table.h"
#include "snapshot.h"
#include "tls.h"
#include "upstream.h"

struct session;

struct gateway {
	const struct config *config; /* borrowed */
	struct upstream *upstream;   /* owned, immutable */
	struct audit *audit;         /* owned; NULL: none */
	struct directory *directory; /* owned */
	struct halfopen *halfopen;   /* owned */
	struct snapshots *snapshots; /* owned; NULL: catalogs are off */
	struct principals *principals; /* owned */
	struct worker **workers;     /* borrowed: set before they start */
	size_t nworkers;
	_Atomic uint64_t next_session;
	_Atomic int clients;
	pthread_mutex_t lock;   /* guards the two below */
	struct policy *policy;  /* one reference; swapped by reload */
	struct tls_server *tls; /* one reference; NULL: no certificate */
};

struct worker {
	struct gateway *gateway; /* borrowed */
	struct loop *loop;       /* owned */
	struct policy *policy;   /* one reference: what new transactions get */
	struct tls_server *tls;  /* one reference */
	struct cache *cache;     /* owned */
	struct rights_table *rights; /* owned */
	TAILQ_HEAD(, session) sessions;
	TAILQ_HEAD(, cancel) cancels; /* under way; session.c's */
	TAILQ_HEAD(, session) waiting; /* for what another session asks of the database; refresh.c's */
	_Atomic int nwaiting;
	size_t nsessions;             /* of this worker */
	bool draining;
	struct mailbox *mailbox;                /* owned */
	struct event *tick;                     /* owned */
	struct event *sweep;                    /* owned: frees closed sessions between events */
	struct listener *listeners[LISTEN_MAX]; /* owned */
	pthread_t thread;
};

struct worker *worker_new(struct gateway *, struct err *);
bool worker_listen(struct worker *, int fd); /* before worker_start() */
void worker_start(struct worker *);
void worker_stop(struct worker *); /* from another thread: ends the loop and joins */
void worker_free(struct worker *); /* after worker_stop() */

void worker_sweep_soon(struct worker *);

/* Runs f(worker, arg) on the worker's thread, soon. From any thread. f(NULL, arg): the worker ended
 * before it came to that; only what arg holds is to be freed. */
void worker_post(struct worker *, void (*f)(struct worker *, void *arg), void *arg);

#endif
