/* policy/rights.h - what one profile may do with each object of one catalog.
 *
 * The profile's globs meet the database's objects here: a relation stands
 * open, guarded (columns or rows of it are hidden: it is substituted) or
 * denied; a view stands as what its body reads, functions and operators as
 * what they run. Answers are worked out when first asked for and remembered.
 * Without a catalog only the names are known and profile.h answers instead.
 *
 * Views run with their owner's rights, so a view over something closed is
 * closed wherever it stands, unless tables.allow names it letter by letter:
 * its body is then trusted, and so is a foreign table. A column of a view
 * that is nothing but a literal is left out (rights_guard.c says why).
 *
 * Roles and their privileges are not known here. A schema of the path that
 * the server passes over, since its user has no USAGE on it, is not passed
 * over here: the role behind the proxy needs USAGE on the schemas of the
 * path, or these hold no names in common.
 *
 * One thread at a time. A struct rights holds references to its policy and
 * its catalog; its generation is part of the verdict cache's key.
 */
#ifndef RIGHTS_H
#define RIGHTS_H

#include "guard.h"
#include "parse.h"
#include "types.h"

enum standing {
	STANDING_OPEN,
	STANDING_GUARDED, /* reading it needs the substitution; see guard */
	STANDING_DENIED
};

struct relation_rights {
	enum standing standing;
	enum rule rule;            /* when denied: schema_denied, table_denied, column_denied, function_denied... */
	const char *why;           /* when denied; owned by the rights; NULL: the rule says it all */
	const struct guard *guard; /* when guarded */
};

/* Public face (include/policy.h): rights_new(), rights_ref(), rights_unref(), rights_generation(). */

const struct catalog *rights_catalog(const struct rights *); /* NULL: none */
const struct profile *rights_profile(const struct rights *);
const struct policy *rights_policy(const struct rights *);
/* Namespaces of the effective search_path, in order, pg_catalog first unless it is written elsewhere; those that do not exist are not there. */
const uint32_t *rights_path(const struct rights *, size_t *n);

/* While a text is judged: bodies of views are parsed in its memory. */
void rights_set_parser(struct rights *, struct parser *);

/* As PostgreSQL finds it; schema NULL or "": along the path. NULL: there is none. Temporary tables are in no catalog. */
const struct cat_relation *rights_find_relation(const struct rights *, const char *schema, const char *name);

/* only: without its inheritance children. Follows views, rules, inheritance
 * in both directions, foreign tables, row-security policies, virtual columns,
 * indexes and TOAST tables to their table. */
const struct relation_rights *rights_relation(struct rights *, const struct cat_relation *, unsigned access, bool only);

/* May it be called? nargs: as written, -1 when it is reached without a call
 * in the text (a cast, an operator class, a type's CHECK). Defaults of
 * arguments that are left out are judged with it. why (may be NULL) gets ""
 * or words that fit behind "refused: "; they live as long as the rights. */
enum function_answer rights_function(struct rights *, const struct cat_function *, int nargs, const char **why);

/* Reached by a value of that type being made: schema denied, CHECKs and input
 * functions not allowed. why may be NULL. */
bool rights_type(struct rights *, const struct cat_type *, const char **why);

/* --- what the policy itself closes, for those who must hide definitions too --- */

/* Closed to reading by the policy's lists (schema, table, column), or a view
 * over such; not what is closed for other reasons: the leaking system
 * catalogs, foreign tables, functions that are not allowed, children that are. */
bool rights_restricted_relation(struct rights *, const struct cat_relation *);
/* A user's own function that may not be called: its text is nobody's business
 * either. Those of an extension only in a closed schema. */
bool rights_restricted_function(struct rights *, const struct cat_function *);
/* Of a closed schema, or the row type of a restricted relation, or the array of such. */
bool rights_restricted_type(struct rights *, const struct cat_type *);
bool rights_restricted_schema(const struct rights *, const char *name);

enum restricted { RESTRICTED_RELATIONS, RESTRICTED_FUNCTIONS, RESTRICTED_TYPES, RESTRICTED_SCHEMAS, RESTRICTED_LISTS };

/* Their OIDs, ascending; worked out when first asked for, kept with the
 * rights. Of views only those are judged that could be closed: they depend on
 * something that is, or show literals. May be long (an allow list of a few
 * tables closes all others). */
const uint32_t *rights_restricted(struct rights *, enum restricted, size_t *n);

#endif
