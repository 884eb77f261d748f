/* A word now and then while a command is at work (RFC 9585). */
#include "imap.h"
#include "io/conf.h"
#include "io/deadline.h"

enum { CALLS = 16 }; /* so many messages for a look at the clock */

void
progress_begin(struct imap *im)
{
	im->progress = 0;
	im->progressed = 0;
	im->limited = 0;
}

static int64_t
next(void)
{
	static int64_t every = -1;

	if (every == -1)
		every = (int64_t)conf_limit(
		    "imap-progress", 3600, TIME_IMAP_PROGRESS);
	return deadline_in(every);
}

/* "INPROGRESS" SP "(" (quoted / nil) SP number SP (nz-number / nil) ")" */
static void
put(struct imap *im, size_t n, size_t total)
{
	bool tag = span_chr(im->e.tag, ']') == im->e.tag.n;

	out_puts(&im->out, tag ? "* OK [INPROGRESS (\"" : "* OK [INPROGRESS (");
	out_put(&im->out, tag ? im->e.tag : SPAN("NIL"));
	out_puts(&im->out, tag ? "\" " : " ");
	out_putu(&im->out, n);
	out_putc(&im->out, ' ');
	if (n < total)
		out_putu(&im->out, total);
	else
		out_puts(&im->out, "NIL");
	out_puts(&im->out, ")] Still at work\r\n");
	out_flush(&im->out);
}

void
imap_progress(struct imap *im, size_t n, size_t total)
{
	if (++im->progressed % CALLS != 0)
		return;
	if (im->progress == 0) {
		im->progress = next();
		return;
	}
	if (deadline_left(im->progress) > 0)
		return;
	put(im, n, total);
	im->progress = next();
}
