#include "io/dnsmsg.h"

enum {
	HEAD = 12,
	FLAG_QR = 0x80,
	FLAG_TC = 0x02,
	FLAG_RD = 0x01,
	FLAG_AD = 0x20,
	EDNS_SIZE = 1232,
	RECORDS_MAX = 100,
	CHAIN_MAX = 8
};

static unsigned
get16(const char *p)
{
	return (unsigned)(unsigned char)p[0] << 8 | (unsigned char)p[1];
}

static void
put16(unsigned char *p, unsigned v)
{
	p[0] = (unsigned char)(v >> 8);
	p[1] = (unsigned char)v;
}

/* A name as labels; its length, or 0 when it is none. */
static size_t
put_name(unsigned char *to, struct span name)
{
	size_t n = 0;

	if (name.n > 0 && name.p[name.n - 1] == '.')
		name.n--;
	if (name.n == 0 || name.n > DNSMSG_NAME_MAX - 2)
		return 0;
	while (name.n > 0) {
		struct span label = span_cut(&name, '.');

		if (label.n == 0 || label.n > 63 ||
		    span_chr(label, '\0') != label.n)
			return 0;
		to[n++] = (unsigned char)label.n;
		memcpy(to + n, label.p, label.n);
		n += label.n;
	}
	to[n++] = 0;
	return n;
}

size_t
dnsmsg_query(unsigned char out[DNSMSG_QUERY_MAX], uint16_t id, struct span name,
    enum dns_type type)
{
	size_t n = put_name(out + HEAD, name), at;

	if (n == 0)
		return 0;
	memset(out, 0, HEAD);
	put16(out, id);
	out[2] = FLAG_RD;
	out[3] = FLAG_AD; /* we understand it: RFC 6840, section 5.7 */
	put16(out + 4, 1);
	put16(out + 10, 1);
	at = HEAD + n;
	put16(out + at, (unsigned)type);
	put16(out + at + 2, 1);
	at += 4;
	/* OPT: the root, type 41, the size of our buffer */
	memset(out + at, 0, 11);
	put16(out + at + 1, 41);
	put16(out + at + 3, EDNS_SIZE);
	return at + 11;
}

/*
 * Read the name at *at into text (DNSMSG_NAME_MAX + 1 bytes), dots between
 * labels, and move *at behind it.
 */
static bool
get_name(struct span m, size_t *at, char *text)
{
	size_t pos = *at, n = 0, limit = m.n;
	bool jumped = false;

	for (;;) {
		unsigned len;

		if (pos >= m.n)
			return false;
		len = (unsigned char)m.p[pos];
		if (len >= 0xc0) {
			size_t to;

			if (pos + 1 >= m.n)
				return false;
			to = (len & 0x3f) << 8 | (unsigned char)m.p[pos + 1];
			if (!jumped)
				*at = pos + 2;
			jumped = true;
			if (to >= limit || to >= pos)
				return false; /* only backwards: it ends */
			limit = pos = to;
			continue;
		}
		if (len > 63 || pos + 1 + len > m.n)
			return false;
		pos++;
		if (len == 0)
			break;
		if (n + len + 1 > DNSMSG_NAME_MAX)
			return false;
		if (n > 0)
			text[n++] = '.';
		for (unsigned i = 0; i < len; i++) {
			char c = m.p[pos + i];

			/* what could be taken for structure is not a name */
			if (c == '\0' || c == '.' || c == '\n' || c == '\r')
				return false;
			text[n++] = c;
		}
		pos += len;
	}
	if (!jumped)
		*at = pos;
	text[n] = '\0';
	return true;
}

struct record {
	char name[DNSMSG_NAME_MAX + 1];
	unsigned type;
	uint32_t ttl;
	size_t data, n;
};

static bool
get_record(struct span m, size_t *at, struct record *r)
{
	const char *p;

	if (!get_name(m, at, r->name) || m.n - *at < 10)
		return false;
	p = m.p + *at;
	r->type = get16(p);
	r->ttl = (uint32_t)get16(p + 4) << 16 | get16(p + 6);
	r->n = get16(p + 8);
	r->data = *at + 10;
	if (get16(p + 2) != 1 && r->type != 41)
		r->type = 0; /* not of the Internet */
	if (m.n - r->data < r->n)
		return false;
	*at = r->data + r->n;
	return true;
}

/* The strings of a TXT record, joined. */
static struct span
join_text(struct arena *a, struct span data)
{
	char *to = arena_alloc(a, data.n + 1);
	size_t n = 0;

	while (data.n > 0) {
		size_t len = (unsigned char)*span_take(&data, 1).p;

		if (len > data.n)
			len = data.n;
		memcpy(to + n, span_take(&data, len).p, len);
		n += len;
	}
	return (struct span){ to, n };
}

static bool
take_data(
    struct arena *a, struct span m, const struct record *r, struct dns_rr *rr)
{
	struct span data = { m.p + r->data, r->n };
	char name[DNSMSG_NAME_MAX + 1];
	size_t at = r->data;

	rr->ttl = r->ttl;
	switch ((enum dns_type)r->type) {
	case DNS_A:
	case DNS_AAAA:
		if (r->n != (r->type == DNS_A ? 4 : 16))
			return false;
		rr->data = arena_span(a, data);
		return true;
	case DNS_TLSA:
		rr->data = arena_span(a, data);
		return true;
	case DNS_TXT:
		rr->data = join_text(a, data);
		return true;
	case DNS_MX:
		if (r->n < 3)
			return false;
		rr->pref = (uint16_t)get16(data.p);
		at += 2;
		break;
	case DNS_PTR:
	case DNS_CNAME:
		break;
	}
	if (!get_name(m, &at, name))
		return false;
	rr->data = arena_span(a, span_of(name));
	return true;
}

static bool
same_question(struct span m, size_t *at, struct span name, unsigned type)
{
	char text[DNSMSG_NAME_MAX + 1];

	if (name.n > 0 && name.p[name.n - 1] == '.')
		name.n--;
	if (get16(m.p + 4) != 1 || !get_name(m, at, text) || m.n - *at < 4 ||
	    !span_ieq(span_of(text), name) || get16(m.p + *at) != type ||
	    get16(m.p + *at + 2) != 1)
		return false;
	*at += 4;
	return true;
}

/*
 * Where the chain of CNAMEs that begins at name leads in this answer; ""
 * for one that is too long, or a circle.  False when it is not well formed.
 */
static bool
follow(struct span m, size_t start, unsigned count, char *name)
{
	struct record r;

	for (int hop = 0; hop < CHAIN_MAX; hop++) {
		size_t at = start;
		bool found = false;

		for (unsigned i = 0; i < count && !found; i++) {
			size_t data;

			if (!get_record(m, &at, &r))
				return false;
			data = r.data;
			if (r.type != DNS_CNAME ||
			    !span_ieq(span_of(r.name), span_of(name)))
				continue;
			if (!get_name(m, &data, name))
				return false; /* name may have no end */
			found = true;
		}
		if (!found)
			return true;
	}
	name[0] = '\0';
	return true;
}

bool
dnsmsg_parse(struct arena *a, struct span m, uint16_t id, struct span name,
    enum dns_type type, struct dnsmsg *d)
{
	char owner[DNSMSG_NAME_MAX + 1];
	size_t at = HEAD, start;
	unsigned count, rcode;
	struct record r;

	*d = (struct dnsmsg){ .result = DNS_TEMP, .cname = SPAN("") };
	if (m.n < HEAD || get16(m.p) != id || (m.p[2] & (char)FLAG_QR) == 0 ||
	    !same_question(m, &at, name, (unsigned)type))
		return false;
	d->truncated = (m.p[2] & FLAG_TC) != 0;
	d->answer.secure = (m.p[3] & FLAG_AD) != 0;
	rcode = (unsigned)m.p[3] & 15;
	if (rcode != 0 && rcode != 3)
		return true; /* SERVFAIL, REFUSED, ...: later */
	count = get16(m.p + 6);
	if (count > RECORDS_MAX)
		count = RECORDS_MAX;
	if (name.n > 0 && name.p[name.n - 1] == '.')
		name.n--;
	if (!span_cstr(name, owner, sizeof(owner)))
		return false;
	start = at;
	if (type != DNS_CNAME && !follow(m, start, count, owner))
		return d->truncated;
	if (owner[0] == '\0')
		return true;
	d->answer.rr = arena_alloc(a, (count + 1) * sizeof(*d->answer.rr));
	for (unsigned i = 0; i < count; i++) {
		if (!get_record(m, &at, &r)) {
			d->answer.n = 0;
			return d->truncated;
		}
		if (r.type == (unsigned)type &&
		    span_ieq(span_of(r.name), span_of(owner)) &&
		    take_data(a, m, &r, &d->answer.rr[d->answer.n]))
			d->answer.n++;
	}
	if (d->answer.n > 0)
		d->result = DNS_OK;
	else
		d->result = rcode == 3 ? DNS_NXDOMAIN : DNS_NODATA;
	if (d->result == DNS_NODATA && !span_ieq(span_of(owner), name))
		d->cname = arena_span(a, span_of(owner));
	return true;
}
