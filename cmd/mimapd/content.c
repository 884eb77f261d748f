/* Search in the text of messages, decoded as a reader would see it. */
#include "mail/cte.h"
#include "mail/encword.h"
#include "mail/utf8.h"
#include "mail/wire.h"
#include "search.h"

/* A search that sees the text in pieces. */
struct finder {
	const struct key *key;
	struct utf8_fold fold;
	size_t n; /* bytes of the needle that fit so far */
	bool found;
};

static void
look(struct finder *f, struct span s)
{
	struct span needle = f->key->needle;

	for (size_t i = 0; i < s.n && !f->found; i++) {
		char c[2];
		size_t n = utf8_fold(&f->fold, s.p[i], c);

		for (size_t k = 0; k < n; k++) {
			while (f->n > 0 && c[k] != needle.p[f->n])
				f->n = f->key->fail[f->n];
			if (c[k] == needle.p[f->n])
				f->n++;
			if (f->n == needle.n) {
				f->found = true;
				break;
			}
		}
	}
}

int64_t
content_day(int64_t t)
{
	return (t - (t < 0 ? 86399 : 0)) / 86400;
}

static bool
look_in_field(const struct key *k, struct span text)
{
	static const struct encword_charset cs = { charset_convert, NULL };
	struct buf b = { .max = text.n * 4 + 64 };
	struct finder f = { .key = k };

	encword_decode(&b, text, &cs);
	look(&f, buf_span(&b));
	buf_free(&b);
	return f.found;
}

static bool
sent(const struct key *k, struct span date)
{
	int64_t t, day;
	int zone;

	if (!header_date(date, &t, &zone))
		return false;
	day = content_day(t + zone * 60);
	return k->kind == KEY_SENTBEFORE ? day < k->day
	    : k->kind == KEY_SENTON      ? day == k->day
					 : day >= k->day;
}

enum found { NOT_YET, YES, NO };

static enum found
look_at_field(const struct key *k, const struct header *h)
{
	int64_t t;
	int zone;

	if (k->kind == KEY_SENTBEFORE || k->kind == KEY_SENTON ||
	    k->kind == KEY_SENTSINCE) {
		if (!span_iis(h->name, "Date") ||
		    !header_date(h->body, &t, &zone))
			return NOT_YET;
		return sent(k, h->body) ? YES : NO;
	}
	if (k->kind == KEY_HEADER && !span_ieq(h->name, k->field))
		return NOT_YET;
	if (k->needle.n == 0)
		return YES;
	return look_in_field(k, k->kind == KEY_HEADER ? h->body : h->raw)
	    ? YES
	    : NOT_YET;
}

/* The fields of the header that lies between two places of the file. */
static enum found
look_in_header(
    struct imap *im, const struct key *k, uint64_t file, uint64_t end)
{
	enum found r = NOT_YET;
	enum header_event e = HEADER_MORE;
	struct span piece;
	struct header h;
	struct in in;

	if (body_seek(im, file, &in) == -1)
		return NO;
	header_init(&h, LIMIT_HEADER_FIELD);
	while (r == NOT_YET && e != HEADER_END && file < end &&
	    in_next(&in, &piece) == 1) {
		if (piece.n > end - file)
			piece.n = (size_t)(end - file);
		file += piece.n;
		while (r == NOT_YET &&
		    (e = header_next(&h, &piece)) == HEADER_FIELD)
			r = look_at_field(k, &h);
	}
	while (r == NOT_YET && e != HEADER_END &&
	    (e = header_eof(&h)) == HEADER_FIELD)
		r = look_at_field(k, &h);
	header_free(&h);
	return r;
}

struct decoding {
	struct finder finder;
	struct cte cte;
	struct charset *charset;
	struct buf utf8;
};

static void
decode(struct decoding *d, struct span line)
{
	struct span text;

	while (line.n > 0 && !d->finder.found)
		if (cte_next(&d->cte, &line, &text)) {
			if (d->charset == NULL) {
				look(&d->finder, text);
				continue;
			}
			while (text.n > 0) {
				size_t n = text.n < 1024 ? text.n : 1024;

				buf_clear(&d->utf8);
				charset_feed(
				    d->charset, span_take(&text, n), &d->utf8);
				look(&d->finder, buf_span(&d->utf8));
			}
		}
}

static bool
look_in_text(struct imap *im, const struct key *k, const struct mime_part *p)
{
	struct decoding d = { .finder.key = k, .utf8.max = 65536 };
	struct wire w = { 0 };
	struct span piece, line;
	uint64_t file = p->body.file;
	struct in in;

	if (p->fields != NULL) {
		d.cte.kind = cte_kind(p->fields->encoding);
		d.charset =
		    charset_open(mimefield_param(p->fields->params, "charset"));
	}
	if (body_seek(im, file, &in) == -1)
		file = p->end.file;
	while (!d.finder.found && file < p->end.file &&
	    in_next(&in, &piece) == 1) {
		if (piece.n > p->end.file - file)
			piece.n = (size_t)(p->end.file - file);
		file += piece.n;
		while (wire_next(&w, &piece, &line))
			decode(&d, line);
	}
	if (d.charset != NULL)
		charset_close(d.charset);
	buf_free(&d.utf8);
	return d.finder.found;
}

/* The part in document order that follows p. */
static const struct mime_part *
following(const struct mime_part *p)
{
	if (p->child != NULL)
		return p->child;
	while (p != NULL && p->next == NULL)
		p = p->parent;
	return p == NULL ? NULL : p->next;
}

static bool
look_in_body(struct imap *im, const struct key *k)
{
	const struct mime_part *root = body_tree(im);

	if (k->needle.n == 0)
		return true;
	for (const struct mime_part *p = root; p != NULL; p = following(p)) {
		if (p->envelope != NULL && p != root &&
		    look_in_header(im, k, p->head.file, p->body.file) == YES)
			return true;
		if (p->kind == MIME_LEAF && mime_is(p, "text", NULL) &&
		    look_in_text(im, k, p))
			return true;
	}
	return false;
}

bool
content_match(struct imap *im, const struct key *k, size_t i)
{
	enum found r = NOT_YET;

	if (body_open(im, i) == -1)
		return false;
	if (k->kind != KEY_BODY)
		r = look_in_header(im, k, 0, UINT64_MAX);
	if (r == NOT_YET && (k->kind == KEY_BODY || k->kind == KEY_TEXT))
		return look_in_body(im, k);
	if (r == NOT_YET && k->kind != KEY_HEADER) { /* no Date that can be
							read */
		int64_t day = content_day(folder_msg(im->folder, i)->date);

		return k->kind == KEY_SENTBEFORE ? day < k->day
		    : k->kind == KEY_SENTON      ? day == k->day
						 : day >= k->day;
	}
	return r == YES;
}
