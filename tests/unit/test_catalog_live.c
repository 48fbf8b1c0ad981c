/* tests/unit/test_catalog_live.c - a snapshot beside the server that it was taken from.
 *
 * tests/e2e/catalog.sh starts a server with the corpus' fixture, dumps it and
 * runs this with CATALOG_URL and CATALOG_FILE; without them everything is
 * skipped.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <libpq-fe.h>

#include "objects.h"

struct live {
	PGconn *conn;
	struct catalog *file;    /* as dumped */
	struct catalog *catalog; /* built of the server's rows right here */
};

static PGresult *
query(const struct live *l, const char *sql)
{
	PGresult *r = PQexec(l->conn, sql);

	if (PQresultStatus(r) != PGRES_TUPLES_OK && PQresultStatus(r) != PGRES_COMMAND_OK)
		fail_msg("%s: %s", sql, PQerrorMessage(l->conn));
	return r;
}

static uint32_t
oid_at(const PGresult *r, int row, int column)
{
	return (uint32_t)strtoul(PQgetvalue(r, row, column), NULL, 10);
}

/* The OID that one SELECT of one value gives. */
static uint32_t
oid(const struct live *l, const char *sql)
{
	PGresult *r = query(l, sql);
	uint32_t value = PQntuples(r) > 0 ? oid_at(r, 0, 0) : 0;

	PQclear(r);
	return value;
}

#define NOT_TEMP(namespace) namespace " NOT IN (SELECT oid FROM pg_namespace WHERE nspname ~ '^pg_(toast_)?temp_')"

/* --- set up ----------------------------------------------------------------------- */

static struct catalog *
build(const struct live *l)
{
	struct catalog_builder *b = catalog_builder_new();
	const char *values[32];
	struct err err;
	PGresult *r;
	size_t section;
	int row, i;

	PQclear(query(l, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"));
	PQclear(query(l, catalog_prologue()));
	for (section = 0; section < catalog_sections(); section++) {
		r = query(l, catalog_section_sql(section, PQserverVersion(l->conn)));
		for (row = 0; row < PQntuples(r); row++) {
			for (i = 0; i < PQnfields(r); i++)
				values[i] = PQgetisnull(r, row, i) ? NULL : PQgetvalue(r, row, i);
			if (!catalog_builder_row(b, section, values, (size_t)PQnfields(r), &err))
				fail_msg("%s", err.text);
		}
		PQclear(r);
	}
	r = query(l, catalog_probe_sql(PQserverVersion(l->conn)));
	catalog_builder_probe(b, PQgetvalue(r, 0, 0));
	PQclear(r);
	PQclear(query(l, "COMMIT"));
	return catalog_builder_finish(b, &err);
}

static int
set_up(void **state)
{
	static struct live live;
	const char *url = getenv("CATALOG_URL"), *file = getenv("CATALOG_FILE");
	struct err err;

	*state = &live;
	if (url == NULL || file == NULL)
		return 0;
	live.conn = PQconnectdb(url);
	if (PQstatus(live.conn) != CONNECTION_OK || (live.file = catalog_load(file, &err)) == NULL)
		return -1;
	live.catalog = build(&live);
	return live.catalog != NULL ? 0 : -1;
}

static int
tear_down(void **state)
{
	struct live *l = *state;

	catalog_unref(l->file);
	catalog_unref(l->catalog);
	PQfinish(l->conn);
	return 0;
}

static const struct live *
live(void **state)
{
	const struct live *l = *state;

	if (l->conn == NULL)
		skip();
	return l;
}

/* --- what the server says --------------------------------------------------------- */

static void
every_relation_is_found(void **state)
{
	const struct live *l = live(state);
	PGresult *r = query(l, "SELECT oid, relnamespace, relname, relkind, relnamespace::regnamespace FROM pg_class"
			       " WHERE relpersistence <> 't'");
	const struct cat_relation *found;
	int i;

	for (i = 0; i < PQntuples(r); i++) {
		found = catalog_relation_named(l->file, oid_at(r, i, 1), PQgetvalue(r, i, 2));
		assert_ptr_equal(found, catalog_relation_of(l->file, oid_at(r, i, 0)));
		assert_non_null(found);
		assert_int_equal(found->kind, PQgetvalue(r, i, 3)[0]);
	}
	assert_int_equal(catalog_relations(l->file), PQntuples(r));
	PQclear(r);
}

static void
every_column_is_found(void **state)
{
	const struct live *l = live(state);
	PGresult *r =
	    query(l, "SELECT attrelid, attname, attnum, atttypid, attnotnull, attgenerated FROM pg_attribute a"
		     " JOIN pg_class c ON c.oid = attrelid WHERE attnum > 0 AND NOT attisdropped AND relpersistence <> 't'"
		     " AND relkind NOT IN ('i', 'I', 't')");
	const struct cat_column *found;
	size_t n = 0, k;
	int i;

	for (i = 0; i < PQntuples(r); i++) {
		found = relation_column(catalog_relation_of(l->file, oid_at(r, i, 0)), PQgetvalue(r, i, 1));
		assert_non_null(found);
		assert_int_equal(found->number, oid_at(r, i, 2));
		assert_int_equal(found->type, oid_at(r, i, 3));
		assert_int_equal(found->not_null, PQgetvalue(r, i, 4)[0] == 't');
		assert_int_equal(found->generated, PQgetvalue(r, i, 5)[0]);
	}
	for (k = 0; k < catalog_relations(l->file); k++)
		n += catalog_relation_at(l->file, k)->ncolumns;
	assert_int_equal(n, PQntuples(r));
	PQclear(r);
}

static bool
is_among(const struct catalog *c, const struct cat_function *f)
{
	size_t i, n;
	const struct cat_function *const *all = catalog_functions_named(c, f->name, &n);

	for (i = 0; i < n && all[i] != f; i++)
		;
	return i < n;
}

/* As oidvector prints. */
static void
assert_oids(const uint32_t *oids, size_t n, const char *text)
{
	struct sb found = { 0 };
	size_t i;

	for (i = 0; i < n; i++)
		sb_fmt(&found, "%s%u", i > 0 ? " " : "", oids[i]);
	assert_string_equal(sb_text(&found), text);
	sb_free(&found);
}

static void
every_function_is_found(void **state)
{
	const struct live *l = live(state);
	PGresult *r =
	    query(l, "SELECT p.oid, proname, proargtypes, provolatile, lanname, prokind, pronargdefaults, coalesce(extname, ''),"
		     " proargdefaults IS NULL, array_to_string(ARRAY(SELECT t FROM unnest(proallargtypes, proargmodes) u(t, m)"
		     " WHERE m IN ('o', 'b', 't')), ' '), prosecdef FROM pg_proc p JOIN pg_language l ON l.oid = prolang"
		     " LEFT JOIN pg_depend d ON d.objid = p.oid AND classid = 'pg_proc'::regclass AND deptype = 'e'"
		     " LEFT JOIN pg_extension e ON e.oid = refobjid WHERE " NOT_TEMP("pronamespace"));
	const struct cat_function *f;
	int i;

	for (i = 0; i < PQntuples(r); i++) {
		f = catalog_function_of(l->file, oid_at(r, i, 0));
		assert_non_null(f);
		assert_string_equal(f->name, PQgetvalue(r, i, 1));
		assert_true(is_among(l->file, f));
		assert_oids(f->args, f->nargs, PQgetvalue(r, i, 2));
		assert_int_equal(f->volatility, PQgetvalue(r, i, 3)[0]);
		assert_string_equal(f->language, PQgetvalue(r, i, 4));
		assert_int_equal(f->kind, PQgetvalue(r, i, 5)[0]);
		assert_int_equal(f->aggregate != 0, f->kind == 'a');
		assert_int_equal(f->ndefaults, oid_at(r, i, 6));
		assert_string_equal(f->extension != NULL ? f->extension : "", PQgetvalue(r, i, 7));
		assert_int_equal(f->defaults == NULL, PQgetvalue(r, i, 8)[0] == 't');
		assert_oids(f->out_types, f->nout, PQgetvalue(r, i, 9));
		assert_int_equal(f->security_definer, PQgetvalue(r, i, 10)[0] == 't');
	}
	assert_int_equal(catalog_functions(l->file), PQntuples(r));
	PQclear(r);
}

static void
every_type_is_found(void **state)
{
	const struct live *l = live(state);
	PGresult *r = query(l, "SELECT oid, typnamespace, typname, typtype, typarray, typbasetype, typrelid,"
			       " coalesce((SELECT oid FROM pg_type e WHERE e.typarray = t.oid), 0) FROM pg_type t"
			       " WHERE " NOT_TEMP("typnamespace"));
	const struct cat_type *t;
	uint32_t element;
	int i;

	for (i = 0; i < PQntuples(r); i++) {
		t = catalog_type_named(l->file, oid_at(r, i, 1), PQgetvalue(r, i, 2));
		assert_ptr_equal(t, catalog_type_of(l->file, oid_at(r, i, 0)));
		assert_non_null(t);
		assert_int_equal(t->kind, PQgetvalue(r, i, 3)[0]);
		assert_int_equal(t->array, oid_at(r, i, 4));
		if (t->kind == 'd')
			assert_int_equal(t->base, oid_at(r, i, 5));
		assert_int_equal(t->relation, oid_at(r, i, 6));
		if ((element = oid_at(r, i, 7)) != 0)
			assert_int_equal(t->element, element);
	}
	assert_int_equal(catalog_types(l->file), PQntuples(r));
	PQclear(r);
}

static void
every_operator_and_cast_is_found(void **state)
{
	const struct live *l = live(state);
	PGresult *r = query(l, "SELECT oid, oprname, oprleft, oprright, oprcode::oid FROM pg_operator");
	const struct cat_operator *o;
	int i;

	for (i = 0; i < PQntuples(r); i++) {
		o = catalog_operator_of(l->file, oid_at(r, i, 0));
		assert_non_null(o);
		assert_string_equal(o->name, PQgetvalue(r, i, 1));
		assert_int_equal(o->left, oid_at(r, i, 2));
		assert_int_equal(o->right, oid_at(r, i, 3));
		assert_int_equal(o->function, oid_at(r, i, 4));
	}
	PQclear(r);
	r = query(l, "SELECT castsource, casttarget, castfunc FROM pg_cast");
	for (i = 0; i < PQntuples(r); i++)
		assert_int_equal(catalog_cast(l->file, oid_at(r, i, 0), oid_at(r, i, 1))->function, oid_at(r, i, 2));
	PQclear(r);
}

/* --- the fixture ------------------------------------------------------------------ */

static const struct cat_relation *
relation(const struct live *l, const char *name)
{
	const struct cat_relation *r = catalog_relation_named(l->file, catalog_namespace_named(l->file, "public")->oid, name);

	assert_non_null(r);
	return r;
}

static bool
reads_column(const struct cat_relation *view, const struct cat_relation *of, const char *column)
{
	size_t i;

	for (i = 0; i < view->ndepends; i++)
		if (view->depends[i].relation == of->oid && view->depends[i].column == relation_column(of, column)->number)
			return true;
	return false;
}

static void
a_view_knows_the_columns_it_reads(void **state)
{
	const struct live *l = live(state);
	const struct cat_relation *users = relation(l, "users");

	assert_true(reads_column(relation(l, "v_contacts"), users, "ssn"));
	assert_false(reads_column(relation(l, "v_active_users"), users, "ssn"));
	assert_true(reads_column(relation(l, "v_rule"), relation(l, "payroll"), "mark"));
	assert_true(reads_column(relation(l, "mv_payroll"), relation(l, "payroll"), "salary"));
	assert_non_null(strstr(relation(l, "v_contacts")->definition, "FROM public.users"));
	assert_null(users->definition);
}

static void
tables_have_policies_children_and_their_toast(void **state)
{
	const struct live *l = live(state);
	const struct cat_relation *tickets = relation(l, "tickets"), *toast;

	assert_true(tickets->row_security);
	assert_int_equal(tickets->npolicies, 1);
	assert_string_equal(tickets->policies[0], "public.rls_ok(owner)");
	toast = catalog_relation_of(l->file, oid(l, "SELECT reltoastrelid FROM pg_class WHERE oid = 'public.users'::regclass"));
	assert_int_equal(toast->kind, 't');
	assert_int_equal(toast->of, relation(l, "users")->oid);
	assert_int_equal(relation(l, "users_pkey")->of, relation(l, "users")->oid);
	assert_int_equal(catalog_relation_of(l->file, oid(l, "SELECT inhparent FROM pg_inherits LIMIT 1"))->has_children, 1);
}

static void
hidden_calls_are_there(void **state)
{
	const struct live *l = live(state);
	const struct cat_type *audited = catalog_type_of(l->file, oid(l, "SELECT 'public.audited'::regtype::oid"));
	uint32_t key = oid(l, "SELECT 'public.ckey'::regtype::oid"), note = oid(l, "SELECT 'public.note_final'::regproc::oid");
	const struct cat_function *tally = catalog_function_of(l->file, oid(l, "SELECT 'public.tally'::regproc::oid"));
	size_t i, n;

	assert_int_equal(audited->nchecks, 1);
	assert_non_null(strstr(audited->checks[0], "public.note_bool("));
	assert_int_equal(catalog_type_of(l->file, oid(l, "SELECT 'public.audited_range'::regtype::oid"))->base, audited->oid);
	assert_non_null(catalog_opclasses(l->file, key, &n));
	assert_int_equal(n, 2);
	for (i = 0; i < tally->nsupport && tally->support[i] != note; i++)
		;
	assert_true(i < tally->nsupport);
	assert_int_equal(catalog_cast(l->file, 23, oid(l, "SELECT 'public.loud'::regtype::oid"))->context, 'i');
	assert_non_null(catalog_user_casts(l->file, &n));
	assert_int_equal(n, oid(l, "SELECT count(*) FROM pg_cast WHERE castfunc >= 16384"));
	assert_string_equal(catalog_function_of(l->file, oid(l, "SELECT 'public.similarity'::regproc::oid"))->extension, "pg_trgm");
}

/* --- file and server -------------------------------------------------------------- */

static bool
same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool
same_texts(const char *const *a, const char *const *b, size_t n)
{
	size_t i;

	for (i = 0; i < n && same_text(a[i], b[i]); i++)
		;
	return i == n;
}

static bool
same_bytes(const void *a, const void *b, size_t n)
{
	return n == 0 || memcmp(a, b, n) == 0;
}

static bool
same_relation(const struct cat_relation *a, const struct cat_relation *b)
{
	size_t i;

	if (a->oid != b->oid || !same_text(a->name, b->name) || a->namespace != b->namespace || a->kind != b->kind ||
	    a->type != b->type || a->of != b->of || !same_text(a->definition, b->definition) ||
	    !same_text(a->extension, b->extension) || a->ncolumns != b->ncolumns || a->ndepends != b->ndepends ||
	    a->npolicies != b->npolicies || a->nparents != b->nparents || a->nchildren != b->nchildren)
		return false;
	for (i = 0; i < a->ncolumns; i++)
		if (!same_text(a->columns[i].name, b->columns[i].name) || a->columns[i].type != b->columns[i].type ||
		    a->columns[i].typmod != b->columns[i].typmod || !same_text(a->columns[i].expression, b->columns[i].expression))
			return false;
	for (i = 0; i < a->ndepends; i++)
		if (a->depends[i].relation != b->depends[i].relation || a->depends[i].column != b->depends[i].column)
			return false;
	return same_texts(a->policies, b->policies, a->npolicies) &&
	       same_bytes(a->parents, b->parents, a->nparents * sizeof(*a->parents)) &&
	       same_bytes(a->children, b->children, a->nchildren * sizeof(*a->children));
}

static bool
same_function(const struct cat_function *a, const struct cat_function *b)
{
	return a->oid == b->oid && same_text(a->name, b->name) && a->nargs == b->nargs &&
	       same_bytes(a->args, b->args, a->nargs * sizeof(*a->args)) && (a->arg_names == NULL) == (b->arg_names == NULL) &&
	       (a->arg_names == NULL || same_texts(a->arg_names, b->arg_names, a->nargs)) && same_text(a->defaults, b->defaults) &&
	       a->nsupport == b->nsupport && same_bytes(a->support, b->support, a->nsupport * sizeof(*a->support)) &&
	       a->nout == b->nout && (a->out_names == NULL || same_texts(a->out_names, b->out_names, a->nout));
}

static void
the_file_is_what_the_server_shows(void **state)
{
	const struct live *l = live(state);
	const struct cat_type *a, *b;
	size_t i;

	assert_string_equal(catalog_database(l->file), catalog_database(l->catalog));
	assert_int_equal(catalog_server_version(l->file), PQserverVersion(l->conn));
	assert_int_equal(catalog_relations(l->file), catalog_relations(l->catalog));
	for (i = 0; i < catalog_relations(l->file); i++)
		if (!same_relation(catalog_relation_at(l->file, i), catalog_relation_at(l->catalog, i)))
			fail_msg("relation %s", catalog_relation_at(l->file, i)->name);
	assert_int_equal(catalog_functions(l->file), catalog_functions(l->catalog));
	for (i = 0; i < catalog_functions(l->file); i++)
		if (!same_function(catalog_function_at(l->file, i), catalog_function_at(l->catalog, i)))
			fail_msg("function %s", catalog_function_at(l->file, i)->name);
	assert_int_equal(catalog_types(l->file), catalog_types(l->catalog));
	for (i = 0; i < catalog_types(l->file); i++) {
		a = catalog_type_at(l->file, i);
		b = catalog_type_at(l->catalog, i);
		assert_string_equal(a->name, b->name);
		assert_int_equal(a->nchecks, b->nchecks);
		assert_true(same_texts(a->checks, b->checks, a->nchecks));
		assert_int_equal(a->nsupport, b->nsupport);
	}
	assert_true(catalog_probe(l->catalog)[0] != '\0');
}

/* --- the probe -------------------------------------------------------------------- */

static char *
probe(const struct live *l)
{
	PGresult *r = query(l, catalog_probe_sql(PQserverVersion(l->conn)));
	char *text = xstrdup(PQgetvalue(r, 0, 0));

	PQclear(r);
	return text;
}

static void
run(const struct live *l, const char *sql)
{
	PQclear(query(l, sql));
}

/* Both versions of the row are of one xmin. */
static void
a_second_change_within_a_transaction_is_noticed(void **state)
{
	const struct live *l = live(state);
	char *first, *second;

	run(l, "BEGIN; ALTER TABLE public.users RENAME COLUMN email TO email2");
	first = probe(l);
	run(l, "ALTER TABLE public.users RENAME COLUMN email2 TO email3");
	second = probe(l);
	run(l, "ROLLBACK");
	assert_string_not_equal(first, second);
	free(first);
	free(second);
}

/* Not even while they are there. */
static void
temporary_objects_of_others_do_not_matter(void **state)
{
	const struct live *l = live(state);
	PGconn *other = PQconnectdb(getenv("CATALOG_URL"));
	char *first = probe(l), *second;

	PQclear(PQexec(other, "CREATE TEMP TABLE mine (id serial PRIMARY KEY, note text); CREATE TEMP VIEW seen AS TABLE mine;"
			      "CREATE TEMP TABLE child () INHERITS (mine); CREATE TYPE pg_temp.t AS (v int);"
			      "CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql AS 'SELECT 1'"));
	assert_string_equal(PQerrorMessage(other), "");
	second = probe(l);
	assert_string_equal(first, second);
	PQfinish(other);
	free(first);
	free(second);
}

/* Whatever a client has put before pg_catalog. */
static void
the_probe_does_not_look_at_the_path(void **state)
{
	const struct live *l = live(state);
	char *first, *second;

	run(l, "BEGIN; CREATE SCHEMA evil; CREATE FUNCTION evil.no(oid, oid) RETURNS boolean LANGUAGE sql AS 'SELECT 1/0 > 0';"
	       "CREATE OPERATOR evil.= (LEFTARG = oid, RIGHTARG = oid, FUNCTION = evil.no);"
	       "CREATE FUNCTION evil.no(\"char\", \"char\") RETURNS boolean LANGUAGE sql AS 'SELECT 1/0 > 0';"
	       "CREATE OPERATOR evil.= (LEFTARG = \"char\", RIGHTARG = \"char\", FUNCTION = evil.no);"
	       "CREATE FUNCTION evil.count() RETURNS int LANGUAGE sql AS 'SELECT 1/0';"
	       "CREATE TEMP TABLE pg_class (oid oid, relpersistence \"char\")");
	first = probe(l);
	run(l, "SET LOCAL search_path = evil, pg_temp, pg_catalog");
	second = probe(l);
	run(l, "ROLLBACK");
	assert_string_equal(first, second);
	free(first);
	free(second);
}

/* Under the prologue the same holds for the sections. */
static void
the_sections_do_not_look_at_the_path(void **state)
{
	const struct live *l = live(state);
	PGresult *r;
	size_t i;

	run(l, "BEGIN; CREATE TEMP TABLE pg_class (oid oid); CREATE TEMP TABLE pg_namespace (oid oid);"
	       "CREATE TEMP TABLE pg_type (oid oid); SET LOCAL search_path = pg_temp, public, pg_catalog");
	run(l, catalog_prologue());
	for (i = 0; i < catalog_sections(); i++) {
		r = query(l, catalog_section_sql(i, PQserverVersion(l->conn)));
		assert_true(PQntuples(r) > 0 || strcmp(catalog_section_name(i), "expressions") == 0);
		PQclear(r);
	}
	r = query(l, catalog_section_sql(2, PQserverVersion(l->conn)));
	assert_int_equal(PQntuples(r), catalog_relations(l->catalog));
	PQclear(r);
	run(l, "ROLLBACK");
}

/* What planning works out is kept where it calls something of a user's. */
static void
expressions_that_planning_runs_are_there(void **state)
{
	const struct live *l = live(state);
	const struct cat_relation *r;
	struct catalog *c;

	run(l, "CREATE FUNCTION public.folded(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1';"
	       "CREATE TABLE public.planned (id int CHECK (id > public.folded(3)), CHECK (id < 1000)) ;"
	       "CREATE INDEX ON public.planned (public.folded(1), (id + 1)) WHERE id > public.folded(2);"
	       "CREATE STATISTICS public.planned_s ON (public.folded(4) + id), (id + 2) FROM public.planned;"
	       "CREATE INDEX ON public.planned ((id + 5))");
	c = build(l);
	r = catalog_relation_named(c, 2200, "planned");
	assert_int_equal(r->nexpressions, 5);
	run(l, "DROP TABLE public.planned; DROP FUNCTION public.folded(int)");
	catalog_unref(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_relation_is_found),
		cmocka_unit_test(every_column_is_found),
		cmocka_unit_test(every_function_is_found),
		cmocka_unit_test(every_type_is_found),
		cmocka_unit_test(every_operator_and_cast_is_found),
		cmocka_unit_test(a_view_knows_the_columns_it_reads),
		cmocka_unit_test(tables_have_policies_children_and_their_toast),
		cmocka_unit_test(hidden_calls_are_there),
		cmocka_unit_test(the_file_is_what_the_server_shows),
		cmocka_unit_test(a_second_change_within_a_transaction_is_noticed),
		cmocka_unit_test(temporary_objects_of_others_do_not_matter),
		cmocka_unit_test(the_probe_does_not_look_at_the_path),
		cmocka_unit_test(the_sections_do_not_look_at_the_path),
		cmocka_unit_test(expressions_that_planning_runs_are_there),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
