#include "auth/scramd.h"

#include "base/enc.h"

static struct span
text_of(const struct scramd *s)
{
	return (struct span){ s->text, s->ntext };
}

static bool
add(struct scramd *s, struct span t)
{
	if (t.n > sizeof(s->text) - s->ntext)
		return false;
	memcpy(s->text + s->ntext, t.p, t.n);
	s->ntext += t.n;
	return true;
}

/* saslname: "=2C" is a comma, "=3D" an equals sign; -1 for any other "=" */
static int
name_char(struct span *in)
{
	char c = *span_take(in, 1).p;

	if (c == '=') {
		if (span_starts(*in, "2C"))
			c = ',';
		else if (!span_starts(*in, "3D"))
			return -1;
		span_take(in, 2);
	}
	return c == '\0' ? -1 : (unsigned char)c;
}

bool
scramd_saslname(struct span in, char *to, size_t size)
{
	size_t n = 0;
	int c = 0;

	while (in.n > 0 && (c = name_char(&in)) != -1) {
		if (n < size)
			to[n] = (char)c;
		n++;
	}
	to[c != -1 && n < size ? n : 0] = '\0';
	return c != -1;
}

/* 1*(printable except ",") */
static bool
is_nonce(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!is_print(s.p[i]) || s.p[i] == ' ' || s.p[i] == ',')
			return false;
	return s.n > 0 && s.n <= SCRAMD_NONCE_MAX;
}

static enum scramd_result
refuse(struct scramd *s, const char *error)
{
	s->error = error;
	return SCRAMD_REFUSED;
}

/* gs2-cbind-flag = ("p=" cb-name) / "n" / "y" */
static enum scramd_result
flag(struct scramd *s, struct span f, bool plus, struct span binding)
{
	if (span_starts(f, "p=")) {
		if (!plus)
			return SCRAMD_SYNTAX;
		if (!span_is(f, "p=tls-exporter"))
			return refuse(s, "unsupported-channel-binding-type");
		if (binding.n == 0 || binding.n > sizeof(s->binding))
			return refuse(s, "channel-binding-not-supported");
		memcpy(s->binding, binding.p, binding.n);
		s->nbinding = binding.n;
		return SCRAMD_OK;
	}
	if (plus || (!span_is(f, "n") && !span_is(f, "y")))
		return SCRAMD_SYNTAX;
	if (span_is(f, "y") && binding.n > 0)
		return refuse(s, "server-does-support-channel-binding");
	return SCRAMD_OK;
}

/* The next attribute, "X=value", up to a comma; false when it is not X. */
static bool
attribute(struct span *in, char name, struct span *value)
{
	if (in->n < 2 || in->p[0] != name || in->p[1] != '=')
		return false;
	*value = span_cut(in, ',');
	span_take(value, 2);
	return true;
}

/* gs2-header [reserved-mext ","] username "," nonce ["," extensions] */
enum scramd_result
scramd_first(struct scramd *s, struct span m, bool plus, struct span binding,
    char *user, size_t size, bool *named)
{
	struct span all = m, f, authzid, name;
	char as[LIMIT_LOGIN + 1] = "";
	enum scramd_result r;

	*s = (struct scramd){ 0 };
	user[0] = '\0';
	*named = true;
	if (m.n > LIMIT_SCRAM_MSG || span_chr(m, ',') == m.n)
		return SCRAMD_SYNTAX;
	f = span_cut(&m, ',');
	if (span_chr(m, ',') == m.n)
		return SCRAMD_SYNTAX;
	authzid = span_cut(&m, ',');
	if (authzid.n > 0 && !span_starts(authzid, "a="))
		return SCRAMD_SYNTAX;
	s->ngs2 = all.n - m.n;
	if (s->ngs2 > sizeof(s->gs2))
		return SCRAMD_SYNTAX;
	memcpy(s->gs2, all.p, s->ngs2);
	if (span_starts(m, "m="))
		return refuse(s, "extensions-not-supported");
	if (!add(s, m) || !add(s, SPAN(",")))
		return SCRAMD_SYNTAX;
	m = (struct span){ s->text, s->ntext - 1 };
	if (!attribute(&m, 'n', &name) || !attribute(&m, 'r', &s->nonce) ||
	    !is_nonce(s->nonce) || !scramd_saslname(name, user, size))
		return SCRAMD_SYNTAX;
	if ((r = flag(s, f, plus, binding)) != SCRAMD_OK)
		return r;
	if (authzid.n > 0) {
		span_take(&authzid, 2);
		if (authzid.n == 0 || !scramd_saslname(authzid, as, sizeof(as)))
			return SCRAMD_SYNTAX;
		*named = as[0] != '\0' && strcmp(as, user) == 0;
	}
	return SCRAMD_OK;
}

struct span
scramd_challenge(
    struct scramd *s, const char *nonce, const struct scram_secret *salt)
{
	struct buf b = { .max = LIMIT_SCRAM_MSG };
	size_t begin = s->ntext, n = s->nonce.n;

	memcpy(s->salt, salt->salt, salt->nsalt);
	s->nsalt = salt->nsalt;
	s->rounds = salt->rounds;
	buf_puts(&b, "r=");
	buf_put(&b, s->nonce);
	buf_puts(&b, nonce);
	buf_puts(&b, ",s=");
	enc_base64(&b, (struct span){ salt->salt, salt->nsalt });
	buf_printf(&b, ",i=%lu", (unsigned long)salt->rounds);
	/* the client's part was bounded so that both always fit */
	if (b.over || !add(s, buf_span(&b)))
		s->ntext = begin;
	buf_free(&b);
	s->nonce = (struct span){ s->text + begin + 2, n + strlen(nonce) };
	return (struct span){ s->text + begin, s->ntext - begin };
}

/* channel-binding: base64 of the gs2-header and the channel's data */
static bool
same_binding(const struct scramd *s, struct span c)
{
	struct buf want = { .max = 2 * LIMIT_SCRAM_MSG }, got = want;
	bool same;

	buf_put(&want, (struct span){ s->gs2, s->ngs2 });
	buf_put(&want, (struct span){ s->binding, s->nbinding });
	same = dec_base64(&got, c) && got.n == want.n &&
	    same_secret(got.p, want.p, want.n);
	buf_free(&want);
	buf_free(&got);
	return same;
}

/* channel-binding "," nonce ["," extensions] "," proof */
enum scramd_result
scramd_final(struct scramd *s, struct span m)
{
	static const char p[] = ",p=";
	struct buf b = { .max = 2 * SHA256_LEN };
	struct span c, nonce, rest, proof = m;
	size_t at = m.n;
	bool ok;

	if (m.n > LIMIT_SCRAM_MSG || s->nonce.n == 0)
		return SCRAMD_SYNTAX;
	while (at > 0 && !span_starts((struct span){ m.p + at, m.n - at }, p))
		at--;
	if (at == 0)
		return SCRAMD_SYNTAX;
	rest = span_take(&proof, at);
	if (!add(s, SPAN(",")) || !add(s, rest))
		return SCRAMD_SYNTAX;
	span_take(&proof, sizeof(p) - 1);
	ok = dec_base64(&b, proof) && b.n == SHA256_LEN;
	if (ok)
		memcpy(s->proof, b.p, SHA256_LEN);
	wipe(b.p, b.n);
	buf_free(&b);
	if (!ok || !attribute(&rest, 'c', &c) || !attribute(&rest, 'r', &nonce))
		return SCRAMD_SYNTAX;
	if (!span_eq(nonce, s->nonce))
		return refuse(s, "other-error");
	if (!same_binding(s, c))
		return refuse(s, "channel-bindings-dont-match");
	return SCRAMD_OK;
}

/* ClientProof XOR ClientSignature is the ClientKey, whose hash is stored. */
bool
scramd_proves(const struct scramd *s, const struct scram_secret *secret)
{
	struct span key = { (const char *)secret->stored, SHA256_LEN };
	unsigned char client[SHA256_LEN], hash[SHA256_LEN];
	bool same;

	if (secret->rounds != s->rounds || secret->nsalt != s->nsalt ||
	    memcmp(secret->salt, s->salt, s->nsalt) != 0)
		return false;
	sha256_hmac(key, text_of(s), client);
	for (size_t i = 0; i < SHA256_LEN; i++)
		client[i] ^= s->proof[i];
	sha256_of((struct span){ (char *)client, SHA256_LEN }, hash);
	same = same_secret(hash, secret->stored, SHA256_LEN);
	wipe(client, sizeof(client));
	return same;
}

void
scramd_verifier(
    const struct scramd *s, const struct scram_secret *secret, struct buf *b)
{
	struct span key = { (const char *)secret->server, SHA256_LEN };
	unsigned char signature[SHA256_LEN];

	sha256_hmac(key, text_of(s), signature);
	buf_puts(b, "v=");
	enc_base64(b, (struct span){ (char *)signature, SHA256_LEN });
}
