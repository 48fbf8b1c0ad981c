/* tests/lib/certs.h - keys and certificates for a test, made when it starts.
 *
 * Writes PEM files below a directory: two authorities that do not know each
 * other, certificates of the first for a server and a client. Elliptic curve
 * keys: made in a moment.
 */
#ifndef CERTS_H
#define CERTS_H

#include <sys/stat.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

struct identity {
	X509		*cert;
	EVP_PKEY	*key;
};

static inline const char *
cert_path(const char *dir, const char *name)
{
	static char paths[8][300];
	static unsigned next;
	char *p = paths[next++ % 8];

	snprintf(p, sizeof(paths[0]), "%s/%s", dir, name);
	return p;
}

static inline void
cert_extend(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509_EXTENSION *ext;
	X509V3_CTX ctx;

	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	if (ext == NULL || X509_add_ext(cert, ext, -1) != 1)
		abort();
	X509_EXTENSION_free(ext);
}

/* names: a subjectAltName ("DNS:localhost,IP:127.0.0.1"), NULL for an authority. */
static inline struct identity
cert_make(const char *common_name, const char *names, const struct identity *by, long serial)
{
	struct identity id = { X509_new(), EVP_EC_gen("P-256") };
	X509 *issuer = by != NULL ? by->cert : id.cert;
	X509_NAME *name = X509_get_subject_name(id.cert);

	X509_set_version(id.cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(id.cert), serial);
	X509_gmtime_adj(X509_getm_notBefore(id.cert), -3600);
	X509_gmtime_adj(X509_getm_notAfter(id.cert), 3600);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)common_name, -1, -1, 0);
	X509_set_issuer_name(id.cert, X509_get_subject_name(issuer));
	X509_set_pubkey(id.cert, id.key);
	if (names != NULL)
		cert_extend(id.cert, issuer, NID_subject_alt_name, names);
	else
		cert_extend(id.cert, issuer, NID_basic_constraints, "critical,CA:TRUE");
	if (X509_sign(id.cert, by != NULL ? by->key : id.key, EVP_sha256()) == 0)
		abort();
	return id;
}

static inline void
cert_write(const char *dir, const char *name, const struct identity *id)
{
	char file[64];
	FILE *f;

	snprintf(file, sizeof(file), "%s.crt", name);
	f = fopen(cert_path(dir, file), "w");
	PEM_write_X509(f, id->cert);
	fclose(f);
	snprintf(file, sizeof(file), "%s.key", name);
	f = fopen(cert_path(dir, file), "w");
	PEM_write_PrivateKey(f, id->key, NULL, NULL, 0, NULL, NULL);
	fclose(f);
	chmod(cert_path(dir, file), 0600);
}

static inline void
cert_write_crl(const char *dir, const char *name, const struct identity *by, const X509 *revoked)
{
	X509_CRL *crl = X509_CRL_new();
	X509_REVOKED *entry = X509_REVOKED_new();
	ASN1_TIME *now = X509_gmtime_adj(NULL, -60), *later = X509_gmtime_adj(NULL, 3600);
	FILE *f = fopen(cert_path(dir, name), "w");

	X509_CRL_set_version(crl, 1);
	X509_CRL_set_issuer_name(crl, X509_get_subject_name(by->cert));
	X509_CRL_set1_lastUpdate(crl, now);
	X509_CRL_set1_nextUpdate(crl, later);
	X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber((X509 *)(uintptr_t)revoked));
	X509_REVOKED_set_revocationDate(entry, now);
	X509_CRL_add0_revoked(crl, entry);
	X509_CRL_sign(crl, by->key, EVP_sha256());
	PEM_write_X509_CRL(f, crl);
	fclose(f);
	ASN1_TIME_free(now);
	ASN1_TIME_free(later);
	X509_CRL_free(crl);
}

static inline void
cert_free(struct identity *id)
{
	X509_free(id->cert);
	EVP_PKEY_free(id->key);
}

/* ca, other: the authorities. server: localhost, 127.0.0.1 and *.example.com,
 * client: "alice"; alien: localhost again, by the other one. revoked.crl: the server's. */
static inline void
certs_make(const char *dir)
{
	struct identity ca = cert_make("test authority", NULL, NULL, 1), other = cert_make("another authority", NULL, NULL, 2);
	struct identity server = cert_make("a server", "DNS:localhost,DNS:*.example.com,IP:127.0.0.1", &ca, 3);
	struct identity client = cert_make("alice", "email:alice@example.com", &ca, 4);
	struct identity alien = cert_make("a server", "DNS:localhost,IP:127.0.0.1", &other, 5);

	cert_write(dir, "ca", &ca);
	cert_write(dir, "other", &other);
	cert_write(dir, "server", &server);
	cert_write(dir, "client", &client);
	cert_write(dir, "alien", &alien);
	cert_write_crl(dir, "revoked.crl", &ca, server.cert);
	cert_free(&ca);
	cert_free(&other);
	cert_free(&server);
	cert_free(&client);
	cert_free(&alien);
}

static inline void
certs_remove(const char *dir)
{
	static const char *const names[] = { "ca", "other", "server", "client", "alien" };
	char file[64];
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(file, sizeof(file), "%s.crt", names[i]);
		remove(cert_path(dir, file));
		snprintf(file, sizeof(file), "%s.key", names[i]);
		remove(cert_path(dir, file));
	}
	remove(cert_path(dir, "revoked.crl"));
}

#endif
