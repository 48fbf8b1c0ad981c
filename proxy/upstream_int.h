/* proxy/upstream_int.h - what the parts of an upstream share.
 *
 * upstream.c parses, route.c turns hosts into addresses, attempt.c connects to
 * one of them, login_error.c reads libpq's complaints; dial.c, cancel.c and
 * login.c are what others ask for.
 */
#ifndef UPSTREAM_INT_H
#define UPSTREAM_INT_H

#include "conn_int.h"
#include "tls.h"
#include "upstream.h"

/* --- the parsed URL ------------------------------------------------------ */

struct upstream_host {
	char	*name;		/* owned: name, numeric address or directory; NULL: only address is known */
	char	*address;	/* owned: hostaddr; NULL: look the name up */
	char	*port;		/* owned */
	bool	 local;		/* a unix socket below the directory `name` */
};

struct upstream {
	struct upstream_host	*hosts;		/* owned */
	size_t			 nhosts;
	void			*options;	/* owned: PQconninfoOption, as parsed */
	char			*name;		/* owned */
	enum sslmode		 sslmode;
	struct tls_client	*tls;		/* owned; NULL: sslmode=disable or unix sockets only */
	bool			 direct;	/* sslnegotiation=direct */
	int			 timeout;	/* seconds for one attempt; 0: for ever */
};

/* --- route: the addresses of an upstream, one after the other ------------ */

struct place {
	const struct upstream_host	*host;	/* borrowed from the upstream; NULL: not known (a cancel) */
	struct sockaddr_storage		 addr;
	socklen_t			 len;
};

struct route;
struct route	*route_new(struct loop *, const struct upstream *, void (*reached)(void *arg, const struct place *), void *arg);
void		 route_free(struct route *);
/* reached() gets the next one, or NULL after the last. From the loop, later. */
void		 route_next(struct route *);
/* Why it went wrong with the current place; the reasons are joined for the end. */
void		 route_failed(struct route *, const char *why);
const char	*route_reasons(const struct route *);
size_t		 route_reached(const struct route *);	/* how many places there were until now */

/* --- attempt: connect to one address, negotiate TLS ---------------------- */

enum encrypt { ENCRYPT_NO, ENCRYPT_IF_OFFERED, ENCRYPT_ALWAYS };

/* done gets the conn, its callback not set, or NULL and why; tls_failed: plain
 * may work. Called once from the loop, unless attempt_stop() came first. */
struct attempt;
struct attempt	*attempt_start(struct loop *, const struct upstream *, const struct place *, enum encrypt,
		    void (*done)(void *arg, struct conn *, const char *why, bool tls_failed), void *arg);
void		 attempt_stop(struct attempt *);

/* --- login_error: what libpq says when a login fails ---------------------- */

/* libpq's text (PQERRORS_VERBOSE) as the server's message and SQLSTATE; "" when
 * it never came to a server's answer. */
void	login_read_error(const char *text, char sqlstate[6], struct err *why);

#endif
