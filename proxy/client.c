/* What a logged-in client says: judged, forwarded, replaced or dropped.
 *
 * A refused message is replaced, not left out: the server gets something that
 * it answers with an error, and the client gets our error in that one's place
 * (server.c). So the order of answers, the skipping up to Sync and the status
 * byte of ReadyForQuery are the server's own. Only when the server has nothing
 * to do and no block is open do we answer alone. */

#include <stdlib.h>
#include <string.h>

#include "gate.h"
#include "log.h"
#include "session.h"

#define QUERY_ROOM (64 << 10)        /* names and counts around a text of max_query_bytes */
#define QUERY_MAX ((size_t)64 << 20) /* when the policy sets no max_query_bytes */
#define BIND_MAX ((size_t)64 << 20)
#define NAME_MSG_MAX (16 << 10)
#define COPY_MAX ((size_t)16 << 20)
#define OWED_HIGH 16384 /* messages that wait for answers: stop reading the client */

/* A statement that cannot parse, under a name that nothing else has: nothing
 * on the server changes but that the transaction fails. */
#define POISON_NAME "pgmoat refused"
#define POISON_TEXT "pgmoat refused a statement here"

static struct owed *
owe(struct session *s, enum owed_kind kind)
{
	struct owed *o;

	if (s->owed.count == 0) {
		s->busy_since = loop_now(s->worker->loop);
		s->overdue = 0;
	}
	o = pipeline_push(&s->owed, kind, s->number);
	o->started = loop_now(s->worker->loop);
	return o;
}

/* --- refusing ----------------------------------------------------------- */

static bool
server_must_fail(const struct session *s)
{
	return s->owed.count > 0 || s->unsynced || s->status == 'T';
}

/* s->out holds the ErrorResponse: the client gets it when the server's comes. */
static void
replace(struct session *s, bool extended)
{
	uint8_t *error = xmalloc(s->out.len);
	size_t len = s->out.len;
	struct owed *o;

	memcpy(error, s->out.p, len);
	wire_writer_clear(&s->out);
	if (extended)
		msg_write_parse(&s->out, POISON_NAME, POISON_TEXT, strlen(POISON_TEXT), 0, NULL);
	else
		msg_write_query(&s->out, POISON_TEXT, strlen(POISON_TEXT));
	session_to_server(s);
	o = owe(s, extended ? OWED_PARSE : OWED_QUERY);
	o->error = error;
	o->error_len = len;
	s->unsynced = s->unsynced || extended;
	if (extended)
		s->skipping = true;
}

static void
refuse(struct session *s, bool extended)
{
	if (s->out.bad) {
		session_close(s, "out of memory");
		return;
	}
	if (server_must_fail(s)) {
		replace(s, extended);
		return;
	}
	if (extended)
		s->skipping = s->local_sync = true;
	else
		msg_write_ready(&s->out, s->status);
	session_to_client(s);
}

static void
malformed(struct session *s, char type)
{
	session_fatal(s, "08P01", NULL, "invalid message of type \"%c\"", type);
}

/* --- simple protocol ---------------------------------------------------- */

static bool
refused_copy(const struct judgement *j)
{
	return j != NULL && j->nstatements > 0 && j->statements[j->nstatements - 1].copy_in;
}

static void
on_query(struct session *s, const uint8_t *frame, size_t len)
{
	struct msg_query m;
	struct judgement *j;
	struct owed *o;
	bool refused;

	if (!msg_read_query(frame + WIRE_HEADER, len, &m)) {
		malformed(s, 'Q');
		return;
	}
	s->copy_refused = false;
	j = gate_judge(s, m.text, m.len, JUDGE_SIMPLE, &refused);
	if (refused || !gate_admit(s, j, "query", s->number)) {
		s->copy_refused = refused_copy(j);
		judgement_unref(j);
		refuse(s, false);
		return;
	}
	if (j != NULL && j->rewritten != NULL && s->enforce) {
		msg_write_query(&s->out, j->rewritten, j->rewritten_len);
		session_to_server(s);
	} else
		conn_write(s->server, frame, WIRE_HEADER + len);
	o = owe(s, OWED_QUERY);
	o->judgement = j;
	o->audited = j != NULL;
	s->unsynced = false; /* ends an implicit transaction as a Sync does */
}

/* A FunctionCall names a function by number and runs it without SQL: THREATS, "the wire". */
static void
on_function_call(struct session *s, const uint8_t *frame, size_t len)
{
	if (!s->enforce) {
		conn_write(s->server, frame, WIRE_HEADER + len);
		owe(s, OWED_QUERY);
		return;
	}
	gate_error(s, "42501", RULE_PROTOCOL, "Call the function in a SELECT.", "FunctionCall messages are refused");
	refuse(s, false);
}

/* --- extended protocol -------------------------------------------------- */

static void
on_parse(struct session *s, const uint8_t *frame, size_t len)
{
	struct msg_parse m;
	struct judgement *j;
	struct owed *o;
	bool refused;

	if (!msg_read_parse(frame + WIRE_HEADER, len, &m)) {
		malformed(s, 'P');
		return;
	}
	j = gate_judge(s, m.text, m.len, JUDGE_EXTENDED, &refused);
	if (!refused && !gate_types(s, j, m.ntypes, m.types))
		refused = true;
	if (!refused && m.name[0] != '\0' && names_statement(s->names, m.name) != NULL) {
		gate_error(s, "42P05", RULE_NONE, NULL, "prepared statement \"%s\" already exists", m.name);
		refused = true;
	}
	if (!refused && !names_set_statement(s->names, m.name, j, 0, s->number)) {
		gate_error(
		    s, "53400", RULE_NONE, "Close prepared statements that are not used any more.", "too many prepared statements");
		refused = true;
	}
	if (refused) {
		judgement_unref(j);
		refuse(s, true);
		return;
	}
	if (j != NULL && j->rewritten != NULL && s->enforce) {
		msg_write_parse(&s->out, m.name, j->rewritten, j->rewritten_len, m.ntypes, m.types);
		session_to_server(s);
	} else
		conn_write(s->server, frame, WIRE_HEADER + len);
	o = owe(s, OWED_PARSE);
	o->judgement = j;
	s->unsynced = true;
}

/* A statement that an earlier policy let pass is asked for again. */
static bool
still_allowed(struct session *s, struct named *n)
{
	struct judgement *old = n->judgement, *j;
	bool refused, same;

	if (old == NULL || old->generation == policy_generation(s->policy))
		return true;
	j = gate_judge(s, old->text, old->text_len, n->sql ? JUDGE_SIMPLE : JUDGE_EXTENDED, &refused);
	same = !refused && (j == NULL || ((j->rewritten == NULL) == (old->rewritten == NULL) &&
					     (j->rewritten == NULL || strcmp(j->rewritten, old->rewritten) == 0)));
	if (!refused && !same)
		gate_error(s, "0A000", RULE_NONE, "Prepare the statement again.",
		    "the policy was reloaded since this statement was prepared");
	judgement_unref(j);
	return same;
}

static void
no_statement(struct session *s, const char *name)
{
	if (name[0] == '\0')
		gate_error(s, "26000", RULE_NONE, NULL, "unnamed prepared statement does not exist");
	else
		gate_error(s, "26000", RULE_NONE, NULL, "prepared statement \"%s\" does not exist", name);
	refuse(s, true);
}

static void
no_portal(struct session *s, const char *name)
{
	gate_error(s, "34000", RULE_NONE, NULL, "portal \"%s\" does not exist", name);
	refuse(s, true);
}

static void
forward(struct session *s, enum owed_kind kind, const uint8_t *frame, size_t len)
{
	conn_write(s->server, frame, WIRE_HEADER + len);
	owe(s, kind);
	s->unsynced = true;
}

static void
on_bind(struct session *s, const uint8_t *frame, size_t len)
{
	struct msg_bind m;
	struct named *n;

	if (!msg_read_bind(frame + WIRE_HEADER, len, &m)) {
		malformed(s, 'B');
		return;
	}
	n = names_statement(s->names, m.statement);
	if (n == NULL) {
		no_statement(s, m.statement);
		return;
	}
	if (!still_allowed(s, n) || !gate_bind(s, n->judgement, frame + WIRE_HEADER, len)) {
		refuse(s, true);
		return;
	}
	if (!names_set_portal(s->names, m.portal, n->judgement, n->statement, s->number)) {
		gate_error(s, "53400", RULE_NONE, "Close portals that are not used any more.", "too many portals");
		refuse(s, true);
		return;
	}
	forward(s, OWED_BIND, frame, len);
}

static void
on_describe(struct session *s, const uint8_t *frame, size_t len)
{
	struct msg_describe m;

	if (!msg_read_describe(frame + WIRE_HEADER, len, &m)) {
		malformed(s, 'D');
		return;
	}
	if (m.kind == 'S' && names_statement(s->names, m.name) == NULL)
		no_statement(s, m.name);
	else if (m.kind == 'P' && names_portal(s->names, m.name) == NULL)
		no_portal(s, m.name);
	else
		forward(s, OWED_DESCRIBE, frame, len);
}

/* The row limit of an Execute: the client's own, or ours where the text could
 * not be given one. One row more than the cap tells that rows were cut. */
static int32_t
execute_max(const struct session *s, const struct named *n, int32_t asked)
{
	const struct judgement *j = n->judgement;
	int64_t left;

	if (!s->enforce || j == NULL || s->limits->max_rows <= 0 || n->statement >= j->nstatements ||
	    s->limits->on_cap == ON_CAP_ERROR)
		return asked;
	if (j->statements[n->statement].limited || j->statements[n->statement].copy_out)
		return asked;
	left = s->limits->max_rows - n->rows + 1;
	if (left < 1)
		left = 1;
	if (left > INT32_MAX || (asked > 0 && asked < left))
		return asked;
	return (int32_t)left;
}

static void
on_execute(struct session *s, const uint8_t *frame, size_t len)
{
	struct msg_execute m;
	struct named *n;
	struct judgement *j;
	struct owed *o;
	int32_t max;

	if (!msg_read_execute(frame + WIRE_HEADER, len, &m)) {
		malformed(s, 'E');
		return;
	}
	n = names_portal(s->names, m.portal);
	if (n == NULL) {
		no_portal(s, m.portal);
		return;
	}
	max = execute_max(s, n, m.max_rows);
	j = n->judgement != NULL ? judgement_ref(n->judgement) : NULL;
	if (!gate_admit(s, j, "execute", s->number)) {
		judgement_unref(j);
		refuse(s, true);
		return;
	}
	if (max != m.max_rows) {
		msg_write_execute(&s->out, m.portal, max);
		session_to_server(s);
	} else
		conn_write(s->server, frame, WIRE_HEADER + len);
	o = owe(s, OWED_EXECUTE);
	o->judgement = j;
	o->audited = j != NULL;
	o->portal = m.portal[0] != '\0' ? xstrdup(m.portal) : NULL;
	s->unsynced = true;
}

static void
on_close(struct session *s, const uint8_t *frame, size_t len)
{
	struct msg_describe m;

	if (!msg_read_describe(frame + WIRE_HEADER, len, &m)) {
		malformed(s, 'C');
		return;
	}
	if (m.kind == 'S')
		names_close_statement(s->names, m.name);
	else
		names_close_portal(s->names, m.name);
	forward(s, OWED_CLOSE, frame, len);
}

static void
on_flush(struct session *s, const uint8_t *frame, size_t len)
{
	if (s->owed.count > 0 && !s->copy_in)
		s->flushed = true;
	conn_write(s->server, frame, WIRE_HEADER + len);
}

static void
on_sync(struct session *s, const uint8_t *frame, size_t len)
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
	owe(s, OWED_SYNC);
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
	size_t max; /* longest body; 0: none at all; SIZE_MAX: as long as a text may be */
	void (*handle)(struct session *, const uint8_t *frame, size_t len);
} messages[] = {
	{ 'Q', SIZE_MAX, on_query },
	{ 'P', SIZE_MAX, on_parse },
	{ 'B', BIND_MAX, on_bind },
	{ 'D', NAME_MSG_MAX, on_describe },
	{ 'E', NAME_MSG_MAX, on_execute },
	{ 'C', NAME_MSG_MAX, on_close },
	{ 'H', 0, on_flush },
	{ 'S', 0, on_sync },
	{ 'd', COPY_MAX, on_copy },
	{ 'c', 0, on_copy },
	{ 'f', NAME_MSG_MAX, on_copy },
	{ 'F', COPY_MAX, on_function_call },
	{ 'X', 0, on_terminate },
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
	refuse(s, extended);
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
	s->discard = WIRE_HEADER + f->body;
	s->discard_type = f->type;
	return true;
}

/* --- one message -------------------------------------------------------- */

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
	/* PostgreSQL drops everything up to Sync after an error in a series, a Query too */
	if (!s->skipping || f.type == 'S' || f.type == 'X')
		m->handle(s, in, f.body);
	if (s->state != S_READY)
		return false;
	conn_consume(s->client, WIRE_HEADER + f.body);
	return true;
}

static bool
must_wait(struct session *s)
{
	return conn_full(s->server) || conn_full(s->client) || s->owed.count >= OWED_HIGH || (s->cancels > 0 && s->owed.count == 0);
}

void
client_data(struct session *s)
{
	while (s->state == S_READY) {
		if (must_wait(s)) { /* server.c and the cancel resume us */
			conn_pause(s->client);
			return;
		}
		if (!gate_refresh(s) || !one_message(s))
			return;
	}
}
