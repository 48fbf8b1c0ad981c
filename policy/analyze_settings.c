/* policy/analyze_settings.c - settings of the server, read as rows of pg_settings or of the function behind it. */
#include "analyze_int.h"

#include <string.h>

void
note_settings(struct analyzer *a, const struct cat_relation *rel)
{
	if (rel->oid < FIRST_USER_OID && (strcmp(rel->name, "pg_settings") == 0 || strcmp(rel->name, "pg_file_settings") == 0))
		a->settings = true;
}

static bool
shows_settings(const struct cat_function *f, const char *name)
{
	return (f == NULL || f->oid < FIRST_USER_OID) && strcmp(name, "pg_show_all_settings") == 0;
}

void
check_settings_call(struct analyzer *a, const struct cat_function *f, const char *name, int location)
{
	if (a->body != NULL || in_ours(a, location))
		return;
	if (shows_settings(f, name))
		stop(a, RULE_FUNCTION_DENIED, location, "call of %.64s refused: use pg_settings, SHOW or current_setting()", name);
	if (strcmp(name, "pg_settings_get_flags") == 0)
		a->settings = true;
}

/* pgAdmin sets bytea_output where such a setting is. The values are for pg_settings, whose rows are looked at. */
void
close_settings(struct analyzer *a, const struct cat_function *f, struct columns *cs, int location)
{
	const struct cat_relation *view;
	struct source *s;

	if (f == NULL || !shows_settings(f, f->name) || a->failed || a->body != NULL || in_ours(a, location))
		return;
	a->settings = true;
	view = rights_find_relation(a->rights, "pg_catalog", "pg_settings");
	if (view == NULL || cs->open) {
		stop(a, RULE_FUNCTION_DENIED, location, "call of %.64s refused: use SHOW or current_setting()", f->name);
		return;
	}
	s = arena_new(a, struct source);
	*s = (struct source){ .relation = view, .fixed = true };
	for (size_t i = 0; i < cs->n; i++) {
		struct column *c = arena_new(a, struct column);

		*c = *cs->list[i];
		if (strcmp(c->name, "name") != 0) {
			c->action = COLUMN_DENY;
			c->source = s;
		}
		cs->list[i] = c;
	}
}

void
check_settings(struct analyzer *a)
{
	struct err why = { "" };

	for (const struct text_constant *c = a->constants; c != NULL && !a->failed; c = c->next)
		if (profile_judge_shown(a->profile, c->text, &why) != SETTING_PASS && !in_ours(a, c->location))
			stop(a, RULE_SETTING_DENIED, c->location, "a look at the setting %.64s refused: %s", c->text, why.text);
}
