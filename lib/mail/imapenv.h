/*
 * imapenv - the ENVELOPE of a message (RFC 3501, section 7.4.2)
 *
 * Collected from the fields of a header as they pass, then written as IMAP
 * text.  What is not there is NIL, what is empty is "".  UTF-8 in a
 * subject or a name becomes encoded words (RFC 2047), so that the text is
 * good for every client; other 8-bit bytes go as literals, untouched.
 */
#ifndef MAIL_IMAPENV_H
#define MAIL_IMAPENV_H

#include "base/arena.h"
#include "base/buf.h"

enum imapenv_field {
	IMAPENV_DATE,
	IMAPENV_SUBJECT,
	IMAPENV_FROM,
	IMAPENV_SENDER,
	IMAPENV_REPLY_TO,
	IMAPENV_TO,
	IMAPENV_CC,
	IMAPENV_BCC,
	IMAPENV_IN_REPLY_TO,
	IMAPENV_MESSAGE_ID,
	IMAPENV_FIELDS
};

/* All zero is a fresh one. */
struct imapenv {
	struct span field[IMAPENV_FIELDS]; /* unfolded; p NULL: absent */
};

/*
 * Note a field if it is one of these, and the first of its name.  Nothing
 * is noted when the arena has less than `reserve` bytes left.
 */
void imapenv_note(struct arena *, struct imapenv *, struct span name,
    struct span body, size_t reserve);

/*
 * Append "(...)".  The arena is for work, and left as it was; what of a
 * list of addresses would not fit is left out.  False past the bound of the
 * buffer.
 */
bool imapenv_put(struct buf *, struct arena *, const struct imapenv *);

/* Append an nstring, UTF-8 as encoded words; false past the bound. */
bool imapenv_put_text(struct buf *, struct span);

#endif
