/* policy/rights_body.c - SQL that a database keeps: views, policies, CHECKs, defaults. */
#include "rights_int.h"

#include <stdlib.h>
#include <string.h>

#include "nodes.h"

/* --- judging ------------------------------------------------------------------ */

static enum rule
rule_for(const struct refusal *r)
{
	switch (r->rule) {
	case RULE_SCHEMA_DENIED:
	case RULE_TABLE_DENIED:
	case RULE_COLUMN_DENIED:
	case RULE_FUNCTION_DENIED:
		return r->rule;
	default: /* what we cannot read is closed like a table */
		return RULE_TABLE_DENIED;
	}
}

/* What the plain walk finds and the analysis leaves to decide.c: settings, locks, what is unknown. */
static bool
fact_open(const struct profile *p, const struct fact *f, bool shows, struct err *why)
{
	switch (f->type) {
	case FACT_ACT:
		return f->kind == KIND_SELECT || err_set(why, "%s in it", f->what);
	case FACT_SETTING:
	case FACT_BOUND:
		return err_set(why, "it changes a setting");
	case FACT_SHOWN:
		return !shows || profile_judge_shown(p, *f->name != '\0' ? f->name : NULL, why) == SETTING_PASS;
	case FACT_PROBLEM:
		return (f->if_read_only && !p->read_only) || err_set(why, "%s: %s", f->what, f->value);
	case FACT_RELATION:
	case FACT_FUNCTION:
	case FACT_ATTRIBUTE:
	case FACT_OPERATOR:
		return true; /* the analysis knows more of these */
	}
	return err_set(why, "it cannot be judged");
}

static bool
facts_open(const struct profile *p, const struct tree *tree, const char *sql, bool shows, struct err *why)
{
	struct facts f;
	bool good = true;

	facts_init(&f);
	facts_collect(&f, tree, sql, strlen(sql), p);
	if (f.fatal != NULL)
		good = err_set(why, "%s: %s", f.fatal->what, f.fatal->value);
	for (size_t i = 0; i < f.n && good; i++)
		good = fact_open(p, &f.items[i], shows, why);
	facts_release(&f);
	return good;
}

/* One SELECT, as pg_get_viewdef() and its like print it, and nothing around it. */
static bool
is_plain(struct rights *r, const char *sql, bool shows, struct err *why)
{
	struct tree tree = { 0 };
	bool good;

	if (!parser_parse(r->parser, sql, &tree))
		good = err_set(why, "its text cannot be read");
	else if (tree.n != 1 || !IsA(linitial_node(RawStmt, tree.statements)->stmt, SelectStmt))
		good = err_set(why, "its text is no single SELECT");
	else
		good = facts_open(r->profile, &tree, sql, shows, why);
	tree_release(&tree);
	return good;
}

static bool
judge(struct rights *r, const struct body *body, bool shows, enum rule *rule, struct err *why)
{
	struct refusal refusal = { .location = -1 };
	bool good;

	*rule = RULE_TABLE_DENIED;
	if (!is_plain(r, body->sql, shows, why))
		return false;
	good = analyze_body(r, r->parser, body, &refusal);
	if (!good) {
		*rule = rule_for(&refusal);
		err_set(why, "%s", refusal.message != NULL ? refusal.message : "it cannot be judged");
	}
	refusal_release(&refusal);
	return good;
}

bool
rights_body(struct rights *r, const struct body *body, bool shows, enum rule *rule, struct err *why)
{
	struct parser own;
	bool good;

	if (r->parser != NULL)
		return judge(r, body, shows, rule, why);
	parser_open(&own);
	r->parser = &own;
	good = judge(r, body, shows, rule, why);
	r->parser = NULL;
	parser_close(&own);
	return good;
}

/* --- literals ------------------------------------------------------------------- */

/* 'x', 'x'::text, 'x' COLLATE "C" */
static const char *
literal(const Node *n)
{
	while (n != NULL && (IsA(n, TypeCast) || IsA(n, CollateClause)))
		n = IsA(n, TypeCast) ? ((const TypeCast *)n)->arg : ((const CollateClause *)n)->arg;
	if (n == NULL || !IsA(n, A_Const) || ((const A_Const *)n)->isnull || !IsA(&((const A_Const *)n)->val.node, String))
		return NULL;
	return ((const A_Const *)n)->val.sval.sval;
}

/* Types that hold text or bytes as they come; 'x'::date is no place to keep a secret in. */
static bool
holds_text(const struct rights *r, uint32_t type)
{
	enum { BYTEA = 17, JSON = 114, XML = 142, JSONB = 3802 };
	const struct cat_type *t = catalog_type_of(r->catalog, types_base(r->catalog, type));

	if (t == NULL)
		return true;
	return t->category == 'S' || t->oid == BYTEA || t->oid == JSON || t->oid == XML || t->oid == JSONB;
}

#define LABEL_BYTES 8 /* 'EUR', 'customer' */

static bool
mark_literals(struct rights *r, const struct cat_relation *rel, const SelectStmt *s, bool *marks, size_t *n)
{
	size_t i = 0;

	if ((size_t)list_length(s->targetList) != rel->ncolumns)
		return false;
	for (; i < rel->ncolumns; i++) {
		const ResTarget *target = list_nth_node(ResTarget, s->targetList, (int)i);
		const char *text = literal(target->val);

		marks[i] = text != NULL && strlen(text) > LABEL_BYTES && holds_text(r, rel->columns[i].type);
		*n += marks[i];
	}
	return true;
}

static bool
literals_in(struct rights *r, const struct cat_relation *rel, bool *marks, size_t *n)
{
	struct tree tree = { 0 };
	bool good = parser_parse(r->parser, rel->definition, &tree) && tree.n == 1;

	if (good) {
		const Node *stmt = linitial_node(RawStmt, tree.statements)->stmt;

		good = IsA(stmt, SelectStmt);
		if (good && ((const SelectStmt *)stmt)->op == SETOP_NONE && ((const SelectStmt *)stmt)->valuesLists == NIL)
			good = mark_literals(r, rel, (const SelectStmt *)stmt, marks, n);
	}
	tree_release(&tree);
	return good;
}

bool
rights_literals(struct rights *r, const struct cat_relation *rel, bool *marks, size_t *n)
{
	struct parser own;
	bool good;

	*n = 0;
	if (strchr(rel->definition, '\'') == NULL)
		return true;
	if (r->parser != NULL)
		return literals_in(r, rel, marks, n);
	parser_open(&own);
	r->parser = &own;
	good = literals_in(r, rel, marks, n);
	r->parser = NULL;
	parser_close(&own);
	return good;
}
