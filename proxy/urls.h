/* proxy/urls.h - everything in a command line and environment that leads to a database.
 *
 * Finds Postgres URLs and key=value strings in arguments and variables, the
 * PG* variables, and families like DB_HOST, DB_PORT, DB_USER. Answers which
 * one server they mean, and makes the copy of arguments and environment in
 * which they all lead to the guard. The originals are not changed, until
 * urls_wipe().
 */
#ifndef URLS_H
#define URLS_H

#include "dburl.h"

struct place {			/* one thing that was found */
	char		*name;		/* owned; "argument 2", "DATABASE_URL", "DB_HOST" */
	struct target	 target;
};

struct urls {
	struct place	*places;	/* owned */
	size_t		 n;
	bool		 given;		/* --upstream names one: PG* and DATABASE_URL are set even when nothing was found */
};

/* upstream: the value of --upstream, or NULL. Fails on what is a URL but cannot be read. */
bool	urls_find(struct urls *, const char *upstream, char *const *argv, char *const *env, struct err *);
void	urls_release(struct urls *);
/* The one server that all places mean, completed with libpq's defaults. Fails
 * when nothing was found or two places differ; the text may have several lines. */
bool	urls_target(const struct urls *, struct target *, struct sb *error);

/* New NULL-terminated vectors, owned by the caller (who is about to exec). secret: the
 * real password, or NULL; arguments and variables that are it become the guard's. */
char	**urls_argv(char *const *argv, const struct guard *, const char *secret);
char	**urls_env(const struct urls *, char *const *env, const struct guard *, const char *secret);
/* Names what still holds the secret, comma separated; nothing when nothing does. */
void	urls_leaks(char *const *argv, char *const *env, const struct target *, struct sb *out);

/* Overwrites everything in the originals that holds a URL or the secret. */
void	urls_wipe(char *const *argv, char *const *env, const struct target *);

#endif
