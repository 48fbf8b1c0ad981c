/* proxy/quota.h - a session and its principal's account: rate and concurrency.
 *
 * A statement is a Query or an Execute. Only under enforce, and only where the
 * profile has such limits. Refusals are left in s->out.
 */
#ifndef QUOTA_H
#define QUOTA_H

#include "session.h"

void quota_open(struct session *);  /* at login, and when the profile has changed */
void quota_close(struct session *); /* the session ends */

/* May this message run a statement, as far as the rate goes? Asked again for a message that waited, it costs nothing. */
bool quota_take(struct session *) must_check;
/* May one more statement run now? True: quota_owe() follows, or quota_settle() when it is refused after all. */
bool quota_enter(struct session *) must_check;
void quota_owe(struct session *, struct owed *);
void quota_answered(struct session *, const struct owed *);
void quota_settle(struct session *);

#endif
