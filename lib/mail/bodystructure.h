/*
 * bodystructure - BODY and BODYSTRUCTURE of a message (RFC 3501, 7.4.2)
 *
 * Written from the tree of lib/mail/mime.  Parameters stay as the source
 * has them (RFC 2231 forms too), but bare UTF-8 becomes such a form, as no
 * quoted string may hold it.  A multipart in which no part was found gets
 * one empty text part, since the grammar wants one; an embedded message
 * that was not looked into is application/octet-stream.
 */
#ifndef MAIL_BODYSTRUCTURE_H
#define MAIL_BODYSTRUCTURE_H

#include "base/buf.h"
#include "mail/mime.h"

/*
 * Append BODYSTRUCTURE (extended) or BODY.  The arena is for work.  False
 * when it does not fit the buffer's bound.
 */
bool bodystructure_put(
    struct buf *, struct arena *, const struct mime_part *root, bool extended);

/*
 * Append the BODY of this BODYSTRUCTURE, which was made here: the same but
 * for the extension data.  False, with nothing appended, when it is none
 * or does not fit.
 */
MUST bool bodystructure_brief(struct buf *, struct span structure);

#endif
