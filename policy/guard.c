/* policy/guard.c - a profile's rules and filters, brought to one relation. */
#include "guard_names.h"
#include "guard_rules.h"
#include "mask.h"

#include <stdlib.h>
#include <string.h>

/* --- what is made of hidden columns ---------------------------------------------- */

static bool
uses(const struct cat_column *generated, const struct cat_column *column)
{
	return generated->expression == NULL || guard_names_uses(generated->expression, column->name);
}

static enum column_action
action_of(
    const struct profile *p, const struct catalog *c, const struct lineage *l, const struct cat_column *column, struct err *why)
{
	const struct column_rule *rule = lineage_rule(p, c, l, column);

	if (rule != NULL && rule->action != COLUMN_OPEN)
		return rule->action;
	return guard_type_closed(p, c, column->type, why) ? COLUMN_DENY : COLUMN_OPEN;
}

/* A stored generated column is made of others of its row: as closed as they are. Its expression is taken word by word,
 * and one that the snapshot does not tell could use any. */
static enum column_action
generated_action(
    const struct profile *p, const struct catalog *c, const struct lineage *l, const struct cat_column *column, struct err *why)
{
	const struct cat_relation *r = l->of[0];
	enum column_action strictest = COLUMN_OPEN, action;
	struct err ignored;

	for (size_t i = 0; i < r->ncolumns && strictest != COLUMN_DENY; i++) {
		if (r->columns[i].number == column->number ||
		    (action = action_of(p, c, l, &r->columns[i], &ignored)) == COLUMN_OPEN)
			continue;
		if (!uses(column, &r->columns[i]))
			continue;
		strictest = action;
		err_set(why, "it is generated from %.63s, which is not open to this connection", r->columns[i].name);
	}
	return strictest;
}

/* Closed though no rule is about it, with the reason. Whoever names a view letter by letter in tables.allow has looked
 * at what it shows. */
static enum column_action
derived_action(
    const struct profile *p, const struct catalog *c, const struct lineage *l, const struct cat_column *column, struct err *why)
{
	const struct cat_relation *r = l->of[0];

	if ((r->kind == 'v' || r->kind == 'm') && profile_relation_named(p, l->schemas[0], r->name, ACCESS_READ))
		return COLUMN_OPEN;
	if (guard_type_closed(p, c, column->type, why))
		return COLUMN_DENY;
	return column->generated == 's' ? generated_action(p, c, l, column, why) : COLUMN_OPEN;
}

/* --- making one ------------------------------------------------------------------ */

struct guard *
guard_new(const struct cat_relation *r)
{
	struct guard *g = xcalloc(1, sizeof(*g));

	g->relation = r;
	g->actions = xcalloc(r->ncolumns + 1, sizeof(*g->actions));
	g->masks = xcalloc(r->ncolumns + 1, sizeof(*g->masks));
	g->quiet = xcalloc(r->ncolumns + 1, sizeof(*g->quiet));
	g->whys = xcalloc(r->ncolumns + 1, sizeof(*g->whys));
	return g;
}

void
guard_free(struct guard *g)
{
	if (g == NULL)
		return;
	for (size_t i = 0; i < g->relation->ncolumns; i++) {
		free(g->masks[i]);
		free(g->quiet[i]);
		free(g->whys[i]);
	}
	free(g->actions);
	free(g->masks);
	free(g->quiet);
	free(g->whys);
	free(g->filter);
	free(g);
}

static bool
set_mask(
    struct guard *g, const struct profile *p, const struct catalog *c, size_t i, const struct column_rule *rule, struct err *why)
{
	struct sb sb = { 0 };

	if (rule->mask == MASK_HASH && p->mask_key == NULL)
		return err_set(why, "mask \"hash\" needs mask_key");
	if (rule->mask == MASK_EXPRESSION && !guard_names_known(rule->expression, g->relation, c, why))
		return false;
	if (!mask_write(rule, c, g->relation, &g->relation->columns[i], &sb, why)) {
		sb_free(&sb);
		return false;
	}
	g->masks[i] = sb_take(&sb);
	g->keyed = g->keyed || rule->mask == MASK_HASH;
	g->nmasked++;
	return g->masks[i] != NULL || err_set(why, "the mask is too long");
}

static bool
was_renamed(const struct catalog *c, const struct cat_relation *r, const struct cat_column *column)
{
	size_t n;

	return catalog_formers(c, r->oid, column->number, &n) != NULL;
}

static void
deny(struct guard *g, size_t i, const char *why)
{
	g->actions[i] = COLUMN_DENY;
	g->whys[i] = why != NULL ? xstrdup(why) : NULL;
	g->ndenied++;
}

/* By a rule. Its expression may name the column as it was. */
static bool
set_by_rule(
    struct guard *g, const struct profile *p, const struct catalog *c, size_t i, const struct column_rule *rule, struct err *why)
{
	struct err unknown;

	if (rule->action == COLUMN_DENY) {
		deny(g, i, NULL);
		return true;
	}
	if (rule->mask == MASK_EXPRESSION && was_renamed(c, g->relation, &g->relation->columns[i]) &&
	    !guard_names_known(rule->expression, g->relation, c, &unknown)) {
		deny(g, i, "it was renamed, and the policy's mask has the name of before");
		return true;
	}
	g->actions[i] = COLUMN_MASK;
	return set_mask(g, p, c, i, rule, why);
}

static bool
set_column(struct guard *g, const struct profile *p, const struct catalog *c, const struct lineage *l, size_t i, struct err *why)
{
	static const struct column_rule null = { .action = COLUMN_MASK, .mask = MASK_NULL };
	const struct column_rule *rule = lineage_rule(p, c, l, &g->relation->columns[i]);
	struct err reason;

	if (rule != NULL && rule->action != COLUMN_OPEN)
		return set_by_rule(g, p, c, i, rule, why);
	switch (derived_action(p, c, l, &g->relation->columns[i], &reason)) {
	case COLUMN_OPEN:
		return true;
	case COLUMN_DENY:
		deny(g, i, reason.text);
		return true;
	case COLUMN_MASK:
		break;
	}
	g->actions[i] = COLUMN_MASK;
	return set_mask(g, p, c, i, &null, why);
}

/* All that fit hold, each once, however many parents it fits. */
static bool
set_filter(struct guard *g, const struct profile *p, const struct catalog *c, const struct lineage *l, struct err *why)
{
	struct sb sb = { 0 };

	for (size_t i = 0; i < p->nrow_filters; i++) {
		const struct row_filter *f = &p->row_filters[i];

		if (!lineage_filtered(f, c, l))
			continue;
		if (!guard_names_known(f->where, g->relation, c, why)) {
			sb_free(&sb);
			return false;
		}
		sb_fmt(&sb, "%s(%s)", sb.len > 0 ? " AND " : "", f->where);
	}
	if (sb.len == 0)
		return true;
	g->filter = sb_take(&sb);
	return g->filter != NULL || err_set(why, "the row filter is too long");
}

bool
guard_make(const struct profile *p, const struct catalog *c, const struct cat_relation *r, struct guard **out, struct err *why)
{
	struct lineage lineage;
	struct guard *g;
	bool good = true;

	*out = NULL;
	if (p->ncolumns == 0 && p->nrow_filters == 0 && !guard_holds_rows(c, r))
		return true;
	if (!lineage_find(&lineage, c, r))
		return err_set(why, "it has more than %d ancestors", ANCESTORS_MAX - 1);
	g = guard_new(r);
	for (size_t i = 0; good && i < r->ncolumns; i++)
		good = set_column(g, p, c, &lineage, i, why);
	good = good && set_filter(g, p, c, &lineage, why);
	if (good && (g->ndenied > 0 || g->nmasked > 0 || g->filter != NULL)) {
		*out = g;
		return true;
	}
	guard_free(g);
	return good;
}

/* --- asking ------------------------------------------------------------------------ */

enum column_action
guard_column(const struct guard *g, const char *column)
{
	for (size_t i = 0; i < g->relation->ncolumns; i++)
		if (strcmp(g->relation->columns[i].name, column) == 0)
			return g->actions[i];
	return COLUMN_OPEN;
}

enum column_action
guard_rule_for(const struct profile *p, const struct catalog *c, const struct cat_relation *r, const struct cat_column *column)
{
	const struct column_rule *rule;
	struct lineage lineage;

	if (!lineage_find(&lineage, c, r))
		return COLUMN_DENY;
	rule = lineage_rule(p, c, &lineage, column);
	return rule != NULL ? rule->action : COLUMN_OPEN;
}

enum column_action
guard_action_for(const struct profile *p, const struct catalog *c, const struct cat_relation *r, const struct cat_column *column)
{
	const struct column_rule *rule;
	struct lineage lineage;
	struct err ignored;

	if (!lineage_find(&lineage, c, r))
		return COLUMN_DENY;
	rule = lineage_rule(p, c, &lineage, column);
	if (rule != NULL && rule->action != COLUMN_OPEN)
		return rule->action;
	return derived_action(p, c, &lineage, column, &ignored);
}

bool
guard_has_filter(const struct profile *p, const struct catalog *c, const struct cat_relation *r)
{
	struct lineage lineage;

	if (p->nrow_filters == 0)
		return false;
	if (!lineage_find(&lineage, c, r))
		return true;
	for (size_t i = 0; i < p->nrow_filters; i++)
		if (lineage_filtered(&p->row_filters[i], c, &lineage))
			return true;
	return false;
}

bool
guard_touches(const struct profile *p, const struct catalog *c, const struct cat_relation *r)
{
	struct lineage lineage;

	if (!lineage_find(&lineage, c, r) || lineage_touched(p, c, &lineage))
		return true;
	return guard_holds_rows(c, r);
}
