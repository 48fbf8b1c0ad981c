/* tests/unit/test_definitions.c - which system catalogs are guarded, and by whom. tests/e2e/masks.sh asks a server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "definitions.h"
#include "small_catalog.h"

enum { OID = 26, TEXT = 25, NAME = 19, TREE = 194, FLOAT = 700, BIG = 20, TEXTS = 1009, DATA = 13000 };

#define COLUMN(n, t)                                            \
	{                                                       \
		.name = n, .type = t, .typmod = -1, .number = 1 \
	}
#define RELATION(o, n, c)                                                                                    \
	{                                                                                                    \
		.oid = o, .namespace = n, .name = c##_name, .columns = c, .ncolumns = nitems(c), .kind = 'r' \
	}

static const char e_name[] = "pg_enum", d_name[] = "pg_attrdef", c_name[] = "pg_class", s_name[] = "pg_stat_user_tables",
		  f_name[] = "pg_foreign_server", p_name[] = "pg_policy", x_name[] = "pg_description", v_name[] = "pg_views",
		  i_name[] = "columns", n_name[] = "pg_namespace", g_name[] = "pg_settings", u_name[] = "we.ird\"\\'",
		  o_name[] = "pg_enum", b_name[] = "pg_rewrite";
static const struct cat_column e[] = { COLUMN("oid", OID), COLUMN("enumtypid", OID), COLUMN("enumlabel", NAME) };
static const struct cat_column d[] = { COLUMN("adrelid", OID), COLUMN("adnum", 21), COLUMN("adbin", TREE) };
static const struct cat_column c[] = { COLUMN("oid", OID), COLUMN("reltuples", FLOAT), COLUMN("relpartbound", TREE) };
static const struct cat_column s[] = { COLUMN("relid", OID), COLUMN("relname", NAME), COLUMN("n_live_tup", BIG),
	COLUMN("seq_scan", BIG) };
static const struct cat_column f[] = { COLUMN("oid", OID), COLUMN("srvoptions", TEXTS) };
static const struct cat_column p[] = { COLUMN("oid", OID), COLUMN("polrelid", OID), COLUMN("polqual", TREE) };
static const struct cat_column x[] = { COLUMN("objoid", OID), COLUMN("classoid", OID), COLUMN("description", TEXT) };
static const struct cat_column v[] = { COLUMN("schemaname", NAME), COLUMN("viewname", NAME), COLUMN("definition", TEXT) };
static const struct cat_column i[] = { COLUMN("table_schema", NAME), COLUMN("table_name", NAME), COLUMN("column_name", NAME),
	COLUMN("column_default", DATA) };
static const struct cat_column n[] = { COLUMN("oid", OID), COLUMN("nspname", NAME) };
static const struct cat_column g[] = { COLUMN("name", TEXT), COLUMN("setting", TEXT) };
static const struct cat_column u[] = { COLUMN("id", 23), COLUMN("ssn", TEXT) };
static const struct cat_column o[] = { COLUMN("enumtypid", OID), COLUMN("enumlabel", NAME) };
static const struct cat_column b[] = { COLUMN("oid", OID), COLUMN("ev_action", TREE) }; /* without its key */

static const struct cat_relation relations[] = {
	RELATION(1, SYSTEM, e),
	RELATION(2, SYSTEM, d),
	RELATION(3, SYSTEM, c),
	RELATION(4, SYSTEM, s),
	RELATION(5, SYSTEM, f),
	RELATION(6, SYSTEM, p),
	RELATION(7, SYSTEM, x),
	RELATION(8, SYSTEM, v),
	RELATION(9, INFORMATION, i),
	RELATION(10, SYSTEM, n),
	RELATION(11, SYSTEM, g),
	RELATION(12, SYSTEM, b),
	RELATION(16601, PUBLIC, u),
	RELATION(16602, PUBLIC, o),
};
static const struct catalog catalog = { relations, nitems(relations) };

static const uint32_t relation_list[] = { 16601 }, type_list[] = { 16503 }, function_list[] = { 16700 }, schema_list[] = { SECRET };
static const struct restricted_objects some = { .oids = { relation_list, function_list, type_list, schema_list },
	.n = { 1, 1, 1, 1 } };
static const struct restricted_objects nothing = { 0 };

static const struct row {
	const char *name;
	uint32_t relation;
	bool something; /* is restricted */
	const char *column;
	enum column_action action;
	const char *has; /* in the mask */
} rows[] = {
	{ "labels of an enum are masked by its type", 1, true, "enumlabel", COLUMN_MASK,
	    "\"enumtypid\"::\"pg_catalog\".\"oid\" OPERATOR(\"pg_catalog\".=) ANY ('{16503}'" },
	{ "the mask carries the marker", 1, true, "enumlabel", COLUMN_MASK, "'1 pgmoat:restricted'" },
	{ "other columns are open", 1, true, "enumtypid", COLUMN_OPEN, NULL },
	{ "no restricted type, no mask", 1, false, "enumlabel", COLUMN_OPEN, NULL },
	{ "a user's table of that name is no system catalog", 16602, true, "enumlabel", COLUMN_OPEN, NULL },
	{ "a catalog that shows names only is open", 10, true, "nspname", COLUMN_OPEN, NULL },
	{ "defaults are masked by the table", 2, true, "adbin", COLUMN_MASK, "ANY ('{16601}'" },
	{ "row counts are masked", 3, true, "reltuples", COLUMN_MASK, "\"reltuples\" OPERATOR(\"pg_catalog\".*)" },
	{ "bounds of partitions are masked", 3, true, "relpartbound", COLUMN_MASK, "CASE WHEN \"relpartbound\" IS NULL" },
	{ "every count of the statistics is masked", 4, true, "seq_scan", COLUMN_MASK, "\"relid\"" },
	{ "names of the statistics are open", 4, true, "relname", COLUMN_OPEN, NULL },
	{ "options of servers are closed to all", 5, false, "srvoptions", COLUMN_DENY, NULL },
	{ "policies are masked on every row", 6, true, "polqual", COLUMN_MASK, "\"length\"" },
	{ "unless nothing is restricted", 6, false, "polqual", COLUMN_OPEN, NULL },
	{ "comments are masked by catalog and object", 7, true, "description", COLUMN_MASK,
	    "\"classoid\" OPERATOR(\"pg_catalog\".=) 1259" },
	{ "views by name, quoted for an array in a literal", 8, true, "definition", COLUMN_MASK,
	    "'{\"public.we.ird\\\"\\\\''\"}'" },
	{ "information_schema keeps its domains", 9, true, "column_default", COLUMN_MASK,
	    "::\"information_schema\".\"character_data\")" },
	{ "settings are masked by name, whoever asks", 11, false, "setting", COLUMN_MASK, "\"data_directory\"" },
	{ "a catalog without the key that we know is closed", 12, true, "ev_action", COLUMN_DENY, NULL },
};

static size_t
column_index(const struct cat_relation *r, const char *column)
{
	return (size_t)(relation_column(r, column) - r->columns);
}

static void
test_row(void **state)
{
	const struct row *row = *state;
	const struct cat_relation *r = catalog_relation_of(&catalog, row->relation);
	const struct profile profile = { 0 };
	struct guard *guard = definitions_make(&profile, &catalog, row->something ? &some : &nothing, r);
	const size_t at = column_index(r, row->column);

	if (guard == NULL)
		assert_int_equal(row->action, COLUMN_OPEN);
	else
		assert_int_equal(guard->actions[at], row->action);
	if (row->has != NULL && strstr(guard->masks[at], row->has) == NULL)
		fail_msg("%s is not in %s", row->has, guard->masks[at]);
	if (guard != NULL)
		assert_true(guard->definitions);
	guard_free(guard);
}

/* A CASE is evaluated below an outer join, on rows that are joined to nothing. */
static void
test_masks_of_text_and_numbers_are_strict(void **state)
{
	const struct profile profile = { 0 };

	(void)state;
	for (size_t k = 0; k < nitems(relations); k++) {
		struct guard *guard = definitions_make(&profile, &catalog, &some, &relations[k]);

		for (size_t at = 0; guard != NULL && at < relations[k].ncolumns; at++) {
			if (guard->actions[at] != COLUMN_MASK)
				continue;
			assert_int_equal(strstr(guard->masks[at], "CASE") != NULL, relations[k].columns[at].type == TREE);
			assert_int_equal(guard->quiet[at] != NULL, relations[k].columns[at].type == TREE);
			assert_true(guard->quiet[at] == NULL || strstr(guard->quiet[at], "pgmoat") == NULL);
		}
		guard_free(guard);
	}
}

static void
test_hidden_columns_have_hidden_defaults(void **state)
{
	struct column_rule rule = {
		.schema = (char[]){ "public" }, .table = (char[]){ "we*" }, .column = (char[]){ "ssn" }, .action = COLUMN_DENY
	};
	const struct profile profile = { .columns = &rule, .ncolumns = 1 };
	struct guard *guard = definitions_make(&profile, &catalog, &nothing, &relations[1]);

	(void)state;
	assert_non_null(guard);
	assert_non_null(strstr(guard->masks[2], "'{\"16601 1\"}'"));
	guard_free(guard);
	guard = definitions_make(&profile, &catalog, &nothing, &relations[8]);
	assert_non_null(guard);
	assert_non_null(strstr(guard->masks[3], ".ssn\"}'"));
	guard_free(guard);
}

static void
test_too_long_a_list_closes_the_column(void **state)
{
	static uint32_t many[DEFINITIONS_MAX + 1];
	const struct restricted_objects long_one = { .oids = { many, many, many, many },
		.n = { nitems(many), nitems(many), nitems(many), nitems(many) } };
	const struct profile profile = { 0 };

	(void)state;
	for (size_t k = 0; k < 9; k++) {
		struct guard *guard = definitions_make(&profile, &catalog, &long_one, &relations[k]);

		if (k != 5 && k != 7 && k != 8) { /* those go by name, and the numbers have none */
			assert_int_equal(guard->actions[relations[k].ncolumns - 1], COLUMN_DENY);
			assert_int_equal(guard->nmasked, 0);
		}
		guard_free(guard);
	}
}

static void
test_settings(void **state)
{
	(void)state;
	assert_true(definitions_setting_closed("Data_Directory"));
	assert_true(definitions_setting_closed("ssl_passphrase_command"));
	assert_false(definitions_setting_closed("work_mem"));
	assert_false(definitions_setting_closed(""));
}

int
main(void)
{
	struct CMUnitTest tests[nitems(rows) + 4];

	for (size_t k = 0; k < nitems(rows); k++)
		tests[k] = (struct CMUnitTest){
			.name = rows[k].name, .test_func = test_row, .initial_state = (void *)(uintptr_t)&rows[k]
		};
	tests[nitems(rows)] = (struct CMUnitTest)cmocka_unit_test(test_masks_of_text_and_numbers_are_strict);
	tests[nitems(rows) + 1] = (struct CMUnitTest)cmocka_unit_test(test_hidden_columns_have_hidden_defaults);
	tests[nitems(rows) + 2] = (struct CMUnitTest)cmocka_unit_test(test_too_long_a_list_closes_the_column);
	tests[nitems(rows) + 3] = (struct CMUnitTest)cmocka_unit_test(test_settings);
	return cmocka_run_group_tests_name("definitions", tests, NULL, NULL);
}
