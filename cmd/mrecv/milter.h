/*
 * milter - the milters of a session; for milter.c, macro.c, milter_run.c
 * and edits.c
 *
 * Each has one connection, made at the first MAIL.  The steps of the
 * envelope are asked while the client waits for their answer, the message
 * at its place among the stages.
 */
#ifndef MRECV_MILTER_H
#define MRECV_MILTER_H

#include "message.h"
#include "smtp/milter.h"

/* A refusal. */
struct said {
	int code; /* 0: none */
	char text[LIMIT_MILTER_REPLY + 1];
};

/* Who a milter was told that the client is. */
struct client {
	char ip[NET_IP_SIZE];
	uint16_t port;
	char tls[128];
};

struct peer {
	const struct stage *stage;
	struct milter m;
	struct in in;
	bool up;        /* connected */
	bool content;   /* it wants no more of this client */
	struct said no; /* it refuses this client */
	bool greeted;   /* it knows `client` and `helo` */
	struct client client;
	char helo[LIMIT_DOMAIN + 1];

	/* this message */
	bool open; /* it was begun, and has not ended */
	bool done; /* no more of it is wanted */
	bool drop;
	bool failed;
	char why[64];

	int64_t patience, last; /* for an answer, with all PROGRESS */
	char buf[4096];
};

struct peer *milter_peer(size_t stage);

/* So long, in seconds, it has for what is asked now. */
void peer_hurry(struct peer *, int64_t patience);

/* Write what was put: 0, or -1 when it is lost. */
int peer_flush(struct peer *);

/* The next event, MILTER_MORE and _PROGRESS excepted. */
enum milter_event peer_next(struct peer *);

/* It failed; that is logged.  MILTER_BROKEN. */
enum milter_event peer_lost(struct peer *, const char *why);

/*
 * What an answer means for the message.  False: it is refused, with the
 * words in no.
 */
bool peer_heed(struct peer *, enum milter_event, struct said *no);

/* The same for a step that was just put, `asked` if there is an answer. */
bool peer_step(struct peer *, bool asked, struct said *no);

/* macro.c: the value of a macro for struct milter_conf; arg is mrecv. */
struct span milter_macro(void *arg, struct span name);

/* The id of the message at hand, or of the next one. */
extern char milter_id[MAIL_ID_LEN + 1];

/* A name for the client: confirmed, or its address in brackets. */
const char *milter_client(const struct mrecv *);

/*
 * edits.c: what a milter wants to be changed.  Begun behind milter_end;
 * each change is taken, and all are made at once, or none: false, and
 * *why says why.  The message lies in msg.spool, its body at `body`; the
 * first `hidden` bytes are our own field.
 */
struct edits_at {
	size_t hidden;
	uint64_t body;
};

void edits_begin(const struct edits_at *);
MUST bool edits_take(
    struct mrecv *, struct milter *, enum milter_event, const char **why);
MUST bool edits_make(struct mrecv *, struct outcome *, const char **why);
void edits_forget(void);

#endif
