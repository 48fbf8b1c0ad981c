/* policy/mask.h - the expression that stands for a masked column.
 *
 * What a mask makes of a value, by the column's type. NULL stays NULL except
 * under redact, which shows the same for every row.
 *
 *   null        any type: NULL.
 *   redact      text types: '***'. Others: NULL, domains included, whose
 *               CHECKs could refuse it.
 *   hash        of HMAC form, SHA-256 with the profile's mask_key, so equal values
 *               stay equal: text types get 64 hex digits, uuid, integer and
 *               bigint a value made of them. Others cannot bear it.
 *   partial     text: an e-mail address keeps its first letter and its domain
 *               (a***@example.org); other text keeps the last 4 characters
 *               when it is longer than 8 (***6789), its first one when it has 4
 *               to 8 (a***), and nothing below (***). date, timestamp and
 *               timestamptz become the first moment of their year (UTC).
 *               Others cannot bear it.
 *   expression  the policy's own SQL, cast to the column's type.
 *
 * Text types are text, varchar, char(n), name and base types of extensions that
 * PostgreSQL counts among the strings (citext). The result has the column's
 * type and length, cut where it must be. Every operator and function is
 * written with its schema: the search_path may hold a user's own.
 *
 * Nothing here depends on a value but the mask itself, so EXPLAIN shows the
 * expression, never a value; the key is read by current_setting() when rows
 * come out.
 */
#ifndef MASK_H
#define MASK_H

#include "objects.h"
#include "profile.h"

#define MASK_KEY_SETTING "pgmoat.mask_key"

/* Appends the expression. False and why when the type cannot bear it. */
bool mask_write(const struct column_rule *, const struct catalog *, const struct cat_relation *, const struct cat_column *,
    struct sb *, struct err *why);

/* "schema"."type"(modifier), as a cast wants it. False when the modifier is one
 * that only the type's own functions can print. */
bool type_write(const struct catalog *, uint32_t type, int32_t typmod, struct sb *);

#endif
