/*
 * Load pneu.snapshot: fixed records, then what was expunged, keywords and
 * names (pneu-index(5)).  Where it can be, it is mapped, and no message is
 * looked at.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/die.h"
#include "io/fresh.h"
#include "io/fs.h"
#include "io/room.h"
#include "store/crc.h"
#include "store/index.h"
#include "store/le.h"
#include "store/mdname.h"

enum { AS_IN_FILE = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ };
enum { HEADER_SUM = SNAPSHOT_HEADER - 4, RANGE = 16, SPARE = 16384 };

const char snapshot_name[] = "pneu.snapshot";

static const size_t file_max = (size_t)1 << 32;

_Static_assert(offsetof(struct entry, msg.flags) == 4 &&
	offsetof(struct entry, msg.keywords) == 8 &&
	offsetof(struct entry, msg.modseq) == 16 &&
	offsetof(struct entry, msg.date) == 24 &&
	offsetof(struct entry, msg.size) == 32 &&
	offsetof(struct entry, msg.saved) == 40 &&
	offsetof(struct entry, msg.name) == 44 &&
	offsetof(struct entry, fact) == 48 &&
	offsetof(struct entry, len) == 60 && offsetof(struct entry, bits) == 62,
    "as in the file");

static enum snapshot_result
check_header(struct span s)
{
	enum format_result r = format_of(s, "snapshot");

	if (r == FORMAT_NEWER)
		return SNAPSHOT_NEWER;
	if (r == FORMAT_BAD || s.n < SNAPSHOT_HEADER ||
	    le_get(s.p + HEADER_SUM, 4) !=
		crc32_add(0, (struct span){ s.p, HEADER_SUM }))
		return SNAPSHOT_BAD;
	return SNAPSHOT_OK;
}

int
snapshot_identify(int dirfd, const char *name, struct journal_checked *c)
{
	struct fresh f;

	if (fresh_stat(dirfd, name, &f) == -1)
		return -1;
	*c = (struct journal_checked){
		.ino = f.ino, .size = f.size, .ctime_ns = f.ctime_ns
	};
	return 0;
}

bool
snapshot_is_same(const struct index *ix)
{
	struct journal_checked c;

	if (ix->remote)
		fresh_name(ix->fd, snapshot_name);
	return snapshot_identify(ix->fd, snapshot_name, &c) == 0 &&
	    c.ino == ix->snap.ino && c.size == ix->snap.size &&
	    c.ctime_ns == ix->snap.ctime_ns;
}

/* Where the parts begin, in bytes. */
struct parts {
	size_t n, nvanished, nkeywords;
	size_t vanished, keywords, names, end;
};

static bool
find_parts(const char *head, uint64_t size, struct parts *p)
{
	uint64_t words = le_get(head + 48, 4), names = le_get(head + 56, 8);

	p->n = (size_t)le_get(head + 40, 4);
	p->nkeywords = (size_t)le_get(head + 44, 4);
	p->nvanished = (size_t)le_get(head + 84, 4);
	if (p->nkeywords > LIMIT_KEYWORDS || p->nvanished > LIMIT_VANISHED ||
	    size > file_max || names > size || words > size ||
	    p->n > size / ENTRY_SIZE)
		return false;
	p->vanished = SNAPSHOT_HEADER + p->n * ENTRY_SIZE;
	p->keywords = p->vanished + p->nvanished * RANGE;
	p->names = p->keywords + (size_t)words;
	p->end = p->names + (size_t)names;
	return p->end == size;
}

static void
load_header(struct index *ix, const char *h)
{
	struct tally *t = &ix->tally;

	ix->gen = le_get(h + 16, 8);
	ix->uidvalidity = (uint32_t)le_get(h + 24, 4);
	ix->uidnext = (uint32_t)le_get(h + 28, 4);
	ix->modseq = le_get(h + 32, 8);
	ix->trust.trusted = (unsigned)le_get(h + 52, 4) & SCAN_ALL;
	ix->trust.new_ns = (int64_t)le_get(h + 64, 8);
	ix->trust.cur_ns = (int64_t)le_get(h + 72, 8);
	ix->vanished_floor = le_get(h + 88, 8);
	memcpy(ix->id, h + 96, INDEX_ID);
	ix->id[INDEX_ID - 1] = '\0';
	t->size = le_get(h + 128, 8);
	t->messages = (uint32_t)le_get(h + 136, 4);
	t->fresh = (uint32_t)le_get(h + 140, 4);
	t->unseen = (uint32_t)le_get(h + 144, 4);
	t->deleted = (uint32_t)le_get(h + 148, 4);
	t->unsized = (uint32_t)le_get(h + 152, 4);
	t->unseen_from = (uint32_t)le_get(h + 156, 4);
	t->fresh_from = (uint32_t)le_get(h + 160, 4);
	ix->first = le_get(h + 164, 4) != 0;
}

static bool
load_keywords(struct index *ix, struct span s, size_t n)
{
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

static void
load_vanished(struct index *ix, const char *p, size_t n)
{
	ix->nvanished = 0;
	if (n > ix->vanished_cap) {
		free(ix->vanished);
		ix->vanished =
		    die_calloc(LIMIT_VANISHED, sizeof(*ix->vanished));
		ix->vanished_cap = LIMIT_VANISHED;
	}
	for (; ix->nvanished < n; p += RANGE)
		ix->vanished[ix->nvanished++] =
		    (struct vanished){ (uint32_t)le_get(p, 4),
			    (uint32_t)le_get(p + 4, 4), le_get(p + 8, 8) };
}

/* All of the file in memory that nobody else changes. */
static enum snapshot_result
take_file(struct index *ix, int fd, size_t size, bool mapped)
{
	void *p = mapped ? mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0)
			 : room_make(size);
	ssize_t r;

	if (p == MAP_FAILED || p == NULL)
		return SNAPSHOT_FAILED;
	for (size_t at = 0; !mapped && at < size; at += (size_t)r) {
		r = pread(fd, (char *)p + at, size - at, (off_t)at);
		if (r <= 0) {
			int err = errno;

			room_free(p, size);
			errno = err;
			return r == 0 ? SNAPSHOT_BAD : SNAPSHOT_FAILED;
		}
	}
	ix->map = p;
	ix->map_size = size;
	return SNAPSHOT_OK;
}

static void
put_right(struct entry *e, const char *p)
{
	*e = (struct entry){ .msg.uid = (uint32_t)le_get(p, 4),
		.msg.flags = (uint16_t)le_get(p + 4, 2),
		.msg.keywords = le_get(p + 8, 8),
		.msg.modseq = le_get(p + 16, 8),
		.msg.date = (int64_t)le_get(p + 24, 8),
		.msg.size = le_get(p + 32, 8),
		.msg.saved = (uint32_t)le_get(p + 40, 4),
		.msg.name = (uint32_t)le_get(p + 44, 4),
		.len = (uint16_t)le_get(p + 60, 2),
		.bits = (uint16_t)le_get(p + 62, 2) };
	for (unsigned k = 0; k < ENTRY_FACTS; k++)
		e->fact[k] = (uint32_t)le_get(p + 48 + 4 * k, 4);
}

/* False when there is no memory. */
static bool
take_entries(struct index *ix, int fd, const struct parts *p, bool mapped)
{
	const char *from = ix->map + SNAPSHOT_HEADER;
	size_t bytes = p->n * ENTRY_SIZE;

	ix->cap = p->n + SPARE;
	if ((ix->entry = room_make(ix->cap * ENTRY_SIZE)) == NULL) {
		ix->cap = 0;
		return false;
	}
	ix->n = p->n;
	if (AS_IN_FILE && mapped &&
	    room_map(ix->entry, fd, SNAPSHOT_HEADER, bytes))
		return true;
	for (size_t i = 0; i < p->n; i++)
		put_right(&ix->entry[i], from + i * ENTRY_SIZE);
	return true;
}

/* What the sums do not tell of a file that somebody made up. */
static bool
is_sound(const struct index *ix)
{
	uint32_t last = 0;

	for (size_t i = 0; i < ix->n; i++) {
		const struct entry *e = &ix->entry[i];
		unsigned char gone;

		memcpy(&gone, &e->msg.gone, 1); /* any byte may be there */
		if (e->msg.uid <= last || e->msg.uid >= ix->uidnext ||
		    gone != 0 || (e->msg.flags & ~FLAG_ALL) != 0 ||
		    (e->bits & ~ENTRY_SAVED) != 0 || e->len == 0 ||
		    e->len > MDNAME_MAX || e->msg.name > ix->nmap ||
		    e->len > ix->nmap - e->msg.name)
			return false;
		last = e->msg.uid;
	}
	return true;
}

/* Shorter than a header of ours. */
static enum snapshot_result
take_short(int fd)
{
	char head[64];
	ssize_t n = pread(fd, head, sizeof(head), 0);

	if (n == -1)
		return SNAPSHOT_FAILED;
	return format_of((struct span){ head, (size_t)n }, "snapshot") ==
		FORMAT_NEWER
	    ? SNAPSHOT_NEWER
	    : SNAPSHOT_BAD;
}

/* What can't be read now is not damaged for that: FAILED. */
static enum snapshot_result
load(struct index *ix, int fd)
{
	bool mapped = !ix->remote;
	enum snapshot_result r;
	struct parts p;

	if (ix->snap.size < SNAPSHOT_HEADER)
		return take_short(fd);
	r = take_file(ix, fd, (size_t)ix->snap.size, mapped);
	if (r == SNAPSHOT_OK)
		r = check_header((struct span){ ix->map, SNAPSHOT_HEADER });
	if (r != SNAPSHOT_OK)
		return r;
	if (!find_parts(ix->map, ix->map_size, &p))
		return SNAPSHOT_BAD;
	load_header(ix, ix->map);
	ix->mapped_names = ix->map + p.names;
	ix->nmap = p.end - p.names;
	if (ix->uidvalidity == 0 || ix->uidnext == 0 ||
	    !load_keywords(ix,
		(struct span){ ix->map + p.keywords, p.names - p.keywords },
		p.nkeywords))
		return SNAPSHOT_BAD;
	if (!take_entries(ix, fd, &p, mapped))
		return SNAPSHOT_FAILED;
	load_vanished(ix, ix->map + p.vanished, p.nvanished);
	return SNAPSHOT_OK;
}

/* The sum over all behind the header, and then what it says. */
bool
snapshot_check(const struct index *ix)
{
	struct span rest = { ix->map + SNAPSHOT_HEADER,
		ix->map_size - SNAPSHOT_HEADER };

	return le_get(ix->map + 80, 4) == crc32_add(0, rest) && is_sound(ix);
}

enum snapshot_result
snapshot_load(struct index *ix)
{
	enum snapshot_result r = SNAPSHOT_FAILED;
	int fd, err;

	index_free_table(ix);
	fresh_name(ix->fd, snapshot_name);
	fd = openat(ix->fd, snapshot_name, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return errno == ENOENT ? SNAPSHOT_NONE : SNAPSHOT_FAILED;
	if (snapshot_identify(fd, "", &ix->snap) == 0)
		r = load(ix, fd);
	fs_close(fd);
	err = errno;
	if (r != SNAPSHOT_OK)
		index_free_table(ix);
	errno = err;
	return r;
}
