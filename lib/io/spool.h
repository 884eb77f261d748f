/*
 * spool - standard input as a file that can be read again
 *
 * And the byte of MAIL_COMMITFD, by which the one who wrote it says that
 * it is whole (DESIGN section 2): end of file alone never means complete
 * between our own programs.
 */
#ifndef IO_SPOOL_H
#define IO_SPOOL_H

#include <sys/types.h>

#include "base/span.h"

/*
 * A descriptor of the message on standard input to be read with pread
 * from *at: standard input itself where it is a file, else a copy without
 * a name in the queue's tmp/, or in /tmp.  Dies with EXIT_TEMP.
 */
int spool_stdin(off_t *at);

/* Wait for the byte.  True when it is 'y', or nobody asked for one. */
bool spool_committed(void);

#endif
