/* include/base.h - the few things that every folder needs.
 *
 * Allocation that cannot fail (for sizes that we choose), an error text that
 * a function hands to its caller, and a string builder. Knows nothing of
 * PostgreSQL, sockets or policy. Nothing here logs.
 */
#ifndef BASE_H
#define BASE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define must_check	__attribute__((warn_unused_result))
#define printf_like(f, a) __attribute__((format(printf, f, a)))
#define nitems(a)	(sizeof(a) / sizeof((a)[0]))

/* These end the process when memory is gone. Sizes that a peer chooses are
 * limited first and come from malloc(), whose failure ends one session. */
void	*xmalloc(size_t) must_check;
void	*xcalloc(size_t n, size_t size) must_check;
void	*xrealloc(void *, size_t) must_check;
void	*xreallocarray(void *, size_t n, size_t size) must_check;
char	*xstrdup(const char *) must_check;
char	*xstrndup(const char *, size_t) must_check;

/* Why something failed, for a person: lower case, no function names, no
 * newline. Cut when too long. */
struct err {
	char	text[1024];
};

bool	err_set(struct err *, const char *fmt, ...) printf_like(2, 3);	/* always false */

/* A growing string. Sticky: when it would pass its limit or memory is gone,
 * bad is set, later appends do nothing, and text stays terminated. Zero
 * initialise it; max 0 means SB_MAX. */
#define SB_MAX	((size_t)256 << 20)

struct sb {
	char	*text;		/* owned; NULL until the first append */
	size_t	 len;		/* without the final NUL */
	size_t	 room;
	size_t	 max;
	bool	 bad;
};

void	 sb_bytes(struct sb *, const void *, size_t);
void	 sb_str(struct sb *, const char *);
void	 sb_char(struct sb *, char);
void	 sb_int(struct sb *, int64_t);			/* decimal; sb_fmt() costs ten times as much */
void	 sb_fmt(struct sb *, const char *fmt, ...) printf_like(2, 3);
void	 sb_json(struct sb *, const char *, size_t);	/* quoted JSON string; invalid UTF-8 becomes U+FFFD */
const char *sb_text(const struct sb *);			/* never NULL */
char	*sb_take(struct sb *);				/* caller frees; never NULL unless bad; sb is empty after */
void	 sb_clear(struct sb *);				/* keeps the memory */
void	 sb_free(struct sb *);

/* Valid UTF-8 as PostgreSQL sees it (RFC 3629, no NUL, no surrogates). */
bool	 utf8_valid(const char *, size_t);

#endif
