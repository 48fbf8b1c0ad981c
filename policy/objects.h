/* policy/objects.h - the objects of a catalog snapshot, and how to find them.
 *
 * Plain structs, found by OID or by name; all of it borrowed from the catalog
 * and immutable. What is missing in the snapshot is NULL or 0. Nothing here
 * knows a policy. OIDs below FIRST_USER_OID are PostgreSQL's own objects.
 */
#ifndef OBJECTS_H
#define OBJECTS_H

#include "catalog.h"

#define FIRST_USER_OID 16384u

struct cat_namespace {
	uint32_t oid;
	const char *name;
};

struct cat_column {
	const char *name;
	uint32_t type;
	int32_t typmod;
	int16_t number;         /* attnum; dropped columns are not there */
	bool not_null;
	bool has_default;
	char generated;         /* 's' stored, 'v' virtual, 0 none */
	const char *expression; /* of a generated column, as pg_get_expr() prints it; else NULL */
};

struct cat_former {             /* a name that a relation or a column had in an earlier snapshot */
	uint32_t relation;
	int16_t column;         /* 0: the relation itself */
	const char *schema;     /* of a relation; NULL for a column */
	const char *name;
};

struct cat_depend {             /* what a view's rule depends on, says pg_depend */
	uint32_t relation;
	int16_t column;         /* 0: the relation as a whole */
};

struct cat_relation {
	uint32_t oid, namespace;
	const char *name;
	char kind;                            /* r p v m f S t c i I as pg_class.relkind */
	bool row_security;
	bool is_partition;
	bool has_children;                    /* somebody inherits, or is a partition */
	uint32_t type;                        /* its row type; 0 none */
	uint32_t of;                          /* index, TOAST table: the table it belongs to; 0 */
	const struct cat_column *columns;
	size_t ncolumns;
	const char *definition;               /* view, materialized view: its SELECT; else NULL */
	const struct cat_depend *depends;     /* of a view */
	size_t ndepends;
	const char *const *policies;          /* expressions of row-level security: USING and WITH CHECK */
	size_t npolicies;
	const char *const *expressions;       /* that planning any query of it may work out, where they call something user-defined: of
	                                         indexes (several stand with commas between), CHECKs, statistics, partition keys */
	size_t nexpressions;
	const uint32_t *parents, *children;   /* by inheritance or partitioning, direct ones */
	size_t nparents, nchildren;
	const char *extension;                /* that it belongs to; NULL */
};

struct cat_function {
	uint32_t oid, namespace;
	const char *name;
	char kind;                            /* f function, p procedure, a aggregate, w window */
	char volatility;                      /* i s v */
	bool returns_set, security_definer;
	const char *language;                 /* "internal", "c", "sql", "plpgsql"... */
	const char *extension;                /* NULL: of no extension */
	uint32_t result;
	uint32_t variadic;                    /* element type of a VARIADIC parameter; 0 */
	uint16_t nargs;                       /* input arguments; VARIADIC counts as one, the array */
	uint16_t ndefaults;
	const uint32_t *args;                 /* nargs types */
	const char *const *arg_names;         /* nargs names, "" unnamed; NULL when none has a name */
	uint16_t nout;                        /* OUT, INOUT and TABLE columns */
	const uint32_t *out_types;
	const char *const *out_names;
	const char *defaults;                 /* expressions of the default arguments, for the judge to read; NULL */
	/* aggregates */
	char aggregate;                       /* n o h; 0: is none */
	uint16_t direct_args;                 /* ordered-set: how many stand before WITHIN GROUP */
	const uint32_t *support;              /* transition, final, combine, serial... functions and the sort operator's */
	uint16_t nsupport;
	uint32_t state, moving_state;         /* transition types: their input function and CHECKs see the initial value; 0 none */
};

struct cat_type {
	uint32_t oid, namespace;
	const char *name;
	char kind;                            /* b base, c composite, d domain, e enum, p pseudo, r range, m multirange */
	char category;
	bool preferred;
	uint32_t element;                     /* of a true array (typsubscript = array_subscript_handler, or typlen -1 and typelem); 0 */
	uint32_t array;                       /* the array of it; 0 */
	uint32_t base;                        /* domain: of what; range: of which subtype; multirange: of which range */
	int32_t base_typmod;                  /* domain */
	uint32_t relation;                    /* composite: its pg_class row */
	const char *const *checks;            /* domain: its CHECK expressions */
	size_t nchecks;
	const uint32_t *support;              /* user types: input, output, receive, send, typmod, analyze, subscript,
	                                         canonical, subtype_diff functions, where they are no built-ins */
	size_t nsupport;
	const char *extension;
};

struct cat_operator {
	uint32_t oid, namespace;
	const char *name;
	uint32_t left, right;                 /* left 0: prefix */
	uint32_t result;
	uint32_t function;
	const char *extension;
};

struct cat_cast {
	uint32_t source, target;
	uint32_t function;                    /* 0: binary coercible or by input/output */
	char context;                         /* i implicit, a assignment, e explicit */
	char method;                          /* f function, b binary, i input/output */
};

struct cat_opclass {                          /* of btree, hash: what comparing and sorting call */
	uint32_t oid, type;
	bool btree;                           /* else hash */
	bool is_default;
	const uint32_t *functions;            /* support functions and the functions of its operators, user-defined ones only */
	size_t nfunctions;
};

int catalog_server_version(const struct catalog *); /* server_version_num */

const struct cat_namespace *catalog_namespace(const struct catalog *, uint32_t oid);
const struct cat_namespace *catalog_namespace_named(const struct catalog *, const char *name);
const char *catalog_schema_name(const struct catalog *, uint32_t namespace); /* "" when unknown */

const struct cat_relation *catalog_relation_of(const struct catalog *, uint32_t oid);
const struct cat_relation *catalog_relation_named(const struct catalog *, uint32_t namespace, const char *name);
/* Every relation by index, for lint and for tables of what is denied: 0 <= i < catalog_relations(). */
const struct cat_relation *catalog_relation_at(const struct catalog *, size_t i);
size_t catalog_relation_index(const struct catalog *, const struct cat_relation *);
const struct cat_column *relation_column(const struct cat_relation *, const char *name);
/* The former names of a relation (column 0) or of one of its columns, oldest first; mostly none. See catalog_follow(). */
const struct cat_former *catalog_formers(const struct catalog *, uint32_t relation, int16_t column, size_t *n);

const struct cat_function *catalog_function_of(const struct catalog *, uint32_t oid);
/* All overloads of a name in all schemas, side by side; *n gets how many. */
const struct cat_function *const *catalog_functions_named(const struct catalog *, const char *name, size_t *n);
const struct cat_function *catalog_function_at(const struct catalog *, size_t i);

const struct cat_type *catalog_type_of(const struct catalog *, uint32_t oid);
const struct cat_type *catalog_type_named(const struct catalog *, uint32_t namespace, const char *name);
const struct cat_type *catalog_type_at(const struct catalog *, size_t i);
size_t catalog_types(const struct catalog *);

const struct cat_operator *const *catalog_operators_named(const struct catalog *, const char *name, size_t *n);
const struct cat_operator *catalog_operator_of(const struct catalog *, uint32_t oid);

const struct cat_cast *catalog_cast(const struct catalog *, uint32_t source, uint32_t target);
/* Casts whose function is user-defined, all of them. */
const struct cat_cast *const *catalog_user_casts(const struct catalog *, size_t *n);

/* Operator classes of a type that name user-defined functions; usually none. */
const struct cat_opclass *const *catalog_opclasses(const struct catalog *, uint32_t type, size_t *n);
bool catalog_has_user_opclasses(const struct catalog *);

#endif
