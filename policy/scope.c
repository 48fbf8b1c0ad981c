/* policy/scope.c - the stack of CTE names, hashed. */
#include "scope.h"

#include <stdlib.h>
#include <string.h>

#define BUCKETS 1024

static size_t
bucket_of(const char *name)
{
	uint32_t h = 2166136261u;

	for (; *name != '\0'; name++)
		h = (h ^ (uint8_t)*name) * 16777619u;
	return (h ^ h >> 16) % BUCKETS;
}

void
scope_release(struct scope *s)
{
	free(s->names);
	free(s->buckets);
	*s = (struct scope){ 0 };
}

void
scope_push(struct scope *s, const char *name, const struct CommonTableExpr *cte)
{
	size_t b = bucket_of(name);

	if (s->buckets == NULL)
		s->buckets = xcalloc(BUCKETS, sizeof(*s->buckets));
	if (s->n == s->room) {
		s->room = s->room == 0 ? 16 : s->room * 2;
		s->names = xreallocarray(s->names, s->room, sizeof(*s->names));
	}
	s->names[s->n] = (struct scope_name){ .name = name, .cte = cte, .below = s->buckets[b] };
	s->buckets[b] = ++s->n;
}

void
scope_pop_to(struct scope *s, size_t n)
{
	while (s->n > n) {
		s->n--;
		s->buckets[bucket_of(s->names[s->n].name)] = s->names[s->n].below;
	}
}

const struct CommonTableExpr *
scope_find(const struct scope *s, const char *name)
{
	if (s->n == 0)
		return NULL;
	for (size_t i = s->buckets[bucket_of(name)]; i != 0; i = s->names[i - 1].below)
		if (strcmp(s->names[i - 1].name, name) == 0)
			return s->names[i - 1].cte;
	return NULL;
}
