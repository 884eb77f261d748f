/*
 * mutf7 - modified UTF-7, in which mailbox names stand on disk and in
 * old IMAP (RFC 3501, section 5.1.3)
 *
 * Strict: what could be written in another way is refused, so that no
 * mailbox has two names.
 */
#ifndef STORE_MUTF7_H
#define STORE_MUTF7_H

#include "mail/utf8.h"

/* Append the other form; false, and nothing kept, for a bad one. */
MUST bool mutf7_decode(struct buf *, struct span);
MUST bool mutf7_encode(struct buf *, struct span utf8);

#endif
