/* proxy/refresh.h - keeps what a session is judged by in step with its database.
 *
 * Decides, before a message is judged, whether the catalog is young enough,
 * and if not asks the database over this session's own connection (errand.h)
 * or waits for another session that is asking. Nothing is asked, locked or
 * waited for when the catalog is fresh. Inside a transaction block that
 * changes the catalog, the session has a catalog of its own until the end.
 *
 * Where nothing can be asked (the middle of a series, a block before its first
 * query, one under REPEATABLE READ), the catalog that there is judges on. It may
 * be older than what PostgreSQL goes by: what somebody else defines anew while
 * such a block is open is seen when it has ended.
 */
#ifndef REFRESH_H
#define REFRESH_H

#include "session.h"

/* One use of the database's snapshot, when the session's profile needs one. At login, and after a reload. */
void refresh_enter(struct session *);
void refresh_leave(struct session *); /* the session ends */

/* May the message that came be judged now? False: s->waits is set, and it is delivered again later. */
bool refresh_ready(struct session *);
/* A name was not known: is that the last word? False as above. */
bool refresh_unknown(struct session *);
void refresh_look(struct session *); /* right after the login: nobody waits yet */

void refresh_forwarded(struct session *, const struct judgement *); /* what changes the catalog makes it old */
void refresh_settled(struct session *);                             /* no transaction is open any more */

/* What texts are judged under, borrowed. *why is set to the reason when that is without the catalog that the profile
 * needs, and to "" otherwise. */
struct rights *refresh_rights(struct session *, struct err *why);

#endif
