#include "session.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "gate.h"
#include "log.h"

#define TLS_RECORD_HANDSHAKE 0x16 /* first byte of a ClientHello: direct TLS */
#define PROTOCOL_NEWEST PROTOCOL(3, 2)

/* --- encryption --------------------------------------------------------- */

static bool
start_tls(struct session *s, bool direct)
{
	struct tls_server *tls = s->worker->tls;
	struct ssl_st *ssl = tls_accept(tls, direct);

	s->negotiated = true;
	s->direct_tls = direct;
	if (ssl == NULL || !conn_start_tls(s->client, ssl, true)) {
		session_close(s, "bytes were sent before the TLS handshake");
		return false;
	}
	session_enter(s, S_TLS);
	return false;
}

static bool
offers_tls(const struct session *s)
{
	return s->worker->tls != NULL && s->worker->gateway->config->tls_mode != TLS_DISABLE &&
	       strcmp(s->principal.client, "unix") != 0;
}

/* PostgreSQL manual, "SSL Session Encryption": one byte answers, and anything
 * that the client has sent beyond its request must not be taken for encrypted. */
static bool
answer_ssl(struct session *s, size_t packet, size_t there)
{
	if (s->negotiated) {
		session_fatal(s, "08P01", NULL, "SSLRequest after encryption was settled");
		return false;
	}
	if (there > packet) {
		session_close(s, "bytes behind the SSLRequest");
		return false;
	}
	conn_consume(s->client, packet);
	if (!offers_tls(s)) {
		s->negotiated = true;
		conn_write(s->client, "N", 1);
		return true;
	}
	conn_write(s->client, "S", 1);
	return start_tls(s, false);
}

static bool
answer_gss(struct session *s, size_t packet, size_t there)
{
	if (there > packet) {
		session_close(s, "bytes behind the GSSENCRequest");
		return false;
	}
	conn_consume(s->client, packet);
	conn_write(s->client, "N", 1);
	return true;
}

/* --- cancel ------------------------------------------------------------- */

struct cancel_job {
	struct worker *from; /* whose client sent the request */
	uint64_t from_session;
	uint64_t target;
	struct worker *target_worker;
};

static void
cancel_reply(struct worker *w, void *arg)
{
	struct cancel_job *job = arg;
	struct session *s = w != NULL ? session_find(w, job->from_session) : NULL;

	if (s != NULL)
		session_close(s, "cancel request was handled");
	free(job);
}

static void
cancel_done(void *arg)
{
	struct cancel_job *job = arg;

	worker_post(job->from, cancel_reply, job);
}

static void
cancel_run(struct worker *w, void *arg)
{
	struct cancel_job *job = arg;
	struct session *s;

	if (w == NULL) {
		free(job);
		return;
	}
	s = session_find(w, job->target);
	if (s == NULL || s->state != S_READY) {
		worker_post(job->from, cancel_reply, job);
		return;
	}
	session_cancel(s, cancel_done, job);
	loop_flush(w->loop);
}

/* The connection is held until the server has taken the cancel: libpq's
 * PQcancel() takes the close for "it is done". A wrong key is closed likewise. */
static void
take_cancel(struct session *s, const struct startup *packet)
{
	struct cancel_job *job = xcalloc(1, sizeof(*job));

	job->from = s->worker;
	job->from_session = s->id;
	if (!directory_find(
		s->worker->gateway->directory, packet->pid, packet->key, packet->key_len, &job->target_worker, &job->target)) {
		free(job);
		log_info(s->id, "client %s: cancel request with a key that nobody has", s->principal.client);
		session_close(s, "cancel request with a key that nobody has");
		return;
	}
	session_enter(s, S_CANCEL);
	worker_post(job->target_worker, cancel_run, job);
}

/* --- the startup packet ------------------------------------------------- */

static void
negotiate(struct session *s, const struct startup *packet)
{
	const char *unknown[STARTUP_PARAMS_MAX];
	size_t i, n = 0;

	for (i = 0; i < packet->nparams; i++)
		if (strncmp(packet->params[i].name, "_pq_.", 5) == 0)
			unknown[n++] = packet->params[i].name;
	s->protocol = packet->version;
	if (packet->version != PROTOCOL(3, 0) && packet->version != PROTOCOL(3, 2))
		s->protocol = packet->version > PROTOCOL_NEWEST ? PROTOCOL_NEWEST : PROTOCOL(3, 0);
	if (s->protocol == packet->version && n == 0)
		return;
	msg_write_negotiate(&s->out, s->protocol, unknown, n);
	session_to_client(s);
}

/* Text that goes into logs, records and the server's startup packet. */
static bool
usable_name(const char *name)
{
	return name != NULL && name[0] != '\0' && strlen(name) <= 255 && utf8_valid(name, strlen(name));
}

/* Where the server does not ask the client who it is, its word for it counts
 * for nothing: profiles are assigned by user. */
static const char *
true_user(const struct session *s, const struct startup *packet)
{
	const struct gateway *g = s->worker->gateway;

	if (g->config->auth == AUTH_FIXED && upstream_user(g->upstream) != NULL)
		return upstream_user(g->upstream);
	return startup_get(packet, "user");
}

static bool
take_identity(struct session *s, const struct startup *packet)
{
	const char *user = true_user(s, packet), *database = startup_get(packet, "database");
	const char *application = startup_get(packet, "application_name");

	if (!usable_name(user)) {
		session_fatal(s, "28000", NULL, "the startup packet names no user");
		return false;
	}
	if (database == NULL || database[0] == '\0') {
		database = upstream_database(s->worker->gateway->upstream);
		if (database == NULL || s->worker->gateway->config->auth != AUTH_FIXED)
			database = user;
	}
	if (!usable_name(database)) {
		session_fatal(s, "3D000", NULL, "the database name is not usable");
		return false;
	}
	s->user = xstrdup(user);
	s->database = xstrdup(database);
	s->application_name = xstrdup(application != NULL && utf8_valid(application, strlen(application)) ? application : "");
	s->principal.user = s->user;
	s->principal.database = s->database;
	s->principal.application_name = s->application_name;
	s->policy = policy_ref(s->worker->policy);
	s->profile = policy_assign(s->policy, &s->principal);
	s->limits = profile_limits(s->profile);
	s->enforce = profile_mode(s->profile) == MODE_ENFORCE;
	return true;
}

static bool
refuses_replication(struct session *s, const struct startup *packet)
{
	const char *value = startup_get(packet, "replication");

	if (value == NULL || strcasecmp(value, "false") == 0 || strcasecmp(value, "off") == 0 || strcasecmp(value, "no") == 0 ||
	    strcmp(value, "0") == 0)
		return false;
	session_fatal(s, "42501", "Connect to the server itself for replication.", "replication connections are refused");
	return true;
}

static void
take_startup(struct session *s, const struct startup *packet)
{
	if (packet->version >> 16 != 3) {
		session_fatal(s, "0A000", NULL, "unsupported frontend protocol %u.%u: this server supports 3.0 to 3.2",
		    packet->version >> 16, packet->version & 0xffff);
		return;
	}
	if (s->worker->gateway->config->tls_mode == TLS_REQUIRE && !conn_is_tls(s->client) &&
	    strcmp(s->principal.client, "unix") != 0) {
		session_fatal(s, "28000", "Connect with sslmode=require.", "this server takes TLS connections only");
		return;
	}
	if (refuses_replication(s, packet) || !take_identity(s, packet))
		return;
	negotiate(s, packet);
	startup_settings(s, packet);
	auth_begin(s);
}

/* Lengths: PostgreSQL's ProcessStartupPacket() takes 4 to 10000 bytes behind the length. */
bool
startup_input(struct session *s)
{
	struct startup packet;
	struct wire_reader r;
	struct err why;
	const uint8_t *in;
	size_t there, len;

	in = conn_input(s->client, &there);
	if (there == 0)
		return false;
	if (in[0] == TLS_RECORD_HANDSHAKE && !s->negotiated && offers_tls(s))
		return start_tls(s, true);
	if (there < 4)
		return false;
	wire_reader_init(&r, in, 4);
	len = wire_u32(&r);
	if (len < 8 || len > STARTUP_MAX + 4) {
		session_fatal(s, "08P01", NULL, "invalid length of startup packet");
		return false;
	}
	if (there < len)
		return false;
	if (!startup_read(in + 4, len - 4, &packet, &why)) {
		session_fatal(s, "08P01", NULL, "invalid startup packet: %s", why.text);
		return false;
	}
	switch (packet.version) {
	case CODE_SSL:
		return answer_ssl(s, len, there);
	case CODE_GSSENC:
		return answer_gss(s, len, there);
	case CODE_CANCEL:
		take_cancel(s, &packet);
		return false;
	default:
		take_startup(s, &packet); /* borrows the input */
		if (s->state != S_CLOSING)
			conn_consume(s->client, len);
		return false;
	}
}
