/* Search in the header of messages. */
#include "mail/casemap.h"
#include "mail/digest.h"
#include "mail/encword.h"
#include "search.h"

enum found { NOT_YET, YES, NO };

int64_t
head_day(int64_t t)
{
	return (t - (t < 0 ? 86399 : 0)) / 86400;
}

int64_t
head_arrival(struct imap *im, size_t i)
{
	int64_t date;

	return folder_date(im->folder, i, &date) == -1 ? 0 : date;
}

static void
map_and_find(struct key *k, struct span text)
{
	struct casemap m = { 0 };
	char to[2048];
	size_t n;

	k->found = false;
	k->at = 0;
	while (text.n > 0 && !k->found) {
		n = casemap_feed(&m, &text, to, sizeof(to));
		find_feed(k, (struct span){ to, n });
	}
	n = casemap_end(&m, to);
	find_feed(k, (struct span){ to, n });
}

/* Encoded words are rare: without one there is nothing to be decoded but
 * the folding. */
static bool
look(struct key *k, struct span text)
{
	static const struct encword_charset cs = { charset_convert, NULL };
	struct buf b = { .max = text.n * 4 + 64 };

	if (span_chr(text, '\n') == text.n &&
	    span_find(text, SPAN("=?")) == text.n) {
		map_and_find(k, text);
		return k->found;
	}
	encword_decode(&b, text, &cs);
	map_and_find(k, buf_span(&b));
	buf_free(&b);
	return k->found;
}

/*
 * RFC 9051, section 6.4.4: FROM, TO, CC and BCC are searched as ENVELOPE
 * has them, where a quoted pair is the character that it stands for.  The
 * quotes around stay: who searches for what a header shows finds it, here
 * as with Dovecot.
 */
static bool
look_at_addresses(struct key *k, struct span text)
{
	struct buf b = { .max = text.n };
	bool found;

	while (text.n > 0) {
		buf_put(&b, span_cut(&text, '\\'));
		if (text.n > 0) /* what the backslash is for, be it one */
			buf_put(&b, span_take(&text, 1));
	}
	found = look(k, buf_span(&b));
	buf_free(&b);
	return found;
}

static bool
finds(struct key *k, struct span text)
{
	if (k->needle.n == 0)
		return true;
	if (k->addresses && span_chr(text, '\\') < text.n)
		return look_at_addresses(k, text);
	return look(k, text);
}

static bool
by_day(const struct key *k, int64_t day)
{
	return k->kind == KEY_SENTBEFORE ? day < k->day
	    : k->kind == KEY_SENTON      ? day == k->day
					 : day >= k->day;
}

/* The fields of the message's file, each behind its name. */
static int
each_of_file(struct imap *im, size_t i,
    bool (*field)(void *ctx, const struct head_field *), void *ctx)
{
	enum header_event e = HEADER_MORE;
	bool more = true;
	struct span piece;
	struct header h;
	struct in in;

	if (body_open(im, i) == -1 || body_seek(im, 0, &in) == -1)
		return -1;
	header_init(&h, LIMIT_HEADER_FIELD);
	while (more && e != HEADER_END && in_next(&in, &piece) == 1)
		while (more && (e = header_next(&h, &piece)) == HEADER_FIELD)
			more = field(ctx,
			    &(struct head_field){
				digest_field_id(h.name), h.name, h.body });
	while (more && e != HEADER_END && (e = header_eof(&h)) == HEADER_FIELD)
		more = field(ctx,
		    &(struct head_field){
			digest_field_id(h.name), h.name, h.body });
	header_free(&h);
	return 0;
}

int
head_each(struct imap *im, size_t i, uint64_t ids,
    bool (*field)(void *ctx, const struct head_field *), void *ctx)
{
	struct head_field f;
	struct digest d;
	struct span line;

	if (folder_digest(im->folder, i, DIGEST_HEAD, &d) == -1)
		return -1;
	if (d.fields.p == NULL)
		return each_of_file(im, i, field, ctx);
	while (digest_field_next(&d.fields, &f.id, &line)) {
		if ((ids >> f.id & 1) == 0)
			continue;
		f.name = span_take(&line, span_chr(line, ':'));
		if (line.n < 3) /* ":" and CRLF */
			continue;
		f.body = (struct span){ line.p + 1, line.n - 3 };
		if (!field(ctx, &f))
			break;
	}
	return 0;
}

struct looking {
	struct key *key;
	enum found found;
};

static bool
look_at_field(void *ctx, const struct head_field *f)
{
	struct looking *l = ctx;
	struct key *k = l->key;
	int64_t t;
	int zone;

	if (k->field >= 0 ? f->id != k->field : !span_ieq(f->name, k->name))
		return true;
	if (k->kind == KEY_HEADER) {
		if (finds(k, f->body))
			l->found = YES;
	} else if (header_date(f->body, &t, &zone)) {
		l->found = by_day(k, head_day(t + zone * 60)) ? YES : NO;
	}
	return l->found == NOT_YET;
}

bool
head_match(struct search *s, struct key *k, size_t i)
{
	struct looking l = { .key = k };
	int r;

	r = k->field >= 0
	    ? head_each(s->im, i, UINT64_C(1) << k->field, look_at_field, &l)
	    : each_of_file(s->im, i, look_at_field, &l);
	return r == 0 && l.found == YES;
}
