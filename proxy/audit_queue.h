/* proxy/audit_queue.h - whole lines, queued in memory and written by a thread.
 *
 * Bounded in bytes; never blocks its callers on the disk; any thread may push.
 * Decisions leave an eighth of the room free, so that what was forwarded can
 * be completed. While writing fails it is tried again each second and what is
 * queued stays queued, in order; with must_hold, decisions are refused
 * meanwhile.
 */
#ifndef AUDIT_QUEUE_H
#define AUDIT_QUEUE_H

#include "base.h"

struct audit_queue;

struct audit_queue	*audit_queue_open(const char *path, size_t bytes, bool must_hold, struct err *);	/* "-": stderr */
void			 audit_queue_reopen(struct audit_queue *);
void			 audit_queue_close(struct audit_queue *);	/* writes out what can be written */
/* False: not queued, and counted as lost. */
bool			 audit_queue_push(struct audit_queue *, const struct sb *line, bool decision);
uint64_t		 audit_queue_lost(const struct audit_queue *);

#endif
