/* proxy/bufpool.h - buffers that are borrowed while they hold something.
 *
 * A struct buf is bytes that come in at the end and go out at the front. Its
 * memory comes from a pool when the first byte arrives and goes back when the
 * last one has left, so an idle connection holds none. The pool keeps a
 * bounded number of free buffers in a few sizes; larger ones are the heap's.
 * Sizes follow what peers send: allocation may fail, and buf_reserve() says so.
 *
 * One pool belongs to one loop and thread.
 */
#ifndef BUFPOOL_H
#define BUFPOOL_H

#include "base.h"

#define BUF_CLASSES	7			/* 4 kB, 8 kB, ... 256 kB */
#define BUF_MIN		((size_t)4 << 10)

struct bufpool {
	struct buf_free	*free[BUF_CLASSES];	/* owned */
	size_t		 kept;			/* bytes on the free lists */
};

struct buf {
	uint8_t	*p;		/* owned; NULL while empty */
	size_t	 off;		/* of the first byte */
	size_t	 len;		/* bytes held */
	size_t	 room;		/* bytes at p */
};

void	 bufpool_release(struct bufpool *);

bool	 buf_reserve(struct bufpool *, struct buf *, size_t) must_check;	/* room for so many more in one piece */
bool	 buf_append(struct bufpool *, struct buf *, const void *, size_t) must_check;
uint8_t	*buf_tail(const struct buf *, size_t *room);			/* where the next bytes go */
void	 buf_drop(struct bufpool *, struct buf *, size_t);		/* from the front */
void	 buf_release(struct bufpool *, struct buf *);			/* forgets what it holds */

#endif
