/* What responses say: FETCH, LIST, codes, dates. */
#include "base/date.h"
#include "base/num.h"
#include "imap/imapc.h"

static const char *const flag_names[] = { "\\Seen", "\\Answered", "\\Flagged",
	"\\Deleted", "\\Draft" };

static const struct {
	const char *name;
	unsigned attr;
} attr_names[] = {
	{ "\\Noselect", IMAPC_NOSELECT },
	{ "\\NonExistent", IMAPC_NOSELECT },
	{ "\\Subscribed", IMAPC_SUBSCRIBED },
	{ "\\Drafts", IMAPC_DRAFTS },
	{ "\\Junk", IMAPC_JUNK },
	{ "\\Sent", IMAPC_SENT },
	{ "\\Trash", IMAPC_TRASH },
	{ "\\Archive", IMAPC_ARCHIVE },
};

bool
imapc_date(struct span s, int64_t *t)
{
	struct civil c = { 0 };
	struct span day, month, year, time, zone = { 0 };
	uint32_t n[6], z;
	bool minus;

	s = span_trim(s);
	day = span_cut(&s, '-');
	month = span_cut(&s, '-');
	year = span_word(&s);
	time = span_word(&s);
	zone = span_word(&s);
	c.month = date_month(month);
	if (zone.n != 5 || c.month == 0 || !num_u32(day, &n[0]) ||
	    !num_u32(year, &n[1]) || !num_u32(span_cut(&time, ':'), &n[2]) ||
	    !num_u32(span_cut(&time, ':'), &n[3]) || !num_u32(time, &n[4]) ||
	    n[0] > 31 || n[1] > 9999 || n[2] > 23 || n[3] > 59 || n[4] > 60)
		return false;
	minus = *span_take(&zone, 1).p == '-';
	if (!num_u32(zone, &z))
		return false;
	c.day = (int)n[0];
	c.year = (int)n[1];
	c.hour = (int)n[2];
	c.min = (int)n[3];
	c.sec = (int)n[4];
	if (!date_valid(c))
		return false;
	n[5] = z / 100 * 3600 + z % 100 * 60;
	*t = date_unix(c) + (minus ? (int64_t)n[5] : -(int64_t)n[5]);
	return true;
}

/* A value that nobody asked for. */
static bool
skip(struct span *s, struct buf *scratch)
{
	struct span text;
	unsigned depth = 0;

	do {
		switch (imapc_token(s, &text, scratch)) {
		case IMAPC_OPEN:
			depth++;
			break;
		case IMAPC_CLOSE:
			if (depth-- == 0)
				return false;
			break;
		case IMAPC_ATOM:
		case IMAPC_STRING:
			break;
		case IMAPC_END:
		case IMAPC_WRONG:
			return false;
		}
	} while (depth > 0);
	return true;
}

static bool
flags(struct span *s, struct imapc_fetch *f, struct buf *words,
    struct buf *scratch)
{
	struct span text;
	enum imapc_token t;
	bool known;

	if (imapc_token(s, &text, scratch) != IMAPC_OPEN)
		return false;
	while ((t = imapc_token(s, &text, scratch)) == IMAPC_ATOM) {
		known = text.n > 0 && *text.p == '\\';
		for (unsigned i = 0; i < 5; i++)
			if (span_iis(text, flag_names[i]))
				f->flags = (uint16_t)(f->flags | 1u << i);
		if (!known) {
			buf_put(words, text);
			buf_putc(words, ' ');
		}
	}
	return t == IMAPC_CLOSE;
}

static bool
item(struct span name, struct span *s, struct imapc_fetch *f, struct buf *words,
    struct buf *body, struct buf *scratch)
{
	struct span text;
	enum imapc_token t;

	if (span_iis(name, "FLAGS"))
		return flags(s, f, words, scratch);
	if (span_iis(name, "UID"))
		return imapc_token(s, &text, scratch) == IMAPC_ATOM &&
		    num_u32(text, &f->uid);
	if (span_iis(name, "RFC822.SIZE"))
		return imapc_token(s, &text, scratch) == IMAPC_ATOM &&
		    num_u64(text, &f->size);
	if (span_iis(name, "INTERNALDATE")) {
		if (imapc_token(s, &text, scratch) != IMAPC_STRING)
			return false;
		if (!imapc_date(text, &f->date))
			f->date = 0;
		return true;
	}
	if (!span_iis(name, "BODY[]") && !span_iis(name, "RFC822"))
		return skip(s, scratch);
	t = imapc_token(s, &text, scratch);
	f->has_body = t == IMAPC_STRING || span_iis(text, "NIL");
	if (t == IMAPC_STRING && text.n > 0) {
		buf_clear(body);
		buf_put(body, text);
		f->body = buf_span(body);
	}
	return f->has_body;
}

bool
imapc_fetch(struct span s, struct imapc_fetch *f, struct buf *words,
    struct buf *body, struct buf *scratch)
{
	struct span name;
	uint32_t n;
	enum imapc_token t;

	*f = (struct imapc_fetch){ 0 };
	if (!num_u32(span_word(&s), &n) || !span_iis(span_word(&s), "FETCH") ||
	    imapc_token(&s, &name, scratch) != IMAPC_OPEN)
		return false;
	while ((t = imapc_token(&s, &name, scratch)) == IMAPC_ATOM)
		if (!item(name, &s, f, words, body, scratch))
			return false;
	return t == IMAPC_CLOSE && !words->over && !body->over;
}

bool
imapc_list(struct span s, unsigned *attrs, char *sep, struct buf *name,
    struct buf *scratch)
{
	struct span word = span_word(&s), text;
	enum imapc_token t;

	*attrs = 0;
	if (span_iis(word, "LSUB"))
		*attrs = IMAPC_LSUB | IMAPC_SUBSCRIBED;
	else if (!span_iis(word, "LIST"))
		return false;
	if (imapc_token(&s, &text, scratch) != IMAPC_OPEN)
		return false;
	while ((t = imapc_token(&s, &text, scratch)) == IMAPC_ATOM)
		for (size_t i = 0;
		     i < sizeof(attr_names) / sizeof(attr_names[0]); i++)
			if (span_iis(text, attr_names[i].name))
				*attrs |= attr_names[i].attr;
	if (t != IMAPC_CLOSE)
		return false;
	t = imapc_token(&s, &text, scratch);
	*sep = t == IMAPC_STRING && text.n == 1 ? *text.p : '\0';
	if (t != IMAPC_STRING && t != IMAPC_ATOM)
		return false;
	t = imapc_token(&s, &text, scratch);
	buf_clear(name);
	return (t == IMAPC_STRING || t == IMAPC_ATOM) && buf_put(name, text);
}

bool
imapc_code(struct span s, const char *code, uint32_t *n)
{
	struct span word;

	if (!span_iis(span_word(&s), "OK") || s.n == 0)
		return false;
	s = span_trim(s);
	if (s.n == 0 || *s.p != '[')
		return false;
	span_take(&s, 1);
	s.n = span_chr(s, ']');
	word = span_word(&s);
	return span_iis(word, code) && num_u32(span_trim(s), n);
}

bool
imapc_put_quoted(struct buf *b, struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!is_print(s.p[i]))
			return false;
	buf_putc(b, '"');
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"' || s.p[i] == '\\')
			buf_putc(b, '\\');
		buf_putc(b, s.p[i]);
	}
	return buf_putc(b, '"');
}
