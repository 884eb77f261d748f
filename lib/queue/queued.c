#include "queue/queued.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/deadline.h"
#include "io/fs.h"

enum { OURS = 20261122, NAME_SIZE = MAIL_ID_LEN + 8, LOCK_WAIT = 5 };

/* The nanoseconds of the times that we set. */
static long stamp;

void
queued_stamp(void)
{
	stamp = OURS;
}

static int
take_stat(const struct stat *st, struct queued *m)
{
	if (!S_ISREG(st->st_mode) || st->st_nlink != 1) {
		errno = EINVAL;
		return -1;
	}
	m->due = (int64_t)st->st_mtim.tv_sec;
	m->ours = st->st_mtim.tv_nsec == OURS;
	m->leased = (st->st_mode & S_IXUSR) != 0;
	m->by_next = m->leased && (st->st_mode & S_IXGRP) != 0;
	m->bytes = (uint64_t)st->st_size;
	return 0;
}

int
queued_look(struct queued *m)
{
	struct stat st;

	return fstat(m->fd, &st) == -1 ? -1 : take_stat(&st, m);
}

int
queued_stat(struct queue *q, const char *id, struct queued *m)
{
	struct stat st;

	m->fd = -1;
	snprintf(m->id, sizeof(m->id), "%s", id);
	return fstatat(q->fd, id, &st, AT_SYMLINK_NOFOLLOW) == -1
	    ? -1
	    : take_stat(&st, m);
}

int
queued_open(struct queue *q, const char *id, bool rw, struct queued *m)
{
	*m = (struct queued){ .fd = -1 };
	if (!ident_is_mail(span_of(id))) {
		errno = EINVAL;
		return -1;
	}
	snprintf(m->id, sizeof(m->id), "%s", id);
	m->fd = openat(q->fd, id,
	    (rw ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK |
		O_NOCTTY);
	if (m->fd == -1) {
		if (errno == ELOOP)
			errno = EINVAL;
		return -1;
	}
	if (queued_look(m) == 0)
		return 0;
	queued_close(m);
	return -1;
}

void
queued_close(struct queued *m)
{
	fs_close(m->fd);
	m->fd = -1;
}

static int
set_due(struct queued *m, int64_t t, mode_t mode)
{
	struct timespec ts[2] = { { .tv_nsec = UTIME_OMIT },
		{ .tv_sec = (time_t)t, .tv_nsec = stamp } };

	if (futimens(m->fd, ts) == -1 || fchmod(m->fd, mode) == -1)
		return -1;
	m->due = t;
	m->leased = (mode & S_IXUSR) != 0;
	m->by_next = (mode & S_IXGRP) != 0;
	return 0;
}

int
queued_lease(struct queued *m, int64_t now, int64_t until, int64_t horizon,
    bool by_next, bool force)
{
	int r = -1;

	if (fs_lock(m->fd, true, 0) == -1)
		return -1;
	if (queued_look(m) == 0) {
		bool ahead = m->due > now && m->due <= now + horizon;

		if (ahead && (m->leased || !force))
			errno = EAGAIN;
		else
			r = set_due(m, until, by_next ? 0710 : 0700);
	}
	fs_unlock(m->fd);
	return r;
}

int
queued_mark(struct queued *m, struct envelope_rcpt *r, enum mark mark)
{
	struct timespec ts[2] = { { .tv_nsec = UTIME_OMIT },
		{ .tv_sec = (time_t)m->due, .tv_nsec = stamp } };
	/* others hold it for a moment only; a mark is not lost for that */
	bool locked = fs_lock(m->fd, true, deadline_in(LOCK_WAIT)) == 0;
	int n = envelope_mark(m->fd, r, mark);

	if (futimens(m->fd, ts) == -1)
		n = -1;
	if (locked)
		fs_unlock(m->fd);
	return n;
}

int
queued_put_back(struct queued *m, int64_t due)
{
	return set_due(m, due, 0600);
}

static const char *
beside(char name[NAME_SIZE], const char *id, const char *suffix)
{
	snprintf(name, NAME_SIZE, "%.16s%s", id, suffix);
	return name;
}

int
queue_remove(struct queue *q, const char *id)
{
	char name[NAME_SIZE];

	if (unlinkat(q->fd, id, 0) == -1 && errno != ENOENT)
		return -1;
	unlinkat(q->fd, beside(name, id, ".log"), 0);
	unlinkat(q->fd, beside(name, id, ".hold"), 0);
	return 0;
}

bool
queue_held(struct queue *q, const char *id, struct buf *why)
{
	char name[NAME_SIZE];
	size_t was;

	beside(name, id, ".hold");
	if (why == NULL)
		return faccessat(q->fd, name, F_OK, 0) == 0;
	was = why->n;
	if (fs_read(q->fd, name, why) == -1 && errno != EFBIG)
		return false;
	why->n =
	    was + span_chr((struct span){ why->p + was, why->n - was }, '\n');
	return true;
}

int
queue_hold(struct queue *q, const char *id, const char *why)
{
	char name[NAME_SIZE];
	struct buf b = { .max = 2048 };
	int r;

	buf_puts(&b, why);
	buf_putc(&b, '\n');
	r = fs_replace(q->fd, beside(name, id, ".hold"), buf_span(&b), 0600);
	buf_free(&b);
	return r;
}

int
queue_release(struct queue *q, const char *id)
{
	char name[NAME_SIZE];

	return unlinkat(q->fd, beside(name, id, ".hold"), 0);
}

int
queue_list(struct queue *q, const char *suffix,
    bool (*f)(void *ctx, const char *id), void *ctx)
{
	DIR *d = fs_list_dir(q->fd, ".");
	struct dirent *e;

	if (d == NULL)
		return -1;
	while ((e = readdir(d)) != NULL) {
		struct span name = span_of(e->d_name);
		char id[MAIL_ID_LEN + 1];

		if (name.n != MAIL_ID_LEN + strlen(suffix) ||
		    strcmp(e->d_name + MAIL_ID_LEN, suffix) != 0)
			continue;
		name.n = MAIL_ID_LEN;
		if (!ident_is_mail(name) || !span_cstr(name, id, sizeof(id)))
			continue;
		if (!f(ctx, id))
			break;
	}
	closedir(d);
	return 0;
}

int
queued_measure(struct queued *m, size_t at, uint64_t *size)
{
	static char piece[65536];
	struct wire w = { .size = 0 };
	ssize_t n;

	while ((n = pread(m->fd, piece, sizeof(piece), (off_t)at)) != 0) {
		if (n == -1 && errno != EINTR)
			return -1;
		if (n == -1)
			continue;
		wire_count(&w, (struct span){ piece, (size_t)n });
		at += (size_t)n;
	}
	*size = w.size;
	return 0;
}
