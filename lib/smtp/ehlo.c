#include "smtp/ehlo.h"

#include "base/date.h"

/* What only a queue keeps. */
static void
promises(struct buf *b, const struct ehlo_conf *c)
{
	char date[DATE_RFC3339_SIZE];

	buf_puts(b, "250-DSN\r\n250-DELIVERBY\r\n");
	if (c->tls)
		buf_puts(b, "250-REQUIRETLS\r\n");
	if (c->submission)
		buf_printf(b, "250-FUTURERELEASE %d %s\r\n",
		    TIME_FUTURE_RELEASE,
		    date_rfc3339(c->now + TIME_FUTURE_RELEASE, date));
}

/*
 * ehlo-ok-rsp = *( "250-" ehlo-line CRLF ) "250" SP ehlo-line CRLF
 * (RFC 5321, section 4.1.1.1)
 */
void
ehlo_reply(struct buf *b, const struct ehlo_conf *c)
{
	buf_printf(b, "250-%s\r\n", c->host);
	buf_puts(b, "250-PIPELINING\r\n");
	if (c->size > 0)
		buf_printf(b, "250-SIZE %llu\r\n", (unsigned long long)c->size);
	else
		buf_puts(b, "250-SIZE\r\n");
	buf_puts(b, "250-8BITMIME\r\n");
	if (c->starttls)
		buf_puts(b, "250-STARTTLS\r\n");
	if (c->auth != NULL)
		buf_printf(b, "250-AUTH %s\r\n", c->auth);
	buf_puts(b, "250-CHUNKING\r\n250-BINARYMIME\r\n");
	buf_puts(b, "250-SMTPUTF8\r\n");
	buf_printf(b, "250-LIMITS MAILMAX=%d RCPTMAX=%d\r\n", LIMIT_SMTP_MAILS,
	    LIMIT_SMTP_RCPTS);
	if (c->xclient)
		buf_puts(b,
		    "250-XCLIENT NAME ADDR PORT PROTO HELO LOGIN "
		    "DESTADDR DESTPORT\r\n");
	if (c->queue)
		promises(b, c);
	buf_puts(b, "250 ENHANCEDSTATUSCODES\r\n");
}
