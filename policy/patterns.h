/* policy/patterns.h - names as a policy writes them.
 *
 * As in SQL: unquoted parts are folded to lower case, parts in double quotes
 * are taken as they are. Unquoted parts may hold the globs * and ?. A name
 * that could never match (empty, longer than 63 bytes, an unquoted dash) is an
 * error. Results are owned by the caller; on false they are untouched.
 */
#ifndef PATTERNS_H
#define PATTERNS_H

#include "profile.h"

#define IDENTIFIER_MAX 63 /* bytes: NAMEDATALEN - 1 */

bool pattern_schema(const char *text, char **glob, struct err *);
bool pattern_identifier(const char *text, char **name, struct err *); /* no globs */
bool pattern_table(const char *text, struct table_pattern *, struct err *);
bool pattern_column(const char *text, struct column_rule *, struct err *); /* fills schema, table, column */
bool pattern_function(const char *text, struct function_pattern *, struct err *);

void table_pattern_release(struct table_pattern *);
void function_pattern_release(struct function_pattern *);

#endif
