/* policy/parse.h - SQL text to PostgreSQL's raw parse tree.
 *
 * A parser is a memory context of libpg_query: every tree made between open
 * and close lives in it and goes with it. One thread at a time; each thread
 * may have its own, one open parser a thread. Nothing of the library's
 * longjmp() leaves this file, unless memory is gone: then the process ends.
 *
 * The tree is a List of RawStmt. Only files that include postgres.h look
 * inside; for the others it is a pointer.
 */
#ifndef PARSE_H
#define PARSE_H

#include "base.h"

struct List;

struct parser {
	void *memory; /* a MemoryContext */
};

struct tree {
	const struct List *statements; /* of RawStmt; borrowed from the parser; NULL when there is none */
	size_t n;
	char *error;  /* owned: PostgreSQL's words when the text does not parse; else NULL */
	int position; /* of the error: 1-based, in characters; 0 unknown */
};

void parser_open(struct parser *);
void parser_close(struct parser *);

/* text is NUL-terminated, valid UTF-8 and shorter than PARSE_BYTES_MAX. False
 * when it does not parse. tree_release() afterwards in both cases. */
bool parser_parse(struct parser *, const char *text, struct tree *);
void tree_release(struct tree *);

/* Offsets are an int in the tree; some room is left for what we splice in. */
#define PARSE_BYTES_MAX ((size_t)256 << 20)

#endif
