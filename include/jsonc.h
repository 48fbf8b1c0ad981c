/* include/jsonc.h - JSON with comments, and where everything stands.
 *
 * Accepts JSON (RFC 8259) and besides it comments, from // to the end of the
 * line and between slash-star pairs, and a comma behind the last member.
 * Values are a cJSON tree; the place of every value and key is kept beside
 * it, so that whoever reads the tree can name a line. Repeated keys, text
 * that is not UTF-8, NUL in strings and more than JSONC_DEPTH levels are
 * errors. The document does not need its text after parsing.
 */
#ifndef JSONC_H
#define JSONC_H

#include <cjson/cJSON.h>

#include "base.h"

#define JSONC_DEPTH 32

struct jsonc_place {
	unsigned line, column; /* from 1; columns in characters */
};

struct jsonc_node { /* private */
	const cJSON *value;
	struct jsonc_place at, key;
};

struct jsonc {
	cJSON *root;              /* owned */
	struct jsonc_node *nodes; /* owned; sorted by value */
	size_t n, room;
};

/* False when there are errors: "name:line:column: reason" lines in errors. The
 * first error of syntax ends the reading; repeated keys do not. */
bool jsonc_parse(struct jsonc *, const char *name, const char *text, size_t, struct sb *errors);
void jsonc_release(struct jsonc *);

struct jsonc_place jsonc_at(const struct jsonc *, const cJSON *);  /* of the value */
struct jsonc_place jsonc_key(const struct jsonc *, const cJSON *); /* of its key, or of the value when it has none */

/* Adds "file:line:column: reason" to errors; control bytes, which keys and values of the file may hold, are escaped, so
 * that an error is one line. */
void jsonc_error(struct sb *errors, const char *file, struct jsonc_place, const char *reason);

#endif
