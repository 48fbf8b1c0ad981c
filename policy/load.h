/* policy/load.h - the parts of the loader, one an object of the file.
 *
 * They report into the struct fields and leave what they build in a state
 * that policy_unref() can free, whatever was wrong.
 */
#ifndef LOAD_H
#define LOAD_H

#include "fields.h"
#include "loaded.h"

/* load.c, load_profile.c, load_columns.c, load_session.c, load_lists.c: the tables, which schema.c and show.c read, too. */
extern const struct field policy_fields[], profile_fields[], assignment_fields[], table_fields[], column_fields[], filter_fields[],
    key_fields[];
extern const struct word mask_words[];

/* load_profile.c: one profile, which profile_defaults() has filled with the defaults. */
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

/* load_columns.c, load_session.c. */
void load_columns(struct fields *, const cJSON *, const struct path *, void *base);
void load_row_filters(struct fields *, const cJSON *, const struct path *, void *base);
void load_session(struct fields *, const cJSON *, const struct path *, void *base);
void load_mask_key(struct fields *, const cJSON *, const struct path *, void *base);
void load_key(struct fields *, const cJSON *, const struct path *, char **key);

/* write_lists.c: the way back, as JSON that loads again; base is the profile. Nothing when the key is absent. */
void write_schemas_allow(struct sb *, const void *base);
void write_schemas_deny(struct sb *, const void *base);
void write_tables_allow(struct sb *, const void *base);
void write_tables_deny(struct sb *, const void *base);
void write_functions_allow(struct sb *, const void *base);
void write_functions_deny(struct sb *, const void *base);
void write_settings_allow(struct sb *, const void *base);
void write_search_path(struct sb *, const void *base);
void write_columns(struct sb *, const void *base);
void write_row_filters(struct sb *, const void *base);
void write_session(struct sb *, const void *base);
void write_hints(struct sb *, const void *base);

void string_list_release(struct string_list *);
void shown_release(struct profile *);   /* columns, row filters */
void session_release(struct profile *); /* session, mask key */
void mask_key_release(char **key);      /* wipes it */

#endif
