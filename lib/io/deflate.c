#include "io/deflate.h"

#include <errno.h>
#include <stdlib.h>
#include <zlib.h>

#include "base/die.h"
#include "base/limits.h"

enum { GZIP = 16, LEVEL = 6, BITS = 14, MEMORY = 7, RAW_SIZE = 16384 };

struct deflate {
	z_stream z;
	struct out_filter filter; /* of a file */
	bool end;
};

struct inflate {
	z_stream z;
	bool gzip_file; /* not from the network: who reads it has a bound */
	bool gzip, ended;
	uint64_t in, out;
};

/* 128 KiB and not 256: connections stay open for days. */
struct deflate *
deflate_open(enum deflate_format f)
{
	struct deflate *d = calloc(1, sizeof(*d));

	if (d == NULL ||
	    deflateInit2(&d->z, LEVEL, Z_DEFLATED,
		f == DEFLATE_GZIP ? 15 + GZIP : -BITS, MEMORY,
		Z_DEFAULT_STRATEGY) != Z_OK)
		die_memory();
	return d;
}

void
deflate_close(struct deflate *d)
{
	if (d == NULL)
		return;
	deflateEnd(&d->z);
	free(d);
}

static void
set_in(z_stream *z, struct span in)
{
	z->next_in = (Bytef *)(uintptr_t)in.p;
	z->avail_in = in.n < UINT32_MAX ? (uInt)in.n : UINT32_MAX;
}

size_t
deflate_run(struct deflate *d, struct span *in, enum deflate_flush flush,
    char *to, size_t room)
{
	static const int how[] = { Z_NO_FLUSH, Z_SYNC_FLUSH, Z_FINISH };

	set_in(&d->z, *in);
	d->z.next_out = (Bytef *)to;
	d->z.avail_out = (uInt)room;
	deflate(&d->z, how[flush]);
	span_take(in, in->n - d->z.avail_in);
	return room - d->z.avail_out;
}

struct inflate *
inflate_open(enum deflate_format f)
{
	struct inflate *i = calloc(1, sizeof(*i));

	if (i == NULL ||
	    inflateInit2(&i->z, f == DEFLATE_GZIP ? 15 + GZIP : -15) != Z_OK)
		die_memory();
	i->gzip = i->gzip_file = f == DEFLATE_GZIP;
	return i;
}

void
inflate_close(struct inflate *i)
{
	if (i == NULL)
		return;
	inflateEnd(&i->z);
	free(i);
}

bool
inflate_ended(const struct inflate *i)
{
	return i->ended;
}

static bool
out_of_proportion(const struct inflate *i)
{
	return !i->gzip_file && i->out > LIMIT_INFLATE_FREE &&
	    i->out / LIMIT_INFLATE_RATIO > i->in;
}

/* A gzip file may have several members; what is no member ends it. */
static bool
next_member(struct inflate *i, struct span in)
{
	if (!i->gzip || in.n == 0)
		return false;
	if (*in.p == '\x1f' && inflateReset(&i->z) == Z_OK)
		i->ended = false;
	else
		i->gzip = false;
	return i->gzip;
}

/* Up to the end of a member. */
static ssize_t
run(struct inflate *i, struct span *in, char *to, size_t room)
{
	size_t n = in->n;
	int r;

	set_in(&i->z, *in);
	i->z.next_out = (Bytef *)to;
	i->z.avail_out = (uInt)room;
	r = inflate(&i->z, Z_SYNC_FLUSH);
	span_take(in, n - i->z.avail_in);
	i->in += n - in->n;
	i->out += room - i->z.avail_out;
	if (r == Z_MEM_ERROR)
		die_memory();
	if (r == Z_STREAM_END)
		i->ended = true;
	else if (r != Z_OK && r != Z_BUF_ERROR) {
		errno = EBADMSG;
		return -1;
	}
	if (out_of_proportion(i)) {
		errno = E2BIG;
		return -1;
	}
	return (ssize_t)(room - i->z.avail_out);
}

ssize_t
inflate_run(struct inflate *i, struct span *in, char *to, size_t room)
{
	ssize_t r = 0;

	while (r == 0 && (!i->ended || next_member(i, *in))) {
		r = run(i, in, to, room);
		if (in->n == 0)
			break;
	}
	return r;
}

static ssize_t
run_in(void *ctx, struct span *raw, char *to, size_t room)
{
	ssize_t n = inflate_run(ctx, raw, to, room);

	if (n == 0 && inflate_ended(ctx)) {
		errno = EBADMSG;
		return -1;
	}
	return n;
}

static size_t
run_out(void *ctx, struct span *s, bool flush, char *to, size_t room)
{
	return deflate_run(
	    ctx, s, flush ? DEFLATE_FLUSH : DEFLATE_MORE, to, room);
}

/* Of a file, only the end is flushed. */
static size_t
run_file(void *ctx, struct span *s, bool flush, char *to, size_t room)
{
	struct deflate *d = ctx;

	return deflate_run(
	    d, s, flush && d->end ? DEFLATE_END : DEFLATE_MORE, to, room);
}

struct deflate *
deflate_file(struct out *o)
{
	struct deflate *d = deflate_open(DEFLATE_GZIP);

	d->filter = (struct out_filter){ .run = run_file, .ctx = d };
	o->filter = &d->filter;
	return d;
}

int
deflate_file_end(struct deflate *d, struct out *o)
{
	int r;

	d->end = d->filter.inside = true;
	r = out_flush(o);
	o->filter = NULL;
	return r;
}

void
deflate_connection(struct in *in, struct out *out)
{
	static struct in_filter fin = { .run = run_in };
	static struct out_filter fout = { .run = run_out };
	size_t cap = in->data.n > RAW_SIZE ? in->data.n : RAW_SIZE;
	char *raw = malloc(cap);

	if (raw == NULL)
		die_memory();
	fin.ctx = inflate_open(DEFLATE_RAW);
	fout.ctx = deflate_open(DEFLATE_RAW);
	in_filter(in, &fin, raw, cap);
	out->filter = &fout;
}
