/* tests/smith/judge.c - the judge as a filter, for mutate.py.
 *
 *	judge POLICY CATALOG
 *
 * One JSON object a line: {"sql": TEXT}. One line for each: {"verdict", "rule",
 * "message", "rewritten", "guarded", "kinds", "effect", "name"}. Before them a line with
 * the settings that the proxy starts its server connections with. A process
 * that stays, since loading the catalog takes longer than judging does.
 */
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "catalog.h"
#include "policy.h"

static void
put(cJSON *answer)
{
	char *text = cJSON_PrintUnformatted(answer);

	puts(text);
	fflush(stdout);
	free(text);
	cJSON_Delete(answer);
}

static void
add_setting(void *arg, const char *name, const char *value)
{
	cJSON_AddStringToObject(arg, name, value);
}

static void
put_settings(const struct profile *p)
{
	const struct principal nobody = { .user = "", .database = "", .application_name = "", .client = "" };
	cJSON *settings = cJSON_CreateObject();

	profile_pinned(p, add_setting, settings);
	profile_session(p, &nobody, add_setting, settings);
	if (profile_mask_key(p) != NULL)
		cJSON_AddStringToObject(settings, "pgmoat.mask_key", profile_mask_key(p));
	put(settings);
}

static void
put_judgement(const struct judgement *j)
{
	cJSON *answer = cJSON_CreateObject(), *kinds;

	cJSON_AddStringToObject(answer, "verdict", verdict_name(j->verdict));
	cJSON_AddStringToObject(answer, "rule", rule_name(j->rule));
	if (j->message != NULL)
		cJSON_AddStringToObject(answer, "message", j->message);
	if (j->rewritten != NULL)
		cJSON_AddStringToObject(answer, "rewritten", j->rewritten);
	cJSON_AddBoolToObject(answer, "guarded", j->guarded);
	kinds = cJSON_AddArrayToObject(answer, "kinds");
	for (size_t i = 0; i < j->nstatements; i++)
		cJSON_AddItemToArray(kinds, cJSON_CreateString(kind_name(j->statements[i].kind)));
	if (j->nstatements == 1 && j->statements[0].name != NULL) {
		cJSON_AddNumberToObject(answer, "effect", j->statements[0].effect);
		cJSON_AddStringToObject(answer, "name", j->statements[0].name);
	}
	put(answer);
}

static void
judge(struct rights *r, const char *line)
{
	cJSON *question = cJSON_Parse(line);
	const char *sql = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(question, "sql"));
	struct judgement *j = rights_judge(r, sql != NULL ? sql : "", sql != NULL ? strlen(sql) : 0, JUDGE_SIMPLE, NULL, 0);

	put_judgement(j);
	judgement_unref(j);
	cJSON_Delete(question);
}

int
main(int argc, char **argv)
{
	struct sb errors = { 0 };
	struct err err = { "" };
	struct policy *p;
	struct catalog *c = NULL;
	struct rights *r;
	char *line = NULL;
	size_t room = 0;

	if (argc != 3) {
		fputs("usage: judge POLICY CATALOG\n", stderr);
		return 2;
	}
	if ((p = policy_load(argv[1], &errors)) == NULL || (c = catalog_load(argv[2], &err)) == NULL) {
		fprintf(stderr, "%s%s\n", sb_text(&errors), err.text);
		sb_free(&errors);
		policy_unref(p);
		return 2;
	}
	r = rights_new(p, policy_default_profile(p), c, NULL);
	put_settings(policy_default_profile(p));
	while (getline(&line, &room, stdin) > 0)
		judge(r, line);
	free(line);
	rights_unref(r);
	catalog_unref(c);
	policy_unref(p);
	sb_free(&errors);
	return 0;
}
