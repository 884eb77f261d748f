#include "mail/fields.h"

/* Behind the line at `at`, and those that continue it. */
static size_t
field_end(struct span text, size_t at)
{
	do {
		struct span left = { text.p + at, text.n - at };
		size_t n = span_chr(left, '\n');

		at += n < left.n ? n + 1 : n;
	} while (at < text.n && is_blank(text.p[at]));
	return at;
}

/* The name of the field at `at`; empty for what is none. */
static struct span
field_name(struct span text, size_t at)
{
	struct span name = { text.p + at, 0 };

	while (at + name.n < text.n && is_print(name.p[name.n]) &&
	    name.p[name.n] != ' ' && name.p[name.n] != ':')
		name.n++;
	at += name.n;
	while (at < text.n && is_blank(text.p[at]))
		at++;
	if (at == text.n || text.p[at] != ':')
		name.n = 0;
	return name;
}

/*
 * A field begins at *at: 0 at the end of the text, else where it ends.
 * What is none is passed over.
 */
static size_t
next_field(struct span text, size_t *at, struct span *name)
{
	while (*at < text.n) {
		*name = field_name(text, *at);
		if (name->n > 0)
			return field_end(text, *at);
		*at = field_end(text, *at);
	}
	return 0;
}

/* A line of the value, without its end. */
static struct span
value_line(struct span *value)
{
	size_t n = 0;
	struct span line;

	while (n < value->n && value->p[n] != '\n' && value->p[n] != '\r')
		n++;
	line = span_take(value, n);
	if (span_starts(*value, "\r\n"))
		span_take(value, 2);
	else if (value->n > 0)
		span_take(value, 1);
	return line;
}

static void
put_field(struct buf *b, struct span name, struct span value)
{
	bool first = true;

	buf_put(b, name);
	buf_putc(b, ':');
	while (value.n > 0) {
		struct span line = value_line(&value);

		if (!first && span_trim(line).n == 0)
			continue;
		if (!first)
			buf_putc(b, '\n');
		if (!first && !is_blank(*line.p))
			buf_putc(b, '\t');
		buf_put(b, line);
		first = false;
	}
	buf_putc(b, '\n');
}

/* Put a field, or nothing where name is empty, in place of from to end. */
static bool
replace(struct fields *f, size_t from, size_t end, struct span name,
    struct span value)
{
	struct buf b = { .max = f->text.max };
	size_t tail = f->text.n - end;
	bool ok = true;

	if (name.n > 0)
		put_field(&b, name, value);
	if (b.over || b.n + from + tail > f->text.max ||
	    (b.n > end - from &&
		buf_room(&f->text, b.n - (end - from)) == NULL)) {
		ok = false;
	} else {
		if (tail > 0)
			memmove(f->text.p + from + b.n, f->text.p + end, tail);
		if (b.n > 0)
			memcpy(f->text.p + from, b.p, b.n);
		f->text.n = from + b.n + tail;
	}
	buf_free(&b);
	return ok;
}

bool
fields_add(struct fields *f, struct span name, struct span value)
{
	return replace(f, f->text.n, f->text.n, name, value);
}

bool
fields_insert(
    struct fields *f, uint32_t index, struct span name, struct span value)
{
	struct span text = buf_span(&f->text), n;
	size_t at = f->first, end;

	while ((end = next_field(text, &at, &n)) != 0 && index-- > 0)
		at = end;
	return replace(f, at, at, name, value);
}

bool
fields_change(
    struct fields *f, uint32_t nth, struct span name, struct span value)
{
	struct span text = buf_span(&f->text), n;
	size_t at = f->first, end;

	if (nth == 0)
		nth = 1;
	while ((end = next_field(text, &at, &n)) != 0) {
		if (span_ieq(n, name) && --nth == 0) {
			if (value.n == 0)
				return replace(f, at, end, SPAN(""), value);
			return replace(f, at, end, name, value);
		}
		at = end;
	}
	return value.n == 0 || fields_add(f, name, value);
}
