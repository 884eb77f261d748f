#include "mail/mbox.h"

#include "base/date.h"
#include "base/num.h"

/* hh:mm[:ss] */
static bool
parse_time(struct span s, struct civil *c)
{
	uint32_t n[3] = { 0 };
	size_t i = 0;

	for (; s.n > 0 && i < 3; i++)
		if (!num_u32(span_cut(&s, ':'), &n[i]))
			return false;
	c->hour = (int)n[0];
	c->min = (int)n[1];
	c->sec = (int)n[2];
	return i >= 2 && s.n == 0 && n[0] < 24 && n[1] < 60 && n[2] < 61;
}

/* +hhmm into seconds; a name is no number. */
static bool
parse_zone(struct span s, int64_t *zone)
{
	uint32_t n;
	bool minus;

	if (s.n != 5 || (*s.p != '+' && *s.p != '-'))
		return false;
	minus = *span_take(&s, 1).p == '-';
	if (!num_u32(s, &n) || n % 100 > 59 || n > 2359)
		return false;
	*zone = (int64_t)(n / 100) * 3600 + (int64_t)(n % 100) * 60;
	if (minus)
		*zone = -*zone;
	return true;
}

/* What stands behind the name of the weekday. */
static bool
parse_date(struct span s, int64_t *date)
{
	struct civil c = { 0 };
	int64_t zone = 0;
	struct span word;
	uint32_t n;

	c.month = date_month(span_word(&s));
	if (c.month == 0 || !num_u32(span_word(&s), &n) || n > 31)
		return false;
	c.day = (int)n;
	if (!parse_time(span_word(&s), &c))
		return false;
	for (int i = 0; i < 3 && c.year == 0; i++) {
		word = span_word(&s);
		if (!parse_zone(word, &zone) && num_u32(word, &n) &&
		    word.n == 4)
			c.year = (int)n;
	}
	parse_zone(span_word(&s), &zone);
	if (c.year < 1970 || !date_valid(c))
		return false;
	*date = date_unix(c) - zone;
	return true;
}

bool
mbox_date(struct span line, int64_t *date)
{
	struct span word;

	span_word(&line);
	while ((word = span_word(&line)).n > 0) {
		if (word.n != 3)
			continue;
		for (size_t i = 0; i < 7; i++)
			if (span_iis(word, date_weekdays[i]) &&
			    parse_date(line, date))
				return true;
	}
	return false;
}

void
mbox_length(struct mbox *m, uint64_t length)
{
	m->length = length;
}

/* Give out what was held back, and then the start of a line. */
static void
flush(struct mbox *m, struct span text, struct span *piece)
{
	size_t n = 0;

	if (m->blank)
		m->out[n++] = '\n';
	if (text.n > 0)
		memcpy(m->out + n, text.p, text.n);
	m->blank = m->headed = false;
	m->n = 0;
	*piece = (struct span){ m->out, n + text.n };
}

static struct span
without_cr(const struct mbox *m, struct span s)
{
	if (m->crlf && s.n >= 2 && s.p[s.n - 2] == '\r' && s.p[s.n - 1] == '\n')
		s.n -= 2;
	else if (s.n > 0 && s.p[s.n - 1] == '\n')
		s.n--;
	return s;
}

/* A whole line "From ...": does a message begin? */
static bool
is_from(struct mbox *m, struct span line)
{
	int64_t date = 0;
	bool dated;

	if (m->begun && ((!m->blank && !m->headed) || m->length > 0))
		return false;
	dated = mbox_date(without_cr(m, line), &date);
	if (m->begun && !dated)
		return false;
	if (!m->begun && line.n >= 2 && line.p[line.n - 2] == '\r')
		m->crlf = true;
	m->date = dated ? date : 0;
	return true;
}

enum start { START_OPEN, START_TEXT, START_QUOTED, START_FROM };

/* What the start of a line shows it to be. */
static enum start
start_of(struct span s)
{
	static const char from[] = "From ";
	size_t quotes = 0, i;

	while (quotes < s.n && s.p[quotes] == '>')
		quotes++;
	for (i = 0; i < 5 && quotes + i < s.n; i++)
		if (s.p[quotes + i] != from[i])
			return START_TEXT;
	if (i < 5)
		return s.n < MBOX_LINE ? START_OPEN : START_TEXT;
	return quotes > 0 ? START_QUOTED : START_FROM;
}

/* One more byte of the start of a line; true when there is an event. */
static bool
line_byte(struct mbox *m, char c, enum mbox_event *e, struct span *piece)
{
	struct span line;
	enum start start;

	m->line[m->n++] = c;
	line = (struct span){ m->line, m->n };
	if (c == '\n' && without_cr(m, line).n == 0) {
		if (m->in_header) {
			m->in_header = false;
			m->body = true;
			flush(m, SPAN("\n"), piece);
			m->headed = true;
		} else if (m->blank) {
			flush(m, SPAN(""), piece);
			m->blank = true;
		} else {
			m->blank = true;
			m->n = 0;
			return false;
		}
		*e = MBOX_TEXT;
		return true;
	}
	if (m->crlf && c == '\r' && m->n == 1)
		return false;
	start = start_of(line);
	if (start == START_OPEN ||
	    (start == START_FROM && c != '\n' && m->n < MBOX_LINE))
		return false;
	if (start == START_FROM && c == '\n' && is_from(m, line)) {
		m->n = 0;
		m->begun = m->in_header = true;
		m->blank = m->body = m->headed = false;
		m->length = 0;
		*e = MBOX_FROM;
		return true;
	}
	if (!m->begun) {
		*e = MBOX_NONE;
		return true;
	}
	if (start == START_QUOTED)
		span_take(&line, 1);
	m->in_line = c != '\n';
	if (m->crlf && c == '\n' && line.n >= 2 && line.p[line.n - 2] == '\r') {
		m->line[m->n - 2] = '\n';
		line.n--;
	}
	m->cr = m->crlf && c == '\r';
	if (m->cr)
		line.n--;
	flush(m, line, piece);
	*e = MBOX_TEXT;
	return piece->n > 0;
}

static void
used(struct mbox *m, size_t n)
{
	m->at += n;
	m->length = m->length > n ? m->length - n : 0;
}

/* The rest of a line. */
static bool
rest(struct mbox *m, struct span *in, struct span *piece)
{
	size_t n = span_chr(*in, '\n'), cut = 0;
	bool whole = n < in->n;

	if (m->cr && *in->p != '\n') {
		m->cr = false;
		*piece = SPAN("\r");
		return true;
	}
	m->cr = false;
	n += whole;
	/* A CR at the end waits for what comes behind it. */
	if (m->crlf && !whole && in->p[n - 1] == '\r') {
		m->cr = true;
		cut = 1;
	}
	if (m->crlf && whole && n >= 2 && in->p[n - 2] == '\r') {
		if (n > 2) {
			*piece = (struct span){ in->p, n - 2 };
			span_take(in, n - 2);
			used(m, n - 2);
			return true;
		}
		span_take(in, 1);
		used(m, 1);
		n = 1;
	}
	*piece = span_take(in, n);
	used(m, n);
	piece->n -= cut;
	m->in_line = !whole;
	return piece->n > 0;
}

enum mbox_event
mbox_next(struct mbox *m, struct span *in, struct span *piece)
{
	enum mbox_event e;

	if (m->body) {
		m->body = false;
		return MBOX_BODY;
	}
	while (in->n > 0)
		if (m->in_line) {
			if (rest(m, in, piece))
				return MBOX_TEXT;
		} else {
			used(m, 1);
			if (line_byte(m, *span_take(in, 1).p, &e, piece))
				return e;
		}
	return MBOX_MORE;
}

enum mbox_event
mbox_eof(struct mbox *m, struct span *piece)
{
	if (!m->begun && m->n > 0)
		return MBOX_NONE;
	if (m->n == 0 || m->in_line)
		return MBOX_MORE;
	flush(m, (struct span){ m->line, m->n }, piece);
	return MBOX_TEXT;
}
