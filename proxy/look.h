/* proxy/look.h - asking the database whether its catalog has changed, and reading it when it has.
 *
 * A look is a probe on a session's connection, and a load when the probe says
 * so: rows come by an errand, a thread puts them together, and what becomes of
 * them goes to the database's snapshot, or to the session alone when its open
 * transaction has changed the catalog. The sessions that wait for it are told,
 * on all workers. When to look, and who may, refresh.c decides.
 */
#ifndef LOOK_H
#define LOOK_H

#include "session.h"

#define PROBE_MS 5000
#define PROBE_BYTES ((size_t)64 << 10)

/* ticket: from snapshot_turn(), and given back by the look; 0: what the session's own block has changed. An
 * errand must be possible. False: it has failed already. */
bool look_start(struct session *, uint64_t ticket);

/* Those that wait for the look of another session, in their worker. Listed before the turn is asked for, or the
 * one that ends its turn might not see them. */
void look_enlist(struct session *);
void look_delist(struct session *);
void look_wake(struct worker *); /* also the worker's clock: time limits of those that wait */

void look_forget_rights(struct session *); /* they are looked up anew */

#endif
