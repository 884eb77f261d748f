#include "mail/received.h"

#include "base/limits.h"
#include "mail/addr.h"
#include "mail/header.h"
#include "mail/idn.h"

/*
 * The recipient, in ASCII: a header that is all ASCII otherwise must not
 * need SMTPUTF8 for our own field.
 */
static void
put_for(struct buf *b, struct span rcpt)
{
	char room[LIMIT_ADDRESS + 1];
	struct buf a = { room, 0, sizeof(room), sizeof(room) - 1, false };

	if (!addr_is_ascii(rcpt))
		rcpt = idn_address(&a, rcpt) ? buf_span(&a) : SPAN("");
	if (rcpt.n > 0 && addr_is_ascii(rcpt)) {
		buf_puts(b, "\n\tfor <");
		buf_put(b, rcpt);
		buf_puts(b, ">; ");
	} else {
		buf_puts(b, ";\n\t");
	}
}

bool
received_put(struct buf *b, const struct received *r)
{
	char date[HEADER_DATE_SIZE];
	const char *name = r->name != NULL ? r->name : "";
	bool v6 = strchr(r->ip, ':') != NULL;

	buf_puts(b, "Received:");
	if (r->helo != NULL) {
		buf_printf(b, " from %s", r->helo);
		if (*r->ip != '\0')
			buf_printf(b, " (%s%s[%s%s])", name,
			    *name != '\0' ? " " : "", v6 ? "IPv6:" : "", r->ip);
		buf_puts(b, "\n\t");
	} else {
		buf_putc(b, ' ');
	}
	buf_printf(b, "by %s with %s", r->by, r->with);
	if (*r->tls != '\0')
		buf_printf(b, " (%s)", r->tls);
	buf_printf(b, " id %s", r->id);
	put_for(b, r->rcpt);
	buf_puts(b, header_put_date(r->date, date));
	buf_putc(b, '\n');
	return !b->over;
}

const char *
received_with(bool lmtp, bool esmtp, bool utf8, bool tls, bool auth)
{
	static const char *const names[4][4] = {
		{ "ESMTP", "ESMTPS", "ESMTPA", "ESMTPSA" },
		{ "LMTP", "LMTPS", "LMTPA", "LMTPSA" },
		{ "UTF8SMTP", "UTF8SMTPS", "UTF8SMTPA", "UTF8SMTPSA" },
		{ "UTF8LMTP", "UTF8LMTPS", "UTF8LMTPA", "UTF8LMTPSA" },
	};

	if (!lmtp && !esmtp)
		return "SMTP";
	return names[(lmtp ? 1 : 0) + (utf8 ? 2 : 0)]
		    [(tls ? 1 : 0) + (auth ? 2 : 0)];
}
