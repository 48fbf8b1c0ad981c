/* policy/rights_memo.c - a small table of numbers by number. */
#include <stdlib.h>

#include "rights_int.h"

static size_t
slot_of(const struct memo *m, uint64_t key)
{
	size_t i = (size_t)(key * 0x9e3779b97f4a7c15u >> 32) & (m->room - 1);

	while (m->slots[i].key != 0 && m->slots[i].key != key)
		i = (i + 1) & (m->room - 1);
	return i;
}

static void
grow(struct memo *m)
{
	struct memo old = *m;

	m->room = old.room > 0 ? old.room * 2 : 64;
	m->slots = xcalloc(m->room, sizeof(m->slots[0]));
	for (size_t i = 0; i < old.room; i++)
		if (old.slots[i].key != 0)
			m->slots[slot_of(m, old.slots[i].key)] = old.slots[i];
	free(old.slots);
}

uint32_t
memo_get(const struct memo *m, uint64_t key)
{
	return m->room > 0 && key != 0 ? m->slots[slot_of(m, key)].value : 0;
}

void
memo_put(struct memo *m, uint64_t key, uint32_t value)
{
	struct memo_slot *slot;

	if (m->n >= m->room / 2)
		grow(m);
	slot = &m->slots[slot_of(m, key)];
	m->n += slot->key == 0;
	*slot = (struct memo_slot){ key, value };
}

void
memo_free(struct memo *m)
{
	free(m->slots);
	*m = (struct memo){ 0 };
}
