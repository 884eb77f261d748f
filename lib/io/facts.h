/*
 * facts - what the TLS half of a connection tells of it
 *
 * NAME=value, NUL, NAME=value, NUL, ..., and one NUL more: the answer to
 * the 'Y' of UCSPI-TLS, and what mtls hears before it starts a program.
 * Who tells may be whoever took the TLS half over, so names are of a fixed
 * list, values are short and of the bytes that they can have, and all the
 * rest is passed over: other wrappers tell much more.
 */
#ifndef IO_FACTS_H
#define IO_FACTS_H

#include "base/span.h"

/* What may be taken, or-ed. */
enum {
	FACTS_TLS = 1,     /* SSL_*: version, cipher, names, the client's */
	FACTS_BINDING = 2, /* SSL_TLS_EXPORTER: for who checks logins */
	FACTS_PEER = 4     /* TCP*: who is behind a proxy */
};

/*
 * Read them from fd until the empty one, and hand over each that may be
 * taken; name is a constant.  0; or -1 and errno: an end before it,
 * ETIMEDOUT at the deadline, EMSGSIZE for more than LIMIT_FACTS.
 */
MUST int facts_read(int fd, unsigned which, int64_t deadline,
    void (*take)(void *, const char *name, struct span value), void *);

#endif
