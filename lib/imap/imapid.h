/*
 * imapid - who a client says it is (RFC 2971)
 *
 * It decides nothing but which capabilities are hidden from it.
 */
#ifndef IMAP_IMAPID_H
#define IMAP_IMAPID_H

#include "imap/imapd.h"

/*
 * The values of "name" and "vendor" of an ID command, a blank between, with
 * "?" for what is not printed; what does not fit is left out.
 */
void imapid_read(struct buf *, const struct imap_arg *params);

#endif
