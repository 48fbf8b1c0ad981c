/* proxy/target.c - which server a URL, key=value string or environment means. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <libpq-fe.h>

#include "target.h"

/* clang-format off */
const struct target_keyword target_keywords[TARGET_KEYS] = {
	[TARGET_HOST]	  = { "host",	  "PGHOST",	ROLE_PLACE },
	[TARGET_HOSTADDR] = { "hostaddr", "PGHOSTADDR",	ROLE_PLACE },
	[TARGET_PORT]	  = { "port",	  "PGPORT",	ROLE_PLACE },
	[TARGET_USER]	  = { "user",	  "PGUSER",	ROLE_PLACE },
	[TARGET_PASSWORD] = { "password", "PGPASSWORD",	ROLE_PLACE },
	[TARGET_DBNAME]	  = { "dbname",	  "PGDATABASE",	ROLE_PLACE },
	[TARGET_SSLMODE]  = { "sslmode",  "PGSSLMODE",	ROLE_PLACE },
	[TARGET_SERVICE]  = { "service",  "PGSERVICE",	ROLE_PLACE },
	[TARGET_PASSFILE] = { "passfile", "PGPASSFILE",	ROLE_PLACE },
	{ "channel_binding",		"PGCHANNELBINDING",	ROLE_SERVER },
	{ "sslnegotiation",		"PGSSLNEGOTIATION",	ROLE_SERVER },
	{ "sslcompression",		"PGSSLCOMPRESSION",	ROLE_SERVER },
	{ "sslcert",			"PGSSLCERT",		ROLE_SERVER },
	{ "sslkey",			"PGSSLKEY",		ROLE_SERVER },
	{ "sslpassword",		NULL,			ROLE_SERVER },
	{ "sslcertmode",		"PGSSLCERTMODE",	ROLE_SERVER },
	{ "sslrootcert",		"PGSSLROOTCERT",	ROLE_SERVER },
	{ "sslcrl",			"PGSSLCRL",		ROLE_SERVER },
	{ "sslcrldir",			"PGSSLCRLDIR",		ROLE_SERVER },
	{ "sslsni",			"PGSSLSNI",		ROLE_SERVER },
	{ "ssl_min_protocol_version",	"PGSSLMINPROTOCOLVERSION", ROLE_SERVER },
	{ "ssl_max_protocol_version",	"PGSSLMAXPROTOCOLVERSION", ROLE_SERVER },
	{ "requirepeer",		"PGREQUIREPEER",	ROLE_SERVER },
	{ "require_auth",		"PGREQUIREAUTH",	ROLE_SERVER },
	{ "gssencmode",			"PGGSSENCMODE",		ROLE_SERVER },
	{ "krbsrvname",			"PGKRBSRVNAME",		ROLE_SERVER },
	{ "gsslib",			"PGGSSLIB",		ROLE_SERVER },
	{ "gssdelegation",		"PGGSSDELEGATION",	ROLE_SERVER },
	{ "target_session_attrs",	"PGTARGETSESSIONATTRS",	ROLE_SERVER },
	{ "load_balance_hosts",		"PGLOADBALANCEHOSTS",	ROLE_SERVER },
	{ "connect_timeout",		"PGCONNECT_TIMEOUT",	ROLE_BOTH },
	{ "keepalives",			NULL,			ROLE_BOTH },
	{ "keepalives_idle",		NULL,			ROLE_BOTH },
	{ "keepalives_interval",	NULL,			ROLE_BOTH },
	{ "keepalives_count",		NULL,			ROLE_BOTH },
	{ "tcp_user_timeout",		NULL,			ROLE_BOTH },
	{ "client_encoding",		"PGCLIENTENCODING",	ROLE_CLIENT },
	{ "options",			"PGOPTIONS",		ROLE_CLIENT },
	{ "application_name",		"PGAPPNAME",		ROLE_CLIENT },
	{ "fallback_application_name",	NULL,			ROLE_CLIENT },
	{ "replication",		NULL,			ROLE_CLIENT },
	{ "scram_client_key",		NULL,			ROLE_SERVER },
};
/* clang-format on */

static void
wipe_free(char *s)
{
	if (s != NULL)
		explicit_bzero(s, strlen(s));
	free(s);
}

void
target_release(struct target *t)
{
	size_t i;

	for (i = 0; i < TARGET_KEYS; i++)
		wipe_free(t->value[i]);
	*t = (struct target){ 0 };
}

int
target_key(const char *keyword)
{
	int i;

	for (i = 0; i < TARGET_KEYS; i++)
		if (strcmp(target_keywords[i].keyword, keyword) == 0)
			return i;
	return -1;
}

void
target_set(struct target *t, int key, const char *value, size_t len)
{
	char *copy = len > 0 ? xstrndup(value, len) : NULL;

	wipe_free(t->value[key]);
	t->value[key] = copy;
}

void
target_fill(struct target *t, const struct target *from)
{
	int i;

	for (i = 0; i < TARGET_KEYS; i++)
		if (t->value[i] == NULL && from->value[i] != NULL)
			target_set(t, i, from->value[i], strlen(from->value[i]));
}

static void
set_options(struct target *t, const PQconninfoOption *options)
{
	int key;

	for (; options->keyword != NULL; options++)
		if (options->val != NULL && (key = target_key(options->keyword)) != -1 && t->value[key] == NULL)
			target_set(t, key, options->val, strlen(options->val));
}

bool
target_read_pairs(struct target *t, const char *text, struct err *err)
{
	char *message = NULL;
	PQconninfoOption *options = PQconninfoParse(text, &message);

	if (options == NULL) {
		/* libpq's message quotes the text, and that holds a password. */
		PQfreemem(message);
		return err_set(err, "is no connection string that libpq can read");
	}
	set_options(t, options);
	PQconninfoFree(options);
	return true;
}

void
target_read_environment(struct target *t, char *const *env)
{
	const char *variable, *equals;
	int i;

	for (; *env != NULL; env++) {
		if ((equals = strchr(*env, '=')) == NULL)
			continue;
		for (i = 0; i < TARGET_KEYS; i++) {
			variable = target_keywords[i].variable;
			if (variable != NULL && strlen(variable) == (size_t)(equals - *env) &&
			    strncmp(variable, *env, strlen(variable)) == 0)
				target_set(t, i, equals + 1, strlen(equals + 1));
		}
	}
}

/* libpq looks a service up for its defaults only, by PGSERVICE. */
static PQconninfoOption *
defaults_of(const char *service)
{
	const char *set = getenv("PGSERVICE");
	char *before = set != NULL ? xstrdup(set) : NULL;
	PQconninfoOption *options;

	if (service != NULL)
		setenv("PGSERVICE", service, 1);
	options = PQconndefaults();
	if (service != NULL && before != NULL)
		setenv("PGSERVICE", before, 1);
	else if (service != NULL)
		unsetenv("PGSERVICE");
	free(before);
	return options;
}

bool
target_complete(struct target *t, struct err *err)
{
	PQconninfoOption *options = defaults_of(t->value[TARGET_SERVICE]);

	if (options == NULL)
		return err_set(err, "libpq cannot tell its defaults");
	set_options(t, options);
	PQconninfoFree(options);
	if (t->value[TARGET_SERVICE] != NULL && t->value[TARGET_HOST] == NULL && t->value[TARGET_HOSTADDR] == NULL)
		return err_set(err, "service \"%s\" was not found, or names no host", t->value[TARGET_SERVICE]);
	if (t->value[TARGET_DBNAME] == NULL && t->value[TARGET_USER] != NULL)
		target_set(t, TARGET_DBNAME, t->value[TARGET_USER], strlen(t->value[TARGET_USER]));
	return true;
}

static bool
names_host(const struct target *t)
{
	return t->value[TARGET_HOST] != NULL || t->value[TARGET_HOSTADDR] != NULL;
}

const char *
target_difference(const struct target *a, const struct target *b)
{
	const char *x, *y;
	int i;

	for (i = 0; i < TARGET_SERVICE; i++) {
		x = a->value[i];
		y = b->value[i];
		if (i == TARGET_PORT && names_host(a) && names_host(b)) {
			x = x != NULL ? x : "5432";
			y = y != NULL ? y : "5432";
		}
		if (x == NULL || y == NULL)
			continue;
		if (i == TARGET_HOST ? strcasecmp(x, y) != 0 : strcmp(x, y) != 0)
			return target_keywords[i].keyword;
	}
	return NULL;
}

void
target_describe(const struct target *t, struct sb *out)
{
	const char *host = t->value[TARGET_HOST] != NULL ? t->value[TARGET_HOST] : t->value[TARGET_HOSTADDR];

	if (t->value[TARGET_USER] != NULL)
		sb_fmt(out, "%s@", t->value[TARGET_USER]);
	sb_str(out, host != NULL ? host : "[default host]");
	if (t->value[TARGET_PORT] != NULL)
		sb_fmt(out, ":%s", t->value[TARGET_PORT]);
	if (t->value[TARGET_DBNAME] != NULL)
		sb_fmt(out, "/%s", t->value[TARGET_DBNAME]);
	if (t->value[TARGET_SSLMODE] != NULL)
		sb_fmt(out, " sslmode=%s", t->value[TARGET_SSLMODE]);
	if (t->value[TARGET_SERVICE] != NULL)
		sb_fmt(out, " service=%s", t->value[TARGET_SERVICE]);
}

void
target_quote(struct sb *out, const char *value)
{
	sb_char(out, '\'');
	for (; *value != '\0'; value++) {
		if (*value == '\'' || *value == '\\')
			sb_char(out, '\\');
		sb_char(out, *value);
	}
	sb_char(out, '\'');
}

void
target_conninfo(const struct target *t, struct sb *out)
{
	int i;

	for (i = 0; i < TARGET_KEYS; i++) {
		/* The service has been looked up; it would be again, and win. */
		if (t->value[i] == NULL || target_keywords[i].role == ROLE_CLIENT || i == TARGET_SERVICE)
			continue;
		sb_fmt(out, "%s%s=", out->len > 0 ? " " : "", target_keywords[i].keyword);
		target_quote(out, t->value[i]);
	}
}
