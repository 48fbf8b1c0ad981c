/* What a logged-in client says: a table of messages, and what each may be at
 * most. A refused message is replaced, not left out: see refuse.h. */

#include <stdlib.h>
#include <string.h>

#include "affected.h"
#include "errand.h"
#include "gate.h"
#include "plan_cost.h"
#include "quota.h"
#include "refresh.h"
#include "refuse.h"
#include "series.h"
#include "uses.h"

#define QUERY_ROOM (64 << 10)        /* names and counts around a text of max_query_bytes */
#define QUERY_MAX ((size_t)64 << 20) /* when the policy sets no max_query_bytes */
#define BIND_MAX ((size_t)64 << 20)
#define NAME_MSG_MAX (16 << 10)
#define COPY_MAX ((size_t)16 << 20)
#define OWED_HIGH 16384 /* messages that wait for answers: stop reading the client */

/* --- simple protocol ---------------------------------------------------- */

static bool
refused_copy(const struct judgement *j)
{
	return j != NULL && j->nstatements > 0 && j->statements[j->nstatements - 1].copy_in;
}

/* What was judged good, in the session that it comes to. False: it waits, or s->out says why not. */
static bool
admit(struct session *s, struct judgement *j, struct tally **tally)
{
	if (!uses_allowed(s, j) || !affected_countable(s, j) || !plan_cost_text(s, j))
		return false;
	*tally = uses_fetch_tally(s, j);
	return quota_enter(s) && gate_admit(s, j, "query", s->number);
}

static void
forward_query(struct session *s, struct judgement *j, struct tally *tally, const uint8_t *frame, size_t len)
{
	bool guarded = uses_guarded(s, j), own_block = s->status == 'I' && affected_counts(s, j);
	struct owed *o;

	if (own_block)
		affected_begin(s);
	if (j != NULL && j->rewritten != NULL && s->enforce) {
		msg_write_query(&s->out, j->rewritten, j->rewritten_len);
		session_to_server(s);
	} else
		conn_write(s->server, frame, WIRE_HEADER + len);
	refresh_forwarded(s, j);
	o = session_owe(s, OWED_QUERY);
	pipeline_judged(&s->owed, o, j);
	quota_owe(s, o);
	o->guarded = guarded;
	o->own_block = own_block;
	o->tally = tally;
	o->audited = j != NULL;
	o->behind_series = s->unsynced;
	s->unsynced = s->ran = false; /* ends an implicit transaction as a Sync does */
}

static void
on_query(struct session *s, const uint8_t *frame, size_t len)
{
	struct msg_query m;
	struct judgement *j;
	struct tally *tally = NULL;
	bool refused;

	if (!msg_read_query(frame + WIRE_HEADER, len, &m)) {
		refuse_malformed(s, 'Q');
		return;
	}
	s->copy_refused = false;
	if (!quota_take(s)) {
		refuse_message(s, false);
		return;
	}
	j = gate_judge(s, m.text, m.len, JUDGE_SIMPLE, NULL, 0, &refused);
	if (!s->waits && !refused)
		refused = !uses_text_waits(s, j) && !admit(s, j, &tally);
	if (!s->waits && !refused) {
		forward_query(s, j, tally, frame, len);
		return;
	}
	quota_settle(s);
	if (!s->waits) {
		s->copy_refused = refused_copy(j);
		refuse_message(s, false);
	}
	tally_unref(tally);
	judgement_unref(j);
}

/* A FunctionCall names a function by number and runs it without SQL: THREATS, "the wire". */
static void
on_function_call(struct session *s, const uint8_t *frame, size_t len)
{
	if (!gate_function_call(s)) {
		refuse_message(s, false);
		return;
	}
	conn_write(s->server, frame, WIRE_HEADER + len);
	session_owe(s, OWED_QUERY);
	s->unsynced = false;
}

/* --- COPY and the end --------------------------------------------------- */

static void
on_copy(struct session *s, const uint8_t *frame, size_t len)
{
	if (!s->copy_in) {
		if (!s->copy_refused)
			session_fatal(s, "08P01", NULL, "unexpected message of type \"%c\": no COPY takes data", frame[0]);
		return; /* the data of a COPY that was refused */
	}
	conn_write(s->server, frame, WIRE_HEADER + len);
	if (frame[0] != 'd')
		s->copy_in = false;
}

static void
on_terminate(struct session *s, const uint8_t *frame, size_t len)
{
	(void)frame;
	(void)len;
	session_close(s, "client terminated");
}

/* --- the table ---------------------------------------------------------- */

static const struct message {
	char type;
	bool judged; /* by what the database holds now */
	size_t max;  /* longest body; 0: none at all; SIZE_MAX: as long as a text may be */
	void (*handle)(struct session *, const uint8_t *frame, size_t len);
} messages[] = {
	{ 'Q', true, SIZE_MAX, on_query },
	{ 'P', true, SIZE_MAX, series_parse },
	{ 'B', true, BIND_MAX, series_bind },
	{ 'D', false, NAME_MSG_MAX, series_describe },
	{ 'E', true, NAME_MSG_MAX, series_execute },
	{ 'C', false, NAME_MSG_MAX, series_close },
	{ 'H', false, 0, series_flush },
	{ 'S', false, 0, series_sync },
	{ 'd', false, COPY_MAX, on_copy },
	{ 'c', false, 0, on_copy },
	{ 'f', false, NAME_MSG_MAX, on_copy },
	{ 'F', false, COPY_MAX, on_function_call },
	{ 'X', false, 0, on_terminate },
};

static const struct message *
message_of(char type)
{
	size_t i;

	for (i = 0; i < nitems(messages); i++)
		if (messages[i].type == type)
			return &messages[i];
	return NULL;
}

static size_t
longest(const struct session *s, const struct message *m)
{
	if (m->max != SIZE_MAX)
		return m->max;
	return s->enforce && s->limits->max_query_bytes > 0 ? (size_t)s->limits->max_query_bytes + QUERY_ROOM : QUERY_MAX;
}

/* A text or a parameter longer than we hold: its bytes go by, then it is refused like any other. */
static void
refuse_long(struct session *s)
{
	bool extended = s->discard_type != 'Q';

	if (s->skipping)
		return;
	gate_error(s, "54000", RULE_TOO_LONG, "Send a shorter statement; large values belong into parameters.",
	    "a message of type \"%c\" is longer than this connection may send", s->discard_type);
	refuse_message(s, extended);
}

static bool
discard(struct session *s, size_t there)
{
	size_t n = there < s->discard ? there : s->discard;

	conn_consume(s->client, n);
	s->discard -= n;
	if (s->discard > 0)
		return false;
	refuse_long(s);
	return true;
}

static bool
begin_discard(struct session *s, const struct wire_frame *f)
{
	if (f->body > ((size_t)1 << 30) || (f->type != 'Q' && f->type != 'P' && f->type != 'B')) {
		session_fatal(s, "08P01", NULL, "invalid length of a message of type \"%c\"", f->type);
		return false;
	}
	s->number++;
	s->discard = WIRE_HEADER + f->body;
	s->discard_type = f->type;
	return true;
}

/* --- one message -------------------------------------------------------- */

static void
handle(struct session *s, const struct message *m, const uint8_t *frame, size_t len)
{
	/* PostgreSQL drops everything up to Sync after an error in a series, a Query too */
	if (s->skipping && m->type != 'S' && m->type != 'X')
		return;
	if (m->judged && s->cancel_asked) { /* while it waited for what we ask ourselves */
		gate_error(s, "57014", RULE_NONE, NULL, "canceling statement due to user request");
		refuse_message(s, m->type != 'Q');
	} else if (!m->judged || refresh_ready(s)) {
		m->handle(s, frame, len);
	}
}

/* Answers false when there is nothing more to do now. */
static bool
one_message(struct session *s)
{
	const struct message *m;
	struct wire_frame f;
	const uint8_t *in;
	size_t there;

	in = conn_input(s->client, &there);
	if (there == 0)
		return false;
	if (s->discard > 0)
		return discard(s, there);
	if ((m = message_of((char)in[0])) == NULL) {
		session_fatal(s, "08P01", NULL, "invalid frontend message type %u", in[0]);
		return false;
	}
	if (!wire_frame(in, there, &f))
		return false;
	if (f.body > longest(s, m))
		return begin_discard(s, &f);
	if (there < WIRE_HEADER + f.body) {
		conn_expect(s->client, WIRE_HEADER + f.body);
		return false;
	}
	s->number++;
	handle(s, m, in, f.body);
	if (s->state != S_READY)
		return false;
	if (s->waits) { /* as if it had not come yet */
		s->number--;
		return false;
	}
	s->cancel_asked = false;
	conn_consume(s->client, WIRE_HEADER + f.body);
	return true;
}

/* Answers that a series holds back until its Sync are asked for: what waits for them would wait for ever. */
static bool
wait_for_answers(struct session *s)
{
	if (!pipeline_has_closer(&s->owed) && pipeline_tail(&s->owed)->number > s->flushed)
		session_flush(s);
	return true;
}

/* Under on_cap error, a result that is too large, as one that changes too many rows, makes the server fail: nothing may have been sent behind it. */
static bool
may_fail_yet(struct session *s)
{
	const struct owed *tail = pipeline_tail(&s->owed);

	if (!s->enforce || tail == NULL || (tail->kind != OWED_QUERY && tail->kind != OWED_EXECUTE) || tail->judgement == NULL ||
	    s->copy_in)
		return false;
	return affected_counts(s, tail->judgement) ||
	       (s->limits->on_cap == ON_CAP_ERROR && (s->limits->max_rows > 0 || s->limits->max_result_bytes > 0));
}

static bool
must_wait(struct session *s)
{
	if (conn_full(s->server) || conn_full(s->client) || s->owed.count >= OWED_HIGH || s->cancels > 0 || s->errand != NULL)
		return true;
	return (s->owed.bytes >= OWED_BYTES || may_fail_yet(s)) && wait_for_answers(s);
}

void
client_data(struct session *s)
{
	while (s->state == S_READY) {
		if (must_wait(s)) { /* server.c and the cancel resume us */
			s->waits = s->waits || s->errand != NULL;
			conn_pause(s->client);
			return;
		}
		s->waits = false;
		if (!gate_refresh(s))
			return;
		if (!one_message(s)) {
			if (s->waits)
				conn_pause(s->client);
			return;
		}
	}
}
