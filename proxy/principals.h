/* proxy/principals.h - what each principal has used up, over all of its connections.
 *
 * A principal is a user on a database under a profile. Its account holds
 * tokens for statements (a bucket that fills with time) and counts the
 * sessions that run one. Accounts outlive their sessions until the bucket is
 * full again, so that connecting anew gains nothing. Shared by all workers,
 * one lock; who has no limits has no account. Times are microseconds.
 */
#ifndef PRINCIPALS_H
#define PRINCIPALS_H

#include "policy.h"

struct principals;
struct account;

struct principals *principals_new(void);
void principals_free(struct principals *); /* after the last account_close() */

struct account *account_open(struct principals *, const struct principal *, const char *profile, int64_t now);
void account_close(struct account *); /* NULL is fine */

/* One statement more. False: *wait says in how many microseconds there will be a token. */
bool account_take(struct account *, const struct limits *, int64_t now, int64_t *wait);
/* One session more runs a statement. False: as many as may do so already. */
bool account_enter(struct account *, const struct limits *);
void account_leave(struct account *);

#endif
