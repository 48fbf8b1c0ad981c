/* tests/fuzz/fuzz_sql.c - the judge.
 *
 * The first byte picks profile and protocol, the rest is the text. Whatever
 * comes out must hold together: a refusal has its words, a rewritten text is
 * judged as good and is the same statements, positions stay inside the text,
 * and the record is JSON.
 */
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "policy.h"

int LLVMFuzzerInitialize(int *, char ***);
int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* Nothing beyond a read. */
static const char closed[] =
    "{ \"version\": 1, \"profiles\": { \"p\": { \"access_mode\": \"read_only\", \"statements\": { \"allow\": [\"select\"] },"
    "  \"multi_statement\": \"deny\", \"schemas\": { \"allow\": [\"public\"] }, \"tables\": { \"deny\": [\"public.secret*\"] },"
    "  \"limits\": { \"max_rows\": 10, \"max_query_depth\": 50 } } }, \"default_profile\": \"p\" }";

/* Everything that a profile can open. */
static const char open_[] =
    "{ \"version\": 1, \"profiles\": { \"p\": { \"access_mode\": \"read_write\", \"multi_statement\": \"each\","
    "  \"functions\": { \"allow\": [\"public.*\"], \"volatile\": \"allow\", \"user_defined\": \"allow\" },"
    "  \"writes\": { \"mode\": \"allow\" }, \"limits\": { \"max_rows\": 1000 } } }, \"default_profile\": \"p\" }";

/* Several statements, few settings. */
static const char several[] =
    "{ \"version\": 1, \"profiles\": { \"p\": { \"access_mode\": \"read_only\", \"multi_statement\": \"each\","
    "  \"settings\": { \"allow\": [\"application_name\", \"DateStyle\"] } } }, \"default_profile\": \"p\" }";

static const char *const sources[] = { closed, open_, several };

static struct policy *policies[nitems(sources) + 1];

static void
insist(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "does not hold: %s\n", what);
	abort();
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct sb errors = { 0 };

	(void)argc;
	(void)argv;
	policies[0] = policy_builtin();
	for (size_t i = 0; i < nitems(sources); i++) {
		policies[i + 1] = policy_parse("fuzz.json", sources[i], strlen(sources[i]), &errors);
		insist(policies[i + 1] != NULL, sb_text(&errors));
	}
	return 0;
}

/* As PostgreSQL counts error positions: characters, and the place behind the last. */
static int
places(const char *s, size_t n)
{
	int count = 1;

	for (size_t i = 0; i < n; i++) {
		if (((uint8_t)s[i] & 0xc0) != 0x80)
			count++;
	}
	return count;
}

static void
insist_refusal(const struct judgement *j)
{
	insist(j->message != NULL && *j->message != '\0', "a refusal has a message");
	insist(strlen(j->sqlstate) == 5, "a refusal has a SQLSTATE");
	insist(j->rule != RULE_NONE && *rule_name(j->rule) != '\0', "a refusal has a rule");
	insist(j->position >= 0 && (j->rule == RULE_ENCODING || j->position <= places(j->text, j->text_len)),
	    "a refusal points into the text");
	insist(j->rewritten == NULL, "a refusal has nothing to forward");
}

static void
insist_positions(const struct judgement *j)
{
	int last = places(j->text, j->text_len), before = 0, at;

	for (int p = 1; p <= places(j->rewritten, j->rewritten_len); p++) {
		at = judgement_position(j, p);
		insist(at >= 1 && at <= last, "a position maps into the client's text");
		insist(at >= before, "a later position maps to no earlier one");
		before = at;
	}
	insist(judgement_position(j, 0) == 0, "no position stays none");
}

static void
insist_splices(const struct judgement *j)
{
	size_t len = j->text_len, end = 0;

	for (size_t i = 0; i < j->nsplices; i++) {
		insist(j->splices[i].at >= end, "splices are in order");
		insist(j->splices[i].removed <= j->text_len - j->splices[i].at, "a splice lies in the text");
		end = j->splices[i].at + j->splices[i].removed;
		len = len - j->splices[i].removed + j->splices[i].added;
	}
	insist(len == j->rewritten_len, "the splices are all of the rewrite");
}

static void
insist_rewrite(const struct policy *p, const struct judgement *j, unsigned flags)
{
	struct judgement *again;

	insist(j->rewritten != NULL && strlen(j->rewritten) == j->rewritten_len, "a rewrite has a text");
	insist_splices(j);
	insist_positions(j);
	again = policy_judge(p, policy_default_profile(p), j->rewritten, j->rewritten_len, flags);
	/* what we add may push a text over its length limit; the rest must pass */
	if (again->verdict == VERDICT_BLOCK) {
		insist(again->rule == RULE_TOO_LONG, "a rewritten text is not refused");
	} else {
		insist(again->nstatements == j->nstatements, "a rewrite keeps the number of statements");
		for (size_t i = 0; i < j->nstatements; i++)
			insist(again->statements[i].kind == j->statements[i].kind, "a rewrite keeps what statements are");
	}
	judgement_unref(again);
}

static void
insist_json(const struct judgement *j)
{
	struct sb text = { 0 };
	cJSON *json;

	sb_char(&text, '{');
	judgement_json(j, &text, true);
	sb_char(&text, '}');
	json = cJSON_ParseWithLength(sb_text(&text), text.len);
	insist(json != NULL, "the record is JSON");
	insist(cJSON_IsString(cJSON_GetObjectItemCaseSensitive(json, "verdict")), "the record has a verdict");
	cJSON_Delete(json);
	sb_free(&text);
}

static void
insist_names(struct judgement *j)
{
	struct names *names = names_new();
	char sqlstate[6] = "";
	struct err why;

	if (names_check(names, j, sqlstate, &why))
		names_apply(names, j, 1);
	else
		insist(strlen(sqlstate) == 5, "an unknown name has a SQLSTATE");
	names_free(names);
}

static void
judge(const struct policy *p, const char *text, size_t n, unsigned flags)
{
	struct judgement *j = policy_judge(p, policy_default_profile(p), text, n, flags);

	insist(j->text_len == n && memcmp(j->text, text, n) == 0, "the text is kept");
	insist((flags & JUDGE_EXTENDED) == 0 || j->nstatements <= 1 || j->verdict == VERDICT_BLOCK,
	    "a Parse that passes holds one statement at most");
	switch (j->verdict) {
	case VERDICT_BLOCK:
		insist_refusal(j);
		break;
	case VERDICT_REWRITE:
		insist_rewrite(p, j, flags);
		break;
	case VERDICT_ALLOW:
		insist(j->rewritten == NULL, "what is not rewritten has no second text");
		break;
	}
	insist_json(j);
	if (j->verdict != VERDICT_BLOCK)
		insist_names(j);
	judgement_unref(j);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char *text;

	if (n == 0 || memchr(data + 1, '\0', n - 1) != NULL) /* the protocol's readers refuse a NUL */
		return 0;
	text = xmalloc(n); /* neither terminated nor longer than it is */
	memcpy(text, data + 1, n - 1);
	judge(policies[data[0] / 2 % nitems(policies)], text, n - 1, data[0] & 1 ? JUDGE_EXTENDED : JUDGE_SIMPLE);
	free(text);
	return 0;
}
