#include "mail/mime.h"

#include "base/num.h"
#include "mail/lines.h"

enum {
	/* What is left of the arena for the structure itself. */
	RESERVE = 4096,
	LINES_WORTH = 64, /* bytes, to be counted together */
	FIELD_MAX = LIMIT_HEADER_FIELD
};

static struct mime_part *
new_part(struct mime *m, struct mime_part *parent, bool message)
{
	struct mime_part *p = arena_alloc(m->arena, sizeof(*p));

	if (message)
		p->envelope = arena_alloc(m->arena, sizeof(*p->envelope));
	p->parent = parent;
	p->head = p->body = p->end = m->at;
	m->part = p;
	m->nparts++;
	m->in_header = true;
	header_again(&m->header, FIELD_MAX);
	return p;
}

void
mime_init(struct mime *m, struct arena *a)
{
	*m = (struct mime){ .arena = a, .last = '\n' };
	m->root = new_part(m, NULL, true);
}

static bool
has_room(const struct mime *m)
{
	return m->nparts < LIMIT_MIME_PARTS &&
	    arena_left(m->arena) >
	    2 * (sizeof(struct mime_part) + sizeof(struct imapenv)) + RESERVE;
}

bool
mime_is(const struct mime_part *p, const char *type, const char *subtype)
{
	const struct mime_part *up = p->parent;
	const struct mime_fields *f = p->fields;

	if (f == NULL || f->type.p == NULL) {
		/* RFC 2046, section 5.1.5 */
		if (up != NULL && up->kind == MIME_MULTIPART &&
		    up->fields != NULL &&
		    span_iis(up->fields->subtype, "digest"))
			return strcmp(type, "message") == 0 &&
			    (subtype == NULL || strcmp(subtype, "rfc822") == 0);
		return strcmp(type, "text") == 0 &&
		    (subtype == NULL || strcmp(subtype, "plain") == 0);
	}
	return span_iis(f->type, type) &&
	    (subtype == NULL || span_iis(f->subtype, subtype));
}

/* 7bit, 8bit, binary and nonsense: no decoding is needed. */
static bool
is_identity(const struct mime_part *p)
{
	struct span e =
	    p->fields == NULL ? (struct span){ NULL, 0 } : p->fields->encoding;

	return !span_iis(e, "base64") && !span_iis(e, "quoted-printable");
}

static void
open_multipart(struct mime *m, struct mime_part *p)
{
	struct span b = mimefield_param(p->fields->params, "boundary");

	while (b.n > 0 && is_blank(b.p[b.n - 1]))
		b.n--;
	if (b.p == NULL || b.n == 0 || b.n > MIME_BOUNDARY)
		return;
	p->kind = MIME_MULTIPART;
	m->level[m->nlevels++] = (struct mime_level){ b, p, &p->child };
	m->depth++;
}

/* The blank line was seen: what kind of a part is this? */
static void
header_done(struct mime *m)
{
	struct mime_part *p = m->part;

	m->in_header = false;
	m->telling = m->hooks != NULL;
	p->body = p->end = m->at;
	if (m->depth + 1 >= LIMIT_MIME_DEPTH || !has_room(m))
		return;
	if (p->fields != NULL && mime_is(p, "multipart", NULL)) {
		open_multipart(m, p);
	} else if ((mime_is(p, "message", "rfc822") ||
		       mime_is(p, "message", "global")) &&
	    is_identity(p)) {
		p->kind = MIME_MESSAGE;
		m->depth++;
		p->child = new_part(m, p, true);
	}
}

static void
note(struct mime *m)
{
	struct mime_part *p = m->part;
	struct header *h = &m->header;

	if (m->hooks != NULL && p == m->root)
		m->hooks->field(m->hooks->ctx, h);
	if (span_istarts(h->name, "Content-")) {
		if (p->fields == NULL && has_room(m))
			p->fields = arena_alloc(m->arena, sizeof(*p->fields));
		if (p->fields != NULL)
			mimefield_note(
			    m->arena, p->fields, h->name, h->body, RESERVE);
	} else if (p->envelope != NULL) {
		imapenv_note(m->arena, p->envelope, h->name, h->body, RESERVE);
	}
}

/* Whether a line that may be a boundary begins here. */
static bool
is_candidate(const char *p, const char *end)
{
	return *p == '-' && (p + 1 == end || p[1] == '-');
}

/* As many as go without a look at each; how many bytes that are. */
static size_t
pass_lines(struct mime *m, struct span s, bool bounded, struct lines *l)
{
	uint64_t before = l->n;
	size_t n = lines_add(l, s, bounded);
	const char *p = s.p + n;

	if (l->n > before) {
		while (*--p != '\n')
			;
		m->eol = p[-1] == '\r' ? 2 : 1;
	}
	return n;
}

/*
 * Lines off the front of *in, counted; with `bounded` up to one that may be
 * a boundary.  Nearly all bytes of nearly all messages pass here.
 */
static struct span
take_lines(struct mime *m, struct span *in, bool bounded)
{
	const char *p = in->p, *end = in->p + in->n;
	struct lines l = { 0 };
	char last = m->last;
	struct span s;

	while (p < end) {
		const char *lf;
		bool cr;

		if (p > in->p && end - p >= LINES_WORTH) {
			p += pass_lines(m,
			    (struct span){ p, (size_t)(end - p) }, bounded, &l);
			last = p[-1];
		}
		if (bounded && p < end && last == '\n' && is_candidate(p, end))
			break;
		lf = memchr(p, '\n', (size_t)(end - p));
		if (lf == NULL) {
			last = end[-1];
			p = end;
			break;
		}
		cr = (lf > p ? lf[-1] : last) == '\r';
		m->eol = cr ? 2 : 1;
		l.crlf += cr;
		l.n++;
		last = '\n';
		p = lf + 1;
	}
	s = span_take(in, (size_t)(p - in->p));
	m->last = last;
	m->at.file += s.n;
	m->at.wire += s.n + l.n - l.crlf;
	m->at.lines += l.n;
	return s;
}

/* Up to the end of the header. */
static void
header_text(struct mime *m, struct span *in)
{
	struct span all = *in;
	enum header_event e;

	while ((e = header_next(&m->header, in)) == HEADER_FIELD)
		note(m);
	all.n -= in->n;
	take_lines(m, &all, false);
	if (e == HEADER_END)
		header_done(m);
}

static void
tell(struct mime *m, struct span s)
{
	m->telling = m->part->kind == MIME_LEAF &&
	    m->hooks->text(m->hooks->ctx, m->part, s);
}

/* Text that is no boundary: in a header, a line at most. */
static void
text(struct mime *m, struct span s)
{
	if (m->in_header) {
		header_text(m, &s);
		return;
	}
	s = take_lines(m, &s, false);
	if (m->telling)
		tell(m, s);
}

/* A multipart has a part, if only an empty one, wherever that can be. */
static void
add_empty(struct mime *m, struct mime_part *p)
{
	if (!has_room(m))
		return;
	p->child = arena_alloc(m->arena, sizeof(*p->child));
	p->child->parent = p;
	p->child->head = p->child->body = p->child->end = p->end;
	m->nparts++;
}

/*
 * Parts end in front of a boundary: the line end before it belongs to it
 * (RFC 2046, section 5.1.1).
 */
static void
close_parts(struct mime *m, struct mime_part *up_to, struct mime_at before)
{
	if (m->in_header) { /* cut off: what there is, is header */
		while (header_eof(&m->header) == HEADER_FIELD)
			note(m);
		m->in_header = false;
		m->part->body = before;
	}
	for (struct mime_part *p = m->part; p != up_to; p = p->parent) {
		p->end = before;
		if (p->end.file < p->body.file)
			p->end = p->body;
		if (p->kind == MIME_MULTIPART && p->child == NULL)
			add_empty(m, p);
		if (p->kind != MIME_LEAF)
			m->depth--;
	}
	m->part = up_to;
	m->telling = false;
}

/*
 * What follows the boundary in a line that is one: nothing, "--", or with
 * `text` either of them and a blank and more.
 */
static bool
ends_boundary(struct span rest, bool text, bool *last)
{
	*last = span_starts(rest, "--");
	if (*last)
		span_take(&rest, 2);
	return rest.n == 0 || (text && is_blank(*rest.p));
}

/*
 * The level whose boundary the line is; nlevels when it is none.  One that
 * the line has and nothing else comes first, though a line need only begin
 * with it (RFC 2046, section 5.1.1).
 */
static size_t
find_level(const struct mime *m, struct span line, bool *last)
{
	while (line.n > 0 &&
	    (is_blank(line.p[line.n - 1]) || line.p[line.n - 1] == '\r' ||
		line.p[line.n - 1] == '\n'))
		line.n--;
	span_take(&line, 2);
	for (int text = 0; text < 2; text++)
		for (size_t i = m->nlevels; i-- > 0;) {
			struct span b = m->level[i].boundary, rest = line;

			if (line.n < b.n || memcmp(line.p, b.p, b.n) != 0)
				continue;
			span_take(&rest, b.n);
			if (ends_boundary(rest, text == 1, last))
				return i;
		}
	return m->nlevels;
}

/* A whole line that begins with "--"; false when it is mere text. */
static bool
boundary(struct mime *m, struct span line)
{
	bool last = false;
	size_t i = find_level(m, line, &last);
	struct mime_at before = m->at;
	struct mime_part *up;

	if (i == m->nlevels || (!last && !has_room(m)))
		return false;
	up = m->level[i].part;
	if (before.file > m->part->body.file && m->eol > 0 && !m->in_header) {
		before.file -= m->eol;
		before.wire -= 2;
		before.lines--;
	}
	close_parts(m, up, before);
	m->nlevels = last ? i : i + 1;
	take_lines(m, &line, false);
	if (last)
		return true;
	*m->level[i].tail = new_part(m, up, false);
	m->level[i].tail = &m->part->next;
	return true;
}

/*
 * A line may be a boundary as long as it begins with "--" and is short
 * enough: it is held until that is known.
 */
static bool
hold(struct mime *m, struct span *in)
{
	struct span held;
	bool ended = false;

	if (m->nline == 0 &&
	    (m->last != '\n' || !is_candidate(in->p, in->p + in->n)))
		return false;
	while (in->n > 0 && m->nline < sizeof(m->line) && !ended) {
		if (m->nline == 1 && *in->p != '-')
			break;
		ended = *in->p == '\n';
		m->line[m->nline++] = *in->p;
		span_take(in, 1);
	}
	if (in->n == 0 && !ended && m->nline < sizeof(m->line))
		return true; /* more to come */
	held = (struct span){ m->line, m->nline };
	m->nline = 0;
	if (!ended || !boundary(m, held))
		text(m, held);
	return true;
}

bool
mime_has_head(const struct mime *m)
{
	return m->part != m->root || !m->in_header;
}

void
mime_feed(struct mime *m, struct span in)
{
	while (in.n > 0 && !(m->head_only && mime_has_head(m))) {
		struct span piece;
		size_t lf;

		if (m->nlevels == 0 && m->in_header) {
			header_text(m, &in);
			continue;
		}
		if (m->nlevels > 0 && hold(m, &in))
			continue;
		if (m->in_header) {
			lf = span_chr(in, '\n');
			text(m, span_take(&in, lf < in.n ? lf + 1 : lf));
			continue;
		}
		piece = take_lines(m, &in, m->nlevels > 0);
		if (m->telling && piece.n > 0)
			tell(m, piece);
	}
}

struct mime_part *
mime_end(struct mime *m)
{
	struct span held = { m->line, m->nline };

	m->nline = 0;
	if (held.n > 0 && !boundary(m, held))
		text(m, held);
	close_parts(m, NULL, m->at);
	header_free(&m->header);
	return m->root;
}

/* Where part numbers count: the multipart, else the part itself. */
static struct mime_part *
nth(struct mime_part *message, uint32_t n)
{
	struct mime_part *p = message;

	if (message->kind != MIME_MULTIPART)
		return n == 1 ? message : NULL;
	for (p = message->child; p != NULL && n > 1; n--)
		p = p->next;
	return p;
}

/* section-part = nz-number *("." nz-number) */
struct mime_part *
mime_find(struct mime_part *root, struct span number, struct mime_part **inner)
{
	struct mime_part *p = root, *in = root;

	while (number.n > 0) {
		uint32_t n;

		if (in == NULL || !num_u32(span_cut(&number, '.'), &n) ||
		    n == 0)
			return NULL;
		p = nth(in, n);
		if (p == NULL)
			return NULL;
		in = p->kind == MIME_MESSAGE    ? p->child
		    : p->kind == MIME_MULTIPART ? p
						: NULL;
	}
	*inner = in != NULL && in->envelope != NULL ? in : NULL;
	return p;
}

const struct mime_part *
mime_following(const struct mime_part *p)
{
	if (p->child != NULL)
		return p->child;
	while (p != NULL && p->next == NULL)
		p = p->parent;
	return p == NULL ? NULL : p->next;
}
