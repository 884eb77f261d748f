#include "mail/casemap.h"

#include "mail/casemap_table.h"
#include "mail/utf8.h"

enum {
	HANGUL_S = 0xac00,
	HANGUL_L = 0x1100,
	HANGUL_V = 0x1161,
	HANGUL_T = 0x11a7,
	NV = 21,
	NT = 28,
	HANGUL_END = 0xd7a4
};

#define EVERY(byte) (UINT64_C(0x0101010101010101) * (byte))

static size_t
put(char *to, uint32_t c)
{
	static const unsigned lead[] = { 0, 0xc0, 0xe0, 0xf0 };
	size_t more = c < 0x80 ? 0 : c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;

	to[0] = (char)(lead[more] | c >> 6 * more);
	for (size_t i = 1; i <= more; i++)
		to[i] = (char)(0x80 | (c >> 6 * (more - i) & 0x3f));
	return more + 1;
}

static size_t
put_hangul(char *to, uint32_t c)
{
	size_t n;

	c -= HANGUL_S;
	n = put(to, HANGUL_L + c / (NV * NT));
	n += put(to + n, HANGUL_V + c / NT % NV);
	if (c % NT != 0)
		n += put(to + n, HANGUL_T + c % NT);
	return n;
}

static size_t
put_units(char *to, const uint16_t *u, size_t units)
{
	size_t n = 0;

	for (size_t i = 0; i < units; i++) {
		uint32_t c = u[i];

		if (c >= 0xd800 && c < 0xdc00 && i + 1 < units)
			c = 0x10000 + ((c & 0x3ff) << 10 | (u[++i] & 0x3ffu));
		n += put(to + n, c);
	}
	return n;
}

/* The last run that begins at c or before it. */
static const struct casemap_run *
run_of(uint32_t c)
{
	size_t low = 0, high = casemap_runs;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (casemap_run[mid].first <= c)
			low = mid + 1;
		else
			high = mid;
	}
	return low == 0 ? NULL : &casemap_run[low - 1];
}

/*
 * Shifts are in the order of their first character, and those of every
 * second one overlap: several may lie around c, the longest has 128.
 */
static bool
shifted(uint32_t c, uint32_t *to)
{
	size_t low = 0, high = casemap_shifts;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (casemap_shift[mid].first <= c)
			low = mid + 1;
		else
			high = mid;
	}
	while (low-- > 0 && c - casemap_shift[low].first < 1024) {
		const struct casemap_shift *s = &casemap_shift[low];

		if (c <= s->last && (c - s->first) % s->step == 0) {
			*to = (uint32_t)((int32_t)c + s->delta);
			return true;
		}
	}
	return false;
}

static size_t
map(char *to, uint32_t c)
{
	const struct casemap_run *r;

	if (c >= HANGUL_S && c < HANGUL_END)
		return put_hangul(to, c);
	r = run_of(c);
	if (r != NULL && c - r->first < r->count)
		return put_units(to,
		    casemap_pool + r->at + (c - r->first) * r->units, r->units);
	shifted(c, &c);
	return put(to, c);
}

/* Eight bytes of ASCII at a time, then one by one. */
static size_t
ascii(struct span *in, char *to, size_t room)
{
	size_t n = 0, most = in->n < room ? in->n : room;

	while (most - n >= 8) {
		uint64_t w, low;

		memcpy(&w, in->p + n, 8);
		if ((w & EVERY(0x80)) != 0)
			break;
		/* the high bit of each byte from 'a' to 'z' */
		low = (w + EVERY(0x80 - 'a')) & ~(w + EVERY(0x80 - 'z' - 1)) &
		    EVERY(0x80);
		w -= low >> 2;
		memcpy(to + n, &w, 8);
		n += 8;
	}
	while (n < most && (unsigned char)in->p[n] < 0x80) {
		to[n] = to_upper(in->p[n]);
		n++;
	}
	span_take(in, n);
	return n;
}

/* How many bytes a character has that begins so. */
static size_t
length(char first)
{
	unsigned char c = (unsigned char)first;

	return c < 0xc2 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 1;
}

/* Take one character that is complete, or one byte of what is none. */
static size_t
one(struct span *in, char *to)
{
	uint32_t c;

	if (utf8_take(in, &c))
		return map(to, c);
	to[0] = *in->p;
	span_take(in, 1);
	return 1;
}

/* What is held, and as much as makes a character of it. */
static size_t
join(struct casemap *m, struct span *in, char *to)
{
	struct span all;
	size_t n = 0;

	while (in->n > 0 && m->n < length(m->part[0]) &&
	    ((unsigned char)*in->p & 0xc0) == 0x80)
		m->part[m->n++] = *span_take(in, 1).p;
	if (in->n == 0 && m->n < length(m->part[0]))
		return 0;
	all = (struct span){ m->part, m->n };
	while (all.n > 0)
		n += one(&all, to + n);
	m->n = 0;
	return n;
}

size_t
casemap_feed(struct casemap *m, struct span *in, char *to, size_t room)
{
	size_t n = 0;

	while (in->n > 0 && room - n >= CASEMAP_ROOM) {
		if (m->n > 0) {
			n += join(m, in, to + n);
			continue;
		}
		n += ascii(in, to + n, room - n);
		if (in->n == 0 || room - n < CASEMAP_ROOM)
			break;
		if (in->n >= length(*in->p)) {
			n += one(in, to + n);
			continue;
		}
		m->n = 1;
		m->part[0] = *span_take(in, 1).p;
	}
	return n;
}

size_t
casemap_end(struct casemap *m, char *to)
{
	size_t n = m->n;

	memcpy(to, m->part, n);
	m->n = 0;
	return n;
}

bool
casemap_buf(struct buf *b, struct span in)
{
	struct casemap m = { 0 };

	while (in.n > 0) {
		char to[512];
		size_t n = casemap_feed(&m, &in, to, sizeof(to));

		buf_put(b, (struct span){ to, n });
	}
	return buf_put(b, (struct span){ m.part, m.n });
}
