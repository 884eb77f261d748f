#include "store/journal.h"

#include "store/crc.h"
#include "store/format.h"
#include "store/le.h"

enum { FRAME = 8, SUMMED = 24, KEPT = JOURNAL_STATE - JOURNAL_CHECKED };

static const char magic[17] = "pneu-journal 1\n", kept[5] = "kept";
const char journal_lost[5] = "lost";

void
journal_put_header(struct buf *b, uint64_t gen, uint32_t uidvalidity)
{
	size_t at = b->n;

	buf_put(b, (struct span){ magic, 16 });
	le_put(b, 8, gen);
	le_put(b, 4, uidvalidity);
	le_put(b, 4, crc32_add(0, (struct span){ b->p + at, 28 }));
	while (b->n - at < JOURNAL_HEADER && buf_putc(b, '\0'))
		continue;
}

void
journal_put_checked(char half[JOURNAL_HEADER - JOURNAL_CHECKED],
    const struct journal_checked *c)
{
	memset(half, 0, JOURNAL_HEADER - JOURNAL_CHECKED);
	le_set(half, 8, c->ino);
	le_set(half + 8, 8, c->size);
	le_set(half + 16, 8, (uint64_t)c->ctime_ns);
	le_set(half + SUMMED, 4, crc32_add(0, (struct span){ half, SUMMED }));
	if (c->kept)
		memcpy(half + KEPT, kept, 4);
}

bool
journal_is_checked(struct span header, const struct journal_checked *c)
{
	char want[JOURNAL_HEADER - JOURNAL_CHECKED];

	journal_put_checked(want, c);
	return header.n >= JOURNAL_HEADER &&
	    memcmp(header.p + JOURNAL_CHECKED, want, KEPT) == 0;
}

bool
journal_is_kept(struct span header)
{
	return header.n >= JOURNAL_HEADER &&
	    memcmp(header.p + JOURNAL_STATE, kept, 4) == 0;
}

bool
journal_is_lost(struct span header)
{
	return header.n >= JOURNAL_HEADER &&
	    memcmp(header.p + JOURNAL_STATE, journal_lost, 4) == 0;
}

enum format_result
journal_header(struct span s, uint64_t *gen, uint32_t *uidvalidity)
{
	enum format_result r = format_of(s, "journal");

	if (r != FORMAT_OK)
		return r;
	if (s.n < JOURNAL_HEADER ||
	    le_get(s.p + 28, 4) != crc32_add(0, (struct span){ s.p, 28 }))
		return FORMAT_BAD;
	*gen = le_get(s.p + 16, 8);
	*uidvalidity = (uint32_t)le_get(s.p + 24, 4);
	return FORMAT_OK;
}

size_t
record_begin(struct buf *b, enum record_type type)
{
	size_t at = b->n;

	le_put(b, FRAME, 0);
	buf_putc(b, (char)type);
	return at;
}

/* Over the seed, the length, the type and the body. */
static uint32_t
record_crc(uint64_t seed, const char *p, size_t len)
{
	char t[12];
	uint32_t crc;

	le_set(t, 8, seed);
	le_set(t + 8, 4, len);
	crc = crc32_add(0, (struct span){ t, 12 });
	return crc32_add(crc, (struct span){ p + FRAME, len });
}

void
record_end(struct buf *b, size_t begun, uint64_t seed)
{
	size_t len;

	if (b->over)
		return;
	len = b->n - begun - FRAME;
	le_set(b->p + begun, 4, len);
	le_set(b->p + begun + 4, 4, record_crc(seed, b->p + begun, len));
}

bool
record_next(struct span *in, uint64_t seed, char *type, struct span *body)
{
	size_t len;

	if (in->n < FRAME + 1)
		return false;
	len = (size_t)le_get(in->p, 4);
	if (len < 1 || len > JOURNAL_RECORD_MAX || len > in->n - FRAME)
		return false;
	if (le_get(in->p + 4, 4) != record_crc(seed, in->p, len))
		return false;
	*body = span_take(in, FRAME + len);
	span_take(body, FRAME);
	*type = *span_take(body, 1).p;
	return true;
}
