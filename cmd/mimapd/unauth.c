/* UNAUTHENTICATE (RFC 8437): back to before the login. */
#include "auth/session.h"
#include "imap.h"

/*
 * The server ends: nothing of this user stays.  mauth, which has waited for
 * that (mauth -r), greets the client again, beginning with what it has sent
 * behind this command; what stands in the middle of a compressed stream
 * can't be told from what comes after it.
 */
void
cmd_unauthenticate(struct imap *im)
{
	struct span left = im->in.data;

	if (im->again == -1) {
		imap_bad(im, "Unknown command");
		return;
	}
	select_close(im);
	im->over = true;
	if ((im->compressed && (left.n > 0 || in_ready(&im->in))) ||
	    !session_leave(im->again, left)) {
		out_puts(&im->out, "* BYE Too much input behind it\r\n");
		return;
	}
	imap_reply(im, "OK Unauthenticate completed");
	im->status = SESSION_AGAIN;
}
