/* bench/catalog.c - what a catalog snapshot costs: memory, building, looking up.
 *
 * Prints a Markdown table row for each size. The databases are made up: every
 * table has a primary key's index, a row type and its array, and 10 columns.
 * Memory is measured twice: what the snapshot says of itself, and by how much
 * the process grew at its largest, rows and builder included.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "catalog.h"

#define COLUMNS 10
#define FIRST_TABLE 1000000u
#define LOOKUPS 2000000
#define MEGABYTE (1024.0 * 1024.0)

/* Of policy/objects.h, which is no header for the outside: lookups are all that is wanted of it. */
struct cat_relation;
const struct cat_relation *catalog_relation_of(const struct catalog *, uint32_t oid);
const struct cat_relation *catalog_relation_named(const struct catalog *, uint32_t namespace, const char *name);

enum { DATABASE, NAMESPACES, RELATIONS, COLUMN_ROWS, TYPES = 9, FUNCTIONS = 11 };

static int64_t
cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void
die(const char *what)
{
	fprintf(stderr, "catalog: %s\n", what);
	exit(1);
}

static void
row(struct catalog_builder *b, size_t section, const char *const *values, size_t n)
{
	struct err err;

	if (!catalog_builder_row(b, section, values, n, &err))
		die(err.text);
}

/* --- a made-up database ------------------------------------------------------- */

/* Each table takes four OIDs: itself, its index, its row type, the array of that. */
static void
add_relations(struct catalog_builder *b, unsigned tables)
{
	char oid[16], type[16], name[64];
	const char *table[] = { oid, "2200", name, "r", "f", "f", type, "0", NULL };
	const char *index[] = { oid, "2200", name, "i", "f", "f", "0", type, NULL };
	unsigned i;

	for (i = 0; i < tables; i++) {
		snprintf(oid, sizeof(oid), "%u", FIRST_TABLE + i * 4);
		snprintf(type, sizeof(type), "%u", FIRST_TABLE + i * 4 + 2);
		snprintf(name, sizeof(name), "customer_table_%u", i);
		row(b, RELATIONS, table, 9);
		snprintf(type, sizeof(type), "%s", oid);
		snprintf(oid, sizeof(oid), "%u", FIRST_TABLE + i * 4 + 1);
		snprintf(name, sizeof(name), "customer_table_%u_pkey", i);
		row(b, RELATIONS, index, 9);
	}
}

static void
add_columns(struct catalog_builder *b, unsigned tables)
{
	char oid[16], number[16], name[64];
	const char *column[] = { oid, number, name, "25", "-1", "f", "f", "-", NULL };
	unsigned i, k;

	for (i = 0; i < tables; i++)
		for (k = 0; k < COLUMNS; k++) {
			snprintf(oid, sizeof(oid), "%u", FIRST_TABLE + i * 4);
			snprintf(number, sizeof(number), "%u", k + 1);
			snprintf(name, sizeof(name), "column_%u", (i + k) % 5000);
			row(b, COLUMN_ROWS, column, 9);
		}
}

static void
add_types(struct catalog_builder *b, unsigned tables)
{
	char oid[16], other[16], relation[16], name[64];
	const char *composite[] = { oid, "2200", name, "c", "C", "f", "0", other, "0", "-1", relation, "", NULL };
	const char *array[] = { oid, "2200", name, "b", "A", "f", other, "0", "0", "-1", "0", "", NULL };
	unsigned i;

	for (i = 0; i < tables; i++) {
		snprintf(relation, sizeof(relation), "%u", FIRST_TABLE + i * 4);
		snprintf(oid, sizeof(oid), "%u", FIRST_TABLE + i * 4 + 2);
		snprintf(other, sizeof(other), "%u", FIRST_TABLE + i * 4 + 3);
		snprintf(name, sizeof(name), "customer_table_%u", i);
		row(b, TYPES, composite, 13);
		snprintf(name, sizeof(name), "_customer_table_%u", i);
		snprintf(other, sizeof(other), "%s", oid);
		snprintf(oid, sizeof(oid), "%u", FIRST_TABLE + i * 4 + 3);
		row(b, TYPES, array, 13);
	}
}

static void
add_functions(struct catalog_builder *b, unsigned functions)
{
	char oid[16], name[64];
	const char *function[] = { oid, "2200", name, "f", "v", "f", "f", "plpgsql", "25", "0", "1", "23 25 25", NULL, NULL,
		"[\"customer\",\"text\",\"mode\"]", "'x'::text", NULL };
	unsigned i;

	for (i = 0; i < functions; i++) {
		snprintf(oid, sizeof(oid), "%u", FIRST_TABLE + i);
		snprintf(name, sizeof(name), "customer_function_%u", i * 2 / 3);
		row(b, FUNCTIONS, function, 17);
	}
}

static struct catalog *
build(unsigned tables, unsigned functions, int64_t *rows_ns, int64_t *finish_ns)
{
	static const char *const database[] = { "150020", "5", "bench" }, *const space[] = { "2200", "public" };
	struct catalog_builder *b = catalog_builder_new();
	int64_t start = cpu_ns();
	struct catalog *c;
	struct err err;

	row(b, DATABASE, database, 3);
	row(b, NAMESPACES, space, 2);
	add_relations(b, tables);
	add_columns(b, tables);
	add_types(b, tables);
	add_functions(b, functions);
	*rows_ns = cpu_ns() - start;
	if ((c = catalog_builder_finish(b, &err)) == NULL)
		die(err.text);
	*finish_ns = cpu_ns() - start - *rows_ns;
	return c;
}

/* --- measuring ---------------------------------------------------------------- */

static double
named_ns(const struct catalog *c, unsigned tables)
{
	char(*names)[32] = xcalloc(4096, sizeof(*names));
	int64_t start;
	unsigned i;

	for (i = 0; i < 4096; i++)
		snprintf(names[i], sizeof(names[i]), "customer_table_%u", (unsigned)rand() % tables);
	start = cpu_ns();
	for (i = 0; i < LOOKUPS; i++)
		if (catalog_relation_named(c, 2200, names[i % 4096]) == NULL)
			die("a table is lost");
	start = cpu_ns() - start;
	free(names);
	return (double)start / LOOKUPS;
}

static double
oid_ns(const struct catalog *c, unsigned tables)
{
	int64_t start = cpu_ns();
	unsigned i;

	for (i = 0; i < LOOKUPS; i++)
		if (catalog_relation_of(c, FIRST_TABLE + i * 2654435761u % tables * 4) == NULL)
			die("a table is lost");
	return (double)(cpu_ns() - start) / LOOKUPS;
}

static double
resident_mb(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)usage.ru_maxrss / 1024;
}

static void
measure(unsigned tables, unsigned functions)
{
	int64_t rows_ns, finish_ns;
	double before = resident_mb();
	struct catalog *c = build(tables, functions, &rows_ns, &finish_ns);

	printf("| %u | %u | %.0f | %.0f | %.0f | %.0f | %.0f | %.0f |\n", tables, functions, (double)catalog_bytes(c) / MEGABYTE,
	    resident_mb() - before, (double)rows_ns / 1e6, (double)finish_ns / 1e6, named_ns(c, tables), oid_ns(c, tables));
	fflush(stdout);
	catalog_unref(c);
}

int
main(void)
{
	static const unsigned sizes[][2] = { { 5000, 2000 }, { 100000, 20000 } };
	size_t i;
	int status;

	printf("| tables | functions | snapshot, MB | peak, MB | reading rows, ms | linking, ms | by name, ns | by OID, ns |\n"
	       "|---:|---:|---:|---:|---:|---:|---:|---:|\n");
	fflush(stdout);
	for (i = 0; i < nitems(sizes); i++) { /* a process each: its peak is its own */
		if (fork() == 0) {
			measure(sizes[i][0], sizes[i][1]);
			_exit(0);
		}
		if (wait(&status) == -1 || status != 0)
			die("a measurement failed");
	}
	return 0;
}
