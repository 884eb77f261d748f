#include "base/sha256.h"

/* FIPS 180-4, section 4.2.2: cube roots of the first 64 primes */
static const uint32_t K[64] = {
	/* clang-format off */
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5,
	0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
	0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc,
	0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
	0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
	0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
	0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5,
	0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
	0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2
	/* clang-format on */
};

static const uint32_t first[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372,
	0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };

static uint32_t
ror(uint32_t x, int n)
{
	return x >> n | x << (32 - n);
}

static uint32_t
big_endian(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	    (uint32_t)p[2] << 8 | p[3];
}

static void
schedule(uint32_t w[64], const unsigned char *p)
{
	for (int i = 0; i < 16; i++)
		w[i] = big_endian(p + 4 * i);
	for (int i = 16; i < 64; i++) {
		uint32_t a = w[i - 15], b = w[i - 2];

		w[i] = w[i - 16] + w[i - 7] +
		    (ror(a, 7) ^ ror(a, 18) ^ a >> 3) +
		    (ror(b, 17) ^ ror(b, 19) ^ b >> 10);
	}
}

/* FIPS 180-4, section 6.2.2 */
static void
compress(uint32_t h[8], const unsigned char *p)
{
	uint32_t w[64], a = h[0], b = h[1], c = h[2], d = h[3];
	uint32_t e = h[4], f = h[5], g = h[6], k = h[7];

	schedule(w, p);
	for (int i = 0; i < 64; i++) {
		uint32_t t1 = k + (ror(e, 6) ^ ror(e, 11) ^ ror(e, 25)) +
		    ((e & f) ^ (~e & g)) + K[i] + w[i];
		uint32_t t2 = (ror(a, 2) ^ ror(a, 13) ^ ror(a, 22)) +
		    ((a & b) ^ (a & c) ^ (b & c));

		k = g;
		g = f;
		f = e;
		e = d + t1;
		d = c;
		c = b;
		b = a;
		a = t1 + t2;
	}
	h[0] += a;
	h[1] += b;
	h[2] += c;
	h[3] += d;
	h[4] += e;
	h[5] += f;
	h[6] += g;
	h[7] += k;
}

static void
put_words(unsigned char *p, const uint32_t h[8])
{
	for (int i = 0; i < SHA256_LEN; i++)
		p[i] = (unsigned char)(h[i / 4] >> (24 - i % 4 * 8));
}

void
sha256_init(struct sha256 *c)
{
	memcpy(c->h, first, sizeof(first));
	c->n = 0;
}

void
sha256_put(struct sha256 *c, struct span in)
{
	while (in.n > 0) {
		size_t at = c->n % SHA256_BLOCK, n = SHA256_BLOCK - at;
		struct span piece = span_take(&in, n < in.n ? n : in.n);

		memcpy(c->block + at, piece.p, piece.n);
		c->n += piece.n;
		if (c->n % SHA256_BLOCK == 0)
			compress(c->h, c->block);
	}
}

void
sha256_end(struct sha256 *c, unsigned char digest[SHA256_LEN])
{
	static const char zeros[SHA256_BLOCK];
	uint64_t bits = c->n * 8;
	size_t at;
	char length[8];

	sha256_put(c, SPAN("\x80"));
	at = c->n % SHA256_BLOCK;
	sha256_put(c,
	    (struct span){ zeros, (at <= 56 ? 56 : 56 + SHA256_BLOCK) - at });
	for (int i = 0; i < 8; i++)
		length[i] = (char)(bits >> (56 - 8 * i));
	sha256_put(c, (struct span){ length, sizeof(length) });
	put_words(digest, c->h);
	wipe(c, sizeof(*c));
}

void
sha256_of(struct span s, unsigned char digest[SHA256_LEN])
{
	struct sha256 c;

	sha256_init(&c);
	sha256_put(&c, s);
	sha256_end(&c, digest);
}

/* The two halves of an HMAC after they have eaten their padded key. */
struct hmac {
	struct sha256 inner, outer;
};

static void
hmac_key(struct hmac *m, struct span key)
{
	unsigned char digest[SHA256_LEN];
	char pad[SHA256_BLOCK] = { 0 };

	if (key.n > SHA256_BLOCK) {
		sha256_of(key, digest);
		memcpy(pad, digest, sizeof(digest));
	} else if (key.n > 0) {
		memcpy(pad, key.p, key.n);
	}
	for (size_t i = 0; i < sizeof(pad); i++)
		pad[i] ^= 0x36;
	sha256_init(&m->inner);
	sha256_put(&m->inner, (struct span){ pad, sizeof(pad) });
	for (size_t i = 0; i < sizeof(pad); i++)
		pad[i] ^= 0x36 ^ 0x5c;
	sha256_init(&m->outer);
	sha256_put(&m->outer, (struct span){ pad, sizeof(pad) });
	wipe(pad, sizeof(pad));
	wipe(digest, sizeof(digest));
}

static struct span
digest_span(const unsigned char *digest)
{
	return (struct span){ (const char *)digest, SHA256_LEN };
}

/* The HMAC of a and then b; m is left as it was. */
static void
hmac(const struct hmac *m, struct span a, struct span b, unsigned char *digest)
{
	struct sha256 c = m->inner;

	sha256_put(&c, a);
	sha256_put(&c, b);
	sha256_end(&c, digest);
	c = m->outer;
	sha256_put(&c, digest_span(digest));
	sha256_end(&c, digest);
}

void
sha256_hmac(struct span key, struct span data, unsigned char digest[SHA256_LEN])
{
	struct hmac m;

	hmac_key(&m, key);
	hmac(&m, data, SPAN(""), digest);
	wipe(&m, sizeof(m));
}

/*
 * u = HMAC(u), where u is the front of a block that is padded for a text
 * of one block of key and one digest: two compressions and nothing else.
 */
static void
hmac_again(const struct hmac *m, unsigned char block[SHA256_BLOCK])
{
	uint32_t h[8];

	memcpy(h, m->inner.h, sizeof(h));
	compress(h, block);
	put_words(block, h);
	memcpy(h, m->outer.h, sizeof(h));
	compress(h, block);
	put_words(block, h);
}

void
sha256_pbkdf2(struct span password, struct span salt, uint32_t rounds,
    unsigned char digest[SHA256_LEN])
{
	static const char one[4] = { 0, 0, 0, 1 };
	unsigned char u[SHA256_BLOCK] = { 0 };
	struct hmac m;

	u[SHA256_LEN] = 0x80;
	u[62] = (SHA256_BLOCK + SHA256_LEN) * 8 >> 8;
	u[63] = (SHA256_BLOCK + SHA256_LEN) * 8 & 0xff;
	hmac_key(&m, password);
	hmac(&m, salt, (struct span){ one, sizeof(one) }, u);
	memcpy(digest, u, SHA256_LEN);
	while (--rounds > 0) {
		hmac_again(&m, u);
		for (int i = 0; i < SHA256_LEN; i++)
			digest[i] ^= u[i];
	}
	wipe(&m, sizeof(m));
	wipe(u, sizeof(u));
}
