/* proxy/gate.h - between the protocol and the judge.
 *
 * The only caller of the policy library on the relay path: judges a text,
 * checks the session's names, writes the audit record, and says what to do.
 * Refusals come back as an ErrorResponse to be sent; nothing is sent here.
 */
#ifndef GATE_H
#define GATE_H

#include "session.h"

/* Takes over a policy that was loaded since, when the session is between
 * transactions. False: the session was closed, since its server connection
 * was started with settings that the new policy does not have. */
bool gate_refresh(struct session *) must_check;

/* Judges a Query or Parse text; types are a Parse's. The caller has a reference
 * to what comes back (NULL in mode off). *refused: do not forward. When s->waits
 * is set, nothing is known yet: the message is to be taken up again. */
struct judgement *gate_judge(
    struct session *, const char *text, size_t, unsigned flags, const uint32_t *types, size_t ntypes, bool *refused);
/* The same for a text that was judged before, and never waits. */
struct judgement *gate_judge_again(
    struct session *, const char *text, size_t, unsigned flags, const uint32_t *types, size_t ntypes, bool *refused);
/* Would the text be judged by the same policy, catalog and search_path now? */
bool gate_judged_alike(struct session *, const struct judgement *);

/* Names and audit for what is about to run: a Query's text ("query"), a
 * portal ("execute"). False: s->out holds the ErrorResponse. */
bool gate_admit(struct session *, struct judgement *, const char *event, uint64_t number) must_check;
/* The audit alone: for what does nothing to the session's names. */
bool gate_record(struct session *, struct judgement *, const char *event, uint64_t number) must_check;

/* A FunctionCall: refused under enforce, a record under observe. False: s->out holds the ErrorResponse. */
bool gate_function_call(struct session *) must_check;

/* Settings that a Bind's parameters bring. False: s->out holds the ErrorResponse. */
bool	gate_bind(struct session *, const struct judgement *, const uint8_t *body, size_t) must_check;
/* May the client fix these parameter types? Only text is text in both formats. */
bool	gate_types(struct session *, const struct judgement *, uint16_t ntypes, const uint8_t *types) must_check;

/* The ErrorResponse of a blocked judgement, and one in our own words, appended to s->out. */
void gate_refusal(struct session *, const struct judgement *);
void gate_error(struct session *, const char *sqlstate, enum rule, const char *hint, const char *fmt, ...) printf_like(5, 6);

struct audit_who gate_who(const struct session *);

#endif
