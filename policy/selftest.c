/* policy/selftest.c - do the headers we were built with describe the library
 * that is linked? The major version is checked when parse.c is compiled; here
 * trees of known shape are read field by field, so that a library of another
 * layout is noticed before a client's statement is.
 */
#include "walk.h"

struct probe {
	const char *sql;
	bool (*fits)(const Node *);
};

static bool
fits_select(const Node *n)
{
	const SelectStmt *s = (const SelectStmt *)n;
	const ResTarget *t;
	const FuncCall *f;
	const RangeVar *r;
	const A_Expr *e;

	if (!IsA(n, SelectStmt) || s->targetList == NIL || s->targetList->length != 1 || s->fromClause == NIL ||
	    s->withClause != NULL)
		return false;
	t = s->targetList->elements[0].ptr_value;
	r = s->fromClause->elements[0].ptr_value;
	if (!IsA(t, ResTarget) || strcmp(t->name, "x") != 0 || t->location != 7 || !IsA(t->val, FuncCall) || !IsA(r, RangeVar))
		return false;
	f = (const FuncCall *)t->val;
	e = (const A_Expr *)s->whereClause;
	return strcmp(list_text(f->funcname, 0), "f") == 0 && strcmp(list_text(f->funcname, 1), "s") == 0 && f->args->length == 2 &&
	       f->location == 7 && strcmp(r->schemaname, "p") == 0 && strcmp(r->relname, "t") == 0 && r->location == 26 &&
	       e != NULL && IsA(e, A_Expr) && e->kind == AEXPR_OP && IsA(e->lexpr, ColumnRef) && IsA(e->rexpr, ParamRef) &&
	       ((const ParamRef *)e->rexpr)->number == 3 && s->limitCount != NULL && IsA(s->limitCount, A_Const) &&
	       ((const A_Const *)s->limitCount)->val.ival.ival == 7 && s->limitOffset == NULL &&
	       (int)s->limitOption != LIBRARY_LIMIT_WITH_TIES && s->lockingClause != NIL;
}

static bool
fits_set_operation(const Node *n)
{
	const SelectStmt *s = (const SelectStmt *)n;

	return IsA(n, SelectStmt) && s->op == SETOP_UNION && s->all && s->larg != NULL && s->rarg != NULL &&
	       s->withClause != NULL && s->withClause->recursive && s->withClause->ctes->length == 1 &&
	       s->rarg->valuesLists != NIL && (int)s->limitOption == LIBRARY_LIMIT_WITH_TIES && s->sortClause != NIL;
}

static bool
fits_merge(const Node *n)
{
	const MergeStmt *s = (const MergeStmt *)n;

	return IsA(n, MergeStmt) && strcmp(s->relation->relname, "a") == 0 && IsA(s->sourceRelation, RangeVar) &&
	       s->mergeWhenClauses->length == 1 && IsA(s->mergeWhenClauses->elements[0].ptr_value, MergeWhenClause);
}

static bool
fits_copy(const Node *n)
{
	const CopyStmt *s = (const CopyStmt *)n;

	return IsA(n, CopyStmt) && s->is_from && s->is_program && strcmp(s->filename, "x") == 0 && s->whereClause != NULL;
}

static bool
fits_fetch(const Node *n)
{
	const FetchStmt *s = (const FetchStmt *)n;

	return IsA(n, FetchStmt) && s->direction == FETCH_BACKWARD && s->howMany == 5 && strcmp(s->portalname, "c") == 0 &&
	       !s->ismove;
}

static bool
fits_set(const Node *n)
{
	const VariableSetStmt *s = (const VariableSetStmt *)n;

	return IsA(n, VariableSetStmt) && s->kind == VAR_SET_VALUE && strcmp(s->name, "a.b") == 0 && s->is_local &&
	       s->args->length == 2 && strcmp(((const A_Const *)s->args->elements[1].ptr_value)->val.sval.sval, "y") == 0;
}

static bool
fits_begin(const Node *n)
{
	const TransactionStmt *s = (const TransactionStmt *)n;
	const DefElem *d;

	if (!IsA(n, TransactionStmt) || s->kind != TRANS_STMT_BEGIN || s->options == NIL)
		return false;
	d = s->options->elements[0].ptr_value;
	return IsA(d, DefElem) && strcmp(d->defname, "transaction_read_only") == 0 && d->location == 6;
}

static const struct probe probes[] = {
	{ "SELECT s.f(1, 'b') x FROM p.t WHERE a = $3 LIMIT 7 FOR UPDATE", fits_select },
	{ "WITH RECURSIVE c AS (SELECT 1) SELECT 1 UNION ALL VALUES (1) ORDER BY 1 FETCH FIRST 2 ROWS WITH TIES",
	    fits_set_operation },
	{ "MERGE INTO a USING b ON a.x = b.x WHEN MATCHED THEN DELETE", fits_merge },
	{ "COPY t FROM PROGRAM 'x' WHERE a > 1", fits_copy },
	{ "FETCH BACKWARD 5 FROM c", fits_fetch },
	{ "SET LOCAL a.b = 'x', 'y'", fits_set },
	{ "BEGIN READ WRITE", fits_begin },
};

static bool
probe(const struct probe *p, struct err *err)
{
	struct parser parser;
	struct tree tree;
	const RawStmt *raw;
	bool fits;

	parser_open(&parser);
	fits = parser_parse(&parser, p->sql, &tree) && tree.n == 1;
	if (fits) {
		raw = tree.statements->elements[0].ptr_value;
		fits = IsA(raw, RawStmt) && raw->stmt != NULL && p->fits(raw->stmt);
	}
	tree_release(&tree);
	parser_close(&parser);
	return fits ? true
		    : err_set(err,
			  "the parser library is not the one that this program was built for: it reads \"%s\" otherwise; "
			  "rebuild pgmoat with the headers of the installed libpg_query",
			  p->sql);
}

bool
policy_selftest(struct err *err)
{
	for (size_t i = 0; i < nitems(probes); i++)
		if (!probe(&probes[i], err))
			return false;
	return true;
}
