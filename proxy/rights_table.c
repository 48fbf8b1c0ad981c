#include "rights_table.h"

#include <stdlib.h>
#include <string.h>

#define ENTRIES 64

struct entry {
	struct rights *rights;         /* one reference; NULL: free */
	const struct profile *profile; /* kept alive by the rights, with its policy */
	uint64_t policy, catalog;      /* generations; catalog 0: none */
	char *path;                    /* owned; NULL: the profile's own */
	bool superuser;
	uint64_t used;
};

struct rights_table {
	uint64_t clock;
	struct entry entries[ENTRIES];
};

struct rights_table *
rights_table_new(void)
{
	return xcalloc(1, sizeof(struct rights_table));
}

static void
clear(struct entry *e)
{
	rights_unref(e->rights);
	free(e->path);
	*e = (struct entry){ 0 };
}

void
rights_table_free(struct rights_table *t)
{
	size_t i;

	if (t == NULL)
		return;
	for (i = 0; i < ENTRIES; i++)
		clear(&t->entries[i]);
	free(t);
}

static bool
same_path(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static struct entry *
oldest(struct rights_table *t)
{
	struct entry *e, *found = t->entries;

	for (e = t->entries; e < t->entries + ENTRIES; e++)
		if (e->used < found->used)
			found = e;
	return found;
}

struct rights *
rights_table_get(struct rights_table *t, struct policy *policy, const struct profile *profile, struct catalog *catalog,
    const char *path, bool superuser)
{
	uint64_t generation = catalog != NULL ? catalog_generation(catalog) : 0;
	struct entry *e;

	for (e = t->entries; e < t->entries + ENTRIES; e++)
		if (e->rights != NULL && e->profile == profile && e->policy == policy_generation(policy) &&
		    e->catalog == generation && e->superuser == superuser && same_path(e->path, path)) {
			e->used = ++t->clock;
			return rights_ref(e->rights);
		}
	e = oldest(t);
	clear(e);
	*e = (struct entry){ .profile = profile, .policy = policy_generation(policy), .catalog = generation, .used = ++t->clock };
	e->rights = rights_new(policy, profile, catalog, path);
	e->path = path != NULL ? xstrdup(path) : NULL;
	e->superuser = superuser;
	if (superuser)
		rights_unbound(e->rights);
	return rights_ref(e->rights);
}

void
rights_table_forget(struct rights_table *t, uint64_t catalog)
{
	struct entry *e;

	for (e = t->entries; e < t->entries + ENTRIES; e++)
		if (e->rights != NULL && e->catalog == catalog)
			clear(e);
}
