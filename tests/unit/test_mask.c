/* tests/unit/test_mask.c - what stands for a masked column, by type. tests/e2e/masks.sh runs it on a server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "guard.h"
#include "mask.h"
#include "small_catalog.h"

static const struct cat_relation table = { .oid = 16600, .namespace = PUBLIC, .name = "t" };

static const struct row {
	const char *name;
	uint32_t type;
	int32_t typmod;
	enum mask_kind mask;
	const char *expected; /* NULL: the type cannot bear it */
} rows[] = {
	{ "null is a typed NULL", 23, -1, MASK_NULL, "(NULL::\"pg_catalog\".\"int4\")" },
	{ "varchar keeps its length", 1043, 24, MASK_NULL, "(NULL::\"pg_catalog\".\"varchar\"(20))" },
	{ "char keeps its length", 1042, 6, MASK_NULL, "(NULL::\"pg_catalog\".\"bpchar\"(2))" },
	{ "numeric keeps precision and scale", 1700, (10 << 16 | 2) + 4, MASK_NULL, "(NULL::\"pg_catalog\".\"numeric\"(10, 2))" },
	{ "a negative scale is read as PostgreSQL 15 writes it", 1700, (3 << 16 | 0x7fe) + 4, MASK_NULL,
	    "(NULL::\"pg_catalog\".\"numeric\"(3, -2))" },
	{ "numeric without precision has none", 1700, -1, MASK_NULL, "(NULL::\"pg_catalog\".\"numeric\")" },
	{ "timestamp keeps its precision", 1114, 3, MASK_NULL, "(NULL::\"pg_catalog\".\"timestamp\"(3))" },
	{ "interval keeps its precision", 1186, 0x7fff << 16 | 3, MASK_NULL, "(NULL::\"pg_catalog\".\"interval\"(32767, 3))" },
	{ "interval keeps its fields", 1186, 4 << 16 | 0xffff, MASK_NULL, "(NULL::\"pg_catalog\".\"interval\"(4))" },
	{ "an array keeps the length of its elements", 1015, 9, MASK_NULL, "(NULL::\"pg_catalog\".\"varchar\"(5)[])" },
	{ "an array without length is named itself", 1009, -1, MASK_NULL, "(NULL::\"pg_catalog\".\"_text\")" },
	{ "a domain's NULL is not cast, it could refuse it", 16500, -1, MASK_NULL,
	    "(SELECT \"c\" FROM \"public\".\"t\" WHERE false)" },
	{ "nor is a type whose modifier is its own", 16502, 7, MASK_NULL, "(SELECT \"c\" FROM \"public\".\"t\" WHERE false)" },
	{ "redact is stars", 25, -1, MASK_REDACT, "('***'::\"pg_catalog\".\"text\"::\"pg_catalog\".\"text\")" },
	{ "redact is cut at the length", 1042, 6, MASK_REDACT, "('***'::\"pg_catalog\".\"text\"::\"pg_catalog\".\"bpchar\"(2))" },
	{ "redact takes strings of extensions", 16501, -1, MASK_REDACT,
	    "('***'::\"pg_catalog\".\"text\"::\"public\".\"ci\"\"text\")" },
	{ "redact of a number is NULL", 20, -1, MASK_REDACT, "(NULL::\"pg_catalog\".\"int8\")" },
	{ "redact of a domain is NULL", 16500, -1, MASK_REDACT, "(SELECT \"c\" FROM \"public\".\"t\" WHERE false)" },
	{ "redact of \"char\" is NULL", 18, -1, MASK_REDACT, "(NULL::\"pg_catalog\".\"char\")" },
	{ "a smallint has no room for a hash", 21, -1, MASK_HASH, NULL },
	{ "nor has a boolean", 16, -1, MASK_HASH, NULL },
	{ "a domain could refuse a hash", 16500, -1, MASK_HASH, NULL },
	{ "a number has no part", 23, -1, MASK_PARTIAL, NULL },
	{ "a time has no part", 1083, -1, MASK_PARTIAL, NULL },
	{ "a domain could refuse a part", 16500, -1, MASK_PARTIAL, NULL },
	{ "a date is its year", 1082, -1, MASK_PARTIAL,
	    "(\"pg_catalog\".\"date_trunc\"('year', \"c\"::\"pg_catalog\".\"timestamp\")::\"pg_catalog\".\"date\")" },
	{ "a moment is its year in UTC", 1184, -1, MASK_PARTIAL,
	    "(\"pg_catalog\".\"date_trunc\"('year', \"c\"::\"pg_catalog\".\"timestamptz\", "
	    "'UTC')::\"pg_catalog\".\"timestamptz\")" },
	{ "an expression is cast", 1043, 24, MASK_EXPRESSION, "((lower(c))::\"pg_catalog\".\"varchar\"(20))" },
	{ "an expression of a length that we cannot write is refused", 16502, 7, MASK_EXPRESSION, NULL },
	{ "a type that is not there is refused", 99, -1, MASK_NULL, NULL },
};

static char expression[] = "lower(c)";

static bool
write(const struct row *row, struct sb *sb, struct err *why)
{
	const struct cat_column column = { .name = "c", .type = row->type, .typmod = row->typmod };
	const struct column_rule rule = { .action = COLUMN_MASK, .mask = row->mask, .expression = expression };

	return mask_write(&rule, NULL, &table, &column, sb, why);
}

static void
test_row(void **state)
{
	const struct row *row = *state;
	struct err why = { "" };
	struct sb sb = { 0 };

	if (write(row, &sb, &why) != (row->expected != NULL))
		fail_msg("%s: %s %s", row->name, why.text, sb_text(&sb));
	if (row->expected != NULL)
		assert_string_equal(sb_text(&sb), row->expected);
	else
		assert_string_not_equal(why.text, "");
	sb_free(&sb);
}

/* A function or an operator without its schema could be a user's own. */
static void
test_everything_is_qualified(void **state)
{
	static const struct row masks[] = { { "", 25, -1, MASK_HASH, "" }, { "", 2950, -1, MASK_HASH, "" },
		{ "", 23, -1, MASK_HASH, "" }, { "", 20, -1, MASK_HASH, "" }, { "", 25, -1, MASK_PARTIAL, "" },
		{ "", 1042, 6, MASK_PARTIAL, "" } };

	(void)state;
	for (size_t i = 0; i < nitems(masks); i++) {
		struct sb sb = { 0 };

		assert_true(write(&masks[i], &sb, NULL));
		for (const char *s = strstr(sb_text(&sb), "\"("); s != NULL; s = strstr(s + 1, "\"(")) {
			const char *name = s;

			while (name[-1] != '"')
				name--;
			assert_memory_equal(name - strlen("\"pg_catalog\".\""), "\"pg_catalog\".\"", strlen("\"pg_catalog\".\""));
		}
		for (const char *s = strpbrk(sb_text(&sb), "|~>"); s != NULL; s = strpbrk(s + 1 + (s[1] == '|'), "|~>"))
			assert_memory_equal(
			    s - strlen("OPERATOR(\"pg_catalog\"."), "OPERATOR(\"pg_catalog\".", strlen("OPERATOR(\"pg_catalog\"."));
		sb_free(&sb);
	}
}

static void
test_the_key_is_named_not_written(void **state)
{
	const struct row row = { "", 25, -1, MASK_HASH, "" };
	struct sb sb = { 0 };

	(void)state;
	assert_true(write(&row, &sb, NULL));
	assert_non_null(strstr(sb_text(&sb), "\"current_setting\"('pgmoat.mask_key')"));
	sb_free(&sb);
}

int
main(void)
{
	struct CMUnitTest tests[nitems(rows) + 2];

	for (size_t i = 0; i < nitems(rows); i++)
		tests[i] = (struct CMUnitTest){
			.name = rows[i].name, .test_func = test_row, .initial_state = (void *)(uintptr_t)&rows[i]
		};
	tests[nitems(rows)] = (struct CMUnitTest)cmocka_unit_test(test_everything_is_qualified);
	tests[nitems(rows) + 1] = (struct CMUnitTest)cmocka_unit_test(test_the_key_is_named_not_written);
	return cmocka_run_group_tests_name("mask", tests, NULL, NULL);
}
