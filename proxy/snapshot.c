#include "snapshot.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SECOND ((int64_t)1000000)
#define PROBE_MAX (3 * SECOND)    /* a holder that takes longer loses its turn */
#define LOAD_MAX (130 * SECOND)   /* refresh.c gives a load 120 */
#define AGAIN (1 * SECOND)        /* after a failure */
#define TRUSTED (30 * SECOND)     /* without a probe that worked */
#define UNUSED_MAX (300 * SECOND) /* a database that nobody is connected to */
#define FORCED_EVERY (SECOND / 5)

struct snapshot {
	struct snapshot *next; /* owned */
	struct snapshots *all; /* borrowed */
	char *database;        /* owned */
	size_t users;          /* guarded by all->lock, with last_used */
	int64_t last_used;
	_Atomic uint64_t generation;
	_Atomic int64_t probed;
	_Atomic int64_t cost;
	pthread_mutex_t lock;    /* guards all below */
	struct catalog *catalog; /* one reference; NULL before the first load */
	uint64_t ticket, last_ticket;
	int64_t turn_until;
	int64_t stale_at, forced_at;
	int64_t failed_at; /* 0: the last try worked */
	struct err error;  /* when it did not */
};

struct snapshots {
	pthread_mutex_t lock;   /* guards the list */
	struct snapshot *first; /* owned */
	size_t uses;            /* of all: the last one frees what was closed */
	bool closed;
	struct catalog *fixed; /* one reference; NULL */
};

/* --- all of them -------------------------------------------------------- */

struct snapshots *
snapshots_new(struct catalog *fixed)
{
	struct snapshots *all = xcalloc(1, sizeof(*all));

	pthread_mutex_init(&all->lock, NULL);
	all->fixed = fixed;
	return all;
}

static void
snapshot_free(struct snapshot *s)
{
	catalog_unref(s->catalog);
	pthread_mutex_destroy(&s->lock);
	free(s->database);
	free(s);
}

static void
free_all(struct snapshots *all)
{
	struct snapshot *s, *next;

	for (s = all->first; s != NULL; s = next) {
		next = s->next;
		snapshot_free(s);
	}
	catalog_unref(all->fixed);
	pthread_mutex_destroy(&all->lock);
	free(all);
}

void
snapshots_free(struct snapshots *all)
{
	bool last;

	if (all == NULL)
		return;
	pthread_mutex_lock(&all->lock);
	all->closed = true;
	last = all->uses == 0;
	pthread_mutex_unlock(&all->lock);
	if (last)
		free_all(all);
}

/* A file says nothing about other databases: a name of it may be a view over something closed there. */
static void
take_fixed(struct snapshot *s)
{
	const char *of = catalog_database(s->all->fixed);

	atomic_store(&s->probed, INT64_MAX);
	if (strcmp(of, s->database) == 0) {
		s->catalog = catalog_ref(s->all->fixed);
		atomic_store(&s->generation, catalog_generation(s->catalog));
		return;
	}
	s->failed_at = 1;
	err_set(&s->error, "the file of --catalog is of database %.63s, and this is %.63s", of, s->database);
}

static struct snapshot *
snapshot_new(struct snapshots *all, const char *database)
{
	struct snapshot *s = xcalloc(1, sizeof(*s));

	s->all = all;
	s->database = xstrdup(database);
	pthread_mutex_init(&s->lock, NULL);
	if (all->fixed != NULL)
		take_fixed(s);
	s->next = all->first;
	all->first = s;
	return s;
}

/* A catalog may be large: of a database that nobody uses none is kept. */
static void
drop_unused(struct snapshots *all, int64_t now)
{
	struct snapshot **at = &all->first, *s;

	while ((s = *at) != NULL) {
		if (s->users > 0 || now - s->last_used <= UNUSED_MAX) {
			at = &s->next;
			continue;
		}
		*at = s->next;
		snapshot_free(s);
	}
}

struct snapshot *
snapshot_use(struct snapshots *all, const char *database, int64_t now)
{
	struct snapshot *s;

	pthread_mutex_lock(&all->lock);
	drop_unused(all, now);
	for (s = all->first; s != NULL && strcmp(s->database, database) != 0; s = s->next)
		;
	if (s == NULL)
		s = snapshot_new(all, database);
	s->users++;
	all->uses++;
	pthread_mutex_unlock(&all->lock);
	return s;
}

struct snapshot *
snapshot_use_again(struct snapshot *s)
{
	pthread_mutex_lock(&s->all->lock);
	s->users++;
	s->all->uses++;
	pthread_mutex_unlock(&s->all->lock);
	return s;
}

void
snapshot_unuse(struct snapshot *s, int64_t now)
{
	struct snapshots *all;
	bool last;

	if (s == NULL)
		return;
	all = s->all;
	pthread_mutex_lock(&all->lock);
	s->users--;
	s->last_used = now;
	last = --all->uses == 0 && all->closed;
	pthread_mutex_unlock(&all->lock);
	if (last)
		free_all(all);
}

/* --- reading ------------------------------------------------------------ */

uint64_t
snapshot_generation(const struct snapshot *s)
{
	return atomic_load(&s->generation);
}

int64_t
snapshot_probed(const struct snapshot *s)
{
	return atomic_load(&s->probed);
}

int64_t
snapshot_cost(const struct snapshot *s)
{
	return atomic_load(&s->cost);
}

struct catalog *
snapshot_catalog(struct snapshot *s, int64_t now, struct err *why)
{
	struct catalog *c = NULL;

	pthread_mutex_lock(&s->lock);
	if (s->catalog != NULL && (s->failed_at == 0 || now - atomic_load(&s->probed) <= TRUSTED))
		c = catalog_ref(s->catalog);
	else if (s->failed_at != 0)
		*why = s->error;
	else
		err_set(why, "it is still being read");
	pthread_mutex_unlock(&s->lock);
	return c;
}

struct catalog *
snapshot_known(struct snapshot *s)
{
	struct catalog *c;

	pthread_mutex_lock(&s->lock);
	c = s->catalog != NULL ? catalog_ref(s->catalog) : NULL;
	pthread_mutex_unlock(&s->lock);
	return c;
}

int64_t
snapshot_clock(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * SECOND + ts.tv_nsec / 1000;
}

/* --- turns -------------------------------------------------------------- */

uint64_t
snapshot_turn(struct snapshot *s, int64_t now, bool *failed)
{
	uint64_t ticket = 0;

	pthread_mutex_lock(&s->lock);
	*failed = s->all->fixed != NULL || (s->failed_at != 0 && now - s->failed_at < AGAIN);
	if (!*failed && (s->ticket == 0 || now > s->turn_until)) {
		s->ticket = ticket = ++s->last_ticket;
		s->turn_until = now + (s->catalog != NULL ? PROBE_MAX : LOAD_MAX);
	}
	pthread_mutex_unlock(&s->lock);
	return ticket;
}

void
snapshot_loads(struct snapshot *s, uint64_t ticket, int64_t now)
{
	pthread_mutex_lock(&s->lock);
	if (s->ticket == ticket)
		s->turn_until = now + LOAD_MAX;
	pthread_mutex_unlock(&s->lock);
}

static void
end_turn(struct snapshot *s, uint64_t ticket)
{
	if (s->ticket == ticket)
		s->ticket = 0;
}

/* What was asked for before the last change may not have seen it. */
static void
confirm(struct snapshot *s, int64_t started)
{
	s->failed_at = 0;
	if (started > s->stale_at && started > atomic_load(&s->probed))
		atomic_store(&s->probed, started);
}

void
snapshot_same(struct snapshot *s, uint64_t ticket, int64_t started, int64_t now)
{
	pthread_mutex_lock(&s->lock);
	if (s->ticket == ticket) { /* else another may have read a newer one since */
		confirm(s, started);
		atomic_store(&s->cost, now - started);
	}
	end_turn(s, ticket);
	pthread_mutex_unlock(&s->lock);
}

uint64_t
snapshot_install(struct snapshot *s, uint64_t ticket, struct catalog *fresh, int64_t started)
{
	struct catalog *old = fresh;
	uint64_t generation = 0;

	pthread_mutex_lock(&s->lock);
	if (s->ticket == ticket) {
		old = s->catalog;
		s->catalog = fresh;
		generation = old != NULL ? catalog_generation(old) : 0;
		atomic_store(&s->generation, catalog_generation(fresh));
		confirm(s, started);
	}
	end_turn(s, ticket);
	pthread_mutex_unlock(&s->lock);
	catalog_unref(old);
	return generation;
}

void
snapshot_failed(struct snapshot *s, uint64_t ticket, const char *why, int64_t now)
{
	pthread_mutex_lock(&s->lock);
	if (s->ticket == ticket) {
		s->failed_at = now;
		err_set(&s->error, "%s", why);
	}
	end_turn(s, ticket);
	pthread_mutex_unlock(&s->lock);
}

void
snapshot_leave(struct snapshot *s, uint64_t ticket)
{
	pthread_mutex_lock(&s->lock);
	end_turn(s, ticket);
	pthread_mutex_unlock(&s->lock);
}

bool
snapshot_force(struct snapshot *s, int64_t now)
{
	bool may;

	pthread_mutex_lock(&s->lock);
	may = now - s->forced_at >= FORCED_EVERY;
	if (may)
		s->forced_at = now;
	pthread_mutex_unlock(&s->lock);
	return may;
}

void
snapshot_stale(struct snapshot *s)
{
	pthread_mutex_lock(&s->lock);
	if (s->all->fixed == NULL) {
		s->stale_at = snapshot_clock();
		atomic_store(&s->probed, 0);
	}
	pthread_mutex_unlock(&s->lock);
}
