/* proxy/upstream.h - the way to the PostgreSQL server.
 *
 * An upstream is a parsed connection URL or key=value string (libpq's own
 * parser reads it). dial_start() connects and negotiates TLS as sslmode says
 * and hands over a struct conn on which nothing of the startup has been said
 * (pass-through authentication relays it). login_start() lets libpq do the
 * whole of it, login included, and hands over the socket and SSL object
 * (ARCHITECTURE D2); no libpq call touches the relay path after that.
 *
 * Nothing here blocks: names are resolved by evdns, several hosts and
 * addresses are tried in order, connect_timeout (default 10 s) holds for each.
 * An upstream is immutable and shared by all threads; dials and logins belong
 * to the loop that they were started on.
 */
#ifndef UPSTREAM_H
#define UPSTREAM_H

#include "conn.h"

struct upstream;

struct upstream	*upstream_parse(const char *url, struct err *);
void		 upstream_free(struct upstream *);
const char	*upstream_user(const struct upstream *);	/* NULL when the URL has none; the same for the next two */
const char	*upstream_password(const struct upstream *);
const char	*upstream_database(const struct upstream *);
const char	*upstream_name(const struct upstream *);	/* "host:port" for messages; no secrets */
const char	*upstream_setting(const struct upstream *, const char *key);	/* any key of the URL ("channel_binding"); NULL: absent */
bool		 upstream_may_tls(const struct upstream *);	/* sslmode is not disable and it is not a unix socket */

/* done gets the connected conn, or NULL and why. It is called once, from the
 * loop, unless dial_stop() came first. */
struct dial;
struct dial	*dial_start(struct loop *, const struct upstream *, void (*done)(void *arg, struct conn *, const char *why), void *arg);
/* The server refused the startup on a conn that was, or was not, TLS: sslmode allow and prefer then try the
 * other way, as libpq does. NULL: there is none. */
struct dial	*dial_other_way(struct loop *, const struct upstream *, bool was_tls, void (*done)(void *arg, struct conn *, const char *why),
		    void *arg);
void		 dial_stop(struct dial *);	/* not after done was called */

/* Sends one CancelRequest to the address of that peer, over TLS when tls, and
 * closes. done(arg) is called once, when the server has closed its side (so
 * the signal has been sent) or after 5 s; it may be NULL. Independent of any session. */
void		 dial_cancel(struct loop *, const struct upstream *, const struct sockaddr_storage *, socklen_t, bool tls, uint32_t pid,
		    const uint8_t *key, size_t key_len, void (*done)(void *arg), void *arg);

/* libpq logs in. params are startup parameters besides user and database. */
struct login_param { const char *name, *value; };
struct login;
struct server_login {			/* what a login gives; owned by the conn, released with it */
	void		*pgconn;	/* PGconn */
};
struct login	*login_start(struct loop *, const struct upstream *, const char *user, const char *password, const char *database,
		    const struct login_param *, size_t, void (*done)(void *arg, struct conn *, struct server_login *, const char *why,
		    const char *sqlstate), void *arg);
void		 login_stop(struct login *);
/* ParameterStatus values that libpq has seen: calls f for each that it knows. */
void		 login_parameters(const struct server_login *, void (*f)(void *arg, const char *name, const char *value), void *arg);
/* Cancels what runs on it, by PQcancel() on a thread of its own; done as above. */
void		 login_cancel(struct loop *, const struct server_login *, void (*done)(void *arg), void *arg);

#endif
