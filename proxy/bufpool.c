#include "bufpool.h"

#include <stdlib.h>
#include <string.h>

#define BUF_KEEP ((size_t)4 << 20) /* a loop's free buffers together */

struct buf_free {
	struct buf_free *next;
};

/* The class whose buffers hold n bytes; BUF_CLASSES when none does. */
static size_t
class_of(size_t n)
{
	size_t i = 0;

	while (i < BUF_CLASSES && BUF_MIN << i < n)
		i++;
	return i;
}

static uint8_t *
pool_take(struct bufpool *pool, size_t n, size_t *room)
{
	size_t i = class_of(n);
	struct buf_free *f;

	*room = i < BUF_CLASSES ? BUF_MIN << i : n;
	if (i < BUF_CLASSES && (f = pool->free[i]) != NULL) {
		pool->free[i] = f->next;
		pool->kept -= *room;
		return (uint8_t *)f;
	}
	return malloc(*room);
}

static void
pool_give(struct bufpool *pool, uint8_t *p, size_t room)
{
	size_t i = class_of(room);
	struct buf_free *f;

	if (p == NULL)
		return;
	if (i == BUF_CLASSES || pool->kept + room > BUF_KEEP) {
		free(p);
		return;
	}
	f = (struct buf_free *)(void *)p;
	f->next = pool->free[i];
	pool->free[i] = f;
	pool->kept += room;
}

void
bufpool_release(struct bufpool *pool)
{
	struct buf_free *f;
	size_t i;

	for (i = 0; i < BUF_CLASSES; i++) {
		while ((f = pool->free[i]) != NULL) {
			pool->free[i] = f->next;
			free(f);
		}
	}
	pool->kept = 0;
}

bool
buf_reserve(struct bufpool *pool, struct buf *b, size_t n)
{
	size_t want, room;
	uint8_t *p;

	if (n <= b->room - b->off - b->len)
		return true;
	if (n <= b->room - b->len && b->off >= b->room / 2) { /* moving half or less pays for itself */
		memmove(b->p, b->p + b->off, b->len);
		b->off = 0;
		return true;
	}
	if (n > SIZE_MAX / 4 || b->len > SIZE_MAX / 4)
		return false;
	want = b->len + n;
	if (want < 2 * b->len)
		want = 2 * b->len;
	if ((p = pool_take(pool, want, &room)) == NULL)
		return false;
	if (b->len > 0)
		memcpy(p, b->p + b->off, b->len);
	pool_give(pool, b->p, b->room);
	*b = (struct buf){ .p = p, .len = b->len, .room = room };
	return true;
}

bool
buf_append(struct bufpool *pool, struct buf *b, const void *p, size_t n)
{
	if (n == 0)
		return true;
	if (!buf_reserve(pool, b, n))
		return false;
	memcpy(b->p + b->off + b->len, p, n);
	b->len += n;
	return true;
}

uint8_t *
buf_tail(const struct buf *b, size_t *room)
{
	*room = b->room - b->off - b->len;
	return b->p + b->off + b->len;
}

void
buf_drop(struct bufpool *pool, struct buf *b, size_t n)
{
	if (n >= b->len) {
		buf_release(pool, b);
		return;
	}
	b->off += n;
	b->len -= n;
}

void
buf_release(struct bufpool *pool, struct buf *b)
{
	pool_give(pool, b->p, b->room);
	*b = (struct buf){ 0 };
}
