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

/* Base64 of min to max bytes, by its length and its letters. */
static bool
looks_base64(struct span s, size_t min, size_t max)
{
	size_t pad = 0, n = s.n;

	while (pad < 2 && n > 0 && s.p[n - 1] == '=') {
		pad++;
		n--;
	}
	for (size_t i = 0; i < n; i++)
		if (!is_alnum(s.p[i]) && s.p[i] != '+' && s.p[i] != '/')
			return false;
	n = s.n / 4 * 3 - pad;
	return s.n > 0 && s.n % 4 == 0 && n >= min && n <= max;
}

bool
scram_looks(struct span text)
{
	struct span part[4];
	uint32_t rounds;

	for (int i = 0; i < 4; i++) {
		if (text.n == 0)
			return false;
		part[i] = span_cut(&text, ',');
	}
	return text.n == 0 && num_u32(part[0], &rounds) && rounds > 0 &&
	    rounds <= LIMIT_SCRAM_ROUNDS &&
	    looks_base64(part[1], 1, LIMIT_SCRAM_SALT) &&
	    looks_base64(part[2], SHA256_LEN, SHA256_LEN) &&
	    looks_base64(part[3], SHA256_LEN, SHA256_LEN);
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

bool
scram_same_salt(const struct scram_secret *a, const struct scram_secret *b)
{
	return a->rounds == b->rounds && a->nsalt == b->nsalt &&
	    memcmp(a->salt, b->salt, a->nsalt) == 0;
}

enum hash_result
scram_check(struct span text, const char *password, struct scram_secret *memo)
{
	struct scram_secret want;
	bool same;

	if (!scram_parse(text, &want))
		return HASH_BAD;
	if (!scram_same_salt(memo, &want)) {
		*memo = want;
		scram_derive(memo, password);
	}
	same = same_secret(memo->stored, want.stored, SHA256_LEN);
	wipe(&want, sizeof(want));
	return same ? HASH_YES : HASH_NO;
}

void
scram_put(struct buf *b, const struct scram_secret *s)
{
	buf_printf(b, "%lu,", (unsigned long)s->rounds);
	enc_base64(b, (struct span){ s->salt, s->nsalt });
	buf_putc(b, ',');
	enc_base64(b, (struct span){ (const char *)s->stored, SHA256_LEN });
	buf_putc(b, ',');
	enc_base64(b, (struct span){ (const char *)s->server, SHA256_LEN });
}
