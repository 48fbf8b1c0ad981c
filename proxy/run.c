/* proxy/run.c - `pgmoat run`: a guard of its own for one command. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <unistd.h>

#include "child.h"
#include "commands.h"
#include "log.h"
#include "serve.h"
#include "urls.h"

#define TOKEN_BYTES 32

struct run {
	struct config config;
	char **argv;          /* borrowed: all of our own */
	char **command;       /* borrowed: the child's part of it */
	struct urls urls;     /* what the child was to be given */
	struct target target; /* what that means */
	struct child child;
};

void
run_help(FILE *out)
{
	fputs("usage: pgmoat run [OPTION...] [--] COMMAND [ARG...]\n\n"
	      "Starts COMMAND with a private guard between it and its PostgreSQL server. Every\n"
	      "Postgres URL and connection string in its arguments and environment, the PG*\n"
	      "variables, and families like DB_HOST and DB_USER lead to the guard; the real\n"
	      "password stays with pgmoat.\n\n",
	    out);
	config_help(out, CONFIG_RUN);
}

static int
fail(const char *reason)
{
	fprintf(stderr, "pgmoat run: %s\n", reason);
	return EXIT_USAGE;
}

/* --- before the fork --------------------------------------------------- */

static bool
read_options(struct run *r, int argc, char **argv)
{
	struct sb errors = { 0 };
	bool good;
	int next;

	config_init(&r->config);
	r->config.workers = 1;
	r->config.log_level = -1;
	good = config_options(&r->config, CONFIG_RUN, argc, argv, &next, &errors);
	if (!good)
		fprintf(stderr, "%s", sb_text(&errors));
	else if (!(good = next < argc))
		fail("which command? see pgmoat run --help");
	sb_free(&errors);
	if (r->config.log_level == -1) /* a terminal belongs to the child */
		r->config.log_level = r->config.log_file != NULL ? LOG_INFO_ : LOG_WARN_;
	r->command = argv + next;
	return good;
}

static bool
starts_with(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

/* The token is all that a client needs: it must not be asked for over a network. */
static bool
choose_address(struct config *c, struct err *err)
{
	const char *address, *name;

	if (c->nlisten == 0)
		c->listen[c->nlisten++] = xstrdup("127.0.0.1:0");
	if (c->nlisten > 1)
		return err_set(err, "--listen: one address at most");
	address = c->listen[0];
	if (starts_with(address, "unix:")) {
		name = strrchr(address, '/');
		if (name == NULL || !starts_with(name, "/.s.PGSQL.") || name[strlen("/.s.PGSQL.")] == '\0')
			return err_set(err, "--listen: clients find a socket by directory and port, so its name must be "
					    "unix:/DIRECTORY/.s.PGSQL.PORT");
		return true;
	}
	if (!starts_with(address, "127.") && !starts_with(address, "[::1]:") && !starts_with(address, "localhost:"))
		return err_set(
		    err, "--listen: expected an address of this machine alone (127.0.0.1:PORT, [::1]:PORT or unix:PATH)");
	return true;
}

static bool
make_token(struct config *c, struct err *err)
{
	unsigned char bytes[TOKEN_BYTES];
	struct sb token = { 0 };
	size_t i;

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return err_set(err, "no random bytes: %s", strerror(errno));
	for (i = 0; i < sizeof(bytes); i++)
		sb_fmt(&token, "%02x", bytes[i]);
	explicit_bzero(bytes, sizeof(bytes));
	c->token = sb_take(&token);
	c->auth = AUTH_FIXED;
	return true;
}

/* Finds the one server that the command is meant to reach. */
static bool
find_server(struct run *r)
{
	struct sb text = { 0 };
	struct err err;
	bool good;

	if (!urls_find(&r->urls, r->config.upstream, r->command, environ, &err)) {
		fail(err.text);
		return false;
	}
	if ((good = urls_target(&r->urls, &r->target, &text))) {
		target_conninfo(&r->target, &text);
		free(r->config.upstream);
		r->config.upstream = sb_take(&text);
	} else
		fail(sb_text(&text));
	sb_free(&text);
	return good;
}

static struct guard
guard_at(const struct run *r, const char *host, const char *port)
{
	return (struct guard){ .host = host,
		.port = port,
		.user = r->target.value[TARGET_USER],
		.password = r->config.token,
		.dbname = r->target.value[TARGET_DBNAME] };
}

static void
free_vector(char **vector)
{
	size_t i;

	for (i = 0; vector[i] != NULL; i++)
		free(vector[i]);
	free(vector);
}

/* What we do not recognise we do not change, but say so. */
static void
warn_of_leaks(const struct run *r)
{
	const struct guard guard = guard_at(r, "127.0.0.1", "0");
	const char *secret = r->target.value[TARGET_PASSWORD];
	char **argv = urls_argv(r->command, &guard, secret), **env = urls_env(&r->urls, environ, &guard, secret);
	struct sb names = { 0 };

	urls_leaks(argv, env, &r->target, &names);
	if (names.len > 0)
		fprintf(stderr, "pgmoat run: warning: the command can still read the server's password in: %s\n", names.text);
	sb_free(&names);
	free_vector(argv);
	free_vector(env);
}

/* --- the child --------------------------------------------------------- */

/* "127.0.0.1:5433", "[::1]:5433" or "unix:/dir/.s.PGSQL.5433", taken apart in place. */
static void
split_address(char *address, const char **host, const char **port)
{
	char *separator;

	if (starts_with(address, "unix:")) {
		separator = strrchr(address, '/');
		*port = strrchr(separator, '.') + 1;
		*host = address + strlen("unix:");
	} else {
		separator = strrchr(address, ':');
		*port = separator + 1;
		*host = address + (*address == '[');
		separator -= *address == '[';
	}
	*separator = '\0';
}

static void
become_command(void *arg, const char *told)
{
	const struct run *r = arg;
	const char *host, *port, *secret = r->target.value[TARGET_PASSWORD];
	char *address = xstrdup(told), **argv;
	struct guard guard;

	split_address(address, &host, &port);
	guard = guard_at(r, host, port);
	argv = urls_argv(r->command, &guard, secret);
	execvpe(argv[0], argv, urls_env(&r->urls, environ, &guard, secret));
}

/* --- the guard --------------------------------------------------------- */

/* Standard input and output are the child's alone: its peer must see them
 * close when it closes them. */
static void
leave_streams(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null == -1)
		return;
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	close(null);
}

/* The command runs as the same user: it must find the password neither in
 * what /proc shows of us nor by attaching a debugger. */
static void
hide_secrets(struct run *r)
{
	urls_wipe(r->argv, environ, &r->target);
	unsetenv("PGPASSWORD");
	prctl(PR_SET_DUMPABLE, 0);
}

static int
start_command(struct run *r, const struct serve *serve)
{
	bool started = child_go(&r->child, serve_address(serve, 0));
	int error = errno, status;

	if (!started)
		fprintf(stderr, "pgmoat run: %s: %s\n", r->command[0], strerror(error));
	status = child_wait(&r->child);
	log_info(0, "the command ended with status %d", status);
	return status;
}

static int
guard_command(struct run *r)
{
	struct serve *serve;
	struct err err;
	int status;

	if (!child_start(&r->child, become_command, r, &err))
		return fail(err.text);
	leave_streams();
	hide_secrets(r);
	signal(SIGPIPE, SIG_IGN);
	if (!log_open(r->config.log_file, (enum log_level)r->config.log_level, &err) ||
	    (serve = serve_start(&r->config, &err)) == NULL) {
		child_abandon(&r->child);
		return fail(err.text);
	}
	status = start_command(r, serve);
	serve_stop(serve);
	log_close();
	return status;
}

int
run_main(int argc, char **argv)
{
	struct run r = { .argv = argv };
	struct err err;
	int status = EXIT_USAGE;

	if (!read_options(&r, argc, argv))
		; /* said already */
	else if (!choose_address(&r.config, &err) || !make_token(&r.config, &err))
		fail(err.text);
	else if (find_server(&r)) {
		warn_of_leaks(&r);
		status = guard_command(&r);
	}
	urls_release(&r.urls);
	target_release(&r.target);
	config_release(&r.config);
	return status;
}
