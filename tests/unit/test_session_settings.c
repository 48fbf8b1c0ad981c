/* tests/unit/test_session_settings.c - the values of "session" for somebody. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "session_settings.h"

static const struct row {
	const char *name, *session, *settings;
} rows[] = {
	{ "nothing to set", "", "" },
	{ "who asks", "\"app.user\":\"${user}\"", "app.user=ann;" },
	{ "everything that is known", "\"a.b\":\"${user}@${database} ${application_name} ${client} ${profile}\"",
	    "a.b=ann@shop psql $1 ${user} 10.1.2.3 agent;" },
	{ "what a client says is not looked into", "\"a.b\":\"${application_name}\"", "a.b=psql $1 ${user};" },
	{ "dollars", "\"a.b\":\"$$$${user}\",\"c.d\":\"1$$\"", "a.b=$${user};c.d=1$;" },
	{ "braces alone", "\"a.b\":\"{user} }\"", "a.b={user} };" },
	{ "an empty value", "\"a.b\":\"\"", "a.b=;" },
};

static void
put(void *arg, const char *name, const char *value)
{
	sb_fmt(arg, "%s=%s;", name, value);
}

static void
test_row(void **state)
{
	const struct principal who = { "ann", "shop", "psql $1 ${user}", "10.1.2.3" };
	const struct row *row = *state;
	struct sb text = { 0 }, errors = { 0 }, out = { 0 };
	struct policy *p;

	sb_fmt(&text, "{\"version\":1,\"profiles\":{\"agent\":{\"session\":{%s}}}}", row->session);
	p = policy_parse("f", sb_text(&text), text.len, &errors);
	assert_string_equal(sb_text(&errors), "");
	profile_session(policy_default_profile(p), &who, put, &out);
	assert_string_equal(sb_text(&out), row->settings);
	policy_unref(p);
	sb_free(&text);
	sb_free(&errors);
	sb_free(&out);
}

int
main(void)
{
	struct CMUnitTest tests[nitems(rows)];

	for (size_t i = 0; i < nitems(rows); i++)
		tests[i] = (struct CMUnitTest){ rows[i].name, test_row, NULL, NULL, (void *)(uintptr_t)&rows[i] };
	return cmocka_run_group_tests_name("session_settings", tests, NULL, NULL);
}
