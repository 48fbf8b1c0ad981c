/* policy/analyze_column.c - names of columns, stars, whole rows, and value.name. */
#include "analyze_int.h"

#include <string.h>

static void
refuse_column(struct analyzer *a, const struct source *s, const char *column, int location)
{
	stop(a, RULE_COLUMN_DENIED, location, "column %.64s of %.64s.%.64s refused: it is not open to this connection", column,
	    catalog_schema_name(a->catalog, s->relation->namespace), s->relation->name);
}

static void
refuse_masked(struct analyzer *a, const struct source *s, const char *column, int location)
{
	stop(a, RULE_COLUMN_DENIED, location,
	    "column %.64s of %.64s.%.64s refused: its values are masked for this connection, and here no mask can be put in its "
	    "place",
	    column, catalog_schema_name(a->catalog, s->relation->namespace), s->relation->name);
}

static bool
is_catalog_named(const struct item *item, const char *name)
{
	return item->relation != NULL && item->relation->oid < FIRST_USER_OID && strcmp(item->relation->name, name) == 0;
}

/* Estimates and counts tell of rows that nobody may see. */
static void
note_statistics(struct analyzer *a, const struct item *item, const char *column)
{
	if ((column == NULL || strcmp(column, "reltuples") == 0 || strcmp(column, "relpages") == 0) &&
	    is_catalog_named(item, "pg_class"))
		a->statistics = true;
}

static bool
is_system(const struct column *c)
{
	return c->action == COLUMN_OPEN && c->source != NULL;
}

static void
use_system_column(struct analyzer *a, const struct column *c, int location)
{
	struct source *s = c->source;

	if (s->fixed || in_ours(a, location))
		return;
	if (strcmp(c->name, "tableoid") == 0) {
		s->site.tableoid = true;
		return;
	}
	if (!s->guard->definitions)
		stop(a, RULE_COLUMN_DENIED, location,
		    "column %.64s of %.64s.%.64s refused: parts of this table are hidden from this connection", c->name,
		    catalog_schema_name(a->catalog, s->relation->namespace), s->relation->name);
}

struct value_type
use_column(struct analyzer *a, const struct item *item, const struct column *c, int location)
{
	if (a->restricts && item != NULL && item->relation != NULL && item->relation->oid < FIRST_USER_OID)
		note_statistics(a, item, c->name);
	if (is_system(c)) {
		use_system_column(a, c, location);
	} else if (c->action != COLUMN_OPEN && !in_ours(a, location)) {
		if (c->action == COLUMN_DENY)
			refuse_column(a, c->source, c->name, location);
		else if (c->source->fixed)
			refuse_masked(a, c->source, c->name, location);
		else
			source_note(a, c->source);
	}
	return c->type;
}

/* --- rows ----------------------------------------------------------------------- */

struct value_type
shape_value(struct analyzer *a, const struct columns *cs)
{
	struct row_shape *shape;
	const char **names;
	struct value_type *types;

	if (cs->open)
		return value_of(TYPE_ANY);
	shape = arena_new(a, struct row_shape);
	names = arena_array(a, const char *, cs->n + 1);
	types = arena_array(a, struct value_type, cs->n + 1);
	for (size_t i = 0; i < cs->n; i++) {
		if (cs->list[i]->action == COLUMN_DENY)
			continue;
		names[shape->n] = cs->list[i]->name;
		types[shape->n++] = cs->list[i]->type;
	}
	shape->names = names;
	shape->types = types;
	return (struct value_type){ .type = TYPE_RECORD, .row = shape };
}

static struct value_type
row_of(struct analyzer *a, struct item *item)
{
	if (item->row.type != TYPE_ANY)
		return item->row;
	if (item->scalar && item->columns.n > 0)
		item->row = item->columns.list[0]->type;
	else if (item->relation != NULL && item->relation->type != 0)
		item->row = value_of(item->relation->type);
	else
		item->row = shape_value(a, &item->columns);
	return item->row;
}

/* "id, email and full_name": what a person may write instead. */
static const char *
open_columns(struct analyzer *a, const struct columns *cs)
{
	struct sb sb = { .max = 300 };
	char *copy;

	for (size_t i = 0; i < cs->n && sb.len < 200; i++)
		if (cs->list[i]->action != COLUMN_DENY)
			sb_fmt(&sb, "%s%.64s", sb.len > 0 ? ", " : "", cs->list[i]->name);
	copy = arena_alloc(&a->arena, sb.len + 1);
	memcpy(copy, sb_text(&sb), sb.len);
	sb_free(&sb);
	return copy;
}

/* All columns of an item at once, as a value or in a row. */
static void
use_all(struct analyzer *a, const struct item *item, int location)
{
	const struct columns *cs = &item->columns;

	if (a->restricts)
		note_statistics(a, item, NULL);
	if (in_ours(a, location))
		return;
	for (size_t i = 0; i < cs->n && !a->failed; i++) {
		const struct column *c = cs->list[i];

		if (c->action == COLUMN_DENY)
			stop(a, RULE_COLUMN_DENIED, location,
			    "whole row of %.64s refused: its column %.64s is not open to this connection; these are: %s",
			    item->name != NULL ? item->name : "a join", c->name, open_columns(a, cs));
		else if (c->action == COLUMN_MASK && c->source->fixed)
			refuse_masked(a, c->source, c->name, location);
		else if (c->action == COLUMN_MASK) {
			c->source->starred = true;
			source_note(a, c->source);
		}
	}
}

struct value_type
whole_row(struct analyzer *a, struct item *item, int location)
{
	use_all(a, item, location);
	return row_of(a, item);
}

/* --- a.b.c ------------------------------------------------------------------------- */

/* database.schema.table and schema.table are the same to us. */
static struct item *
item_of(struct analyzer *a, const List *fields, int last)
{
	const int n = fields->length - last;

	if (n < 1 || n > 3)
		return NULL;
	return item_named(a, n >= 2 ? name_at(fields, last + 1) : NULL, name_at(fields, last));
}

/* Where a subquery comes in the table's place, the schema before its name has to go. */
static void
note_unqualify(struct analyzer *a, const struct item *item, const ColumnRef *c)
{
	const int parts = c->fields->length - 2;
	struct unqualify_note *note;

	if (parts < 1 || item->source == NULL || item->source->fixed || c->location < 0)
		return;
	note = arena_new(a, struct unqualify_note);
	*note = (struct unqualify_note){
		.next = a->unqualified, .source = item->source, .what = { .location = c->location, .parts = parts }
	};
	a->unqualified = note;
}

static struct value_type
field_of_item(struct analyzer *a, struct item *item, const char *name, int location)
{
	const struct column *c = item_column(a, item, name);
	struct value_type result = value_of(TYPE_ANY), row;

	if (c != NULL)
		return use_column(a, item, c, location);
	row = row_of(a, item);
	if (a->failed)
		return result;
	if (attribute_call(a, NULL, row, name, location, &result)) {
		use_all(a, item, location);
		return result;
	}
	if (!item->columns.open)
		stop_unknown(a, "42703", location, "column %.64s.%.64s does not exist", item->name, name);
	return result;
}

static struct value_type
qualified_column(struct analyzer *a, const ColumnRef *c)
{
	struct item *item = item_of(a, c->fields, 1);

	if (item == NULL)
		return value_of(TYPE_ANY); /* no FROM item of that name: the server says so */
	note_unqualify(a, item, c);
	return field_of_item(a, item, name_at(c->fields, 0), c->location);
}

static bool
any_open(const struct analyzer *a)
{
	for (const struct level *l = a->level; l != NULL; l = l->outer)
		for (size_t i = 0; i < l->n; i++)
			if (l->items[i]->columns.open)
				return true;
	return false;
}

/* A name alone: a column of the innermost query that has one, else a whole row. It is never a call. */
static struct value_type
lone_column(struct analyzer *a, const ColumnRef *c)
{
	const char *name = name_at(c->fields, 0);
	const struct column *column;
	struct item *item = NULL;

	for (struct level *l = a->level; l != NULL; l = l->outer)
		if ((column = level_column(a, l, name, &item)) != NULL)
			return use_column(a, item, column, c->location);
	if (a->body != NULL && a->body->value.type != TYPE_ANY && strcmp(name, "value") == 0)
		return a->body->value;
	if ((item = item_named(a, NULL, name)) != NULL && !any_open(a))
		return whole_row(a, item, c->location);
	if (item != NULL)
		(void)whole_row(a, item, c->location);
	return value_of(TYPE_ANY);
}

struct value_type
analyze_column(struct analyzer *a, const ColumnRef *c)
{
	const List *fields = c->fields;
	struct item *item;

	if (c->location >= 0)
		a->place = c->location;
	if (!IsA(list_at(fields, fields->length - 1), A_Star))
		return fields->length == 1 ? lone_column(a, c) : qualified_column(a, c);
	/* u.* where one value stands is the row */
	if ((item = item_of(a, fields, 1)) == NULL)
		return value_of(TYPE_ANY);
	note_unqualify(a, item, c);
	return whole_row(a, item, c->location);
}

/* --- stars that become lists of columns ------------------------------------------------ */

/* A column goes on as what the query gives: open, or not there. */
static void
give_column(struct analyzer *a, struct columns *to, const struct item *item, const struct column *c, bool as_row, int location)
{
	struct column *given;

	if (c->action == COLUMN_DENY && (as_row || c->source->fixed)) {
		(void)use_column(a, item, c, location);
		return;
	}
	if (c->action == COLUMN_OPEN || c->action == COLUMN_DENY) {
		columns_add(a, to, c);
		return;
	}
	(void)use_column(a, item, c, location);
	c->source->starred = true;
	given = arena_new(a, struct column);
	*given = (struct column){ .name = c->name, .type = c->type };
	columns_add(a, to, given);
}

static void
give_item(struct analyzer *a, struct columns *to, const struct item *item, bool as_row, int location)
{
	if (a->restricts)
		note_statistics(a, item, NULL);
	if (as_row)
		use_all(a, item, location);
	for (size_t i = 0; i < item->columns.n && !a->failed; i++) {
		const struct column *c = item->columns.list[i];

		/* what a system catalog keeps closed is missing in its place */
		if (c->action == COLUMN_DENY && !c->source->fixed)
			source_note(a, c->source);
		give_column(a, to, item, c, as_row, location);
	}
	if (item->source != NULL)
		item->source->starred = true;
	to->open = to->open || item->columns.open;
}

static void
give_composite(struct analyzer *a, struct columns *to, struct value_type v)
{
	const struct cat_type *t = v.type != TYPE_ANY ? catalog_type_of(a->catalog, types_base(a->catalog, v.type)) : NULL;
	const struct cat_relation *rel = t != NULL && t->relation != 0 ? catalog_relation_of(a->catalog, t->relation) : NULL;

	for (size_t i = 0; rel != NULL && i < rel->ncolumns; i++)
		column_new(a, to, rel->columns[i].name, value_of(rel->columns[i].type));
	for (size_t i = 0; rel == NULL && v.row != NULL && i < v.row->n; i++)
		column_new(a, to, v.row->names[i], v.row->types[i]);
	if (rel == NULL && v.row == NULL)
		to->open = true;
}

static void
expand_listed(struct analyzer *a, struct columns *to, bool as_row, int location)
{
	for (size_t i = 0; a->level != NULL && i < a->level->n; i++)
		if (a->level->items[i]->listed)
			give_item(a, to, a->level->items[i], as_row, location);
}

static bool
ends_in_star(const List *list)
{
	return list != NIL && list->length > 0 && IsA(list_at(list, list->length - 1), A_Star);
}

/* (value).*: the value is looked at once, however many fields it has. */
static void
expand_value(struct analyzer *a, const A_Indirection *n, struct columns *to)
{
	A_Indirection without = *n;
	List shorter = *n->indirection;

	shorter.length--;
	without.indirection = &shorter;
	give_composite(a, to, analyze_expr(a, shorter.length > 0 ? (const Node *)&without : n->arg));
}

bool
expand_star(struct analyzer *a, const Node *n, struct columns *to, bool as_row)
{
	const ColumnRef *c = (const ColumnRef *)n;
	struct item *item;

	if (n != NULL && IsA(n, A_Indirection) && ends_in_star(((const A_Indirection *)n)->indirection)) {
		expand_value(a, (const A_Indirection *)n, to);
		return true;
	}
	if (n == NULL || !IsA(n, ColumnRef) || !ends_in_star(c->fields))
		return false;
	if (c->location >= 0)
		a->place = c->location;
	if (c->fields->length == 1) {
		expand_listed(a, to, as_row, c->location);
	} else if ((item = item_of(a, c->fields, 1)) != NULL) {
		note_unqualify(a, item, c);
		give_item(a, to, item, as_row, c->location);
	} else {
		to->open = true;
	}
	return true;
}
