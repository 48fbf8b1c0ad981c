/* policy/keyhash.h - a hash that a peer cannot aim.
 *
 * SipHash-1-3 under a key that each table draws for itself: who chooses the
 * texts or names that are hashed cannot make them collide. The value differs
 * from table to table and must not leave the process.
 */
#ifndef KEYHASH_H
#define KEYHASH_H

#include "base.h"

struct keyhash {
	uint64_t k0, k1;
};

void keyhash_init(struct keyhash *); /* ends the process when the kernel has no random bytes */
uint64_t keyhash(const struct keyhash *, const void *, size_t);

#endif
