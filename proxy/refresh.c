#include "refresh.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "conn_int.h"
#include "errand.h"
#include "log.h"
#include "mailbox.h"
#include "refuse.h"
#include "uses.h"

#define FIRST_AGE 20000              /* microseconds: of the catalog at a session's first statement */
#define FIRST_COSTS 5                /* or so many times what a probe takes */
#define WAIT_MAX ((int64_t)30000000) /* for another session's load: microseconds */
#define PROBE_MS 5000
#define PROBE_BYTES ((size_t)64 << 10)
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

static void
delist(struct session *s)
{
	if (!s->refresh.listed)
		return;
	s->refresh.listed = false;
	TAILQ_REMOVE(&s->worker->waiting, s, waiting);
	atomic_fetch_sub(&s->worker->nwaiting, 1);
}

static void
enlist(struct session *s)
{
	if (s->refresh.listed)
		return;
	s->refresh.listed = true;
	TAILQ_INSERT_TAIL(&s->worker->waiting, s, waiting);
	atomic_fetch_add(&s->worker->nwaiting, 1);
}

void
refresh_wake(struct worker *w)
{
	struct session *s;

	while ((s = TAILQ_FIRST(&w->waiting)) != NULL) {
		delist(s);
		conn_resume(s->client);
	}
}

static void
forget_rights(struct session *s)
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
		forget_rights(s);
}

static void
news(struct worker *w, void *arg)
{
	uint64_t *replaced = arg;

	if (w != NULL) {
		if (*replaced != 0)
			forget_catalog(w, *replaced);
		refresh_wake(w);
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
		forget_rights(s);
	} else if (!found) {
		s->refresh.failed = true;
		s->refresh.error = k->error;
		forget_rights(s);
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

/* False: that was all. */
static bool
start(struct session *s, uint64_t ticket)
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

/* --- the session's side ------------------------------------------------- */

void
refresh_enter(struct session *s)
{
	const struct gateway *g = s->worker->gateway;
	bool needs = g->snapshots != NULL && profile_mode(s->profile) != MODE_OFF && profile_needs_catalog(s->profile);

	if (needs && s->snapshot == NULL)
		s->snapshot = snapshot_use(g->snapshots, s->database, snapshot_clock());
}

void
refresh_leave(struct session *s)
{
	delist(s);
	forget_rights(s);
	catalog_unref(s->own_catalog);
	s->own_catalog = NULL;
	snapshot_unuse(s->snapshot, snapshot_clock());
	s->snapshot = NULL;
}

static bool
wait_here(struct session *s)
{
	s->waits = true;
	return false;
}

/* How old may it be for this message? Settled once: a probe takes time. */
static void
require(struct session *s)
{
	int64_t now = loop_now(s->worker->loop), age, costs;
	struct refresh *r = &s->refresh;

	age = (int64_t)s->worker->gateway->config->catalog_max_age * 1000;
	costs = snapshot_cost(s->snapshot) * FIRST_COSTS;
	if (!r->began && age > FIRST_AGE)
		age = costs <= FIRST_AGE ? FIRST_AGE : costs < age ? costs : age;
	r->message = s->number;
	r->since = now;
	r->required = now - age;
	r->forced = false;
}

static bool
is_fresh(const struct session *s)
{
	return s->refresh.changed ? !s->refresh.dirty : snapshot_probed(s->snapshot) >= s->refresh.required;
}

/* Nothing can be asked now. When what was sent before is answered, it can: unless a series
 * is open, whose end is the client's to say, or a block has no snapshot yet. */
static bool
wait_for_answers(struct session *s, bool query)
{
	if (s->owed.count == 0 || s->unsynced || s->copy_in || (query && s->status == 'T' && !s->looked))
		return true;
	if (!pipeline_has_closer(&s->owed))
		session_flush(s);
	return wait_here(s);
}

static bool
look_again(struct session *s)
{
	struct refresh *r = &s->refresh;
	int64_t now = loop_now(s->worker->loop);
	uint64_t ticket;
	bool failed;

	if (r->look != NULL)
		return wait_here(s);
	if (!errand_possible(s, true))
		return wait_for_answers(s, true);
	if (r->changed)
		return !start(s, 0) || wait_here(s);
	if ((s->status == 'T' && r->blind) || now - r->since > WAIT_MAX)
		return true;
	enlist(s); /* first, or the one that ends its turn might not see us */
	if (r->forced && !snapshot_force(s->snapshot, now))
		return wait_here(s);
	ticket = snapshot_turn(s->snapshot, now, &failed);
	if (failed) {
		delist(s);
		forget_rights(s); /* is the old one still to be trusted? */
		return true;
	}
	if (ticket != 0) {
		delist(s);
		r->forced = false;
		if (!start(s, ticket))
			return true;
	}
	return wait_here(s);
}

/* --- the search path ---------------------------------------------------- */

static bool
path_row(void *arg, size_t result, const char *const *values, size_t n, struct err *err)
{
	struct session *s = arg;

	(void)result;
	if (n != 1 || values[0] == NULL)
		return err_set(err, "the answer is not one text");
	if (search_path_learn(&s->path, values[0], s->profile))
		forget_rights(s);
	return true;
}

static void
path_done(struct session *s, void *arg, const char *error, bool lost)
{
	(void)arg;
	if (!lost && (error != NULL || s->path.unknown))
		session_fatal(s, "58000", "Connect again.", "terminating connection: the search_path could not be read: %s",
		    error != NULL ? error : "no answer");
}

static bool
learn_path(struct session *s)
{
	const struct errand_job job = { .what = "asking for the search_path",
		.timeout = PROBE_MS,
		.max_bytes = PROBE_BYTES,
		.row = path_row,
		.done = path_done,
		.arg = s };

	if (!errand_possible(s, false))
		return wait_for_answers(s, false);
	errand_command(s, &job, "SHOW search_path", s->status);
	return wait_here(s);
}

/* --- before and after a message ----------------------------------------- */

bool
refresh_ready(struct session *s)
{
	if (s->snapshot == NULL)
		return true;
	if (s->path.unknown && !learn_path(s))
		return false;
	if (s->refresh.message != s->number)
		require(s);
	if (!is_fresh(s) && !look_again(s))
		return false;
	s->refresh.began = true;
	delist(s);
	return true;
}

bool
refresh_unknown(struct session *s)
{
	struct refresh *r = &s->refresh;

	if (s->snapshot == NULL || r->unknown == s->number || r->changed || !errand_possible(s, true))
		return true;
	r->unknown = s->number;
	r->required = r->since = loop_now(s->worker->loop);
	r->forced = true;
	return is_fresh(s) || look_again(s);
}

void
refresh_look(struct session *s)
{
	bool failed;
	uint64_t ticket;

	if (s->snapshot == NULL || snapshot_generation(s->snapshot) != 0 || !errand_possible(s, true))
		return;
	if ((ticket = snapshot_turn(s->snapshot, loop_now(s->worker->loop), &failed)) != 0)
		(void)start(s, ticket);
}

static bool
moves_block(const struct judgement *j)
{
	size_t i;

	for (i = 0; i < j->nstatements; i++)
		if (j->statements[i].kind == KIND_TRANSACTION)
			return true;
	return false;
}

/* Back to a savepoint, what was changed since is not there any more. */
static void
note_effects(struct session *s, const struct judgement *j)
{
	struct refresh *r = &s->refresh;

	search_path_forwarded(&s->path, j);
	if (j->changes_catalog)
		r->changed = r->dirty = true;
	else if (r->changed && moves_block(j))
		r->dirty = true;
}

void
refresh_forwarded(struct session *s, const struct judgement *j)
{
	const struct judgement *by_name;
	size_t i;

	if (s->snapshot == NULL || j == NULL)
		return;
	note_effects(s, j);
	for (i = 0; i < j->nstatements; i++)
		if ((by_name = uses_run(s, &j->statements[i])) != NULL)
			note_effects(s, by_name);
}

void
refresh_settled(struct session *s)
{
	struct refresh *r = &s->refresh;

	search_path_settled(&s->path);
	r->blind = false;
	if (!r->changed)
		return;
	r->changed = r->dirty = r->failed = false;
	forget_rights(s);
	catalog_unref(s->own_catalog);
	s->own_catalog = NULL;
	snapshot_stale(s->snapshot);
}

/* --- what judges -------------------------------------------------------- */

static struct catalog *
catalog_now(struct session *s, struct err *why)
{
	if (s->refresh.failed) {
		*why = s->refresh.error;
		return NULL;
	}
	if (s->path.unknown) {
		err_set(why, "the search_path was set, and it cannot be asked for here: send a Sync");
		return NULL;
	}
	if (s->refresh.dirty) {
		err_set(why, "this transaction has changed it, and it cannot be read again here: send a Sync");
		return NULL;
	}
	if (s->own_catalog != NULL)
		return catalog_ref(s->own_catalog);
	return snapshot_catalog(s->snapshot, loop_now(s->worker->loop), why);
}

static uint64_t
generation_now(const struct session *s)
{
	if (s->own_catalog != NULL)
		return catalog_generation(s->own_catalog);
	return s->snapshot != NULL ? snapshot_generation(s->snapshot) : 0;
}

struct rights *
refresh_rights(struct session *s, struct err *why)
{
	struct catalog *c = NULL;

	why->text[0] = '\0';
	if (s->rights != NULL && s->rights_catalog == generation_now(s) && !s->refresh.dirty && !s->path.unknown &&
	    (s->snapshot == NULL || s->rights_catalog != 0))
		return s->rights;
	if (s->snapshot != NULL)
		c = catalog_now(s, why);
	forget_rights(s);
	s->rights = rights_table_get(s->worker->rights, s->policy, s->profile, c, s->path.value);
	s->rights_catalog = c != NULL ? catalog_generation(c) : 0;
	catalog_unref(c);
	return s->rights;
}
