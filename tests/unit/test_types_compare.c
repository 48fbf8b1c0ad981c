/* tests/unit/test_types_compare.c - which operator classes count when values are compared. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "types.h"

/* int4 has a class of a user's that is not its default, by which the range is made; ckey has a default one. */
#define NONE "-1\",\"0\""
static const char text[] =
    "{\"pgmoat_catalog\":1,\"sections\":{\"database\":[[\"150000\",\"5\",\"d\"]],\"namespaces\":[[\"11\",\"pg_catalog\"]],"
    "\"relations\":[],\"columns\":[],\"inheritance\":[],\"views\":[],\"depends\":[],\"policies\":[],\"expressions\":[],\"types\":["
    "[\"23\",\"11\",\"int4\",\"b\",\"N\",\"f\",\"0\",\"0\",\"0\",\"" NONE ",\"\",null],"
    "[\"20000\",\"11\",\"ckey\",\"b\",\"U\",\"f\",\"0\",\"0\",\"0\",\"" NONE ",\"30004\",null],"
    "[\"20001\",\"11\",\"r\",\"r\",\"R\",\"f\",\"0\",\"0\",\"23\",\"" NONE ",\"30001\",null],"
    "[\"20002\",\"11\",\"m\",\"m\",\"R\",\"f\",\"0\",\"0\",\"20001\",\"" NONE ",\"\",null],"
    "[\"20003\",\"11\",\"kr\",\"r\",\"R\",\"f\",\"0\",\"0\",\"20000\",\"" NONE ",\"\",null]],\"domain_checks\":[],\"functions\":["
#define FUNCTION(oid, name)                                                                                                 \
	"[\"" oid "\",\"11\",\"" name "\",\"f\",\"i\",\"f\",\"f\",\"plpgsql\",\"23\",\"0\",\"0\",\"23 23\",null,null,null," \
	"null,null]"
    FUNCTION("30001", "range_cmp") "," FUNCTION("30002", "other_cmp") "," FUNCTION("30003", "ckey_cmp") "," FUNCTION(
	"30004", "ckey_out") "],\"aggregates\":[],\"operators\":[],\"casts\":[],\"opclasses\":["
			     "[\"40000\",\"23\",\"t\",\"f\",\"30001\"],[\"40001\",\"23\",\"f\",\"f\",\"30002\"],"
			     "[\"40002\",\"20000\",\"t\",\"t\",\"30003\"]]}}";

static const struct row {
	const char *name;
	uint32_t type;
	const char *reached;
} rows[] = {
	{ "a class that is not the default one is not taken", 23, "" },
	{ "the default one is, and not what prints", 20000, "ckey_cmp " },
	{ "a range compares by the class that it was made with", 20001, "range_cmp " },
	{ "so does a multirange", 20002, "range_cmp " },
	{ "a range over a type compares its bounds", 20003, "ckey_cmp " },
	{ "what nobody knows could be any of these", 99999, "range_cmp ckey_cmp " },
};

static void
note(void *arg, const struct cat_function *f)
{
	struct sb *sb = arg;

	if (strstr(sb_text(sb), f->name) == NULL)
		sb_fmt(sb, "%s ", f->name);
}

static void
test_row(void **state)
{
	static const char *const names[] = { "range_cmp", "other_cmp", "ckey_cmp", "ckey_out" };
	const struct row *row = *state;
	struct err err = { "" };
	struct catalog *c = catalog_parse(text, strlen(text), &err);
	struct sb sb = { 0 }, sorted = { 0 };
	const struct type_scope scope = { .catalog = c, .reach = note, .arg = &sb };

	if (c == NULL)
		fail_msg("%s", err.text);
	types_compare(&scope, &(struct value_type){ .type = row->type });
	for (size_t i = 0; i < nitems(names); i++)
		if (strstr(sb_text(&sb), names[i]) != NULL)
			sb_fmt(&sorted, "%s ", names[i]);
	assert_string_equal(sb_text(&sorted), row->reached);
	sb_free(&sb);
	sb_free(&sorted);
	catalog_unref(c);
}

int
main(void)
{
	struct CMUnitTest tests[nitems(rows)];

	for (size_t i = 0; i < nitems(rows); i++)
		tests[i] = (struct CMUnitTest){
			.name = rows[i].name, .test_func = test_row, .initial_state = (void *)(uintptr_t)&rows[i]
		};
	return cmocka_run_group_tests_name("types_compare", tests, NULL, NULL);
}
