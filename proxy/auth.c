/* Logging in: by relay of the server's own exchange, or by libpq with a
 * password that the client gave us (or that `pgmoat run` was given).
 *
 * Relay: PostgreSQL manual, "Start-up" and "SASL Authentication". What cannot
 * be relayed is said before the client has sent a proof that will fail. */

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "gate.h"
#include "log.h"
#include "quota.h"
#include "refresh.h"
#include "session.h"

#define PASSWORD_MAX 8192   /* body of a 'p' message; SCRAM needs a few hundred bytes */
#define AUTH_BODY_MAX 65536 /* of a server message before ReadyForQuery */

static void connect_relay(struct session *);

static void
cannot_connect(struct session *s, const char *why)
{
	session_fatal(s, "08006", "Check the upstream URL that pgmoat was started with, and that the server answers there.",
	    "could not reach the server %s: %s", upstream_name(s->worker->gateway->upstream), why);
}

/* --- the client's password ---------------------------------------------- */

static bool
password_is_safe(const struct session *s)
{
	const char *from = s->principal.client;

	return conn_is_tls(s->client) || strcmp(from, "unix") == 0 || strcmp(from, "::1") == 0 || strncmp(from, "127.", 4) == 0;
}

static void
ask_password(struct session *s)
{
	if (!password_is_safe(s)) {
		session_fatal(s, "28000", "Connect with sslmode=require.", "auth=password asks for the password inside TLS only");
		return;
	}
	session_enter(s, S_PASSWORD);
	msg_write_auth(&s->out, AUTH_CLEARTEXT);
	session_to_client(s);
}

void
auth_begin(struct session *s)
{
	switch (s->worker->gateway->config->auth) {
	case AUTH_PASS:
		connect_relay(s);
		break;
	case AUTH_PASSWORD:
	case AUTH_FIXED:
		ask_password(s);
		break;
	}
}

/* --- libpq logs in ------------------------------------------------------ */

/* "15.20 (Debian 15.20-1)" is 150020, "18beta1" is 180000. */
static void
note_parameter(struct session *s, const char *name, const char *value)
{
	char *end;
	long major;

	if (strcmp(name, "is_superuser") == 0)
		s->superuser = strcmp(value, "on") == 0;
	if (strcmp(name, "server_version") != 0)
		return;
	major = strtol(value, &end, 10);
	if (major > 0 && major < 10000)
		s->server_version = (int)major * 10000 + (*end == '.' ? (int)(strtol(end + 1, NULL, 10) % 10000) : 0);
}

static void
relay_parameter(void *arg, const char *name, const char *value)
{
	struct session *s = arg;

	note_parameter(s, name, value);
	msg_write_parameter(&s->out, name, value);
}

static void
login_done(void *arg, struct conn *server, struct server_login *login, const char *why, const char *sqlstate)
{
	struct session *s = arg;

	s->login = NULL;
	if (server == NULL) {
		session_fatal(s, sqlstate != NULL ? sqlstate : "08006", NULL, "%s", why);
		return;
	}
	s->server = server;
	s->server_login = login;
	conn_set_callback(server, server_event, s);
	msg_write_auth(&s->out, AUTH_OK);
	login_parameters(login, relay_parameter, s);
	auth_done(s);
	msg_write_ready(&s->out, 'I');
	session_to_client(s);
	conn_resume(s->client);
	refresh_look(s);
}

static void
login_with(struct session *s, const char *user, const char *password)
{
	struct login_param *params = xcalloc(s->nsettings + 1, sizeof(*params));
	size_t i;

	for (i = 0; i < s->nsettings; i++)
		params[i] = (struct login_param){ s->settings[i].name, s->settings[i].value };
	session_enter(s, S_CONNECTING);
	conn_pause(s->client);
	s->login = login_start(
	    s->worker->loop, s->worker->gateway->upstream, user, password, s->database, params, s->nsettings, login_done, s);
	free(params);
}

static void
take_password(struct session *s, const char *password)
{
	const struct gateway *g = s->worker->gateway;
	const char *token = g->config->token;

	if (g->config->auth == AUTH_PASSWORD) {
		login_with(s, s->user, password);
		return;
	}
	if (token == NULL || strlen(password) != strlen(token) || CRYPTO_memcmp(password, token, strlen(token)) != 0) {
		session_fatal(s, "28P01", "Only the command that pgmoat run started knows the password.",
		    "password authentication failed for user \"%s\"", s->user);
		return;
	}
	login_with(s, upstream_user(g->upstream) != NULL ? upstream_user(g->upstream) : s->user, upstream_password(g->upstream));
}

/* --- the client's side of a relay --------------------------------------- */

/* SCRAM binds to the TLS channel. A client inside TLS that could bind says
 * "y": I would, the server does not offer it. A server inside TLS did offer it,
 * so it takes that for an attack. RFC 5802 section 6. */
static bool
scram_can_pass(struct session *s, const uint8_t *body, size_t len)
{
	const char *mechanism;
	char gs2;

	if (s->asked != AUTH_SASL)
		return true;
	if (!msg_read_sasl_initial(body, len, &mechanism, &gs2)) {
		session_fatal(s, "08P01", NULL, "invalid SASL response");
		return false;
	}
	if (strcmp(mechanism, "SCRAM-SHA-256") != 0 || gs2 == 'p') {
		session_fatal(s, "28000", "Use channel_binding=prefer or disable.",
		    "SASL mechanism %s cannot be relayed by a proxy", utf8_valid(mechanism, strlen(mechanism)) ? mechanism : "?");
		return false;
	}
	if (gs2 == 'y' && s->plus_removed) {
		session_fatal(s, "28000",
		    "Ask the operator to run pgmoat with --auth password, or connect without TLS (sslmode=disable) from a trusted "
		    "network.",
		    "SCRAM cannot be relayed when both the client and the server use TLS");
		return false;
	}
	return true;
}

static void
relay_password(struct session *s, const uint8_t *frame, const uint8_t *body, size_t len)
{
	if (s->asked == AUTH_OK) {
		session_fatal(s, "08P01", NULL, "unexpected password message");
		return;
	}
	if (!scram_can_pass(s, body, len))
		return;
	s->asked = AUTH_OK; /* one answer to one request */
	conn_write(s->server, frame, WIRE_HEADER + len);
}

static void
password_message(struct session *s, const uint8_t *frame, size_t len)
{
	const uint8_t *body = frame + WIRE_HEADER;
	struct wire_reader r;
	const char *password;
	char *copy;

	if (s->state == S_AUTH) {
		relay_password(s, frame, body, len);
		return;
	}
	wire_reader_init(&r, body, len);
	password = wire_str(&r);
	if (!wire_end(&r)) {
		session_fatal(s, "08P01", NULL, "invalid password message");
		return;
	}
	copy = xstrdup(password);
	take_password(s, copy);
	OPENSSL_cleanse(copy, strlen(copy));
	free(copy);
}

void
auth_client_data(struct session *s)
{
	struct wire_frame f;
	const uint8_t *in;
	size_t there;

	for (;;) {
		if (s->state != S_PASSWORD && s->state != S_AUTH)
			return;
		in = conn_input(s->client, &there);
		if (!wire_frame(in, there, &f))
			return;
		if (f.type == 'X') {
			session_close(s, "client terminated during login");
			return;
		}
		if (f.type != 'p' || f.body > PASSWORD_MAX) {
			session_fatal(s, "08P01", NULL, "expected a password message, got message type %u of %zu bytes",
			    (unsigned char)f.type, f.body);
			return;
		}
		if (there < WIRE_HEADER + f.body)
			return;
		password_message(s, in, f.body);
		if (s->state != S_CLOSING)
			conn_consume(s->client, WIRE_HEADER + f.body);
	}
}

/* --- the server's side of a relay --------------------------------------- */

static void
dialled(void *arg, struct conn *server, const char *why)
{
	struct session *s = arg;
	struct startup_param *params;
	size_t i;

	s->dial = NULL;
	if (server == NULL) {
		cannot_connect(s, why);
		return;
	}
	s->server = server;
	conn_set_callback(server, server_event, s);
	params = xcalloc(s->nsettings + 2, sizeof(*params));
	params[0] = (struct startup_param){ "user", s->user };
	params[1] = (struct startup_param){ "database", s->database };
	for (i = 0; i < s->nsettings; i++)
		params[i + 2] = (struct startup_param){ s->settings[i].name, s->settings[i].value };
	startup_write(&s->out, PROTOCOL(3, 0), params, s->nsettings + 2);
	free(params);
	session_to_server(s);
	session_enter(s, S_AUTH);
	conn_resume(s->client);
}

static void
connect_relay(struct session *s)
{
	session_enter(s, S_CONNECTING);
	conn_pause(s->client);
	s->dial = dial_start(s->worker->loop, s->worker->gateway->upstream, dialled, s);
}

static void
on_authentication(struct session *s, const uint8_t *frame, size_t len)
{
	const uint8_t *body = frame + WIRE_HEADER;
	size_t left;

	s->asked_once = true;
	if (!msg_read_auth(body, len, &s->asked)) {
		session_fatal(s, "08P01", NULL, "the server sent an invalid authentication request");
		return;
	}
	switch (s->asked) {
	case AUTH_OK:
		s->authenticated = true;
		conn_write(s->client, frame, WIRE_HEADER + len);
		break;
	case AUTH_CLEARTEXT:
	case AUTH_MD5:
	case AUTH_SASL_CONTINUE:
		conn_write(s->client, frame, WIRE_HEADER + len);
		break;
	case AUTH_SASL_FINAL:
		s->asked = AUTH_OK; /* nothing is to be answered */
		conn_write(s->client, frame, WIRE_HEADER + len);
		break;
	case AUTH_SASL:
		if (!msg_copy_sasl(&s->out, body, len, &s->plus_removed, &left) || left == 0) {
			wire_writer_clear(&s->out);
			session_fatal(s, "28000", "Let the server offer SCRAM-SHA-256, or run pgmoat with --auth password.",
			    "the server offers no SASL mechanism that can be relayed");
			return;
		}
		session_to_client(s);
		break;
	default:
		session_fatal(s, "28000",
		    "Use scram-sha-256, md5, password or trust for pgmoat's address in pg_hba.conf, or --auth password.",
		    "the server asks for authentication method %u, which cannot be relayed", s->asked);
	}
}

static void
unexpected(struct session *s, char type)
{
	session_fatal(s, "08P01", NULL, "the server sent an unexpected message of type %u during login", (unsigned char)type);
}

/* The server's key stays with us: the client gets one of ours. */
static void
on_key(struct session *s, const uint8_t *body, size_t len)
{
	struct wire_reader r;

	wire_reader_init(&r, body, len);
	s->server_pid = wire_u32(&r);
	if (r.bad || r.left < 4 || r.left > sizeof(s->server_key)) {
		unexpected(s, 'K');
		return;
	}
	s->server_key_len = r.left;
	memcpy(s->server_key, r.p, r.left);
}

static void
on_early_parameter(struct session *s, const uint8_t *frame, size_t len)
{
	const char *name, *value;
	struct wire_reader r;

	wire_reader_init(&r, frame + WIRE_HEADER, len);
	name = wire_str(&r);
	value = wire_str(&r);
	if (wire_end(&r)) {
		note_parameter(s, name, value);
		conn_write(s->client, frame, WIRE_HEADER + len);
	} else {
		unexpected(s, 'S');
	}
}

/* pg_hba.conf may have a line for TLS only, or for plain only. Nothing was
 * relayed yet, so the client need not know. */
static bool
other_way(struct session *s)
{
	if (s->asked_once || s->tried_other)
		return false;
	s->dial = dial_other_way(s->worker->loop, s->worker->gateway->upstream, conn_is_tls(s->server), dialled, s);
	if (s->dial == NULL)
		return false;
	s->tried_other = true;
	conn_close(s->server);
	s->server = NULL;
	session_enter(s, S_CONNECTING);
	conn_pause(s->client);
	return true;
}

static void
login_refused(struct session *s, const uint8_t *body, size_t len)
{
	struct audit_who who = gate_who(s);
	struct msg_error e;

	if (!msg_read_error(body, len, &e))
		return;
	log_info(s->id, "client %s: the server refused the login of user=%s database=%s: %s", s->principal.client, s->user,
	    s->database, e.message);
	audit_event(s->worker->gateway->audit, &who, "refused_login", e.message);
}

static void
on_login_message(struct session *s, const uint8_t *frame, char type, size_t len)
{
	if (type == 'E' && other_way(s)) {
		log_debug(s->id, "the server refused the startup: trying sslmode's other way");
	} else if (type == 'E') {
		login_refused(s, frame + WIRE_HEADER, len);
		conn_write(s->client, frame, WIRE_HEADER + len);
		conn_close_when_drained(s->client, 2000);
		s->client = NULL;
		session_close(s, "the server refused the login");
	} else if (type == 'N') {
		conn_write(s->client, frame, WIRE_HEADER + len);
	} else if (s->authenticated == (type == 'R')) { /* requests come before AuthenticationOk, all else behind it */
		unexpected(s, type);
	} else if (type == 'R') {
		on_authentication(s, frame, len);
	} else if (type == 'K') {
		on_key(s, frame + WIRE_HEADER, len);
	} else if (type == 'S') {
		on_early_parameter(s, frame, len);
	} else if (type == 'Z' && len == 1 && frame[WIRE_HEADER] == 'I') {
		auth_done(s);
		session_to_client(s);
		conn_write(s->client, frame, WIRE_HEADER + len);
		refresh_look(s);
	} else {
		unexpected(s, type);
	}
}

void
auth_server_data(struct session *s)
{
	struct wire_frame f;
	const uint8_t *in;
	size_t there;

	while (s->state == S_AUTH) {
		in = conn_input(s->server, &there);
		if (!wire_frame(in, there, &f))
			return;
		if (f.body > AUTH_BODY_MAX) {
			session_fatal(s, "08P01", NULL, "the server sent a message that is too long during login");
			return;
		}
		if (there < WIRE_HEADER + f.body) {
			conn_expect(s->server, WIRE_HEADER + f.body);
			return;
		}
		on_login_message(s, in, f.type, f.body);
		if (s->state == S_AUTH || s->state == S_READY)
			conn_consume(s->server, WIRE_HEADER + f.body);
	}
}

/* --- done --------------------------------------------------------------- */

/* Appends the client's key to s->out; ReadyForQuery follows. */
void
auth_done(struct session *s)
{
	struct audit_who who;

	directory_enter(s->worker->gateway->directory, s->worker, s->id,
	    s->protocol >= PROTOCOL(3, 2) ? CANCEL_KEY_LONG : CANCEL_KEY_SHORT, &s->key);
	msg_write_key(&s->out, s->key.pid, s->key.secret, s->key.len);
	s->names = names_new();
	refresh_enter(s);
	quota_open(s);
	session_enter(s, S_READY);
	who = gate_who(s);
	audit_event(s->worker->gateway->audit, &who, "connect", "");
	log_info(s->id, "client %s logged in: user=%s database=%s application=%s profile=%s", s->principal.client, s->user,
	    s->database, s->application_name, who.profile);
	if (s->worker->draining)
		s->draining = true;
	conn_resume(s->client); /* what it sent early is still there */
}
