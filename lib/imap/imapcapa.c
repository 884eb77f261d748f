#include "imap/imapcapa.h"

static const char always[] = "IMAP4rev1 IMAP4rev2 LITERAL+ ID ENABLE IDLE";
static const char logged_in[] =
    "NAMESPACE CHILDREN UNSELECT UIDPLUS MOVE ESEARCH SEARCHRES"
    " WITHIN I18NLEVEL=1 PARTIAL SORT SORT=DISPLAY ESORT CONTEXT=SEARCH "
    "CONTEXT=SORT MULTISEARCH"
    " THREAD=REFERENCES THREAD=REFS THREAD=ORDEREDSUBJECT"
    " LIST-EXTENDED LIST-STATUS STATUS=SIZE SPECIAL-USE CREATE-SPECIAL-USE"
    " CONDSTORE QRESYNC OBJECTID SAVEDATE INPROGRESS UIDBATCHES UIDONLY"
    " QUOTA QUOTA=RES-STORAGE QUOTA=RES-MESSAGE METADATA LIST-METADATA"
    " ACL RIGHTS=texk LIST-MYRIGHTS NOTIFY"
    " MULTIAPPEND CATENATE URL-PARTIAL BINARY REPLACE UTF8=ACCEPT PREVIEW";

static bool
has(struct span list, struct span name)
{
	struct span word;

	while ((word = span_word(&list)).n > 0)
		if (span_ieq(word, name))
			return true;
	return false;
}

static void
put(struct buf *b, const char *names, struct span hidden)
{
	struct span list = span_of(names), word;

	while ((word = span_word(&list)).n > 0)
		if (!has(hidden, word)) {
			buf_putc(b, ' ');
			buf_put(b, word);
		}
}

static void
put_limit(struct buf *b, const char *name, size_t n, struct span hidden)
{
	if (n > 0 && !has(hidden, span_of(name)))
		buf_printf(b, " %s=%zu", name, n);
}

void
imapcapa_put(struct buf *b, const struct imapcapa_conf *c)
{
	struct span mechs = span_of(c->mechs), list = mechs, word;
	bool login = false;

	buf_puts(b, "CAPABILITY");
	put(b, always, c->hidden);
	if (!c->greeting) {
		put(b, logged_in, c->hidden);
		if (!c->compressed)
			put(b, "COMPRESS=DEFLATE", c->hidden);
		put_limit(b, "MESSAGELIMIT", c->messagelimit, c->hidden);
		put_limit(b, "SAVELIMIT", c->savelimit, c->hidden);
		if (c->unauthenticate)
			put(b, "UNAUTHENTICATE", c->hidden);
		if (!has(c->hidden, SPAN("APPENDLIMIT"))) {
			buf_puts(b, " APPENDLIMIT=");
			buf_putu(b, c->appendlimit);
		}
		return;
	}
	buf_puts(b, " SASL-IR");
	if (c->starttls)
		buf_puts(b, " STARTTLS");
	while ((word = span_word(&list)).n > 0)
		login = login || (c->plain_ok && span_is(word, "PLAIN"));
	if (!login)
		buf_puts(b, " LOGINDISABLED");
	while (c->plain_ok) {
		struct span mech = span_word(&mechs);

		if (mech.n == 0)
			return;
		buf_puts(b, " AUTH=");
		buf_put(b, mech);
	}
}
