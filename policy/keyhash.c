/* policy/keyhash.c - SipHash-1-3 (Aumasson and Bernstein). */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "keyhash.h"

struct sip {
	uint64_t v0, v1, v2, v3;
};

static uint64_t
rotate(uint64_t x, unsigned n)
{
	return x << n | x >> (64 - n);
}

static inline void
sip_round(struct sip *s)
{
	s->v0 += s->v1;
	s->v2 += s->v3;
	s->v1 = rotate(s->v1, 13) ^ s->v0;
	s->v3 = rotate(s->v3, 16) ^ s->v2;
	s->v0 = rotate(s->v0, 32);
	s->v2 += s->v1;
	s->v0 += s->v3;
	s->v1 = rotate(s->v1, 17) ^ s->v2;
	s->v3 = rotate(s->v3, 21) ^ s->v0;
	s->v2 = rotate(s->v2, 32);
}

static inline void
sip_word(struct sip *s, uint64_t word)
{
	s->v3 ^= word;
	sip_round(s);
	s->v0 ^= word;
}

void
keyhash_init(struct keyhash *k)
{
	if (getrandom(k, sizeof(*k), 0) != (ssize_t)sizeof(*k)) /* so few bytes never fail once the kernel is up */
		abort();
}

uint64_t
keyhash(const struct keyhash *k, const void *data, size_t len)
{
	struct sip s = { k->k0 ^ 0x736f6d6570736575u, k->k1 ^ 0x646f72616e646f6du, k->k0 ^ 0x6c7967656e657261u,
		k->k1 ^ 0x7465646279746573u };
	const unsigned char *p = data;
	uint64_t word, last = (uint64_t)len << 56;
	size_t left;

	for (left = len; left >= sizeof(word); left -= sizeof(word), p += sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		sip_word(&s, word);
	}
	for (size_t i = 0; i < left; i++)
		last |= (uint64_t)p[i] << (8 * i);
	sip_word(&s, last);
	s.v2 ^= 0xff;
	sip_round(&s);
	sip_round(&s);
	sip_round(&s);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
