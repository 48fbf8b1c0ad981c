#include "refresh.h"

#include <stdlib.h>
#include <string.h>

#include "errand.h"
#include "look.h"
#include "refuse.h"
#include "uses.h"

#define FIRST_AGE 20000              /* microseconds: of the catalog at a session's first statement */
#define FIRST_COSTS 5                /* or so many times what a probe takes */
#define WAIT_MAX ((int64_t)30000000) /* for another session's load: microseconds */

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
	look_delist(s);
	look_forget_rights(s);
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
		return !look_start(s, 0) || wait_here(s);
	if ((s->status == 'T' && r->blind) || now - r->since > WAIT_MAX)
		return true;
	look_enlist(s); /* first, or the one that ends its turn might not see us */
	if (r->forced && !snapshot_force(s->snapshot, now))
		return wait_here(s);
	ticket = snapshot_turn(s->snapshot, now, &failed);
	if (failed) {
		look_delist(s);
		look_forget_rights(s); /* is the old one still to be trusted? */
		return true;
	}
	if (ticket != 0) {
		look_delist(s);
		r->forced = false;
		if (!look_start(s, ticket))
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
		look_forget_rights(s);
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
	look_delist(s);
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
		(void)look_start(s, ticket);
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
	look_forget_rights(s);
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

/* "$user" is a schema of the login's name, where there is one. The server shows it in just this form. */
static char *
path_of_user(const struct session *s, const struct catalog *c)
{
	static const char variable[] = "\"$user\"";
	const char *path = s->path.value, *at;
	struct sb sb = { 0 };

	if (path == NULL && profile_path_is_default(s->profile) && c != NULL)
		path = "\"$user\", public";
	if (path == NULL)
		return NULL;
	if ((at = strstr(path, variable)) == NULL || c == NULL || !catalog_has_schema(c, s->user))
		return s->path.value != NULL ? xstrdup(path) : NULL; /* of the default, public remains */
	sb_bytes(&sb, path, (size_t)(at - path));
	sb_char(&sb, '"');
	for (const char *u = s->user; *u != '\0'; u++) {
		if (*u == '"')
			sb_char(&sb, '"');
		sb_char(&sb, *u);
	}
	sb_char(&sb, '"');
	sb_str(&sb, at + strlen(variable));
	return sb_take(&sb);
}

/* Without the catalog columns and rows cannot be hidden. */
static bool
is_blind(const struct session *s)
{
	return s->snapshot == NULL && s->enforce && profile_hides(s->profile);
}

struct rights *
refresh_rights(struct session *s, struct err *why)
{
	struct catalog *c = NULL;
	char *path;

	why->text[0] = '\0';
	if (is_blind(s))
		err_set(why, "--catalog is off, and the policy hides columns or rows");
	if (s->rights != NULL && s->rights_catalog == generation_now(s) && !s->refresh.dirty && !s->path.unknown &&
	    (s->snapshot == NULL || s->rights_catalog != 0))
		return s->rights;
	if (s->snapshot != NULL)
		c = catalog_now(s, why);
	look_forget_rights(s);
	path = path_of_user(s, c);
	s->rights = rights_table_get(s->worker->rights, s->policy, s->profile, c, path, s->superuser);
	free(path);
	s->rights_catalog = c != NULL ? catalog_generation(c) : 0;
	catalog_unref(c);
	return s->rights;
}
