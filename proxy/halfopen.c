#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "listener.h"

#define BUCKETS 1024

struct origin {
	struct origin *next;
	size_t count;
	char address[];
};

struct halfopen {
	pthread_mutex_t lock;
	size_t per_address;
	struct origin *buckets[BUCKETS]; /* owned; an origin lives while somebody from there is half-open */
};

static struct origin **
find(struct halfopen *h, const char *address)
{
	struct origin **at;
	const char *p;
	uint32_t hash = 2166136261u;

	for (p = address; *p != '\0'; p++)
		hash = (hash ^ (unsigned char)*p) * 16777619u;
	for (at = &h->buckets[hash % BUCKETS]; *at != NULL; at = &(*at)->next)
		if (strcmp((*at)->address, address) == 0)
			break;
	return at;
}

static struct origin *
origin_new(const char *address)
{
	struct origin *o = xcalloc(1, sizeof(*o) + strlen(address) + 1);

	memcpy(o->address, address, strlen(address) + 1);
	return o;
}

struct halfopen *
halfopen_new(size_t per_address)
{
	struct halfopen *h = xcalloc(1, sizeof(*h));

	pthread_mutex_init(&h->lock, NULL);
	h->per_address = per_address;
	return h;
}

void
halfopen_free(struct halfopen *h)
{
	struct origin *o;
	size_t i;

	if (h == NULL)
		return;
	for (i = 0; i < BUCKETS; i++) {
		while ((o = h->buckets[i]) != NULL) {
			h->buckets[i] = o->next;
			free(o);
		}
	}
	pthread_mutex_destroy(&h->lock);
	free(h);
}

bool
halfopen_enter(struct halfopen *h, const char *address)
{
	struct origin **at;
	bool ok;

	pthread_mutex_lock(&h->lock);
	at = find(h, address);
	ok = (*at != NULL ? (*at)->count : 0) < h->per_address;
	if (ok && *at == NULL)
		*at = origin_new(address);
	if (ok)
		(*at)->count++;
	pthread_mutex_unlock(&h->lock);
	return ok;
}

void
halfopen_leave(struct halfopen *h, const char *address)
{
	struct origin **at, *o;

	pthread_mutex_lock(&h->lock);
	at = find(h, address);
	if ((o = *at) != NULL && --o->count == 0) {
		*at = o->next;
		free(o);
	}
	pthread_mutex_unlock(&h->lock);
}
