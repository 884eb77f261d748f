/* IDLE (RFC 2177): changes are told as they happen. */
#include "imap.h"
#include "io/conf.h"
#include "io/deadline.h"
#include "io/settle.h"

static bool
finished(struct imap *im)
{
	switch (imapd_next(&im->e, &im->in.data)) {
	case IMAPD_LINE:
		if (span_iis(im->e.text, "DONE"))
			imap_done(im, "OK Idle completed");
		else
			imap_bad(im, "DONE ends IDLE, nothing else");
		return true;
	case IMAPD_CLOSE:
		im->over = true;
		return true;
	case IMAPD_MORE:
	case IMAPD_COMMAND:
	case IMAPD_MESSAGE:
	case IMAPD_PIECE:
	case IMAPD_END:
	case IMAPD_ABORT:
		break;
	}
	return false;
}

/* Many sessions wait like this for most of their life. */
static void
settle(struct imap *im)
{
	if (out_flush(&im->out) == 0 && im->out.n == 0)
		settle_buffer(im->out.buf, im->out.cap);
	if (im->in.data.n == 0)
		settle_buffer(im->in.buf, im->in.cap);
	settle_heap();
}

/* When a word is due that keeps the connection known on its way. */
static int64_t
next_word(void)
{
	static int64_t every = -1;

	if (every == -1)
		every = (int64_t)conf_limit(
		    "imap-still", TIME_IMAP_IDLE, TIME_IMAP_STILL);
	return every == 0 ? DEADLINE_NEVER : deadline_in(every);
}

void
cmd_idle(struct imap *im)
{
	int watch = im->folder == NULL || im->notify != NULL
	    ? -1
	    : folder_watch(im->folder);
	bool ask = im->folder != NULL && im->notify == NULL && watch == -1;
	bool settled = false;
	int64_t still = next_word(), end = deadline_in(TIME_IMAP_IDLE);

	out_puts(&im->out, "+ idling\r\n");
	imapd_line(&im->e);
	if (im->notify != NULL)
		notify_tell(im, true);
	else if (im->folder != NULL)
		sync_run(im, true);
	while (!im->over && !finished(im)) {
		int64_t next = ask ? deadline_in(1) : end;
		int r;

		if (im->notify != NULL)
			watch = notify_watch(im, &next);
		if (!settled)
			settle(im);
		settled = true;
		r = wait_input(im, watch, next < still ? next : still);
		if (r == 1) {
			wait_fill(im);
			continue;
		}
		if (r == -1)
			return;
		if (im->notify != NULL)
			notify_tell(im, true);
		else if (im->folder != NULL)
			sync_run(im, true);
		if (deadline_left(end) == 0) {
			out_puts(
			    &im->out, "* BYE Disconnected for inactivity\r\n");
			im->over = true;
		} else if (deadline_left(still) == 0) {
			out_puts(&im->out, "* OK Still here\r\n");
			still = next_word();
		}
	}
}
