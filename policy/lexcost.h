/* policy/lexcost.h - texts that PostgreSQL's lexer is slow on.
 *
 * At an operator the lexer takes all operator characters that follow, then
 * gives most of them back: "++++" is four operators, and a nested comment
 * opener is looked at in the same way. So 16 kB of plus signs take seconds,
 * where nobody counts depth yet. Here the work is estimated from the length of
 * such runs and the places in them where the lexer starts over.
 */
#ifndef LEXCOST_H
#define LEXCOST_H

#include "base.h"

/* False when reading it would take longer than any honest text does. What
 * stands in strings is counted too: a run of thousands of plus signs is rare
 * enough everywhere. */
bool lexcost_fine(const char *text, size_t);

#endif
