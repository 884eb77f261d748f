/*
 * lang - the LANG command (RFC 6856, section 3)
 *
 * Replies are in English.  One piece for both who answer: mauth's greeter
 * before a login and mpop after it.
 */
#ifndef POP3_LANG_H
#define POP3_LANG_H

#include "base/buf.h"

/*
 * The whole reply to LANG with this argument, "" for the list; false when
 * it is -ERR.
 */
bool lang_reply(struct buf *, struct span arg);

#endif
