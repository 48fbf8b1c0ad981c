/* proxy/rights_table.h - one worker's struct rights, by what they are about.
 *
 * What was looked up under a policy, profile, catalog and search_path is
 * remembered in its rights; sessions that agree in all four share them. A
 * handful, least recently used out; sessions hold references of their own.
 */
#ifndef RIGHTS_TABLE_H
#define RIGHTS_TABLE_H

#include "catalog.h"
#include "policy.h"

struct rights_table;

struct rights_table *rights_table_new(void);
void rights_table_free(struct rights_table *);

/* A reference of the caller's own. catalog NULL: without; path NULL: the profile's. superuser: row-level security does not hold it. */
struct rights *rights_table_get(
    struct rights_table *, struct policy *, const struct profile *, struct catalog *, const char *path, bool superuser);
void rights_table_forget(struct rights_table *, uint64_t catalog); /* those of the catalog with that generation */

#endif
