#include "look.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "conn_int.h"
#include "errand.h"
#include "log.h"
#include "mailbox.h"

#define LOAD_MS 120000
#define LOAD_BYTES ((size_t)1 << 30)
#define SERVER_MIN 130000

/* A probe, and the load that follows when something has changed. Outlives its
 * session while a thread puts the catalog together. */
struct look {
	struct worker *worker;   /* borrowed; used on its own thread only */
	struct mailbox *mailbox; /* one reference while the thread runs */
	uint64_t session;
	struct snapshot *snapshot; /* one use */
	uint64_t ticket;           /* 0: what the session's own block has changed */
	int64_t started;
	struct catalog *known;           /* one reference: what the probe compares with; NULL: nothing */
	bool same, steady;               /* the probe's answer: nothing changed; not READ COMMITTED, so it sees the past */
	struct catalog_builder *builder; /* owned while rows come */
	struct catalog *fresh;           /* owned: what became of it */
	struct err error;
};

/* --- telling the others ------------------------------------------------- */

void
look_delist(struct session *s)
{
	if (!s->refresh.listed)
		return;
	s->refresh.listed = false;
	TAILQ_REMOVE(&s->worker->waiting, s, waiting);
	atomic_fetch_sub(&s->worker->nwaiting, 1);
}

void
look_enlist(struct session *s)
{
	if (s->refresh.listed)
		return;
	s->refresh.listed = true;
	TAILQ_INSERT_TAIL(&s->worker->waiting, s, waiting);
	atomic_fetch_add(&s->worker->nwaiting, 1);
}

void
look_wake(struct worker *w)
{
	struct session *s;

	while ((s = TAILQ_FIRST(&w->waiting)) != NULL) {
		look_delist(s);
		conn_resume(s->client);
	}
}

void
look_forget_rights(struct session *s)
{
	rights_unref(s->rights);
	s->rights = NULL;
}

/* A catalog that has been replaced should not be kept by sessions that say nothing. */
static void
forget_catalog(struct worker *w, uint64_t generation)
{
	struct session *s;

	rights_table_forget(w->rights, generation);
	TAILQ_FOREACH(s, &w->sessions, next)
	if (s->rights != NULL && s->rights_catalog == generation)
		look_forget_rights(s);
}

static void
news(struct worker *w, void *arg)
{
	uint64_t *replaced = arg;

	if (w != NULL) {
		if (*replaced != 0)
			forget_catalog(w, *replaced);
		look_wake(w);
	}
	free(replaced);
}

static void
tell_workers(struct gateway *g, uint64_t replaced)
{
	uint64_t *copy;
	size_t i;

	for (i = 0; i < g->nworkers; i++) {
		if (replaced == 0 && atomic_load(&g->workers[i]->nwaiting) == 0)
			continue;
		copy = xmalloc(sizeof(*copy));
		*copy = replaced;
		worker_post(g->workers[i], news, copy);
	}
}

/* --- the end of a look -------------------------------------------------- */

static void
look_free(struct look *k)
{
	catalog_builder_free(k->builder);
	catalog_unref(k->known);
	catalog_unref(k->fresh);
	snapshot_unuse(k->snapshot, snapshot_clock());
	mailbox_unref(k->mailbox);
	free(k);
}

/* What the session's own block sees; s NULL: it has ended meanwhile. */
static void
end_own(struct look *k, struct session *s, bool found)
{
	if (s == NULL || s->status != 'T')
		return;
	if (found && k->fresh != NULL) {
		catalog_unref(s->own_catalog);
		s->own_catalog = k->fresh;
		k->fresh = NULL;
		look_forget_rights(s);
	} else if (!found) {
		s->refresh.failed = true;
		s->refresh.error = k->error;
		look_forget_rights(s);
	}
	s->refresh.dirty = false;
}

static void
end_shared(struct look *k, bool found)
{
	uint64_t replaced = 0;

	if (!found) {
		log_warn(k->session, "the database's catalog could not be read: %s", k->error.text);
		snapshot_failed(k->snapshot, k->ticket, k->error.text, snapshot_clock());
	} else if (k->fresh != NULL) {
		log_info(k->session, "catalog read: %zu relations, %zu functions, %zu bytes, %lld ms", catalog_relations(k->fresh),
		    catalog_functions(k->fresh), catalog_bytes(k->fresh), (long long)((snapshot_clock() - k->started) / 1000));
		replaced = snapshot_install(k->snapshot, k->ticket, k->fresh, k->started);
		k->fresh = NULL;
	} else {
		snapshot_same(k->snapshot, k->ticket, k->started, snapshot_clock());
	}
	tell_workers(k->worker->gateway, replaced);
}

static void
look_end(struct look *k, struct session *s, bool found)
{
	if (s != NULL)
		s->refresh.look = NULL;
	if (k->ticket == 0)
		end_own(k, s, found);
	else
		end_shared(k, found);
	if (s != NULL && s->state == S_READY)
		conn_resume(s->client);
	look_free(k);
}

/* Nothing was learnt: the connection ended, or it sees the past. */
static void
look_leave(struct look *k, struct session *s)
{
	s->refresh.look = NULL;
	if (k->ticket != 0) {
		snapshot_leave(k->snapshot, k->ticket);
		tell_workers(k->worker->gateway, 0);
	}
	look_free(k);
}

/* --- putting it together, on a thread ----------------------------------- */

static void
finished(void *arg, bool gone)
{
	struct look *k = arg;
	struct loop *l;

	if (gone) {
		look_free(k);
		return;
	}
	l = k->worker->loop;
	loop_enter(l);
	look_end(k, session_find(k->worker, k->session), k->fresh != NULL);
	loop_leave(l);
}

static void *
finish(void *arg)
{
	struct look *k = arg;
	struct mailbox *m = mailbox_ref(k->mailbox); /* the letter may free the look's before post is through */

	k->fresh = catalog_builder_finish(k->builder, &k->error);
	k->builder = NULL;
	if (k->fresh != NULL && k->known != NULL)
		catalog_follow(k->fresh, k->known);
	mailbox_post(m, finished, k);
	mailbox_unref(m);
	return NULL;
}

static bool
start_thread(struct look *k)
{
	sigset_t all, before;
	pthread_attr_t attr;
	pthread_t thread;
	bool ok;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	ok = pthread_create(&thread, &attr, finish, k) == 0;
	pthread_attr_destroy(&attr);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return ok;
}

/* --- reading ------------------------------------------------------------ */

/* Results: the search path and the like, our timeout, the probe, then the sections. */
enum { LOAD_PROLOGUE, LOAD_TIMEOUT, LOAD_PROBE, LOAD_SECTIONS };

static void
put_beginning(struct sb *sql, int timeout)
{
	sb_fmt(sql, "%s; SELECT pg_catalog.set_config('statement_timeout', '%d', true); ", catalog_prologue(), timeout);
}

static bool
load_row(void *arg, size_t result, const char *const *values, size_t n, struct err *err)
{
	struct look *k = arg;

	if (result < LOAD_PROBE)
		return true;
	if (result == LOAD_PROBE) {
		if (n != 1 || values[0] == NULL)
			return err_set(err, "the probe's answer is not one text");
		catalog_builder_probe(k->builder, values[0]);
		return true;
	}
	return catalog_builder_row(k->builder, result - LOAD_SECTIONS, values, n, err);
}

static void
load_done(struct session *s, void *arg, const char *error, bool lost)
{
	struct look *k = arg;

	if (lost) {
		look_leave(k, s);
		return;
	}
	if (error == NULL && start_thread(k))
		return;
	err_set(&k->error, "%s", error != NULL ? error : "no thread can be started");
	look_end(k, s, false);
}

/* The probe comes first: what changes while the rows come is seen by the next one. */
static void
load(struct session *s, struct look *k)
{
	const struct errand_job job = { .what = "reading the catalog",
		.timeout = LOAD_MS,
		.max_bytes = LOAD_BYTES,
		.row = load_row,
		.done = load_done,
		.arg = k };
	struct sb sql = { 0 };
	size_t i;

	if (k->ticket != 0)
		snapshot_loads(k->snapshot, k->ticket, snapshot_clock());
	k->started = snapshot_clock();
	k->builder = catalog_builder_new();
	put_beginning(&sql, LOAD_MS / 2);
	sb_str(&sql, catalog_probe_sql(s->server_version));
	for (i = 0; i < catalog_sections(); i++)
		sb_fmt(&sql, "; %s", catalog_section_sql(i, s->server_version));
	errand_query(s, &job, sb_text(&sql));
	sb_free(&sql);
}

/* Results: as above, the transaction's isolation, the probe. */
enum { PROBE_PROLOGUE, PROBE_TIMEOUT, PROBE_ISOLATION, PROBE_TEXT };

static bool
probe_row(void *arg, size_t result, const char *const *values, size_t n, struct err *err)
{
	struct look *k = arg;

	if (result < PROBE_ISOLATION)
		return true;
	if (n != 1 || values[0] == NULL)
		return err_set(err, "the probe's answer is not one text");
	if (result == PROBE_ISOLATION)
		k->steady = strcmp(values[0], "read committed") != 0;
	if (result == PROBE_TEXT)
		k->same = strcmp(values[0], catalog_probe(k->known)) == 0;
	return true;
}

static void
probe_done(struct session *s, void *arg, const char *error, bool lost)
{
	struct look *k = arg;

	if (error != NULL)
		err_set(&k->error, "%s", error);
	if (lost)
		look_leave(k, s);
	else if (error != NULL)
		look_end(k, s, false);
	else if (k->ticket != 0 && k->steady && s->status == 'T') {
		s->refresh.blind = true;
		look_leave(k, s);
	} else if (k->same)
		look_end(k, s, true);
	else
		load(s, k);
}

static void
probe(struct session *s, struct look *k)
{
	const struct errand_job job = { .what = "probing the catalog",
		.timeout = PROBE_MS,
		.max_bytes = PROBE_BYTES,
		.row = probe_row,
		.done = probe_done,
		.arg = k };
	struct sb sql = { 0 };

	k->started = snapshot_clock();
	put_beginning(&sql, PROBE_MS);
	sb_fmt(&sql, "SELECT pg_catalog.current_setting('transaction_isolation'); %s", catalog_probe_sql(s->server_version));
	errand_query(s, &job, sb_text(&sql));
	sb_free(&sql);
}

bool
look_start(struct session *s, uint64_t ticket)
{
	struct look *k = xcalloc(1, sizeof(*k));

	k->worker = s->worker;
	k->mailbox = mailbox_ref(loop_mailbox(s->worker->loop));
	k->session = s->id;
	k->snapshot = snapshot_use_again(s->snapshot);
	k->ticket = ticket;
	k->known = ticket == 0 && s->own_catalog != NULL ? catalog_ref(s->own_catalog) : snapshot_known(s->snapshot);
	s->refresh.look = k;
	if (s->server_version < SERVER_MIN) {
		err_set(&k->error, "PostgreSQL 13 or later is needed for that");
		look_end(k, s, false);
		return false;
	}
	if (k->known != NULL)
		probe(s, k);
	else
		load(s, k);
	return true;
}
