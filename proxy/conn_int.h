/* proxy/conn_int.h - what loop.c, conn.c, conn_out.c and conn_tls.c share.
 *
 * Sockets are watched edge-triggered. The events of a connection are added
 * once; pausing it is a flag and costs no system call, and EPOLLRDHUP tells of
 * a vanished peer even then. The price: what the kernel reported is remembered
 * in `readable` until a recv() comes back short. A FIN that arrives together
 * with data gives no second edge, so `hup` keeps us reading up to the end.
 *
 * Whatever cannot be told at once, because a conn_ call may not call back or
 * because others must have their turn, is noted in `later` and done by the
 * loop's next turn.
 */
#ifndef CONN_INT_H
#define CONN_INT_H

#include <sys/queue.h>

#include <event2/event.h>
#include <event2/event_struct.h>
#include <openssl/types.h>

#include "bufpool.h"
#include "conn.h"

#define READ_SIZE	((size_t)64 << 10)	/* one recv() */
#define PREPEND_MAX	((size_t)8 << 10)	/* a rest up to this is put before the next recv()'s bytes */
#define READ_ROUNDS	4			/* recv() calls for one connection before others get their turn */
#define DIRECT_MIN	((size_t)32 << 10)	/* writes this long go out without being copied */
#define HIGH_MARK	((size_t)256 << 10)
#define LOW_MARK	((size_t)64 << 10)

TAILQ_HEAD(conn_list, conn);

/* Something without an owner (a cancel on its way) that ends with the loop. */
struct guest {
	TAILQ_ENTRY(guest)	 next;
	void			(*leave)(struct guest *);	/* removes and frees itself */
};

TAILQ_HEAD(guest_list, guest);

struct loop {
	struct event_base	*base;		/* owned */
	struct evdns_base	*dns;		/* owned; NULL when libevent could make none */
	struct event		*turn;		/* owned: a timer of 0, for all that is done later */
	bool			 turn_set;
	unsigned		 depth;		/* in a callback of ours: loop_now() may remember */
	int64_t			 now;		/* 0: not taken in this turn */
	uint8_t			*scratch;	/* owned: PREPEND_MAX + READ_SIZE, what every connection reads into */
	struct bufpool		 pool;
	struct conn_list	 conns;		/* all that are not closed */
	struct conn_list	 dirty;		/* have output that nobody has tried to send */
	struct conn_list	 later[2];	/* one is filled while the other is worked off */
	unsigned		 filling;	/* index of the one that is filled */
	struct conn_list	 dead;		/* closed; freed by the next turn */
	struct guest_list	 guests;
	struct mailbox		*mailbox;	/* one reference */
	size_t			 resolving;	/* names asked for, see resolve.c */
};

enum conn_later {
	LATER_READ	= 1,	/* deliver what is left, then read */
	LATER_DRAINED	= 2,
	LATER_HANDSHAKE	= 4
};

enum conn_end { END_NONE, END_EOF, END_ERROR };

struct conn_tls {
	struct ssl_st	*ssl;		/* owned, unless the conn is borrowed */
	struct buf	 raw;		/* direct TLS: the hello, read before we knew what it was */
	bool		 ready;		/* handshake done */
	bool		 server;
	bool		 eof;		/* the socket's end was read */
	bool		 closed;	/* close_notify was read */
	bool		 broken;	/* no SSL call makes sense any more */
	bool		 more;		/* OpenSSL holds input that was not asked for yet */
	bool		 read_wants_write;
	bool		 write_wants_read;
};

struct conn {
	struct loop		*loop;		/* borrowed; outlives the conn */
	TAILQ_ENTRY(conn)	 all;		/* in loop->conns or loop->dead */
	TAILQ_ENTRY(conn)	 dirty_next;
	TAILQ_ENTRY(conn)	 later_next;
	struct conn_list	*later_in;	/* borrowed from loop; NULL: in none */
	unsigned		 later;		/* enum conn_later */
	int			 fd;		/* owned, unless borrowed */
	struct event		 on_read, on_write;
	void			(*event)(struct conn *, enum conn_event, void *arg);
	void			*arg;
	void			(*release)(void *);	/* set: fd and TLS belong to somebody else */
	void			*release_arg;

	const uint8_t		*lent;		/* in loop->scratch, while CONN_DATA is delivered */
	size_t			 lent_len;
	struct buf		 left;		/* input that was not consumed */
	size_t			 expect;	/* do not ask before so much is there */
	struct buf		 out;
	struct conn_tls		*tls;		/* owned; NULL: plain */
	struct event		*linger;	/* owned; set while closing politely */
	char			*error;		/* owned */
	enum conn_end		 end;		/* noticed, maybe not told yet */
	char			 address[INET6_ADDRSTRLEN];

	bool			 readable;	/* the kernel may have input */
	bool			 hup;		/* the peer has sent its FIN */
	bool			 paused;
	bool			 patient;	/* conn_read_to_end() */
	bool			 told;		/* of its end */
	bool			 told_gone;	/* early, while paused */
	bool			 spoke;		/* something was consumed or written: too late for direct TLS */
	bool			 dirty;
	bool			 blocked;	/* the kernel's buffer is full */
	bool			 writing;	/* on_write is added */
	bool			 full;		/* passed the high mark, CONN_DRAINED is owed */
	bool			 deaf;		/* writing has failed: nothing more goes out */
	bool			 closed;
};

/* loop.c */
void	 loop_enter(struct loop *);		/* first thing in a libevent callback */
void	 loop_leave(struct loop *);		/* last thing: sends what was written */
void	 loop_schedule(struct loop *);		/* there is work for the next turn */
struct mailbox *loop_mailbox(struct loop *);

/* conn.c */
void	 conn_do_later(struct conn *, enum conn_later);
void	 conn_turn(struct conn *, unsigned later);	/* does it */
void	 conn_free(struct conn *);
void	 conn_tell(struct conn *, enum conn_event);
void	 conn_fail(struct conn *, const char *fmt, ...) printf_like(2, 3);
void	 conn_input_ready(struct conn *);

/* conn_in.c */
void	 conn_read(struct conn *);
void	 conn_redeliver(struct conn *);

/* conn_out.c */
void	 conn_flush(struct conn *);		/* never calls back */
void	 conn_mark_dirty(struct conn *);
void	 conn_block(struct conn *);		/* wait until the kernel takes more */
void	 conn_on_writable(evutil_socket_t, short, void *);
ssize_t	 conn_send(struct conn *, const void *, size_t);	/* to the socket; 0: blocked or failed */

/* conn_tls.c */
bool	 conn_tls_adopt(struct conn *, struct ssl_st *, bool server, bool ready);
void	 conn_tls_handshake(struct conn *);
bool	 conn_tls_pending(const struct conn *);			/* input that OpenSSL holds already */
ssize_t	 conn_tls_read(struct conn *, uint8_t *, size_t);	/* 0: nothing now; -1: ended, c->end says how */
size_t	 conn_tls_write(struct conn *, const uint8_t *, size_t); /* 0: blocked or failed */
void	 conn_tls_goodbye(struct conn *);			/* close_notify, once */
void	 conn_tls_free(struct conn *);

#endif
