#include "uses.h"

#include <string.h>

#include "gate.h"

/* A definition that was forwarded in an earlier series may have been skipped
 * there, and the server still have what the name meant before. Within one
 * series, what uses it is skipped with it. */
static bool
is_settled(struct session *s, const struct named *n)
{
	const struct owed *head = pipeline_head(&s->owed);

	return head == NULL || head->number > n->owner || s->closed < n->owner;
}

bool
uses_wait(struct session *s, const struct named *n)
{
	if (!s->enforce || n == NULL || is_settled(s, n))
		return false;
	s->waits = true;
	return true;
}

/* What a statement of a text means by its name; NULL: nothing that was there before. */
static struct named *
meant_by(struct session *s, const struct judged_statement *st)
{
	if (st->name == NULL)
		return NULL;
	switch (st->effect) {
	case NAME_PREPARE:
	case NAME_EXECUTE:
	case NAME_DEALLOCATE:
		return names_statement(s->names, st->name);
	case NAME_DECLARE:
	case NAME_DECLARE_HOLD:
	case NAME_FETCH:
	case NAME_CLOSE:
		return names_portal(s->names, st->name);
	default:
		return NULL;
	}
}

static struct named *
used_by(struct session *s, const struct judged_statement *st)
{
	return st->effect == NAME_EXECUTE || st->effect == NAME_FETCH ? meant_by(s, st) : NULL;
}

const struct judgement *
uses_run(struct session *s, const struct judged_statement *st)
{
	const struct named *n = used_by(s, st);

	return n != NULL ? n->judgement : NULL;
}

bool
uses_guarded(struct session *s, const struct judgement *j)
{
	const struct judgement *by_name;
	size_t i;

	if (j == NULL || j->guarded)
		return j != NULL;
	for (i = 0; i < j->nstatements; i++)
		if ((by_name = uses_run(s, &j->statements[i])) != NULL && by_name->guarded)
			return true;
	return false;
}

bool
uses_text_waits(struct session *s, const struct judgement *j)
{
	size_t i;

	for (i = 0; j != NULL && i < j->nstatements; i++)
		if (uses_wait(s, meant_by(s, &j->statements[i])))
			return true;
	return false;
}

/* A portal's plan was made when it was bound: what changes afterwards in the
 * database or the search_path does not reach it. A statement is planned anew. */
static bool
is_current(struct session *s, const struct named *n)
{
	if (n->judgement == NULL || !s->enforce)
		return true;
	return n->tally != NULL ? n->judgement->generation == policy_generation(s->policy) : gate_judged_alike(s, n->judgement);
}

static bool
same_text(const struct judgement *a, const struct judgement *b)
{
	return (a->rewritten == NULL) == (b->rewritten == NULL) &&
	       (a->rewritten == NULL || strcmp(a->rewritten, b->rewritten) == 0);
}

bool
uses_still_allowed(struct session *s, struct named *n)
{
	struct judgement *old = n->judgement, *j;
	bool refused, same;

	if (is_current(s, n))
		return true;
	j = gate_judge_again(s, old->text, old->text_len, n->sql ? JUDGE_SIMPLE : JUDGE_EXTENDED, n->types, n->ntypes, &refused);
	same = !refused && (j == NULL || same_text(j, old));
	if (!refused && !same)
		gate_error(s, "26000", RULE_NONE, "Prepare the statement again.",
		    "the policy or what the database holds has changed since this statement was prepared");
	if (same && j != NULL) { /* the same text, for all that the names keep count of */
		n->judgement = j;
		j = old;
	}
	judgement_unref(j);
	return same;
}

bool
uses_allowed(struct session *s, const struct judgement *j)
{
	struct named *n;
	size_t i;

	for (i = 0; s->enforce && j != NULL && i < j->nstatements; i++) {
		if ((n = used_by(s, &j->statements[i])) == NULL)
			continue;
		if (!uses_still_allowed(s, n))
			return false;
		if (j->statements[i].effect == NAME_EXECUTE && n->judgement != NULL && n->judgement->nbound_settings > 0) {
			gate_error(s, "42501", RULE_FUNCTION_DENIED, "Send its parameters in a Bind message.",
			    "EXECUTE of a set_config with parameters refused");
			return false;
		}
	}
	return true;
}

static bool
fetches(const struct judgement *j)
{
	size_t i;

	for (i = 0; j != NULL && i < j->nstatements; i++)
		if (j->statements[i].effect == NAME_FETCH)
			return true;
	return false;
}

struct tally *
uses_fetch_tally(struct session *s, const struct judgement *j)
{
	struct named *n;
	size_t i;

	if (!fetches(j))
		return NULL;
	for (i = 0; i < j->nstatements; i++)
		if (j->statements[i].effect == NAME_FETCH && (n = used_by(s, &j->statements[i])) != NULL)
			return tally_ref(n->tally);
	return tally_new();
}
