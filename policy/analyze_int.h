/* policy/analyze_int.h - one analysis of one tree; private to the analyze_*.c files.
 *
 * Refusals are sticky: the first one is kept, and every function after it
 * answers "not known" and comes back quickly, so callers need not look. All
 * memory is from one arena that goes when the analysis ends; names are
 * borrowed from the tree and the catalog.
 */
#ifndef ANALYZE_INT_H
#define ANALYZE_INT_H

#include "analyze.h"

#include "nodes.h"

/* Deeper we do not go: a level costs up to 700 bytes of stack, under ASan several times that. */
#define ANALYZE_DEPTH_MAX 3000
/* Columns that all FROM items and joins of one text may have together, and names that may be compared to find them. */
#define ANALYZE_COLUMNS_MAX 400000
#define ANALYZE_STEPS_MAX 8000000
/* Searches for an operator or function that types do not settle: each takes about 10 us. */
#define ANALYZE_UNSETTLED_MAX 2000
#define ANALYZE_PARAMS_MAX 65535
#define ANALYZE_NESTING_MAX 8
#define CTE_BUCKETS 64

/* Types that the grammar itself makes values of. */
enum {
	OID_BOOL = 16,
	OID_BYTEA = 17,
	OID_NAME = 19,
	OID_INT8 = 20,
	OID_INT4 = 23,
	OID_REGPROC = 24,
	OID_TEXT = 25,
	OID_OID = 26,
	OID_TID = 27,
	OID_XID = 28,
	OID_CID = 29,
	OID_JSON = 114,
	OID_XML = 142,
	OID_FLOAT4 = 700,
	OID_FLOAT8 = 701,
	OID_BPCHAR = 1042,
	OID_VARCHAR = 1043,
	OID_DATE = 1082,
	OID_TIME = 1083,
	OID_TIMESTAMP = 1114,
	OID_TIMESTAMPTZ = 1184,
	OID_TIMETZ = 1266,
	OID_BIT = 1560,
	OID_NUMERIC = 1700,
	OID_REGPROCEDURE = 2202,
	OID_REGOPER = 2203,
	OID_REGOPERATOR = 2204,
	OID_REGCLASS = 2205,
	OID_REGTYPE = 2206,
	OID_RECORDS = 2287,
	OID_JSONB = 3802,
	OID_REGNAMESPACE = 4089
};

struct arena_block {
	struct arena_block *next;
	size_t used, room;
};

struct arena {
	struct arena_block *blocks;
	size_t used; /* of first */
	_Alignas(max_align_t) uint8_t first[6144];
};

/* One mention of a guarded relation: a site once it is noted. */
struct source {
	struct source *next;
	const struct cat_relation *relation;
	const struct guard *guard;
	struct site site;
	bool noted;        /* is among the sites */
	bool fixed;        /* target of a write or in a body: nothing can be put in its place */
	bool starred;      /* all of its columns are read at once */
	bool grouped;      /* in the FROM of a query with GROUP BY */
	const char *alias; /* or the relation's name */
};

struct column {
	const char *name;
	struct value_type type;
	enum column_action action; /* COLUMN_DENY: it has this name, and nobody gets it */
	struct source *source;     /* where it comes from, unless it is open */
	const Node *literal;       /* what stands for it while its type is unknown */
};

/* Columns of a FROM item or a query. */
struct columns {
	const struct column **list; /* denied ones among them */
	size_t n;
	bool open; /* there may be others: of a relation that the catalog does not know */
};

struct item {
	const char *name;                    /* alias or own name; NULL: it has none */
	const struct cat_relation *relation; /* NULL: a subquery, CTE, function or join */
	bool aliased;
	bool scalar;        /* a function with one value: its whole row is that value */
	bool named, listed; /* found by its name, by the names of its columns */
	bool lateral;       /* still in FROM: only LATERAL sees it */
	struct columns columns;
	struct value_type row; /* TYPE_ANY: not worked out */
	struct source *source; /* where it is guarded */
};

struct level {
	struct level *outer;
	struct item **items;
	size_t n, room;
	size_t first; /* ON sees the items from here, and those fully */
	bool in_on;
	bool lateral; /* what is analyzed now is LATERAL */
};

struct cte {
	const char *name;
	struct columns columns;
	const List *names; /* WITH name(a, b) */
	struct cte *below;
};

enum construct_kind { CONSTRUCT_OTHER, CONSTRUCT_CALL, CONSTRUCT_OPERATOR, CONSTRUCT_COMPARE };

/* What is asked about now, for the words of a refusal. */
struct construct {
	enum construct_kind kind;
	const char *what;   /* "ORDER BY", "cast to x" */
	const char *schema; /* as written; NULL */
	const char *name;   /* of a function or operator */
	int nargs;
	int location;
	uint32_t type; /* compared, cast to */
	bool symbol;   /* the operator is written as one */
};

struct parameter {
	bool settled;
	uint32_t type;
};

struct text_constant {
	const char *text;
	int location;
	struct text_constant *next;
};

struct analyzer {
	struct analysis *out; /* NULL in a body */
	struct refusal *refusal;
	struct rights *rights;
	const struct catalog *catalog;
	const struct profile *profile;
	const struct body *body; /* NULL outside of one */
	const struct text_range *ours;
	size_t nours;
	struct type_scope types;
	struct type_memo memo;
	unsigned unsettled;
	bool failed;
	bool unknown;
	bool trusted;      /* functions are not judged */
	bool restricts;    /* the policy closes relations or schemas by name */
	bool compares;     /* there are operator classes of users */
	bool compared_all; /* every operator class was reported */
	bool covered;      /* all statements so far */
	bool sql_prepare;  /* parameters get their values from EXECUTE */
	bool may_create;   /* an unknown relation could be the session's own */
	bool statistics;   /* the statement reads row counts and the like */
	bool settings;     /* it reads settings of the server as rows */
	bool joins_named;  /* a join has an alias */
	int place;         /* the last location that was passed */
	int depth, max_depth;
	size_t ncolumns, steps;
	struct construct at;
	struct level *level; /* NULL outside of a query */
	struct cte *ctes[CTE_BUCKETS];
	struct source *sources;
	struct text_constant *constants;
	struct unqualify_note *unqualified;
	struct wrap_note *wraps;
	struct parameter *params;
	size_t nparams;
	struct arena arena;
};

struct wrap_note {
	struct wrap_note *next;
	struct wrap what;
};

struct unqualify_note {
	struct unqualify_note *next;
	const struct source *source;
	struct unqualify what;
};

/* --- analyze_base.c: memory, refusals, what types.c reports -------------------- */

void *arena_alloc(struct arena *, size_t); /* zeroed */
void arena_release(struct arena *);
#define arena_new(a, type) ((type *)arena_alloc(&(a)->arena, sizeof(type)))
#define arena_array(a, type, n) ((type *)arena_alloc(&(a)->arena, sizeof(type) * (size_t)(n)))

void stop(struct analyzer *, enum rule, int location, const char *fmt, ...) printf_like(4, 5);
void stop_unknown(struct analyzer *, const char *sqlstate, int location, const char *fmt, ...) printf_like(4, 5);
bool enter(struct analyzer *, int location); /* one level deeper; leave() only after true */
void leave(struct analyzer *);
bool in_ours(const struct analyzer *, int location);
void reach_function(void *arg, const struct cat_function *f);
void reach_type(void *arg, const struct cat_type *t);
void at_other(struct analyzer *, const char *what, int location);

struct type_label {
	char text[160];
};
const char *type_words(const struct analyzer *, uint32_t, struct type_label *); /* schema.name; "" unknown */

static inline struct value_type
value_of(uint32_t type)
{
	return (struct value_type){ .type = type };
}

static inline int
list_n(const List *l)
{
	return l != NIL ? l->length : 0;
}

static inline const void *
list_at(const List *l, int i)
{
	return l->elements[i].ptr_value;
}

const char *name_at(const List *, int i); /* i-th String from the end, 0 the last; "" when it is not there */

/* --- analyze_value.c: what happens to values ---------------------------------------- */

void compare_values(struct analyzer *, const char *what, struct value_type, int location);
void cast_value(struct analyzer *, struct value_type, uint32_t to, enum coercion, const Node *literal, int location);
void make_value(struct analyzer *, uint32_t type, int location);    /* from text */
void to_boolean(struct analyzer *, const Node *, const char *what); /* analyzes it */
struct value_type
common_value(struct analyzer *, const char *what, const struct value_type *, const Node *const *nodes, size_t n, int location);
struct value_type apply_operator(struct analyzer *, const List *name, const char *keyword, const Node *left, struct value_type l,
    const Node *right, struct value_type r, int location);
struct value_type resolve_type(struct analyzer *, const TypeName *); /* TYPE_ANY after a refusal */
struct value_type array_of(const struct analyzer *, struct value_type);

/* --- analyze_param.c ------------------------------------------------------------------ */

void params_begin(struct analyzer *, const uint32_t *types, size_t n);
struct value_type param_value(struct analyzer *, const ParamRef *);
void param_settle(struct analyzer *, const Node *, uint32_t type); /* unless it is no open parameter */

/* --- analyze_expr.c, analyze_operator.c ----------------------------------------------- */

struct value_type analyze_expr(struct analyzer *, const void *node);
void analyze_exprs(struct analyzer *, const List *);
struct value_type analyze_operation(struct analyzer *, const A_Expr *);
struct value_type analyze_sublink(struct analyzer *, const SubLink *);
struct value_type analyze_json(struct analyzer *, const Node *, bool *mine);
struct value_type shape_value(struct analyzer *, const struct columns *); /* a record of these */
/* Expands stars, as in ROW(), VALUES and IN's left side. */
struct columns analyze_row_list(struct analyzer *, const List *);

/* --- analyze_call.c, analyze_object.c --------------------------------------------------- */

struct value_type analyze_call(struct analyzer *, const FuncCall *, const struct cat_function **found);
/* value.name is no column: is it a function? False, without a refusal: neither. The node: NULL when it is a row. */
bool attribute_call(struct analyzer *, const Node *value, struct value_type, const char *name, int location, struct value_type *);
void analyze_window(struct analyzer *, const WindowDef *);
void analyze_sort(struct analyzer *, const SortBy *, const char *what, struct value_type);
bool is_text(struct value_type);               /* or could be */
bool judged_by_argument(const char *function); /* is a built-in of that name open or not by what it is given? */
bool check_constant(struct analyzer *, const Node *, uint32_t reg, int location); /* false: it is none */
void refuse_computed(struct analyzer *, int location);
bool is_reg_type(uint32_t);
uint32_t reg_type(uint32_t); /* or the one that an array is of; 0: none */
void check_reg(struct analyzer *, const Node *, struct value_type from, uint32_t reg, int location);
/* The function is NULL when types do not settle which it is. */
void check_reg_arguments(struct analyzer *, const struct cat_function *, const char *name, const Node *const *nodes,
    const struct value_type *types, size_t n, int location);

/* --- analyze_closed.c ---------------------------------------------------------------------- */

void check_constants(struct analyzer *); /* of a statement that reads statistics */
/* Arguments of functions that show what is inside of an object: judged, or noted to be judged when they are known. */
void check_definition(
    struct analyzer *, const char *function, const Node *const *nodes, const struct value_type *types, size_t n, int location);

/* A query that shows definitions of whatever rows come first: nothing in it leaves the closed ones out. */
void check_narrowed(struct analyzer *, const SelectStmt *);
/* After its query; before: the sources that were there. */
void check_explain(struct analyzer *, const ExplainStmt *, const struct source *before);

/* --- analyze_settings.c ---------------------------------------------------------------------- */

void note_settings(struct analyzer *, const struct cat_relation *); /* is it the catalog of settings? */
/* A call that shows settings; not where it stands in FROM. */
void check_settings_call(struct analyzer *, const struct cat_function *, const char *name, int location);
/* Columns of one in FROM: only the names of settings are open. */
void close_settings(struct analyzer *, const struct cat_function *, struct columns *, int location);
void check_settings(struct analyzer *); /* constants of a statement that reads settings */

/* --- analyze_constant.c ---------------------------------------------------------------------- */

bool is_blank(char);
const char *constant_text(const Node *);           /* a string or digits, exact casts aside; NULL: it is computed */
bool constant_number(const Node *, uint32_t *oid); /* false: it is none, or could be read as another */
const char *constant_name(const Node *);           /* a string that cannot be read as a number; NULL: it is none */

/* --- analyze_column.c, analyze_scope.c --------------------------------------------------- */

struct value_type analyze_column(struct analyzer *, const ColumnRef *);
/* Is it a star? Then its columns are appended. */
bool expand_star(struct analyzer *, const Node *, struct columns *, bool as_row);
struct value_type use_column(struct analyzer *, const struct item *, const struct column *, int location);
struct value_type whole_row(struct analyzer *, struct item *, int location);
bool spend(struct analyzer *, size_t steps); /* false: too many names were compared */
const struct column *find_output(struct analyzer *, const struct columns *, const char *name);

struct item *item_new(struct analyzer *, const char *name);
void item_push(struct analyzer *, struct item *);
void item_alias(struct analyzer *, struct item *, const Alias *);
struct item *item_named(struct analyzer *, const char *schema, const char *name);
const struct column *item_column(struct analyzer *, const struct item *, const char *name);
const struct column *level_column(struct analyzer *, struct level *, const char *name, struct item **);
void columns_add(struct analyzer *, struct columns *, const struct column *);
void columns_append(struct analyzer *, struct columns *, const struct columns *);
struct column *column_new(struct analyzer *, struct columns *, const char *name, struct value_type);
void columns_rename(struct analyzer *, struct columns *, const List *names, const char *of, int location);
void columns_settle(struct analyzer *, struct columns *); /* what has no type yet is text */
size_t columns_lost(const struct columns *);              /* how many are denied */
void source_note(struct analyzer *, struct source *);
void level_open(struct analyzer *, struct level *);
void level_close(struct analyzer *, struct level *);

/* --- analyze_group.c ------------------------------------------------------------------------- */

void leave_grouped(struct analyzer *, const char *sql); /* sources that need no subquery are noted no more */

/* --- analyze_from.c, analyze_join.c ---------------------------------------------------------- */

void analyze_from(struct analyzer *, const List *);
void analyze_from_item(struct analyzer *, const Node *);
void analyze_join(struct analyzer *, const JoinExpr *);
void analyze_range_function(struct analyzer *, const RangeFunction *);
const struct cat_relation *find_relation(struct analyzer *, const RangeVar *);
struct item *relation_item(struct analyzer *, const RangeVar *, const struct cat_relation *, bool target);
void relation_columns(struct analyzer *, struct item *, const struct cat_relation *);

/* --- analyze_select.c, analyze_with.c, analyze_dml.c ------------------------------------------- */

struct columns analyze_query(struct analyzer *, const Node *);
struct columns analyze_select(struct analyzer *, const SelectStmt *, struct cte *recursive);
struct columns analyze_targets(struct analyzer *, const List *, const char *what);
struct cte *cte_find(const struct analyzer *, const char *name);
size_t with_push(struct analyzer *, const WithClause *); /* how many names */
void with_pop(struct analyzer *, const WithClause *, size_t n);
struct columns analyze_insert(struct analyzer *, const InsertStmt *);
struct columns analyze_update(struct analyzer *, const UpdateStmt *);
struct columns analyze_delete(struct analyzer *, const DeleteStmt *);
struct columns analyze_merge(struct analyzer *, const MergeStmt *);
void analyze_copy_table(struct analyzer *, const CopyStmt *);

/* --- analyze_names.c ----------------------------------------------------------------------------- */

const char *output_name(const ResTarget *); /* "?column?" */
const char *expression_name(const Node *);

#endif
