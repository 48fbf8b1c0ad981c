/* policy/walk_expr.c - functions, operators and names in expressions. */
#include "walk.h"

const char *
list_text(const List *list, int i)
{
	const Node *n;

	if (list == NIL || list->length <= i)
		return "";
	n = list->elements[list->length - 1 - i].ptr_value;
	return n != NULL && IsA(n, String) ? ((const String *)n)->sval : "";
}

static bool
is_builtin_name(const List *name, const char *want)
{
	const char *schema = list_text(name, 1);

	return strcmp(list_text(name, 0), want) == 0 && (*schema == '\0' || strcmp(schema, "pg_catalog") == 0);
}

/* Other types, and lengths, could make another string of it: 'abcd'::varchar(2). */
static bool
keeps_text(const TypeCast *c)
{
	const TypeName *t = c->typeName;

	return t->typmods == NIL && t->arrayBounds == NIL && !t->setof && !t->pct_type &&
	       (is_builtin_name(t->names, "text") || is_builtin_name(t->names, "varchar"));
}

/* What stands under x::text. */
static const Node *
under_cast(const Node *n)
{
	return n != NULL && IsA(n, TypeCast) && keeps_text((const TypeCast *)n) ? ((const TypeCast *)n)->arg : n;
}

/* A string that stands in the text itself: 'x', or 'x'::text. */
static const char *
constant_text(const Node *n)
{
	const A_Const *c;

	n = under_cast(n);
	if (n == NULL || !IsA(n, A_Const))
		return NULL;
	c = (const A_Const *)n;
	return !c->isnull && nodeTag(&c->val.node) == T_String ? c->val.sval.sval : NULL;
}

static bool
is_boolean(const Node *n)
{
	if (n != NULL && IsA(n, TypeCast)) /* before PostgreSQL 15, true was 't'::bool */
		n = ((const TypeCast *)n)->arg;
	return n != NULL && IsA(n, A_Const) && !((const A_Const *)n)->isnull &&
	       nodeTag(&((const A_Const *)n)->val.node) == T_Boolean;
}

/* $1, or $1::text; 0 when it is something else. */
static int
parameter_number(const Node *n)
{
	n = under_cast(n);
	if (n == NULL || !IsA(n, ParamRef))
		return 0;
	return ((const ParamRef *)n)->number > 0 && ((const ParamRef *)n)->number <= UINT16_MAX ? ((const ParamRef *)n)->number : 0;
}

/* As drivers write it: what Bind brings is judged then. */
static bool
note_bound(struct walk *w, const FuncCall *f, const char *name, const char *value)
{
	struct fact fact = {
		.type = FACT_BOUND, .schema = "", .name = name != NULL ? name : "", .value = value, .location = f->location
	};

	fact.number = name != NULL ? 0 : parameter_number(f->args->elements[0].ptr_value);
	fact.value_number = value != NULL ? 0 : parameter_number(f->args->elements[1].ptr_value);
	if ((name == NULL && fact.number == 0) || (value == NULL && fact.value_number == 0))
		return false;
	facts_add(w->facts, &fact);
	return true;
}

/* set_config('name', 'value', bool) is SET in other words, and judged as one;
 * with anything but constants and parameters it could set whatever it likes. */
static bool
note_set_config(struct walk *w, const FuncCall *f)
{
	const char *name, *value;

	if (!is_builtin_name(f->funcname, "set_config"))
		return false;
	if (f->args != NIL && f->args->length == 3 && !f->func_variadic) {
		name = constant_text(f->args->elements[0].ptr_value);
		value = constant_text(f->args->elements[1].ptr_value);
		if (name != NULL && value != NULL && is_boolean(f->args->elements[2].ptr_value)) {
			note_setting(w, "set_config", name, value, f->location);
			return true;
		}
		if (is_boolean(f->args->elements[2].ptr_value) && note_bound(w, f, name, value))
			return true;
	}
	note_problem(
	    w, RULE_FUNCTION_DENIED, "call of set_config", "only constant names and values can be judged", f->location, false);
	return true;
}

/* A name that is computed could be that of any setting. */
static void
note_current_setting(struct walk *w, const FuncCall *f)
{
	const bool plain = f->args != NIL && !f->func_variadic;

	if (is_builtin_name(f->funcname, "current_setting"))
		note_shown(w, "current_setting", plain ? constant_text(f->args->elements[0].ptr_value) : NULL, f->location);
}

bool
walk_func_call(struct walk *w, const FuncCall *f)
{
	int nargs = f->args != NIL ? f->args->length : 0;

	/* WITHIN GROUP (ORDER BY ...) holds further arguments */
	if (f->agg_within_group && f->agg_order != NIL)
		nargs += f->agg_order->length;
	note_current_setting(w, f);
	if (!note_set_config(w, f))
		note_function(w, list_text(f->funcname, 1), list_text(f->funcname, 0), nargs, f->location);
	return walk_list(w, f->args) && walk_list(w, f->agg_order) && walk(w, f->agg_filter) && walk(w, f->over);
}

bool
walk_operator(struct walk *w, const List *name, int location)
{
	const char *schema = list_text(name, 1);
	struct fact fact = { .type = FACT_OPERATOR, .schema = schema, .name = list_text(name, 0), .location = location };

	if (*schema != '\0' && strcmp(schema, "pg_catalog") != 0)
		facts_add(w->facts, &fact);
	return true;
}

static void
note_attribute(struct walk *w, const char *name, int location)
{
	struct fact fact = { .type = FACT_ATTRIBUTE, .schema = "", .name = name, .location = location };

	if (profile_attribute_refused(w->profile, name))
		facts_add(w->facts, &fact);
}

/* alias.name calls the function name with the row, when the row has no such
 * column. A name alone never does. */
bool
walk_column(struct walk *w, const ColumnRef *c)
{
	const char *name = list_text(c->fields, 0);

	if (c->fields != NIL && c->fields->length >= 2 && *name != '\0' && profile_attribute_refused(w->profile, name) &&
	    !(c->fields->length == 2 && level_has_column(w, list_text(c->fields, 1), name)))
		note_attribute(w, name, c->location);
	return true;
}

bool
walk_indirection(struct walk *w, const List *list)
{
	for (int i = 0; list != NIL && i < list->length; i++) {
		const Node *n = list->elements[i].ptr_value;

		if (IsA(n, String))
			note_attribute(w, ((const String *)n)->sval, -1);
		else if (!walk(w, n))
			return false;
	}
	return true;
}

bool
walk_window(struct walk *w, const WindowDef *d)
{
	return walk_list(w, d->partitionClause) && walk_list(w, d->orderClause) && walk(w, d->startOffset) && walk(w, d->endOffset);
}

bool
walk_xml(struct walk *w, const XmlExpr *x)
{
	return walk_list(w, x->named_args) && walk_list(w, x->args);
}

/* Options of EXPLAIN, COPY, an index...: words, numbers, lists of names. What
 * could hold an expression is not in any statement that we let through. */
static bool
is_plain(const Node *n, int depth)
{
	if (n == NULL)
		return true;
	switch (nodeTag(n)) {
	case T_String:
	case T_Integer:
	case T_Float:
	case T_Boolean:
	case T_A_Star:
	case T_A_Const:
	case T_TypeName:
		return true;
	case T_DefElem:
		return depth < 3 && is_plain(((const DefElem *)n)->arg, depth + 1);
	case T_List:
		for (int i = 0; i < ((const List *)n)->length; i++)
			if (depth >= 3 || !is_plain(((const List *)n)->elements[i].ptr_value, depth + 1))
				return false;
		return true;
	default:
		return false;
	}
}

bool
walk_options(struct walk *w, const List *options)
{
	if (is_plain((const Node *)options, 0))
		return true;
	return walk_stop(w, RULE_STATEMENT_NOT_ALLOWED, "this statement", "it has an option that is not known", -1);
}
