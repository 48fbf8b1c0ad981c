/* proxy/tls.h - TLS contexts for clients and servers.
 *
 * Makes SSL_CTX objects (TLS 1.2 and later) and SSL objects from them; conn.c
 * runs the handshakes. A tls_server is immutable and shared; reload makes a
 * new one beside it.
 */
#ifndef TLS_H
#define TLS_H

#include "base.h"

struct ssl_st;

enum tls_mode { TLS_DISABLE, TLS_ALLOW, TLS_PREFER, TLS_REQUIRE };	/* towards clients */

struct tls_options {
	enum tls_mode	 mode;
	const char	*cert, *key;	/* PEM files */
	const char	*ca;		/* client CA, PEM; NULL: no client certificates */
};

struct tls_server;

struct tls_server	*tls_server_new(const struct tls_options *, struct err *);
struct tls_server	*tls_server_ref(struct tls_server *);
void			 tls_server_unref(struct tls_server *);
struct ssl_st		*tls_accept(struct tls_server *, bool direct);	/* direct: ALPN "postgresql" is demanded (PG17 sslnegotiation=direct) */
const char		*tls_errors(struct err *);			/* OpenSSL's error queue as text; empties it */

/* Towards servers: what libpq's sslmode words mean. */
enum sslmode { SSL_DISABLE_, SSL_ALLOW_, SSL_PREFER_, SSL_REQUIRE_, SSL_VERIFY_CA_, SSL_VERIFY_FULL_ };

struct tls_client_options {
	enum sslmode	 mode;
	const char	*rootcert, *cert, *key, *crl;	/* as libpq: NULL means its defaults below ~/.postgresql */
	const char	*crldir;
	const char	*password;		/* of the key */
	const char	*min_version, *max_version;	/* "TLSv1.2"; NULL: 1.2, and the newest */
	bool		 no_sni;
};
struct tls_client;
struct tls_client	*tls_client_new(const struct tls_client_options *, struct err *);
void			 tls_client_free(struct tls_client *);
/* SNI unless numeric; verify-full checks the name. direct: offers ALPN "postgresql". NULL: no memory, or no name to check. */
struct ssl_st		*tls_connect(struct tls_client *, const char *host, bool direct);
bool			 tls_also_host(struct ssl_st *, const char *host);	/* another name that verify-full takes */
bool			 tls_alpn_agreed(struct ssl_st *);			/* after a direct handshake */

#endif
