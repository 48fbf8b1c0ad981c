/* policy/catalog_build.c - from rows to the arrays of a catalog.
 *
 * Every section comes ordered by its first columns. So an object that is
 * there twice is the one that comes after itself, and what belongs to a
 * relation stands side by side.
 */
#include <stdlib.h>
#include <string.h>

#include "catalog_int.h"

/* A hostile server or file can send rows for ever. 100,000 relations with a
 * million columns take about 130 MB. */
#define BYTES_MAX ((size_t)2 << 30)
#define ROWS_MAX ((size_t)1 << 26)
#define ITEM_BYTES ((size_t)64) /* that a row adds to the arrays, roughly */

/* Never 0, never twice: part of the key of a cached verdict. */
static uint64_t
next_generation(void)
{
	static _Atomic uint64_t last;

	return atomic_fetch_add(&last, 1) + 1;
}

struct catalog_builder *
catalog_builder_new(void)
{
	struct catalog_builder *b = xcalloc(1, sizeof(*b));
	struct catalog *c = xcalloc(1, sizeof(*c));

	atomic_init(&c->refs, 1);
	c->generation = next_generation();
	keyhash_init(&c->key);
	c->probe = "";
	b->catalog = c;
	return b;
}

void
catalog_builder_free(struct catalog_builder *b)
{
	if (b == NULL)
		return;
	if (b->catalog != NULL)
		catalog_free(b->catalog);
	list_free(&b->strings);
	index_free(&b->interned);
	free(b);
}

void
catalog_builder_probe(struct catalog_builder *b, const char *text)
{
	b->catalog->probe = cat_text(&b->catalog->arena, text, strlen(text));
}

/* --- interning ----------------------------------------------------------------- */

static void
intern_grow(struct catalog_builder *b)
{
	const char *const *strings = b->strings.items;
	size_t i;

	index_free(&b->interned);
	index_init(&b->interned, &b->catalog->key, b->strings.n * 2 + 1024);
	for (i = 0; i < b->strings.n; i++)
		index_add(&b->interned, tag_of_name(&b->catalog->key, 0, strings[i], strlen(strings[i])), i);
}

const char *
builder_intern(struct catalog_builder *b, const char *s, size_t len)
{
	uint32_t tag = tag_of_name(&b->catalog->key, 0, s, len), at;
	struct probe p = index_look(&b->interned, tag);
	const char **strings = b->strings.items;
	char *copy;

	while ((at = index_next(&p)) != NOWHERE)
		if (strncmp(strings[at], s, len) == 0 && strings[at][len] == '\0')
			return strings[at];
	if (b->interned.slots == NULL || b->strings.n * 2 > b->interned.mask)
		intern_grow(b);
	copy = cat_text(&b->catalog->arena, s, len);
	index_add(&b->interned, tag, b->strings.n);
	*(const char **)list_add(&b->strings, sizeof(char *)) = copy;
	return copy;
}

/* --- one function a section ---------------------------------------------------- */

bool
builder_out_of_order(struct err *err)
{
	return err_set(err, "not in the order of the section, or twice");
}

/* Adds an object, whose first member is its OID. NULL: it does not come after the last one. */
void *
builder_object(struct list *l, size_t size, uint32_t oid)
{
	const char *last = l->n > 0 ? (const char *)l->items + (l->n - 1) * size : NULL;
	uint32_t *object, before;

	if (last != NULL) {
		memcpy(&before, last, sizeof(before));
		if (oid <= before)
			return NULL;
	}
	object = list_add(l, size);
	*object = oid;
	return object;
}

static bool
store_database(struct catalog_builder *b, const struct value *v, struct err *err)
{
	struct catalog *c = b->catalog;

	if (c->database != NULL)
		return builder_out_of_order(err);
	c->server_version = v[0].number;
	c->database_oid = v[1].oid;
	c->database = v[2].text;
	return true;
}

static bool
store_namespace(struct catalog_builder *b, const struct value *v, struct err *err)
{
	struct cat_namespace *n = builder_object(&b->catalog->namespaces, sizeof(*n), v[0].oid);

	if (n == NULL)
		return builder_out_of_order(err);
	n->name = v[1].text;
	return true;
}

static bool
store_relation(struct catalog_builder *b, const struct value *v, struct err *err)
{
	struct cat_relation *r = builder_object(&b->catalog->relations, sizeof(*r), v[0].oid);

	if (r == NULL)
		return builder_out_of_order(err);
	r->namespace = v[1].oid;
	r->name = v[2].text;
	r->kind = v[3].letter;
	r->row_security = v[4].flag;
	r->is_partition = v[5].flag;
	r->type = v[6].oid;
	r->of = v[7].oid;
	r->extension = v[8].text;
	return true;
}

static bool
store_column(struct catalog_builder *b, const struct value *v, struct err *err)
{
	struct group *g = &b->catalog->columns;
	const struct cat_column *last = group_last(g, v[0].oid, sizeof(*last));
	struct cat_column *column;

	if (last != NULL && last->number >= v[1].number)
		return builder_out_of_order(err);
	if ((column = group_add(g, v[0].oid, sizeof(*column))) == NULL)
		return builder_out_of_order(err);
	column->number = (int16_t)v[1].number;
	column->name = v[2].text;
	column->type = v[3].oid;
	column->typmod = v[4].number;
	column->not_null = v[5].flag;
	column->has_default = v[6].flag;
	column->generated = v[7].letter != '-' ? v[7].letter : 0;
	column->expression = v[8].text;
	return true;
}

static bool
store_inheritance(struct catalog_builder *b, const struct value *v, struct err *err)
{
	struct group *g = &b->catalog->parents;
	const uint32_t *last = group_last(g, v[0].oid, sizeof(*last));
	uint32_t *parent;

	if (last != NULL && *last >= v[1].oid)
		return builder_out_of_order(err);
	if ((parent = group_add(g, v[0].oid, sizeof(*parent))) == NULL)
		return builder_out_of_order(err);
	*parent = v[1].oid;
	return true;
}

static struct cat_relation *
builder_relation(struct catalog_builder *b, uint32_t oid)
{
	struct cat_relation *all = b->catalog->relations.items;
	size_t low = 0, high = b->catalog->relations.n, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (all[mid].oid < oid)
			low = mid + 1;
		else
			high = mid;
	}
	return low < b->catalog->relations.n && all[low].oid == oid ? &all[low] : NULL;
}

static bool
store_view(struct catalog_builder *b, const struct value *v, struct err *err)
{
	struct cat_relation *r = builder_relation(b, v[0].oid);

	if (r == NULL)
		return true;
	if (r->definition != NULL)
		return builder_out_of_order(err);
	r->definition = v[1].text;
	return true;
}

static bool
store_depend(struct catalog_builder *b, const struct value *v, struct err *err)
{
	struct cat_depend *d = group_add(&b->catalog->depends, v[0].oid, sizeof(*d));

	if (d == NULL)
		return builder_out_of_order(err);
	d->relation = v[1].oid;
	d->column = (int16_t)v[2].number;
	return true;
}

static bool
store_text(struct group *g, uint32_t owner, const char *text, struct err *err)
{
	const char **item;

	if (text == NULL)
		return true;
	if ((item = group_add(g, owner, sizeof(*item))) == NULL)
		return builder_out_of_order(err);
	*item = text;
	return true;
}

static bool
store_policy(struct catalog_builder *b, const struct value *v, struct err *err)
{
	return store_text(&b->catalog->policies, v[0].oid, v[2].text, err) &&
	       store_text(&b->catalog->policies, v[0].oid, v[3].text, err);
}

static bool
store_expression(struct catalog_builder *b, const struct value *v, struct err *err)
{
	return store_text(&b->catalog->expressions, v[0].oid, v[2].text, err);
}

static bool
store_check(struct catalog_builder *b, const struct value *v, struct err *err)
{
	return store_text(&b->catalog->checks, v[0].oid, v[2].text, err);
}

static bool
store_type(struct catalog_builder *b, const struct value *v, struct err *err)
{
	struct cat_type *t = builder_object(&b->catalog->types, sizeof(*t), v[0].oid);

	if (t == NULL)
		return builder_out_of_order(err);
	t->namespace = v[1].oid;
	t->name = v[2].text;
	t->kind = v[3].letter;
	t->category = v[4].letter;
	t->preferred = v[5].flag;
	t->element = v[6].oid;
	t->array = v[7].oid;
	t->base = v[8].oid;
	t->base_typmod = v[9].number;
	t->relation = v[10].oid;
	t->support = v[11].oids;
	t->nsupport = v[11].n;
	t->extension = v[12].text;
	if (t->element != 0 && t->base != 0)
		return err_set(err, "element and base: a type has one of them at most");
	return true;
}

static bool
store_operator(struct catalog_builder *b, const struct value *v, struct err *err)
{
	struct cat_operator *o = builder_object(&b->catalog->operators, sizeof(*o), v[0].oid);

	if (o == NULL)
		return builder_out_of_order(err);
	o->namespace = v[1].oid;
	o->name = v[2].text;
	o->left = v[3].oid;
	o->right = v[4].oid;
	o->result = v[5].oid;
	o->function = v[6].oid;
	o->extension = v[7].text;
	return true;
}

static bool
store_cast(struct catalog_builder *b, const struct value *v, struct err *err)
{
	struct list *l = &b->catalog->casts;
	const struct cat_cast *last = l->n > 0 ? (const struct cat_cast *)l->items + l->n - 1 : NULL;
	struct cat_cast *c;

	if (last != NULL && (last->source > v[0].oid || (last->source == v[0].oid && last->target >= v[1].oid)))
		return builder_out_of_order(err);
	c = list_add(l, sizeof(*c));
	c->source = v[0].oid;
	c->target = v[1].oid;
	c->function = v[2].oid;
	c->context = v[3].letter;
	c->method = v[4].letter;
	return true;
}

static bool
store_opclass(struct catalog_builder *b, const struct value *v, struct err *err)
{
	struct cat_opclass *o = builder_object(&b->catalog->opclasses, sizeof(*o), v[0].oid);

	if (o == NULL)
		return builder_out_of_order(err);
	o->type = v[1].oid;
	o->btree = v[2].flag;
	o->is_default = v[3].flag;
	o->functions = v[4].oids;
	o->nfunctions = v[4].n;
	return true;
}

/* --- rows ---------------------------------------------------------------------- */

static bool (*const stores[NSECTIONS])(struct catalog_builder *, const struct value *, struct err *) = {
	[S_DATABASE] = store_database,
	[S_NAMESPACES] = store_namespace,
	[S_RELATIONS] = store_relation,
	[S_COLUMNS] = store_column,
	[S_INHERITANCE] = store_inheritance,
	[S_VIEWS] = store_view,
	[S_DEPENDS] = store_depend,
	[S_POLICIES] = store_policy,
	[S_EXPRESSIONS] = store_expression,
	[S_TYPES] = store_type,
	[S_CHECKS] = store_check,
	[S_FUNCTIONS] = store_function,
	[S_AGGREGATES] = store_aggregate,
	[S_OPERATORS] = store_operator,
	[S_CASTS] = store_cast,
	[S_OPCLASSES] = store_opclass,
};

static bool
is_enough(const struct catalog_builder *b)
{
	return b->row >= ROWS_MAX || b->stored + b->catalog->arena.bytes > BYTES_MAX;
}

static bool
read_row(struct catalog_builder *b, const char *const *texts, size_t ntexts, struct err *err)
{
	struct value values[FIELDS_MAX];
	size_t nfields = section_nfields(b->section);

	if (ntexts != nfields)
		return err_set(err, "expected %zu columns, found %zu", nfields, ntexts);
	return builder_values(b, texts, values, err) && stores[b->section](b, values, err);
}

bool
catalog_builder_row(struct catalog_builder *b, size_t section, const char *const *values, size_t nvalues, struct err *err)
{
	struct err why;

	if (section >= NSECTIONS || section < b->section)
		return err_set(err, "%s: out of order", section < NSECTIONS ? catalog_section_name(section) : "unknown section");
	if (section != b->section)
		b->row = 0;
	b->section = section;
	b->row++;
	b->stored += ITEM_BYTES;
	if (is_enough(b))
		return err_set(
		    err, "%s: row %zu: the catalog takes more than %zu MB", catalog_section_name(section), b->row, BYTES_MAX >> 20);
	if (!read_row(b, values, nvalues, &why))
		return err_set(err, "%s: row %zu: %s", catalog_section_name(section), b->row, why.text);
	return true;
}

struct catalog *
catalog_builder_finish(struct catalog_builder *b, struct err *err)
{
	struct catalog *c = b->catalog;

	list_free(&b->strings); /* before the indexes are made: they are the peak */
	index_free(&b->interned);
	if (catalog_link(c, err))
		b->catalog = NULL;
	else
		c = NULL;
	catalog_builder_free(b);
	return c;
}
