/* proxy/catalog_command.c - `pgmoat catalog dump`: a database's catalog as a file.
 *
 * Everything is read in one snapshot, row by row, and handed to a builder as
 * well: a file that is written is one that can be loaded.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libpq-fe.h>

#include "catalog.h"
#include "catalog_command.h"
#include "commands.h"

#define OLDEST_SERVER 130000
#define COLUMNS_MAX 32
#define FLUSH_SIZE ((size_t)1 << 20)

struct dump {
	const char *url, *file; /* file NULL: standard output */
	char *unfinished;       /* owned: name of the file while it is written */
	FILE *out;
	PGconn *conn;   /* owned */
	struct sb text; /* not yet written */
	struct catalog_builder *builder;
};

void
catalog_help(FILE *out)
{
	fputs("usage: pgmoat catalog dump URL [-o FILE]\n"
	      "       pgmoat catalog probe URL\n\n"
	      "dump writes down what a database holds - names, columns, types, functions, view\n"
	      "definitions, no rows - as JSON, for the commands that take --catalog FILE. probe\n"
	      "prints a line that differs whenever a new dump might. Exit status 1 when the\n"
	      "server cannot be reached or does not answer, 2 when the options or the file\n"
	      "are of no use.\n\n"
	      "  URL\n        where: postgresql://... or key=value pairs, as libpq takes them\n"
	      "  -o, --output FILE\n        write to FILE, which changes only when all was read; default: standard output\n",
	    out);
}

static int
fail(int status, const char *what, const char *reason)
{
	fprintf(stderr, "pgmoat catalog: %s: %.*s\n", what, (int)strcspn(reason, "\n"), reason);
	return status;
}

/* --- the server ---------------------------------------------------------------- */

static bool
connect_server(struct dump *d)
{
	/* behind the URL, so that it cannot say otherwise: names are UTF-8 in the file */
	const char *const keys[] = { "dbname", "client_encoding", "fallback_application_name", NULL };
	const char *const values[] = { d->url, "UTF8", "pgmoat catalog", NULL };

	d->conn = PQconnectdbParams(keys, values, 1);
	if (PQstatus(d->conn) != CONNECTION_OK)
		return fail(0, "cannot connect", PQerrorMessage(d->conn));
	if (PQserverVersion(d->conn) < OLDEST_SERVER)
		return fail(0, "cannot read the catalog", "the server is older than PostgreSQL 13");
	return true;
}

static bool
run(struct dump *d, const char *sql)
{
	PGresult *r = PQexec(d->conn, sql);
	ExecStatusType status = PQresultStatus(r);

	PQclear(r);
	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
		return fail(0, "cannot read the catalog", PQerrorMessage(d->conn));
	return true;
}

/* --- rows ---------------------------------------------------------------------- */

static bool
flush_text(struct dump *d)
{
	bool ok = !d->text.bad && fwrite(sb_text(&d->text), 1, d->text.len, d->out) == d->text.len;

	sb_clear(&d->text);
	return ok || fail(0, d->file != NULL ? d->file : "standard output", strerror(errno));
}

static bool
write_row(struct dump *d, size_t section, const PGresult *r, bool first)
{
	const char *values[COLUMNS_MAX];
	int i, n = PQnfields(r);
	struct err err;

	for (i = 0; i < n && i < COLUMNS_MAX; i++)
		values[i] = PQgetisnull(r, 0, i) ? NULL : PQgetvalue(r, 0, i);
	if (!catalog_builder_row(d->builder, section, values, (size_t)i, &err))
		return fail(0, "cannot read the catalog", err.text);
	catalog_dump_row(&d->text, values, (size_t)i, first);
	return d->text.len < FLUSH_SIZE || flush_text(d);
}

static bool
read_rows(struct dump *d, size_t section)
{
	bool ok = true, first = true;
	ExecStatusType status;
	PGresult *r;

	while ((r = PQgetResult(d->conn)) != NULL) {
		status = PQresultStatus(r);
		if (status == PGRES_SINGLE_TUPLE) {
			ok = ok && write_row(d, section, r, first);
			first = false;
		} else if (status != PGRES_TUPLES_OK && ok) {
			ok = fail(0, catalog_section_name(section), PQerrorMessage(d->conn));
		}
		PQclear(r);
	}
	return ok;
}

static bool
read_section(struct dump *d, size_t section)
{
	catalog_dump_section(&d->text, section, section == 0);
	if (!PQsendQuery(d->conn, catalog_section_sql(section, PQserverVersion(d->conn))) || !PQsetSingleRowMode(d->conn))
		return fail(0, "cannot read the catalog", PQerrorMessage(d->conn));
	if (!read_rows(d, section))
		return false;
	catalog_dump_section_end(&d->text);
	return true;
}

static bool
read_sections(struct dump *d)
{
	size_t i;

	/* a snapshot of its own for each section would leave relations without columns, when somebody changes them meanwhile */
	if (!run(d, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY") || !run(d, catalog_prologue()))
		return false;
	catalog_dump_begin(&d->text);
	for (i = 0; i < catalog_sections(); i++)
		if (!read_section(d, i))
			return false;
	catalog_dump_end(&d->text);
	return run(d, "COMMIT");
}

static bool
finish_builder(struct dump *d)
{
	struct catalog *c;
	struct err err;

	c = catalog_builder_finish(d->builder, &err);
	d->builder = NULL;
	catalog_unref(c);
	return c != NULL || fail(0, "cannot read the catalog", err.text);
}

/* --- the file ------------------------------------------------------------------ */

static bool
open_output(struct dump *d)
{
	struct sb name = { 0 };

	d->out = stdout;
	if (d->file == NULL)
		return true;
	sb_fmt(&name, "%s.%ld", d->file, (long)getpid());
	d->unfinished = sb_take(&name);
	if ((d->out = fopen(d->unfinished, "wxe")) == NULL) {
		free(d->unfinished);
		d->unfinished = NULL;
		return fail(0, d->file, strerror(errno));
	}
	return true;
}

static bool
close_output(struct dump *d)
{
	FILE *out = d->out;

	d->out = NULL;
	if (d->file == NULL)
		return fflush(out) == 0 || fail(0, "standard output", strerror(errno));
	if (fclose(out) != 0 || rename(d->unfinished, d->file) == -1)
		return fail(0, d->file, strerror(errno));
	free(d->unfinished);
	d->unfinished = NULL;
	return true;
}

static void
dump_release(struct dump *d)
{
	if (d->unfinished != NULL) {
		if (d->out != NULL)
			fclose(d->out);
		unlink(d->unfinished);
	}
	free(d->unfinished);
	catalog_builder_free(d->builder);
	PQfinish(d->conn);
	sb_free(&d->text);
}

static int
dump(struct dump *d)
{
	int status = EXIT_OK;

	d->builder = catalog_builder_new();
	if (!open_output(d))
		status = EXIT_USAGE;
	else if (!connect_server(d) || !read_sections(d) || !finish_builder(d))
		status = EXIT_REFUSED;
	else if (!flush_text(d) || !close_output(d))
		status = EXIT_USAGE;
	dump_release(d);
	return status;
}

static int
probe(struct dump *d)
{
	int status = EXIT_REFUSED;
	PGresult *r = NULL;

	if (connect_server(d)) {
		r = PQexec(d->conn, catalog_probe_sql(PQserverVersion(d->conn)));
		if (PQresultStatus(r) == PGRES_TUPLES_OK && PQntuples(r) == 1) {
			puts(PQgetvalue(r, 0, 0));
			status = EXIT_OK;
		} else
			fail(0, "cannot read the catalog", PQerrorMessage(d->conn));
	}
	PQclear(r);
	dump_release(d);
	return status;
}

/* --- options ------------------------------------------------------------------- */

static bool
read_option(struct dump *d, char **argv, int *i)
{
	static const char word[] = "--output";
	const char *arg = argv[*i];

	if (strncmp(arg, "--output=", sizeof(word)) == 0) {
		d->file = arg + sizeof(word);
		return true;
	}
	if (strcmp(arg, "-o") != 0 && strcmp(arg, word) != 0)
		return fail(0, arg, "unknown option; see pgmoat catalog --help");
	if (argv[*i + 1] == NULL)
		return fail(0, arg, "needs a value");
	d->file = argv[++*i];
	return true;
}

static bool
read_arguments(struct dump *d, char **argv)
{
	int i;

	for (i = 2; argv[i] != NULL; i++) {
		if (argv[i][0] == '-') {
			if (!read_option(d, argv, &i))
				return false;
		} else if (d->url == NULL) {
			d->url = argv[i];
		} else {
			return fail(0, argv[i], "one URL is enough");
		}
	}
	if (d->file != NULL && strcmp(d->file, "-") == 0)
		d->file = NULL;
	return d->url != NULL || fail(0, argv[1], "needs the URL of a database");
}

static bool
wants_help(char **argv)
{
	for (; *argv != NULL; argv++)
		if (strcmp(*argv, "--help") == 0 || strcmp(*argv, "-h") == 0)
			return true;
	return false;
}

int
catalog_main(int argc, char **argv)
{
	struct dump d = { 0 };

	if (argc < 2) {
		catalog_help(stderr);
		return EXIT_USAGE;
	}
	if (wants_help(argv)) {
		catalog_help(stdout);
		return EXIT_OK;
	}
	if (strcmp(argv[1], "dump") != 0 && strcmp(argv[1], "probe") != 0)
		return fail(EXIT_USAGE, argv[1], "expected dump or probe");
	if (!read_arguments(&d, argv))
		return EXIT_USAGE;
	if (strcmp(argv[1], "probe") == 0)
		return d.file != NULL ? fail(EXIT_USAGE, "--output", "is an option of dump") : probe(&d);
	return dump(&d);
}
