#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include <libpq-fe.h>
#include <openssl/crypto.h>

#include "message.h"
#include "upstream_int.h"

#define KEYS_MAX 80 /* libpq 18 knows 50 */

struct login {
	struct loop *loop;                /* borrowed */
	const struct upstream *upstream;  /* borrowed */
	char *user, *password, *database; /* owned; may be NULL */
	char *application, *encoding;     /* owned; NULL: not a parameter of the client */
	char *options;                    /* owned */
	void (*done)(void *, struct conn *, struct server_login *, const char *, const char *);
	void *arg;
	struct route *route;    /* owned; NULL: refused */
	bool second_pass;       /* target_session_attrs=prefer-standby found none: any will do */
	PGconn *pg;             /* owned while it connects */
	ConnStatusType reached; /* last state before it failed */
	struct event *io;       /* owned; NULL between two waits */
	struct event *timer;    /* owned; also tells a refusal */
	char sqlstate[6];       /* the server's last word; "" when it had none */
};

/* --- ending ------------------------------------------------------------- */

static void
drop_attempt(struct login *l)
{
	if (l->io != NULL)
		event_free(l->io);
	l->io = NULL;
	event_del(l->timer);
	PQfinish(l->pg);
	l->pg = NULL;
}

void
login_stop(struct login *l)
{
	if (l == NULL)
		return;
	drop_attempt(l);
	event_free(l->timer);
	route_free(l->route);
	if (l->password != NULL)
		OPENSSL_cleanse(l->password, strlen(l->password));
	free(l->password);
	free(l->user);
	free(l->database);
	free(l->application);
	free(l->encoding);
	free(l->options);
	free(l);
}

static void
fail(struct login *l, const char *why)
{
	void (*done)(void *, struct conn *, struct server_login *, const char *, const char *) = l->done;
	void *arg = l->arg;
	char sqlstate[6];
	struct err text;

	err_set(&text, "%s", why);
	memcpy(sqlstate, l->sqlstate, sizeof(sqlstate));
	login_stop(l);
	done(arg, NULL, NULL, text.text, sqlstate[0] != '\0' ? sqlstate : NULL);
}

static void
release_login(void *arg)
{
	struct server_login *s = arg;

	PQfinish(s->pgconn);
	free(s);
}

/* libpq's part ends here: the socket and the SSL object are the conn's until it gives them back. */
static void
succeed(struct login *l)
{
	void (*done)(void *, struct conn *, struct server_login *, const char *, const char *) = l->done;
	struct server_login *s = xcalloc(1, sizeof(*s));
	struct loop *loop = l->loop;
	PGconn *pg = l->pg;
	void *arg = l->arg;
	struct conn *c;

	l->pg = NULL;
	login_stop(l); /* its event leaves the socket before the conn's comes */
	PQsetnonblocking(pg, 1);
	s->pgconn = pg;
	c = conn_new(loop, PQsocket(pg), NULL, NULL);
	conn_borrow(c, PQsslStruct(pg, "OpenSSL"), release_login, s);
	conn_read_to_end(c);
	done(arg, c, s, NULL, NULL);
}

/* --- failing ------------------------------------------------------------- */

/* As libpq with several hosts: the next one is tried when this one cannot be
 * reached or does not suit, not when it has refused the login. */
static bool
is_final(const struct login *l)
{
	if (strcmp(l->sqlstate, "57P03") == 0) /* starting up, shutting down */
		return false;
	return l->reached == CONNECTION_AWAITING_RESPONSE || l->reached == CONNECTION_AUTH_OK;
}

static void
attempt_failed(struct login *l)
{
	struct err why;

	login_read_error(PQerrorMessage(l->pg), l->sqlstate, &why);
	drop_attempt(l);
	if (is_final(l)) {
		fail(l, why.text);
		return;
	}
	route_failed(l->route, why.text);
	route_next(l->route);
}

/* --- events ------------------------------------------------------------- */

static void poll_libpq(struct login *);

static void
on_io(evutil_socket_t fd, short what, void *arg)
{
	struct login *l = arg;
	struct loop *loop = l->loop;

	(void)fd;
	(void)what;
	loop_enter(loop);
	poll_libpq(l);
	loop_leave(loop);
}

/* libpq may have changed its socket since the last time. */
static void
wait_for(struct login *l, short what)
{
	l->reached = PQstatus(l->pg);
	l->io = event_new(loop_base(l->loop), PQsocket(l->pg), what, on_io, l);
	event_add(l->io, NULL);
}

static void
poll_libpq(struct login *l)
{
	event_free(l->io);
	l->io = NULL;
	switch (PQconnectPoll(l->pg)) {
	case PGRES_POLLING_READING:
		wait_for(l, EV_READ);
		break;
	case PGRES_POLLING_WRITING:
	case PGRES_POLLING_ACTIVE:
		wait_for(l, EV_WRITE);
		break;
	case PGRES_POLLING_OK:
		succeed(l);
		break;
	case PGRES_POLLING_FAILED:
		attempt_failed(l);
		break;
	}
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct login *l = arg;
	struct loop *loop = l->loop;

	(void)fd;
	(void)what;
	loop_enter(loop);
	if (l->route == NULL) {
		fail(l, "empty password returned by client");
	} else {
		drop_attempt(l);
		route_failed(l->route, "timeout expired");
		route_next(l->route);
	}
	loop_leave(loop);
}

/* --- what libpq is told ------------------------------------------------- */

struct keys {
	const char *names[KEYS_MAX + 1];
	const char *values[KEYS_MAX + 1];
	size_t n;
};

static void
put(struct keys *k, const char *name, const char *value)
{
	size_t i;

	for (i = 0; i < k->n && strcmp(k->names[i], name) != 0; i++)
		continue;
	if (value == NULL || i == KEYS_MAX)
		return;
	k->names[i] = name;
	k->values[i] = value;
	k->n += i == k->n;
}

/* All of the URL but what an attempt decides. */
static void
put_url(struct keys *k, const struct upstream *u)
{
	static const char *const ours[] = { "host", "hostaddr", "port", "user", "password", "dbname", "options", "connect_timeout",
		"load_balance_hosts" };
	const PQconninfoOption *o;
	size_t i;

	for (o = u->options; o->keyword != NULL; o++) {
		for (i = 0; i < nitems(ours) && strcmp(ours[i], o->keyword) != 0; i++)
			continue;
		if (i == nitems(ours) && o->val != NULL && o->val[0] != '\0')
			put(k, o->keyword, o->val);
	}
}

static void
put_attempt(struct keys *k, const struct login *l, const struct place *p, const char *address)
{
	static const char *const sslmodes[] = { "disable", "allow", "prefer", "require", "verify-ca", "verify-full" };
	const char *attrs = upstream_setting(l->upstream, "target_session_attrs");

	put(k, "host", p->host->name != NULL ? p->host->name : p->host->address); /* else PGHOST would name it */
	put(k, "hostaddr", p->host->local ? NULL : address);
	put(k, "port", p->host->port);
	put(k, "user", l->user);
	put(k, "password", l->password);
	put(k, "passfile", l->password != NULL ? "/dev/null" : NULL);
	put(k, "dbname", l->database);
	put(k, "options", l->options);
	put(k, "application_name", l->application);
	put(k, "client_encoding", l->encoding);
	put(k, "gssencmode", "disable");
	put(k, "sslmode", sslmodes[l->upstream->sslmode]);
	if (attrs != NULL && strcmp(attrs, "prefer-standby") == 0)
		put(k, "target_session_attrs", l->second_pass ? "any" : "standby");
}

static void
say_nothing(void *arg, const char *text)
{
	(void)arg;
	(void)text; /* a server's NOTICE during the login is not for our stderr */
}

static void
start_attempt(struct login *l, const struct place *p)
{
	const struct timeval limit = { l->upstream->timeout, 0 };
	char address[INET6_ADDRSTRLEN + 16] = "";
	struct keys k = { .n = 0 };

	if (!p->host->local)
		getnameinfo((const struct sockaddr *)&p->addr, p->len, address, sizeof(address), NULL, 0, NI_NUMERICHOST);
	put_url(&k, l->upstream);
	put_attempt(&k, l, p, address);
	l->reached = CONNECTION_STARTED;
	if ((l->pg = PQconnectStartParams(k.names, k.values, 0)) == NULL) {
		fail(l, "out of memory");
		return;
	}
	PQsetErrorVerbosity(l->pg, PQERRORS_VERBOSE);
	PQsetNoticeProcessor(l->pg, say_nothing, NULL);
	if (PQstatus(l->pg) == CONNECTION_BAD) {
		attempt_failed(l);
		return;
	}
	if (l->upstream->timeout > 0)
		event_add(l->timer, &limit);
	wait_for(l, EV_WRITE);
}

static void
reached(void *arg, const struct place *p)
{
	const char *attrs;
	struct login *l = arg;

	if (p != NULL) {
		start_attempt(l, p);
		return;
	}
	attrs = upstream_setting(l->upstream, "target_session_attrs");
	if (attrs == NULL || strcmp(attrs, "prefer-standby") != 0 || l->second_pass) {
		fail(l, route_reasons(l->route));
		return;
	}
	l->second_pass = true;
	route_free(l->route);
	l->route = route_new(l->loop, l->upstream, reached, l);
	route_next(l->route);
}

/* --- starting ----------------------------------------------------------- */

static char *
copy(const char *text)
{
	return text != NULL ? xstrdup(text) : NULL;
}

/* Two parameters are libpq's own keywords; it sends the others only inside `options`. */
static void
take_parameters(struct login *l, const struct login_param *p, size_t n)
{
	const char *base = upstream_setting(l->upstream, "options");
	struct sb options = { 0 };
	size_t i;

	sb_str(&options, base != NULL ? base : "");
	for (i = 0; i < n; i++) {
		if (strcmp(p[i].name, "application_name") == 0) {
			free(l->application);
			l->application = xstrdup(p[i].value);
		} else if (strcmp(p[i].name, "client_encoding") == 0) {
			free(l->encoding);
			l->encoding = xstrdup(p[i].value);
		} else {
			options_append(&options, p[i].name, p[i].value);
		}
	}
	if (options.len > 0)
		l->options = sb_take(&options);
	sb_free(&options);
}

/* An empty password would make libpq look for the operator's own, in
 * PGPASSWORD and the password file: anybody could log in with that. */
static void
refuse_empty(struct login *l)
{
	const struct timeval soon = { 0, 0 };

	memcpy(l->sqlstate, "28P01", sizeof(l->sqlstate));
	event_add(l->timer, &soon);
}

struct login *
login_start(struct loop *loop, const struct upstream *u, const char *user, const char *password, const char *database,
    const struct login_param *params, size_t n,
    void (*done)(void *, struct conn *, struct server_login *, const char *, const char *), void *arg)
{
	struct login *l = xcalloc(1, sizeof(*l));

	l->loop = loop;
	l->upstream = u;
	l->user = copy(user);
	l->password = copy(password);
	l->database = copy(database);
	l->done = done;
	l->arg = arg;
	l->timer = evtimer_new(loop_base(loop), on_timer, l);
	take_parameters(l, params, n);
	if (password != NULL && password[0] == '\0') {
		refuse_empty(l);
		return l;
	}
	l->route = route_new(loop, u, reached, l);
	route_next(l->route);
	return l;
}

void
login_parameters(const struct server_login *s, void (*f)(void *, const char *, const char *), void *arg)
{
	static const char *const names[] = { "application_name", "client_encoding", "DateStyle", "default_transaction_read_only",
		"in_hot_standby", "integer_datetimes", "IntervalStyle", "is_superuser", "scram_iterations", "search_path",
		"server_encoding", "server_version", "session_authorization", "standard_conforming_strings", "TimeZone" };
	const char *value;
	size_t i;

	for (i = 0; i < nitems(names); i++)
		if ((value = PQparameterStatus(s->pgconn, names[i])) != NULL)
			f(arg, names[i], value);
}
