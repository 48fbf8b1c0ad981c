#include "errand.h"

#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "log.h"

#define SAVEPOINT "pgmoat errand"
#define GRACE 2000000 /* the server's own timeout goes first: microseconds */

struct errand {
	struct errand_job job;
	int64_t started;
	char status;     /* what the last ReadyForQuery must say */
	unsigned before; /* ReadyForQuery messages that come before our own part's */
	unsigned left;   /* ReadyForQuery messages that are to come in all */
	bool own;        /* our own part is being answered */
	size_t result;   /* number of the next result */
	size_t bytes;    /* of rows so far */
	bool failed;
	struct err error; /* when failed */
};

bool
errand_possible(const struct session *s, bool query)
{
	return s->state == S_READY && s->errand == NULL && s->owed.count == 0 && !s->unsynced && !s->skipping && !s->muted &&
	       !s->copy_in && s->cancels == 0 && s->passing == 0 && s->dropping == 0 &&
	       (s->status == 'I' || (s->status == 'T' && (s->looked || !query)));
}

/* --- sending ------------------------------------------------------------ */

static struct errand *
begin(struct session *s, const struct errand_job *job, char status)
{
	struct errand *e = xcalloc(1, sizeof(*e));

	e->job = *job;
	e->started = loop_now(s->worker->loop);
	e->status = status;
	e->left = 1;
	s->errand = e;
	log_debug(s->id, "errand: %s", job->what);
	return e;
}

static void
put_query(struct session *s, const char *sql)
{
	msg_write_query(&s->out, sql, strlen(sql));
}

/* Our part stands between two queries of its own: it may fail, these are still run. */
static void
put_savepoint(struct session *s, struct errand *e)
{
	put_query(s, "SAVEPOINT \"" SAVEPOINT "\"");
	e->before = 1;
	e->left = 3;
}

static void
put_return(struct session *s)
{
	put_query(s, "ROLLBACK TO SAVEPOINT \"" SAVEPOINT "\"; RELEASE SAVEPOINT \"" SAVEPOINT "\"");
}

static void
send_all(struct session *s, struct errand *e)
{
	e->own = e->before == 0;
	session_to_server(s);
}

void
errand_query(struct session *s, const struct errand_job *job, const char *sql)
{
	struct errand *e = begin(s, job, s->status);

	if (s->status == 'T')
		put_savepoint(s, e);
	put_query(s, sql);
	if (s->status == 'T')
		put_return(s);
	send_all(s, e);
}

void
errand_messages(struct session *s, const struct errand_job *job)
{
	struct errand *e = begin(s, job, s->status);
	struct wire_writer ours = s->out;

	s->out = (struct wire_writer){ 0 };
	if (s->status == 'T')
		put_savepoint(s, e);
	wire_put_bytes(&s->out, ours.p, ours.len);
	if (s->status == 'T')
		put_return(s);
	s->out.bad = s->out.bad || ours.bad;
	wire_writer_free(&ours);
	send_all(s, e);
}

void
errand_command(struct session *s, const struct errand_job *job, const char *sql, char status)
{
	struct errand *e = begin(s, job, status);

	put_query(s, sql);
	send_all(s, e);
}

/* --- ending ------------------------------------------------------------- */

static void
fail(struct errand *e, const char *why)
{
	if (!e->failed)
		err_set(&e->error, "%s", why);
	e->failed = true;
}

static void
finish(struct session *s, bool lost)
{
	struct errand *e = s->errand;

	s->errand = NULL;
	log_debug(s->id, "errand ended: %s%s%s", e->job.what, e->failed ? ": " : "", e->failed ? e->error.text : "");
	e->job.done(s, e->job.arg, e->failed ? e->error.text : NULL, lost);
	free(e);
}

void
errand_lose(struct session *s)
{
	if (s->errand == NULL)
		return;
	fail(s->errand, "the connection ended");
	finish(s, true);
}

void
errand_tick(struct session *s, int64_t now)
{
	struct errand *e = s->errand;

	if (e == NULL || now - e->started < e->job.timeout * 1000 + GRACE)
		return;
	session_fatal(s, "57014", "Connect again.", "terminating connection: %s did not end within %lld ms", e->job.what,
	    (long long)e->job.timeout);
}

/* --- answers ------------------------------------------------------------ */

/* A DataRow's values lie between four-byte lengths: to terminate one, the
 * first byte of the next length is read first and then overwritten, in a copy. */
static bool
read_row(const uint8_t *body, size_t len, char *copy, const char **values, size_t *n)
{
	struct wire_reader r;
	const uint8_t *value;
	uint16_t i, count;
	uint32_t size;

	wire_reader_init(&r, body, len);
	count = wire_u16(&r);
	if (count > ERRAND_COLUMNS)
		return false;
	for (i = 0; i < count; i++) {
		size = wire_u32(&r);
		values[i] = NULL;
		if (size == UINT32_MAX)
			continue;
		if ((value = wire_bytes(&r, size)) == NULL || memchr(value, '\0', size) != NULL)
			return false;
		memcpy(copy, value, size);
		copy[size] = '\0';
		values[i] = copy;
		copy += size + 1;
	}
	*n = count;
	return wire_end(&r);
}

static void
on_row(struct session *s, const uint8_t *body, size_t len)
{
	const char *values[ERRAND_COLUMNS];
	struct errand *e = s->errand;
	struct err why = { "a row is not what was asked for" };
	char *copy;
	size_t n;

	if (!e->own || e->failed || e->job.row == NULL)
		return;
	e->bytes += len;
	if (e->bytes > e->job.max_bytes) {
		fail(e, "the answer is too long");
		return;
	}
	if ((copy = malloc(len + 1)) == NULL) { /* each value's terminator takes the place of a length */
		fail(e, "out of memory");
		return;
	}
	if (!read_row(body, len, copy, values, &n) || !e->job.row(e->job.arg, e->result, values, n, &why))
		fail(e, why.text);
	free(copy);
}

static void
on_error(struct session *s, const uint8_t *frame, size_t len)
{
	struct errand *e = s->errand;
	struct msg_error m;
	struct err why;

	if (!msg_read_error(frame + WIRE_HEADER, len, &m)) {
		answer_violation(s, 'E');
		return;
	}
	err_set(&why, "%s (%s)", m.message, m.sqlstate);
	fail(e, why.text);
	if (strcmp(m.severity, "FATAL") == 0 || strcmp(m.severity, "PANIC") == 0) /* meant for the client, whatever runs */
		s->server_fatal = true;
	if (e->job.told && e->job.guarded) {
		msg_copy_error_without(&s->out, 'E', frame + WIRE_HEADER, len, 0, ERROR_DETAILS);
		session_to_client(s);
	} else if (e->job.told || s->server_fatal)
		conn_write(s->client, frame, WIRE_HEADER + len);
}

static void
on_ready(struct session *s, const uint8_t *body, size_t len)
{
	struct errand *e = s->errand;
	char status = len == 1 ? (char)body[0] : '\0';

	if (status != 'I' && status != 'T' && status != 'E') {
		answer_violation(s, 'Z');
		return;
	}
	e->left--;
	if (e->left > 0) {
		e->own = e->before > 0 && --e->before == 0;
		return;
	}
	if (status != e->status &&
	    !(e->failed && status == s->status)) { /* the client would be in another state than it believes */
		answer_violation(s, 'Z');
		return;
	}
	s->status = status;
	finish(s, false);
	if (s->state == S_READY && s->errand == NULL)
		conn_resume(s->client);
}

void
errand_answer(struct session *s, const uint8_t *frame, size_t len)
{
	switch (frame[0]) {
	case 'D':
		on_row(s, frame + WIRE_HEADER, len);
		break;
	case 'C':
	case 'I':
		s->errand->result += s->errand->own;
		break;
	case 'E':
		on_error(s, frame, len);
		break;
	case 'Z':
		on_ready(s, frame + WIRE_HEADER, len);
		break;
	case '1':
	case '2':
	case '3':
	case 'n':
	case 's':
	case 't':
	case 'T':
	case 'N': /* about what the client did not ask for */
		break;
	case 'S':
	case 'A':
		answer(s, frame, len);
		break;
	default:
		answer_violation(s, (char)frame[0]);
	}
}
