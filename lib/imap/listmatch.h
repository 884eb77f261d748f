/*
 * listmatch - mailbox names and the wildcards of LIST
 *
 * "*" stands for anything, "%" for anything without the separator (RFC
 * 3501, section 6.3.8).  INBOX, alone or as the first level, is the same
 * in any case.  The time is at most the product of both lengths, whatever
 * the pattern.
 */
#ifndef IMAP_LISTMATCH_H
#define IMAP_LISTMATCH_H

#include "base/span.h"

/* A pattern longer than LIMIT_MAILBOX_NAME matches nothing. */
bool listmatch(struct span pattern, struct span name, char separator);

#endif
