#include "plan_cost.h"

#include <stdlib.h>
#include <string.h>

#include "errand.h"
#include "gate.h"
#include "jsonc.h"
#include "refuse.h"

#define PLAN_NAME "pgmoat plan" /* statement and portal; gone when the errand ends */
#define PLAN_BYTES ((size_t)16 << 20)
#define PLAN_MS 60000 /* when the profile has no statement_timeout */
#define EXPLAIN "EXPLAIN (FORMAT JSON) "

/* --- reading the plan --------------------------------------------------- */

double
plan_cost_read(const char *json)
{
	cJSON *all = cJSON_Parse(json), *plan;
	const cJSON *total;
	double cost = -1;

	cJSON_ArrayForEach(plan, all) /* a rule makes several of one */
	{
		total = cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(plan, "Plan"), "Total Cost");
		if (cJSON_IsNumber(total) && total->valuedouble > cost)
			cost = total->valuedouble;
	}
	cJSON_Delete(all);
	return cost;
}

static bool
plan_row(void *arg, size_t result, const char *const *values, size_t n, struct err *err)
{
	struct session *s = arg;
	double cost;

	(void)result;
	(void)err;
	if (n == 1 && values[0] != NULL && (cost = plan_cost_read(values[0])) > s->plan.cost)
		s->plan.cost = cost;
	return true;
}

static void
plan_done(struct session *s, void *arg, const char *error, bool lost)
{
	(void)s;
	(void)arg;
	(void)error; /* the client's own statement meets the same error */
	(void)lost;
}

static struct errand_job
plan_job(struct session *s)
{
	int64_t timeout = s->limits->statement_timeout;

	s->plan.message = s->number;
	s->plan.cost = -1;
	s->waits = true;
	return (struct errand_job){ .what = "planning",
		.timeout = timeout > 0 ? timeout : PLAN_MS,
		.max_bytes = PLAN_BYTES,
		.row = plan_row,
		.done = plan_done,
		.arg = s };
}

/* --- what has a plan ---------------------------------------------------- */

static bool
has_plan(const struct judged_statement *st)
{
	switch (st->kind) {
	case KIND_SELECT:
	case KIND_INSERT:
	case KIND_UPDATE:
	case KIND_DELETE:
	case KIND_MERGE:
		return true;
	default:
		return st->effect == NAME_EXECUTE || st->effect == NAME_DECLARE || st->effect == NAME_DECLARE_HOLD;
	}
}

static bool
is_asked_for(const struct session *s, const struct judgement *j)
{
	size_t i;

	if (!s->enforce || s->limits->max_plan_cost <= 0 || j == NULL)
		return false;
	for (i = 0; i < j->nstatements; i++)
		if (has_plan(&j->statements[i]))
			return true;
	return false;
}

static bool
refuse_plan(struct session *s, const char *hint, const char *why)
{
	gate_error(s, "54000", RULE_PLAN_COST, hint, "refused: %s", why);
	return false;
}

/* The second time that the message comes by. */
static bool
is_cheap(struct session *s)
{
	if (s->plan.cost <= s->limits->max_plan_cost)
		return true;
	gate_error(s, "54000", RULE_PLAN_COST,
	    "Ask for less: filter on an indexed column, aggregate fewer rows; EXPLAIN shows where the cost comes from.",
	    "the planner expects a cost of %.0f, and %.0f is the limit", s->plan.cost, s->limits->max_plan_cost);
	return false;
}

/* An errand cannot be run now. When all that was sent is answered, it can. */
static bool
wait_for_answers(struct session *s)
{
	if (s->status == 'E' && s->owed.count == 0) /* the server refuses it anyway */
		return true;
	if (s->owed.count > 0 && !s->unsynced && !s->copy_in) {
		if (!pipeline_has_closer(&s->owed))
			session_flush(s);
		s->waits = true;
		return false;
	}
	return refuse_plan(s, "Send a Sync before it.", "its cost cannot be asked for in the middle of a series");
}

/* --- asking ------------------------------------------------------------- */

static const char *
forwarded_text(const struct judgement *j)
{
	return j->rewritten != NULL ? j->rewritten : j->text;
}

bool
plan_cost_text(struct session *s, const struct judgement *j)
{
	struct errand_job job;
	struct sb sql = { 0 };

	if (!is_asked_for(s, j))
		return true;
	if (s->plan.message == s->number)
		return is_cheap(s);
	if (j->nstatements > 1)
		return refuse_plan(
		    s, "Send one statement at a time.", "the cost of several statements in one text cannot be asked for");
	if (!errand_possible(s, false))
		return wait_for_answers(s);
	job = plan_job(s);
	sb_fmt(&sql, EXPLAIN "%s", forwarded_text(j));
	errand_query(s, &job, sb_text(&sql));
	sb_free(&sql);
	return false;
}

/* Up to here the series has only named statements: it may as well end here, for
 * the server, and the client's own Sync ends the next one. Inside a block a
 * Sync ends nothing. */
static bool
end_series(struct session *s)
{
	if (s->status != 'T' && s->ran)
		return refuse_plan(s, "Send a Sync before each Bind.", "its cost cannot be asked for in the middle of a series");
	msg_write_sync(&s->out);
	session_to_server(s);
	session_owe(s, OWED_SYNC)->own = true;
	s->unsynced = false;
	s->waits = true;
	return false;
}

static void
put_types(struct wire_writer *w, const struct named *n)
{
	size_t i;

	for (i = 0; i < n->ntypes; i++)
		wire_put_u32(w, n->types[i]);
}

static void
ask_with_parameters(struct session *s, const struct named *n, const uint8_t *body, size_t len)
{
	struct errand_job job = plan_job(s);
	struct wire_writer types = { 0 };
	struct sb sql = { 0 };

	sb_fmt(&sql, EXPLAIN "%s", forwarded_text(n->judgement));
	put_types(&types, n);
	msg_write_close(&s->out, 'S', PLAN_NAME);
	msg_write_parse(&s->out, PLAN_NAME, sb_text(&sql), sql.len, (uint16_t)n->ntypes, types.p);
	msg_copy_bind(&s->out, PLAN_NAME, PLAN_NAME, body, len);
	msg_write_execute(&s->out, PLAN_NAME, 0);
	msg_write_close(&s->out, 'P', PLAN_NAME);
	msg_write_close(&s->out, 'S', PLAN_NAME);
	msg_write_sync(&s->out);
	errand_messages(s, &job);
	wire_writer_free(&types);
	sb_free(&sql);
}

bool
plan_cost_bind(struct session *s, const struct named *n, const uint8_t *body, size_t len)
{
	if (!is_asked_for(s, n->judgement))
		return true;
	if (s->plan.message == s->number)
		return is_cheap(s);
	if (n->sql)
		return refuse_plan(
		    s, "Run it with EXECUTE.", "the cost of a statement that PREPARE has made cannot be asked for with Bind");
	if (s->unsynced && s->status != 'E')
		return end_series(s);
	if (!errand_possible(s, false))
		return wait_for_answers(s);
	ask_with_parameters(s, n, body, len);
	return false;
}
