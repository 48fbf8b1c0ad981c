/* policy/walk_notes.c - how the walk writes down what it saw. */
#include "walk.h"

static const char *
or_empty(const char *s)
{
	return s != NULL ? s : "";
}

void
note_visit(struct walk *w, const void *node)
{
	if (w->facts->visits != NULL)
		w->facts->visits[nodeTag(node)]++;
}

void
note_act(struct walk *w, enum statement_kind kind, const char *what, const RangeVar *on, int location, bool whereless)
{
	struct fact fact = {
		.type = FACT_ACT,
		.kind = kind,
		.what = what,
		.schema = or_empty(on != NULL ? on->schemaname : NULL),
		.name = or_empty(on != NULL ? on->relname : NULL),
		.location = location,
		.whereless = whereless,
	};

	if (location < 0)
		fact.location = w->statement->location;
	facts_add(w->facts, &fact);
}

/* The name of the database before the schema changes nothing: PostgreSQL
 * takes only the current one. */
static void
note_relation_at(struct walk *w, const char *schema, const char *name, unsigned access, bool only, int location)
{
	struct fact fact = {
		.type = FACT_RELATION,
		.schema = or_empty(schema),
		.name = or_empty(name),
		.number = (int)access,
		.only = only,
		.location = location,
	};

	facts_add(w->facts, &fact);
}

void
note_relation(struct walk *w, const RangeVar *r, unsigned access)
{
	note_visit(w, r);
	if (access == ACCESS_READ && r->schemaname == NULL && scope_find(&w->ctes, r->relname) != NULL)
		return;
	note_relation_at(w, r->schemaname, r->relname, access, !r->inh, r->location);
}

void
note_named_relation(struct walk *w, const List *name, unsigned access)
{
	note_relation_at(w, list_text(name, 1), list_text(name, 0), access, false, -1);
}

void
note_schema(struct walk *w, const char *schema, unsigned access)
{
	note_relation_at(w, schema, "*", access, false, -1);
}

void
note_function(struct walk *w, const char *schema, const char *name, int nargs, int location)
{
	struct fact fact = { .type = FACT_FUNCTION, .schema = schema, .name = name, .number = nargs, .location = location };

	facts_add(w->facts, &fact);
}

void
note_setting(struct walk *w, const char *what, const char *name, const char *value, int location)
{
	struct fact fact = { .type = FACT_SETTING, .what = what, .schema = "", .name = name, .value = value, .location = location };

	if (location < 0)
		fact.location = w->statement->location;
	facts_add(w->facts, &fact);
}

void
note_shown(struct walk *w, const char *what, const char *name, int location)
{
	struct fact fact = { .type = FACT_SHOWN, .what = what, .schema = "", .name = or_empty(name), .location = location };

	if (location < 0)
		fact.location = w->statement->location;
	facts_add(w->facts, &fact);
}

void
note_problem(struct walk *w, enum rule rule, const char *what, const char *why, int location, bool if_read_only)
{
	struct fact fact = {
		.type = FACT_PROBLEM,
		.rule = rule,
		.what = what,
		.value = why,
		.if_read_only = if_read_only,
		.schema = "",
		.name = "",
		.location = location >= 0 ? location : w->statement->location,
	};

	facts_add(w->facts, &fact);
}

bool
walk_stop(struct walk *w, enum rule rule, const char *what, const char *why, int location)
{
	if (w->facts->fatal == NULL) {
		w->facts->stop = (struct fact){
			.type = FACT_PROBLEM,
			.rule = rule,
			.what = what,
			.value = why,
			.schema = "",
			.name = "",
			.location = location >= 0 ? location : w->statement->location,
		};
		w->facts->fatal = &w->facts->stop;
	}
	return false;
}
