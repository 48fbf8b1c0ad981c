/* policy/types.h - which function, operator or cast PostgreSQL would take here.
 *
 * The rules of PostgreSQL's manual, chapter "Type Conversion" (functions,
 * operators, value storage, UNION and CASE), over a catalog snapshot. Asked
 * with the types of the operands, they answer the type of the result and
 * report every function that could run: one when the types settle it, all
 * candidates when they do not. Never too few: that is what a verdict rests
 * on. Knows no policy and no tree.
 */
#ifndef TYPES_H
#define TYPES_H

#include "objects.h"

#define TYPE_ANY 0u         /* not known: it could be any type */
#define TYPE_UNKNOWN 705u   /* a string literal or an untyped parameter */
#define TYPE_RECORD 2249u

/* Columns of a row whose type is no named one: record, ROW(...), a subquery's alias. */
struct row_shape {
	size_t n;
	const char *const *names; /* "" unnamed */
	const struct value_type *types;
};

struct value_type {
	uint32_t type;
	const struct row_shape *row; /* of a record, when known; borrowed; else NULL */
};

/* Where names are looked up. */
struct type_scope {
	const struct catalog *catalog;
	const uint32_t *path; /* namespaces in the order of the effective search_path, pg_catalog included where it stands */
	size_t npath;
	/* Called for every function that the construct could run, built in or not, often more than once. */
	void (*reach)(void *arg, const struct cat_function *);
	/* Called for every type that the construct makes values of by text, cast or coercion: its input function and CHECKs run. */
	void (*reach_type)(void *arg, const struct cat_type *);
	void *arg;
	/* All of these may be NULL, and serve statements that ask very often; zero at first, one for each statement. */
	bool *compared_all;      /* set when a comparison of any type has reported every operator class: it is done once */
	struct type_memo *memo;  /* operators that were settled, comparisons that were reported: these are reported once */
	unsigned *unsettled;     /* counts the searches that types did not settle: they are dear (10 us), so callers limit them */
};

#define TYPE_MEMO 64u
#define TYPE_MEMO_COMPARED 8u

struct type_memo {
	struct {
		const struct cat_operator *op;
		uint32_t left, right;
	} slots[TYPE_MEMO];
	uint32_t compared[TYPE_MEMO_COMPARED]; /* types whose comparison was reported; by oid; 0: none */
	bool excused; /* reach() sets it when it passed over a function for where it stands: that report is not remembered */
};

struct call {
	const char *schema;              /* NULL: unqualified */
	const char *name;
	const struct value_type *args;   /* in the order written; WITHIN GROUP arguments after the direct ones */
	const char *const *arg_names;    /* NULL, or one each: name => value; NULL for positional ones */
	size_t nargs;
	bool variadic;                   /* VARIADIC before the last */
	bool within_group;
	bool attribute;                  /* value.name: exactly one argument; columns come first, which is the caller's part */
};

enum call_answer {
	CALL_FOUND,      /* *result is its type; reached were all candidates that are possible, one when types are known */
	CALL_IS_CAST,    /* name(x) is a type's name: a cast; reported as one */
	CALL_IS_FIELD,   /* name(row), unqualified: no function fits, but the row has such a column, and *result is its type */
	CALL_NOTHING     /* no function fits: the server will refuse it */
};

/* A function call by name, aggregates and window functions included. *found
 * (may be NULL) gets the function when there is just one candidate. */
enum call_answer types_call(
    const struct type_scope *, const struct call *, struct value_type *result, const struct cat_function **found);

/* The OUT columns of a function that was found, what is polymorphic resolved: out has room for nout. */
void types_out(
    const struct type_scope *, const struct cat_function *, const struct value_type *args, size_t nargs, struct value_type *out);

/* left NULL: a prefix operator. schema NULL: unqualified. Answers the result's type, TYPE_ANY when that is open. */
struct value_type types_operator(
    const struct type_scope *, const char *schema, const char *name, const struct value_type *left, const struct value_type *right);
/* x op ANY/ALL (array), and IN (list): the right side is an array. */
struct value_type types_operator_array(
    const struct type_scope *, const char *schema, const char *name, const struct value_type *left, const struct value_type *array);

enum coercion { COERCE_BY_IMPLICIT, COERCE_BY_ASSIGNMENT, COERCE_BY_EXPLICIT };

/* A value of one type becomes another's: reports the cast's function, the
 * input and output functions and the target's CHECKs, element by element and
 * field by field for arrays and rows. */
void types_coerce(const struct type_scope *, const struct value_type *from, uint32_t to, enum coercion);
/* Could it, without a word in the text? */
bool types_coercible(const struct type_scope *, uint32_t from, uint32_t to, enum coercion);

/* UNION, CASE, COALESCE, VALUES, ARRAY[]...: the common type; reports the casts to it. */
struct value_type types_common(const struct type_scope *, const struct value_type *, size_t n);

/* Values of this type are compared, sorted or hashed without an operator in
 * the text: DISTINCT, GROUP BY, ORDER BY, UNION, joins by USING, min and max,
 * arrays and rows compared. Reports the functions of its operator classes. */
void types_compare(const struct type_scope *, const struct value_type *);

/* Values of this type are printed or made into JSON: output functions, casts to json. Of TYPE_ANY: all casts to
 * json; the output functions of base types, which only superusers make, are not reported then. */
void types_print(const struct type_scope *, const struct value_type *, bool json);

/* A type's name as written: int4, public.audited, character varying. NULL: there is none of that name. */
const struct cat_type *types_named(const struct type_scope *, const char *schema, const char *name);
/* value.field of a composite, a record or a domain over one. False: it has no such column. */
bool types_field(const struct type_scope *, const struct value_type *, const char *field, struct value_type *);
/* The domain's base, or the type itself. */
uint32_t types_base(const struct catalog *, uint32_t);
/* value[...]: the type of an element, of a slice the same type; jsonb gives jsonb. */
struct value_type types_subscript(const struct type_scope *, const struct value_type *, bool slice);

#endif
