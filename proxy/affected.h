/* proxy/affected.h - limits.max_affected_rows: what one statement may change.
 *
 * How many rows a statement changes is known when it has changed them, so it
 * must be possible to take that back. A Query outside a block is given one of
 * our own: BEGIN goes before it, and COMMIT or ROLLBACK is our errand behind
 * it; the client sees one statement, whose completion is held back until the
 * COMMIT worked. An Execute waits for its completion before the Sync goes.
 * Inside a block of the client's, the block fails. Only under enforce.
 *
 * Rows are counted by the command's tag: what triggers, cascades and functions
 * change besides is not in it. What changes rows without such a tag (a WITH
 * before a SELECT, EXPLAIN ANALYZE) is refused where there is that limit.
 */
#ifndef AFFECTED_H
#define AFFECTED_H

#include "session.h"

/* Can what this text changes be counted, if anything? False: s->out holds the ErrorResponse. */
bool affected_countable(struct session *, const struct judgement *) must_check;
bool affected_counts(struct session *, const struct judgement *); /* does it change rows that are counted? NULL is fine */

void affected_begin(struct session *);                           /* BEGIN, before a Query that counts */
bool affected_owns(const struct session *, const struct owed *); /* is that an answer to it? */
void affected_begun(struct session *, const uint8_t *frame, size_t len);

/* A command's tag: too many? Then s->out holds the ErrorResponse. */
bool affected_too_many(struct session *, struct owed *, const char *tag);
void affected_hold(struct session *); /* the completion, which s->out holds, until the COMMIT */
/* ReadyForQuery came for the Query inside our block; late (owned, may be NULL): the error that it is to end with. */
void affected_end(struct session *, char status, uint8_t *late, size_t, bool guarded);

#endif
