/* policy/guard_names.h - does an expression of the policy speak of this relation's columns?
 *
 * A filter stands in a subquery in the midst of the client's query. A name in
 * it that the relation does not have would be looked for further out, and the
 * client could put a column of that name there. So outside of the expression's
 * own subqueries every name must be a column, a function before its
 * parenthesis, a type or a keyword. Inside them only those whoever wrote the
 * policy can tell: names there should be qualified.
 */
#ifndef GUARD_NAMES_H
#define GUARD_NAMES_H

#include "objects.h"
#include "tokens.h"

bool guard_names_known(const char *expression, const struct cat_relation *, const struct catalog *, struct err *why);

/* May an expression that the server printed use the column of this name? Too often yes, never wrongly no. */
bool guard_names_uses(const char *expression, const char *column);

/* The name that a plain or quoted word means: quotes taken off, or folded. The caller frees it. */
char *guard_names_word(const struct tokens *, size_t i);

#endif
