/* policy/needs.c - what a session has to know of its profile before it judges. */
#include "profile.h"

/* All is allowed, by lists that are not there: no name has to be resolved. */
bool
profile_needs_catalog(const struct profile *p)
{
	return p->read_only || !p->user_defined_allow || !p->volatile_allow || p->schemas_allow.set || p->schemas_deny.n > 0 ||
	       p->tables_allow_set || p->ntables_deny > 0 || p->nfunctions_deny > 0 || p->ncolumns > 0 || p->nrow_filters > 0 ||
	       p->statements_deny != 0 || p->writes != WRITES_ALLOW;
}

const char *
profile_mask_key(const struct profile *p)
{
	return p->mask_key;
}

bool
profile_path_is_default(const struct profile *p)
{
	return !p->search_path.set;
}
