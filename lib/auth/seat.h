/*
 * seat - so many sessions of a user at once, and no more
 *
 * A user has a file of no bytes in the folder `sessions` of the state
 * folder, and a session a lock on one byte of it, at a descriptor that the
 * server inherits and knows nothing of: however a session ends, the kernel
 * gives its seat back.  Each service has seats of its own.  Who could get
 * hold of a server could lock the file of its user, and nobody else's.
 *
 * The folder or its files may be removed at any time: sessions that run
 * are not counted any more then.
 */
#ifndef AUTH_SEAT_H
#define AUTH_SEAT_H

#include "base/span.h"

enum seat_service { SEAT_SMTP, SEAT_POP3, SEAT_IMAP };

/*
 * Take one of max seats; false when all are taken.  *fd has to stay open,
 * close-on-exec until told otherwise.  It is -1, and true returned, when
 * max is 0 (any number), when there is no state folder, and, which is
 * logged, when it can't be found out: a doubt shuts nobody out.
 */
MUST bool seat_take(const char *user, enum seat_service, unsigned max, int *fd);

#endif
