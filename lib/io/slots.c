#include "io/slots.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/be.h"
#include "base/limits.h"
#include "base/sha256.h"
#include "io/conf.h"
#include "io/deadline.h"
#include "io/fs.h"
#include "io/user.h"

enum {
	PLACE = 8 + 4 * SLOTS_NUMBERS,
	BUCKET = PLACE * SLOTS_WAYS,
	PATIENCE_MS = 200
};

static int
open_file(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	struct stat st;
	uid_t uid;
	gid_t gid;

	/* whose folder it is may have put another's file there */
	if (fd != -1 &&
	    (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode) ||
		st.st_nlink != 1)) {
		close(fd);
		errno = EINVAL;
		return -1;
	}
	/* root by hand must not leave a file that pneu can't open */
	if (fd != -1 && user_is_root() && st.st_size == 0 &&
	    conf_account("pneu", &uid, &gid) == 0 && fchown(fd, uid, gid) == -1)
		errno = 0;
	return fd;
}

/* All of a file, if there is one, in memory. */
static int
open_copy(const char *path)
{
	int from = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	int fd = memfd_create("slots", MFD_CLOEXEC);
	char piece[16384];
	ssize_t n = 0;
	off_t at = 0;

	if (from == -1 && errno != ENOENT)
		n = -1;
	while (n != -1 && fd != -1 && from != -1 &&
	    (n = pread(from, piece, sizeof(piece), at)) > 0) {
		n = pwrite(fd, piece, (size_t)n, at);
		at += n;
	}
	if (from != -1)
		close(from);
	if (n == -1 && fd != -1) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* Two that make it at once write the same. */
static bool
has_format(int fd, const char *format)
{
	char want[SLOTS_HEAD] = "", have[SLOTS_HEAD];
	ssize_t n = pread(fd, have, sizeof(have), 0);

	snprintf(want, sizeof(want), "%s\n", format);
	if (n == 0)
		return pwrite(fd, want, sizeof(want), 0) == sizeof(want);
	return n == sizeof(have) && memcmp(want, have, sizeof(want)) == 0;
}

int
slots_open(struct slots *s, const char *name, const char *format,
    uint32_t buckets, bool copy)
{
	char path[LIMIT_PATH];
	int n = snprintf(path, sizeof(path), "%s/%s", conf_path("state"), name);

	*s = (struct slots){ -1, buckets };
	if (n < 0 || (size_t)n >= sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	s->fd = copy ? open_copy(path) : open_file(path);
	if (s->fd == -1)
		return -1;
	if (has_format(s->fd, format))
		return 0;
	close(s->fd);
	s->fd = -1;
	errno = EINVAL;
	return -1;
}

/* The place of this tag, else the one to be given away. */
static unsigned
choose(const unsigned char *bucket, const unsigned char *tag, bool *found)
{
	unsigned best = 0;

	for (unsigned i = 0; i < SLOTS_WAYS; i++) {
		const unsigned char *p = bucket + i * PLACE;

		*found = memcmp(p, tag, 8) == 0;
		if (*found)
			return i;
		if (be_get(p + 8) < be_get(bucket + best * PLACE + 8))
			best = i;
	}
	return best;
}

bool
slots_begin(struct slots *s, struct span key, int64_t now, struct slot *slot)
{
	unsigned char digest[SHA256_LEN], b[BUCKET] = { 0 };
	unsigned i;
	const unsigned char *p;

	*slot = (struct slot){ .found = false };
	if (s->fd == -1)
		return false;
	sha256_of(key, digest);
	memcpy(slot->tag, digest + 8, 8);
	slot->at = SLOTS_HEAD + (int64_t)(be_get(digest) % s->buckets) * BUCKET;
	/* who can't get the lock in time counts without: it is no more */
	if (fs_lock(s->fd, true, deadline_now() + PATIENCE_MS) == -1)
		errno = 0;
	if (pread(s->fd, b, sizeof(b), (off_t)slot->at) == -1)
		memset(b, 0, sizeof(b));
	i = choose(b, slot->tag, &slot->found);
	p = b + i * PLACE;
	slot->at += (int64_t)i * PLACE;
	slot->found = slot->found && (int64_t)be_get(p + 8) > now;
	for (unsigned k = 0; slot->found && k < SLOTS_NUMBERS; k++)
		slot->v[k] = be_get(p + 8 + 4 * k);
	return true;
}

void
slots_end(struct slots *s, const struct slot *slot, bool write)
{
	unsigned char p[PLACE];

	if (s->fd == -1)
		return;
	memcpy(p, slot->tag, 8);
	for (unsigned k = 0; k < SLOTS_NUMBERS; k++)
		be_set(p + 8 + 4 * k, slot->v[k]);
	if (write && pwrite(s->fd, p, sizeof(p), (off_t)slot->at) == -1)
		errno = 0; /* a full disk: then it is not remembered */
	fs_unlock(s->fd);
}
