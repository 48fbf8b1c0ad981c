/* proxy/plan_cost.h - limits.max_plan_cost: what a statement would cost, says the planner, before it runs.
 *
 * An EXPLAIN of the very text that would be forwarded goes to the server
 * first, with the client's own parameters where it is a Bind; the message
 * waits for the answer. What cannot be planned is forwarded: the server says
 * why not, to the client. Only under enforce and where the profile has that limit.
 */
#ifndef PLAN_COST_H
#define PLAN_COST_H

#include "session.h"

/* May it run, as far as its cost goes? False: s->waits is set, or else s->out holds the ErrorResponse. */
bool plan_cost_text(struct session *, const struct judgement *) must_check;
bool plan_cost_bind(struct session *, const struct named *, const uint8_t *body, size_t) must_check;

/* The greatest total cost in what EXPLAIN (FORMAT JSON) says; negative: none was found. */
double plan_cost_read(const char *json);

#endif
