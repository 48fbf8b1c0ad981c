/* Which startup parameters reach the server: the client's, judged like SET,
 * over what the profile pins and under what it sets for the session. Nothing here refuses a login: a parameter that
 * may not be set is left out, and the log says so (CLIENTS.md: drivers send
 * what their users never asked for). */

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "log.h"
#include "session.h"

static void
put(struct session *s, const char *name, const char *value)
{
	size_t i;

	for (i = 0; i < s->nsettings; i++)
		if (strcasecmp(s->settings[i].name, name) == 0) {
			free(s->settings[i].value);
			s->settings[i].value = xstrdup(value);
			return;
		}
	s->settings = xreallocarray(s->settings, s->nsettings + 1, sizeof(*s->settings));
	s->settings[s->nsettings++] = (struct setting){ xstrdup(name), xstrdup(value) };
}

static void
put_pinned(void *arg, const char *name, const char *value)
{
	put(arg, name, value);
}

static bool
judge(void *arg, const char *name, const char *value)
{
	struct session *s = arg;
	struct err why;

	if (!utf8_valid(name, strlen(name)) || !utf8_valid(value, strlen(value)))
		log_info(s->id, "startup parameter left out: not valid UTF-8");
	else if (!s->enforce || profile_judge_setting(s->profile, name, value, &why) == SETTING_PASS)
		put(s, name, value);
	else
		log_info(s->id, "startup parameter %s left out: %s", name, why.text);
	return true;
}

static bool
is_ours(const char *name)
{
	return strcmp(name, "user") == 0 || strcmp(name, "database") == 0 || strcmp(name, "replication") == 0 ||
	       strcmp(name, "options") == 0 || strncmp(name, "_pq_.", 5) == 0;
}

void
session_settings(const struct profile *p, const struct principal *who, void (*f)(void *, const char *, const char *), void *arg)
{
	profile_session(p, who, f, arg);
	if (profile_mask_key(p) != NULL)
		f(arg, "pgmoat.mask_key", profile_mask_key(p));
}

void
startup_settings(struct session *s, const struct startup *packet)
{
	const char *options = startup_get(packet, "options");
	struct err why;
	size_t i;

	if (s->enforce) {
		profile_pinned(s->profile, put_pinned, s);
		/* with a catalog we know which schema is the login's, and what SHOW says is what it says without us */
		if (s->worker->gateway->snapshots != NULL && profile_needs_catalog(s->profile) &&
		    profile_path_is_default(s->profile))
			put(s, "search_path", "\"$user\", public");
	}
	if (options != NULL && !options_read(options, judge, s, &why))
		log_info(s->id, "startup parameter options left out from here on: %s", why.text);
	for (i = 0; i < packet->nparams; i++)
		if (!is_ours(packet->params[i].name))
			judge(s, packet->params[i].name, packet->params[i].value);
	if (s->enforce) /* last: whatever the client has said of them */
		session_settings(s->profile, &s->principal, put_pinned, s);
}
