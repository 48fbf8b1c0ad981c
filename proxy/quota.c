#include "quota.h"

#include "gate.h"

static bool
is_limited(const struct session *s)
{
	return s->enforce && (s->limits->rate_per_minute > 0 || s->limits->max_concurrent > 0);
}

void
quota_open(struct session *s)
{
	quota_close(s);
	if (is_limited(s))
		s->account = account_open(
		    s->worker->gateway->principals, &s->principal, profile_name(s->profile), loop_now(s->worker->loop));
}

void
quota_close(struct session *s)
{
	if (s->entered)
		account_leave(s->account);
	account_close(s->account);
	s->account = NULL;
	s->entered = false;
	s->running = 0;
}

bool
quota_take(struct session *s)
{
	char hint[80];
	int64_t wait;

	if (s->account == NULL || s->limits->rate_per_minute <= 0 || s->charged == s->number)
		return true;
	s->charged = s->number;
	if (account_take(s->account, s->limits, loop_now(s->worker->loop), &wait))
		return true;
	snprintf(hint, sizeof(hint), "Try again in %lld s.", (long long)wait / 1000000 + 1);
	gate_error(s, "53400", RULE_RATE_LIMITED, hint, "too many statements: user \"%.64s\" may run %lld a minute", s->user,
	    (long long)s->limits->rate_per_minute);
	return false;
}

bool
quota_enter(struct session *s)
{
	if (s->account == NULL || s->entered)
		return true;
	s->entered = account_enter(s->account, s->limits);
	if (!s->entered)
		gate_error(s, "53400", RULE_RATE_LIMITED, "Try again when one of them has ended.",
		    "too many statements at a time: user \"%.64s\" may run %lld", s->user, (long long)s->limits->max_concurrent);
	return s->entered;
}

void
quota_owe(struct session *s, struct owed *o)
{
	o->counted = s->entered;
	s->running += s->entered;
}

void
quota_answered(struct session *s, const struct owed *o)
{
	s->running -= o->counted;
	quota_settle(s);
}

void
quota_settle(struct session *s)
{
	if (!s->entered || s->running > 0)
		return;
	account_leave(s->account);
	s->entered = false;
}
