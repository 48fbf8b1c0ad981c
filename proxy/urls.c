/* proxy/urls.c - everything in a command line and environment that leads to a database. */
#include <stdlib.h>
#include <string.h>

#include "urls.h"
#include "variables.h"

/* --- finding ----------------------------------------------------------- */

static struct target *
add_place(struct urls *u, const char *name)
{
	struct place *p;

	u->places = xreallocarray(u->places, u->n + 1, sizeof(*u->places));
	p = &u->places[u->n++];
	*p = (struct place){ .name = xstrdup(name) };
	return &p->target;
}

static bool
find_in_text(struct urls *u, const char *name, const char *text, struct err *err)
{
	struct target t = { 0 };
	size_t at = 0, len;
	struct err why;
	bool found = false;

	for (; dburl_find(text, at, &at, &len); at += len) {
		found = true;
		if (!dburl_read(text + at, len, add_place(u, name), &why))
			return err_set(err, "%s: the Postgres URL %s", name, why.text);
	}
	if (!found && pairs_find(text, &t) != NULL)
		*add_place(u, name) = t;
	return true;
}

/* PGUSER and the like alone are defaults for a URL; they name a server when
 * they say where it is, or when nothing else does. */
static void
find_libpq_variables(struct urls *u, char *const *env)
{
	struct target all = { 0 }, *t;
	const char *name = NULL;

	target_read_environment(&all, env);
	if (all.value[TARGET_HOST] != NULL)
		name = "PGHOST";
	else if (all.value[TARGET_HOSTADDR] != NULL)
		name = "PGHOSTADDR";
	else if (all.value[TARGET_SERVICE] != NULL)
		name = "PGSERVICE";
	else if (u->n == 0 && all.value[TARGET_PORT] != NULL)
		name = "PGPORT";
	else if (u->n == 0 && all.value[TARGET_DBNAME] != NULL)
		name = "PGDATABASE";
	else if (u->n == 0 && all.value[TARGET_USER] != NULL)
		name = "PGUSER";
	if (name == NULL) {
		target_release(&all);
		return;
	}
	t = add_place(u, name);
	*t = all;
}

static void
find_families(struct urls *u, char *const *env)
{
	struct target t = { 0 };
	const char *word;
	char name[64];
	size_t i;

	for (i = 0; families[i] != NULL; i++) {
		if (!family_read(env, families[i], &t, &word))
			continue;
		snprintf(name, sizeof(name), "%s_%s", families[i], word);
		*add_place(u, name) = t;
		t = (struct target){ 0 };
	}
}

bool
urls_find(struct urls *u, const char *upstream, char *const *argv, char *const *env, struct err *err)
{
	struct variable v;
	char name[128];
	size_t i;

	*u = (struct urls){ .given = upstream != NULL };
	if (upstream != NULL && !find_in_text(u, "--upstream", upstream, err))
		return false;
	if (upstream != NULL && u->n != 1)
		return err_set(err, "--upstream: expected a Postgres URL or a key=value connection string");
	for (i = 0; argv[i] != NULL; i++) {
		snprintf(name, sizeof(name), "argument %zu of the command", i);
		if (!find_in_text(u, name, argv[i], err))
			return false;
	}
	for (i = 0; env[i] != NULL; i++) {
		if (!variable_split(env[i], &v) || variable_is_libpq(&v))
			continue;
		snprintf(name, sizeof(name), "%.*s", (int)(v.name_len < 100 ? v.name_len : 100), v.name);
		if (!find_in_text(u, name, v.value, err))
			return false;
	}
	find_families(u, env);
	find_libpq_variables(u, env);
	return true;
}

void
urls_release(struct urls *u)
{
	size_t i;

	for (i = 0; i < u->n; i++) {
		free(u->places[i].name);
		target_release(&u->places[i].target);
	}
	free(u->places);
	*u = (struct urls){ 0 };
}

/* --- the one server ---------------------------------------------------- */

static void
describe_difference(const struct urls *u, size_t differs, const char *keyword, struct sb *error)
{
	size_t i;

	sb_str(error, "the command is given different servers, and one guard stands before one:\n");
	for (i = 0; i < u->n; i++) {
		sb_fmt(error, "  %s: ", u->places[i].name);
		target_describe(&u->places[i].target, error);
		if (i == differs)
			sb_fmt(error, " (%s differs)", keyword);
		sb_char(error, '\n');
	}
	sb_str(error, "remove what the command does not need, for instance with env -u NAME pgmoat run ...");
}

bool
urls_target(const struct urls *u, struct target *out, struct sb *error)
{
	const char *keyword;
	struct err err;
	size_t i;

	*out = (struct target){ 0 };
	for (i = 0; i < u->n; i++) {
		if ((keyword = target_difference(out, &u->places[i].target)) != NULL) {
			describe_difference(u, i, keyword, error);
			target_release(out);
			return false;
		}
		target_fill(out, &u->places[i].target);
	}
	if (u->n == 0) {
		sb_str(error,
		    "found no Postgres URL (postgresql://...) or connection string (host=... dbname=...) in the command's "
		    "arguments and environment,\nnor PGHOST, PGSERVICE, PGDATABASE, POSTGRES_HOST, DB_HOST and the like; "
		    "--upstream URL says which server to guard");
		return false;
	}
	if (!target_complete(out, &err)) {
		sb_str(error, err.text);
		target_release(out);
		return false;
	}
	return true;
}
