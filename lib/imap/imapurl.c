#include "imap/imapurl.h"

#include "base/enc.h"
#include "base/num.h"

/* %XX; no control characters, and no 8-bit ones outside of these. */
static bool
decode(struct arena *a, struct span s, struct span *to)
{
	char *p = arena_alloc(a, s.n + 1);
	size_t n = 0;

	while (s.n > 0) {
		char c = *span_take(&s, 1).p;

		if (c == '%') {
			int high = s.n > 1 ? hex_value(s.p[0]) : -1;
			int low = s.n > 1 ? hex_value(s.p[1]) : -1;

			if (high == -1 || low == -1)
				return false;
			c = (char)(high << 4 | low);
			span_take(&s, 2);
		} else if (!is_print(c)) {
			return false;
		}
		if ((unsigned char)c < ' ' || c == 0x7f)
			return false;
		p[n++] = c;
	}
	*to = (struct span){ p, n };
	return true;
}

/* iserver = [iuserinfo "@"] host [ ":" port ] */
static bool
server(struct arena *a, struct span s, struct imapurl *u)
{
	size_t at = span_rchr(s, '@');
	struct span user = { "", 0 };

	if (at < s.n) {
		user = span_take(&s, at);
		span_take(&s, 1);
		user.n = span_chr(user, ';');
	}
	s.n = span_chr(s, ':');
	return s.n > 0 && decode(a, user, &u->user) && decode(a, s, &u->host);
}

/* ";NAME=" in front of *s is taken off. */
static bool
named(struct span *s, const char *name)
{
	if (!span_istarts(*s, name))
		return false;
	span_take(s, strlen(name));
	return true;
}

/* The text up to the next "/;" is taken, and the slash dropped. */
static struct span
value(struct span *s)
{
	size_t n = span_find(*s, SPAN("/;"));
	struct span v = span_take(s, n);

	if (s->n > 0)
		span_take(s, 1);
	return v;
}

/* nz-number */
static bool
number(struct span s, uint32_t *n)
{
	return s.n > 0 && is_digit(*s.p) && num_u32(s, n) && *n > 0;
}

/* ipartial-range = number ["." nz-number] */
static bool
range(struct span s, struct imapurl *u)
{
	struct span from = span_take(&s, span_chr(s, '.'));

	u->partial = true;
	u->count = UINT64_MAX;
	if (from.n == 0 || !is_digit(*from.p) || !num_u64(from, &u->from))
		return false;
	if (s.n == 0)
		return true;
	span_take(&s, 1);
	return s.n > 0 && is_digit(*s.p) && num_u64(s, &u->count) &&
	    u->count > 0;
}

/* iuid ["/" isection] ["/" ipartial], the slash in front taken off */
static bool
message(struct arena *a, struct span s, struct imapurl *u)
{
	if (!named(&s, ";UID=") || !number(value(&s), &u->uid))
		return false;
	if (named(&s, ";SECTION=") &&
	    (!decode(a, value(&s), &u->section) || u->section.n == 0))
		return false;
	if (named(&s, ";PARTIAL=") && !range(value(&s), u))
		return false;
	return s.n == 0;
}

/* imailbox-ref = enc-mailbox [";UIDVALIDITY=" nz-number] */
static bool
mailbox(struct arena *a, struct span *s, struct imapurl *u)
{
	struct span name = span_take(s, span_chr(*s, ';'));
	struct span rest = *s;

	if (name.n > 0 && name.p[name.n - 1] == '/') {
		name.n--;
	} else if (!named(&rest, ";UIDVALIDITY=") ||
	    !number(value(&rest), &u->uidvalidity)) {
		return false;
	}
	*s = rest;
	return name.n > 0 && decode(a, name, &u->mailbox);
}

bool
imapurl_parse(struct arena *a, struct span s, struct imapurl *u)
{
	*u = (struct imapurl){ .user = { "", 0 }, .section = { "", 0 } };
	if (span_istarts(s, "imap://") || span_starts(s, "//")) {
		span_take(&s, *s.p == '/' ? 2 : 7);
		u->absolute = true;
		if (!server(a, span_take(&s, span_chr(s, '/')), u))
			return false;
		if (s.n == 0)
			return false;
		span_take(&s, 1);
	} else if (span_starts(s, "/")) {
		span_take(&s, 1);
	} else if (span_starts(s, ";")) {
		u->selected = true;
		return message(a, s, u);
	} else if (span_chr(s, ':') < span_chr(s, '/')) {
		return false; /* another scheme: RFC 3986, section 4.2 */
	}
	return mailbox(a, &s, u) && message(a, s, u);
}
