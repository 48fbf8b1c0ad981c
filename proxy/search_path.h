/* proxy/search_path.h - the search_path that a session's next text is read under.
 *
 * What a SET, a savepoint, a rollback or a failure makes of it, the server
 * knows best: here is only known whether it may have moved since it was asked
 * for. Sends nothing; refresh.c asks (SHOW takes no snapshot, so that it can
 * be asked anywhere but in the middle of a series or in a failed block).
 */
#ifndef SEARCH_PATH_H
#define SEARCH_PATH_H

#include "policy.h"

struct search_path {
	char *value;  /* owned; NULL: what the profile pins */
	bool unknown; /* it may have moved since */
	bool moved;   /* it was set in the open transaction, whose end may take that back */
};

void search_path_release(struct search_path *);
/* This is about to run. */
void search_path_forwarded(struct search_path *, const struct judgement *);
/* No transaction is open any more. */
void search_path_settled(struct search_path *);
/* The server's answer. True: it is another than before. */
bool search_path_learn(struct search_path *, const char *value, const struct profile *);

#endif
