/* policy/handshake.h - statements that drivers send by themselves, known by their tree. */
#ifndef HANDSHAKE_H
#define HANDSHAKE_H

#include <stdbool.h>

struct Node;

/* SELECT pg_advisory_unlock_all(): asyncpg resets a connection with it, in a batch; alone it has no use. */
bool is_unlock_all(const struct Node *);

#endif
