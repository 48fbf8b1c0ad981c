/* policy/analyze_closed.c - statistics and definitions, which tell of closed objects without naming them as such. */
#include "substitute.h"

#include "analyze_int.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* --- statistics ----------------------------------------------------------------------------- */

static int
compare_constants(const void *x, const void *y)
{
	const struct text_constant *const *a = x, *const *b = y;

	return strcmp((*a)->text, (*b)->text);
}

static const struct text_constant *
find_constant(const struct text_constant *const *list, size_t n, const char *name)
{
	size_t low = 0, high = n;

	while (low < high) {
		const size_t mid = (low + high) / 2;
		const int c = strcmp(name, list[mid]->text);

		if (c == 0)
			return list[mid];
		if (c < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}

static void
refuse_statistics(struct analyzer *a, const char *name, int location)
{
	if (!in_ours(a, location))
		stop(a, RULE_TABLE_DENIED, location, "statistics of %.64s refused: it is not open to this connection", name);
}

void
check_constants(struct analyzer *a)
{
	const struct text_constant **list;
	const struct text_constant *found;
	const uint32_t *oids;
	size_t n = 0, nclosed = 0;

	for (const struct text_constant *c = a->constants; c != NULL; c = c->next)
		n++;
	list = arena_array(a, const struct text_constant *, n + 1);
	n = 0;
	for (const struct text_constant *c = a->constants; c != NULL; c = c->next)
		list[n++] = c;
	if (n == 0)
		return;
	qsort(list, n, sizeof(const struct text_constant *), compare_constants);
	for (size_t i = 0; i < n && !a->failed; i++)
		if (rights_restricted_schema(a->rights, list[i]->text))
			refuse_statistics(a, list[i]->text, list[i]->location);
	oids = rights_restricted(a->rights, RESTRICTED_RELATIONS, &nclosed);
	for (size_t i = 0; i < nclosed && !a->failed; i++) {
		const struct cat_relation *rel = catalog_relation_of(a->catalog, oids[i]);

		if (rel != NULL && (found = find_constant(list, n, rel->name)) != NULL)
			refuse_statistics(a, rel->name, found->location);
	}
}

/* --- definitions -------------------------------------------------------------------------------- */

static void
note_wrap(struct analyzer *a, int location, unsigned argument, enum wrap_kind what)
{
	struct wrap_note *note = arena_new(a, struct wrap_note);

	*note = (struct wrap_note){ .next = a->wraps, .what = { .location = location, .argument = argument, .what = what } };
	a->wraps = note;
}

/* Rules, constraints, triggers and comments have OIDs that the snapshot does not show: those are looked at when it runs. */
static bool
is_settled(struct analyzer *a, const Node *n, enum wrap_kind what, int location)
{
	if (what != WRAP_RELATION && what != WRAP_FUNCTION)
		return false;
	return check_constant(a, n, what == WRAP_RELATION ? OID_REGCLASS : OID_REGPROCEDURE, location);
}

void
check_definition(
    struct analyzer *a, const char *function, const Node *const *nodes, const struct value_type *types, size_t n, int location)
{
	enum wrap_kind what = WRAP_RELATION;
	unsigned argument = 0;

	if (a->failed || a->body != NULL || in_ours(a, location) || !wrap_needed(function, &what, &argument) || argument >= n)
		return;
	if (is_settled(a, nodes[argument], what, location))
		return;
	if (is_text(types[argument]))
		refuse_computed(a, location);
	else if (location < 0)
		stop(a, RULE_FUNCTION_DENIED, location,
		    "call of %.64s refused: as value.%.64s it cannot be checked; write it as a call", function, function);
	else
		note_wrap(a, location, argument, what);
}

/* Only a constant: then it leaves nothing out. */
static bool
is_condition(const Node *n)
{
	return n != NULL && !IsA(n, A_Const);
}

static bool
shows_first_rows(const struct source *s)
{
	return s != NULL && s->noted && !s->fixed && s->guard->definitions && s->guard->nmasked > 0;
}

static bool
is_joined(const Node *n)
{
	const JoinExpr *j = (const JoinExpr *)n;

	return IsA(n, JoinExpr) && (j->isNatural || j->usingClause != NIL || is_condition(j->quals));
}

/* Such rows would raise the error, but for a LIMIT that ends before them. */
void
check_narrowed(struct analyzer *a, const SelectStmt *s)
{
	if (a->failed || a->body != NULL || is_condition(s->whereClause))
		return;
	for (int i = 0; i < list_n(s->fromClause); i++)
		if (is_joined(list_at(s->fromClause, i)))
			return;
	for (size_t i = 0; i < a->level->n; i++) {
		const struct source *from = a->level->items[i]->source;

		if (shows_first_rows(from) && !in_ours(a, from->site.location))
			stop(a, RULE_COLUMN_DENIED, from->site.location,
			    "access to all of %.64s refused: it shows definitions of objects that are not open; name the object "
			    "you "
			    "want",
			    from->relation->name);
	}
}

/* --- EXPLAIN ------------------------------------------------------------------------------------ */

static bool
is_off(const Node *n)
{
	const char *word;

	if (n == NULL)
		return false;
	if (IsA(n, Integer))
		return ((const Integer *)n)->ival == 0;
	if (!IsA(n, String))
		return false;
	word = ((const String *)n)->sval;
	return strcasecmp(word, "false") == 0 || strcasecmp(word, "off") == 0;
}

static bool
has_option(const ExplainStmt *e, const char *name)
{
	for (int i = 0; i < list_n(e->options); i++) {
		const DefElem *d = list_at(e->options, i);

		if (strcasecmp(d->defname, name) == 0 && !is_off(d->arg))
			return true;
	}
	return false;
}

/* What was prepared is not looked at again: could it be about a table that is hidden in part? */
static bool
hides_values(const struct profile *p)
{
	for (size_t i = 0; i < p->ncolumns; i++)
		if (p->columns[i].action == COLUMN_MASK)
			return true;
	return p->nrow_filters > 0;
}

/* ANALYZE counts the rows that a filter took away, VERBOSE prints the masks'
 * own words. The filter's words are in a plain plan, too: a policy is no data. */
void
check_explain(struct analyzer *a, const ExplainStmt *e, const struct source *before)
{
	const bool counts = has_option(e, "analyze"), words = has_option(e, "verbose");

	if (a->failed || (!counts && !words))
		return;
	if (e->query != NULL && IsA(e->query, ExecuteStmt) && hides_values(a->profile))
		stop(a, RULE_COLUMN_DENIED, -1,
		    "EXPLAIN with ANALYZE or VERBOSE of a prepared statement refused: parts of tables are hidden from this "
		    "connection; use plain EXPLAIN");
	for (const struct source *s = a->sources; s != before && !a->failed; s = s->next) {
		if (!s->noted || s->guard->definitions)
			continue;
		if (counts && s->guard->filter != NULL)
			stop(a, RULE_COLUMN_DENIED, s->site.location,
			    "EXPLAIN ANALYZE of %.64s refused: it counts rows that are hidden; use plain EXPLAIN", s->site.name);
		else if (words && (s->guard->filter != NULL || s->guard->nmasked > 0))
			stop(a, RULE_COLUMN_DENIED, s->site.location,
			    "EXPLAIN VERBOSE of %.64s refused: it prints what hides parts of it; use plain EXPLAIN", s->site.name);
	}
}
