/* proxy/config.c - settings from the command line, and what must fit together. */
#include <stdlib.h>
#include <string.h>

#include "config_table.h"

#define OPTION_SIZE 40

void
config_init(struct config *c)
{
	struct err err;
	size_t i;

	*c = (struct config){ 0 };
	for (i = 0; i < settings_count; i++)
		if (settings_table[i].preset != NULL && !setting_read(&settings_table[i], c, settings_table[i].preset, &err))
			abort(); /* a mistake in the table */
}

void
config_release(struct config *c)
{
	size_t i;

	for (i = 0; i < settings_count; i++)
		setting_clear(&settings_table[i], c);
	if (c->token != NULL)
		explicit_bzero(c->token, strlen(c->token));
	free(c->token);
	*c = (struct config){ 0 };
}

/* --- one option -------------------------------------------------------- */

struct reader {
	struct config *config;
	enum config_command command;
	int argc, at;
	char **argv;
	struct config_seen seen; /* on the command line */
	struct sb *errors;
	bool good;
};

static void
complain(struct reader *r, const char *option, const char *reason)
{
	sb_fmt(r->errors, "%s: %s\n", option, reason);
	r->good = false;
}

/* The value of the option at r->at: behind "=", or the next argument. NULL
 * after a complaint. */
static const char *
option_value(struct reader *r, const struct setting *s, const char *option, const char *equals)
{
	if (equals != NULL)
		return equals + 1;
	if (s != NULL && s->type == SETTING_BOOL)
		return "true";
	if (r->at + 1 < r->argc)
		return r->argv[++r->at];
	complain(r, option, "needs a value");
	return NULL;
}

/* The setting that an argument is about; NULL: none of this command's. */
static const struct setting *
option_setting(const struct reader *r, const char *arg, char *option, size_t size)
{
	size_t len = strcspn(arg, "=");
	const struct setting *s;

	if (len >= size || strncmp(arg, "--", 2) != 0 || memchr(arg, '_', len) != NULL)
		return NULL;
	snprintf(option, size, "%.*s", (int)len, arg);
	s = setting_find(option + 2);
	return s != NULL && (s->commands & r->command) != 0 ? s : NULL;
}

static void
read_option(struct reader *r)
{
	const char *arg = r->argv[r->at], *value;
	char option[OPTION_SIZE];
	const struct setting *s = option_setting(r, arg, option, sizeof(option));
	struct err err;

	if (s == NULL) {
		sb_fmt(r->errors, "%.*s: unknown option\n", OPTION_SIZE, arg);
		r->good = false;
		return;
	}
	if ((value = option_value(r, s, option, strchr(arg, '='))) == NULL)
		return;
	if (r->seen.key[s - settings_table] && s->type != SETTING_LIST)
		complain(r, option, "given twice");
	else if (!r->seen.key[s - settings_table])
		setting_clear(s, r->config); /* what the file said */
	if (!setting_read(s, r->config, value, &err))
		complain(r, option, err.text);
	r->seen.key[s - settings_table] = true;
}

/* -c and --config are read before the rest, so that options override the file. */
static bool
is_config_option(const struct reader *r)
{
	const char *arg = r->argv[r->at];

	return r->command == CONFIG_SERVE &&
	       (strcmp(arg, "-c") == 0 || strcmp(arg, "--config") == 0 || strncmp(arg, "--config=", strlen("--config=")) == 0);
}

static void
read_config_option(struct reader *r, struct config_seen *file)
{
	const char *path = option_value(r, NULL, "-c", strchr(r->argv[r->at], '='));

	if (path != NULL && !config_file(r->config, path, file, r->errors))
		r->good = false;
}

/* Past an option of no interest, and its value. */
static void
skip_option(struct reader *r)
{
	const char *arg = r->argv[r->at];
	char option[OPTION_SIZE];
	const struct setting *s = option_setting(r, arg, option, sizeof(option));

	if (strchr(arg, '=') == NULL && (is_config_option(r) || (s != NULL && s->type != SETTING_BOOL)))
		r->at++;
}

/* --- all of them ------------------------------------------------------- */

static bool
is_option(const char *arg)
{
	return arg[0] == '-' && arg[1] != '\0' && strcmp(arg, "--") != 0;
}

static bool
more_options(const struct reader *r)
{
	return r->at < r->argc && is_option(r->argv[r->at]);
}

static void
read_options(struct reader *r)
{
	for (r->at = 1; more_options(r); r->at++) {
		if (is_config_option(r))
			skip_option(r);
		else
			read_option(r);
	}
}

static void
read_files(struct reader *r, struct config_seen *file)
{
	bool found = false;

	for (r->at = 1; more_options(r); r->at++) {
		if (!is_config_option(r)) {
			skip_option(r);
			continue;
		}
		if (found)
			complain(r, "-c", "given twice");
		else
			read_config_option(r, file);
		found = true;
	}
}

bool
config_options(struct config *c, enum config_command command, int argc, char **argv, int *next, struct sb *errors)
{
	struct reader r = { .config = c, .command = command, .argc = argc, .argv = argv, .errors = errors, .good = true };

	read_options(&r);
	if (r.at < argc && strcmp(argv[r.at], "--") == 0)
		r.at++;
	*next = r.at < argc ? r.at : argc;
	return r.good;
}

static void
check_whole(struct reader *r, const struct config_seen *file)
{
	struct config *c = r->config;
	size_t tls_mode = (size_t)(setting_find("tls_mode") - settings_table);

	if (!r->seen.key[tls_mode] && !file->key[tls_mode])
		c->tls_mode = c->tls_cert != NULL ? TLS_PREFER : TLS_DISABLE;
	if (c->nlisten == 0)
		complain(r, "--listen", "an address to listen on is needed, for instance 127.0.0.1:6432");
	if (c->upstream == NULL)
		complain(r, "--upstream", "the server's URL is needed, for instance postgresql://127.0.0.1:5432");
	if ((c->tls_cert == NULL) != (c->tls_key == NULL))
		complain(r, c->tls_cert == NULL ? "--tls-cert" : "--tls-key",
		    "certificate and key come together, and this one is missing");
	else if (c->tls_cert == NULL && c->tls_mode != TLS_DISABLE)
		complain(r, "--tls-mode", "TLS needs --tls-cert and --tls-key");
	if (c->tls_ca != NULL && c->tls_cert == NULL)
		complain(r, "--tls-ca", "client certificates need TLS: --tls-cert and --tls-key are missing");
}

bool
config_read(struct config *c, int argc, char **argv, struct sb *errors)
{
	struct reader r = { .config = c, .command = CONFIG_SERVE, .argc = argc, .argv = argv, .errors = errors, .good = true };
	struct config_seen file = { 0 };

	read_files(&r, &file);
	read_options(&r);
	for (; r.at < argc; r.at++)
		complain(&r, argv[r.at], "unexpected argument");
	if (r.good)
		check_whole(&r, &file);
	return r.good;
}

/* --- help -------------------------------------------------------------- */

static void
help_line(FILE *out, const struct setting *s)
{
	char option[OPTION_SIZE];
	size_t i;

	setting_option(s, option, sizeof(option));
	fprintf(out, "  %s", option);
	if (s->words != NULL) {
		for (i = 0; s->words[i] != NULL; i++)
			fprintf(out, "%s%s", i == 0 ? " " : "|", s->words[i]);
	} else if (s->metavar != NULL)
		fprintf(out, " %s", s->metavar);
	fprintf(out, "\n        %s", s->help);
	if (s->preset != NULL && s->type != SETTING_BOOL)
		fprintf(out, " (default %s)", s->preset);
	fputc('\n', out);
}

void
config_help(FILE *out, enum config_command command)
{
	size_t i;

	if (command == CONFIG_SERVE)
		fputs(
		    "  -c, --config FILE\n        read settings from FILE (JSON with comments; the options' names with _ for -)\n",
		    out);
	for (i = 0; i < settings_count; i++)
		if ((settings_table[i].commands & command) != 0)
			help_line(out, &settings_table[i]);
}
