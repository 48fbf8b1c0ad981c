/* policy/cache.c - judgements by exact text, flags, parameter types and rights.
 *
 * A hash table with a list through it, most recently used first. The hash is
 * keyed, so that a client cannot aim its texts at one chain, and a hit
 * compares all of the key: two texts share a judgement only when they are the
 * same bytes with the same parameter types, judged under the same rights.
 *
 * Clients that write values into their texts send each text once. In a cache
 * that is half full a text must come twice before it may push another out:
 * what is remembered of the first time is a fingerprint, which only decides
 * whether to keep, never what is allowed.
 */
#include <stdlib.h>
#include <string.h>

#include "keyhash.h"
#include "policy.h"

#define TEXT_MAX ((size_t)16 << 10)
#define TYPES_MAX 256

struct entry {
	struct entry *next;          /* in its slot */
	struct entry *newer, *older; /* by last use */
	uint64_t hash;
	uint64_t rights; /* generation */
	unsigned flags;
	size_t bytes;
	struct judgement *judgement; /* one reference; holds the text */
	size_t ntypes;
	uint32_t types[];
};

/* What a judgement is found by. */
struct key {
	uint64_t hash, rights;
	unsigned flags;
	const char *text;
	size_t len;
	const uint32_t *types;
	size_t ntypes;
};

struct cache {
	struct keyhash key;
	struct entry **slots; /* owned */
	uint32_t *seen;       /* owned; nslots fingerprints of texts that came once */
	size_t nslots;        /* a power of two */
	struct entry *newest, *oldest;
	size_t entries, max_entries;
	size_t bytes, max_bytes;
	uint64_t hits, misses;
};

struct cache *
cache_new(size_t entries, size_t bytes)
{
	struct cache *c = xcalloc(1, sizeof(*c));

	c->max_entries = entries;
	c->max_bytes = bytes;
	for (c->nslots = 16; c->nslots < entries; c->nslots *= 2)
		;
	c->slots = xcalloc(c->nslots, sizeof(struct entry *));
	c->seen = xcalloc(c->nslots, sizeof(c->seen[0]));
	keyhash_init(&c->key);
	return c;
}

static void
unlink_use(struct cache *c, const struct entry *e)
{
	if (e->newer != NULL)
		e->newer->older = e->older;
	else
		c->newest = e->older;
	if (e->older != NULL)
		e->older->newer = e->newer;
	else
		c->oldest = e->newer;
}

static void
link_newest(struct cache *c, struct entry *e)
{
	e->newer = NULL;
	e->older = c->newest;
	if (c->newest != NULL)
		c->newest->newer = e;
	else
		c->oldest = e;
	c->newest = e;
}

/* There is one. */
static void
evict_oldest(struct cache *c)
{
	struct entry *e = c->oldest, **at = &c->slots[e->hash & (c->nslots - 1)];

	while (*at != e)
		at = &(*at)->next;
	*at = e->next;
	if ((c->oldest = e->newer) != NULL)
		c->oldest->older = NULL;
	else
		c->newest = NULL;
	c->entries--;
	c->bytes -= e->bytes;
	judgement_unref(e->judgement);
	free(e);
}

void
cache_free(struct cache *c)
{
	if (c == NULL)
		return;
	while (c->oldest != NULL)
		evict_oldest(c);
	free(c->slots);
	free(c->seen);
	free(c);
}

static bool
same_types(const struct entry *e, const struct key *k)
{
	return e->ntypes == k->ntypes && (k->ntypes == 0 || memcmp(e->types, k->types, k->ntypes * sizeof(k->types[0])) == 0);
}

static struct entry *
find(struct cache *c, const struct key *k)
{
	for (struct entry *e = c->slots[k->hash & (c->nslots - 1)]; e != NULL; e = e->next)
		if (e->hash == k->hash && e->rights == k->rights && e->flags == k->flags && same_types(e, k) &&
		    e->judgement->text_len == k->len && memcmp(e->judgement->text, k->text, k->len) == 0)
			return e;
	return NULL;
}

static size_t
length(const char *s)
{
	return s != NULL ? strlen(s) + 1 : 0;
}

/* About what a judgement holds; malloc's own part is guessed. */
static size_t
judgement_bytes(const struct judgement *j)
{
	size_t bytes = sizeof(struct entry) + sizeof(*j) + j->text_len + j->rewritten_len + 256;

	bytes += length(j->message) + length(j->detail) + length(j->hint) + length(j->notice);
	bytes += j->nsplices * sizeof(j->splices[0]) + j->nstatements * (sizeof(j->statements[0]) + 32);
	for (size_t i = 0; i < j->nrelations; i++)
		bytes += sizeof(j->relations[0]) + length(j->relations[i].schema) + length(j->relations[i].name) + 32;
	for (size_t i = 0; i < j->nfunctions; i++)
		bytes += sizeof(char *) + length(j->functions[i]) + 16;
	for (size_t i = 0; i < j->nsettings; i++)
		bytes += sizeof(char *) + length(j->settings[i]) + 16;
	return bytes;
}

/* Is there room, or did this text come before? */
static bool
worth_keeping(struct cache *c, uint64_t hash)
{
	uint32_t *seen = &c->seen[hash & (c->nslots - 1)], fingerprint = (uint32_t)(hash >> 32) | 1;

	if (c->entries < c->max_entries / 2 && c->bytes < c->max_bytes / 2)
		return true;
	if (*seen == fingerprint)
		return true;
	*seen = fingerprint;
	return false;
}

static void
insert(struct cache *c, const struct key *k, struct judgement *j)
{
	size_t types = k->ntypes * sizeof(k->types[0]), bytes = judgement_bytes(j) + types;
	struct entry *e;

	if (bytes > c->max_bytes || c->max_entries == 0)
		return;
	while (c->oldest != NULL && (c->entries >= c->max_entries || c->bytes > c->max_bytes - bytes))
		evict_oldest(c);
	e = xmalloc(sizeof(*e) + types);
	*e = (struct entry){ .hash = k->hash, .rights = k->rights, .flags = k->flags, .bytes = bytes, .ntypes = k->ntypes };
	if (types > 0)
		memcpy(e->types, k->types, types);
	e->judgement = judgement_ref(j);
	e->next = c->slots[k->hash & (c->nslots - 1)];
	c->slots[k->hash & (c->nslots - 1)] = e;
	link_newest(c, e);
	c->entries++;
	c->bytes += bytes;
}

struct judgement *
cache_judge(
    struct cache *c, struct rights *rights, const char *text, size_t len, unsigned flags, const uint32_t *types, size_t ntypes)
{
	struct key k = {
		.rights = rights_generation(rights), .flags = flags, .text = text, .len = len, .types = types, .ntypes = ntypes
	};
	struct judgement *j;
	struct entry *e;

	if (len > TEXT_MAX || ntypes > TYPES_MAX)
		return rights_judge(rights, text, len, flags, types, ntypes);
	k.hash = keyhash(&c->key, text, len);
	if ((e = find(c, &k)) != NULL) {
		c->hits++;
		if (e != c->newest) {
			unlink_use(c, e);
			link_newest(c, e);
		}
		return judgement_ref(e->judgement);
	}
	c->misses++;
	j = rights_judge(rights, text, len, flags, types, ntypes);
	/* A judgement that does not hold the text (it was not worth keeping) cannot be compared with one. */
	if (j->text != NULL && j->text_len == len && worth_keeping(c, k.hash))
		insert(c, &k, j);
	return j;
}

void
cache_counts(const struct cache *c, uint64_t *hits, uint64_t *misses)
{
	*hits = c->hits;
	*misses = c->misses;
}
