/* proxy/dburl.h - Postgres URLs and key=value strings, found in text and made to point at the guard.
 *
 * Understands what clients understand, which is more than libpq: schemes with
 * a driver (postgresql+asyncpg://), JDBC's prefix, passwords with an "@" in
 * them, parameters that only one driver knows. Knows no processes and no
 * environment.
 */
#ifndef DBURL_H
#define DBURL_H

#include "target.h"

struct guard {			/* borrowed: where clients connect instead */
	const char	*host;		/* address, or the directory of a unix socket */
	const char	*port;
	const char	*user, *password, *dbname;
};

/* The next URL in text at or behind from: its place and length. */
bool	dburl_find(const char *text, size_t from, size_t *at, size_t *len);
/* What it states. Fails on broken percent-encoding. */
bool	dburl_read(const char *url, size_t len, struct target *, struct err *);
/* The same URL with the guard in it; parameters about the session stay. */
void	dburl_guard(const char *url, size_t len, const struct guard *, struct sb *out);

/* A key=value string that names a host or a database: all of text, or what stands behind
 * --flag=. Answers where it begins and fills in the target, or NULL. */
const char *pairs_find(const char *text, struct target *);
void	pairs_guard(const struct target *, const struct guard *, struct sb *out);

#endif
