/* proxy/uses.h - prepared statements and portals that a message uses by name.
 *
 * What a name means was judged when it was given. Between then and now the
 * policy may have been reloaded, the definition may have been skipped by a
 * server that failed before it, and the cursor may be about to be closed.
 * Judges nothing itself; sends nothing.
 */
#ifndef USES_H
#define USES_H

#include "session.h"

/* Must the message wait until it is known what this name means to the server? Sets s->waits. NULL is fine. */
bool uses_wait(struct session *, const struct named *);
bool uses_text_waits(struct session *, const struct judgement *); /* the same for every name of a text */

/* A statement that an earlier policy let pass is asked for again. False: s->out holds the ErrorResponse. */
bool uses_still_allowed(struct session *, struct named *);
/* The same for what a text runs by name, and whether only Bind could have judged its parameters. */
bool uses_allowed(struct session *, const struct judgement *);

/* What a statement runs by name (EXECUTE, FETCH): how that was judged. NULL: nothing. */
const struct judgement *uses_run(struct session *, const struct judged_statement *);
bool uses_guarded(struct session *, const struct judgement *); /* does it read what something was taken from? NULL is fine */

/* Whose rows a text's FETCH gives; a reference of the caller's own, NULL when it has none. All FETCHes of
 * a batch count together. Asked before the text's own effects are applied: it may close the cursor. */
struct tally *uses_fetch_tally(struct session *, const struct judgement *);

#endif
