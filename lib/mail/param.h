/*
 * param - the value of a MIME parameter, put together and decoded
 *
 * RFC 2231: a value in pieces (name*0, name*1), encoded (name*), or both.
 */
#ifndef MAIL_PARAM_H
#define MAIL_PARAM_H

#include "mail/encword.h"
#include "mail/mimefield.h"

enum { PARAM_PIECES = 100 };

/*
 * Append the value as UTF-8; encoded words, which have no place there but
 * are met, are decoded too.  False when there is no such parameter.
 */
bool param_put(struct buf *, const struct mime_param *, const char *name,
    const struct encword_charset *);

#endif
