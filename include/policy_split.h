/* include/policy_split.h - where the statements of a file begin and end.
 *
 * For `pgmoat check` only: the proxy judges messages as they come and never
 * splits. PostgreSQL's own parser decides; when a text does not parse, its
 * lexer does, so that one bad statement does not hide those behind it. No
 * byte that is more than blanks, comments and semicolons is ever left out:
 * what belongs to no good statement is a part of its own, and its verdict
 * will be a parse error.
 */
#ifndef POLICY_SPLIT_H
#define POLICY_SPLIT_H

#include "base.h"

#define SPLIT_SIZE_MAX	((size_t)16 << 20)

struct sql_part {		/* without the semicolon, and without the blanks and comments in front */
	size_t	at, len;	/* bytes */
	size_t	line;		/* of its first byte, from 1 */
};

struct sql_parts {		/* owned; sql_parts_free() */
	struct sql_part	*parts;
	size_t		 n;
};

/* text is terminated at len. Fails on a text above SPLIT_SIZE_MAX or with a NUL byte in it. */
bool	sql_split(const char *text, size_t len, struct sql_parts *, struct err *);
void	sql_parts_free(struct sql_parts *);

#endif
