/* proxy/pipeline.h - the answers that the server owes, in order.
 *
 * Every message that is forwarded and that the server answers has one entry,
 * from the moment it is forwarded until its last answer has arrived. The
 * queue knows which kind of answer is due, whose it is, and what to say to
 * the client instead where a message was replaced. No sockets, no policy.
 *
 * Owned by one session. Entries are addressed from the head; a pointer to one
 * is good until the next push or pop.
 */
#ifndef PIPELINE_H
#define PIPELINE_H

#include "policy.h"

#define OWED_BYTES ((size_t)16 << 20) /* of texts that wait for answers: stop reading the client */

enum owed_kind { OWED_QUERY, OWED_PARSE, OWED_BIND, OWED_DESCRIBE, OWED_EXECUTE, OWED_CLOSE, OWED_SYNC };

struct owed {
	enum owed_kind kind;
	uint64_t number;             /* of the client's message, within the session */
	struct judgement *judgement; /* one reference; NULL for what was not judged */
	uint8_t *error;              /* owned: the ErrorResponse for the client, in place of the server's; else NULL */
	size_t error_len;
	size_t statement;    /* which statement of the judgement answers now */
	struct tally *tally; /* one reference; the portal's whose rows come, over all pieces; NULL: none */
	uint8_t *late;       /* owned: the ErrorResponse of a cap, said when ReadyForQuery comes; else NULL */
	size_t late_len;
	int64_t started;             /* microseconds, loop_now() when it was forwarded */
	int64_t rows, bytes;         /* sent to the client of the result that runs now */
	int64_t all_rows, all_bytes; /* of all results of this message */
	bool begin;                  /* our BEGIN before a Query: nothing of it is relayed */
	bool own_block;              /* that Query */
	bool own;                    /* a Sync of ours: the client does not wait for its answer */
	bool counted;                /* among those of its principal that run; quota.c's */
	bool guarded;                /* it reads what something was taken from: no details of errors */
	bool noticed;                /* the judgement's notice has been sent */
	bool behind_series;          /* a Query in the implicit transaction of messages without Sync */
	bool capped;                 /* rows are withheld: a cap was reached */
	bool was_capped;             /* in any result of this message */
	bool cancelled;              /* by us, because of the cap */
	bool failed;                 /* an error was relayed; ReadyForQuery is due */
	bool audited;                /* a decision record is waiting for its completion */
	bool copy_out;               /* CopyOutResponse was relayed */
	char sqlstate[6];            /* of the error that was relayed; "" when none */
};

struct pipeline {
	struct owed *ring; /* owned */
	size_t room, head, count;
	size_t closers; /* entries that end with ReadyForQuery */
	size_t bytes;   /* of the texts that the entries hold on to */
};

void pipeline_release(struct pipeline *);
struct owed *pipeline_push(struct pipeline *, enum owed_kind, uint64_t number); /* zeroed but for these two */
struct owed *pipeline_head(struct pipeline *);                                  /* NULL when nothing is owed */
struct owed *pipeline_tail(struct pipeline *);
struct owed *pipeline_at(struct pipeline *, size_t);                        /* 0 is the head; NULL past the end */
void pipeline_judged(struct pipeline *, struct owed *, struct judgement *); /* takes over a reference; NULL is fine */
void pipeline_pop(struct pipeline *);                                       /* releases what the head owns */
void pipeline_forget_syncs(struct pipeline *); /* those right behind the head: the server will not answer them */
const struct judged_statement *owed_statement(const struct owed *); /* that answers now; NULL when it was not judged */
bool pipeline_has_closer(const struct pipeline *);                  /* a ReadyForQuery is due */

#endif
