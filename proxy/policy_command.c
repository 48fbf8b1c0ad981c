/* proxy/policy_command.c - `pgmoat policy schema`, `show` and `lint`. No server is needed. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "catalog.h"
#include "commands.h"
#include "policy_command.h"
#include "policy_tools.h"

struct request {
	const char *command;
	const char *policy_file, *profile_name, *catalog_file;
	struct principal who;
	bool json;
};

static void
schema_help(FILE *out)
{
	fputs("usage: pgmoat policy schema\n\n"
	      "Prints the JSON Schema of the policy file, for editors and validators.\n\n"
	      "  $ pgmoat policy schema > policy.schema.json\n"
	      "  { \"$schema\": \"policy.schema.json\", \"version\": 1, ... }\n",
	    out);
}

static void
show_help(FILE *out)
{
	fputs("usage: pgmoat policy show [OPTION...]\n\n"
	      "Prints the rules that hold for a client, with every absent key filled in.\n\n"
	      "  --policy FILE\n        policy file; without one the built-in read-only policy\n"
	      "  --profile NAME\n        the rules of this profile\n"
	      "  --user NAME, --database NAME, --application-name NAME, --client ADDRESS\n"
	      "        the rules of the profile that the policy assigns to such a client\n"
	      "  --format text|json\n        text (default), or one JSON object\n\n"
	      "  $ pgmoat policy show\n"
	      "  $ pgmoat policy show --policy policy.json --user mcp_shop --client 10.1.2.3\n",
	    out);
}

static void
lint_help(FILE *out)
{
	fputs("usage: pgmoat policy lint --policy FILE [OPTION...]\n\n"
	      "Finds what loads, but hardly means what it says: assignments that are never\n"
	      "reached, tables both allowed and denied, limits of 0; and with a catalog names\n"
	      "that match nothing, masks that a column cannot bear, functions that stay closed.\n"
	      "Exit status 1 when something is found, 2 when the files cannot be read.\n\n"
	      "  --policy FILE\n        policy file\n"
	      "  --catalog FILE\n        what the database holds, as pgmoat catalog dump wrote it\n"
	      "  --format text|json\n        text (default), or one JSON object a line\n\n"
	      "  $ pgmoat catalog dump postgresql://db/shop -o shop.json\n"
	      "  $ pgmoat policy lint --policy policy.json --catalog shop.json\n",
	    out);
}

static int
fail(const struct request *r, const char *what, const char *reason)
{
	fprintf(stderr, "pgmoat policy %s: %s: %s\n", r->command, what, reason);
	return EXIT_USAGE;
}

/* What was printed reached its reader? */
static int
printed(const struct request *r, int status)
{
	return fflush(stdout) == EOF || ferror(stdout) ? fail(r, "standard output", strerror(errno)) : status;
}

/* --- schema and show -------------------------------------------------------- */

static int
schema(const struct request *r)
{
	struct sb out = { 0 };

	policy_schema(&out);
	fputs(sb_text(&out), stdout);
	sb_free(&out);
	return printed(r, EXIT_OK);
}

static struct policy *
load(const struct request *r)
{
	struct sb errors = { 0 };
	struct policy *p = r->policy_file != NULL ? policy_load(r->policy_file, &errors) : policy_builtin();

	if (p == NULL)
		fputs(sb_text(&errors), stderr);
	sb_free(&errors);
	return p;
}

static int
show(const struct request *r)
{
	const struct profile *profile;
	struct sb out = { 0 };
	int status = EXIT_OK;
	struct policy *p;

	if ((p = load(r)) == NULL)
		return EXIT_USAGE;
	profile = r->profile_name != NULL ? policy_profile(p, r->profile_name) : policy_assign(p, &r->who);
	if (profile == NULL) {
		status = fail(r, r->profile_name, "there is no such profile");
	} else {
		policy_show(p, profile, r->profile_name != NULL ? NULL : &r->who, r->json, &out);
		fputs(sb_text(&out), stdout);
		status = printed(r, EXIT_OK);
	}
	sb_free(&out);
	policy_unref(p);
	return status;
}

/* --- lint -------------------------------------------------------------------- */

struct report {
	const struct request *request;
	size_t n;
};

static void
print_finding(void *arg, const struct policy_finding *f)
{
	struct report *report = arg;
	const char *file = report->request->policy_file;
	struct sb out = { 0 };

	report->n++;
	if (report->request->json) {
		sb_str(&out, "{\"file\":");
		sb_json(&out, file, strlen(file));
		sb_fmt(&out, ",\"line\":%u,\"column\":%u,\"path\":", f->line, f->column);
		sb_json(&out, f->path, strlen(f->path));
		sb_fmt(&out, ",\"check\":\"%s\",\"message\":", f->check);
		sb_json(&out, f->message, strlen(f->message));
		sb_char(&out, '}');
	} else {
		sb_fmt(&out, "%s:%u:%u: %s: %s [%s]", file, f->line, f->column, f->path, f->message, f->check);
	}
	puts(sb_text(&out));
	sb_free(&out);
}

static char *
read_text(const struct request *r, size_t *len)
{
	FILE *file = fopen(r->policy_file, "re");
	char *text = xmalloc(POLICY_SIZE_MAX + 1);

	*len = file != NULL ? fread(text, 1, POLICY_SIZE_MAX + 1, file) : 0;
	if (file == NULL || ferror(file) != 0) {
		fail(r, r->policy_file, strerror(errno));
		*len = 0;
		free(text);
		text = NULL;
	} else if (*len > POLICY_SIZE_MAX) {
		fail(r, r->policy_file, "expected at most 4 MB");
		free(text);
		text = NULL;
	}
	if (file != NULL)
		fclose(file);
	return text;
}

static int
lint_text(const struct request *r, const char *text, size_t len, struct catalog *catalog)
{
	struct report report = { r, 0 };
	struct sb errors = { 0 };
	int status;

	if (policy_lint(r->policy_file, text, len, catalog, print_finding, &report, &errors)) {
		status = printed(r, report.n > 0 ? EXIT_REFUSED : EXIT_OK);
	} else {
		fputs(sb_text(&errors), stderr);
		status = EXIT_USAGE;
	}
	sb_free(&errors);
	return status;
}

static int
lint(const struct request *r)
{
	struct catalog *catalog = NULL;
	int status = EXIT_USAGE;
	struct err err;
	size_t len;
	char *text;

	if (r->policy_file == NULL)
		return fail(r, "--policy", "needs a file");
	if ((text = read_text(r, &len)) == NULL)
		return EXIT_USAGE;
	if (r->catalog_file != NULL && (catalog = catalog_load(r->catalog_file, &err)) == NULL)
		fail(r, r->catalog_file, err.text);
	else
		status = lint_text(r, text, len, catalog);
	catalog_unref(catalog);
	free(text);
	return status;
}

/* --- options ------------------------------------------------------------------ */

enum options { OF_SHOW = 1, OF_LINT = 2 };

static const struct command {
	const char *name;
	int (*run)(const struct request *);
	void (*help)(FILE *);
	unsigned options;
} commands[] = {
	{ "schema", schema, schema_help, 0 },
	{ "show", show, show_help, OF_SHOW },
	{ "lint", lint, lint_help, OF_LINT },
};

void
policy_help(FILE *out)
{
	fputs("usage: pgmoat policy schema | show | lint [OPTION...]\n\n"
	      "  schema   the JSON Schema of the policy file\n"
	      "  show     the rules that hold for a client, defaults filled in\n"
	      "  lint     what loads, but hardly means what it says\n\n"
	      "pgmoat policy COMMAND --help lists a command's options.\n",
	    out);
}

/* One option, and how many arguments it took; 0 after an error. */
static int
read_option(struct request *r, unsigned options, int argc, char **argv)
{
	const struct {
		const char *name;
		unsigned of;
		const char **to;
	} known[] = {
		{ "--policy", OF_SHOW | OF_LINT, &r->policy_file },
		{ "--profile", OF_SHOW, &r->profile_name },
		{ "--catalog", OF_LINT, &r->catalog_file },
		{ "--user", OF_SHOW, &r->who.user },
		{ "--database", OF_SHOW, &r->who.database },
		{ "--application-name", OF_SHOW, &r->who.application_name },
		{ "--client", OF_SHOW, &r->who.client },
		{ "--format", OF_SHOW | OF_LINT, NULL },
	};
	size_t len = strcspn(argv[0], "="), i = 0;
	const char *value = argv[0][len] == '=' ? argv[0] + len + 1 : argc > 1 ? argv[1] : NULL;

	while (i < nitems(known) && (strlen(known[i].name) != len || strncmp(known[i].name, argv[0], len) != 0))
		i++;
	if (i == nitems(known) || (known[i].of & options) == 0)
		return fail(r, argv[0], "unknown option; see --help") == EXIT_OK;
	if (value == NULL)
		return fail(r, known[i].name, "needs a value") == EXIT_OK;
	if (known[i].to != NULL)
		*known[i].to = value;
	else if (strcmp(value, "text") == 0 || strcmp(value, "json") == 0)
		r->json = *value == 'j';
	else
		return fail(r, known[i].name, "expected text or json") == EXIT_OK;
	return argv[0][len] == '=' ? 1 : 2;
}

static int
run(const struct command *c, int argc, char **argv)
{
	struct request r = { .command = c->name, .who = { .user = "", .database = "", .application_name = "", .client = "" } };
	int i, n;

	for (i = 1; i < argc; i += n) {
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
			c->help(stdout);
			return EXIT_OK;
		}
		if ((n = read_option(&r, c->options, argc - i, argv + i)) == 0)
			return EXIT_USAGE;
	}
	return c->run(&r);
}

int
policy_main(int argc, char **argv)
{
	size_t i;

	for (i = 0; argc > 1 && i < nitems(commands); i++)
		if (strcmp(commands[i].name, argv[1]) == 0)
			return run(&commands[i], argc - 1, argv + 1);
	if (argc > 1)
		fprintf(stderr, "pgmoat policy: unknown command \"%s\"\n", argv[1]);
	policy_help(stderr);
	return EXIT_USAGE;
}
