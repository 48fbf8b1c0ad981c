/* proxy/target.h - which server a URL, key=value string or environment means.
 *
 * A struct target holds what one place states about a connection, by libpq's
 * keywords; what it does not state is NULL. Used by `pgmoat run` to learn
 * whether everything that its child is given names one server, and to build
 * the connection string of the upstream from it. Values may be secret: they
 * are wiped on release and never part of a message.
 */
#ifndef TARGET_H
#define TARGET_H

#include "base.h"

enum target_role {
	ROLE_PLACE,	/* where and as whom: the guard puts its own there */
	ROLE_SERVER,	/* about the way to the real server: no business of the client any more */
	ROLE_CLIENT,	/* about the session: stays with the client */
	ROLE_BOTH	/* patience: true on either side */
};

/* The first of the table's keywords; the others have no name here. */
enum target_key {
	TARGET_HOST, TARGET_HOSTADDR, TARGET_PORT, TARGET_USER, TARGET_PASSWORD, TARGET_DBNAME, TARGET_SSLMODE, TARGET_SERVICE,
	TARGET_PASSFILE, TARGET_NAMED
};

#define TARGET_KEYS	42

struct target_keyword {
	const char		*keyword;	/* libpq's */
	const char		*variable;	/* environment, or NULL */
	enum target_role	 role;
};
extern const struct target_keyword target_keywords[TARGET_KEYS];

struct target {
	char	*value[TARGET_KEYS];	/* owned; never "" */
};

void	target_release(struct target *);	/* wipes */
int	target_key(const char *keyword);	/* -1: not libpq's */
void	target_set(struct target *, int key, const char *value, size_t);	/* replaces; "" unsets */
void	target_fill(struct target *, const struct target *from);		/* what is not stated yet */

/* A key=value string, read by libpq. */
bool	target_read_pairs(struct target *, const char *text, struct err *);
/* The PG* variables of an environment, none but these. */
void	target_read_environment(struct target *, char *const *env);
/* Fills in what libpq would: this process's PG* variables, the service file, its own defaults. */
bool	target_complete(struct target *, struct err *);

/* A keyword on which both have something to say, and not the same; NULL when
 * they may be one server. */
const char *target_difference(const struct target *, const struct target *);
/* "user@host:port/database" for messages; never the password. */
void	target_describe(const struct target *, struct sb *);
/* Everything about the way to the server as key='value' pairs, password included. */
void	target_conninfo(const struct target *, struct sb *);
/* Appends value as a key=value string wants it quoted. */
void	target_quote(struct sb *, const char *value);

#endif
