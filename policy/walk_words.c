/* policy/walk_words.c - what a statement is called, and which kind it is.
 *
 * A statement that has no row is of kind "unknown", which no profile allows.
 */
#include "walk.h"

struct words {
	NodeTag tag;
	enum statement_kind kind;
	const char *words;
};

static const struct words words[] = {
	{ T_SelectStmt, KIND_SELECT, "SELECT" },
	{ T_InsertStmt, KIND_INSERT, "INSERT" },
	{ T_UpdateStmt, KIND_UPDATE, "UPDATE" },
	{ T_DeleteStmt, KIND_DELETE, "DELETE" },
	{ T_MergeStmt, KIND_MERGE, "MERGE" },
	{ T_ExplainStmt, KIND_EXPLAIN, "EXPLAIN" },
	{ T_VariableShowStmt, KIND_SHOW, "SHOW" },
	{ T_VariableSetStmt, KIND_SET, "SET" },
	{ T_ConstraintsSetStmt, KIND_SET, "SET CONSTRAINTS" },
	{ T_DiscardStmt, KIND_SET, "DISCARD" },
	{ T_DeclareCursorStmt, KIND_CURSOR, "DECLARE CURSOR" },
	{ T_FetchStmt, KIND_CURSOR, "FETCH" },
	{ T_ClosePortalStmt, KIND_CURSOR, "CLOSE" },
	{ T_PrepareStmt, KIND_PREPARE, "PREPARE" },
	{ T_ExecuteStmt, KIND_PREPARE, "EXECUTE" },
	{ T_DeallocateStmt, KIND_PREPARE, "DEALLOCATE" },
	{ T_ListenStmt, KIND_LISTEN, "LISTEN" },
	{ T_NotifyStmt, KIND_LISTEN, "NOTIFY" },
	{ T_UnlistenStmt, KIND_LISTEN, "UNLISTEN" },
	{ T_LockStmt, KIND_LOCK, "LOCK" },
	{ T_CallStmt, KIND_CALL, "CALL" },
	{ T_DoStmt, KIND_DO, "DO" },
	{ T_VacuumStmt, KIND_MAINTENANCE, "VACUUM" },
	{ T_ClusterStmt, KIND_MAINTENANCE, "CLUSTER" },
	{ T_ReindexStmt, KIND_MAINTENANCE, "REINDEX" },
	{ T_RefreshMatViewStmt, KIND_MAINTENANCE, "REFRESH MATERIALIZED VIEW" },
	{ T_CheckPointStmt, KIND_MAINTENANCE, "CHECKPOINT" },
	{ T_CreateStmt, KIND_DDL, "CREATE TABLE" },
	{ T_CreateTableAsStmt, KIND_DDL, "CREATE TABLE AS" },
	{ T_CreateForeignTableStmt, KIND_DDL, "CREATE FOREIGN TABLE" },
	{ T_ViewStmt, KIND_DDL, "CREATE VIEW" },
	{ T_IndexStmt, KIND_DDL, "CREATE INDEX" },
	{ T_CreateSeqStmt, KIND_DDL, "CREATE SEQUENCE" },
	{ T_AlterSeqStmt, KIND_DDL, "ALTER SEQUENCE" },
	{ T_TruncateStmt, KIND_DDL, "TRUNCATE" },
	{ T_CommentStmt, KIND_DDL, "COMMENT" },
	{ T_CreateSchemaStmt, KIND_DDL, "CREATE SCHEMA" },
	{ T_AlterTableStmt, KIND_DDL, "ALTER TABLE" },
	{ T_DropStmt, KIND_DDL, "DROP" },
	{ T_RenameStmt, KIND_DDL, "RENAME" },
	{ T_AlterObjectSchemaStmt, KIND_DDL, "ALTER SET SCHEMA" },
	{ T_AlterOwnerStmt, KIND_DDL, "ALTER OWNER" },
	{ T_AlterObjectDependsStmt, KIND_DDL, "ALTER DEPENDS ON EXTENSION" },
	{ T_CompositeTypeStmt, KIND_DDL, "CREATE TYPE" },
	{ T_CreateEnumStmt, KIND_DDL, "CREATE TYPE" },
	{ T_CreateRangeStmt, KIND_DDL, "CREATE TYPE" },
	{ T_AlterEnumStmt, KIND_DDL, "ALTER TYPE" },
	{ T_AlterTypeStmt, KIND_DDL, "ALTER TYPE" },
	{ T_CreateDomainStmt, KIND_DDL, "CREATE DOMAIN" },
	{ T_AlterDomainStmt, KIND_DDL, "ALTER DOMAIN" },
	{ T_CreateFunctionStmt, KIND_DDL, "CREATE FUNCTION" },
	{ T_AlterFunctionStmt, KIND_DDL, "ALTER FUNCTION" },
	{ T_CreateTrigStmt, KIND_DDL, "CREATE TRIGGER" },
	{ T_CreateEventTrigStmt, KIND_DDL, "CREATE EVENT TRIGGER" },
	{ T_AlterEventTrigStmt, KIND_DDL, "ALTER EVENT TRIGGER" },
	{ T_RuleStmt, KIND_DDL, "CREATE RULE" },
	{ T_CreatePolicyStmt, KIND_DDL, "CREATE POLICY" },
	{ T_AlterPolicyStmt, KIND_DDL, "ALTER POLICY" },
	{ T_CreateStatsStmt, KIND_DDL, "CREATE STATISTICS" },
	{ T_AlterStatsStmt, KIND_DDL, "ALTER STATISTICS" },
	{ T_DefineStmt, KIND_DDL, "CREATE" },
	{ T_CreateCastStmt, KIND_DDL, "CREATE CAST" },
	{ T_CreateTransformStmt, KIND_DDL, "CREATE TRANSFORM" },
	{ T_CreateConversionStmt, KIND_DDL, "CREATE CONVERSION" },
	{ T_CreateOpClassStmt, KIND_DDL, "CREATE OPERATOR CLASS" },
	{ T_CreateOpFamilyStmt, KIND_DDL, "CREATE OPERATOR FAMILY" },
	{ T_AlterOpFamilyStmt, KIND_DDL, "ALTER OPERATOR FAMILY" },
	{ T_AlterOperatorStmt, KIND_DDL, "ALTER OPERATOR" },
	{ T_AlterCollationStmt, KIND_DDL, "ALTER COLLATION" },
	{ T_AlterTSDictionaryStmt, KIND_DDL, "ALTER TEXT SEARCH DICTIONARY" },
	{ T_AlterTSConfigurationStmt, KIND_DDL, "ALTER TEXT SEARCH CONFIGURATION" },
	{ T_CreateExtensionStmt, KIND_DDL, "CREATE EXTENSION" },
	{ T_AlterExtensionStmt, KIND_DDL, "ALTER EXTENSION" },
	{ T_AlterExtensionContentsStmt, KIND_DDL, "ALTER EXTENSION" },
	{ T_CreateAmStmt, KIND_DDL, "CREATE ACCESS METHOD" },
	{ T_CreatePLangStmt, KIND_DDL, "CREATE LANGUAGE" },
	{ T_CreateFdwStmt, KIND_DDL, "CREATE FOREIGN DATA WRAPPER" },
	{ T_AlterFdwStmt, KIND_DDL, "ALTER FOREIGN DATA WRAPPER" },
	{ T_CreateForeignServerStmt, KIND_DDL, "CREATE SERVER" },
	{ T_AlterForeignServerStmt, KIND_DDL, "ALTER SERVER" },
	{ T_CreateUserMappingStmt, KIND_DDL, "CREATE USER MAPPING" },
	{ T_AlterUserMappingStmt, KIND_DDL, "ALTER USER MAPPING" },
	{ T_DropUserMappingStmt, KIND_DDL, "DROP USER MAPPING" },
	{ T_ImportForeignSchemaStmt, KIND_DDL, "IMPORT FOREIGN SCHEMA" },
	{ T_CreatePublicationStmt, KIND_DDL, "CREATE PUBLICATION" },
	{ T_AlterPublicationStmt, KIND_DDL, "ALTER PUBLICATION" },
	{ T_CreateSubscriptionStmt, KIND_DDL, "CREATE SUBSCRIPTION" },
	{ T_AlterSubscriptionStmt, KIND_DDL, "ALTER SUBSCRIPTION" },
	{ T_DropSubscriptionStmt, KIND_DDL, "DROP SUBSCRIPTION" },
	{ T_SecLabelStmt, KIND_DDL, "SECURITY LABEL" },
	{ T_GrantStmt, KIND_DDL, "GRANT" },
	{ T_AlterDefaultPrivilegesStmt, KIND_DDL, "ALTER DEFAULT PRIVILEGES" },
	{ T_DropOwnedStmt, KIND_DDL, "DROP OWNED" },
	{ T_ReassignOwnedStmt, KIND_DDL, "REASSIGN OWNED" },
	/* beyond one database, or beyond SQL */
	{ T_GrantRoleStmt, KIND_UNKNOWN, "GRANT of a role" },
	{ T_CreateRoleStmt, KIND_UNKNOWN, "CREATE ROLE" },
	{ T_AlterRoleStmt, KIND_UNKNOWN, "ALTER ROLE" },
	{ T_AlterRoleSetStmt, KIND_UNKNOWN, "ALTER ROLE SET" },
	{ T_DropRoleStmt, KIND_UNKNOWN, "DROP ROLE" },
	{ T_CreatedbStmt, KIND_UNKNOWN, "CREATE DATABASE" },
	{ T_AlterDatabaseStmt, KIND_UNKNOWN, "ALTER DATABASE" },
	{ T_AlterDatabaseSetStmt, KIND_UNKNOWN, "ALTER DATABASE SET" },
	{ T_DropdbStmt, KIND_UNKNOWN, "DROP DATABASE" },
	{ T_CreateTableSpaceStmt, KIND_UNKNOWN, "CREATE TABLESPACE" },
	{ T_AlterTableSpaceOptionsStmt, KIND_UNKNOWN, "ALTER TABLESPACE" },
	{ T_AlterTableMoveAllStmt, KIND_UNKNOWN, "ALTER ALL IN TABLESPACE" },
	{ T_DropTableSpaceStmt, KIND_UNKNOWN, "DROP TABLESPACE" },
	{ T_AlterSystemStmt, KIND_UNKNOWN, "ALTER SYSTEM" },
	{ T_LoadStmt, KIND_UNKNOWN, "LOAD" },
};

/* The statements of every day stand first, so this is a short search. */
static const struct words *
find(const Node *n)
{
	for (size_t i = 0; i < nitems(words); i++)
		if (words[i].tag == nodeTag(n))
			return &words[i];
	return NULL;
}

static const char *
transaction_words(const TransactionStmt *s)
{
	switch (s->kind) {
	case TRANS_STMT_BEGIN:
		return "BEGIN";
	case TRANS_STMT_START:
		return "START TRANSACTION";
	case TRANS_STMT_COMMIT:
		return "COMMIT";
	case TRANS_STMT_ROLLBACK:
		return "ROLLBACK";
	case TRANS_STMT_SAVEPOINT:
		return "SAVEPOINT";
	case TRANS_STMT_RELEASE:
		return "RELEASE";
	case TRANS_STMT_ROLLBACK_TO:
		return "ROLLBACK TO SAVEPOINT";
	case TRANS_STMT_PREPARE:
		return "PREPARE TRANSACTION";
	case TRANS_STMT_COMMIT_PREPARED:
		return "COMMIT PREPARED";
	case TRANS_STMT_ROLLBACK_PREPARED:
		return "ROLLBACK PREPARED";
	}
	return "transaction control";
}

static const char *
object_words(ObjectType type, bool drop)
{
	switch (type) {
	case OBJECT_TABLE:
		return drop ? "DROP TABLE" : "ALTER TABLE";
	case OBJECT_VIEW:
		return drop ? "DROP VIEW" : "ALTER VIEW";
	case OBJECT_MATVIEW:
		return drop ? "DROP MATERIALIZED VIEW" : "ALTER MATERIALIZED VIEW";
	case OBJECT_INDEX:
		return drop ? "DROP INDEX" : "ALTER INDEX";
	case OBJECT_SEQUENCE:
		return drop ? "DROP SEQUENCE" : "ALTER SEQUENCE";
	case OBJECT_FOREIGN_TABLE:
		return drop ? "DROP FOREIGN TABLE" : "ALTER FOREIGN TABLE";
	case OBJECT_SCHEMA:
		return drop ? "DROP SCHEMA" : "ALTER SCHEMA";
	case OBJECT_FUNCTION:
		return drop ? "DROP FUNCTION" : "ALTER FUNCTION";
	case OBJECT_TYPE:
		return drop ? "DROP TYPE" : "ALTER TYPE";
	case OBJECT_EXTENSION:
		return drop ? "DROP EXTENSION" : "ALTER EXTENSION";
	default:
		return drop ? "DROP" : "ALTER";
	}
}

const char *
node_words(const Node *n)
{
	const struct words *row;

	switch (nodeTag(n)) {
	case T_TransactionStmt:
		return transaction_words((const TransactionStmt *)n);
	case T_CopyStmt:
		return ((const CopyStmt *)n)->is_from ? "COPY FROM" : "COPY TO";
	case T_DropStmt:
		return object_words(((const DropStmt *)n)->removeType, true);
	case T_AlterTableStmt:
		return object_words(((const AlterTableStmt *)n)->objtype, false);
	case T_RenameStmt:
		return object_words(((const RenameStmt *)n)->renameType, false);
	case T_AlterObjectSchemaStmt:
		return object_words(((const AlterObjectSchemaStmt *)n)->objectType, false);
	case T_AlterOwnerStmt:
		return object_words(((const AlterOwnerStmt *)n)->objectType, false);
	case T_GrantStmt:
		return ((const GrantStmt *)n)->is_grant ? "GRANT" : "REVOKE";
	case T_VacuumStmt:
		return ((const VacuumStmt *)n)->is_vacuumcmd ? "VACUUM" : "ANALYZE";
	default:
		row = find(n);
		return row != NULL ? row->words : "this statement";
	}
}

static bool
has_into(const SelectStmt *s)
{
	while (s->op != SETOP_NONE)
		s = s->larg;
	return s->intoClause != NULL;
}

enum statement_kind
node_kind(const Node *n)
{
	const struct words *row;

	switch (nodeTag(n)) {
	case T_SelectStmt:
		return has_into((const SelectStmt *)n) ? KIND_DDL : KIND_SELECT;
	case T_TransactionStmt:
		return KIND_TRANSACTION;
	case T_CopyStmt:
		return ((const CopyStmt *)n)->is_from ? KIND_COPY_FROM : KIND_COPY_TO;
	default:
		row = find(n);
		return row != NULL ? row->kind : KIND_UNKNOWN;
	}
}
