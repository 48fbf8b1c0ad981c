/* policy/names_check.c - would a text only use names that are there?
 *
 * Answers in PostgreSQL's own words, so that a client sees what it would see
 * without us. What the text itself defines and removes on the way is kept in
 * a table of marks beside the session's names, which do not change.
 */
#include <stdlib.h>
#include <string.h>

#include "keyhash.h"
#include "names_table.h"

enum sort { STATEMENT, PORTAL, SORTS };

struct mark {
	const char *name; /* borrowed from the judgement; NULL: free slot */
	enum sort sort;
	size_t cleared; /* how often all names of its sort had gone when this was set: older marks do not count */
	bool there;
};

struct trial {
	const struct names *names;
	struct keyhash key;
	struct mark *marks; /* owned; NULL when one statement uses names: nobody looks again */
	size_t nmarks;      /* a power of two, more than are ever used */
	size_t cleared[SORTS], added[SORTS];
};

static size_t
count_effects(const struct judgement *j)
{
	size_t n = 0;

	for (size_t i = 0; i < j->nstatements; i++)
		n += j->statements[i].effect != NAME_NONE;
	return n;
}

/* The slot where that name is or would be. */
static struct mark *
mark_at(struct trial *t, const char *name, enum sort sort)
{
	size_t slot = keyhash(&t->key, name, strnlen(name, NAME_LENGTH)) + sort;

	for (;; slot++) {
		struct mark *m = &t->marks[slot & (t->nmarks - 1)];

		if (m->name == NULL || (m->sort == sort && strncmp(m->name, name, NAME_LENGTH) == 0))
			return m;
	}
}

static void
set(struct trial *t, const char *name, enum sort sort, bool there)
{
	if (t->marks != NULL)
		*mark_at(t, name, sort) = (struct mark){ name, sort, t->cleared[sort], there };
	t->added[sort] += there;
}

static bool
has(struct trial *t, const char *name, enum sort sort)
{
	const struct mark *m = t->marks != NULL ? mark_at(t, name, sort) : NULL;

	if (m != NULL && m->name != NULL && m->cleared == t->cleared[sort])
		return m->there;
	if (t->cleared[sort] > 0)
		return false;
	return sort == PORTAL ? names_has_portal(t->names, name) : names_has_statement(t->names, name);
}

static const char *
sort_name(enum sort sort)
{
	return sort == PORTAL ? "cursor" : "prepared statement";
}

static bool
use(struct trial *t, const char *name, enum sort sort, char sqlstate[6], struct err *message)
{
	if (has(t, name, sort))
		return true;
	memcpy(sqlstate, sort == PORTAL ? "34000" : "26000", 6);
	return err_set(message, "%s \"%.63s\" does not exist", sort_name(sort), name);
}

static bool
define(struct trial *t, const char *name, enum sort sort, char sqlstate[6], struct err *message)
{
	if (has(t, name, sort)) {
		memcpy(sqlstate, sort == PORTAL ? "42P03" : "42P05", 6);
		return err_set(message, "%s \"%.63s\" already exists", sort_name(sort), name);
	}
	if (t->added[sort] >= names_room(t->names, sort == PORTAL)) {
		memcpy(sqlstate, "53400", 6);
		return err_set(message, "this session has %d %ss already", NAMES_MAX, sort_name(sort));
	}
	set(t, name, sort, true);
	return true;
}

static bool
remove_name(struct trial *t, const char *name, enum sort sort, char sqlstate[6], struct err *message)
{
	if (!use(t, name, sort, sqlstate, message))
		return false;
	set(t, name, sort, false);
	return true;
}

static bool
check_statement(struct trial *t, const struct judged_statement *s, char sqlstate[6], struct err *message)
{
	const char *name = s->name != NULL ? s->name : "";

	switch (s->effect) {
	case NAME_NONE:
		return true;
	case NAME_PREPARE:
		return define(t, name, STATEMENT, sqlstate, message);
	case NAME_EXECUTE:
		return use(t, name, STATEMENT, sqlstate, message);
	case NAME_DEALLOCATE:
		return remove_name(t, name, STATEMENT, sqlstate, message);
	case NAME_DECLARE:
	case NAME_DECLARE_HOLD:
		return define(t, name, PORTAL, sqlstate, message);
	case NAME_FETCH:
		return use(t, name, PORTAL, sqlstate, message);
	case NAME_CLOSE:
		return remove_name(t, name, PORTAL, sqlstate, message);
	case NAME_DEALLOCATE_ALL:
		t->cleared[STATEMENT]++;
		return true;
	case NAME_CLOSE_ALL:
		t->cleared[PORTAL]++;
		return true;
	case NAME_DISCARD_ALL:
		t->cleared[STATEMENT]++;
		t->cleared[PORTAL]++;
		return true;
	}
	return true;
}

bool
names_check(const struct names *names, const struct judgement *j, char sqlstate[6], struct err *message)
{
	struct trial t = { .names = names };
	size_t n = count_effects(j);
	bool good = true;

	if (n == 0)
		return true;
	if (n > 1) {
		keyhash_init(&t.key);
		for (t.nmarks = 4; t.nmarks < 2 * n; t.nmarks *= 2)
			;
		if ((t.marks = calloc(t.nmarks, sizeof(t.marks[0]))) == NULL) {
			memcpy(sqlstate, "53200", 6);
			return err_set(message, "out of memory");
		}
	}
	for (size_t i = 0; good && i < j->nstatements; i++)
		good = check_statement(&t, &j->statements[i], sqlstate, message);
	free(t.marks);
	return good;
}
