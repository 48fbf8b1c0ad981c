/* policy/analyze_call.c - calls of functions, written as calls or as attributes, with all that hangs on one. */
#include "analyze_int.h"

#include <string.h>

/* Arguments as they are handed to types.c. */
struct arguments {
	struct value_type *types;
	const Node **nodes;
	const char **names; /* NULL: all by position */
	size_t n;
};

static bool
in_words(const char *const *words, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(words[i], name) == 0)
			return true;
	return false;
}

/* --- sorting and windows ------------------------------------------------------------ */

void
analyze_sort(struct analyzer *a, const SortBy *s, const char *what, struct value_type v)
{
	if (s->useOp != NIL) {
		a->at = (struct construct){ .kind = CONSTRUCT_OPERATOR,
			.schema = s->useOp->length > 1 ? name_at(s->useOp, 1) : NULL,
			.name = name_at(s->useOp, 0),
			.location = s->location,
			.symbol = true };
		(void)types_operator(&a->types, a->at.schema, a->at.name, &v, &v);
	}
	compare_values(a, what, v, s->location);
}

static void
sort_list(struct analyzer *a, const List *list, const char *what)
{
	for (int i = 0; i < list_n(list) && !a->failed; i++) {
		const SortBy *s = list_at(list, i);

		analyze_sort(a, s, what, analyze_expr(a, s->node));
	}
}

/* A number of rows; or a distance, as in_range() of the column's operator family takes it: any of these. */
static void
frame_offset(struct analyzer *a, const WindowDef *w, const Node *n)
{
	static const uint32_t distances[] = { 21 /* int2 */, OID_INT4, OID_FLOAT8, OID_NUMERIC, 1186 /* interval */ };
	struct value_type v;

	if (n == NULL)
		return;
	v = analyze_expr(a, n);
	cast_value(a, v, OID_INT8, COERCE_BY_ASSIGNMENT, NULL, -1);
	if ((w->frameOptions & FRAMEOPTION_RANGE) == 0 || v.type == TYPE_UNKNOWN || (v.type < FIRST_USER_OID && v.type != TYPE_ANY))
		return;
	for (size_t i = 0; i < nitems(distances); i++)
		cast_value(a, v, distances[i], COERCE_BY_IMPLICIT, NULL, -1);
}

void
analyze_window(struct analyzer *a, const WindowDef *w)
{
	if (w == NULL || !enter(a, w->location))
		return;
	for (int i = 0; i < list_n(w->partitionClause) && !a->failed; i++)
		compare_values(a, "PARTITION BY", analyze_expr(a, list_at(w->partitionClause, i)), w->location);
	sort_list(a, w->orderClause, "ORDER BY of a window");
	frame_offset(a, w, w->startOffset);
	frame_offset(a, w, w->endOffset);
	leave(a);
}

/* --- what built-in functions do with values of any type --------------------------------- */

static bool
is_polymorphic(uint32_t type)
{
	switch (type) {
	case 2249: /* record */
	case 2276: /* "any" */
	case 2277: /* anyarray and its like */
	case 2283:
	case 2287:
	case 2776:
	case 3500:
	case 3831:
	case 4537:
	case 4538:
	case 5077:
	case 5078:
	case 5079:
	case 5080:
		return true;
	default:
		return false;
	}
}

static bool
takes_any(const struct cat_function *f)
{
	for (size_t i = 0; i < f->nargs; i++)
		if (is_polymorphic(f->args[i]))
			return true;
	return false;
}

/* The others may compare or hash what they are given. */
static bool
never_compares(const char *name)
{
	static const char *const words[] = { "any_value", "array_agg", "array_append", "array_cat", "array_dims", "array_fill",
		"array_length", "array_lower", "array_ndims", "array_prepend", "array_sample", "array_shuffle", "array_to_json",
		"array_to_string", "array_upper", "cardinality", "concat", "concat_ws", "count", "enum_first", "enum_last",
		"enum_range", "first_value", "format", "generate_subscripts", "json_agg", "json_agg_strict", "json_array_length",
		"json_build_array", "json_build_object", "json_object_agg", "json_populate_record", "json_populate_recordset",
		"jsonb_agg", "jsonb_agg_strict", "jsonb_build_array", "jsonb_build_object", "jsonb_object_agg",
		"jsonb_populate_record", "jsonb_populate_recordset", "lag", "last_value", "lead", "lower_inc", "nth_value",
		"num_nonnulls", "num_nulls", "pg_collation_for", "pg_column_compression", "pg_column_size", "pg_typeof",
		"quote_literal", "quote_nullable", "row_to_json", "to_json", "to_jsonb", "trim_array", "unnest", "upper_inc" };

	return in_words(words, nitems(words), name);
}

static bool
makes_json(const char *name)
{
	static const char *const words[] = { "array_to_json", "json_agg", "json_agg_strict", "json_build_array",
		"json_build_object", "json_object_agg", "json_object_agg_strict", "json_object_agg_unique",
		"json_object_agg_unique_strict", "jsonb_agg", "jsonb_agg_strict", "jsonb_build_array", "jsonb_build_object",
		"jsonb_object_agg", "jsonb_object_agg_strict", "jsonb_object_agg_unique", "jsonb_object_agg_unique_strict",
		"row_to_json", "to_json", "to_jsonb" };

	return in_words(words, nitems(words), name);
}

static bool
makes_text(const char *name)
{
	static const char *const words[] = { "array_to_string", "concat", "concat_ws", "format", "quote_literal",
		"quote_nullable" };

	return in_words(words, nitems(words), name);
}

/* Its first argument says which type to make from text. */
static bool
populates(const char *name)
{
	return strstr(name, "populate_record") != NULL;
}

static void
use_values(struct analyzer *a, const char *name, const struct arguments *args, int location)
{
	const struct construct at = a->at;
	const bool compares = a->compares && !never_compares(name), json = makes_json(name), text = !json && makes_text(name);

	for (size_t i = 0; i < args->n && !a->failed; i++) {
		if (compares)
			compare_values(a, name, args->types[i], location);
		a->at = at;
		if (json || text)
			types_print(&a->types, &args->types[i], json);
	}
	if (strncmp(name, "quote_", 6) == 0 && args->n == 1)
		types_coerce(&a->types, &args->types[0], OID_TEXT, COERCE_BY_EXPLICIT); /* an SQL function, which casts */
	if (populates(name) && args->n > 0)
		make_value(a, args->types[0].type, location);
	a->at = at;
}

/* --- arguments -------------------------------------------------------------------------- */

static void
add_argument(struct analyzer *a, struct arguments *args, const Node *n)
{
	const NamedArgExpr *named = (const NamedArgExpr *)n;

	if (IsA(n, NamedArgExpr) && args->names != NULL) {
		args->names[args->n] = named->name;
		n = (const Node *)named->arg;
	}
	args->nodes[args->n] = n;
	args->types[args->n++] = analyze_expr(a, n);
}

static struct arguments
arguments_of(struct analyzer *a, const FuncCall *f)
{
	const int norder = f->agg_within_group ? list_n(f->agg_order) : 0;
	const size_t room = (size_t)(list_n(f->args) + norder) + 1;
	struct arguments args = { .types = arena_array(a, struct value_type, room), .nodes = arena_array(a, const Node *, room) };

	for (int i = 0; i < list_n(f->args) && !a->failed; i++) {
		const Node *n = list_at(f->args, i);

		if (IsA(n, NamedArgExpr) && args.names == NULL)
			args.names = arena_array(a, const char *, room);
		add_argument(a, &args, n);
	}
	for (int i = 0; i < norder && !a->failed; i++)
		add_argument(a, &args, ((const SortBy *)list_at(f->agg_order, i))->node);
	return args;
}

static uint32_t
parameter_type(const struct cat_function *f, const struct arguments *args, size_t i)
{
	if (args->names != NULL && args->names[i] != NULL) {
		for (size_t j = 0; f->arg_names != NULL && j < f->nargs; j++)
			if (strcmp(f->arg_names[j], args->names[i]) == 0)
				return f->args[j];
		return TYPE_ANY;
	}
	if (f->variadic != 0 && i + 1 >= f->nargs)
		return f->variadic;
	return i < f->nargs ? f->args[i] : (uint32_t)TYPE_ANY;
}

/* Open parameters become what the function takes there. */
static void
settle_arguments(struct analyzer *a, const struct cat_function *f, const struct arguments *args)
{
	for (size_t i = 0; i < args->n && !a->failed; i++) {
		const uint32_t type = f != NULL ? parameter_type(f, args, i) : TYPE_ANY;

		if (IsA(args->nodes[i], ParamRef) && !is_polymorphic(type))
			param_settle(a, args->nodes[i], type);
	}
}

/* --- the call ------------------------------------------------------------------------------ */

static void
refuse_unknown(struct analyzer *a, const FuncCall *f, const struct arguments *args)
{
	const char *schema = list_n(f->funcname) > 1 ? name_at(f->funcname, 1) : "";
	struct sb sb = { .max = 400 };
	struct type_label l;

	for (size_t i = 0; i < args->n; i++)
		sb_fmt(&sb, "%s%s", i > 0 ? ", " : "",
		    args->types[i].type == TYPE_UNKNOWN ? "unknown" : type_words(a, args->types[i].type, &l));
	stop_unknown(a, "42883", f->location, "function %.64s%s%.64s(%s) does not exist", schema, *schema != '\0' ? "." : "",
	    name_at(f->funcname, 0), sb_text(&sb));
	sb_free(&sb);
}

static void
at_call(struct analyzer *a, const char *schema, const char *name, size_t nargs, int location)
{
	a->at =
	    (struct construct){ .kind = CONSTRUCT_CALL, .schema = schema, .name = name, .nargs = (int)nargs, .location = location };
}

/* DISTINCT, ORDER BY, WITHIN GROUP, FILTER, OVER. */
static void
aggregate_parts(struct analyzer *a, const FuncCall *f, const struct arguments *args)
{
	for (size_t i = 0; (f->agg_distinct || f->agg_within_group) && i < args->n && !a->failed; i++)
		compare_values(a, f->agg_distinct ? "DISTINCT" : "WITHIN GROUP", args->types[i], f->location);
	if (f->agg_within_group) {
		for (int i = 0; i < list_n(f->agg_order) && !a->failed; i++)
			analyze_sort(
			    a, list_at(f->agg_order, i), "WITHIN GROUP", args->types[args->n - (size_t)(list_n(f->agg_order) - i)]);
	} else {
		sort_list(a, f->agg_order, "ORDER BY");
	}
	if (f->agg_filter != NULL)
		to_boolean(a, f->agg_filter, "FILTER");
	analyze_window(a, f->over);
}

/* A function with several OUT columns gives a record of these. */
static void
shape_result(struct analyzer *a, const struct cat_function *f, const struct arguments *args, struct value_type *result)
{
	struct row_shape *shape;
	struct value_type *types;

	if (f == NULL || f->nout < 2 || f->out_names == NULL || result->type != TYPE_RECORD || result->row != NULL || a->failed)
		return;
	shape = arena_new(a, struct row_shape);
	types = arena_array(a, struct value_type, f->nout);
	types_out(&a->types, f, args->types, args->n, types);
	*shape = (struct row_shape){ .n = f->nout, .names = f->out_names, .types = types };
	result->row = shape;
}

/* By position, as the function declares them. */
static struct arguments
in_order(struct analyzer *a, const struct cat_function *f, const struct arguments *args)
{
	struct arguments ordered = { .types = arena_array(a, struct value_type, f->nargs + 1),
		.nodes = arena_array(a, const Node *, f->nargs + 1),
		.n = f->nargs };

	for (size_t i = 0; i < f->nargs; i++)
		ordered.types[i] = value_of(TYPE_UNKNOWN);
	for (size_t i = 0; i < args->n; i++) {
		size_t to = i;

		if (args->names[i] != NULL)
			for (to = 0; to < f->nargs && (f->arg_names == NULL || strcmp(f->arg_names[to], args->names[i]) != 0); to++)
				;
		if (to < f->nargs) {
			ordered.types[to] = args->types[i];
			ordered.nodes[to] = args->nodes[i];
		}
	}
	return ordered;
}

/* What it is given decides about some built-in functions. */
static void
check_arguments(struct analyzer *a, const struct cat_function *f, const char *name, const struct arguments *args, int location)
{
	const bool builtin = f == NULL || f->oid < FIRST_USER_OID;
	struct arguments ordered = *args;

	if (args->names != NULL && builtin && judged_by_argument(name) && !in_ours(a, location))
		stop(a, RULE_FUNCTION_DENIED, location, "call of %.64s refused: give its arguments by position", name);
	if (args->names != NULL && f != NULL)
		ordered = in_order(a, f, args);
	check_reg_arguments(a, f, name, ordered.nodes, ordered.types, ordered.n, location);
	if (builtin)
		check_definition(a, name, args->nodes, args->types, args->n, location);
}

struct value_type
analyze_call(struct analyzer *a, const FuncCall *f, const struct cat_function **found)
{
	const char *schema = list_n(f->funcname) > 1 ? name_at(f->funcname, 1) : NULL, *name = name_at(f->funcname, 0);
	struct arguments args = arguments_of(a, f);
	const struct call call = { .schema = schema,
		.name = name,
		.args = args.types,
		.arg_names = args.names,
		.nargs = args.n,
		.variadic = f->func_variadic,
		.within_group = f->agg_within_group };
	struct value_type result = value_of(TYPE_ANY);
	const struct cat_function *one = NULL;
	enum call_answer answer;

	if (a->failed)
		return result;
	at_call(a, schema, name, args.n, f->location);
	answer = types_call(&a->types, &call, &result, &one);
	if (answer == CALL_NOTHING && !a->failed)
		refuse_unknown(a, f, &args);
	if (answer == CALL_IS_CAST && is_reg_type(result.type) && args.n == 1)
		check_reg(a, args.nodes[0], args.types[0], result.type, f->location);
	if (answer == CALL_FOUND) {
		settle_arguments(a, one, &args);
		check_arguments(a, one, name, &args, f->location);
		if (found == NULL)
			check_settings_call(a, one, name, f->location);
		at_call(a, schema, name, args.n, f->location);
		if (one == NULL || takes_any(one))
			use_values(a, name, &args, f->location);
		shape_result(a, one, &args, &result);
	}
	aggregate_parts(a, f, &args);
	if (found != NULL)
		*found = one;
	return result;
}

/* What decides about a call with brackets decides here, too; what is changed or looked at when it runs cannot be. */
static void
check_attribute(
    struct analyzer *a, const struct cat_function *f, const Node *n, struct value_type v, const char *name, int location)
{
	static const A_Star computed = { .type = T_A_Star };
	const Node *const node = n != NULL ? n : (const Node *)&computed;
	const bool builtin = f == NULL || f->oid < FIRST_USER_OID;

	if (builtin && (strcmp(name, "current_setting") == 0 || strcmp(name, "set_config") == 0) && a->body == NULL &&
	    !in_ours(a, location))
		stop(a, RULE_FUNCTION_DENIED, location,
		    "call of %.64s refused: as value.%.64s it cannot be checked; write it as a call", name, name);
	check_reg_arguments(a, f, name, &node, &v, 1, location);
	if (builtin) {
		check_definition(a, name, &node, &v, 1, -1);
		check_settings_call(a, f, name, location);
	}
}

bool
attribute_call(struct analyzer *a, const Node *n, struct value_type v, const char *name, int location, struct value_type *result)
{
	struct arguments args = { .types = &v, .n = 1 };
	const struct call call = { .name = name, .args = &v, .nargs = 1, .attribute = true };
	const struct cat_function *one = NULL;
	enum call_answer answer;

	if (a->failed)
		return true;
	at_call(a, NULL, name, 1, location);
	answer = types_call(&a->types, &call, result, &one);
	if (answer == CALL_NOTHING)
		return false;
	if (a->failed)
		return true;
	if (answer == CALL_IS_CAST && is_reg_type(result->type))
		check_reg(a, n, v, result->type, location);
	if (one == NULL || takes_any(one))
		use_values(a, name, &args, location);
	check_attribute(a, one, n, v, name, location);
	shape_result(a, one, &args, result);
	return true;
}
