#include "store/uidmem.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/num.h"
#include "io/deadline.h"
#include "io/fresh.h"
#include "io/fs.h"
#include "io/out.h"
#include "store/format.h"

enum { HIGHEST = 11, NUMBERS = 22, WAIT = 30, FILE_MAX = 64 * 1024 * 1024 };
enum { BLOCK_MAX = 1024, GROWS_TO = 1048576 };

static const char file_name[] = "pneu.uidvalidity";
static const char first_line[] = "pneu-uidvalidity 1\n";

/*
 * Names of lines that are no folder's: UIDVALIDITYs set aside; whether a
 * sync has failed.
 */
static const char set_aside[] = "/", unsure[] = "!";

/* What this process knows of one of these files. */
static struct {
	dev_t dev;
	ino_t ino;
	uint32_t durable;   /* the file on disk has one that is as great */
	uint32_t next, end; /* set aside for us */
	uint32_t block;     /* so many the next time */
	bool named;         /* its name is on disk */
} ours;

static bool
is_maildir(const char *path)
{
	char cur[LIMIT_PATH + 8];
	struct stat st;

	snprintf(cur, sizeof(cur), "%s/cur", path);
	return stat(cur, &st) == 0 && S_ISDIR(st.st_mode);
}

/*
 * Split into the root and the name of the folder in it: ".Work" in a
 * Maildir, or "." for the Maildir itself, which may be ~/.mail.
 */
static bool
split(const char *path, char *root, size_t size, const char **name)
{
	const char *slash = strrchr(path, '/');
	const char *last = slash == NULL ? path : slash + 1;
	struct span dir = SPAN(".");

	if (slash != NULL)
		dir = slash == path
		    ? SPAN("/")
		    : (struct span){ path, (size_t)(slash - path) };
	*name = last;
	if (last[0] == '.' && last[1] != '\0' && strcmp(last, "..") != 0 &&
	    span_cstr(dir, root, size) && is_maildir(root))
		return true;
	*name = ".";
	return span_cstr(span_of(path), root, size);
}

/*
 * "UIDVALIDITY HIGHEST NAME", numbers of ten digits.  The second one may be
 * spoilt where writing it was cut short: then it is not known.
 */
static bool
parse_line(
    struct span line, uint32_t *validity, uint32_t *highest, struct span *name)
{
	if (line.n <= NUMBERS || line.p[10] != ' ' || line.p[21] != ' ')
		return false;
	*name = line;
	span_take(name, NUMBERS);
	if (!num_u32((struct span){ line.p + HIGHEST, 10 }, highest))
		*highest = 0;
	return num_u32((struct span){ line.p, 10 }, validity);
}

/*
 * Read it under its lock: the line of this name, and the largest UIDVALIDITY
 * of ours.
 */
static int
look_up(struct uidmem *m, uint32_t *largest)
{
	struct buf b;
	struct span s, line, name;
	uint32_t v, h;
	ssize_t r = 0;

	buf_init(&b, FILE_MAX);
	while (buf_room(&b, 8192) != NULL &&
	    (r = pread(m->fd, b.p + b.n, 8192, (off_t)b.n)) > 0)
		b.n += (size_t)r;
	if (r == -1 || b.over) {
		buf_free(&b);
		errno = b.over ? EFBIG : errno;
		return -1;
	}
	*largest = 0;
	m->lost = false;
	s = buf_span(&b);
	if (s.n > 0 && format_of(s, "uidvalidity") == FORMAT_NEWER) {
		buf_free(&b);
		errno = EPROTO;
		return -1;
	}
	while (s.n > 0) {
		off_t at = (off_t)(b.n - s.n);

		line = span_cut(&s, '\n');
		if (!parse_line(line, &v, &h, &name))
			continue;
		if (v > *largest && v <= UIDMEM_OURS)
			*largest = v;
		if (span_is(name, unsure))
			m->lost = h != 0;
		if (!span_is(name, m->name))
			continue;
		m->at = at;
		m->uidvalidity = v;
		m->highest = h;
	}
	buf_free(&b);
	return 0;
}

/* What it has is what the node has written that had the lock before. */
static int
lock(const struct uidmem *m, bool exclusive)
{
	struct fresh f;

	if (fs_lock(m->fd, exclusive, deadline_in(WAIT)) == -1)
		return -1;
	if (!m->remote ||
	    (fresh_touch(m->fd) == 0 && fresh_stat(m->fd, "", &f) == 0))
		return 0;
	fs_unlock(m->fd);
	return -1;
}

/* What went well goes wrong if others can't see it. */
static int
unlock(const struct uidmem *m, int r)
{
	if (r == 0 && m->remote)
		r = fresh_flush(m->fd);
	fs_unlock(m->fd);
	return r;
}

int
uidmem_open(struct uidmem *m, const char *path)
{
	char root[LIMIT_PATH], file[LIMIT_PATH + 32];
	const char *name;
	uint32_t largest;
	int r;

	*m = (struct uidmem){ .fd = -1, .at = -1, .path = path };
	if (!split(path, root, sizeof(root), &name) ||
	    strlen(name) >= sizeof(m->name)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	snprintf(m->name, sizeof(m->name), "%s", name);
	snprintf(file, sizeof(file), "%s/%s", root, file_name);
	m->fd = open(file, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (m->fd == -1)
		return -1;
	m->remote = fs_is_remote(m->fd);
	r = lock(m, false);
	if (r == 0)
		r = unlock(m, look_up(m, &largest));
	if (r == -1)
		uidmem_close(m);
	return r;
}

void
uidmem_close(struct uidmem *m)
{
	fs_close(m->fd);
	m->fd = -1;
}

/* A new line at the end; a torn one in front of it is closed first. */
static int
append(struct uidmem *m, uint32_t uidvalidity, uint32_t highest)
{
	char text[320];
	off_t end = lseek(m->fd, 0, SEEK_END);
	char last = '\n';
	int n;

	if (end == -1 || (end > 0 && pread(m->fd, &last, 1, end - 1) != 1))
		return -1;
	n = snprintf(text, sizeof(text), "%s%010u %010u %s\n",
	    end == 0           ? first_line
		: last == '\n' ? ""
			       : "\n",
	    uidvalidity, highest, m->name);
	if (fs_write_at(m->fd, (struct span){ text, (size_t)n }, end) == -1)
		return -1;
	m->at = end + n - (off_t)strlen(m->name) - 1 - NUMBERS;
	return 0;
}

static int
know_file(const struct uidmem *m)
{
	struct stat st;

	if (fstat(m->fd, &st) == -1)
		return -1;
	if (st.st_dev == ours.dev && st.st_ino == ours.ino)
		return 0;
	memset(&ours, 0, sizeof(ours));
	ours.dev = st.st_dev;
	ours.ino = st.st_ino;
	return 0;
}

/* The line that says whether a sync has failed. */
static int
note_lost(const struct uidmem *m, bool lost)
{
	struct uidmem line = { .fd = m->fd, .at = -1 };
	uint32_t largest;

	memcpy(line.name, unsure, sizeof(unsure));
	if (look_up(&line, &largest) == -1)
		return -1;
	if (line.at == -1)
		return lost ? append(&line, 0, 1) : 0;
	return fs_write_at(m->fd,
	    lost ? SPAN("0000000001") : SPAN("0000000000"), line.at + HIGHEST);
}

/*
 * The kernel takes for written what it could not write: a byte of each line,
 * one that nobody changes, has it write all of them.
 */
static int
write_again(const struct uidmem *m)
{
	char buf[4096];
	off_t at = 0;
	ssize_t r;

	while ((r = pread(m->fd, buf, sizeof(buf), at)) > 0) {
		for (ssize_t i = 0; i < r; i++)
			if (buf[i] == '\n' &&
			    fs_write_at(m->fd, SPAN("\n"), at + i) == -1)
				return -1;
		at += r;
	}
	return r == -1 ? -1 : 0;
}

static int
sync_lines(struct uidmem *m)
{
	bool was = m->lost;
	int err;

	if ((!was || write_again(m) == 0) && fdatasync(m->fd) == 0) {
		m->lost = false;
		return was ? note_lost(m, false) : 0;
	}
	err = errno;
	m->lost = true;
	if (!was && note_lost(m, true) == -1)
		return -1;
	errno = err;
	return -1;
}

/*
 * On disk, and once its name, too: all of it may be lost without that.
 * Under the lock.
 */
static int
keep(struct uidmem *m)
{
	char root[LIMIT_PATH];
	const char *name;

	if (sync_lines(m) == -1 || know_file(m) == -1)
		return -1;
	if (ours.named)
		return 0;
	if (!split(m->path, root, sizeof(root), &name)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (fs_sync_dir(AT_FDCWD, root) == -1 && errno != EACCES)
		return -1; /* else it can't be read */
	ours.named = true;
	return 0;
}

/*
 * A folder that is made and deleted again and again must not fill the file,
 * which every open reads: then it keeps its line.
 */
static bool
is_large(const struct uidmem *m)
{
	struct stat st;

	return fstat(m->fd, &st) == 0 && st.st_size > GROWS_TO;
}

/* Under the lock. */
static int
put(struct uidmem *m, uint32_t uidvalidity, uint32_t highest, bool sync)
{
	char text[NUMBERS];
	bool same = m->at != -1 && m->uidvalidity == uidvalidity;
	int r;

	snprintf(text, sizeof(text), "%010u %010u", uidvalidity, highest);
	if (same)
		r = fs_write_at(m->fd, (struct span){ text + HIGHEST, 10 },
		    m->at + HIGHEST);
	else if (m->at != -1 && is_large(m))
		r = fs_write_at(
		    m->fd, (struct span){ text, NUMBERS - 1 }, m->at);
	else
		r = append(m, uidvalidity, highest);
	if (r == 0 && (!same || m->lost) && sync)
		r = keep(m);
	if (r == -1)
		return -1;
	m->uidvalidity = uidvalidity;
	m->highest = highest;
	return 0;
}

int
uidmem_fresh(struct uidmem *m, uint32_t *uidvalidity)
{
	uint32_t largest, now = (uint32_t)unix_now();
	int r;

	if (lock(m, true) == -1)
		return -1;
	r = know_file(m) == 0 ? look_up(m, &largest) : -1;
	if (r == 0 && largest == UIDMEM_OURS) {
		errno = EOVERFLOW;
		r = -1;
	}
	if (r == 0) {
		if (ours.next < ours.end && ours.next > m->uidvalidity)
			*uidvalidity = ours.next++;
		else
			*uidvalidity = largest >= now ? largest + 1 : now;
		r = put(m, *uidvalidity, 0, m->at != -1);
	}
	return unlock(m, r);
}

/* Under the lock: some for us alone, behind all that were given. */
static int
reserve(struct uidmem *m, uint32_t *largest)
{
	struct uidmem line = { .fd = m->fd, .at = -1, .path = m->path };

	memcpy(line.name, set_aside, sizeof(set_aside));
	if (look_up(&line, largest) == -1)
		return -1;
	m->lost = line.lost;
	if (ours.block > 0 && *largest < UIDMEM_OURS - BLOCK_MAX) {
		ours.next = *largest + 1;
		*largest += ours.block;
		if (put(&line, *largest, 0, false) == -1)
			return -1;
		ours.end = *largest + 1;
	}
	if (keep(m) == -1)
		return -1;
	ours.block = ours.block == 0 ? 2
	    : ours.block < BLOCK_MAX ? ours.block * 2
				     : BLOCK_MAX;
	return 0;
}

int
uidmem_promise(struct uidmem *m, uint32_t uidvalidity)
{
	uint32_t largest;
	int r;

	if (know_file(m) == -1)
		return -1;
	if (uidvalidity <= ours.durable)
		return 0;
	if (lock(m, true) == -1)
		return -1;
	r = unlock(m, reserve(m, &largest));
	if (r == 0)
		ours.durable = largest;
	else
		ours.next = ours.end = 0;
	return r;
}

int
uidmem_sync(const char *path)
{
	struct uidmem m;
	uint32_t largest;
	int r;

	if (uidmem_open(&m, path) == -1)
		return -1;
	if ((r = lock(&m, true)) == 0) {
		r = look_up(&m, &largest);
		r = unlock(&m, r == 0 ? keep(&m) : -1);
	}
	uidmem_close(&m);
	return r;
}

int
uidmem_set(struct uidmem *m, uint32_t uidvalidity, uint32_t highest)
{
	uint32_t largest;
	int r;

	if (m->fd == -1)
		return 0;
	if (m->at != -1 && m->uidvalidity == uidvalidity && !m->lost)
		return m->highest == highest
		    ? 0
		    : put(m, uidvalidity, highest, true); /* ours alone */
	if (lock(m, true) == -1)
		return -1;
	r = look_up(m, &largest);
	if (r == 0)
		r = put(m, uidvalidity, highest, true);
	return unlock(m, r);
}
