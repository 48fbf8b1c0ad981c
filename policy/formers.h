/* policy/formers.h - the lists of a profile, brought to the names that a relation had (catalog_follow.c).
 *
 * Only what denies counts: what an allow list said about a former name is of
 * no use to the one of now.
 */
#ifndef FORMERS_H
#define FORMERS_H

#include "objects.h"
#include "profile.h"

/* A former name that a deny list closes, for any of that access; NULL: none. */
const struct cat_former *
former_closed(const struct profile *, const struct catalog *, const struct cat_relation *, unsigned access);

/* Closed by a deny list, under its name or a former one. */
bool closed_by_name(const struct profile *, const struct catalog *, const struct cat_relation *, unsigned access);

#endif
