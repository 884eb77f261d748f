/*
 * mpop - one POP3 session: what its files share
 */
#ifndef MPOP_MPOP_H
#define MPOP_MPOP_H

#include "io/in.h"
#include "io/out.h"
#include "pop3/pop3d.h"
#include "store/folder.h"
#include "store/uidl.h"

struct drop {
	struct folder *folder;
	struct uidl uidl; /* names from another server */
	struct pop3d_box box;
	unsigned char *seen; /* messages that were sent whole */
	struct in in;
	struct out out;
	struct buf reply;
	struct pop3d pop3d;
	uint64_t nretrieved, ndeleted, sent;
	const char *why; /* the session ended */
};

/* main.c: what the engine has said goes out. */
void flush_reply(struct drop *);

/* send.c: RETR and TOP.  False when the session can't go on. */
bool retrieve(struct drop *);

/*
 * delay.c: whether the last login is `seconds` ago at least; it is
 * remembered from now on.  A folder that can't be written allows all.
 */
bool login_is_due(const char *maildir, unsigned seconds);

#endif
