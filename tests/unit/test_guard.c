/* tests/unit/test_guard.c - rules and filters brought to a relation, its parents included. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "guard.h"
#include "guard_names.h"
#include "small_catalog.h"

enum { USERS = 16601, PARENT, CHILD, GRANDCHILD, SETTINGS, LOOP, GENERATED, UNKNOWN, RENAMED };

static const struct cat_column columns[] = {
	{ .name = "id", .type = 23, .typmod = -1, .number = 1 },
	{ .name = "e\"mail", .type = 25, .typmod = -1, .number = 2 },
	{ .name = "ssn", .type = 25, .typmod = -1, .number = 3 },
};
static const struct cat_column generated[] = {
	{ .name = "id", .type = 23, .typmod = -1, .number = 1 },
	{ .name = "ssn", .type = 25, .typmod = -1, .number = 2 },
	{ .name = "copy",
	    .type = 25,
	    .typmod = -1,
	    .number = 3,
	    .generated = 's',
	    .expression = "upper(((\"ssn\")::text COLLATE \"C\"))" },
	{ .name = "sum", .type = 23, .typmod = -1, .number = 4, .generated = 's', .expression = "(ssn(1) + (id)::ssn)" },
};
static const struct cat_column unknown[] = {
	{ .name = "id", .type = 23, .typmod = -1, .number = 1 },
	{ .name = "any", .type = 25, .typmod = -1, .number = 2, .generated = 's' },
};
static const struct cat_former formers[] = {
	{ RENAMED, 0, "secret", "people" },
	{ RENAMED, 0, "public", "staff" },
	{ RENAMED, 3, NULL, "nid" },
};
static const uint32_t parent[] = { PARENT }, child[] = { CHILD, PARENT }, itself[] = { LOOP };

#define COLUMNS .columns = columns, .ncolumns = nitems(columns), .kind = 'r'
static const struct cat_relation relations[] = {
	{ .oid = USERS, .namespace = PUBLIC, .name = "us\"ers", COLUMNS },
	{ .oid = PARENT, .namespace = SECRET, .name = "parent", COLUMNS },
	{ .oid = CHILD, .namespace = PUBLIC, .name = "child", COLUMNS, .parents = parent, .nparents = 1 },
	{ .oid = GRANDCHILD, .namespace = PUBLIC, .name = "grandchild", COLUMNS, .parents = child, .nparents = 2 },
	{ .oid = SETTINGS, .namespace = SYSTEM, .name = "pg_settings", COLUMNS },
	{ .oid = LOOP, .namespace = PUBLIC, .name = "loop", COLUMNS, .parents = itself, .nparents = 1 },
	{ .oid = GENERATED,
	    .namespace = PUBLIC,
	    .name = "generated",
	    .columns = generated,
	    .ncolumns = nitems(generated),
	    .kind = 'r' },
	{ .oid = UNKNOWN, .namespace = PUBLIC, .name = "unknown", .columns = unknown, .ncolumns = nitems(unknown), .kind = 'r' },
	{ .oid = RENAMED, .namespace = PUBLIC, .name = "renamed", COLUMNS },
};
static const struct catalog catalog = { relations, nitems(relations) };

#define TEXT(s) ((char[]){ s })
#define RULE(s, t, c) .schema = TEXT(s), .table = TEXT(t), .column = TEXT(c)
#define DENY(s, t, c)                                \
	{                                            \
		RULE(s, t, c), .action = COLUMN_DENY \
	}
#define NULLED(s, t, c)                                                 \
	{                                                               \
		RULE(s, t, c), .action = COLUMN_MASK, .mask = MASK_NULL \
	}
#define HASHED(s, t, c)                                                 \
	{                                                               \
		RULE(s, t, c), .action = COLUMN_MASK, .mask = MASK_HASH \
	}
#define PART(s, t, c)                                                      \
	{                                                                  \
		RULE(s, t, c), .action = COLUMN_MASK, .mask = MASK_PARTIAL \
	}
#define FILTER(s, t, w)                   \
	{                                 \
		TEXT(s), TEXT(t), TEXT(w) \
	}

static const struct row {
	const char *name;
	uint32_t relation;
	struct column_rule rules[3];
	struct row_filter filters[3];
	const char *sql; /* NULL: no guard; "": cannot be kept */
} rows[] = {
	{ "no rule, no guard", USERS, { DENY("public", "orders", "*") }, { { 0 } }, NULL },
	{ "a denied column is not there", USERS, { DENY("*", "us*", "ssn") }, { { 0 } },
	    "(SELECT \"id\", \"e\"\"mail\" FROM \"public\".\"us\"\"ers\")" },
	{ "of two rules that fit the first decides", USERS, { NULLED("*", "*", "ssn"), DENY("*", "*", "s*") }, { { 0 } },
	    "(SELECT \"id\", \"e\"\"mail\", (NULL::\"pg_catalog\".\"text\") AS \"ssn\" FROM \"public\".\"us\"\"ers\")" },
	{ "all columns may be denied", USERS, { DENY("*", "*", "*") }, { { 0 } }, "(SELECT  FROM \"public\".\"us\"\"ers\")" },
	{ "filters are joined, each in parentheses", USERS, { { 0 } },
	    { FILTER("public", "*", "id > 5"), FILTER("*", "us*", "id < 9 OR ssn = 'x'") },
	    "(SELECT \"id\", \"e\"\"mail\", \"ssn\" FROM \"public\".\"us\"\"ers\" WHERE (id > 5) AND (id < 9 OR ssn = 'x') OFFSET "
	    "0)" },
	{ "a child takes over what its parent denies", CHILD, { DENY("secret", "parent", "ssn") }, { { 0 } },
	    "(SELECT \"id\", \"e\"\"mail\" FROM \"public\".\"child\")" },
	{ "and which rows there are", CHILD, { { 0 } }, { FILTER("secret", "parent", "id = 1") },
	    "(SELECT \"id\", \"e\"\"mail\", \"ssn\" FROM \"public\".\"child\" WHERE (id = 1) OFFSET 0)" },
	{ "a filter that fits child and parent holds once", GRANDCHILD, { { 0 } }, { FILTER("*", "*", "id = 1") },
	    "(SELECT \"id\", \"e\"\"mail\", \"ssn\" FROM \"public\".\"grandchild\" WHERE (id = 1) OFFSET 0)" },
	{ "denied above beats masked here", GRANDCHILD, { NULLED("public", "grandchild", "ssn"), DENY("secret", "parent", "ssn") },
	    { { 0 } }, "(SELECT \"id\", \"e\"\"mail\" FROM \"public\".\"grandchild\")" },
	{ "a parent is not bound by its child's rules", PARENT, { DENY("public", "child", "ssn") }, { { 0 } }, NULL },
	{ "a relation that is its own parent ends", LOOP, { DENY("public", "loop", "ssn") }, { { 0 } },
	    "(SELECT \"id\", \"e\"\"mail\" FROM \"public\".\"loop\")" },
	{ "rules for everybody are not about system catalogs", SETTINGS, { DENY("*", "*", "ssn") }, { FILTER("*", "*", "id = 1") },
	    NULL },
	{ "rules that name them are", SETTINGS, { DENY("pg_catalog", "*", "ssn") }, { { 0 } },
	    "(SELECT \"id\", \"e\"\"mail\" FROM \"pg_catalog\".\"pg_settings\")" },
	{ "a hash without a key is refused", USERS, { HASHED("*", "*", "ssn") }, { { 0 } }, "" },
	{ "a mask that the type cannot bear is refused", USERS, { PART("*", "*", "id") }, { { 0 } }, "" },
	{ "what is generated from a denied column is denied", GENERATED, { DENY("*", "*", "ssn") }, { { 0 } },
	    "(SELECT \"id\", \"sum\" FROM \"public\".\"generated\")" },
	{ "from a masked one it is null", GENERATED, { NULLED("*", "*", "ssn") }, { { 0 } },
	    "(SELECT \"id\", (NULL::\"pg_catalog\".\"text\") AS \"ssn\", (NULL::\"pg_catalog\".\"text\") AS \"copy\", \"sum\" "
	    "FROM \"public\".\"generated\")" },
	{ "a rule of its own goes before that", GENERATED, { DENY("*", "*", "ssn"), NULLED("*", "*", "copy") }, { { 0 } },
	    "(SELECT \"id\", (NULL::\"pg_catalog\".\"text\") AS \"copy\", \"sum\" FROM \"public\".\"generated\")" },
	{ "from another it is open", GENERATED, { DENY("*", "*", "id") }, { { 0 } },
	    "(SELECT \"ssn\", \"copy\" FROM \"public\".\"generated\")" },
	{ "of what nobody knows it is from any", UNKNOWN, { DENY("*", "*", "id") }, { { 0 } },
	    "(SELECT  FROM \"public\".\"unknown\")" },
	{ "unless none is hidden", UNKNOWN, { DENY("public", "users", "id") }, { { 0 } }, NULL },
	{ "a rule for a former name holds", RENAMED, { DENY("secret", "people", "e*") }, { { 0 } },
	    "(SELECT \"id\", \"ssn\" FROM \"public\".\"renamed\")" },
	{ "for a later one, too", RENAMED, { DENY("public", "staff", "id") }, { { 0 } },
	    "(SELECT \"e\"\"mail\", \"ssn\" FROM \"public\".\"renamed\")" },
	{ "for a column's former name", RENAMED, { DENY("public", "renamed", "nid") }, { { 0 } },
	    "(SELECT \"id\", \"e\"\"mail\" FROM \"public\".\"renamed\")" },
	{ "for both", RENAMED, { DENY("secret", "people", "nid") }, { { 0 } },
	    "(SELECT \"id\", \"e\"\"mail\" FROM \"public\".\"renamed\")" },
	{ "not for the name of another", RENAMED, { DENY("secret", "staff", "nid") }, { { 0 } }, NULL },
	{ "denied before beats masked now", RENAMED, { NULLED("public", "renamed", "ssn"), DENY("public", "staff", "nid") },
	    { { 0 } }, "(SELECT \"id\", \"e\"\"mail\" FROM \"public\".\"renamed\")" },
	{ "a filter for a former name holds", RENAMED, { { 0 } }, { FILTER("secret", "people", "id = 1") },
	    "(SELECT \"id\", \"e\"\"mail\", \"ssn\" FROM \"public\".\"renamed\" WHERE (id = 1) OFFSET 0)" },
	{ "a filter over a column that is not there is refused", USERS, { { 0 } }, { FILTER("*", "*", "tenant_id = 5") }, "" },
};

static void
test_row(void **state)
{
	const struct row *row = *state;
	struct profile p = { .columns = (struct column_rule *)(uintptr_t)row->rules,
		.row_filters = (struct row_filter *)(uintptr_t)row->filters };
	struct err why = { "" };
	struct sb sb = { 0 };
	struct guard *g;
	bool good;

	while (p.ncolumns < nitems(row->rules) && p.columns[p.ncolumns].schema != NULL)
		p.ncolumns++;
	while (p.nrow_filters < nitems(row->filters) && p.row_filters[p.nrow_filters].schema != NULL)
		p.nrow_filters++;
	good = guard_make(&p, &catalog, catalog_relation_of(&catalog, row->relation), &g, &why);
	assert_int_equal(good, row->sql == NULL || *row->sql != '\0');
	if (!good)
		assert_string_not_equal(why.text, "");
	assert_int_equal(g != NULL, row->sql != NULL && *row->sql != '\0');
	if (g != NULL) {
		guard_sql(g, &catalog, false, &sb);
		assert_string_equal(sb_text(&sb), row->sql);
	}
	sb_free(&sb);
	guard_free(g);
}

/* --- names in expressions ------------------------------------------------------- */

static const struct expression {
	const char *text;
	bool known;
} expressions[] = {
	{ "id = 1 AND ssn LIKE 'x%' OR \"e\"\"mail\" IS NOT NULL", true },
	{ "ID = 1", true },
	{ "\"ID\" = 1", false },
	{ "tenant = 1", false },
	{ "id = current_setting('app.tenant')::int", true },
	{ "id = pg_catalog.length(ssn::pg_catalog.text)", true },
	{ "ssn = current_user OR session_user = 'x'", true },
	{ "id IN (SELECT t.id FROM team t WHERE t.member = current_user)", true },
	{ "id IN (SELECT t.id FROM team t) AND other > 5", false },
	{ "EXISTS (WITH a AS (SELECT 1 AS b) SELECT b FROM a)", true },
	{ "\"us\"\"ers\".id = 1", true },
	{ "public.\"us\"\"ers\".id = 1", true },
	{ "orders.id = 1", false },
	{ "secret.\"us\"\"ers\".id = 1", false },
	{ "CASE WHEN id BETWEEN 1 AND 5 THEN true ELSE ssn IS DISTINCT FROM 'a' END", true },
	{ "CAST(ssn AS date) > date '2020-01-01' AND ssn::timestamp with time zone AT TIME ZONE 'UTC' > now() - interval '1 day'",
	    true },
	{ "ssn::double precision > 1 AND ssn::character varying(5) = 'x'", true },
	{ "extract(year FROM ssn::date) = 2020 AND extract(epoch FROM now()) > 5", true },
	{ "extract(epoch FROM since) > 5", false },
	{ "time > now()", false },
	{ "make_interval(days => id) > '1 day'", true },
	{ "make_interval(days => more) > '1 day'", false },
	{ "(ssn::address).city = 'x'", true },
	{ "ssn = ANY (string_to_array(ssn, ',')) AND ARRAY[id, 5] @> ARRAY[id]", true },
	{ "ssn COLLATE \"C\" < 'x'", true },
	{ "ssn ~ E'a\\'b' AND ssn = $$tenant$$ /* tenant */ -- tenant", true },
	{ "U&\"ssn\" = 'x'", false },
	{ "'unterminated", false },
};

static void
test_names_are_columns_functions_or_types(void **state)
{
	(void)state;
	for (size_t i = 0; i < nitems(expressions); i++) {
		struct err why = { "" };

		if (guard_names_known(expressions[i].text, &relations[0], &catalog, &why) != expressions[i].known)
			fail_msg("%s: %s", expressions[i].text, why.text);
	}
}

static void
test_too_many_ancestors(void **state)
{
	static struct cat_relation many[300];
	static uint32_t parents[300];
	const struct catalog c = { many, nitems(many) };
	struct column_rule rule = DENY("*", "*", "ssn");
	const struct profile p = { .columns = &rule, .ncolumns = 1 };
	struct err why = { "" };
	struct guard *g;

	(void)state;
	for (size_t i = 0; i < nitems(many); i++) {
		parents[i] = (uint32_t)(i + 2);
		many[i] = (struct cat_relation){
			.oid = (uint32_t)(i + 1), .namespace = PUBLIC, .name = "t", COLUMNS, .parents = &parents[i], .nparents = 1
		};
	}
	assert_false(guard_make(&p, &c, &many[0], &g, &why));
	assert_null(g);
	assert_true(guard_make(&p, &c, &many[100], &g, &why));
	assert_int_equal(guard_column(g, "ssn"), COLUMN_DENY);
	assert_int_equal(guard_column(g, "nothing"), COLUMN_OPEN);
	guard_free(g);
}

int
main(void)
{
	struct CMUnitTest tests[nitems(rows) + 2];

	small_formers = formers;
	nsmall_formers = nitems(formers);
	for (size_t i = 0; i < nitems(rows); i++)
		tests[i] = (struct CMUnitTest){
			.name = rows[i].name, .test_func = test_row, .initial_state = (void *)(uintptr_t)&rows[i]
		};
	tests[nitems(rows)] = (struct CMUnitTest)cmocka_unit_test(test_names_are_columns_functions_or_types);
	tests[nitems(rows) + 1] = (struct CMUnitTest)cmocka_unit_test(test_too_many_ancestors);
	return cmocka_run_group_tests_name("guard", tests, NULL, NULL);
}
