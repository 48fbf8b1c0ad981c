/* policy/load.h - the parts of the loader, one an object of the file.
 *
 * They report into the struct fields and leave what they build in a state
 * that policy_unref() can free, whatever was wrong.
 */
#ifndef LOAD_H
#define LOAD_H

#include "fields.h"
#include "loaded.h"

/* load_profile.c: one profile, which profile_init() has filled with the defaults. */
void load_profile(struct fields *, const cJSON *, const struct path *, struct profile *);

/* load_lists.c: lists of names and patterns, for the tables of load_profile.c; base is the profile. */
void load_schemas_allow(struct fields *, const cJSON *, const struct path *, void *base);
void load_schemas_deny(struct fields *, const cJSON *, const struct path *, void *base);
void load_tables_allow(struct fields *, const cJSON *, const struct path *, void *base);
void load_tables_deny(struct fields *, const cJSON *, const struct path *, void *base);
void load_functions_allow(struct fields *, const cJSON *, const struct path *, void *base);
void load_functions_deny(struct fields *, const cJSON *, const struct path *, void *base);
void load_settings_allow(struct fields *, const cJSON *, const struct path *, void *base);
void load_search_path(struct fields *, const cJSON *, const struct path *, void *base);
void load_hints(struct fields *, const cJSON *, const struct path *, void *base);

void string_list_release(struct string_list *);

#endif
