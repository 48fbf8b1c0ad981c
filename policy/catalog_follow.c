/* policy/catalog_follow.c - the names that relations and columns had before.
 *
 * A policy closes by name, and names change while it is in force. When a
 * snapshot replaces an older one, what is the same object under another name
 * keeps the old one, too, so that a denial follows it.
 *
 * The same object: same OID, kind and row type's OID. That would be enough as
 * long as the database is the same; but one that was dropped and restored has
 * its own OIDs, which may be those of other tables here, and one made anew
 * from a template has the same tables under the same OIDs. So the columns have
 * to look alike, too. A column number is given once, so a number that was not
 * there below the highest cannot have come. In the same database (by its OID)
 * then no more columns may have another type than have kept theirs. In another
 * one none may, and three in all may have been renamed, dropped or added, and
 * no more of the old ones than are as they were, where the relation's own
 * name, if it kept that, counts as one. Sequences all look alike and are not
 * followed there. Indexes and TOAST tables stand as their tables do.
 *
 * A name that comes back undoes what came after it: a table that was moved
 * away and back again is what it was.
 */
#include <string.h>

#include "catalog_int.h"

#define NAMES_MAX 8   /* of one object; the oldest ones stay */
#define CHANGES_MAX 3 /* of columns, in another database of the same name */

struct following {
	struct catalog *fresh;
	const struct catalog *old;
	bool same_database;
};

struct name {
	const char *schema, *name; /* schema: NULL for a column */
};

/* --- is it the same? ----------------------------------------------------------- */

struct changes {
	size_t kept, renamed, retyped, gone, added;
	bool impossible;
};

static void
compare_column(struct changes *n, const struct cat_column *now, const struct cat_column *was)
{
	if (now->type != was->type)
		n->retyped++;
	else if (strcmp(now->name, was->name) == 0)
		n->kept++;
	else
		n->renamed++;
}

static struct changes
compare_columns(const struct cat_relation *now, const struct cat_relation *was)
{
	const int highest = was->ncolumns > 0 ? was->columns[was->ncolumns - 1].number : 0;
	struct changes n = { 0 };
	size_t i = 0, k = 0;

	while (i < now->ncolumns || k < was->ncolumns) {
		if (k == was->ncolumns || (i < now->ncolumns && now->columns[i].number < was->columns[k].number)) {
			n.impossible |= now->columns[i++].number < highest;
			n.added++;
		} else if (i == now->ncolumns || now->columns[i].number > was->columns[k].number) {
			n.gone++;
			k++;
		} else {
			compare_column(&n, &now->columns[i++], &was->columns[k++]);
		}
	}
	return n;
}

static struct name
name_of(const struct catalog *c, const struct cat_relation *r)
{
	return (struct name){ catalog_schema_name(c, r->namespace), r->name };
}

static bool
same_name(const struct name *a, const struct name *b)
{
	return strcmp(a->name, b->name) == 0 && (a->schema == NULL || strcmp(a->schema, b->schema) == 0);
}

static bool
is_same(const struct following *f, const struct cat_relation *now, const struct cat_relation *was)
{
	const struct name here = name_of(f->fresh, now), there = name_of(f->old, was);
	struct changes n;

	if (now->kind != was->kind || now->type != was->type || strchr("iIt", now->kind) != NULL)
		return false;
	n = compare_columns(now, was);
	if (n.impossible)
		return false;
	if (f->same_database)
		return n.retyped <= n.kept + n.renamed;
	return now->kind != 'S' && n.retyped == 0 && n.renamed + n.gone + n.added <= CHANGES_MAX &&
	       n.renamed + n.gone <= n.kept + same_name(&here, &there);
}

/* --- taking names over ----------------------------------------------------------- */

static const char *
copy(struct catalog *c, const char *text)
{
	return text != NULL ? cat_text(&c->arena, text, strlen(text)) : NULL;
}

static void
add(struct catalog *c, uint32_t relation, int16_t column, const struct name *name)
{
	struct cat_former *f = list_add(&c->formers, sizeof(*f));

	*f = (struct cat_former){ relation, column, copy(c, name->schema), copy(c, name->name) };
}

static void
take_over(struct following *f, uint32_t relation, int16_t column, const struct name *now, const struct name *was)
{
	size_t n;
	const struct cat_former *formers = catalog_formers(f->old, relation, column, &n);

	for (size_t i = 0; i < n; i++) {
		const struct name former = { formers[i].schema, formers[i].name };

		if (same_name(&former, now))
			return;
		add(f->fresh, relation, column, &former);
	}
	if (n < NAMES_MAX && !same_name(was, now))
		add(f->fresh, relation, column, was);
}

static void
follow_columns(struct following *f, const struct cat_relation *now, const struct cat_relation *was)
{
	for (size_t i = 0, k = 0; i < now->ncolumns && k < was->ncolumns;) {
		const struct cat_column *a = &now->columns[i], *b = &was->columns[k];

		if (a->number == b->number && (f->same_database || a->type == b->type))
			take_over(f, now->oid, a->number, &(struct name){ NULL, a->name }, &(struct name){ NULL, b->name });
		i += a->number <= b->number;
		k += b->number <= a->number;
	}
}

static void
follow_relation(struct following *f, const struct cat_relation *now, const struct cat_relation *was)
{
	const struct name here = name_of(f->fresh, now), there = name_of(f->old, was);

	if (!is_same(f, now, was))
		return;
	take_over(f, now->oid, 0, &here, &there);
	follow_columns(f, now, was);
}

void
catalog_follow(struct catalog *fresh, const struct catalog *old)
{
	struct following f = { fresh, old, fresh->database_oid == old->database_oid };
	const struct cat_relation *now = fresh->relations.items, *was = old->relations.items;
	const size_t before = fresh->arena.bytes;

	for (size_t i = 0, k = 0; i < fresh->relations.n && k < old->relations.n;) {
		const uint32_t a = now[i].oid, b = was[k].oid;

		if (a == b && a >= FIRST_USER_OID)
			follow_relation(&f, &now[i], &was[k]);
		i += a <= b;
		k += b <= a;
	}
	list_trim(&fresh->formers, sizeof(struct cat_former));
	fresh->bytes += fresh->arena.bytes - before + fresh->formers.n * sizeof(struct cat_former);
}

/* --- asking ------------------------------------------------------------------------ */

static bool
comes_before(const struct cat_former *f, uint32_t relation, int16_t column)
{
	return f->relation != relation ? f->relation < relation : f->column < column;
}

const struct cat_former *
catalog_formers(const struct catalog *c, uint32_t relation, int16_t column, size_t *n)
{
	const struct cat_former *all = c->formers.items;
	size_t low = 0, high = c->formers.n, mid, end;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (comes_before(&all[mid], relation, column))
			low = mid + 1;
		else
			high = mid;
	}
	for (end = low; end < c->formers.n && all[end].relation == relation && all[end].column == column;)
		end++;
	*n = end - low;
	return *n > 0 ? &all[low] : NULL;
}
