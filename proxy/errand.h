/* proxy/errand.h - a Query of our own on a session's server connection.
 *
 * Runs while the server owes the client nothing and the client's next message
 * waits; the client sees nothing of it, but for settings and notifications
 * that the server tells of at any time. Inside a transaction block it runs
 * between a savepoint and the way back to it, so that neither an error nor a
 * setting stays behind. One at a time in a session.
 *
 * done() is called once, whatever happens, and may start the next one. The
 * rows are bounded in size, the whole in time; a server that goes beyond
 * either in spite of its own timeouts loses the session.
 */
#ifndef ERRAND_H
#define ERRAND_H

#include "session.h"

#define ERRAND_COLUMNS 64 /* of one row */

struct errand_job {
	const char *what; /* for the log; static storage */
	int64_t timeout;  /* milliseconds, of all of it */
	size_t max_bytes; /* of all rows */
	/* One row of the result with that number, from 0; values are terminated, NULL where NULL. False: no
	 * more rows come, and the errand fails with what err says. May be NULL. */
	bool (*row)(void *arg, size_t result, const char *const *values, size_t n, struct err *);
	/* error NULL: it worked. lost: the session ends, nothing can be sent any more. */
	void (*done)(struct session *, void *arg, const char *error, bool lost);
	void *arg;
	bool told;    /* the client is told of its error, in the server's words */
	bool guarded; /* less the details */
};

/* Is this a moment for one? For a query, in a transaction block only when one of the client's has taken its
 * snapshot already: what may still be said before the first (SET TRANSACTION) must stay possible. */
bool errand_possible(const struct session *, bool query);

void errand_query(struct session *, const struct errand_job *, const char *sql);
/* The same for messages that s->out holds, with a Sync at their end. */
void errand_messages(struct session *, const struct errand_job *);
/* BEGIN, COMMIT and the like: without savepoint; status is what the transaction is in when it worked. */
void errand_command(struct session *, const struct errand_job *, const char *sql, char status);

void errand_answer(struct session *, const uint8_t *frame, size_t len); /* server.c: while one runs */
void errand_tick(struct session *, int64_t now);
void errand_lose(struct session *); /* the session ends; none may run */

#endif
