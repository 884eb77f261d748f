#include "mail/imapenv.h"

#include "base/enc.h"
#include "mail/addr.h"
#include "mail/mimefield.h"
#include "mail/nstring.h"
#include "mail/utf8.h"

enum { WORD_BYTES = 42 }; /* of an encoded word: 56 of base64, 75 in all */

static const char *const names[IMAPENV_FIELDS] = {
	[IMAPENV_DATE] = "Date",
	[IMAPENV_SUBJECT] = "Subject",
	[IMAPENV_FROM] = "From",
	[IMAPENV_SENDER] = "Sender",
	[IMAPENV_REPLY_TO] = "Reply-To",
	[IMAPENV_TO] = "To",
	[IMAPENV_CC] = "Cc",
	[IMAPENV_BCC] = "Bcc",
	[IMAPENV_IN_REPLY_TO] = "In-Reply-To",
	[IMAPENV_MESSAGE_ID] = "Message-ID",
};

void
imapenv_note(struct arena *a, struct imapenv *e, struct span name,
    struct span body, size_t reserve)
{
	if (name.n == 0 || arena_left(a) < reserve ||
	    arena_left(a) - reserve < body.n + 64)
		return;
	for (size_t i = 0; i < IMAPENV_FIELDS; i++)
		if (to_lower(*name.p) == to_lower(*names[i]) &&
		    span_iis(name, names[i])) {
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

bool
imapenv_put(struct buf *b, struct arena *a, const struct imapenv *e)
{
	for (int i = 0; i < IMAPENV_FIELDS; i++) {
		struct span s = e->field[i];

		buf_putc(b, i == 0 ? '(' : ' ');
		if ((i == IMAPENV_SENDER || i == IMAPENV_REPLY_TO) && s.n == 0)
			s = e->field[IMAPENV_FROM];
		if (i >= IMAPENV_FROM && i <= IMAPENV_BCC)
			put_addresses(b, a, s);
		else if (i == IMAPENV_SUBJECT)
			imapenv_put_text(b, s);
		else
			nstring_put(b, s);
	}
	return buf_putc(b, ')');
}
