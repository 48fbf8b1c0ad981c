/* proxy/audit.c - the audit trail: what its records say. */
#include <stdlib.h>
#include <string.h>

#include "audit.h"
#include "audit_queue.h"
#include "stamp.h"

#define QUEUE_BYTES ((size_t)16 << 20)

struct audit {
	struct audit_queue *queue; /* owned */
	bool redact;
	enum audit_on_failure on_failure;
};

struct audit *
audit_open(const struct audit_options *options, struct err *err)
{
	size_t bytes = options->queue_bytes != 0 ? options->queue_bytes : QUEUE_BYTES;
	struct audit_queue *queue = audit_queue_open(options->path, bytes, options->on_failure == AUDIT_REFUSE, err);
	struct audit *a;

	if (queue == NULL)
		return NULL;
	a = xcalloc(1, sizeof(*a));
	*a = (struct audit){ .queue = queue, .redact = options->redact, .on_failure = options->on_failure };
	return a;
}

void
audit_reopen(struct audit *a)
{
	if (a != NULL)
		audit_queue_reopen(a->queue);
}

void
audit_close(struct audit *a)
{
	if (a == NULL)
		return;
	audit_queue_close(a->queue);
	free(a);
}

uint64_t
audit_lost(const struct audit *a)
{
	return a != NULL ? audit_queue_lost(a->queue) : 0;
}

static bool
push(struct audit *a, const struct sb *record, bool decision)
{
	return audit_queue_push(a->queue, record, decision) || a->on_failure == AUDIT_COUNT;
}

/* --- the records ------------------------------------------------------- */

static void
field(struct sb *out, const char *name, const char *value)
{
	sb_fmt(out, ",\"%s\":", name);
	sb_json(out, value, strlen(value));
}

static void
begin_record(struct sb *out, const struct audit_who *who, const char *event)
{
	const struct principal *p = who->principal;
	char stamp[STAMP_SIZE];

	stamp_now(stamp);
	sb_fmt(out, "{\"time\":\"%s\",\"event\":\"%s\",\"session\":%llu", stamp, event, (unsigned long long)who->session);
	if (p != NULL) {
		field(out, "client", p->client);
		field(out, "user", p->user);
		field(out, "database", p->database);
		field(out, "application", p->application_name);
	}
	if (who->profile != NULL)
		field(out, "profile", who->profile);
}

bool
audit_decision(
    struct audit *a, const struct audit_who *who, const char *event, uint64_t query, const struct judgement *j, bool observed)
{
	struct sb record = { 0 };
	bool good;

	if (a == NULL)
		return true;
	begin_record(&record, who, event);
	sb_fmt(&record, ",\"query\":%llu,", (unsigned long long)query);
	judgement_json(j, &record, !a->redact);
	sb_fmt(&record, ",\"observed\":%s}\n", observed ? "true" : "false");
	good = push(a, &record, true);
	sb_free(&record);
	return good;
}

bool
audit_done(struct audit *a, const struct audit_who *who, uint64_t query, int64_t rows, int64_t bytes, int64_t microseconds,
    const char *sqlstate, bool capped)
{
	struct sb record = { 0 };
	bool good;

	if (a == NULL)
		return true;
	begin_record(&record, who, "done");
	sb_fmt(
	    &record, ",\"query\":%llu,\"rows\":%lld,\"bytes\":%lld", (unsigned long long)query, (long long)rows, (long long)bytes);
	sb_fmt(&record, ",\"milliseconds\":%lld.%03lld", (long long)(microseconds / 1000), (long long)(microseconds % 1000));
	field(&record, "sqlstate", sqlstate != NULL ? sqlstate : "00000");
	sb_fmt(&record, ",\"capped\":%s}\n", capped ? "true" : "false");
	good = push(a, &record, false);
	sb_free(&record);
	return good;
}

bool
audit_event(struct audit *a, const struct audit_who *who, const char *event, const char *reason)
{
	struct sb record = { 0 };
	bool good;

	if (a == NULL)
		return true;
	begin_record(&record, who, event);
	if (reason != NULL && *reason != '\0')
		field(&record, "reason", reason);
	sb_str(&record, "}\n");
	good = push(a, &record, false);
	sb_free(&record);
	return good;
}
