/* policy/expression.h - SQL expressions that a policy holds: row filters and masks.
 *
 * They are put between parentheses into the queries of clients, so the text
 * must be one whole expression by itself, without parameters: a $1 in it would
 * be the client's.
 */
#ifndef EXPRESSION_H
#define EXPRESSION_H

#include "base.h"

#define EXPRESSION_MAX 4000 /* bytes */

/* Subqueries are fine. False, and why, when the text cannot stand there. */
bool expression_check(const char *text, struct err *);

#endif
