/* policy/load_profile.c - one profile of the policy file. */
#include <stdlib.h>
#include <string.h>

#include "load.h"
#include "patterns.h"
#include "session_settings.h"

#define AT(member) offsetof(struct profile, member)
#define LIMIT(member) offsetof(struct profile, limits.member)

#define ROWS_MAX 1000000000000
#define BYTES_MAX 1099511627776  /* 1024 GB */
#define TIME_MAX 2147483647      /* PostgreSQL's own limit: 24 days */
#define QUERY_BYTES_MAX 67108864 /* 64 MB: it is held in memory */
#define QUERY_DEPTH_MAX 3000     /* the walk recurses */
#define PLAN_COST_MAX 1000000000000000
#define RATE_MAX 1000000000
#define CONCURRENT_MAX 1000000

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
	{ "allow", FIELD_WORDS, AT(statements_allow), .words = statement_words,
	    .doc = "What may be sent. Without the list: select, explain, show, set, transaction, cursor, prepare, and under "
		   "read_write insert, update, delete and merge" },
	{ "deny", FIELD_WORDS, AT(statements_deny), .words = statement_words, .doc = "Refused, whatever allow says" },
	{ .name = NULL },
};

static const struct field schemas_fields[] = {
	{ "allow", FIELD_CUSTOM, .read = load_schemas_allow, .write = write_schemas_allow, .shape = SHAPE_LIST,
	    .schema = "schema_pattern", .doc = "Open schemas. Without the list all are; system catalogs are in any case" },
	{ "deny", FIELD_CUSTOM, .read = load_schemas_deny, .write = write_schemas_deny, .shape = SHAPE_LIST,
	    .schema = "schema_pattern", .doc = "Closed schemas, whatever allow says" },
	{ .name = NULL },
};

static const struct field tables_fields[] = {
	{ "allow", FIELD_CUSTOM, .read = load_tables_allow, .write = write_tables_allow, .shape = SHAPE_LIST,
	    .schema = "table_pattern", .fields = table_fields,
	    .doc =
		"Open tables and views. Without the list all are; a system catalog that leaks data opens by its exact name only" },
	{ "deny", FIELD_CUSTOM, .read = load_tables_deny, .write = write_tables_deny, .shape = SHAPE_LIST,
	    .schema = "table_pattern", .fields = table_fields, .doc = "Closed tables and views, whatever allow says" },
	{ .name = NULL },
};

static const struct field functions_fields[] = {
	{ "allow", FIELD_CUSTOM, .read = load_functions_allow, .write = write_functions_allow, .shape = SHAPE_LIST,
	    .schema = "function_pattern",
	    .doc =
		"Functions to open that are user-defined, or built in and with effects: name, schema.name, schema.name(types) or "
		"extension:name" },
	{ "deny", FIELD_CUSTOM, .read = load_functions_deny, .write = write_functions_deny, .shape = SHAPE_LIST,
	    .schema = "function_pattern", .doc = "Functions to close, whatever allow says" },
	{ "volatile", FIELD_SWITCH, AT(volatile_allow), .words = deny_allow,
	    .doc = "Built-in functions that change something, as far as no list names them" },
	{ "user_defined", FIELD_SWITCH, AT(user_defined_allow), .words = deny_allow,
	    .doc = "Functions, operators and casts that are not built in, as far as no list names them" },
	{ .name = NULL },
};

static const struct field settings_fields[] = {
	{ "allow", FIELD_CUSTOM, .read = load_settings_allow, .write = write_settings_allow, .shape = SHAPE_LIST,
	    .schema = "setting",
	    .doc = "Settings that a client may change, instead of the harmless ones. search_path: to schemas that are open" },
	{ .name = NULL },
};

static const struct field writes_fields[] = {
	{ "mode", FIELD_WORD, AT(writes), .words = writes_words, .doc = "Whether data may be changed at all" },
	{ "require_where", FIELD_BOOL, AT(require_where), .doc = "Refuse UPDATE and DELETE without WHERE" },
	{ "max_affected_rows", FIELD_INT, LIMIT(max_affected_rows), .min = 1, .max = ROWS_MAX,
	    .doc =
		"Rows that one INSERT, UPDATE, DELETE or MERGE may change; what would change more is rolled back. Without it: no "
		"limit" },
	{ .name = NULL },
};

static const struct field limits_fields[] = {
	{ "max_rows", FIELD_INT, LIMIT(max_rows), .max = ROWS_MAX, .doc = "Rows of one result; 0: no limit" },
	{ "max_result_bytes", FIELD_SIZE, LIMIT(max_result_bytes), .max = BYTES_MAX, .doc = "Size of one result; 0: no limit" },
	{ "on_cap", FIELD_WORD, LIMIT(on_cap), .words = on_cap_words,
	    .doc = "What a client hears when its result was cut at one of these two" },
	{ "statement_timeout", FIELD_TIME, LIMIT(statement_timeout), .max = TIME_MAX,
	    .doc = "Time of one statement; clients may lower it; 0: no limit" },
	{ "lock_timeout", FIELD_TIME, LIMIT(lock_timeout), .max = TIME_MAX,
	    .doc = "Time that a statement waits for a lock; 0: no limit" },
	{ "idle_in_transaction_timeout", FIELD_TIME, LIMIT(idle_in_transaction_timeout), .max = TIME_MAX,
	    .doc = "Time that a transaction may wait for its next statement; 0: no limit" },
	{ "transaction_timeout", FIELD_TIME, LIMIT(transaction_timeout), .max = TIME_MAX,
	    .doc = "Time of one transaction; 0: no limit" },
	{ "max_query_bytes", FIELD_SIZE, LIMIT(max_query_bytes), .max = QUERY_BYTES_MAX,
	    .doc = "Size of one statement's text; 0: no limit" },
	{ "max_query_depth", FIELD_INT, LIMIT(max_query_depth), .min = 1, .max = QUERY_DEPTH_MAX,
	    .doc = "Levels of one statement's parse tree" },
	{ "max_plan_cost", FIELD_NUMBER, LIMIT(max_plan_cost), .max = PLAN_COST_MAX, .null_ok = true,
	    .doc = "The planner's total cost of one statement, asked by EXPLAIN before it runs; null or 0: not asked" },
	{ "rate_per_minute", FIELD_INT, LIMIT(rate_per_minute), .max = RATE_MAX,
	    .doc = "Statements a minute of one user with one profile; 0: no limit" },
	{ "burst", FIELD_INT, LIMIT(burst), .min = 1, .max = RATE_MAX,
	    .doc = "Statements that may come at once under rate_per_minute. Without it: a fifth of the rate" },
	{ "max_concurrent", FIELD_INT, LIMIT(max_concurrent), .max = CONCURRENT_MAX,
	    .doc = "Statements of one user with one profile that run at a time; 0: no limit" },
	{ .name = NULL },
};

/* What check_rate() and check_mask() say, in the words of JSON Schema. */
#define MASK_AND_ACTION                                                                                                          \
	"\"if\":{\"properties\":{\"action\":{\"const\":\"mask\"}},\"required\":[\"action\"]},\"then\":{\"required\":[\"mask\"]," \
	"\"if\":{\"properties\":{\"mask\":{\"const\":\"expression\"}},\"required\":[\"mask\"]},"                                 \
	"\"then\":{\"required\":[\"expression\"]},\"else\":{\"properties\":{\"expression\":false}}},"                            \
	"\"else\":{\"properties\":{\"mask\":false,\"expression\":false}}"
#define BURST_NEEDS_RATE "\"dependentRequired\":{\"burst\":[\"rate_per_minute\"]}"

const struct field profile_fields[] = {
	{ "access_mode", FIELD_SWITCH, AT(read_only), .words = access_modes, .doc = "A ceiling that no list raises" },
	{ "statements", FIELD_LISTS, .fields = statements_fields, .doc = "Which sorts of statements may be sent" },
	{ "multi_statement", FIELD_WORD, AT(multi), .words = multi_words,
	    .doc =
		"Several statements in one message: refused, session housekeeping only as drivers send it, or each judged and the "
		"batch falls whole" },
	{ "schemas", FIELD_LISTS, .fields = schemas_fields, .doc = "Which schemas are open" },
	{ "tables", FIELD_LISTS, .fields = tables_fields, .doc = "Which tables and views are open" },
	{ "columns", FIELD_CUSTOM, .read = load_columns, .write = write_columns, .shape = SHAPE_LIST, .fields = column_fields,
	    .extra = MASK_AND_ACTION,
	    .doc = "Columns that are not shown, or not as they are; the first entry that fits a column rules" },
	{ "row_filters", FIELD_CUSTOM, .read = load_row_filters, .write = write_row_filters, .shape = SHAPE_LIST,
	    .fields = filter_fields, .doc = "Rows that exist; all entries that fit a table hold" },
	{ "functions", FIELD_LISTS, .fields = functions_fields, .doc = "Which functions may be called" },
	{ "settings", FIELD_OBJECT, .fields = settings_fields, .doc = "Which settings a client may change" },
	{ "search_path", FIELD_CUSTOM, .read = load_search_path, .write = write_search_path, .shape = SHAPE_LIST,
	    .schema = "identifier", .doc = "The schemas in which unqualified names are looked up, behind pg_catalog" },
	{ "session", FIELD_CUSTOM, .read = load_session, .write = write_session, .schema = "session",
	    .doc = "Settings that connections are started with and clients cannot change, for row-level security in the database" },
	{ "writes", FIELD_OBJECT, .fields = writes_fields, .doc = "What changes of data must keep to" },
	{ "limits", FIELD_OBJECT, .fields = limits_fields, .extra = BURST_NEEDS_RATE, .doc = "What may be consumed" },
	{ "mask_key", FIELD_CUSTOM, .read = load_mask_key, .schema = "key", .fields = key_fields,
	    .doc = "The secret of mask hash, instead of the file's" },
	{ "hints", FIELD_CUSTOM, .read = load_hints, .write = write_hints, .schema = "hints",
	    .doc = "What a refusal advises, by its rule" },
	{ .name = NULL },
};

/* The same as builtin.c says; a test compares. */
void
profile_defaults(struct profile *p)
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
			.max_query_bytes = 512 << 10,
			.max_query_depth = 500,
		},
	};
	p->search_path.items = xcalloc(1, sizeof(p->search_path.items[0]));
	p->search_path.items[0] = xstrdup("public");
	p->search_path.n = 1;
}

void
profile_clear(struct profile *p)
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
	shown_release(p);
	session_release(p);
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

/* Nobody sets what we set. */
static void
check_session(struct fields *f, const cJSON *v, const struct path *path, const struct profile *p)
{
	struct path up = { path, "settings", 0 }, allow = { &up, "allow", 0 }, at = { &allow, NULL, 0 };
	const cJSON *item;

	cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(v, "settings"), "allow"))
	{
		if (cJSON_IsString(item) && session_names(p, item->valuestring))
			fields_error(f, item, &at, "\"%s\" is set by session", item->valuestring);
		at.index++;
	}
}

/* A fifth of a minute's statements at once, unless the file says how many. */
static void
check_rate(struct fields *f, const cJSON *v, const struct path *path, struct limits *limits)
{
	struct path up = { path, "limits", 0 }, at = { &up, "burst", 0 };
	const cJSON *burst = cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(v, "limits"), "burst");

	if (limits->rate_per_minute == 0) {
		if (burst != NULL)
			fields_key_error(f, burst, &at, "means nothing without rate_per_minute");
	} else if (limits->burst == 0) {
		limits->burst = limits->rate_per_minute >= 5 ? limits->rate_per_minute / 5 : 1;
	}
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
	check_session(f, v, path, p);
	check_rate(f, v, path, &p->limits);
	default_statement_hint(p);
}
