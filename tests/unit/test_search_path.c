/* tests/unit/test_search_path.c - when the search_path has to be asked for again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "search_path.h"

static struct policy *policy;
static const struct profile *profile;

/* Steps: a text that runs, "I" and "T" for ReadyForQuery, "=x" for the server's answer. */
static const struct row {
	const char *name;
	const char *steps[10];
	bool unknown;
	const char *value;
} rows[] = {
	{ "what does not set it leaves it", { "SELECT 1", "I", "BEGIN", "T", "COMMIT", "I" }, false, NULL },
	{ "SET makes it unknown", { "SET search_path TO a" }, true, NULL },
	{ "the answer is kept", { "SET search_path TO a", "I", "=a" }, false, "a" },
	{ "the pinned value is the profile's", { "SET search_path TO a", "I", "=a", "RESET search_path", "I", "=public" }, false,
	    NULL },
	{ "set_config counts", { "SELECT set_config('search_path', 'a', false)", "I" }, true, NULL },
	{ "another setting does not", { "SET TimeZone TO 'UTC'", "I" }, false, NULL },
	{ "RESET ALL counts", { "RESET ALL", "I" }, true, NULL },
	{ "DISCARD ALL counts", { "DISCARD ALL", "I" }, true, NULL },
	{ "SET LOCAL ends with its block", { "BEGIN", "T", "SET LOCAL search_path TO a", "T", "=a", "COMMIT", "I" }, true, "a" },
	{ "ROLLBACK is asked after", { "BEGIN", "T", "SET search_path TO a", "T", "=a", "ROLLBACK", "I" }, true, "a" },
	{ "so is ROLLBACK TO", { "BEGIN", "T", "SET search_path TO a", "T", "=a", "ROLLBACK TO s", "T" }, true, "a" },
	{ "a query inside is not", { "BEGIN", "T", "SET search_path TO a", "T", "=a", "SELECT 1", "T" }, false, "a" },
	{ "nor are later blocks", { "SET search_path TO a", "I", "=a", "BEGIN", "T", "ROLLBACK", "I" }, false, "a" },
	{ "a series that fails takes it back at its Sync", { "SET search_path TO a", "=a", "I" }, true, "a" },
};

static void
take(struct search_path *p, const char *step)
{
	struct judgement *j;

	if (strcmp(step, "I") == 0)
		search_path_settled(p);
	else if (step[0] == '=')
		(void)search_path_learn(p, step + 1, profile);
	else if (strcmp(step, "T") != 0) {
		j = policy_judge(policy, profile, step, strlen(step), JUDGE_SIMPLE);
		search_path_forwarded(p, j);
		judgement_unref(j);
	}
}

static void
test_row(void **state)
{
	const struct row *row = *state;
	struct search_path p = { 0 };

	for (size_t i = 0; i < nitems(row->steps) && row->steps[i] != NULL; i++)
		take(&p, row->steps[i]);
	assert_int_equal(p.unknown, row->unknown);
	if (row->value == NULL)
		assert_null(p.value);
	else
		assert_string_equal(p.value, row->value);
	search_path_release(&p);
}

static void
the_same_answer_is_no_change(void **state)
{
	struct search_path p = { 0 };

	(void)state;
	assert_false(search_path_learn(&p, "public", profile));
	assert_true(search_path_learn(&p, "a, b", profile));
	assert_false(search_path_learn(&p, "a, b", profile));
	assert_true(search_path_learn(&p, "public", profile));
	assert_null(p.value);
	search_path_release(&p);
}

int
main(void)
{
	static const char text[] = "{\"version\":1,\"profiles\":{\"p\":{\"search_path\":[\"public\"]}},\"default_profile\":\"p\"}";
	struct CMUnitTest tests[nitems(rows) + 1];
	struct sb errors = { 0 };
	int failed;

	policy = policy_parse("f", text, strlen(text), &errors);
	if (policy == NULL) {
		fprintf(stderr, "%s", sb_text(&errors));
		return 1;
	}
	profile = policy_default_profile(policy);
	for (size_t i = 0; i < nitems(rows); i++)
		tests[i] = (struct CMUnitTest){ rows[i].name, test_row, NULL, NULL, (void *)(uintptr_t)&rows[i] };
	tests[nitems(rows)] = (struct CMUnitTest){ "the same answer is no change", the_same_answer_is_no_change, NULL, NULL, NULL };
	failed = cmocka_run_group_tests_name("search_path", tests, NULL, NULL);
	policy_unref(policy);
	sb_free(&errors);
	return failed;
}
