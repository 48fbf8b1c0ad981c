/* policy/formers.c - denials that follow a relation to its new name. */
#include "formers.h"

const struct cat_former *
former_closed(const struct profile *p, const struct catalog *c, const struct cat_relation *r, unsigned access)
{
	size_t n;
	const struct cat_former *formers = catalog_formers(c, r->oid, 0, &n);

	for (size_t i = 0; i < n; i++)
		if (profile_relation_closed(p, formers[i].schema, formers[i].name, access))
			return &formers[i];
	return NULL;
}

bool
closed_by_name(const struct profile *p, const struct catalog *c, const struct cat_relation *r, unsigned access)
{
	return profile_relation_closed(p, catalog_schema_name(c, r->namespace), r->name, access) ||
	       former_closed(p, c, r, access) != NULL;
}
