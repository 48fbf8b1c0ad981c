#include "directory.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#define BUCKETS 4096 /* power of two; process numbers are random */

struct entry {
	struct entry *next;
	struct cancel_key key;
	struct worker *worker; /* borrowed: workers outlive their sessions */
	uint64_t session;
};

struct directory {
	pthread_mutex_t lock;
	struct entry *buckets[BUCKETS];
};

struct directory *
directory_new(void)
{
	struct directory *d = xcalloc(1, sizeof(*d));

	pthread_mutex_init(&d->lock, NULL);
	return d;
}

void
directory_free(struct directory *d)
{
	struct entry *e, *next;
	size_t i;

	if (d == NULL)
		return;
	for (i = 0; i < BUCKETS; i++)
		for (e = d->buckets[i]; e != NULL; e = next) {
			next = e->next;
			OPENSSL_cleanse(e, sizeof(*e));
			free(e);
		}
	pthread_mutex_destroy(&d->lock);
	free(d);
}

static struct entry *
find(struct directory *d, uint32_t pid)
{
	struct entry *e;

	for (e = d->buckets[pid % BUCKETS]; e != NULL; e = e->next)
		if (e->key.pid == pid)
			return e;
	return NULL;
}

/* Keys guard other people's queries: without randomness there is no service. */
static void
draw(void *p, size_t n)
{
	if (RAND_bytes(p, (int)n) != 1)
		abort();
}

void
directory_enter(struct directory *d, struct worker *w, uint64_t session, size_t key_len, struct cancel_key *key)
{
	struct entry *e = xcalloc(1, sizeof(*e));

	e->key.len = key_len;
	draw(e->key.secret, key_len);
	e->worker = w;
	e->session = session;
	pthread_mutex_lock(&d->lock);
	do {
		draw(&e->key.pid, sizeof(e->key.pid));
		e->key.pid &= 0x7fffffff; /* drivers print it as a signed number */
	} while (e->key.pid == 0 || find(d, e->key.pid) != NULL);
	e->next = d->buckets[e->key.pid % BUCKETS];
	d->buckets[e->key.pid % BUCKETS] = e;
	*key = e->key;
	pthread_mutex_unlock(&d->lock);
}

void
directory_leave(struct directory *d, uint32_t pid)
{
	struct entry **p, *e;

	pthread_mutex_lock(&d->lock);
	for (p = &d->buckets[pid % BUCKETS]; (e = *p) != NULL; p = &e->next)
		if (e->key.pid == pid) {
			*p = e->next;
			OPENSSL_cleanse(e, sizeof(*e));
			free(e);
			break;
		}
	pthread_mutex_unlock(&d->lock);
}

bool
directory_find(struct directory *d, uint32_t pid, const uint8_t *secret, size_t len, struct worker **w, uint64_t *session)
{
	struct entry *e;
	bool found = false;

	pthread_mutex_lock(&d->lock);
	e = find(d, pid);
	if (e != NULL && e->key.len == len && CRYPTO_memcmp(e->key.secret, secret, len) == 0) {
		*w = e->worker;
		*session = e->session;
		found = true;
	}
	pthread_mutex_unlock(&d->lock);
	return found;
}
