/*
 * queue - add a message to the queue, durably
 *
 * A queued message is one text file: an envelope, a blank line, the
 * message (DESIGN section 3).  It is written to tmp/ID, its size is put
 * in, it is renamed to ID, the file is synced and then the folder: one
 * journal commit, after which the message may be acknowledged.
 *
 * In the envelope an address stands as in a job line (enc_pct), so a
 * quoted local part with a blank is one word; the null sender is "<>".
 *
 * After queue_open no path is opened and no folder is read: a process
 * that may only make files below the queue can add to it.
 */
#ifndef QUEUE_QUEUE_H
#define QUEUE_QUEUE_H

#include "base/span.h"
#include "io/ident.h"
#include "io/out.h"
#include "mail/wire.h"

struct queue {
	int fd;     /* the directory */
	int tmp_fd; /* its tmp/ */
	char path[512];
};

/*
 * Open a queue directory; `create` makes it and its tmp/, mode 0700.
 * 0, or -1 and errno.
 */
MUST int queue_open(struct queue *, const char *dir, bool create);
void queue_close(struct queue *);

struct queue_from {
	struct span sender; /* bare, empty for the null sender */
	struct span args;   /* "RET=HDRS ENVID=x17 BODY=8BITMIME", or empty;
			       printable, words between single blanks */
	struct span auth;   /* the login, or empty */
	struct span ip, helo, with; /* for the `received` line */
	int64_t received;
	int64_t due; /* not before: the file's time is set to it; 0: now */
};

struct queue_rcpt {
	struct span address;
	struct span args; /* "NOTIFY=FAILURE ORCPT=...", or empty */
};

struct queue_file {
	struct queue *q;
	int fd;
	char id[MAIL_ID_LEN + 1];
	struct out out;
	int64_t due;
	size_t size_at;   /* where the size stands */
	size_t put;       /* octets of the file so far */
	struct wire wire; /* its size: CRLF octets of the message so far */
	char buf[32768];
};

/*
 * Begin a message under id.  0, or -1 and errno; EEXIST when the id is
 * taken (take another).
 */
MUST int queue_begin(struct queue *, struct queue_file *, const char *id,
    const struct queue_from *, const struct queue_rcpt *, size_t nrcpt);

/* A piece of the message, lines ended by LF.  Errors show at commit. */
void queue_write(struct queue_file *, struct span);

/*
 * Make it durable.  hold: a reason, or NULL.  0; -1 and errno, and then
 * nothing is in the queue.
 */
MUST int queue_commit(struct queue_file *, const char *hold);

/* Leave nothing behind; keeps errno. */
void queue_abort(struct queue_file *);

#endif
