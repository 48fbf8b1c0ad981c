/* policy/analyze.h - a statement against a catalog: what every name in it means.
 *
 * Walks the queries of a tree with PostgreSQL's scoping rules and a type for
 * each expression, and asks the rights about all that could run or be read:
 * functions and aggregates, attribute notation, operators and what keywords
 * make of them, casts written and not, types, comparisons by operator class,
 * columns. Relations that are guarded are noted as places to substitute.
 * The plain walk (walk.h) goes before it and has refused what is unknown;
 * facts that name relations are judged by decide.c.
 *
 * What is refused ends up in a struct refusal with its place in the text. A
 * name that the catalog does not know sets unknown: the caller refreshes the
 * catalog and asks once more.
 */
#ifndef ANALYZE_H
#define ANALYZE_H

#include "facts.h"
#include "refusal.h"
#include "rights.h"

/* A FROM item (or TABLE name) of a guarded relation, to be replaced by guard_sql(). */
struct site {
	int location; /* of the RangeVar: byte where its name begins */
	const struct guard *guard;
	bool only;             /* ONLY is written before it */
	bool has_alias;        /* else "AS name" is to be added */
	bool is_table_command; /* TABLE name: becomes SELECT * FROM (...) */
	const char *name;      /* the relation's name, for the alias */
	bool nullable;         /* on the side of an outer join that may be filled with NULLs; definitions guards need to know */
	bool tableoid;         /* of a definitions guard: its tableoid is named, and no * or whole row of it is used */
};

/* An argument that is to be checked when it is known: pg_get_viewdef(c.oid).
 * Only where it is not constant; a constant that names a restricted object is
 * refused. substitute.h says which function needs which. */
enum wrap_kind { WRAP_RELATION, WRAP_FUNCTION, WRAP_RULE, WRAP_CONSTRAINT, WRAP_TRIGGER, WRAP_STATISTICS, WRAP_COMMENT };

struct wrap {
	int location;      /* of the FuncCall: byte where the function's name begins */
	unsigned argument; /* which, from 0, as written */
	enum wrap_kind what;
};

/* schema.table.column of a site: the schema (and database) before the table's name has to go. */
struct unqualify {
	int location; /* of the ColumnRef */
	int parts;    /* how many names to take off: 1 or 2 */
};

struct analysis {
	struct site *sites; /* owned, in the order of the text */
	size_t nsites, sites_room;
	struct unqualify *unqualified;
	size_t nunqualified, unqualified_room;
	struct wrap *wraps;
	size_t nwraps, wraps_room;
	const struct cat_function *
	    *reached; /* owned list, borrowed functions of users that the text runs; some may be named twice */
	size_t nreached, reached_room;
	bool complete; /* every statement was covered: function facts need no judging by name */
	bool unknown;  /* refused because the catalog does not know a name */
};

/* What a body (a view's SELECT, a policy's condition, a CHECK) is judged under. */
struct body {
	const char *sql;         /* a whole SELECT */
	struct value_type value; /* the column named VALUE in a CHECK; TYPE_ANY: none */
	bool trusted_functions;  /* functions are not judged, only relations and columns */
	unsigned nesting;        /* 0; default arguments lead from one to the next */
};

/* types: of the parameters, as Parse gave them; 0 where it did not. False: r says why. */
bool analyze(struct analysis *, struct rights *, const struct tree *, const char *sql, const uint32_t *types, size_t ntypes,
    struct refusal *r);

/* Bytes of a text that we wrote ourselves: [from, to). */
struct text_range {
	int from, to;
};

/* The same for a text that was rewritten. What stands in ours is typed but
 * not judged, and a guarded relation there is no site. The ranges are in order. */
bool analyze_rewritten(struct analysis *, struct rights *, const struct tree *, const char *sql, const uint32_t *types,
    size_t ntypes, const struct text_range *ours, size_t nours, struct refusal *r);

void analysis_release(struct analysis *);

/* For rights.c: nothing can be substituted in a body, so reading a denied or
 * masked column, a whole row or a filtered table of a guarded relation is a
 * refusal. Parses with the parser. */
bool analyze_body(struct rights *, struct parser *, const struct body *, struct refusal *r);

#endif
