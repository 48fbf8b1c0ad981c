/* policy/walk.c - the switch over everything that a query can hold. */
#include "walk.h"

bool
walk_list(struct walk *w, const List *list)
{
	if (list == NIL)
		return true;
	for (int i = 0; i < list->length; i++)
		if (!walk(w, list->elements[i].ptr_value))
			return false;
	return true;
}

static bool
walk_case(struct walk *w, const CaseExpr *c)
{
	return walk(w, c->arg) && walk_list(w, c->args) && walk(w, c->defresult);
}

static bool
walk_join(struct walk *w, const JoinExpr *j)
{
	return walk(w, j->larg) && walk(w, j->rarg) && walk(w, j->quals);
}

static bool
walk_table_func(struct walk *w, const RangeTableFunc *t)
{
	return walk(w, t->docexpr) && walk(w, t->rowexpr) && walk_list(w, t->namespaces) && walk_list(w, t->columns);
}

static bool
walk_table_func_column(struct walk *w, const RangeTableFuncCol *c)
{
	return walk(w, c->typeName) && walk(w, c->colexpr) && walk(w, c->coldefexpr);
}

static bool
walk_sublink(struct walk *w, const SubLink *s)
{
	return walk(w, s->testexpr) && walk_operator(w, s->operName, s->location) && walk(w, s->subselect);
}

static bool
walk_a_expr(struct walk *w, const A_Expr *e)
{
	return walk_operator(w, e->name, e->location) && walk(w, e->lexpr) && walk(w, e->rexpr);
}

static bool
walk_column_def(struct walk *w, const ColumnDef *c)
{
	return walk(w, c->typeName) && walk(w, c->raw_default) && walk(w, c->collClause) && walk_list(w, c->constraints) &&
	       walk_options(w, c->fdwoptions);
}

static bool
walk_param(struct walk *w, const ParamRef *p)
{
	/* The library's grammar also reads a lone ? as a parameter; the server's does not. */
	if (p->number < 1)
		return walk_stop(w, RULE_PARSE_ERROR, "parameter", "there is no parameter of that number", p->location);
	return true;
}

/* Where a node stands, for the few whose refusal nobody else locates. */
static int
place_of(const Node *n)
{
	return nodeTag(n) == T_A_Expr ? ((const A_Expr *)n)->location : -1;
}

/* What nobody thought about is not harmless. */
static bool
walk_rare(struct walk *w, const Node *n)
{
	bool mine, go_on;

	go_on = walk_json(w, n, &mine);
	if (!mine)
		go_on = walk_ddl_part(w, n, &mine);
	return mine ? go_on
		    : walk_stop(w, RULE_STATEMENT_NOT_ALLOWED, "this statement", "it holds a construct that is not known", -1);
}

static bool
walk_node(struct walk *w, const Node *n)
{
	switch (nodeTag(n)) {
	/* no children, and nothing that can act */
	case T_A_Const:
	case T_A_Star:
	case T_CurrentOfExpr:
	case T_SQLValueFunction:
	case T_SetToDefault:
	case T_String:
	case T_Integer:
	case T_Float:
	case T_Boolean:
	case T_BitString:
		return true;
	case T_ParamRef:
		return walk_param(w, (const ParamRef *)n);

	/* names */
	case T_ColumnRef:
		return walk_column(w, (const ColumnRef *)n);
	case T_RangeVar:
		note_relation(w, (const RangeVar *)n, ACCESS_READ);
		return true;
	case T_FuncCall:
		return walk_func_call(w, (const FuncCall *)n);
	case T_TypeName:
		return walk_list(w, ((const TypeName *)n)->typmods) && walk_list(w, ((const TypeName *)n)->arrayBounds);

	/* expressions */
	case T_A_Expr:
		return walk_a_expr(w, (const A_Expr *)n);
	case T_TypeCast:
		return walk(w, ((const TypeCast *)n)->arg) && walk(w, ((const TypeCast *)n)->typeName);
	case T_CollateClause:
		return walk(w, ((const CollateClause *)n)->arg);
	case T_A_Indices:
		return walk(w, ((const A_Indices *)n)->lidx) && walk(w, ((const A_Indices *)n)->uidx);
	case T_A_Indirection:
		return walk(w, ((const A_Indirection *)n)->arg) && walk_indirection(w, ((const A_Indirection *)n)->indirection);
	case T_A_ArrayExpr:
		return walk_list(w, ((const A_ArrayExpr *)n)->elements);
	case T_BoolExpr:
		return walk_list(w, ((const BoolExpr *)n)->args);
	case T_SubLink:
		return walk_sublink(w, (const SubLink *)n);
	case T_CaseExpr:
		return walk_case(w, (const CaseExpr *)n);
	case T_CaseWhen:
		return walk(w, ((const CaseWhen *)n)->expr) && walk(w, ((const CaseWhen *)n)->result);
	case T_RowExpr:
		return walk_list(w, ((const RowExpr *)n)->args);
	case T_CoalesceExpr:
		return walk_list(w, ((const CoalesceExpr *)n)->args);
	case T_MinMaxExpr:
		return walk_list(w, ((const MinMaxExpr *)n)->args);
	case T_NullTest:
		return walk(w, ((const NullTest *)n)->arg);
	case T_BooleanTest:
		return walk(w, ((const BooleanTest *)n)->arg);
	case T_NamedArgExpr:
		return walk(w, ((const NamedArgExpr *)n)->arg);
	case T_GroupingFunc:
		return walk_list(w, ((const GroupingFunc *)n)->args);
	case T_GroupingSet:
		return walk_list(w, ((const GroupingSet *)n)->content);
	case T_MultiAssignRef:
		/* (a, b, c) = row: three nodes that share one source */
		return ((const MultiAssignRef *)n)->colno > 1 || walk(w, ((const MultiAssignRef *)n)->source);
	case T_XmlExpr:
		return walk_xml(w, (const XmlExpr *)n);
	case T_XmlSerialize:
		return walk(w, ((const XmlSerialize *)n)->expr) && walk(w, ((const XmlSerialize *)n)->typeName);

	/* parts of a query */
	case T_List:
		return walk_list(w, (const List *)n);
	case T_ResTarget: /* fields of a target are columns, not calls */
		return walk_list(w, ((const ResTarget *)n)->indirection) && walk(w, ((const ResTarget *)n)->val);
	case T_SortBy:
		return walk(w, ((const SortBy *)n)->node) &&
		       walk_operator(w, ((const SortBy *)n)->useOp, ((const SortBy *)n)->location);
	case T_WindowDef:
		return walk_window(w, (const WindowDef *)n);
	case T_JoinExpr:
		return walk_join(w, (const JoinExpr *)n);
	case T_RangeSubselect:
		return walk(w, ((const RangeSubselect *)n)->subquery);
	case T_RangeFunction:
		return walk_range_function(w, (const RangeFunction *)n);
	case T_RangeTableFunc:
		return walk_table_func(w, (const RangeTableFunc *)n);
	case T_RangeTableFuncCol:
		return walk_table_func_column(w, (const RangeTableFuncCol *)n);
	case T_RangeTableSample:
		return walk_sample(w, (const RangeTableSample *)n);
	case T_ColumnDef:
		return walk_column_def(w, (const ColumnDef *)n);
	case T_OnConflictClause:
		return walk_on_conflict(w, (const OnConflictClause *)n);
	case T_MergeWhenClause:
		return walk_merge_when(w, (const MergeWhenClause *)n);
	case T_IndexElem:
		return walk(w, ((const IndexElem *)n)->expr) && walk_options(w, ((const IndexElem *)n)->opclassopts);

	/* queries; inside another one they are CTEs and sub-selects */
	case T_SelectStmt:
		return walk_select(w, (const SelectStmt *)n);
	case T_InsertStmt:
		return walk_insert(w, (const InsertStmt *)n);
	case T_UpdateStmt:
		return walk_update(w, (const UpdateStmt *)n);
	case T_DeleteStmt:
		return walk_delete(w, (const DeleteStmt *)n);
	case T_MergeStmt:
		return walk_merge(w, (const MergeStmt *)n);

	default:
		return walk_rare(w, n);
	}
}

bool
walk(struct walk *w, const void *node)
{
	bool go_on;

	if (node == NULL)
		return true;
	if (++w->depth > w->max_depth)
		return walk_stop(w, RULE_TOO_DEEP, "this statement", "it is nested too deeply", place_of(node));
	if (!IsA(node, RangeVar)) /* note_relation() counts these */
		note_visit(w, node);
	go_on = walk_node(w, node);
	w->depth--;
	return go_on;
}
