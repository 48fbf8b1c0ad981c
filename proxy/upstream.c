#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libpq-fe.h>

#include "upstream_int.h"

#define HOSTS_MAX 64
#define TIMEOUT_DEFAULT 10
#define SOCKET_DIR "/var/run/postgresql" /* where Debian's libpq looks when no host is named */

/* --- reading the text --------------------------------------------------- */

const char *
upstream_setting(const struct upstream *u, const char *key)
{
	const PQconninfoOption *o;

	for (o = u->options; o->keyword != NULL; o++)
		if (strcmp(o->keyword, key) == 0)
			return o->val != NULL && o->val[0] != '\0' ? o->val : NULL;
	return NULL;
}

/* libpq quotes what it did not understand, and that may be a password. */
static void
report(const char *why, struct err *err)
{
	static const char *const harmless[] = { "invalid connection option", "invalid URI query parameter" };
	size_t i, n = strcspn(why, "\"\n");

	for (i = 0; i < nitems(harmless); i++)
		if (strncmp(why, harmless[i], strlen(harmless[i])) == 0)
			n = strcspn(why, "\n");
	while (n > 0 && (why[n - 1] == ' ' || why[n - 1] == ':'))
		n--;
	err_set(err, "upstream: %.*s", (int)n, why);
}

static bool
parse_text(struct upstream *u, const char *url, struct err *err)
{
	const char *scheme = strstr(url, "://");
	char *why = NULL;

	if (scheme != NULL && strncmp(url, "postgresql://", 13) != 0 && strncmp(url, "postgres://", 11) != 0 &&
	    memchr(url, '=', (size_t)(scheme - url)) == NULL)
		return err_set(err, "upstream: expected postgresql://USER@HOST:PORT/DATABASE or key=value pairs");
	if ((u->options = PQconninfoParse(url, &why)) != NULL)
		return true;
	report(why != NULL ? why : "out of memory", err);
	PQfreemem(why);
	return false;
}

/* --- hosts -------------------------------------------------------------- */

static size_t
count_items(const char *list)
{
	size_t n = 1;

	if (list == NULL)
		return 0;
	for (; *list != '\0'; list++)
		n += *list == ',';
	return n;
}

/* The i-th of a comma-separated list; NULL when it is empty. Caller frees. */
static char *
item(const char *list, size_t i)
{
	size_t n;

	if (list == NULL)
		return NULL;
	while (i-- > 0)
		list += strcspn(list, ",") + 1;
	n = strcspn(list, ",");
	return n > 0 ? xstrndup(list, n) : NULL;
}

static bool
port_ok(const char *port)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(port, &end, 10);
	return errno == 0 && end != port && *end == '\0' && n >= 1 && n <= 65535;
}

static bool
set_host(struct upstream_host *h, const char *names, const char *addresses, const char *ports, size_t i, struct err *err)
{
	h->name = item(names, i);
	h->address = item(addresses, i);
	h->port = item(ports, count_items(ports) > 1 ? i : 0);
	if (h->port == NULL)
		h->port = xstrdup("5432");
	if (h->name == NULL && h->address == NULL)
		h->name = xstrdup(SOCKET_DIR);
	h->local = h->address == NULL && (h->name[0] == '/' || h->name[0] == '@');
	if (!port_ok(h->port))
		return err_set(err, "upstream: port: expected 1 to 65535, found \"%s\"", h->port);
	return true;
}

static bool
parse_hosts(struct upstream *u, struct err *err)
{
	const char *names = upstream_setting(u, "host"), *addresses = upstream_setting(u, "hostaddr");
	const char *ports = upstream_setting(u, "port");
	size_t i, n = count_items(names);

	if (n == 0)
		n = count_items(addresses) > 0 ? count_items(addresses) : 1;
	if (n > HOSTS_MAX)
		return err_set(err, "upstream: more than %d hosts", HOSTS_MAX);
	if (addresses != NULL && count_items(addresses) != n)
		return err_set(err, "upstream: %zu hosts but %zu values for hostaddr", n, count_items(addresses));
	if (count_items(ports) > 1 && count_items(ports) != n)
		return err_set(err, "upstream: %zu ports for %zu hosts", count_items(ports), n);
	u->hosts = xcalloc(n, sizeof(*u->hosts));
	for (i = 0; i < n; i++) {
		u->nhosts++;
		if (!set_host(&u->hosts[i], names, addresses, ports, i, err))
			return false;
	}
	return true;
}

static void
make_name(struct upstream *u)
{
	const struct upstream_host *h;
	struct sb name = { 0 };
	const char *text;
	size_t i;

	for (i = 0; i < u->nhosts; i++) {
		h = &u->hosts[i];
		text = h->name != NULL ? h->name : h->address;
		sb_str(&name, i > 0 ? "," : "");
		sb_fmt(&name, h->local ? "%s/.s.PGSQL.%s" : strchr(text, ':') != NULL ? "[%s]:%s" : "%s:%s", text, h->port);
	}
	u->name = sb_take(&name);
}

/* --- the other settings ------------------------------------------------- */

static bool
parse_sslmode(struct upstream *u, struct err *err)
{
	static const char *const words[] = { "disable", "allow", "prefer", "require", "verify-ca", "verify-full" };
	const char *word = upstream_setting(u, "sslmode"), *negotiation = upstream_setting(u, "sslnegotiation");
	size_t i;

	u->sslmode = SSL_PREFER_;
	for (i = 0; word != NULL && i < nitems(words) && strcmp(word, words[i]) != 0; i++)
		continue;
	if (word != NULL && i == nitems(words))
		return err_set(err,
		    "upstream: sslmode: expected disable, allow, prefer, require, verify-ca or verify-full, found \"%s\"", word);
	if (word != NULL)
		u->sslmode = (enum sslmode)i;
	u->direct = negotiation != NULL && strcmp(negotiation, "direct") == 0;
	if (u->direct && u->sslmode < SSL_REQUIRE_)
		return err_set(err, "upstream: sslnegotiation=direct needs sslmode=require, verify-ca or verify-full");
	return true;
}

static bool
parse_timeout(struct upstream *u, struct err *err)
{
	const char *text = upstream_setting(u, "connect_timeout");
	char *end;
	long n;

	u->timeout = TIMEOUT_DEFAULT;
	if (text == NULL)
		return true;
	n = strtol(text, &end, 10);
	if (end == text || *end != '\0' || n > 86400)
		return err_set(err, "upstream: connect_timeout: expected seconds, found \"%s\"", text);
	u->timeout = n < 0 ? 0 : (int)n;
	return true;
}

/* What would change who is trusted, and cannot be kept, is refused: never ignored. */
static bool
check_promises(const struct upstream *u, struct err *err)
{
	const char *gss = upstream_setting(u, "gssencmode");

	if (upstream_setting(u, "service") != NULL)
		return err_set(err, "upstream: service: not supported; write host, port and database here");
	if (gss != NULL && strcmp(gss, "require") == 0)
		return err_set(err, "upstream: gssencmode=require: not supported; use TLS with sslmode=verify-full");
	if (upstream_setting(u, "replication") != NULL)
		return err_set(err, "upstream: replication: not supported");
	return true;
}

static bool
make_tls(struct upstream *u, struct err *err)
{
	const char *sni = upstream_setting(u, "sslsni");
	const struct tls_client_options o = {
		.mode = u->sslmode,
		.rootcert = upstream_setting(u, "sslrootcert"),
		.cert = upstream_setting(u, "sslcert"),
		.key = upstream_setting(u, "sslkey"),
		.crl = upstream_setting(u, "sslcrl"),
		.crldir = upstream_setting(u, "sslcrldir"),
		.password = upstream_setting(u, "sslpassword"),
		.min_version = upstream_setting(u, "ssl_min_protocol_version"),
		.max_version = upstream_setting(u, "ssl_max_protocol_version"),
		.no_sni = sni != NULL && strcmp(sni, "0") == 0,
	};
	struct err why;

	if (!upstream_may_tls(u))
		return true;
	if ((u->tls = tls_client_new(&o, &why)) == NULL)
		return err_set(err, "upstream: %s", why.text);
	return true;
}

/* --- the object --------------------------------------------------------- */

struct upstream *
upstream_parse(const char *url, struct err *err)
{
	struct upstream *u = xcalloc(1, sizeof(*u));

	if (!parse_text(u, url, err) || !parse_hosts(u, err) || !parse_sslmode(u, err) || !parse_timeout(u, err) ||
	    !check_promises(u, err) || !make_tls(u, err)) {
		upstream_free(u);
		return NULL;
	}
	make_name(u);
	return u;
}

void
upstream_free(struct upstream *u)
{
	size_t i;

	if (u == NULL)
		return;
	for (i = 0; i < u->nhosts; i++) {
		free(u->hosts[i].name);
		free(u->hosts[i].address);
		free(u->hosts[i].port);
	}
	free(u->hosts);
	PQconninfoFree(u->options);
	tls_client_free(u->tls);
	free(u->name);
	free(u);
}

const char *
upstream_user(const struct upstream *u)
{
	return upstream_setting(u, "user");
}

const char *
upstream_password(const struct upstream *u)
{
	return upstream_setting(u, "password");
}

const char *
upstream_database(const struct upstream *u)
{
	return upstream_setting(u, "dbname");
}

const char *
upstream_name(const struct upstream *u)
{
	return u->name;
}

bool
upstream_may_tls(const struct upstream *u)
{
	size_t i;

	for (i = 0; i < u->nhosts; i++)
		if (!u->hosts[i].local)
			return u->sslmode != SSL_DISABLE_;
	return false;
}
