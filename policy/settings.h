/* policy/settings.h - what the loader asks about settings. */
#ifndef SETTINGS_H
#define SETTINGS_H

#include "base.h"

/* Never to be set through us, whatever a policy says: who is asking, what is logged, how text is read, what code is
 * loaded. Compares without case. */
bool setting_never(const char *name);

#define SETTING_MASK_KEY "pgmoat.mask_key"

/* Our own, which hold the key of hashed values: neither to be set nor to be seen. Compares without case. */
bool setting_reserved(const char *name);

/* Without a policy's list, which settings may be set? NULL ends. */
const char *setting_default(size_t i);
/* One of those that a server connection starts with: to be set to what it is, at most, whatever settings.allow says. */
bool setting_pinned(const char *name);

#endif
