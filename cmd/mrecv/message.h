/*
 * message - the message that is being received; for message.c, stage.c,
 * spool.c and answer.c
 */
#ifndef MRECV_MESSAGE_H
#define MRECV_MESSAGE_H

#include "chain.h"
#include "mail/intake.h"
#include "sink.h"

enum road {
	ROAD_NONE,
	ROAD_QUEUE,
	ROAD_SINK,
	ROAD_STAGES,
	ROAD_NOWHERE /* it is taken and dropped */
};

/* An unlinked file: what is not whole is gone with us. */
struct spool {
	struct out out; /* fd 0 or -1 when there is none */
	char buf[16384];
};

struct message {
	enum road road;
	char id[MAIL_ID_LEN + 1];
	int64_t date;
	struct intake intake;
	struct queue_file file;
	struct sink sink;
	struct env env;
	/* stages: those that run while it arrives, and then the others */
	struct chain chain;
	size_t nfirst;
	struct spool spool, next;
	struct span received; /* our own field */
	struct buf told;      /* LMTP: the recipients that wait for a reply */
};

extern struct message msg;

/*
 * Where it lies: below the queue, or where TMPDIR says if that can't be
 * written.
 */
const char *spool_dir(void);

/* 0, or -1 and errno. */
MUST int spool_open(struct spool *);
void spool_close(struct spool *);

/* Write all, and go to its start. */
MUST int spool_rewind(struct spool *);

/* msg.next takes the place of msg.spool. */
void spool_swap(void);

/* Open its file in the queue, under an id that is free.  0 or -1. */
MUST int begin_queue(struct mrecv *);

/*
 * stage.c: begin what runs while the message arrives, 0 or -1; and at its
 * end, run all.  When that is OK and not dropped, what is to be passed on
 * is in msg.spool.  What failed is logged.
 */
MUST int stages_begin(struct mrecv *);
void stages_end(struct mrecv *, struct outcome *);

/* milter_run.c: a milter hears what lies in msg.spool. */
void milter_run(struct mrecv *, size_t stage, struct outcome *);

/* The environment of filters and the sink, as things are now. */
void message_env(struct mrecv *);

/* All between message_begin and here is done with. */
void message_forget(void);

/* The end came: within the header, perhaps. */
void message_finish_header(struct mrecv *);

void log_accept(struct mrecv *, size_t nrcpt, const char *text);

#endif
