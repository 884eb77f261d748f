/* RETR and TOP: a message goes out as it is read. */
#include <errno.h>
#include <unistd.h>

#include "io/deadline.h"
#include "io/log.h"
#include "mail/wire.h"
#include "mpop.h"
#include "pop3/ascii.h"

static void
put(struct drop *d, struct wire *w, struct span s)
{
	struct span piece;

	while (wire_next(w, &s, &piece))
		out_put(&d->out, piece);
}

/*
 * The text of a message, or its TOP.  0; -1 and errno, after which the
 * client must not believe that it has all of it.
 */
static int
send_text(struct drop *d, int fd)
{
	static char buf[65536];
	struct pop3_top top = { .lines = d->pop3d.lines };
	struct wire w = { .stuff = true };
	struct pop3_ascii a;
	struct span s, piece;
	bool done = false;
	ssize_t n = 0;

	pop3_ascii_init(&a);
	a.in_body = d->pop3d.utf8;
	while (
	    !done && d->out.err == 0 && (n = read(fd, buf, sizeof(buf))) > 0) {
		d->out.deadline = deadline_in(TIME_POP3_IDLE);
		s = (struct span){ buf, (size_t)n };
		if (d->pop3d.top)
			done = pop3_top_cut(&top, &s);
		while (pop3_ascii_next(&a, &s, &piece))
			put(d, &w, piece);
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

/* RETR and TOP.  False when the session can't go on. */
bool
retrieve(struct drop *d)
{
	size_t i = d->pop3d.msg;
	uint64_t size = 0;
	int fd = folder_open_msg(d->folder, i), r = 0, err;

	if (fd != -1 && !d->pop3d.top)
		r = folder_measure(d->folder, i, fd, true, &size);
	if (r == -1) {
		err = errno;
		close(fd);
		fd = -1;
		errno = err;
	}
	if (fd == -1) {
		if (errno != ENOENT)
			log_error("message", NULL);
		pop3d_fail(
		    &d->pop3d, errno == ENOENT ? POP3D_NONE : POP3D_LATER);
		return true;
	}
	pop3d_send(&d->pop3d, size);
	flush_reply(d);
	r = send_text(d, fd);
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
