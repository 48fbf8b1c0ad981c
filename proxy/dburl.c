/* proxy/dburl.c - Postgres URLs and key=value strings, found in text and made to point at the guard. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "dburl.h"

static const char *const schemes[] = { "postgres", "postgresql", "pgsql", "psql", "postgis" };

/* --- finding ----------------------------------------------------------- */

static bool
is_scheme_char(char c)
{
	return isalnum((unsigned char)c) || c == '+' || c == '.' || c == '-';
}

/* "postgresql", or "postgresql+driver" */
static bool
is_scheme(const char *s, size_t len)
{
	const char *plus = memchr(s, '+', len);
	size_t i, base = plus != NULL ? (size_t)(plus - s) : len;

	for (i = 0; i < nitems(schemes); i++)
		if (strlen(schemes[i]) == base && strncasecmp(schemes[i], s, base) == 0)
			return true;
	return false;
}

/* Where the URL ends. One that fills its argument (or what stands behind
 * --flag=) may hold anything but blanks and quotes; one inside other text ends
 * where no URL goes on. */
static size_t
url_end(const char *text, size_t at)
{
	bool whole = at == 0 || text[at - 1] == '=';
	size_t end = at + strcspn(text + at, " \t\r\n\"'`<>\\");

	if (whole && text[end] == '\0')
		return end;
	end = at + strcspn(text + at, " \t\r\n\"'`<>\\;)}|");
	while (end > at && (text[end - 1] == ',' || text[end - 1] == '.'))
		end--;
	return end;
}

bool
dburl_find(const char *text, size_t from, size_t *at, size_t *len)
{
	const char *colon;
	size_t start;

	for (colon = text + from; (colon = strstr(colon, "://")) != NULL; colon += 3) {
		start = (size_t)(colon - text);
		while (start > from && is_scheme_char(text[start - 1]))
			start--;
		if (!is_scheme(text + start, (size_t)(colon - text) - start))
			continue;
		if (start - from >= 5 && strncasecmp(text + start - 5, "jdbc:", 5) == 0)
			start -= 5;
		*at = start;
		*len = url_end(text, start) - start;
		return true;
	}
	return false;
}

/* --- taking apart ------------------------------------------------------ */

struct slice {
	const char *p;
	size_t len;
};

struct parts {
	struct slice scheme; /* with "://" */
	struct slice user, password, hosts, dbname, query;
};

static struct slice
slice_to(struct slice *rest, const char *stops)
{
	struct slice s = { .p = rest->p };

	while (s.len < rest->len && strchr(stops, rest->p[s.len]) == NULL)
		s.len++;
	rest->p += s.len;
	rest->len -= s.len;
	return s;
}

static void
skip_one(struct slice *rest)
{
	if (rest->len > 0) {
		rest->p++;
		rest->len--;
	}
}

static void
split_url(const char *url, size_t len, struct parts *out)
{
	const char *start = (const char *)memmem(url, len, "://", 3) + 3, *at;
	struct slice rest = { .p = start, .len = len - (size_t)(start - url) }, hosts = slice_to(&rest, "/?"), login;

	*out = (struct parts){ .scheme = { .p = url, .len = (size_t)(start - url) } };
	if ((at = memrchr(hosts.p, '@', hosts.len)) != NULL) {
		login = (struct slice){ .p = hosts.p, .len = (size_t)(at - hosts.p) };
		hosts = (struct slice){ .p = at + 1, .len = hosts.len - login.len - 1 };
		out->user = slice_to(&login, ":");
		skip_one(&login);
		out->password = login;
	}
	out->hosts = hosts;
	if (rest.len > 0 && *rest.p == '/') {
		skip_one(&rest);
		out->dbname = slice_to(&rest, "?");
	}
	skip_one(&rest);
	out->query = rest;
}

static bool
decode(struct slice s, struct sb *out)
{
	char hex[3] = "";
	size_t i;

	for (i = 0; i < s.len; i++) {
		if (s.p[i] != '%') {
			sb_char(out, s.p[i]);
			continue;
		}
		if (s.len - i < 3 || !isxdigit((unsigned char)s.p[i + 1]) || !isxdigit((unsigned char)s.p[i + 2]))
			return false;
		memcpy(hex, s.p + i + 1, 2);
		if (strcmp(hex, "00") == 0)
			return false;
		sb_char(out, (char)strtol(hex, NULL, 16));
		i += 2;
	}
	return true;
}

static bool
set_decoded(struct target *t, int key, struct slice s, struct err *err)
{
	struct sb value = { 0 };
	bool good = decode(s, &value);

	if (good)
		target_set(t, key, sb_text(&value), value.len);
	if (value.text != NULL)
		explicit_bzero(value.text, value.room);
	sb_free(&value);
	return good || err_set(err, "has broken percent-encoding in its %s", target_keywords[key].keyword);
}

/* "h1:p1,[v6]:p2,h3" becomes host "h1,v6,h3" and port "p1,p2," as libpq wants them. */
static bool
read_hosts(struct target *t, struct slice rest, struct err *err)
{
	struct sb hosts = { 0 }, ports = { 0 };
	bool good = true, any_port = false, more = rest.len > 0;
	struct slice one;

	while (more && good) {
		if (rest.len > 0 && *rest.p == '[') {
			skip_one(&rest);
			one = slice_to(&rest, "]");
			skip_one(&rest);
		} else
			one = slice_to(&rest, ":,");
		good = decode(one, &hosts);
		if (rest.len > 0 && *rest.p == ':') {
			skip_one(&rest);
			one = slice_to(&rest, ",");
			any_port = any_port || one.len > 0;
			sb_bytes(&ports, one.p, one.len);
		}
		if ((more = rest.len > 0)) {
			sb_char(&hosts, ',');
			sb_char(&ports, ',');
		}
		skip_one(&rest);
	}
	if (good) {
		target_set(t, TARGET_HOST, sb_text(&hosts), hosts.len);
		target_set(t, TARGET_PORT, sb_text(&ports), any_port ? ports.len : 0);
	}
	sb_free(&hosts);
	sb_free(&ports);
	return good || err_set(err, "has broken percent-encoding in its host");
}

/* --- parameters -------------------------------------------------------- */

static bool
next_parameter(struct slice *query, struct slice *name, struct slice *value)
{
	struct slice pair;

	if (query->len == 0)
		return false;
	pair = slice_to(query, "&");
	skip_one(query);
	*name = slice_to(&pair, "=");
	skip_one(&pair);
	*value = pair;
	return true;
}

static bool
slice_is(struct slice s, const char *text)
{
	return s.len == strlen(text) && memcmp(s.p, text, s.len) == 0;
}

static int
parameter_key(struct slice name)
{
	int key;

	for (key = 0; key < TARGET_KEYS; key++)
		if (slice_is(name, target_keywords[key].keyword))
			return key;
	return -1;
}

/* What drivers say instead of sslmode, in libpq's words. */
static const char *
ssl_word(struct slice value)
{
	static const char *const words[] = { "disable", "allow", "prefer", "require", "verify-ca", "verify-full" };
	size_t i;

	if (slice_is(value, "true") || slice_is(value, "1") || slice_is(value, "no-verify"))
		return "require";
	if (slice_is(value, "false") || slice_is(value, "0"))
		return "disable";
	for (i = 0; i < nitems(words); i++)
		if (slice_is(value, words[i]))
			return words[i];
	return NULL;
}

static bool
read_parameter(struct target *t, struct slice name, struct slice value, struct err *err)
{
	int key = slice_is(name, "ssl") ? TARGET_SSLMODE : parameter_key(name);
	const char *word;

	if (key == -1)
		return true; /* some driver's own: stays in the client's URL */
	if (key == TARGET_SSLMODE && (word = ssl_word(value)) != NULL) {
		target_set(t, key, word, strlen(word));
		return true;
	}
	return set_decoded(t, key, value, err);
}

bool
dburl_read(const char *url, size_t len, struct target *t, struct err *err)
{
	struct slice name, value;
	struct parts parts;

	split_url(url, len, &parts);
	if (!read_hosts(t, parts.hosts, err) || !set_decoded(t, TARGET_USER, parts.user, err) ||
	    !set_decoded(t, TARGET_PASSWORD, parts.password, err) || !set_decoded(t, TARGET_DBNAME, parts.dbname, err))
		return false;
	while (next_parameter(&parts.query, &name, &value))
		if (!read_parameter(t, name, value, err))
			return false;
	return true;
}

/* --- the guarded one --------------------------------------------------- */

static void
encode(struct sb *out, const char *text)
{
	for (; *text != '\0'; text++) {
		if (isalnum((unsigned char)*text) || strchr("-._~", *text) != NULL)
			sb_char(out, *text);
		else
			sb_fmt(out, "%%%02X", (unsigned char)*text);
	}
}

static void
parameter(struct sb *out, bool *first, const char *name, const char *value)
{
	sb_fmt(out, "%c%s=", *first ? '?' : '&', name);
	encode(out, value);
	*first = false;
}

/* Drivers that are not libpq refuse parameters that they do not know;
 * without one they take a plain connection when we offer no TLS. */
static bool
driver_knows_sslmode(struct slice scheme)
{
	const char *plus = memchr(scheme.p, '+', scheme.len);

	return plus == NULL || strncasecmp(plus + 1, "psycopg", strlen("psycopg")) == 0;
}

static void
keep_parameters(struct sb *out, bool *first, struct slice query)
{
	struct slice name, value;
	int key;

	while (next_parameter(&query, &name, &value)) {
		key = parameter_key(name);
		if (key != -1 && (target_keywords[key].role == ROLE_PLACE || target_keywords[key].role == ROLE_SERVER))
			continue;
		if (name.len == 0 || (name.len >= 3 && strncasecmp(name.p, "ssl", 3) == 0))
			continue;
		sb_char(out, *first ? '?' : '&');
		sb_bytes(out, name.p, name.len);
		sb_char(out, '=');
		sb_bytes(out, value.p, value.len);
		*first = false;
	}
}

void
dburl_guard(const char *url, size_t len, const struct guard *g, struct sb *out)
{
	bool jdbc = strncasecmp(url, "jdbc:", strlen("jdbc:")) == 0, first = true, socket = *g->host == '/';
	struct parts parts;

	split_url(url, len, &parts);
	sb_bytes(out, parts.scheme.p, parts.scheme.len);
	if (!jdbc) {
		encode(out, g->user);
		sb_char(out, ':');
		encode(out, g->password);
		sb_char(out, '@');
	}
	if (!socket)
		sb_fmt(out, strchr(g->host, ':') != NULL ? "[%s]:%s" : "%s:%s", g->host, g->port);
	sb_char(out, '/');
	encode(out, g->dbname);
	if (socket) {
		parameter(out, &first, "host", g->host);
		parameter(out, &first, "port", g->port);
	}
	if (jdbc) {
		parameter(out, &first, "user", g->user);
		parameter(out, &first, "password", g->password);
	}
	if (driver_knows_sslmode(parts.scheme))
		parameter(out, &first, "sslmode", "disable");
	keep_parameters(out, &first, parts.query);
}

/* --- key=value strings ------------------------------------------------- */

/* All of text, and it names a host or a database. */
static bool
pairs_read(const char *text, struct target *t)
{
	struct err err;

	if (strchr(text, '=') == NULL || (strstr(text, "host") == NULL && strstr(text, "dbname") == NULL) ||
	    strstr(text, "://") != NULL)
		return false;
	if (!target_read_pairs(t, text, &err))
		return false;
	if (t->value[TARGET_HOST] != NULL || t->value[TARGET_HOSTADDR] != NULL || t->value[TARGET_DBNAME] != NULL)
		return true;
	target_release(t);
	return false;
}

const char *
pairs_find(const char *text, struct target *t)
{
	const char *equals;

	if (pairs_read(text, t))
		return text;
	if (text[0] == '-' && (equals = strchr(text, '=')) != NULL && pairs_read(equals + 1, t))
		return equals + 1;
	return NULL;
}

void
pairs_guard(const struct target *t, const struct guard *g, struct sb *out)
{
	int i;

	sb_str(out, "host=");
	target_quote(out, g->host);
	sb_fmt(out, " port=%s user=", g->port);
	target_quote(out, g->user);
	sb_str(out, " password=");
	target_quote(out, g->password);
	sb_str(out, " dbname=");
	target_quote(out, g->dbname);
	sb_str(out, " sslmode=disable");
	for (i = TARGET_NAMED; i < TARGET_KEYS; i++) {
		if (t->value[i] == NULL || target_keywords[i].role == ROLE_SERVER)
			continue;
		sb_fmt(out, " %s=", target_keywords[i].keyword);
		target_quote(out, t->value[i]);
	}
}
