/* policy/kinds.c - stable names for rules, verdicts and kinds. */
#include "policy.h"

const char *
rule_name(enum rule rule)
{
	static const char *const names[] = {
		[RULE_NONE] = "none",
		[RULE_PARSE_ERROR] = "parse_error",
		[RULE_MULTI_STATEMENT] = "multi_statement",
		[RULE_STATEMENT_NOT_ALLOWED] = "statement_not_allowed",
		[RULE_READ_ONLY] = "read_only",
		[RULE_LOCKING_SELECT] = "locking_select",
		[RULE_WHERELESS_WRITE] = "whereless_write",
		[RULE_SCHEMA_DENIED] = "schema_denied",
		[RULE_TABLE_DENIED] = "table_denied",
		[RULE_COLUMN_DENIED] = "column_denied",
		[RULE_FUNCTION_DENIED] = "function_denied",
		[RULE_SETTING_DENIED] = "setting_denied",
		[RULE_UNKNOWN_OBJECT] = "unknown_object",
		[RULE_TOO_LONG] = "too_long",
		[RULE_TOO_DEEP] = "too_deep",
		[RULE_PLAN_COST] = "plan_cost",
		[RULE_RATE_LIMITED] = "rate_limited",
		[RULE_ROW_CAP] = "row_cap",
		[RULE_ENCODING] = "encoding",
		[RULE_PROTOCOL] = "protocol",
	};

	return (size_t)rule < nitems(names) ? names[rule] : "none";
}

const char *
verdict_name(enum verdict verdict)
{
	switch (verdict) {
	case VERDICT_ALLOW:
		return "allow";
	case VERDICT_REWRITE:
		return "rewrite";
	case VERDICT_BLOCK:
		break;
	}
	return "block";
}

const char *
kind_name(enum statement_kind kind)
{
	static const char *const names[KIND_COUNT] = {
		[KIND_EMPTY] = "empty",
		[KIND_SELECT] = "select",
		[KIND_INSERT] = "insert",
		[KIND_UPDATE] = "update",
		[KIND_DELETE] = "delete",
		[KIND_MERGE] = "merge",
		[KIND_COPY_TO] = "copy_to",
		[KIND_COPY_FROM] = "copy_from",
		[KIND_DDL] = "ddl",
		[KIND_CALL] = "call",
		[KIND_DO] = "do",
		[KIND_EXPLAIN] = "explain",
		[KIND_SHOW] = "show",
		[KIND_SET] = "set",
		[KIND_TRANSACTION] = "transaction",
		[KIND_CURSOR] = "cursor",
		[KIND_PREPARE] = "prepare",
		[KIND_LISTEN] = "listen",
		[KIND_LOCK] = "lock",
		[KIND_MAINTENANCE] = "maintenance",
		[KIND_UNKNOWN] = "unknown",
	};

	return (size_t)kind < nitems(names) ? names[kind] : "unknown";
}
