/* policy/walk_ddl.c - definitions of tables, views, indexes and their like.
 *
 * What is not here (functions, triggers, rules, grants, servers...) is
 * refused even where "ddl" is allowed: it could carry SQL that nobody judges.
 */
#include "walk.h"

static bool
walk_exclusions(struct walk *w, const List *list)
{
	for (int i = 0; list != NIL && i < list->length; i++) {
		const List *pair = list->elements[i].ptr_value;

		if (!walk(w, pair->elements[0].ptr_value) || !walk_operator(w, pair->elements[1].ptr_value, -1))
			return false;
	}
	return true;
}

static bool
walk_constraint(struct walk *w, const Constraint *c)
{
	if (c->pktable != NULL)
		note_relation(w, c->pktable, ACCESS_READ);
	return walk(w, c->raw_expr) && walk_exclusions(w, c->exclusions) && walk_options(w, c->options) && walk(w, c->where_clause);
}

static bool
walk_bound(struct walk *w, const PartitionBoundSpec *b)
{
	return walk_list(w, b->listdatums) && walk_list(w, b->lowerdatums) && walk_list(w, b->upperdatums);
}

static bool
walk_partition_cmd(struct walk *w, const PartitionCmd *c)
{
	note_relation(w, c->name, ACCESS_READ | ACCESS_WRITE);
	return walk(w, c->bound);
}

bool
walk_ddl_part(struct walk *w, const Node *n, bool *mine)
{
	*mine = true;
	switch (nodeTag(n)) {
	case T_Constraint:
		return walk_constraint(w, (const Constraint *)n);
	case T_TableLikeClause:
		note_relation(w, ((const TableLikeClause *)n)->relation, ACCESS_READ);
		return true;
	case T_PartitionSpec:
		return walk_list(w, ((const PartitionSpec *)n)->partParams);
	case T_PartitionElem:
		return walk(w, ((const PartitionElem *)n)->expr);
	case T_PartitionBoundSpec:
		return walk_bound(w, (const PartitionBoundSpec *)n);
	case T_PartitionRangeDatum:
		return walk(w, ((const PartitionRangeDatum *)n)->value);
	case T_PartitionCmd:
		return walk_partition_cmd(w, (const PartitionCmd *)n);
	case T_AlterTableCmd:
		return walk(w, ((const AlterTableCmd *)n)->def);
	case T_StatsElem:
		return walk(w, ((const StatsElem *)n)->expr);
	case T_ReplicaIdentityStmt:
		return true;
	case T_DefElem: {
		/* an option alone, as ALTER TABLE ... SET (x) has them */
		const DefElem *d = (const DefElem *)n;

		return d->arg == NULL || (!IsA(d->arg, List) && walk(w, d->arg));
	}
	default:
		*mine = false;
		return true;
	}
}

/* --- statements --------------------------------------------------------- */

static bool
walk_create(struct walk *w, const CreateStmt *s)
{
	note_relation(w, s->relation, ACCESS_WRITE);
	return walk_list(w, s->tableElts) && walk_list(w, s->inhRelations) && walk(w, s->partbound) && walk(w, s->partspec) &&
	       walk(w, s->ofTypename) && walk_list(w, s->constraints) && walk_options(w, s->options);
}

static bool
walk_view(struct walk *w, const ViewStmt *s)
{
	note_relation(w, s->view, ACCESS_WRITE);
	return walk(w, s->query) && walk_options(w, s->options);
}

static bool
walk_index(struct walk *w, const IndexStmt *s)
{
	note_relation(w, s->relation, ACCESS_WRITE);
	return walk_list(w, s->indexParams) && walk_list(w, s->indexIncludingParams) && walk_options(w, s->options) &&
	       walk(w, s->whereClause);
}

/* The query may be EXECUTE, which is about a name. */
static bool
walk_create_as(struct walk *w, const CreateTableAsStmt *s)
{
	note_relation(w, s->into->rel, ACCESS_WRITE);
	return walk_statement(w, s->query) && walk_options(w, s->into->options);
}

static bool
walk_alter(struct walk *w, const AlterTableStmt *s)
{
	note_relation(w, s->relation, ACCESS_WRITE);
	return walk_list(w, s->cmds);
}

static bool
is_relation_type(ObjectType type)
{
	return type == OBJECT_TABLE || type == OBJECT_VIEW || type == OBJECT_MATVIEW || type == OBJECT_INDEX ||
	       type == OBJECT_SEQUENCE || type == OBJECT_FOREIGN_TABLE;
}

/* Of the others, types and schemas are names that we can say yes or no to. */
static bool
walk_drop(struct walk *w, const DropStmt *s, bool *mine)
{
	*mine = is_relation_type(s->removeType) || s->removeType == OBJECT_TYPE || s->removeType == OBJECT_DOMAIN ||
		s->removeType == OBJECT_SCHEMA || s->removeType == OBJECT_STATISTIC_EXT;
	for (int i = 0; s->objects != NIL && i < s->objects->length; i++) {
		const Node *object = s->objects->elements[i].ptr_value;

		if (is_relation_type(s->removeType) && IsA(object, List))
			note_named_relation(w, (const List *)object, ACCESS_WRITE);
		if (s->removeType == OBJECT_SCHEMA && IsA(object, String))
			note_schema(w, ((const String *)object)->sval, ACCESS_WRITE);
	}
	return true;
}

static bool
walk_truncate(struct walk *w, const TruncateStmt *s)
{
	for (int i = 0; i < s->relations->length; i++)
		note_relation(w, s->relations->elements[i].ptr_value, ACCESS_WRITE);
	return true;
}

static bool
walk_comment(struct walk *w, const CommentStmt *s, bool *mine)
{
	*mine = is_relation_type(s->objtype) || s->objtype == OBJECT_COLUMN;
	if (is_relation_type(s->objtype) && IsA(s->object, List))
		note_named_relation(w, (const List *)s->object, ACCESS_WRITE);
	return true;
}

static bool
walk_named(struct walk *w, const RangeVar *relation, bool *mine)
{
	*mine = relation != NULL;
	if (relation != NULL)
		note_relation(w, relation, ACCESS_WRITE);
	return true;
}

static bool
walk_schema(struct walk *w, const CreateSchemaStmt *s, bool *mine)
{
	(void)w;
	*mine = s->schemaElts == NIL;
	return true;
}

static bool
walk_statistics(struct walk *w, const CreateStatsStmt *s)
{
	return walk_list(w, s->exprs) && walk_list(w, s->relations);
}

bool
walk_ddl(struct walk *w, const Node *n, bool *mine)
{
	*mine = true;
	switch (nodeTag(n)) {
	case T_CreateStmt:
		return walk_create(w, (const CreateStmt *)n);
	case T_CreateTableAsStmt:
		return walk_create_as(w, (const CreateTableAsStmt *)n);
	case T_ViewStmt:
		return walk_view(w, (const ViewStmt *)n);
	case T_IndexStmt:
		return walk_index(w, (const IndexStmt *)n);
	case T_CreateSeqStmt:
		note_relation(w, ((const CreateSeqStmt *)n)->sequence, ACCESS_WRITE);
		return true;
	case T_AlterSeqStmt:
		note_relation(w, ((const AlterSeqStmt *)n)->sequence, ACCESS_WRITE);
		return true;
	case T_AlterTableStmt:
		return walk_alter(w, (const AlterTableStmt *)n);
	case T_DropStmt:
		return walk_drop(w, (const DropStmt *)n, mine);
	case T_TruncateStmt:
		return walk_truncate(w, (const TruncateStmt *)n);
	case T_CommentStmt:
		return walk_comment(w, (const CommentStmt *)n, mine);
	case T_RenameStmt:
		return walk_named(w, ((const RenameStmt *)n)->relation, mine);
	case T_AlterObjectSchemaStmt:
		return walk_named(w, ((const AlterObjectSchemaStmt *)n)->relation, mine);
	case T_CreateSchemaStmt:
		return walk_schema(w, (const CreateSchemaStmt *)n, mine);
	case T_CompositeTypeStmt:
		note_relation(w, ((const CompositeTypeStmt *)n)->typevar, ACCESS_WRITE);
		return walk_list(w, ((const CompositeTypeStmt *)n)->coldeflist);
	case T_CreateDomainStmt:
		return walk(w, ((const CreateDomainStmt *)n)->typeName) && walk_list(w, ((const CreateDomainStmt *)n)->constraints);
	case T_CreateStatsStmt:
		return walk_statistics(w, (const CreateStatsStmt *)n);
	case T_CreateEnumStmt:
	case T_AlterEnumStmt:
		return true;
	default:
		*mine = false;
		return true;
	}
}
