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

bool
uses_text_waits(struct session *s, const struct judgement *j)
{
	size_t i;

	for (i = 0; j != NULL && i < j->nstatements; i++)
		if (uses_wait(s, meant_by(s, &j->statements[i])))
			return true;
	return false;
}

bool
uses_still_allowed(struct session *s, struct named *n)
{
	struct judgement *old = n->judgement, *j;
	bool refused, same;

	if (old == NULL || old->generation == policy_generation(s->policy))
		return true;
	j = gate_judge(s, old->text, old->text_len, n->sql ? JUDGE_SIMPLE : JUDGE_EXTENDED, &refused);
	same = !refused && (j == NULL || ((j->rewritten == NULL) == (old->rewritten == NULL) &&
					     (j->rewritten == NULL || strcmp(j->rewritten, old->rewritten) == 0)));
	if (!refused && !same)
		gate_error(s, "0A000", RULE_NONE, "Prepare the statement again.",
		    "the policy was reloaded since this statement was prepared");
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
