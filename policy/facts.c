/* policy/facts.c - a list of facts without duplicates. */
#include "facts.h"

#include <stdlib.h>
#include <string.h>

void
facts_init(struct facts *f)
{
	f->items = f->few;
	f->n = 0;
	f->room = FACTS_FEW;
	f->slots = NULL;
	f->nslots = 0;
	f->fatal = NULL;
	f->statements = NULL;
	f->nstatements = 0;
	f->kept = NULL;
	f->nkept = 0;
	f->visits = NULL;
}

void
facts_release(struct facts *f)
{
	for (size_t i = 0; i < f->nkept; i++)
		free(f->kept[i]);
	free(f->kept);
	free(f->slots);
	if (f->items != f->few)
		free(f->items);
	if (f->statements != &f->one)
		free(f->statements);
	facts_init(f);
}

const char *
facts_keep(struct facts *f, char *text)
{
	if ((f->nkept & (f->nkept + 1)) == 0)
		f->kept = xreallocarray(f->kept, f->nkept * 2 + 2, sizeof(*f->kept));
	f->kept[f->nkept++] = text;
	return text;
}

static bool
same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool
same_fact(const struct fact *a, const struct fact *b)
{
	return a->type == b->type && a->kind == b->kind && a->rule == b->rule && a->number == b->number &&
	       a->value_number == b->value_number && a->whereless == b->whereless && a->if_read_only == b->if_read_only &&
	       a->only == b->only && same_text(a->name, b->name) && same_text(a->schema, b->schema) &&
	       same_text(a->what, b->what) && same_text(a->value, b->value);
}

static uint32_t
hash_text(uint32_t h, const char *s)
{
	for (; s != NULL && *s != '\0'; s++)
		h = (h ^ (uint8_t)*s) * 16777619u;
	return h * 31;
}

static uint32_t
hash_fact(const struct fact *a)
{
	uint32_t h = 2166136261u ^ (uint32_t)a->type ^ (uint32_t)a->number << 8;

	h = hash_text(h, a->schema);
	h = hash_text(h, a->name);
	return hash_text(h, a->value);
}

/* The slot that holds an equal fact, or the empty one where it belongs. */
static uint32_t *
find_slot(const struct facts *f, const struct fact *a)
{
	size_t i = hash_fact(a) & (f->nslots - 1);

	while (f->slots[i] != 0 && !same_fact(&f->items[f->slots[i] - 1], a))
		i = (i + 1) & (f->nslots - 1);
	return &f->slots[i];
}

static void
grow_index(struct facts *f)
{
	free(f->slots);
	f->nslots = f->room * 2;
	f->slots = xcalloc(f->nslots, sizeof(*f->slots));
	for (size_t i = 0; i < f->n; i++)
		*find_slot(f, &f->items[i]) = (uint32_t)i + 1;
}

static void
grow(struct facts *f)
{
	struct fact *old = f->items;

	f->room *= 2;
	f->items = xreallocarray(old == f->few ? NULL : old, f->room, sizeof(*f->items));
	if (old == f->few)
		memcpy(f->items, f->few, sizeof(f->few));
	grow_index(f);
}

static bool
has_fact(const struct facts *f, const struct fact *a)
{
	if (f->slots != NULL)
		return *find_slot(f, a) != 0;
	for (size_t i = 0; i < f->n; i++)
		if (same_fact(&f->items[i], a))
			return true;
	return false;
}

void
facts_add(struct facts *f, const struct fact *a)
{
	if (has_fact(f, a))
		return;
	if (f->n == f->room)
		grow(f);
	f->items[f->n++] = *a;
	if (f->slots != NULL)
		*find_slot(f, a) = (uint32_t)f->n;
}

bool
facts_alike(const struct facts *a, const struct facts *b)
{
	if (a->nstatements != b->nstatements || a->fatal != NULL || b->fatal != NULL)
		return false;
	for (size_t i = 0; i < a->nstatements; i++)
		if (a->statements[i].is.kind != b->statements[i].is.kind ||
		    a->statements[i].is.effect != b->statements[i].is.effect)
			return false;
	return true;
}

bool
facts_equal(const struct facts *a, const struct facts *b)
{
	if (a->n != b->n || !facts_alike(a, b))
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (!same_fact(&a->items[i], &b->items[i]))
			return false;
	return true;
}
