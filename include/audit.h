/* include/audit.h - the audit trail: JSON lines, one a decision, one a completion.
 *
 * audit_decision() copies what it is given into a bounded queue before the
 * statement is forwarded; a thread writes the queue to the sink in order. When
 * the queue is full or the sink fails, audit_decision() answers false and the
 * caller refuses the statement (on_failure "refuse", the default) or the
 * record is counted as lost (on_failure "count"). Safe from any thread; never
 * blocks on the disk.
 *
 * Fields of a record: time (RFC 3339, UTC, microseconds), event ("connect",
 * "query", "parse", "execute", "done", "disconnect", "refused_login", "function_call", "refusal": what is refused without a judgement, e.g. an unknown name), session, query (number of the
 * message within the session: joins decision and completion), client, user, database,
 * application, profile, verdict, observed (true when mode observe let it
 * through), rule, reason, hint, kinds, relations, functions, settings, text or "text":
 * "redacted", rewritten; and on "done": rows, bytes, milliseconds, sqlstate
 * ("00000" when all went well), capped.
 */
#ifndef AUDIT_H
#define AUDIT_H

#include "base.h"
#include "policy.h"

struct audit;

enum audit_on_failure { AUDIT_REFUSE, AUDIT_COUNT };

struct audit_options {
	const char		*path;		/* file to append to; "-" is stderr */
	bool			 redact;	/* leave statement texts out */
	enum audit_on_failure	 on_failure;
	size_t			 queue_bytes;	/* 0: 16 MB */
};

struct audit_who {			/* borrowed during the call */
	uint64_t		 session;
	const struct principal	*principal;
	const char		*profile;
};

struct audit	*audit_open(const struct audit_options *, struct err *);
void		 audit_reopen(struct audit *);		/* log rotation */
void		 audit_close(struct audit *);		/* writes out what is queued */

/* audit NULL: no audit configured; everything answers true. */
bool	audit_decision(struct audit *, const struct audit_who *, const char *event, uint64_t query, const struct judgement *,
	    bool observed) must_check;
bool	audit_done(struct audit *, const struct audit_who *, uint64_t query, int64_t rows, int64_t bytes, int64_t microseconds,
	    const char *sqlstate, bool capped);
bool	audit_event(struct audit *, const struct audit_who *, const char *event, const char *reason);
uint64_t audit_lost(const struct audit *);

#endif
