#include "smtp/ehlo.h"

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
	buf_puts(b, "250-CHUNKING\r\n");
	if (c->queue)
		buf_puts(b, "250-DSN\r\n");
	buf_puts(b, "250 ENHANCEDSTATUSCODES\r\n");
}
