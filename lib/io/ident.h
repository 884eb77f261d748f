/*
 * ident - MAIL_CONN and MAIL_ID
 *
 * A connection is called by 14 characters [0-9a-z] that sort in time
 * order and do not collide between processes and nodes; a message of it
 * by these and two more, so one grep finds a session and all its
 * messages.
 */
#ifndef IO_IDENT_H
#define IO_IDENT_H

#include "base/span.h"

enum { CONN_LEN = 14, MAIL_ID_LEN = 16 };

/*
 * A name for this connection: that of MAIL_CONN when `inherit` is set and
 * it is well formed (only where our parent vouches for it), else new.
 * Static.
 */
const char *ident_conn(bool inherit);

/* The name of the nth message (0 to 1295) of conn into id. */
void ident_mail(const char *conn, unsigned n, char id[MAIL_ID_LEN + 1]);

/* [0-9a-z]{16} */
bool ident_is_mail(struct span);

#endif
