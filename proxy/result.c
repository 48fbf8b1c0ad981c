#include "result.h"

#include <string.h>

#include "gate.h"

#define CAP_HINT "Ask for fewer rows: filter, aggregate, or page with LIMIT and OFFSET."

/* Whose rows these are. A portal is one result, in however many pieces it is
 * fetched, by Execute or by FETCH. NULL: a result of its own. */
static struct tally *
counted(const struct owed *o)
{
	const struct judged_statement *st = owed_statement(o);

	return o->kind == OWED_EXECUTE || (st != NULL && st->effect == NAME_FETCH) ? o->tally : NULL;
}

/* EXECUTE runs a text that PREPARE was given a LIMIT in. */
static bool
was_limited(const struct session *s, const struct judged_statement *st)
{
	struct named *n;

	if (st->effect != NAME_EXECUTE || st->name == NULL)
		return st->limited;
	n = names_statement(s->names, st->name);
	return n != NULL && n->judgement != NULL && n->statement < n->judgement->nstatements &&
	       n->judgement->statements[n->statement].limited;
}

/* At the row cap: will the server stop without being cancelled? */
static bool
ends_by_itself(const struct session *s, const struct owed *o)
{
	if (s->limits->on_cap != ON_CAP_NOTICE || o->copy_out)
		return false;
	if (o->kind == OWED_EXECUTE) /* client.c gave it a row limit */
		return true;
	return owed_statement(o) != NULL && was_limited(s, owed_statement(o));
}

/* A cancel may arrive when its statement is done. Nothing of the client's may be
 * there for it to hit; what is forwarded from now on waits for it (client.c).
 * Else the rows are dropped, until the statement ends or its time is over. */
static bool
can_cancel(struct session *s)
{
	const struct owed *next = pipeline_at(&s->owed, 1);

	return next == NULL || (next->kind == OWED_SYNC && pipeline_at(&s->owed, 2) == NULL);
}

/* ends_by_itself() is about rows: the byte cap needs the cancel all the same. */
static bool
needs_cancel(const struct session *s, const struct owed *o, int64_t rows)
{
	return !ends_by_itself(s, o) || s->limits->max_rows <= 0 || rows < s->limits->max_rows;
}

static bool
fits(const struct limits *l, int64_t rows, int64_t bytes)
{
	return (l->max_rows <= 0 || rows <= l->max_rows) && (l->max_result_bytes <= 0 || bytes <= l->max_result_bytes);
}

bool
result_row(struct session *s, struct owed *o, size_t bytes)
{
	struct tally *portal = counted(o);
	int64_t rows = portal != NULL ? portal->rows : o->rows;
	int64_t sum = portal != NULL ? portal->bytes : o->bytes;

	if (o->capped)
		return false;
	if (s->enforce && !fits(s->limits, rows + 1, sum + (int64_t)bytes)) {
		o->capped = o->was_capped = true;
		if (needs_cancel(s, o, rows) && can_cancel(s)) {
			o->cancelled = true;
			session_cancel(s, NULL, NULL);
		}
		return false;
	}
	o->rows++;
	o->bytes += (int64_t)bytes;
	if (portal != NULL) {
		portal->rows++;
		portal->bytes += (int64_t)bytes;
	}
	return true;
}

void
result_notices(struct session *s, struct owed *o)
{
	if (o->noticed || o->judgement == NULL || o->judgement->notice == NULL || !s->enforce)
		return;
	o->noticed = true;
	session_notice(s, "01000", NULL, "%s", o->judgement->notice);
}

static void
cap_notice(struct session *s, const struct owed *o)
{
	if (o->rows == 0 && counted(o) != NULL && counted(o)->rows > 0) {
		session_notice(s, "01000", CAP_HINT, "this cursor has given all the rows that pgmoat lets it give");
		return;
	}
	session_notice(s, "01000", CAP_HINT, "result cut at %lld rows by pgmoat (the limits are %lld rows and %lld bytes)",
	    (long long)o->rows, (long long)s->limits->max_rows, (long long)s->limits->max_result_bytes);
}

static void
cap_error(struct session *s, struct owed *o)
{
	gate_error(s, "54000", RULE_ROW_CAP, CAP_HINT, "the result has more than %lld rows or %lld bytes",
	    (long long)s->limits->max_rows, (long long)s->limits->max_result_bytes);
	memcpy(o->sqlstate, "54000", 6);
}

const char *
result_tag(const struct owed *o)
{
	const struct judged_statement *st = owed_statement(o);

	if (o->copy_out)
		return "COPY 0";
	if (st != NULL && st->kind == KIND_SHOW)
		return "SHOW";
	if (st != NULL && st->kind == KIND_EXPLAIN)
		return "EXPLAIN";
	if (st != NULL && st->effect == NAME_FETCH)
		return "FETCH 0";
	return "SELECT 0";
}

/* "SELECT 1001" becomes "SELECT 1000": the row that told us that there are more was kept back. */
static void
write_tag(struct session *s, const struct owed *o, const char *tag)
{
	int verb = (int)strcspn(tag, " ");
	char text[96];

	if (verb > 32)
		verb = 32;
	if (tag[verb] == '\0') /* SHOW and EXPLAIN do not count */
		snprintf(text, sizeof(text), "%.*s", verb, tag);
	else
		snprintf(text, sizeof(text), "%.*s %lld", verb, tag, (long long)o->rows);
	msg_write_complete(&s->out, text);
}

void
result_capped(struct session *s, struct owed *o, const char *tag)
{
	if (s->limits->on_cap == ON_CAP_ERROR) {
		cap_error(s, o);
		return;
	}
	cap_notice(s, o);
	if (o->copy_out)
		msg_write_copy_done(&s->out);
	write_tag(s, o, tag);
}

/* Outside a block and alone, a cancelled statement leaves nothing behind, so
 * the rows that went can stand. Else the transaction has failed, and the client
 * must know. */
bool
result_cancelled(struct session *s, struct owed *o)
{
	if (s->limits->on_cap == ON_CAP_NOTICE && o->kind == OWED_QUERY && s->status == 'I' && !o->behind_series &&
	    o->judgement != NULL && o->judgement->nstatements == 1) {
		result_capped(s, o, result_tag(o));
		return true;
	}
	cap_error(s, o);
	return false;
}

void
result_next(struct owed *o)
{
	o->all_rows += o->rows;
	o->all_bytes += o->bytes;
	o->rows = o->bytes = 0;
	o->copy_out = false;
	o->statement++;
	if (!o->cancelled)
		o->capped = false;
}

void
result_audit(struct session *s, struct owed *o, const char *sqlstate)
{
	struct audit_who who;

	if (!o->audited)
		return;
	o->audited = false;
	if (s->worker->gateway->audit == NULL)
		return;
	who = gate_who(s);
	audit_done(s->worker->gateway->audit, &who, o->number, o->all_rows + o->rows, o->all_bytes + o->bytes,
	    loop_now(s->worker->loop) - o->started, sqlstate, o->was_capped);
}
