/* What the server answers: relayed in order, counted against the caps, and
 * replaced where a message of the client was replaced. Rows are never held:
 * they pass in whatever pieces they arrive. A server that says what it does
 * not owe ends the session: it may be hostile, or we have lost count. */

#include <string.h>
#include <strings.h>

#include "log.h"
#include "result.h"

#define ANSWER_MAX ((size_t)64 << 20) /* of a message that we must see whole */
#define LENGTH_MAX ((size_t)1 << 30)  /* of any: PostgreSQL allocates no more */
#define OWED_LOW 8192                 /* client.c stops at twice as many */

static void
violation(struct session *s, char type)
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

	result_audit(s, o, o->sqlstate[0] != '\0' ? o->sqlstate : "00000");
	pipeline_pop(&s->owed);
	s->busy_since = loop_now(s->worker->loop);
	s->overdue = 0;
	if (s->owed.count == 0)
		s->flushed = false;
	if (s->owed.count == OWED_LOW)
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
	if (o == NULL)
		s->skipping = true; /* its Sync is still to come from the client */
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
		violation(s, (char)frame[0]);
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
		violation(s, (char)frame[0]);
}

static void
on_complete(struct session *s, const uint8_t *frame, size_t len)
{
	struct owed *o = pipeline_head(&s->owed);
	struct wire_reader r;
	const char *tag;

	if (!is_head(s, OWED_QUERY) && !is_head(s, OWED_EXECUTE)) {
		violation(s, (char)frame[0]);
		return;
	}
	s->copy_in = false;
	result_notices(s, o);
	if (o->capped && !s->muted) {
		wire_reader_init(&r, frame + WIRE_HEADER, len);
		tag = frame[0] == 'C' ? wire_str(&r) : result_tag(o); /* or our own row limit suspended the portal */
		result_capped(s, o, tag);
		say(s);
	} else {
		say(s);
		relay(s, frame, len);
	}
	if (o->kind == OWED_EXECUTE)
		pop(s);
	else
		result_next(o);
}

static void
on_ready(struct session *s, const uint8_t *frame, size_t len)
{
	struct owed *o = pipeline_head(&s->owed);
	char status = len == 1 ? (char)frame[WIRE_HEADER] : '\0';
	uint64_t number;

	if (o == NULL || (o->kind != OWED_QUERY && o->kind != OWED_SYNC) || (o->error != NULL && !o->failed) ||
	    (status != 'I' && status != 'T' && status != 'E')) {
		violation(s, 'Z');
		return;
	}
	number = o->number;
	pop(s);
	s->muted = false;
	s->copy_in = false;
	s->status = status;
	if (status == 'I') {
		s->block_since = 0;
		names_transaction_end(s->names, number);
	} else if (s->block_since == 0)
		s->block_since = loop_now(s->worker->loop);
	conn_write(s->client, frame, WIRE_HEADER + len);
	if (conn_paused(s->client))
		conn_resume(s->client);
	if (session_idle(s))
		session_go_idle(s);
}

/* --- errors ------------------------------------------------------------- */

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

static void
relay_error(struct session *s, struct owed *o, const uint8_t *frame, size_t len)
{
	const uint8_t *body = frame + WIRE_HEADER;
	struct msg_error e;
	int position;

	if (!msg_read_error(body, len, &e)) {
		violation(s, 'E');
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
	position = e.position;
	if (position > 0 && s->enforce && o->judgement != NULL && o->judgement->rewritten != NULL)
		position = judgement_position(o->judgement, position);
	if (position == e.position)
		relay(s, frame, len);
	else if (!s->muted) {
		msg_copy_error(&s->out, 'E', body, len, position);
		say(s);
	}
}

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
		relay_error(s, o, frame, len);
	}
	if (o == NULL || s->state != S_READY)
		return;
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
		violation(s, (char)frame[0]);
		return;
	}
	st = owed_statement(o);
	if (s->enforce && (st == NULL || !(in ? st->copy_in : st->copy_out))) {
		violation(s, (char)frame[0]);
		return;
	}
	s->copy_in = in;
	o->copy_out = !in;
	relay(s, frame, len);
	if (in) /* PostgreSQL ignores a Sync that stands before the data */
		pipeline_forget_syncs(&s->owed);
}

static void
on_copy_done(struct session *s, const uint8_t *frame, size_t len)
{
	struct owed *o = pipeline_head(&s->owed);

	if (o == NULL || !o->copy_out) {
		violation(s, 'c');
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
		violation(s, 'S');
		return;
	}
	if (s->enforce && ((strcmp(name, "client_encoding") == 0 && strcasecmp(value, "UTF8") != 0) ||
			      (strcmp(name, "standard_conforming_strings") == 0 && strcmp(value, "on") != 0))) {
		session_fatal(s, "08P01", NULL, "terminating connection: the server changed %s", name);
		return;
	}
	conn_write(s->client, frame, WIRE_HEADER + len);
}

static void
whole_message(struct session *s, const uint8_t *frame, size_t len)
{
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
			violation(s, 't');
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
	case 'A':
		conn_write(s->client, frame, WIRE_HEADER + len);
		break;
	case 'V': /* FunctionCallResponse: only where calls are not refused */
		if (!s->enforce && is_head(s, OWED_QUERY))
			relay(s, frame, len);
		else
			violation(s, 'V');
		break;
	default:
		violation(s, (char)frame[0]);
	}
}

/* --- rows --------------------------------------------------------------- */

static bool
is_row(const uint8_t *frame)
{
	return frame[0] == 'D' || frame[0] == 'd';
}

/* Decides about one row by its header. False: the server does not owe one. */
static bool
row_passes(struct session *s, const struct wire_frame *f, bool *passes)
{
	struct owed *o = pipeline_head(&s->owed);

	if (o == NULL || o->error != NULL || (o->kind != OWED_QUERY && o->kind != OWED_EXECUTE) ||
	    (f->type == 'd' && !o->copy_out)) {
		violation(s, f->type);
		return false;
	}
	*passes = result_row(s, o, f->body) && !s->muted;
	return true;
}

/* Relays the rows at the start of the input in one write. Answers how many
 * bytes of input were used; 0: the first message is not a row that passes whole. */
static bool
relay_rows(struct session *s, const uint8_t *in, size_t there)
{
	size_t run = 0;
	struct wire_frame f;
	bool passes = true;

	while (wire_frame(in + run, there - run, &f) && is_row(in + run) && f.body <= LENGTH_MAX) {
		if (!row_passes(s, &f, &passes))
			return true;
		if (!passes || there - run < WIRE_HEADER + f.body)
			break;
		run += WIRE_HEADER + f.body;
		passes = true;
	}
	if (run > 0)
		conn_write(s->client, in, run);
	conn_consume(s->server, run);
	there -= run;
	in += run;
	if (!passes || (there >= WIRE_HEADER && is_row(in) && f.body <= LENGTH_MAX))
		*(passes ? &s->passing : &s->dropping) = WIRE_HEADER + f.body;
	return run > 0 || s->passing > 0 || s->dropping > 0;
}

static bool
move_rest(struct session *s, const uint8_t *in, size_t there)
{
	size_t *rest = s->passing > 0 ? &s->passing : &s->dropping;
	size_t n = there < *rest ? there : *rest;

	if (s->passing > 0)
		conn_write(s->client, in, n);
	*rest -= n;
	conn_consume(s->server, n);
	return true;
}

static bool
one_answer(struct session *s)
{
	struct wire_frame f;
	const uint8_t *in;
	size_t there;

	in = conn_input(s->server, &there);
	if (there == 0)
		return false;
	if (s->passing > 0 || s->dropping > 0)
		return move_rest(s, in, there);
	if (!wire_frame(in, there, &f))
		return false;
	if (is_row(in) && f.body <= LENGTH_MAX)
		return relay_rows(s, in, there);
	if (f.body > ANSWER_MAX) {
		violation(s, f.type);
		return false;
	}
	if (there < WIRE_HEADER + f.body) {
		conn_expect(s->server, WIRE_HEADER + f.body);
		return false;
	}
	whole_message(s, in, f.body);
	if (s->state != S_READY)
		return false;
	conn_consume(s->server, WIRE_HEADER + f.body);
	return true;
}

void
server_data(struct session *s)
{
	while (s->state == S_READY) {
		if (conn_full(s->client)) { /* CONN_DRAINED of the client resumes us */
			conn_pause(s->server);
			return;
		}
		if (!one_answer(s))
			return;
	}
}

static void
server_gone(struct session *s, const char *why)
{
	if (s->server_fatal || s->state == S_CLOSING)
		session_close(s, "the server ended the connection");
	else
		session_fatal(s, "08006", "Connect again.", "the server closed the connection unexpectedly: %s", why);
}

void
server_event(struct conn *c, enum conn_event ev, void *arg)
{
	struct session *s = arg;

	switch (ev) {
	case CONN_DATA:
		if (s->state == S_AUTH)
			auth_server_data(s);
		if (s->state == S_READY)
			server_data(s);
		break;
	case CONN_DRAINED: /* the server took its input: read the client again */
		conn_resume(s->client);
		break;
	case CONN_TLS: /* was done while dialling */
		break;
	case CONN_EOF:
		server_gone(s, "end of file");
		break;
	case CONN_ERROR:
		server_gone(s, conn_error(c));
		break;
	}
}
