/*
 * capa - the reply to CAPA (RFC 2449)
 *
 * One list of capabilities for both who answer: mauth's greeter before a
 * login and mpop after it.  Only what mpop keeps is here.
 */
#ifndef POP3_CAPA_H
#define POP3_CAPA_H

#include "base/buf.h"

struct capa_conf {
	const char *sasl; /* "PLAIN LOGIN", with PLAIN also USER; NULL when a
			     password may not be sent now, or after login */
	bool stls;        /* offered, and not active yet */
	unsigned login_delay; /* seconds between logins; 0: any */
};

/* "+OK", the list and the dot. */
void capa_reply(struct buf *, const struct capa_conf *);

#endif
