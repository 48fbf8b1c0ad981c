/* policy/types_coerce.c - which casts there are, and the common type of several values. */
#include <string.h>

#include "types_int.h"

/* --- pathways --- */

static struct pathway
pathway_of_cast(const struct cat_cast *cast, enum coercion how)
{
	struct pathway p = { PATH_NONE, cast };

	if ((cast->context == 'a' && how < COERCE_BY_ASSIGNMENT) || (cast->context == 'e' && how < COERCE_BY_EXPLICIT))
		return p;
	p.kind = cast->method == 'f' ? PATH_FUNCTION : cast->method == 'i' ? PATH_IO : PATH_RELABEL;
	return p;
}

/* Without a row in pg_cast: to text by assignment, from text in an explicit cast. */
static enum path
path_of_text(const struct cat_type *from, const struct cat_type *to, enum coercion how)
{
	if (how >= COERCE_BY_ASSIGNMENT && to->category == 'S')
		return PATH_IO;
	if (how == COERCE_BY_EXPLICIT && from->category == 'S')
		return PATH_IO;
	return PATH_NONE;
}

static bool
old_vector(const struct cat_type *t)
{
	return t->oid == OID_INT2VECTOR || t->oid == OID_OIDVECTOR;
}

/* Between base types. */
static struct pathway
pathway(const struct catalog *c, const struct cat_type *s, const struct cat_type *t, enum coercion how)
{
	struct pathway p = { PATH_NONE, NULL };
	const struct cat_cast *cast;

	for (unsigned level = 0; level < DEPTH_MAX && s != NULL && t != NULL; level++) {
		if (s == t)
			p.kind = PATH_RELABEL;
		else if ((cast = catalog_cast(c, s->oid, t->oid)) != NULL)
			p = pathway_of_cast(cast, how);
		else if (s->element != 0 && t->element != 0 && !old_vector(t)) {
			s = types_base_type(c, s->element); /* arrays: as their elements */
			t = types_base_type(c, t->element);
			continue;
		} else
			p.kind = path_of_text(s, t, how);
		if (level > 0 && p.kind != PATH_NONE)
			return (struct pathway){ PATH_ARRAY, NULL };
		return p;
	}
	return p;
}

struct pathway
types_pathway(const struct catalog *c, uint32_t from, uint32_t to, enum coercion how)
{
	return pathway(c, types_base_type(c, from), types_base_type(c, to), how);
}

/* --- rows --- */

#define PARENTS_MAX 256u

/* Does the relation inherit from the other, directly or not? */
static enum fit
inherits(const struct catalog *c, uint32_t child, uint32_t parent)
{
	uint32_t queue[PARENTS_MAX];
	size_t n = 0;

	queue[n++] = child;
	for (size_t i = 0; i < n; i++) {
		const struct cat_relation *r = catalog_relation_of(c, queue[i]);

		for (size_t j = 0; r != NULL && j < r->nparents; j++) {
			if (r->parents[j] == parent)
				return FIT_YES;
			if (n == PARENTS_MAX)
				return FIT_MAYBE;
			queue[n++] = r->parents[j];
		}
	}
	return FIT_NO;
}

/* CREATE TABLE OF type: the snapshot does not know of it, but the columns are the same then. */
static bool
maybe_typed_table(const struct cat_relation *table, const struct cat_relation *type)
{
	if (table->kind == 'c' || type->kind != 'c' || table->ncolumns != type->ncolumns)
		return false;
	for (size_t i = 0; i < table->ncolumns; i++)
		if (table->columns[i].type != type->columns[i].type || strcmp(table->columns[i].name, type->columns[i].name) != 0)
			return false;
	return true;
}

static enum fit
rows_fit(const struct catalog *c, const struct cat_type *from, const struct cat_type *to)
{
	const struct cat_relation *r = catalog_relation_of(c, from->relation);
	const struct cat_relation *wanted = catalog_relation_of(c, to->relation);

	if (r == NULL || wanted == NULL)
		return FIT_NO;
	if (maybe_typed_table(r, wanted))
		return FIT_MAYBE;
	return inherits(c, r->oid, wanted->oid);
}

/* to: as it is wanted, t its base type: a row of a child is one of the parent, but of no domain over it. */
static enum fit
composite_fit(const struct catalog *c, const struct cat_type *s, const struct cat_type *t, uint32_t to)
{
	if ((s->oid == TYPE_RECORD && types_is_row(t)) || (t->oid == TYPE_RECORD && types_is_row(s)))
		return FIT_YES;
	if (t->oid == OID_RECORD_ARRAY && s->element != 0)
		return types_is_row(types_base_type(c, s->element)) ? FIT_YES : FIT_NO;
	if (types_is_row(s) && types_is_row(t) && to == t->oid)
		return rows_fit(c, s, t);
	return FIT_NO;
}

/* Of two plain types, one of them with a fixed OID and so no domain: pg_cast alone tells. */
#define FIRST_GENERATED_OID 10000u

static bool
only_a_cast(const struct cat_type *from, uint32_t to, enum coercion how)
{
	return how == COERCE_BY_IMPLICIT && to < FIRST_GENERATED_OID && from->element == 0 && from->oid != TYPE_RECORD &&
	       !types_is_row(from);
}

enum fit
types_fit(const struct catalog *c, uint32_t from, uint32_t to, enum coercion how)
{
	const struct cat_type *s, *t;

	if (from == TYPE_UNKNOWN && to == OID_INTERNAL)
		return FIT_MAYBE; /* later minor releases refuse it */
	if (from == to || to == OID_ANY || from == TYPE_UNKNOWN || from == TYPE_ANY || to == TYPE_ANY || types_polymorphic(to))
		return FIT_YES;
	if ((s = types_base_type(c, from)) == NULL)
		return FIT_NO;
	if (only_a_cast(s, to, how)) {
		const struct cat_cast *cast = catalog_cast(c, s->oid, to);

		return s->oid == to || (cast != NULL && cast->context == 'i') ? FIT_YES : FIT_NO;
	}
	if ((t = types_base_type(c, to)) == NULL)
		return FIT_NO;
	if (s == t || pathway(c, s, t, how).kind != PATH_NONE)
		return FIT_YES;
	return composite_fit(c, s, t, to);
}

bool
types_coercible(const struct type_scope *s, uint32_t from, uint32_t to, enum coercion how)
{
	return types_fit(s->catalog, from, to, how) != FIT_NO;
}

/* --- common types --- */

/* Every further type beats the one so far when that is not preferred and can only be cast in the one direction. */
void
common_add(const struct catalog *c, struct common *m, uint32_t type)
{
	const struct cat_type *t;

	if (!m->any)
		m->first = type;
	m->any = true;
	if (type != m->first)
		m->mixed = true;
	if (type == TYPE_ANY)
		m->open = true;
	if (type == TYPE_UNKNOWN || m->open || m->conflict)
		return;
	if ((t = types_base_type(c, type)) == NULL) {
		m->open = true;
		return;
	}
	if (m->winner == NULL) {
		m->winner = t;
		return;
	}
	if (t == m->winner)
		return;
	if (t->category != m->winner->category)
		m->conflict = true;
	else if (!m->winner->preferred && types_fit(c, m->winner->oid, t->oid, COERCE_BY_IMPLICIT) != FIT_NO &&
		 types_fit(c, t->oid, m->winner->oid, COERCE_BY_IMPLICIT) == FIT_NO)
		m->winner = t;
}

uint32_t
common_type(const struct common *m)
{
	if (m->open || m->conflict)
		return TYPE_ANY;
	if (!m->mixed && m->any && m->first != TYPE_UNKNOWN)
		return m->first; /* all the same: a domain stays one */
	return m->winner != NULL ? m->winner->oid : OID_TEXT;
}

/* The rows of several records are known when they are one and the same. */
static const struct row_shape *
common_row(const struct value_type *values, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (values[i].row != values[0].row)
			return NULL;
	return values[0].row;
}

/* Casts to a type that is not known. It has the category of the others, or
 * there would be no common type; arrays are cast by their elements. */
static void
report_open(const struct type_scope *s, const struct value_type *values, size_t n)
{
	const struct cat_type *known = NULL;
	size_t ncasts;
	const struct cat_cast *const *casts = catalog_user_casts(s->catalog, &ncasts);

	for (size_t i = 0; i < n && known == NULL; i++)
		if (values[i].type != TYPE_UNKNOWN && values[i].type != TYPE_ANY)
			known = types_base_type(s->catalog, values[i].type);
	for (size_t i = 0; i < ncasts; i++) {
		const struct cat_type *source = catalog_type_of(s->catalog, casts[i]->source);
		const struct cat_type *target = catalog_type_of(s->catalog, casts[i]->target);

		if (casts[i]->context != 'i')
			continue;
		if (known == NULL || known->element != 0 || source == NULL || target == NULL ||
		    (source->category == known->category && target->category == known->category))
			types_reach_function(s, casts[i]->function);
	}
}

struct value_type
types_common(const struct type_scope *s, const struct value_type *values, size_t n)
{
	struct common m = { 0 };
	struct value_type result = { .type = OID_TEXT };

	if (n == 0)
		return result;
	for (size_t i = 0; i < n; i++)
		common_add(s->catalog, &m, values[i].type);
	result.type = common_type(&m);
	if (m.open && n > 1)
		report_open(s, values, n);
	else if (!m.mixed)
		result.row = common_row(values, n);
	for (size_t i = 0; i < n && result.type != TYPE_ANY; i++)
		types_coerce(s, &values[i], result.type, COERCE_BY_IMPLICIT);
	return result;
}
