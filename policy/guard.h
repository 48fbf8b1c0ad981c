/* policy/guard.h - what may be seen of one relation, and the subquery that shows it.
 *
 * A guard says for each column of a relation whether it is open, denied or
 * masked, and which rows there are. It is made from the profile's column
 * rules and row filters and the relation's columns; the rules of an
 * inheritance parent or partitioned table hold for its children, and those of
 * a former name (catalog_follow.c) for what was renamed. A column that is made
 * of a hidden one (GENERATED ... STORED) is hidden, too, and so is one whose
 * values hold whole rows of a relation that is not all open (guard_rows.c):
 * of the mere lists, nothing else comes into a guard. guard_sql()
 * writes the subquery that stands for the relation (ARCHITECTURE, D5), with
 * each column's own type kept. Pure text: parses nothing, judges nothing; the
 * expressions of the policy were parsed when it was loaded (expression.h).
 *
 * Rules meet the system schemas only when they name them: "*.*.name" is not
 * about pg_settings. What is hidden there comes from definitions.h.
 */
#ifndef GUARD_H
#define GUARD_H

#include "objects.h"
#include "profile.h"

/* In the server's error when a row of a restricted object is read in a system catalog. */
#define GUARD_MARKER " pgmoat:restricted"

struct guard {
	const struct cat_relation *relation; /* borrowed from the catalog */
	enum column_action *actions;         /* one a column, in the order of relation->columns */
	char **masks;                        /* owned; SQL expression of a masked column, type kept; else NULL */
	char **quiet; /* owned, definitions only: the same where NULL rows may be joined to it; NULL: as masks */
	char **whys;  /* owned; why a column is denied that no rule denies, to stand behind "refused: "; else NULL */
	char *filter; /* owned; SQL condition, NULL: all rows */
	size_t ndenied, nmasked;
	bool definitions; /* one of PostgreSQL's own catalogs: substitute only where a masked column is read */
	bool keyed;       /* a mask uses the mask key, by current_setting('pgmoat.mask_key') */
};

/* NULL: nothing about this relation is restricted, columns or rows. False and
 * why when a rule cannot be kept (a mask that its column's type does not
 * bear); the relation is then to be refused. */
bool guard_make(const struct profile *, const struct catalog *, const struct cat_relation *, struct guard **, struct err *why);
struct guard *guard_new(const struct cat_relation *); /* all columns open, all rows */
void guard_free(struct guard *);                      /* NULL is fine */

enum column_action guard_column(const struct guard *, const char *column); /* unknown names are COLUMN_OPEN */

/* Does a column of it have a row type, or one made of such? Only then can there be a guard without rules and filters. */
bool guard_holds_rows(const struct catalog *, const struct cat_relation *);
bool guard_filter_fits(const struct row_filter *, const struct catalog *, const struct cat_relation *); /* parents aside */

/* What the guard would say of one column, parents included, without making it. What the profile's rules alone do. */
enum column_action
guard_action_for(const struct profile *, const struct catalog *, const struct cat_relation *, const struct cat_column *);
enum column_action
guard_rule_for(const struct profile *, const struct catalog *, const struct cat_relation *, const struct cat_column *);
bool guard_touches(
    const struct profile *, const struct catalog *, const struct cat_relation *); /* could a rule or a filter be about it? */
bool guard_has_filter(const struct profile *, const struct catalog *, const struct cat_relation *);

/* "(SELECT id, ... FROM [ONLY] schema.name [WHERE ...] [OFFSET 0])", without
 * alias. OFFSET 0 keeps conditions of the client's from being tried on rows
 * that the filter hides. */
void guard_sql(const struct guard *, const struct catalog *, bool only, struct sb *);

enum guard_use {
	GUARD_ONLY = 1,
	GUARD_NULLABLE = 2, /* an outer join may put NULLs in its place: see definitions.h */
	GUARD_TABLEOID = 4  /* tableoid is a column of it, too */
};

void guard_sql_for(const struct guard *, const struct catalog *, unsigned use, struct sb *);

void guard_name(struct sb *, const char *);                                                 /* "name", quoted */
void guard_literal(struct sb *, const char *);                                              /* 'text' */
void guard_relation_name(const struct cat_relation *, const struct catalog *, struct sb *); /* "schema"."name" */

#endif
