/* BINARY[...]: a part without its transfer encoding (RFC 9051, 6.4.5). */
#include "fetch.h"
#include "mail/cte.h"
#include "mail/wire.h"

struct sink {
	struct imap *im; /* NULL: only count */
	uint64_t from, to, at;
};

static void
take(struct sink *k, struct span s)
{
	uint64_t start = k->at;

	k->at += s.n;
	if (k->im == NULL || k->at <= k->from || start >= k->to)
		return;
	if (k->at > k->to)
		s.n -= (size_t)(k->at - k->to);
	if (start < k->from)
		span_take(&s, (size_t)(k->from - start));
	out_put(&k->im->out, s);
}

/* Decode the bytes of the file between two places. */
static void
decode(struct imap *im, struct mime_at start, uint64_t end, enum cte_kind kind,
    struct sink *k)
{
	struct cte d = { .kind = kind };
	struct wire w = { 0 };
	struct span piece, line, text;
	uint64_t file = start.file;
	struct in in;

	if (body_seek(im, file, &in) == -1)
		return;
	while (file < end && in_next(&in, &piece) == 1) {
		if (piece.n > end - file)
			piece.n = (size_t)(end - file);
		file += piece.n;
		while (wire_next(&w, &piece, &line))
			while (line.n > 0)
				if (cte_next(&d, &line, &text))
					take(k, text);
	}
}

bool
binary_put(struct imap *im, const struct item *it)
{
	struct mime_part *tree = body_tree(im), *inner, *p;
	enum cte_kind kind = CTE_IDENTITY;
	struct sink k = { 0 };
	struct mime_at start = { 0 };
	uint64_t n, from = 0;

	out_put(&im->out, it->said);
	p = mime_find(tree, it->number, &inner);
	if (p != NULL && it->number.n > 0) {
		start = p->body;
		if (p->fields != NULL && p->kind == MIME_LEAF)
			kind = cte_kind(p->fields->encoding);
	}
	if (p == NULL || kind == CTE_UNKNOWN) {
		im->unknown_cte = im->unknown_cte || p != NULL;
		out_puts(
		    &im->out, it->kind == ITEM_BINARY_SIZE ? " 0" : " NIL");
		return false;
	}
	decode(im, start, p->end.file, kind, &k);
	n = k.at;
	if (it->kind == ITEM_BINARY_SIZE) {
		out_putc(&im->out, ' ');
		out_putu(&im->out, n);
		return true;
	}
	if (it->partial) {
		from = it->from < n ? it->from : n;
		n = n - from < it->count ? n - from : it->count;
	}
	out_puts(&im->out, " ~{");
	out_putu(&im->out, n);
	out_puts(&im->out, "}\r\n");
	k = (struct sink){ im, from, from + n, 0 };
	decode(im, start, p->end.file, kind, &k);
	return true;
}
