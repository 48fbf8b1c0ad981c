/* policy/load_profile.c - one profile of the policy file. */
#include <stdlib.h>
#include <string.h>

#include "load.h"
#include "patterns.h"

#define AT(member) offsetof(struct profile, member)
#define LIMIT(member) offsetof(struct profile, limits.member)

#define ROWS_MAX 1000000000000
#define BYTES_MAX 1099511627776  /* 1024 GB */
#define TIME_MAX 2147483647      /* PostgreSQL's own limit: 24 days */
#define QUERY_BYTES_MAX 67108864 /* 64 MB: it is held in memory */
#define QUERY_DEPTH_MAX 3000     /* the walk recurses */

static const struct word access_modes[] = { { "read_only", true }, { "read_write", false }, { NULL, 0 } };
static const struct word multi_words[] = { { "deny", MULTI_DENY }, { "handshake", MULTI_HANDSHAKE }, { "each", MULTI_EACH },
	{ NULL, 0 } };
static const struct word writes_words[] = { { "deny", WRITES_DENY }, { "allow", WRITES_ALLOW }, { "dry_run", WORD_LATER },
	{ "approve", WORD_LATER }, { NULL, 0 } };
static const struct word on_cap_words[] = { { "notice", ON_CAP_NOTICE }, { "error", ON_CAP_ERROR }, { NULL, 0 } };
static const struct word deny_allow[] = { { "deny", false }, { "allow", true }, { NULL, 0 } };

static const struct word statement_words[] = { { "select", KIND_SELECT }, { "insert", KIND_INSERT }, { "update", KIND_UPDATE },
	{ "delete", KIND_DELETE }, { "merge", KIND_MERGE }, { "copy_to", KIND_COPY_TO }, { "copy_from", KIND_COPY_FROM },
	{ "ddl", KIND_DDL }, { "call", KIND_CALL }, { "do", KIND_DO }, { "explain", KIND_EXPLAIN }, { "show", KIND_SHOW },
	{ "set", KIND_SET }, { "transaction", KIND_TRANSACTION }, { "cursor", KIND_CURSOR }, { "prepare", KIND_PREPARE },
	{ "listen", KIND_LISTEN }, { "lock", KIND_LOCK }, { "maintenance", KIND_MAINTENANCE }, { NULL, 0 } };

static const struct field statements_fields[] = {
	{ "allow", FIELD_WORDS, AT(statements_allow), .words = statement_words },
	{ "deny", FIELD_WORDS, AT(statements_deny), .words = statement_words },
	{ .name = NULL },
};

static const struct field schemas_fields[] = {
	{ "allow", FIELD_CUSTOM, .read = load_schemas_allow },
	{ "deny", FIELD_CUSTOM, .read = load_schemas_deny },
	{ .name = NULL },
};

static const struct field tables_fields[] = {
	{ "allow", FIELD_CUSTOM, .read = load_tables_allow },
	{ "deny", FIELD_CUSTOM, .read = load_tables_deny },
	{ .name = NULL },
};

static const struct field functions_fields[] = {
	{ "allow", FIELD_CUSTOM, .read = load_functions_allow },
	{ "deny", FIELD_CUSTOM, .read = load_functions_deny },
	{ "volatile", FIELD_SWITCH, AT(volatile_allow), .words = deny_allow },
	{ "user_defined", FIELD_SWITCH, AT(user_defined_allow), .words = deny_allow },
	{ .name = NULL },
};

static const struct field settings_fields[] = {
	{ "allow", FIELD_CUSTOM, .read = load_settings_allow },
	{ .name = NULL },
};

static const struct field writes_fields[] = {
	{ "mode", FIELD_WORD, AT(writes), .words = writes_words },
	{ "require_where", .type = FIELD_BOOL, .offset = AT(require_where) },
	{ "max_affected_rows", .type = FIELD_LATER },
	{ .name = NULL },
};

static const struct field limits_fields[] = {
	{ "max_rows", FIELD_INT, LIMIT(max_rows), .max = ROWS_MAX },
	{ "max_result_bytes", FIELD_SIZE, LIMIT(max_result_bytes), .max = BYTES_MAX },
	{ "on_cap", FIELD_WORD, LIMIT(on_cap), .words = on_cap_words },
	{ "statement_timeout", FIELD_TIME, LIMIT(statement_timeout), .max = TIME_MAX },
	{ "lock_timeout", FIELD_TIME, LIMIT(lock_timeout), .max = TIME_MAX },
	{ "idle_in_transaction_timeout", FIELD_TIME, LIMIT(idle_in_transaction_timeout), .max = TIME_MAX },
	{ "transaction_timeout", FIELD_TIME, LIMIT(transaction_timeout), .max = TIME_MAX },
	{ "max_query_bytes", FIELD_SIZE, LIMIT(max_query_bytes), .max = QUERY_BYTES_MAX },
	{ "max_query_depth", FIELD_INT, LIMIT(max_query_depth), .min = 1, .max = QUERY_DEPTH_MAX },
	{ "max_plan_cost", FIELD_LATER, .null_ok = true },
	{ "rate_per_minute", .type = FIELD_LATER },
	{ "burst", .type = FIELD_LATER },
	{ "max_concurrent", .type = FIELD_LATER },
	{ .name = NULL },
};

static const struct field profile_fields[] = {
	{ "access_mode", FIELD_SWITCH, AT(read_only), .words = access_modes },
	{ "statements", FIELD_LISTS, .fields = statements_fields },
	{ "multi_statement", FIELD_WORD, AT(multi), .words = multi_words },
	{ "schemas", FIELD_LISTS, .fields = schemas_fields },
	{ "tables", FIELD_LISTS, .fields = tables_fields },
	{ "columns", .type = FIELD_LATER },
	{ "row_filters", .type = FIELD_LATER },
	{ "functions", FIELD_LISTS, .fields = functions_fields },
	{ "settings", FIELD_OBJECT, .fields = settings_fields },
	{ "search_path", FIELD_CUSTOM, .read = load_search_path },
	{ "session", .type = FIELD_LATER },
	{ "writes", FIELD_OBJECT, .fields = writes_fields },
	{ "limits", FIELD_OBJECT, .fields = limits_fields },
	{ "hints", FIELD_CUSTOM, .read = load_hints },
	{ .name = NULL },
};

/* The same as builtin.c says; a test compares. */
void
profile_init(struct profile *p)
{
	*p = (struct profile){
		.mode = MODE_ENFORCE,
		.read_only = true,
		.statements_allow = 1u << KIND_SELECT | 1u << KIND_EXPLAIN | 1u << KIND_SHOW | 1u << KIND_SET |
		    1u << KIND_TRANSACTION | 1u << KIND_CURSOR | 1u << KIND_PREPARE,
		.multi = MULTI_HANDSHAKE,
		.writes = WRITES_DENY,
		.require_where = true,
		.limits = {
			.max_rows = 1000,
			.max_result_bytes = 16 << 20,
			.on_cap = ON_CAP_NOTICE,
			.statement_timeout = 5000,
			.lock_timeout = 1000,
			.idle_in_transaction_timeout = 30000,
			.transaction_timeout = 60000,
			.max_query_bytes = 256 << 10,
			.max_query_depth = 500,
		},
	};
	p->search_path.items = xcalloc(1, sizeof(p->search_path.items[0]));
	p->search_path.items[0] = xstrdup("public");
	p->search_path.n = 1;
}

void
profile_release(struct profile *p)
{
	free(p->name);
	string_list_release(&p->schemas_allow);
	string_list_release(&p->schemas_deny);
	string_list_release(&p->settings_allow);
	string_list_release(&p->search_path);
	for (size_t i = 0; i < p->ntables_allow; i++)
		table_pattern_release(&p->tables_allow[i]);
	for (size_t i = 0; i < p->ntables_deny; i++)
		table_pattern_release(&p->tables_deny[i]);
	for (size_t i = 0; i < p->nfunctions_allow; i++)
		function_pattern_release(&p->functions_allow[i]);
	for (size_t i = 0; i < p->nfunctions_deny; i++)
		function_pattern_release(&p->functions_deny[i]);
	free(p->tables_allow);
	free(p->tables_deny);
	free(p->functions_allow);
	free(p->functions_deny);
	for (size_t i = 0; i < nitems(p->hints); i++)
		free(p->hints[i]);
}

/* Says what the statement list, the denials and the ceiling leave. */
static void
default_statement_hint(struct profile *p)
{
	const uint32_t writes =
	    1u << KIND_INSERT | 1u << KIND_UPDATE | 1u << KIND_DELETE | 1u << KIND_MERGE | 1u << KIND_COPY_FROM | 1u << KIND_DDL;
	uint32_t open = p->statements_allow & ~p->statements_deny & ~(p->read_only ? writes : 0);
	struct sb sb = { 0 };

	if (p->hints[RULE_STATEMENT_NOT_ALLOWED] != NULL)
		return;
	for (const struct word *w = statement_words; w->word != NULL; w++)
		if ((open >> w->value & 1) != 0)
			sb_fmt(&sb, "%s%s", sb.len == 0 ? "This connection allows: " : ", ", w->word);
	if (sb.len == 0)
		sb_str(&sb, "This connection allows no statements at all");
	sb_char(&sb, '.');
	p->hints[RULE_STATEMENT_NOT_ALLOWED] = sb_take(&sb);
}

static bool
has_statement_list(const cJSON *profile)
{
	const cJSON *statements = cJSON_GetObjectItemCaseSensitive(profile, "statements");

	return cJSON_GetObjectItemCaseSensitive(statements, "allow") != NULL;
}

/* An absent list restricts nothing, but what defines, copies, locks or
 * maintains needs its word all the same. */
void
load_profile(struct fields *f, const cJSON *v, const struct path *path, struct profile *p)
{
	const cJSON *writes, *mode;
	struct path up = { path, "writes", 0 }, at = { &up, "mode", 0 };

	fields_read(f, v, path, profile_fields, p);
	if (!p->read_only && !has_statement_list(v))
		p->statements_allow |= 1u << KIND_INSERT | 1u << KIND_UPDATE | 1u << KIND_DELETE | 1u << KIND_MERGE;
	p->statements_allow |= 1u << KIND_EMPTY; /* a ping: nothing to allow or deny */
	writes = cJSON_GetObjectItemCaseSensitive(v, "writes");
	mode = cJSON_GetObjectItemCaseSensitive(writes, "mode");
	if (p->read_only && p->writes == WRITES_ALLOW && mode != NULL)
		fields_error(f, mode, &at, "\"allow\" contradicts access_mode \"read_only\"");
	default_statement_hint(p);
}
