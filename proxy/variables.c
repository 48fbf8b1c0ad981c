/* proxy/variables.c - environment variables that describe a database server. */
#include <string.h>

#include "variables.h"

/* Families of variables that describe one server: <prefix>_<word>. */
const char *const families[] = { "POSTGRES", "POSTGRESQL", "PG", "PGSQL", "DB", "DATABASE", NULL };

static const struct family_word {
	const char *word;
	int key;
} family_words[] = {
	{ "HOST", TARGET_HOST },
	{ "HOSTNAME", TARGET_HOST },
	{ "SERVER", TARGET_HOST },
	{ "PORT", TARGET_PORT },
	{ "USER", TARGET_USER },
	{ "USERNAME", TARGET_USER },
	{ "PASSWORD", TARGET_PASSWORD },
	{ "PASS", TARGET_PASSWORD },
	{ "PWD", TARGET_PASSWORD },
	{ "DATABASE", TARGET_DBNAME },
	{ "NAME", TARGET_DBNAME },
	{ "DB", TARGET_DBNAME },
	{ "DBNAME", TARGET_DBNAME },
	{ "SSLMODE", TARGET_SSLMODE },
	{ "SSL_MODE", TARGET_SSLMODE },
};

bool
variable_split(const char *text, struct variable *v)
{
	const char *equals = strchr(text, '=');

	if (equals == NULL)
		return false;
	*v = (struct variable){ .name = text, .name_len = (size_t)(equals - text), .value = equals + 1 };
	return true;
}

bool
variable_is(const struct variable *v, const char *name)
{
	return v->name_len == strlen(name) && memcmp(v->name, name, v->name_len) == 0;
}

static const char *
env_value(char *const *env, const char *prefix, const char *word)
{
	struct sb name = { 0 };
	const char *value = NULL;
	struct variable v;

	sb_fmt(&name, "%s_%s", prefix, word);
	for (; *env != NULL && value == NULL; env++)
		if (variable_split(*env, &v) && variable_is(&v, sb_text(&name)) && *v.value != '\0')
			value = v.value;
	sb_free(&name);
	return value;
}

/* A generic family (DB_HOST) may be about MySQL. */
static bool
is_other_database(char *const *env, const char *prefix)
{
	static const char *const words[] = { "TYPE", "DIALECT", "DRIVER", "ENGINE", "CLIENT", "CONNECTION" };
	const char *value;
	size_t i;

	for (i = 0; i < nitems(words); i++) {
		value = env_value(env, prefix, words[i]);
		if (value != NULL && strcasestr(value, "postgres") == NULL && strcasestr(value, "pg") == NULL &&
		    strcasestr(value, "psycopg") == NULL && strcasestr(value, "psql") == NULL)
			return true;
	}
	return false;
}

bool
family_read(char *const *env, const char *prefix, struct target *t, const char **host_word)
{
	const char *value;
	size_t i;

	*host_word = NULL;
	if (is_other_database(env, prefix))
		return false;
	for (i = 0; i < nitems(family_words); i++) {
		if ((value = env_value(env, prefix, family_words[i].word)) == NULL || t->value[family_words[i].key] != NULL)
			continue;
		target_set(t, family_words[i].key, value, strlen(value));
		if (family_words[i].key == TARGET_HOST)
			*host_word = family_words[i].word;
	}
	if (*host_word != NULL && strstr(t->value[TARGET_HOST], "://") == NULL)
		return true;
	target_release(t);
	return false;
}

bool
variable_is_libpq(const struct variable *v)
{
	size_t i;

	for (i = 0; i < TARGET_KEYS; i++)
		if (target_keywords[i].variable != NULL && variable_is(v, target_keywords[i].variable))
			return true;
	return false;
}

int
family_key(char *const *env, const struct variable *v)
{
	struct target t = { 0 };
	const char *word;
	size_t f, w, len;
	bool whole;

	for (f = 0; families[f] != NULL; f++) {
		len = strlen(families[f]);
		if (v->name_len <= len + 1 || strncmp(v->name, families[f], len) != 0 || v->name[len] != '_')
			continue;
		whole = family_read(env, families[f], &t, &word);
		target_release(&t);
		for (w = 0; whole && w < nitems(family_words); w++)
			if (strlen(family_words[w].word) == v->name_len - len - 1 &&
			    memcmp(family_words[w].word, v->name + len + 1, v->name_len - len - 1) == 0)
				return family_words[w].key;
		if (whole && v->name_len == len + 4 && memcmp(v->name + len, "_SSL", 4) == 0)
			return FAMILY_SWITCH;
	}
	return -1;
}
