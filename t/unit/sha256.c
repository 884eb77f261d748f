/* sha256: the figures of `openssl dgst`, `openssl mac` and `openssl kdf`. */
#include "base/sha256.h"
#include "base/enc.h"
#include "test.h"

static bool
is(const unsigned char *digest, const char *want)
{
	struct buf b = { .max = 128 };
	bool same;

	enc_hex(&b, (struct span){ (const char *)digest, SHA256_LEN });
	same = strcmp(buf_cstr(&b), want) == 0;
	buf_free(&b);
	return same;
}

static const struct {
	size_t n; /* times the letter a */
	const char *want;
} digests[] = {
	/* clang-format off */
	{ 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
	{ 55, "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318" },
	{ 56, "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a" },
	{ 64, "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb" },
	{ 1000003,
	  "cf5f310cac13bb0f1de288d09940e8ee441e8d5d88b0fd4ec6021c405fda8c8c" },
	/* clang-format on */
};

static void
test_digest(void)
{
	static char a[1000003];
	unsigned char d[SHA256_LEN];

	memset(a, 'a', sizeof(a));
	for (size_t i = 0; i < sizeof(digests) / sizeof(digests[0]); i++) {
		sha256_of((struct span){ a, digests[i].n }, d);
		check(is(d, digests[i].want));
	}
	for (size_t step = 1; step <= 130; step++) {
		struct span in = { a, 1003 };
		struct sha256 c;
		unsigned char whole[SHA256_LEN];

		sha256_of(in, whole);
		sha256_init(&c);
		while (in.n > 0)
			sha256_put(
			    &c, span_take(&in, step < in.n ? step : in.n));
		sha256_end(&c, d);
		check(memcmp(d, whole, sizeof(d)) == 0);
	}
}

static void
test_hmac(void)
{
	unsigned char d[SHA256_LEN];
	char key[100];

	sha256_hmac(SPAN("Jefe"), SPAN("what do ya want for nothing?"), d);
	check(is(d,
	    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec384"
	    "3"));
	sha256_hmac(SPAN(""), SPAN(""), d);
	check(is(d,
	    "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5a"
	    "d"));
	memset(key, 'k', sizeof(key));
	sha256_hmac((struct span){ key, sizeof(key) }, SPAN("data"), d);
	check(is(d,
	    "09380ee4b802da2363bc96e8e0d133ba275458ea8ddbc564f986fc12b31f8cb"
	    "1"));
}

static void
test_pbkdf2(void)
{
	unsigned char d[SHA256_LEN];

	sha256_pbkdf2(SPAN("password"), SPAN("salt"), 1, d);
	check(is(d,
	    "120fb6cffcf8b32c43e7225256c4f837a86548c92ccc35480805987cb70be17"
	    "b"));
	sha256_pbkdf2(SPAN("password"), SPAN("salt"), 4096, d);
	check(is(d,
	    "c5e478d59288c841aa530db6845c4c8d962893a001ce4e11a4963873aa98134"
	    "a"));
	sha256_pbkdf2(
	    SPAN("secret-alice"), SPAN("W22ZaJ0SNY7soEsUEjb6gQ=="), 4096, d);
	check(is(d,
	    "4a47c8a624325a8f9a47364a2ddab026a46f304edff33d9e67ebd4ba5578802"
	    "9"));
}

int
main(void)
{
	test_digest();
	test_hmac();
	test_pbkdf2();
	return done();
}
