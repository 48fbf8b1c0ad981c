#include "tls.h"

#include <sys/stat.h>

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "tls_key.h"

struct tls_server {
	atomic_uint refs;
	SSL_CTX *ctx; /* owned */
};

/* --- what both sides need ----------------------------------------------- */

const char *
tls_errors(struct err *err)
{
	unsigned long e = ERR_get_error(); /* the first says most: the others are where it passed through */
	const char *text;

	if (e == 0)
		err_set(err, "no reason given");
	else if ((text = ERR_reason_error_string(e)) != NULL)
		err_set(err, "%s", text);
	else if (ERR_SYSTEM_ERROR(e))
		err_set(err, "%s", strerror(ERR_GET_REASON(e)));
	else
		err_set(err, "OpenSSL error %lx", e);
	ERR_clear_error();
	return err->text;
}

SSL_CTX *
tls_context(const SSL_METHOD *method, struct err *err)
{
	SSL_CTX *ctx = SSL_CTX_new(method);
	struct err why;

	if (ctx == NULL) {
		err_set(err, "TLS: %s", tls_errors(&why));
		return NULL;
	}
	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	return ctx;
}

static int
give_password(char *p, int room, int writing, void *arg)
{
	const char *password = arg;
	size_t n;

	(void)writing;
	if (password == NULL || (n = OPENSSL_strlcpy(p, password, (size_t)room)) == 0 || n >= (size_t)room)
		return -1;
	return (int)n;
}

static bool
key_is_private(const char *path, struct err *err)
{
	struct stat st;
	mode_t open_to;

	if (stat(path, &st) < 0)
		return err_set(err, "key file \"%s\": %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return err_set(err, "key file \"%s\": is not a regular file", path);
	open_to = st.st_mode & (st.st_uid == 0 ? S_IWGRP | S_IXGRP | S_IRWXO : S_IRWXG | S_IRWXO);
	if (open_to != 0)
		return err_set(err,
		    "key file \"%s\": others may read or write it (mode %04o); make it 0600, or 0640 when root owns it", path,
		    (unsigned)(st.st_mode & 07777));
	return true;
}

bool
tls_load_pair(SSL_CTX *ctx, const char *cert, const char *key, const char *password, struct err *err)
{
	char *secret = password != NULL ? xstrdup(password) : NULL;
	struct err why;
	bool ok = false;

	ERR_clear_error();
	SSL_CTX_set_default_passwd_cb(ctx, give_password);
	SSL_CTX_set_default_passwd_cb_userdata(ctx, secret);
	if (SSL_CTX_use_certificate_chain_file(ctx, cert) != 1)
		err_set(err, "certificate file \"%s\": %s", cert, tls_errors(&why));
	else if (!key_is_private(key, err))
		;
	else if (SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1)
		err_set(err, "key file \"%s\": %s", key, tls_errors(&why));
	else if (SSL_CTX_check_private_key(ctx) != 1)
		err_set(err, "key file \"%s\" does not belong to certificate \"%s\": %s", key, cert, tls_errors(&why));
	else
		ok = true;
	SSL_CTX_set_default_passwd_cb_userdata(ctx, NULL);
	if (secret != NULL)
		OPENSSL_cleanse(secret, strlen(secret));
	free(secret);
	return ok;
}

/* --- towards clients ---------------------------------------------------- */

static bool
is_direct(SSL *ssl)
{
	return SSL_get_app_data(ssl) != NULL;
}

/* PostgreSQL 17: who starts with TLS must name the protocol, so that a
 * browser or another server's client cannot be turned against us. */
static int
check_hello(SSL *ssl, int *alert, void *arg)
{
	const unsigned char *ext;
	size_t len;

	(void)arg;
	if (!is_direct(ssl) || SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_application_layer_protocol_negotiation, &ext, &len) == 1)
		return SSL_CLIENT_HELLO_SUCCESS;
	*alert = SSL_AD_NO_APPLICATION_PROTOCOL;
	return SSL_CLIENT_HELLO_ERROR;
}

static int
choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *outlen, const unsigned char *in, unsigned inlen, void *arg)
{
	static const unsigned char ours[] = TLS_ALPN;
	unsigned char *chosen = NULL;
	int found;

	(void)ssl;
	(void)arg;
	found = SSL_select_next_proto(&chosen, outlen, ours, sizeof(ours) - 1, in, inlen);
	if (found != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = chosen;
	return SSL_TLSEXT_ERR_OK;
}

static bool
demand_certificates(SSL_CTX *ctx, const char *ca, struct err *err)
{
	STACK_OF(X509_NAME) * names;
	struct err why;

	if (SSL_CTX_load_verify_file(ctx, ca) != 1 || (names = SSL_load_client_CA_file(ca)) == NULL)
		return err_set(err, "client CA file \"%s\": %s", ca, tls_errors(&why));
	SSL_CTX_set_client_CA_list(ctx, names);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	return true;
}

struct tls_server *
tls_server_new(const struct tls_options *o, struct err *err)
{
	struct tls_server *t;
	SSL_CTX *ctx;

	if (o->cert == NULL || o->key == NULL) {
		err_set(err, "TLS needs a certificate and its key: set both tls_cert and tls_key");
		return NULL;
	}
	if ((ctx = tls_context(TLS_server_method(), err)) == NULL)
		return NULL;
	SSL_CTX_set_num_tickets(ctx, 0);
	SSL_CTX_set_options(ctx, SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_client_hello_cb(ctx, check_hello, NULL);
	SSL_CTX_set_alpn_select_cb(ctx, choose_protocol, NULL);
	if (!tls_load_pair(ctx, o->cert, o->key, NULL, err) || (o->ca != NULL && !demand_certificates(ctx, o->ca, err))) {
		SSL_CTX_free(ctx);
		return NULL;
	}
	t = xcalloc(1, sizeof(*t));
	t->ctx = ctx;
	atomic_init(&t->refs, 1);
	return t;
}

struct tls_server *
tls_server_ref(struct tls_server *t)
{
	if (t != NULL)
		atomic_fetch_add(&t->refs, 1);
	return t;
}

void
tls_server_unref(struct tls_server *t)
{
	if (t == NULL || atomic_fetch_sub(&t->refs, 1) != 1)
		return;
	SSL_CTX_free(t->ctx);
	free(t);
}

SSL *
tls_accept(struct tls_server *t, bool direct)
{
	static char yes[] = "direct";
	SSL *ssl = SSL_new(t->ctx);

	if (ssl == NULL) {
		ERR_clear_error();
		return NULL;
	}
	SSL_set_app_data(ssl, direct ? yes : NULL);
	SSL_set_accept_state(ssl);
	return ssl;
}
