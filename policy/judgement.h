/* policy/judgement.h - how a judgement comes to be; private to the library. */
#ifndef JUDGEMENT_H
#define JUDGEMENT_H

#include "refusal.h"

/* Copies what the audit trail and the names table keep. rights: NULL when only names are known. */
void judgement_fill(struct judgement *, const struct facts *, const struct profile *, struct rights *);
void judgement_empty(struct judgement *); /* frees what judgement_fill() made */

/* Characters before a byte of a UTF-8 text; continuation bytes do not count. */
int judgement_characters(const char *text, size_t bytes);

#endif
