#include "store/cache.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/grow.h"
#include "io/deadline.h"
#include "io/fault.h"
#include "io/fs.h"
#include "io/out.h"
#include "store/format.h"
#include "store/le.h"

/* HEADER: "pneu-cache 1\n" and the UIDVALIDITY at its end. */
enum { HEADER = 32, FRAME = 16, TRIM_MIN = 1048576, SAMPLE = 256 };

/* Of a record that will be wanted; and a line of the processor's cache. */
enum { EXPECTED = 512, CACHE_LINE = 64 };

/* Read at once where nothing is mapped: most records have no more. */
enum { READ_AHEAD = 4096 };

static const char file_name[] = "pneu.cache";
static const char tmp_name[] = "pneu.cache.new";
static const char magic[28] = "pneu-cache 1\n";

static void
unmap(struct cache *c)
{
	if (c->map == NULL)
		return;
	fault_forget(c->map);
	munmap((void *)(uintptr_t)c->map, c->size);
	c->map = NULL;
	c->size = 0;
	c->unmaps++;
}

static void
forget_file(struct cache *c)
{
	unmap(c);
	if (c->fd != -1)
		close(c->fd);
	c->fd = -1;
	for (unsigned i = 0; i < CACHE_TEXTS; i++)
		buf_clear(&c->text[i]);
}

void
cache_close(struct cache *c)
{
	int err = errno;

	forget_file(c);
	for (unsigned i = 0; i < CACHE_TEXTS; i++) {
		buf_free(&c->text[i]);
		buf_free(&c->pending[i]);
	}
	free(c->ref);
	*c = (struct cache){ .fd = -1 };
	errno = err;
}

static uint64_t
mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * UINT64_C(0x9e3779b97f4a7c15);
	return h ^ h >> 29;
}

/* For the many: what is done to a lane can be undone, so no change is lost. */
static uint64_t
stir(uint64_t lane, uint64_t v)
{
	lane = (lane ^ v) * UINT64_C(0x9e3779b97f4a7c15);
	return lane << 29 | lane >> 35;
}

/* Four lanes, since texts are checked whenever they are read. */
static uint32_t
check_sum(uint32_t uid, uint32_t kind, struct span s)
{
	uint64_t h = mix((uint64_t)uid << 32 | kind, s.n), lane[4];
	for (unsigned i = 0; i < 4; i++)
		lane[i] = h + i;
	while (s.n >= sizeof(lane)) {
		const char *p = span_take(&s, sizeof(lane)).p;

		lane[0] = stir(lane[0], le_word(p));
		lane[1] = stir(lane[1], le_word(p + 8));
		lane[2] = stir(lane[2], le_word(p + 16));
		lane[3] = stir(lane[3], le_word(p + 24));
	}
	while (s.n >= CACHE_UNIT)
		h = mix(h, le_word(span_take(&s, CACHE_UNIT).p));
	h = mix(h, le_get(s.p, (unsigned)s.n));
	for (unsigned i = 0; i < 4; i++)
		h = mix(h, lane[i]);
	return (uint32_t)(h ^ h >> 32);
}

static bool
has_header(int fd, uint32_t uidvalidity)
{
	char head[HEADER];

	return pread(fd, head, HEADER, 0) == HEADER &&
	    memcmp(head, magic, sizeof(magic)) == 0 &&
	    le_get(head + 28, 4) == uidvalidity;
}

static bool
try_file(struct cache *c, int dirfd, uint32_t uidvalidity)
{
	struct stat st;

	c->tried = true;
	c->fd = openat(dirfd, file_name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (c->fd == -1)
		return false;
	if (fstat(c->fd, &st) == -1 || !S_ISREG(st.st_mode) ||
	    !has_header(c->fd, uidvalidity)) {
		forget_file(c);
		return false;
	}
	c->ino = st.st_ino;
	c->unmapped = fs_is_remote(c->fd);
	return true;
}

static bool
open_file(struct cache *c, int dirfd, uint32_t uidvalidity)
{
	return c->fd != -1 || (!c->tried && try_file(c, dirfd, uidvalidity));
}

/* Another file may be in its place, or it was cut short. */
static void
look_again(struct cache *c, int dirfd)
{
	struct stat st;

	if (c->fd != -1 &&
	    (fstatat(dirfd, file_name, &st, AT_SYMLINK_NOFOLLOW) == -1 ||
		st.st_ino != c->ino || st.st_size < HEADER))
		forget_file(c);
	c->tried = false;
}

/* Have `end` bytes of the file mapped, if there are so many. */
static bool
map_up_to(struct cache *c, uint64_t end)
{
	struct stat st;
	void *p;

	if (end <= c->size)
		return true;
	if (fstat(c->fd, &st) == -1 || st.st_size < (off_t)end ||
	    (uint64_t)st.st_size > SIZE_MAX)
		return false;
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, c->fd, 0);
	if (p == MAP_FAILED) {
		c->unmapped = true;
		return false;
	}
	unmap(c);
	if (!fault_bear(p, (size_t)st.st_size)) {
		munmap(p, (size_t)st.st_size);
		c->unmapped = true;
		return false;
	}
	c->map = p;
	c->size = (size_t)st.st_size;
	c->faults = fault_count();
	return true;
}

/*
 * n bytes at a place of the file, mapped or read: then with what is behind
 * them, where a small record has all of its text.
 */
static const char *
map_or_read(struct cache *c, unsigned k, uint64_t at, size_t n)
{
	struct buf *b = &c->text[k];
	size_t all = n > READ_AHEAD ? n : READ_AHEAD;
	ssize_t r;

	if (c->map != NULL && c->faults != fault_count())
		unmap(c); /* there are zeros in it */
	if (!c->unmapped && map_up_to(c, at + n))
		return c->map + at;
	if (!c->unmapped)
		return NULL;
	if (b->n >= n && c->text_at[k] == at)
		return b->p;
	if (b->max == 0)
		buf_init(b, CACHE_TEXT_MAX + FRAME);
	buf_clear(b);
	if (buf_room(b, all) == NULL ||
	    (r = pread(c->fd, b->p, all, (off_t)at)) < (ssize_t)n)
		return NULL;
	b->n = (size_t)r;
	c->text_at[k] = at;
	return b->p;
}

static const char *
bytes(struct cache *c, unsigned k, uint64_t at, size_t n)
{
	if (at + n <= c->size && c->faults == fault_count())
		return c->map + at;
	return map_or_read(c, k, at, n);
}

static bool
get_record(struct cache *c, struct cache_ref r, struct span *text)
{
	unsigned k = r.kind % CACHE_TEXTS;
	uint64_t at = (uint64_t)r.at * CACHE_UNIT;
	const char *p = bytes(c, k, at, FRAME);
	uint32_t sum;

	if (p == NULL || at < HEADER ||
	    le_word(p + 8) != ((uint64_t)r.kind << 32 | r.uid))
		return false;
	text->n = (size_t)le_get(p, 4);
	sum = (uint32_t)le_get(p + 4, 4);
	if (text->n > CACHE_TEXT_MAX)
		return false;
	p = bytes(c, k, at, FRAME + text->n);
	if (p == NULL)
		return false;
	text->p = p + FRAME;
	return check_sum(r.uid, r.kind, *text) == sum;
}

static bool
find_pending(struct cache *c, struct cache_ref r, struct span *text)
{
	if (c->n == 0 || r.uid > c->ref[c->n - 1].uid)
		return false; /* the usual way is upwards */
	for (size_t i = c->n; i-- > 0;) {
		const char *p;

		if (c->ref[i].uid != r.uid || c->ref[i].kind != r.kind)
			continue;
		p = c->pending[r.kind % CACHE_TEXTS].p +
		    (size_t)c->ref[i].at * CACHE_UNIT;
		*text = (struct span){ p + FRAME, (size_t)le_get(p, 4) };
		return true;
	}
	return false;
}

bool
cache_get(struct cache *c, int dirfd, uint32_t uidvalidity, struct cache_ref r,
    struct span *text)
{
	if (r.at == 0)
		return find_pending(c, r, text);
	if (open_file(c, dirfd, uidvalidity) && get_record(c, r, text))
		return true;
	if (find_pending(c, r, text))
		return true;
	look_again(c, dirfd);
	return c->fd == -1 && open_file(c, dirfd, uidvalidity) &&
	    get_record(c, r, text);
}

void
cache_expect(const struct cache *c, uint32_t at)
{
	uint64_t from = (uint64_t)at * CACHE_UNIT;

	if (at > 0 && from + EXPECTED <= c->size)
		for (size_t n = 0; n < EXPECTED; n += CACHE_LINE)
			__builtin_prefetch(c->map + from + n);
}

static void
put_record(struct buf *b, struct cache_ref r, struct span text)
{
	static const char zeros[CACHE_UNIT];

	le_put(b, 4, text.n);
	le_put(b, 4, check_sum(r.uid, r.kind, text));
	le_put(b, 4, r.uid);
	le_put(b, 4, r.kind);
	buf_put(b, text);
	buf_put(b,
	    (struct span){
		zeros, (CACHE_UNIT - text.n % CACHE_UNIT) % CACHE_UNIT });
}

static size_t
all_pending(const struct cache *c)
{
	size_t n = 0;

	for (unsigned i = 0; i < CACHE_TEXTS; i++)
		n += c->pending[i].n;
	return n;
}

bool
cache_put(struct cache *c, uint32_t uid, uint32_t kind, struct span text)
{
	struct buf *b = &c->pending[kind % CACHE_TEXTS];
	struct cache_ref r = { uid, kind, 0 };

	if (text.n > CACHE_TEXT_MAX || all_pending(c) > CACHE_PENDING_MAX)
		return all_pending(c) > CACHE_PENDING_MAX;
	if (b->max == 0)
		buf_init(
		    b, CACHE_PENDING_MAX + CACHE_TEXT_MAX + FRAME + CACHE_UNIT);
	r.at = (uint32_t)(b->n / CACHE_UNIT);
	c->ref = grow_array(c->ref, c->n, &c->cap, sizeof(c->ref[0]));
	c->ref[c->n++] = r;
	put_record(b, r, text);
	return all_pending(c) > CACHE_PENDING_MAX;
}

void
cache_clear(struct cache *c)
{
	c->n = 0;
	for (unsigned i = 0; i < CACHE_TEXTS; i++)
		buf_clear(&c->pending[i]);
}

/* A file with a header alone, under its second name; -1 and errno. */
static int
begin_file(int dirfd, uint32_t uidvalidity)
{
	char head[HEADER];
	int fd = openat(dirfd, tmp_name,
	    O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd == -1)
		return -1;
	memcpy(head, magic, sizeof(magic));
	le_set(head + 28, 4, uidvalidity);
	if (write_all(fd, head, HEADER, DEADLINE_NEVER) == 0)
		return fd;
	close(fd);
	unlinkat(dirfd, tmp_name, 0);
	return -1;
}

/* It is the file from now on. */
static bool
take_file(struct cache *c, int dirfd, int fd)
{
	struct stat st;

	if (fstat(fd, &st) == -1 ||
	    renameat(dirfd, tmp_name, dirfd, file_name) == -1) {
		close(fd);
		unlinkat(dirfd, tmp_name, 0);
		return false;
	}
	forget_file(c);
	c->fd = fd;
	c->ino = st.st_ino;
	return true;
}

/* What a later release has written is left alone. */
static bool
is_newer(int dirfd)
{
	char head[HEADER];
	int fd = openat(dirfd, file_name, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd == -1)
		return false;
	n = pread(fd, head, HEADER, 0);
	close(fd);
	return n < 0 ||
	    (n > 0 &&
		format_of((struct span){ head, (size_t)n }, "cache") ==
		    FORMAT_NEWER);
}

/* A file for this UIDVALIDITY; one of another is replaced. */
static bool
make_file(struct cache *c, int dirfd, uint32_t uidvalidity)
{
	int fd;

	look_again(c, dirfd);
	if (open_file(c, dirfd, uidvalidity))
		return true;
	if (is_newer(dirfd) || (fd = begin_file(dirfd, uidvalidity)) == -1)
		return false;
	return take_file(c, dirfd, fd);
}

/* A few times while a file grows to twice its size. */
static bool
has_grown(uint64_t from, uint64_t to)
{
	uint64_t step = TRIM_MIN;

	while (step < from / 8)
		step *= 2;
	return from / step != to / step;
}

/* Those of a kind together: most commands read one. */
static bool
append(struct cache *c)
{
	uint64_t at, end, begin[CACHE_TEXTS];
	struct stat st;

	if (fstat(c->fd, &st) == -1)
		return false;
	at = ((uint64_t)st.st_size + CACHE_UNIT - 1) / CACHE_UNIT * CACHE_UNIT;
	end = at;
	if ((at + all_pending(c)) / CACHE_UNIT > UINT32_MAX)
		return false;
	for (unsigned i = 0; i < CACHE_TEXTS; i++) {
		const struct buf *b = &c->pending[i];

		if (fs_write_at(c->fd, buf_span(b), (off_t)end) == -1)
			return false;
		begin[i] = end / CACHE_UNIT;
		end += b->n;
	}
	for (size_t i = 0; i < c->n; i++)
		c->ref[i].at += (uint32_t)begin[c->ref[i].kind % CACHE_TEXTS];
	c->grown = c->grown || has_grown(at, end);
	return true;
}

void
cache_flush(struct cache *c, int dirfd, uint32_t uidvalidity)
{
	int err = errno;

	if (c->n > 0 && (!make_file(c, dirfd, uidvalidity) || !append(c)))
		cache_clear(c);
	errno = err;
}

bool
cache_is_old(struct cache *c, const struct cache_ref *r, size_t n)
{
	struct stat st;
	size_t step = n / SAMPLE + 1, looked = 0;
	uint64_t alive = 0;
	struct span text;

	if (c->fd == -1 || fstat(c->fd, &st) == -1 || st.st_size < TRIM_MIN)
		return false;
	for (size_t i = 0; i < n; i += step, looked++)
		if (r[i].at > 0 && get_record(c, r[i], &text))
			alive += text.n + FRAME + CACHE_UNIT / 2;
	return looked == 0 || alive / looked * n < (uint64_t)st.st_size / 2;
}

bool
cache_trim(struct cache *c, int dirfd, uint32_t uidvalidity,
    struct cache_ref *r, size_t n)
{
	struct buf b = { .max = CACHE_PENDING_MAX + CACHE_TEXT_MAX + 64 };
	uint32_t *to = calloc(n + 1, sizeof(*to));
	uint64_t at = HEADER;
	struct span text;
	int fd = to == NULL ? -1 : begin_file(dirfd, uidvalidity);
	bool ok = fd != -1;

	for (size_t i = 0; ok && i <= n; i++) {
		if (i < n && r[i].at > 0 && get_record(c, r[i], &text)) {
			to[i] = (uint32_t)((at + b.n) / CACHE_UNIT);
			put_record(&b, r[i], text);
		}
		if (i == n || b.n > CACHE_PENDING_MAX) {
			ok = write_all(fd, b.p, b.n, DEADLINE_NEVER) == 0;
			at += b.n;
			buf_clear(&b);
		}
	}
	buf_free(&b);
	if (!ok && fd != -1) {
		close(fd);
		unlinkat(dirfd, tmp_name, 0);
	}
	ok = ok && take_file(c, dirfd, fd);
	for (size_t i = 0; ok && i < n; i++)
		r[i].at = to[i];
	free(to);
	return ok;
}
