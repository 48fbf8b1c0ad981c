/* policy/parse.c - the one place that calls libpg_query. */
#include "policy.h"
#include "parse.h"

#include <stdlib.h>

#include <pg_query.h>

/* The library and PostgreSQL's headers describe themselves with the same
 * macros. Keep the library's values, then make sure that both speak of the
 * same major version: with another one every struct offset may be wrong. */
enum { LIBRARY_VERSION = PG_VERSION_NUM };
static const char grammar_version[] = "PostgreSQL " PG_VERSION " grammar (libpg_query)";
#undef PG_MAJORVERSION
#undef PG_VERSION
#undef PG_VERSION_NUM

#include <pg_query/pg_query_internal.h>

_Static_assert(LIBRARY_VERSION / 10000 == PG_VERSION_NUM / 10000, "node headers and libpg_query are of different major versions");

void
parser_open(struct parser *p)
{
	p->memory = pg_query_enter_memory_context();
}

void
parser_close(struct parser *p)
{
	pg_query_exit_memory_context(p->memory);
	p->memory = NULL;
}

bool
parser_parse(struct parser *p, const char *text, struct tree *tree)
{
	PgQueryInternalParsetreeAndError result;

	*tree = (struct tree){ 0 };
	(void)p; /* its context is the current one since parser_open() */
#if PG_VERSION_NUM >= 160000
	result = pg_query_raw_parse(text, PG_QUERY_PARSE_DEFAULT);
#else
	result = pg_query_raw_parse(text);
#endif
	free(result.stderr_buffer);
	if (result.error != NULL) {
		tree->error = xstrdup(result.error->message != NULL ? result.error->message : "syntax error");
		tree->position = result.error->cursorpos > 0 ? result.error->cursorpos : 0;
		pg_query_free_error(result.error);
		return false;
	}
	tree->statements = result.tree;
	tree->n = result.tree != NULL ? (size_t)result.tree->length : 0;
	return true;
}

void
tree_release(struct tree *tree)
{
	free(tree->error);
	*tree = (struct tree){ 0 };
}

const char *
policy_grammar_version(void)
{
	return grammar_version;
}
