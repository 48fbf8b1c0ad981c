/* policy/pinned.c - the settings that a server connection starts with: the
 * second lock, should the judge be wrong. What settings.c lets through of them
 * is what they are. */
#include <ctype.h>

#include "profile.h"
#include "settings.h"

static bool
plain_identifier(const char *name)
{
	if (!islower((unsigned char)name[0]) && name[0] != '_')
		return false;
	for (const char *s = name; *s != '\0'; s++)
		if (!islower((unsigned char)*s) && !isdigit((unsigned char)*s) && *s != '_')
			return false;
	return true;
}

static void
search_path_value(const struct profile *p, struct sb *sb)
{
	if (p->search_path.n == 0)
		sb_str(sb, "\"\"");
	for (size_t i = 0; i < p->search_path.n; i++) {
		const char *name = p->search_path.items[i];

		sb_str(sb, i > 0 ? ", " : "");
		if (plain_identifier(name)) {
			sb_str(sb, name);
			continue;
		}
		sb_char(sb, '"');
		for (; *name != '\0'; name++)
			sb_fmt(sb, *name == '"' ? "\"\"" : "%c", *name);
		sb_char(sb, '"');
	}
}

static bool
hashes(const struct profile *p)
{
	for (size_t i = 0; i < p->ncolumns; i++)
		if (p->columns[i].action == COLUMN_MASK && p->columns[i].mask == MASK_HASH)
			return true;
	return false;
}

/* The mask key becomes a setting that no client may name (settings.c) and that SHOW ALL and pg_settings leave out. */
void
profile_pinned(const struct profile *p, void (*f)(void *arg, const char *name, const char *value), void *arg)
{
	/* transaction_timeout is PostgreSQL 17's: older servers refuse a login with it, and our own clock keeps it. */
	const struct {
		const char *name;
		int64_t ms;
	} timeouts[] = {
		{ "statement_timeout", p->limits.statement_timeout },
		{ "lock_timeout", p->limits.lock_timeout },
		{ "idle_in_transaction_session_timeout", p->limits.idle_in_transaction_timeout },
	};
	struct sb path = { 0 };
	char ms[32];

	if (p->mask_key != NULL && hashes(p))
		f(arg, SETTING_MASK_KEY, p->mask_key);
	if (p->read_only)
		f(arg, "default_transaction_read_only", "on");
	f(arg, "standard_conforming_strings", "on");
	f(arg, "backslash_quote", "safe_encoding");
	f(arg, "client_encoding", "UTF8");
	search_path_value(p, &path);
	f(arg, "search_path", sb_text(&path));
	sb_free(&path);
	for (size_t i = 0; i < nitems(timeouts); i++) {
		if (timeouts[i].ms <= 0)
			continue;
		snprintf(ms, sizeof(ms), "%lld", (long long)timeouts[i].ms);
		f(arg, timeouts[i].name, ms);
	}
}
