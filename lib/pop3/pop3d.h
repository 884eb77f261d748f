/*
 * pop3d - the TRANSACTION and UPDATE states of POP3 as a pure engine
 *
 * RFC 1939 after the login, with CAPA, UIDL, TOP, PIPELINING and LANG.  The
 * engine is fed commands in pieces of any size, answers into a bounded
 * buffer and keeps which messages are marked as deleted; the caller opens,
 * sends and removes messages.  A maildrop is a fixed list: its numbers and
 * UIDs do not change during a session.
 */
#ifndef POP3_POP3D_H
#define POP3_POP3D_H

#include "base/buf.h"
#include "base/line.h"

enum { POP3D_OUT_MAX = 32768 };

enum pop3d_event {
	POP3D_MORE,  /* flush out, then feed more */
	POP3D_FLUSH, /* flush out, then call again */
	POP3D_RETR,  /* send message d->msg: pop3d_send or pop3d_fail */
	POP3D_QUIT,  /* remove what is marked, then pop3d_quit */
	POP3D_END    /* flush and close; nothing is removed */
};

enum pop3d_mark { POP3D_LIVE, POP3D_DELETED, POP3D_GONE };

enum pop3d_failure {
	POP3D_NONE, /* the message is not there any more */
	POP3D_LATER /* a failure of ours */
};

/* The maildrop.  Messages are numbered from 0 here. */
struct pop3d_box {
	void *ctx;
	size_t count;
	uint32_t uidvalidity;
	uint32_t (*uid)(void *ctx, size_t i);
	/* The name it had on another server; empty: by its UID.  May be
	 * NULL. */
	struct span (*name)(void *ctx, size_t i);
	/* The octets that RETR will send; false when it has gone. */
	bool (*size)(void *ctx, size_t i, uint64_t *size);
	unsigned char *mark; /* enum pop3d_mark each, all zero at first */
};

struct pop3d {
	const struct pop3d_box *box;
	struct buf *out; /* of at least POP3D_OUT_MAX */
	struct line line;
	unsigned errors; /* in a row */
	enum { POP3D_COMMANDS, POP3D_LISTING, POP3D_UIDS, POP3D_OVER } state;
	size_t at;     /* of a listing */
	size_t msg;    /* of POP3D_RETR */
	bool top;      /* only the header and `lines` of the body */
	bool utf8;     /* 8-bit headers may be sent; set by the caller, or */
	bool utf8_now; /* by UTF8 here: there was no login to say it before */
	unsigned login_delay; /* for CAPA */
	uint64_t lines;
};

/* Fresh; box and out must stay.  The greeting is the caller's. */
void pop3d_init(struct pop3d *, struct buf *out, const struct pop3d_box *);

/* Eat from the front of *in until there is something to do. */
enum pop3d_event pop3d_next(struct pop3d *, struct span *in);

/* The reply in front of the message; the caller sends ".\r\n" behind it. */
void pop3d_send(struct pop3d *, uint64_t size);
void pop3d_fail(struct pop3d *, enum pop3d_failure);

/* The last reply; removed is false when some could not be. */
void pop3d_quit(struct pop3d *, bool removed);

/* What TOP leaves of a message whose lines end in LF. */
struct pop3_top {
	uint64_t lines; /* of the body, still to come */
	bool in_body, in_line, only_cr;
};

/* Cut *in where TOP ends; true when that is so. */
bool pop3_top_cut(struct pop3_top *, struct span *in);

#endif
