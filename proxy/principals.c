#include "principals.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define MINUTE 60e6

struct account {
	struct account *next;            /* owned */
	struct principals *all;          /* borrowed */
	char *user, *database, *profile; /* owned */
	size_t sessions, running;
	double tokens;
	int64_t since;   /* when tokens were counted last; 0: never */
	int64_t full_at; /* when the bucket will be full, if nobody takes any more */
};

struct principals {
	pthread_mutex_t lock;  /* guards all accounts */
	struct account *first; /* owned */
};

struct principals *
principals_new(void)
{
	struct principals *p = xcalloc(1, sizeof(*p));

	pthread_mutex_init(&p->lock, NULL);
	return p;
}

static void
account_free(struct account *a)
{
	free(a->user);
	free(a->database);
	free(a->profile);
	free(a);
}

void
principals_free(struct principals *p)
{
	struct account *a, *next;

	if (p == NULL)
		return;
	for (a = p->first; a != NULL; a = next) {
		next = a->next;
		account_free(a);
	}
	pthread_mutex_destroy(&p->lock);
	free(p);
}

static struct account *
find(struct principals *p, const struct principal *who, const char *profile)
{
	struct account *a;

	for (a = p->first; a != NULL; a = a->next)
		if (strcmp(a->user, who->user) == 0 && strcmp(a->database, who->database) == 0 && strcmp(a->profile, profile) == 0)
			return a;
	return NULL;
}

/* Those that would be opened just as they are now. */
static void
drop_full(struct principals *p, int64_t now)
{
	struct account **at = &p->first, *a;

	while ((a = *at) != NULL) {
		if (a->sessions > 0 || a->full_at > now) {
			at = &a->next;
			continue;
		}
		*at = a->next;
		account_free(a);
	}
}

struct account *
account_open(struct principals *p, const struct principal *who, const char *profile, int64_t now)
{
	struct account *a;

	pthread_mutex_lock(&p->lock);
	if ((a = find(p, who, profile)) == NULL) {
		drop_full(p, now);
		a = xcalloc(1, sizeof(*a));
		a->all = p;
		a->user = xstrdup(who->user);
		a->database = xstrdup(who->database);
		a->profile = xstrdup(profile);
		a->next = p->first;
		p->first = a;
	}
	a->sessions++;
	pthread_mutex_unlock(&p->lock);
	return a;
}

void
account_close(struct account *a)
{
	struct principals *p;

	if (a == NULL)
		return;
	p = a->all;
	pthread_mutex_lock(&p->lock);
	a->sessions--;
	pthread_mutex_unlock(&p->lock);
}

bool
account_take(struct account *a, const struct limits *l, int64_t now, int64_t *wait)
{
	double each = MINUTE / (double)l->rate_per_minute; /* microseconds a token */
	bool good;

	pthread_mutex_lock(&a->all->lock);
	if (a->since == 0)
		a->tokens = (double)l->burst;
	else if (now > a->since)
		a->tokens += (double)(now - a->since) / each;
	if (a->tokens > (double)l->burst) /* also after a reload that lowered it */
		a->tokens = (double)l->burst;
	if (now > a->since)
		a->since = now;
	good = a->tokens >= 1;
	if (good)
		a->tokens -= 1;
	else
		*wait = (int64_t)((1 - a->tokens) * each) + 1;
	a->full_at = now + (int64_t)(((double)l->burst - a->tokens) * each);
	pthread_mutex_unlock(&a->all->lock);
	return good;
}

bool
account_enter(struct account *a, const struct limits *l)
{
	bool good;

	pthread_mutex_lock(&a->all->lock);
	good = l->max_concurrent <= 0 || a->running < (size_t)l->max_concurrent;
	a->running += good;
	pthread_mutex_unlock(&a->all->lock);
	return good;
}

void
account_leave(struct account *a)
{
	pthread_mutex_lock(&a->all->lock);
	a->running--;
	pthread_mutex_unlock(&a->all->lock);
}
