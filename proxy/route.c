#include <sys/un.h>

#include <netinet/in.h>

#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include <event2/dns.h>
#include <event2/util.h>

#include "upstream_int.h"

#define PLACES_MAX 16 /* addresses of one name that are tried */

/* Outlives its route: evdns answers once more after a cancel. */
struct question {
	struct loop *loop;                         /* borrowed */
	struct route *route;                       /* borrowed; NULL: nobody waits any more */
	struct evdns_getaddrinfo_request *request; /* borrowed from evdns; NULL before and after */
};

struct route {
	struct loop *loop;               /* borrowed */
	const struct upstream *upstream; /* borrowed */
	void (*reached)(void *, const struct place *);
	void *arg;
	struct event *step;        /* owned: timer of 0 */
	struct question *question; /* shared with evdns while it is asked */
	size_t host;               /* index of the next one */
	struct place places[PLACES_MAX];
	size_t nplaces;
	size_t next; /* in places */
	size_t count;
	size_t failures;
	struct sb reasons;
};

static void
step_later(struct route *r)
{
	const struct timeval soon = { 0, 0 };

	event_add(r->step, &soon);
}

static void
add_place(struct route *r, const struct upstream_host *h, const struct sockaddr *sa, socklen_t len)
{
	struct place *p;

	if (r->nplaces == PLACES_MAX || len > sizeof(p->addr))
		return;
	p = &r->places[r->nplaces++];
	memset(p, 0, sizeof(*p));
	p->host = h;
	memcpy(&p->addr, sa, len);
	p->len = len;
}

static void
add_local(struct route *r, const struct upstream_host *h)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int n = snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/.s.PGSQL.%s", h->name, h->port);
	socklen_t len;

	if (n < 0 || (size_t)n >= sizeof(sun.sun_path)) {
		route_failed(r, "the socket's path is too long");
		return;
	}
	len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)n + 1);
	if (h->name[0] == '@') { /* Linux' abstract names: no file, no final NUL */
		sun.sun_path[0] = '\0';
		len--;
	}
	add_place(r, h, (struct sockaddr *)&sun, len);
}

static void
add_list(struct route *r, const struct upstream_host *h, const struct addrinfo *list)
{
	for (; list != NULL; list = list->ai_next)
		add_place(r, h, list->ai_addr, (socklen_t)list->ai_addrlen);
}

/* Numbers need no resolver, and localhost is here whatever the files say. */
static bool
add_known(struct route *r, const struct upstream_host *h, const char *text)
{
	const struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM };
	struct addrinfo *found;

	if (strcmp(text, "localhost") == 0)
		return add_known(r, h, "127.0.0.1") && add_known(r, h, "::1");
	if (getaddrinfo(text, h->port, &hints, &found) != 0)
		return false;
	add_list(r, h, found);
	freeaddrinfo(found);
	return true;
}

/* --- names -------------------------------------------------------------- */

static void
on_answer(int result, struct evutil_addrinfo *list, void *arg)
{
	struct question *q = arg;
	struct route *r = q->route;

	q->loop->resolving--;
	if (r != NULL) {
		r->question = NULL;
		if (result == 0)
			add_list(r, &r->upstream->hosts[r->host - 1], list);
		else
			route_failed(r, evutil_gai_strerror(result));
		step_later(r);
	}
	if (list != NULL)
		evutil_freeaddrinfo(list);
	free(q);
}

static void
ask(struct route *r, const struct upstream_host *h)
{
	const struct evutil_addrinfo hints = {
		.ai_flags = EVUTIL_AI_ADDRCONFIG, .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_protocol = IPPROTO_TCP
	};
	struct evdns_getaddrinfo_request *request;
	struct question *q;

	if (loop_dns(r->loop) == NULL) {
		route_failed(r, "this machine has no resolver");
		step_later(r);
		return;
	}
	q = xcalloc(1, sizeof(*q));
	q->loop = r->loop;
	q->route = r;
	r->question = q;
	r->loop->resolving++;
	request = evdns_getaddrinfo(loop_dns(r->loop), h->name, h->port, &hints, on_answer, q);
	if (request != NULL) /* else it was answered at once, from the hosts file, and q is gone */
		q->request = request;
}

/* --- one after the other ------------------------------------------------ */

static void
enter_host(struct route *r)
{
	const struct upstream_host *h = &r->upstream->hosts[r->host++];

	r->nplaces = r->next = 0;
	if (h->local)
		add_local(r, h);
	else if (h->address != NULL && !add_known(r, h, h->address))
		route_failed(r, "hostaddr is not a numeric address");
	else if (h->address == NULL && !add_known(r, h, h->name)) {
		ask(r, h);
		return;
	}
	step_later(r);
}

static void
on_step(evutil_socket_t fd, short what, void *arg)
{
	struct route *r = arg;
	struct loop *l = r->loop;

	(void)fd;
	(void)what;
	loop_enter(l);
	if (r->next < r->nplaces) {
		r->count++;
		r->reached(r->arg, &r->places[r->next++]);
	} else if (r->host < r->upstream->nhosts) {
		enter_host(r);
	} else {
		r->reached(r->arg, NULL);
	}
	loop_leave(l);
}

struct route *
route_new(struct loop *l, const struct upstream *u, void (*reached)(void *, const struct place *), void *arg)
{
	struct route *r = xcalloc(1, sizeof(*r));

	r->loop = l;
	r->upstream = u;
	r->reached = reached;
	r->arg = arg;
	r->reasons.max = 900;
	r->step = evtimer_new(loop_base(l), on_step, r);
	return r;
}

void
route_free(struct route *r)
{
	if (r == NULL)
		return;
	if (r->question != NULL) {
		r->question->route = NULL;
		evdns_getaddrinfo_cancel(r->question->request);
	}
	event_free(r->step);
	sb_free(&r->reasons);
	free(r);
}

void
route_next(struct route *r)
{
	step_later(r);
}

/* With one place the caller's text names it already. */
void
route_failed(struct route *r, const char *why)
{
	char host[INET6_ADDRSTRLEN + 16] = "", port[8] = "";
	const struct place *p = r->next > 0 ? &r->places[r->next - 1] : NULL;
	bool numeric = p != NULL && p->addr.ss_family != AF_UNIX &&
		       getnameinfo((const struct sockaddr *)&p->addr, p->len, host, sizeof(host), port, sizeof(port),
			   NI_NUMERICHOST | NI_NUMERICSERV) == 0;
	bool several = r->upstream->nhosts > 1 || r->nplaces > 1;
	const struct upstream_host *h = &r->upstream->hosts[r->host - 1];

	sb_str(&r->reasons, r->failures++ > 0 ? "; " : "");
	if (several && numeric)
		sb_fmt(&r->reasons, strchr(host, ':') != NULL ? "[%s]:%s: " : "%s:%s: ", host, port);
	else if (several)
		sb_fmt(&r->reasons, "%s: ", h->name != NULL ? h->name : h->address);
	sb_str(&r->reasons, why);
}

const char *
route_reasons(const struct route *r)
{
	return r->reasons.len > 0 ? sb_text(&r->reasons) : "no address to connect to";
}

size_t
route_reached(const struct route *r)
{
	return r->count;
}
