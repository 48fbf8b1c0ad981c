/* policy/functions.h - what the loader and the rights ask of the generated function lists. */
#ifndef FUNCTIONS_H
#define FUNCTIONS_H

#include "base.h"

/* Does "extension:NAME" name an extension whose functions we know? */
bool extension_known(const char *name);

/* What the curated lists say about one function of an extension, by its name
 * and the number of arguments that it is declared with. */
enum curated {
	CURATED_NONE,     /* not on the lists */
	CURATED_OPEN,     /* nothing speaks against it, as long as it is not volatile */
	CURATED_HARMLESS, /* volatile, and nothing changes */
	CURATED_VOLATILE,
	CURATED_REFUSED
};

/* extension NULL: it belongs to none; then the worst that any extension's
 * function of that name gets. why (static) is set when it is refused. */
enum curated extension_function(const char *extension, const char *name, int nargs, const char **why);

/* Is this built-in refused only since it makes values of any type from text? Where the type is known and judged, that is no reason. */
bool builtin_makes_types(const char *name);

#endif
