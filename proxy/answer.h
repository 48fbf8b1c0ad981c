/* proxy/answer.h - one whole message of the server's, rows aside.
 *
 * Relayed in order, or replaced where a message of the client was replaced. A
 * server that says what it does not owe ends the session: it may be hostile,
 * or we have lost count.
 */
#ifndef ANSWER_H
#define ANSWER_H

#include "session.h"

void answer(struct session *, const uint8_t *frame, size_t len);
void answer_violation(struct session *, char type); /* ends the session */

#endif
