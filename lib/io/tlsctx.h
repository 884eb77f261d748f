/*
 * tlsctx - what tls.c, tlsserver.c and tlskeys.c share
 */
#ifndef IO_TLSCTX_H
#define IO_TLSCTX_H

#include "base/span.h"

/* OpenSSL's own names of SSL_CTX, EVP_PKEY, X509 and STACK_OF(X509). */
struct ssl_ctx_st;
struct evp_pkey_st;
struct x509_st;
struct stack_st_X509;

enum { TLS_KEYS = 4 }; /* of one name */

/* A key, its certificate and what proves that. */
struct tls_key {
	struct evp_pkey_st *key;
	struct x509_st *cert;
	struct stack_st_X509 *chain;
};

struct tls_name;

/* What tells one state of a file from another. */
struct tls_stamp {
	int64_t sec, nsec, size, ino;
};

struct tls_ctx {
	struct ssl_ctx_st *ctx;
	bool tickets; /* as asked for */
	unsigned char alpn[64];
	size_t nalpn;
	struct tls_name *names; /* sorted */
	size_t nnames;
	unsigned pass;
	struct tls_stamp clients;
};

/* What clients and servers have in common. */
struct ssl_ctx_st *tls_new_ctx(bool server);
void tls_set_tickets(struct ssl_ctx_st *, bool on);

/* The reason at the top of OpenSSL's queue, which is emptied. */
void tls_reason(char *why, size_t size);

/*
 * The keys of a file that are fit for c, with *n of them: NULL; or why not
 * ("": tls_reason knows), and none.
 */
const char *tls_keys_read(
    struct ssl_ctx_st *c, const char *path, struct tls_key *, size_t *n);
void tls_keys_free(struct tls_key *, size_t n);

#endif
