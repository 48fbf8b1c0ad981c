/* policy/lint_assign.c - assignments and profiles that nobody gets. */
#include <stdlib.h>
#include <string.h>

#include "lint.h"

static bool
pattern_covers(const char *a, const char *b)
{
	return a == NULL || glob_covers(a, b != NULL ? b : "*");
}

static bool
network_covers(const struct network *a, const struct network *b)
{
	unsigned bytes = a->bits / 8, rest = a->bits % 8;

	if (a->kind == NETWORK_ANY)
		return true;
	if (a->kind != b->kind)
		return false;
	if (a->kind == NETWORK_UNIX)
		return true;
	if (a->bits > b->bits || memcmp(a->address, b->address, bytes) != 0)
		return false;
	return rest == 0 || (a->address[bytes] ^ b->address[bytes]) >> (8 - rest) == 0;
}

static bool
assignment_covers(const struct assignment *a, const struct assignment *b)
{
	return pattern_covers(a->user, b->user) && pattern_covers(a->database, b->database) &&
	       pattern_covers(a->application_name, b->application_name) && network_covers(&a->client, &b->client);
}

/* The first entry that takes all that entry i fits; i when there is none. */
static size_t
shadow_of(const struct policy *p, size_t i)
{
	size_t j = 0;

	while (j < i && !assignment_covers(&p->assignments[j], &p->assignments[i]))
		j++;
	return j;
}

static void
find_unused(struct lint *l, const bool *used, size_t everybody)
{
	const struct policy *p = l->policy;

	for (size_t i = 0; i < p->nprofiles; i++) {
		if (used[i])
			continue;
		if (i == p->default_profile)
			lint_found_profile(l, &p->profiles[i], LINT_UNUSED,
			    "nobody gets the default profile: assign[%zu] takes everybody", everybody);
		else
			lint_found_profile(
			    l, &p->profiles[i], LINT_UNUSED, "nobody gets this profile: no entry of assign leads to it");
	}
}

void
lint_assignments(struct lint *l)
{
	static const struct assignment anybody = { .client = { .kind = NETWORK_ANY } };
	const struct policy *p = l->policy;
	bool *used = xcalloc(p->nprofiles, sizeof(*used));
	size_t everybody = SIZE_MAX, shadow;

	for (size_t i = 0; i < p->nassignments; i++) {
		if ((shadow = shadow_of(p, i)) < i) {
			lint_found_assign(
			    l, i, LINT_SHADOWED, "is never reached: assign[%zu] takes everybody that it fits", shadow);
			continue;
		}
		used[p->assignments[i].profile] = true;
		if (everybody == SIZE_MAX && assignment_covers(&p->assignments[i], &anybody))
			everybody = i;
	}
	if (everybody == SIZE_MAX)
		used[p->default_profile] = true;
	find_unused(l, used, everybody);
	free(used);
}
