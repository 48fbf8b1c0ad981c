/* policy/fields.h - reads a JSON object into a struct by a table.
 *
 * A row says a key, what its value must be and where it goes. Keys without a
 * row, mistyped values and missing required keys are errors; all errors of an
 * object are reported, each as "file:line:column: path: reason". A field that
 * had an error keeps the value that the struct had before.
 */
#ifndef FIELDS_H
#define FIELDS_H

#include "jsonc.h"

struct fields {           /* one reading of one document */
	const char *file; /* borrowed, as is all of this */
	const struct jsonc *doc;
	struct sb *errors;
	bool failed; /* something was reported */
};

/* The way to a value, innermost first; lives on the stack. */
struct path {
	const struct path *up;
	const char *key; /* NULL: an array's element */
	size_t index;
};

enum field_type {
	FIELD_INT,    /* int64_t: a whole number from min to max */
	FIELD_NUMBER, /* double: a number from min to max */
	FIELD_SIZE,   /* int64_t bytes: a number, or "256kB" */
	FIELD_TIME,   /* int64_t milliseconds: a number, or "5s" */
	FIELD_BOOL,   /* bool */
	FIELD_WORD,   /* int: the value of one of words */
	FIELD_SWITCH, /* bool: one of words, whose value is 0 or 1 */
	FIELD_WORDS,  /* uint32_t: a list of words, a bit each */
	FIELD_STRING, /* char *, owned by the struct: not empty */
	FIELD_OBJECT, /* members of the same struct, by fields */
	FIELD_LISTS,  /* the same, with "allow" and "deny" that must not share an entry */
	FIELD_CUSTOM  /* read() knows */
};

#define WORD_LATER (-1) /* as the value of a word: known, but not supported yet */

struct word {
	const char *word; /* NULL ends the list */
	int value;
};

/* What a FIELD_CUSTOM looks like, for the JSON Schema: one value, a list, or an object whose keys schema names. Its
 * elements are objects by fields, what schema names, or either when both are there. */
enum field_shape { SHAPE_VALUE, SHAPE_LIST, SHAPE_MAP };

struct field {
	const char *name; /* NULL ends the table */
	enum field_type type;
	size_t offset;
	const struct word *words;
	const struct field *fields;
	void (*read)(struct fields *, const cJSON *, const struct path *, void *base);
	void (*write)(struct sb *, const void *base); /* of a FIELD_CUSTOM: as JSON; nothing when absent */
	int64_t min, max;
	bool required, null_ok; /* null: 0 */
	const char *doc;        /* one sentence, for the JSON Schema */
	const char *schema;     /* names one of schema.c's definitions */
	const char *extra;      /* of an object: further members of its JSON Schema, what tables cannot say */
	enum field_shape shape;
};

void fields_read(struct fields *, const cJSON *object, const struct path *, const struct field *, void *base);

/* Reports an error about a value, or about its key. */
void fields_error(struct fields *, const cJSON *, const struct path *, const char *fmt, ...) printf_like(4, 5);
void fields_key_error(struct fields *, const cJSON *, const struct path *, const char *fmt, ...) printf_like(4, 5);

/* "expected WHAT, found ..." */
void fields_expected(struct fields *, const cJSON *, const struct path *, const char *what);

/* The candidate that name is probably a misspelling of; NULL when none is near. next() hands them out until NULL. */
const char *nearest(const char *name, const char *(*next)(const void *candidates, size_t), const void *candidates);

#endif
