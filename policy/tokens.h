/* policy/tokens.h - where the words of a text begin and end.
 *
 * A small reading of PostgreSQL's lexical rules (manual, "Lexical Structure")
 * for texts that its own parser has taken already: only places are wanted,
 * of names and of arguments, that the tree does not tell.
 * standard_conforming_strings is on. What is read differently than
 * PostgreSQL would read it is found out, since a place that the tree names
 * must then be the beginning of a word here; where it is not, the caller gives
 * up. Comments and blanks are between the words.
 */
#ifndef TOKENS_H
#define TOKENS_H

#include "base.h"

enum token_kind {
	TOKEN_WORD,    /* plain name or keyword */
	TOKEN_QUOTED,  /* "name" */
	TOKEN_UNICODE, /* U&"name" */
	TOKEN_STRING,  /* of any sort */
	TOKEN_NUMBER,
	TOKEN_PARAMETER,
	TOKEN_OPERATOR, /* a run of operator characters */
	TOKEN_CHAR      /* ( ) [ ] , ; : . */
};

struct token {
	uint32_t at, end; /* bytes */
	enum token_kind kind;
};

struct tokens {
	const char *sql;     /* borrowed */
	struct token *items; /* owned */
	size_t n, room;
};

/* False when the text cannot be read to its end, or memory is gone. Release it in both cases. */
bool tokens_read(struct tokens *, const char *sql, size_t len) must_check;
void tokens_release(struct tokens *);

size_t tokens_find(const struct tokens *, size_t at);               /* the word that begins there; n: none */
bool tokens_is_char(const struct tokens *, size_t i, char);         /* false beyond the end; operators of one character too */
bool tokens_is_word(const struct tokens *, size_t i, const char *); /* a plain word, whatever its case */
bool tokens_is_name(const struct tokens *, size_t i);               /* plain, quoted or U& */

#endif
