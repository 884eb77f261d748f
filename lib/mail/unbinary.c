#include "mail/unbinary.h"

#include "base/enc.h"

enum { LINE_64 = 76, GROUP = 3, RESERVE = 64 };

static void
put(struct unbinary *u, char c)
{
	if (u->nout == sizeof(u->out))
		u->bad = true;
	else
		u->out[u->nout++] = c;
}

static void
put_all(struct unbinary *u, struct span s)
{
	while (s.n > 0)
		put(u, *span_take(&s, 1).p);
}

/* The octets of a group, in base64. */
static void
put_group(struct unbinary *u)
{
	char text[8];
	struct buf b = { text, 0, sizeof(text), sizeof(text) - 1, false };

	enc_base64(&b, (struct span){ u->octs, u->nocts });
	put_all(u, buf_span(&b));
	u->nocts = 0;
	u->column += b.n;
	if (u->column == LINE_64) {
		put(u, '\n');
		u->column = 0;
	}
}

static void
end_base64(struct unbinary *u)
{
	if (u->nocts > 0)
		put_group(u);
	if (u->column > 0)
		put(u, '\n');
	u->column = 0;
}

static void
begin_entity(struct unbinary *u, bool message, bool digest)
{
	u->mode = UNBINARY_HEADER;
	u->message = message;
	u->digest = digest;
	u->field = UNBINARY_PASS;
	u->fields = u->in_name = u->mime = false;
	u->binary = u->encoded = u->has_type = u->has_encoding = false;
	u->cr = u->inside = false;
	u->nname = u->ntype = u->nheld = 0;
}

void
unbinary_init(struct unbinary *u, struct arena *a)
{
	memset(u, 0, sizeof(*u));
	u->arena = a;
	begin_entity(u, true, false);
}

/* The first encoding counts, and one that says binary goes. */
static void
end_field(struct unbinary *u)
{
	struct span held = { u->held, u->nheld }, body = held;
	struct arena_mark mark = arena_mark(u->arena);
	struct mime_fields f = { .type = { NULL, 0 } };
	bool binary;

	u->field = UNBINARY_PASS;
	u->nheld = 0;
	if (held.n == 0)
		return;
	span_cut(&body, ':');
	mimefield_note(
	    u->arena, &f, SPAN("Content-Transfer-Encoding"), body, RESERVE);
	binary = span_iis(f.encoding, "binary");
	if (!u->has_encoding) {
		u->binary = binary;
		u->encoded = span_iis(f.encoding, "base64") ||
		    span_iis(f.encoding, "quoted-printable");
	}
	u->has_encoding = true;
	if (!binary)
		put_all(u, held);
	arena_release(u->arena, mark);
}

/* The name of a field is known. */
static void
begin_field(struct unbinary *u)
{
	struct span name = span_trim((struct span){ u->name, u->nname });

	u->in_name = false;
	u->fields = true;
	for (size_t i = 0; i < name.n; i++)
		if (is_blank(name.p[i]))
			u->bad = true;
	if (span_iis(name, "MIME-Version"))
		u->mime = true;
	if (span_iis(name, "Content-Type") && !u->has_type) {
		u->has_type = true;
		u->field = UNBINARY_TYPE;
	}
	if (span_iis(name, "Content-Transfer-Encoding")) {
		u->field = UNBINARY_ENCODING;
		memcpy(u->held, u->name, u->nname);
		u->nheld = u->nname;
	} else {
		put_all(u, (struct span){ u->name, u->nname });
	}
}

static void
name_octet(struct unbinary *u, char c)
{
	if (c == ':' && u->nname > 0) {
		begin_field(u);
	} else if ((!is_print(c) && c != '\t') || c == ':' ||
	    (u->nname == 0 && is_blank(c))) {
		u->bad = true; /* a line that is no field */
		return;
	} else if (u->nname == sizeof(u->name)) {
		put_all(u, (struct span){ u->name, u->nname });
		u->in_name = false;
		u->fields = true;
	} else {
		u->name[u->nname++] = c;
		return;
	}
	if (u->field == UNBINARY_ENCODING)
		u->held[u->nheld++] = c;
	else
		put(u, c);
}

static void
field_octet(struct unbinary *u, char c)
{
	if (u->field == UNBINARY_ENCODING) {
		if (u->nheld == sizeof(u->held))
			u->bad = true;
		else
			u->held[u->nheld++] = c;
		return;
	}
	put(u, c);
	if (u->field != UNBINARY_TYPE)
		return;
	if (u->ntype == sizeof(u->type))
		u->bad = true;
	else
		u->type[u->ntype++] = c;
}

/* What the binary part is labelled as from now on. */
static void
label(struct unbinary *u, const char *encoding)
{
	if (!u->binary)
		return;
	if (u->message && !u->mime)
		put_all(u, SPAN("MIME-Version: 1.0\n"));
	put_all(u, SPAN("Content-Transfer-Encoding: "));
	put_all(u, span_of(encoding));
	put(u, '\n');
}

static bool
push(struct unbinary *u, const struct mime_fields *f)
{
	struct span b = mimefield_param(f->params, "boundary");

	while (b.n > 0 && is_blank(b.p[b.n - 1]))
		b.n--;
	if (b.n == 0 || b.n > MIME_BOUNDARY || u->nlevels == LIMIT_MIME_DEPTH ||
	    u->nroom + b.n > UNBINARY_ROOM)
		return false;
	memcpy(u->room + u->nroom, b.p, b.n);
	u->level[u->nlevels++] = (struct unbinary_level){ u->nroom, b.n,
		span_iis(f->subtype, "digest") };
	u->nroom += b.n;
	return true;
}

enum kind { LEAF, MULTIPART, MESSAGE, OTHER_MESSAGE };

static enum kind
kind_of(const struct unbinary *u, const struct mime_fields *f)
{
	struct span type = f->type, sub = f->subtype;

	if (type.n == 0 && u->digest) {
		type = SPAN("message");
		sub = SPAN("rfc822");
	}
	if (span_iis(type, "multipart"))
		return MULTIPART;
	if (!span_iis(type, "message"))
		return LEAF;
	return (span_iis(sub, "rfc822") || span_iis(sub, "global")) &&
		!u->encoded
	    ? MESSAGE
	    : OTHER_MESSAGE;
}

/* The blank line: what kind of an entity is this? */
static void
end_header(struct unbinary *u, bool blank)
{
	struct arena_mark mark = arena_mark(u->arena);
	struct mime_fields f = { .type = { NULL, 0 } };
	enum kind kind;

	end_field(u);
	mimefield_note(u->arena, &f, SPAN("Content-Type"),
	    (struct span){ u->type, u->ntype }, RESERVE);
	kind = kind_of(u, &f);
	label(u, kind == LEAF ? "base64" : "8bit");
	if (blank)
		put(u, '\n');
	u->mode = kind == LEAF && u->binary ? UNBINARY_BASE64 : UNBINARY_TEXT;
	if (kind == MULTIPART && !push(u, &f) && u->binary)
		u->bad = true;
	if (kind == MESSAGE)
		begin_entity(u, true, false);
	arena_release(u->arena, mark);
}

/* An octet of a header, line ends being LF. */
static void
header_octet(struct unbinary *u, char c)
{
	bool bol = !u->inside;

	u->inside = c != '\n';
	if (bol && c == '\n') {
		end_header(u, true);
		return;
	}
	if (bol && !(is_blank(c) && u->fields)) {
		end_field(u);
		u->in_name = true;
		u->nname = 0;
	}
	if (u->in_name)
		name_octet(u, c);
	else
		field_octet(u, c);
}

/* Text: only CRLF ends a line, and a NUL is none. */
static void
line_octet(struct unbinary *u, char c)
{
	bool cr = u->cr;

	u->cr = !cr && c == '\r';
	if (u->cr)
		return;
	if (cr != (c == '\n') || c == '\0' || c == '\r') {
		u->bad = true;
	} else if (u->mode == UNBINARY_HEADER) {
		header_octet(u, c);
	} else {
		put(u, c);
		u->inside = c != '\n';
	}
}

static void
octet(struct unbinary *u, char c)
{
	if (u->mode != UNBINARY_BASE64) {
		line_octet(u, c);
		return;
	}
	u->inside = true;
	u->octs[u->nocts++] = c;
	if (u->nocts == GROUP)
		put_group(u);
}

/* Without its CRLF, of which the end of all may have cut off the LF. */
static struct span
without_end(struct span line)
{
	if (line.n > 0 && line.p[line.n - 1] == '\n')
		line.n--;
	if (line.n > 0 && line.p[line.n - 1] == '\r')
		line.n--;
	return line;
}

/*
 * The level whose boundary the line is; nlevels when it is none.  Blanks
 * may stand behind it, but no CR (RFC 2046, section 5.1.1).
 */
static size_t
find_level(const struct unbinary *u, struct span line, bool *last)
{
	while (line.n > 0 && is_blank(line.p[line.n - 1]))
		line.n--;
	if (line.n < 2)
		return u->nlevels;
	span_take(&line, 2);
	for (size_t i = u->nlevels; i-- > 0;) {
		struct span b = { u->room + u->level[i].at, u->level[i].n };

		if (line.n < b.n || memcmp(line.p, b.p, b.n) != 0)
			continue;
		*last = line.n == b.n + 2 && line.p[b.n] == '-' &&
		    line.p[b.n + 1] == '-';
		if (*last || line.n == b.n)
			return i;
	}
	return u->nlevels;
}

/* A line that begins with "--": false when it is mere content. */
static bool
boundary(struct unbinary *u, struct span line)
{
	bool last = false;
	size_t i;

	line = without_end(line);
	i = find_level(u, line, &last);
	if (i == u->nlevels)
		return false;
	if (u->mode == UNBINARY_HEADER)
		end_header(u, false);
	if (u->mode == UNBINARY_BASE64)
		end_base64(u);
	put_all(u, line);
	put(u, '\n');
	u->nlevels = last ? i : i + 1;
	u->nroom = u->level[i].at + (last ? 0 : u->level[i].n);
	begin_entity(u, false, u->level[i].digest);
	if (last)
		u->mode = UNBINARY_TEXT;
	return true;
}

/* What was held is content, but for the last `keep` octets. */
static void
release(struct unbinary *u, size_t keep)
{
	size_t n = u->nhold - keep;

	for (size_t i = 0; i < n; i++)
		octet(u, u->hold[i]);
	memmove(u->hold, u->hold + n, keep);
	u->nhold = keep;
}

/* Of a part that is encoded, the CRLF before a boundary is not content. */
static size_t
line_at(const struct unbinary *u)
{
	return u->hold[0] == '\r' ? 2 : 0;
}

static bool
may_begin(const struct unbinary *u, char c)
{
	if (u->nlevels == 0)
		return false;
	return u->mode == UNBINARY_BASE64
	    ? c == '\r' || (c == '-' && !u->inside)
	    : c == '-' && !u->inside && !u->cr;
}

/* Whether what is held, with its last octet, may be [CRLF] "--" text. */
static bool
may_go_on(const struct unbinary *u)
{
	size_t at = line_at(u), i = u->nhold - 1;

	if (at == 2 && i == 1)
		return u->hold[1] == '\n';
	return (at == 2 && i == 0) || i >= at + 2 || u->hold[i] == '-';
}

static void
feed(struct unbinary *u, char c)
{
	size_t at, n;
	bool base64 = u->mode == UNBINARY_BASE64;

	if (u->nhold == 0 && !may_begin(u, c)) {
		octet(u, c);
		return;
	}
	u->hold[u->nhold++] = c;
	if (!may_go_on(u)) {
		u->nhold--;
		release(u, 0);
		if (may_begin(u, c))
			u->hold[u->nhold++] = c;
		else
			octet(u, c);
		return;
	}
	at = line_at(u);
	n = u->nhold;
	if (n >= at + 4 && u->hold[n - 2] == '\r' && c == '\n') {
		struct span line = { u->hold + at, n - at };

		if (boundary(u, line))
			u->nhold = 0;
		else
			release(u, base64 ? 2 : 0);
	} else if (n == sizeof(u->hold)) {
		release(u, base64 && c == '\r' ? 1 : 0);
	}
}

enum unbinary_result
unbinary_next(struct unbinary *u, struct span *in, struct span *piece)
{
	if (u->given)
		u->nout = 0;
	u->given = false;
	while (in->n > 0 && !u->bad && u->nout < sizeof(u->out) / 2)
		feed(u, *span_take(in, 1).p);
	if (u->bad)
		return UNBINARY_BAD;
	if (u->nout == 0)
		return UNBINARY_MORE;
	u->given = true;
	*piece = (struct span){ u->out, u->nout };
	return UNBINARY_PIECE;
}

void
unbinary_end(struct unbinary *u)
{
	if (u->given)
		u->nout = 0;
	u->given = false;
	if (u->nhold > 0) {
		size_t at = line_at(u);
		struct span line = { u->hold + at, u->nhold - at };

		if (u->nhold >= at + 2 && boundary(u, line))
			u->nhold = 0;
		else
			release(u, 0);
	}
	if (u->cr)
		u->bad = true;
	switch (u->mode) {
	case UNBINARY_HEADER:
		if (u->inside)
			header_octet(u, '\n');
		end_header(u, false);
		break;
	case UNBINARY_TEXT:
		if (u->inside)
			put(u, '\n');
		break;
	case UNBINARY_BASE64:
		end_base64(u);
		break;
	}
}
