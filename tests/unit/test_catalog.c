/* tests/unit/test_catalog.c - rows become a catalog, a catalog answers, and what is no catalog is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "objects.h"

/* --- a small database, as a file -------------------------------------------------- */

/* Everything once: a view, inheritance, a domain, an array, overloads, OUT and
 * VARIADIC arguments, an aggregate, a cast, an operator class. */
static const char *const small[][2] = {
	{ "database", "[\"150020\",\"16384\",\"shop\"]" },
	{ "namespaces", "[\"11\",\"pg_catalog\"],[\"2200\",\"public\"],[\"16400\",\"Mixed \\\"Case\\\"\"]" },
	{ "relations", "[\"16500\",\"2200\",\"parent\",\"p\",\"f\",\"f\",\"16501\",\"0\",null],"
		       "[\"16510\",\"2200\",\"child\",\"r\",\"t\",\"t\",\"16511\",\"0\",\"ext\"],"
		       "[\"16520\",\"16400\",\"parent\",\"v\",\"f\",\"f\",\"16521\",\"0\",null],"
		       "[\"16530\",\"2200\",\"child_pkey\",\"i\",\"f\",\"f\",\"0\",\"16510\",null]" },
	{ "columns", "[\"16500\",\"1\",\"id\",\"23\",\"-1\",\"t\",\"f\",\"-\",null],"
		     "[\"16500\",\"3\",\"\\u00e9t\\u00e9\",\"25\",\"-1\",\"f\",\"t\",\"v\",\"(id + 1)\"],"
		     "[\"16510\",\"1\",\"id\",\"23\",\"8\",\"t\",\"f\",\"s\",null],"
		     "[\"99999\",\"1\",\"of nothing\",\"23\",\"-1\",\"f\",\"f\",\"-\",null]" },
	{ "inheritance", "[\"16510\",\"16499\"],[\"16510\",\"16500\"],[\"99999\",\"16500\"]" },
	{ "views", "[\"16520\",\" SELECT parent.id\\n   FROM public.parent;\"]" },
	{ "depends", "[\"16520\",\"16500\",\"0\"],[\"16520\",\"16500\",\"1\"]" },
	{ "policies", "[\"16510\",\"1\",\"(id > 0)\",null],[\"16510\",\"2\",\"(id < 9)\",\"f(id)\"]" },
	{ "expressions", "[\"16510\",\"16530\",\"public.f(1)\"]" },
	{ "types", "[\"23\",\"11\",\"int4\",\"b\",\"N\",\"f\",\"0\",\"1007\",\"0\",\"-1\",\"0\",\"\",null],"
		   "[\"1007\",\"11\",\"_int4\",\"b\",\"A\",\"f\",\"23\",\"0\",\"0\",\"-1\",\"0\",\"\",null],"
		   "[\"16540\",\"2200\",\"pct\",\"d\",\"N\",\"f\",\"0\",\"0\",\"23\",\"-1\",\"0\",\"16561 16562\",\"ext\"]" },
	{ "domain_checks", "[\"16540\",\"1\",\"(VALUE > 0)\"],[\"16540\",\"2\",\"public.f(VALUE)\"]" },
	{ "functions",
	    "[\"16560\",\"2200\",\"f\",\"f\",\"v\",\"f\",\"t\",\"sql\",\"25\",\"0\",\"1\",\"23 "
	    "25\",null,null,\"[\\\"a\\\",\\\"b\\\"]\","
	    "\"'x'::text\",null],"
	    "[\"16561\",\"11\",\"f\",\"f\",\"i\",\"t\",\"f\",\"plpgsql\",\"2249\",\"25\",\"0\",\"23 1009\",\"23 20 1009 "
	    "25\",\"iovt\","
	    "\"[\\\"\\\",\\\"o\\\",\\\"v\\\",\\\"t\\\"]\",null,\"ext\"],"
	    "[\"16562\",\"2200\",\"agg\",\"a\",\"i\",\"f\",\"f\",\"internal\",\"20\",\"0\",\"0\",\"\",null,null,null,null,null]" },
	{ "aggregates", "[\"16562\",\"n\",\"0\",\"16560 16561\",\"20\",\"0\"]" },
	{ "operators", "[\"16570\",\"2200\",\"+\",\"23\",\"25\",\"25\",\"16560\",null],"
		       "[\"16571\",\"11\",\"+\",\"0\",\"25\",\"25\",\"16561\",\"ext\"],"
		       "[\"16572\",\"11\",\"-\",\"0\",\"25\",\"25\",\"16561\",null]" },
	{ "casts",
	    "[\"23\",\"25\",\"0\",\"i\",\"i\"],[\"23\",\"16540\",\"16560\",\"e\",\"f\"],[\"25\",\"23\",\"77\",\"a\",\"b\"]" },
	{ "opclasses", "[\"16580\",\"16540\",\"t\",\"t\",\"16560\"],[\"16581\",\"23\",\"f\",\"f\",\"16560 16561\"],"
		       "[\"16582\",\"16540\",\"f\",\"f\",\"16561\"]" },
};

/* The small database with other rows in one section; NULL: as it is. */
static char *
text_with(const char *section, const char *rows)
{
	struct sb text = { 0 };
	size_t i;

	sb_str(&text, "{\"pgmoat_catalog\": 1, \"sections\": {");
	for (i = 0; i < nitems(small); i++)
		sb_fmt(&text, "%s\"%s\": [%s]", i > 0 ? ",\n" : "\n", small[i][0],
		    section != NULL && strcmp(small[i][0], section) == 0 ? rows : small[i][1]);
	sb_str(&text, "}}");
	return sb_take(&text);
}

static struct catalog *
parse(const char *text)
{
	struct err err = { "" };
	struct catalog *c = catalog_parse(text, strlen(text), &err);

	if (c == NULL)
		fail_msg("%s", err.text);
	return c;
}

static int
make_small(void **state)
{
	char *text = text_with(NULL, NULL);

	*state = parse(text);
	free(text);
	return 0;
}

static int
drop_small(void **state)
{
	catalog_unref(*state);
	return 0;
}

/* --- lookups ---------------------------------------------------------------------- */

static void
a_relation_is_found_by_oid_and_by_name(void **state)
{
	const struct catalog *c = *state;
	const struct cat_relation *r = catalog_relation_named(c, 2200, "parent");

	assert_non_null(r);
	assert_ptr_equal(r, catalog_relation_of(c, 16500));
	assert_int_equal(catalog_relation_index(c, r), 0);
	assert_ptr_equal(r, catalog_relation_at(c, 0));
	assert_int_equal(catalog_relations(c), 4);
	assert_int_equal(catalog_relation_named(c, 16400, "parent")->oid, 16520);
	assert_null(catalog_relation_named(c, 11, "parent"));
	assert_null(catalog_relation_named(c, 2200, "Parent"));
	assert_null(catalog_relation_named(c, 2200, ""));
	assert_null(catalog_relation_of(c, 0));
	assert_null(catalog_relation_of(c, 16501));
	assert_int_equal(catalog_relation_of(c, 16530)->of, 16510);
}

static void
a_relation_has_its_columns(void **state)
{
	const struct cat_relation *r = catalog_relation_of(*state, 16500);
	const struct cat_column *column = relation_column(r, "\xc3\xa9t\xc3\xa9");

	assert_int_equal(r->ncolumns, 2);
	assert_non_null(column);
	assert_int_equal(column->number, 3);
	assert_int_equal(column->type, 25);
	assert_int_equal(column->generated, 'v');
	assert_true(column->has_default && !column->not_null);
	assert_string_equal(column->expression, "(id + 1)");
	assert_int_equal(relation_column(r, "id")->generated, 0);
	assert_null(relation_column(r, "ctid"));
	assert_int_equal(catalog_relation_of(*state, 16520)->ncolumns, 0);
	assert_int_equal(catalog_relation_of(*state, 16510)->columns[0].typmod, 8);
}

static void
parents_and_children_find_each_other(void **state)
{
	const struct cat_relation *parent = catalog_relation_of(*state, 16500), *child = catalog_relation_of(*state, 16510);

	assert_true(parent->has_children && !child->has_children);
	assert_int_equal(parent->nchildren, 1); /* the one that is not there is left out */
	assert_int_equal(parent->children[0], 16510);
	assert_int_equal(parent->nparents, 0);
	assert_int_equal(child->nparents, 1);
	assert_int_equal(child->parents[0], 16500);
	assert_true(child->is_partition);
}

static void
a_view_has_its_text_and_what_it_reads(void **state)
{
	const struct cat_relation *v = catalog_relation_named(*state, 16400, "parent");

	assert_string_equal(v->definition, " SELECT parent.id\n   FROM public.parent;");
	assert_int_equal(v->ndepends, 2);
	assert_int_equal(v->depends[1].relation, 16500);
	assert_int_equal(v->depends[1].column, 1);
	assert_null(catalog_relation_of(*state, 16500)->definition);
}

static void
policies_and_expressions_are_with_their_table(void **state)
{
	const struct cat_relation *r = catalog_relation_of(*state, 16510);

	assert_true(r->row_security);
	assert_int_equal(r->npolicies, 3);
	assert_string_equal(r->policies[0], "(id > 0)");
	assert_string_equal(r->policies[2], "f(id)");
	assert_int_equal(r->nexpressions, 1);
	assert_string_equal(r->expressions[0], "public.f(1)");
	assert_string_equal(r->extension, "ext");
}

static void
a_type_is_found_with_its_checks(void **state)
{
	const struct cat_type *t = catalog_type_named(*state, 2200, "pct");

	assert_ptr_equal(t, catalog_type_of(*state, 16540));
	assert_ptr_equal(t, catalog_type_at(*state, 2));
	assert_int_equal(catalog_types(*state), 3);
	assert_int_equal(t->kind, 'd');
	assert_int_equal(t->base, 23);
	assert_int_equal(t->nchecks, 2);
	assert_string_equal(t->checks[1], "public.f(VALUE)");
	assert_int_equal(t->nsupport, 2);
	assert_int_equal(t->support[1], 16562);
	assert_int_equal(catalog_type_of(*state, catalog_type_of(*state, 23)->array)->element, 23);
	assert_null(catalog_type_named(*state, 11, "pct"));
}

static void
overloads_stand_side_by_side(void **state)
{
	size_t n;
	const struct cat_function *const *f = catalog_functions_named(*state, "f", &n);

	assert_int_equal(n, 2);
	assert_int_equal(f[0]->oid, 16560);
	assert_int_equal(f[1]->oid, 16561);
	assert_null(catalog_functions_named(*state, "g", &n));
	assert_int_equal(n, 0);
	assert_int_equal(catalog_functions(*state), 3);
	assert_ptr_equal(catalog_function_at(*state, 2), catalog_function_of(*state, 16562));
}

static void
arguments_are_told_from_outputs(void **state)
{
	const struct cat_function *f = catalog_function_of(*state, 16560), *g = catalog_function_of(*state, 16561);

	assert_int_equal(f->nargs, 2);
	assert_int_equal(f->args[1], 25);
	assert_string_equal(f->arg_names[1], "b");
	assert_int_equal(f->nout, 0);
	assert_int_equal(f->ndefaults, 1);
	assert_string_equal(f->defaults, "'x'::text");
	assert_true(f->security_definer && !f->returns_set);
	assert_int_equal(g->nargs, 2);
	assert_int_equal(g->variadic, 25);
	assert_string_equal(g->arg_names[0], "");
	assert_string_equal(g->arg_names[1], "v");
	assert_int_equal(g->nout, 2);
	assert_int_equal(g->out_types[0], 20);
	assert_string_equal(g->out_names[1], "t");
	assert_string_equal(g->extension, "ext");
	assert_string_equal(g->language, "plpgsql");
	assert_null(catalog_function_of(*state, 16562)->arg_names);
}

static void
an_aggregate_has_its_support(void **state)
{
	const struct cat_function *f = catalog_function_of(*state, 16562);

	assert_int_equal(f->aggregate, 'n');
	assert_int_equal(f->nsupport, 2);
	assert_int_equal(f->support[0], 16560);
	assert_int_equal(f->state, 20);
	assert_int_equal(catalog_function_of(*state, 16560)->aggregate, 0);
}

static void
operators_are_found_by_name_and_oid(void **state)
{
	size_t n;
	const struct cat_operator *const *o = catalog_operators_named(*state, "+", &n);

	assert_int_equal(n, 2);
	assert_int_equal(o[0]->oid, 16570);
	assert_int_equal(o[1]->left, 0);
	assert_ptr_equal(o[1], catalog_operator_of(*state, 16571));
	assert_null(catalog_operators_named(*state, "++", &n));
}

static void
casts_and_classes_are_found_by_type(void **state)
{
	const struct cat_cast *const *users;
	const struct cat_opclass *const *classes;
	size_t n;

	assert_int_equal(catalog_cast(*state, 23, 16540)->function, 16560);
	assert_int_equal(catalog_cast(*state, 23, 25)->method, 'i');
	assert_null(catalog_cast(*state, 25, 25));
	users = catalog_user_casts(*state, &n);
	assert_int_equal(n, 1);
	assert_int_equal(users[0]->target, 16540);
	assert_true(catalog_has_user_opclasses(*state));
	classes = catalog_opclasses(*state, 16540, &n);
	assert_int_equal(n, 2);
	assert_true(classes[0]->btree && !classes[1]->btree);
	assert_int_equal(classes[1]->functions[0], 16561);
	assert_null(catalog_opclasses(*state, 25, &n));
	assert_int_equal(n, 0);
}

static void
a_catalog_knows_where_it_is_from(void **state)
{
	assert_int_equal(catalog_server_version(*state), 150020);
	assert_string_equal(catalog_database(*state), "shop");
	assert_string_equal(catalog_probe(*state), "");
	assert_string_equal(catalog_schema_name(*state, 16400), "Mixed \"Case\"");
	assert_string_equal(catalog_schema_name(*state, 1), "");
	assert_int_equal(catalog_namespace_named(*state, "public")->oid, 2200);
	assert_null(catalog_namespace_named(*state, "Public"));
	assert_true(catalog_bytes(*state) > 1000);
}

/* --- life ------------------------------------------------------------------------- */

static void
every_catalog_is_another_generation(void **state)
{
	char *text = text_with(NULL, NULL);
	struct catalog *a = parse(text), *b = parse(text);

	(void)state;
	assert_int_not_equal(catalog_generation(a), catalog_generation(b));
	assert_ptr_equal(catalog_ref(a), a);
	catalog_unref(a);
	assert_string_equal(catalog_database(a), "shop");
	catalog_unref(a);
	catalog_unref(b);
	catalog_unref(NULL);
	catalog_builder_free(NULL);
	free(text);
}

static void
a_catalog_of_nothing_answers_nothing(void **state)
{
	static const char *const database[] = { "130000", "5", "d" };
	struct catalog_builder *b = catalog_builder_new();
	struct catalog *c;
	struct err err;
	size_t n;

	(void)state;
	assert_true(catalog_builder_row(b, 0, database, 3, &err));
	catalog_builder_probe(b, "42");
	c = catalog_builder_finish(b, &err);
	assert_non_null(c);
	assert_string_equal(catalog_probe(c), "42");
	assert_null(catalog_relation_of(c, 0));
	assert_null(catalog_relation_named(c, 0, "t"));
	assert_null(catalog_functions_named(c, "f", &n));
	assert_null(catalog_cast(c, 1, 2));
	assert_null(catalog_opclasses(c, 1, &n));
	assert_false(catalog_has_user_opclasses(c));
	catalog_unref(c);
}

static void
what_is_dumped_is_what_is_loaded(void **state)
{
	static const char *const database[] = { "150020", "5", "a\"\\\n\x01\xe2\x82\xac" };
	struct sb text = { 0 };
	struct catalog *c;
	size_t i;

	(void)state;
	catalog_dump_begin(&text);
	for (i = 0; i < catalog_sections(); i++) {
		catalog_dump_section(&text, i, i == 0);
		if (i == 0)
			catalog_dump_row(&text, database, 3, true);
		catalog_dump_section_end(&text);
	}
	catalog_dump_end(&text);
	c = parse(sb_text(&text));
	assert_string_equal(catalog_database(c), database[2]);
	catalog_unref(c);
	sb_free(&text);
}

/* --- what is refused -------------------------------------------------------------- */

/* The small database with these rows in one section instead. */
static const struct bad_row {
	const char *name, *section, *rows, *error;
} bad_rows[] = {
	{ "no database", "database", "", "database: no row" },
	{ "two databases", "database", "[\"150020\",\"1\",\"a\"],[\"150020\",\"1\",\"a\"]",
	    "line 2: database: row 2: not in the order of the section, or twice" },
	{ "a server that is too old", "database", "[\"120000\",\"1\",\"a\"]",
	    "line 2: database: row 1: server_version: expected a whole number from 130000 to 999999, found 120000" },
	{ "a value too few", "namespaces", "[\"1\"]", "line 3: namespaces: row 1: expected 2 columns, found 1" },
	{ "a value too many", "namespaces", "[\"1\",\"a\",\"b\"]", "line 3: namespaces: more than 2 values in a row" },
	{ "an OID that is none", "namespaces", "[\"x\",\"a\"]", "line 3: namespaces: row 1: oid: expected an OID, found x" },
	{ "an OID with a sign", "namespaces", "[\"-1\",\"a\"]", "line 3: namespaces: row 1: oid: expected an OID, found -1" },
	{ "an OID past 32 bits", "namespaces", "[\"4294967296\",\"a\"]",
	    "line 3: namespaces: row 1: oid: expected an OID, found 4294967296" },
	{ "an OID with a zero in front", "namespaces", "[\"01\",\"a\"]",
	    "line 3: namespaces: row 1: oid: expected an OID, found 01" },
	{ "an OID with a blank", "namespaces", "[\"1 \",\"a\"]", "line 3: namespaces: row 1: oid: expected an OID, found 1 " },
	{ "an empty name", "namespaces", "[\"1\",\"\"]", "line 3: namespaces: row 1: name: expected a name, found " },
	{ "a name that is null", "namespaces", "[\"1\",null]", "line 3: namespaces: row 1: name: expected a name, found NULL" },
	{ "one object twice", "namespaces", "[\"5\",\"a\"],[\"5\",\"b\"]",
	    "line 3: namespaces: row 2: not in the order of the section, or twice" },
	{ "one name twice", "namespaces", "[\"5\",\"a\"],[\"6\",\"a\"]", "namespaces: two are named a" },
	{ "an unknown kind of relation", "relations", "[\"1\",\"2\",\"t\",\"x\",\"f\",\"f\",\"0\",\"0\",null]",
	    "line 4: relations: row 1: kind: expected one of the letters rpvmfStciI, found x" },
	{ "a flag that is a word", "relations", "[\"1\",\"2\",\"t\",\"r\",\"true\",\"f\",\"0\",\"0\",null]",
	    "line 4: relations: row 1: row_security: expected t or f, found true" },
	{ "two relations of one name", "relations",
	    "[\"1\",\"2\",\"t\",\"r\",\"f\",\"f\",\"0\",\"0\",null],[\"2\",\"2\",\"t\",\"i\",\"f\",\"f\",\"0\",\"0\",null]",
	    "relations: two are named t in one schema" },
	{ "a column before the first", "columns", "[\"16500\",\"0\",\"a\",\"23\",\"-1\",\"f\",\"f\",\"-\",null]",
	    "line 5: columns: row 1: number: expected a whole number from 1 to 32767, found 0" },
	{ "a column twice", "columns",
	    "[\"16500\",\"1\",\"a\",\"23\",\"-1\",\"f\",\"f\",\"-\",null],[\"16500\",\"1\",\"b\",\"23\",\"-1\",\"f\",\"f\",\"-\","
	    "null]",
	    "line 5: columns: row 2: not in the order of the section, or twice" },
	{ "columns of two tables mixed up", "columns",
	    "[\"16510\",\"1\",\"a\",\"23\",\"-1\",\"f\",\"f\",\"-\",null],[\"16500\",\"1\",\"b\",\"23\",\"-1\",\"f\",\"f\",\"-\","
	    "null]",
	    "line 5: columns: row 2: not in the order of the section, or twice" },
	{ "a relation that inherits from itself", "inheritance", "[\"16500\",\"16500\"]",
	    "inheritance: relation 16500 inherits from itself" },
	{ "a ring of parents", "inheritance", "[\"16500\",\"16510\"],[\"16510\",\"16520\"],[\"16520\",\"16500\"]",
	    "inheritance: relation 16500 inherits from itself" },
	{ "two definitions of a view", "views", "[\"16520\",\"a\"],[\"16520\",\"b\"]",
	    "line 7: views: row 2: not in the order of the section, or twice" },
	{ "a view's definition that is null", "views", "[\"16520\",null]",
	    "line 7: views: row 1: definition: expected a text, found NULL" },
	{ "a domain over itself", "types", "[\"5\",\"2\",\"d\",\"d\",\"N\",\"f\",\"0\",\"0\",\"5\",\"-1\",\"0\",\"\",null]",
	    "types: type 5 is made of itself" },
	{ "a ring of element and base", "types",
	    "[\"5\",\"2\",\"d\",\"d\",\"N\",\"f\",\"0\",\"0\",\"6\",\"-1\",\"0\",\"\",null],"
	    "[\"6\",\"2\",\"a\",\"b\",\"A\",\"f\",\"5\",\"0\",\"0\",\"-1\",\"0\",\"\",null]",
	    "types: type 5 is made of itself" },
	{ "a type with element and base", "types", "[\"5\",\"2\",\"d\",\"d\",\"N\",\"f\",\"7\",\"0\",\"6\",\"-1\",\"0\",\"\",null]",
	    "line 11: types: row 1: element and base: a type has one of them at most" },
	{ "a list of OIDs with two blanks", "types",
	    "[\"5\",\"2\",\"d\",\"d\",\"N\",\"f\",\"0\",\"0\",\"6\",\"-1\",\"0\",\"1  2\",null]",
	    "line 11: types: row 1: support: expected OIDs with a space between, found 1  2" },
	{ "a list of OIDs that ends early", "types",
	    "[\"5\",\"2\",\"d\",\"d\",\"N\",\"f\",\"0\",\"0\",\"6\",\"-1\",\"0\",\"1 2 \",null]",
	    "line 11: types: row 1: support: expected OIDs with a space between, found 1 2 " },
#define FUNCTION(rest) "[\"1\",\"2\",\"f\",\"f\",\"v\",\"f\",\"f\",\"sql\",\"25\",\"0\"," rest ",null,null]"
	{ "fewer inputs than arguments", "functions", FUNCTION("\"0\",\"23 23\",\"23 23\",\"io\",null"),
	    "line 13: functions: row 1: modes: not as many inputs as arguments" },
	{ "fewer types than modes", "functions", FUNCTION("\"0\",\"23\",\"23\",\"io\",null"),
	    "line 13: functions: row 1: all_arguments: not as many as modes" },
	{ "outputs without types", "functions", FUNCTION("\"0\",\"23\",null,\"io\",null"),
	    "line 13: functions: row 1: all_arguments: not as many as modes" },
	{ "more names than arguments", "functions", FUNCTION("\"0\",\"23\",null,null,\"[\\\"a\\\",\\\"b\\\"]\""),
	    "line 13: functions: row 1: names: not as many as arguments" },
	{ "names that are no array", "functions", FUNCTION("\"0\",\"23\",null,null,\"{a}\""),
	    "line 13: functions: row 1: names: expected a JSON array of names, found {a}" },
	{ "names that do not end", "functions", FUNCTION("\"0\",\"23\",null,null,\"[\\\"a\""),
	    "line 13: functions: row 1: names: expected a JSON array of names, found [\"a" },
	{ "an unknown mode", "functions", FUNCTION("\"0\",\"23\",\"23\",\"x\",null"),
	    "line 13: functions: row 1: modes: expected letters of iobvt, found x" },
	{ "more defaults than arguments", "functions", FUNCTION("\"2\",\"23\",null,null,null"),
	    "line 13: functions: row 1: ndefaults: more than arguments" },
	{ "an aggregate twice", "aggregates", "[\"16562\",\"n\",\"0\",\"\",\"20\",\"0\"],[\"16562\",\"n\",\"0\",\"\",\"20\",\"0\"]",
	    "line 14: aggregates: row 2: not in the order of the section, or twice" },
	{ "more direct arguments than arguments", "aggregates", "[\"16562\",\"o\",\"1\",\"\",\"20\",\"0\"]",
	    "line 14: aggregates: row 1: direct_arguments: more than arguments" },
	{ "a cast twice", "casts", "[\"1\",\"2\",\"0\",\"i\",\"i\"],[\"1\",\"2\",\"0\",\"i\",\"i\"]",
	    "line 16: casts: row 2: not in the order of the section, or twice" },
	{ "a number where a string should be", "casts", "[1]", "line 16: expected a string or null" },
	{ "an object where a string should be", "casts", "[{}]", "line 16: expected a string or null" },
	{ "a row that is no array", "casts", "{}", "line 16: expected \"[\"" },
	{ "an empty row", "casts", "[]", "line 16: expected a string or null" },
	{ "a comma too many", "casts", "[\"1\",\"2\",\"0\",\"i\",\"i\"],", "line 16: expected \"[\"" },
	{ "no comma", "casts", "[\"1\",\"2\",\"0\",\"i\",\"i\"] [\"1\"]", "line 16: expected \",\" or \"]\"" },
	{ "a NUL in a name", "namespaces", "[\"1\",\"a\\u0000b\"]", "line 3: a NUL character in a string" },
	{ "half a surrogate", "namespaces", "[\"1\",\"\\ud800\"]", "line 3: half of a surrogate pair" },
	{ "two high surrogates", "namespaces", "[\"1\",\"\\ud800\\ud800\"]", "line 3: half of a surrogate pair" },
	{ "a name that is not UTF-8", "namespaces", "[\"1\",\"\xc0\xaf\"]", "line 3: a string that is not UTF-8" },
	{ "an unknown escape", "namespaces", "[\"1\",\"\\x41\"]", "line 3: unknown escape in a string" },
	{ "a line end in a string", "namespaces", "[\"1\",\"a\nb\"]", "line 3: a control character in a string" },
};

static void
bad_row(void **state)
{
	const struct bad_row *row = *state;
	char *text = text_with(row->section, row->rows);
	struct err err = { "" };

	assert_null(catalog_parse(text, strlen(text), &err));
	assert_string_equal(err.text, row->error);
	free(text);
}

static const struct bad_text {
	const char *name, *text, *error;
} bad_texts[] = {
	{ "nothing", "", "line 1: expected \"{\"" },
	{ "another JSON file", "{\"version\": 1}", "line 1: expected \"pgmoat_catalog\"" },
	{ "an array", "[]", "line 1: expected \"{\"" },
	{ "a later format", "{\"pgmoat_catalog\": 2", "line 1: not a format that this version knows; dump it again" },
	{ "a format that begins like ours", "{\"pgmoat_catalog\": 12", "line 1: expected \",\"" },
	{ "sections in another order", "{\"pgmoat_catalog\": 1,\n\"sections\": {\"relations\": []",
	    "line 2: expected \"database\"" },
	{ "a file that was cut", "{\"pgmoat_catalog\": 1, \"sections\": {\"database\": [[\"1500",
	    "line 1: the text ends within a string" },
};

static void
bad_text(void **state)
{
	const struct bad_text *row = *state;
	struct err err = { "" };

	assert_null(catalog_parse(row->text, strlen(row->text), &err));
	assert_string_equal(err.text, row->error);
}

static void
a_file_cut_anywhere_is_refused(void **state)
{
	char *text = text_with(NULL, NULL);
	size_t i, n = strlen(text);
	struct err err;

	(void)state;
	for (i = 0; i < n; i++)
		if (catalog_parse(text, i, &err) != NULL)
			fail_msg("cut at %zu", i);
	free(text);
}

static void
something_behind_the_end_is_refused(void **state)
{
	char *text = text_with(NULL, NULL);
	struct sb more = { 0 };
	struct err err;

	(void)state;
	sb_fmt(&more, "%s x", text);
	assert_null(catalog_parse(sb_text(&more), more.len, &err));
	assert_string_equal(err.text, "line 17: something behind the end");
	sb_free(&more);
	free(text);
}

static void
sections_come_in_order(void **state)
{
	static const char *const space[] = { "1", "a" }, *const database[] = { "150020", "1", "a" };
	struct catalog_builder *b = catalog_builder_new();
	struct err err;

	(void)state;
	assert_true(catalog_builder_row(b, 1, space, 2, &err));
	assert_false(catalog_builder_row(b, 0, database, 3, &err));
	assert_string_equal(err.text, "database: out of order");
	assert_false(catalog_builder_row(b, 99, database, 3, &err));
	assert_string_equal(err.text, "unknown section: out of order");
	catalog_builder_free(b);
}

static void
a_file_that_is_not_there_is_named(void **state)
{
	struct err err;

	(void)state;
	assert_null(catalog_load("/nowhere/c.json", &err));
	assert_string_equal(err.text, "/nowhere/c.json: No such file or directory");
	assert_null(catalog_load("/", &err));
	assert_string_equal(err.text, "/: Is a directory");
}

/* --- size ------------------------------------------------------------------------- */

/* Many objects whose names collide in nothing but luck; every one is found. */
static void
ten_thousand_relations_are_all_found(void **state)
{
	static const char *const database[] = { "150020", "1", "big" };
	char oid[16], name[32];
	const char *relation[] = { oid, "2200", name, "r", "f", "f", "0", "0", NULL };
	const char *column[] = { oid, "1", "id", "23", "-1", "f", "f", "-", NULL };
	struct catalog_builder *b = catalog_builder_new();
	struct catalog *c;
	struct err err;
	unsigned i;

	(void)state;
	assert_true(catalog_builder_row(b, 0, database, 3, &err));
	for (i = 1; i <= 10000; i++) {
		snprintf(oid, sizeof(oid), "%u", i * 65536);
		snprintf(name, sizeof(name), "t%u", i);
		assert_true(catalog_builder_row(b, 2, relation, 9, &err));
	}
	for (i = 1; i <= 10000; i++) {
		snprintf(oid, sizeof(oid), "%u", i * 65536);
		assert_true(catalog_builder_row(b, 3, column, 9, &err));
	}
	c = catalog_builder_finish(b, &err);
	assert_non_null(c);
	for (i = 1; i <= 10000; i++) {
		snprintf(name, sizeof(name), "t%u", i);
		assert_int_equal(catalog_relation_named(c, 2200, name)->oid, i * 65536);
		assert_int_equal(catalog_relation_of(c, i * 65536)->ncolumns, 1);
	}
	assert_null(catalog_relation_of(c, 65535));
	assert_true(catalog_bytes(c) < (size_t)5 << 20);
	catalog_unref(c);
}

int
main(void)
{
	const struct CMUnitTest single[] = {
		cmocka_unit_test(a_relation_is_found_by_oid_and_by_name),
		cmocka_unit_test(a_relation_has_its_columns),
		cmocka_unit_test(parents_and_children_find_each_other),
		cmocka_unit_test(a_view_has_its_text_and_what_it_reads),
		cmocka_unit_test(policies_and_expressions_are_with_their_table),
		cmocka_unit_test(a_type_is_found_with_its_checks),
		cmocka_unit_test(overloads_stand_side_by_side),
		cmocka_unit_test(arguments_are_told_from_outputs),
		cmocka_unit_test(an_aggregate_has_its_support),
		cmocka_unit_test(operators_are_found_by_name_and_oid),
		cmocka_unit_test(casts_and_classes_are_found_by_type),
		cmocka_unit_test(a_catalog_knows_where_it_is_from),
	};
	struct CMUnitTest others[nitems(bad_rows) + nitems(bad_texts) + 8] = {
		cmocka_unit_test(every_catalog_is_another_generation),
		cmocka_unit_test(a_catalog_of_nothing_answers_nothing),
		cmocka_unit_test(what_is_dumped_is_what_is_loaded),
		cmocka_unit_test(a_file_cut_anywhere_is_refused),
		cmocka_unit_test(something_behind_the_end_is_refused),
		cmocka_unit_test(sections_come_in_order),
		cmocka_unit_test(a_file_that_is_not_there_is_named),
		cmocka_unit_test(ten_thousand_relations_are_all_found),
	};
	size_t i, n = 8;
	int failed;

	for (i = 0; i < nitems(bad_rows); i++)
		others[n++] = (struct CMUnitTest){
			.name = bad_rows[i].name, .test_func = bad_row, .initial_state = (void *)(uintptr_t)&bad_rows[i]
		};
	for (i = 0; i < nitems(bad_texts); i++)
		others[n++] = (struct CMUnitTest){
			.name = bad_texts[i].name, .test_func = bad_text, .initial_state = (void *)(uintptr_t)&bad_texts[i]
		};
	failed = cmocka_run_group_tests(single, make_small, drop_small);
	return cmocka_run_group_tests(others, NULL, NULL) + failed;
}
