/*
 * nstring - strings as IMAP writes them (RFC 3501, section 4.3)
 *
 * Quoted where that can be, else a literal, so that no byte of a message
 * can end a response.  A NUL, which neither may hold, becomes 0x80.
 */
#ifndef MAIL_NSTRING_H
#define MAIL_NSTRING_H

#include "base/buf.h"

/* NIL when p is NULL.  False past the bound of the buffer. */
bool nstring_put(struct buf *, struct span);

/* The same; an empty one is "" even when p is NULL. */
bool nstring_put_string(struct buf *, struct span);

#endif
