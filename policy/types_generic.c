/* policy/types_generic.c - anyelement and its family: what the arguments make of them. */
#include "types_int.h"

struct solving {
	const struct catalog *catalog;
	struct generic *g;
	enum fit fit;
	bool nonarray, isenum, compatible_nonarray;
	struct common common; /* of the anycompatible arguments */
	size_t nmet;
	uint32_t met[ARGS_MAX + 1]; /* their types */
};

static void
refuse(struct solving *s)
{
	s->fit = FIT_NO;
}

/* All parameters of one name stand for one type. */
static void
bind(struct solving *s, uint32_t *slot, uint32_t type)
{
	if (*slot != 0 && *slot != type)
		refuse(s);
	*slot = type;
}

static uint32_t
element_of(const struct catalog *c, uint32_t type)
{
	return types_element(types_base_type(c, type));
}

static uint32_t
part_of(const struct catalog *c, uint32_t type, char kind)
{
	const struct cat_type *t = types_base_type(c, type);

	return t != NULL && t->kind == kind ? t->base : 0;
}

static void
meet(struct solving *s, uint32_t type)
{
	s->met[s->nmet++] = type;
	common_add(s->catalog, &s->common, type);
}

static void
meet_element(struct solving *s, uint32_t array)
{
	const uint32_t element = element_of(s->catalog, array);

	if (element == 0)
		refuse(s);
	else
		meet(s, element);
}

/* What a parameter asks of its type holds even where a literal is given for it. */
static void
note_demands(struct solving *s, uint32_t declared)
{
	s->nonarray |= declared == OID_ANYNONARRAY;
	s->isenum |= declared == OID_ANYENUM;
	s->compatible_nonarray |= declared == OID_ANYCOMPATIBLENONARRAY;
}

static void
solve_argument(struct solving *s, uint32_t declared, uint32_t actual)
{
	switch (declared) {
	case OID_ANYNONARRAY:
	case OID_ANYENUM:
	case OID_ANYELEMENT:
		bind(s, &s->g->element, actual);
		break;
	case OID_ANYARRAY:
		bind(s, &s->g->array, types_base(s->catalog, actual));
		break;
	case OID_ANYRANGE:
		bind(s, &s->g->range, types_base(s->catalog, actual));
		break;
	case OID_ANYMULTIRANGE:
		bind(s, &s->g->multirange, types_base(s->catalog, actual));
		break;
	case OID_ANYCOMPATIBLENONARRAY:
	case OID_ANYCOMPATIBLE:
		meet(s, actual);
		break;
	case OID_ANYCOMPATIBLEARRAY:
		meet_element(s, actual);
		break;
	case OID_ANYCOMPATIBLERANGE:
		bind(s, &s->g->compatible_range, types_base(s->catalog, actual));
		break;
	case OID_ANYCOMPATIBLEMULTIRANGE:
		bind(s, &s->g->compatible_multirange, types_base(s->catalog, actual));
		break;
	default:
		break;
	}
}

/* A multirange settles its range, a range its element. */
static void
bind_part(struct solving *s, uint32_t whole, char kind, uint32_t *slot)
{
	const uint32_t part = part_of(s->catalog, whole, kind);

	if (whole == 0)
		return;
	if (part == 0)
		refuse(s);
	else
		bind(s, slot, part);
}

static bool
is_enum(const struct catalog *c, uint32_t type)
{
	const struct cat_type *t = catalog_type_of(c, type);

	return t != NULL && t->kind == 'e';
}

static void
settle_elements(struct solving *s)
{
	struct generic *g = s->g;

	if (g->array != 0 && g->array != OID_ANYARRAY) { /* a column of pg_stats is an anyarray itself */
		if (element_of(s->catalog, g->array) == 0)
			refuse(s);
		else
			bind(s, &g->element, element_of(s->catalog, g->array));
	} else if (g->array != 0 && g->element != 0)
		refuse(s);
	bind_part(s, g->multirange, 'm', &g->range);
	bind_part(s, g->range, 'r', &g->element);
	if (s->nonarray && g->element != 0 && element_of(s->catalog, g->element) != 0)
		refuse(s);
	/* An enum has to be known: literals alone do not do. */
	if (s->isenum && !is_enum(s->catalog, g->element) && !(g->element == 0 && g->open))
		refuse(s);
}

static bool
all_become(const struct solving *s, uint32_t type)
{
	for (size_t i = 0; i < s->nmet; i++)
		if (types_fit(s->catalog, s->met[i], type, COERCE_BY_IMPLICIT) == FIT_NO)
			return false;
	return true;
}

static void
settle_compatible(struct solving *s)
{
	struct generic *g = s->g;
	uint32_t subtype = 0;

	bind_part(s, g->compatible_multirange, 'm', &g->compatible_range);
	bind_part(s, g->compatible_range, 'r', &subtype);
	if (subtype != 0)
		meet(s, subtype);
	if (!s->common.any)
		return;
	if (g->open) /* one more type could bring the others together */
		return;
	g->compatible = common_type(&s->common);
	if (s->common.conflict || !all_become(s, g->compatible))
		refuse(s);
	if (s->compatible_nonarray && element_of(s->catalog, g->compatible) != 0)
		refuse(s);
	if (subtype != 0 && subtype != g->compatible)
		refuse(s);
}

enum fit
types_generic(const struct catalog *c, struct generic *g, const uint32_t *actual, const uint32_t *declared, size_t n)
{
	struct solving s;
	size_t i = 0;

	*g = (struct generic){ 0 };
	while (i < n && !types_polymorphic(declared[i]))
		i++;
	if (i == n)
		return FIT_YES;
	s.catalog = c;
	s.g = g;
	s.fit = FIT_YES;
	s.nonarray = s.isenum = s.compatible_nonarray = false;
	s.common = (struct common){ 0 };
	s.nmet = 0;
	for (; i < n; i++) {
		note_demands(&s, declared[i]);
		if (!types_polymorphic(declared[i]) || actual[i] == TYPE_UNKNOWN)
			continue;
		if (actual[i] == TYPE_ANY)
			g->open = true;
		else
			solve_argument(&s, declared[i], actual[i]);
	}
	settle_elements(&s);
	settle_compatible(&s);
	return s.fit;
}

/* --- what they stand for --- */

static uint32_t
array_of(const struct catalog *c, uint32_t element)
{
	const struct cat_type *t = element != 0 ? catalog_type_of(c, element) : NULL;

	return t != NULL ? t->array : TYPE_ANY;
}

/* The snapshot links multiranges to their ranges, not back: DDL makes both in
 * one breath, so the OIDs are neighbours. */
static uint32_t
multirange_of(const struct catalog *c, uint32_t range)
{
	static const uint32_t builtin[][2] = { { 3904, 4451 }, { 3906, 4532 }, { 3908, 4533 }, { 3910, 4534 }, { 3912, 4535 },
		{ 3926, 4536 } };
	const struct cat_type *t;

	for (size_t i = 0; i < nitems(builtin); i++)
		if (builtin[i][0] == range)
			return builtin[i][1];
	for (uint32_t oid = range > 8 ? range - 8 : 1; range != 0 && oid < range + 8; oid++)
		if ((t = catalog_type_of(c, oid)) != NULL && t->kind == 'm' && t->base == range)
			return oid;
	return TYPE_ANY;
}

uint32_t
generic_type(const struct catalog *c, const struct generic *g, uint32_t declared)
{
	/* String literals alone make text of the anycompatible ones. */
	const uint32_t compatible = g->compatible != 0 ? g->compatible : g->open ? TYPE_ANY : OID_TEXT;

	switch (declared) {
	case OID_ANYELEMENT:
	case OID_ANYNONARRAY:
	case OID_ANYENUM:
		return g->element;
	case OID_ANYARRAY:
		return g->array != 0 ? g->array : array_of(c, g->element);
	case OID_ANYRANGE:
		return g->range;
	case OID_ANYMULTIRANGE:
		return g->multirange != 0 ? g->multirange : multirange_of(c, g->range);
	case OID_ANYCOMPATIBLE:
	case OID_ANYCOMPATIBLENONARRAY:
		return compatible;
	case OID_ANYCOMPATIBLEARRAY:
		return array_of(c, compatible);
	case OID_ANYCOMPATIBLERANGE:
		return g->compatible_range;
	case OID_ANYCOMPATIBLEMULTIRANGE:
		return g->compatible_multirange != 0 ? g->compatible_multirange : multirange_of(c, g->compatible_range);
	default:
		return declared;
	}
}
