/*
 * A token that says who signed it, and a file of the keys that count: PEM,
 * or a set of JSON Web Keys (RFC 7517, RFC 8037).
 */
#include <errno.h>
#include <fcntl.h>

#include "auth/json.h"
#include "io/crypto.h"
#include "io/fs.h"
#include "mtoken.h"

enum { FILE_MAX = 1 << 20, NUMBER_MAX = 2048 };

static bool
is_text(struct span object, const char *name, const char *want)
{
	struct span v;
	char text[128];

	return json_member(object, name, &v) &&
	    json_string(v, text, sizeof(text)) && strcmp(text, want) == 0;
}

/* A number or point, base64url. */
static bool
number(struct span object, const char *name, struct buf *b)
{
	char text[2 * NUMBER_MAX];
	struct span v;

	buf_init(b, NUMBER_MAX);
	return json_member(object, name, &v) &&
	    json_string(v, text, sizeof(text)) && jwt_decode(b, span_of(text));
}

static struct crypto_key *
key_of_jwk(struct span jwk)
{
	struct crypto_key *k = NULL;
	struct buf a = { 0 }, b = { 0 };

	if (is_text(jwk, "kty", "RSA")) {
		if (number(jwk, "n", &a) && number(jwk, "e", &b))
			k = crypto_key_rsa(buf_span(&a), buf_span(&b));
	} else if (is_text(jwk, "kty", "EC") && is_text(jwk, "crv", "P-256")) {
		if (number(jwk, "x", &a) && number(jwk, "y", &b))
			k = crypto_key_p256(buf_span(&a), buf_span(&b));
	} else if (is_text(jwk, "kty", "OKP") &&
	    is_text(jwk, "crv", "Ed25519")) {
		if (number(jwk, "x", &a))
			k = crypto_key_ed25519(buf_span(&a));
	}
	buf_free(&a);
	buf_free(&b);
	return k;
}

/* One that is not meant for something else, and of the name if both have. */
static bool
is_meant(struct span jwk, const struct jwt *j)
{
	struct span v;

	if (json_member(jwk, "use", &v) && !is_text(jwk, "use", "sig"))
		return false;
	if (json_member(jwk, "alg", &v) && !is_text(jwk, "alg", j->alg))
		return false;
	return j->kid[0] == '\0' || !json_member(jwk, "kid", &v) ||
	    is_text(jwk, "kid", j->kid);
}

static bool
signed_by(struct crypto_key *k, const struct jwt *j)
{
	bool ok = k != NULL &&
	    crypto_verify(k, j->alg, j->signed_part, buf_span(&j->signature));

	crypto_key_free(k);
	return ok;
}

/* False, and *any when there was a key at all. */
static bool
by_jwks(struct span text, const struct jwt *j, bool *any)
{
	struct json_array a = { 0 };
	struct span jwk;

	if (!json_valid(text) || !json_member(text, "keys", &a.rest))
		return false;
	while (json_next(&a, &jwk)) {
		struct crypto_key *k = key_of_jwk(jwk);

		*any = *any || k != NULL;
		if (!is_meant(jwk, j))
			crypto_key_free(k);
		else if (signed_by(k, j))
			return true;
	}
	return false;
}

static bool
by_pem(struct span text, const struct jwt *j, bool *any)
{
	while (text.n > 0) {
		struct crypto_key *k = crypto_key_pem(&text);

		*any = *any || k != NULL;
		if (signed_by(k, j))
			return true;
	}
	return false;
}

enum verdict
mtoken_jwt(struct mtoken *m)
{
	struct buf file = { .max = FILE_MAX };
	char path[LIMIT_PATH];
	bool any = false, ok;
	enum verdict v = PERM;
	struct jwt j;

	mtoken_path(path, m->keys);
	if (fs_read(AT_FDCWD, path, &file) == -1) {
		snprintf(m->text, sizeof(m->text), "%.200s: %s", path,
		    strerror(errno));
		m->why = m->text;
		return TEMP;
	}
	m->why = "not a token";
	if (jwt_parse(&j, span_of(m->token))) {
		ok = span_starts(buf_span(&file), "-----BEGIN")
		    ? by_pem(buf_span(&file), &j, &any)
		    : by_jwks(buf_span(&file), &j, &any);
		if (ok)
			m->why = claims_judge(
			    buf_span(&j.claims), &m->want, m->address);
		else
			m->why = any ? "signature" : "no key in the file";
		if (m->why == NULL)
			v = OK;
		else if (!ok && !any)
			v = TEMP;
	}
	jwt_free(&j);
	buf_free(&file);
	return v;
}
