#include "affected.h"

#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "errand.h"
#include "gate.h"
#include "refresh.h"
#include "refuse.h"
#include "uses.h"

#define END_MS 600000 /* a COMMIT may wait for a standby */

/* --- what counts -------------------------------------------------------- */

static bool
is_limited(const struct session *s)
{
	return s->enforce && s->limits->max_affected_rows > 0;
}

static bool
changes_rows(const struct judged_statement *st)
{
	return st->kind == KIND_INSERT || st->kind == KIND_UPDATE || st->kind == KIND_DELETE || st->kind == KIND_MERGE;
}

static bool
any_changes(const struct judgement *j)
{
	size_t i;

	for (i = 0; i < j->nstatements; i++)
		if (changes_rows(&j->statements[i]))
			return true;
	return false;
}

bool
affected_counts(struct session *s, const struct judgement *j)
{
	const struct judgement *by_name;
	size_t i;

	if (j == NULL || !is_limited(s))
		return false;
	for (i = 0; i < j->nstatements; i++)
		if (changes_rows(&j->statements[i]) || ((by_name = uses_run(s, &j->statements[i])) != NULL && any_changes(by_name)))
			return true;
	return false;
}

static size_t
written_relations(const struct judgement *j)
{
	size_t i, n = 0;

	for (i = 0; i < j->nrelations; i++)
		n += (j->relations[i].access & ACCESS_WRITE) != 0;
	return n;
}

/* One statement of that kind, and nothing that it writes besides. */
static bool
has_true_tag(const struct judgement *j)
{
	const struct judged_statement *st = &j->statements[0];

	switch (st->kind) {
	case KIND_SELECT:
	case KIND_EXPLAIN:
	case KIND_CURSOR:
		return written_relations(j) == 0;
	case KIND_INSERT:
	case KIND_UPDATE:
	case KIND_DELETE:
	case KIND_MERGE:
		return written_relations(j) <= 1;
	default:
		return true;
	}
}

bool
affected_countable(struct session *s, const struct judgement *j)
{
	if (j == NULL || !is_limited(s) || j->nstatements == 0)
		return true;
	if (j->nstatements == 1 ? has_true_tag(j) : written_relations(j) == 0 && !affected_counts(s, j))
		return true;
	gate_error(s, "54000", RULE_ROW_CAP, "Change one table with one statement at a time.",
	    "refused: how many rows this changes cannot be counted, and %lld is the limit",
	    (long long)s->limits->max_affected_rows);
	return false;
}

bool
affected_too_many(struct session *s, struct owed *o, const char *tag)
{
	static const char *const verbs[] = { "INSERT ", "UPDATE ", "DELETE ", "MERGE " };
	int64_t rows = tag_rows(tag);
	size_t i;

	if (!is_limited(s) || rows <= s->limits->max_affected_rows)
		return false;
	for (i = 0; i < nitems(verbs) && strncmp(tag, verbs[i], strlen(verbs[i])) != 0; i++)
		continue;
	if (i == nitems(verbs))
		return false;
	memcpy(o->sqlstate, "54000", 6);
	gate_error(s, "54000", RULE_ROW_CAP, "Change fewer rows at a time: narrow the WHERE.",
	    "the statement changes %lld rows, and %lld is the limit: it was taken back", (long long)rows,
	    (long long)s->limits->max_affected_rows);
	return true;
}

/* --- our own block ------------------------------------------------------ */

void
affected_begin(struct session *s)
{
	msg_write_query(&s->out, "BEGIN", strlen("BEGIN"));
	session_to_server(s);
	session_owe(s, OWED_QUERY)->begin = true;
}

bool
affected_owns(const struct session *s, const struct owed *o)
{
	(void)s;
	return o != NULL && o->begin;
}

void
affected_begun(struct session *s, const uint8_t *frame, size_t len)
{
	switch (frame[0]) {
	case 'S':
	case 'A':
		conn_write(s->client, frame, WIRE_HEADER + len);
		break;
	case 'C':
	case 'N':
		break;
	case 'Z':
		if (len != 1 || frame[WIRE_HEADER] != 'T') {
			answer_violation(s, 'Z');
			break;
		}
		s->status = 'T';
		pipeline_pop(&s->owed);
		break;
	default: /* without the block, the statement behind it could not be taken back */
		session_fatal(s, "58000", "Connect again.", "terminating connection: a transaction could not be started");
	}
}

void
affected_hold(struct session *s)
{
	struct wire_writer empty = s->held;

	wire_writer_clear(&empty);
	s->held = s->out;
	s->out = empty;
}

struct ending {
	uint8_t *late; /* owned */
	size_t late_len;
};

static void
ended(struct session *s, void *arg, const char *error, bool lost)
{
	struct ending *e = arg;

	if (!lost) {
		if (error == NULL && e->late == NULL) /* else the error has been said, by the server or just below */
			conn_write(s->client, s->held.p, s->held.len);
		if (e->late != NULL)
			conn_write(s->client, e->late, e->late_len);
		s->block_since = 0;
		s->looked = false;
		names_transaction_end(s->names, s->closed);
		refresh_settled(s);
		msg_write_ready(&s->out, 'I');
		session_to_client(s);
		if (session_idle(s))
			session_go_idle(s);
	}
	wire_writer_free(&s->held);
	s->held = (struct wire_writer){ 0 };
	free(e->late);
	free(e);
}

void
affected_end(struct session *s, char status, uint8_t *late, size_t late_len, bool guarded)
{
	struct ending *e = xcalloc(1, sizeof(*e));
	const struct errand_job job = { .what = "ending a statement's transaction",
		.timeout = END_MS,
		.done = ended,
		.arg = e,
		.told = true,
		.guarded = guarded };

	e->late = late;
	e->late_len = late_len;
	s->status = status;
	errand_command(s, &job, status == 'T' && late == NULL ? "COMMIT" : "ROLLBACK", 'I');
}
