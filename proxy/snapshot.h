/* proxy/snapshot.h - the catalogs of the databases, as this process knows them.
 *
 * One struct snapshot a database: the catalog that was read last, when it was
 * last known to be true (a probe that began then found nothing changed), and
 * whose turn it is to look again. Shared by all workers, one lock each; what
 * a session asks before every message is read without it. Sends nothing and
 * waits for nothing: refresh.c does the asking.
 *
 * Times are microseconds of the monotonic clock. A loop's time stands still
 * during a turn: when something was asked for, and when something was changed,
 * is told by snapshot_clock().
 */
#ifndef SNAPSHOT_H
#define SNAPSHOT_H

#include "catalog.h"

struct snapshots;
struct snapshot;

int64_t snapshot_clock(void);

struct snapshots *snapshots_new(struct catalog *fixed); /* takes over the reference; NULL: catalogs come from the servers */
void snapshots_free(struct snapshots *);                /* when the last use has been given back; NULL is fine */

/* The one of a database, made when it is new. Every use is to be given back. */
struct snapshot *snapshot_use(struct snapshots *, const char *database, int64_t now);
struct snapshot *snapshot_use_again(struct snapshot *);
void snapshot_unuse(struct snapshot *, int64_t now); /* NULL is fine */

/* Without the lock. */
uint64_t snapshot_generation(const struct snapshot *); /* of its catalog; 0: there is none */
int64_t snapshot_probed(const struct snapshot *);      /* nothing had changed when this time was; INT64_MAX: it never changes */
int64_t snapshot_cost(const struct snapshot *);        /* how long the last probe took */

/* A reference, NULL when there is none or when it has not been confirmed for
 * so long that it is not to be trusted; then why says so. */
struct catalog *snapshot_catalog(struct snapshot *, int64_t now, struct err *why);
struct catalog *snapshot_known(struct snapshot *); /* trusted or not: what a probe compares with */

/* Whose turn is it? A ticket, or 0: another session is at it, or has failed
 * just now (then *failed). A ticket is taken from a holder that takes too long.
 * load: rows will be read, which takes longer than a probe. */
uint64_t snapshot_turn(struct snapshot *, int64_t now, bool *failed);
void snapshot_loads(struct snapshot *, uint64_t ticket, int64_t now);

/* One of these ends a turn, unless it was taken away. started: when what was read was asked for. */
void snapshot_same(struct snapshot *, uint64_t ticket, int64_t started, int64_t now);
void snapshot_failed(struct snapshot *, uint64_t ticket, const char *why, int64_t now);
void snapshot_leave(struct snapshot *, uint64_t ticket); /* nothing was found out */
/* Takes over the reference. The generation of the catalog that goes; 0: there was none. */
uint64_t snapshot_install(struct snapshot *, uint64_t ticket, struct catalog *, int64_t started);

/* Something was changed by now: probes that began earlier do not count. */
void snapshot_stale(struct snapshot *);
/* May somebody look again though nothing says that it has changed? Now and then. */
bool snapshot_force(struct snapshot *, int64_t now);

#endif
