/* BODY[...]: a part of the message, by its place in the file. */
#include "fetch.h"
#include "mail/nstring.h"

enum { FIELDS_MAX = LIMIT_HEADER };

static const char *const texts[] = {
	[SECTION_ALL] = "",
	[SECTION_HEADER] = "HEADER",
	[SECTION_FIELDS] = "HEADER.FIELDS",
	[SECTION_FIELDS_NOT] = "HEADER.FIELDS.NOT",
	[SECTION_TEXT] = "TEXT",
	[SECTION_MIME] = "MIME",
};

/* Names as clients wrote them: some compare the label. */
static bool
is_atom(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!is_alnum(s.p[i]) && s.p[i] != '-' && s.p[i] != '_')
			return false;
	return !span_iis(s, "NIL");
}

/* "BODY[" section "]" "<" number ">" */
static void
put_label(struct buf *b, const struct item *it)
{
	const char *sep = " (";

	if (it->label != NULL) {
		buf_puts(b, it->label);
		return;
	}
	buf_puts(b,
	    it->kind == ITEM_SECTION      ? "BODY["
		: it->kind == ITEM_BINARY ? "BINARY["
					  : "BINARY.SIZE[");
	buf_put(b, it->number);
	if (it->section != SECTION_ALL && it->number.n > 0)
		buf_putc(b, '.');
	buf_puts(b, texts[it->section]);
	for (const struct imap_arg *a = it->names; a != NULL; a = a->next) {
		buf_puts(b, sep);
		sep = " ";
		if (is_atom(a->text))
			buf_put(b, a->text);
		else
			nstring_put_string(b, a->text);
	}
	buf_puts(b, it->names != NULL ? ")]" : "]");
	if (it->partial) {
		buf_putc(b, '<');
		buf_putu(b, it->from);
		buf_putc(b, '>');
	}
}

/* Whether all of the fields are such that the index keeps them. */
static bool
are_kept(struct item *it)
{
	if (it->section != SECTION_FIELDS || it->number.n > 0 || it->partial)
		return false;
	for (const struct imap_arg *a = it->names; a != NULL; a = a->next) {
		int id = digest_field_id(a->text);

		if (id == -1)
			return false;
		it->fields |= UINT64_C(1) << id;
	}
	return true;
}

void
section_prepare(struct imap *im, struct item *it)
{
	struct buf b = { .max = LIMIT_IMAP_ARENA };

	if (it->kind != ITEM_SECTION && it->kind != ITEM_BINARY &&
	    it->kind != ITEM_BINARY_SIZE)
		return;
	put_label(&b, it);
	if (b.n < arena_left(&im->e.arena))
		it->said = arena_span(&im->e.arena, buf_span(&b));
	buf_free(&b);
	it->kept = are_kept(it);
}

void
section_put_kept(struct imap *im, const struct item *it, struct span fields)
{
	struct span s = fields, line;
	size_t n = 2;
	int id;

	while (digest_field_next(&s, &id, &line))
		if (it->fields >> id & 1)
			n += line.n;
	out_put(&im->out, it->said);
	out_puts(&im->out, " {");
	out_putu(&im->out, n);
	out_puts(&im->out, "}\r\n");
	while (digest_field_next(&fields, &id, &line))
		if (it->fields >> id & 1)
			out_put(&im->out, line);
	out_puts(&im->out, "\r\n");
}

static void
put_range(
    struct imap *im, const struct item *it, struct mime_at start, uint64_t to)
{
	uint64_t from = start.wire, n = to - from;

	if (it->partial) {
		uint64_t skip = it->from < n ? it->from : n;

		from += skip;
		n -= skip;
		if (n > it->count)
			n = it->count;
	}
	if (n == 0) {
		out_puts(&im->out, " \"\"");
		return;
	}
	out_puts(&im->out, " {");
	out_putu(&im->out, n);
	out_puts(&im->out, "}\r\n");
	body_send(im, start, from, from + n);
}

static bool
is_named(const struct imap_arg *a, struct span name)
{
	for (; a != NULL; a = a->next)
		if (span_ieq(a->text, name))
			return true;
	return false;
}

/* One field, its lines ended by CRLF. */
static void
add_field(struct buf *b, struct span raw)
{
	while (raw.n > 0) {
		struct span line = span_cut(&raw, '\n');
		size_t start = b->n;

		if (line.n > 0 && line.p[line.n - 1] == '\r')
			line.n--;
		buf_put(b, line);
		for (size_t i = start; i < b->n; i++)
			if (b->p[i] == '\0')
				b->p[i] = (char)0x80;
		buf_puts(b, "\r\n");
	}
}

/* The chosen fields of the header that begins at `file`. */
static void
put_fields(struct imap *im, const struct item *it, uint64_t file, uint64_t end)
{
	struct buf b = { .max = FIELDS_MAX + 4 };
	bool not = it->section == SECTION_FIELDS_NOT, done = false;
	struct span piece, s;
	struct header h;
	struct in in;

	header_init(&h, LIMIT_HEADER);
	if (body_seek(im, file, &in) == -1)
		done = true;
	while (!done && file < end && in_next(&in, &piece) == 1) {
		enum header_event e;

		if (piece.n > end - file)
			piece.n = (size_t)(end - file);
		file += piece.n;
		while ((e = header_next(&h, &piece)) == HEADER_FIELD)
			if (is_named(it->names, h.name) != not )
				add_field(&b, h.raw);
		done = e == HEADER_END;
	}
	while (!done && header_eof(&h) == HEADER_FIELD)
		if (is_named(it->names, h.name) != not )
			add_field(&b, h.raw);
	header_free(&h);
	buf_puts(&b, "\r\n");
	s = buf_span(&b);
	if (it->partial) {
		span_take(&s, it->from < s.n ? (size_t)it->from : s.n);
		if (s.n > it->count)
			s.n = (size_t)it->count;
	}
	out_puts(&im->out, " {");
	out_putu(&im->out, s.n);
	out_puts(&im->out, "}\r\n");
	out_put(&im->out, s);
	buf_free(&b);
}

/* The message itself: no need to know its parts. */
static void
put_whole(struct imap *im, const struct item *it)
{
	struct mime_at start = { 0 };
	uint64_t size = 0;

	switch (it->section) {
	case SECTION_FIELDS:
	case SECTION_FIELDS_NOT:
		put_fields(im, it, 0, UINT64_MAX);
		return;
	case SECTION_HEADER:
		put_range(im, it, start, body_head(im).wire);
		return;
	case SECTION_TEXT:
		start = body_head(im);
		break;
	case SECTION_ALL:
	case SECTION_MIME:
		break;
	}
	if (body_size(im, true, &size) == -1 || size < start.wire)
		size = start.wire;
	put_range(im, it, start, size);
}

static void
put_nil(struct imap *im)
{
	out_puts(&im->out, " NIL");
}

void
section_put(struct imap *im, const struct item *it)
{
	struct mime_part *tree, *p, *inner;

	out_put(&im->out, it->said);
	if (it->number.n == 0) {
		put_whole(im, it);
		return;
	}
	tree = body_tree(im);
	p = tree == NULL ? NULL : mime_find(tree, it->number, &inner);
	if (p == NULL) {
		put_nil(im);
		return;
	}
	switch (it->section) {
	case SECTION_ALL:
		put_range(im, it, p->body, p->end.wire);
		return;
	case SECTION_MIME:
		put_range(im, it, p->head, p->body.wire);
		return;
	case SECTION_HEADER:
	case SECTION_FIELDS:
	case SECTION_FIELDS_NOT:
	case SECTION_TEXT:
		break;
	}
	if (inner == NULL)
		put_nil(im);
	else if (it->section == SECTION_HEADER)
		put_range(im, it, inner->head, inner->body.wire);
	else if (it->section == SECTION_TEXT)
		put_range(im, it, inner->body, inner->end.wire);
	else
		put_fields(im, it, inner->head.file, inner->body.file);
}
