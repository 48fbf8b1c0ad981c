/* policy/names_table.h - what names_check.c asks of the tables in names.c. */
#ifndef NAMES_TABLE_H
#define NAMES_TABLE_H

#include "policy.h"

#define NAME_LENGTH 63 /* NAMEDATALEN - 1: the server's tables look no further */

bool names_has_statement(const struct names *, const char *name);
bool names_has_portal(const struct names *, const char *name);
size_t names_room(const struct names *, bool portals); /* how many more can be defined */

#endif
