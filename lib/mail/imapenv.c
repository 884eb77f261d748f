#include "mail/imapenv.h"

#include "base/enc.h"
#include "mail/addr.h"
#include "mail/mimefield.h"
#include "mail/nstring.h"
#include "mail/utf8.h"

enum { WORD_BYTES = 42 }; /* of an encoded word: 56 of base64, 75 in all */

static const struct span names[IMAPENV_FIELDS] = {
	[IMAPENV_DATE] = { "Date", 4 },
	[IMAPENV_SUBJECT] = { "Subject", 7 },
	[IMAPENV_FROM] = { "From", 4 },
	[IMAPENV_SENDER] = { "Sender", 6 },
	[IMAPENV_REPLY_TO] = { "Reply-To", 8 },
	[IMAPENV_TO] = { "To", 2 },
	[IMAPENV_CC] = { "Cc", 2 },
	[IMAPENV_BCC] = { "Bcc", 3 },
	[IMAPENV_IN_REPLY_TO] = { "In-Reply-To", 11 },
	[IMAPENV_MESSAGE_ID] = { "Message-ID", 10 },
};

void
imapenv_note(struct arena *a, struct imapenv *e, struct span name,
    struct span body, size_t reserve)
{
	if (name.n == 0 || arena_left(a) < reserve ||
	    arena_left(a) - reserve < body.n + 64)
		return;
	for (size_t i = 0; i < IMAPENV_FIELDS; i++)
		if (name.n == names[i].n && span_ieq(name, names[i])) {
			if (e->field[i].p == NULL)
				e->field[i] = mimefield_text(a, body);
			return;
		}
}

/* encoded-word = "=?UTF-8?B?" encoded-text "?=", one after another */
static bool
put_encoded(struct buf *b, struct span s)
{
	struct buf words = { .max = s.n * 3 + 100 };
	bool ok;

	while (s.n > 0) {
		size_t n = s.n < WORD_BYTES ? s.n : WORD_BYTES;

		while (n < s.n && ((unsigned char)s.p[n] & 0xc0) == 0x80)
			n--;
		if (words.n > 0)
			buf_putc(&words, ' ');
		buf_puts(&words, "=?UTF-8?B?");
		enc_base64(&words, span_take(&s, n));
		buf_puts(&words, "?=");
	}
	ok = nstring_put(b, buf_span(&words));
	buf_free(&words);
	return ok;
}

bool
imapenv_put_text(struct buf *b, struct span s)
{
	if (s.p != NULL && !addr_is_ascii(s) && utf8_valid(s))
		return put_encoded(b, s);
	return nstring_put(b, s);
}

/* address = "(" addr-name SP addr-adl SP addr-mailbox SP addr-host ")" */
static void
put_mailbox(struct buf *b, const struct addr *ad)
{
	buf_putc(b, '(');
	imapenv_put_text(b, ad->name);
	buf_putc(b, ' ');
	nstring_put(b, ad->route);
	buf_putc(b, ' ');
	nstring_put_string(b, ad->local);
	buf_putc(b, ' ');
	/* NIL would make it a group. */
	nstring_put_string(b, ad->domain);
	buf_putc(b, ')');
}

static void
put_addresses(struct buf *b, struct arena *a, struct span list)
{
	struct arena_mark m = arena_mark(a);
	struct addr ad;
	bool in_group = false, any = false;
	enum addr_kind kind = ADDR_BAD;

	while (kind != ADDR_END && arena_left(a) > list.n * 4 + 256) {
		kind = addr_next(a, &list, &in_group, &ad);
		if (kind == ADDR_BAD || kind == ADDR_END)
			continue;
		if (!any)
			buf_putc(b, '(');
		any = true;
		if (kind == ADDR_MAILBOX) {
			put_mailbox(b, &ad);
		} else if (kind == ADDR_GROUP_START) {
			buf_puts(b, "(NIL NIL ");
			imapenv_put_text(b, ad.name);
			buf_puts(b, " NIL)");
		} else {
			buf_puts(b, "(NIL NIL NIL NIL)");
		}
		arena_release(a, m);
	}
	buf_puts(b, any ? ")" : "NIL");
}

/* Once more what stands there since `from`. */
static void
put_again(struct buf *b, size_t from, size_t n)
{
	char *to = buf_room(b, n);

	if (to == NULL || n == 0)
		return;
	memcpy(to, b->p + from, n);
	b->n += n;
}

bool
imapenv_put(struct buf *b, struct arena *a, const struct imapenv *e)
{
	size_t from = 0, nfrom = 0;

	for (int i = 0; i < IMAPENV_FIELDS; i++) {
		struct span s = e->field[i];

		buf_putc(b, i == 0 ? '(' : ' ');
		if (i == IMAPENV_FROM)
			from = b->n;
		if ((i == IMAPENV_SENDER || i == IMAPENV_REPLY_TO) && s.n == 0)
			put_again(b, from, nfrom);
		else if (i >= IMAPENV_FROM && i <= IMAPENV_BCC)
			put_addresses(b, a, s);
		else if (i == IMAPENV_SUBJECT)
			imapenv_put_text(b, s);
		else
			nstring_put(b, s);
		if (i == IMAPENV_FROM)
			nfrom = b->n - from;
	}
	return buf_putc(b, ')');
}
