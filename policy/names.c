/* policy/names.c - the prepared statements and portals of one session.
 *
 * Two hash tables, one a sort of name. What a message defines or removes is
 * applied when it is forwarded, before the server has answered; a removed
 * entry is therefore kept until its message is known to have worked, and
 * comes back when that message failed. Lookups see what will be there when
 * all that was forwarded works.
 *
 * Bounds: NAMES_MAX entries of each sort, and NAMES_BYTES of the texts that
 * the entries hold on to. What does not fit is not defined, so that a later
 * use of it is refused here although the server would know it.
 */
#include <stdlib.h>
#include <string.h>

#include "keyhash.h"
#include "names_table.h"

#define NAMES_BYTES ((size_t)64 << 20)
#define REMOVED_MAX 1000 /* entries that wait for their message; more are forgotten */
#define FIRST_SLOTS 16

struct entry {
	struct entry *next; /* in its slot */
	struct named is;
	bool removed;
	bool replaced; /* removed because a message defined the name anew: back when that failed */
	uint64_t removed_by;
	size_t bytes; /* of its judgement's texts */
	char name[NAME_LENGTH + 1];
};

struct table {
	struct entry **slots; /* owned; NULL while empty */
	size_t nslots;        /* a power of two */
	size_t live, removed;
};

struct names {
	struct keyhash key;
	size_t bytes;
	struct table statements, portals;
};

struct names *
names_new(void)
{
	struct names *n = xcalloc(1, sizeof(*n));

	keyhash_init(&n->key);
	return n;
}

struct tally *
tally_new(void)
{
	struct tally *t = xmalloc(sizeof(*t)); /* not xcalloc(): glibc's goes past the thread's own cache of small blocks */

	*t = (struct tally){ .refs = 1 };
	return t;
}

struct tally *
tally_ref(struct tally *t)
{
	t->refs++;
	return t;
}

void
tally_unref(struct tally *t)
{
	if (t != NULL && --t->refs == 0)
		free(t);
}

static void
entry_free(struct names *n, struct entry *e)
{
	n->bytes -= e->bytes;
	tally_unref(e->is.tally);
	free(e->is.types);
	if (e->is.judgement != NULL)
		judgement_unref(e->is.judgement);
	free(e);
}

static void
table_release(struct names *n, struct table *t)
{
	struct entry *e, *next;

	for (size_t i = 0; i < t->nslots; i++) {
		for (e = t->slots[i]; e != NULL; e = next) {
			next = e->next;
			entry_free(n, e);
		}
	}
	free(t->slots);
	*t = (struct table){ 0 };
}

void
names_free(struct names *n)
{
	if (n == NULL)
		return;
	table_release(n, &n->statements);
	table_release(n, &n->portals);
	free(n);
}

static void
cut(char out[NAME_LENGTH + 1], const char *name)
{
	size_t len = strnlen(name, NAME_LENGTH);

	memcpy(out, name, len);
	out[len] = '\0';
}

/* The unnamed one is there in nearly every series. */
static size_t
slot_of(const struct names *n, const struct table *t, const char *name)
{
	if (*name == '\0')
		return 0;
	return keyhash(&n->key, name, strlen(name)) & (t->nslots - 1);
}

/* name is cut already. */
static struct entry *
find_cut(const struct names *n, const struct table *t, const char *name, bool removed)
{
	if (t->nslots == 0)
		return NULL;
	for (struct entry *e = t->slots[slot_of(n, t, name)]; e != NULL; e = e->next)
		if (e->removed == removed && strcmp(e->name, name) == 0)
			return e;
	return NULL;
}

static struct entry *
find(const struct names *n, const struct table *t, const char *name)
{
	char key[NAME_LENGTH + 1];

	cut(key, name);
	return find_cut(n, t, key, false);
}

static void
grow(struct names *n, struct table *t)
{
	struct table bigger = *t;
	struct entry *e, *next;
	size_t slot;

	bigger.nslots = t->nslots != 0 ? t->nslots * 2 : FIRST_SLOTS;
	bigger.slots = xcalloc(bigger.nslots, sizeof(struct entry *));
	for (size_t i = 0; i < t->nslots; i++) {
		for (e = t->slots[i]; e != NULL; e = next) {
			next = e->next;
			slot = slot_of(n, &bigger, e->name);
			e->next = bigger.slots[slot];
			bigger.slots[slot] = e;
		}
	}
	free(t->slots);
	*t = bigger;
}

static void
link_entry(struct names *n, struct table *t, struct entry *e)
{
	size_t slot;

	if (t->live + t->removed >= t->nslots)
		grow(n, t);
	slot = slot_of(n, t, e->name);
	e->next = t->slots[slot];
	t->slots[slot] = e;
	if (e->removed)
		t->removed++;
	else
		t->live++;
}

/* Frees the entries that gone() names. */
static void
sweep(struct names *n, struct table *t, bool (*gone)(const struct entry *, uint64_t), uint64_t arg)
{
	size_t left = t->live + t->removed; /* to look at: often there is one, in the first slot */
	struct entry **at, *e;

	for (size_t i = 0; left > 0 && i < t->nslots; i++) {
		at = &t->slots[i];
		while ((e = *at) != NULL) {
			left--;
			if (!gone(e, arg)) {
				at = &e->next;
				continue;
			}
			*at = e->next;
			if (e->removed)
				t->removed--;
			else
				t->live--;
			entry_free(n, e);
		}
	}
}

static bool
is_removed(const struct entry *e, uint64_t unused)
{
	(void)unused;
	return e->removed;
}

static void
mark_removed(struct names *n, struct table *t, struct entry *e, uint64_t owner)
{
	e->removed = true;
	e->removed_by = owner;
	t->live--;
	t->removed++;
	if (t->removed > REMOVED_MAX)
		sweep(n, t, is_removed, 0);
}

static void
mark_all_removed(struct names *n, struct table *t, uint64_t owner, bool unnamed)
{
	for (size_t i = 0; i < t->nslots; i++) {
		for (struct entry *e = t->slots[i]; e != NULL; e = e->next) {
			if (e->removed || (!unnamed && e->name[0] == '\0'))
				continue;
			e->removed = true;
			e->removed_by = owner;
			t->live--;
			t->removed++;
		}
	}
	if (t->removed > REMOVED_MAX)
		sweep(n, t, is_removed, 0);
}

static void
drop(struct names *n, struct table *t, struct entry *e)
{
	struct entry **at = &t->slots[slot_of(n, t, e->name)];

	while (*at != e)
		at = &(*at)->next;
	*at = e->next;
	t->live--;
	entry_free(n, e);
}

static size_t
text_bytes(const struct judgement *j)
{
	return j->text_len + j->rewritten_len;
}

static bool
define(struct names *n, struct table *t, const char *name, const struct named *is)
{
	size_t bytes = text_bytes(is->judgement);
	struct entry *e, *old = find(n, t, name);

	if (bytes > NAMES_BYTES - n->bytes)
		sweep(n, t, is_removed, 0);
	if ((old == NULL && t->live >= NAMES_MAX) || bytes > NAMES_BYTES - n->bytes)
		return false;
	if (old != NULL && name[0] == '\0') /* the server lets go of the unnamed one before it looks at the new one */
		drop(n, t, old);
	else if (old != NULL) {
		old->replaced = true;
		mark_removed(n, t, old, is->owner);
	}
	e = xmalloc(sizeof(*e));
	e->is = *is;
	e->removed = e->replaced = false;
	e->removed_by = 0;
	e->bytes = bytes;
	e->is.tally = t == &n->portals ? tally_new() : NULL;
	cut(e->name, name);
	judgement_ref(is->judgement);
	n->bytes += bytes;
	link_entry(n, t, e);
	return true;
}

bool
names_set_statement(struct names *n, const char *name, struct judgement *j, size_t statement, uint64_t owner)
{
	return define(n, &n->statements, name, &(struct named){ .judgement = j, .statement = statement, .owner = owner });
}

bool
names_set_portal(struct names *n, const char *name, struct judgement *j, size_t statement, uint64_t owner)
{
	return define(n, &n->portals, name, &(struct named){ .judgement = j, .statement = statement, .owner = owner });
}

bool
names_set_types(struct names *n, const char *name, const uint32_t *types, size_t ntypes)
{
	struct entry *e = find(n, &n->statements, name);
	size_t bytes = ntypes * sizeof(types[0]);

	if (ntypes == 0 || e == NULL)
		return e != NULL;
	if (bytes > NAMES_BYTES - n->bytes) {
		drop(n, &n->statements, e);
		return false;
	}
	e->is.types = xmalloc(bytes);
	memcpy(e->is.types, types, bytes);
	e->is.ntypes = ntypes;
	e->bytes += bytes;
	n->bytes += bytes;
	return true;
}

struct named *
names_statement(struct names *n, const char *name)
{
	struct entry *e = find(n, &n->statements, name);

	return e != NULL ? &e->is : NULL;
}

struct named *
names_portal(struct names *n, const char *name)
{
	struct entry *e = find(n, &n->portals, name);

	return e != NULL ? &e->is : NULL;
}

/* A Close that is skipped behind an error leaves the server with a name that is unknown here: it can be defined anew. */
static void
close_name(struct names *n, struct table *t, const char *name)
{
	struct entry *e = find(n, t, name);

	if (e != NULL)
		drop(n, t, e);
}

void
names_close_statement(struct names *n, const char *name)
{
	close_name(n, &n->statements, name);
}

void
names_close_portal(struct names *n, const char *name)
{
	close_name(n, &n->portals, name);
}

bool
names_has_statement(const struct names *n, const char *name)
{
	return find(n, &n->statements, name) != NULL;
}

bool
names_has_portal(const struct names *n, const char *name)
{
	return find(n, &n->portals, name) != NULL;
}

size_t
names_room(const struct names *n, bool portals)
{
	return NAMES_MAX - (portals ? n->portals.live : n->statements.live);
}

/* --- what SQL does ---------------------------------------------------------- */

static void
remove_name(struct names *n, struct table *t, const char *name, uint64_t owner)
{
	struct entry *e = find(n, t, name);

	if (e != NULL)
		mark_removed(n, t, e, owner);
}

void
names_apply(struct names *n, struct judgement *j, uint64_t owner)
{
	for (size_t i = 0; i < j->nstatements; i++) {
		const struct judged_statement *s = &j->statements[i];
		struct named is = { .judgement = j, .statement = i, .owner = owner, .sql = true };
		const char *name = s->name != NULL ? s->name : "";

		switch (s->effect) {
		case NAME_NONE:
		case NAME_EXECUTE:
		case NAME_FETCH:
			break;
		case NAME_PREPARE:
			(void)define(n, &n->statements, name, &is);
			break;
		case NAME_DEALLOCATE:
			remove_name(n, &n->statements, name, owner);
			break;
		case NAME_DEALLOCATE_ALL: /* not the unnamed one */
			mark_all_removed(n, &n->statements, owner, false);
			break;
		case NAME_DECLARE:
		case NAME_DECLARE_HOLD:
			is.hold = s->effect == NAME_DECLARE_HOLD;
			(void)define(n, &n->portals, name, &is);
			break;
		case NAME_CLOSE:
			remove_name(n, &n->portals, name, owner);
			break;
		case NAME_CLOSE_ALL:
			mark_all_removed(n, &n->portals, owner, true);
			break;
		case NAME_DISCARD_ALL:
			mark_all_removed(n, &n->portals, owner, true);
			mark_all_removed(n, &n->statements, owner, false);
			break;
		}
	}
}

/* --- what the server answered ------------------------------------------------ */

static bool
defined_by(const struct entry *e, uint64_t owner)
{
	return e->is.owner == owner;
}

static void
restore(struct names *n, struct table *t, uint64_t owner, bool replaced)
{
	for (size_t i = 0; t->removed > 0 && i < t->nslots; i++) {
		for (struct entry *e = t->slots[i]; e != NULL; e = e->next) {
			if (!e->removed || e->removed_by != owner || e->replaced != replaced ||
			    find_cut(n, t, e->name, false) != NULL)
				continue;
			e->removed = e->replaced = false;
			t->removed--;
			t->live++;
		}
	}
}

/* Statements outlive a rollback: of a text that removed a name, defined it anew
 * and then failed, nobody knows here which of the two is there. Neither is. */
void
names_failed(struct names *n, uint64_t owner)
{
	restore(n, &n->statements, owner, false);
	sweep(n, &n->statements, defined_by, owner);
	sweep(n, &n->portals, defined_by, owner);
	restore(n, &n->statements, owner, true);
	restore(n, &n->portals, owner, false);
	restore(n, &n->portals, owner, true);
}

static bool
removal_settled(const struct entry *e, uint64_t upto)
{
	return e->removed && e->removed_by <= upto;
}

static bool
portal_ended(const struct entry *e, uint64_t upto)
{
	return removal_settled(e, upto) || (!e->is.hold && e->is.owner <= upto);
}

void
names_transaction_end(struct names *n, uint64_t upto)
{
	if (n->statements.removed > 0)
		sweep(n, &n->statements, removal_settled, upto);
	sweep(n, &n->portals, portal_ended, upto);
	if (n->portals.live + n->portals.removed == 0 && n->portals.nslots > FIRST_SLOTS)
		table_release(n, &n->portals);
}
