/* Search in the header of messages. */
#include "mail/casemap.h"
#include "mail/encword.h"
#include "search.h"

enum found { NOT_YET, YES, NO };

int64_t
head_day(int64_t t)
{
	return (t - (t < 0 ? 86399 : 0)) / 86400;
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

static bool
by_day(const struct key *k, int64_t day)
{
	return k->kind == KEY_SENTBEFORE ? day < k->day
	    : k->kind == KEY_SENTON      ? day == k->day
					 : day >= k->day;
}

static enum found
look_at_field(struct key *k, const struct header *h)
{
	int64_t t;
	int zone;

	if (k->kind == KEY_HEADER) {
		if (!span_ieq(h->name, k->name))
			return NOT_YET;
		return k->needle.n == 0 || look(k, h->body) ? YES : NOT_YET;
	}
	if (!span_iis(h->name, "Date") || !header_date(h->body, &t, &zone))
		return NOT_YET;
	return by_day(k, head_day(t + zone * 60)) ? YES : NO;
}

bool
head_match(struct search *s, struct key *k, size_t i)
{
	enum found r = NOT_YET;
	enum header_event e = HEADER_MORE;
	struct span piece;
	struct header h;
	struct in in;

	if (body_open(s->im, i) == -1 || body_seek(s->im, 0, &in) == -1)
		return false;
	header_init(&h, LIMIT_HEADER_FIELD);
	while (r == NOT_YET && e != HEADER_END && in_next(&in, &piece) == 1)
		while (r == NOT_YET &&
		    (e = header_next(&h, &piece)) == HEADER_FIELD)
			r = look_at_field(k, &h);
	while (r == NOT_YET && e != HEADER_END &&
	    (e = header_eof(&h)) == HEADER_FIELD)
		r = look_at_field(k, &h);
	header_free(&h);
	if (r == NOT_YET && k->kind != KEY_HEADER) /* no Date to be read */
		return by_day(k, head_day(folder_msg(s->im->folder, i)->date));
	return r == YES;
}
