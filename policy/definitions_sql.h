/* policy/definitions_sql.h - the masks of definitions.c as text. Private to the two. */
#ifndef DEFINITIONS_SQL_H
#define DEFINITIONS_SQL_H

#include "definitions.h"

enum owner {
	OWNER_RELATION, /* keys[0]: its OID */
	OWNER_VALUES,   /* the same; those with hidden columns or rows, too: it shows values */
	OWNER_COLUMN,   /* OID and number; hidden columns, too */
	OWNER_TYPE,
	OWNER_FUNCTION,
	OWNER_CONSTRAINT,    /* OIDs of relation and domain; one of them is 0 */
	OWNER_COMMENT,       /* OIDs of object and catalog */
	OWNER_RELATION_NAME, /* schema and name */
	OWNER_COLUMN_NAME,   /* schema, name, column */
	OWNER_TYPE_NAME,
	OWNER_SCHEMA_NAME,
	OWNER_SPECIFIC_NAME, /* of a function: name_oid */
	OWNER_SETTING,       /* its name */
	OWNER_ANYBODY,       /* every row, when the profile restricts anything at all; a key that is not empty */
	OWNER_SERVER,        /* every row; the same */
	OWNER_CLOSED         /* no row; the column is denied */
};

struct definition {
	const char *schema, *relation; /* the relation is a glob */
	const char *column;            /* NULL: all of type bigint */
	enum owner owner;
	const char *keys[3]; /* columns of the same row that say whose it is */
};

struct definition_text {
	const struct profile *profile;
	const struct catalog *catalog;
	const struct restricted_objects *restricted;
	size_t written; /* bytes of masks so far */
};

enum definition_answer { DEFINITION_OPEN, DEFINITION_MASKED, DEFINITION_TOO_MANY };

/* quiet stays empty where loud may stand in its place. */
enum definition_answer
definition_write(struct definition_text *, const struct definition *, const struct cat_column *, struct sb *loud, struct sb *quiet);

const char *const *definitions_settings(size_t *n); /* names of closed settings */

#endif
