#include "mail/param.h"

#include "base/enc.h"

struct piece {
	struct span value;
	bool encoded;
};

/* attribute ["*" section] ["*"]; n is -1 for one without a section. */
static bool
find(const struct mime_param *p, const char *name, int n, struct piece *piece)
{
	char want[96];
	size_t len = strlen(name);

	if (len + 8 > sizeof(want))
		return false;
	memcpy(want, name, len);
	if (n >= 0) {
		want[len++] = '*';
		if (n >= 10)
			want[len++] = (char)('0' + n / 10);
		want[len++] = (char)('0' + n % 10);
	}
	for (; p != NULL; p = p->next) {
		struct span s = p->name;

		piece->encoded = s.n > 0 && s.p[s.n - 1] == '*';
		if (piece->encoded)
			s.n--;
		piece->value = p->value;
		if (span_ieq(s, (struct span){ want, len }))
			return true;
	}
	return false;
}

static void
put_piece(struct buf *b, const struct piece *p)
{
	for (size_t i = 0; i < p->value.n; i++) {
		char c = p->value.p[i];

		if (p->encoded && c == '%' && p->value.n - i > 2 &&
		    hex_value(p->value.p[i + 1]) >= 0 &&
		    hex_value(p->value.p[i + 2]) >= 0) {
			c = (char)(hex_value(p->value.p[i + 1]) << 4 |
			    hex_value(p->value.p[i + 2]));
			i += 2;
		}
		buf_putc(b, c);
	}
}

/* The first piece begins with charset "'" [language] "'". */
static struct span
take_charset(struct piece *p)
{
	struct span s = p->value, charset;

	if (!p->encoded || span_chr(s, '\'') == s.n)
		return (struct span){ 0 };
	charset = span_cut(&s, '\'');
	if (span_chr(s, '\'') == s.n)
		return (struct span){ 0 };
	span_cut(&s, '\'');
	p->value = s;
	return charset;
}

bool
param_put(struct buf *b, const struct mime_param *params, const char *name,
    const struct encword_charset *cs)
{
	struct buf raw = { .max = b->max };
	struct span charset;
	struct piece p;
	int n = 0;

	if (!find(params, name, -1, &p) && !find(params, name, n++, &p))
		return false;
	charset = take_charset(&p);
	put_piece(&raw, &p);
	while (n > 0 && n < PARAM_PIECES && find(params, name, n, &p)) {
		put_piece(&raw, &p);
		n++;
	}
	if (charset.n == 0)
		encword_decode(b, buf_span(&raw), cs);
	else if (!cs->convert(cs->ctx, charset, buf_span(&raw), b))
		buf_put(b, buf_span(&raw));
	buf_free(&raw);
	return true;
}
