#include "search_path.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

void
search_path_release(struct search_path *p)
{
	free(p->value);
	*p = (struct search_path){ 0 };
}

static bool
is_ours(const char *name)
{
	return name == NULL || strcasecmp(name, "search_path") == 0; /* NULL: a parameter names it */
}

static bool
sets_it(const struct judgement *j)
{
	size_t i;

	if (j->sets_search_path)
		return true;
	for (i = 0; i < j->nsettings; i++)
		if (is_ours(j->settings[i]))
			return true;
	for (i = 0; i < j->nbound_settings; i++)
		if (is_ours(j->bound_settings[i].name))
			return true;
	for (i = 0; i < j->nstatements; i++) /* RESET ALL names none */
		if (j->statements[i].effect == NAME_DISCARD_ALL || (j->statements[i].kind == KIND_SET && j->nsettings == 0))
			return true;
	return false;
}

static bool
moves_transaction(const struct judgement *j)
{
	size_t i;

	for (i = 0; i < j->nstatements; i++)
		if (j->statements[i].kind == KIND_TRANSACTION)
			return true;
	return false;
}

void
search_path_forwarded(struct search_path *p, const struct judgement *j)
{
	if (sets_it(j))
		p->unknown = p->moved = true;
	else if (p->moved && moves_transaction(j))
		p->unknown = true;
}

void
search_path_settled(struct search_path *p)
{
	p->unknown = p->unknown || p->moved;
	p->moved = false;
}

struct pinned {
	const char *value;
	bool same;
};

static void
compare(void *arg, const char *name, const char *value)
{
	struct pinned *p = arg;

	if (strcasecmp(name, "search_path") == 0)
		p->same = strcmp(value, p->value) == 0;
}

bool
search_path_learn(struct search_path *p, const char *value, const struct profile *profile)
{
	struct pinned pinned = { value, false };
	bool same;

	profile_pinned(profile, compare, &pinned);
	p->unknown = false;
	same = pinned.same ? p->value == NULL : p->value != NULL && strcmp(p->value, value) == 0;
	if (same)
		return false;
	free(p->value);
	p->value = pinned.same ? NULL : xstrdup(value);
	return true;
}
