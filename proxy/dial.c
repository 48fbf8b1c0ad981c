#include <stdlib.h>
#include <string.h>

#include "upstream_int.h"

struct dial {
	struct loop *loop;               /* borrowed */
	const struct upstream *upstream; /* borrowed */
	void (*done)(void *, struct conn *, const char *);
	void *arg;
	struct route *route;     /* owned */
	struct attempt *attempt; /* owned; NULL between two */
	struct place place;      /* of the attempt */
	enum encrypt encrypt;
	struct event *refused; /* owned; NULL: the settings can be kept */
	const char *why;       /* then: why not */
};

void
dial_stop(struct dial *d)
{
	if (d == NULL)
		return;
	if (d->refused != NULL)
		event_free(d->refused);
	attempt_stop(d->attempt);
	route_free(d->route);
	free(d);
}

static void
finish(struct dial *d, struct conn *c, const char *why)
{
	void (*done)(void *, struct conn *, const char *) = d->done;
	void *arg = d->arg;
	struct err text;

	err_set(&text, "%s", why != NULL ? why : "");
	dial_stop(d);
	done(arg, c, c != NULL ? NULL : text.text);
}

/* sslmode=allow speaks plain first; whether the server minds shows in the
 * startup that our caller relays: dial_other_way() is for then. */
static enum encrypt
wanted(const struct upstream *u)
{
	switch (u->sslmode) {
	case SSL_DISABLE_:
	case SSL_ALLOW_:
		return ENCRYPT_NO;
	case SSL_PREFER_:
		return ENCRYPT_IF_OFFERED;
	case SSL_REQUIRE_:
	case SSL_VERIFY_CA_:
	case SSL_VERIFY_FULL_:
		break;
	}
	return ENCRYPT_ALWAYS;
}

static void
attempted(void *arg, struct conn *c, const char *why, bool tls_failed)
{
	struct dial *d = arg;

	d->attempt = NULL;
	if (c != NULL) {
		finish(d, c, NULL);
	} else if (tls_failed && d->encrypt == ENCRYPT_IF_OFFERED) {
		d->attempt = attempt_start(d->loop, d->upstream, &d->place, ENCRYPT_NO, attempted, d);
	} else {
		route_failed(d->route, why);
		route_next(d->route);
	}
}

static void
reached(void *arg, const struct place *place)
{
	struct dial *d = arg;

	if (place == NULL) {
		finish(d, NULL, route_reasons(d->route));
		return;
	}
	d->place = *place;
	d->attempt = attempt_start(d->loop, d->upstream, place, d->encrypt, attempted, d);
}

/* Promises that only libpq keeps, since it sees the login. */
static const char *
broken_promise(const struct upstream *u)
{
	const char *attrs = upstream_setting(u, "target_session_attrs"), *binding = upstream_setting(u, "channel_binding");

	if (attrs != NULL && strcmp(attrs, "any") != 0)
		return "target_session_attrs needs --auth password: only a login shows what the server is";
	if (binding != NULL && strcmp(binding, "require") == 0)
		return "channel_binding=require needs --auth password: a relayed login cannot bind to our TLS";
	if (upstream_setting(u, "requirepeer") != NULL)
		return "requirepeer needs --auth password";
	if (upstream_setting(u, "require_auth") != NULL)
		return "require_auth needs --auth password";
	return NULL;
}

static void
on_refused(evutil_socket_t fd, short what, void *arg)
{
	struct dial *d = arg;
	struct loop *l = d->loop;

	(void)fd;
	(void)what;
	loop_enter(l);
	finish(d, NULL, d->why);
	loop_leave(l);
}

static struct dial *
start(struct loop *l, const struct upstream *u, enum encrypt encrypt, void (*done)(void *, struct conn *, const char *), void *arg)
{
	const struct timeval soon = { 0, 0 };
	struct dial *d = xcalloc(1, sizeof(*d));

	d->loop = l;
	d->upstream = u;
	d->encrypt = encrypt;
	d->done = done;
	d->arg = arg;
	d->why = broken_promise(u);
	if (d->why != NULL) {
		d->refused = evtimer_new(loop_base(l), on_refused, d);
		event_add(d->refused, &soon);
		return d;
	}
	d->route = route_new(l, u, reached, d);
	route_next(d->route);
	return d;
}

struct dial *
dial_start(struct loop *l, const struct upstream *u, void (*done)(void *, struct conn *, const char *), void *arg)
{
	return start(l, u, wanted(u), done, arg);
}

struct dial *
dial_other_way(struct loop *l, const struct upstream *u, bool was_tls, void (*done)(void *, struct conn *, const char *), void *arg)
{
	if (u->sslmode == SSL_ALLOW_ && !was_tls && u->tls != NULL)
		return start(l, u, ENCRYPT_ALWAYS, done, arg);
	if (u->sslmode == SSL_PREFER_ && was_tls)
		return start(l, u, ENCRYPT_NO, done, arg);
	return NULL;
}
