/* proxy/directory.h - which session a CancelRequest means.
 *
 * Every client gets a key of our own: a random process number and a random
 * secret, never the server's. The table is shared by all workers. It only
 * finds; the owning worker cancels. Secrets are compared in constant time.
 */
#ifndef DIRECTORY_H
#define DIRECTORY_H

#include "base.h"

#define CANCEL_KEY_SHORT 4 /* protocol 3.0 */
#define CANCEL_KEY_LONG 32 /* protocol 3.2; the protocol allows 4 to 256 */

struct worker;

struct cancel_key {
	uint32_t pid;
	uint8_t secret[CANCEL_KEY_LONG];
	size_t len;
};

struct directory;

struct directory *directory_new(void);
void directory_free(struct directory *);
/* Draws a key nobody has. */
void directory_enter(struct directory *, struct worker *, uint64_t session, size_t key_len, struct cancel_key *);
void directory_leave(struct directory *, uint32_t pid);
/* False when there is no such session or the secret is wrong. */
bool directory_find(struct directory *, uint32_t pid, const uint8_t *secret, size_t, struct worker **, uint64_t *session);

#endif
