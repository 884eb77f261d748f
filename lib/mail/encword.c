#include "mail/encword.h"

#include "mail/cte.h"

enum { WORD_MAX = 1024 }; /* the RFC says 75 */

struct word {
	struct span charset, text, whole;
	bool base64;
};

struct decoder {
	struct buf *out;
	const struct encword_charset *cs;
	struct span charset; /* of what is joined; n 0 for nothing */
	struct span raw;     /* it as it was written */
	struct buf joined;
};

/* encoded-word = "=?" charset ["*" language] "?" encoding "?" text "?=" */
static bool
parse_word(struct span s, struct word *w)
{
	struct span in = s, encoding;
	size_t end;

	if (in.n > WORD_MAX)
		in.n = WORD_MAX;
	span_take(&in, 2);
	w->charset = span_cut(&in, '?');
	w->charset.n = span_chr(w->charset, '*');
	if (in.n == 0 || w->charset.n == 0 || w->charset.n > 64)
		return false;
	encoding = span_cut(&in, '?');
	end = span_find(in, SPAN("?="));
	if (encoding.n != 1 || end == in.n)
		return false;
	w->base64 = to_lower(*encoding.p) == 'b';
	if (!w->base64 && to_lower(*encoding.p) != 'q')
		return false;
	w->text = (struct span){ in.p, end };
	for (size_t i = 0; i < end; i++)
		if (is_blank(in.p[i]) || in.p[i] == '\n')
			return false;
	w->whole = (struct span){ s.p, (size_t)(in.p + end + 2 - s.p) };
	return true;
}

static void
decode_text(struct buf *b, const struct word *w)
{
	struct cte d = { .kind = w->base64 ? CTE_BASE64 : CTE_QP };
	struct span in = w->text, piece;

	while (in.n > 0) {
		struct span part = in;

		/* in Q, "_" is a blank */
		part.n = w->base64 ? in.n : span_chr(in, '_');
		span_take(&in, part.n);
		while (part.n > 0)
			if (cte_next(&d, &part, &piece))
				buf_put(b, piece);
		if (in.n > 0) {
			span_take(&in, 1);
			buf_putc(b, ' ');
		}
	}
}

static void
flush(struct decoder *d)
{
	if (d->charset.n == 0)
		return;
	if (!d->cs->convert(
		d->cs->ctx, d->charset, buf_span(&d->joined), d->out))
		buf_put(d->out, d->raw);
	d->charset.n = 0;
	buf_clear(&d->joined);
}

static bool
is_gap(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!is_blank(s.p[i]) && s.p[i] != '\r' && s.p[i] != '\n')
			return false;
	return true;
}

static void
plain(struct buf *b, struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != '\r' && s.p[i] != '\n')
			buf_putc(b, s.p[i]);
}

bool
encword_decode(
    struct buf *out, struct span in, const struct encword_charset *cs)
{
	struct decoder d = { .out = out, .cs = cs, .joined.max = in.n + 8 };
	struct word w = { 0 };

	while (in.n > 0) {
		size_t at = 0;
		struct span gap;

		for (;;) {
			struct span rest = { in.p + at, in.n - at };
			size_t i = span_find(rest, SPAN("=?"));

			at += i;
			if (i == rest.n ||
			    parse_word(
				(struct span){ in.p + at, in.n - at }, &w))
				break;
			at += 2;
		}
		gap = span_take(&in, at);
		if (d.charset.n == 0 || in.n == 0 || !is_gap(gap)) {
			flush(&d);
			plain(out, gap);
		}
		if (in.n == 0)
			break;
		span_take(&in, w.whole.n);
		if (d.charset.n > 0 && !span_ieq(d.charset, w.charset))
			flush(&d);
		if (d.charset.n == 0)
			d.raw = (struct span){ w.whole.p, 0 };
		d.raw.n = (size_t)(w.whole.p + w.whole.n - d.raw.p);
		d.charset = w.charset;
		decode_text(&d.joined, &w);
	}
	flush(&d);
	buf_free(&d.joined);
	return !out->over;
}
