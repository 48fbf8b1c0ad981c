#include "series.h"

#include <stdlib.h>

#include "affected.h"
#include "gate.h"
#include "plan_cost.h"
#include "quota.h"
#include "refresh.h"
#include "refuse.h"
#include "uses.h"

/* False: s->out says why the server shall not have it. Names are refused under
 * enforce only; in mode off nobody keeps them. */
static bool
define_statement(struct session *s, const struct msg_parse *m, struct judgement *j, const uint32_t *types, size_t ntypes)
{
	if (s->enforce && m->name[0] != '\0' && names_statement(s->names, m->name) != NULL) {
		gate_error(s, "42P05", RULE_NONE, NULL, "prepared statement \"%s\" already exists", m->name);
		return false;
	}
	if (j == NULL ||
	    (names_set_statement(s->names, m->name, j, 0, s->number) && names_set_types(s->names, m->name, types, ntypes)) ||
	    !s->enforce)
		return true;
	gate_error(s, "53400", RULE_NONE, "Close prepared statements that are not used any more.", "too many prepared statements");
	return false;
}

/* The types that the client fixes; those it leaves open at the end say nothing. */
static uint32_t *
read_types(const struct msg_parse *m, size_t *n)
{
	uint32_t *types;
	struct wire_reader r;
	size_t i;

	*n = 0;
	if (m->ntypes == 0)
		return NULL;
	types = xcalloc(m->ntypes, sizeof(*types));
	wire_reader_init(&r, m->types, m->ntypes * (size_t)4);
	for (i = 0; i < m->ntypes; i++)
		if ((types[i] = wire_u32(&r)) != 0)
			*n = i + 1;
	return types;
}

static void
parse(struct session *s, const struct msg_parse *m, const uint8_t *frame, size_t len, const uint32_t *types, size_t ntypes)
{
	struct judgement *j;
	struct owed *o;
	bool refused;

	j = gate_judge(s, m->text, m->len, JUDGE_EXTENDED, types, ntypes, &refused);
	if (s->waits)
		return;
	if (refused || !gate_types(s, j, m->ntypes, m->types) || !define_statement(s, m, j, types, ntypes)) {
		if (m->name[0] == '\0') /* PostgreSQL lets go of the unnamed one before it reads the new text */
			names_close_statement(s->names, "");
		judgement_unref(j);
		refuse_message(s, true);
		return;
	}
	if (j != NULL && j->rewritten != NULL && s->enforce) {
		msg_write_parse(&s->out, m->name, j->rewritten, j->rewritten_len, m->ntypes, m->types);
		session_to_server(s);
	} else
		conn_write(s->server, frame, WIRE_HEADER + len);
	o = session_owe(s, OWED_PARSE);
	o->guarded = j != NULL && j->guarded;
	pipeline_judged(&s->owed, o, j);
	s->unsynced = true;
}

void
series_parse(struct session *s, const uint8_t *frame, size_t len)
{
	struct msg_parse m;
	uint32_t *types;
	size_t ntypes;

	if (!msg_read_parse(frame + WIRE_HEADER, len, &m)) {
		refuse_malformed(s, 'P');
		return;
	}
	if (m.name[0] != '\0' && uses_wait(s, names_statement(s->names, m.name)))
		return;
	types = read_types(&m, &ntypes);
	parse(s, &m, frame, len, types, ntypes);
	free(types);
}

static void
no_statement(struct session *s, const char *name)
{
	if (name[0] == '\0')
		gate_error(s, "26000", RULE_NONE, NULL, "unnamed prepared statement does not exist");
	else
		gate_error(s, "26000", RULE_NONE, NULL, "prepared statement \"%s\" does not exist", name);
	refuse_message(s, true);
}

static void
no_portal(struct session *s, const char *name)
{
	gate_error(s, "34000", RULE_NONE, NULL, "portal \"%s\" does not exist", name);
	refuse_message(s, true);
}

static struct owed *
forward(struct session *s, enum owed_kind kind, const uint8_t *frame, size_t len)
{
	conn_write(s->server, frame, WIRE_HEADER + len);
	s->unsynced = true;
	return session_owe(s, kind);
}

/* False: s->out says why the server shall not have it. */
static bool
define_portal(struct session *s, const char *portal, const struct named *n)
{
	bool sql = n->sql; /* the table changes below */

	if (names_set_portal(s->names, portal, n->judgement, n->statement, s->number)) {
		names_portal(s->names, portal)->sql = sql;
		return true;
	}
	if (!s->enforce)
		return true;
	gate_error(s, "53400", RULE_NONE, "Close portals that are not used any more.", "too many portals");
	return false;
}

void
series_bind(struct session *s, const uint8_t *frame, size_t len)
{
	struct msg_bind m;
	struct named *n;
	bool guarded;

	if (!msg_read_bind(frame + WIRE_HEADER, len, &m)) {
		refuse_malformed(s, 'B');
		return;
	}
	n = names_statement(s->names, m.statement);
	if (uses_wait(s, n))
		return;
	if (n == NULL && s->enforce)
		no_statement(s, m.statement);
	else if (n != NULL && (!uses_still_allowed(s, n) || !gate_bind(s, n->judgement, frame + WIRE_HEADER, len) ||
				  !plan_cost_bind(s, n, frame + WIRE_HEADER, len) || !define_portal(s, m.portal, n))) {
		if (!s->waits)
			refuse_message(s, true);
	} else { /* it plans: constants are folded, and may fail */
		guarded = n != NULL && uses_guarded(s, n->judgement);
		s->ran = true;
		forward(s, OWED_BIND, frame, len)->guarded = guarded;
	}
}

void
series_describe(struct session *s, const uint8_t *frame, size_t len)
{
	struct msg_describe m;

	if (!msg_read_describe(frame + WIRE_HEADER, len, &m)) {
		refuse_malformed(s, 'D');
		return;
	}
	if (s->enforce && m.kind == 'S' && names_statement(s->names, m.name) == NULL)
		no_statement(s, m.name);
	else if (s->enforce && m.kind == 'P' && names_portal(s->names, m.name) == NULL)
		no_portal(s, m.name);
	else
		forward(s, OWED_DESCRIBE, frame, len);
}

/* The row limit of an Execute: the client's own, or ours where the text could
 * not be given one. One row more than the cap tells that rows were cut. */
static int32_t
execute_max(struct session *s, const struct named *n, int32_t asked)
{
	const struct judgement *j = n->judgement;
	int64_t left;

	if (!s->enforce || j == NULL || s->limits->max_rows <= 0 || n->statement >= j->nstatements ||
	    s->limits->on_cap == ON_CAP_ERROR || affected_counts(s, j))
		return asked;
	if (j->statements[n->statement].limited || j->statements[n->statement].copy_out)
		return asked;
	left = s->limits->max_rows - n->tally->rows + 1;
	if (left < 1)
		left = 1;
	if (left > INT32_MAX || (asked > 0 && asked < left))
		return asked;
	return (int32_t)left;
}

/* What runs a portal that SQL defined is its query, not PREPARE or DECLARE. */
static bool
admit_portal(struct session *s, struct named *n, struct judgement *j)
{
	if (n->sql)
		return uses_still_allowed(s, n) && gate_record(s, j, "execute", s->number);
	return uses_allowed(s, j) && gate_admit(s, j, "execute", s->number);
}

/* A statement that changes rows has changed them all when it gives the first of its RETURNING, but says how many
 * only behind the last. */
static bool
fetches_all(struct session *s, const struct named *n, const struct msg_execute *m)
{
	if (m->max_rows <= 0 || !affected_counts(s, n->judgement))
		return true;
	gate_error(s, "54000", RULE_ROW_CAP, "Fetch all rows at once.",
	    "refused: what it changes cannot be counted when it is fetched in parts");
	return false;
}

static void
run_portal(struct session *s, struct named *n, const struct msg_execute *m, const uint8_t *frame, size_t len)
{
	struct judgement *j = judgement_ref(n->judgement);
	struct tally *tally = n->sql ? NULL : uses_fetch_tally(s, j);
	size_t statement = n->statement;
	int32_t max = execute_max(s, n, m->max_rows);
	struct owed *o;
	bool guarded;

	if (tally == NULL)
		tally = tally_ref(n->tally);
	if (!affected_countable(s, j) || !fetches_all(s, n, m) || !quota_take(s) || !quota_enter(s) || !admit_portal(s, n, j)) {
		quota_settle(s);
		tally_unref(tally);
		judgement_unref(j);
		refuse_message(s, true);
		return;
	}
	if (max != m->max_rows) {
		msg_write_execute(&s->out, m->portal, max);
		session_to_server(s);
	} else
		conn_write(s->server, frame, WIRE_HEADER + len);
	guarded = uses_guarded(s, j);
	refresh_forwarded(s, j);
	o = session_owe(s, OWED_EXECUTE);
	o->guarded = guarded;
	quota_owe(s, o);
	s->ran = true;
	pipeline_judged(&s->owed, o, j);
	o->statement = statement;
	o->tally = tally;
	o->audited = true;
	s->unsynced = true;
}

void
series_execute(struct session *s, const uint8_t *frame, size_t len)
{
	struct msg_execute m;
	struct named *n;

	if (!msg_read_execute(frame + WIRE_HEADER, len, &m)) {
		refuse_malformed(s, 'E');
		return;
	}
	n = names_portal(s->names, m.portal);
	if (n == NULL && s->enforce)
		no_portal(s, m.portal);
	else if (n == NULL)
		forward(s, OWED_EXECUTE, frame, len);
	else if (!uses_wait(s, n) && !uses_text_waits(s, n->sql ? NULL : n->judgement))
		run_portal(s, n, &m, frame, len);
}

void
series_close(struct session *s, const uint8_t *frame, size_t len)
{
	struct msg_describe m;

	if (!msg_read_describe(frame + WIRE_HEADER, len, &m)) {
		refuse_malformed(s, 'C');
		return;
	}
	if (m.kind == 'S')
		names_close_statement(s->names, m.name);
	else
		names_close_portal(s->names, m.name);
	forward(s, OWED_CLOSE, frame, len);
}

void
series_flush(struct session *s, const uint8_t *frame, size_t len)
{
	s->flushed = s->number;
	conn_write(s->server, frame, WIRE_HEADER + len);
}

void
series_sync(struct session *s, const uint8_t *frame, size_t len)
{
	s->skipping = false;
	if (s->local_sync) {
		s->local_sync = false;
		msg_write_ready(&s->out, s->status);
		session_to_client(s);
		return;
	}
	conn_write(s->server, frame, WIRE_HEADER + len);
	if (s->copy_in) /* PostgreSQL: ignored while COPY takes data */
		return;
	session_owe(s, OWED_SYNC);
	s->unsynced = s->ran = false;
}
