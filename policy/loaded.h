/* policy/loaded.h - a policy in memory, as load.c builds it and profile.c reads it. */
#ifndef LOADED_H
#define LOADED_H

#include <stdatomic.h>

#include "profile.h"

/* Addresses that assign's "client" names. IPv4 is kept as ::ffff:a.b.c.d. */
struct network {
	enum { NETWORK_ANY, NETWORK_UNIX, NETWORK_RANGE } kind;
	uint8_t address[16];
	unsigned bits;
};

struct assignment {
	char *user, *database, *application_name; /* owned globs; NULL: any */
	struct network client;
	char *profile_name; /* owned */
	size_t profile;
};

struct policy {
	atomic_uint refs;
	uint64_t generation;
	int64_t version; /* of the language */
	char *source;    /* owned */
	enum policy_mode mode;
	struct profile *profiles; /* owned, in the order of the file */
	size_t nprofiles;
	struct assignment *assignments; /* owned */
	size_t nassignments;
	char *default_name; /* owned; NULL: the only one */
	size_t default_profile;
	char *mask_key; /* owned: of the profiles that have none of their own; NULL */
};

/* "10.0.0.0/8", "::1", "unix", "*". False, and why, when it is none. */
bool network_parse(struct network *, const char *text, struct err *);
bool network_holds(const struct network *, const char *client);

/* A profile with the values that absent keys take: the built-in policy's. Not profile_init() and profile_release(): the
 * Kerberos library, which libpq brings along, has functions of these names and would call ours. */
void profile_defaults(struct profile *);
void profile_clear(struct profile *);

#endif
