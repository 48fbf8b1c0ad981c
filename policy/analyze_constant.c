/* policy/analyze_constant.c - what stands in the text as a constant, so that it may be judged: a name, a number. */
#include "analyze_int.h"

#include <stdlib.h>
#include <string.h>

bool
is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Casts after which it still is what is written: not those that cut it (varchar(5), "char") or round it (numeric). */
static bool
is_exact_cast(const TypeName *t)
{
	static const char *const types[] = { "text", "varchar", "name", "int4", "int8", "oid", "regclass", "regtype", "regproc",
		"regprocedure", "regnamespace" };
	const int n = list_n(t->names);

	if (n < 1 || n > 2 || list_n(t->typmods) > 0 || list_n(t->arrayBounds) > 0 || t->setof || t->pct_type)
		return false;
	if (n == 2 && strcmp(name_at(t->names, 1), "pg_catalog") != 0)
		return false;
	for (size_t i = 0; i < nitems(types); i++)
		if (strcmp(types[i], name_at(t->names, 0)) == 0)
			return true;
	return false;
}

/* The constant under casts, or the node under them that is none. NULL: what a cast makes of it is not known. */
static const Node *
under_casts(const Node *n)
{
	while (n != NULL && (IsA(n, TypeCast) || IsA(n, CollateClause))) {
		if (IsA(n, TypeCast) && !is_exact_cast(((const TypeCast *)n)->typeName))
			return NULL;
		n = IsA(n, TypeCast) ? ((const TypeCast *)n)->arg : ((const CollateClause *)n)->arg;
	}
	return n;
}

static bool
is_digits(const char *text)
{
	return *text != '\0' && text[strspn(text, "0123456789")] == '\0';
}

const char *
constant_text(const Node *n)
{
	const A_Const *c = (const A_Const *)(n = under_casts(n));

	if (n == NULL || !IsA(n, A_Const))
		return NULL;
	if (c->isnull)
		return "";
	if (IsA(&c->val.node, String))
		return c->val.sval.sval;
	return IsA(&c->val.node, Float) && is_digits(c->val.fval.fval) ? c->val.fval.fval : NULL;
}

/* Of digits alone. The server reads signs and blanks, too, and from version 16 on other bases after a leading zero. */
bool
constant_number(const Node *n, uint32_t *oid)
{
	const Node *under = under_casts(n);
	const char *text;
	unsigned long v;

	if (under != NULL && IsA(under, A_Const) && !((const A_Const *)under)->isnull &&
	    IsA(&((const A_Const *)under)->val.node, Integer)) {
		*oid = (uint32_t)((const A_Const *)under)->val.ival.ival;
		return true;
	}
	if ((text = constant_text(n)) == NULL || !is_digits(text) || (*text == '0' && text[1] != '\0') || strlen(text) > 10)
		return false;
	v = strtoul(text, NULL, 10);
	*oid = (uint32_t)v;
	return v <= UINT32_MAX;
}

/* A string that is the name of something, and cannot be read as a number. */
const char *
constant_name(const Node *n)
{
	const char *text = constant_text(n), *p = text;

	while (p != NULL && is_blank(*p))
		p++;
	if (p != NULL && (*p == '-' || *p == '+'))
		p++;
	return p == NULL || (*p >= '0' && *p <= '9') ? NULL : text;
}
