/* policy/rewrite.c - where a LIMIT goes, and READ ONLY. */
#include "rewrite.h"
#include "walk.h"

#include <stdlib.h>

/* What comes there was appended to r->added, which was that long before. */
static void
splice(struct rewrite *r, size_t at, size_t removed, size_t before)
{
	if (r->n == r->room) {
		r->room = r->room == 0 ? 2 : r->room * 2;
		r->splices = xreallocarray(r->splices, r->room, sizeof(*r->splices));
	}
	r->splices[r->n++] = (struct splice){ .at = at, .removed = removed, .added = r->added.len - before };
}

void
rewrite_release(struct rewrite *r)
{
	free(r->splices);
	sb_free(&r->added);
	*r = (struct rewrite){ 0 };
}

/* The next of both lists is the one that begins first; at one place the edit, for a LIMIT stands behind everything. */
bool
rewrite_merge(struct rewrite *r, const struct edits *e)
{
	struct rewrite all = { .required = r->required, .max_rows = r->max_rows, .notice = r->notice };
	const char *added = sb_text(&r->added);
	size_t i = 0, k = 0, end = 0, before;
	bool apart = true;

	while (i < r->n || k < e->n) {
		const bool edit = k < e->n && (i == r->n || e->items[k].at <= r->splices[i].at);
		const size_t at = edit ? e->items[k].at : r->splices[i].at;
		const size_t removed = edit ? e->items[k].removed : r->splices[i].removed;

		before = all.added.len;
		if (edit) {
			sb_str(&all.added, e->items[k++].text);
		} else {
			sb_bytes(&all.added, added, r->splices[i].added);
			added += r->splices[i++].added;
		}
		splice(&all, at, removed, before);
		apart = apart && at >= end;
		end = at + removed;
	}
	rewrite_release(r);
	*r = all;
	return apart;
}

char *
rewrite_apply(const struct rewrite *r, const char *sql, size_t len, size_t *new_len)
{
	const char *added = sb_text(&r->added);
	size_t from = 0, to = 0;
	char *out;

	if (r->added.bad || (out = malloc(len + r->added.len + 1)) == NULL)
		return NULL;
	for (size_t i = 0; i < r->n; i++) {
		const struct splice *s = &r->splices[i];

		memcpy(out + to, sql + from, s->at - from);
		to += s->at - from;
		memcpy(out + to, added, s->added);
		to += s->added;
		added += s->added;
		from = s->at + s->removed;
	}
	memcpy(out + to, sql + from, len - from);
	to += len - from;
	out[to] = '\0';
	*new_len = to;
	return out;
}

/* --- LIMIT --------------------------------------------------------------- */

/* Rows of a plain constant; -1 when it is none, or is NULL, which is ALL. */
static int64_t
constant_rows(const Node *n)
{
	const A_Const *c = (const A_Const *)n;

	if (!IsA(n, A_Const) || c->isnull)
		return -1;
	if (nodeTag(&c->val.node) == T_Integer)
		return c->val.ival.ival;
	if (nodeTag(&c->val.node) == T_Float && c->val.fval.fval[strspn(c->val.fval.fval, "0123456789")] == '\0')
		return INT64_MAX; /* digits that an int does not hold */
	return -1;
}

static bool
is_word(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static size_t
word_length(const char *s)
{
	size_t n = 0;

	while (is_word(s[n]))
		n++;
	return n;
}

static void
replace_count(struct rewrite *r, const char *sql, int at, bool parameter)
{
	const size_t length = parameter ? 1 + word_length(sql + at + 1) : word_length(sql + at), before = r->added.len;

	if (parameter) {
		sb_str(&r->added, "LEAST(");
		sb_bytes(&r->added, sql + at, length);
		sb_str(&r->added, ", ");
	}
	sb_int(&r->added, r->max_rows + 1);
	if (parameter)
		sb_str(&r->added, "::bigint)");
	splice(r, (size_t)at, length, before);
}

/* LIMIT ALL and LIMIT NULL are both a NULL constant, at their own word. */
static bool
is_all(const Node *n, const char *sql)
{
	const A_Const *c = (const A_Const *)n;
	size_t length;

	if (!IsA(n, A_Const) || !c->isnull || c->location < 0)
		return false;
	length = word_length(sql + c->location);
	return (length == 3 && strncasecmp(sql + c->location, "all", 3) == 0) ||
	       (length == 4 && strncasecmp(sql + c->location, "null", 4) == 0);
}

static bool
is_constant(const Node *n)
{
	if (n != NULL && IsA(n, TypeCast))
		n = ((const TypeCast *)n)->arg;
	return n != NULL && (IsA(n, A_Const) || IsA(n, ParamRef) || IsA(n, SQLValueFunction));
}

/* SELECT 1: constants, and nothing to repeat them for. */
static bool
is_one_row(const SelectStmt *s)
{
	if (s->op != SETOP_NONE || s->fromClause != NIL || s->valuesLists != NIL || s->groupClause != NIL)
		return false;
	for (int i = 0; s->targetList != NIL && i < s->targetList->length; i++)
		if (!is_constant(((const ResTarget *)s->targetList->elements[i].ptr_value)->val))
			return false;
	return true;
}

/* FOR UPDATE locks the rows that come out, so fewer rows would be fewer locks. */
static bool
may_limit(const SelectStmt *s)
{
	return s->lockingClause == NIL && node_kind((const Node *)s) == KIND_SELECT;
}

static bool
limit_count(struct rewrite *r, const Node *count, const char *sql)
{
	const int64_t rows = constant_rows(count);

	if (rows >= 0 && rows <= r->max_rows + 1)
		return true;
	if (IsA(count, ParamRef) && ((const ParamRef *)count)->location >= 0)
		replace_count(r, sql, ((const ParamRef *)count)->location, true);
	else if (is_all(count, sql) ||
		 (rows > 0 && ((const A_Const *)count)->location >= 0 && sql[((const A_Const *)count)->location] >= '0' &&
		     sql[((const A_Const *)count)->location] <= '9'))
		replace_count(r, sql, ((const A_Const *)count)->location, false);
	else
		return false;
	return true;
}

static void
limit_select(struct rewrite *r, const SelectStmt *s, struct statement_facts *f, const char *sql)
{
	const size_t before = r->added.len;

	if (r->max_rows <= 0 || !may_limit(s))
		return;
	if (is_one_row(s)) {
		f->is.limited = true;
	} else if (s->limitCount == NULL) {
		/* on a line of its own: the text may end in a comment */
		sb_str(&r->added, "\nLIMIT ");
		sb_int(&r->added, r->max_rows + 1);
		splice(r, (size_t)f->at + (size_t)f->length, 0, before);
		f->is.limited = true;
	} else {
		/* WITH TIES returns more than it says */
		f->is.limited = limit_count(r, s->limitCount, sql) && (int)s->limitOption != LIBRARY_LIMIT_WITH_TIES;
	}
}

/* --- FETCH --------------------------------------------------------------- */

static void
limit_fetch(struct rewrite *r, const FetchStmt *s, struct statement_facts *f)
{
	/* ALL is a very large number */
	const bool whole = s->howMany > r->max_rows || s->howMany < -r->max_rows;
	const bool back = (s->direction == FETCH_BACKWARD) != (s->howMany < 0);
	const size_t before = r->added.len;

	f->is.limited = true;
	if (s->ismove || s->direction == FETCH_ABSOLUTE || s->direction == FETCH_RELATIVE || (r->max_rows > 0 && !whole))
		return;
	if (r->max_rows <= 0) {
		f->is.limited = false;
		return;
	}
	sb_fmt(&r->added, "FETCH %s %lld FROM ", back ? "BACKWARD" : "FORWARD", (long long)r->max_rows);
	sb_identifier(&r->added, s->portalname);
	splice(r, (size_t)f->at, (size_t)f->length, before);
	r->notice = "FETCH was reduced to the row limit of this connection; fetch again for more";
}

/* --- READ WRITE ---------------------------------------------------------- */

static const A_Const *
mode_of(const TransactionStmt *s, const char *name)
{
	const A_Const *found = NULL;

	for (int i = 0; s->options != NIL && i < s->options->length; i++) {
		const DefElem *d = s->options->elements[i].ptr_value;

		if (strcmp(d->defname, name) == 0 && d->arg != NULL && IsA(d->arg, A_Const))
			found = (const A_Const *)d->arg;
	}
	return found;
}

static bool
begins_read_write(const Node *n)
{
	const TransactionStmt *s = (const TransactionStmt *)n;

	if (!IsA(n, TransactionStmt))
		return false;
	for (int i = 0; s->options != NIL && i < s->options->length; i++) {
		const DefElem *d = s->options->elements[i].ptr_value;

		if (strcmp(d->defname, "transaction_read_only") == 0 &&
		    (d->arg == NULL || !IsA(d->arg, A_Const) || ((const A_Const *)d->arg)->val.ival.ival == 0))
			return true;
	}
	return false;
}

/* Written anew from the tree: between READ and WRITE could be anything. */
static void
make_read_only(struct rewrite *r, const TransactionStmt *s, const struct statement_facts *f)
{
	const A_Const *isolation = mode_of(s, "transaction_isolation"), *deferrable = mode_of(s, "transaction_deferrable");
	const size_t before = r->added.len;

	sb_str(&r->added, node_words((const Node *)s));
	if (isolation != NULL)
		sb_fmt(&r->added, " ISOLATION LEVEL %s,", isolation->val.sval.sval);
	sb_str(&r->added, " READ ONLY");
	if (deferrable != NULL)
		sb_str(&r->added, deferrable->val.ival.ival != 0 ? ", DEFERRABLE" : ", NOT DEFERRABLE");
	splice(r, (size_t)f->at, (size_t)f->length, before);
	r->required++;
	r->notice = "this connection is read-only: READ WRITE became READ ONLY";
}

/* --- what needs no second parse -------------------------------------------- */

/* Is the one splice a LIMIT behind a SELECT, VALUES or TABLE without WITH,
 * parentheses around it, set operation, INTO, OFFSET or lock, in a text of its
 * own? Then the text with it parses to the same tree, with that limitCount:
 *
 * The lexer. It reads from left to right, and the whole text was lexed without
 * an error, so nothing is open at its end. From the splice to the end are only
 * blanks and semicolons; a string or a block comment around the splice would
 * have to close behind it. So the lexer is between two tokens there, or in a
 * comment of two dashes, which our newline ends; what stood behind it in that
 * comment were blanks and semicolons, which say nothing. No token before the
 * splice can reach over a newline: none holds one outside of quotes, and a
 * string goes on behind a newline with another quote only. LIMIT is a word and
 * n is digits, and behind these comes a blank, a semicolon or the end. Words
 * that mean another thing before certain words (NOT, NULLS, WITH, UESCAPE) do
 * not look for LIMIT.
 *
 * The grammar. LIMIT is reserved: it is no alias, no column and no label
 * without AS or a dot before it, and no whole statement ends in these. So it
 * can only begin a limit_clause, which stands in select_no_parens alone; every
 * inner one of these is closed by its parenthesis, and the outermost one is
 * select_clause opt_sort_clause, with FOR READ ONLY at most, where a limit
 * clause may follow that was not there. It is given to the node that we have.
 *
 * A constant adds no fact, and no more depth than a target or a table has.
 * tests/unit/test_rewrite.c compares the trees. */
static bool
is_settled(const struct rewrite *r, const struct tree *tree, const struct facts *f, const char *sql)
{
	const SelectStmt *s;
	const char *rest;

	if (r->n != 1 || tree->n != 1)
		return false;
	s = (const SelectStmt *)((const RawStmt *)tree->statements->elements[0].ptr_value)->stmt;
	if (!IsA(s, SelectStmt) || s->limitCount != NULL || s->limitOffset != NULL || s->withClause != NULL ||
	    s->op != SETOP_NONE || s->intoClause != NULL || s->lockingClause != NIL || sql[f->statements[0].location] == '(')
		return false;
	rest = sql + r->splices[0].at;
	return r->splices[0].removed == 0 && rest[strspn(rest, " \t\r\n\f;")] == '\0';
}

/* --- all of it ------------------------------------------------------------ */

static void
plan_statement(struct rewrite *r, const Node *n, struct statement_facts *f, bool read_only, const char *sql)
{
	switch (nodeTag(n)) {
	case T_SelectStmt:
		if (!f->housekeeping)
			limit_select(r, (const SelectStmt *)n, f, sql);
		else
			f->is.limited = true;
		break;
	case T_PrepareStmt:
		if (IsA(((const PrepareStmt *)n)->query, SelectStmt))
			limit_select(r, (const SelectStmt *)((const PrepareStmt *)n)->query, f, sql);
		break;
	case T_FetchStmt:
		limit_fetch(r, (const FetchStmt *)n, f);
		break;
	case T_VariableShowStmt:
		f->is.limited = strcmp(((const VariableShowStmt *)n)->name, "all") != 0;
		break;
	case T_TransactionStmt:
		if (read_only && begins_read_write(n))
			make_read_only(r, (const TransactionStmt *)n, f);
		break;
	default:
		break;
	}
}

void
rewrite_plan(struct rewrite *r, const struct tree *tree, struct facts *f, const struct profile *p, const char *sql)
{
	*r = (struct rewrite){ 0 };
	if (p->limits.on_cap == ON_CAP_NOTICE && p->limits.max_rows < INT32_MAX)
		r->max_rows = p->limits.max_rows;
	for (size_t i = 0; i < tree->n; i++)
		plan_statement(
		    r, ((const RawStmt *)tree->statements->elements[i].ptr_value)->stmt, &f->statements[i], p->read_only, sql);
	r->settled = is_settled(r, tree, f, sql);
}

/* A limited query must now end in a count that cannot pass the cap. */
static bool
is_limited(const struct rewrite *r, const Node *n)
{
	const SelectStmt *s = (const SelectStmt *)n;
	int64_t rows;

	if (IsA(n, PrepareStmt))
		s = (const SelectStmt *)((const PrepareStmt *)n)->query;
	if (!IsA(s, SelectStmt) || r->max_rows <= 0 || is_one_row(s))
		return true;
	if (s->limitCount == NULL)
		return false;
	if (IsA(s->limitCount, MinMaxExpr))
		return ((const MinMaxExpr *)s->limitCount)->op == IS_LEAST &&
		       ((const MinMaxExpr *)s->limitCount)->args->length == 2;
	rows = constant_rows(s->limitCount);
	return rows >= 0 && rows <= r->max_rows + 1;
}

bool
rewrite_holds(const struct rewrite *r, const struct tree *tree, const struct facts *was, const struct facts *now, bool substituted)
{
	if (!(substituted ? facts_alike(was, now) : facts_equal(was, now)))
		return false;
	for (size_t i = 0; i < tree->n; i++) {
		const Node *n = ((const RawStmt *)tree->statements->elements[i].ptr_value)->stmt;

		if (r->required > 0 && begins_read_write(n))
			return false;
		if (was->statements[i].is.limited && !was->statements[i].housekeeping && !is_limited(r, n))
			return false;
	}
	return true;
}
