/* proxy/conn.h - sockets and TLS as a few named events.
 *
 * A struct loop is one worker's event base, its DNS resolver, the buffer that
 * all of its connections read into and a pool of output and leftover buffers:
 * an idle connection holds none. A struct conn is one connected stream socket
 * (client or server, the same code), plain or TLS by OpenSSL directly on the
 * non-blocking socket. The only file that touches read(), write() and SSL_*
 * of a running connection.
 *
 * Belongs to one thread. Callbacks run from the loop only, never from inside
 * a conn_ call. conn_close() may be called from anywhere, twice; no callback
 * comes after it; the memory goes on the next turn of the loop.
 */
#ifndef CONN_H
#define CONN_H

#include <sys/socket.h>

#include "base.h"

struct event_base;
struct evdns_base;
struct ssl_st;
struct ssl_ctx_st;

struct loop;
struct conn;

struct loop	*loop_new(struct err *);
void		 loop_free(struct loop *);
struct event_base *loop_base(struct loop *);
struct evdns_base *loop_dns(struct loop *);	/* NULL: this machine has no resolver configured */
int64_t		 loop_now(struct loop *);	/* microseconds, monotonic, taken once a turn */
void		 loop_flush(struct loop *);	/* sends what callbacks outside conn.c (timers) have written */

enum conn_event {
	CONN_DATA,	/* conn_input() has more than before */
	CONN_DRAINED,	/* output fell below the low mark after conn_full() was true */
	CONN_TLS,	/* handshake done */
	CONN_EOF,	/* peer closed; what it sent before has been delivered */
	CONN_ERROR	/* conn_error() says why; only conn_close() makes sense now */
};

/* Takes the socket, makes it non-blocking, close-on-exec and TCP_NODELAY, starts reading. */
struct conn	*conn_new(struct loop *, int fd, void (*event)(struct conn *, enum conn_event, void *arg), void *arg);
void		 conn_set_callback(struct conn *, void (*event)(struct conn *, enum conn_event, void *arg), void *arg);
/* For a connection that libpq opened: use its SSL object (may be NULL) and do not
 * close fd or free ssl ourselves; release(arg) does that when the conn ends. */
void		 conn_borrow(struct conn *, struct ssl_st *, void (*release)(void *), void *arg);
void		 conn_close(struct conn *);		/* tries to send what is written first (one write), closes; NULL is fine */
void		 conn_close_when_drained(struct conn *, int milliseconds);	/* keeps sending that long at most, reads nothing */

/* TLS. Input that was read but not consumed when the handshake starts is an
 * injection: conn_start_tls() answers false and the caller closes. The one
 * exception is direct TLS: on a server's connection on which nothing was
 * consumed or written yet, the input is the client's hello and goes to OpenSSL. */
bool		 conn_start_tls(struct conn *, struct ssl_st *, bool server) must_check;	/* owns ssl from here, on false too */
bool		 conn_is_tls(const struct conn *);
struct ssl_st	*conn_ssl(const struct conn *);

/* Input: bytes read and not consumed, in one piece. Borrowed until the next
 * conn_consume() or until the callback returns. */
const uint8_t	*conn_input(struct conn *, size_t *len);
void		 conn_consume(struct conn *, size_t);
/* The caller waits for a message of this many bytes in all: read that far ahead without asking in between. A hint. */
void		 conn_expect(struct conn *, size_t);
void		 conn_pause(struct conn *);	/* stop reading; EOF and errors of the peer are still noticed when writing */
void		 conn_resume(struct conn *);	/* what is left in input is delivered again by CONN_DATA on the next turn */
/* Asks the kernel whether the peer is still there: a reset right behind data gives no event of its own. Now and then. */
void		 conn_probe(struct conn *);
bool		 conn_paused(const struct conn *);
/* A peer that closes while it is paused: CONN_EOF comes at once, though it may
 * have sent more before (a client that vanished has its query cancelled). After
 * this call it always comes behind all that was sent: dial and login set it for
 * servers, whose last words say why. */
void		 conn_read_to_end(struct conn *);

/* Output is copied and sent at the end of the turn in one piece. */
void		 conn_write(struct conn *, const void *, size_t);
size_t		 conn_output(const struct conn *);	/* bytes not sent yet */
bool		 conn_full(const struct conn *);	/* above the high mark (256 kB): stop producing, wait for CONN_DRAINED */

const char	*conn_error(const struct conn *);
/* Numeric address ("10.0.0.7", "::1"; "unix" for a unix socket). */
const char	*conn_address(const struct conn *);
socklen_t	 conn_peer(const struct conn *, struct sockaddr_storage *);

#endif
