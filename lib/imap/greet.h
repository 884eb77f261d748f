/*
 * greet - IMAP before login, for mauth's greeter
 *
 * CAPABILITY, NOOP, ID, LOGOUT, STARTTLS, LOGIN and AUTHENTICATE (with an
 * initial response, RFC 4959).  The state that it leaves to mimapd is the
 * tag of the command that proved who the peer is.
 */
#ifndef IMAP_GREET_H
#define IMAP_GREET_H

#include "base/greet.h"

extern const struct greet_proto imap_greet;

/* Give back what the engine took; the greeter just exits instead. */
void imap_greet_free(void *);

#endif
