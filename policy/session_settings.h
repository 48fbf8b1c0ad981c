/* policy/session_settings.h - the values of "session": texts with ${variables}. */
#ifndef SESSION_SETTINGS_H
#define SESSION_SETTINGS_H

#include "profile.h"

/* Knows every variable of the text? False, and why, otherwise. */
bool session_value_check(const char *text, struct err *);

/* Is this one of the names that the profile sets itself? Without case. */
bool session_names(const struct profile *, const char *setting);

#endif
