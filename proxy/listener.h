/* proxy/listener.h - sockets that clients connect to.
 *
 * One listener per address and worker; TCP ones share their port by
 * SO_REUSEPORT, a unix socket's descriptor is shared by all workers. At file
 * descriptor exhaustion accepting pauses (a spare descriptor is used to turn
 * the waiting client away) and resumes by itself.
 */
#ifndef LISTENER_H
#define LISTENER_H

#include "conn.h"

struct listen_address {			/* parsed "HOST:PORT", "[::1]:PORT", "*:PORT", "unix:PATH" */
	struct sockaddr_storage	 addr;
	socklen_t		 len;
	char			 text[160];
};

bool	listen_address_parse(const char *, struct listen_address *, struct err *);

/* A listening socket; port 0 is replaced by what the kernel gave, in addr and text.
 * For unix sockets a stale file is removed (not one that answers), mode 0777 or as given. */
int	listen_open(struct listen_address *, mode_t unix_mode, struct err *);
/* Nobody listens there. SO_REUSEPORT would let a second pgmoat of the same user take half of the
 * clients in silence, with another policy: ask once, before the first worker's listen_open(). */
bool	listen_probe(const struct listen_address *, struct err *) must_check;
void	listen_unlink(const struct listen_address *);	/* removes a unix socket's file */

struct listener;
struct listener	*listener_new(struct loop *, int fd, void (*accepted)(void *arg, int fd), void *arg);	/* borrows fd */
void		 listener_free(struct listener *);

/* Half-open connections per address: before login only. Shared by all threads. */
struct halfopen;
struct halfopen	*halfopen_new(size_t per_address);
void		 halfopen_free(struct halfopen *);
bool		 halfopen_enter(struct halfopen *, const char *address);	/* false: too many from there */
void		 halfopen_leave(struct halfopen *, const char *address);

#endif
