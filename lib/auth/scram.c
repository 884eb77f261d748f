#include "auth/scram.h"

#include "base/enc.h"
#include "base/num.h"

/* Exactly, or at most, size bytes of base64. */
static bool
decode(struct span text, void *to, size_t size, size_t *n)
{
	struct buf b = { .max = 3 * LIMIT_SCRAM_SALT };
	bool ok = dec_base64(&b, text) && b.n > 0 && b.n <= size;

	if (ok)
		memcpy(to, b.p, b.n);
	*n = b.n;
	wipe(b.p, b.n);
	buf_free(&b);
	return ok;
}

bool
scram_parse(struct span text, struct scram_secret *s)
{
	size_t nstored, nserver;
	struct span part[4];

	for (int i = 0; i < 4; i++) {
		if (text.n == 0)
			return false;
		part[i] = span_cut(&text, ',');
	}
	return text.n == 0 && num_u32(part[0], &s->rounds) && s->rounds > 0 &&
	    s->rounds <= LIMIT_SCRAM_ROUNDS &&
	    decode(part[1], s->salt, sizeof(s->salt), &s->nsalt) &&
	    decode(part[2], s->stored, SHA256_LEN, &nstored) &&
	    decode(part[3], s->server, SHA256_LEN, &nserver) &&
	    nstored == SHA256_LEN && nserver == SHA256_LEN;
}

void
scram_derive(struct scram_secret *s, const char *password)
{
	unsigned char salted[SHA256_LEN], client[SHA256_LEN];
	struct span key = { (char *)salted, sizeof(salted) };

	sha256_pbkdf2(span_of(password), (struct span){ s->salt, s->nsalt },
	    s->rounds, salted);
	sha256_hmac(key, SPAN("Client Key"), client);
	sha256_of((struct span){ (char *)client, sizeof(client) }, s->stored);
	sha256_hmac(key, SPAN("Server Key"), s->server);
	wipe(salted, sizeof(salted));
	wipe(client, sizeof(client));
}

enum hash_result
scram_check(struct span text, const char *password)
{
	struct scram_secret want, got;
	bool same;

	if (!scram_parse(text, &want))
		return HASH_BAD;
	got = want;
	scram_derive(&got, password);
	same = same_secret(got.stored, want.stored, SHA256_LEN);
	wipe(&want, sizeof(want));
	wipe(&got, sizeof(got));
	return same ? HASH_YES : HASH_NO;
}
