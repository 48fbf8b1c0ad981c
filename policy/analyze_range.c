/* policy/analyze_range.c - functions in FROM, and the columns that they give. */
#include "analyze_int.h"

#include <string.h>

/* AS t(a int, b text): the function's rows become these types, by text or by cast. */
static void
defined_columns(struct analyzer *a, struct columns *cs, const List *list)
{
	for (int i = 0; i < list_n(list) && !a->failed; i++) {
		const ColumnDef *d = list_at(list, i);
		const struct value_type type = resolve_type(a, d->typeName);

		make_value(a, type.type, d->location);
		(void)column_new(a, cs, d->colname, type);
	}
}

static void
named_columns(struct analyzer *a, struct columns *cs, size_t n, const char *const *names, const uint32_t *types)
{
	for (size_t i = 0; i < n && !a->failed; i++)
		(void)column_new(a, cs, names != NULL ? names[i] : "", value_of(types[i]));
}

static void
shape_columns(struct analyzer *a, struct columns *cs, const struct row_shape *row)
{
	for (size_t i = 0; i < row->n && !a->failed; i++)
		(void)column_new(a, cs, row->names[i], row->types[i]);
}

static const struct cat_relation *
composite_of(const struct analyzer *a, uint32_t type)
{
	const struct cat_type *t = type != TYPE_ANY ? catalog_type_of(a->catalog, types_base(a->catalog, type)) : NULL;

	return t != NULL && t->relation != 0 ? catalog_relation_of(a->catalog, t->relation) : NULL;
}

/* The name of the only column of a function that gives plain values. */
static const char *
scalar_name(const struct cat_function *f, const Node *call, const Alias *alias)
{
	if (f != NULL && f->nout == 1 && f->out_names != NULL && f->out_names[0][0] != '\0')
		return f->out_names[0];
	return alias != NULL ? alias->aliasname : expression_name(call);
}

static bool
function_columns(struct analyzer *a, struct columns *cs, const Node *call, const struct cat_function *f, struct value_type v,
    const List *definitions, const Alias *alias)
{
	const struct cat_relation *rel = composite_of(a, v.type);

	if (list_n(definitions) > 0) {
		defined_columns(a, cs, definitions);
	} else if (v.row != NULL) {
		shape_columns(a, cs, v.row);
	} else if (f != NULL && f->nout > 1) {
		named_columns(a, cs, f->nout, f->out_names, f->out_types);
	} else if (rel != NULL) {
		for (size_t i = 0; i < rel->ncolumns && !a->failed; i++)
			(void)column_new(a, cs, rel->columns[i].name, value_of(rel->columns[i].type));
	} else if (v.type == TYPE_ANY || v.type == TYPE_RECORD) {
		cs->open = true;
		(void)column_new(a, cs, scalar_name(f, call, alias), value_of(TYPE_ANY));
	} else {
		(void)column_new(a, cs, scalar_name(f, call, alias), v);
		return true;
	}
	return false;
}

/* In FROM, unnest(a, b) is the server's shorthand for unnest(a), unnest(b). */
static bool
is_many_unnest(const Node *n, const List *definitions)
{
	const FuncCall *f = (const FuncCall *)n;

	return IsA(n, FuncCall) && list_n(definitions) == 0 && f->funcname->length == 1 &&
	       strcmp(name_at(f->funcname, 0), "unnest") == 0 && list_n(f->args) > 1 && f->agg_order == NIL &&
	       f->agg_filter == NULL && f->over == NULL && !f->agg_star && !f->agg_distinct && !f->func_variadic;
}

static void
many_unnest(struct analyzer *a, struct columns *cs, const FuncCall *f)
{
	for (int i = 0; i < f->args->length && !a->failed; i++) {
		struct value_type arg = analyze_expr(a, list_at(f->args, i)), result = value_of(TYPE_ANY);
		const struct call call = { .schema = "pg_catalog", .name = "unnest", .args = &arg, .nargs = 1 };
		const struct cat_function *found = NULL;

		if (a->failed)
			return;
		a->at = (struct construct){ .kind = CONSTRUCT_CALL, .name = "unnest", .nargs = 1, .location = f->location };
		(void)types_call(&a->types, &call, &result, &found);
		param_settle(a, list_at(f->args, i), TYPE_ANY);
		(void)function_columns(a, cs, (const Node *)f, found, result, NIL, NULL);
	}
}

/* row: of what type the alias is as a value, when that is a named one. */
static bool
one_function(
    struct analyzer *a, struct columns *cs, const Node *call, const List *definitions, const Alias *alias, struct value_type *row)
{
	const struct cat_function *found = NULL;
	struct value_type v;
	bool scalar;

	if (is_many_unnest(call, definitions)) {
		many_unnest(a, cs, (const FuncCall *)call);
		return false;
	}
	v = IsA(call, FuncCall) ? analyze_call(a, (const FuncCall *)call, &found) : analyze_expr(a, call);
	scalar = !a->failed && function_columns(a, cs, call, found, v, definitions, alias);
	if (!a->failed && list_n(definitions) == 0 && composite_of(a, v.type) != NULL)
		*row = value_of(v.type);
	if (IsA(call, FuncCall))
		close_settings(a, found, cs, ((const FuncCall *)call)->location);
	return scalar;
}

/* Lateral without the word. Each function stands in a list of its own, with its column definitions. */
void
analyze_range_function(struct analyzer *a, const RangeFunction *f)
{
	const int n = list_n(f->functions);
	const bool lateral = a->level->lateral;
	struct item *item = item_new(a, n > 0 ? expression_name(list_at(list_at(f->functions, 0), 0)) : "function");

	a->level->lateral = true;
	for (int i = 0; i < n && !a->failed; i++) {
		const List *pair = list_at(f->functions, i);
		const List *definitions = pair->length > 1 ? list_at(pair, 1) : NIL;

		item->scalar = one_function(a, &item->columns, list_at(pair, 0),
		    n == 1 && f->coldeflist != NIL ? f->coldeflist : definitions, n == 1 ? f->alias : NULL, &item->row);
	}
	a->level->lateral = lateral;
	if (n > 1 || f->ordinality) {
		item->scalar = false;
		item->row = value_of(TYPE_ANY);
	}
	if (f->ordinality)
		(void)column_new(a, &item->columns, "ordinality", value_of(OID_INT8));
	item_alias(a, item, f->alias);
	item_push(a, item);
}
