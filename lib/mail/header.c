#include "mail/header.h"

#include "base/date.h"
#include "base/num.h"

void
header_init(struct header *h, size_t max_field)
{
	*h = (struct header){ .line.max = max_field, .bol = true };
}

void
header_again(struct header *h, size_t max_field)
{
	struct buf line = h->line;

	header_init(h, max_field);
	h->line = line;
	h->line.max = max_field;
	buf_clear(&h->line);
}

void
header_free(struct header *h)
{
	buf_free(&h->line);
}

/*
 * field = field-name ":" unstructured CRLF; blanks before the colon are
 * obsolete and allowed (RFC 5322, section 4.5).
 */
static enum header_event
field(struct header *h, struct span s)
{
	size_t colon = span_chr(s, ':');

	h->cut = h->line.over;
	h->raw = s;
	if (s.n > 0 && s.p[s.n - 1] == '\n')
		s.n--;
	if (s.n > 0 && s.p[s.n - 1] == '\r')
		s.n--;
	h->name = SPAN("");
	h->body = s;
	if (colon < s.n) {
		struct span name = span_trim((struct span){ s.p, colon });
		bool fit = name.n > 0 && name.p == s.p;

		for (size_t i = 0; fit && i < name.n; i++)
			fit = name.p[i] > ' ' && name.p[i] <= '~';
		if (fit) {
			h->name = name;
			h->body =
			    (struct span){ s.p + colon + 1, s.n - colon - 1 };
		}
	}
	return HEADER_FIELD;
}

/*
 * The length of the field that s begins with, when that is there as a whole
 * and what follows shows it: such a one need not be copied.  Else 0.
 */
static size_t
whole_field(const struct header *h, struct span s)
{
	size_t n = 0;

	if (!h->bol || h->line.n > 0 || *s.p == '\n' || *s.p == '\r')
		return 0;
	do {
		struct span rest = { s.p + n, s.n - n };

		n += span_chr(rest, '\n') + 1;
	} while (n < s.n && is_blank(s.p[n]));
	return n < s.n && n <= h->line.max ? n : 0;
}

/* Add what fits; the front of a field that is too long stays. */
static void
add(struct header *h, struct span s)
{
	size_t room = h->line.max - h->line.n;

	if (s.n > room) {
		s.n = room;
		h->line.over = true;
	}
	if (s.n > 0) {
		bool over = h->line.over;

		buf_put(&h->line, s);
		h->line.over = over;
	}
}

enum header_event
header_next(struct header *h, struct span *in)
{
	if (h->done)
		return HEADER_END;
	if (h->raw.p != NULL) { /* the field given last */
		buf_clear(&h->line);
		h->raw = (struct span){ NULL, 0 };
	}
	while (in->n > 0) {
		struct span s;
		size_t lf = whole_field(h, *in);

		if (lf > 0) {
			h->bytes += lf;
			return field(h, span_take(in, lf));
		}
		if (h->bol && h->line.n > 0 && !is_blank(*in->p))
			return field(h, buf_span(&h->line));
		if (h->bol && *in->p == '\n') {
			span_take(in, 1);
			h->bytes++;
			h->done = true;
			return HEADER_END;
		}
		lf = span_chr(*in, '\n');
		s = span_take(in, lf < in->n ? lf + 1 : lf);
		h->bytes += s.n;
		h->bol = s.p[s.n - 1] == '\n';
		add(h, s);
		/* CR LF alone on a line, left by another tool */
		if (h->bol && span_is(buf_span(&h->line), "\r\n")) {
			buf_clear(&h->line);
			h->done = true;
			return HEADER_END;
		}
	}
	return HEADER_MORE;
}

enum header_event
header_eof(struct header *h)
{
	if (h->raw.p != NULL) {
		buf_clear(&h->line);
		h->raw = (struct span){ NULL, 0 };
	}
	if (!h->done && h->line.n > 0) {
		h->bol = true;
		return field(h, buf_span(&h->line));
	}
	h->done = true;
	return HEADER_END;
}

bool
header_unfold(struct buf *b, struct span body)
{
	body = span_trim(body);
	while (body.n > 0) {
		struct span line = span_cut(&body, '\n');

		if (line.n > 0 && line.p[line.n - 1] == '\r')
			line.n--;
		if (!buf_put(b, line))
			return false;
	}
	return true;
}

void
header_skip_cfws(struct span *s)
{
	int depth = 0;

	while (s->n > 0) {
		char c = *s->p;

		if (c == '\\' && depth > 0 && s->n > 1)
			span_take(s, 1);
		else if (c == '(')
			depth++;
		else if (c == ')' && depth > 0)
			depth--;
		else if (depth == 0 && !is_blank(c) && c != '\r' && c != '\n')
			return;
		span_take(s, 1);
	}
}

static struct span
token(struct span *s)
{
	size_t n = 0;

	header_skip_cfws(s);
	while (n < s->n &&
	    (is_alnum(s->p[n]) ||
		(n == 0 && (s->p[n] == '+' || s->p[n] == '-'))))
		n++;
	return span_take(s, n);
}

bool
header_take(struct span *s, char c)
{
	header_skip_cfws(s);
	if (s->n == 0 || *s->p != c)
		return false;
	span_take(s, 1);
	return true;
}

/* zone = ("+" / "-") 4DIGIT / obs-zone; an unknown one is -0000. */
static int
zone(struct span z)
{
	static const struct {
		char name[4];
		int hours;
	} names[] = { { "EDT", -4 }, { "EST", -5 }, { "CDT", -5 },
		{ "CST", -6 }, { "MDT", -6 }, { "MST", -7 }, { "PDT", -7 },
		{ "PST", -8 } };
	uint32_t hhmm;

	if (z.n == 5 && (z.p[0] == '+' || z.p[0] == '-') &&
	    num_u32((struct span){ z.p + 1, 4 }, &hhmm) && hhmm % 100 < 60) {
		int minutes = (int)(hhmm / 100 * 60 + hhmm % 100);

		return z.p[0] == '-' ? -minutes : minutes;
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (span_iis(z, names[i].name))
			return names[i].hours * 60;
	return 0;
}

/* year = 4*DIGIT, or two or three digits of the obsolete form */
static int
full_year(struct span s)
{
	int y = (int)num_or(s, 9999, 0);

	if (s.n == 2)
		return y < 50 ? y + 2000 : y + 1900;
	return s.n == 3 ? y + 1900 : y;
}

/*
 * date-time = [ day-of-week "," ] day month year
 *             hour ":" minute [ ":" second ] zone
 */
bool
header_date(struct span s, int64_t *t, int *minutes)
{
	struct civil c = { 0 };
	struct span first = token(&s);

	if (first.n > 0 && is_alpha(*first.p)) {
		header_take(&s, ',');
		first = token(&s);
	}
	c.day = (int)num_or(first, 31, 0);
	header_take(&s, '-'); /* 22-Nov-2026, as IMAP and old mailers have it */
	c.month = date_month(token(&s));
	header_take(&s, '-');
	c.year = full_year(token(&s));
	c.hour = (int)num_or(token(&s), 23, 99);
	if (header_take(&s, ':'))
		c.min = (int)num_or(token(&s), 59, 99);
	else
		return false;
	if (header_take(&s, ':'))
		c.sec = (int)num_or(token(&s), 60, 99);
	*minutes = zone(token(&s));
	if (!date_valid(c) || c.year == 0)
		return false;
	*t = date_unix(c) - (int64_t)*minutes * 60;
	return true;
}

char *
header_put_date(int64_t t, char dst[HEADER_DATE_SIZE])
{
	struct civil c = date_civil(t);

	snprintf(dst, HEADER_DATE_SIZE, "%s, %d %s %04d %02d:%02d:%02d +0000",
	    date_weekdays[c.weekday], c.day, date_months[c.month - 1],
	    c.year % 10000, c.hour, c.min, c.sec);
	return dst;
}
