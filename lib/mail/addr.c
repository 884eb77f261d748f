#include "mail/addr.h"

#include "base/limits.h"
#include "mail/idn.h"
#include "mail/nfc.h"
#include "mail/utf8.h"

/* atext of RFC 5322, and UTF-8 (RFC 6531) */
static bool
is_atext(char c)
{
	return is_alnum(c) || (unsigned char)c > 0x7f ||
	    (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

/* Dot-string = Atom *("." Atom) */
static size_t
dot_string(struct span s)
{
	size_t n = 0;

	for (;;) {
		size_t start = n;

		while (n < s.n && is_atext(s.p[n]))
			n++;
		if (n == start)
			return 0;
		if (n == s.n || s.p[n] != '.')
			return n;
		n++;
	}
}

/* Quoted-string = DQUOTE *QcontentSMTP DQUOTE */
static size_t
quoted_string(struct span s)
{
	size_t n = 1;

	if (s.n == 0 || s.p[0] != '"')
		return 0;
	while (n < s.n && s.p[n] != '"') {
		if (s.p[n] == '\\')
			n++;
		if (n == s.n ||
		    (!is_print(s.p[n]) && (unsigned char)s.p[n] < 0x80))
			return 0;
		n++;
	}
	return n < s.n ? n + 1 : 0;
}

static size_t
local_part(struct span s)
{
	return s.n > 0 && s.p[0] == '"' ? quoted_string(s) : dot_string(s);
}

/* address-literal = "[" ( IPv4 / IPv6 / General ) "]" */
static size_t
literal(struct span s)
{
	size_t n = 1;

	while (n < s.n &&
	    (is_alnum(s.p[n]) || s.p[n] == '.' || s.p[n] == ':' ||
		s.p[n] == '-'))
		n++;
	return n > 1 && n < s.n && s.p[n] == ']' ? n + 1 : 0;
}

/* Domain = sub-domain *("." sub-domain), or an address literal */
static size_t
domain(struct span s)
{
	size_t n = 0;

	if (s.n > 0 && s.p[0] == '[')
		return literal(s);
	for (;;) {
		size_t start = n;

		while (n < s.n &&
		    (is_alnum(s.p[n]) || s.p[n] == '-' || s.p[n] == '_' ||
			(unsigned char)s.p[n] > 0x7f))
			n++;
		if (n == start || n - start > 63 || s.p[start] == '-' ||
		    s.p[n - 1] == '-')
			return 0;
		if (n == s.n || s.p[n] != '.')
			return n;
		n++;
	}
}

bool
addr_domain_valid(struct span s)
{
	return s.n > 0 && s.n <= LIMIT_DOMAIN && domain(s) == s.n;
}

/* Mailbox = Local-part "@" ( Domain / address-literal ) */
static size_t
mailbox(struct span s)
{
	size_t n = local_part(s), d;

	if (n == 0 || n > LIMIT_LOCAL_PART || n == s.n || s.p[n] != '@')
		return 0;
	n++;
	d = domain((struct span){ s.p + n, s.n - n });
	return d == 0 || d > LIMIT_DOMAIN ? 0 : n + d;
}

bool
addr_valid(struct span s)
{
	return s.n > 0 && (mailbox(s) == s.n || span_iis(s, "postmaster"));
}

bool
addr_split(struct span addr, struct span *local, struct span *dom)
{
	size_t n = local_part(addr);

	if (n == 0 || n >= addr.n || addr.p[n] != '@')
		return false;
	*local = (struct span){ addr.p, n };
	*dom = (struct span){ addr.p + n + 1, addr.n - n - 1 };
	return true;
}

bool
addr_same(struct span a, struct span b)
{
	struct span al, ad, bl, bd;

	if (!addr_split(a, &al, &ad) || !addr_split(b, &bl, &bd))
		return span_ieq(a, b);
	return span_eq(al, bl) && idn_same(ad, bd);
}

/* Composed, and without its case; false when it is not UTF-8, or long. */
static bool
fold(struct span s, char *to, size_t size, size_t *n)
{
	uint32_t c[LIMIT_LOCAL_PART];
	struct buf b = { to, 0, size, size - 1, false };
	size_t nc = 0;

	while (s.n > 0)
		if (nc == LIMIT_LOCAL_PART || !utf8_take(&s, &c[nc++]))
			return false;
	nc = nfc_compose(c, nc);
	for (size_t i = 0; i < nc; i++)
		if (!utf8_put(&b, c[i]))
			return false;
	utf8_fold_all(to, b.n);
	*n = b.n;
	return true;
}

bool
addr_local_alike(struct span a, struct span b)
{
	enum { ROOM = 4 * LIMIT_LOCAL_PART + 1 };
	char one[ROOM], two[ROOM];
	size_t n, m;

	if (span_ieq(a, b))
		return true;
	return !addr_is_ascii(a) && !addr_is_ascii(b) &&
	    fold(a, one, ROOM, &n) && fold(b, two, ROOM, &m) && n == m &&
	    memcmp(one, two, n) == 0;
}

bool
addr_alike(struct span a, struct span b)
{
	struct span al, ad, bl, bd;

	if (span_ieq(a, b))
		return true;
	if (a.n > 0 && b.n > 0 && ((*a.p | *b.p) & 0x80) == 0 &&
	    to_lower(*a.p) != to_lower(*b.p))
		return false; /* soon, for long lists */
	return addr_split(a, &al, &ad) && addr_split(b, &bl, &bd) &&
	    addr_local_alike(al, bl) && idn_same(ad, bd);
}

bool
addr_is_ascii(struct span s)
{
	return !span_is_8bit(s);
}

/* A-d-l = At-domain *( "," At-domain ), At-domain = "@" Domain */
static bool
skip_route(struct span *s)
{
	while (s->n > 0 && s->p[0] == '@') {
		size_t n;

		span_take(s, 1);
		n = domain(*s);
		if (n == 0)
			return false;
		span_take(s, n);
		if (s->n > 0 && s->p[0] == ',')
			span_take(s, 1);
		else
			break;
	}
	if (s->n == 0 || s->p[0] != ':')
		return false;
	span_take(s, 1);
	return true;
}

/*
 * Without quotes and backslashes that it does not need; the same span
 * when it needs them.
 */
static struct span
simplest(struct arena *a, struct span addr)
{
	struct span local, dom;
	char *to;
	size_t n = 0;

	if (addr.p[0] != '"' || !addr_split(addr, &local, &dom))
		return addr;
	to = arena_alloc(a, addr.n);
	for (size_t i = 1; i + 1 < local.n; i++) {
		if (local.p[i] == '\\')
			i++;
		to[n++] = local.p[i];
	}
	if (n == 0 || dot_string((struct span){ to, n }) != n)
		return addr;
	to[n++] = '@';
	memcpy(to + n, dom.p, dom.n);
	return (struct span){ to, n + dom.n };
}

bool
addr_path(struct arena *a, struct span *in, struct span *addr)
{
	struct span s = *in;
	size_t n;

	if (s.n < 2 || s.p[0] != '<')
		return false;
	span_take(&s, 1);
	if (s.p[0] == '@' && !skip_route(&s))
		return false;
	n = mailbox(s);
	if (n == 0 && span_istarts(s, "postmaster>"))
		n = sizeof("postmaster") - 1;
	if (n == 0 && (in->p + 1 != s.p || s.n == 0 || s.p[0] != '>'))
		return false;
	*addr = span_take(&s, n);
	if (s.n == 0 || s.p[0] != '>')
		return false;
	span_take(&s, 1);
	if (addr->n > 0)
		*addr = simplest(a, *addr);
	*in = s;
	return true;
}
