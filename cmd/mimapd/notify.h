/*
 * notify - NOTIFY (RFC 5465): what the client wants to hear, and of what
 *
 *	notify.c     the command; the selected mailbox; waiting
 *	notifybox.c  the other mailboxes: what is known of them, what changed
 *	notifyname.c their names
 */
#ifndef MIMAPD_NOTIFY_H
#define MIMAPD_NOTIFY_H

#include "imap.h"
#include "store/glance.h"

enum {
	NOTIFY_NEW = 1,
	NOTIFY_EXPUNGE = 2,
	NOTIFY_FLAG = 4,
	NOTIFY_NAME = 8,
	NOTIFY_SUBSCRIPTION = 16,
	NOTIFY_METADATA = 32,
	NOTIFY_SERVER = 64,
	NOTIFY_MESSAGES = NOTIFY_NEW | NOTIFY_EXPUNGE | NOTIFY_FLAG
};

enum filter {
	FILTER_PERSONAL,
	FILTER_SUBSCRIBED,
	FILTER_SUBTREE,
	FILTER_NAMES
};

/* An event group that is not about the selected mailbox. */
struct group {
	enum filter filter;
	unsigned events;
	struct span *name;
	size_t nnames;
	struct group *next;
};

struct notify_box {
	char *name;
	unsigned attrs, events;
	uint64_t ino; /* of the folder; 0: there is none */
	bool dirty, selected, no_access;
	struct folder_status st;
	bool known;           /* st is */
	struct glance glance; /* where nothing watches */
	struct buf metadata;  /* lines "ENTRY HASH" */
	int wd[3];            /* of the folder, new/, cur/; or -1 */
	bool told;            /* in this round */
};

struct notify {
	bool telling; /* between commands */
	/* the selected mailbox */
	bool has_selected, delayed;
	unsigned selected;
	const struct imap_arg *fetch; /* of MessageNew, or NULL */
	/* others */
	struct arena arena; /* all that the command said */
	struct group *groups;
	bool server;
	struct buf server_metadata;
	struct notify_box *box; /* INBOX first, then by name */
	size_t n;
	int64_t root_ns; /* mtime of the Maildir when they were listed */
	/* watching */
	int watch;      /* -1: none, or refused */
	bool all_dirty; /* also the list of mailboxes */
	struct notify_wd {
		int wd;
		size_t box;
	} * map;
	size_t nmap;
	int root_wd;
	char watched[LIMIT_PATH]; /* the selected mailbox that is */
	int selected_wd[3];
	bool selected_dirty;
	int64_t active; /* when something happened last, seconds */
};

/*
 * Learn the mailboxes and what is known of them; with `status` tell their
 * STATUS.  False: there are too many, or they can't be read.
 */
bool notify_learn(struct imap *, struct notify *, bool status);

/* Look at what is dirty and tell what has changed; quiet: tell nothing. */
void notify_look(struct imap *, struct notify *, bool quiet);

/* Watch a directory, or, when there is no more room for that, nothing any
 * longer, so that all is polled.  Its number or -1. */
int notify_watch_dir(struct notify *, const char *path);

/* What the watch says becomes dirty. */
void notify_drain(struct imap *, struct notify *);

/* What all groups together want to hear of a mailbox; whether it is there;
 * the one of that name in a sorted list, or NULL. */
unsigned notify_events(const struct imap *, const struct notify *,
    struct span name, unsigned attrs);
bool notify_exists(const struct notify_box *);
struct notify_box *notify_find(struct notify_box *, size_t n, const char *name);

/* Names and subscriptions: between the old list and the present one. */
void notify_names(
    struct imap *, struct notify *, struct notify_box *old, size_t n);

void notify_free_boxes(struct notify *);

#endif
