/* proxy/main.c - the table of commands. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "catalog_command.h"
#include "commands.h"
#include "policy.h"
#include "policy_command.h"
#include "serve.h"

static int help_main(int argc, char **argv);
static void serve_help(FILE *);
static void help(FILE *);

static const struct command {
	const char *name;
	int (*main)(int argc, char **argv);
	void (*help)(FILE *);
	const char *summary;
} commands[] = {
	{ "serve", serve_main, serve_help, "listen for clients and guard one PostgreSQL server" },
	{ "run", run_main, run_help, "start a command with a private guard before its server" },
	{ "check", check_main, check_help, "judge files of SQL, without a server" },
	{ "catalog", catalog_main, catalog_help, "write down what a database holds, for offline use" },
	{ "policy", policy_main, policy_help, "what a policy file may hold, what it means, and what it hardly means" },
	{ "help", help_main, help, "this text, or pgmoat help COMMAND" },
};

static const struct command *
find_command(const char *name)
{
	size_t i;

	for (i = 0; i < nitems(commands); i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

static void
help(FILE *out)
{
	size_t i;

	fputs("usage: pgmoat COMMAND [OPTION...]\n       pgmoat --version\n\n"
	      "A SQL firewall that speaks the PostgreSQL protocol: judges every statement by its\n"
	      "parse tree, limits or refuses it as the policy says, and writes down what happened.\n\n",
	    out);
	for (i = 0; i < nitems(commands); i++)
		fprintf(out, "  %-8s %s\n", commands[i].name, commands[i].summary);
	fputs("\npgmoat COMMAND --help lists a command's options; pgmoat(1) is the manual.\n", out);
}

static void
serve_help(FILE *out)
{
	fputs("usage: pgmoat serve --listen ADDRESS --upstream URL [OPTION...]\n"
	      "       pgmoat serve -c FILE [OPTION...]\n\n"
	      "Listens for PostgreSQL clients and guards one server. SIGTERM lets running work\n"
	      "finish, SIGINT stops, SIGHUP reads policy and certificates again.\n\n",
	    out);
	config_help(out, CONFIG_SERVE);
}

static int
unknown_command(const char *name)
{
	fprintf(stderr, "pgmoat: unknown command \"%s\"; pgmoat help lists them\n", name);
	return EXIT_USAGE;
}

static int
help_main(int argc, char **argv)
{
	const struct command *c;

	if (argc < 2)
		help(stdout);
	else if ((c = find_command(argv[1])) != NULL)
		c->help(stdout);
	else
		return unknown_command(argv[1]);
	return EXIT_OK;
}

/* A closed standard stream would be the next socket's number, and what is
 * meant for a terminal would go to a peer. */
static void
open_streams(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd != -1 && fd <= STDERR_FILENO);
	if (fd != -1)
		close(fd);
}

static bool
is_help(const char *arg)
{
	return strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0;
}

int
main(int argc, char **argv)
{
	const struct command *c;
	struct err err;

	open_streams();
	if (!policy_selftest(&err)) {
		fprintf(stderr, "pgmoat: will not run: %s\n", err.text);
		return EXIT_USAGE;
	}
	if (argc < 2) {
		help(stderr);
		return EXIT_USAGE;
	}
	if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
		printf("pgmoat %s, %s\n", PGMOAT_VERSION, policy_grammar_version());
		return EXIT_OK;
	}
	if (is_help(argv[1]))
		return help_main(1, argv);
	if ((c = find_command(argv[1])) == NULL)
		return unknown_command(argv[1]);
	if (argc > 2 && is_help(argv[2])) {
		c->help(stdout);
		return EXIT_OK;
	}
	return c->main(argc - 1, argv + 1);
}
