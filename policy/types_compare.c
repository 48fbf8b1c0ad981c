/* policy/types_compare.c - what runs when values are compared or printed, down to elements and fields. */
#include "types_int.h"

enum doing { COMPARING, PRINTING, PRINTING_JSON };

struct visit {
	const struct type_scope *scope;
	const struct catalog *catalog;
	enum doing doing;
	struct seen seen;
};

static void visit(struct visit *, const struct value_type *);

/* --- comparing --- */

/* Only default classes are taken without being named. */
static void
reach_classes(const struct visit *v, uint32_t type)
{
	size_t n;
	const struct cat_opclass *const *classes = catalog_opclasses(v->catalog, type, &n);

	for (size_t i = 0; i < n; i++) {
		if (!classes[i]->is_default)
			continue;
		for (size_t j = 0; j < classes[i]->nfunctions; j++)
			types_reach_function(v->scope, classes[i]->functions[j]);
	}
}

static void
reach_support(const struct visit *v, const struct cat_type *t)
{
	for (size_t i = 0; i < t->nsupport; i++)
		types_reach_function(v->scope, t->support[i]);
}

/* A range compares its bounds by the class that it was made with, whose functions stand among those of the range. */
static void
reach_comparison(const struct visit *v, const struct cat_type *t)
{
	reach_classes(v, t->oid);
	if (t->kind == 'r' && t->oid >= FIRST_USER_OID)
		reach_support(v, t);
}

static void
reach_every_class(const struct visit *v)
{
	const size_t n = catalog_types(v->catalog);

	if (v->scope->compared_all != NULL) {
		if (*v->scope->compared_all)
			return;
		*v->scope->compared_all = true;
	}
	for (size_t i = 0; i < n; i++)
		reach_comparison(v, catalog_type_at(v->catalog, i));
}

/* --- printing --- */

static void
reach_json_casts_of_all(const struct visit *v)
{
	size_t n;
	const struct cat_cast *const *casts = catalog_user_casts(v->catalog, &n);

	for (size_t i = 0; i < n; i++)
		if (casts[i]->target == OID_JSON || casts[i]->target == OID_JSONB)
			types_reach_function(v->scope, casts[i]->function);
}

static void
reach_json_casts(const struct visit *v, uint32_t type)
{
	static const uint32_t targets[] = { OID_JSON, OID_JSONB };
	const struct cat_cast *cast;

	for (size_t i = 0; i < nitems(targets); i++)
		if ((cast = catalog_cast(v->catalog, type, targets[i])) != NULL)
			types_reach_function(v->scope, cast->function);
}

/* --- both --- */

static void
visit_unknown(const struct visit *v)
{
	if (v->doing == PRINTING_JSON)
		reach_json_casts_of_all(v);
	else if (v->doing != PRINTING)
		reach_every_class(v);
}

static void
visit_type(const struct visit *v, const struct cat_type *t)
{
	if (v->doing == COMPARING) {
		reach_comparison(v, t);
		return;
	}
	if (t->oid < FIRST_USER_OID)
		return;
	if (v->doing == PRINTING_JSON)
		reach_json_casts(v, t->oid);
	reach_support(v, t);
}

static void
visit_fields(struct visit *v, const struct cat_type *t)
{
	const struct cat_relation *rel = catalog_relation_of(v->catalog, t->relation);

	for (size_t i = 0; rel != NULL && i < rel->ncolumns; i++)
		visit(v, &(struct value_type){ .type = rel->columns[i].type });
}

static void
visit_parts(struct visit *v, const struct cat_type *t)
{
	if (types_element(t) != 0)
		visit(v, &(struct value_type){ .type = types_element(t) });
	else if (t->kind == 'c')
		visit_fields(v, t);
	else if (t->kind == 'r' || t->kind == 'm')
		visit(v, &(struct value_type){ .type = t->base });
}

static void
visit_row(struct visit *v, const struct row_shape *row)
{
	for (size_t i = 0; i < row->n; i++)
		visit(v, &row->types[i]);
}

static bool
nothing_inside(const struct cat_type *t)
{
	return t->oid < FIRST_USER_OID && types_element(t) == 0 && t->kind != 'c' && t->kind != 'r' && t->kind != 'm';
}

static void
visit(struct visit *v, const struct value_type *value)
{
	const struct cat_type *t = value->type != TYPE_RECORD ? types_base_type(v->catalog, value->type) : NULL;

	if (value->type == TYPE_UNKNOWN)
		return;
	if (v->seen.depth > DEPTH_MAX) {
		visit_unknown(v);
		return;
	}
	if (value->row == NULL && t == NULL) {
		if (seen_enter(&v->seen, NULL, TYPE_RECORD, (uint32_t)v->doing))
			visit_unknown(v);
		return;
	}
	if (value->row == NULL && nothing_inside(t) && v->doing != COMPARING)
		return;
	if (!seen_enter(&v->seen, value->row, t != NULL ? t->oid : TYPE_RECORD, (uint32_t)v->doing))
		return;
	v->seen.depth++;
	if (value->row != NULL)
		visit_row(v, value->row);
	if (t != NULL) {
		visit_type(v, t);
		visit_parts(v, t);
	}
	v->seen.depth--;
}

static void
visit_from(const struct type_scope *s, const struct value_type *value, enum doing doing)
{
	struct visit v;

	v.scope = s;
	v.catalog = s->catalog;
	v.doing = doing;
	seen_init(&v.seen);
	visit(&v, value);
	seen_release(&v.seen);
}

void
types_compare(const struct type_scope *s, const struct value_type *value)
{
	struct type_memo *m = value->row == NULL && value->type != TYPE_ANY ? s->memo : NULL;
	uint32_t *slot = m != NULL ? &m->compared[value->type % TYPE_MEMO_COMPARED] : NULL;

	if (!catalog_has_user_opclasses(s->catalog) || (slot != NULL && *slot == value->type))
		return;
	if (m != NULL)
		m->excused = false;
	visit_from(s, value, COMPARING);
	if (m != NULL && !m->excused)
		*slot = value->type;
}

void
types_print(const struct type_scope *s, const struct value_type *value, bool json)
{
	visit_from(s, value, json ? PRINTING_JSON : PRINTING);
}
