/*
 * imapcapa - the capabilities, one list before and after login
 *
 * mauth's greeter answers CAPABILITY before a login, mimapd after it.
 * Only what mimapd keeps is here.
 */
#ifndef IMAP_IMAPCAPA_H
#define IMAP_IMAPCAPA_H

#include "base/buf.h"

struct imapcapa_conf {
	struct span hidden;   /* those that are left out, blank-separated */
	uint64_t appendlimit; /* octets of a message; after login */
	bool compressed;      /* COMPRESS is active; after login */
	size_t messagelimit, savelimit; /* 0: there is none */
	bool unauthenticate;            /* that can be done; after login */
	bool greeting;     /* before login; all below is for that alone */
	const char *mechs; /* "PLAIN LOGIN", NULL or "" for none */
	bool starttls;     /* offered, and not active yet */
	bool plain_ok;     /* a password may be sent now */
};

/* "CAPABILITY IMAP4rev1 ...": for a response and for a response code. */
void imapcapa_put(struct buf *, const struct imapcapa_conf *);

#endif
