/*
 * The parts of CATENATE that a URL names (RFC 4469, RFC 5550): what a
 * FETCH of BODY.PEEK would answer, caught on its way out.
 */
#include <errno.h>

#include "append.h"
#include "base/num.h"
#include "fetch.h"
#include "imap/imapargs.h"
#include "imap/imapurl.h"
#include "io/conf.h"
#include "store/acl.h"

/* " {N}" CRLF octets, or " NIL", or ' ""' */
struct catch
{
	struct append *a;
	bool text, refused;
	size_t n;
	char head[32];
};

static void
take_head(struct catch *c, struct span *s)
{
	uint64_t n;

	while (s->n > 0 && !c->text) {
		char ch = *span_take(s, 1).p;

		if (c->n < sizeof(c->head))
			c->head[c->n++] = ch;
		c->text = ch == '\n';
	}
	if (c->text &&
	    (c->n < 6 || !num_u64((struct span){ c->head + 2, c->n - 5 }, &n) ||
		!append_add(c->a, n)))
		c->refused = true;
}

/* An out_filter: nothing comes out at the other end. */
static size_t catch (
    void *ctx, struct span *s, bool flush, char *to, size_t room)
{
	struct catch *c = ctx;

	(void)flush;
	(void)to;
	(void)room;
	if (!c->text)
		take_head(c, s);
	if (c->text && !c->refused)
		append_text(c->a, *s);
	s->n = 0;
	return 0;
}

/* The BADURL of RFC 4469: no "]", no "\", nothing that is not printed. */
static bool
bad_url(struct append *a, struct span url)
{
	char text[400];
	size_t n = 0;

	for (; n < url.n && n + 1 < sizeof(text); n++)
		text[n] =
		    is_print(url.p[n]) && url.p[n] != ']' && url.p[n] != '\\'
		    ? url.p[n]
		    : '?';
	text[n] = '\0';
	imap_reply(a->im, "NO [BADURL %s] It names no message of yours", text);
	return false;
}

/* The mailbox of the URL: NULL when there is none. */
static struct folder *
mailbox(struct append *a, const struct imapurl *u)
{
	struct imap *im = a->im;
	char path[LIMIT_PATH];

	if (u->absolute && !span_iis(u->host, conf_me()))
		return NULL;
	if (u->user.n > 0 && !span_is(u->user, im->login))
		return NULL;
	if (u->selected)
		return im->folder;
	if (boxes_find(&im->boxes, u->mailbox, path, sizeof(path)) != BOX_OK ||
	    !(acl_owner(path) & ACL_R))
		return NULL;
	if (select_is(im, path))
		return im->folder;
	if (a->other != NULL && strcmp(path, a->other_path) == 0)
		return a->other;
	append_url_close(a);
	if (folder_open(&a->other, path, false) == -1)
		return NULL;
	memcpy(a->other_path, path, sizeof(path));
	return a->other;
}

/* "BODY.PEEK[...]<...>" as FETCH has it. */
static struct item *
section(struct imap *im, const struct imapurl *u)
{
	static const struct modifiers none;
	struct buf b = { .max = LIMIT_IMAP_LINE };
	struct imap_arg *args;
	struct item *it = NULL;

	buf_printf(&b, "(BODY.PEEK[");
	buf_put(&b, u->section);
	buf_putc(&b, ']');
	if (u->partial)
		buf_printf(&b, "<%llu.%llu>", (unsigned long long)u->from,
		    (unsigned long long)(u->count < UINT32_MAX ? u->count
							       : UINT32_MAX));
	buf_putc(&b, ')');
	if (imapargs_parse(&im->e.arena, arena_span(&im->e.arena, buf_span(&b)),
		NULL, &args) == IMAPARGS_OK &&
	    args != NULL && args->next == NULL &&
	    item_parse(im, args, &none, &it))
		while (it != NULL && it->kind != ITEM_SECTION)
			it = it->next;
	else
		it = NULL;
	buf_free(&b);
	if (it != NULL)
		it->said = (struct span){ "", 0 };
	return it;
}

/* Write the section of message i of this folder, which may not be ours. */
static bool
copy(struct append *a, struct folder *f, size_t i, const struct item *it,
    struct catch *c)
{
	static char buf[8192];
	struct out_filter filter = { .run = catch, .ctx = c };
	struct imap *im = a->im;
	struct folder *folder = im->folder;
	struct out out = im->out;
	bool ok;

	if (f != folder) /* there is one buffer for what is read */
		body_close(im);
	im->folder = f;
	out_init(&im->out, -1, buf, sizeof(buf));
	im->out.filter = &filter;
	ok = body_open(im, i) == 0;
	if (ok)
		section_put(im, it);
	out_flush(&im->out);
	im->out = out;
	im->folder = folder;
	if (f != folder)
		body_close(im);
	/* '""' is a part that is empty, NIL is none */
	return ok && (c->text || (c->n > 1 && c->head[1] == '"'));
}

bool
append_url(struct append *a, struct span url)
{
	struct imap *im = a->im;
	struct catch c = { .a = a };
	struct imapurl u;
	struct folder *f;
	struct item *it;
	size_t i;

	if (arena_left(&im->e.arena) / 8 < url.n + LIMIT_IMAP_LINE) {
		imap_reply(im, "NO [LIMIT] Too many URLs");
		return false;
	}
	if (!imapurl_parse(&im->e.arena, url, &u) ||
	    (f = mailbox(a, &u)) == NULL || (it = section(im, &u)) == NULL)
		return bad_url(a, url);
	i = folder_lower(f, u.uid);
	if ((u.uidvalidity != 0 && u.uidvalidity != folder_uidvalidity(f)) ||
	    i == folder_count(f) || folder_msg(f, i)->uid != u.uid ||
	    !copy(a, f, i, it, &c))
		return bad_url(a, url);
	return !c.refused || append_too_big(a);
}

void
append_url_close(struct append *a)
{
	folder_close(a->other);
	a->other = NULL;
}
