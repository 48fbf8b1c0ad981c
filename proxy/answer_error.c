/* proxy/answer_error.c - the server's errors and notices: what of them is for the client. */
#include <string.h>

#include "answer.h"
#include "gate.h"
#include "result.h"

static void
relay(struct session *s, const uint8_t *frame, size_t len)
{
	if (!s->muted)
		conn_write(s->client, frame, WIRE_HEADER + len);
}

static void
say(struct session *s)
{
	if (s->out.len > 0)
		session_to_client(s);
}

/* The server says only that it stopped; the client should know what would be let through. */
static bool
hint_timeout(struct session *s, const struct owed *o, struct msg_error *e)
{
	int64_t limit = s->limits->statement_timeout;

	if (!s->enforce || s->muted || limit <= 0 || strcmp(e->sqlstate, "57014") != 0 || e->hint[0] != '\0' ||
	    loop_now(s->worker->loop) - o->started < limit * 1000)
		return false;
	e->hint = "Statements may run for a limited time here: ask for less (filter on an indexed column, aggregate, LIMIT), "
		  "or look at EXPLAIN first.";
	msg_write_error(&s->out, 'E', e);
	say(s);
	return true;
}

static bool
hides_details(const struct session *s, const struct owed *o)
{
	return s->enforce && o != NULL && o->guarded;
}

/* A guard has raised it: the row that it met shows the definition of what may not be seen. */
static void
restricted_error(struct session *s, struct owed *o)
{
	memcpy(o->sqlstate, "42501", 6);
	if (s->muted)
		return;
	gate_error(s, "42501", RULE_TABLE_DENIED, "Ask about objects that you may see: name them in the query's conditions.",
	    "the query reads the definition of an object that is restricted here");
	say(s);
}

void
answer_error(struct session *s, struct owed *o, const uint8_t *frame, size_t len)
{
	const uint8_t *body = frame + WIRE_HEADER;
	struct msg_error e;
	int position;

	if (!msg_read_error(body, len, &e)) {
		answer_violation(s, 'E');
		return;
	}
	if (strcmp(e.severity, "FATAL") == 0 || strcmp(e.severity, "PANIC") == 0)
		s->server_fatal = true;
	if (o == NULL) {
		relay(s, frame, len);
		return;
	}
	snprintf(o->sqlstate, sizeof(o->sqlstate), "%s", e.sqlstate[0] != '\0' ? e.sqlstate : "XX000");
	if (hint_timeout(s, o, &e))
		return;
	if (s->enforce && strstr(e.message, GUARD_MARKER) != NULL) {
		restricted_error(s, o);
		return;
	}
	position = e.position;
	if (position > 0 && s->enforce && o->judgement != NULL && o->judgement->rewritten != NULL)
		position = judgement_position(o->judgement, position);
	if (position == e.position && !hides_details(s, o))
		relay(s, frame, len);
	else if (!s->muted) {
		msg_copy_error_without(&s->out, 'E', body, len, position, hides_details(s, o) ? ERROR_DETAILS : "");
		say(s);
	}
}

void
answer_notice(struct session *s, const uint8_t *frame, size_t len)
{
	struct msg_error e;

	if (!hides_details(s, pipeline_head(&s->owed))) {
		conn_write(s->client, frame, WIRE_HEADER + len);
		return;
	}
	if (!msg_read_error(frame + WIRE_HEADER, len, &e)) {
		answer_violation(s, 'N');
		return;
	}
	msg_copy_error_without(&s->out, 'N', frame + WIRE_HEADER, len, e.position, ERROR_DETAILS);
	say(s);
}
