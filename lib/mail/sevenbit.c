#include "mail/sevenbit.h"

#include "mail/cte.h"

static bool
is_identity(const struct mime_part *p)
{
	return p->fields == NULL ||
	    cte_kind(p->fields->encoding) == CTE_IDENTITY;
}

/* "8bit" or "binary", as only what holds others may say. */
static bool
says_8bit(const struct mime_part *p)
{
	return p->fields != NULL && p->fields->encoding.p != NULL &&
	    (span_iis(p->fields->encoding, "8bit") ||
		span_iis(p->fields->encoding, "binary"));
}

static bool
is_text(const struct mime_part *p)
{
	return p->kind == MIME_LEAF && is_identity(p) &&
	    !mime_is(p, "multipart", NULL) && !mime_is(p, "message", NULL);
}

static size_t
count(const struct mime_part *p)
{
	size_t n = 0;

	for (; p != NULL; p = mime_following(p))
		n++;
	return n;
}

static void
add(struct sevenbit *s, enum sevenbit_kind kind, const struct mime_part *p)
{
	struct sevenbit_place *to = &s->places[s->n++];

	to->kind = kind;
	to->root = p->parent == NULL;
	to->from = kind == SEVENBIT_BODY ? p->body.file : p->head.file;
	to->to = kind == SEVENBIT_BODY ? p->end.file : p->body.file;
}

bool
sevenbit_plan(struct arena *a, const struct mime_part *root,
    bool (*has_8bit)(void *ctx, uint64_t from, uint64_t to), void *ctx,
    struct sevenbit *s)
{
	size_t size = 2 * count(root) * sizeof(s->places[0]);

	*s = (struct sevenbit){ .n = 0 };
	if (size + 64 > arena_left(a))
		return false;
	s->places = arena_alloc(a, size);
	for (const struct mime_part *p = root; p != NULL;
	     p = mime_following(p)) {
		if (is_text(p) && has_8bit(ctx, p->body.file, p->end.file)) {
			add(s, SEVENBIT_QP_HEAD, p);
			add(s, SEVENBIT_BODY, p);
		} else if (says_8bit(p)) {
			add(s, SEVENBIT_PLAIN_HEAD, p);
		}
	}
	return true;
}

static bool
is_blank_line(struct span line)
{
	return line.n == 0 || span_is(line, "\r");
}

static void
put_fields(struct buf *b, const struct sevenbit_place *p, bool mime, bool type)
{
	if (p->root && !mime)
		buf_puts(b, "MIME-Version: 1.0\n");
	if (p->root && !mime && !type)
		buf_puts(b, "Content-Type: text/plain; charset=unknown-8bit\n");
	buf_puts(b,
	    p->kind == SEVENBIT_QP_HEAD
		? "Content-Transfer-Encoding: quoted-printable\n"
		: "Content-Transfer-Encoding: 7bit\n");
}

bool
sevenbit_head(struct buf *b, const struct sevenbit_place *p, struct span head)
{
	bool drop = false, mime = false, type = false;

	while (head.n > 0) {
		struct span all = head, line = span_cut(&head, '\n');

		if (is_blank_line(line)) {
			head = all;
			break;
		}
		all.n -= head.n;
		if (!is_blank(*line.p))
			drop = span_istarts(line, "Content-Transfer-Encoding");
		mime |= span_istarts(line, "MIME-Version");
		type |= span_istarts(line, "Content-Type");
		if (!drop)
			buf_put(b, all);
	}
	if (b->n > 0 && b->p[b->n - 1] != '\n')
		buf_putc(b, '\n');
	put_fields(b, p, mime, type);
	return buf_put(b, head) && !b->over;
}
