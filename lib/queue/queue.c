#include "queue/queue.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/date.h"
#include "base/enc.h"
#include "base/limits.h"
#include "io/deadline.h"
#include "io/fs.h"

enum { SIZE_DIGITS = 12 };

int
queue_open(struct queue *q, const char *dir, bool create)
{
	int n = snprintf(q->path, sizeof(q->path), "%s", dir);

	q->fd = q->tmp_fd = -1;
	if (n < 0 || (size_t)n >= sizeof(q->path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	q->fd = fs_open_dir(dir);
	if (q->fd == -1 && create && errno == ENOENT) {
		if (fs_mkdirs(dir, 0700) == -1)
			return -1;
		q->fd = fs_open_dir(dir);
	}
	if (q->fd == -1)
		return -1;
	q->tmp_fd = fs_open_dir_at(q->fd, "tmp");
	if (q->tmp_fd == -1 && create && errno == ENOENT) {
		if (mkdirat(q->fd, "tmp", 0700) == -1 && errno != EEXIST)
			goto fail;
		q->tmp_fd = fs_open_dir_at(q->fd, "tmp");
	}
	if (q->tmp_fd != -1)
		return 0;
fail:
	queue_close(q);
	return -1;
}

void
queue_close(struct queue *q)
{
	fs_close(q->fd);
	fs_close(q->tmp_fd);
	q->fd = q->tmp_fd = -1;
}

/* A word of its own: never empty, never two. */
static void
put_word(struct buf *b, struct span s)
{
	if (s.n == 0)
		buf_putc(b, '-');
	else
		enc_pct(b, s);
}

/* Parameters are words already; what is not a printable one is dropped. */
static void
put_args(struct buf *b, struct span args)
{
	while (args.n > 0) {
		struct span w = span_word(&args);
		bool fit = w.n > 0;

		for (size_t i = 0; i < w.n; i++)
			if ((unsigned char)w.p[i] <= ' ' || w.p[i] == 0x7f)
				fit = false;
		if (fit) {
			buf_putc(b, ' ');
			buf_put(b, w);
		}
	}
}

static bool
put_envelope(struct buf *b, const struct queue_from *from,
    const struct queue_rcpt *to, size_t nto)
{
	char date[DATE_RFC3339_SIZE];

	buf_puts(b, "pneu-queue 1\nfrom ");
	if (from->sender.n == 0)
		buf_puts(b, "<>");
	else
		enc_pct(b, from->sender);
	put_args(b, from->args);
	for (size_t i = 0; i < nto; i++) {
		buf_puts(b, "\nto ");
		put_word(b, to[i].address);
		put_args(b, to[i].args);
	}
	buf_puts(b, "\nreceived ");
	buf_puts(b, date_rfc3339(from->received, date));
	buf_putc(b, ' ');
	put_word(b, from->ip);
	buf_putc(b, ' ');
	put_word(b, from->helo);
	buf_putc(b, ' ');
	put_word(b, from->with);
	if (from->auth.n > 0) {
		buf_puts(b, "\nauth ");
		enc_pct(b, from->auth);
	}
	return buf_puts(b, "\nsize ") && !b->over;
}

/* Make tmp/ID; the name must be free there and in the queue itself. */
static int
make_file(struct queue *q, const char *id)
{
	int fd = openat(q->tmp_fd, id,
	    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	struct stat st;

	if (fd == -1)
		return -1;
	if (fstatat(q->fd, id, &st, AT_SYMLINK_NOFOLLOW) == -1 &&
	    errno == ENOENT)
		return fd;
	close(fd);
	unlinkat(q->tmp_fd, id, 0);
	errno = EEXIST;
	return -1;
}

int
queue_begin(struct queue *q, struct queue_file *f, const char *id,
    const struct queue_from *from, const struct queue_rcpt *to, size_t nto)
{
	struct buf b = { .max = LIMIT_ENVELOPE };

	f->fd = -1;
	if (!ident_is_mail(span_of(id))) {
		errno = EINVAL;
		return -1;
	}
	if (!put_envelope(&b, from, to, nto)) {
		buf_free(&b);
		errno = E2BIG;
		return -1;
	}
	f->q = q;
	f->due = from->due;
	f->wire = (struct wire){ .size = 0 };
	f->size_at = b.n;
	snprintf(f->id, sizeof(f->id), "%s", id);
	f->fd = make_file(q, id);
	if (f->fd != -1) {
		out_init(&f->out, f->fd, f->buf, sizeof(f->buf));
		out_put(&f->out, buf_span(&b));
		out_puts(&f->out, "000000000000\n\n");
		f->put = b.n + SIZE_DIGITS + 2;
	}
	buf_free(&b);
	return f->fd == -1 ? -1 : 0;
}

void
queue_write(struct queue_file *f, struct span s)
{
	wire_count(&f->wire, s);
	f->put += s.n;
	out_put(&f->out, s);
}

/* Write what is not yet written, and the size to its place. */
static int
put_size(struct queue_file *f)
{
	char digits[SIZE_DIGITS + 9];
	bool whole = f->out.n == f->put; /* all of it is still buffered */

	snprintf(digits, sizeof(digits), "%012llu",
	    (unsigned long long)f->wire.size);
	if (strlen(digits) != SIZE_DIGITS) {
		errno = EFBIG;
		return -1;
	}
	if (whole)
		memcpy(f->buf + f->size_at, digits, SIZE_DIGITS);
	if (out_flush(&f->out) == -1)
		return -1;
	if (whole)
		return 0;
	return pwrite(f->fd, digits, SIZE_DIGITS, (off_t)f->size_at) ==
		SIZE_DIGITS
	    ? 0
	    : -1;
}

/* The file's time is when it is due; after the last write, which sets it. */
static int
put_due(struct queue_file *f)
{
	struct timespec ts[2] = { { .tv_nsec = UTIME_OMIT },
		{ .tv_sec = (time_t)f->due } };

	return f->due == 0 ? 0 : futimens(f->fd, ts);
}

/* The reason stands beside the message before the message is there. */
static int
put_hold(struct queue_file *f, const char *why)
{
	char name[MAIL_ID_LEN + 8];
	int fd, r;

	snprintf(name, sizeof(name), "%s.hold", f->id);
	fd = openat(f->q->fd, name,
	    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd == -1)
		return -1;
	r = write_all(fd, why, strlen(why), DEADLINE_NEVER);
	if (r == 0)
		r = write_all(fd, "\n", 1, DEADLINE_NEVER);
	if (r == 0)
		r = fsync(fd);
	close(fd);
	/* names come to the disk in any order: this one comes first */
	return r == 0 ? fsync(f->q->fd) : r;
}

static void
forget(struct queue_file *f, bool renamed)
{
	char name[MAIL_ID_LEN + 8];
	int err = errno;

	snprintf(name, sizeof(name), "%s.hold", f->id);
	unlinkat(renamed ? f->q->fd : f->q->tmp_fd, f->id, 0);
	unlinkat(f->q->fd, name, 0);
	close(f->fd);
	f->fd = -1;
	errno = err;
}

int
queue_commit(struct queue_file *f, const char *hold)
{
	if (put_size(f) == -1 || put_due(f) == -1 ||
	    (hold != NULL && put_hold(f, hold) == -1) ||
	    renameat(f->q->tmp_fd, f->id, f->q->fd, f->id) == -1) {
		forget(f, false);
		return -1;
	}
	/* file after rename: one commit of the journal does both */
	if (fsync(f->fd) == -1 || fsync(f->q->fd) == -1) {
		forget(f, true);
		return -1;
	}
	close(f->fd);
	f->fd = -1;
	return 0;
}

void
queue_abort(struct queue_file *f)
{
	int err = errno;

	if (f->fd != -1) {
		unlinkat(f->q->tmp_fd, f->id, 0);
		close(f->fd);
	}
	f->fd = -1;
	errno = err;
}
