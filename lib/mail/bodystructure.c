#include "mail/bodystructure.h"

#include "mail/addr.h"
#include "mail/nstring.h"
#include "mail/utf8.h"

struct writer {
	struct buf *b;
	struct arena *arena;
	bool extended;
};

static const struct mime_fields no_fields;

static const struct mime_fields *
fields(const struct mime_part *p)
{
	return p->fields == NULL ? &no_fields : p->fields;
}

/* parameter*=utf-8''value (RFC 2231, section 4) */
static void
put_encoded(struct buf *b, const struct mime_param *p)
{
	struct buf name = { .max = p->name.n + 1 },
		   value = { .max = p->value.n * 3 + 16 };

	buf_put(&name, p->name);
	buf_putc(&name, '*');
	buf_puts(&value, "utf-8''");
	for (size_t i = 0; i < p->value.n; i++) {
		char c = p->value.p[i];

		if (is_alnum(c) || c == '.' || c == '-' || c == '_')
			buf_putc(&value, c);
		else
			buf_printf(&value, "%%%02X", (unsigned char)c);
	}
	nstring_put_string(b, buf_span(&name));
	buf_putc(b, ' ');
	nstring_put_string(b, buf_span(&value));
	buf_free(&name);
	buf_free(&value);
}

static void
put_param(struct buf *b, const struct mime_param *p)
{
	if (!addr_is_ascii(p->value) && utf8_valid(p->value) &&
	    span_chr(p->name, '*') == p->name.n) {
		put_encoded(b, p);
		return;
	}
	nstring_put_string(b, p->name);
	buf_putc(b, ' ');
	nstring_put_string(b, p->value);
}

/* body-fld-param = "(" string SP string *(SP string SP string) ")" / nil */
static void
put_params(struct buf *b, const struct mime_param *p)
{
	if (p == NULL) {
		buf_puts(b, "NIL");
		return;
	}
	for (const struct mime_param *q = p; q != NULL; q = q->next) {
		buf_putc(b, q == p ? '(' : ' ');
		put_param(b, q);
	}
	buf_putc(b, ')');
}

/* body-fld-dsp = "(" string SP body-fld-param ")" / nil */
static void
put_disposition(struct buf *b, const struct mime_fields *f)
{
	if (f->disposition.p == NULL) {
		buf_puts(b, "NIL");
		return;
	}
	buf_putc(b, '(');
	nstring_put_string(b, f->disposition);
	buf_putc(b, ' ');
	put_params(b, f->disposition_params);
	buf_putc(b, ')');
}

/* body-fld-lang = nstring / "(" string *(SP string) ")" */
static void
put_languages(struct buf *b, const struct mime_param *l)
{
	if (l == NULL) {
		buf_puts(b, "NIL");
		return;
	}
	for (const struct mime_param *q = l; q != NULL; q = q->next) {
		buf_putc(b, q == l ? '(' : ' ');
		nstring_put_string(b, q->name);
	}
	buf_putc(b, ')');
}

/* [SP body-fld-md5] SP body-fld-dsp SP body-fld-lang SP body-fld-loc */
static void
put_extension(struct buf *b, const struct mime_fields *f, bool md5)
{
	if (md5) {
		buf_putc(b, ' ');
		nstring_put(b, f->md5);
	}
	buf_putc(b, ' ');
	put_disposition(b, f);
	buf_putc(b, ' ');
	put_languages(b, f->languages);
	buf_putc(b, ' ');
	nstring_put(b, f->location);
}

/* media-basic / media-message / media-text, and the parameters */
static void
put_type(struct buf *b, const struct mime_part *p)
{
	const struct mime_fields *f = fields(p);

	if (p->kind == MIME_LEAF &&
	    (mime_is(p, "message", "rfc822") ||
		mime_is(p, "message", "global") ||
		mime_is(p, "multipart", NULL))) {
		buf_puts(b, "\"application\" \"octet-stream\" NIL");
	} else if (f->type.p != NULL) {
		nstring_put_string(b, f->type);
		buf_putc(b, ' ');
		nstring_put_string(b, f->subtype);
		buf_putc(b, ' ');
		put_params(b, f->params);
	} else if (p->kind == MIME_MESSAGE) {
		buf_puts(b, "\"message\" \"rfc822\" NIL");
	} else {
		buf_puts(b, "\"text\" \"plain\" (\"charset\" \"us-ascii\")");
	}
}

static void put_body(struct writer *, const struct mime_part *);

/* body-type-1part */
static void
put_single(struct writer *w, const struct mime_part *p)
{
	const struct mime_fields *f = fields(p);
	struct buf *b = w->b;

	put_type(b, p);
	buf_putc(b, ' ');
	nstring_put(b, f->id);
	buf_putc(b, ' ');
	imapenv_put_text(b, f->description);
	buf_putc(b, ' ');
	if (f->encoding.p == NULL)
		buf_puts(b, "\"7bit\"");
	else
		nstring_put_string(b, f->encoding);
	buf_putc(b, ' ');
	buf_putu(b, p->end.wire - p->body.wire);
	if (p->kind == MIME_MESSAGE) {
		buf_putc(b, ' ');
		imapenv_put(b, w->arena, p->child->envelope);
		buf_putc(b, ' ');
		put_body(w, p->child);
	}
	if (p->kind == MIME_MESSAGE || mime_is(p, "text", NULL)) {
		buf_putc(b, ' ');
		buf_putu(b, p->end.lines - p->body.lines);
	}
	if (w->extended)
		put_extension(b, f, true);
}

/* body-type-mpart = 1*body SP media-subtype [SP body-ext-mpart] */
static void
put_multi(struct writer *w, const struct mime_part *p)
{
	const struct mime_fields *f = fields(p);

	if (p->child == NULL) {
		buf_puts(w->b,
		    "(\"text\" \"plain\" (\"charset\" \"us-ascii\") "
		    "NIL NIL \"7bit\" 0 0");
		buf_puts(w->b, w->extended ? " NIL NIL NIL NIL)" : ")");
	}
	for (const struct mime_part *q = p->child; q != NULL; q = q->next)
		put_body(w, q);
	buf_putc(w->b, ' ');
	nstring_put_string(w->b, f->subtype);
	if (!w->extended)
		return;
	buf_putc(w->b, ' ');
	put_params(w->b, f->params);
	put_extension(w->b, f, false);
}

/* body = "(" (body-type-1part / body-type-mpart) ")" */
static void
put_body(struct writer *w, const struct mime_part *p)
{
	buf_putc(w->b, '(');
	if (p->kind == MIME_MULTIPART)
		put_multi(w, p);
	else
		put_single(w, p);
	buf_putc(w->b, ')');
}

bool
bodystructure_put(
    struct buf *b, struct arena *a, const struct mime_part *root, bool extended)
{
	struct writer w = { b, a, extended };

	put_body(&w, root);
	return !b->over;
}
