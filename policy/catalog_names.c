/* policy/catalog_names.c - looks up the generated lists of system relations. */
#include <stdlib.h>
#include <string.h>

#include "catalog_names.h"
#include "profile.h"

enum leak { OPEN, LEAKS };
enum since { ALWAYS, LATER };

struct catalog_row {
	const char *name;
	enum leak leak;
	enum since since;
};

static const struct catalog_row pg_catalog[] = {
#define CATALOG_PG_CATALOG
#include "catalog_names.inc"
#undef CATALOG_PG_CATALOG
};

static const struct catalog_row information_schema[] = {
#define CATALOG_INFORMATION_SCHEMA
#include "catalog_names.inc"
#undef CATALOG_INFORMATION_SCHEMA
};

static int
compare(const void *name, const void *row)
{
	return strcmp(name, ((const struct catalog_row *)row)->name);
}

static const struct catalog_row *
find(const char *schema, const char *name)
{
	if (strcmp(schema, "pg_catalog") == 0)
		return bsearch(name, pg_catalog, nitems(pg_catalog), sizeof(pg_catalog[0]), compare);
	if (strcmp(schema, "information_schema") == 0)
		return bsearch(name, information_schema, nitems(information_schema), sizeof(information_schema[0]), compare);
	return NULL;
}

enum catalog_answer
catalog_find(const char *schema, const char *name)
{
	const struct catalog_row *row = find(schema, name);

	if (row == NULL)
		return CATALOG_NONE;
	return row->leak == LEAKS ? CATALOG_LEAKS : CATALOG_OPEN;
}

bool
catalog_certain(const char *name)
{
	const struct catalog_row *row = find("pg_catalog", name);

	return row != NULL && row->since == ALWAYS;
}

bool
catalog_relation(const char *name)
{
	return find("pg_catalog", name) != NULL;
}

bool
extension_view_leaks(const char *name)
{
	return strcmp(name, "pg_stat_statements") == 0 || strcmp(name, "pg_buffercache") == 0;
}
