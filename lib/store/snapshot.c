/* The file pneu.snapshot: fixed records, then keywords, then names. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "io/fs.h"
#include "store/crc.h"
#include "store/index.h"
#include "store/le.h"
#include "store/mdname.h"

enum { HEADER = 96, HEADER_SUM = 84, RECORD = 48 };

static const char file_name[] = "pneu.snapshot";
static const char magic[17] = "pneu-snapshot 1\n";
static const size_t file_max = (size_t)1 << 31;

static enum snapshot_result
check_header(struct span s)
{
	enum journal_result r = journal_format(s, "snapshot");

	if (r == JOURNAL_NEWER)
		return SNAPSHOT_NEWER;
	if (r == JOURNAL_BAD || s.n < HEADER ||
	    le_get(s.p + HEADER_SUM, 4) !=
		crc32_add(0, (struct span){ s.p, HEADER_SUM }))
		return SNAPSHOT_BAD;
	return SNAPSHOT_OK;
}

enum snapshot_result
snapshot_gen(int dirfd, uint64_t *gen)
{
	char head[HEADER];
	enum snapshot_result r;
	ssize_t n;
	int fd;

	fd = openat(dirfd, file_name, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return errno == ENOENT ? SNAPSHOT_NONE : SNAPSHOT_FAILED;
	n = read(fd, head, sizeof(head));
	close(fd);
	if (n == -1)
		return SNAPSHOT_FAILED;
	r = check_header((struct span){ head, (size_t)n });
	if (r == SNAPSHOT_OK)
		*gen = le_get(head + 16, 8);
	return r;
}

static bool
load_keywords(struct index *ix, struct span s, size_t n)
{
	if (n > LIMIT_KEYWORDS)
		return false;
	for (size_t k = 0; k < n; k++) {
		size_t len = (size_t)le_take(&s, 1);

		if (len > s.n ||
		    !span_cstr(span_take(&s, len), ix->keyword[k],
			sizeof(ix->keyword[k])))
			return false;
	}
	ix->nkeywords = (int)n;
	return true;
}

static bool
load_entry(struct entry *e, const char *p, size_t names)
{
	e->msg.uid = (uint32_t)le_get(p, 4);
	e->msg.flags = (uint16_t)(le_get(p + 4, 2) & FLAG_ALL);
	e->bits = (uint16_t)(le_get(p + 6, 2) & ENTRY_SAVED);
	e->name = (size_t)le_get(p + 8, 4);
	e->len = (uint16_t)le_get(p + 12, 2);
	e->msg.keywords = le_get(p + 16, 8);
	e->msg.modseq = le_get(p + 24, 8);
	e->msg.date = (int64_t)le_get(p + 32, 8);
	e->msg.size = le_get(p + 40, 8);
	return e->len > 0 && e->len <= MDNAME_MAX && e->name <= names &&
	    e->len <= names - e->name;
}

static bool
load_entries(struct index *ix, const char *p, size_t n, size_t names)
{
	uint32_t last = 0;

	if (n == 0)
		return true;
	ix->entry = malloc(n * sizeof(ix->entry[0]));
	if (ix->entry == NULL)
		return false;
	ix->cap = n;
	for (size_t i = 0; i < n; i++, p += RECORD) {
		struct entry e = { 0 };

		if (!load_entry(&e, p, names) || e.msg.uid <= last ||
		    e.msg.uid >= ix->uidnext)
			return false;
		last = e.msg.uid;
		ix->entry[ix->n++] = e;
	}
	return true;
}

static bool
load(struct index *ix, struct span s)
{
	const char *p = s.p;
	size_t n = (size_t)le_get(p + 40, 4), words = (size_t)le_get(p + 48, 4);
	uint64_t names = le_get(p + 56, 8), rest = s.n - HEADER;

	if (n > rest / RECORD || words > rest - n * RECORD ||
	    names != rest - n * RECORD - words ||
	    le_get(p + 80, 4) !=
		crc32_add(0, (struct span){ p + HEADER, rest }))
		return false;
	ix->gen = le_get(p + 16, 8);
	ix->uidvalidity = (uint32_t)le_get(p + 24, 4);
	ix->uidnext = (uint32_t)le_get(p + 28, 4);
	ix->modseq = le_get(p + 32, 8);
	ix->trust.trusted = le_get(p + 52, 4) != 0;
	ix->trust.new_ns = (int64_t)le_get(p + 64, 8);
	ix->trust.cur_ns = (int64_t)le_get(p + 72, 8);
	p += HEADER;
	if (ix->uidvalidity == 0 || ix->uidnext == 0 ||
	    !load_keywords(ix, (struct span){ p + n * RECORD, words },
		(size_t)le_get(s.p + 44, 4)) ||
	    !load_entries(ix, p, n, (size_t)names))
		return false;
	return buf_put(
	    &ix->names, (struct span){ p + n * RECORD + words, (size_t)names });
}

enum snapshot_result
snapshot_load(struct index *ix)
{
	enum snapshot_result r;
	struct buf b;

	buf_init(&b, file_max);
	if (fs_read(ix->fd, file_name, &b) == -1) {
		buf_free(&b);
		return errno == ENOENT ? SNAPSHOT_NONE : SNAPSHOT_FAILED;
	}
	r = check_header(buf_span(&b));
	if (r == SNAPSHOT_OK && !load(ix, buf_span(&b)))
		r = SNAPSHOT_BAD;
	ix->snapshot = b.n;
	buf_free(&b);
	return r;
}

static void
put_entry(struct buf *b, const struct index *ix, const struct entry *e,
    struct buf *names)
{
	char file[512];
	size_t at = names->n;

	index_file(ix, e, file);
	buf_puts(names, file + 4);
	le_put(b, 4, e->msg.uid);
	le_put(b, 2, e->msg.flags & FLAG_ALL);
	le_put(b, 2, e->bits & ENTRY_SAVED);
	le_put(b, 4, at);
	le_put(b, 2, names->n - at);
	le_put(b, 2, 0);
	le_put(b, 8, e->msg.keywords);
	le_put(b, 8, e->msg.modseq);
	le_put(b, 8, (uint64_t)e->msg.date);
	le_put(b, 8, e->msg.size);
}

static void
put_keywords(struct buf *b, const struct index *ix)
{
	for (int k = 0; k < ix->nkeywords; k++) {
		struct span name = span_of(ix->keyword[k]);

		le_put(b, 1, name.n);
		buf_put(b, name);
	}
}

static void
fill_header(char *p, const struct index *ix, uint64_t gen)
{
	memcpy(p, magic, 16);
	le_set(p + 16, 8, gen);
	le_set(p + 24, 4, ix->uidvalidity);
	le_set(p + 28, 4, ix->uidnext);
	le_set(p + 32, 8, ix->modseq);
	le_set(p + 44, 4, (uint64_t)ix->nkeywords);
	le_set(p + 52, 4, ix->trust.trusted);
	le_set(p + 64, 8, (uint64_t)ix->trust.new_ns);
	le_set(p + 72, 8, (uint64_t)ix->trust.cur_ns);
}

int
snapshot_write(struct index *ix, uint64_t gen)
{
	struct buf b, names;
	size_t n = 0, words, i;
	int r = -1;

	buf_init(&b, file_max);
	buf_init(&names, file_max);
	for (i = 0; i < HEADER; i++)
		buf_putc(&b, '\0');
	for (i = 0; i < ix->n; i++)
		if (!ix->entry[i].msg.gone) {
			put_entry(&b, ix, &ix->entry[i], &names);
			n++;
		}
	words = b.n;
	put_keywords(&b, ix);
	words = b.n - words;
	buf_put(&b, buf_span(&names));
	errno = EFBIG;
	if (!b.over && !names.over) {
		fill_header(b.p, ix, gen);
		le_set(b.p + 40, 4, n);
		le_set(b.p + 48, 4, words);
		le_set(b.p + 56, 8, names.n);
		le_set(b.p + 80, 4,
		    crc32_add(0, (struct span){ b.p + HEADER, b.n - HEADER }));
		le_set(b.p + HEADER_SUM, 4,
		    crc32_add(0, (struct span){ b.p, HEADER_SUM }));
		r = fs_replace(ix->fd, file_name, buf_span(&b), 0600);
	}
	if (r == 0)
		ix->snapshot = b.n;
	buf_free(&b);
	buf_free(&names);
	return r;
}
