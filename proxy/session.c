#include "session.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "errand.h"
#include "gate.h"
#include "log.h"
#include "quota.h"
#include "refresh.h"
#include "refuse.h"
#include "result.h"

static void client_event(struct conn *, enum conn_event, void *);

#define GOODBYE_MS 2000       /* how long a last message may take to leave */
#define PROBE_EVERY 5000000   /* microseconds */
#define OVERDUE_GRACE 1000000 /* the server's own timeout goes first: microseconds */
#define OVERDUE_STEP 500000   /* between cancel, cancel again, and the end */

static const char *const state_names[] = {
	[S_STARTUP] = "startup",
	[S_TLS] = "tls",
	[S_PASSWORD] = "password",
	[S_CONNECTING] = "connecting",
	[S_AUTH] = "auth",
	[S_READY] = "ready",
	[S_CANCEL] = "cancel",
	[S_CLOSING] = "closing",
};

/* --- birth and death ---------------------------------------------------- */

void
session_accept(struct worker *w, int fd)
{
	struct session *s = xcalloc(1, sizeof(*s));

	s->id = atomic_fetch_add(&w->gateway->next_session, 1) + 1;
	s->worker = w;
	s->since = loop_now(w->loop);
	s->status = 'I';
	s->principal = (struct principal){ "", "", "", "" };
	TAILQ_INSERT_TAIL(&w->sessions, s, next);
	w->nsessions++;
	atomic_fetch_add(&w->gateway->clients, 1);
	s->client = conn_new(w->loop, fd, client_event, s);
	s->principal.client = conn_address(s->client);
	log_debug(s->id, "client connected from %s", s->principal.client);
	s->half_open = halfopen_enter(w->gateway->halfopen, s->principal.client);
	if (!s->half_open)
		session_fatal(s, "53300", "Finish or close the logins that are under way, or raise max_half_open.",
		    "too many connections from %s are not logged in yet", s->principal.client);
	else if (atomic_load(&w->gateway->clients) > w->gateway->config->max_clients)
		session_fatal(s, "53300", "Close connections that are not used, or raise max_clients.", "too many clients");
}

void
session_enter(struct session *s, enum session_state state)
{
	log_debug(s->id, "%s -> %s", state_names[s->state], state_names[state]);
	s->state = state;
	if (s->half_open && (state == S_READY || state == S_CLOSING)) {
		halfopen_leave(s->worker->gateway->halfopen, s->principal.client);
		s->half_open = false;
	}
}

static void
free_settings(struct session *s)
{
	size_t i;

	for (i = 0; i < s->nsettings; i++) {
		free(s->settings[i].name);
		free(s->settings[i].value);
	}
	free(s->settings);
}

/* What never got its completion: the connection ended first. */
static void
audit_unfinished(struct session *s)
{
	struct owed *o;
	size_t i;

	for (i = 0; (o = pipeline_at(&s->owed, i)) != NULL; i++)
		result_audit(s, o, "08006");
}

static void
session_free(struct session *s)
{
	free_settings(s);
	pipeline_release(&s->owed);
	names_free(s->names);
	policy_unref(s->policy);
	wire_writer_free(&s->out);
	wire_writer_free(&s->held);
	search_path_release(&s->path);
	free(s->user);
	free(s->database);
	free(s->application_name);
	OPENSSL_cleanse(s, sizeof(*s));
	free(s);
}

/* Everything but the memory. Callers up the stack look at the state; the
 * worker frees closed sessions between events. */
void
session_close(struct session *s, const char *why)
{
	struct worker *w = s->worker;
	struct audit_who who;

	if (s->state == S_CLOSING)
		return;
	session_cancel(s, NULL, NULL);
	errand_lose(s);
	log_debug(s->id, "closed: %s", why);
	if (s->state == S_READY) {
		who = gate_who(s);
		audit_unfinished(s);
		audit_event(w->gateway->audit, &who, "disconnect", why);
	}
	session_enter(s, S_CLOSING);
	refresh_leave(s);
	quota_close(s);
	if (s->key.pid != 0)
		directory_leave(w->gateway->directory, s->key.pid);
	if (s->dial != NULL)
		dial_stop(s->dial);
	if (s->login != NULL)
		login_stop(s->login);
	s->dial = NULL;
	s->login = NULL;
	if (s->server != NULL && s->server_login == NULL && s->passing == 0) {
		wire_writer_clear(&s->out);
		msg_write_terminate(&s->out);
		conn_write(s->server, s->out.p, s->out.len);
	}
	conn_close(s->server);
	conn_close(s->client);
	atomic_fetch_sub(&w->gateway->clients, 1);
	worker_sweep_soon(w);
}

void
session_sweep(struct worker *w)
{
	struct session *s, *next;

	for (s = TAILQ_FIRST(&w->sessions); s != NULL; s = next) {
		next = TAILQ_NEXT(s, next);
		if (s->state != S_CLOSING)
			continue;
		TAILQ_REMOVE(&w->sessions, s, next);
		w->nsessions--;
		session_free(s);
	}
}

static void
audit_refused_login(struct session *s, const char *why)
{
	struct audit_who who = gate_who(s);

	audit_event(s->worker->gateway->audit, &who, "refused_login", why);
}

void
session_fatal(struct session *s, const char *sqlstate, const char *hint, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	if (s->state == S_CLOSING)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_info(s->id, "client %s: %s", s->principal.client, text);
	if (s->state != S_READY && s->user != NULL)
		audit_refused_login(s, text);
	if (s->passing == 0) { /* not into the middle of a message */
		wire_writer_clear(&s->out);
		msg_write_error(
		    &s->out, 'E', &(struct msg_error){ .severity = "FATAL", .sqlstate = sqlstate, .message = text, .hint = hint });
		session_to_client(s);
		conn_close_when_drained(s->client, GOODBYE_MS);
		s->client = NULL;
	}
	session_close(s, text);
}

/* --- saying things ------------------------------------------------------ */

void
session_to_client(struct session *s)
{
	if (s->out.bad) {
		s->out.bad = false;
		wire_writer_clear(&s->out);
		session_close(s, "out of memory");
		return;
	}
	conn_write(s->client, s->out.p, s->out.len);
	wire_writer_clear(&s->out);
}

void
session_to_server(struct session *s)
{
	conn_write(s->server, s->out.p, s->out.len);
	wire_writer_clear(&s->out);
}

void
session_notice(struct session *s, const char *sqlstate, const char *hint, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	msg_write_error(
	    &s->out, 'N', &(struct msg_error){ .severity = "NOTICE", .sqlstate = sqlstate, .message = text, .hint = hint });
}

/* --- events ------------------------------------------------------------- */

static void
client_input(struct session *s)
{
	switch (s->state) {
	case S_STARTUP:
		while (s->state == S_STARTUP && startup_input(s))
			;
		break;
	case S_PASSWORD:
	case S_AUTH:
		auth_client_data(s);
		break;
	case S_READY:
		client_data(s);
		break;
	case S_TLS:        /* conn.c delivers nothing before the handshake ends */
	case S_CONNECTING: /* read when it is its turn */
	case S_CANCEL:
	case S_CLOSING:
		break;
	}
}

static void
client_event(struct conn *c, enum conn_event ev, void *arg)
{
	struct session *s = arg;

	switch (ev) {
	case CONN_DATA:
		client_input(s);
		break;
	case CONN_DRAINED: /* the client took its output: read the server again */
		if (s->server != NULL)
			conn_resume(s->server);
		conn_resume(c);
		break;
	case CONN_TLS:
		session_enter(s, S_STARTUP);
		client_input(s);
		break;
	case CONN_EOF:
		session_close(s, "client closed the connection");
		break;
	case CONN_ERROR:
		session_close(s, conn_error(c));
		break;
	}
}

/* --- cancel ------------------------------------------------------------- */

/* Outlives the session that it was sent for. */
struct cancel {
	TAILQ_ENTRY(cancel) next;
	struct worker *worker;
	uint64_t session;
	void (*done)(void *);
	void *arg;
};

static void
cancel_done(void *arg)
{
	struct cancel *c = arg;
	struct session *s = session_find(c->worker, c->session);

	if (s != NULL && --s->cancels == 0 && s->state == S_READY)
		conn_resume(s->client);
	if (c->done != NULL)
		c->done(c->arg);
	TAILQ_REMOVE(&c->worker->cancels, c, next);
	free(c);
}

void
session_forget_cancels(struct worker *w)
{
	struct cancel *c;

	while ((c = TAILQ_FIRST(&w->cancels)) != NULL) {
		TAILQ_REMOVE(&w->cancels, c, next);
		free(c->arg); /* malloc()ed or NULL */
		free(c);
	}
}

/* A cancel that arrives late would hit the client's next statement: that one
 * is held until the server has taken the cancel. */
void
session_cancel(struct session *s, void (*done)(void *), void *arg)
{
	struct gateway *g = s->worker->gateway;
	struct sockaddr_storage peer;
	struct cancel *c;
	socklen_t len;

	if (s->state != S_READY || s->server == NULL || s->owed.count == 0) { /* nothing of the client's runs */
		if (s->state == S_READY && s->waits && s->client != NULL) {
			s->cancel_asked = true;
			conn_resume(s->client);
		}
		if (done != NULL)
			done(arg);
		return;
	}
	log_debug(s->id, "cancelling what runs");
	c = xcalloc(1, sizeof(*c));
	*c = (struct cancel){ .worker = s->worker, .session = s->id, .done = done, .arg = arg };
	TAILQ_INSERT_TAIL(&s->worker->cancels, c, next);
	s->cancels++;
	if (s->server_login != NULL) {
		login_cancel(s->worker->loop, s->server_login, cancel_done, c);
		return;
	}
	len = conn_peer(s->server, &peer);
	dial_cancel(s->worker->loop, g->upstream, &peer, len, conn_is_tls(s->server), s->server_pid, s->server_key,
	    s->server_key_len, cancel_done, c);
}

struct session *
session_find(struct worker *w, uint64_t id)
{
	struct session *s;

	TAILQ_FOREACH(s, &w->sessions, next)
	if (s->id == id && s->state != S_CLOSING)
		return s;
	return NULL;
}

/* --- clock -------------------------------------------------------------- */

static bool
server_is_busy(struct session *s)
{
	const struct owed *head = pipeline_head(&s->owed);

	return pipeline_has_closer(&s->owed) || (head != NULL && head->number <= s->flushed);
}

/* A client that says neither Flush nor Sync leaves the answers with the server:
 * does it run, or is it done? It must say, or such a client would have no clock. */
static void
ask_for_answers(struct session *s, int64_t now)
{
	if (s->owed.count > 0 && !s->copy_in && !server_is_busy(s) && now - s->busy_since > OVERDUE_GRACE)
		session_flush(s);
}

/* The server's statement_timeout comes first; a function that swallows the
 * cancel, or a setting that was moved after all, meets this clock. */
static void
check_statement_clock(struct session *s, int64_t now)
{
	int64_t over;

	if (!s->enforce || s->limits->statement_timeout <= 0 || !server_is_busy(s))
		return;
	over = now - s->busy_since - s->limits->statement_timeout * 1000 - OVERDUE_GRACE - (int64_t)s->overdue * OVERDUE_STEP;
	if (over < 0)
		return;
	if (s->overdue++ < 2) {
		log_info(s->id, "statement runs past its %lld ms: cancelled by us", (long long)s->limits->statement_timeout);
		session_cancel(s, NULL, NULL);
	} else {
		session_cancel(s, NULL, NULL);
		session_fatal(s, "57014", "Ask for less at a time, or ask the operator to raise limits.statement_timeout.",
		    "terminating connection: the statement did not stop after %lld ms", (long long)s->limits->statement_timeout);
	}
}

static void
check_login_clock(struct session *s, int64_t now)
{
	int64_t timeout = (int64_t)s->worker->gateway->config->login_timeout * 1000000;

	if (now - s->since < timeout)
		return;
	if (s->state == S_STARTUP || s->state == S_TLS || s->state == S_CANCEL)
		session_close(s, "login timeout");
	else
		session_fatal(
		    s, "57014", NULL, "login timeout: not logged in after %d s", s->worker->gateway->config->login_timeout);
}

void
session_tick(struct session *s, int64_t now)
{
	if (s->state == S_CLOSING)
		return;
	if (now - s->probed > PROBE_EVERY) {
		s->probed = now;
		conn_probe(s->client);
	}
	if (s->state != S_READY) {
		check_login_clock(s, now);
		return;
	}
	if (s->draining && session_idle(s)) {
		session_go_idle(s);
		return;
	}
	errand_tick(s, now);
	if (s->state != S_READY)
		return;
	ask_for_answers(s, now);
	check_statement_clock(s, now);
	if (s->state == S_READY && s->enforce && s->block_since != 0 && s->limits->transaction_timeout > 0 &&
	    now - s->block_since > s->limits->transaction_timeout * 1000) {
		session_cancel(s, NULL, NULL);
		session_fatal(s, "25P04", "Keep transactions short, or ask the operator to raise limits.transaction_timeout.",
		    "terminating connection: the transaction is open for more than %lld ms",
		    (long long)s->limits->transaction_timeout);
	}
}

bool
session_idle(const struct session *s)
{
	return s->state == S_READY && s->status == 'I' && s->owed.count == 0 && !s->unsynced && s->errand == NULL;
}

void
session_drain(struct session *s)
{
	s->draining = true;
	if (s->state == S_STARTUP || session_idle(s))
		session_go_idle(s);
}

void
session_go_idle(struct session *s)
{
	if (s->draining)
		session_fatal(s, "57P01", "Connect again.", "terminating connection: pgmoat is shutting down");
}
