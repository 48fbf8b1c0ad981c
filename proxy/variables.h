/* proxy/variables.h - environment variables that describe a database server.
 *
 * libpq's own (PGHOST...), and families of a prefix and a word (DB_HOST, DB_PORT,
 * DB_USER...) that servers and frameworks read. Borrows the strings.
 */
#ifndef VARIABLES_H
#define VARIABLES_H

#include "target.h"

struct variable {
	const char	*name;
	size_t		 name_len;
	const char	*value;
};

bool	variable_split(const char *text, struct variable *);	/* "NAME=value"; false without "=" */
bool	variable_is(const struct variable *, const char *name);
bool	variable_is_libpq(const struct variable *);

extern const char *const families[];	/* prefixes, NULL-terminated */

/* What a family says; false when it names no host, or not PostgreSQL's. host_word: which of its
 * words held the host. */
bool	family_read(char *const *env, const char *prefix, struct target *, const char **host_word);

#define FAMILY_SWITCH	TARGET_NAMED	/* DB_SSL: on or off */
/* What a variable says, as a target's key, if its family names a server; -1 otherwise. */
int	family_key(char *const *env, const struct variable *);

#endif
