/* policy/functions.h - what the loader asks of the generated function lists. */
#ifndef FUNCTIONS_H
#define FUNCTIONS_H

#include "base.h"

/* Does "extension:NAME" name an extension whose functions we know? */
bool extension_known(const char *name);

#endif
