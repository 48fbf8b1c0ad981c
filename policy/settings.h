/* policy/settings.h - what the loader asks about settings. */
#ifndef SETTINGS_H
#define SETTINGS_H

#include "base.h"

/* Never to be set through us, whatever a policy says: who is asking, what is logged, how text is read, what code is
 * loaded. Compares without case. */
bool setting_never(const char *name);

#endif
