/* What the server sends: rows pass in whatever pieces they arrive and are never
 * held; everything else is looked at whole (answer.c). */

#include "answer.h"
#include "errand.h"
#include "result.h"

#define ANSWER_MAX ((size_t)64 << 20) /* of a message that we must see whole */
#define LENGTH_MAX ((size_t)1 << 30)  /* of any: PostgreSQL allocates no more */

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
		answer_violation(s, f->type);
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
	if (s->errand == NULL && is_row(in) && f.body <= LENGTH_MAX)
		return relay_rows(s, in, there);
	if (f.body > ANSWER_MAX) {
		answer_violation(s, f.type);
		return false;
	}
	if (there < WIRE_HEADER + f.body) {
		conn_expect(s->server, WIRE_HEADER + f.body);
		return false;
	}
	if (s->errand != NULL)
		errand_answer(s, in, f.body);
	else
		answer(s, in, f.body);
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
