/* policy/expression.c - is this text one SQL expression? */
#include <ctype.h>
#include <string.h>

#include "expression.h"
#include "lexcost.h"
#include "parse.h"

#include "nodes.h"

/* SELECT x, and nothing that follows it. */
static bool
only_selects(const SelectStmt *s)
{
	return s->op == SETOP_NONE && s->distinctClause == NIL && s->intoClause == NULL && s->fromClause == NIL &&
	       s->whereClause == NULL && s->groupClause == NIL && s->havingClause == NULL && s->windowClause == NIL &&
	       s->valuesLists == NIL && s->sortClause == NIL && s->limitOffset == NULL && s->limitCount == NULL &&
	       s->lockingClause == NIL && s->withClause == NULL && s->targetList != NIL && s->targetList->length == 1;
}

static bool
is_star(const Node *n)
{
	const List *fields = n != NULL && IsA(n, ColumnRef) ? ((const ColumnRef *)n)->fields : NIL;

	return fields != NIL && IsA(fields->elements[fields->length - 1].ptr_value, A_Star);
}

static bool
is_one_value(const struct tree *tree)
{
	const RawStmt *raw = tree->n == 1 ? tree->statements->elements[0].ptr_value : NULL;
	const SelectStmt *select = raw != NULL && IsA(raw->stmt, SelectStmt) ? (const SelectStmt *)raw->stmt : NULL;
	const ResTarget *target;

	if (select == NULL || !only_selects(select))
		return false;
	target = select->targetList->elements[0].ptr_value;
	return target->name == NULL && target->indirection == NIL && !is_star(target->val);
}

/* The text between these two parses, as one value. */
static bool
parses(const char *before, const char *text, const char *behind, struct err *err)
{
	struct sb sql = { 0 };
	struct parser parser;
	struct tree tree;
	bool good;

	sb_fmt(&sql, "%s%s%s", before, text, behind);
	parser_open(&parser);
	if ((good = parser_parse(&parser, sb_text(&sql), &tree)))
		good = is_one_value(&tree) || err_set(err, "expected one SQL expression and nothing else");
	else
		err_set(err, "does not parse as an SQL expression: %s", tree.error);
	tree_release(&tree);
	parser_close(&parser);
	sb_free(&sql);
	return good;
}

/* Strings are looked into as well: what is a string is not decided here. */
static bool
has_parameter(const char *text)
{
	for (const char *s = strchr(text, '$'); s != NULL; s = strchr(s + 1, '$'))
		if (isdigit((unsigned char)s[1]))
			return true;
	return false;
}

/* Alone it shows that its parentheses are its own, in parentheses that it ends where it ends: no comment, no "ALL x". */
bool
expression_check(const char *text, struct err *err)
{
	if (strlen(text) > EXPRESSION_MAX)
		return err_set(err, "an SQL expression has %d bytes at most here", EXPRESSION_MAX);
	if (has_parameter(text))
		return err_set(err, "'$' cannot stand before a digit: parameters belong to the client");
	if (!lexcost_fine(text, strlen(text)))
		return err_set(err, "expected one SQL expression, found too many operator characters in a row");
	return parses("SELECT ", text, "", err) && parses("SELECT (", text, ")", err);
}
