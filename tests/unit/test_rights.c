/* tests/unit/test_rights.c - names, inheritance, functions and types of a catalog made by hand, under several policies.
 *
 * What bodies lead to is in test_rights_relation.c, over the catalog of a real server.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rights.h"

#define PROFILE(members) "{\"version\":1,\"profiles\":{\"a\":{" members "}}}"

/* Rows of the sections, fields between blanks; ~ is NULL, - is an empty text. */
static const struct section {
	const char *name;
	const char *rows[64];
} sections[] = {
	{ "database", { "150020 5 shop" } },
	{ "namespaces", { "11 pg_catalog", "99 pg_toast", "2200 public", "13000 information_schema", "20000 secret", "20001 ext",
			    "20002 Odd" } },
	{ "relations",
	    {
		"1259 11 pg_class r f f 83 0 ~",
		"1260 11 pg_authid r f f 0 0 ~",
		"30000 2200 orders r f f 30100 0 ~",
		"30001 2200 payroll r f f 30101 0 ~",
		"30002 20000 keys r f f 30102 0 ~",
		"30003 2200 hr_base r f f 30103 0 ~",
		"30004 2200 orders_pkey i f f 0 30000 ~",
		"30005 2200 payroll_pkey i f f 0 30001 ~",
		"30006 99 pg_toast_30001 t f f 0 30001 ~",
		"30007 2200 events p f f 30107 0 ~",
		"30008 2200 events_1 r f t 30108 0 ~",
		"30009 20000 events_x r f t 30109 0 ~",
		"30010 2200 sales p f f 30110 0 ~",
		"30011 2200 sales_1 p f t 30111 0 ~",
		"30012 2200 sales_1_1 r f t 30112 0 ~",
		"30013 2200 ft f f f 30113 0 ~",
		"30014 2200 logs p f f 30114 0 ~",
		"30015 2200 logs_1 f f t 30115 0 ~",
		"30016 20001 orders r f f 30116 0 ~",
		"30017 2200 pg_class r f f 30117 0 ~",
		"30018 2200 payroll_id_seq S f f 0 30001 ~",
		"30019 2200 payroll_old r f f 30119 0 ~",
		"30020 2200 pair c f f 30120 0 ~",
		"30021 20002 Table r f f 30121 0 ~",
	    } },
	{ "columns",
	    {
		"1259 1 relname 19 -1 t f - ~",
		"1259 2 relpartbound 194 -1 f f - ~",
		"30000 1 id 23 -1 t f - ~",
		"30001 1 id 23 -1 t f - ~",
		"30001 2 mark 25 -1 t f - ~",
		"30003 1 id 23 -1 t f - ~",
		"30003 2 mark 25 -1 t f - ~",
		"30007 1 at 23 -1 t f - ~",
		"30008 1 at 23 -1 t f - ~",
		"30009 1 at 23 -1 t f - ~",
		"30010 1 id 23 -1 t f - ~",
		"30010 2 memo 25 -1 t f - ~",
		"30011 1 id 23 -1 t f - ~",
		"30011 2 memo 25 -1 t f - ~",
		"30012 1 id 23 -1 t f - ~",
		"30012 2 memo 25 -1 t f - ~",
		"30020 1 a 23 -1 f f - ~",
		"30020 2 b 30203 -1 f f - ~",
	    } },
	{ "inheritance",
	    { "30001 30003", "30008 30007", "30009 30007", "30011 30010", "30012 30011", "30015 30014", "30019 30001" } },
	{ "views", { NULL } },
	{ "depends", { NULL } },
	{ "policies", { NULL } },
	{ "expressions", { NULL } },
	{ "types",
	    {
		"16 11 bool b B t 0 1000 0 -1 0 - ~",
		"23 11 int4 b N f 0 1007 0 -1 0 - ~",
		"25 11 text b S t 0 1009 0 -1 0 - ~",
		"701 11 float8 b N t 0 1022 0 -1 0 - ~",
		"1007 11 _int4 b A f 23 0 0 -1 0 - ~",
		"1009 11 _text b A f 25 0 0 -1 0 - ~",
		"1022 11 _float8 b A f 701 0 0 -1 0 - ~",
		"1042 11 bpchar b S f 0 0 0 -1 0 - ~",
		"1043 11 varchar b S f 0 0 0 -1 0 - ~",
		"1184 11 timestamptz b D t 0 0 0 -1 0 - ~",
		"1700 11 numeric b N f 0 0 0 -1 0 - ~",
		"30100 2200 orders c C f 0 0 0 -1 30000 - ~",
		"30101 2200 payroll c C f 0 30151 0 -1 30001 - ~",
		"30120 2200 pair c C f 0 0 0 -1 30020 - ~",
		"30151 2200 _payroll b A f 30101 0 0 -1 0 - ~",
		"30200 20000 level e E f 0 30201 0 -1 0 - ~",
		"30201 20000 _level b A f 30200 0 0 -1 0 - ~",
		"30202 2200 mood e E f 0 0 0 -1 0 - ~",
		"30203 2200 plain d N f 0 0 23 -1 0 - ~",
		"30204 2200 over d S f 0 0 30200 -1 0 - ~",
		"30205 2200 levels r R f 0 0 30200 -1 0 - ~",
		"30206 20001 citext b S f 0 0 0 -1 0 40020 citext",
		"30207 2200 homemade b U f 0 0 0 -1 0 40021 ~",
		"30208 2200 scripted b U f 0 0 0 -1 0 40022 ~",
		"30209 20002 Type e E f 0 0 0 -1 0 - ~",
	    } },
	{ "domain_checks", { NULL } },
	{ "functions",
	    {
		"870 11 lower f i f f internal 25 0 0 25 ~ ~ ~ ~ ~",
		"1574 11 nextval f v f f internal 20 0 0 2205 ~ ~ ~ ~ ~",
		"1598 11 random f v f f internal 701 0 0 - ~ ~ ~ ~ ~",
		"2108 11 sum a i f f internal 20 0 0 23 ~ ~ ~ ~ ~",
		"2624 11 pg_read_file f v f f internal 25 0 0 25 ~ ~ ~ ~ ~",
		"750 11 array_in f s f f internal 2277 0 0 2275,26,23 ~ ~ ~ ~ ~",
		"3974 11 percentile_cont a i f f internal 701 0 0 701,701 ~ ~ ~ ~ ~",
		"9000 11 brand_new f i f f internal 25 0 0 25 ~ ~ ~ ~ ~",
		"40000 2200 cents f i f f sql 20 0 0 1700 ~ ~ ~ ~ ~",
		"40001 2200 cents f i f f sql 20 0 0 25 ~ ~ ~ ~ ~",
		"40002 2200 label f v f f sql 25 0 0 25,25 ~ ~ ~ ~ ~",
		"40003 20000 peek f s f f sql 25 0 0 - ~ ~ ~ ~ ~",
		"40004 2200 native f i f f c 25 0 0 25 ~ ~ ~ ~ ~",
		"40005 2200 native_volatile f v f f c 25 0 0 25 ~ ~ ~ ~ ~",
		"40006 20001 similarity f i f f c 700 0 0 25,25 ~ ~ ~ ~ pg_trgm",
		"40007 20001 set_limit f v f f c 700 0 0 700 ~ ~ ~ ~ pg_trgm",
		"40008 20001 uuid_generate_v4 f v f f c 2950 0 0 - ~ ~ ~ ~ uuid-ossp",
		"40009 20001 dblink f v t f c 2249 0 0 25,25 ~ ~ ~ ~ dblink",
		"40010 20001 dblink_fetch f s t f c 2249 0 0 25,23 ~ ~ ~ ~ dblink",
		"40011 2200 own_sum a i f f internal 20 0 0 23 ~ ~ ~ ~ ~",
		"40012 2200 own_state f i f f sql 20 0 0 20,23 ~ ~ ~ ~ ~",
		"40013 2200 bad_sum a i f f internal 20 0 0 23 ~ ~ ~ ~ ~",
		"40014 2200 bad_final f v f f plpgsql 20 0 0 20 ~ ~ ~ ~ ~",
		"40015 2200 state_sum a i f f internal 20 0 0 23 ~ ~ ~ ~ ~",
		"40016 2200 many f i f f sql 25 25 0 1009 1009 v ~ ~ ~",
		"40017 2200 when_ f i f f sql 25 0 0 1184,701,23 ~ ~ ~ ~ ~",
		"40018 2200 of_level f i f f sql 25 0 0 30200 ~ ~ ~ ~ ~",
		"40019 20001 new_in_version f v f f c 25 0 0 25 ~ ~ ~ ~ pg_trgm",
		"40020 20001 citextin f i f f internal 30206 0 0 2275 ~ ~ ~ ~ citext",
		"40021 2200 homemade_in f i f f c 30207 0 0 2275 ~ ~ ~ ~ ~",
		"40022 2200 scripted_in f i f f plpgsql 30208 0 0 2275 ~ ~ ~ ~ ~",
		"40023 2200 of_odd f i f f sql 25 0 0 30209 ~ ~ ~ ~ ~",
		"40024 2200 dblink f s f f sql 25 0 0 25 ~ ~ ~ ~ ~",
		"40025 2200 dblink_exec f s f f c 25 0 0 25 ~ ~ ~ ~ ~",
	    } },
	{ "aggregates",
	    {
		"2108 n 0 - 20 0",
		"3974 o 1 - 20 0",
		"40011 n 0 870 20 0",
		"40013 n 0 870,40014 20 0",
		"40015 n 0 40012 20 0",
	    } },
	{ "operators", { NULL } },
	{ "casts", { NULL } },
	{ "opclasses", { NULL } },
};

/* --- the catalog ------------------------------------------------------------ */

static void
add_row(struct catalog_builder *b, size_t section, const char *row)
{
	char copy[256], *fields[24], *rest = copy;
	struct err err = { "" };
	size_t n = 0;

	snprintf(copy, sizeof(copy), "%s", row);
	while (rest != NULL) {
		char *field = strsep(&rest, " ");

		for (char *comma = field; (comma = strchr(comma, ',')) != NULL;)
			*comma = ' ';
		fields[n++] = strcmp(field, "~") == 0 ? NULL : strcmp(field, "-") == 0 ? field + 1 : field;
	}
	if (strcmp(catalog_section_name(section), "columns") == 0) /* "-" is a value there */
		fields[7] = (char *)(uintptr_t) "-";
	if (!catalog_builder_row(b, section, (const char *const *)fields, n, &err))
		fail_msg("%s: %s: %s", catalog_section_name(section), row, err.text);
}

static int
compare_rows(const void *a, const void *b)
{
	const long x = strtol(*(const char *const *)a, NULL, 10), y = strtol(*(const char *const *)b, NULL, 10);

	return (x > y) - (x < y);
}

static struct catalog *
make_catalog(void)
{
	struct catalog_builder *b = catalog_builder_new();
	struct err err = { "" };
	struct catalog *c;

	for (size_t s = 0; s < catalog_sections(); s++)
		for (size_t i = 0; i < nitems(sections); i++) {
			const char *rows[64];
			size_t n = 0;

			if (strcmp(sections[i].name, catalog_section_name(s)) != 0)
				continue;
			for (; n < nitems(rows) && sections[i].rows[n] != NULL; n++)
				rows[n] = sections[i].rows[n];
			if (strcmp(sections[i].name, "functions") == 0)
				qsort(rows, n, sizeof(rows[0]), compare_rows);
			for (size_t row = 0; row < n; row++)
				add_row(b, s, rows[row]);
		}
	if ((c = catalog_builder_finish(b, &err)) == NULL)
		fail_msg("%s", err.text);
	return c;
}

static struct rights *
rights_of(const char *profile, const char *path)
{
	char text[2048];
	struct sb errors = { 0 };
	struct policy *p;
	struct catalog *c = make_catalog();
	struct rights *r;

	snprintf(text, sizeof(text), PROFILE("%s"), profile);
	p = policy_parse("f", text, strlen(text), &errors);
	assert_string_equal(sb_text(&errors), "");
	sb_free(&errors);
	r = rights_new(p, policy_default_profile(p), c, path);
	policy_unref(p);
	catalog_unref(c);
	return r;
}

/* --- finding relations -------------------------------------------------------- */

static const struct find_row {
	const char *name, *path, *schema, *relation;
	uint32_t oid; /* 0: not there */
} find_rows[] = {
	{ "a table of public", NULL, NULL, "orders", 30000 },
	{ "by its schema", NULL, "ext", "orders", 30016 },
	{ "an empty schema is none", NULL, "", "orders", 30000 },
	{ "nothing of that name", NULL, NULL, "order", 0 },
	{ "no such schema", NULL, "nowhere", "orders", 0 },
	{ "names are exact", NULL, NULL, "Orders", 0 },
	{ "a temporary schema is in no catalog", NULL, "pg_temp", "orders", 0 },
	{ "pg_catalog comes first", NULL, NULL, "pg_class", 1259 },
	{ "unless it is written behind", "public, pg_catalog", NULL, "pg_class", 30017 },
	{ "the first schema of the path", "ext, public", NULL, "orders", 30016 },
	{ "the second, where the first has none", "ext,public", NULL, "payroll", 30001 },
	{ "what is not in the path is not found", "ext", NULL, "payroll", 0 },
	{ "blanks do not matter", "  ext  ,\tpublic ", NULL, "orders", 30016 },
	{ "unquoted names are folded", "EXT", NULL, "orders", 30016 },
	{ "quoted ones are not", "\"EXT\", public", NULL, "orders", 30000 },
	{ "a quoted name", "\"Odd\"", NULL, "Table", 30021 },
	{ "schemas that are not there are passed over", "nowhere, ext", NULL, "orders", 30016 },
	{ "the user's own schema is not known", "\"$user\", public", NULL, "orders", 30000 },
	{ "temporary tables come from elsewhere", "pg_temp, public", NULL, "orders", 30000 },
	{ "an empty path still has pg_catalog", "", NULL, "pg_class", 1259 },
	{ "and nothing else", "", NULL, "orders", 0 },
	{ "so has an empty name", "\"\"", NULL, "orders", 0 },
	{ "a quote that does not end is no name", "\"ext", NULL, "orders", 0 },
	{ "what stands before what cannot be read holds", "ext; public", NULL, "orders", 0 },
};

static void
find_row(void **state)
{
	const struct find_row *row = *state;
	struct rights *r = rights_of("", row->path);
	const struct cat_relation *rel = rights_find_relation(r, row->schema, row->relation);

	assert_int_equal(rel != NULL ? rel->oid : 0, row->oid);
	rights_unref(r);
}

/* --- relations ------------------------------------------------------------------ */

#define R ACCESS_READ
#define W ACCESS_WRITE
#define OPEN STANDING_OPEN, RULE_NONE
#define GUARDED STANDING_GUARDED, RULE_NONE
#define DENIED(rule) STANDING_DENIED, RULE_##rule##_DENIED

#define SECRETS "\"schemas\":{\"deny\":[\"secret\"]},\"tables\":{\"deny\":[\"public.payroll\"]}"
#define ONLY_EVENTS "\"tables\":{\"allow\":[\"public.events\",\"public.hr_base\"]}"
#define MEMO(table) "\"columns\":[{\"column\":\"public." table ".memo\",\"action\":\"deny\"}]"
#define ROWS(table) "\"row_filters\":[{\"table\":\"public." table "\",\"where\":\"id = 1\"}]"

static const struct relation_row {
	const char *name, *profile, *schema, *relation;
	unsigned access;
	bool only;
	enum standing standing;
	enum rule rule;
} relation_rows[] = {
	{ "an open table", SECRETS, "public", "orders", R, false, OPEN },
	{ "a denied table", SECRETS, "public", "payroll", R, false, DENIED(TABLE) },
	{ "a table of a denied schema", SECRETS, "secret", "keys", R, false, DENIED(SCHEMA) },
	{ "a table of a schema that is not listed", "\"schemas\":{\"allow\":[\"public\"]}", "ext", "orders", R, false,
	    DENIED(SCHEMA) },
	{ "a system catalog", SECRETS, "pg_catalog", "pg_class", R, false, GUARDED },
	{ "one that leaks", SECRETS, "pg_catalog", "pg_authid", R, false, DENIED(TABLE) },
	{ "an index of an open table", SECRETS, "public", "orders_pkey", R, false, OPEN },
	{ "an index of a denied one", SECRETS, "public", "payroll_pkey", R, false, DENIED(TABLE) },
	{ "an allow list of tables means their indexes", "\"tables\":{\"allow\":[\"public.orders\"]}", "public", "orders_pkey", R,
	    false, OPEN },
	{ "and no others", "\"tables\":{\"allow\":[\"public.orders\"]}", "public", "payroll_pkey", R, false, DENIED(TABLE) },
	{ "the sequence of a column of a denied table", SECRETS, "public", "payroll_id_seq", R, false, DENIED(TABLE) },
	{ "a TOAST table", SECRETS, "pg_toast", "pg_toast_30001", R, false, DENIED(TABLE) },
	{ "a TOAST table that is named, of a table that is not open", SECRETS ",\"search_path\":[]", "pg_toast", "pg_toast_30001",
	    R, false, DENIED(TABLE) },
	{ "a TOAST table of a guarded table, though named",
	    "\"tables\":{\"allow\":[\"pg_toast.pg_toast_30001\",\"public.*\"]},\"columns\":[{\"column\":\"public.payroll.mark\","
	    "\"action\":\"deny\"}]",
	    "pg_toast", "pg_toast_30001", R, false, DENIED(TABLE) },
	{ "of an open one, named", "\"tables\":{\"allow\":[\"pg_toast.pg_toast_30001\",\"public.*\"]}", "pg_toast",
	    "pg_toast_30001", R, false, OPEN },

	{ "a parent reads its denied child", SECRETS, "public", "hr_base", R, false, DENIED(TABLE) },
	{ "not with ONLY", SECRETS, "public", "hr_base", R, true, OPEN },
	{ "a child of a denied parent", SECRETS, "public", "payroll_old", R, false, DENIED(TABLE) },
	{ "with ONLY, too", SECRETS, "public", "payroll_old", R, true, DENIED(TABLE) },
	{ "a partition in a denied schema", SECRETS, "public", "events", R, false, DENIED(TABLE) },
	{ "an allowed parent means its partitions", ONLY_EVENTS, "public", "events", R, false, OPEN },
	{ "which are not named themselves", ONLY_EVENTS, "public", "events_1", R, false, DENIED(TABLE) },
	{ "it does not mean children by inheritance", ONLY_EVENTS, "public", "hr_base", R, false, DENIED(TABLE) },
	{ "partitions in a schema that is not listed", "\"schemas\":{\"allow\":[\"public\"]}", "public", "events", R, false,
	    DENIED(TABLE) },
	{ "partitions all in order", SECRETS, "public", "sales", R, false, OPEN },
	{ "a grandchild is denied", "\"tables\":{\"deny\":[\"public.sales_1_1\"]}", "public", "sales", R, false, DENIED(TABLE) },
	{ "a grandparent is denied", "\"tables\":{\"deny\":[\"public.sales\"]}", "public", "sales_1_1", R, false, DENIED(TABLE) },
	{ "denied for writing only", "\"tables\":{\"deny\":[{\"table\":\"public.sales_1_1\",\"access\":\"write\"}]}", "public",
	    "sales", R, false, OPEN },
	{ "and written",
	    "\"access_mode\":\"read_write\",\"tables\":{\"deny\":[{\"table\":\"public.sales_1_1\",\"access\":\"write\"}]}",
	    "public", "sales", R | W, false, DENIED(TABLE) },
	{ "a foreign table", SECRETS, "public", "ft", R, false, DENIED(TABLE) },
	{ "a glob does not open it", "\"tables\":{\"allow\":[\"public.*\"]}", "public", "ft", R, false, DENIED(TABLE) },
	{ "its name does", "\"tables\":{\"allow\":[\"public.ft\"]}", "public", "ft", R, false, OPEN },
	{ "a partition that is a foreign table", SECRETS, "public", "logs", R, false, DENIED(TABLE) },
	{ "named", "\"tables\":{\"allow\":[\"public.logs\",\"public.logs_1\"]}", "public", "logs", R, false, OPEN },

	{ "a column rule guards", MEMO("sales"), "public", "sales", R, false, GUARDED },
	{ "its partitions, too", MEMO("sales"), "public", "sales_1_1", R, false, GUARDED },
	{ "a column rule of a partition closes the parent", MEMO("sales_1_1"), "public", "sales", R, false, DENIED(COLUMN) },
	{ "not with ONLY", MEMO("sales_1_1"), "public", "sales", R, true, OPEN },
	{ "a column rule for all of them", MEMO("sales*"), "public", "sales", R, false, GUARDED },
	{ "another action for a partition",
	    "\"columns\":[{\"column\":\"public.sales_1_1.memo\",\"action\":\"deny\"},{\"column\":\"public.sales.memo\","
	    "\"action\":\"mask\",\"mask\":\"redact\"}]",
	    "public", "sales", R, false, DENIED(COLUMN) },
	{ "the same mask", "\"columns\":[{\"column\":\"public.sales*.memo\",\"action\":\"mask\",\"mask\":\"redact\"}]", "public",
	    "sales", R, false, GUARDED },
	{ "a row filter guards", ROWS("sales"), "public", "sales", R, false, GUARDED },
	{ "a row filter of a partition closes the parent", ROWS("sales_1"), "public", "sales", R, false, DENIED(TABLE) },
	{ "a row filter for all of them", ROWS("sales*"), "public", "sales", R, false, GUARDED },
};

static void
relation_row(void **state)
{
	const struct relation_row *row = *state;
	struct rights *r = rights_of(row->profile, NULL);
	const struct cat_relation *rel = rights_find_relation(r, row->schema, row->relation);
	const struct relation_rights *right;

	assert_non_null(rel);
	right = rights_relation(r, rel, row->access, row->only);
	if (right->standing != row->standing || right->rule != row->rule)
		fail_msg("standing %d, %s: %s", right->standing, rule_name(right->rule), right->why != NULL ? right->why : "");
	assert_ptr_equal(rights_relation(r, rel, row->access, row->only), right);
	assert_int_equal(right->guard != NULL, row->standing == STANDING_GUARDED);
	rights_unref(r);
}

/* --- functions --------------------------------------------------------------------- */

#define ALLOW(list) "\"functions\":{\"allow\":[" list "]}"
#define WRITES "\"access_mode\":\"read_write\","
#define CALLED 99 /* as many arguments as are declared */
#define REACHED -1

static const struct function_row {
	const char *name, *profile;
	uint32_t oid;
	int nargs;
	enum function_answer answer;
} function_rows[] = {
	{ "a built-in", "", 870, CALLED, FUNCTION_OPEN },
	{ "a volatile one", "", 1574, CALLED, FUNCTION_VOLATILE },
	{ "a volatile one is not reached, either", "", 1574, REACHED, FUNCTION_VOLATILE },
	{ "a harmless one", "", 1598, CALLED, FUNCTION_OPEN },
	{ "one that reads files", "", 2624, CALLED, FUNCTION_DENIED },
	{ "an aggregate", "", 2108, CALLED, FUNCTION_OPEN },
	{ "an ordered-set aggregate, all arguments counted", "", 3974, 2, FUNCTION_OPEN },
	{ "one that no list knows", "", 9000, CALLED, FUNCTION_USER },
	{ "what makes values of any type is not called", "", 750, CALLED, FUNCTION_DENIED },
	{ "but reached, where the type is known", "", 750, REACHED, FUNCTION_OPEN },
	{ "a built-in that is denied", "\"functions\":{\"deny\":[\"lower\"]}", 870, CALLED, FUNCTION_DENIED },

	{ "a function of somebody's own", "", 40000, CALLED, FUNCTION_USER },
	{ "reached, too", "", 40000, REACHED, FUNCTION_USER },
	{ "named by its signature", ALLOW("\"public.cents(numeric)\""), 40000, CALLED, FUNCTION_OPEN },
	{ "not its namesake", ALLOW("\"public.cents(numeric)\""), 40001, CALLED, FUNCTION_USER },
	{ "by another name of the type", ALLOW("\"public.cents(decimal)\""), 40000, CALLED, FUNCTION_OPEN },
	{ "with the type's schema", ALLOW("\"public.cents(pg_catalog.numeric)\""), 40000, CALLED, FUNCTION_OPEN },
	{ "with a length that does not matter", ALLOW("\"public.cents( numeric(10,2) )\""), 40000, CALLED, FUNCTION_OPEN },
	{ "with a type that is not there", ALLOW("\"public.cents(money2)\""), 40000, CALLED, FUNCTION_USER },
	{ "with too many", ALLOW("\"public.cents(numeric,numeric)\""), 40000, CALLED, FUNCTION_USER },
	{ "with none", ALLOW("\"public.cents()\""), 40000, CALLED, FUNCTION_USER },
	{ "without a signature all of that name", ALLOW("\"public.cents\""), 40001, CALLED, FUNCTION_OPEN },
	{ "without a schema as well", ALLOW("\"cents(text)\""), 40001, CALLED, FUNCTION_OPEN },
	{ "a glob", ALLOW("\"public.ce*\""), 40000, CALLED, FUNCTION_OPEN },
	{ "in another schema", ALLOW("\"ext.cents\""), 40000, CALLED, FUNCTION_USER },
	{ "long names of types", ALLOW("\"public.when_(timestamp(3)  with time zone, double precision, integer)\""), 40017, CALLED,
	    FUNCTION_OPEN },
	{ "in their own order", ALLOW("\"public.when_(double precision, timestamptz, int)\""), 40017, CALLED, FUNCTION_USER },
	{ "VARIADIC is an array", ALLOW("\"public.many(variadic text[])\""), 40016, CALLED, FUNCTION_OPEN },
	{ "an array is no element", ALLOW("\"public.many(text)\""), 40016, CALLED, FUNCTION_USER },
	{ "a type of another schema", ALLOW("\"public.of_level(secret.level)\""), 40018, CALLED, FUNCTION_OPEN },
	{ "which is not found without it", ALLOW("\"public.of_level(level)\""), 40018, CALLED, FUNCTION_USER },
	{ "quoted names", ALLOW("\"public.of_odd(\\\"Odd\\\".\\\"Type\\\")\""), 40023, CALLED, FUNCTION_OPEN },
	{ "unquoted ones are folded", ALLOW("\"public.of_odd(Odd.Type)\""), 40023, CALLED, FUNCTION_USER },
	{ "denied beats allowed", "\"functions\":{\"allow\":[\"public.cents\"],\"deny\":[\"public.cents(numeric)\"]}", 40000,
	    CALLED, FUNCTION_DENIED },
	{ "a denied signature is not its namesake's",
	    "\"functions\":{\"allow\":[\"public.cents\"],\"deny\":[\"public.cents(numeric)\"]}", 40001, CALLED, FUNCTION_OPEN },
	{ "a denied type that cannot be found denies all",
	    "\"functions\":{\"allow\":[\"public.cents\"],\"deny\":[\"public.cents(money2)\"]}", 40001, CALLED, FUNCTION_DENIED },
	{ "users' own functions are allowed", "\"functions\":{\"user_defined\":\"allow\"}", 40000, CALLED, FUNCTION_OPEN },
	{ "not those of a schema that is not listed",
	    "\"functions\":{\"user_defined\":\"allow\"},\"schemas\":{\"allow\":[\"public\"]}", 40003, CALLED, FUNCTION_USER },
	{ "nor of a denied one, though named", ALLOW("\"secret.peek\"") ",\"schemas\":{\"deny\":[\"secret\"]}", 40003, CALLED,
	    FUNCTION_DENIED },
	{ "named in a schema that is not listed", ALLOW("\"secret.peek\"") ",\"schemas\":{\"allow\":[\"public\"]}", 40003, CALLED,
	    FUNCTION_OPEN },

	{ "a volatile function, though named", ALLOW("\"public.label(text,text)\""), 40002, CALLED, FUNCTION_VOLATILE },
	{ "where volatile ones are allowed", "\"functions\":{\"allow\":[\"public.label\"],\"volatile\":\"allow\"}", 40002, CALLED,
	    FUNCTION_OPEN },
	{ "where things may be written", WRITES ALLOW("\"public.label\""), 40002, CALLED, FUNCTION_OPEN },
	{ "users' own are allowed, volatile ones are not", "\"functions\":{\"user_defined\":\"allow\"}", 40002, CALLED,
	    FUNCTION_VOLATILE },
	{ "C code is not called unnamed", "", 40004, CALLED, FUNCTION_USER },
	{ "but reached", "", 40004, REACHED, FUNCTION_OPEN },
	{ "not when it says it is volatile", "", 40005, REACHED, FUNCTION_USER },
	{ "volatile C code is called when it is named exactly", ALLOW("\"public.native_volatile\""), 40005, CALLED, FUNCTION_OPEN },
	{ "not by a glob", ALLOW("\"public.native_*\""), 40005, CALLED, FUNCTION_VOLATILE },

	{ "an extension's function", "", 40006, CALLED, FUNCTION_USER },
	{ "of an allowed extension", ALLOW("\"extension:pg_trgm\""), 40006, CALLED, FUNCTION_OPEN },
	{ "a volatile one of it", ALLOW("\"extension:pg_trgm\""), 40007, CALLED, FUNCTION_VOLATILE },
	{ "one of it that no list knows", ALLOW("\"extension:pg_trgm\""), 40019, CALLED, FUNCTION_VOLATILE },
	{ "a harmless one", ALLOW("\"extension:uuid-ossp\""), 40008, CALLED, FUNCTION_OPEN },
	{ "one that reaches other servers", ALLOW("\"extension:dblink\""), 40009, CALLED, FUNCTION_DENIED },
	{ "is not reached, whatever it calls itself", "", 40010, REACHED, FUNCTION_DENIED },
	{ "named exactly", ALLOW("\"ext.dblink\""), 40009, CALLED, FUNCTION_OPEN },
	{ "a namesake is no extension's", ALLOW("\"public.dblink\""), 40024, CALLED, FUNCTION_OPEN },
	{ "an allowed extension does not mean it", ALLOW("\"extension:dblink\""), 40024, CALLED, FUNCTION_USER },
	{ "C code of the name may be", "\"functions\":{\"user_defined\":\"allow\"}", 40025, CALLED, FUNCTION_DENIED },

	{ "an aggregate of built-in functions", "", 40011, CALLED, FUNCTION_OPEN },
	{ "an aggregate of somebody's function", "", 40015, CALLED, FUNCTION_USER },
	{ "that is named", ALLOW("\"public.state_sum\""), 40015, CALLED, FUNCTION_OPEN },
	{ "whose function is named", ALLOW("\"public.own_state\""), 40015, CALLED, FUNCTION_OPEN },
	{ "an aggregate of a volatile function", "", 40013, CALLED, FUNCTION_USER },
	{ "though named", ALLOW("\"public.bad_sum\""), 40013, CALLED, FUNCTION_VOLATILE },
	{ "where things may be written", WRITES ALLOW("\"public.bad_sum\""), 40013, CALLED, FUNCTION_OPEN },
	{ "whose function is denied", WRITES "\"functions\":{\"allow\":[\"public.bad_sum\"],\"deny\":[\"public.bad_final\"]}",
	    40013, CALLED, FUNCTION_VOLATILE },
};

static void
function_row(void **state)
{
	const struct function_row *row = *state;
	struct rights *r = rights_of(row->profile, NULL);
	const struct cat_function *f = catalog_function_of(rights_catalog(r), row->oid);
	const char *why = NULL;

	assert_non_null(f);
	for (int again = 0; again < 2; again++) {
		enum function_answer answer = rights_function(r, f, row->nargs == CALLED ? f->nargs : row->nargs, &why);

		if (answer != row->answer)
			fail_msg("%d instead of %d: %s", answer, row->answer, why);
		assert_int_equal(answer == FUNCTION_OPEN, *why == '\0');
	}
	rights_unref(r);
}

/* --- types ---------------------------------------------------------------------------- */

#define CLOSED "\"schemas\":{\"deny\":[\"secret\"]},\"tables\":{\"deny\":[\"public.payroll\"]}"
#define LISTED "\"schemas\":{\"allow\":[\"public\"]}"

static const struct type_row {
	const char *name, *profile;
	uint32_t oid;
	bool open, restricted;
} type_rows[] = {
	{ "a built-in type", CLOSED, 23, true, false },
	{ "an enum", CLOSED, 30202, true, false },
	{ "an enum of a denied schema", CLOSED, 30200, false, true },
	{ "an array of it", CLOSED, 30201, false, true },
	{ "a domain over it", CLOSED, 30204, false, false },
	{ "a range over it", CLOSED, 30205, false, false },
	{ "an enum of a schema that is not listed", LISTED, 30200, false, true },
	{ "an extension's type there", LISTED, 30206, true, false },
	{ "an extension's type in a denied schema", "\"schemas\":{\"deny\":[\"ext\"]}", 30206, false, true },
	{ "a row type of a table", CLOSED, 30100, true, false },
	{ "a row type of a denied table", CLOSED, 30101, true, true },
	{ "and its array", CLOSED, 30151, true, true },
	{ "a composite of plain fields", CLOSED, 30120, true, false },
	{ "an allow list of tables does not mean composites", "\"tables\":{\"allow\":[\"public.orders\"]}", 30120, true, false },
	{ "a type in C", CLOSED, 30207, true, false },
	{ "a type in another language", CLOSED, 30208, false, false },
};

static void
type_row(void **state)
{
	const struct type_row *row = *state;
	struct rights *r = rights_of(row->profile, NULL);
	const struct cat_type *t = catalog_type_of(rights_catalog(r), row->oid);
	const char *why = NULL;

	assert_non_null(t);
	for (int again = 0; again < 2; again++) {
		assert_int_equal(rights_type(r, t, &why), row->open);
		assert_int_equal(row->open, *why == '\0');
	}
	assert_int_equal(rights_restricted_type(r, t), row->restricted);
	rights_unref(r);
}

/* --- lists -------------------------------------------------------------------------------- */

static bool
listed(struct rights *r, enum restricted which, uint32_t oid)
{
	size_t n;
	const uint32_t *oids = rights_restricted(r, which, &n);
	bool found = false;

	for (size_t i = 0; i < n; i++) {
		assert_true(i == 0 || oids[i - 1] < oids[i]);
		found |= oids[i] == oid;
	}
	return found;
}

static const char *const list_profiles[] = { "", CLOSED, LISTED, ONLY_EVENTS, ALLOW("\"public.cents\"") "," CLOSED, MEMO("sales") };

static void
lists_say_the_same_as_the_questions(void **state)
{
	(void)state;
	for (size_t p = 0; p < nitems(list_profiles); p++) {
		struct rights *r = rights_of(list_profiles[p], NULL);
		const struct catalog *c = rights_catalog(r);

		for (size_t i = 0; i < catalog_relations(c); i++)
			if (listed(r, RESTRICTED_RELATIONS, catalog_relation_at(c, i)->oid) !=
			    rights_restricted_relation(r, catalog_relation_at(c, i)))
				fail_msg("%s: %s", list_profiles[p], catalog_relation_at(c, i)->name);
		for (size_t i = 0; i < catalog_types(c); i++)
			if (listed(r, RESTRICTED_TYPES, catalog_type_at(c, i)->oid) !=
			    rights_restricted_type(r, catalog_type_at(c, i)))
				fail_msg("%s: %s", list_profiles[p], catalog_type_at(c, i)->name);
		for (size_t i = 0; i < catalog_functions(c); i++)
			if (listed(r, RESTRICTED_FUNCTIONS, catalog_function_at(c, i)->oid) !=
			    rights_restricted_function(r, catalog_function_at(c, i)))
				fail_msg("%s: %s", list_profiles[p], catalog_function_at(c, i)->name);
		rights_unref(r);
	}
}

static void
lists_hold_what_the_policy_closes(void **state)
{
	struct rights *r = rights_of(CLOSED "," ALLOW("\"public.cents\""), NULL);

	(void)state;
	assert_true(listed(r, RESTRICTED_RELATIONS, 30001)); /* payroll, */
	assert_true(listed(r, RESTRICTED_RELATIONS, 30002)); /* keys, */
	assert_true(listed(r, RESTRICTED_RELATIONS, 30005)); /* payroll's index, */
	assert_true(listed(r, RESTRICTED_RELATIONS, 30006)); /* TOAST table */
	assert_true(listed(r, RESTRICTED_RELATIONS, 30019)); /* and child */
	assert_false(listed(r, RESTRICTED_RELATIONS, 30000));
	assert_false(listed(r, RESTRICTED_RELATIONS, 30003)); /* its parent is not listed: its own definition is open */
	assert_false(listed(r, RESTRICTED_RELATIONS, 30013)); /* nor a foreign table, */
	assert_false(listed(r, RESTRICTED_RELATIONS, 1260));  /* nor what leaks by itself */
	assert_false(listed(r, RESTRICTED_FUNCTIONS, 40000));
	assert_true(listed(r, RESTRICTED_FUNCTIONS, 40002));
	assert_true(listed(r, RESTRICTED_FUNCTIONS, 40003));
	assert_false(listed(r, RESTRICTED_FUNCTIONS, 40006)); /* everybody can read an extension's source */
	assert_true(listed(r, RESTRICTED_SCHEMAS, 20000));
	assert_false(listed(r, RESTRICTED_SCHEMAS, 2200));
	assert_true(rights_restricted_schema(r, "secret"));
	assert_false(rights_restricted_schema(r, "pg_catalog"));
	rights_unref(r);
}

/* --- life ------------------------------------------------------------------------------------ */

static void
each_has_a_generation_of_its_own(void **state)
{
	struct rights *a = rights_of("", NULL), *b = rights_of("", NULL);

	(void)state;
	assert_int_not_equal(rights_generation(a), rights_generation(b));
	assert_ptr_equal(rights_ref(a), a);
	rights_unref(a);
	assert_non_null(rights_catalog(a));
	rights_unref(a);
	rights_unref(b);
	rights_unref(NULL);
}

static void
without_a_catalog_nothing_is_found(void **state)
{
	struct policy *p = policy_builtin();
	struct rights *r = rights_new(p, policy_default_profile(p), NULL, "public");
	size_t n = 1;

	(void)state;
	assert_null(rights_catalog(r));
	assert_ptr_equal(rights_policy(r), p);
	assert_ptr_equal(rights_profile(r), policy_default_profile(p));
	assert_null(rights_find_relation(r, NULL, "orders"));
	rights_path(r, &n);
	assert_int_equal(n, 0);
	rights_restricted(r, RESTRICTED_RELATIONS, &n);
	assert_int_equal(n, 0);
	rights_unref(r);
	policy_unref(p);
}

#define ADD(rows, f)                                                             \
	for (size_t i = 0; i < nitems(rows); i++)                                \
		tests[n++] = (struct CMUnitTest)                                 \
		{                                                                \
			rows[i].name, f, NULL, NULL, (void *)(uintptr_t)&rows[i] \
		}

int
main(void)
{
	static const struct CMUnitTest fixed[] = {
		{ "lists say the same as the questions", lists_say_the_same_as_the_questions, NULL, NULL, NULL },
		{ "lists hold what the policy closes", lists_hold_what_the_policy_closes, NULL, NULL, NULL },
		{ "each has a generation of its own", each_has_a_generation_of_its_own, NULL, NULL, NULL },
		{ "without a catalog nothing is found", without_a_catalog_nothing_is_found, NULL, NULL, NULL },
	};
	struct CMUnitTest
	    tests[nitems(find_rows) + nitems(relation_rows) + nitems(function_rows) + nitems(type_rows) + nitems(fixed)];
	size_t n = 0;

	ADD(find_rows, find_row);
	ADD(relation_rows, relation_row);
	ADD(function_rows, function_row);
	ADD(type_rows, type_row);
	for (size_t i = 0; i < nitems(fixed); i++)
		tests[n++] = fixed[i];
	return cmocka_run_group_tests_name("rights", tests, NULL, NULL);
}
