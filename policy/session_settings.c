/* policy/session_settings.c - settings that a server connection gets from who is asking. */
#include <string.h>
#include <strings.h>

#include "session_settings.h"

/* The value of the variable; NULL when there is none of that name. */
static const char *
variable(const char *name, size_t len, const struct profile *p, const struct principal *who)
{
	const struct {
		const char *name, *value;
	} variables[] = {
		{ "user", who->user },
		{ "database", who->database },
		{ "application_name", who->application_name },
		{ "client", who->client },
		{ "profile", p->name },
	};

	for (size_t i = 0; i < nitems(variables); i++)
		if (strlen(variables[i].name) == len && memcmp(variables[i].name, name, len) == 0)
			return variables[i].value;
	return NULL;
}

/* False, and why, when a variable is not known or not ended. */
static bool
expand(const char *s, const struct profile *p, const struct principal *who, struct sb *out, struct err *err)
{
	const char *end, *value;

	for (; *s != '\0'; s++) {
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return err_set(err, "expected a text without control characters");
		if (*s != '$') {
			sb_char(out, *s);
		} else if (s[1] == '$') {
			sb_char(out, *s++);
		} else {
			if (s[1] != '{' || (end = strchr(s, '}')) == NULL)
				return err_set(err, "'$' begins a variable such as ${user}; a dollar sign is $$");
			if ((value = variable(s + 2, (size_t)(end - s) - 2, p, who)) == NULL)
				return err_set(err,
				    "unknown variable \"%.*s\": expected ${user}, ${database}, ${application_name}, ${client} or "
				    "${profile}",
				    (int)(end - s) + 1, s);
			sb_str(out, value);
			s = end;
		}
	}
	return true;
}

bool
session_value_check(const char *text, struct err *err)
{
	char empty[] = "";
	const struct profile p = { .name = empty };
	const struct principal nobody = { "", "", "", "" };
	struct sb out = { 0 };
	bool good = expand(text, &p, &nobody, &out, err);

	sb_free(&out);
	return good;
}

bool
session_names(const struct profile *p, const char *setting)
{
	for (size_t i = 0; i < p->nsession; i++)
		if (strcasecmp(p->session[i].name, setting) == 0)
			return true;
	return false;
}

void
profile_session(
    const struct profile *p, const struct principal *who, void (*f)(void *arg, const char *name, const char *value), void *arg)
{
	struct sb value = { 0 };
	struct err err;

	for (size_t i = 0; i < p->nsession; i++) {
		sb_clear(&value);
		if (expand(p->session[i].value, p, who, &value, &err)) /* always: it was checked when it was loaded */
			f(arg, p->session[i].name, sb_text(&value));
	}
	sb_free(&value);
}
