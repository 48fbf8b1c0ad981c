/* tests/unit/test_guard_rows.c - which types hold rows of something that is closed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "guard_rules.h"
#include "rights.h"

/* Relations are 30000 and so on, their row types 40000, arrays of these 50000. */
enum { USERS, PAYROLL, OPEN, KEYS, CHILD, VIEW, VIEW2, PAIR, BOX, LABEL, HOLDER, NRELATIONS };
#define REL(i) (30000u + (i))
#define ROW(i) (40000u + (i))
#define ARRAY(i) (50000u + (i))
#define DOMAIN 60000u  /* over users */
#define RANGE 60001u   /* of users */
#define MULTI 60002u   /* of these ranges */
#define DOMAINS 60003u /* over an array of payroll */
#define PLAIN 60004u   /* a domain over text */
#define ROLES 2842u    /* pg_authid's */

static const struct relation {
	const char *schema, *name;
	char kind;
	uint32_t columns[3];
	const char *names[3];
	int depends; /* on column 2 of this relation; 0: on none */
} relations[NRELATIONS] = {
	[USERS] = { "2200", "users", 'r', { 23, 25 }, { "id", "ssn" }, 0 },
	[PAYROLL] = { "2200", "payroll", 'r', { 23, 25 }, { "id", "mark" }, 0 },
	[OPEN] = { "2200", "open", 'r', { 23, 25 }, { "id", "name" }, 0 },
	[KEYS] = { "20000", "keys", 'r', { 23, 25 }, { "id", "key" }, 0 },
	[CHILD] = { "2200", "child", 'r', { 23, 25 }, { "id", "mark" }, 0 },
	[VIEW] = { "2200", "v", 'v', { 25 }, { "c" }, PAYROLL },
	[VIEW2] = { "2200", "vv", 'v', { 25 }, { "c" }, VIEW },
	[PAIR] = { "2200", "pair", 'c', { 23, ARRAY(USERS) }, { "n", "list" }, 0 },
	[BOX] = { "2200", "box", 'c', { ROW(PAIR) }, { "pair" }, 0 },
	[LABEL] = { "20000", "label", 'c', { 23, 25 }, { "n", "text" }, 0 },
	[HOLDER] = { "2200", "holder", 'r', { 23, ROW(USERS), ROW(OPEN) }, { "id", "u", "o" }, 0 },
};

static struct catalog_builder *builder;

static void row(const char *section, const char *format, ...) printf_like(2, 3);

static void
row(const char *section, const char *format, ...)
{
	char text[256], *fields[24], *rest = text;
	struct err err = { "" };
	size_t n = 0, s = 0;
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	while (rest != NULL) {
		fields[n] = strsep(&rest, " ");
		if (strcmp(fields[n], "~") == 0)
			fields[n] = NULL;
		n++;
	}
	while (strcmp(catalog_section_name(s), section) != 0)
		s++;
	if (!catalog_builder_row(builder, s, (const char *const *)fields, n, &err))
		fail_msg("%s: %s", section, err.text);
}

static void
add_relations(void)
{
	row("relations", "1260 11 pg_authid r f f 2842 0 ~");
	for (unsigned i = 0; i < NRELATIONS; i++)
		row("relations", "%u %s %s %c f f %u 0 ~", REL(i), relations[i].schema, relations[i].name, relations[i].kind,
		    ROW(i));
	for (unsigned i = 0; i < NRELATIONS; i++)
		for (unsigned c = 0; c < 3 && relations[i].columns[c] != 0; c++)
			row("columns", "%u %u %s %u -1 f f - ~", REL(i), c + 1, relations[i].names[c], relations[i].columns[c]);
	row("inheritance", "%u %u", REL(CHILD), REL(PAYROLL));
	for (unsigned i = 0; i < NRELATIONS; i++)
		if (relations[i].kind == 'v')
			row("views", "%u SELECT", REL(i));
	for (unsigned i = 0; i < NRELATIONS; i++)
		if (relations[i].depends != 0)
			row("depends", "%u %u %u", REL(i), REL((unsigned)relations[i].depends), 2);
}

static void
add_types(void)
{
	row("types", "23 11 int4 b N f 0 0 0 -1 0  ~");
	row("types", "25 11 text b S f 0 0 0 -1 0  ~");
	row("types", "%u 11 pg_authid c C f 0 0 0 -1 1260  ~", ROLES);
	for (unsigned i = 0; i < NRELATIONS; i++)
		row("types", "%u %s %s c C f 0 %u 0 -1 %u  ~", ROW(i), relations[i].schema, relations[i].name, ARRAY(i), REL(i));
	for (unsigned i = 0; i < NRELATIONS; i++)
		row("types", "%u %s _%s b A f %u 0 0 -1 0  ~", ARRAY(i), relations[i].schema, relations[i].name, ROW(i));
	row("types", "%u 2200 d d C f 0 0 %u -1 0  ~", DOMAIN, ROW(USERS));
	row("types", "%u 2200 r r R f 0 0 %u -1 0  ~", RANGE, ROW(USERS));
	row("types", "%u 2200 m m R f 0 0 %u -1 0  ~", MULTI, RANGE);
	row("types", "%u 2200 ds d A f 0 0 %u -1 0  ~", DOMAINS, ARRAY(PAYROLL));
	row("types", "%u 2200 p d S f 0 0 25 -1 0  ~", PLAIN);
}

static struct catalog *
make(void)
{
	struct err err = { "" };
	struct catalog *c;

	builder = catalog_builder_new();
	row("database", "150000 5 shop");
	row("namespaces", "11 pg_catalog");
	row("namespaces", "2200 public");
	row("namespaces", "20000 secret");
	add_relations();
	add_types();
	if ((c = catalog_builder_finish(builder, &err)) == NULL)
		fail_msg("%s", err.text);
	return c;
}

static struct policy *
policy_of(const char *profile)
{
	char text[1024];
	struct sb errors = { 0 };
	struct policy *p;

	snprintf(text, sizeof(text), "{\"version\":1,\"profiles\":{\"a\":{%s}}}", profile);
	p = policy_parse("f", text, strlen(text), &errors);
	assert_string_equal(sb_text(&errors), "");
	sb_free(&errors);
	return p;
}

#define NOTHING ""
#define DENY "\"tables\":{\"deny\":[\"public.payroll\"]}"
#define NAMED "\"tables\":{\"allow\":[\"*.*\",\"public.v\"],\"deny\":[\"public.payroll\"]}"
#define ALLOW "\"tables\":{\"allow\":[\"public.open\"]}"
#define SSN "\"columns\":[{\"column\":\"public.users.ssn\",\"action\":\"deny\"}]"
#define MASK "\"columns\":[{\"column\":\"*.*.ssn\",\"action\":\"mask\",\"mask\":\"null\"}]"
#define TEXTS "\"columns\":[{\"column\":\"*.*.text\",\"action\":\"deny\"}]"
#define FILTER "\"row_filters\":[{\"table\":\"public.users\",\"where\":\"id = 1\"}]"
#define SECRET "\"schemas\":{\"deny\":[\"secret\"]}"

static const struct type_row {
	const char *name, *profile;
	uint32_t type;
	bool closed;
} type_rows[] = {
	{ "text holds no rows", SSN, 25, false },
	{ "nor does a domain over it", SSN, PLAIN, false },
	{ "nor what nobody knows", SSN, 99999, false },
	{ "rows of a table that is open", SSN, ROW(OPEN), false },
	{ "rows of a table with a denied column", SSN, ROW(USERS), true },
	{ "with a masked one", MASK, ROW(USERS), true },
	{ "with rows that are hidden", FILTER, ROW(USERS), true },
	{ "of a denied table", DENY, ROW(PAYROLL), true },
	{ "of its child", DENY, ROW(CHILD), true },
	{ "of a denied schema", SECRET, ROW(KEYS), true },
	{ "of a table that an allow list does not name", ALLOW, ROW(USERS), true },
	{ "of one that it does", ALLOW, ROW(OPEN), false },
	{ "arrays of them", SSN, ARRAY(USERS), true },
	{ "a domain", SSN, DOMAIN, true },
	{ "a range", SSN, RANGE, true },
	{ "a multirange", SSN, MULTI, true },
	{ "a domain over an array", DENY, DOMAINS, true },
	{ "the same where it is open", SSN, DOMAINS, false },
	{ "a composite with such a field", SSN, ROW(PAIR), true },
	{ "within another", SSN, ROW(BOX), true },
	{ "without a rule", NOTHING, ROW(BOX), false },
	{ "a composite is no table that a list could close", SECRET, ROW(LABEL), false },
	{ "but column rules are about its fields", TEXTS, ROW(LABEL), true },
	{ "rows of a table that holds some", SSN, ROW(HOLDER), true },
	{ "rows of a view over a denied table", DENY, ROW(VIEW), true },
	{ "over such a view", DENY, ROW(VIEW2), true },
	{ "over a column that is denied", "\"columns\":[{\"column\":\"*.payroll.mark\",\"action\":\"deny\"}]", ROW(VIEW), true },
	{ "over one that is not", "\"columns\":[{\"column\":\"*.payroll.id\",\"action\":\"deny\"}]", ROW(VIEW), false },
	{ "of a view that is named letter by letter", NAMED, ROW(VIEW), false },
	{ "of one over it", NAMED, ROW(VIEW2), false },
	{ "passwords", NOTHING, ROLES, true },
};

static void
type_row(void **state)
{
	const struct type_row *t = *state;
	struct catalog *c = make();
	struct policy *p = policy_of(t->profile);
	struct err why = { "" };

	assert_int_equal(guard_type_closed(policy_default_profile(p), c, t->type, &why), t->closed);
	if (t->closed)
		assert_non_null(strstr(why.text, "it holds rows of "));
	policy_unref(p);
	catalog_unref(c);
}

static void
a_column_of_them_is_closed_in_its_table(void **state)
{
	static const struct {
		const char *profile;
		enum column_action u, o;
	} rows[] = {
		{ NOTHING, COLUMN_OPEN, COLUMN_OPEN },
		{ SSN, COLUMN_DENY, COLUMN_OPEN },
		{ "\"tables\":{\"deny\":[\"public.open\"]}", COLUMN_OPEN, COLUMN_DENY },
	};
	struct catalog *c = make();

	(void)state;
	for (size_t i = 0; i < nitems(rows); i++) {
		struct policy *p = policy_of(rows[i].profile);
		struct rights *r = rights_new(p, policy_default_profile(p), c, NULL);
		const struct relation_rights *right = rights_relation(r, catalog_relation_of(c, REL(HOLDER)), ACCESS_READ, false);
		const bool hides = rows[i].u != COLUMN_OPEN || rows[i].o != COLUMN_OPEN;

		assert_int_equal(right->standing, hides ? STANDING_GUARDED : STANDING_OPEN);
		if (hides) {
			assert_int_equal(guard_column(right->guard, "u"), rows[i].u);
			assert_int_equal(guard_column(right->guard, "o"), rows[i].o);
			assert_string_equal(right->guard->whys[rows[i].u != COLUMN_OPEN ? 1 : 2],
			    rows[i].u != COLUMN_OPEN
				? "it holds rows of public.users, which is not open to this connection as a whole"
				: "it holds rows of public.open, which is not open to this connection as a whole");
		}
		rights_unref(r);
		policy_unref(p);
	}
	catalog_unref(c);
}

/* Types made by somebody who wants the search to go on for ever. */
static void
a_long_chain_and_a_circle_end(void **state)
{
	struct policy *p = policy_of(SSN);
	struct err why = { "" };
	struct catalog *c;
	unsigned i;

	(void)state;
	builder = catalog_builder_new();
	row("database", "150000 5 shop");
	row("namespaces", "2200 public");
	for (i = 0; i < 200; i++)
		row("relations", "%u 2200 c%u c f f %u 0 ~", 30000 + i, i, 40000 + i);
	for (i = 0; i < 200; i++) { /* the first 100 in a circle, twice; the others in a chain */
		row("columns", "%u 1 a %u -1 f f - ~", 30000 + i, i == 99 ? 40000 : 40001 + i);
		row("columns", "%u 2 b %u -1 f f - ~", 30000 + i, i < 10 ? 40000 : i == 99 ? 40000 : 40001 + i);
	}
	for (i = 0; i < 200; i++)
		row("types", "%u 2200 c%u c C f 0 0 0 -1 %u  ~", 40000 + i, i, 30000 + i);
	c = catalog_builder_finish(builder, &why);
	assert_non_null(c);
	assert_true(guard_type_closed(policy_default_profile(p), c, 40000, &why));
	assert_string_equal(why.text, "its type is made of more types than can be followed");
	assert_true(guard_type_closed(policy_default_profile(p), c, 40100, &why));
	assert_false(guard_type_closed(policy_default_profile(p), c, 40150, &why));
	policy_unref(p);
	catalog_unref(c);
}

int
main(void)
{
	struct CMUnitTest tests[nitems(type_rows) + 2];
	size_t i;

	for (i = 0; i < nitems(type_rows); i++)
		tests[i] = (struct CMUnitTest){
			.name = type_rows[i].name, .test_func = type_row, .initial_state = (void *)(uintptr_t)&type_rows[i]
		};
	tests[i++] = (struct CMUnitTest)cmocka_unit_test(a_column_of_them_is_closed_in_its_table);
	tests[i++] = (struct CMUnitTest)cmocka_unit_test(a_long_chain_and_a_circle_end);
	return cmocka_run_group_tests_name("guard_rows", tests, NULL, NULL);
}
