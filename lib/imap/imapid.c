#include "imap/imapid.h"

static void
put(struct buf *b, struct span s)
{
	if (b->n > 0 && b->n < b->max)
		buf_putc(b, ' ');
	for (size_t i = 0; i < s.n && b->n < b->max; i++)
		buf_putc(b, is_print(s.p[i]) || s.p[i] == ' ' ? s.p[i] : '?');
}

/* id-params-list = "(" [string SP nstring *(SP string SP nstring)] ")" */
void
imapid_read(struct buf *b, const struct imap_arg *a)
{
	buf_clear(b);
	if (a == NULL || a->type != IMAP_LIST)
		return;
	for (a = a->list; a != NULL && a->next != NULL; a = a->next->next) {
		const struct imap_arg *v = a->next;

		if ((span_iis(a->text, "name") ||
			span_iis(a->text, "vendor")) &&
		    imap_is_string(v) &&
		    !(v->type == IMAP_ATOM && span_iis(v->text, "NIL")))
			put(b, v->text);
	}
}
