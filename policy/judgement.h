/* policy/judgement.h - how a judgement comes to be; private to the library. */
#ifndef JUDGEMENT_H
#define JUDGEMENT_H

#include "analyze.h"

/* Copies what the audit trail and the names table keep. rights: NULL when only names are known. */
void judgement_fill(struct judgement *, const struct facts *, const struct profile *, struct rights *);
/* Which users' functions it runs; the analysis may be a refused one, and lists what was reached before. */
void judgement_reached(struct judgement *, const struct analysis *, const struct catalog *);
void judgement_empty(struct judgement *); /* frees what judgement_fill() made */

/* Characters before a byte of a UTF-8 text; continuation bytes do not count. */
int judgement_characters(const char *text, size_t bytes);

#endif
