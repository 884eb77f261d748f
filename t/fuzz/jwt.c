/* auth/json, jwt, http: whatever a server or a client sends is bounded. */
/* links: lib/auth/json.c lib/auth/jwt.c lib/auth/http.c */
#include <assert.h>

#include "auth/http.h"
#include "auth/json.h"
#include "auth/jwt.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* Each value of a valid text is valid. */
static void
walk(struct span text)
{
	static const char *const names[] = { "a", "keys", "exp", "aud" };
	struct json_array a = { .rest = text };
	char string[300];
	struct span v;
	int64_t number;

	while (json_next(&a, &v)) {
		assert(v.p >= text.p && v.p + v.n <= text.p + text.n);
		assert(json_valid(v));
		walk(v);
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (json_member(text, names[i], &v)) {
			assert(v.p >= text.p && v.p + v.n <= text.p + text.n);
			assert(json_valid(v));
			if (json_string(v, string, sizeof(string)))
				assert(strlen(string) < sizeof(string));
			(void)!json_number(v, &number);
		}
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct claims_want w = { .issuer = "i",
		.audience = "a",
		.scope = "s",
		.address = "email",
		.domain = "d",
		.now = 1800000000 };
	struct span text = { (const char *)p, n };
	struct buf body = { .max = 4096 };
	char address[LIMIT_ADDRESS + 1];
	struct http_url u;
	unsigned status;
	struct jwt j;

	if (json_valid(text))
		walk(text);
	if (claims_judge(text, &w, address) == NULL)
		assert(strchr(address, '@') != NULL);
	else
		assert(address[0] == '\0');
	if (jwt_parse(&j, text))
		assert(j.signature.n > 0 && j.signed_part.n < n);
	jwt_free(&j);
	if (http_response(text, &status, &body))
		assert(status >= 100 && status < 600 && body.n < n);
	buf_free(&body);
	if (http_url_parse(text, &u))
		assert(u.host.n > 0 && u.path.n > 0);
	return 0;
}
