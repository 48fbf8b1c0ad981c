/* policy/rights_planned.c - what planning a query works out of the table's own expressions.
 *
 * The planner simplifies the expressions of indexes, CHECKs (of children and
 * partitions), statistics and partition keys for whatever query of the table:
 * a call of an immutable function with constants runs then, though the query
 * names neither. A call over a column does not, unless it is inlined, as SQL
 * functions are. Only that is asked here, from the text, and too often yes:
 * is there a pair of parentheses without a column in it, or a call of what may
 * be an SQL function of a user's? What is found so is judged as a whole.
 */
#include <stdlib.h>
#include <string.h>

#include "guard_names.h"
#include "rights_int.h"

struct reading {
	const struct rights *r;
	const struct cat_relation *rel;
	struct tokens tokens;
};

static bool
is_column(const struct reading *x, size_t i)
{
	const struct tokens *t = &x->tokens;
	char *name;
	bool found;

	if (!tokens_is_name(t, i) || tokens_is_char(t, i + 1, '(') || tokens_is_char(t, i + 1, '.'))
		return false;
	if (i > 0 && (tokens_is_char(t, i - 1, '.') || tokens_is_char(t, i - 1, ':')))
		return false;
	name = guard_names_word(t, i);
	found = relation_column(x->rel, name) != NULL;
	free(name);
	return found;
}

/* A call of something that a user wrote in SQL? Whatever its schema and its arguments. */
static bool
may_be_inlined(const struct reading *x, size_t i)
{
	size_t n = 0;
	bool found = false;
	const struct cat_function *const *functions;
	char *name;

	if (!tokens_is_name(&x->tokens, i) || !tokens_is_char(&x->tokens, i + 1, '('))
		return false;
	name = guard_names_word(&x->tokens, i);
	functions = catalog_functions_named(x->r->catalog, name, &n);
	for (size_t k = 0; k < n && !found; k++)
		found = functions[k]->oid >= FIRST_USER_OID && strcmp(functions[k]->language, "sql") == 0;
	free(name);
	return found;
}

/* One pass: of the pairs that are open only the innermost ones without a column so far matter. */
static bool
has_constant_part(const struct reading *x)
{
	const struct tokens *t = &x->tokens;
	size_t depth = 0, with_column = 0; /* the outermost with_column ones have a column */
	bool any = false;

	for (size_t i = 0; i < t->n; i++) {
		if (tokens_is_char(t, i, '(')) {
			depth++;
		} else if (tokens_is_char(t, i, ')') && depth > 0) {
			if (with_column < depth)
				return true;
			with_column = --depth;
		} else if (is_column(x, i)) {
			with_column = depth;
			any = true;
		} else if (may_be_inlined(x, i)) {
			return true;
		}
	}
	return !any;
}

bool
rights_planned(const struct rights *r, const struct cat_relation *rel, const char *expression)
{
	struct reading x = { .r = r, .rel = rel };
	const bool read = tokens_read(&x.tokens, expression, strlen(expression));
	const bool runs = !read || has_constant_part(&x);

	tokens_release(&x.tokens);
	return runs;
}
