/*
 * folder - one mailbox: its messages in UID order, and changes to it
 *
 * An open folder is a view: messages numbered from 0 in UID order, which
 * changes only in folder_refresh, so that a session's sequence numbers
 * stay what the client believes.  Other processes (ours, mutt, mblaze,
 * mbsync, rm) may change the Maildir at any time; what they did shows at
 * the next refresh.
 *
 * The index (snapshot, journal, cache; see store/index.h) lives in the
 * folder and can always be rebuilt.  File names are the truth for flags.
 * A UID that was shown never names another message.
 */
#ifndef STORE_FOLDER_H
#define STORE_FOLDER_H

#include "base/span.h"
#include "mail/digest.h"
#include "store/maildir.h"

enum {
	FLAG_SEEN = 1,
	FLAG_ANSWERED = 2,
	FLAG_FLAGGED = 4,
	FLAG_DELETED = 8,
	FLAG_DRAFT = 16,
	FLAG_RECENT = 32, /* of this session: never stored by a caller */
	FLAG_ALL = 31
};

struct msg {
	uint32_t uid;
	uint16_t flags;
	bool gone; /* expunged by somebody; still numbered */
	uint8_t unused;
	uint64_t keywords; /* bit i: folder_keyword_name(f, i) */
	uint64_t modseq;
	int64_t date;   /* INTERNALDATE; 0 not known yet: folder_date */
	uint64_t size;  /* CRLF octets; 0 not known yet: folder_size */
	uint32_t saved; /* SAVEDATE, seconds since 1970; 0 not known */
	uint32_t name;  /* the store's */
};

struct folder;

/*
 * Open a folder directory that exists; rw: may change it and takes the
 * \Recent flags.  0; -1 and errno (ENOENT; EPROTO: an index of a newer
 * format, later).  The first view is complete.
 */
MUST int folder_open(struct folder **, const char *path, bool rw);
void folder_close(struct folder *);

/*
 * To read one that has no index where nothing can be written, such as a full
 * disk: its UIDs and UIDVALIDITY are of this view alone and never come
 * again (UIDNOTSTICKY, RFC 4315).  0; -1 and errno, ENOSPC: it has one.
 */
MUST int folder_open_unkept(struct folder **, const char *path);

size_t folder_count(const struct folder *);
const struct msg *folder_msg(const struct folder *, size_t i);

/*
 * What SELECT tells of the view, at no cost a message: first_unseen is its
 * number from 1 on, 0 when there is none.
 */
struct folder_counts {
	size_t messages, recent, unseen, deleted, first_unseen;
};
void folder_counts(struct folder *, struct folder_counts *);

/*
 * RFC 8474: of the mailbox, kept over a rename; of a message, from the
 * name of its file, kept by COPY and MOVE.
 */
enum { FOLDER_ID = 40 };
void folder_mailbox_id(const struct folder *, char id[FOLDER_ID]);
void folder_email_id(const struct folder *, size_t i, char id[FOLDER_ID]);

uint32_t folder_uidvalidity(const struct folder *);
uint32_t folder_uidnext(const struct folder *);
uint64_t folder_modseq(const struct folder *); /* highest */

/* The index of the first message with a UID of at least uid; count. */
size_t folder_lower(const struct folder *, uint32_t uid);

/*
 * A first index that this process has made is shown before it is on disk:
 * if a power cut takes it, its UIDVALIDITY goes with it and a greater one
 * comes.  settle puts it there, when the session has time (it waits for the
 * client FOLDER_SETTLE_MS long); else what changes the index and tells so,
 * and folder_close.  0, or -1 and errno: it may be called again.
 */
enum { FOLDER_SETTLE_MS = 50 };
bool folder_is_loose(const struct folder *); /* NULL: no */
MUST int folder_settle(struct folder *);

/* What folder_refresh found, in the order in which it must be told. */
struct folder_news {
	void *ctx;
	/* Message i is gone and those behind it move up: from the highest i
	 * down.  May be NULL when `expunge` is false. */
	void (*expunged)(void *ctx, size_t i, uint32_t uid);
	void (*flags)(void *ctx, size_t i);      /* changed by someone else */
	void (*exists)(void *ctx, size_t count); /* there are new messages */
};

/*
 * Bring the view up to date.  With expunge false, messages that have gone
 * stay numbered (msg.gone) until a refresh with true.  What is shown is
 * durable first: no UID, MODSEQ or UIDVALIDITY is shown that a power cut
 * could give to something else.  0, or -1 and errno; ESTALE: the index was made
 * anew with another UIDVALIDITY.  All messages of a folder that is removed have
 * gone.
 */
MUST int folder_refresh(
    struct folder *, bool expunge, const struct folder_news *);

/* Its directory was deleted; another may be there under its name. */
bool folder_removed(const struct folder *);

/* It is what this path names: it was neither deleted nor renamed. */
bool folder_is_at(const struct folder *, const char *path);

/* How many of the view have gone. */
size_t folder_gone(const struct folder *);

/*
 * Drop these, and no others that may have gone meanwhile; none while the
 * index can't be read.
 */
void folder_drop_gone(struct folder *, const struct folder_news *);

/*
 * A descriptor that becomes readable (poll) when the folder may have
 * changed, -1 if there is none (then ask every second).  After it was
 * readable, and once between this call and the wait, call
 * folder_refresh.
 */
int folder_watch(struct folder *);

/* Open message i to read, its file decompressed; -1 and errno, ENOENT if
 * gone. */
MUST int folder_open_msg(struct folder *, size_t i);

/*
 * The same, and its first bytes with it: *n of them in buf, which is all
 * when there are less than size.
 */
MUST int folder_read_msg(
    struct folder *, size_t i, char *buf, size_t size, size_t *n);

/* INTERNALDATE, from the file if the index does not know. */
MUST int folder_date(struct folder *, size_t i, int64_t *date);

/*
 * Its CRLF size, reading the file if no index or name tells.  A name is
 * believed until the file is opened: who sends the message asks then.
 */
MUST int folder_size(struct folder *, size_t i, uint64_t *size);

/* Message i was read to its end, and has so many CRLF octets. */
void folder_measured(struct folder *, size_t i, uint64_t size);

/* The same, and this is the whole text of it: its CRLF octets. */
uint64_t folder_measure_text(struct folder *, size_t i, struct span);

/*
 * The CRLF size of message i, open as fd (folder_open_msg), counted if what
 * is known is not of this file: of that S= of its name must convince, and
 * nothing but a count does where the text is to be sent.  0, -1 and errno.
 */
MUST int folder_measure(
    struct folder *, size_t i, int fd, bool sent, uint64_t *size);

/*
 * Facts: texts about message i, found at once through the index.  get:
 * true with the text, valid until the next call on this folder.  put never
 * fails (a full disk only costs time).
 */
enum folder_fact { FACT_HEAD, FACT_BODY, FACT_SIGNATURE };
bool folder_fact_get(
    struct folder *, size_t i, enum folder_fact, struct span *text);
void folder_fact_put(
    struct folder *, size_t i, enum folder_fact, struct span text);

/* It turned out to be wrong: it is not known until it is put again. */
void folder_fact_forget(struct folder *, size_t i, enum folder_fact);

/*
 * What FETCH tells of message i (mail/digest.h): from the facts, else its
 * file is read once, and all that was learned is kept.  Spans are valid
 * until the next call on this folder.  FOLDER_SIZE wants the size, too.
 * 0; -1 and errno, ENOENT if it has gone.
 */
enum { FOLDER_SIZE = 16 };
MUST int folder_digest(
    struct folder *, size_t i, unsigned want, struct digest *);

/* How folder_digest decodes a PREVIEW, from now on; may be NULL. */
void folder_charsets(const struct encword_charset *);

/* The same, of what is known without reading the file: else false. */
bool folder_preview(struct folder *, size_t i, struct span *text);

/*
 * The number of a keyword, folding case; with create it is made.  -1 when
 * there is none, or no room (LIMIT_KEYWORDS).
 */
int folder_keyword(struct folder *, struct span name, bool create);
const char *folder_keyword_name(const struct folder *, int k); /* or NULL */

enum folder_op { FOLDER_ADD, FOLDER_REMOVE, FOLDER_REPLACE };

/*
 * Change flags of the n messages at idx.  The view shows the change at
 * once (folder_refresh does not report it as news).  Messages that have
 * gone are passed over.  With unchanged_since < UINT64_MAX, those whose
 * modseq is larger are left as they are and marked in failed[] (may be
 * NULL).  0, or -1 and errno.
 */
MUST int folder_store(struct folder *, const size_t *idx, size_t n,
    enum folder_op, uint16_t flags, uint64_t keywords, uint64_t unchanged_since,
    bool *failed);

/*
 * Remove the files of these messages.  They stay in the view, gone, until
 * a refresh with expunge.
 */
MUST int folder_expunge(struct folder *, const size_t *idx, size_t n);

/* The same of those that are \Deleted now: others may have taken that back
 * since the last refresh, and what they left is not removed. */
MUST int folder_expunge_deleted(struct folder *, const size_t *idx, size_t n);

/*
 * Copy (or move) messages to another folder, keeping flags, keywords and
 * date; all or none.  uids[] gets their new UIDs in the order of idx.
 * After a move the originals are gone as after folder_expunge.
 * errno ENOENT: one of them has gone; nothing was copied.
 */
MUST int folder_copy(struct folder *, const size_t *idx, size_t n,
    const char *to_path, bool move, uint32_t *uidvalidity, uint32_t *uids);

struct uid_range {
	uint32_t first, last;
};

/* UIDs that were expunged with a larger MODSEQ than since, ascending; where
 * that is forgotten, all UIDs below UIDNEXT that are not there.  To be
 * freed. */
size_t folder_vanished(struct folder *, uint64_t since, struct uid_range **);

/* STATUS, without opening a view where the index allows it. */
struct folder_status {
	uint32_t messages, recent, unseen, deleted, uidnext, uidvalidity;
	uint64_t modseq, size;
	char id[FOLDER_ID]; /* of the mailbox */
};

/* A greater highest MODSEQ, for a change that no message shows. */
MUST int folder_touch(const char *path);

/* want_size: fill size too, which may have to read messages. */
MUST int folder_status(
    const char *path, struct folder_status *, bool want_size);

#endif
