#include "mboxhead.h"

#include "base/limits.h"
#include "base/num.h"
#include "store/folder.h"

enum { VALUE_MAX = 16384 };

static const struct {
	const char *name;
	enum mbox_field field;
} fields[] = {
	/* clang-format off */
	{ "Status:", FIELD_STATUS },
	{ "X-Status:", FIELD_XSTATUS },
	{ "X-Keywords:", FIELD_KEYWORDS },
	{ "X-UID:", FIELD_UID },
	{ "X-IMAP:", FIELD_IMAP },
	{ "X-IMAPbase:", FIELD_IMAPBASE },
	{ "Content-Length:", FIELD_LENGTH },
	{ "X-Mozilla-Status:", FIELD_MOZILLA },
	{ "X-Mozilla-Status2:", FIELD_MOZILLA2 },
	{ "X-Mozilla-Keys:", FIELD_MOZILLA_KEYS },
	/* clang-format on */
};

static const struct {
	char letter;
	uint16_t flag;
} letters[] = {
	{ 'R', FLAG_SEEN },
	{ 'A', FLAG_ANSWERED },
	{ 'F', FLAG_FLAGGED },
	{ 'D', FLAG_DELETED },
	{ 'T', FLAG_DRAFT },
};

void
mboxhead_init(struct mboxhead *h, void (*put)(struct span))
{
	*h = (struct mboxhead){ .put = put };
	buf_init(&h->keywords, LIMIT_KEYWORDS * (LIMIT_KEYWORD + 1));
	buf_init(&h->value, VALUE_MAX);
}

void
mboxhead_free(struct mboxhead *h)
{
	buf_free(&h->keywords);
	buf_free(&h->value);
}

static void
add_keywords(struct mboxhead *h, struct span s)
{
	struct span word;

	while ((word = span_word(&s)).n > 0) {
		if (h->keywords.n > 0)
			buf_putc(&h->keywords, ' ');
		buf_put(&h->keywords, word);
	}
}

/* Four hexadecimal digits: bits of the message. */
static void
mozilla(struct mboxhead *h, struct span s)
{
	char text[16];
	unsigned long bits;

	if (!span_cstr(s, text, sizeof(text)))
		return;
	bits = strtoul(text, NULL, 16);
	if ((bits & 1) != 0)
		h->flags |= FLAG_SEEN;
	if ((bits & 2) != 0)
		h->flags |= FLAG_ANSWERED;
	if ((bits & 4) != 0)
		h->flags |= FLAG_FLAGGED;
	if ((bits & 8) != 0)
		h->unwanted = true;
	if ((bits & 0x1000) != 0)
		add_keywords(h, SPAN("$Forwarded"));
}

static void
read_letters(struct mboxhead *h, struct span s)
{
	for (size_t k = 0; k < 5; k++)
		if (span_chr(s, letters[k].letter) < s.n)
			h->flags |= letters[k].flag;
}

static void
read_field(struct mboxhead *h)
{
	struct span s = span_trim(buf_span(&h->value));

	switch (h->field) {
	case FIELD_NONE:
	case FIELD_MOZILLA2:
		break;
	case FIELD_STATUS:
	case FIELD_XSTATUS:
		read_letters(h, s);
		break;
	case FIELD_MOZILLA_KEYS:
	case FIELD_KEYWORDS:
		add_keywords(h, s);
		break;
	case FIELD_UID:
		h->uid = (uint32_t)num_or(s, UINT32_MAX - 2, 0);
		break;
	case FIELD_IMAP:
		h->unwanted = true;
		break;
	case FIELD_IMAPBASE:
		h->uidvalidity = (uint32_t)num_or(span_word(&s), UINT32_MAX, 0);
		break;
	case FIELD_LENGTH:
		h->has_length = num_u64(s, &h->length);
		break;
	case FIELD_MOZILLA:
		mozilla(h, s);
		break;
	}
	h->field = FIELD_NONE;
}

static enum mbox_field
field_of(struct span name)
{
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (span_iis(name, fields[i].name))
			return fields[i].field;
	return FIELD_NONE;
}

/* The colon was seen, or there will be none. */
static void
end_name(struct mboxhead *h, char last)
{
	struct span name = { h->name, h->n };

	h->field = last == ':' ? field_of(name) : FIELD_NONE;
	h->state = h->field != FIELD_NONE ? HEAD_DROP
	    : last == '\n'                ? HEAD_BOL
					  : HEAD_KEEP;
	buf_clear(&h->value);
	if (h->field == FIELD_NONE)
		h->put(name);
	h->n = 0;
}

/* The start of a line: a field goes on, or another begins. */
static void
begin_line(struct mboxhead *h, char c)
{
	if (is_blank(c)) {
		h->state = h->field == FIELD_NONE ? HEAD_KEEP : HEAD_DROP;
		return;
	}
	read_field(h);
	h->state = HEAD_NAME;
	h->n = 0;
}

static void
put_value(struct mboxhead *h, struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		buf_putc(&h->value, s.p[i] == '\n' ? ' ' : s.p[i]);
}

void
mboxhead_text(struct mboxhead *h, struct span s)
{
	size_t n;

	while (s.n > 0) {
		if (h->state == HEAD_BOL)
			begin_line(h, *s.p);
		if (h->state == HEAD_NAME) {
			h->name[h->n++] = *s.p;
			if (*s.p == ':' || *s.p == '\n' ||
			    h->n == sizeof(h->name))
				end_name(h, *s.p);
			span_take(&s, 1);
			continue;
		}
		n = span_chr(s, '\n');
		if (n < s.n)
			n++;
		if (h->state == HEAD_DROP)
			put_value(h, (struct span){ s.p, n });
		else
			h->put((struct span){ s.p, n });
		if (s.p[n - 1] == '\n')
			h->state = HEAD_BOL;
		span_take(&s, n);
	}
}

void
mboxhead_end(struct mboxhead *h)
{
	if (h->state == HEAD_NAME && h->n > 0)
		h->put((struct span){ h->name, h->n });
	h->n = 0;
	read_field(h);
}
