/* proxy/answer.h - one whole message of the server's, rows aside.
 *
 * Relayed in order, or replaced where a message of the client was replaced. A
 * server that says what it does not owe ends the session: it may be hostile,
 * or we have lost count.
 */
#ifndef ANSWER_H
#define ANSWER_H

#include "session.h"

/* DETAIL quotes rows, CONTEXT and the query inside a function quote what it works with, the rest names what is not
 * to be known: fields of errors of a statement that something was taken from. */
#define ERROR_DETAILS "DWqpstcdn"

void answer(struct session *, const uint8_t *frame, size_t len);
/* answer_error.c: an ErrorResponse that is the server's own, to what o (NULL: nothing) is about; a NoticeResponse. */
void answer_error(struct session *, struct owed *, const uint8_t *frame, size_t len);
void answer_notice(struct session *, const uint8_t *frame, size_t len);
void answer_violation(struct session *, char type); /* ends the session */

#endif
