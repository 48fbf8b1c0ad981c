/* policy/types_seen.c - a set of (row, from, to), so that types that hold one another often are walked once. */
#include <stdlib.h>
#include <string.h>

#include "types_int.h"

void
seen_init(struct seen *s)
{
	s->table = NULL;
	s->n = s->room = 0;
	s->depth = 0;
}

void
seen_release(struct seen *s)
{
	free(s->table);
}

static bool
same_key(const struct seen_key *a, const struct seen_key *b)
{
	return a->row == b->row && a->from == b->from && a->to == b->to;
}

static bool
empty_key(const struct seen_key *k)
{
	return k->row == NULL && k->from == 0 && k->to == 0;
}

static size_t
hash_key(const struct seen_key *k)
{
	uint64_t h = (uint64_t)(uintptr_t)k->row * 0x9e3779b97f4a7c15u;

	h = (h ^ k->from) * 0xbf58476d1ce4e5b9u;
	h = (h ^ (h >> 29) ^ k->to) * 0x94d049bb133111ebu;
	return (size_t)(h ^ (h >> 32));
}

/* Its slot, or the empty one where it belongs. */
static struct seen_key *
slot_of(const struct seen *s, const struct seen_key *k)
{
	size_t i = hash_key(k) & (s->room - 1);

	while (!empty_key(&s->table[i]) && !same_key(&s->table[i], k))
		i = (i + 1) & (s->room - 1);
	return &s->table[i];
}

static void
grow(struct seen *s)
{
	struct seen bigger = { .room = s->room == 0 ? (size_t)SEEN_FIXED * 4 : s->room * 2 };
	const struct seen_key *old = s->room == 0 ? s->fixed : s->table;
	size_t n = s->room == 0 ? s->n : s->room;

	bigger.table = xcalloc(bigger.room, sizeof(*bigger.table));
	for (size_t i = 0; i < n; i++)
		if (!empty_key(&old[i]))
			*slot_of(&bigger, &old[i]) = old[i];
	free(s->table);
	s->table = bigger.table;
	s->room = bigger.room;
}

bool
seen_enter(struct seen *s, const void *row, uint32_t from, uint32_t to)
{
	struct seen_key k = { row, from, to };
	struct seen_key *slot;

	if (empty_key(&k)) /* zeros mark an empty slot */
		k.to = UINT32_MAX;
	if (s->room == 0) {
		for (size_t i = 0; i < s->n; i++)
			if (same_key(&s->fixed[i], &k))
				return false;
		if (s->n < SEEN_FIXED) {
			s->fixed[s->n++] = k;
			return true;
		}
	}
	if (s->room < s->n * 2 + 2)
		grow(s);
	slot = slot_of(s, &k);
	if (!empty_key(slot))
		return false;
	*slot = k;
	s->n++;
	return true;
}
