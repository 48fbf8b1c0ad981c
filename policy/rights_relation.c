/* policy/rights_relation.c - how a relation stands: open, guarded or denied, and why.
 *
 * The order matters. What the lists say about its name, and what the deny
 * lists say about the names that it had, comes first and needs nothing else. Then what it is made of: the table of an index, the parents
 * whose restrictions it takes over, the body of a view, the conditions that
 * PostgreSQL runs on its rows. Then what is hidden of it, and last, when
 * children are read with it, what is hidden of those.
 *
 * A view runs with its owner's rights, so it is not the database that keeps
 * its reader from the tables below: a view over something closed is closed,
 * in whatever schema it stands. tables.allow opens it when it names it letter
 * by letter: so an administrator shows a part of a closed table. Its body is
 * then not looked at. A foreign table, whose rows nobody here can judge, is
 * opened in the same way and in no other.
 */
#include <stdlib.h>
#include <string.h>

#include "definitions.h"
#include "formers.h"
#include "rights_int.h"

static const struct relation_rights open_rights = { .standing = STANDING_OPEN };
static const struct relation_rights table_denied = { .standing = STANDING_DENIED, .rule = RULE_TABLE_DENIED };
static const struct relation_rights schema_denied = { .standing = STANDING_DENIED, .rule = RULE_SCHEMA_DENIED };
static const struct relation_rights too_much = {
	.standing = STANDING_DENIED, .rule = RULE_TABLE_DENIED, .why = "it leads through more views than can be followed"
};

/* What is asked, and what is known of the answer so far. */
struct inquiry {
	struct rights *r;
	const struct cat_relation *rel;
	const char *schema;
	unsigned access;
	bool only;
	enum rule rule;
	struct err why;
	const struct relation_rights *guarded; /* NULL: nothing is hidden */
};

static bool refused(struct inquiry *q, enum rule rule, const char *fmt, ...) printf_like(3, 4);

static bool
refused(struct inquiry *q, enum rule rule, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(q->why.text, sizeof(q->why.text), fmt, ap);
	va_end(ap);
	q->rule = rule;
	return false;
}

/* --- names ----------------------------------------------------------------- */

/* An allow list of tables does not mean their indexes, nor row types that are no table's. */
static bool
has_own_name(const struct inquiry *q)
{
	return q->rel->kind != 'c' && !((q->rel->kind == 'i' || q->rel->kind == 'I') && q->rel->of != 0);
}

static const struct relation_rights *
by_name(const struct inquiry *q)
{
	const enum name_answer answer = profile_relation(q->r->profile, q->schema, q->rel->name, q->access, NULL);

	if (answer == NAME_DENIED_SCHEMA)
		return &schema_denied;
	if (answer == NAME_OPEN || (!has_own_name(q) && !closed_by_name(q->r->profile, q->r->catalog, q->rel, q->access)))
		return NULL;
	return &table_denied;
}

/* What closed it has to follow it when it is renamed or moved while the policy is in force. */
static bool
was_open(struct inquiry *q)
{
	const struct cat_former *f = former_closed(q->r->profile, q->r->catalog, q->rel, q->access);

	return f == NULL || refused(q, RULE_TABLE_DENIED, "this table was %.80s.%.80s, which is not open", f->schema, f->name);
}

static bool
is_trusted(const struct inquiry *q)
{
	return profile_relation_named(q->r->profile, q->schema, q->rel->name, q->access);
}

/* --- what it is made of ------------------------------------------------------ */

/* An index, a TOAST table, a sequence of a column: as the table, unless its rows are shown and some are hidden there. */
static bool
owner_open(struct inquiry *q)
{
	const struct cat_relation *table = q->rel->of != 0 ? catalog_relation_of(q->r->catalog, q->rel->of) : NULL;
	const struct relation_rights *right;

	if (table == NULL || table == q->rel)
		return true;
	right = rights_relation(q->r, table, q->access, true);
	if (right->standing == STANDING_DENIED)
		return refused(q, right->rule, "it belongs to %.80s.%.80s, which is not open to this connection",
		    rights_schema(q->r, table->namespace), table->name);
	if (right->standing == STANDING_GUARDED && q->rel->kind == 't')
		return refused(q, RULE_TABLE_DENIED, "it holds values of %.80s.%.80s, of which parts are hidden",
		    rights_schema(q->r, table->namespace), table->name);
	return true;
}

/* Rows of a child are rows of its parents, so what closes a parent by name closes it, too. Their column rules and row
 * filters come with its guard. */
static bool
parents_open(struct inquiry *q)
{
	const struct cat_relation **parents = NULL;
	size_t n;
	bool good = true;

	if (q->rel->nparents == 0)
		return true;
	n = rights_family(q->r, q->rel, true, &parents);
	for (size_t i = 0; i < n && good; i++) {
		const char *schema = rights_schema(q->r, parents[i]->namespace);

		if (closed_by_name(q->r->profile, q->r->catalog, parents[i], q->access))
			good = refused(q, RULE_TABLE_DENIED,
			    "its rows are also those of %.80s.%.80s, which is not open to this connection", schema,
			    parents[i]->name);
	}
	free(parents);
	return good;
}

static bool
judge_text(struct inquiry *q, const struct sb *sql, bool shows, const char *what)
{
	struct body body = { .sql = sb_text(sql) };
	enum rule rule = RULE_TABLE_DENIED;
	struct err why = { "" };

	if (!sql->bad && rights_body(q->r, &body, shows, &rule, &why))
		return true;
	return refused(q, rule, "%s: %.600s", what, why.text);
}

/* pg_depend says what the server found in the view, whatever its text says to us. ONLY is not told there; when children
 * are read, the body says so. */
static bool
depends_open(struct inquiry *q)
{
	for (size_t i = 0; i < q->rel->ndepends; i++) {
		const struct cat_depend *d = &q->rel->depends[i];
		const struct cat_relation *on = catalog_relation_of(q->r->catalog, d->relation);
		const struct relation_rights *right;
		const char *schema;

		if (on == NULL || on == q->rel)
			continue;
		schema = rights_schema(q->r, on->namespace);
		right = rights_relation(q->r, on, q->access, true);
		if (right->standing == STANDING_DENIED)
			return refused(
			    q, right->rule, "it reads %.80s.%.80s, which is not open to this connection", schema, on->name);
		if (right->standing != STANDING_GUARDED)
			continue;
		if (right->guard->filter != NULL)
			return refused(q, RULE_TABLE_DENIED, "it reads %.80s.%.80s, of which rows are hidden", schema, on->name);
		for (size_t c = 0; c < on->ncolumns; c++)
			if (on->columns[c].number == d->column && right->guard->actions[c] != COLUMN_OPEN)
				return refused(q, RULE_COLUMN_DENIED, "it reads column %.80s of %.80s.%.80s, which is hidden",
				    on->columns[c].name, schema, on->name);
	}
	return true;
}

static bool
view_open(struct inquiry *q)
{
	struct sb sql = { 0 };
	bool good;

	if (q->rel->definition == NULL)
		return refused(q, RULE_TABLE_DENIED, "its definition is not known");
	if (!depends_open(q))
		return false;
	sb_str(&sql, q->rel->definition);
	good = judge_text(q, &sql, true, "what it reads is not open");
	sb_free(&sql);
	return good;
}

/* Conditions that the owner set on the rows. The table's own columns are all open to them. */
static bool
policies_open(struct inquiry *q)
{
	bool good = true;

	if (q->rel->row_security && q->r->unbound && !is_trusted(q))
		return refused(q, RULE_TABLE_DENIED, "its row-level security does not hold this login, which is a superuser");
	for (size_t i = 0; q->rel->row_security && i < q->rel->npolicies && good; i++) {
		struct sb sql = { 0 };

		sb_str(&sql, "SELECT 1 FROM ");
		append_name(&sql, q->schema, q->rel->name);
		sb_fmt(&sql, " WHERE (%s)", q->rel->policies[i]);
		good = judge_text(q, &sql, false, "a row-security policy of it is not open");
		sb_free(&sql);
	}
	return good;
}

/* What planning works out of its own expressions. Those of a child are about columns that are here, too. */
static bool
expressions_open(struct inquiry *q, const struct cat_relation *rel)
{
	bool good = true;

	for (size_t i = 0; i < rel->nexpressions && good; i++) {
		struct sb sql = { 0 };

		if (!rights_planned(q->r, rel, rel->expressions[i]))
			continue;
		sb_fmt(&sql, "SELECT %s FROM ", rel->expressions[i]);
		append_name(&sql, q->schema, q->rel->name);
		good = judge_text(q, &sql, false, "planning a query of it runs an expression of an index, a CHECK or the like");
		sb_free(&sql);
	}
	return good;
}

static bool
planning_open(struct inquiry *q)
{
	const struct cat_relation **children = NULL;
	bool good = expressions_open(q, q->rel);
	size_t n;

	if (!good || q->only || !q->rel->has_children)
		return good;
	n = rights_family(q->r, q->rel, false, &children);
	for (size_t i = 0; i < n && good; i++)
		good = expressions_open(q, children[i]);
	free(children);
	return good;
}

/* Computed when it is read. What it computes with must not be hidden: so the table shows its guard to the expression. */
static bool
virtual_open(struct inquiry *q)
{
	bool good = true;

	if (q->guarded != NULL)
		q->r->frames[q->r->depth - 1] = *q->guarded;
	for (size_t i = 0; i < q->rel->ncolumns && good; i++) {
		struct sb sql = { 0 };

		if (q->rel->columns[i].generated != 'v')
			continue;
		if (q->rel->columns[i].expression == NULL)
			return refused(
			    q, RULE_COLUMN_DENIED, "what column %.80s is generated from is not known", q->rel->columns[i].name);
		sb_fmt(&sql, "SELECT %s FROM ", q->rel->columns[i].expression);
		append_name(&sql, q->schema, q->rel->name);
		good = judge_text(q, &sql, true, "what a generated column of it reads is not open");
		sb_free(&sql);
	}
	return good;
}

static bool
is_view(const struct cat_relation *rel)
{
	return rel->kind == 'v' || rel->kind == 'm';
}

/* Of itself, or of a child that is read with it. */
static bool
has_expressions(const struct inquiry *q)
{
	return q->rel->nexpressions > 0 || (q->rel->has_children && !q->only);
}

static bool
has_virtual(const struct cat_relation *rel)
{
	for (size_t i = 0; i < rel->ncolumns; i++)
		if (rel->columns[i].generated == 'v')
			return true;
	return false;
}

/* Does its answer rest on those of others, by SQL of its own or as a part of a table? */
static bool
leads_on(const struct inquiry *q)
{
	return (is_view(q->rel) && !is_trusted(q)) || (q->rel->row_security && (q->rel->npolicies > 0 || q->r->unbound)) ||
	       has_virtual(q->rel) || has_expressions(q) || q->rel->of != 0;
}

static bool
text_open(struct inquiry *q)
{
	if (is_view(q->rel) && !is_trusted(q) && !view_open(q))
		return false;
	return policies_open(q) && planning_open(q);
}

static bool
guard_open(struct inquiry *q)
{
	struct err why = { "" };

	if (!rights_guard(q->r, q->rel, &q->guarded, &why))
		return refused(q, RULE_COLUMN_DENIED, "%.600s", why.text);
	return true;
}

/* Everything but the names and the text. */
static bool
parts_open(struct inquiry *q)
{
	if (q->rel->kind == 'f' && !is_trusted(q))
		return refused(q, RULE_TABLE_DENIED, "it is a foreign table, and tables.allow does not name it");
	return owner_open(q) && parents_open(q);
}

static bool
children_open(struct inquiry *q)
{
	if (q->only || !q->rel->has_children)
		return true;
	return rights_children(q->r, q->rel, q->access, q->guarded != NULL ? q->guarded->guard : NULL, &q->rule, &q->why);
}

/* --- the answer --------------------------------------------------------------- */

static const struct relation_rights *
denial(struct inquiry *q)
{
	struct rights *r = q->r;
	struct relation_rights *d = xcalloc(1, sizeof(*d));

	*d = (struct relation_rights){ .standing = STANDING_DENIED, .rule = q->rule, .why = rights_keep(r, q->why.text) };
	r->denials = xreallocarray(r->denials, r->ndenials + 1, sizeof(r->denials[0]));
	return r->denials[r->ndenials++] = d;
}

static const struct relation_rights *
answer_of(struct inquiry *q, bool good)
{
	if (!good)
		return denial(q);
	return q->guarded != NULL ? q->guarded : &open_rights;
}

/* Nothing of PostgreSQL's own has a text to follow, but what its catalogs say about closed objects is hidden. The lists
 * of those are made from the bodies of views: not while such a body is being judged. */
static const struct relation_rights *
system_standing(struct inquiry *q, bool *remember)
{
	struct rights *r = q->r;

	*remember = false;
	if (r->listing) {
		rights_rely(r, -1);
		return &open_rights;
	}
	if (!r->listed && r->depth > 0) {
		r->wants_lists = r->exhausted = true;
		return &too_much;
	}
	*remember = true;
	return answer_of(q, guard_open(q));
}

/* With a frame of its own: what the others ask about it is answered by the frame. */
static const struct relation_rights *
standing_by_others(struct inquiry *q, const struct relation_rights **slot)
{
	struct rights *r = q->r;
	bool good;

	if (!rights_enter(r))
		return &too_much;
	*slot = &r->frames[r->depth - 1];
	good = parts_open(q) && text_open(q) && guard_open(q) && virtual_open(q) && children_open(q);
	*slot = NULL;
	if (rights_leave(r, good))
		return *slot = answer_of(q, good);
	return good && !r->exhausted ? answer_of(q, true) : &too_much;
}

static const struct relation_rights *
stand(struct inquiry *q, const struct relation_rights **slot)
{
	const struct relation_rights *named = by_name(q);
	bool remember;

	if (named != NULL)
		return *slot = named;
	if (!was_open(q))
		return *slot = denial(q);
	if (is_system_relation(q->r, q->rel)) {
		named = system_standing(q, &remember);
		return remember ? *slot = named : named;
	}
	if (leads_on(q))
		return standing_by_others(q, slot);
	return *slot = answer_of(q, parts_open(q) && guard_open(q) && children_open(q));
}

static const struct relation_rights **
slot_of(struct rights *r, const struct cat_relation *rel, unsigned access, bool only)
{
	const size_t which = ((access & (ACCESS_READ | ACCESS_WRITE)) - 1) * 2 + (only ? 1 : 0);

	if (r->standings[which] == NULL)
		r->standings[which] = xcalloc(catalog_relations(r->catalog) + 1, sizeof(r->standings[which][0]));
	return &r->standings[which][catalog_relation_index(r->catalog, rel)];
}

const struct relation_rights *
rights_relation(struct rights *r, const struct cat_relation *rel, unsigned access, bool only)
{
	const struct relation_rights **slot, *found;

	if ((access & (ACCESS_READ | ACCESS_WRITE)) == 0)
		access |= ACCESS_READ;
	slot = slot_of(r, rel, access, only);
	if (*slot != NULL) {
		if (*slot >= r->frames && *slot < r->frames + RIGHTS_DEPTH_MAX)
			rights_rely(r, (int)(*slot - r->frames));
		return *slot;
	}
	do {
		struct inquiry q = {
			.r = r, .rel = rel, .schema = rights_schema(r, rel->namespace), .access = access, .only = only
		};

		found = stand(&q, slot);
	} while (found == &too_much && rights_again(r));
	return found;
}
