/* policy/types_select.c - the choice among candidates: the manual's "Type Conversion", functions and operators alike. */
#include <stdlib.h>
#include <string.h>

#include "types_int.h"

/* --- the search --- */

bool
search_init(struct search *s, const struct type_scope *scope, const struct value_type *args, size_t nargs)
{
	s->scope = scope;
	s->catalog = scope->catalog;
	s->call = NULL;
	s->args = args;
	s->nargs = nargs;
	s->nunknown = 0;
	s->open = s->array = false;
	s->list = s->fixed;
	s->n = 0;
	s->room = CANDIDATES_FIXED;
	if (nargs > ARGS_MAX)
		return false;
	for (size_t i = 0; i < nargs; i++) {
		s->type[i] = args[i].type;
		s->base[i] = NULL;
		if (s->type[i] == TYPE_UNKNOWN)
			s->nunknown++;
		else if (s->type[i] == TYPE_ANY || (s->base[i] = types_base_type(s->catalog, s->type[i])) == NULL) {
			s->type[i] = TYPE_ANY;
			s->open = true;
		}
	}
	return true;
}

void
search_release(struct search *s)
{
	if (s->list != s->fixed)
		free(s->list);
}

void
search_add(struct search *s, const struct candidate *c)
{
	if (s->n == s->room) {
		struct candidate *bigger = xreallocarray(NULL, s->room * 2, sizeof(*bigger));

		memcpy(bigger, s->list, s->n * sizeof(*bigger));
		if (s->list != s->fixed)
			free(s->list);
		s->list = bigger;
		s->room *= 2;
	}
	s->list[s->n++] = *c;
}

size_t
scope_place(const struct type_scope *s, uint32_t namespace)
{
	size_t i = 0;

	while (i < s->npath && s->path[i] != namespace)
		i++;
	return i;
}

/* name => value: which parameter it is. The caller has checked that there is one. */
static size_t
named_parameter(const struct cat_function *f, const char *name)
{
	size_t i = 0;

	while (i + 1 < f->nargs && strcmp(f->arg_names[i], name) != 0)
		i++;
	return i;
}

/* What the candidate wants as the i-th argument written. */
uint32_t
candidate_arg(const struct search *s, const struct candidate *c, size_t i)
{
	const struct cat_function *f = c->function;

	if (c->op != NULL)
		return i + 1 == s->nargs ? c->op->right : c->op->left;
	if (s->call->arg_names != NULL && s->call->arg_names[i] != NULL)
		i = named_parameter(f, s->call->arg_names[i]);
	if (c->element != 0 && i + 1 >= f->nargs)
		return c->element;
	return f->args[i];
}

bool
candidate_same(const struct search *s, const struct candidate *a, const struct candidate *b)
{
	for (size_t i = 0; i < s->nargs; i++)
		if (candidate_arg(s, a, i) != candidate_arg(s, b, i))
			return false;
	return true;
}

/* --- filters --- */

static bool
is_exact(const struct search *s, const struct candidate *c, const uint32_t *types)
{
	for (size_t i = 0; i < s->nargs; i++)
		if (candidate_arg(s, c, i) != types[i])
			return false;
	return true;
}

bool
search_exact(struct search *s)
{
	size_t n = 0;

	if (s->open || s->nunknown > 0)
		return false;
	for (size_t i = 0; i < s->n; i++)
		if (is_exact(s, &s->list[i], s->type))
			s->list[n++] = s->list[i];
	if (n == 0)
		return false;
	s->n = n;
	return true;
}

/* Could these types be given to the candidate without a word? */
static enum fit
candidate_fit(const struct search *s, const struct candidate *c, const uint32_t *types)
{
	uint32_t declared[ARGS_MAX];
	enum fit fit = FIT_YES;
	struct generic g;

	for (size_t i = 0; i < s->nargs; i++) {
		enum fit one;

		declared[i] = candidate_arg(s, c, i);
		one = types_fit(s->catalog, types[i], declared[i], COERCE_BY_IMPLICIT);
		if (one == FIT_NO)
			return FIT_NO;
		if (one == FIT_MAYBE)
			fit = FIT_MAYBE;
	}
	return types_generic(s->catalog, &g, types, declared, s->nargs) == FIT_NO ? FIT_NO : fit;
}

void
search_match(struct search *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++) {
		const enum fit fit = candidate_fit(s, &s->list[i], s->type);

		if (fit == FIT_NO)
			continue;
		if (fit == FIT_MAYBE)
			s->open = true;
		s->list[n++] = s->list[i];
	}
	s->n = n;
}

/* Of two that take the same types, the one whose schema comes first in the
 * path hides the other. In one schema that happens to those with VARIADIC or
 * defaults only: a plain one hides VARIADIC, and others make the call
 * ambiguous, so they stay. */
static bool
hidden(const struct search *s, const struct candidate *c)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct candidate *o = &s->list[i];
		const bool before = o->place < c->place || (o->place == c->place && c->element != 0 && o->element == 0);

		if (before && candidate_same(s, o, c))
			return true;
	}
	return false;
}

void
search_hide(struct search *s)
{
	bool mixed = false;
	size_t n = 0;

	for (size_t i = 0; i < s->n && !mixed; i++)
		mixed = s->list[i].place != s->list[0].place || s->list[i].special;
	if (!mixed)
		return;
	/* Marked first: whoever is hidden still hides others. */
	for (size_t i = 0; i < s->n; i++)
		s->list[i].score = hidden(s, &s->list[i]);
	for (size_t i = 0; i < s->n; i++)
		if (s->list[i].score == 0)
			s->list[n++] = s->list[i];
	s->n = n;
}

/* --- preferences --- */

static void
keep_most(struct search *s)
{
	uint16_t most = 0;
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++)
		if (s->list[i].score > most)
			most = s->list[i].score;
	for (size_t i = 0; i < s->n; i++)
		if (s->list[i].score == most)
			s->list[n++] = s->list[i];
	s->n = n;
}

/* Rule: most exact matches, domains counted as their base types. */
static void
prefer_exact(struct search *s)
{
	for (size_t i = 0; i < s->n; i++) {
		s->list[i].score = 0;
		for (size_t j = 0; j < s->nargs; j++)
			if (s->base[j] != NULL && candidate_arg(s, &s->list[i], j) == s->base[j]->oid)
				s->list[i].score++;
	}
	keep_most(s);
}

static bool
preferred_in(const struct catalog *c, uint32_t type, char category)
{
	const struct cat_type *t = catalog_type_of(c, type);

	return t != NULL && t->preferred && t->category == category;
}

/* Rule: most exact matches or preferred types of the argument's category. */
static void
prefer_preferred(struct search *s)
{
	for (size_t i = 0; i < s->n; i++) {
		s->list[i].score = 0;
		for (size_t j = 0; j < s->nargs; j++) {
			const uint32_t type = candidate_arg(s, &s->list[i], j);

			if (s->base[j] != NULL && (type == s->base[j]->oid || preferred_in(s->catalog, type, s->base[j]->category)))
				s->list[i].score++;
		}
	}
	keep_most(s);
}

struct slot {
	char category;
	bool preferred; /* a candidate has a preferred type there */
};

/* The category that a string literal is taken for: string if any candidate
 * would have it, else the one that all agree on. */
static bool
slot_of_literal(const struct search *s, size_t i, struct slot *slot)
{
	bool conflict = false;

	*slot = (struct slot){ 0 };
	for (size_t j = 0; j < s->n; j++) {
		const struct cat_type *t = catalog_type_of(s->catalog, candidate_arg(s, &s->list[j], i));
		const char category = t != NULL ? t->category : 'X';
		const bool preferred = t != NULL && t->preferred;

		if (slot->category == category)
			slot->preferred |= preferred;
		else if (slot->category == 0 || category == 'S')
			*slot = (struct slot){ category, preferred };
		else
			conflict = true;
	}
	return !conflict || slot->category == 'S';
}

static bool
slot_accepts(const struct search *s, const struct slot *slot, uint32_t type)
{
	const struct cat_type *t = catalog_type_of(s->catalog, type);

	return t != NULL && t->category == slot->category && (t->preferred || !slot->preferred);
}

/* Rule: categories for the string literals. */
static void
prefer_categories(struct search *s)
{
	struct slot slots[ARGS_MAX];
	size_t n = 0;

	for (size_t i = 0; i < s->nargs; i++)
		if (s->type[i] == TYPE_UNKNOWN && !slot_of_literal(s, i, &slots[i]))
			return;
	for (size_t j = 0; j < s->n; j++) {
		s->list[j].score = 1;
		for (size_t i = 0; i < s->nargs; i++)
			if (s->type[i] == TYPE_UNKNOWN && !slot_accepts(s, &slots[i], candidate_arg(s, &s->list[j], i)))
				s->list[j].score = 0;
		n += s->list[j].score;
	}
	if (n > 0)
		keep_most(s);
}

/* Rule: literals are taken for what all the other arguments are, if that leaves one. */
static void
prefer_same(struct search *s)
{
	uint32_t types[ARGS_MAX];
	const struct cat_type *known = NULL;
	const struct candidate *only = NULL;

	for (size_t i = 0; i < s->nargs; i++) {
		if (s->base[i] == NULL)
			continue;
		if (known != NULL && known != s->base[i])
			return;
		known = s->base[i];
	}
	if (known == NULL)
		return;
	for (size_t i = 0; i < s->nargs; i++)
		types[i] = known->oid;
	for (size_t j = 0; j < s->n; j++) {
		const enum fit fit = candidate_fit(s, &s->list[j], types);

		if (fit == FIT_MAYBE || (fit == FIT_YES && only != NULL))
			return;
		if (fit == FIT_YES)
			only = &s->list[j];
	}
	if (only != NULL) {
		s->list[0] = *only;
		s->n = 1;
	}
}

void
search_best(struct search *s)
{
	if (s->open || s->n < 2)
		return;
	prefer_exact(s);
	if (s->n > 1)
		prefer_preferred(s);
	if (s->n > 1 && s->nunknown > 0)
		prefer_categories(s);
	if (s->n > 1 && s->nunknown > 0)
		prefer_same(s);
}
