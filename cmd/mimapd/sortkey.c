/* What messages are sorted by. */
#include "mail/addr.h"
#include "mail/basesubject.h"
#include "mail/casemap.h"
#include "mail/digest.h"
#include "mail/encword.h"
#include "order.h"

struct wanted_field {
	int id;
	struct buf *to; /* its body, the first one's */
	bool found;
};

static bool
take(void *ctx, const struct head_field *f)
{
	struct wanted_field *w = ctx;

	if (f->id != w->id)
		return true;
	buf_put(w->to, f->body);
	w->found = true;
	return false;
}

void
sortkey_decode(struct buf *b, struct span body)
{
	static const struct encword_charset cs = { charset_convert, NULL };

	if (span_find(body, SPAN("=?")) == body.n)
		buf_put(b, body);
	else
		encword_decode(b, body, &cs);
}

bool
sortkey_date(struct span date, int64_t *t)
{
	int zone;

	return header_date(date, t, &zone);
}

/* Cut, where only someone who means harm goes so far. */
static void
put_mapped(struct buf *to, struct span text)
{
	static struct buf b = { .max = LIMIT_IMAP_SORT_KEY * CASEMAP_ROOM };

	if (text.n > LIMIT_IMAP_SORT_KEY)
		text.n = LIMIT_IMAP_SORT_KEY;
	buf_clear(&b);
	casemap_buf(&b, text);
	text = buf_span(&b);
	if (text.n > LIMIT_IMAP_SORT_KEY)
		text.n = LIMIT_IMAP_SORT_KEY;
	buf_put(to, text);
}

static void
put_subject(struct buf *to, struct span body)
{
	static struct buf b = { .max = LIMIT_HEADER_FIELD * 4 };

	buf_clear(&b);
	sortkey_decode(&b, body);
	put_mapped(to, basesubject_of(b.p, b.n).text);
}

/*
 * The first entry of the list, a group's name too, as ENVELOPE has it; by
 * display the name, else local@domain (RFC 5957, section 3).
 */
static void
put_address(struct buf *to, struct span body, bool display)
{
	static struct buf b = { .max = LIMIT_HEADER_FIELD * 4 };
	static struct arena arena = { .max = LIMIT_IMAP_ARENA };
	struct arena_mark mark = arena_mark(&arena);
	bool in_group = false;
	enum addr_kind kind;
	struct addr a = { 0 };

	buf_clear(&b);
	do
		kind = addr_next(&arena, &body, &in_group, &a);
	while (kind == ADDR_BAD);
	if (kind == ADDR_GROUP_START) {
		buf_put(&b, a.name);
	} else if (kind == ADDR_MAILBOX) {
		if (display && a.name.n > 0)
			sortkey_decode(&b, a.name);
		if (b.n == 0) {
			buf_put(&b, a.local);
			if (display && a.domain.n > 0) {
				buf_putc(&b, '@');
				buf_put(&b, a.domain);
			}
		}
	}
	put_mapped(to, buf_span(&b));
	arena_release(&arena, mark);
}

/* Eight bytes that compare as the number does. */
static void
put_date(struct imap *im, size_t i, struct buf *to, const struct buf *body)
{
	int64_t t;
	uint64_t u;

	if (!sortkey_date(buf_span(body), &t))
		t = head_arrival(im, i);
	u = (uint64_t)t ^ UINT64_C(1) << 63;
	for (int shift = 56; shift >= 0; shift -= 8)
		buf_putc(to, (char)(u >> shift & 0xff));
}

bool
sortkey_put(struct imap *im, size_t i, enum order_key key, struct buf *to)
{
	static const char *const fields[ORDERS] = { [ORDER_CC] = "Cc",
		[ORDER_DATE] = "Date",
		[ORDER_DISPLAYFROM] = "From",
		[ORDER_DISPLAYTO] = "To",
		[ORDER_FROM] = "From",
		[ORDER_SUBJECT] = "Subject",
		[ORDER_TO] = "To" };
	static struct buf body = { .max = LIMIT_HEADER_FIELD + 1 };
	struct wanted_field w = { .to = &body };
	int r;

	w.id = digest_field_id(span_of(fields[key]));
	buf_clear(&body);
	r = head_each(im, i, UINT64_C(1) << w.id, take, &w);
	if (key == ORDER_DATE)
		put_date(im, i, to, &body);
	else if (key == ORDER_SUBJECT)
		put_subject(to, buf_span(&body));
	else
		put_address(to, buf_span(&body),
		    key == ORDER_DISPLAYFROM || key == ORDER_DISPLAYTO);
	return r == 0;
}
