/* include/catalog.h - what a database holds, as of one moment.
 *
 * A snapshot of the system catalogs that the judge resolves names with:
 * schemas, relations and their columns, types, functions, operators, casts,
 * aggregates, operator classes, view definitions, policies. It is built from
 * rows, wherever they come from: the proxy runs the sections' SQL on a server
 * connection and hands the result rows over; a snapshot file holds the same
 * rows as JSON (`pgmoat catalog dump`). No sockets, no clock.
 *
 * Threads: a finished catalog is immutable and may be shared; its reference
 * count is atomic. A builder belongs to one thread at a time.
 */
#ifndef CATALOG_H
#define CATALOG_H

#include "base.h"

struct catalog;
struct catalog_builder;

/* The sections, in the order in which they are to be run and handed over.
 * Each is one SELECT whose columns are all taken in text format (or NULL), for
 * PostgreSQL 13 and later; server_version as server_version_num says (150020).
 * The SQL needs search_path = 'pg_catalog' for what pg_get_viewdef() and its
 * like print to be qualified: run catalog_prologue() first, in the same
 * transaction, which is best REPEATABLE READ: one that sees each section in
 * another state may find the rows contradict each other. client_encoding has
 * to be UTF8. What is dropped meanwhile, or a table of a view that somebody
 * has locked exclusively for longer than 5 s, is an error of the server's: try
 * again later. */
size_t		 catalog_sections(void);
const char	*catalog_section_name(size_t section);
const char	*catalog_section_sql(size_t section, int server_version);	/* static storage, no trailing semicolon */
const char	*catalog_prologue(void);					/* one SELECT set_config(...), local to the transaction */

/* One SELECT of one row and one text column: differs whenever anything that
 * the sections show may have changed. Cheap: a few ms on a small database.
 * Contains the database's own identity, so that one dropped and made anew
 * differs. */
const char	*catalog_probe_sql(int server_version);

struct catalog_builder	*catalog_builder_new(void);
void			 catalog_builder_free(struct catalog_builder *);	/* NULL is fine */
/* values: one NUL-terminated text or NULL a column of the section. False: the
 * row is not what the section's SQL gives; the builder is then only good for
 * freeing. Copies what it keeps. */
bool	catalog_builder_row(struct catalog_builder *, size_t section, const char *const *values, size_t nvalues, struct err *) must_check;
void	catalog_builder_probe(struct catalog_builder *, const char *text);	/* what the probe said when this was read */
/* Sorts and links everything; takes some 100 ms per 100,000 relations, so run
 * it off the loop. Frees the builder, whatever comes of it. */
struct catalog	*catalog_builder_finish(struct catalog_builder *, struct err *);

/* Remembers in fresh, which nobody else has yet, what the relations and columns
 * of an older snapshot of the same database were named: catalog_follow.c says
 * which are taken for the same. So a denial follows what is renamed. */
void	catalog_follow(struct catalog *fresh, const struct catalog *old);

struct catalog	*catalog_ref(struct catalog *);
void		 catalog_unref(struct catalog *);	/* NULL is fine */
uint64_t	 catalog_generation(const struct catalog *);	/* differs for every catalog of this process */
const char	*catalog_probe(const struct catalog *);		/* "" when it was built without */
const char	*catalog_database(const struct catalog *);	/* that it was read from */
size_t		 catalog_bytes(const struct catalog *);		/* memory that it takes */
size_t		 catalog_relations(const struct catalog *);
size_t		 catalog_functions(const struct catalog *);
bool		 catalog_has_schema(const struct catalog *, const char *name);

/* The file format: see catalog_json.c and the manual. */
struct catalog	*catalog_load(const char *path, struct err *);
struct catalog	*catalog_parse(const char *text, size_t, struct err *);
/* Dumping is row by row, as the rows come: {"pgmoat_catalog": 1, "sections": { NAME: [[...], ...], ... }} */
void	catalog_dump_begin(struct sb *);
void	catalog_dump_section(struct sb *, size_t section, bool first);	/* before its first row */
void	catalog_dump_row(struct sb *, const char *const *values, size_t nvalues, bool first);
void	catalog_dump_section_end(struct sb *);
void	catalog_dump_end(struct sb *);

#endif
