/* proxy/session.h - one connected client, from accept to close.
 *
 * A session is a state, a table of messages and a switch. startup.c and
 * auth.c bring it to S_READY. Then client.c reads what the client says
 * (series.c: the extended protocol; refuse.c: how to say no; uses.c: names that
 * a message uses) and server.c what the server sends (answer.c: all but rows;
 * answer_error.c: errors; result.c: counting and caps). gate.c alone calls the judge;
 * refresh.c sees to the catalog that it judges with, by errands (errand.c) of
 * our own between the client's messages.
 * One client has one server connection for as long as it lives.
 *
 * Belongs to its worker's thread. session_close() is the only end, may be
 * called from anywhere, twice; the memory goes on a later turn of the loop.
 */
#ifndef SESSION_H
#define SESSION_H

#include "catalog.h"
#include "message.h"
#include "pipeline.h"
#include "search_path.h"
#include "worker.h"

enum session_state {
	S_STARTUP,    /* waiting for a startup packet */
	S_TLS,        /* handshake with the client runs */
	S_PASSWORD,   /* we asked the client for its password or token */
	S_CONNECTING, /* the server is being reached, or libpq logs in */
	S_AUTH,       /* the server's authentication is relayed */
	S_READY,
	S_CANCEL, /* a CancelRequest: held until the cancel was forwarded */
	S_CLOSING
};

/* How far the session is in step with its database's catalog; refresh.c's. */
struct refresh {
	struct look *look; /* borrowed: what this session is asking; NULL */
	uint64_t message;  /* the client's message that the next four are about */
	int64_t required;  /* the catalog that it is judged by must have been true then or later */
	int64_t since;     /* when it began to wait */
	bool forced;       /* it waits for a probe that only an unknown name is the reason for */
	bool listed;       /* in worker->waiting */
	uint64_t unknown;  /* the message whose unknown name was asked for */
	bool began;        /* a first statement has passed */
	bool changed;      /* the open transaction has changed the catalog */
	bool dirty;        /* and own_catalog is older than that */
	bool blind;        /* the open transaction sees the past: nothing is learnt inside it */
	bool failed;       /* own_catalog could not be read, for this reason */
	struct err error;
};

struct session {
	TAILQ_ENTRY(session) next;
	uint64_t id;                       /* in every log line and audit record */
	enum session_state state;          /* written by session_enter() only */
	struct worker *worker;             /* borrowed: outlives its sessions */
	struct conn *client;               /* owned */
	struct conn *server;               /* owned; NULL until connected */
	struct dial *dial;                 /* owned while connecting */
	struct login *login;               /* owned while libpq logs in */
	struct server_login *server_login; /* owned by server; NULL in pass-through */
	int64_t since;                     /* when it was accepted */
	bool half_open;                    /* counted in gateway->halfopen */
	bool direct_tls;                   /* ClientHello came without SSLRequest */
	bool negotiated;                   /* TLS or its refusal has been settled */

	/* who */
	char *user, *database, *application_name; /* owned; NULL until the startup packet */
	struct principal principal;               /* borrows these and client's address */
	struct policy *policy;                    /* one reference: a reload cannot pull it away */
	const struct profile *profile;            /* of policy */
	const struct limits *limits;              /* of profile */
	bool enforce;                             /* mode enforce: verdicts act */
	uint32_t protocol;                        /* what the client speaks: 3.0 or 3.2 */
	struct setting *settings;                 /* owned: startup parameters for the server */
	size_t nsettings;

	/* what it is judged by */
	struct snapshot *snapshot;   /* one use; NULL: the profile needs no catalog, or catalogs are off */
	struct catalog *own_catalog; /* one reference: what the open transaction has made of it; NULL */
	struct rights *rights;       /* one reference; NULL: to be looked up */
	uint64_t rights_catalog;     /* generation of the catalog that they are about; 0: none */
	struct search_path path;
	struct refresh refresh;
	TAILQ_ENTRY(session) waiting; /* in worker->waiting */
	int server_version;           /* as server_version_num says; 0: unknown */
	bool superuser;               /* the server says so of the login */

	/* what it has used up */
	struct account *account; /* one use; NULL: the profile has no such limits */
	uint64_t charged;        /* the message that a token was taken for */
	struct {
		uint64_t message; /* whose plan was asked for */
		double cost;      /* negative: not known */
	} plan;
	size_t running; /* entries of owed that count as running */
	bool entered;   /* in the account, as one that runs */

	/* cancel */
	struct cancel_key key; /* the client's; pid 0 until login */
	uint32_t server_pid;
	uint8_t server_key[256];
	size_t server_key_len;
	unsigned cancels; /* under way: the client's next message waits for them */

	/* authentication relay */
	bool plus_removed;  /* the server offered SCRAM-SHA-256-PLUS */
	uint32_t asked;     /* the server's last request */
	bool authenticated; /* the server has said AuthenticationOk */
	bool asked_once;    /* the server has answered the startup */
	bool tried_other;   /* sslmode allow or prefer: the second try */

	/* the relay */
	char status;         /* of the last ReadyForQuery: I, T or E */
	int64_t block_since; /* when the transaction began, with or without BEGIN; 0 outside */
	uint64_t number;     /* of the last client message */
	struct pipeline owed;
	struct names *names;   /* owned */
	bool unsynced;         /* extended messages were forwarded and no Sync since */
	bool skipping;         /* an error: the client's messages up to Sync are dropped */
	bool local_sync;       /* that Sync is answered by us: the server has not seen the error */
	bool waits;            /* the client's next message cannot be judged before the server has answered more */
	bool ran;              /* something was bound or executed since the last Sync */
	bool cancel_asked;     /* a cancel came for the message that waits */
	bool looked;           /* the open block has run a query */
	struct errand *errand; /* owned: what we run ourselves; NULL */
	uint64_t closed;       /* number of the last Query or Sync that was forwarded */
	uint64_t flushed;      /* number of the last message before a Flush: answers up to it are due */
	bool copy_in;          /* the server takes CopyData */
	bool copy_refused;     /* a COPY was refused: its data may still be on the way */
	bool muted;            /* an error was made up: server answers are dropped until ReadyForQuery */
	size_t discard;        /* bytes of an overlong message still to drop */
	char discard_type;
	size_t passing;          /* bytes of a server message still to relay */
	size_t dropping;         /* or to drop */
	int64_t probed;          /* when the client was last seen to be there */
	int64_t busy_since;      /* when the server began what it does now */
	unsigned overdue;        /* how often the clock has cancelled it */
	bool server_fatal;       /* the server said why it ends the connection */
	bool draining;           /* ends as soon as it is idle */
	struct wire_writer held; /* a completion, until what it says is committed */
	struct wire_writer out;  /* scratch for messages that we make */
};

struct setting {
	char *name, *value; /* owned */
};

void session_accept(struct worker *, int fd);
void session_enter(struct session *, enum session_state);
void session_close(struct session *, const char *why);
/* Tells the client FATAL with these words, then closes. */
void session_fatal(struct session *, const char *sqlstate, const char *hint, const char *fmt, ...) printf_like(4, 5);
void session_tick(struct session *, int64_t now);
void session_drain(struct session *);
void session_go_idle(struct session *); /* nothing is owed and no block is open: what waited may happen */
bool session_idle(const struct session *);

/* Cancels what the session runs, if anything; done may be NULL, arg is malloc()ed or NULL. */
void session_cancel(struct session *, void (*done)(void *), void *arg);
void session_forget_cancels(struct worker *); /* after its loop has gone: no answer comes any more */
struct session *session_find(struct worker *, uint64_t id);
void session_sweep(struct worker *); /* frees what is closed; no session's callback may be up the stack */

void session_to_client(struct session *); /* sends s->out to the client and empties it */
void session_to_server(struct session *);
void session_notice(struct session *, const char *sqlstate, const char *hint, const char *fmt, ...) printf_like(4, 5);

/* startup.c: answers false when the packet is not whole yet */
bool startup_input(struct session *);
/* Which parameters the server connection is started with; fills s->settings. */
void startup_settings(struct session *, const struct startup *);
/* What the profile sets for its sessions, the key of its masks included. */
void session_settings(const struct profile *, const struct principal *, void (*)(void *, const char *, const char *), void *arg);

/* auth.c */
void auth_begin(struct session *);
void auth_client_data(struct session *); /* S_PASSWORD and S_AUTH: the client's 'p' messages */
void auth_server_data(struct session *); /* S_AUTH */
void auth_done(struct session *);

/* client.c, server.c: S_READY */
void client_data(struct session *);
void server_data(struct session *);
void server_event(struct conn *, enum conn_event, void *);

#endif
