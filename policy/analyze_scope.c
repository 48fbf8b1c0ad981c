/* policy/analyze_scope.c - FROM items, their columns, and who is found by which name. */
#include "analyze_int.h"

#include <string.h>

/* --- columns ----------------------------------------------------------------- */

static size_t
room_for(size_t n)
{
	size_t room = 8;

	while (room < n)
		room *= 2;
	return room;
}

/* The list doubles when it is full: its room follows from n. */
void
columns_add(struct analyzer *a, struct columns *cs, const struct column *c)
{
	const size_t room = cs->n == 0 ? 0 : room_for(cs->n);
	const struct column **list;

	if (a->failed)
		return;
	if (++a->ncolumns > ANALYZE_COLUMNS_MAX) {
		stop(a, RULE_TOO_DEEP, -1, "this statement refused: its FROM clauses hold too many columns");
		return;
	}
	if (cs->n == room) {
		list = arena_array(a, const struct column *, room_for(cs->n + 1));
		if (cs->n > 0)
			memcpy(list, cs->list, cs->n * sizeof(*list));
		cs->list = list;
	}
	cs->list[cs->n++] = c;
}

void
columns_append(struct analyzer *a, struct columns *cs, const struct columns *more)
{
	for (size_t i = 0; i < more->n; i++)
		columns_add(a, cs, more->list[i]);
	cs->open = cs->open || more->open;
}

struct column *
column_new(struct analyzer *a, struct columns *cs, const char *name, struct value_type type)
{
	struct column *c = arena_new(a, struct column);

	c->name = name;
	c->type = type;
	columns_add(a, cs, c);
	return c;
}

size_t
columns_lost(const struct columns *cs)
{
	size_t n = 0;

	for (size_t i = 0; i < cs->n; i++)
		n += cs->list[i]->action == COLUMN_DENY;
	return n;
}

static const struct column *
first_denied(const struct columns *cs)
{
	for (size_t i = 0; i < cs->n; i++)
		if (cs->list[i]->action == COLUMN_DENY)
			return cs->list[i];
	return NULL;
}

/* AS of(a, b, c): by position, so that with a column gone each name would mean another one. */
void
columns_rename(struct analyzer *a, struct columns *cs, const List *names, const char *of, int location)
{
	struct columns renamed = { .open = cs->open };
	const struct column *denied;

	if (names == NIL || names->length == 0)
		return;
	if ((denied = first_denied(cs)) != NULL && !in_ours(a, location)) {
		stop(a, RULE_COLUMN_DENIED, location,
		    "column names for %.64s refused: column %.64s is not open to this connection, so the columns that are there "
		    "cannot be named by position",
		    of, denied->name);
		return;
	}
	for (size_t i = 0; i < cs->n; i++) {
		struct column *c;

		if (i >= (size_t)names->length) {
			columns_add(a, &renamed, cs->list[i]);
			continue;
		}
		c = arena_new(a, struct column);
		*c = *cs->list[i];
		c->name = name_at(names, names->length - 1 - (int)i);
		columns_add(a, &renamed, c);
	}
	for (int i = (int)cs->n; cs->open && i < names->length; i++)
		column_new(a, &renamed, name_at(names, names->length - 1 - i), value_of(TYPE_ANY));
	*cs = renamed;
}

void
columns_settle(struct analyzer *a, struct columns *cs)
{
	for (size_t i = 0; i < cs->n && !a->failed; i++) {
		struct column *c;

		if (cs->list[i]->type.type != TYPE_UNKNOWN)
			continue;
		param_settle(a, cs->list[i]->literal, OID_TEXT);
		c = arena_new(a, struct column);
		*c = (struct column){ .name = cs->list[i]->name, .type = value_of(OID_TEXT) };
		cs->list[i] = c;
	}
}

bool
spend(struct analyzer *a, size_t steps)
{
	a->steps += steps;
	if (a->steps > ANALYZE_STEPS_MAX)
		stop(a, RULE_TOO_DEEP, -1, "this statement refused: it names too many columns of too many tables");
	return !a->failed;
}

static const struct column *
find_column(struct analyzer *a, const struct columns *cs, const char *name)
{
	if (!spend(a, cs->n))
		return NULL;
	for (size_t i = 0; i < cs->n; i++) {
		const char *other = cs->list[i]->name;

		if (other[0] == name[0] && strcmp(other, name) == 0)
			return cs->list[i];
	}
	return NULL;
}

const struct column *
find_output(struct analyzer *a, const struct columns *cs, const char *name)
{
	return find_column(a, cs, name);
}

/* --- guarded relations ------------------------------------------------------------ */

/* From here on the relation is to be replaced. */
void
source_note(struct analyzer *a, struct source *s)
{
	if (s == NULL || s->noted || s->fixed)
		return;
	s->noted = true;
	(void)a;
}

/* --- items -------------------------------------------------------------------------- */

struct item *
item_new(struct analyzer *a, const char *name)
{
	struct item *i = arena_new(a, struct item);

	i->name = name;
	i->named = name != NULL;
	i->listed = true;
	return i;
}

void
item_push(struct analyzer *a, struct item *item)
{
	struct level *l = a->level;
	struct item **items;

	if (l->n == l->room) {
		items = arena_array(a, struct item *, l->room == 0 ? 8 : l->room * 2);
		if (l->n > 0)
			memcpy(items, l->items, l->n * sizeof(struct item *));
		l->items = items;
		l->room = l->room == 0 ? 8 : l->room * 2;
	}
	item->lateral = true;
	l->items[l->n++] = item;
}

void
item_alias(struct analyzer *a, struct item *item, const Alias *alias)
{
	if (alias == NULL)
		return;
	item->name = alias->aliasname;
	item->named = true;
	item->aliased = true;
	columns_rename(a, &item->columns, alias->colnames, alias->aliasname, a->place);
}

void
level_open(struct analyzer *a, struct level *l)
{
	*l = (struct level){ .outer = a->level };
	a->level = l;
}

void
level_close(struct analyzer *a, struct level *l)
{
	a->level = l->outer;
}

/* --- finding ------------------------------------------------------------------------- */

static bool
is_visible(const struct level *l, size_t i)
{
	if (l->in_on)
		return i >= l->first;
	return !l->items[i]->lateral || l->lateral;
}

static bool
is_called(const struct analyzer *a, const struct item *item, const char *schema, const char *name)
{
	if (!item->named || strcmp(item->name, name) != 0)
		return false;
	if (schema == NULL)
		return true;
	return item->relation != NULL && !item->aliased &&
	       strcmp(catalog_schema_name(a->catalog, item->relation->namespace), schema) == 0;
}

struct item *
item_named(struct analyzer *a, const char *schema, const char *name)
{
	for (struct level *l = a->level; l != NULL && spend(a, l->n + 1); l = l->outer) {
		for (size_t i = 0; i < l->n; i++)
			if (is_visible(l, i) && is_called(a, l->items[i], schema, name))
				return l->items[i];
	}
	return NULL;
}

/* Columns of every table that nobody declares. */
static const struct column *
system_column(struct analyzer *a, const struct item *item, const char *name)
{
	static const struct {
		const char *name;
		uint32_t type;
	} all[] = { { "tableoid", OID_OID }, { "ctid", OID_TID }, { "xmin", OID_XID }, { "xmax", OID_XID }, { "cmin", OID_CID },
		{ "cmax", OID_CID } };
	struct column *c;

	if (item->relation == NULL || item->relation->kind == 'v' || (*name != 't' && *name != 'c' && *name != 'x'))
		return NULL;
	for (size_t i = 0; i < nitems(all); i++) {
		if (strcmp(all[i].name, name) != 0)
			continue;
		c = arena_new(a, struct column);
		*c = (struct column){ .name = all[i].name, .type = value_of(all[i].type), .source = item->source };
		return c;
	}
	return NULL;
}

const struct column *
item_column(struct analyzer *a, const struct item *item, const char *name)
{
	const struct column *c = find_column(a, &item->columns, name);

	return c != NULL ? c : system_column(a, item, name);
}

const struct column *
level_column(struct analyzer *a, struct level *l, const char *name, struct item **of)
{
	const struct column *c;

	if (!spend(a, l->n + 1))
		return NULL;
	for (size_t i = 0; i < l->n && !a->failed; i++) {
		if (!is_visible(l, i) || !l->items[i]->listed)
			continue;
		if ((c = find_column(a, &l->items[i]->columns, name)) != NULL) {
			*of = l->items[i];
			return c;
		}
	}
	for (size_t i = 0; i < l->n; i++) {
		if (!is_visible(l, i) || l->items[i]->relation == NULL || (c = system_column(a, l->items[i], name)) == NULL)
			continue;
		*of = l->items[i];
		return c;
	}
	return NULL;
}
