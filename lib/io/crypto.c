#include "io/crypto.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "base/die.h"

enum { RSA_BITS_MIN = 2048, P256 = 32, PEM_MAX = 1 << 20 };

struct crypto_key {
	EVP_PKEY *key;
};

static struct crypto_key *
wrap(EVP_PKEY *key)
{
	struct crypto_key *k;

	ERR_clear_error();
	if (key == NULL)
		return NULL;
	k = die_calloc(1, sizeof(*k));
	k->key = key;
	return k;
}

void
crypto_key_free(struct crypto_key *k)
{
	if (k != NULL)
		EVP_PKEY_free(k->key);
	free(k);
}

static const unsigned char *
bytes(struct span s)
{
	return (const unsigned char *)s.p;
}

static EVP_PKEY *
key_of_certificate(const unsigned char *p, long n)
{
	X509 *cert = d2i_X509(NULL, &p, n);
	EVP_PKEY *key = cert != NULL ? X509_get_pubkey(cert) : NULL;

	X509_free(cert);
	return key;
}

struct crypto_key *
crypto_key_pem(struct span *pem)
{
	char *name = NULL, *header = NULL;
	unsigned char *data = NULL;
	const unsigned char *p;
	EVP_PKEY *key = NULL;
	long n = 0;
	BIO *bio;

	if (pem->n == 0 || pem->n > PEM_MAX)
		return NULL;
	bio = BIO_new_mem_buf(pem->p, (int)pem->n);
	if (bio == NULL)
		die_memory();
	if (PEM_read_bio(bio, &name, &header, &data, &n) == 1) {
		p = data;
		if (strcmp(name, "PUBLIC KEY") == 0)
			key = d2i_PUBKEY(NULL, &p, n);
		else if (strcmp(name, "CERTIFICATE") == 0)
			key = key_of_certificate(data, n);
		span_take(pem, pem->n - (size_t)BIO_pending(bio));
	} else {
		span_take(pem, pem->n);
	}
	OPENSSL_free(name);
	OPENSSL_free(header);
	OPENSSL_free(data);
	BIO_free(bio);
	return wrap(key);
}

/* A public key of a type, of parameters that have been pushed. */
static struct crypto_key *
build(const char *type, OSSL_PARAM_BLD *bld)
{
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(bld);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *key = NULL;

	if (params != NULL && ctx != NULL && EVP_PKEY_fromdata_init(ctx) == 1)
		(void)EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params);
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(bld);
	return wrap(key);
}

static OSSL_PARAM_BLD *
builder(void)
{
	OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();

	if (b == NULL)
		die_memory();
	return b;
}

struct crypto_key *
crypto_key_rsa(struct span n, struct span e)
{
	OSSL_PARAM_BLD *b = builder();
	BIGNUM *bn, *be;
	struct crypto_key *k;

	if (n.n > 2048 || e.n > 8) {
		OSSL_PARAM_BLD_free(b);
		return NULL;
	}
	bn = BN_bin2bn(bytes(n), (int)n.n, NULL);
	be = BN_bin2bn(bytes(e), (int)e.n, NULL);
	if (bn == NULL || be == NULL)
		die_memory();
	OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_N, bn);
	OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_E, be);
	k = build("RSA", b);
	BN_free(bn);
	BN_free(be);
	return k;
}

struct crypto_key *
crypto_key_p256(struct span x, struct span y)
{
	unsigned char point[1 + 2 * P256] = { POINT_CONVERSION_UNCOMPRESSED };
	OSSL_PARAM_BLD *b;

	if (x.n != P256 || y.n != P256)
		return NULL;
	memcpy(point + 1, x.p, P256);
	memcpy(point + 1 + P256, y.p, P256);
	b = builder();
	OSSL_PARAM_BLD_push_utf8_string(
	    b, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0);
	OSSL_PARAM_BLD_push_octet_string(
	    b, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point));
	return build("EC", b);
}

struct crypto_key *
crypto_key_ed25519(struct span x)
{
	return wrap(
	    EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, bytes(x), x.n));
}

static bool
verify(EVP_PKEY *key, const EVP_MD *md, struct span data, struct span sig)
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	bool ok;

	if (c == NULL)
		die_memory();
	ok = EVP_DigestVerifyInit(c, NULL, md, NULL, key) == 1 &&
	    EVP_DigestVerify(c, bytes(sig), sig.n, bytes(data), data.n) == 1;
	EVP_MD_CTX_free(c);
	ERR_clear_error();
	return ok;
}

/* r and s of 32 bytes each, as JOSE has them, to what OpenSSL wants. */
static bool
verify_es256(EVP_PKEY *key, struct span data, struct span sig)
{
	unsigned char *der = NULL;
	ECDSA_SIG *s;
	BIGNUM *r, *t;
	bool ok = false;
	int n;

	if (sig.n != 2 * P256)
		return false;
	s = ECDSA_SIG_new();
	r = BN_bin2bn(bytes(sig), P256, NULL);
	t = BN_bin2bn(bytes(sig) + P256, P256, NULL);
	if (s == NULL || r == NULL || t == NULL || ECDSA_SIG_set0(s, r, t) != 1)
		die_memory();
	n = i2d_ECDSA_SIG(s, &der);
	if (n > 0)
		ok = verify(key, EVP_sha256(), data,
		    (struct span){ (char *)der, (size_t)n });
	OPENSSL_free(der);
	ECDSA_SIG_free(s);
	return ok;
}

static bool
is_p256(EVP_PKEY *key)
{
	char group[32];
	size_t n;

	return EVP_PKEY_is_a(key, "EC") &&
	    EVP_PKEY_get_group_name(key, group, sizeof(group), &n) == 1 &&
	    strcmp(group, "prime256v1") == 0;
}

bool
crypto_verify(const struct crypto_key *k, const char *alg, struct span data,
    struct span sig)
{
	if (strcmp(alg, "RS256") == 0)
		return EVP_PKEY_is_a(k->key, "RSA") &&
		    EVP_PKEY_get_bits(k->key) >= RSA_BITS_MIN &&
		    verify(k->key, EVP_sha256(), data, sig);
	if (strcmp(alg, "ES256") == 0)
		return is_p256(k->key) && verify_es256(k->key, data, sig);
	if (strcmp(alg, "EdDSA") == 0)
		return EVP_PKEY_is_a(k->key, "ED25519") &&
		    verify(k->key, NULL, data, sig);
	return false;
}
