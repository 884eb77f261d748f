#include "pop3/lang.h"

/*
 * language-range = "*" / tag, whose first part decides (RFC 4647, basic
 * filtering of the one language there is); i-default is RFC 2277's.
 */
static bool
is_ours(struct span range)
{
	if (span_is(range, "*") || span_iis(range, "i-default"))
		return true;
	return span_iis(span_cut(&range, '-'), "en");
}

bool
lang_reply(struct buf *b, struct span arg)
{
	if (arg.n == 0)
		return buf_puts(
		    b, "+OK one language follows\r\nen English\r\n.\r\n");
	if (is_ours(arg))
		return buf_puts(b, "+OK en English it is\r\n");
	buf_puts(b, "-ERR no such language here\r\n");
	return false;
}
