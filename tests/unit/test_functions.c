/* tests/unit/test_functions.c - which functions may be called, under which policy. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "functions.h"
#include "profile.h"

#define FUNCTIONS(members) "{\"version\":1,\"profiles\":{\"a\":{\"functions\":{" members "}}}}"

#define NOTHING ""
#define NAMED                                                                                                                   \
	"\"allow\":[\"public.cents(numeric)\",\"public.full_label(text,text)\",\"digest\",\"shop.*\"],\"deny\":[\"set_limit\"," \
	"\"upper(text)\"]"
#define TRGM                                                                                                                      \
	"\"allow\":[\"extension:pg_trgm\",\"extension:uuid-ossp\",\"extension:dblink\",\"extension:tablefunc\"],\"deny\":[\"set_" \
	"limit\"]"
#define VOLATILE_ALLOW "\"volatile\":\"allow\""
#define USER_ALLOW "\"user_defined\":\"allow\",\"deny\":[\"public.dangerous\",\"extension:hstore\"]"
#define EXACT "\"allow\":[\"pg_read_file\",\"lo_*\",\"nextval\",\"public.pg_sleep\",\"dblink\"]"

static const struct row {
	const char *name, *functions, *schema, *function;
	int nargs;
	enum function_answer answer;
} rows[] = {
	{ "an immutable built-in", NOTHING, NULL, "upper", 1, FUNCTION_OPEN },
	{ "by its schema", NOTHING, "pg_catalog", "upper", 1, FUNCTION_OPEN },
	{ "with an unknown number of arguments", NOTHING, NULL, "upper", -1, FUNCTION_OPEN },
	{ "with more arguments than any of that name takes, it is somebody's own", NOTHING, NULL, "now", 1, FUNCTION_USER },
	{ "in another schema, it is somebody's own", NOTHING, "public", "upper", 1, FUNCTION_USER },
	{ "an aggregate", NOTHING, NULL, "count", 0, FUNCTION_OPEN },
	{ "an ordered-set aggregate counts its direct arguments", NOTHING, NULL, "percentile_cont", 1, FUNCTION_OPEN },
	{ "a hypothetical-set aggregate", NOTHING, NULL, "rank", 3, FUNCTION_OPEN },
	{ "a window function", NOTHING, NULL, "lag", 3, FUNCTION_OPEN },
	{ "a variadic function", NOTHING, NULL, "format", 40, FUNCTION_OPEN },
	{ "defaults may be left out", NOTHING, NULL, "make_interval", 0, FUNCTION_OPEN },
	{ "the name of a type", NOTHING, NULL, "int4", 1, FUNCTION_OPEN },
	{ "the name of a type that has no function", NOTHING, NULL, "jsonb", 1, FUNCTION_OPEN },
	{ "a helper of information_schema", NOTHING, "information_schema", "_pg_expandarray", 1, FUNCTION_OPEN },
	{ "without its schema it is not found", NOTHING, NULL, "_pg_expandarray", 1, FUNCTION_USER },
	{ "a function that newer servers have", NOTHING, NULL, "any_value", 1, FUNCTION_OPEN },
	{ "privileges may be asked for", NOTHING, NULL, "has_table_privilege", 3, FUNCTION_OPEN },

	{ "chance is harmless", NOTHING, NULL, "random", 0, FUNCTION_OPEN },
	{ "clocks are", NOTHING, NULL, "clock_timestamp", 0, FUNCTION_OPEN },
	{ "identifiers are", NOTHING, NULL, "gen_random_uuid", 0, FUNCTION_OPEN },
	{ "sizes are", NOTHING, NULL, "pg_total_relation_size", 1, FUNCTION_OPEN },
	{ "recovery may be asked for", NOTHING, NULL, "pg_is_in_recovery", 0, FUNCTION_OPEN },
	{ "partitions may be listed", NOTHING, NULL, "pg_partition_tree", 1, FUNCTION_OPEN },
	{ "the transaction's number, if there is one", NOTHING, NULL, "pg_current_xact_id_if_assigned", 0, FUNCTION_OPEN },
	{ "assigning one is not harmless", NOTHING, NULL, "txid_current", 0, FUNCTION_VOLATILE },

	{ "sequences are not moved", NOTHING, NULL, "nextval", 1, FUNCTION_VOLATILE },
	{ "nor read", NOTHING, NULL, "currval", 1, FUNCTION_VOLATILE },
	{ "nor by the catalog's own name", NOTHING, NULL, "pg_sequence_last_value", 1, FUNCTION_VOLATILE },
	{ "what the session has seen of statistics stays", NOTHING, NULL, "pg_stat_clear_snapshot", 0, FUNCTION_VOLATILE },
	{ "nobody sleeps", NOTHING, "pg_catalog", "pg_sleep", 1, FUNCTION_VOLATILE },
	{ "nobody locks", NOTHING, NULL, "pg_advisory_lock", 1, FUNCTION_VOLATILE },
	{ "nobody notifies", NOTHING, NULL, "pg_notify", 2, FUNCTION_VOLATILE },
	{ "large objects are not made", NOTHING, NULL, "lo_from_bytea", 2, FUNCTION_VOLATILE },
	{ "nor read", NOTHING, NULL, "lo_get", 1, FUNCTION_DENIED },
	{ "nor exported", NOTHING, NULL, "lo_export", 2, FUNCTION_DENIED },
	{ "settings are not changed", NOTHING, NULL, "set_config", 3, FUNCTION_DENIED },
	{ "files are not read", NOTHING, NULL, "pg_read_file", 1, FUNCTION_DENIED },
	{ "folders are not listed", NOTHING, NULL, "pg_ls_dir", 1, FUNCTION_DENIED },
	{ "paths are not shown", NOTHING, NULL, "pg_relation_filepath", 1, FUNCTION_DENIED },
	{ "sessions are not ended", NOTHING, NULL, "pg_terminate_backend", 1, FUNCTION_DENIED },
	{ "nor watched", NOTHING, NULL, "pg_stat_get_activity", 1, FUNCTION_DENIED },
	{ "SQL as text is not run", NOTHING, NULL, "query_to_xml", 4, FUNCTION_DENIED },
	{ "nor a table read by its name", NOTHING, NULL, "table_to_xml", 4, FUNCTION_DENIED },
	{ "nor whole databases", NOTHING, NULL, "database_to_xml_and_xmlschema", 3, FUNCTION_DENIED },
	{ "nor cursors", NOTHING, NULL, "cursor_to_xml", 5, FUNCTION_DENIED },
	{ "ts_stat runs SQL", NOTHING, NULL, "ts_stat", 1, FUNCTION_DENIED },
	{ "ts_rewrite of two arguments does", NOTHING, NULL, "ts_rewrite", 2, FUNCTION_DENIED },
	{ "of three it does not", NOTHING, NULL, "ts_rewrite", 3, FUNCTION_OPEN },
	{ "of who knows how many it may", NOTHING, NULL, "ts_rewrite", -1, FUNCTION_DENIED },
	{ "record_in makes domains check", NOTHING, NULL, "record_in", 3, FUNCTION_DENIED },
	{ "a handler cannot be called: the name is somebody's own", NOTHING, NULL, "btint4sortsupport", 1, FUNCTION_USER },
	{ "TABLESAMPLE SYSTEM is fine", NOTHING, NULL, "system", 1, FUNCTION_OPEN },

	{ "a user's function", NOTHING, NULL, "cents", 1, FUNCTION_USER },
	{ "an extension's function", NOTHING, NULL, "similarity", 2, FUNCTION_USER },
	{ "named with its schema", NAMED, "public", "cents", 1, FUNCTION_OPEN },
	{ "named, and called without the schema", NAMED, NULL, "cents", 1, FUNCTION_OPEN },
	{ "named, with another number of arguments", NAMED, "public", "cents", 2, FUNCTION_USER },
	{ "named, with an unknown number of arguments", NAMED, "public", "cents", -1, FUNCTION_USER },
	{ "named in another schema", NAMED, "other", "cents", 1, FUNCTION_USER },
	{ "a plain name fits any schema", NAMED, "ext", "digest", 2, FUNCTION_OPEN },
	{ "and none", NAMED, NULL, "digest", 2, FUNCTION_OPEN },
	{ "a glob names a whole schema", NAMED, "shop", "anything", 7, FUNCTION_OPEN },
	{ "but not names without it, as it is not searched", NAMED, NULL, "anything", 7, FUNCTION_USER },
	{ "a denied built-in", NAMED, NULL, "upper", 1, FUNCTION_DENIED },
	{ "denied with a number of arguments, called with an unknown one", NAMED, NULL, "upper", -1, FUNCTION_DENIED },
	{ "a denied name with its schema", NAMED, "public", "set_limit", 1, FUNCTION_DENIED },

	{ "an allowed extension", TRGM, NULL, "similarity", 2, FUNCTION_OPEN },
	{ "by its schema", TRGM, "public", "similarity", 2, FUNCTION_OPEN },
	{ "with a wrong number of arguments it is another", TRGM, NULL, "similarity", 3, FUNCTION_USER },
	{ "an operator's function of it", TRGM, NULL, "word_similarity_op", 2, FUNCTION_OPEN },
	{ "deny beats the extension", TRGM, NULL, "set_limit", 1, FUNCTION_DENIED },
	{ "a harmless volatile function of an extension", TRGM, NULL, "uuid_generate_v4", 0, FUNCTION_OPEN },
	{ "an extension does not open what runs SQL", TRGM, NULL, "dblink", 1, FUNCTION_USER },
	{ "nor crosstab", TRGM, NULL, "crosstab", 1, FUNCTION_USER },
	{ "but its other functions", TRGM, NULL, "normal_rand", 3, FUNCTION_OPEN },
	{ "another extension stays closed", TRGM, NULL, "akeys", 1, FUNCTION_USER },

	{ "volatile ones may be opened", VOLATILE_ALLOW, NULL, "nextval", 1, FUNCTION_OPEN },
	{ "not those that end sessions", VOLATILE_ALLOW, NULL, "pg_terminate_backend", 1, FUNCTION_DENIED },
	{ "nor files", VOLATILE_ALLOW, NULL, "pg_read_file", 1, FUNCTION_DENIED },
	{ "nor SQL in text", VOLATILE_ALLOW, NULL, "query_to_xml", 4, FUNCTION_DENIED },
	{ "nor settings", VOLATILE_ALLOW, NULL, "set_config", 3, FUNCTION_DENIED },
	{ "nor users' functions", VOLATILE_ALLOW, NULL, "cents", 1, FUNCTION_USER },

	{ "users' functions may be opened", USER_ALLOW, "public", "cents", 1, FUNCTION_OPEN },
	{ "deny beats that", USER_ALLOW, "public", "dangerous", 1, FUNCTION_DENIED },
	{ "without its schema, too", USER_ALLOW, NULL, "dangerous", 1, FUNCTION_DENIED },
	{ "a whole extension can be denied", USER_ALLOW, NULL, "akeys", 1, FUNCTION_DENIED },
	{ "what runs SQL stays refused", USER_ALLOW, "public", "dblink", 2, FUNCTION_USER },
	{ "what reads pages stays refused", USER_ALLOW, NULL, "get_raw_page", 2, FUNCTION_USER },
	{ "volatile built-ins stay refused", USER_ALLOW, NULL, "nextval", 1, FUNCTION_VOLATILE },

	{ "an exact name opens a refused built-in", EXACT, NULL, "pg_read_file", 1, FUNCTION_OPEN },
	{ "a glob does not", EXACT, NULL, "lo_get", 1, FUNCTION_DENIED },
	{ "a glob opens a volatile one", EXACT, NULL, "lo_create", 1, FUNCTION_OPEN },
	{ "a name opens a volatile one", EXACT, NULL, "nextval", 1, FUNCTION_OPEN },
	{ "another schema's name does not open the built-in", EXACT, NULL, "pg_sleep", 1, FUNCTION_VOLATILE },
	{ "but the function of that schema", EXACT, "public", "pg_sleep", 1, FUNCTION_OPEN },
	{ "an exact name opens what runs SQL", EXACT, NULL, "dblink", 2, FUNCTION_OPEN },
};

static struct policy *
parse(const char *functions)
{
	struct sb text = { 0 }, errors = { 0 };
	struct policy *p;

	sb_fmt(&text, FUNCTIONS("%s"), functions);
	p = policy_parse("f", sb_text(&text), text.len, &errors);
	assert_string_equal(sb_text(&errors), "");
	sb_free(&text);
	sb_free(&errors);
	return p;
}

static void
test_row(void **state)
{
	const struct row *row = *state;
	struct policy *p = parse(row->functions);
	const char *why = NULL;

	assert_int_equal(profile_function(policy_default_profile(p), row->schema, row->function, row->nargs, &why), row->answer);
	assert_non_null(why);
	if (row->answer != FUNCTION_OPEN)
		assert_true(strlen(why) > 10);
	policy_unref(p);
}

static const struct attribute_row {
	const char *name, *functions, *attribute;
	bool refused;
} attribute_rows[] = {
	{ "a column", NOTHING, "total", false },
	{ "a harmless function's name", NOTHING, "upper", false },
	{ "a sequence's next value", NOTHING, "nextval", true },
	{ "a file", NOTHING, "pg_read_file", true },
	{ "a nap", NOTHING, "pg_sleep", true },
	{ "defaults fill in the rest", NOTHING, "pg_terminate_backend", true },
	{ "four arguments do not", NOTHING, "query_to_xml", false },
	{ "nor does none", NOTHING, "lastval", false },
	{ "a large object", NOTHING, "lo_get", true },
	{ "a query in another server", NOTHING, "dblink", true },
	{ "a denied function", NAMED, "set_limit", true },
	{ "a denied function of one argument", NAMED, "upper", true },
	{ "an opened one", VOLATILE_ALLOW, "nextval", false },
	{ "a user's function cannot be known", NOTHING, "cents", false },
	{ "columns that are called like TABLESAMPLE's methods", NOTHING, "system", false },
};

static void
attribute_row(void **state)
{
	const struct attribute_row *row = *state;
	struct policy *p = parse(row->functions);

	assert_int_equal(profile_attribute_refused(policy_default_profile(p), row->attribute), row->refused);
	policy_unref(p);
}

/* Columns of the catalogs, and usual ones of tables: none may be taken for a refused call. */
static void
usual_columns_are_no_calls(void **state)
{
	static const char *const columns[] = { "id", "name", "oid", "relname", "nspname", "attname", "query", "state", "last_value",
		"min", "max", "count", "sum", "date", "time", "text", "value", "data", "status", "type", "format", "length",
		"position", "rank", "version", "system", "random", "current_query", "size", "path", "host", "port", "setting",
		"pid", "locktype", "row_number", "timestamp", "interval", "money", "point", "box", "circle", "language", "category",
		"abs", "floor" };
	struct policy *p = policy_builtin();

	(void)state;
	for (size_t i = 0; i < nitems(columns); i++)
		if (profile_attribute_refused(policy_default_profile(p), columns[i]))
			fail_msg("%s", columns[i]);
	policy_unref(p);
}

static void
extensions_are_known(void **state)
{
	static const char *const names[] = { "pg_trgm", "citext", "hstore", "ltree", "intarray", "unaccent", "fuzzystrmatch",
		"uuid-ossp", "btree_gist", "pgcrypto", "dblink", "tablefunc", "xml2" };

	(void)state;
	for (size_t i = 0; i < nitems(names); i++)
		if (!extension_known(names[i]))
			fail_msg("%s", names[i]);
	assert_false(extension_known("postgis"));
	assert_false(extension_known(""));
}

int
main(void)
{
	static const struct CMUnitTest fixed[] = {
		{ "usual columns are no calls", usual_columns_are_no_calls, NULL, NULL, NULL },
		{ "contrib's extensions are known", extensions_are_known, NULL, NULL, NULL },
	};
	struct CMUnitTest tests[nitems(rows) + nitems(attribute_rows) + nitems(fixed)];
	size_t n = 0;

	for (size_t i = 0; i < nitems(rows); i++)
		tests[n++] = (struct CMUnitTest){ rows[i].name, test_row, NULL, NULL, (void *)(uintptr_t)&rows[i] };
	for (size_t i = 0; i < nitems(attribute_rows); i++)
		tests[n++] =
		    (struct CMUnitTest){ attribute_rows[i].name, attribute_row, NULL, NULL, (void *)(uintptr_t)&attribute_rows[i] };
	for (size_t i = 0; i < nitems(fixed); i++)
		tests[n++] = fixed[i];
	return cmocka_run_group_tests_name("functions", tests, NULL, NULL);
}
