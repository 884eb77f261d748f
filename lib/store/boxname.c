#include "store/boxname.h"

#include "store/mutf7.h"

/* Each level is encoded alone and may not be empty. */
static bool
put_levels(struct buf *b, struct span name, char separator)
{
	while (name.n > 0) {
		struct span level = span_cut(&name, separator);
		bool last = name.n == 0;

		if (level.n == 0 || span_chr(level, '.') < level.n ||
		    span_chr(level, '/') < level.n)
			return false;
		buf_putc(b, '.');
		if (!mutf7_encode(b, level))
			return false;
		/* A separator at the end leaves an empty level behind it. */
		if (last && name.p[-1] == separator)
			return false;
	}
	return true;
}

static bool
is_text(struct span name)
{
	uint32_t c;

	while (name.n > 0)
		if (!utf8_take(&name, &c) || c < 0x20 ||
		    (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029)
			return false;
	return true;
}

/* INBOX in any case, alone or as the first level. */
static bool
is_inbox(struct span name, char separator)
{
	name.n = span_chr(name, separator);
	return span_iis(name, "INBOX");
}

bool
boxname_dir(struct span name, char separator, char dir[BOXNAME_DIR])
{
	struct buf b;
	bool ok;

	dir[0] = '\0';
	if (name.n == 0 || name.n > LIMIT_MAILBOX_NAME || !is_text(name))
		return false;
	if (span_iis(name, "INBOX"))
		return true;
	buf_init(&b, BOXNAME_DIR - 1);
	if (is_inbox(name, separator)) {
		buf_puts(&b, ".INBOX");
		span_take(&name, 6);
		if (name.n == 0) {
			buf_free(&b);
			return false;
		}
	}
	ok = put_levels(&b, name, separator) &&
	    span_cstr(buf_span(&b), dir, BOXNAME_DIR);
	if (!ok)
		dir[0] = '\0';
	buf_free(&b);
	return ok;
}

bool
boxname_of(struct buf *b, const char *dir, char separator)
{
	struct span s = span_of(dir), level;
	size_t at = b->n;

	if (s.n < 2 || *s.p != '.' || s.p[s.n - 1] == '.')
		return false;
	span_take(&s, 1);
	while (s.n > 0) {
		level = span_cut(&s, '.');
		if (b->n > at)
			buf_putc(b, separator);
		if (level.n == 0 || !mutf7_decode(b, level)) {
			b->n = at;
			return false;
		}
	}
	/* Only what boxname_dir would find again. */
	if (b->over || !is_text((struct span){ b->p + at, b->n - at }) ||
	    span_iis((struct span){ b->p + at, b->n - at }, "INBOX")) {
		b->n = at;
		return false;
	}
	return true;
}

/* The first level of "INBOX.x" is INBOX in any case. */
static bool
take_prefix(const struct boxes *b, struct span *name)
{
	struct span prefix = span_of(b->prefix);
	struct span head = { name->p, prefix.n };

	if (name->n <= prefix.n)
		return false;
	if (!span_eq(head, prefix) &&
	    !(is_inbox(prefix, b->separator) && span_ieq(head, prefix)))
		return false;
	span_take(name, prefix.n);
	return true;
}

bool
boxname_dir_in(const struct boxes *b, struct span name, char dir[BOXNAME_DIR])
{
	dir[0] = '\0';
	if (b->prefix[0] == '\0' || span_iis(name, "INBOX"))
		return boxname_dir(name, b->separator, dir);
	return take_prefix(b, &name) && !span_iis(name, "INBOX") &&
	    boxname_dir(name, b->separator, dir);
}

bool
boxname_of_in(const struct boxes *b, struct buf *name, const char *dir)
{
	size_t at = name->n;

	buf_puts(name, b->prefix);
	if (boxname_of(name, dir, b->separator))
		return true;
	name->n = at;
	return false;
}

bool
boxname_below(const char *dir, const char *parent)
{
	size_t n = strlen(parent);

	return strncmp(dir, parent, n) == 0 && dir[n] == '.';
}
