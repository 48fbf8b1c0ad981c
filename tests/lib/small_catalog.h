/* tests/lib/small_catalog.h - a catalog of a few objects, for tests of what only asks for them by OID.
 *
 * Stands in for policy/catalog.c: a test that includes this must use nothing
 * that needs more of it.
 */
#ifndef SMALL_CATALOG_H
#define SMALL_CATALOG_H

#include <string.h>

#include "objects.h"

#define SYSTEM 11u
#define INFORMATION 12u
#define PUBLIC 2200u
#define SECRET 16400u

struct catalog {
	const struct cat_relation *relations;
	size_t nrelations;
};

/* Side by side for each object. */
static const struct cat_former *small_formers;
static size_t nsmall_formers;

static const struct cat_type small_types[] = {
	{ .oid = 16, .namespace = SYSTEM, .name = "bool", .kind = 'b', .category = 'B' },
	{ .oid = 17, .namespace = SYSTEM, .name = "bytea", .kind = 'b', .category = 'U' },
	{ .oid = 18, .namespace = SYSTEM, .name = "char", .kind = 'b', .category = 'Z' },
	{ .oid = 19, .namespace = SYSTEM, .name = "name", .kind = 'b', .category = 'S' },
	{ .oid = 20, .namespace = SYSTEM, .name = "int8", .kind = 'b', .category = 'N' },
	{ .oid = 21, .namespace = SYSTEM, .name = "int2", .kind = 'b', .category = 'N' },
	{ .oid = 23, .namespace = SYSTEM, .name = "int4", .kind = 'b', .category = 'N' },
	{ .oid = 25, .namespace = SYSTEM, .name = "text", .kind = 'b', .category = 'S' },
	{ .oid = 26, .namespace = SYSTEM, .name = "oid", .kind = 'b', .category = 'N' },
	{ .oid = 194, .namespace = SYSTEM, .name = "pg_node_tree", .kind = 'b', .category = 'Z' },
	{ .oid = 700, .namespace = SYSTEM, .name = "float4", .kind = 'b', .category = 'N' },
	{ .oid = 1009, .namespace = SYSTEM, .name = "_text", .kind = 'b', .category = 'A', .element = 25 },
	{ .oid = 1015, .namespace = SYSTEM, .name = "_varchar", .kind = 'b', .category = 'A', .element = 1043 },
	{ .oid = 1042, .namespace = SYSTEM, .name = "bpchar", .kind = 'b', .category = 'S' },
	{ .oid = 1043, .namespace = SYSTEM, .name = "varchar", .kind = 'b', .category = 'S' },
	{ .oid = 1082, .namespace = SYSTEM, .name = "date", .kind = 'b', .category = 'D' },
	{ .oid = 1083, .namespace = SYSTEM, .name = "time", .kind = 'b', .category = 'D' },
	{ .oid = 1114, .namespace = SYSTEM, .name = "timestamp", .kind = 'b', .category = 'D' },
	{ .oid = 1184, .namespace = SYSTEM, .name = "timestamptz", .kind = 'b', .category = 'D' },
	{ .oid = 1186, .namespace = SYSTEM, .name = "interval", .kind = 'b', .category = 'T' },
	{ .oid = 1560, .namespace = SYSTEM, .name = "bit", .kind = 'b', .category = 'V' },
	{ .oid = 1700, .namespace = SYSTEM, .name = "numeric", .kind = 'b', .category = 'N' },
	{ .oid = 2950, .namespace = SYSTEM, .name = "uuid", .kind = 'b', .category = 'U' },
	{ .oid = 16500, .namespace = PUBLIC, .name = "email", .kind = 'd', .category = 'S', .base = 25 },
	{ .oid = 16501, .namespace = PUBLIC, .name = "ci\"text", .kind = 'b', .category = 'S' },
	{ .oid = 16502, .namespace = PUBLIC, .name = "vector", .kind = 'b', .category = 'U' },
	{ .oid = 16503, .namespace = SECRET, .name = "level", .kind = 'e', .category = 'E' },
	{ .oid = 13000, .namespace = INFORMATION, .name = "character_data", .kind = 'd', .category = 'S', .base = 1043 },
};

const struct cat_type *
catalog_type_of(const struct catalog *c, uint32_t oid)
{
	(void)c;
	for (size_t i = 0; i < nitems(small_types); i++)
		if (small_types[i].oid == oid)
			return &small_types[i];
	return NULL;
}

const char *
catalog_schema_name(const struct catalog *c, uint32_t namespace)
{
	(void)c;
	switch (namespace) {
	case SYSTEM:
		return "pg_catalog";
	case INFORMATION:
		return "information_schema";
	case PUBLIC:
		return "public";
	case SECRET:
		return "secret";
	default:
		return "";
	}
}

const struct cat_relation *
catalog_relation_of(const struct catalog *c, uint32_t oid)
{
	for (size_t i = 0; i < c->nrelations; i++)
		if (c->relations[i].oid == oid)
			return &c->relations[i];
	return NULL;
}

size_t
catalog_relations(const struct catalog *c)
{
	return c->nrelations;
}

const struct cat_relation *
catalog_relation_at(const struct catalog *c, size_t i)
{
	return &c->relations[i];
}

const struct cat_column *
relation_column(const struct cat_relation *r, const char *name)
{
	for (size_t i = 0; i < r->ncolumns; i++)
		if (strcmp(r->columns[i].name, name) == 0)
			return &r->columns[i];
	return NULL;
}

const struct cat_former *
catalog_formers(const struct catalog *c, uint32_t relation, int16_t column, size_t *n)
{
	const struct cat_former *f = small_formers, *end = f != NULL ? f + nsmall_formers : NULL;

	(void)c;
	*n = 0;
	if (f == NULL)
		return NULL;
	while (f < end && (f->relation != relation || f->column != column))
		f++;
	for (*n = 0; f + *n < end && f[*n].relation == relation && f[*n].column == column;)
		++*n;
	return *n > 0 ? f : NULL;
}

#endif
