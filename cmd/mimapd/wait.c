/* Waiting for the client, for changes, and for the end. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "imap.h"
#include "io/deadline.h"
#include "io/fault.h"
#include "io/fs.h"
#include "io/log.h"

static int stop_pipe[2] = { -1, -1 };
static volatile sig_atomic_t stopping;
static struct out *compressed;

static void
on_term(int sig)
{
	int err = errno;

	(void)sig;
	stopping = 1;
	if (write(stop_pipe[1], "", 1) == -1)
		stopping = 1;
	errno = err;
}

/*
 * A mapped snapshot was cut short under us.  What was being put together is
 * left out.  A compressor that is in the middle of its work can't be used;
 * otherwise it can, for it allocates nothing.
 */
static void
on_fault(void)
{
	static const char bye[] =
	    "\r\n* BYE Internal error, try again later\r\n";
	int64_t soon = deadline_in(10);

	if (compressed == NULL) {
		if (write_all(STDOUT_FILENO, bye, sizeof(bye) - 1, soon) == -1)
			_exit(75);
	} else if (!compressed->filter->busy) {
		compressed->n = 0;
		compressed->deadline = soon;
		out_puts(compressed, bye);
		out_flush(compressed);
	}
	_exit(75);
}

void
wait_init(void)
{
	struct sigaction sa = { .sa_handler = on_term };

	if (pipe(stop_pipe) == 0)
		for (int i = 0; i < 2; i++) {
			fs_cloexec(stop_pipe[i], true);
			fs_nonblock(stop_pipe[i], true);
		}
	sigemptyset(&sa.sa_mask);
	sigaction(SIGTERM, &sa, NULL);
	fault_last(on_fault);
	sa.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &sa, NULL);
}

bool
wait_stopping(void)
{
	return stopping != 0;
}

void
wait_compressed(struct out *out)
{
	compressed = out;
}

static int
bye(struct imap *im, const char *text)
{
	out_printf(&im->out, "* BYE %s\r\n", text);
	out_flush(&im->out);
	im->over = true;
	return -1;
}

/* While the client is quiet, a new index is put on disk. */
static void
settle(struct imap *im, struct pollfd p[3])
{
	if (folder_is_loose(im->folder) && !in_ready(&im->in) &&
	    poll(p, 3, FOLDER_SETTLE_MS) == 0 &&
	    folder_settle(im->folder) == -1)
		log_error("index", NULL);
}

/* Input that is buffered already is the client's before anything else. */
int
wait_input(struct imap *im, int watch, int64_t deadline)
{
	struct pollfd p[3] = { { .fd = im->in.fd, .events = POLLIN },
		{ .fd = stop_pipe[0], .events = POLLIN },
		{ .fd = watch, .events = POLLIN } };
	int64_t idle = deadline_in(TIME_IMAP_IDLE);
	int r;

	if (out_flush(&im->out) == -1) {
		im->over = true;
		return -1;
	}
	settle(im, p);
	for (;;) {
		if (stopping)
			return bye(im, "Server is shutting down");
		if (in_ready(&im->in))
			return 1;
		r = poll(
		    p, 3, deadline_left(deadline < idle ? deadline : idle));
		if (r == -1 && errno == EINTR)
			continue;
		if (r == -1) {
			im->over = true;
			return -1;
		}
		if (p[1].revents != 0)
			return bye(im, "Server is shutting down");
		if (p[0].revents != 0)
			return 1;
		if (r == 0 && idle <= deadline)
			return bye(im, "Disconnected for inactivity");
		return 0;
	}
}

bool
wait_fill(struct imap *im)
{
	enum in_result r = in_fill(&im->in);

	if (r == IN_DATA)
		return true;
	if (r == IN_ERROR && (errno == EBADMSG || errno == E2BIG))
		out_puts(&im->out, "* BYE Not compressed, or a bomb\r\n");
	im->over = true;
	return false;
}
