/* policy/analyze_closed.c - statistics and definitions, which tell of closed objects without naming them as such. */
#include "substitute.h"

#include "analyze_int.h"

#include <stdlib.h>
#include <string.h>

/* --- statistics ----------------------------------------------------------------------------- */

static int
compare_constants(const void *x, const void *y)
{
	const struct text_constant *const *a = x, *const *b = y;

	return strcmp((*a)->text, (*b)->text);
}

static const struct text_constant *
find_constant(const struct text_constant *const *list, size_t n, const char *name)
{
	size_t low = 0, high = n;

	while (low < high) {
		const size_t mid = (low + high) / 2;
		const int c = strcmp(name, list[mid]->text);

		if (c == 0)
			return list[mid];
		if (c < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}

static void
refuse_statistics(struct analyzer *a, const char *name, int location)
{
	if (!in_ours(a, location))
		stop(a, RULE_TABLE_DENIED, location, "statistics of %.64s refused: it is not open to this connection", name);
}

void
check_constants(struct analyzer *a)
{
	const struct text_constant **list;
	const struct text_constant *found;
	const uint32_t *oids;
	size_t n = 0, nclosed = 0;

	for (const struct text_constant *c = a->constants; c != NULL; c = c->next)
		n++;
	list = arena_array(a, const struct text_constant *, n + 1);
	n = 0;
	for (const struct text_constant *c = a->constants; c != NULL; c = c->next)
		list[n++] = c;
	if (n == 0)
		return;
	qsort(list, n, sizeof(const struct text_constant *), compare_constants);
	for (size_t i = 0; i < n && !a->failed; i++)
		if (rights_restricted_schema(a->rights, list[i]->text))
			refuse_statistics(a, list[i]->text, list[i]->location);
	oids = rights_restricted(a->rights, RESTRICTED_RELATIONS, &nclosed);
	for (size_t i = 0; i < nclosed && !a->failed; i++) {
		const struct cat_relation *rel = catalog_relation_of(a->catalog, oids[i]);

		if (rel != NULL && (found = find_constant(list, n, rel->name)) != NULL)
			refuse_statistics(a, rel->name, found->location);
	}
}

/* --- definitions -------------------------------------------------------------------------------- */

static void
note_wrap(struct analyzer *a, int location, unsigned argument, enum wrap_kind what)
{
	struct wrap_note *note = arena_new(a, struct wrap_note);

	*note = (struct wrap_note){ .next = a->wraps, .what = { .location = location, .argument = argument, .what = what } };
	a->wraps = note;
}

/* Rules, constraints, triggers and comments have OIDs that the snapshot does not show: those are looked at when it runs. */
static bool
is_settled(struct analyzer *a, const Node *n, enum wrap_kind what, int location)
{
	if (what != WRAP_RELATION && what != WRAP_FUNCTION)
		return false;
	return check_constant(a, n, what == WRAP_RELATION ? OID_REGCLASS : OID_REGPROCEDURE, location);
}

void
check_definition(
    struct analyzer *a, const char *function, const Node *const *nodes, const struct value_type *types, size_t n, int location)
{
	enum wrap_kind what = WRAP_RELATION;
	unsigned argument = 0;

	if (a->failed || a->body != NULL || in_ours(a, location) || !wrap_needed(function, &what, &argument) || argument >= n)
		return;
	if (is_settled(a, nodes[argument], what, location))
		return;
	if (types[argument].type == OID_TEXT || types[argument].type == TYPE_UNKNOWN)
		refuse_computed(a, location);
	else if (location < 0)
		stop(a, RULE_FUNCTION_DENIED, location,
		    "call of %.64s refused: as value.%.64s it cannot be checked; write it as a call", function, function);
	else
		note_wrap(a, location, argument, what);
}
