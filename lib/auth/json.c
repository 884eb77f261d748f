#include "auth/json.h"

#include "base/buf.h"
#include "base/enc.h"
#include "base/limits.h"
#include "base/num.h"

static void
skip_blanks(struct span *s)
{
	while (s->n > 0 && strchr(" \t\r\n", *s->p) != NULL && *s->p != '\0')
		span_take(s, 1);
}

/* The four digits behind \u; -1 when they are none. */
static long
code_unit(struct span *s)
{
	long v = 0;

	if (s->n < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		int d = hex_value(*span_take(s, 1).p);

		if (d == -1)
			return -1;
		v = v << 4 | d;
	}
	return v;
}

/* What follows a backslash: its code point, or -1. */
static long
escape(struct span *s)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *at;
	long high, low;
	char c;

	if (s->n == 0)
		return -1;
	c = *span_take(s, 1).p;
	if (c != 'u') {
		at = c == '\0' ? NULL : strchr(from, c);
		return at == NULL ? -1 : to[at - from];
	}
	high = code_unit(s);
	if (high >= 0xdc00 && high <= 0xdfff)
		return -1;
	if (high < 0xd800 || high > 0xdbff)
		return high;
	if (!span_starts(*s, "\\u"))
		return -1;
	span_take(s, 2);
	low = code_unit(s);
	if (low < 0xdc00 || low > 0xdfff)
		return -1;
	return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
}

static void
put_utf8(struct buf *b, long c)
{
	if (c < 0x80) {
		buf_putc(b, (char)c);
	} else if (c < 0x800) {
		buf_putc(b, (char)(0xc0 | c >> 6));
		buf_putc(b, (char)(0x80 | (c & 0x3f)));
	} else if (c < 0x10000) {
		buf_putc(b, (char)(0xe0 | c >> 12));
		buf_putc(b, (char)(0x80 | (c >> 6 & 0x3f)));
		buf_putc(b, (char)(0x80 | (c & 0x3f)));
	} else {
		buf_putc(b, (char)(0xf0 | c >> 18));
		buf_putc(b, (char)(0x80 | (c >> 12 & 0x3f)));
		buf_putc(b, (char)(0x80 | (c >> 6 & 0x3f)));
		buf_putc(b, (char)(0x80 | (c & 0x3f)));
	}
}

/* A string off the front, decoded into b unless that is NULL. */
static bool
take_string(struct span *s, struct buf *b)
{
	if (s->n == 0 || *s->p != '"')
		return false;
	span_take(s, 1);
	while (s->n > 0) {
		char c = *span_take(s, 1).p;
		long code = (unsigned char)c;

		if (c == '"')
			return true;
		if ((unsigned char)c < ' ')
			return false;
		if (c == '\\' && (code = escape(s)) == -1)
			return false;
		if (b != NULL && c == '\\')
			put_utf8(b, code);
		else if (b != NULL)
			buf_putc(b, c);
	}
	return false;
}

static size_t
take_digits(struct span *s)
{
	size_t n = 0;

	for (; s->n > 0 && is_digit(*s->p); n++)
		span_take(s, 1);
	return n;
}

/* [ "-" ] int [ "." 1*DIGIT ] [ ("e" / "E") ["-" / "+"] 1*DIGIT ] */
static bool
take_number(struct span *s)
{
	bool zero;

	if (s->n > 0 && *s->p == '-')
		span_take(s, 1);
	zero = s->n > 0 && *s->p == '0';
	if (zero)
		span_take(s, 1);
	else if (take_digits(s) == 0)
		return false;
	if (s->n > 0 && *s->p == '.') {
		span_take(s, 1);
		if (take_digits(s) == 0)
			return false;
	}
	if (s->n > 0 && to_lower(*s->p) == 'e') {
		span_take(s, 1);
		if (s->n > 0 && (*s->p == '+' || *s->p == '-'))
			span_take(s, 1);
		return take_digits(s) > 0;
	}
	return true;
}

static bool
take_word(struct span *s)
{
	static const char *const words[] = { "true", "false", "null" };

	for (size_t i = 0; i < 3; i++)
		if (span_starts(*s, words[i])) {
			span_take(s, strlen(words[i]));
			return true;
		}
	return false;
}

/* "name" ":" off the front of a member */
static bool
take_name(struct span *s, struct buf *name)
{
	if (!take_string(s, name))
		return false;
	skip_blanks(s);
	if (s->n == 0 || *s->p != ':')
		return false;
	span_take(s, 1);
	skip_blanks(s);
	return true;
}

static bool
take_scalar(struct span *s)
{
	switch (json_kind(*s)) {
	case JSON_STRING:
		return take_string(s, NULL);
	case JSON_NUMBER:
		return take_number(s);
	case JSON_TRUE:
	case JSON_FALSE:
	case JSON_NULL:
		return take_word(s);
	case JSON_OBJECT:
	case JSON_ARRAY:
	case JSON_NONE:
		break;
	}
	return false;
}

/*
 * A value off the front.  What is open is kept as its closing byte in a
 * string, so that depth costs a byte and no stack.
 */
static bool
take_value(struct span *s)
{
	char open[LIMIT_JSON_DEPTH];
	size_t depth = 0;
	bool first = false; /* an object or array has just begun */

	for (;;) {
		enum json_kind k;

		skip_blanks(s);
		if (depth > 0 && s->n > 0 && *s->p == open[depth - 1]) {
			/* closed, unless a value must follow a comma */
			span_take(s, 1);
			depth--;
			first = false;
		} else {
			if (depth > 0 && !first) {
				if (s->n == 0 || *s->p != ',')
					return false;
				span_take(s, 1);
				skip_blanks(s);
			}
			if (depth > 0 && open[depth - 1] == '}' &&
			    !take_name(s, NULL))
				return false;
			first = false;
			k = json_kind(*s);
			if (k == JSON_OBJECT || k == JSON_ARRAY) {
				if (depth == sizeof(open))
					return false;
				open[depth++] = k == JSON_OBJECT ? '}' : ']';
				span_take(s, 1);
				first = true;
			} else if (!take_scalar(s)) {
				return false;
			}
		}
		if (depth == 0)
			return true;
	}
}

bool
json_valid(struct span text)
{
	if (!take_value(&text))
		return false;
	skip_blanks(&text);
	return text.n == 0;
}

enum json_kind
json_kind(struct span v)
{
	static const char first[] = "{[\"tfn";
	const char *at;

	if (v.n == 0 || *v.p == '\0')
		return JSON_NONE;
	if (is_digit(*v.p) || *v.p == '-')
		return JSON_NUMBER;
	at = strchr(first, *v.p);
	if (at == NULL)
		return JSON_NONE;
	switch (*at) {
	case '{':
		return JSON_OBJECT;
	case '[':
		return JSON_ARRAY;
	case '"':
		return JSON_STRING;
	case 't':
		return JSON_TRUE;
	case 'f':
		return JSON_FALSE;
	}
	return JSON_NULL;
}

bool
json_member(struct span object, const char *name, struct span *value)
{
	struct buf got = { .max = 256 };
	unsigned found = 0;
	struct span v;

	skip_blanks(&object);
	if (json_kind(object) != JSON_OBJECT)
		return false;
	span_take(&object, 1);
	for (;;) {
		skip_blanks(&object);
		if (object.n == 0 || *object.p == '}')
			break;
		if (*object.p == ',') {
			span_take(&object, 1);
			skip_blanks(&object);
		}
		buf_clear(&got);
		if (!take_name(&object, &got))
			break;
		v = object;
		if (!take_value(&object))
			break;
		v.n -= object.n;
		if (!got.over && span_is(buf_span(&got), name)) {
			*value = v;
			found++;
		}
	}
	buf_free(&got);
	return found == 1;
}

bool
json_next(struct json_array *a, struct span *value)
{
	struct span *s = &a->rest;

	skip_blanks(s);
	if (!a->begun && json_kind(*s) != JSON_ARRAY)
		return false;
	if (!a->begun || (s->n > 0 && *s->p == ','))
		span_take(s, 1);
	a->begun = true;
	skip_blanks(s);
	if (s->n == 0 || *s->p == ']')
		return false;
	*value = *s;
	if (!take_value(s))
		return false;
	value->n -= s->n;
	return true;
}

bool
json_string(struct span value, char *to, size_t size)
{
	struct buf b = { .max = size };
	bool ok = take_string(&value, &b) && !b.over &&
	    span_cstr(buf_span(&b), to, size);

	wipe(b.p, b.n);
	buf_free(&b);
	if (!ok)
		to[0] = '\0';
	return ok;
}

bool
json_number(struct span v, int64_t *n)
{
	bool minus = v.n > 0 && *v.p == '-';
	uint64_t u;

	if (json_kind(v) != JSON_NUMBER || span_chr(v, 'e') < v.n ||
	    span_chr(v, 'E') < v.n)
		return false;
	if (minus)
		span_take(&v, 1);
	v.n = span_chr(v, '.');
	if (!num_u64(v, &u) || u > INT64_MAX)
		return false;
	*n = minus ? -(int64_t)u : (int64_t)u;
	return true;
}
