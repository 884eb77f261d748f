/* RETR and TOP: a message goes out as it is read. */
#include <errno.h>
#include <unistd.h>

#include "io/deadline.h"
#include "io/fs.h"
#include "io/log.h"
#include "mail/wire.h"
#include "mpop.h"
#include "pop3/ascii.h"

/* What is read of a message at once: most are shorter. */
static char read_buf[131072];

static void
put(struct drop *d, struct wire *w, struct span s)
{
	struct span piece;
	size_t room, n;
	char *to;

	while (s.n > 0) {
		to = out_room(&d->out, &room);
		n = wire_lines(w, &s, to, room);
		out_took(&d->out, n);
		if (n == 0 && wire_next(w, &s, &piece))
			out_put(&d->out, piece);
	}
}

/*
 * The text of a message, or its TOP; the first n bytes were read.  0; -1
 * and errno, after which the client must not believe that it has all of it.
 */
static int
send_text(struct drop *d, int fd, ssize_t n)
{
	struct pop3_top top = { .lines = d->pop3d.lines };
	struct wire w = { .stuff = true };
	struct pop3_ascii a;
	struct span s = { read_buf, (size_t)n }, piece;
	bool done = false, last = s.n < sizeof(read_buf);

	pop3_ascii_init(&a);
	a.in_body = d->pop3d.utf8 || pop3_ascii_plain(s);
	while (!done && d->out.err == 0 && s.n > 0) {
		d->out.deadline = deadline_in(TIME_POP3_IDLE);
		if (d->pop3d.top)
			done = pop3_top_cut(&top, &s);
		while (pop3_ascii_next(&a, &s, &piece))
			put(d, &w, piece);
		n = last || done ? 0 : read(fd, read_buf, sizeof(read_buf));
		s.p = read_buf;
		s.n = n > 0 ? (size_t)n : 0;
	}
	put(d, &w, pop3_ascii_end(&a));
	pop3_ascii_free(&a);
	if (d->out.err != 0)
		errno = d->out.err;
	if (n == -1 || d->out.err != 0)
		return -1;
	out_put(&d->out, wire_end(&w, true));
	out_puts(&d->out, ".\r\n");
	d->sent += w.size;
	return 0;
}

/* The size that is said is that of what will be sent.  0, or -1 and errno. */
static int
measure(struct drop *d, int fd, size_t n, uint64_t *size)
{
	size_t i = d->pop3d.msg;

	if (n == sizeof(read_buf))
		return folder_measure(d->folder, i, fd, true, size);
	*size = folder_measure_text(d->folder, i, (struct span){ read_buf, n });
	return 0;
}

/* Open it, and read its beginning.  The descriptor, or -1 and errno. */
static int
begin(struct drop *d, size_t *n, uint64_t *size)
{
	int fd = folder_read_msg(
	    d->folder, d->pop3d.msg, read_buf, sizeof(read_buf), n);

	if (fd == -1 || d->pop3d.top || measure(d, fd, *n, size) == 0)
		return fd;
	fs_close(fd);
	return -1;
}

/* RETR and TOP.  False when the session can't go on. */
bool
retrieve(struct drop *d)
{
	size_t i = d->pop3d.msg, n;
	uint64_t size = 0;
	int fd = begin(d, &n, &size), r, err;

	if (fd == -1) {
		if (errno != ENOENT)
			log_error("message", NULL);
		pop3d_fail(
		    &d->pop3d, errno == ENOENT ? POP3D_NONE : POP3D_LATER);
		return true;
	}
	pop3d_send(&d->pop3d, size);
	flush_reply(d);
	r = send_text(d, fd, (ssize_t)n);
	err = errno;
	close(fd);
	if (r == 0 && !d->pop3d.top) {
		d->seen[i] = 1;
		d->nretrieved++;
	}
	if (r == -1 && d->out.err == 0) {
		errno = err;
		log_error("message", NULL);
		d->why = "error";
	}
	return r == 0;
}
