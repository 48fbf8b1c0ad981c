/* tests/unit/test_show.c - the rules that hold, printed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "policy_tools.h"

#define SECRET "a secret of nobody"
#define FULL                                                                                                                    \
	"\"access_mode\":\"read_write\",\"statements\":{\"allow\":[\"select\",\"update\"],\"deny\":[\"do\"]},"                  \
	"\"multi_statement\":\"each\",\"schemas\":{\"allow\":[\"public\",\"\\\"My Schema\\\"\"],\"deny\":[\"secret*\"]},"       \
	"\"tables\":{\"allow\":[\"orders\",{\"table\":\"public.users\",\"access\":\"read\"}],\"deny\":[\"*.audit_?\"]},"        \
	"\"columns\":[{\"column\":\"public.users.ssn\",\"action\":\"deny\"},{\"column\":\"public.users.email\","                \
	"\"action\":\"mask\",\"mask\":\"hash\"},{\"column\":\"a.b.c\",\"action\":\"mask\",\"mask\":\"expression\","             \
	"\"expression\":\"left(c, 1)\"}],\"row_filters\":[{\"table\":\"public.orders\",\"where\":\"a = 1\"}],"                  \
	"\"functions\":{\"allow\":[\"f\",\"public.g(text, numeric(10,2))\",\"extension:hstore\"],\"deny\":[\"h\"],"             \
	"\"volatile\":\"allow\",\"user_defined\":\"allow\"},\"settings\":{\"allow\":[\"work_mem\",\"app.tenant\"]},"            \
	"\"search_path\":[\"public\",\"\\\"Sales\\\"\"],\"session\":{\"app.u\":\"${user}\",\"app.v\":\"$$\"},"                  \
	"\"writes\":{\"mode\":\"allow\",\"require_where\":false,\"max_affected_rows\":7},"                                      \
	"\"limits\":{\"max_rows\":0,\"max_result_bytes\":\"1GB\",\"on_cap\":\"error\",\"statement_timeout\":\"2min\","          \
	"\"lock_timeout\":1500,\"idle_in_transaction_timeout\":\"0s\",\"transaction_timeout\":\"1h\","                          \
	"\"max_query_bytes\":8000,\"max_query_depth\":3000,\"max_plan_cost\":1e5,\"rate_per_minute\":10,\"max_concurrent\":3}," \
	"\"mask_key\":\"" SECRET "\",\"hints\":{\"table_denied\":\"Ask.\"}"

static struct policy *
parse(const char *members)
{
	struct sb text = { 0 }, errors = { 0 };
	struct policy *p;

	sb_fmt(&text,
	    "{\"version\":1,\"default_profile\":\"a\",\"profiles\":{\"a\":{%s},\"b\":{}},"
	    "\"assign\":[{\"user\":\"bob\",\"profile\":\"b\"},{\"user\":\"*n\",\"profile\":\"a\"}]}",
	    members);
	p = policy_parse("f", sb_text(&text), text.len, &errors);
	assert_string_equal(sb_text(&errors), "");
	sb_free(&text);
	sb_free(&errors);
	return p;
}

static void
show(const struct policy *p, const char *user, bool json, struct sb *out)
{
	const struct principal who = { user, "shop", "psql", "unix" };

	sb_clear(out);
	policy_show(p, policy_assign(p, &who), &who, json, out);
	assert_null(strstr(sb_text(out), SECRET));
	assert_null(strstr(sb_text(out), "pgmoat."));
}

/* The members of "rules", without the braces; caller frees. */
static char *
rules_of(const char *shown)
{
	cJSON *tree = cJSON_Parse(shown);
	char *text = cJSON_PrintUnformatted(cJSON_GetObjectItemCaseSensitive(tree, "rules"));
	char *members = xstrndup(text + 1, strlen(text) - 2);

	cJSON_free(text);
	cJSON_Delete(tree);
	return members;
}

static void
assert_round_trip(const char *members, const char *key)
{
	struct sb first = { 0 }, second = { 0 }, again = { 0 };
	struct policy *p = parse(members), *q;
	char *rules;

	show(p, "ann", true, &first);
	rules = rules_of(sb_text(&first));
	sb_fmt(&again, "%s%s", rules, key);
	q = parse(sb_text(&again));
	show(q, "ann", true, &second);
	assert_string_equal(sb_text(&second), sb_text(&first));
	policy_unref(p);
	policy_unref(q);
	sb_free(&first);
	sb_free(&second);
	sb_free(&again);
	free(rules);
}

static void
rules_load_again(void **state)
{
	(void)state;
	assert_round_trip("", "");
	assert_round_trip(FULL, ",\"mask_key\":\"" SECRET "\"");
	assert_round_trip("\"schemas\":{\"allow\":[]},\"tables\":{\"allow\":[]},\"functions\":{\"allow\":[]},"
			  "\"settings\":{\"allow\":[]},\"statements\":{\"allow\":[]},\"search_path\":[]",
	    "");
}

static const struct line_row {
	const char *name, *members, *line;
} line_rows[] = {
	{ "the built-in limits", "", "limits.max_rows                      1000\n" },
	{ "sizes in readable units", "", "limits.max_query_bytes               512kB\n" },
	{ "times in readable units", "", "limits.transaction_timeout           1min\n" },
	{ "what is no multiple stays", "\"limits\":{\"lock_timeout\":1500}", "limits.lock_timeout                  1500ms\n" },
	{ "no limit", "\"limits\":{\"statement_timeout\":0}", "limits.statement_timeout             no limit\n" },
	{ "no cost", "", "limits.max_plan_cost                 no limit\n" },
	{ "a burst that was worked out", FULL, "limits.burst                         2\n" },
	{ "no list", "", "tables.allow                         any\n" },
	{ "an empty list", "\"tables\":{\"allow\":[]}", "tables.allow                         none\n" },
	{ "names beside each other", FULL, "schemas.allow                        public, \"My Schema\"\n" },
	{ "entries one a line", FULL,
	    "columns                              public.users.ssn: action deny\n"
	    "                                     public.users.email: action mask, mask hash\n"
	    "                                     a.b.c: action mask, mask expression, expression left(c, 1)\n" },
	{ "names and entries", FULL,
	    "tables.allow                         *.orders\n"
	    "                                     public.users: access read\n" },
	{ "there is a key", FULL, "mask_key                             is set\n" },
	{ "what connections start with", FULL, "connections start with\n  standard_conforming_strings = \"on\"\n" },
	{ "the session's settings", FULL, "  app.u = \"ann\"\n  app.v = \"$\"\n" },
	{ "who, and why", "", "profile a of f, by assign[1]\n" },
};

static void
line_row(void **state)
{
	const struct line_row *row = *state;
	struct policy *p = parse(row->members);
	struct sb out = { 0 };

	show(p, "ann", false, &out);
	if (strstr(sb_text(&out), row->line) == NULL)
		fail_msg("not there: %s\nin: %s", row->line, sb_text(&out));
	policy_unref(p);
	sb_free(&out);
}

static void
the_way_to_a_profile_is_told(void **state)
{
	struct policy *p = parse("");
	struct sb out = { 0 };

	(void)state;
	show(p, "bob", false, &out);
	assert_int_equal(strncmp(sb_text(&out), "profile b of f, by assign[0]\n", 29), 0);
	show(p, "eve", false, &out);
	assert_int_equal(strncmp(sb_text(&out), "profile a of f, by default\n", 27), 0);
	show(p, "eve", true, &out);
	assert_non_null(strstr(sb_text(&out), "\"assignment\":null"));
	sb_clear(&out);
	policy_show(p, policy_profile(p, "b"), NULL, false, &out);
	assert_int_equal(strncmp(sb_text(&out), "profile b of f\n", 15), 0);
	policy_unref(p);
	sb_free(&out);
}

int
main(void)
{
	static const struct CMUnitTest fixed[] = {
		{ "rules load again, and mean the same", rules_load_again, NULL, NULL, NULL },
		{ "the way to a profile is told", the_way_to_a_profile_is_told, NULL, NULL, NULL },
	};
	struct CMUnitTest tests[nitems(line_rows) + nitems(fixed)];
	size_t n = 0;

	for (size_t i = 0; i < nitems(line_rows); i++)
		tests[n++] = (struct CMUnitTest){ line_rows[i].name, line_row, NULL, NULL, (void *)(uintptr_t)&line_rows[i] };
	for (size_t i = 0; i < nitems(fixed); i++)
		tests[n++] = fixed[i];
	return cmocka_run_group_tests_name("show", tests, NULL, NULL);
}
