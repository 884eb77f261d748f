/* A file of PEM: keys, each with its certificate and chain. */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "base/die.h"
#include "io/tlsctx.h"

enum { CERTS_MAX = 32 };

/* Everything in a file that is PEM and of use. */
struct pem {
	EVP_PKEY *key[TLS_KEYS];
	X509 *cert[CERTS_MAX];
	int owner[CERTS_MAX]; /* which key it is the certificate of, or -1 */
	size_t nkeys, ncerts;
};

void
tls_keys_free(struct tls_key *key, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		EVP_PKEY_free(key[i].key);
		X509_free(key[i].cert);
		sk_X509_pop_free(key[i].chain, X509_free);
	}
}

static void
free_pem(struct pem *p)
{
	for (size_t i = 0; i < p->nkeys; i++)
		EVP_PKEY_free(p->key[i]);
	for (size_t i = 0; i < p->ncerts; i++)
		X509_free(p->cert[i]);
}

/* One block of a file; NULL, or what is wrong with it ("": ask OpenSSL). */
static const char *
take_block(struct pem *p, const char *name, const char *header,
    const unsigned char *data, long n)
{
	struct span s = span_of(name);

	if (span_is(s, PEM_STRING_X509) || span_is(s, PEM_STRING_X509_OLD)) {
		if (p->ncerts == CERTS_MAX)
			return "too many certificates";
		p->owner[p->ncerts] = -1;
		p->cert[p->ncerts] = d2i_X509(NULL, &data, n);
		return p->cert[p->ncerts++] == NULL ? "" : NULL;
	}
	if (s.n < 11 ||
	    !span_is((struct span){ s.p + s.n - 11, 11 }, "PRIVATE KEY"))
		return NULL; /* parameters and the like */
	if (*header != '\0' || span_is(s, PEM_STRING_PKCS8))
		return "key under a passphrase";
	if (p->nkeys == TLS_KEYS)
		return "too many keys";
	p->key[p->nkeys] = d2i_AutoPrivateKey(NULL, &data, n);
	return p->key[p->nkeys++] == NULL ? "" : NULL;
}

/* NULL, or why not. */
static const char *
read_pem(struct pem *p, const char *path)
{
	BIO *b = BIO_new_file(path, "r");
	const char *why = b == NULL ? "" : NULL;
	char *name, *header;
	unsigned char *data;
	long n;

	while (why == NULL && PEM_read_bio(b, &name, &header, &data, &n) == 1) {
		why = take_block(p, name, header, data, n);
		OPENSSL_cleanse(data, (size_t)n);
		OPENSSL_free(data);
		OPENSSL_free(header);
		OPENSSL_free(name);
	}
	BIO_free(b);
	if (why == NULL &&
	    ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
		return "";
	return why;
}

/* Find the certificate of each key; NULL, or why not. */
static const char *
match_keys(struct pem *p)
{
	if (p->nkeys == 0)
		return "no private key";
	for (size_t k = 0; k < p->nkeys; k++) {
		size_t i;

		for (i = 0; i < p->ncerts; i++)
			if (p->owner[i] == -1 &&
			    X509_check_private_key(p->cert[i], p->key[k]) == 1)
				break;
		if (i == p->ncerts)
			return "no certificate of its key";
		p->owner[i] = (int)k;
	}
	return NULL;
}

/*
 * The chain of a certificate is what follows it, up to the next one with a
 * key; what stands in front of all is the first one's.
 */
static void
make_keys(struct pem *p, struct tls_key *key)
{
	STACK_OF(X509) *chain = sk_X509_new_null();
	STACK_OF(X509) *front = chain;

	for (size_t i = 0; i < p->ncerts; i++) {
		struct tls_key *k =
		    p->owner[i] == -1 ? NULL : key + p->owner[i];

		if (k == NULL) {
			if (chain == NULL ||
			    sk_X509_push(chain, p->cert[i]) < 1)
				die_memory();
			continue;
		}
		k->key = p->key[p->owner[i]];
		k->cert = p->cert[i];
		k->chain = front != NULL ? front : sk_X509_new_null();
		chain = k->chain;
		front = NULL;
	}
}

/* Whether OpenSSL takes them all; it judges strength, and the kinds. */
static bool
keys_fit(SSL_CTX *c, const struct tls_key *key, size_t n)
{
	SSL *ssl = SSL_new(c);
	bool ok = ssl != NULL;

	for (size_t i = 0; ok && i < n; i++)
		ok = SSL_use_cert_and_key(
			 ssl, key[i].cert, key[i].key, key[i].chain, 0) == 1;
	SSL_free(ssl);
	return ok;
}

const char *
tls_keys_read(SSL_CTX *c, const char *path, struct tls_key *key, size_t *n)
{
	struct pem p = { .nkeys = 0 };
	const char *why;

	ERR_clear_error();
	errno = 0;
	why = read_pem(&p, path);
	if (why == NULL)
		why = match_keys(&p);
	if (why != NULL) {
		free_pem(&p);
		return why;
	}
	ERR_clear_error();
	make_keys(&p, key);
	*n = p.nkeys;
	if (keys_fit(c, key, *n))
		return NULL;
	tls_keys_free(key, *n);
	return "";
}
