#include "conn_int.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include <event2/dns.h>
#include <event2/thread.h>

#include "mailbox.h"

static bool threads_ready;

/* libevent's random numbers (DNS ids) are shared by all threads. */
static void
prepare_threads(void)
{
	threads_ready = evthread_use_pthreads() == 0;
}

static void
free_dead(struct loop *l)
{
	struct conn *c;

	while ((c = TAILQ_FIRST(&l->dead)) != NULL) {
		TAILQ_REMOVE(&l->dead, c, all);
		conn_free(c);
	}
}

static void
on_turn(evutil_socket_t fd, short what, void *arg)
{
	struct loop *l = arg;
	struct conn_list *list = &l->later[l->filling];
	unsigned later;
	struct conn *c;

	(void)fd;
	(void)what;
	loop_enter(l);
	l->turn_set = false;
	l->filling = !l->filling;
	free_dead(l);
	while ((c = TAILQ_FIRST(list)) != NULL) {
		TAILQ_REMOVE(list, c, later_next);
		later = c->later;
		c->later = 0;
		c->later_in = NULL;
		conn_turn(c, later);
	}
	loop_leave(l);
}

static struct event_base *
base_new(void)
{
	struct event_config *config = event_config_new();
	struct event_base *base;

	event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK); /* threads reach a loop by its mailbox only */
	event_config_require_features(config, EV_FEATURE_ET | EV_FEATURE_EARLY_CLOSE);
	base = event_base_new_with_config(config);
	event_config_free(config);
	return base;
}

/* The hosts file is read now; without a resolver, numeric addresses and its names still work. */
static struct evdns_base *
dns_new(struct event_base *base)
{
	struct evdns_base *dns = evdns_base_new(base, EVDNS_BASE_DISABLE_WHEN_INACTIVE);

	if (dns == NULL)
		return NULL;
	evdns_base_resolv_conf_parse(dns, DNS_OPTIONS_ALL & ~DNS_OPTION_HOSTSFILE, "/etc/resolv.conf");
	evdns_base_load_hosts(dns, "/etc/hosts");
	evdns_base_set_option(dns, "randomize-case:", "0"); /* some servers do not echo it */
	evdns_base_set_option(dns, "timeout:", "3");
	evdns_base_set_option(dns, "attempts:", "2");
	return dns;
}

struct loop *
loop_new(struct err *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct event_base *base;
	struct mailbox *mailbox;
	struct loop *l;

	pthread_once(&once, prepare_threads);
	if (!threads_ready) {
		err_set(err, "event loop: libevent has no threads");
		return NULL;
	}
	if ((base = base_new()) == NULL || (mailbox = mailbox_new(base)) == NULL) {
		err_set(err, "event loop: the kernel has no epoll, or no file descriptor is left");
		if (base != NULL)
			event_base_free(base);
		return NULL;
	}
	l = xcalloc(1, sizeof(*l));
	l->base = base;
	l->mailbox = mailbox;
	l->dns = dns_new(base);
	l->turn = evtimer_new(base, on_turn, l);
	l->scratch = xmalloc(PREPEND_MAX + READ_SIZE);
	TAILQ_INIT(&l->conns);
	TAILQ_INIT(&l->dirty);
	TAILQ_INIT(&l->later[0]);
	TAILQ_INIT(&l->later[1]);
	TAILQ_INIT(&l->dead);
	TAILQ_INIT(&l->guests);
	return l;
}

/* Questions that were cancelled are still answered, by evdns' deferred calls:
 * they must run before it goes, for they use its lock. */
static void
dns_free(struct loop *l)
{
	if (l->dns == NULL)
		return;
	if (l->resolving > 0)
		event_base_loop(l->base, EVLOOP_NONBLOCK);
	evdns_base_free(l->dns, 0);
}

void
loop_free(struct loop *l)
{
	struct guest *g;
	struct conn *c;

	if (l == NULL)
		return;
	while ((g = TAILQ_FIRST(&l->guests)) != NULL)
		g->leave(g);
	while ((c = TAILQ_FIRST(&l->conns)) != NULL)
		conn_close(c);
	free_dead(l);
	event_free(l->turn);
	mailbox_close(l->mailbox);
	mailbox_unref(l->mailbox);
	dns_free(l);
	event_base_free(l->base);
	bufpool_release(&l->pool);
	free(l->scratch);
	free(l);
}

struct event_base *
loop_base(struct loop *l)
{
	return l->base;
}

struct evdns_base *
loop_dns(struct loop *l)
{
	return l->dns;
}

struct mailbox *
loop_mailbox(struct loop *l)
{
	return l->mailbox;
}

int64_t
loop_now(struct loop *l)
{
	struct timespec ts;
	int64_t now = l->now;

	if (now == 0) {
		clock_gettime(CLOCK_MONOTONIC, &ts);
		now = (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
		if (l->depth > 0)
			l->now = now;
	}
	return now;
}

void
loop_schedule(struct loop *l)
{
	const struct timeval soon = { 0, 0 };

	if (!l->turn_set)
		event_add(l->turn, &soon);
	l->turn_set = true;
}

void
loop_flush(struct loop *l)
{
	struct conn *c;

	while ((c = TAILQ_FIRST(&l->dirty)) != NULL) {
		TAILQ_REMOVE(&l->dirty, c, dirty_next);
		c->dirty = false;
		conn_flush(c);
	}
}

void
loop_enter(struct loop *l)
{
	l->now = 0;
	l->depth++;
}

void
loop_leave(struct loop *l)
{
	loop_flush(l);
	l->depth--;
	l->now = 0;
}
