/* proxy/check.c - `pgmoat check`: what the guard would say to a file of statements.
 *
 * Every statement is judged as if a client had sent it alone, one after the
 * other in one session, so that EXECUTE finds what PREPARE defined. No server
 * is needed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "catalog.h"
#include "commands.h"
#include "policy.h"
#include "policy_split.h"
#include "serve.h"

struct check {
	const char *policy_file, *profile_name, *catalog_file, *search_path;
	struct principal who;
	bool json;

	struct policy *policy;
	const struct profile *profile;
	struct rights *rights; /* with a catalog; NULL without */
	struct names *names;
	uint64_t statement; /* number within the session */
	bool in_block;      /* between BEGIN and COMMIT */
	size_t counts[VERDICT_BLOCK + 1];
};

void
check_help(FILE *out)
{
	fputs("usage: pgmoat check [OPTION...] [FILE...]\n\n"
	      "Says for each statement of the files (or of standard input) whether it would be\n"
	      "allowed, rewritten or blocked. No server is needed. Exit status 1 when one is\n"
	      "blocked. Files hold plain SQL: psql's backslash commands, and data behind\n"
	      "COPY ... FROM STDIN, are not understood and come out as parse errors.\n\n"
	      "  --policy FILE\n        policy file; without one the built-in read-only policy applies\n"
	      "  --profile NAME\n        judge under this profile\n"
	      "  --user NAME, --database NAME, --application-name NAME, --client ADDRESS\n"
	      "        judge under the profile that the policy assigns to such a client\n"
	      "  --catalog FILE\n        what the database holds, as pgmoat catalog dump wrote it: names are looked up in\n"
	      "        it, and views, columns and functions judged by what they are\n"
	      "  --search-path SCHEMAS\n        where unqualified names are looked up in it, instead of the policy's search_path\n"
	      "  --format text|json\n        text (default), or one JSON object a line\n",
	    out);
}

static int
fail(const char *what, const char *reason)
{
	fprintf(stderr, "pgmoat check: %s: %s\n", what, reason);
	return EXIT_USAGE;
}

static void
note(const char *text)
{
	fprintf(stderr, "pgmoat check: note: %s\n", text);
}

/* --- output ------------------------------------------------------------ */

/* Text that a stranger wrote: no control byte reaches the terminal, and lines
 * behind the first are indented. */
static void
print_text(const char *text, const char *indent)
{
	const unsigned char *s = (const unsigned char *)text;

	for (; *s != '\0'; s++) {
		if (*s == '\n')
			printf("\n%s", indent);
		else if ((*s < 0x20 && *s != '\t') || *s == 0x7f || (*s == 0xc2 && s[1] >= 0x80 && s[1] < 0xa0))
			printf("\\x%02x", *s);
		else
			putchar(*s);
	}
}

static void
print_verdict(const char *file, size_t line, const struct judgement *j, const char *unknown_name)
{
	bool blocked = j->verdict == VERDICT_BLOCK || unknown_name != NULL;

	print_text(file, "");
	printf(":%zu: %s", line, blocked ? verdict_name(VERDICT_BLOCK) : verdict_name(j->verdict));
	if (blocked) {
		printf(" [%s] ", rule_name(unknown_name != NULL ? RULE_UNKNOWN_OBJECT : j->rule));
		print_text(unknown_name != NULL ? unknown_name : j->message, "    ");
	}
	putchar('\n');
	if (blocked && unknown_name == NULL && j->hint != NULL) {
		fputs("    hint: ", stdout);
		print_text(j->text[0] == '\\' ? "psql's backslash commands are not SQL; take them out." : j->hint, "          ");
		putchar('\n');
	}
	if (!blocked && j->rewritten != NULL) {
		fputs("    runs: ", stdout);
		print_text(j->rewritten, "          ");
		putchar('\n');
	}
}

static void
print_json(const char *file, size_t line, const struct judgement *j, const char *unknown_name, const char *sqlstate)
{
	struct sb out = { 0 };

	sb_str(&out, "{\"file\":");
	sb_json(&out, file, strlen(file));
	sb_fmt(&out, ",\"line\":%zu,", line);
	if (unknown_name == NULL)
		judgement_json(j, &out, true);
	else {
		sb_fmt(&out, "\"verdict\":\"%s\",\"rule\":\"%s\",\"sqlstate\":\"%s\",\"reason\":", verdict_name(VERDICT_BLOCK),
		    rule_name(RULE_UNKNOWN_OBJECT), sqlstate);
		sb_json(&out, unknown_name, strlen(unknown_name));
		sb_str(&out, ",\"text\":");
		sb_json(&out, j->text, j->text_len);
	}
	sb_char(&out, '}');
	puts(sb_text(&out));
	sb_free(&out);
}

/* --- judging ----------------------------------------------------------- */

/* Outside a transaction block a statement is its own transaction, and its
 * cursors end with it. */
static void
follow_transaction(struct check *c, const struct judgement *j)
{
	size_t i;

	for (i = 0; i < j->nstatements; i++) {
		if (j->statements[i].begins)
			c->in_block = true;
		if (j->statements[i].ends)
			c->in_block = false;
	}
	if (!c->in_block)
		names_transaction_end(c->names, c->statement);
}

static struct judgement *
judge(struct check *c, const char *text, size_t len)
{
	if (c->rights != NULL)
		return rights_judge(c->rights, text, len, JUDGE_SIMPLE, NULL, 0);
	return policy_judge(c->policy, c->profile, text, len, JUDGE_SIMPLE);
}

static void
check_statement(struct check *c, const char *file, const char *text, const struct sql_part *part)
{
	struct judgement *j = judge(c, text + part->at, part->len);
	const char *unknown_name = NULL;
	char sqlstate[6] = "";
	struct err err;

	c->statement++;
	if (j->verdict != VERDICT_BLOCK) {
		if (!names_check(c->names, j, sqlstate, &err))
			unknown_name = err.text;
		else
			names_apply(c->names, j, c->statement);
	}
	if (c->json)
		print_json(file, part->line, j, unknown_name, sqlstate);
	else
		print_verdict(file, part->line, j, unknown_name);
	c->counts[unknown_name != NULL ? VERDICT_BLOCK : j->verdict]++;
	if (unknown_name == NULL && j->verdict != VERDICT_BLOCK) {
		follow_transaction(c, j);
		if (j->sets_search_path && c->rights != NULL)
			note("a new search_path is not followed: judge what comes behind it with --search-path");
	}
	judgement_unref(j);
}

/* --- files ------------------------------------------------------------- */

static bool
read_all(const char *path, struct sb *text, struct err *err)
{
	int fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	char buf[65536];
	ssize_t n = -1;

	text->max = SPLIT_SIZE_MAX + sizeof(buf);
	while (fd != -1 && text->len <= SPLIT_SIZE_MAX && (n = read(fd, buf, sizeof(buf))) > 0)
		sb_bytes(text, buf, (size_t)n);
	if (n == -1)
		err_set(err, "%s", strerror(errno));
	if (fd > STDIN_FILENO)
		close(fd);
	return n != -1;
}

static int
check_file(struct check *c, const char *path)
{
	const char *name = strcmp(path, "-") == 0 ? "stdin" : path;
	struct sql_parts parts = { 0 };
	struct sb text = { 0 };
	int status = EXIT_OK;
	struct err err;
	size_t i;

	if (!read_all(path, &text, &err) || !sql_split(sb_text(&text), text.len, &parts, &err))
		status = fail(name, err.text);
	for (i = 0; i < parts.n; i++)
		check_statement(c, name, sb_text(&text), &parts.parts[i]);
	sql_parts_free(&parts);
	sb_free(&text);
	return status;
}

/* Each file is a session of its own. */
static int
check_files(struct check *c, int n, char **files)
{
	int i, status = EXIT_OK;

	for (i = 0; i < n && status == EXIT_OK; i++) {
		c->names = names_new();
		c->in_block = false;
		status = check_file(c, files[i]);
		names_free(c->names);
	}
	if (status == EXIT_OK && !c->json)
		printf("%zu allowed, %zu rewritten, %zu blocked (profile %s)\n", c->counts[VERDICT_ALLOW],
		    c->counts[VERDICT_REWRITE], c->counts[VERDICT_BLOCK], profile_name(c->profile));
	if (fflush(stdout) == EOF)
		return fail("standard output", strerror(errno));
	return status == EXIT_OK && c->counts[VERDICT_BLOCK] > 0 ? EXIT_REFUSED : status;
}

/* --- options ----------------------------------------------------------- */

static bool
set_format(struct check *c, const char *word)
{
	c->json = strcmp(word, "json") == 0;
	return c->json || strcmp(word, "text") == 0;
}

/* False after a complaint. */
static bool
read_option(struct check *c, const char *name, const char *value)
{
	const struct option {
		const char *name, **to;
	} options[] = {
		{ "--policy", &c->policy_file },
		{ "--profile", &c->profile_name },
		{ "--catalog", &c->catalog_file },
		{ "--search-path", &c->search_path },
		{ "--user", &c->who.user },
		{ "--database", &c->who.database },
		{ "--application-name", &c->who.application_name },
		{ "--client", &c->who.client },
	};
	size_t i;

	if (strcmp(name, "--format") == 0 && value != NULL)
		return set_format(c, value) || fail(name, "expected text or json") == EXIT_OK;
	for (i = 0; i < nitems(options); i++) {
		if (strcmp(options[i].name, name) != 0)
			continue;
		if (value != NULL)
			*options[i].to = value;
		return value != NULL || fail(name, "needs a value") == EXIT_OK;
	}
	return fail(name, strcmp(name, "--format") == 0 ? "needs a value" : "unknown option; see pgmoat check --help") == EXIT_OK;
}

static bool
read_options(struct check *c, int argc, char **argv, int *next)
{
	char name[64];
	const char *equals;
	int i;

	for (i = 1; i < argc && argv[i][0] == '-' && argv[i][1] != '\0'; i++) {
		if (strcmp(argv[i], "--") == 0) {
			i++;
			break;
		}
		equals = strchr(argv[i], '=');
		snprintf(name, sizeof(name), "%.*s", equals != NULL ? (int)(equals - argv[i]) : (int)strlen(argv[i]), argv[i]);
		if (!read_option(c, name, equals != NULL ? equals + 1 : argv[i + 1]))
			return false;
		i += equals == NULL;
	}
	*next = i;
	return true;
}

static bool
choose_profile(struct check *c)
{
	struct sb errors = { 0 };

	c->policy = c->policy_file != NULL ? policy_load(c->policy_file, &errors) : policy_builtin();
	if (c->policy == NULL)
		fputs(sb_text(&errors), stderr);
	sb_free(&errors);
	if (c->policy == NULL)
		return false;
	if (c->profile_name != NULL)
		c->profile = policy_profile(c->policy, c->profile_name);
	else
		c->profile = policy_assign(c->policy, &c->who);
	if (c->profile == NULL) {
		fprintf(stderr, "pgmoat check: %s: no profile \"%s\"\n", policy_source(c->policy), c->profile_name);
		return false;
	}
	if (profile_mode(c->profile) != MODE_ENFORCE)
		fprintf(stderr,
		    "pgmoat check: note: the mode of profile %s is not \"enforce\": serve and run would forward these all the "
		    "same\n",
		    profile_name(c->profile));
	return true;
}

/* The profile meets the database. */
static bool
choose_rights(struct check *c)
{
	struct catalog *catalog;
	struct err err;

	if (c->catalog_file == NULL) {
		if (profile_hides(c->profile))
			note("the profile hides columns or rows: only with --catalog can that be judged");
		return c->search_path == NULL || fail("--search-path", "needs --catalog") == EXIT_OK;
	}
	if ((catalog = catalog_load(c->catalog_file, &err)) == NULL)
		return fail(c->catalog_file, err.text) == EXIT_OK;
	c->rights = rights_new(c->policy, c->profile, catalog, c->search_path);
	catalog_unref(catalog);
	return true;
}

int
check_main(int argc, char **argv)
{
	static char stdin_file[] = "-", *const only_stdin[] = { stdin_file, NULL };
	struct check c = { .who = { .user = "", .database = "", .application_name = "", .client = "" } };
	int next, status = EXIT_USAGE;
	char *files[2];

	if (!read_options(&c, argc, argv, &next))
		return EXIT_USAGE;
	memcpy(files, only_stdin, sizeof(files));
	if (choose_profile(&c) && choose_rights(&c))
		status = next < argc ? check_files(&c, argc - next, argv + next) : check_files(&c, 1, files);
	rights_unref(c.rights);
	policy_unref(c.policy);
	return status;
}
