#include "store/cache.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/out.h"
#include "store/crc.h"
#include "store/grow.h"
#include "store/journal.h"
#include "store/le.h"

/* HEADER: "pneu-cache 1\n" and the UIDVALIDITY at its end. */
enum { HEADER = 32, FRAME = 16, TRIM_MIN = 1048576 };

static const char file_name[] = "pneu.cache";
static const char magic[28] = "pneu-cache 1\n";

void
cache_close(struct cache *c)
{
	int err = errno;

	if (c->fd != -1)
		close(c->fd);
	free(c->slot);
	buf_free(&c->text);
	buf_free(&c->pending);
	*c = (struct cache){ .fd = -1 };
	errno = err;
}

static uint32_t
kind_of(const char *what)
{
	return crc32_add(0, span_of(what));
}

static int
slot_order(const void *a, const void *b)
{
	const struct cache_slot *x = a, *y = b;

	if (x->uid != y->uid)
		return x->uid < y->uid ? -1 : 1;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return x->at > y->at ? -1 : x->at < y->at; /* the latest first */
}

static void
add_slot(struct cache *c, uint32_t uid, uint32_t kind, uint64_t at)
{
	c->slot = grow_array(c->slot, c->n, &c->cap, sizeof(c->slot[0]));
	c->slot[c->n++] = (struct cache_slot){ uid, kind, at };
}

/*
 * len(4) crc(4) uid(4) kind(4), then len bytes of text.  The frames alone
 * are looked at; texts are checked when they are asked for.
 */
static void
read_frames(struct cache *c)
{
	static char buf[65536];
	size_t have;
	ssize_t r;

	while ((r = pread(c->fd, buf, sizeof(buf), (off_t)c->read)) >= FRAME) {
		for (have = 0; have + FRAME <= (size_t)r;) {
			const char *p = buf + have;
			size_t len = (size_t)le_get(p, 4);

			if (len > CACHE_TEXT_MAX)
				return;
			if (have + FRAME + len > (size_t)r)
				break;
			add_slot(c, (uint32_t)le_get(p + 8, 4),
			    (uint32_t)le_get(p + 12, 4), c->read + have);
			have += FRAME + len;
		}
		if (have == 0)
			return;
		c->read += have;
	}
}

static bool
open_file(struct cache *c, int dirfd, uint32_t uidvalidity)
{
	char head[HEADER];

	if (c->fd != -1)
		return true;
	if (c->tried)
		return false;
	c->tried = true;
	c->fd = openat(dirfd, file_name, O_RDWR | O_CLOEXEC);
	if (c->fd == -1)
		return false;
	if (pread(c->fd, head, HEADER, 0) != HEADER ||
	    memcmp(head, magic, sizeof(magic)) != 0 ||
	    le_get(head + 28, 4) != uidvalidity) {
		close(c->fd);
		c->fd = -1;
		return false;
	}
	c->read = HEADER;
	return true;
}

static const struct cache_slot *
find_slot(struct cache *c, uint32_t uid, uint32_t kind)
{
	struct cache_slot key = { uid, kind, UINT64_MAX };
	size_t lo = 0, hi = c->n;

	if (c->sorted < c->n && c->n > 0)
		qsort(c->slot, c->n, sizeof(c->slot[0]), slot_order);
	c->sorted = c->n;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (slot_order(&c->slot[mid], &key) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == c->n || c->slot[lo].uid != uid || c->slot[lo].kind != kind)
		return NULL;
	return &c->slot[lo];
}

static bool
find_pending(struct cache *c, uint32_t uid, uint32_t kind, struct span *text)
{
	struct span s = buf_span(&c->pending);

	while (s.n >= FRAME) {
		struct span f = span_take(&s, FRAME);
		size_t len = (size_t)le_get(f.p, 4);

		*text = span_take(&s, len);
		if (le_get(f.p + 8, 4) == uid && le_get(f.p + 12, 4) == kind)
			return true;
	}
	return false;
}

static uint32_t
text_crc(uint32_t uid, uint32_t kind, struct span text)
{
	char head[8];

	le_set(head, 4, uid);
	le_set(head + 4, 4, kind);
	return crc32_add(crc32_add(0, (struct span){ head, 8 }), text);
}

bool
cache_get(struct cache *c, int dirfd, uint32_t uidvalidity, uint32_t uid,
    const char *what, struct span *text)
{
	const struct cache_slot *slot;
	uint32_t kind = kind_of(what);
	struct span s;
	ssize_t r;

	if (find_pending(c, uid, kind, text))
		return true;
	if (!open_file(c, dirfd, uidvalidity))
		return false;
	if (c->n == 0)
		read_frames(c);
	if ((slot = find_slot(c, uid, kind)) == NULL)
		return false;
	if (c->text.max == 0)
		buf_init(&c->text, CACHE_TEXT_MAX + FRAME);
	if (buf_room(&c->text, CACHE_TEXT_MAX + FRAME) == NULL)
		return false;
	r = pread(c->fd, c->text.p, FRAME, (off_t)slot->at);
	if (r != FRAME || le_get(c->text.p, 4) > CACHE_TEXT_MAX)
		return false;
	s.n = (size_t)le_get(c->text.p, 4);
	s.p = c->text.p + FRAME;
	r = pread(c->fd, c->text.p + FRAME, s.n, (off_t)slot->at + FRAME);
	if (r != (ssize_t)s.n ||
	    le_get(c->text.p + 4, 4) != text_crc(uid, kind, s))
		return false;
	*text = s;
	return true;
}

bool
cache_put(struct cache *c, uint32_t uid, const char *what, struct span text)
{
	struct buf *b = &c->pending;
	uint32_t kind = kind_of(what);

	if (text.n > CACHE_TEXT_MAX)
		return false;
	if (b->max == 0)
		buf_init(b, CACHE_PENDING_MAX + CACHE_TEXT_MAX + FRAME);
	if (b->n > CACHE_PENDING_MAX)
		return true;
	le_put(b, 4, text.n);
	le_put(b, 4, text_crc(uid, kind, text));
	le_put(b, 4, uid);
	le_put(b, 4, kind);
	buf_put(b, text);
	return b->n > CACHE_PENDING_MAX / 2;
}

/* A file for this UIDVALIDITY; one of another is begun again. */
static bool
make_file(struct cache *c, int dirfd, uint32_t uidvalidity)
{
	char head[HEADER];
	ssize_t n;
	int fd;

	c->tried = false;
	if (open_file(c, dirfd, uidvalidity))
		return true;
	fd = openat(dirfd, file_name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd == -1)
		return false;
	n = pread(fd, head, HEADER, 0);
	if (n < 0 ||
	    (n > 0 &&
		journal_format((struct span){ head, (size_t)n }, "cache") ==
		    JOURNAL_NEWER)) {
		close(fd);
		return false;
	}
	memcpy(head, magic, sizeof(magic));
	le_set(head + 28, 4, uidvalidity);
	if (ftruncate(fd, 0) == -1 ||
	    write_all(fd, head, HEADER, INT64_MAX) == -1) {
		close(fd);
		return false;
	}
	c->fd = fd;
	c->read = HEADER;
	return true;
}

void
cache_flush(struct cache *c, int dirfd, uint32_t uidvalidity)
{
	struct buf *b = &c->pending;
	int err = errno;

	if (b->n > 0 && make_file(c, dirfd, uidvalidity)) {
		read_frames(c); /* others appended; a torn end is cut off */
		if (ftruncate(c->fd, (off_t)c->read) == 0 &&
		    pwrite(c->fd, b->p, b->n, (off_t)c->read) == (ssize_t)b->n)
			read_frames(c);
	}
	buf_clear(b);
	errno = err;
}

static size_t
count_alive(const struct cache *c, bool (*alive)(const void *ctx, uint32_t uid),
    const void *ctx)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n; i++)
		n += alive(ctx, c->slot[i].uid);
	return n;
}

/* Copy a record as it stands; a damaged one stays damaged. */
static bool
copy_record(const struct cache *c, const struct cache_slot *slot, int to)
{
	static char buf[CACHE_TEXT_MAX + FRAME];
	size_t len;

	if (pread(c->fd, buf, FRAME, (off_t)slot->at) != FRAME)
		return false;
	len = (size_t)le_get(buf, 4);
	return len <= CACHE_TEXT_MAX &&
	    pread(c->fd, buf + FRAME, len, (off_t)slot->at + FRAME) ==
	    (ssize_t)len &&
	    write_all(to, buf, FRAME + len, INT64_MAX) == 0;
}

void
cache_trim(struct cache *c, int dirfd, uint32_t uidvalidity,
    bool (*alive)(const void *ctx, uint32_t uid), const void *ctx)
{
	static const char tmp[] = "pneu.cache.new";
	char head[HEADER];
	bool ok;
	int fd;

	if (c->fd == -1 || c->read < TRIM_MIN ||
	    count_alive(c, alive, ctx) > c->n / 2)
		return;
	fd = openat(dirfd, tmp, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd == -1)
		return;
	memset(head, 0, sizeof(head));
	memcpy(head, magic, sizeof(magic));
	le_set(head + 28, 4, uidvalidity);
	ok = write_all(fd, head, HEADER, INT64_MAX) == 0;
	for (size_t i = 0; ok && i < c->n; i++)
		if (alive(ctx, c->slot[i].uid))
			ok = copy_record(c, &c->slot[i], fd);
	close(fd);
	if (!ok || renameat(dirfd, tmp, dirfd, file_name) == -1)
		unlinkat(dirfd, tmp, 0);
	cache_close(c);
}
