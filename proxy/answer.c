#include "answer.h"

#include <string.h>
#include <strings.h>

#include "affected.h"
#include "log.h"
#include "quota.h"
#include "refresh.h"
#include "refuse.h"
#include "result.h"

#define OWED_LOW 8192 /* client.c stops at twice as many */

void
answer_violation(struct session *s, char type)
{
	session_fatal(s, "08P01", NULL, "the server sent a message of type %u that it does not owe", (unsigned char)type);
}

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

/* --- the queue ---------------------------------------------------------- */

static void
pop(struct session *s)
{
	struct owed *o = pipeline_head(&s->owed);
	bool heavy = s->owed.bytes >= OWED_BYTES;

	result_audit(s, o, o->sqlstate[0] != '\0' ? o->sqlstate : "00000");
	quota_answered(s, o);
	pipeline_pop(&s->owed);
	s->busy_since = loop_now(s->worker->loop);
	s->overdue = 0;
	if (s->owed.count == OWED_LOW || (heavy && s->owed.bytes < OWED_BYTES) || s->waits || s->limits->on_cap == ON_CAP_ERROR ||
	    s->limits->max_affected_rows > 0)
		conn_resume(s->client);
}

/* An error in a series: the server answers nothing more up to Sync. */
static void
drop_to_sync(struct session *s)
{
	struct owed *o;

	while ((o = pipeline_head(&s->owed)) != NULL && o->kind != OWED_SYNC) {
		names_failed(s->names, o->number);
		if (o->sqlstate[0] == '\0')
			memcpy(o->sqlstate, "25P02", 6); /* never ran: the series had failed */
		pop(s);
	}
	if (o == NULL || o->own)
		s->skipping = true; /* its Sync is still to come from the client */
	if (o != NULL && o->own)
		s->local_sync = true; /* and the server has had ours */
}

static bool
is_head(struct session *s, enum owed_kind kind)
{
	struct owed *o = pipeline_head(&s->owed);

	return o != NULL && o->kind == kind && o->error == NULL;
}

/* --- answers ------------------------------------------------------------ */

static void
on_step(struct session *s, const uint8_t *frame, size_t len, enum owed_kind kind)
{
	if (!is_head(s, kind)) {
		answer_violation(s, (char)frame[0]);
		return;
	}
	relay(s, frame, len);
	pop(s);
}

static void
on_row_description(struct session *s, const uint8_t *frame, size_t len)
{
	if (is_head(s, OWED_DESCRIBE))
		on_step(s, frame, len, OWED_DESCRIBE);
	else if (is_head(s, OWED_QUERY) || is_head(s, OWED_EXECUTE))
		relay(s, frame, len);
	else
		answer_violation(s, (char)frame[0]);
}

/* The client is told an error, which s->out holds, about what the server completed,
 * and the server is made to agree before anything else runs (client.c held it back).
 * A Query must come to its end first; what that still says is dropped. */
static void
fail_complete(struct session *s, struct owed *o)
{
	size_t len;
	uint8_t *error = refuse_take(s, &len);

	if (o->kind == OWED_EXECUTE) {
		pop(s);
		refuse_later(s, true, error, len);
		return;
	}
	o->late = error;
	o->late_len = len;
	o->failed = s->muted = true;
	result_next(o);
}

/* A query takes its transaction's snapshot; what only speaks about the transaction or the session does not. */
static bool
took_snapshot(const struct owed *o)
{
	const struct judged_statement *st = owed_statement(o);

	if (st == NULL)
		return false;
	switch (st->kind) {
	case KIND_SELECT:
	case KIND_INSERT:
	case KIND_UPDATE:
	case KIND_DELETE:
	case KIND_MERGE:
	case KIND_COPY_TO:
	case KIND_COPY_FROM:
	case KIND_DDL:
	case KIND_CALL:
	case KIND_DO:
	case KIND_EXPLAIN:
		return true;
	default:
		return false;
	}
}

static void
on_complete(struct session *s, const uint8_t *frame, size_t len)
{
	struct owed *o = pipeline_head(&s->owed);
	struct wire_reader r;
	const char *tag;

	if (!is_head(s, OWED_QUERY) && !is_head(s, OWED_EXECUTE)) {
		answer_violation(s, (char)frame[0]);
		return;
	}
	s->copy_in = false;
	s->looked = s->looked || took_snapshot(o);
	result_notices(s, o);
	say(s);
	wire_reader_init(&r, frame + WIRE_HEADER, len);
	tag = frame[0] == 'C' ? wire_str(&r) : result_tag(o); /* or our own row limit suspended the portal */
	if (!s->muted && affected_too_many(s, o, tag)) {
		fail_complete(s, o);
		return;
	}
	if (o->capped && !s->muted && s->limits->on_cap == ON_CAP_ERROR) {
		result_capped(s, o, "");
		fail_complete(s, o);
		return;
	}
	if (o->capped && !s->muted)
		result_capped(s, o, tag);
	else if (!s->muted)
		wire_put_bytes(&s->out, frame, WIRE_HEADER + len);
	if (o->own_block)
		affected_hold(s);
	else
		say(s);
	if (o->kind == OWED_EXECUTE)
		pop(s);
	else
		result_next(o);
}

/* The error of a cap inside a block: a failed block is what the client must see. */
static void
fail_block(struct session *s, struct owed *o)
{
	uint8_t *error = o->late;
	size_t len = o->late_len;

	o->late = NULL;
	pop(s);
	s->muted = false;
	s->status = 'T';
	refuse_later(s, false, error, len);
}

static void
end_own_block(struct session *s, struct owed *o, char status)
{
	uint8_t *late = o->late;
	size_t len = o->late_len;
	bool guarded = o->guarded, failed = o->failed;

	o->late = NULL;
	pop(s);
	s->muted = s->copy_in = false;
	if (failed && late == NULL) /* the error has been relayed */
		wire_writer_clear(&s->held);
	affected_end(s, status, late, len, guarded);
}

static void
on_ready(struct session *s, const uint8_t *frame, size_t len)
{
	struct owed *o = pipeline_head(&s->owed);
	char status = len == 1 ? (char)frame[WIRE_HEADER] : '\0';
	uint64_t number;
	bool own;

	if (o == NULL || (o->kind != OWED_QUERY && o->kind != OWED_SYNC) || (o->error != NULL && !o->failed) ||
	    (status != 'I' && status != 'T' && status != 'E')) {
		answer_violation(s, 'Z');
		return;
	}
	if (o->own_block) {
		end_own_block(s, o, status);
		return;
	}
	if (o->late != NULL && status == 'T') {
		fail_block(s, o);
		return;
	}
	if (o->late != NULL)
		conn_write(s->client, o->late, o->late_len);
	number = o->number;
	own = o->own;
	pop(s);
	s->muted = false;
	s->copy_in = false;
	s->status = status;
	if (status == 'I') {
		s->block_since = s->owed.count > 0 ? loop_now(s->worker->loop) : 0;
		s->looked = false;
		refresh_settled(s);
		names_transaction_end(s->names, number);
	} else if (s->block_since == 0)
		s->block_since = loop_now(s->worker->loop);
	if (!own)
		conn_write(s->client, frame, WIRE_HEADER + len);
	if (conn_paused(s->client))
		conn_resume(s->client);
	if (session_idle(s))
		session_go_idle(s);
}

/* --- errors ------------------------------------------------------------- */

static bool
is_cancelled(const uint8_t *frame, size_t len)
{
	struct msg_error e;

	return msg_read_error(frame + WIRE_HEADER, len, &e) && strcmp(e.sqlstate, "57014") == 0;
}

static void
on_error(struct session *s, const uint8_t *frame, size_t len)
{
	struct owed *o = pipeline_head(&s->owed);

	if (o != NULL && o->error != NULL) { /* the answer to what we put in place of a refused message */
		conn_write(s->client, o->error, o->error_len);
	} else if (o != NULL && o->cancelled && !s->muted && is_cancelled(frame, len)) {
		result_cancelled(s, o);
		say(s);
	} else {
		answer_error(s, o, frame, len);
	}
	if (o == NULL || s->state != S_READY)
		return;
	if (s->copy_in && o->kind == OWED_QUERY) /* its data is on the way, and PostgreSQL drops it */
		s->copy_refused = true;
	s->copy_in = false;
	o->failed = true;
	if (o->kind == OWED_QUERY)
		names_failed(s->names, o->number);
	else if (o->kind != OWED_SYNC)
		drop_to_sync(s);
}

/* --- COPY --------------------------------------------------------------- */

/* A COPY that nobody judged to be one must not begin. */
static void
on_copy_start(struct session *s, const uint8_t *frame, size_t len)
{
	struct owed *o = pipeline_head(&s->owed);
	const struct judged_statement *st;
	bool in = frame[0] == 'G';

	if (!is_head(s, OWED_QUERY) && !is_head(s, OWED_EXECUTE)) {
		answer_violation(s, (char)frame[0]);
		return;
	}
	st = owed_statement(o);
	if (s->enforce && (st == NULL || !(in ? st->copy_in : st->copy_out))) {
		answer_violation(s, (char)frame[0]);
		return;
	}
	s->copy_in = in;
	o->copy_out = !in;
	relay(s, frame, len);
	if (in) { /* PostgreSQL ignores a Sync that stands before the data */
		pipeline_forget_syncs(&s->owed);
		conn_resume(s->client);
	}
}

static void
on_copy_done(struct session *s, const uint8_t *frame, size_t len)
{
	struct owed *o = pipeline_head(&s->owed);

	if (o == NULL || !o->copy_out) {
		answer_violation(s, 'c');
		return;
	}
	if (!o->capped)
		relay(s, frame, len);
}

/* --- what may come at any time ------------------------------------------ */

/* The judge reads texts as UTF-8 with standard strings. Should the server ever
 * come to read them otherwise, the session ends. */
static void
on_parameter(struct session *s, const uint8_t *frame, size_t len)
{
	struct wire_reader r;
	const char *name, *value;

	wire_reader_init(&r, frame + WIRE_HEADER, len);
	name = wire_str(&r);
	value = wire_str(&r);
	if (!wire_end(&r)) {
		answer_violation(s, 'S');
		return;
	}
	if (s->enforce && ((strcmp(name, "client_encoding") == 0 && strcasecmp(value, "UTF8") != 0) ||
			      (strcmp(name, "standard_conforming_strings") == 0 && strcmp(value, "on") != 0))) {
		session_fatal(s, "08P01", NULL, "terminating connection: the server changed %s", name);
		return;
	}
	conn_write(s->client, frame, WIRE_HEADER + len);
}

void
answer(struct session *s, const uint8_t *frame, size_t len)
{
	if (affected_owns(s, pipeline_head(&s->owed))) {
		affected_begun(s, frame, len);
		return;
	}
	switch (frame[0]) {
	case '1':
		on_step(s, frame, len, OWED_PARSE);
		break;
	case '2':
		on_step(s, frame, len, OWED_BIND);
		break;
	case '3':
		on_step(s, frame, len, OWED_CLOSE);
		break;
	case 't': /* ParameterDescription: RowDescription or NoData follows */
		if (is_head(s, OWED_DESCRIBE))
			relay(s, frame, len);
		else
			answer_violation(s, 't');
		break;
	case 'n':
		on_step(s, frame, len, OWED_DESCRIBE);
		break;
	case 'T':
		on_row_description(s, frame, len);
		break;
	case 'C':
	case 's':
	case 'I':
		on_complete(s, frame, len);
		break;
	case 'E':
		on_error(s, frame, len);
		break;
	case 'Z':
		on_ready(s, frame, len);
		break;
	case 'G':
	case 'H':
		on_copy_start(s, frame, len);
		break;
	case 'c':
		on_copy_done(s, frame, len);
		break;
	case 'S':
		on_parameter(s, frame, len);
		break;
	case 'N':
		answer_notice(s, frame, len);
		break;
	case 'A':
		conn_write(s->client, frame, WIRE_HEADER + len);
		break;
	case 'V': /* FunctionCallResponse: only where calls are not refused */
		if (!s->enforce && is_head(s, OWED_QUERY))
			relay(s, frame, len);
		else
			answer_violation(s, 'V');
		break;
	default:
		answer_violation(s, (char)frame[0]);
	}
}
