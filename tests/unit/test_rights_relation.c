/* tests/unit/test_rights_relation.c - how the relations of the corpus' database stand under its policy.
 *
 * tests/unit/data/shop.catalog.json is what `pgmoat catalog dump` wrote about it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rights.h"

#define CATALOG "tests/unit/data/shop.catalog.json"

#define ALLOWED                                                                                                            \
	"\"public.full_label(text,text)\",\"public.cents(numeric)\",\"public.order_total(integer)\",\"extension:citext\"," \
	"\"extension:hstore\",\"extension:ltree\",\"extension:intarray\""
#define POLICY(tables, columns, functions, more)                                                                                   \
	"{\"version\":1,\"profiles\":{\"a\":{\"schemas\":{\"deny\":[\"secret\"]},\"tables\":{\"deny\":[\"public.payroll\"]" tables \
	"},\"columns\":[{\"column\":\"public.users.ssn\",\"action\":\"deny\"}" columns                                             \
	"],\"functions\":{\"allow\":[" ALLOWED functions "]}" more "}}}"
#define NAMED(list) ",\"allow\":[\"*.*\"," list "]"

static const char corpus[] = POLICY("", "", "", "");

static struct catalog *catalog;

static int
load(void **state)
{
	struct err err = { "" };

	(void)state;
	if ((catalog = catalog_load(CATALOG, &err)) == NULL)
		fail_msg("%s", err.text);
	return 0;
}

static int
unload(void **state)
{
	(void)state;
	catalog_unref(catalog);
	return 0;
}

static struct rights *
rights_of(const char *text)
{
	struct sb errors = { 0 };
	struct policy *p = policy_parse("f", text, strlen(text), &errors);
	struct rights *r;

	assert_string_equal(sb_text(&errors), "");
	sb_free(&errors);
	r = rights_new(p, policy_default_profile(p), catalog, NULL);
	policy_unref(p);
	return r;
}

#define OPEN STANDING_OPEN, RULE_NONE
#define GUARDED STANDING_GUARDED, RULE_NONE
#define DENIED(rule) STANDING_DENIED, RULE_##rule##_DENIED

static const struct row {
	const char *name, *policy, *schema, *relation;
	enum standing standing;
	enum rule rule;
} rows[] = {
	{ "a table", corpus, "public", "orders", OPEN },
	{ "a table with a denied column", corpus, "public", "users", GUARDED },
	{ "a denied table", corpus, "public", "payroll", DENIED(TABLE) },
	{ "a table of a denied schema", corpus, "secret", "api_keys", DENIED(SCHEMA) },

	{ "a view", corpus, "public", "v_active_users", OPEN },
	{ "a view that counts", corpus, "public", "v_sales_daily", OPEN },
	{ "a view in another schema", corpus, "reporting", "product_ratings", OPEN },
	{ "a materialized view", corpus, "public", "mv_sales", OPEN },
	{ "a view over open columns", corpus, "api", "me", OPEN },
	{ "an updatable view", corpus, "public", "v_upd", OPEN },
	{ "a view over a denied table", corpus, "public", "v_payroll", DENIED(TABLE) },
	{ "that joins it", corpus, "reporting", "staff_costs", DENIED(TABLE) },
	{ "that sums it up", corpus, "reporting", "dept_costs", DENIED(TABLE) },
	{ "that has it in a subquery", corpus, "public", "v_sub", DENIED(TABLE) },
	{ "with a barrier", corpus, "public", "v_barrier", DENIED(TABLE) },
	{ "with the reader's own rights", corpus, "public", "v_invoker", DENIED(TABLE) },
	{ "made by a rule", corpus, "public", "v_rule", DENIED(TABLE) },
	{ "that refers to itself", corpus, "public", "v_rec", DENIED(TABLE) },
	{ "that was kept", corpus, "public", "mv_payroll", DENIED(TABLE) },
	{ "a view over a denied schema", corpus, "public", "v_keys", DENIED(SCHEMA) },
	{ "a view over such a view", corpus, "public", "v_keys_nested", DENIED(SCHEMA) },
	{ "a view that shows a denied column", corpus, "public", "v_contacts", DENIED(COLUMN) },
	{ "a view over such a view", corpus, "public", "v_contacts2", DENIED(COLUMN) },
	{ "a view of all columns", corpus, "public", "v_users_all", DENIED(COLUMN) },
	{ "of the same name in another schema", corpus, "api", "users", DENIED(COLUMN) },
	{ "a view that compares one", corpus, "public", "v_where_ssn", DENIED(COLUMN) },
	{ "a view of whole rows", corpus, "public", "v_row", DENIED(COLUMN) },
	{ "a view of rows as JSON", corpus, "public", "v_json", DENIED(COLUMN) },
	{ "a view that calls what writes", corpus, "public", "v_touch", DENIED(FUNCTION) },
	{ "a view that calls what is not named", corpus, "public", "v_fn", DENIED(FUNCTION) },
	{ "a view that moves a sequence", corpus, "public", "v_seq", DENIED(FUNCTION) },
	{ "a view that locks rows", corpus, "public", "v_lock", DENIED(TABLE) },
	{ "where rows may be locked", POLICY("", "", "", ",\"access_mode\":\"read_write\""), "public", "v_lock", OPEN },
	{ "a view with a literal of its own", corpus, "public", "v_const", GUARDED },

	{ "a policy whose function writes", corpus, "public", "tickets", DENIED(FUNCTION) },
	{ "a policy without", corpus, "public", "tenant_docs", OPEN },
	{ "a partition in a denied schema", corpus, "public", "region_sales", DENIED(TABLE) },
	{ "its other partition", corpus, "public", "region_sales_eu", OPEN },
	{ "open partitions", corpus, "public", "events", OPEN },
	{ "a denied child", corpus, "public", "hr_base", DENIED(TABLE) },
	{ "a foreign table", corpus, "public", "ft_people", DENIED(TABLE) },
	{ "a file", corpus, "public", "ft_staff", DENIED(TABLE) },
	{ "a program", corpus, "public", "ft_prog", DENIED(TABLE) },
	{ "an index", corpus, "public", "users_ssn_idx", OPEN },
	{ "a sequence", corpus, "public", "order_no_seq", OPEN },
	{ "other sessions' statements", corpus, "public", "pg_stat_statements", DENIED(TABLE) },
	{ "a system catalog", corpus, "pg_catalog", "pg_proc", GUARDED },
	{ "one without definitions", corpus, "pg_catalog", "pg_am", OPEN },

	{ "a view that is named", POLICY(NAMED("\"reporting.staff_costs\""), "", "", ""), "reporting", "staff_costs", OPEN },
	{ "a glob does not name it", POLICY(NAMED("\"reporting.*\""), "", "", ""), "reporting", "staff_costs", DENIED(TABLE) },
	{ "a named view may be read by others", POLICY(NAMED("\"public.v_contacts\""), "", "", ""), "public", "v_contacts2", OPEN },
	{ "a named view with a literal", POLICY(NAMED("\"public.v_const\""), "", "", ""), "public", "v_const", OPEN },
	{ "a foreign table that is named", POLICY(NAMED("\"public.ft_categories\""), "", "", ""), "public", "ft_categories", OPEN },
	{ "a view of a column rule's own", POLICY("", ",{\"column\":\"public.v_upd.name\",\"action\":\"deny\"}", "", ""), "public",
	    "v_upd", GUARDED },
	{ "a view over a masked column",
	    POLICY("", ",{\"column\":\"public.users.email\",\"action\":\"mask\",\"mask\":\"redact\"}", "", ""), "public",
	    "v_active_users", DENIED(COLUMN) },
	{ "a view over filtered rows",
	    POLICY("", "", "", ",\"row_filters\":[{\"table\":\"public.orders\",\"where\":\"user_id = 1\"}]"), "public",
	    "v_sales_daily", DENIED(TABLE) },
	{ "a view whose function is named", POLICY("", "", ",\"public.get_salary\"", ""), "public", "v_fn", OPEN },
	{ "a view whose volatile function is named", POLICY("", "", ",\"public.note\"", ""), "public", "v_touch",
	    DENIED(FUNCTION) },
};

static void
test_row(void **state)
{
	const struct row *row = *state;
	struct rights *r = rights_of(row->policy);
	const struct cat_relation *rel = rights_find_relation(r, row->schema, row->relation);
	const struct relation_rights *right;

	assert_non_null(rel);
	right = rights_relation(r, rel, ACCESS_READ, false);
	if (right->standing != row->standing || right->rule != row->rule)
		fail_msg("standing %d, %s: %s", right->standing, rule_name(right->rule), right->why != NULL ? right->why : "");
	assert_ptr_equal(rights_relation(r, rel, ACCESS_READ, false), right);
	rights_unref(r);
}

/* In whichever order things are asked for, the answers are the same. */
static void
order_does_not_matter(void **state)
{
	const size_t n = catalog_relations(catalog);
	struct rights *up = rights_of(corpus), *down = rights_of(corpus);

	(void)state;
	for (size_t i = n; i-- > 0;)
		rights_relation(down, catalog_relation_at(catalog, i), ACCESS_READ, false);
	for (size_t i = 0; i < n; i++) {
		const struct cat_relation *rel = catalog_relation_at(catalog, i);
		const struct relation_rights *a = rights_relation(up, rel, ACCESS_READ, false);
		const struct relation_rights *b = rights_relation(down, rel, ACCESS_READ, false);
		struct rights *alone;

		if (a->standing != b->standing || a->rule != b->rule)
			fail_msg("%s", rel->name);
		if (rel->kind != 'v' || rel->oid < FIRST_USER_OID)
			continue;
		alone = rights_of(corpus);
		assert_int_equal(rights_relation(alone, rel, ACCESS_READ, false)->standing, a->standing);
		rights_unref(alone);
	}
	rights_unref(up);
	rights_unref(down);
}

/* --- columns of views ------------------------------------------------------------- */

static void
a_literal_column_is_left_out(void **state)
{
	struct rights *r = rights_of(corpus);
	const struct cat_relation *rel = rights_find_relation(r, "public", "v_const");
	const struct guard *g = rights_relation(r, rel, ACCESS_READ, false)->guard;

	(void)state;
	assert_int_equal(guard_column(g, "id"), COLUMN_OPEN);
	assert_int_equal(guard_column(g, "c"), COLUMN_DENY);
	assert_int_equal(g->ndenied, 1);
	assert_true(rights_restricted_relation(r, rel));
	rights_unref(r);
}

/* --- functions and types ------------------------------------------------------------- */

static const struct function_row {
	const char *name, *policy, *function;
	int nargs;
	enum function_answer answer;
} function_rows[] = {
	{ "a default that moves a sequence", POLICY("", "", ",\"public.make_ref\"", ""), "make_ref", 1, FUNCTION_DENIED },
	{ "is not reached when all arguments are there", POLICY("", "", ",\"public.make_ref\"", ""), "make_ref", 2, FUNCTION_OPEN },
	{ "a default that writes", POLICY("", "", ",\"public.greet\"", ""), "greet", 0, FUNCTION_DENIED },
	{ "an allowed function", corpus, "cents", 1, FUNCTION_OPEN },
	{ "another", corpus, "order_total", 1, FUNCTION_OPEN },
	{ "one that is not", corpus, "get_salary", 1, FUNCTION_USER },
	{ "an aggregate whose state function writes", corpus, "note_count", 1, FUNCTION_USER },
	{ "though named", POLICY("", "", ",\"public.note_count\"", ""), "note_count", 1, FUNCTION_VOLATILE },
	{ "one whose final function writes", POLICY("", "", ",\"public.tally\",\"public.ok_sfunc\"", ""), "tally", 1,
	    FUNCTION_VOLATILE },
};

static void
function_row(void **state)
{
	const struct function_row *row = *state;
	struct rights *r = rights_of(row->policy);
	const char *why = NULL;
	size_t n;
	const struct cat_function *const *f = catalog_functions_named(catalog, row->function, &n);

	assert_int_equal(n, 1);
	if (rights_function(r, f[0], row->nargs, &why) != row->answer)
		fail_msg("%s", why);
	rights_unref(r);
}

static const struct type_row {
	const char *name, *type;
	bool open;
} type_rows[] = {
	{ "a domain with a plain CHECK", "pct", true },
	{ "another", "email_addr", true },
	{ "a domain whose CHECK writes", "audited", false },
	{ "a domain whose CHECK is an oracle", "known_mark", false },
	{ "a row with such a field", "audited_pair", false },
	{ "a range over such a type", "audited_range", false },
	{ "an array of such a type", "_audited", false },
	{ "an enum", "order_status", true },
	{ "an extension's type", "hstore", true },
	{ "a row type", "users", true },
};

static void
type_row(void **state)
{
	const struct type_row *row = *state;
	struct rights *r = rights_of(corpus);
	const struct cat_namespace *ns = catalog_namespace_named(catalog, "public");
	const struct cat_type *t = catalog_type_named(catalog, ns->oid, row->type);
	const char *why = NULL;

	assert_non_null(t);
	if (rights_type(r, t, &why) != row->open)
		fail_msg("%s", why);
	rights_unref(r);
}

/* --- lists ------------------------------------------------------------------------------ */

static void
lists_say_the_same_as_the_questions(void **state)
{
	struct rights *listed = rights_of(corpus), *asked = rights_of(corpus);
	size_t n;
	const uint32_t *oids = rights_restricted(listed, RESTRICTED_RELATIONS, &n);
	size_t at = 0;

	(void)state;
	for (size_t i = 0; i < catalog_relations(catalog); i++) {
		const struct cat_relation *rel = catalog_relation_at(catalog, i);
		bool in = false;

		for (at = 0; at < n && !in; at++)
			in = oids[at] == rel->oid;
		if (in != rights_restricted_relation(asked, rel))
			fail_msg("%s: %slisted", rel->name, in ? "" : "not ");
	}
	assert_true(n > 10);
	rights_unref(listed);
	rights_unref(asked);
}

#define ADD(list, f)                                                             \
	for (size_t i = 0; i < nitems(list); i++)                                \
		tests[n++] = (struct CMUnitTest)                                 \
		{                                                                \
			list[i].name, f, NULL, NULL, (void *)(uintptr_t)&list[i] \
		}

int
main(void)
{
	static const struct CMUnitTest fixed[] = {
		{ "order does not matter", order_does_not_matter, NULL, NULL, NULL },
		{ "a literal column is left out", a_literal_column_is_left_out, NULL, NULL, NULL },
		{ "lists say the same as the questions", lists_say_the_same_as_the_questions, NULL, NULL, NULL },
	};
	struct CMUnitTest tests[nitems(rows) + nitems(function_rows) + nitems(type_rows) + nitems(fixed)];
	size_t n = 0;

	ADD(rows, test_row);
	ADD(function_rows, function_row);
	ADD(type_rows, type_row);
	for (size_t i = 0; i < nitems(fixed); i++)
		tests[n++] = fixed[i];
	return cmocka_run_group_tests_name("rights_relation", tests, load, unload);
}
