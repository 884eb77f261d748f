#include "mail/bodystructure.h"

#include "base/num.h"
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

/* A BODYSTRUCTURE of which the extension data are left out. */
struct brief {
	struct buf *b;
	struct span in;
	const char *from; /* what stands from here to in.p is to be copied */
};

/* quoted = DQUOTE *(TEXT-CHAR / "\" quoted-specials) DQUOTE */
static bool
pass_quoted(struct span *in)
{
	span_take(in, 1);
	while (in->n > 0) {
		char c = *span_take(in, 1).p;

		if (c == '"')
			return true;
		if (c == '\\' && in->n > 0)
			span_take(in, 1);
	}
	return false;
}

/* literal = "{" number "}" CRLF *CHAR8 */
static bool
pass_literal(struct span *in)
{
	size_t end = span_chr(*in, '}');
	uint32_t n;

	if (end + 3 > in->n || memcmp(in->p + end, "}\r\n", 3) != 0 ||
	    !num_u32((struct span){ in->p + 1, end - 1 }, &n))
		return false;
	span_take(in, end + 3);
	if (n > in->n)
		return false;
	span_take(in, n);
	return true;
}

/* NIL or a number */
static bool
pass_atom(struct span *in)
{
	size_t n = 0;

	while (n < in->n && is_alnum(in->p[n]))
		n++;
	span_take(in, n);
	return n > 0;
}

/* A string, an atom, or a list of whatever depth */
static bool
pass_value(struct span *in)
{
	size_t depth = 0;
	bool ok = true;

	do {
		char c = in->n == 0 ? '\0' : *in->p;

		if (c == '(' || (depth > 0 && (c == ')' || c == ' '))) {
			depth += (size_t)(c == '(') - (size_t)(c == ')');
			span_take(in, 1);
		} else {
			ok = c == '"'  ? pass_quoted(in)
			    : c == '{' ? pass_literal(in)
				       : pass_atom(in);
		}
	} while (ok && depth > 0);
	return ok;
}

static bool
is_next(const struct brief *w, size_t at, char c)
{
	return at < w->in.n && w->in.p[at] == c;
}

static bool
pass_char(struct brief *w, char c)
{
	if (!is_next(w, 0, c))
		return false;
	span_take(&w->in, 1);
	return true;
}

/* n times SP and a value */
static bool
pass_values(struct brief *w, unsigned n)
{
	while (n-- > 0)
		if (!pass_char(w, ' ') || !pass_value(&w->in))
			return false;
	return true;
}

static void
copy(struct brief *w)
{
	buf_put(w->b, (struct span){ w->from, (size_t)(w->in.p - w->from) });
}

static bool pass_body(struct brief *, unsigned depth);

/* Seven values, what messages and texts have besides, four of extension */
static bool
pass_single(struct brief *w, unsigned depth)
{
	if (!pass_value(&w->in) || !pass_values(w, 6))
		return false;
	if (is_next(w, 1, '(') &&
	    (!pass_values(w, 1) || !pass_char(w, ' ') ||
		!pass_body(w, depth + 1)))
		return false;
	return !(w->in.n > 1 && is_digit(w->in.p[1])) || pass_values(w, 1);
}

/* The parts, the subtype, four of extension */
static bool
pass_multi(struct brief *w, unsigned depth)
{
	while (is_next(w, 0, '('))
		if (!pass_body(w, depth + 1))
			return false;
	return pass_values(w, 1);
}

static bool
pass_body(struct brief *w, unsigned depth)
{
	bool ok;

	if (depth == LIMIT_MIME_DEPTH || !pass_char(w, '('))
		return false;
	ok = is_next(w, 0, '(') ? pass_multi(w, depth) : pass_single(w, depth);
	if (!ok)
		return false;
	copy(w);
	ok = pass_values(w, 4);
	w->from = w->in.p;
	return pass_char(w, ')') && ok;
}

bool
bodystructure_brief(struct buf *b, struct span structure)
{
	struct brief w = { b, structure, structure.p };
	size_t start = b->n;

	if (pass_body(&w, 0) && w.in.n == 0) {
		copy(&w);
		if (!b->over)
			return true;
	}
	b->n = start;
	return false;
}
