#include "pop3/capa.h"

void
capa_reply(struct buf *b, const struct capa_conf *c)
{
	buf_puts(b, "+OK Capabilities follow\r\n");
	buf_puts(b, "TOP\r\nUIDL\r\nPIPELINING\r\n");
	buf_puts(b, "RESP-CODES\r\nAUTH-RESP-CODE\r\nEXPIRE NEVER\r\n");
	if (c->sasl != NULL)
		buf_printf(b, "USER\r\nSASL %s\r\n", c->sasl);
	if (c->stls)
		buf_puts(b, "STLS\r\n");
	buf_puts(b, "IMPLEMENTATION pneu\r\n.\r\n");
}
