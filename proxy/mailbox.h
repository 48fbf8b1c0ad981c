/* proxy/mailbox.h - results of short-lived threads, back to their loop.
 *
 * A letter is a function and its argument; the loop's thread calls it. Threads
 * hold a reference to the mailbox, not to the loop: when the loop is gone, the
 * letter is only told so (gone true), to free what it holds.
 */
#ifndef MAILBOX_H
#define MAILBOX_H

#include "base.h"

struct event_base;
struct mailbox;

struct mailbox	*mailbox_new(struct event_base *);	/* NULL: no descriptor left */
struct mailbox	*mailbox_ref(struct mailbox *);
void		 mailbox_unref(struct mailbox *);
void		 mailbox_close(struct mailbox *);	/* by the loop's thread; does not drop its reference */
/* From any thread. read() runs once, on the loop's thread, or on any with gone. */
void		 mailbox_post(struct mailbox *, void (*read)(void *arg, bool gone), void *arg);

#endif
