/* proxy/result.h - one result on its way to the client: counted, capped, completed.
 *
 * Counts rows and bytes against the profile's limits, decides whether a row
 * passes, ends what has reached a cap, and writes the completion record. Rows
 * themselves are not seen here, only their sizes. Appends to s->out; the
 * caller sends.
 */
#ifndef RESULT_H
#define RESULT_H

#include "session.h"

bool result_row(struct session *, struct owed *, size_t bytes); /* may one more row (or CopyData) of that many bytes pass? */
void result_notices(struct session *, struct owed *);           /* what the judgement wants the client to know, once */
const char *result_tag(const struct owed *);                    /* what a complete result would have said, with a count of 0 */
/* The result is complete and rows were kept back: notice and corrected tag, or the error that on_cap demands. */
void result_capped(struct session *, struct owed *, const char *tag);
/* The server confirmed our cancel at the cap. True: s->out says so as the limits demand and the result
 * counts as complete; false: it must be an error, which s->out holds. */
bool result_cancelled(struct session *, struct owed *);
void result_next(struct owed *);                                          /* the next statement of the same message */
void result_audit(struct session *, struct owed *, const char *sqlstate); /* completion record, once */

#endif
