#include "refuse.h"

#include <string.h>

/* A statement that cannot parse, under a name that nothing else has: nothing
 * on the server changes but that the transaction fails. */
#define POISON_NAME "pgmoat refused"
#define POISON_TEXT "pgmoat refused a statement here"

struct owed *
session_owe(struct session *s, enum owed_kind kind)
{
	struct owed *o;

	if (s->owed.count == 0) {
		s->busy_since = loop_now(s->worker->loop);
		s->overdue = 0;
	}
	if (s->block_since == 0) /* without BEGIN as well: until its Sync, a series is a transaction */
		s->block_since = loop_now(s->worker->loop);
	if (kind == OWED_QUERY || kind == OWED_SYNC)
		s->closed = s->number;
	o = pipeline_push(&s->owed, kind, s->number);
	o->started = loop_now(s->worker->loop);
	return o;
}

void
session_flush(struct session *s)
{
	msg_write_flush(&s->out);
	session_to_server(s);
	s->flushed = s->number;
}

/* --- refusing ----------------------------------------------------------- */

static bool
server_must_fail(const struct session *s)
{
	return s->owed.count > 0 || s->unsynced || s->status == 'T';
}

uint8_t *
refuse_take(struct session *s, size_t *len)
{
	uint8_t *error = xmalloc(s->out.len);

	*len = s->out.len;
	memcpy(error, s->out.p, *len);
	wire_writer_clear(&s->out);
	return error;
}

void
refuse_later(struct session *s, bool extended, uint8_t *error, size_t len)
{
	struct owed *o;

	if (extended)
		msg_write_parse(&s->out, POISON_NAME, POISON_TEXT, strlen(POISON_TEXT), 0, NULL);
	else
		msg_write_query(&s->out, POISON_TEXT, strlen(POISON_TEXT));
	session_to_server(s);
	o = session_owe(s, extended ? OWED_PARSE : OWED_QUERY);
	o->error = error;
	o->error_len = len;
	s->unsynced = s->unsynced || extended;
	if (extended)
		s->skipping = true;
}

void
refuse_message(struct session *s, bool extended)
{
	uint8_t *error;
	size_t len;

	if (s->out.bad) {
		session_close(s, "out of memory");
		return;
	}
	if (server_must_fail(s)) {
		error = refuse_take(s, &len);
		refuse_later(s, extended, error, len);
		return;
	}
	if (extended)
		s->skipping = s->local_sync = true;
	else
		msg_write_ready(&s->out, s->status);
	session_to_client(s);
}

void
refuse_malformed(struct session *s, char type)
{
	session_fatal(s, "08P01", NULL, "invalid message of type \"%c\"", type);
}
