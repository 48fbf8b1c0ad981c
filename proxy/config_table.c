/* proxy/config_table.c - every setting, and how one value is read. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config_table.h"
#include "log.h"

static const char *const failure_words[] = { "refuse", "count", NULL };
static const char *const tls_words[] = { "disable", "allow", "prefer", "require", NULL };
static const char *const auth_words[] = { "pass", "password", NULL };
static const char *const level_words[] = { "debug", "info", "warn", "error", NULL };

#define AT(member) .offset = offsetof(struct config, member)
#define BOTH (CONFIG_SERVE | CONFIG_RUN)

/* clang-format off */
const struct setting settings_table[] = {
	{ "listen", SETTING_LIST, AT(listen), .commands = BOTH, .metavar = "ADDRESS",
	    .help = "HOST:PORT, [IPV6]:PORT, *:PORT or unix:PATH to listen on; may repeat (run: one, default 127.0.0.1:0)" },
	{ "upstream", SETTING_STRING, AT(upstream), .commands = BOTH, .metavar = "URL",
	    .help = "the PostgreSQL server: URL or key=value string, as libpq reads them" },
	{ "policy", SETTING_STRING, AT(policy), .commands = BOTH, .metavar = "FILE",
	    .help = "policy file; without one the built-in read-only policy applies" },
	{ "catalog", SETTING_STRING, AT(catalog), .commands = BOTH, .preset = "server", .metavar = "server|off|FILE",
	    .help = "what names mean: read from the server and kept up to date, not known, or as pgmoat catalog dump wrote FILE" },
	{ "catalog_max_age", SETTING_INT, AT(catalog_max_age), .commands = BOTH, .min = 0, .max = 3600000, .preset = "1000",
	    .metavar = "MILLISECONDS", .help = "look for changes when the catalog was last looked at longer ago" },
	{ "audit", SETTING_STRING, AT(audit), .commands = BOTH, .metavar = "FILE",
	    .help = "append every decision to FILE as JSON lines; - is standard error" },
	{ "audit_redact", SETTING_BOOL, AT(audit_redact), .commands = BOTH, .preset = "false",
	    .help = "leave statement texts out of the audit records" },
	{ "audit_on_failure", SETTING_WORD, AT(audit_on_failure), .commands = BOTH, .words = failure_words, .preset = "refuse",
	    .help = "when the audit file cannot be written: refuse statements, or go on and count lost records" },
	{ "workers", SETTING_INT, AT(workers), .commands = BOTH, .min = 0, .max = 256, .preset = "0", .metavar = "N",
	    .help = "threads; 0: one per core (run: 1 unless said)" },
	{ "tls_mode", SETTING_WORD, AT(tls_mode), .commands = CONFIG_SERVE, .words = tls_words,
	    .help = "TLS with clients; default prefer with a certificate, disable without" },
	{ "tls_cert", SETTING_STRING, AT(tls_cert), .commands = CONFIG_SERVE, .metavar = "FILE",
	    .help = "certificate chain for clients, PEM" },
	{ "tls_key", SETTING_STRING, AT(tls_key), .commands = CONFIG_SERVE, .metavar = "FILE",
	    .help = "its private key, PEM" },
	{ "tls_ca", SETTING_STRING, AT(tls_ca), .commands = CONFIG_SERVE, .metavar = "FILE",
	    .help = "authorities that client certificates must come from, PEM" },
	{ "auth", SETTING_WORD, AT(auth), .commands = CONFIG_SERVE, .words = auth_words, .preset = "pass",
	    .help = "pass: client and server authenticate each other through us; password: ask inside TLS and log in with it" },
	{ "login_timeout", SETTING_INT, AT(login_timeout), .commands = CONFIG_SERVE, .min = 1, .max = 3600, .preset = "60",
	    .metavar = "SECONDS", .help = "a client that has not logged in by then is closed" },
	{ "max_half_open", SETTING_INT, AT(max_half_open), .commands = CONFIG_SERVE, .min = 1, .max = 100000, .preset = "64",
	    .metavar = "N", .help = "connections per address that may be before or in their login" },
	{ "max_clients", SETTING_INT, AT(max_clients), .commands = BOTH, .min = 1, .max = 1000000, .preset = "10000",
	    .metavar = "N", .help = "connected clients in all" },
	{ "unix_mode", SETTING_MODE, AT(unix_mode), .commands = CONFIG_SERVE, .preset = "0777", .metavar = "MODE",
	    .help = "permissions of unix sockets, octal" },
	{ "log", SETTING_STRING, AT(log_file), .commands = BOTH, .metavar = "FILE",
	    .help = "append the log to FILE instead of standard error" },
	{ "log_level", SETTING_WORD, AT(log_level), .commands = BOTH, .words = level_words, .preset = "info",
	    .help = "least severe level to log (run without --log: warn)" },
	{ "pid_file", SETTING_STRING, AT(pid_file), .commands = CONFIG_SERVE, .metavar = "FILE",
	    .help = "write the process number to FILE" },
};
/* clang-format on */

const size_t settings_count = nitems(settings_table);
_Static_assert(nitems(settings_table) <= nitems(((struct config_seen *)NULL)->key), "struct config_seen holds every setting");
_Static_assert(sizeof(enum tls_mode) == sizeof(int), "words are stored as int");

static bool
same_name(const char *key, const char *name)
{
	for (; *key != '\0' && (*key == *name || (*key == '_' && *name == '-')); key++, name++)
		;
	return *key == '\0' && *name == '\0';
}

const struct setting *
setting_find(const char *name)
{
	size_t i;

	for (i = 0; i < settings_count; i++)
		if (same_name(settings_table[i].key, name))
			return &settings_table[i];
	return NULL;
}

void
setting_option(const struct setting *s, char *out, size_t size)
{
	snprintf(out, size, "--%s", s->key);
	for (; *out != '\0'; out++)
		if (*out == '_')
			*out = '-';
}

static void *
place(const struct setting *s, struct config *c)
{
	return (char *)c + s->offset;
}

static bool
read_string(const struct setting *s, struct config *c, const char *text, struct err *err)
{
	char **to = place(s, c);

	if (*text == '\0')
		return err_set(err, "must not be empty");
	free(*to);
	*to = xstrdup(text);
	return true;
}

static bool
read_list(struct config *c, const char *text, struct err *err)
{
	if (*text == '\0')
		return err_set(err, "must not be empty");
	if (c->nlisten == LISTEN_MAX)
		return err_set(err, "at most %d addresses", LISTEN_MAX);
	c->listen[c->nlisten++] = xstrdup(text);
	return true;
}

static bool
read_int(const struct setting *s, struct config *c, const char *text, struct err *err)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(text, &end, 10);
	if (*text == '\0' || *end != '\0' || errno != 0 || n < s->min || n > s->max)
		return err_set(err, "expected a whole number from %d to %d, found \"%s\"", s->min, s->max, text);
	*(int *)place(s, c) = (int)n;
	return true;
}

static bool
read_word(const struct setting *s, struct config *c, const char *text, struct err *err)
{
	struct sb words = { 0 };
	int i;

	for (i = 0; s->words[i] != NULL; i++) {
		if (strcmp(text, s->words[i]) == 0) {
			*(int *)place(s, c) = i;
			sb_free(&words);
			return true;
		}
		sb_fmt(&words, "%s%s", i == 0 ? "" : s->words[i + 1] == NULL ? " or " : ", ", s->words[i]);
	}
	err_set(err, "expected %s, found \"%s\"", sb_text(&words), text);
	sb_free(&words);
	return false;
}

static bool
read_bool(const struct setting *s, struct config *c, const char *text, struct err *err)
{
	if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
		return err_set(err, "expected true or false, found \"%s\"", text);
	*(bool *)place(s, c) = *text == 't';
	return true;
}

static bool
read_mode(const struct setting *s, struct config *c, const char *text, struct err *err)
{
	size_t digits = strspn(text, "01234567");

	if (digits == 0 || digits > 4 || text[digits] != '\0' || strtol(text, NULL, 8) > 0777)
		return err_set(err, "expected octal permissions like \"0770\", found \"%s\"", text);
	*(int *)place(s, c) = (int)strtol(text, NULL, 8);
	return true;
}

bool
setting_read(const struct setting *s, struct config *c, const char *text, struct err *err)
{
	switch (s->type) {
	case SETTING_STRING:
		return read_string(s, c, text, err);
	case SETTING_LIST:
		return read_list(c, text, err);
	case SETTING_INT:
		return read_int(s, c, text, err);
	case SETTING_WORD:
		return read_word(s, c, text, err);
	case SETTING_BOOL:
		return read_bool(s, c, text, err);
	case SETTING_MODE:
		return read_mode(s, c, text, err);
	}
	return err_set(err, "has no type");
}

void
setting_clear(const struct setting *s, struct config *c)
{
	char **text = place(s, c);

	if (s->type == SETTING_LIST) {
		while (c->nlisten > 0)
			free(c->listen[--c->nlisten]);
	} else if (s->type == SETTING_STRING) {
		if (*text != NULL)
			explicit_bzero(*text, strlen(*text)); /* the upstream's URL holds a password */
		free(*text);
		*text = NULL;
	}
}
