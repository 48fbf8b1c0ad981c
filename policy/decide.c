/* policy/decide.c - facts and a profile in, yes or a refusal out. */
#include "refusal.h"

#include <string.h>
#include <strings.h>

#define BIT(kind) (1u << (kind))

/* What read-only means, whatever the lists say. */
static const uint32_t never_read_only = BIT(KIND_INSERT) | BIT(KIND_UPDATE) | BIT(KIND_DELETE) | BIT(KIND_MERGE) |
					BIT(KIND_COPY_FROM) | BIT(KIND_DDL) | BIT(KIND_CALL) | BIT(KIND_DO) | BIT(KIND_LOCK) |
					BIT(KIND_MAINTENANCE) | BIT(KIND_LISTEN);

/* These need their word in statements.allow; a missing list does not do. */
static const uint32_t only_by_name = BIT(KIND_COPY_TO) | BIT(KIND_COPY_FROM) | BIT(KIND_DDL) | BIT(KIND_CALL) | BIT(KIND_DO) |
				     BIT(KIND_LOCK) | BIT(KIND_MAINTENANCE) | BIT(KIND_LISTEN);

static const uint32_t data_writes = BIT(KIND_INSERT) | BIT(KIND_UPDATE) | BIT(KIND_DELETE) | BIT(KIND_MERGE) | BIT(KIND_COPY_FROM);

/* --- names for people --------------------------------------------------- */

struct label {
	char text[256];
};

static const char *
qualified(struct label *l, const char *schema, const char *name)
{
	snprintf(l->text, sizeof(l->text), "%.80s%s%.80s", schema, *schema != '\0' ? "." : "", name);
	return l->text;
}

/* "UPDATE of public.users", "COMMIT" */
static const char *
act_label(struct label *l, const struct fact *f)
{
	struct label on = { "" };

	if (*f->name == '\0')
		return f->what;
	snprintf(l->text, sizeof(l->text), "%.64s of %.170s", f->what, qualified(&on, f->schema, f->name));
	return l->text;
}

/* --- one judge per type of fact ----------------------------------------- */

static bool
is_listed(const struct profile *p, enum statement_kind kind)
{
	if ((BIT(kind) & only_by_name) != 0 && p->statements_allow == UINT32_MAX)
		return false;
	return (BIT(kind) & p->statements_allow) != 0;
}

static bool
judge_act(const struct profile *p, const struct fact *f, struct refusal *r)
{
	struct label l = { "" };
	const char *what = act_label(&l, f);
	const uint32_t bit = BIT(f->kind);

	if (p->read_only && (bit & never_read_only) != 0)
		return refuse(r, RULE_READ_ONLY, f->location, "%s refused: this connection is read-only", what);
	if (f->kind == KIND_UNKNOWN)
		return refuse(r, RULE_STATEMENT_NOT_ALLOWED, f->location, "%s refused: it is never allowed through pgmoat", what);
	if ((bit & p->statements_deny) != 0)
		return refuse(r, RULE_STATEMENT_NOT_ALLOWED, f->location, "%s refused: statements of kind %s are denied", what,
		    kind_name(f->kind));
	if (!is_listed(p, f->kind))
		return refuse(r, RULE_STATEMENT_NOT_ALLOWED, f->location, "%s refused: statements of kind %s are not allowed", what,
		    kind_name(f->kind));
	if (p->writes == WRITES_DENY && (bit & data_writes) != 0)
		return refuse(r, RULE_READ_ONLY, f->location, "%s refused: this profile allows no writes", what);
	if (p->require_where && f->whereless)
		return refuse(r, RULE_WHERELESS_WRITE, f->location, "%s refused: it has no WHERE that limits it", what);
	return true;
}

static bool
judge_relation(const struct profile *p, struct rights *rights, const struct fact *f, struct refusal *r)
{
	const char *resolved = NULL, *schema = f->schema;
	struct label l = { "" };
	bool by_name = true;

	if (rights != NULL && (!decide_relation(rights, f, &by_name, r) || !by_name))
		return r->message == NULL;
	switch (profile_relation(p, f->schema, f->name, (unsigned)f->number, &resolved)) {
	case NAME_OPEN:
		return true;
	case NAME_DENIED_SCHEMA:
		if (*schema == '\0' && resolved != NULL)
			schema = resolved;
		return refuse(r, RULE_SCHEMA_DENIED, f->location, "access to %s refused: its schema is not open to this connection",
		    qualified(&l, schema, f->name));
	case NAME_DENIED_TABLE:
		break;
	}
	if (*schema == '\0' && resolved != NULL)
		schema = resolved;
	return refuse(r, RULE_TABLE_DENIED, f->location, "%s %s refused: this table is not open to this connection",
	    (f->number & ACCESS_WRITE) != 0 ? "writing to" : "access to", qualified(&l, schema, f->name));
}

static bool
judge_function(const struct profile *p, const struct fact *f, struct refusal *r)
{
	static const char *const reasons[] = {
		[FUNCTION_DENIED] = "it is denied",
		[FUNCTION_VOLATILE] = "it is volatile, so it may change something",
		[FUNCTION_USER] = "it is not built in, and the policy does not name it",
	};
	const char *why = NULL;
	struct label l = { "" };
	const enum function_answer answer = profile_function(p, f->schema, f->name, f->number, &why);

	if (answer == FUNCTION_OPEN)
		return true;
	return refuse(r, RULE_FUNCTION_DENIED, f->location, "call of %s refused: %s", qualified(&l, f->schema, f->name),
	    why != NULL && *why != '\0' ? why : reasons[answer]);
}

static bool
judge_operator(const struct profile *p, const struct fact *f, struct refusal *r)
{
	struct label l = { "" };

	if (p->user_defined_allow)
		return true;
	return refuse(
	    r, RULE_FUNCTION_DENIED, f->location, "operator %s refused: it is not built in", qualified(&l, f->schema, f->name));
}

static bool
judge_attribute(const struct fact *f, struct refusal *r)
{
	return refuse(
	    r, RULE_FUNCTION_DENIED, f->location, "call of %s refused: value.%s calls the function of that name", f->name, f->name);
}

static bool
judge_setting(const struct profile *p, const struct fact *f, struct refusal *r)
{
	const bool call = strcmp(f->what, "set_config") == 0;
	struct err why = { "" };

	if (profile_judge_setting(p, f->name, f->value, &why) == SETTING_PASS)
		return true;
	return refuse(r, call ? RULE_FUNCTION_DENIED : RULE_SETTING_DENIED, f->location, "%s %s refused: %s",
	    call ? "set_config of" : f->what, f->name, *why.text != '\0' ? why.text : "the policy does not allow it");
}

static bool
judge_shown(const struct profile *p, const struct fact *f, struct refusal *r)
{
	const bool call = strcmp(f->what, "current_setting") == 0;
	struct err why = { "" };

	if (profile_judge_shown(p, *f->name != '\0' ? f->name : NULL, &why) == SETTING_PASS)
		return true;
	return refuse(r, call ? RULE_FUNCTION_DENIED : RULE_SETTING_DENIED, f->location, "%s refused: %s",
	    call ? "call of current_setting" : f->what, why.text);
}

/* Only a plain SELECT in a Parse gets its parameters from a Bind that we see. */
static bool
judge_bound(const struct facts *all, const struct fact *f, unsigned flags, struct refusal *r)
{
	if ((flags & JUDGE_EXTENDED) != 0 && all->nstatements == 1 && all->statements[0].is.kind == KIND_SELECT)
		return true;
	return refuse(
	    r, RULE_FUNCTION_DENIED, f->location, "call of set_config refused: only constant names and values can be judged");
}

static bool
judge_problem(const struct profile *p, const struct fact *f, struct refusal *r)
{
	if (f->if_read_only && !p->read_only)
		return true;
	return refuse(r, f->rule, f->location, "%s refused: %s", f->what, f->value);
}

static bool
judge_call(const struct profile *p, const struct fact *f, struct refusal *r)
{
	switch (f->type) {
	case FACT_FUNCTION:
		return judge_function(p, f, r);
	case FACT_ATTRIBUTE:
		return judge_attribute(f, r);
	case FACT_OPERATOR:
		return judge_operator(p, f, r);
	default:
		return true;
	}
}

static bool
judge_fact(const struct profile *p, struct rights *rights, const struct fact *f, struct refusal *r)
{
	switch (f->type) {
	case FACT_ACT:
		return judge_act(p, f, r);
	case FACT_RELATION:
		return judge_relation(p, rights, f, r);
	case FACT_FUNCTION:
	case FACT_ATTRIBUTE:
	case FACT_OPERATOR:
		return rights != NULL || judge_call(p, f, r);
	case FACT_SETTING:
		return judge_setting(p, f, r);
	case FACT_SHOWN:
		return judge_shown(p, f, r);
	case FACT_BOUND: /* judge_bound() */
		return true;
	case FACT_PROBLEM:
		return judge_problem(p, f, r);
	}
	return refuse(r, RULE_STATEMENT_NOT_ALLOWED, f->location, "this statement refused: it cannot be judged");
}

/* --- several statements -------------------------------------------------- */

/* A text is judged under one path, the one before it. Housekeeping names no tables. */
static bool
moves_search_path(const struct facts *f)
{
	bool moves = false, names = false;

	for (size_t i = 0; i < f->n; i++)
		moves |= f->items[i].type == FACT_SETTING && strcasecmp(f->items[i].name, "search_path") == 0;
	for (size_t i = 0; i < f->nstatements; i++)
		names |= !f->statements[i].housekeeping;
	return moves && names;
}

static bool
judge_batch(const struct profile *p, const struct facts *f, unsigned flags, struct refusal *r)
{
	if (f->nstatements <= 1)
		return true;
	if ((flags & JUDGE_EXTENDED) != 0) {
		refuse(r, RULE_MULTI_STATEMENT, f->statements[1].location,
		    "cannot insert multiple commands into a prepared statement");
		r->sqlstate = "42601";
		return false;
	}
	if (moves_search_path(f))
		return refuse(r, RULE_MULTI_STATEMENT, f->statements[1].location,
		    "SET search_path together with other statements refused: what they name would depend on it");
	switch (p->multi) {
	case MULTI_EACH:
		return true;
	case MULTI_HANDSHAKE:
		for (size_t i = 0; i < f->nstatements; i++)
			if (!f->statements[i].housekeeping)
				return refuse(r, RULE_MULTI_STATEMENT, f->statements[i].location,
				    "%zu statements in one message refused: only session housekeeping may come together",
				    f->nstatements);
		return true;
	case MULTI_DENY:
		break;
	}
	return refuse(r, RULE_MULTI_STATEMENT, f->statements[1].location,
	    "%zu statements in one message refused: send one at a time", f->nstatements);
}

bool
decide(const struct profile *p, struct rights *rights, const struct facts *f, unsigned flags, struct refusal *r)
{
	if (f->fatal != NULL)
		return judge_problem(p, f->fatal, r);
	if (!judge_batch(p, f, flags, r))
		return false;
	for (size_t i = 0; i < f->n; i++)
		if (!judge_fact(p, rights, &f->items[i], r) ||
		    (f->items[i].type == FACT_BOUND && !judge_bound(f, &f->items[i], flags, r)))
			return false;
	return true;
}

bool
decide_calls(const struct profile *p, struct rights *rights, const struct facts *f, struct refusal *r)
{
	for (size_t i = 0; i < f->n; i++)
		if (!judge_call(p, &f->items[i], r) ||
		    (f->items[i].type == FACT_RELATION && !decide_unguarded(rights, &f->items[i], r)))
			return false;
	return true;
}
