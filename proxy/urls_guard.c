/* proxy/urls_guard.c - arguments and environment in which every URL leads to the guard. */
#include <stdlib.h>
#include <string.h>

#include "urls.h"
#include "variables.h"

static bool
sounds_secret(const char *name, size_t len)
{
	static const char *const words[] = { "pass", "pwd", "secret" };
	char lower[128];
	size_t i;

	snprintf(lower, sizeof(lower), "%.*s", (int)(len < sizeof(lower) ? len : sizeof(lower) - 1), name);
	for (i = 0; i < nitems(words); i++)
		if (strcasestr(lower, words[i]) != NULL)
			return true;
	return false;
}

/* Appends text with everything in it that leads to the server replaced;
 * false when nothing was. */
static bool
guard_text(const char *text, const struct guard *g, struct sb *out)
{
	struct target t = { 0 };
	size_t from = 0, at, len;
	const char *pairs;

	while (dburl_find(text, from, &at, &len)) {
		sb_bytes(out, text + from, at - from);
		dburl_guard(text + at, len, g, out);
		from = at + len;
	}
	if (from > 0) {
		sb_str(out, text + from);
		return true;
	}
	if ((pairs = pairs_find(text, &t)) == NULL)
		return false;
	sb_bytes(out, text, (size_t)(pairs - text));
	pairs_guard(&t, g, out);
	target_release(&t);
	return true;
}

static char *
guard_argument(const char *before, const char *arg, const struct guard *g, const char *secret)
{
	const char *equals = strchr(arg, '=');
	struct sb out = { 0 };

	if (guard_text(arg, g, &out))
		return sb_take(&out);
	sb_free(&out);
	if (secret != NULL && strcmp(arg, secret) == 0 && before != NULL && strchr(before, '=') == NULL &&
	    sounds_secret(before, strlen(before)))
		return xstrdup(g->password);
	if (secret != NULL && equals != NULL && strcmp(equals + 1, secret) == 0 && sounds_secret(arg, (size_t)(equals - arg))) {
		sb_bytes(&out, arg, (size_t)(equals - arg) + 1);
		sb_str(&out, g->password);
		return sb_take(&out);
	}
	return xstrdup(arg);
}

char **
urls_argv(char *const *argv, const struct guard *g, const char *secret)
{
	char **out;
	size_t i, n = 0;

	while (argv[n] != NULL)
		n++;
	out = xcalloc(n + 1, sizeof(*out));
	for (i = 0; i < n; i++)
		out[i] = guard_argument(i > 0 ? argv[i - 1] : NULL, argv[i], g, secret);
	return out;
}

static const char *
guard_value(const struct guard *g, int key)
{
	switch (key) {
	case TARGET_HOST:
		return g->host;
	case TARGET_PORT:
		return g->port;
	case TARGET_USER:
		return g->user;
	case TARGET_PASSWORD:
		return g->password;
	case TARGET_DBNAME:
		return g->dbname;
	case TARGET_SSLMODE:
		return "disable";
	default:
		return NULL;
	}
}

/* The variable as the child gets it; NULL: not at all. */
static char *
guard_variable(char *const *env, const char *text, const struct guard *g, const char *secret)
{
	struct sb out = { 0 };
	struct variable v;
	int key;

	if (!variable_split(text, &v))
		return xstrdup(text);
	if (variable_is_libpq(&v)) {
		for (key = 0; !variable_is(&v, target_keywords[key].variable != NULL ? target_keywords[key].variable : ""); key++)
			;
		return target_keywords[key].role == ROLE_CLIENT || target_keywords[key].role == ROLE_BOTH ? xstrdup(text) : NULL;
	}
	sb_bytes(&out, v.name, v.name_len);
	sb_char(&out, '=');
	if ((key = family_key(env, &v)) != -1)
		sb_str(&out, key == FAMILY_SWITCH ? "false" : guard_value(g, key));
	else if (guard_text(v.value, g, &out))
		; /* done */
	else if (secret != NULL && strcmp(v.value, secret) == 0 && sounds_secret(v.name, v.name_len))
		sb_str(&out, g->password);
	else
		sb_str(&out, v.value);
	return sb_take(&out);
}

static void
add_variable(char **env, size_t *n, const char *name, const char *value)
{
	struct sb out = { 0 };

	sb_fmt(&out, "%s=%s", name, value);
	env[(*n)++] = sb_take(&out);
}

char **
urls_env(const struct urls *u, char *const *env, const struct guard *g, const char *secret)
{
	size_t i, n = 0, count = 0;
	struct sb url = { 0 };
	struct variable v;
	bool has_url = false;
	char **out;
	int key;

	while (env[count] != NULL)
		count++;
	out = xcalloc(count + TARGET_SERVICE + 2, sizeof(*out));
	for (i = 0; i < count; i++) {
		has_url = has_url || (variable_split(env[i], &v) && variable_is(&v, "DATABASE_URL"));
		if ((out[n] = guard_variable(env, env[i], g, secret)) != NULL)
			n++;
	}
	/* A client that falls back to libpq's defaults must end at the guard too. */
	for (key = 0; key < TARGET_SERVICE; key++)
		if (guard_value(g, key) != NULL)
			add_variable(out, &n, target_keywords[key].variable, guard_value(g, key));
	if (u->given && !has_url) {
		dburl_guard("postgresql://", strlen("postgresql://"), g, &url);
		add_variable(out, &n, "DATABASE_URL", sb_text(&url));
		sb_free(&url);
	}
	return out;
}

/* --- what is left ------------------------------------------------------ */

/* Is the password in that text? One that is also the user's or database's
 * name tells nothing, and a short one is part of many words. */
static bool
tells_secret(const char *text, const struct target *t)
{
	const char *secret = t->value[TARGET_PASSWORD], *user = t->value[TARGET_USER], *dbname = t->value[TARGET_DBNAME];

	if (secret == NULL || (user != NULL && strcmp(user, secret) == 0) || (dbname != NULL && strcmp(dbname, secret) == 0))
		return false;
	return strlen(secret) >= 8 ? strstr(text, secret) != NULL : strcmp(text, secret) == 0;
}

void
urls_leaks(char *const *argv, char *const *env, const struct target *t, struct sb *out)
{
	struct variable v;
	size_t i;

	for (i = 0; argv[i] != NULL; i++)
		if (tells_secret(argv[i], t))
			sb_fmt(out, "%sargument %zu of the command", out->len > 0 ? ", " : "", i);
	for (i = 0; env[i] != NULL; i++) {
		if (variable_split(env[i], &v) && tells_secret(v.value, t)) {
			sb_str(out, out->len > 0 ? ", " : "");
			sb_bytes(out, v.name, v.name_len);
		}
	}
}

static bool
must_go(const char *text, const struct target *t)
{
	struct target pairs = { 0 };
	size_t at, len;
	bool found = dburl_find(text, 0, &at, &len) || pairs_find(text, &pairs) != NULL;

	target_release(&pairs);
	return found || tells_secret(text, t);
}

/* The strings themselves: what /proc shows of this process is this memory. */
void
urls_wipe(char *const *argv, char *const *env, const struct target *t)
{
	struct variable v;
	char *value;

	for (; *argv != NULL; argv++)
		if (must_go(*argv, t))
			memset(*argv, 'x', strlen(*argv));
	for (; *env != NULL; env++) {
		if (!variable_split(*env, &v) || (!must_go(v.value, t) && !sounds_secret(v.name, v.name_len)))
			continue;
		value = *env + v.name_len + 1;
		memset(value, 'x', strlen(value));
	}
}
