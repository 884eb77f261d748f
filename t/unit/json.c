/* json, jwt, http: what is taken from others' servers. */
#include "auth/json.h"
#include "auth/http.h"
#include "auth/jwt.h"
#include "test.h"

/* clang-format off */
static const char *const valid[] = {
	"{}", "[]", " [ ] ", "1", "-0", "0.5", "1e5", "1E+5", "1.5e-3", "\"\"",
	"true", "false", "null", "{\"a\":1}", "{ \"a\" : [ 1 , {} , \"x\" ] }",
	"[[],[[]]]", "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\ude00\"",
	"[1,2]", "{\"a\":{},\"b\":[]}", "{\"a\":[],\"b\":1}",
};
static const char *const invalid[] = {
	"", " ", "{", "}", "[", "]", "[1", "[1,]", "[,1]", "[1 2]", "{,}",
	"{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "{\"a\":1 \"b\":2}",
	"01", "1.", ".5", "-", "+1", "1e", "1e+", "0x1", "tru", "True", "nul",
	"\"", "\"\\\"", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"\\ud800\"",
	"\"\\udc00\"", "\"\\ud800\\u0041\"", "\"a\nb\"", "{}{}", "[]x", "1 1",
	"{]", "[}", "[[]", "{\"a\":1]", "'a'", "[\"a\":1]",
};
/* clang-format on */

static void
test_valid(void)
{
	char deep[2 * LIMIT_JSON_DEPTH + 3];

	for (size_t i = 0; i < sizeof(valid) / sizeof(valid[0]); i++)
		check(json_valid(span_of(valid[i])));
	for (size_t i = 0; i < sizeof(invalid) / sizeof(invalid[0]); i++)
		check(!json_valid(span_of(invalid[i])));
	check(!json_valid((struct span){ "\0", 1 }));
	check(!json_valid((struct span){ "\"\\\0\"", 4 }));
	for (int n = LIMIT_JSON_DEPTH; n <= LIMIT_JSON_DEPTH + 1; n++) {
		memset(deep, '[', (size_t)n);
		memset(deep + n, ']', (size_t)n);
		deep[2 * n] = '\0';
		check(json_valid(span_of(deep)) == (n == LIMIT_JSON_DEPTH));
	}
}

static void
test_values(void)
{
	static const char object[] =
	    " { \"a\" : 1 , \"b\":[ 2 , \"x\" , {} ],\"\\u0063\":\"\\u00e9\","
	    "\"d\":1,\"d\":2, \"e\": -12.7, \"f\":\"\\u0000\", \"g\":true }";
	struct json_array a = { 0 };
	struct span o = span_of(object), v;
	char text[8];
	int64_t n;

	check(json_valid(o));
	check(json_member(o, "a", &v) && json_number(v, &n) && n == 1);
	check(json_member(o, "e", &v) && json_number(v, &n) && n == -12);
	check(json_member(o, "c", &v) && json_string(v, text, sizeof(text)));
	check(strcmp(text, "\xc3\xa9") == 0);
	check(!json_string(v, text, 2) && text[0] == '\0');
	check(!json_member(o, "d", &v));
	check(!json_member(o, "x", &v));
	check(json_member(o, "f", &v) && !json_string(v, text, sizeof(text)));
	check(json_member(o, "g", &v) && json_kind(v) == JSON_TRUE);
	check(!json_number(v, &n) && !json_string(v, text, sizeof(text)));
	check(json_member(o, "b", &a.rest));
	check(json_next(&a, &v) && span_is(v, "2"));
	check(json_next(&a, &v) && span_is(v, "\"x\""));
	check(json_next(&a, &v) && span_is(v, "{}"));
	check(!json_next(&a, &v));
	a = (struct json_array){ .rest = SPAN("[]") };
	check(!json_next(&a, &v));
	a = (struct json_array){ .rest = SPAN("{}") };
	check(!json_next(&a, &v));
	check(!json_member(SPAN("[]"), "a", &v));
	check(!json_number(SPAN("99999999999999999999"), &n));
	check(!json_number(SPAN("1e3"), &n));
}

static const struct {
	const char *text;
	unsigned status;
	const char *body; /* NULL: not a response */
} responses[] = {
	/* clang-format off */
	{ "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", 200, "{}" },
	{ "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}x", 200, "{}" },
	{ "HTTP/1.0 401 No\n\nx", 401, "x" },
	{ "HTTP/1.1 200\r\n\r\n", 200, "" },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	  "2\r\n{}\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n", 200, "{}0123456789" },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{}", 200, NULL },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n{}", 200, NULL },
	{ "HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\n{}", 200, NULL },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}", 200, NULL },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n", 200, NULL },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{}\r\n0\r\n", 200, NULL },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n{}\r\n", 200, NULL },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n{}", 200, NULL },
	{ "HTTP/1.1 2000 OK\r\n\r\n", 0, NULL },
	{ "HTTP/2 200\r\n\r\n", 0, NULL },
	{ "HTTP/1.1 200 OK\r\nX: y\r\n", 0, NULL },
	{ "HTTP/1.1 200 OK\r\nno colon\r\n\r\n", 0, NULL },
	{ "", 0, NULL },
	/* clang-format on */
};

static const struct {
	const char *text, *host, *path;
	unsigned port;
} urls[] = {
	/* clang-format off */
	{ "https://id.test/a/b?c=d", "id.test", "/a/b?c=d", 443 },
	{ "HTTPS://id.test:8443/x", "id.test", "/x", 8443 },
	{ "https://id.test", "id.test", "/", 443 },
	{ "http://id.test/", NULL, NULL, 0 },
	{ "https:///x", NULL, NULL, 0 },
	{ "https://id.test:0/", NULL, NULL, 0 },
	{ "https://id.test:65536/", NULL, NULL, 0 },
	{ "https://u@id.test/", NULL, NULL, 0 },
	{ "https://id.test/ x", NULL, NULL, 0 },
	{ "https://id.test/\r\nX: y", NULL, NULL, 0 },
	{ "https://id.test?x", NULL, NULL, 0 },
	{ "", NULL, NULL, 0 },
	/* clang-format on */
};

static void
test_http(void)
{
	struct buf b = { .max = 64 };
	struct http_url u;
	unsigned status;

	for (size_t i = 0; i < sizeof(responses) / sizeof(responses[0]); i++) {
		bool ok;

		buf_clear(&b);
		ok = http_response(span_of(responses[i].text), &status, &b);
		check(ok == (responses[i].body != NULL));
		check(!ok || status == responses[i].status);
		check(!ok || span_is(buf_span(&b), responses[i].body));
	}
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		bool ok = http_url_parse(span_of(urls[i].text), &u);

		check(ok == (urls[i].host != NULL));
		check(!ok ||
		    (span_is(u.host, urls[i].host) &&
			span_is(u.path, urls[i].path) &&
			u.port == urls[i].port));
	}
	buf_clear(&b);
	http_enc_form(&b, SPAN("a-Z_.~ &=%\xff"));
	check(span_is(buf_span(&b), "a-Z_.%7E%20%26%3D%25%FF"));
	buf_free(&b);
}

static void
test_jwt(void)
{
	/* RFC 7515, appendix A.3 */
	static const char token[] =
	    "eyJhbGciOiJFUzI1NiJ9"
	    ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGF"
	    "tcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
	    ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSA"
	    "pmWQxfKTUJqPP3-Kg6NU1Q";
	struct claims_want w = { .issuer = "joe",
		.address = "iss",
		.domain = "b",
		.must_expire = true,
		.now = 1300819379 };
	char address[LIMIT_ADDRESS + 1];
	struct jwt j;

	check(jwt_parse(&j, span_of(token)));
	check(strcmp(j.alg, "ES256") == 0 && j.kid[0] == '\0');
	check(j.signature.n == 64 && j.signed_part.n == 115);
	check(claims_judge(buf_span(&j.claims), &w, address) == NULL);
	check(strcmp(address, "joe@b") == 0);
	w.now += 3600;
	check(strcmp(claims_judge(buf_span(&j.claims), &w, address),
		  "expired") == 0);
	check(address[0] == '\0');
	jwt_free(&j);
	for (size_t n = 0; n < sizeof(token) - 1; n++) {
		if (jwt_parse(&j, (struct span){ token, n }))
			check(j.signature.n < 64);
		jwt_free(&j);
	}
}

int
main(void)
{
	test_valid();
	test_values();
	test_http();
	test_jwt();
	return done();
}
