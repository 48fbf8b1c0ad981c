/* policy/types_reach.c - what runs when a value becomes one of another type, or text becomes a value. */
#include "types_int.h"

struct reaching {
	const struct type_scope *scope;
	const struct catalog *catalog;
	enum coercion how;
	struct seen seen;
};

static void coerce(struct reaching *, const struct value_type *from, uint32_t to);

void
types_reach_function(const struct type_scope *s, uint32_t function)
{
	const struct cat_function *f = function != 0 ? catalog_function_of(s->catalog, function) : NULL;

	if (f != NULL && s->reach != NULL)
		s->reach(s->arg, f);
}

void
types_reach_type(const struct type_scope *s, uint32_t type)
{
	const struct cat_type *t = catalog_type_of(s->catalog, type);

	if (t != NULL && s->reach_type != NULL)
		s->reach_type(s->arg, t);
}

static bool
builtin_scalar(const struct cat_type *t)
{
	return t->oid < FIRST_USER_OID && t->element == 0 && t->kind != 'c' && t->kind != 'd';
}

/* --- text becomes a value --- */

static void input(struct reaching *, uint32_t type);

static void
input_fields(struct reaching *r, const struct cat_type *t)
{
	const struct cat_relation *rel = catalog_relation_of(r->catalog, t->relation);

	for (size_t i = 0; rel != NULL && i < rel->ncolumns; i++)
		input(r, rel->columns[i].type);
}

/* The type's input function, those of its parts, and the CHECKs of domains on the way. */
static void
input(struct reaching *r, uint32_t type)
{
	const struct cat_type *t = catalog_type_of(r->catalog, type);

	if (t == NULL)
		return;
	if (r->scope->reach_type != NULL)
		r->scope->reach_type(r->scope->arg, t);
	if (builtin_scalar(t) || r->seen.depth > DEPTH_MAX || !seen_enter(&r->seen, r, 0, type)) /* no row: text */
		return;
	r->seen.depth++;
	if (t->oid >= FIRST_USER_OID) { /* varchar(3) and the like: a cast from the type to itself cuts to length */
		const struct cat_cast *cast = catalog_cast(r->catalog, type, type);

		if (cast != NULL)
			types_reach_function(r->scope, cast->function);
	}
	if (t->element != 0)
		input(r, t->element);
	else if (t->kind == 'c')
		input_fields(r, t);
	else if (t->kind == 'd' || t->kind == 'r' || t->kind == 'm')
		input(r, t->base);
	r->seen.depth--;
}

/* --- casts that are not known, as one side is not --- */

static bool
context_allows(const struct cat_cast *cast, enum coercion how)
{
	return cast->context == 'i' || (cast->context == 'a' && how >= COERCE_BY_ASSIGNMENT) || how == COERCE_BY_EXPLICIT;
}

/* from or to 0: any type. */
static void
reach_casts(struct reaching *r, uint32_t from, uint32_t to)
{
	size_t n;
	const struct cat_cast *const *casts = catalog_user_casts(r->catalog, &n);

	for (size_t i = 0; i < n; i++)
		if ((from == 0 || casts[i]->source == from) && (to == 0 || casts[i]->target == to) &&
		    context_allows(casts[i], r->how))
			types_reach_function(r->scope, casts[i]->function);
}

static void
coerce_fields_from_any(struct reaching *r, const struct cat_type *to)
{
	const struct value_type any = { .type = TYPE_ANY };
	const struct cat_relation *rel = catalog_relation_of(r->catalog, to->relation);

	for (size_t i = 0; rel != NULL && i < rel->ncolumns; i++)
		coerce(r, &any, rel->columns[i].type);
}

static void
coerce_from_any(struct reaching *r, uint32_t to)
{
	const struct value_type any = { .type = TYPE_ANY };
	const struct cat_type *t = types_base_type(r->catalog, to);

	input(r, to); /* it could be a literal */
	if (t == NULL)
		return;
	reach_casts(r, 0, t->oid);
	if (t->element != 0)
		coerce(r, &any, t->element);
	else if (t->kind == 'c')
		coerce_fields_from_any(r, t);
}

static void
coerce_to_any(struct reaching *r, const struct value_type *from)
{
	const struct cat_type *s = types_base_type(r->catalog, from->type);

	for (size_t i = 0; from->row != NULL && i < from->row->n; i++)
		coerce(r, &from->row->types[i], TYPE_ANY);
	if (s == NULL)
		return;
	reach_casts(r, s->oid, 0);
	if (s->element != 0)
		coerce(r, &(struct value_type){ .type = s->element }, TYPE_ANY);
}

/* --- casts between types that are known --- */

/* A row that is spelled out is cast field by field. */
static void
coerce_row(struct reaching *r, const struct value_type *from, const struct cat_type *to)
{
	const struct cat_relation *rel = catalog_relation_of(r->catalog, to->relation);

	types_reach_type(r->scope, to->oid);
	if (from->row == NULL) {
		coerce_fields_from_any(r, to);
		return;
	}
	for (size_t i = 0; rel != NULL && i < rel->ncolumns && i < from->row->n; i++)
		coerce(r, &from->row->types[i], rel->columns[i].type);
}

/* The CHECKs of a domain run on every value that becomes one. */
static void
reach_domains(struct reaching *r, const struct cat_type *from, uint32_t to)
{
	const struct cat_type *t = catalog_type_of(r->catalog, to);

	for (unsigned i = 0; i < DEPTH_MAX && t != NULL && t->kind == 'd' && t != from; i++) {
		types_reach_type(r->scope, t->oid);
		t = catalog_type_of(r->catalog, t->base);
	}
}

static void
coerce_known(struct reaching *r, const struct value_type *from, uint32_t to)
{
	const struct cat_type *s = types_base_type(r->catalog, from->type);
	const struct cat_type *t = types_base_type(r->catalog, to);
	struct pathway p;

	reach_domains(r, catalog_type_of(r->catalog, from->type), to);
	if (s == NULL || t == NULL || s == t)
		return;
	if (from->type == TYPE_RECORD && types_is_row(t)) {
		coerce_row(r, from, t);
		return;
	}
	p = types_pathway(r->catalog, s->oid, t->oid, r->how);
	if (p.kind == PATH_FUNCTION)
		types_reach_function(r->scope, p.cast->function);
	else if (p.kind == PATH_ARRAY)
		coerce(r, &(struct value_type){ .type = s->element }, t->element);
	else if (p.kind == PATH_IO) {
		types_print(r->scope, from, false);
		input(r, t->oid);
	}
	if (p.kind != PATH_NONE)
		types_reach_type(r->scope, t->oid);
}

/* A user's type may have a cast to itself that fits values to its length. */
static void
coerce_length(struct reaching *r, uint32_t to)
{
	const struct cat_type *t = types_base_type(r->catalog, to);
	const struct cat_cast *cast;

	if (t != NULL && t->element != 0)
		t = types_base_type(r->catalog, t->element);
	if (t != NULL && t->oid >= FIRST_USER_OID && (cast = catalog_cast(r->catalog, t->oid, t->oid)) != NULL)
		types_reach_function(r->scope, cast->function);
}

static void
coerce(struct reaching *r, const struct value_type *from, uint32_t to)
{
	if (from->type == to && to < FIRST_USER_OID && to != TYPE_ANY)
		return;
	if (r->seen.depth > DEPTH_MAX) { /* deeper than anybody's types: all that could be */
		reach_casts(r, 0, 0);
		return;
	}
	if (!seen_enter(&r->seen, from->row, from->type, to))
		return;
	r->seen.depth++;
	if (from->type == TYPE_ANY && to == TYPE_ANY)
		reach_casts(r, 0, 0);
	else if (to == TYPE_ANY)
		coerce_to_any(r, from);
	else if (from->type == TYPE_ANY)
		coerce_from_any(r, to);
	else if (from->type == TYPE_UNKNOWN)
		input(r, to);
	else if (from->type != to)
		coerce_known(r, from, to);
	coerce_length(r, to);
	r->seen.depth--;
}

void
types_coerce(const struct type_scope *s, const struct value_type *from, uint32_t to, enum coercion how)
{
	struct reaching r;

	if (from->type == to && to < FIRST_USER_OID && to != TYPE_ANY)
		return;
	r.scope = s;
	r.catalog = s->catalog;
	r.how = how;
	seen_init(&r.seen);
	coerce(&r, from, to);
	seen_release(&r.seen);
}
