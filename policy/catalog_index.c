/* policy/catalog_index.c - the memory of a catalog: arena, growing arrays, hash indexes. */
#include <stdlib.h>
#include <string.h>

#include "catalog_int.h"

/* --- arena --------------------------------------------------------------------- */

#define BLOCK_SIZE ((size_t)256 << 10)
#define ALIGNMENT sizeof(void *)

struct cat_block {
	struct cat_block *next;
	size_t size; /* of data */
	_Alignas(max_align_t) char data[];
};

static void
new_block(struct cat_arena *a, size_t size)
{
	struct cat_block *b = xmalloc(sizeof(*b) + size);

	b->next = a->blocks;
	b->size = size;
	a->blocks = b;
	a->next = b->data;
	a->end = b->data + size;
	a->bytes += sizeof(*b) + size;
}

static char *
take_bytes(struct cat_arena *a, size_t size)
{
	char *p;

	if (size > (size_t)(a->end - a->next))
		new_block(a, size > BLOCK_SIZE ? size : BLOCK_SIZE);
	p = a->next;
	a->next += size;
	return p;
}

void *
cat_take(struct cat_arena *a, size_t size)
{
	size_t skip = -(uintptr_t)a->next & (ALIGNMENT - 1);
	char *p;

	if (a->next != NULL && skip < (size_t)(a->end - a->next))
		a->next += skip;
	else
		a->next = a->end; /* a new block is aligned */
	p = take_bytes(a, size);
	memset(p, 0, size);
	return p;
}

char *
cat_text(struct cat_arena *a, const char *text, size_t len)
{
	char *p = take_bytes(a, len + 1);

	memcpy(p, text, len);
	p[len] = '\0';
	return p;
}

void
cat_arena_free(struct cat_arena *a)
{
	struct cat_block *b, *next;

	for (b = a->blocks; b != NULL; b = next) {
		next = b->next;
		free(b);
	}
	memset(a, 0, sizeof(*a));
}

/* --- arrays -------------------------------------------------------------------- */

void *
list_add(struct list *l, size_t size)
{
	char *item;

	if (l->items == NULL || l->n == l->room) {
		l->room = l->room != 0 ? l->room + l->room / 2 : 16;
		l->items = xreallocarray(l->items, l->room, size);
	}
	item = (char *)l->items + l->n++ * size;
	memset(item, 0, size);
	return item;
}

void
list_trim(struct list *l, size_t size)
{
	if (l->n == l->room)
		return;
	l->items = xreallocarray(l->items, l->n, size);
	l->room = l->n;
}

void
list_free(struct list *l)
{
	free(l->items);
	memset(l, 0, sizeof(*l));
}

static const struct run *
last_run(const struct group *g)
{
	return g->runs.n > 0 ? (const struct run *)g->runs.items + g->runs.n - 1 : NULL;
}

const void *
group_last(const struct group *g, uint32_t owner, size_t size)
{
	const struct run *last = last_run(g);

	return last != NULL && last->owner == owner ? (const char *)g->items.items + (g->items.n - 1) * size : NULL;
}

void *
group_add(struct group *g, uint32_t owner, size_t size)
{
	const struct run *last = last_run(g);
	struct run *run;

	if (last != NULL && owner < last->owner)
		return NULL;
	if (last == NULL || owner != last->owner) {
		run = list_add(&g->runs, sizeof(*run));
		run->owner = owner;
		run->first = (uint32_t)g->items.n;
	}
	return list_add(&g->items, size);
}

size_t
group_run(const struct group *g, size_t run)
{
	const struct run *runs = g->runs.items;

	return (run + 1 < g->runs.n ? runs[run + 1].first : g->items.n) - runs[run].first;
}

void
group_free(struct group *g)
{
	list_free(&g->items);
	list_free(&g->runs);
}

/* --- indexes ------------------------------------------------------------------- */

/* At most half full; n is how many will be added. */
void
index_init(struct index *ix, const struct keyhash *key, size_t n)
{
	unsigned bits = 3;

	while ((size_t)1 << bits < n * 2)
		bits++;
	ix->slots = xcalloc((size_t)1 << bits, sizeof(struct slot));
	ix->multiplier = (key->k0 ^ key->k1) | 1;
	ix->shift = 64 - bits;
	ix->mask = (uint32_t)(((uint64_t)1 << bits) - 1);
}

void
index_add(struct index *ix, uint32_t tag, size_t at)
{
	uint32_t slot = (uint32_t)((ix->multiplier * tag) >> ix->shift);

	while (ix->slots[slot].at != 0)
		slot = (slot + 1) & ix->mask;
	ix->slots[slot] = (struct slot){ tag, (uint32_t)at + 1 };
}

void
index_free(struct index *ix)
{
	free(ix->slots);
	memset(ix, 0, sizeof(*ix));
}

size_t
index_bytes(const struct index *ix)
{
	return ix->slots != NULL ? ((size_t)ix->mask + 1) * sizeof(struct slot) : 0;
}
