/* What the server says, and the arguments that many commands share. */
#include <errno.h>
#include <stdarg.h>

#include "imap.h"
#include "io/log.h"
#include "mail/addr.h"
#include "mail/nfc.h"
#include "mail/nstring.h"
#include "mail/utf8.h"

void
imap_put(struct imap *im, const struct buf *b)
{
	out_put(&im->out, buf_span(b));
}

void
imap_reply(struct imap *im, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	out_put(&im->out, im->e.tag);
	out_putc(&im->out, ' ');
	if (im->limited != 0 && strncmp(text, "OK ", 3) == 0 &&
	    text[3] != '[') {
		out_puts(&im->out, "OK ");
		limit_put(im);
		out_puts(&im->out, text + 3);
	} else {
		out_puts(&im->out, text);
	}
	out_puts(&im->out, "\r\n");
	im->e.errors = 0;
}

void
imap_done(struct imap *im, const char *text)
{
	if (im->folder != NULL)
		sync_run(im, im->expunge_ok);
	imap_reply(im, "%s", text);
}

void
imap_bad(struct imap *im, const char *text)
{
	imapd_bad(&im->e, text);
}

void
imap_failed(struct imap *im, const char *what)
{
	int err = errno;

	if (err == ENOSPC || err == EDQUOT) {
		imap_reply(im, "NO [OVERQUOTA] There is no room");
		return;
	}
	if (err == EACCES || err == EPERM || err == EROFS) {
		imap_reply(im, "NO [NOPERM] Permission denied");
		return;
	}
	errno = err;
	log_error(what, NULL);
	imap_reply(im, "NO [UNAVAILABLE] Internal error, try again later");
}

void
imap_box_failed(struct imap *im, enum box_result r)
{
	switch (r) {
	case BOX_NONE:
		imap_reply(im, "NO [NONEXISTENT] No such mailbox");
		return;
	case BOX_EXISTS:
		imap_reply(im, "NO [ALREADYEXISTS] It exists already");
		return;
	case BOX_BADNAME:
		imap_reply(im, "NO [CANNOT] Not a possible mailbox name");
		return;
	case BOX_INUSE:
		imap_reply(im, "NO [CANNOT] That can't be done to it");
		return;
	case BOX_OK:
	case BOX_FAILED:
		break;
	}
	imap_failed(im, "mailbox");
}

/* mailbox = "INBOX" / astring: UTF-8 in quotes once the client knows it. */
void
imap_put_name(struct imap *im, struct span name)
{
	bool utf8 = (im->enabled & (ENABLE_REV2 | ENABLE_UTF8)) != 0;
	struct buf b = { .max = 8192 };

	if (!utf8 || addr_is_ascii(name)) {
		struct buf encoded = { .max = 4096 };

		if (utf8 || !mutf7_encode(&encoded, name)) {
			buf_clear(&encoded);
			buf_put(&encoded, name);
		}
		nstring_put_string(&b, buf_span(&encoded));
		buf_free(&encoded);
	} else {
		buf_putc(&b, '"');
		for (size_t i = 0; i < name.n; i++) {
			if (name.p[i] == '"' || name.p[i] == '\\')
				buf_putc(&b, '\\');
			buf_putc(&b, name.p[i]);
		}
		buf_putc(&b, '"');
	}
	imap_put(im, &b);
	buf_free(&b);
}

/* astring = 1*ASTRING-CHAR / string */
void
imap_put_astring(struct imap *im, struct span s)
{
	struct buf b = { .max = 8192 };
	bool atom = s.n > 0 && s.n < 1000 && !span_iis(s, "NIL");

	for (size_t i = 0; i < s.n && atom; i++)
		atom = s.p[i] > ' ' && s.p[i] <= '~' &&
		    strchr("(){%*\"\\", s.p[i]) == NULL;
	if (atom)
		buf_put(&b, s);
	else
		nstring_put_string(&b, s);
	imap_put(im, &b);
	buf_free(&b);
}

/* oldname-extended-item = "OLDNAME" SP "(" mailbox ")" */
void
imap_put_oldname(struct imap *im, struct span old, struct span name)
{
	if (span_eq(old, name))
		return;
	out_puts(&im->out, " (\"OLDNAME\" (");
	imap_put_name(im, old);
	out_puts(&im->out, "))");
}

static const struct {
	const char *name;
	uint16_t flag;
} flag_names[] = {
	{ "\\Seen", FLAG_SEEN },
	{ "\\Answered", FLAG_ANSWERED },
	{ "\\Flagged", FLAG_FLAGGED },
	{ "\\Deleted", FLAG_DELETED },
	{ "\\Draft", FLAG_DRAFT },
	{ "\\Recent", FLAG_RECENT },
};

enum { NFLAGS = sizeof(flag_names) / sizeof(flag_names[0]) };

/* "(" flag *(SP flag) ")" */
void
imap_put_flags(struct imap *im, uint16_t flags, uint64_t keywords)
{
	const char *sep = "(", *name;

	if (im->enabled & ENABLE_REV2)
		flags &= FLAG_ALL;
	for (int i = 0; i < NFLAGS; i++)
		if (flags & flag_names[i].flag) {
			out_puts(&im->out, sep);
			out_puts(&im->out, flag_names[i].name);
			sep = " ";
		}
	for (int k = 0; k < LIMIT_KEYWORDS && keywords >> k != 0; k++)
		if (keywords >> k & 1 &&
		    (name = folder_keyword_name(im->folder, k)) != NULL) {
			out_puts(&im->out, sep);
			out_puts(&im->out, name);
			sep = " ";
		}
	out_puts(&im->out, *sep == '(' ? "()" : ")");
}

static bool
has_control(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
			return true;
	return false;
}

const char *
imap_name_said(struct imap *im, const struct imap_arg *arg, struct span *utf8)
{
	struct buf b = { .max = LIMIT_MAILBOX_NAME };
	bool ok;

	if (!imap_is_string(arg))
		return "A mailbox name is missing";
	if (has_control(arg->text) || !utf8_valid(arg->text) ||
	    arg->text.n > LIMIT_MAILBOX_NAME)
		return "NO [CANNOT] Not a possible mailbox name";
	if (im->enabled & (ENABLE_REV2 | ENABLE_UTF8) ||
	    !addr_is_ascii(arg->text))
		ok = buf_put(&b, arg->text);
	else
		ok = mutf7_decode(&b, arg->text);
	*utf8 = arena_span(&im->e.arena, buf_span(&b));
	buf_free(&b);
	return ok ? NULL : "NO [CANNOT] Not a name in modified UTF-7";
}

/* Net-Unicode (RFC 5198): a letter and its mark are one. */
static struct span
composed(struct imap *im, struct span name)
{
	struct buf b = { .max = LIMIT_MAILBOX_NAME };
	uint32_t *c = arena_alloc(&im->e.arena, (name.n + 1) * sizeof(*c));
	size_t n = 0;

	while (name.n > 0 && utf8_take(&name, &c[n]))
		n++;
	n = nfc_compose(c, n);
	for (size_t i = 0; i < n; i++)
		utf8_put(&b, c[i]);
	name = arena_span(&im->e.arena, buf_span(&b));
	buf_free(&b);
	return name;
}

/* What CREATE was given finds what CREATE has made, and what other programs
 * have made is found by its own name (RFC 9051, section 5.1). */
const char *
imap_name_of(struct imap *im, const struct imap_arg *arg, struct span *utf8)
{
	const char *wrong = imap_name_said(im, arg, utf8);
	char path[LIMIT_PATH];

	if (wrong == NULL && !addr_is_ascii(*utf8) &&
	    boxes_find(&im->boxes, *utf8, path, sizeof(path)) != BOX_OK)
		*utf8 = composed(im, *utf8);
	return wrong;
}

bool
imap_name(struct imap *im, const struct imap_arg *arg, struct span *utf8)
{
	const char *wrong = imap_name_of(im, arg, utf8);

	if (wrong == NULL)
		return true;
	if (imap_is_string(arg))
		imap_reply(im, "%s", wrong);
	else
		imap_bad(im, wrong);
	return false;
}

bool
imap_new_name(struct imap *im, const struct imap_arg *arg, struct span *utf8)
{
	if (!imap_name(im, arg, utf8))
		return false;
	*utf8 = composed(im, *utf8);
	return true;
}

/* keyword = atom: what may stand in a flag list, and be written again */
static bool
is_keyword(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!is_print(s.p[i]) || strchr(" (){%*\"\\]", s.p[i]) != NULL)
			return false;
	return s.n > 0 && s.n <= LIMIT_KEYWORD;
}

bool
imap_flags(struct imap *im, const struct imap_arg *a, uint16_t *flags,
    struct buf *keywords)
{
	*flags = 0;
	for (; a != NULL; a = a->next) {
		int i;

		if (a->type != IMAP_ATOM) {
			imap_bad(im, "Not a list of flags");
			return false;
		}
		for (i = 0; i < NFLAGS; i++)
			if (span_iis(a->text, flag_names[i].name))
				break;
		if (i < NFLAGS && flag_names[i].flag != FLAG_RECENT) {
			*flags |= flag_names[i].flag;
		} else if (is_keyword(a->text)) {
			if (keywords->n > 0)
				buf_putc(keywords, ' ');
			buf_put(keywords, a->text);
		} else {
			imap_bad(im, "Not a flag");
			return false;
		}
	}
	if (keywords->over)
		imap_bad(im, "Too many flags");
	return !keywords->over;
}

bool
imap_mask(struct imap *im, struct span names, bool create, uint64_t *mask)
{
	*mask = 0;
	while (names.n > 0) {
		int k = folder_keyword(im->folder, span_word(&names), create);

		if (k == -1 && create) {
			imap_reply(im, "NO [LIMIT] Too many keywords");
			return false;
		}
		if (k != -1)
			*mask |= UINT64_C(1) << k;
	}
	return true;
}
