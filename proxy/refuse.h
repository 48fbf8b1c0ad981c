/* proxy/refuse.h - saying no, in the order of the answers.
 *
 * A refused message is replaced, not left out: the server gets something that
 * it answers with an error, and the client gets our error in that one's place
 * (answer.c). So the order of answers, the skipping up to Sync and the status
 * byte of ReadyForQuery are the server's own. Only when the server has nothing
 * to do and no block is open do we answer alone.
 */
#ifndef REFUSE_H
#define REFUSE_H

#include "session.h"

/* A message was forwarded and the server will answer it. */
struct owed *session_owe(struct session *, enum owed_kind);
void session_flush(struct session *); /* asks the server for the answers that it holds back */

/* s->out holds the ErrorResponse. extended: everything up to Sync is skipped. */
void refuse_message(struct session *, bool extended);
/* The same, but the server has to fail first. Takes over error. */
void refuse_later(struct session *, bool extended, uint8_t *error, size_t);
uint8_t *refuse_take(struct session *, size_t *); /* what s->out holds; empties it */
void refuse_malformed(struct session *, char type); /* ends the session */

#endif
