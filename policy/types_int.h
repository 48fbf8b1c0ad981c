/* policy/types_int.h - what the files of types.h share: coercion pathways, polymorphic types, the choice among candidates.
 *
 * Not for others. Nothing here reports anything but where it says so; nothing
 * allocates but for what is far beyond the usual size, and frees it itself.
 */
#ifndef TYPES_INT_H
#define TYPES_INT_H

#include "types.h"

#define ARGS_MAX 100u  /* PostgreSQL's FUNC_MAX_ARGS: it refuses calls with more */
#define DEPTH_MAX 200u /* types within types; DDL cannot sensibly make more */

/* OIDs that the rules name. */
enum {
	OID_CHAR = 18,
	OID_NAME = 19,
	OID_INT2VECTOR = 22,
	OID_TEXT = 25,
	OID_OIDVECTOR = 30,
	OID_JSON = 114,
	OID_POINT = 600,
	OID_LSEG = 601,
	OID_BOX = 603,
	OID_LINE = 628,
	OID_FLOAT8 = 701,
	OID_ANY = 2276,
	OID_ANYARRAY = 2277,
	OID_INTERNAL = 2281,
	OID_ANYELEMENT = 2283,
	OID_RECORD_ARRAY = 2287,
	OID_ANYNONARRAY = 2776,
	OID_ANYENUM = 3500,
	OID_JSONB = 3802,
	OID_ANYRANGE = 3831,
	OID_ANYMULTIRANGE = 4537,
	OID_ANYCOMPATIBLEMULTIRANGE = 4538,
	OID_ANYCOMPATIBLE = 5077,
	OID_ANYCOMPATIBLEARRAY = 5078,
	OID_ANYCOMPATIBLENONARRAY = 5079,
	OID_ANYCOMPATIBLERANGE = 5080
};

/* --- types.c --- */

bool types_polymorphic(uint32_t type);
const struct cat_type *types_base_type(const struct catalog *, uint32_t); /* NULL: the catalog does not know it */
bool types_is_row(const struct cat_type *base);                           /* composite */
uint32_t types_element(const struct cat_type *base);                      /* of an array, record[] too; 0: it is none, or NULL */

/* --- types_coerce.c: can it become one? --- */

enum path { PATH_NONE, PATH_RELABEL, PATH_FUNCTION, PATH_IO, PATH_ARRAY };

struct pathway {
	enum path kind;
	const struct cat_cast *cast; /* when pg_cast has one between the base types */
};

struct pathway types_pathway(const struct catalog *, uint32_t from, uint32_t to, enum coercion);

/* Is a value of the type fine where `to` is wanted? Polymorphic types take
 * everything; types_generic() tells the rest. FIT_MAYBE: the snapshot does
 * not say. */
enum fit { FIT_NO, FIT_MAYBE, FIT_YES };
enum fit types_fit(const struct catalog *, uint32_t from, uint32_t to, enum coercion);

/* The common type, fed one by one. */
struct common {
	uint32_t first;
	const struct cat_type *winner; /* NULL: string literals only, so far */
	bool any, mixed, open, conflict;
};

void common_add(const struct catalog *, struct common *, uint32_t type);
uint32_t common_type(const struct common *); /* TYPE_ANY: there is none, or it is open */

/* --- types_generic.c: polymorphic parameters --- */

struct generic {
	uint32_t element, array, range, multirange;
	uint32_t compatible, compatible_range, compatible_multirange;
	bool open; /* an argument's type is not known */
};

/* Do the arguments agree on what the polymorphic parameters stand for? */
enum fit types_generic(const struct catalog *, struct generic *, const uint32_t *actual, const uint32_t *declared, size_t n);
/* What a declared type stands for then; TYPE_ANY when that is open. */
uint32_t generic_type(const struct catalog *, const struct generic *, uint32_t declared);

/* --- types_seen.c: what a walk through nested types was at already --- */

#define SEEN_FIXED 32u

struct seen_key {
	const void *row;
	uint32_t from, to;
};

struct seen {
	struct seen_key fixed[SEEN_FIXED];
	struct seen_key *table; /* owned; a hash table, when there are more; NULL */
	size_t n, room;
	unsigned depth;
};

void seen_init(struct seen *);
bool seen_enter(struct seen *, const void *row, uint32_t from, uint32_t to); /* true: the first time */
void seen_release(struct seen *);

/* --- types_reach.c --- */

void types_reach_function(const struct type_scope *, uint32_t function);
void types_reach_type(const struct type_scope *, uint32_t type);

/* --- types_select.c: the choice among functions or operators of a name --- */

struct candidate {
	const struct cat_function *function; /* of an operator: NULL until it is reported */
	const struct cat_operator *op;       /* NULL: a function */
	uint32_t element;                    /* VARIADIC spelled out: what each further argument is; 0 */
	uint16_t place;                      /* in the search_path */
	uint16_t score;
	bool special;                        /* VARIADIC spelled out, or defaults are used */
};

#define CANDIDATES_FIXED 160u

struct search {
	const struct type_scope *scope;
	const struct catalog *catalog;
	const struct call *call;       /* NULL: an operator */
	const struct value_type *args; /* nargs */
	size_t nargs;
	uint32_t type[ARGS_MAX];               /* of the arguments; what the catalog does not know is TYPE_ANY */
	const struct cat_type *base[ARGS_MAX]; /* NULL: string literal, or TYPE_ANY */
	size_t nunknown;
	bool open;  /* not settled by types: every candidate that fits could be the one */
	bool array; /* op ANY/ALL: the last argument's type is the element's */
	struct candidate *list;
	size_t n, room;
	struct candidate fixed[CANDIDATES_FIXED];
};

bool search_init(struct search *, const struct type_scope *, const struct value_type *args, size_t nargs); /* false: too many */
void search_release(struct search *);
void search_add(struct search *, const struct candidate *);
uint32_t candidate_arg(const struct search *, const struct candidate *, size_t i);
bool candidate_same(const struct search *, const struct candidate *, const struct candidate *); /* same types, for this call */

/* The place of a namespace in the search_path; npath: it is not there. */
size_t scope_place(const struct type_scope *, uint32_t namespace);

bool search_exact(struct search *); /* leaves those that take just these types; false: there are none, all stay */
void search_match(struct search *); /* leaves those that take the arguments, by implicit casts */
void search_hide(struct search *);  /* drops those hidden by one of the same types earlier in the path */
void search_best(struct search *);  /* leaves what the rules prefer */

/* --- types_answer.c --- */

/* Reports what is left and what it does to its arguments; the common result. */
struct value_type search_report(struct search *, const struct cat_function **found);

#endif
