/* policy/catalog_names.h - what is known of the system schemas without asking a server.
 *
 * Generated from a running PostgreSQL by gen_functions.py; newer versions'
 * relations are listed by hand there. Static, so answers live for ever.
 */
#ifndef CATALOG_NAMES_H
#define CATALOG_NAMES_H

#include "base.h"

enum catalog_answer {
	CATALOG_NONE, /* no relation of that name that we know */
	CATALOG_OPEN,
	CATALOG_LEAKS /* shows what its reader may not see elsewhere: values, passwords, other sessions */
};

/* schema is "pg_catalog" or "information_schema"; others have none. */
enum catalog_answer catalog_find(const char *schema, const char *name);

/* In pg_catalog of every supported version: an unqualified use of the name always means it. */
bool catalog_certain(const char *name);

/* Views that extensions make in a schema of the user's choice, and that leak. */
bool extension_view_leaks(const char *name);

#endif
