#include "mail/dsn.h"

#include "base/date.h"
#include "base/enc.h"
#include "mail/header.h"
#include "mail/utf8.h"

enum { FOLD = 76 };

static const char subjects[5][40] = { "Delivery failed", "Delivery is delayed",
	"Delivered", "Forwarded", "Passed on" };
static const char actions[5][12] = { "failed", "delayed", "delivered",
	"expanded", "relayed" };
static const char intros[5][240] = {
	"Your message could not be delivered to the following recipients.\n"
	"It will not be tried again.\n",
	"Your message has not yet been delivered to the following "
	"recipients.\nYou need do nothing: it will be tried again.\n",
	"Your message was delivered to the following recipients.\n",
	"Your message was forwarded for the following recipients.\nYou may "
	"hear no more of it.\n",
	"Your message was passed on to the next host for the following "
	"recipients.\nYou may hear no more of it.\n",
};

/* Text in one line, folded at blanks when it is part of a field. */
static void
put_text(struct buf *b, struct span s, size_t column, bool fold, bool utf8)
{
	for (size_t i = 0; i < s.n; i++, column++) {
		char c = s.p[i];

		if (c == '\t' || c == '\n' || c == '\r')
			c = ' ';
		else if (!is_print(c) && !(utf8 && (unsigned char)c > 0x7f))
			c = '?';
		if (fold && c == ' ' && column >= FOLD && i + 1 < s.n) {
			buf_putc(b, '\n');
			column = 0;
		}
		buf_putc(b, c);
	}
	buf_putc(b, '\n');
}

static void
put_date(struct buf *b, const char *name, int64_t t)
{
	char date[HEADER_DATE_SIZE];

	buf_printf(b, "%s: %s\n", name, header_put_date(t, date));
}

static void
put_header(struct buf *b, const struct dsn *d)
{
	buf_printf(
	    b, "From: Mail Delivery System <postmaster@%s>\nTo: ", d->me);
	put_text(b, d->to, 0, false, true);
	buf_printf(b, "Subject: %s", subjects[d->action]);
	if (d->nrcpts == 1 && !span_is_8bit(d->rcpts[0].address)) {
		buf_puts(b, ": ");
		put_text(b, d->rcpts[0].address, 20, false, false);
	} else {
		buf_putc(b, '\n');
	}
	put_date(b, "Date", d->now);
	buf_printf(b, "Message-ID: <%s@%s>\n", d->id, d->me);
	buf_puts(b, "Auto-Submitted: auto-replied\nMIME-Version: 1.0\n");
	buf_printf(b,
	    "Content-Type: multipart/report; report-type=delivery-status;\n"
	    "\tboundary=\"=_%s\"\n",
	    d->id);
	if (d->body_8bit || d->utf8)
		buf_puts(b, "Content-Transfer-Encoding: 8bit\n");
	buf_putc(b, '\n');
}

static void
put_part(struct buf *b, const struct dsn *d, const char *type, bool eight)
{
	buf_printf(b, "--=_%s\nContent-Type: %s\n", d->id, type);
	if (eight)
		buf_puts(b, "Content-Transfer-Encoding: 8bit\n");
	buf_putc(b, '\n');
}

static void
put_people(struct buf *b, const struct dsn *d)
{
	char date[HEADER_DATE_SIZE];

	put_part(b, d,
	    d->utf8 ? "text/plain; charset=utf-8"
		    : "text/plain; charset=us-ascii",
	    d->utf8);
	buf_printf(b, "This is the mail system at %s.\n\n%s\n", d->me,
	    intros[d->action]);
	for (size_t i = 0; i < d->nrcpts; i++) {
		buf_putc(b, '<');
		buf_put(b, d->rcpts[i].address);
		buf_puts(b, ">:\n    ");
		if (d->rcpts[i].remote.n > 0) {
			buf_put(b, d->rcpts[i].remote);
			buf_puts(b, " said: ");
		}
		put_text(b, d->rcpts[i].text, 4, false, d->utf8);
		buf_putc(b, '\n');
	}
	if (d->action == DSN_DELAYED)
		buf_printf(b, "It will be given up on %s.\n\n",
		    header_put_date(d->until, date));
}

/* xtext is shown as it was before it was encoded, if that can be shown. */
static void
put_xtext(struct buf *b, const char *before, struct span x, bool utf8)
{
	struct buf plain = { .max = x.n };

	if (x.n == 0)
		return;
	buf_puts(b, before);
	if (dec_xtext(&plain, x))
		put_text(b, buf_span(&plain), 20, false, utf8);
	else
		put_text(b, x, 20, false, utf8);
	buf_free(&plain);
}

/* "\x{" HEXPOINT "}" at the front of s: its length, or 0. */
static size_t
embedded(struct span s, uint32_t *c)
{
	size_t n = 3;

	*c = 0;
	if (!span_starts(s, "\\x{"))
		return 0;
	for (; n < s.n && n < 9 && s.p[n] != '}'; n++) {
		const char *digits = "0123456789ABCDEF", *d;

		d = strchr(digits, to_upper(s.p[n]));
		if (s.p[n] == '\0' || d == NULL)
			return 0;
		*c = *c << 4 | (uint32_t)(d - digits);
	}
	return n > 3 && n < s.n && s.p[n] == '}' ? n + 1 : 0;
}

/* utf-8-addr-xtext = 1*( QCHAR / EmbeddedUnicodeChar ), shown as it is */
static void
put_unitext(struct buf *b, struct span x, bool utf8)
{
	struct buf plain = { .max = x.n };

	buf_putc(b, ';');
	while (x.n > 0) {
		uint32_t c;
		size_t n = embedded(x, &c);

		if (utf8 && n > 0 && utf8_put(&plain, c))
			span_take(&x, n);
		else
			buf_put(&plain, span_take(&x, 1));
	}
	put_text(b, buf_span(&plain), 20, false, utf8);
	buf_free(&plain);
}

/* Whether text begins with a reply code: three digits and a blank. */
static bool
is_reply(struct span s)
{
	return s.n >= 3 && (s.p[0] == '4' || s.p[0] == '5') &&
	    is_digit(s.p[1]) && is_digit(s.p[2]) &&
	    (s.n == 3 || s.p[3] == ' ' || s.p[3] == '-');
}

/*
 * per-recipient-fields =
 *	[ original-recipient-field CRLF ] final-recipient-field CRLF
 *	action-field CRLF status-field CRLF [ remote-mta-field CRLF ]
 *	[ diagnostic-code-field CRLF ] [ last-attempt-date-field CRLF ]
 *	[ will-retry-until-field CRLF ]
 */
static void
put_rcpt(struct buf *b, const struct dsn *d, const struct dsn_rcpt *r)
{
	struct span o = r->orcpt, type = span_cut(&o, ';');

	buf_putc(b, '\n');
	if (type.n > 0 && o.n > 0) {
		buf_puts(b, "Original-Recipient: ");
		for (size_t i = 0; i < type.n && i < 40; i++)
			buf_putc(b, is_alnum(type.p[i]) ? type.p[i] : '-');
		if (span_iis(type, "utf-8"))
			put_unitext(b, o, d->utf8);
		else
			put_xtext(b, ";", o, d->utf8);
	}
	buf_puts(b, "Final-Recipient: ");
	buf_puts(b, span_is_8bit(r->address) ? "utf-8;" : "rfc822;");
	buf_put(b, r->address);
	buf_printf(b, "\nAction: %s\nStatus: ", actions[d->action]);
	put_text(b, r->status, 8, false, false);
	if (r->remote.n > 0) {
		buf_puts(b, "Remote-MTA: dns;");
		put_text(b, r->remote, 16, false, false);
	}
	if (d->action <= DSN_DELAYED && r->text.n > 0) {
		buf_puts(b,
		    is_reply(r->text) ? "Diagnostic-Code: smtp; "
				      : "Diagnostic-Code: x-pneu; ");
		put_text(b, r->text, 24, true, d->utf8);
	}
	put_date(b, "Last-Attempt-Date", d->now);
	if (d->action == DSN_DELAYED)
		put_date(b, "Will-Retry-Until", d->until);
}

static void
put_message_fields(struct buf *b, const struct dsn *d)
{
	char date[DATE_RFC3339_SIZE];

	buf_printf(b, "Reporting-MTA: dns;%s\n", d->me);
	put_xtext(b, "Original-Envelope-Id: ", d->envid, d->utf8);
	buf_printf(b, "X-Pneu-Queue-ID: %s\n", d->orig);
	put_date(b, "Arrival-Date", d->arrived);
	if (d->by != 0)
		put_date(b, "Deliver-By-Date", d->by);
	if (d->held != 0)
		buf_printf(b, "Future-Release-Request: until;%s\n",
		    date_rfc3339(d->held, date));
}

bool
dsn_put(struct buf *b, const struct dsn *d)
{
	put_header(b, d);
	buf_puts(b, "This is a message in MIME format, RFC 3464.\n\n");
	put_people(b, d);
	put_part(b, d,
	    d->utf8 ? "message/global-delivery-status"
		    : "message/delivery-status",
	    d->utf8);
	put_message_fields(b, d);
	for (size_t i = 0; i < d->nrcpts; i++)
		put_rcpt(b, d, &d->rcpts[i]);
	buf_putc(b, '\n');
	if (d->full)
		put_part(b, d, d->utf8 ? "message/global" : "message/rfc822",
		    d->body_8bit);
	else
		put_part(b, d,
		    d->utf8 ? "message/global-headers" : "text/rfc822-headers",
		    d->body_8bit);
	return !b->over;
}

bool
dsn_end(struct buf *b, const struct dsn *d)
{
	return buf_printf(b, "\n--=_%s--\n", d->id);
}
