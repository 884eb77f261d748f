#include "pop3/capa.h"

/* USER and PASS are as good as that. */
static bool
has_plain(const char *sasl)
{
	struct span list = span_of(sasl), word;

	while ((word = span_word(&list)).n > 0)
		if (span_is(word, "PLAIN"))
			return true;
	return false;
}

void
capa_reply(struct buf *b, const struct capa_conf *c)
{
	buf_puts(b, "+OK Capabilities follow\r\n");
	buf_puts(b, "TOP\r\nUIDL\r\nPIPELINING\r\n");
	buf_puts(b, "RESP-CODES\r\nAUTH-RESP-CODE\r\nEXPIRE NEVER\r\n");
	buf_puts(b, "UTF8\r\nLANG\r\n");
	if (c->login_delay > 0)
		buf_printf(b, "LOGIN-DELAY %u\r\n", c->login_delay);
	if (has_plain(c->sasl))
		buf_puts(b, "USER\r\n");
	if (c->sasl != NULL && c->sasl[0] != '\0')
		buf_printf(b, "SASL %s\r\n", c->sasl);
	if (c->stls)
		buf_puts(b, "STLS\r\n");
	buf_puts(b, "IMPLEMENTATION pneu\r\n.\r\n");
}
