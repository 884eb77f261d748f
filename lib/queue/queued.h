/*
 * queued - a message in the queue: leases, holds, its story, its end
 *
 * A lease is the mtime set ahead and the u+x bit.  One of `next` has g+x
 * too, and ends with its time; one of `run` ends with run.  Who takes a
 * lease holds a lock on the file for that moment, so that two never get
 * it.
 */
#ifndef QUEUE_QUEUED_H
#define QUEUE_QUEUED_H

#include "base/buf.h"
#include "queue/envelope.h"
#include "queue/queue.h"

struct queued {
	int fd;
	char id[MAIL_ID_LEN + 1];
	int64_t due;    /* mtime */
	bool ours;      /* due was set by who called queued_stamp */
	bool leased;    /* u+x */
	bool by_next;   /* u+x and g+x */
	uint64_t bytes; /* of the file */
};

/*
 * Open ID: a regular file with one link, no symbolic link.  0, or -1 and
 * errno (ENOENT; EINVAL for what is not an id or not such a file).
 */
MUST int queued_open(struct queue *, const char *id, bool rw, struct queued *);
void queued_close(struct queued *);

/* Look at mtime and mode again.  0, or -1 and errno. */
MUST int queued_look(struct queued *);

/* The same without opening. */
MUST int queued_stat(struct queue *, const char *id, struct queued *);

/*
 * Lease until a time.  -1 and EAGAIN when it is not due at `now` (with
 * force: only when it is leased), or held by another for this moment.
 * horizon: see schedule_horizon.
 */
MUST int queued_lease(struct queued *, int64_t now, int64_t until,
    int64_t horizon, bool by_next, bool force);

/*
 * From now on mark the times that this process sets, so that it knows its
 * own changes from those of others (queued.ours).
 */
void queued_stamp(void);

/*
 * Write the mark of a recipient.  A write sets the mtime to now, and with it
 * the lease would be over: it is set back before anybody else can lease.
 */
MUST int queued_mark(struct queued *, struct envelope_rcpt *, enum mark);

/* Give a lease back: next due at a time. */
int queued_put_back(struct queued *, int64_t due);

/* Remove the message, then what lies beside it.  0, or -1 and errno. */
int queue_remove(struct queue *, const char *id);

/* Whether it is held; the first line of the reason into why (NULL: no). */
bool queue_held(struct queue *, const char *id, struct buf *why);
MUST int queue_hold(struct queue *, const char *id, const char *why);
MUST int queue_release(struct queue *, const char *id);

/*
 * Call f for every name [0-9a-z]{16} in the queue folder, or for the names
 * with that and `suffix` behind it, until it returns false.  0, or -1 and
 * errno.
 */
MUST int queue_list(struct queue *, const char *suffix,
    bool (*f)(void *ctx, const char *id), void *ctx);

/* CRLF octets of what stands in the file from `at` on; -1 and errno. */
MUST int queued_measure(struct queued *, size_t at, uint64_t *size);

/*
 * The story, ID.log: for each attempt the dialogue that failed, indented,
 * and a line a recipient,
 *
 *	TIME <tab> N <tab> ROUTE <tab> RCPT <tab> CODE <tab> TEXT
 *
 * N being the number of the attempt.  The last line is always one of
 * these, so what `ls` shows is cheap.
 */
struct story {
	int64_t time;
	unsigned n;
	struct span route, rcpt, code, text; /* pct, pct, as it is, as it is */
};

MUST bool story_parse(struct span line, struct story *);
void story_put(struct buf *, int64_t time, unsigned n, const char *route,
    struct span rcpt, struct span code, struct span text);
void story_remark(struct buf *, struct span text);
int story_append(struct queue *, const char *id, struct span text);

/* The last bytes of the story, up to b's bound.  False: there is none. */
bool story_read(struct queue *, const char *id, struct buf *b);

/* The last attempt line of such a text; false when there is none. */
bool story_last(struct span text, struct story *);

#endif
