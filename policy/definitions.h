/* policy/definitions.h - guards for PostgreSQL's own catalogs.
 *
 * System catalogs are open to everybody, and some of their columns show what
 * stands inside of objects: labels of an enum, defaults of columns, texts of
 * functions and policies, row counts. Where such a column is read, the
 * catalog is replaced by a subquery in which the column raises an error
 * (GUARD_MARKER in it) on rows of objects that the profile may not see. What
 * is only listed stays as it is, so psql's and the ORMs' questions work as long as
 * their conditions leave such rows out.
 *
 * The masks of text and number columns are made of strict functions only, so
 * that the planner evaluates them above outer joins. Columns of other types
 * (pg_node_tree) need a CASE, which is evaluated below an outer join that may
 * put NULLs there, on rows that are joined to nothing: there (GUARD_NULLABLE)
 * they give NULL instead of raising.
 *
 * A few columns are closed to everybody (options of foreign servers), some rows
 * are (settings that name files and commands). Lists of more than
 * DEFINITIONS_MAX objects close the column instead.
 */
#ifndef DEFINITIONS_H
#define DEFINITIONS_H

#include "guard.h"
#include "rights.h"

#define DEFINITIONS_MAX 2000

/* As rights_restricted() lists them: OIDs in ascending order, borrowed. */
struct restricted_objects {
	const uint32_t *oids[RESTRICTED_LISTS];
	size_t n[RESTRICTED_LISTS];
};

/* NULL: nothing in this catalog is hidden, or it is none of PostgreSQL's. Never fails. */
struct guard *
definitions_make(const struct profile *, const struct catalog *, const struct restricted_objects *, const struct cat_relation *);

/* '{1,2,3}' as an array of OIDs, cast; of one list. */
void definitions_oids(const struct restricted_objects *, enum restricted, struct sb *);

/* The regular expression that fits the numbers of these lists (bits 1 << enum
 * restricted), in quotes. False: too many. */
bool definitions_pattern(const struct restricted_objects *, unsigned lists, struct sb *);

/* Settings that name files, commands and keys of the server: SHOW and current_setting() of them are nobody's business. */
bool definitions_setting_closed(const char *name);

#endif
