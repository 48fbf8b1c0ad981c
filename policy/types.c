/* policy/types.c - types by name, what they are made of. */
#include <string.h>

#include "types_int.h"

bool
types_polymorphic(uint32_t type)
{
	switch (type) {
	case OID_ANYELEMENT:
	case OID_ANYARRAY:
	case OID_ANYNONARRAY:
	case OID_ANYENUM:
	case OID_ANYRANGE:
	case OID_ANYMULTIRANGE:
	case OID_ANYCOMPATIBLE:
	case OID_ANYCOMPATIBLEARRAY:
	case OID_ANYCOMPATIBLENONARRAY:
	case OID_ANYCOMPATIBLERANGE:
	case OID_ANYCOMPATIBLEMULTIRANGE:
		return true;
	default:
		return false;
	}
}

const struct cat_type *
types_base_type(const struct catalog *c, uint32_t type)
{
	const struct cat_type *t = catalog_type_of(c, type);

	/* A snapshot file may lie: a chain of domains that bites its tail ends here. */
	for (unsigned i = 0; i < DEPTH_MAX && t != NULL && t->kind == 'd'; i++)
		t = catalog_type_of(c, t->base);
	return t;
}

uint32_t
types_base(const struct catalog *c, uint32_t type)
{
	const struct cat_type *t = types_base_type(c, type);

	return t != NULL ? t->oid : type;
}

bool
types_is_row(const struct cat_type *base)
{
	return base != NULL && base->kind == 'c';
}

uint32_t
types_element(const struct cat_type *base)
{
	if (base == NULL)
		return 0;
	return base->oid == OID_RECORD_ARRAY ? TYPE_RECORD : base->element; /* a pseudo-type shows no element */
}

/* --- names --- */

/* The grammar turns these into the names of pg_type; other texts hold them as they are printed. */
static const struct {
	const char *sql, *internal;
} spelled[] = {
	{ "bigint", "int8" },
	{ "bit varying", "varbit" },
	{ "boolean", "bool" },
	{ "character", "bpchar" },
	{ "character varying", "varchar" },
	{ "decimal", "numeric" },
	{ "double precision", "float8" },
	{ "int", "int4" },
	{ "integer", "int4" },
	{ "real", "float4" },
	{ "smallint", "int2" },
	{ "time with time zone", "timetz" },
	{ "time without time zone", "time" },
	{ "timestamp with time zone", "timestamptz" },
	{ "timestamp without time zone", "timestamp" },
};

static const struct cat_type *
type_in_path(const struct type_scope *s, const char *name)
{
	const struct cat_type *t = NULL;

	for (size_t i = 0; i < s->npath && t == NULL; i++)
		t = catalog_type_named(s->catalog, s->path[i], name);
	return t;
}

static const struct cat_type *
type_in_schema(const struct type_scope *s, const char *schema, const char *name)
{
	const struct cat_namespace *ns = catalog_namespace_named(s->catalog, schema);

	return ns != NULL ? catalog_type_named(s->catalog, ns->oid, name) : NULL;
}

const struct cat_type *
types_named(const struct type_scope *s, const char *schema, const char *name)
{
	const struct cat_type *t;

	if (schema != NULL && *schema != '\0')
		return type_in_schema(s, schema, name);
	if ((t = type_in_path(s, name)) != NULL)
		return t;
	for (size_t i = 0; i < nitems(spelled); i++)
		if (strcmp(name, spelled[i].sql) == 0)
			return type_in_schema(s, "pg_catalog", spelled[i].internal);
	return NULL;
}

/* --- parts --- */

static bool
field_of_row(const struct row_shape *row, const char *field, struct value_type *out)
{
	for (size_t i = 0; i < row->n; i++) {
		if (strcmp(row->names[i], field) == 0) {
			*out = row->types[i];
			return true;
		}
	}
	return false;
}

bool
types_field(const struct type_scope *s, const struct value_type *value, const char *field, struct value_type *out)
{
	const struct cat_type *t;
	const struct cat_relation *r;
	const struct cat_column *column;

	if (value->row != NULL)
		return field_of_row(value->row, field, out);
	t = types_base_type(s->catalog, value->type);
	if (!types_is_row(t) || (r = catalog_relation_of(s->catalog, t->relation)) == NULL)
		return false;
	if ((column = relation_column(r, field)) == NULL)
		return false;
	*out = (struct value_type){ .type = column->type };
	return true;
}

/* Types of fixed length that can be subscripted without being arrays. */
static uint32_t
part_of_fixed(uint32_t type)
{
	switch (type) {
	case OID_NAME:
		return OID_CHAR;
	case OID_POINT:
	case OID_LINE:
		return OID_FLOAT8;
	case OID_LSEG:
	case OID_BOX:
		return OID_POINT;
	default:
		return TYPE_ANY;
	}
}

struct value_type
types_subscript(const struct type_scope *s, const struct value_type *value, bool slice)
{
	const struct cat_type *t = types_base_type(s->catalog, value->type);
	const struct cat_type *element;

	if (t == NULL)
		return (struct value_type){ .type = TYPE_ANY };
	for (size_t i = 0; i < t->nsupport; i++) /* its subscript handler is among them */
		types_reach_function(s, t->support[i]);
	if (t->oid == OID_JSONB)
		return (struct value_type){ .type = OID_JSONB };
	if (types_element(t) == 0)
		return (struct value_type){ .type = part_of_fixed(t->oid) };
	if (!slice)
		return (struct value_type){ .type = types_element(t) };
	/* A slice of the old vector types is an ordinary array. */
	element = catalog_type_of(s->catalog, t->element);
	if ((t->oid == OID_INT2VECTOR || t->oid == OID_OIDVECTOR) && element != NULL)
		return (struct value_type){ .type = element->array };
	return (struct value_type){ .type = t->oid };
}

void
types_out(
    const struct type_scope *s, const struct cat_function *f, const struct value_type *args, size_t nargs, struct value_type *out)
{
	struct generic g;
	uint32_t actual[ARGS_MAX], declared[ARGS_MAX];
	size_t n = nargs < f->nargs ? nargs : f->nargs;

	if (n > ARGS_MAX)
		n = ARGS_MAX;
	for (size_t i = 0; i < n; i++) {
		actual[i] = args[i].type;
		declared[i] = f->args[i];
	}
	if (types_generic(s->catalog, &g, actual, declared, n) == FIT_NO)
		g = (struct generic){ .open = true };
	for (size_t i = 0; i < f->nout; i++)
		out[i] = (struct value_type){ .type = generic_type(s->catalog, &g, f->out_types[i]) };
}
