/* proxy/tls_key.h - what server and client contexts load in the same way. */
#ifndef TLS_KEY_H
#define TLS_KEY_H

#include <openssl/ssl.h>

#include "base.h"

/* Certificate chain and key into ctx. A key that others can read is refused by
 * libpq's rule: no group or other bits, but root's may be readable for a group.
 * An encrypted key needs the password; nobody is asked on a terminal. */
bool	tls_load_pair(SSL_CTX *, const char *cert, const char *key, const char *password, struct err *);
SSL_CTX	*tls_context(const SSL_METHOD *, struct err *);	/* with what both sides have in common */

#define TLS_ALPN	"\012postgresql"	/* length and name, as on the wire */

#endif
