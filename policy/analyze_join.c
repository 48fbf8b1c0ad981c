/* policy/analyze_join.c - joins: merged columns, what an alias hides, what ON sees. */
#include "analyze_int.h"

#include <string.h>

struct range {
	size_t from, to; /* items of one side */
};

/* Columns of one side, as a star would list them. */
static struct columns
side_columns(struct analyzer *a, struct range r)
{
	struct columns all = { 0 };

	if (r.to - r.from == 1)
		return a->level->items[r.from]->columns;
	for (size_t i = r.from; i < r.to; i++)
		if (a->level->items[i]->listed)
			columns_append(a, &all, &a->level->items[i]->columns);
	return all;
}

/* NULLs take the place of that side's rows. */
static void
mark_nullable(struct analyzer *a, struct range r)
{
	for (size_t i = r.from; i < r.to; i++)
		if (a->level->items[i]->source != NULL)
			a->level->items[i]->source->site.nullable = true;
}

static void
refuse_merge(struct analyzer *a, const JoinExpr *j, const char *name)
{
	stop(a, RULE_COLUMN_DENIED, -1, "%s over column %.64s refused: it is not open to this connection",
	    j->isNatural ? "NATURAL JOIN" : "USING", name);
}

/* One column out of two of the same name, equal by the operator "=". */
static void
merge_column(struct analyzer *a, const JoinExpr *j, const struct column *l, const struct column *r, struct columns *merged)
{
	struct value_type both[2];
	struct column *c;

	if ((l->action == COLUMN_DENY || r->action == COLUMN_DENY) && !in_ours(a, -1)) {
		refuse_merge(a, j, l->name);
		return;
	}
	both[0] = use_column(a, NULL, l, -1);
	both[1] = use_column(a, NULL, r, -1);
	c = column_new(a, merged, l->name, common_value(a, "USING", both, NULL, 2, -1));
	(void)apply_operator(a, NIL, "=", l->literal != NULL ? l->literal : (const Node *)j, both[0], r->literal, both[1], -1);
	compare_values(a, "USING", both[0], -1);
	compare_values(a, "USING", both[1], -1);
	if (both[0].type == both[1].type)
		c->type = j->jointype == JOIN_RIGHT ? both[1] : both[0];
}

static bool
is_merged(struct analyzer *a, const struct columns *merged, const char *name)
{
	return merged->n > 0 && find_output(a, merged, name) != NULL;
}

static void
merge_natural(struct analyzer *a, const JoinExpr *j, const struct columns *l, const struct columns *r, struct columns *merged)
{
	for (size_t i = 0; i < l->n && !a->failed; i++) {
		const struct column *other = find_output(a, r, l->list[i]->name);

		if (other != NULL)
			merge_column(a, j, l->list[i], other, merged);
	}
	if (l->open || r->open)
		merged->open = true;
}

static void
merge_using(struct analyzer *a, const JoinExpr *j, const struct columns *l, const struct columns *r, struct columns *merged)
{
	for (int i = 0; i < list_n(j->usingClause) && !a->failed; i++) {
		const char *name = name_at(j->usingClause, list_n(j->usingClause) - 1 - i);
		const struct column *x = find_output(a, l, name), *y = find_output(a, r, name);

		if (x != NULL && y != NULL)
			merge_column(a, j, x, y, merged);
		else
			(void)column_new(a, merged, name, value_of(TYPE_ANY));
	}
}

static void
rest_of(struct analyzer *a, struct columns *to, const struct columns *side, const struct columns *merged)
{
	for (size_t i = 0; i < side->n && !a->failed; i++)
		if (!is_merged(a, merged, side->list[i]->name))
			columns_add(a, to, side->list[i]);
	to->open = to->open || side->open;
}

static void
analyze_on(struct analyzer *a, const JoinExpr *j, size_t first)
{
	struct level *l = a->level;
	const size_t was_first = l->first;
	const bool was_in_on = l->in_on;

	l->first = first;
	l->in_on = true;
	to_boolean(a, j->quals, "ON");
	l->first = was_first;
	l->in_on = was_in_on;
}

/* The join's columns stand for those of its sides, and its alias for their names. */
static void
cover(struct analyzer *a, const JoinExpr *j, struct range both, const struct columns *merged)
{
	struct item *join = item_new(a, NULL), *using;

	join->columns = *merged;
	a->joins_named = a->joins_named || j->alias != NULL || j->join_using_alias != NULL;
	for (size_t i = both.from; i < both.to; i++) {
		struct item *item = a->level->items[i];

		if (j->alias != NULL)
			item->named = false;
		item->listed = false;
	}
	if (j->join_using_alias != NULL && j->alias == NULL) {
		using = item_new(a, j->join_using_alias->aliasname);
		using->listed = false;
		for (int i = 0; i < list_n(j->usingClause) && (size_t)i < merged->n; i++)
			columns_add(a, &using->columns, merged->list[i]);
		item_push(a, using);
	}
	item_alias(a, join, j->alias);
	item_push(a, join);
}

void
analyze_join(struct analyzer *a, const JoinExpr *j)
{
	struct range left = { a->level->n, 0 }, right;
	struct columns l, r, merged = { 0 };
	const bool plain = j->usingClause == NIL && !j->isNatural;

	analyze_from_item(a, j->larg);
	left.to = right.from = a->level->n;
	analyze_from_item(a, j->rarg);
	right.to = a->level->n;
	if (a->failed)
		return;
	if (j->jointype == JOIN_LEFT || j->jointype == JOIN_FULL)
		mark_nullable(a, right);
	if (j->jointype == JOIN_RIGHT || j->jointype == JOIN_FULL)
		mark_nullable(a, left);
	if (plain && j->alias == NULL) {
		/* the sides keep their columns: nothing is merged or renamed */
		analyze_on(a, j, left.from);
		return;
	}
	l = side_columns(a, left);
	r = side_columns(a, right);
	if (j->isNatural)
		merge_natural(a, j, &l, &r, &merged);
	else
		merge_using(a, j, &l, &r, &merged);
	if (plain) {
		analyze_on(a, j, left.from);
		rest_of(a, &merged, &l, &(struct columns){ 0 });
		rest_of(a, &merged, &r, &(struct columns){ 0 });
	} else {
		const struct columns only = merged;

		rest_of(a, &merged, &l, &only);
		rest_of(a, &merged, &r, &only);
	}
	cover(a, j, (struct range){ left.from, right.to }, &merged);
}
