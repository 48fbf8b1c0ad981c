/* tests/fuzz/fuzz_policy.c - the policy file.
 *
 * A text is either a policy that answers every question, or at least one line
 * of the form file:line:column: reason.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define FILE_NAME "p.json"

static void
insist(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "does not hold: %s\n", what);
	abort();
}

/* Behind a colon a number from 1; NULL when it is not there. */
static const char *
skip_number(const char *s)
{
	if (s == NULL || *s != ':' || s[1] < '1' || s[1] > '9')
		return NULL;
	s++;
	while (isdigit((unsigned char)*s))
		s++;
	return s;
}

static void
insist_error_line(const char *line, size_t n)
{
	const char *s = strncmp(line, FILE_NAME, strlen(FILE_NAME)) == 0 ? line + strlen(FILE_NAME) : NULL;

	s = skip_number(skip_number(s));
	if (s == NULL || strncmp(s, ": ", 2) != 0 || s + 2 >= line + n) {
		fprintf(stderr, "error line: %.*s\n", (int)n, line);
		insist(false, "an error is file:line:column: reason");
	}
}

static void
insist_errors(const char *errors)
{
	size_t n;

	insist(*errors != '\0', "a file that does not load says why");
	while (*errors != '\0') {
		n = strcspn(errors, "\n");
		insist_error_line(errors, n);
		errors += n + (errors[n] == '\n');
	}
}

static void
note_pin(void *arg, const char *name, const char *value)
{
	insist(*name != '\0' && value != NULL, "a pinned setting has name and value");
	++*(size_t *)arg;
}

static void
ask(const struct policy *p)
{
	const struct principal who = { "mcp_ann", "shop", "psql", "10.1.2.3" };
	const struct profile *profile = policy_assign(p, &who);
	struct judgement *j;
	struct err why = { "" };
	size_t pins = 0;

	insist(profile != NULL && policy_default_profile(p) != NULL, "somebody is always assigned a profile");
	insist(policy_profile(p, profile_name(profile)) == profile, "a profile is found by its name");
	insist(profile_limits(profile)->max_rows >= 0, "limits are not negative");
	profile_pinned(profile, note_pin, &pins);
	if (profile_judge_setting(profile, "default_transaction_read_only", "off", &why) == SETTING_PASS)
		insist(!profile_read_only(profile), "read-only cannot be set off");
	else
		insist(why.text[0] != '\0', "a setting that is refused has a reason");
	j = policy_judge(p, profile, "UPDATE t SET a = 1", 18, JUDGE_SIMPLE);
	insist(!profile_read_only(profile) || j->verdict == VERDICT_BLOCK, "a read-only profile refuses a write");
	judgement_unref(j);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct sb errors = { 0 };
	struct policy *p;
	char *text = xmalloc(n + 1);

	if (n > 0)
		memcpy(text, data, n);
	p = policy_parse(FILE_NAME, text, n, &errors);
	if (p != NULL)
		ask(p);
	else
		insist_errors(sb_text(&errors));
	policy_unref(p);
	sb_free(&errors);
	free(text);
	return 0;
}
