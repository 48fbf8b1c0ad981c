/* tests/unit/test_catalog_follow.c - names that relations and columns had, and denials that follow them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rights.h"

#define TABLE 30000u
#define CHILD 30010u

/* --- snapshots ------------------------------------------------------------------- */

/* "public.payroll: 1 id 23, 2 mark 25": the columns' numbers, names and types; behind a type, what it is generated from. */
struct table {
	uint32_t oid;
	char kind;
	const char *text;
	uint32_t type;   /* the row type's OID; 0: OID + 1 */
	uint32_t parent; /* 0: none */
};

#define TABLES_MAX 3
#define SNAPSHOTS_MAX 11

struct state {
	unsigned database;
	struct table tables[TABLES_MAX];
};

struct making {
	struct catalog_builder *b;
	const struct state *state;
};

static size_t
section(const char *name)
{
	for (size_t i = 0; i < catalog_sections(); i++)
		if (strcmp(catalog_section_name(i), name) == 0)
			return i;
	fail_msg("no section %s", name);
	return 0;
}

static void
row(struct making *m, const char *name, size_t n, ...)
{
	const char *values[24];
	struct err err = { "" };
	va_list ap;

	va_start(ap, n);
	for (size_t i = 0; i < n; i++)
		values[i] = va_arg(ap, const char *);
	va_end(ap);
	if (!catalog_builder_row(m->b, section(name), values, n, &err))
		fail_msg("%s: %s", name, err.text);
}

struct number {
	char text[16];
};

static const char *
number(struct number *n, size_t value)
{
	snprintf(n->text, sizeof(n->text), "%zu", value);
	return n->text;
}

static void
add_relation(struct making *m, const struct table *t)
{
	struct number oid, type;
	char schema[32], name[32];
	const char *namespace;

	assert_int_equal(sscanf(t->text, "%31[^.].%31[^:]", schema, name), 2);
	namespace = strcmp(schema, "public") == 0 ? "2200" : strcmp(schema, "secret") == 0 ? "20000" : "20001";
	row(m, "relations", 9, number(&oid, t->oid), namespace, name, (char[]){ t->kind, '\0' }, "f", "f",
	    number(&type, t->type != 0 ? t->type : t->oid + 1), "0", NULL);
}

static void
add_columns(struct making *m, const struct table *t)
{
	const char *at = strchr(t->text, ':');
	struct number oid;

	for (; at != NULL; at = strchr(at + 1, ',')) {
		char n[8], name[32], type[16], from[64];
		const int found = sscanf(at + 1, " %7s %31s %15[^, ] %63[^,]", n, name, type, from);

		if (found < 3)
			fail_msg("%s", at);
		row(m, "columns", 9, number(&oid, t->oid), n, name, type, "-1", "f", "f", found == 4 ? "s" : "-",
		    found == 4 ? from : NULL);
	}
}

static struct catalog *
make(const struct state *s)
{
	struct making m = { catalog_builder_new(), s };
	struct err err = { "" };
	struct number oid, other;
	struct catalog *c;
	size_t i;

	row(&m, "database", 3, "150000", number(&oid, s->database), "shop");
	row(&m, "namespaces", 2, "11", "pg_catalog");
	row(&m, "namespaces", 2, "2200", "public");
	row(&m, "namespaces", 2, "20000", "secret");
	row(&m, "namespaces", 2, "20001", "vault");
	for (i = 0; i < TABLES_MAX && s->tables[i].oid != 0; i++)
		add_relation(&m, &s->tables[i]);
	for (i = 0; i < TABLES_MAX && s->tables[i].oid != 0; i++)
		add_columns(&m, &s->tables[i]);
	for (i = 0; i < TABLES_MAX && s->tables[i].oid != 0; i++)
		if (s->tables[i].parent != 0)
			row(&m, "inheritance", 2, number(&oid, s->tables[i].oid), number(&other, s->tables[i].parent));
	row(&m, "types", 13, "23", "11", "int4", "b", "N", "f", "0", "0", "0", "-1", "0", "", NULL);
	row(&m, "types", 13, "25", "11", "text", "b", "S", "f", "0", "0", "0", "-1", "0", "", NULL);
	if ((c = catalog_builder_finish(m.b, &err)) == NULL)
		fail_msg("%s", err.text);
	return c;
}

/* The last of them, which has followed the others. */
static struct catalog *
make_all(const struct state *states)
{
	struct catalog *c = make(&states[0]), *fresh;

	for (size_t i = 1; i < SNAPSHOTS_MAX && states[i].database != 0; i++) {
		fresh = make(&states[i]);
		catalog_follow(fresh, c);
		catalog_unref(c);
		c = fresh;
	}
	return c;
}

/* --- names ------------------------------------------------------------------------- */

#define ONE(db, text)                                  \
	{                                              \
		db,                                    \
		{                                      \
			{                              \
				TABLE, 'r', text, 0, 0 \
			}                              \
		}                                      \
	}
#define ID ": 1 id 23"
#define PAIR ": 1 id 23, 2 ssn 25"
#define FIVE ": 1 a 23, 2 b 25, 3 c 23, 4 d 23, 5 e 25"

static const struct name_row {
	const char *name;
	struct state states[SNAPSHOTS_MAX];
	const char *formers; /* of TABLE and its columns */
} name_rows[] = {
	{ "a table that nobody renamed", { ONE(5, "public.payroll" PAIR), ONE(5, "public.payroll" PAIR) }, "" },
	{ "a table that was renamed", { ONE(5, "public.payroll" PAIR), ONE(5, "public.wages" PAIR) }, "public.payroll" },
	{ "a table that was moved", { ONE(5, "secret.payroll" PAIR), ONE(5, "public.payroll" PAIR) }, "secret.payroll" },
	{ "a column that was renamed", { ONE(5, "public.users" PAIR), ONE(5, "public.users: 1 id 23, 2 nid 25") }, "2 ssn" },
	{ "both", { ONE(5, "public.users" PAIR), ONE(5, "vault.people: 1 id 23, 2 nid 25") }, "public.users, 2 ssn" },
	{ "names chain", { ONE(5, "public.a" PAIR), ONE(5, "public.b" PAIR), ONE(5, "public.b" PAIR), ONE(5, "public.c" PAIR) },
	    "public.a, public.b" },
	{ "no more than eight, the oldest",
	    { ONE(5, "public.a" ID), ONE(5, "public.b" ID), ONE(5, "public.c" ID), ONE(5, "public.d" ID), ONE(5, "public.e" ID),
		ONE(5, "public.f" ID), ONE(5, "public.g" ID), ONE(5, "public.h" ID), ONE(5, "public.i" ID), ONE(5, "public.j" ID),
		ONE(5, "public.k" ID) },
	    "public.a, public.b, public.c, public.d, public.e, public.f, public.g, public.h" },
	{ "a name that comes back undoes what came after it",
	    { ONE(5, "public.z" PAIR), ONE(5, "public.a" PAIR), ONE(5, "secret.a" PAIR), ONE(5, "public.a" PAIR) }, "public.z" },
	{ "a column's, too", { ONE(5, "public.a" PAIR), ONE(5, "public.a: 1 id 23, 2 nid 25"), ONE(5, "public.a" PAIR) }, "" },
	{ "a table that is not there for a while is another one",
	    { ONE(5, "public.payroll" PAIR), { 5, { { CHILD, 'r', "public.x" ID, 0, 0 } } }, ONE(5, "public.wages" PAIR) }, "" },
	{ "another kind is another one", { ONE(5, "public.payroll" PAIR), { 5, { { TABLE, 'v', "public.wages" PAIR, 0, 0 } } } },
	    "" },
	{ "so is another row type", { ONE(5, "public.payroll" PAIR), { 5, { { TABLE, 'r', "public.wages" PAIR, 30009, 0 } } } },
	    "" },
	{ "so are columns that cannot have come", { ONE(5, "public.payroll: 2 ssn 25"), ONE(5, "public.wages" PAIR) }, "" },
	{ "an index is its table's",
	    { { 5, { { TABLE, 'i', "public.payroll" PAIR, 0, 0 } } }, { 5, { { TABLE, 'i', "public.wages" PAIR, 0, 0 } } } }, "" },
	{ "a column of another type, in the same database",
	    { ONE(5, "public.users" PAIR), ONE(5, "public.users: 1 id 23, 2 nid 23") }, "2 ssn" },
	{ "many changes at once, in the same database",
	    { ONE(5, "public.users" FIVE), ONE(5, "public.people: 1 a 23, 2 x 25, 3 y 23, 7 n 23, 8 o 23, 9 p 23") },
	    "public.users, 2 b, 3 c" },
	{ "mostly other types are another table", { ONE(5, "public.users" FIVE), ONE(5, "public.people: 1 a 25, 2 b 23, 3 c 23") },
	    "" },

	{ "a database made anew from its template", { ONE(5, "public.payroll" PAIR), ONE(6, "public.wages" PAIR) },
	    "public.payroll" },
	{ "a column there", { ONE(5, "public.users" PAIR), ONE(6, "public.users: 1 id 23, 2 nid 25") }, "2 ssn" },
	{ "the only column", { ONE(5, "public.users" ID), ONE(6, "public.users: 1 nid 23") }, "1 id" },
	{ "three changes", { ONE(5, "public.users" FIVE), ONE(6, "public.people: 1 a 23, 2 b 25, 3 x 23, 5 e 25, 6 f 23") },
	    "public.users, 3 c" },
	{ "four are too many",
	    { ONE(5, "public.users" FIVE), ONE(6, "public.people: 1 a 23, 2 b 25, 3 x 23, 5 e 25, 6 f 23, 7 g 23") }, "" },
	{ "more than are as they were", { ONE(5, "public.users" PAIR), ONE(6, "public.people: 1 x 23, 2 y 25") }, "" },
	{ "a restored table of other columns", { ONE(5, "public.payroll" PAIR), ONE(6, "public.orders: 1 id 23, 2 at 1082") }, "" },
	{ "sequences all look alike",
	    { { 5, { { TABLE, 'S', "public.s" PAIR, 0, 0 } } }, { 6, { { TABLE, 'S', "public.t" PAIR, 0, 0 } } } }, "" },
	{ "in the same database they are followed",
	    { { 5, { { TABLE, 'S', "public.s" PAIR, 0, 0 } } }, { 5, { { TABLE, 'S', "public.t" PAIR, 0, 0 } } } }, "public.s" },
};

static void
put_formers(struct sb *sb, const struct catalog *c, int16_t column)
{
	size_t n;
	const struct cat_former *f = catalog_formers(c, TABLE, column, &n);

	for (size_t i = 0; i < n; i++) {
		assert_int_equal(f[i].relation, TABLE);
		sb_str(sb, sb->len > 0 ? ", " : "");
		if (column == 0)
			sb_fmt(sb, "%s.%s", f[i].schema, f[i].name);
		else
			sb_fmt(sb, "%d %s", column, f[i].name);
	}
}

static void
name_row(void **state)
{
	const struct name_row *r = *state;
	struct catalog *c = make_all(r->states);
	struct sb sb = { 0 };
	size_t n;

	for (int16_t column = 0; column < 10; column++)
		put_formers(&sb, c, column);
	assert_string_equal(sb_text(&sb), r->formers);
	assert_null(catalog_formers(c, TABLE - 1, 0, &n));
	assert_null(catalog_formers(c, TABLE + 1, 0, &n));
	sb_free(&sb);
	catalog_unref(c);
}

/* --- denials ------------------------------------------------------------------------- */

#define OPEN STANDING_OPEN, RULE_NONE
#define GUARDED STANDING_GUARDED, RULE_NONE
#define DENIED(rule) STANDING_DENIED, RULE_##rule##_DENIED

#define DENY_PAYROLL "\"tables\":{\"deny\":[\"public.payroll\"]}"
#define ALLOW_PAYROLL "\"tables\":{\"allow\":[\"public.payroll\"]}"
#define DENY_BUT_ALLOW "\"tables\":{\"deny\":[\"public.payroll\"],\"allow\":[\"public.wages\"]}"
#define DENY_SECRET "\"schemas\":{\"deny\":[\"secret\"]}"
#define SSN(table, what) "\"columns\":[{\"column\":\"" table ".ssn\"," what "}]"
#define DENY_SSN SSN("public.users", "\"action\":\"deny\"")
#define FILTER(table) "\"row_filters\":[{\"table\":\"public." table "\",\"where\":\"id = 1\"}]"
#define RENAMED ONE(5, "public.payroll" PAIR), ONE(5, "public.wages" PAIR)
#define MOVED ONE(5, "secret.a" PAIR), ONE(5, "public.a" PAIR)
#define USERS ONE(5, "public.users" PAIR)
#define NID USERS, ONE(5, "public.users: 1 id 23, 2 nid 25")

static const struct denial_row {
	const char *name, *profile;
	struct state states[4];
	enum standing standing;
	enum rule rule;
	const char *hidden; /* a column that is denied, or why it is all; NULL: none */
	const char *sql;    /* when guarded */
} denial_rows[] = {
	{ "a denied table", DENY_PAYROLL, { RENAMED }, DENIED(TABLE), "this table was public.payroll, which is not open", NULL },
	{ "a table of a denied schema", DENY_SECRET, { MOVED }, DENIED(TABLE), "this table was secret.a, which is not open", NULL },
	{ "an allow list does not follow", ALLOW_PAYROLL, { RENAMED }, DENIED(TABLE), NULL, NULL },
	{ "nor does it open what was denied", DENY_BUT_ALLOW, { RENAMED }, DENIED(TABLE),
	    "this table was public.payroll, which is not open", NULL },
	{ "what an allow list did not name may get an open name", "\"tables\":{\"allow\":[\"public.wages\"]}", { RENAMED }, OPEN,
	    NULL, NULL },
	{ "a denied column", DENY_SSN, { NID }, GUARDED, "nid", "(SELECT \"id\" FROM \"public\".\"users\")" },
	{ "of a table that was renamed", DENY_SSN, { USERS, ONE(5, "public.people" PAIR) }, GUARDED, "ssn",
	    "(SELECT \"id\" FROM \"public\".\"people\")" },
	{ "one after the other", DENY_SSN, { USERS, ONE(5, "vault.people" PAIR), ONE(5, "public.x: 1 id 23, 2 nid 25") }, GUARDED,
	    "nid", "(SELECT \"id\" FROM \"public\".\"x\")" },
	{ "and when it was dropped and another has its name", DENY_SSN,
	    { USERS, ONE(5, "public.users: 1 id 23, 2 old 25, 3 ssn 25") }, GUARDED, "old",
	    "(SELECT \"id\" FROM \"public\".\"users\")" },
	{ "a masked column", SSN("public.users", "\"action\":\"mask\",\"mask\":\"null\""), { NID }, GUARDED, NULL,
	    "(SELECT \"id\", (NULL::\"pg_catalog\".\"text\") AS \"nid\" FROM \"public\".\"users\")" },
	{ "a mask that names it as it was",
	    SSN("public.users", "\"action\":\"mask\",\"mask\":\"expression\",\"expression\":\"left(ssn, 1)\""), { NID }, GUARDED,
	    "nid", "(SELECT \"id\" FROM \"public\".\"users\")" },
	{ "a row filter", FILTER("users"), { USERS, ONE(5, "public.people" PAIR) }, GUARDED, NULL,
	    "(SELECT \"id\", \"ssn\" FROM \"public\".\"people\" WHERE (id = 1) OFFSET 0)" },
	{ "a row filter by what is not there now", FILTER("users"), { USERS, ONE(5, "public.users: 1 nid 23, 2 ssn 25") },
	    DENIED(COLUMN), NULL, NULL },
	{ "another database without it", DENY_PAYROLL, { ONE(5, "public.payroll" PAIR), ONE(6, "public.wages: 1 at 1082") }, OPEN,
	    NULL, NULL },
	{ "a child of what was denied", DENY_PAYROLL,
	    { { 5, { { 29000, 'r', "public.payroll" PAIR, 0, 0 }, { TABLE, 'r', "public.child" PAIR, 0, 29000 } } },
		{ 5, { { 29000, 'r', "public.wages" PAIR, 0, 0 }, { TABLE, 'r', "public.child" PAIR, 0, 29000 } } } },
	    DENIED(TABLE), NULL, NULL },
	{ "a parent of what was denied", DENY_PAYROLL,
	    { { 5, { { TABLE, 'r', "public.all" PAIR, 0, 0 }, { CHILD, 'r', "public.payroll" PAIR, 0, TABLE } } },
		{ 5, { { TABLE, 'r', "public.all" PAIR, 0, 0 }, { CHILD, 'r', "public.wages" PAIR, 0, TABLE } } } },
	    DENIED(TABLE), NULL, NULL },
	{ "a parent of what had a filter", FILTER("some"),
	    { { 5, { { TABLE, 'r', "public.all" PAIR, 0, 0 }, { CHILD, 'r', "public.some" PAIR, 0, TABLE } } },
		{ 5, { { TABLE, 'r', "public.all" PAIR, 0, 0 }, { CHILD, 'r', "public.few" PAIR, 0, TABLE } } } },
	    DENIED(TABLE), NULL, NULL },
	{ "a column of a parent that was renamed", SSN("public.all", "\"action\":\"deny\""),
	    { { 5, { { 29000, 'r', "public.all" PAIR, 0, 0 }, { TABLE, 'r', "public.child" PAIR, 0, 29000 } } },
		{ 5, { { 29000, 'r', "public.all: 1 id 23, 2 nid 25", 0, 0 },
			 { TABLE, 'r', "public.child: 1 id 23, 2 nid 25", 0, 29000 } } } },
	    GUARDED, "nid", "(SELECT \"id\" FROM \"public\".\"child\")" },
	{ "what is generated from a column that was renamed", DENY_SSN,
	    { { 5, { { TABLE, 'r', "public.users: 1 id 23, 2 ssn 25, 3 copy 25 ssn", 0, 0 } } },
		{ 5, { { TABLE, 'r', "public.users: 1 id 23, 2 nid 25, 3 copy 25 nid", 0, 0 } } } },
	    GUARDED, "copy", "(SELECT \"id\" FROM \"public\".\"users\")" },
};

static void
denial_row(void **state)
{
	const struct denial_row *d = *state;
	char text[1024];
	struct sb errors = { 0 }, sql = { 0 };
	struct catalog *c = make_all(d->states);
	const struct relation_rights *right;
	const uint32_t *restricted;
	struct policy *p;
	struct rights *r;
	size_t n, i;

	snprintf(text, sizeof(text), "{\"version\":1,\"profiles\":{\"a\":{%s}}}", d->profile);
	p = policy_parse("f", text, strlen(text), &errors);
	assert_string_equal(sb_text(&errors), "");
	r = rights_new(p, policy_default_profile(p), c, NULL);
	right = rights_relation(r, catalog_relation_of(c, TABLE), ACCESS_READ, false);
	if (right->standing != d->standing || right->rule != d->rule)
		fail_msg("standing %d, %s: %s", right->standing, rule_name(right->rule), right->why != NULL ? right->why : "");
	if (d->hidden != NULL && d->standing == STANDING_GUARDED)
		assert_int_equal(guard_column(right->guard, d->hidden), COLUMN_DENY);
	else if (d->hidden != NULL)
		assert_string_equal(right->why, d->hidden);
	if (d->sql != NULL) {
		guard_sql(right->guard, c, false, &sql);
		assert_string_equal(sb_text(&sql), d->sql);
	}
	restricted = rights_restricted(r, RESTRICTED_RELATIONS, &n);
	for (i = 0; i < n && restricted[i] != TABLE; i++)
		;
	if (d->hidden != NULL && d->standing == STANDING_DENIED)
		assert_true(i < n);
	sb_free(&errors);
	sb_free(&sql);
	rights_unref(r);
	policy_unref(p);
	catalog_unref(c);
}

/* A denial of writes alone follows as such. */
static void
what_only_writes_are_denied_stays_readable(void **state)
{
	static const struct state states[] = { RENAMED, { 0 } };
	static const char text[] =
	    "{\"version\":1,\"profiles\":{\"a\":{\"tables\":{\"deny\":[{\"table\":\"public.payroll\",\"access\":\"write\"}]}}}}";
	struct sb errors = { 0 };
	struct catalog *c = make_all(states);
	struct policy *p = policy_parse("f", text, strlen(text), &errors);
	const struct cat_relation *rel = catalog_relation_of(c, TABLE);
	struct rights *r;

	(void)state;
	assert_string_equal(sb_text(&errors), "");
	r = rights_new(p, policy_default_profile(p), c, NULL);
	assert_int_equal(rights_relation(r, rel, ACCESS_READ, false)->standing, STANDING_OPEN);
	assert_int_equal(rights_relation(r, rel, ACCESS_WRITE, false)->standing, STANDING_DENIED);
	sb_free(&errors);
	rights_unref(r);
	policy_unref(p);
	catalog_unref(c);
}

int
main(void)
{
	struct CMUnitTest tests[nitems(name_rows) + nitems(denial_rows) + 1];
	size_t i, n = 0;

	for (i = 0; i < nitems(name_rows); i++)
		tests[n++] = (struct CMUnitTest){
			.name = name_rows[i].name, .test_func = name_row, .initial_state = (void *)(uintptr_t)&name_rows[i]
		};
	for (i = 0; i < nitems(denial_rows); i++)
		tests[n++] = (struct CMUnitTest){
			.name = denial_rows[i].name, .test_func = denial_row, .initial_state = (void *)(uintptr_t)&denial_rows[i]
		};
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(what_only_writes_are_denied_stays_readable);
	return cmocka_run_group_tests_name("catalog_follow", tests, NULL, NULL);
}
