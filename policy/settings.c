/* policy/settings.c - which settings a client may set, and to what.
 *
 * An allow-list with values. A row of the table below rules the values of its
 * setting wherever the name is allowed: by the default list, which is the rows
 * marked so, or by the policy's settings.allow, which replaces it. Names that
 * only settings.allow knows pass with any value. Settings that a server
 * connection starts with (profile_pinned) may be "set" to what they are.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "definitions.h"
#include "session_settings.h"
#include "settings.h"

#define NAME_LENGTH 63 /* NAMEDATALEN - 1 */
#define LABEL_LENGTH 1000

struct request {
	const struct profile *profile;
	const char *name;
	const char *value; /* NULL: DEFAULT */
	int64_t limit;     /* of the profile, for the timeouts */
	struct err *why;
};

static bool
is_word(const char *value, const char *const *words)
{
	for (; *words != NULL; words++)
		if (strcasecmp(value, *words) == 0)
			return true;
	return false;
}

static bool
any_value(const struct request *r)
{
	(void)r;
	return true;
}

/* DBeaver says the names of files in it; the server cuts it at 63 bytes. */
static bool
printable_name(const struct request *r)
{
	if (r->value == NULL)
		return true;
	if (strlen(r->value) > LABEL_LENGTH)
		return err_set(r->why, "setting \"%s\" may have %d bytes at most", r->name, LABEL_LENGTH);
	for (const char *s = r->value; *s != '\0'; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return err_set(r->why, "setting \"%s\" may hold printable characters only", r->name);
	return true;
}

/* Less than notice would show the client what the server writes about its own work. */
static bool
quiet_level(const struct request *r)
{
	static const char *const words[] = { "notice", "warning", "error", NULL };

	if (r->value == NULL || is_word(r->value, words))
		return true;
	return err_set(r->why, "setting \"%s\" may be notice, warning or error", r->name);
}

/* In other encodings a byte of a character can be a quote or a backslash: the server would read another statement than
 * the one that was judged. asyncpg sends the quotes, too. */
static bool
utf8_encoding(const struct request *r)
{
	const char *value = r->value;
	size_t len;
	char word[16];

	if (value == NULL)
		return true; /* the connection was started with UTF8 */
	len = strlen(value);
	if (len >= 2 && value[0] == '\'' && value[len - 1] == '\'') {
		value++;
		len -= 2;
	}
	if (len < sizeof(word)) {
		memcpy(word, value, len);
		word[len] = '\0';
		if (is_word(word, (const char *const[]){ "utf8", "utf-8", "utf_8", "unicode", NULL }))
			return true;
	}
	return err_set(r->why, "setting \"%s\" may be UTF8 only", r->name);
}

static bool
switched_on(const struct request *r)
{
	static const char *const words[] = { "on", "true", "tru", "tr", "t", "yes", "ye", "y", "1", NULL };

	if (r->value != NULL && is_word(r->value, words))
		return true;
	return err_set(r->why, "setting \"%s\" may be on only", r->name);
}

/* asyncpg switches it off, and back, around its own queries. */
static bool
any_switch(const struct request *r)
{
	static const char *const words[] = { "on", "off", "true", "false", "yes", "no", "1", "0", NULL };

	if (r->value == NULL || is_word(r->value, words))
		return true;
	return err_set(r->why, "setting \"%s\" may be on or off", r->name);
}

/* Under read_only this is the second lock; without it, a client may lock itself out and in. */
static bool
read_only_switch(const struct request *r)
{
	return !r->profile->read_only || switched_on(r);
}

/* Milliseconds as a time setting of PostgreSQL: a number, and perhaps a unit. -1: not one. */
static double
parse_time(const char *value)
{
	static const struct {
		const char *unit;
		double ms;
	} units[] = { { "", 1 }, { "us", 0.001 }, { "ms", 1 }, { "s", 1000 }, { "min", 60e3 }, { "h", 3600e3 }, { "d", 86400e3 } };
	size_t digits, len;
	double number;
	char *end;

	value += strspn(value, " \t\n\r\f\v");
	digits = strspn(value, "0123456789.");
	if (digits == 0 || digits > 18) /* no signs, exponents, hexadecimal or "inf" */
		return -1;
	number = strtod(value, &end);
	if (end != value + digits)
		return -1;
	end += strspn(end, " \t\n\r\f\v");
	len = strcspn(end, " \t\n\r\f\v");
	if (end[len + strspn(end + len, " \t\n\r\f\v")] != '\0')
		return -1;
	for (size_t i = 0; i < nitems(units); i++)
		if (strlen(units[i].unit) == len && strncmp(end, units[i].unit, len) == 0)
			return number * units[i].ms;
	return -1;
}

/* May be lowered, never raised or switched off. What rounds to 0 would switch it off. */
static bool
shorter_time(const struct request *r)
{
	double ms = r->value != NULL ? parse_time(r->value) : -1;

	if (r->limit == 0 && ms >= 0)
		return true;
	if (ms >= 1 && ms <= (double)r->limit)
		return true;
	if (r->limit == 0)
		return err_set(r->why, "setting \"%s\" needs a time such as 500ms or 5s", r->name);
	return err_set(r->why, "setting \"%s\" may be 1ms to %lldms", r->name, (long long)r->limit);
}

/* The next name of a list as the server splits it: folded unless quoted. False at the end or when there is none. */
static bool
next_identifier(const char **list, char *name, size_t size)
{
	const char *s = *list + strspn(*list, " \t\n\r\f\v");
	bool quoted = *s == '"';
	size_t len = 0;

	if (quoted)
		s++;
	while (quoted ? *s != '\0' : *s != '\0' && *s != ',' && !isspace((unsigned char)*s)) {
		if (quoted && *s == '"' && *++s != '"')
			break;
		if (len + 1 >= size)
			return false;
		name[len++] = quoted ? *s : (char)tolower((unsigned char)*s);
		s++;
	}
	name[len] = '\0';
	s += strspn(s, " \t\n\r\f\v");
	if (*s == ',' && s[1] != '\0')
		s++;
	else if (*s != '\0')
		return false;
	*list = s;
	return quoted || len > 0;
}

static bool
listed(const struct profile *p, const char *name)
{
	for (size_t i = 0; i < p->settings_allow.n; i++)
		if (strcasecmp(p->settings_allow.items[i], name) == 0)
			return true;
	return false;
}

static bool
in_globs(const struct string_list *list, const char *text)
{
	for (size_t i = 0; i < list->n; i++)
		if (glob_match(list->items[i], text))
			return true;
	return false;
}

/* May names be looked up in this schema? What differs from role to role or holds the session's own objects may not. */
static bool
schema_searchable(const struct request *r, const char *schema, bool first)
{
	const struct profile *p = r->profile;
	bool open;

	if (*schema == '\0' || (first && strcmp(schema, "pg_catalog") == 0))
		return true;
	if (strcmp(schema, "$user") == 0)
		return err_set(r->why, "setting \"search_path\" may not hold \"$user\": name the schema");
	if (strcmp(schema, "pg_catalog") == 0)
		return err_set(r->why, "setting \"search_path\" may hold pg_catalog in the first place only");
	if (strncmp(schema, "pg_", 3) == 0)
		return err_set(r->why, "setting \"search_path\" may not hold %.63s: it is a schema of the system", schema);
	open = strcmp(schema, "information_schema") == 0 || !p->schemas_allow.set || in_globs(&p->schemas_allow, schema);
	if (!open || in_globs(&p->schemas_deny, schema))
		return err_set(r->why, "setting \"search_path\" may not hold %.63s: this schema is not open", schema);
	return true;
}

/* settings.allow names it: any schemas that are open. */
static bool
open_search_path(const struct request *r)
{
	const char *rest = r->value;
	char name[NAME_LENGTH + 1];
	bool first = true;

	while (rest != NULL && *rest != '\0') {
		if (!next_identifier(&rest, name, sizeof(name)))
			return err_set(r->why, "setting \"search_path\" needs a list of schemas");
		if (!schema_searchable(r, name, first))
			return false;
		first = false;
	}
	return true;
}

/* Unqualified names were judged along the profile's search path: it may be "set" to what it is. */
static bool
same_search_path(const struct request *r)
{
	const struct string_list *path = &r->profile->search_path;
	const char *rest = r->value;
	char name[NAME_LENGTH + 1];
	size_t n = 0;

	while (rest != NULL && *rest != '\0') {
		if (n >= path->n || !next_identifier(&rest, name, sizeof(name)) || strcmp(name, path->items[n]) != 0)
			break;
		n++;
	}
	if (rest != NULL && *rest == '\0' && n == path->n && n > 0)
		return true;
	if (listed(r->profile, r->name))
		return open_search_path(r);
	return err_set(r->why, "setting \"search_path\" is fixed by the policy");
}

enum row_flags {
	BY_DEFAULT = 1, /* allowed when the policy has no settings.allow */
	PINNED = 2,     /* allowed always, as far as its check goes: connections start with it */
};

static const struct setting {
	const char *name;
	unsigned flags;
	bool (*check)(const struct request *);
	size_t limit; /* of a timeout: offset in struct limits */
} settings[] = {
	{ "application_name", BY_DEFAULT, printable_name, 0 },
	{ "bytea_output", BY_DEFAULT, any_value, 0 },
	{ "client_encoding", BY_DEFAULT | PINNED, utf8_encoding, 0 },
	{ "client_min_messages", BY_DEFAULT, quiet_level, 0 },
	{ "DateStyle", BY_DEFAULT, any_value, 0 },
	{ "default_transaction_read_only", BY_DEFAULT | PINNED, read_only_switch, 0 },
	{ "extra_float_digits", BY_DEFAULT, any_value, 0 },
	{ "idle_in_transaction_session_timeout", BY_DEFAULT, shorter_time, offsetof(struct limits, idle_in_transaction_timeout) },
	{ "IntervalStyle", BY_DEFAULT, any_value, 0 },
	{ "jit", BY_DEFAULT, any_switch, 0 },
	{ "lock_timeout", BY_DEFAULT, shorter_time, offsetof(struct limits, lock_timeout) },
	{ "search_path", PINNED, same_search_path, 0 },
	{ "standard_conforming_strings", BY_DEFAULT | PINNED, switched_on, 0 },
	{ "statement_timeout", BY_DEFAULT, shorter_time, offsetof(struct limits, statement_timeout) },
	{ "TimeZone", BY_DEFAULT, any_value, 0 },
	{ "transaction_read_only", BY_DEFAULT | PINNED, read_only_switch, 0 },
	{ "transaction_timeout", BY_DEFAULT, shorter_time, offsetof(struct limits, transaction_timeout) },
};

bool
setting_never(const char *name)
{
	static const char *const names[] = { "allow_in_place_tablespaces", "allow_system_table_mods", "backslash_quote",
		"createrole_self_grant", "dynamic_library_path", "event_triggers", "extension_control_path",
		"ignore_checksum_failure", "ignore_invalid_pages", "ignore_system_indexes", "is_superuser", "jit_provider",
		"lc_messages", "lo_compat_privileges", "restrict_nonsystem_relation_kind", "role", "row_security",
		"session_authorization", "session_replication_role", "transform_null_equals", "wal_consistency_checking",
		"zero_damaged_pages", NULL };
	static const char suffix[] = "_preload_libraries";
	size_t len = strlen(name);

	if (is_word(name, names) || strncasecmp(name, "log_", 4) == 0 || strncasecmp(name, "debug_", 6) == 0)
		return true;
	return len >= sizeof(suffix) && strcasecmp(name + len - (sizeof(suffix) - 1), suffix) == 0;
}

bool
setting_reserved(const char *name)
{
	static const char prefix[] = "pgmoat.";

	return strncasecmp(name, prefix, sizeof(prefix) - 1) == 0;
}

static const struct setting *
find(const char *name)
{
	for (size_t i = 0; i < nitems(settings); i++)
		if (strcasecmp(settings[i].name, name) == 0)
			return &settings[i];
	return NULL;
}

const char *
setting_default(size_t i)
{
	for (size_t j = 0; j < nitems(settings); j++)
		if ((settings[j].flags & BY_DEFAULT) != 0 && i-- == 0)
			return settings[j].name;
	return NULL;
}

bool
setting_pinned(const char *name)
{
	const struct setting *s = find(name);

	return s != NULL && (s->flags & PINNED) != 0;
}

/* What may be set, for the refusal of something else. */
static void
name_allowed(const struct profile *p, struct sb *sb)
{
	if (p->settings_allow.set) {
		for (size_t i = 0; i < p->settings_allow.n; i++)
			sb_fmt(sb, "%s%s", i > 0 ? ", " : "", p->settings_allow.items[i]);
		return;
	}
	for (size_t i = 0; setting_default(i) != NULL; i++)
		sb_fmt(sb, "%s%s", i > 0 ? ", " : "", setting_default(i));
}

static void
refuse_name(const struct request *r)
{
	struct sb list = { .max = 700 };

	name_allowed(r->profile, &list);
	if (sb_text(&list)[0] == '\0')
		err_set(r->why, "setting \"%.63s\" may not be set: the policy opens none", r->name);
	else
		err_set(r->why, "setting \"%.63s\" may not be set; these may: %s", r->name, sb_text(&list));
	sb_free(&list);
}

enum setting_verdict
profile_judge_setting(const struct profile *p, const char *name, const char *value, struct err *why)
{
	struct request r = { p, name, value, 0, why };
	const struct setting *s = find(name);
	bool open;

	if (setting_never(name) || setting_reserved(name)) {
		err_set(why, "setting \"%.63s\" may not be set through the firewall", name);
		return SETTING_REFUSED;
	}
	if (session_names(p, name)) {
		err_set(why, "setting \"%.63s\" is set by the policy", name);
		return SETTING_REFUSED;
	}
	open = p->settings_allow.set ? listed(p, name) : s != NULL && (s->flags & BY_DEFAULT) != 0;
	if (!open && (s == NULL || (s->flags & PINNED) == 0)) {
		refuse_name(&r);
		return SETTING_REFUSED;
	}
	if (s == NULL)
		return SETTING_PASS;
	if (s->check == shorter_time)
		memcpy(&r.limit, (const char *)&p->limits + s->limit, sizeof(r.limit));
	return s->check(&r) ? SETTING_PASS : SETTING_REFUSED;
}

/* Applications keep keys and tokens in settings of their own, which every
 * session can read. A name that says so is closed. */
static bool
names_secret(const char *name)
{
	static const char *const words[] = { "secret", "passw", "pwd", "token", "jwt", "_key", ".key", "apikey", "credential",
		"private" };

	if (strchr(name, '.') == NULL)
		return false;
	for (size_t i = 0; i < nitems(words); i++)
		if (strcasestr(name, words[i]) != NULL)
			return true;
	return false;
}

enum setting_verdict
profile_judge_shown(const struct profile *p, const char *name, struct err *why)
{
	if (name == NULL) {
		err_set(why, "the setting that it shows must be named by a constant");
		return SETTING_REFUSED;
	}
	if (setting_reserved(name)) {
		err_set(why, "settings that begin with \"pgmoat.\" are the firewall's own");
		return SETTING_REFUSED;
	}
	if (definitions_setting_closed(name) && !listed(p, name)) {
		err_set(why, "the setting \"%.63s\" is about files, commands or keys of the server", name);
		return SETTING_REFUSED;
	}
	if (!names_secret(name) || listed(p, name))
		return SETTING_PASS;
	err_set(why, "the name of the setting \"%.63s\" says that it is a secret, and settings.allow does not name it", name);
	return SETTING_REFUSED;
}
