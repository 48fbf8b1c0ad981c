#include "tls.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "tls_key.h"

struct tls_client {
	SSL_CTX *ctx; /* owned */
	bool check_name;
	bool sni;
};

/* --- files -------------------------------------------------------------- */

/* What was named, else the file of libpq's directory when it exists; NULL: neither. Caller frees. */
static char *
file_or_default(const char *named, const char *name)
{
	const char *home = getenv("HOME");
	struct sb path = { 0 };
	struct passwd *pw;
	char *text;

	if (named != NULL && named[0] != '\0')
		return xstrdup(named);
	if ((home == NULL || home[0] == '\0') && (pw = getpwuid(geteuid())) != NULL)
		home = pw->pw_dir;
	if (home == NULL)
		return NULL;
	sb_fmt(&path, "%s/.postgresql/%s", home, name);
	text = sb_take(&path);
	if (access(text, F_OK) == 0)
		return text;
	free(text);
	return NULL;
}

static bool
is_system(const struct tls_client_options *o)
{
	return o->rootcert != NULL && strcmp(o->rootcert, "system") == 0;
}

static bool
load_system_roots(SSL_CTX *ctx, const struct tls_client_options *o, struct err *err)
{
	struct err why;

	if (o->mode != SSL_VERIFY_FULL_)
		return err_set(
		    err, "sslrootcert=system needs sslmode=verify-full: anybody can have a certificate of the public CAs");
	if (SSL_CTX_set_default_verify_paths(ctx) != 1)
		return err_set(err, "the system's root certificates: %s", tls_errors(&why));
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	return true;
}

/* As libpq: a root certificate that exists is used with every sslmode. */
static bool
load_roots(SSL_CTX *ctx, const struct tls_client_options *o, struct err *err)
{
	char *path = file_or_default(o->rootcert, "root.crt");
	struct err why;
	bool ok = true;

	if (path == NULL || access(path, F_OK) != 0) {
		if (o->mode >= SSL_VERIFY_CA_)
			ok = err_set(err,
			    "root certificate file \"%s\" does not exist; name one with sslrootcert, or use sslmode=require to go "
			    "without",
			    path != NULL ? path : "~/.postgresql/root.crt");
	} else if (SSL_CTX_load_verify_file(ctx, path) != 1) {
		ok = err_set(err, "root certificate file \"%s\": %s", path, tls_errors(&why));
	} else {
		SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	}
	free(path);
	return ok;
}

static bool
load_crl(SSL_CTX *ctx, const struct tls_client_options *o, struct err *err)
{
	char *path = o->crldir == NULL || o->crl != NULL ? file_or_default(o->crl, "root.crl") : NULL;
	X509_STORE *store = SSL_CTX_get_cert_store(ctx);
	struct err why;
	bool ok = true;

	if (path != NULL && X509_STORE_load_file(store, path) != 1)
		ok = err_set(err, "certificate revocation list \"%s\": %s", path, tls_errors(&why));
	else if (o->crldir != NULL && X509_STORE_load_path(store, o->crldir) != 1)
		ok = err_set(err, "certificate revocation lists in \"%s\": %s", o->crldir, tls_errors(&why));
	else if (path != NULL || o->crldir != NULL)
		X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
	free(path);
	return ok;
}

static bool
load_own(SSL_CTX *ctx, const struct tls_client_options *o, struct err *err)
{
	char *cert = file_or_default(o->cert, "postgresql.crt");
	char *key = file_or_default(o->key, "postgresql.key");
	bool ok = true;

	if (cert != NULL && key == NULL)
		ok = err_set(err, "certificate file \"%s\" has no key: name it with sslkey", cert);
	else if (cert != NULL)
		ok = tls_load_pair(ctx, cert, key, o->password, err);
	free(cert);
	free(key);
	return ok;
}

/* --- versions ----------------------------------------------------------- */

static int
version_of(const char *word)
{
	static const struct {
		const char *word;
		int version;
	} words[] = { { "TLSv1.2", TLS1_2_VERSION }, { "TLSv1.3", TLS1_3_VERSION } };
	size_t i;

	for (i = 0; i < nitems(words); i++)
		if (strcasecmp(word, words[i].word) == 0)
			return words[i].version;
	return 0;
}

static bool
set_versions(SSL_CTX *ctx, const struct tls_client_options *o, struct err *err)
{
	int min = TLS1_2_VERSION, max = 0;

	if (o->min_version != NULL && o->min_version[0] != '\0' && strncasecmp(o->min_version, "TLSv1", 5) != 0)
		return err_set(err, "ssl_min_protocol_version: expected TLSv1.2 or TLSv1.3, found \"%s\"", o->min_version);
	if (o->min_version != NULL && version_of(o->min_version) > min) /* older ones are not spoken in any case */
		min = version_of(o->min_version);
	if (o->max_version != NULL && o->max_version[0] != '\0' && (max = version_of(o->max_version)) == 0)
		return err_set(err, "ssl_max_protocol_version: expected TLSv1.2 or TLSv1.3, found \"%s\"", o->max_version);
	if (max != 0 && max < min)
		return err_set(err, "ssl_max_protocol_version is below ssl_min_protocol_version");
	SSL_CTX_set_min_proto_version(ctx, min);
	SSL_CTX_set_max_proto_version(ctx, max);
	return true;
}

/* --- the object --------------------------------------------------------- */

struct tls_client *
tls_client_new(const struct tls_client_options *o, struct err *err)
{
	struct tls_client *t;
	SSL_CTX *ctx;

	if ((ctx = tls_context(TLS_client_method(), err)) == NULL)
		return NULL;
	ERR_clear_error();
	if (!set_versions(ctx, o, err) || !(is_system(o) ? load_system_roots(ctx, o, err) : load_roots(ctx, o, err)) ||
	    !load_crl(ctx, o, err) || !load_own(ctx, o, err)) {
		SSL_CTX_free(ctx);
		return NULL;
	}
	t = xcalloc(1, sizeof(*t));
	t->ctx = ctx;
	t->check_name = o->mode == SSL_VERIFY_FULL_;
	t->sni = !o->no_sni;
	return t;
}

void
tls_client_free(struct tls_client *t)
{
	if (t == NULL)
		return;
	SSL_CTX_free(t->ctx);
	free(t);
}

static bool
is_numeric(const char *host)
{
	struct in6_addr a;

	return inet_pton(AF_INET, host, &a) == 1 || inet_pton(AF_INET6, host, &a) == 1;
}

static bool
expect_host(SSL *ssl, const char *host)
{
	if (host == NULL || host[0] == '\0')
		return false;
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (is_numeric(host))
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
	return SSL_set1_host(ssl, host) == 1;
}

static bool
set_sni(SSL *ssl, const char *host)
{
	char *name; /* OpenSSL's macro takes the const away */
	bool ok;

	if (host == NULL || host[0] == '\0' || is_numeric(host))
		return true;
	name = xstrdup(host);
	ok = SSL_set_tlsext_host_name(ssl, name) == 1;
	free(name);
	return ok;
}

bool
tls_also_host(SSL *ssl, const char *host)
{
	return host != NULL && !is_numeric(host) && SSL_add1_host(ssl, host) == 1;
}

SSL *
tls_connect(struct tls_client *t, const char *host, bool direct)
{
	static const unsigned char alpn[] = TLS_ALPN;
	SSL *ssl = SSL_new(t->ctx);

	if (ssl == NULL || (t->check_name && !expect_host(ssl, host)) || (t->sni && !set_sni(ssl, host)) ||
	    (direct && SSL_set_alpn_protos(ssl, alpn, sizeof(alpn) - 1) != 0)) {
		SSL_free(ssl);
		ERR_clear_error();
		return NULL;
	}
	SSL_set_connect_state(ssl);
	return ssl;
}

bool
tls_alpn_agreed(SSL *ssl)
{
	static const unsigned char alpn[] = TLS_ALPN;
	const unsigned char *chosen;
	unsigned len;

	SSL_get0_alpn_selected(ssl, &chosen, &len);
	return len == alpn[0] && memcmp(chosen, alpn + 1, len) == 0;
}
