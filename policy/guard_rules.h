/* policy/guard_rules.h - which of a profile's column rules and row filters are about a relation.
 *
 * Those that fit the relation itself, those above it in inheritance, and the
 * names that these and their columns had. For guard*.c only.
 */
#ifndef GUARD_RULES_H
#define GUARD_RULES_H

#include "guard.h"

/* A relation, its parents, theirs, and so on; each once. */
#define ANCESTORS_MAX 256

struct lineage {
	const struct cat_relation *of[ANCESTORS_MAX]; /* of[0]: the relation itself */
	const char *schemas[ANCESTORS_MAX];
	size_t n;
};

/* False when there are more than anyone has. */
bool lineage_find(struct lineage *, const struct catalog *, const struct cat_relation *) must_check;

/* Of the relation and its parents, the strictest; of two masks, the nearer one. NULL: none fits. */
const struct column_rule *
lineage_rule(const struct profile *, const struct catalog *, const struct lineage *, const struct cat_column *);
bool lineage_filtered(const struct row_filter *, const struct catalog *, const struct lineage *);
bool lineage_touched(const struct profile *, const struct catalog *, const struct lineage *); /* by a rule or a filter */

/* --- guard_rows.c: types whose values hold whole rows --- */

/* Is it the row type of a relation that is closed or guarded, or made of such? Then why says of which. */
bool guard_type_closed(const struct profile *, const struct catalog *, uint32_t type, struct err *why);

#endif
