/*
 * boxes - the mailboxes of a user: Maildir++ folders and subscriptions
 *
 * INBOX is the Maildir itself; a mailbox "Work/2026" is the folder
 * ".Work.2026" in it.  Names here are UTF-8 with the separator of the
 * user ('/' by default; a name may then hold no '.'); on disk they are
 * modified UTF-7 like those of Dovecot and Courier.  INBOX is one mailbox
 * in any case.  With a prefix, "INBOX." say, the folder ".Work" is
 * "INBOX.Work".
 */
#ifndef STORE_BOXES_H
#define STORE_BOXES_H

#include "base/buf.h"
#include "base/limits.h"
#include "base/span.h"
#include "store/mutf7.h"

struct boxes {
	int fd; /* the Maildir */
	char root[LIMIT_PATH];
	char separator;
	char prefix[LIMIT_PREFIX + 1];
};

enum box_result {
	BOX_OK,
	BOX_NONE, /* no such mailbox */
	BOX_EXISTS,
	BOX_BADNAME, /* not a name we can have */
	BOX_INUSE,   /* INBOX can't be deleted, ... */
	BOX_FAILED   /* errno */
};

enum {
	BOX_NOSELECT = 1, /* only a level of the hierarchy */
	BOX_HASCHILDREN = 2,
	BOX_SUBSCRIBED = 4,
	BOX_NONEXISTENT = 8, /* subscribed, but not there */
	/* special use, RFC 6154 */
	BOX_DRAFTS = 16,
	BOX_JUNK = 32,
	BOX_SENT = 64,
	BOX_TRASH = 128,
	BOX_ARCHIVE = 256,
	BOX_ABOVE = 512, /* not there, nor what is subscribed below it */
	BOX_USES = BOX_DRAFTS | BOX_JUNK | BOX_SENT | BOX_TRASH | BOX_ARCHIVE
};

struct box {
	const char *name; /* UTF-8 */
	unsigned attrs;
};

/* Open a Maildir root, which is created when it does not exist. */
MUST int boxes_open(struct boxes *, const char *root, char separator);
void boxes_close(struct boxes *);

/*
 * The prefix of all names but INBOX, with the separator at its end, as
 * "INBOX.".  False when it can't be one; "" is none.
 */
MUST bool boxes_set_prefix(struct boxes *, const char *prefix);

/*
 * Every mailbox, INBOX first, then in order of name, parents that do not
 * exist as BOX_NOSELECT, and subscribed names that are not there, with the
 * levels above them as BOX_ABOVE.  The
 * array is malloc'd, one block: free() it.  The number, or -1 and errno.
 */
MUST int boxes_list(struct boxes *, struct box **list);

/* The folder's directory into path (whether or not it exists). */
enum box_result boxes_path(
    struct boxes *, struct span name, char *path, size_t size);

/* BOX_OK when it exists and can be selected. */
enum box_result boxes_find(
    struct boxes *, struct span name, char *path, size_t size);

/* use: of BOX_DRAFTS..., or 0; mailboxes that had them lose them.  Parents
 * are made visible by LIST.  It has the rights (acl.h) of the mailbox above
 * it. */
enum box_result boxes_create(struct boxes *, struct span name, unsigned use);

/* The folder of the nearest mailbox above it: BOX_OK, or BOX_NONE. */
enum box_result boxes_parent(
    struct boxes *, struct span name, char *path, size_t size);

enum box_result boxes_delete(struct boxes *, struct span name);

/*
 * With its inferiors; UIDs and UIDVALIDITY move along.  INBOX: its
 * messages move into the new mailbox and it stays.
 */
enum box_result boxes_rename(struct boxes *, struct span from, struct span to);

/* Whether a RENAME of INBOX made this mailbox; when, in nanoseconds of the
 * clock that gives files their times. */
bool boxes_was_inbox(struct boxes *, struct span name, int64_t *ns);

/* The special uses as attributes: "\Sent \Trash"; one of them by name, in
 * any case, 0 when it is none. */
void boxes_put_uses(struct buf *, unsigned attrs);
unsigned boxes_use(struct span attribute);

/* Give an existing mailbox these uses and no others; see boxes_create. */
enum box_result boxes_set_use(struct boxes *, struct span name, unsigned use);

/* Need not exist (RFC 3501, section 6.3.6). */
enum box_result boxes_subscribe(
    struct boxes *, struct span name, bool subscribe);

#endif
