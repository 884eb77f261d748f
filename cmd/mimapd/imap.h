/*
 * imap - one IMAP session: what all its commands share
 *
 * A command finds its arguments in im->e.args, writes untagged responses
 * to im->out and ends with exactly one of imap_done, imap_reply and
 * imap_bad.
 *
 * Where things are:
 *
 *	main       the session: options, sandbox, the loop
 *	command    the table of commands; reply, wait, settings, masks, limit,
 *	           progress, event: what stands around each of them
 *	basic, boxcmd, list, status, select, quota, acl, metadata, compress,
 *	idle, unauth, uidbatches     commands of these names, or nearly so
 *	sync       what has changed, told: EXPUNGE, FETCH of flags, EXISTS;
 *	           qresync after a SELECT, notify, notifybox and notifyname
 *	           for other mailboxes
 *	set        the messages that a command names; change: STORE, EXPUNGE,
 *	           COPY, MOVE of them
 *	append     messages that come in: text (line ends), url (CATENATE)
 *	fetch      messages that go out: item and modifier (what was asked
 *	           for), body (the file), section, binary
 *	search     key (parse), match (ask the index), head, content, find
 *	           and charset (ask the file); result (tell), context (keep),
 *	           esearch (of several mailboxes)
 *	sort       sortkey, order (kept); thread
 */
#ifndef MIMAPD_IMAP_H
#define MIMAPD_IMAP_H

#include "base/limits.h"
#include "imap/imapd.h"
#include "imap/imapset.h"
#include "io/in.h"
#include "io/out.h"
#include "mail/mime.h"
#include "store/append.h"
#include "store/boxes.h"
#include "store/events.h"
#include "store/folder.h"
#include "store/quota.h"

/* The message looked at last: its file and its parts. */
struct body {
	int fd; /* -1: none */
	size_t i;
	uint32_t uid;
	struct arena arena;
	struct mime_part *tree; /* NULL: not parsed yet */
	struct span whole;      /* the file, where it is short */
	uint64_t size;          /* on the wire; 0: not asked for yet */
	bool has_head;
	struct mime_at head; /* the end of the header */
	/* where reading stopped, to go on from there */
	uint64_t at_file, at_wire;
	bool at_cr;
};

/* What the client has switched on, until the connection ends. */
enum {
	ENABLE_CONDSTORE = 1,
	ENABLE_QRESYNC = 2,
	ENABLE_UTF8 = 4, /* UTF8=ACCEPT */
	ENABLE_REV2 = 8,
	ENABLE_UIDONLY = 16
};

struct imap {
	struct in in;
	struct out out;
	struct buf said; /* of the engine */
	struct imapd e;
	struct boxes boxes;
	const char *login;
	unsigned enabled;
	int again;         /* where UNAUTHENTICATE leaves input; -1: nowhere */
	int status;        /* of the exit */
	uint32_t limited;  /* the command stopped at that UID; or 0 */
	struct buf id;     /* what the client says it is */
	struct buf hidden; /* capabilities, blank-separated */
	bool over, expunge_ok;
	uint64_t commands;

	/* the selected mailbox; folder NULL for none */
	struct folder *folder;
	bool read_only;
	bool gone;   /* this command met a message that is no more */
	bool unread; /* or one that could not be read, for another reason */
	bool unknown_cte;
	int keywords;    /* how many the client knows of */
	uint64_t modseq; /* all changes up to it have been told */
	bool untold;     /* flags behind it that NOTIFY does not want */

	int64_t progress;    /* when the next word of it is due; 0: unknown */
	unsigned progressed; /* calls of imap_progress */
	char box[LIMIT_MAILBOX_NAME + 1]; /* UTF-8 */
	char path[LIMIT_PATH];
	struct context *contexts; /* context.h */
	struct imapset saved;     /* "$": UIDs; malloc'd */
	struct body body;

	struct folder_append append; /* knows the last target */

	bool compressed; /* COMPRESS */

	struct events events; /* event.h */

	struct quota quota;

	struct notify *notify; /* notify.h; NULL before the first NOTIFY */

	/* ACL: who the owner is called, and may do in the selected mailbox */
	const char *owner;
	unsigned rights;
};

struct walk;

struct command {
	const char *name;
	void (*run)(struct imap *);
	bool selected; /* only with a mailbox selected */
	bool uid;      /* has a UID form */
	bool numbers;  /* no EXPUNGE while it runs, but in its UID form */
	int min, max;  /* arguments; max -1: any number */
};

/* command.c */
void command_run(struct imap *);

/* reply.c: "TAG text"; imap_done first tells what is new. */
void imap_reply(struct imap *, const char *fmt, ...) PRINTF(2, 3);
void imap_done(struct imap *, const char *text);
void imap_bad(struct imap *, const char *text);
void imap_failed(struct imap *, const char *what); /* NO, by errno */
void imap_box_failed(struct imap *, enum box_result);
void imap_put(struct imap *, const struct buf *);
void imap_put_name(struct imap *, struct span utf8);
void imap_put_astring(struct imap *, struct span); /* as an atom if it is */
/* " (OLDNAME (...))" of a LIST, when a name has become another */
void imap_put_oldname(struct imap *, struct span old, struct span name);
void imap_put_flags(struct imap *, uint16_t flags, uint64_t keywords);
/* A mailbox name as UTF-8, in the command's arena; answers when it is bad */
bool imap_name(struct imap *, const struct imap_arg *, struct span *utf8);
/* The same for one that is to be made: composed (NFC) */
bool imap_new_name(struct imap *, const struct imap_arg *, struct span *utf8);
/* The same, unanswered: what would be answered, or NULL */
const char *imap_name_of(
    struct imap *, const struct imap_arg *, struct span *utf8);
/* The same as it was said, composed or not */
const char *imap_name_said(
    struct imap *, const struct imap_arg *, struct span *utf8);
/* ( \Seen keyword ... ) or without parentheses; keywords by name too */
bool imap_flags(struct imap *, const struct imap_arg *first, uint16_t *flags,
    struct buf *keywords);
bool imap_mask(struct imap *, struct span names, bool create, uint64_t *mask);

/* wait.c */
void wait_init(void);
bool wait_stopping(void);
/* From here on a signal handler has to say BYE by this one. */
void wait_compressed(struct out *);
/* Flush, then wait for input: 1; 0 for the watch or the timeout; -1 to end
 * the session (told). */
int wait_input(struct imap *, int watch, int64_t deadline);

/* Read; false when the session is over (told). */
bool wait_fill(struct imap *);

/* sync.c: the one place that writes FETCH of flags, EXPUNGE, VANISHED */
void sync_run(struct imap *, bool expunge);
void sync_flags(struct imap *); /* FLAGS, when there are new keywords */
/* "* N FETCH (", or "* UID UIDFETCH (" */
void sync_fetch_open(struct imap *, size_t i);
void sync_fetch_flags(struct imap *, size_t i);
/* Its MODSEQ alone: of a message whose flags the client has set */
void sync_fetch_modseq(struct imap *, size_t i);
/* By any of the commands of RFC 7162, section 3.1; before they answer */
void sync_condstore(struct imap *);

/* masks.c: the file `masks`, read again when the client says who it is */
void masks_apply(struct imap *);
bool imap_has(const struct imap *, const char *capability);
/* Whether a command belongs to a capability that is hidden. */
bool masks_hide(const struct imap *, struct span command);
/* "CAPABILITY ..." */
void imap_put_capability(struct imap *);

/* limit.c: numbers of messages, 0 for any */
size_t limit_messages(void);
size_t limit_saved(void); /* by COPY or APPEND */
/* Cut a set down to its last messages, and note that for the answer. */
void limit_walk(struct walk *);
/* Whether so many may be saved; answers when not. */
bool limit_allows_saving(struct imap *, size_t n);
void limit_put(struct imap *); /* the code of the answer, if it was cut */

/* progress.c: in loops over messages: n of total are done (RFC 9585) */
void progress_begin(struct imap *);
void imap_progress(struct imap *, size_t n, size_t total);

/* set.c: the messages of a set, as indexes into the folder */
struct walk {
	struct imap *im;
	struct imapset set;
	bool uid;
	size_t range, i;
	uint32_t end;
	bool inside;
};
/* False when the argument is no set (answered). */
bool walk_init(struct walk *, struct imap *, struct span, bool uid);
bool walk_next(struct walk *, size_t *i); /* also messages that are gone */
size_t walk_count(const struct walk *);   /* so many will come */
/* All of them in a block to free(); those that are gone are passed over,
 * and noted in im->gone. */
size_t walk_all(struct walk *, size_t **idx);

/* modifier.c: partial-range of RFC 9394, rising; last: from the end */
bool imap_partial(struct span, uint32_t *from, uint32_t *to, bool *last);

/* settings.c: open im->boxes and what else the configuration tells */
void settings_open(struct imap *, const char *login, const char *path);

/* acl.c: whether the rights are there that the command needs (answers when
 * not); the flags that some allow; a MYRIGHTS response */
bool acl_allows(struct imap *);
void acl_renew(struct imap *); /* im->rights, between commands */
uint16_t acl_flags(unsigned rights);
void acl_put_myrights(struct imap *, struct span name, const char *path);

/* notify.c: whether an event (notify.h) of the selected mailbox is told */
bool notify_wants(const struct imap *, unsigned event);
void notify_fetch(struct imap *, size_t from, size_t to); /* of [from, to) */
void notify_tell(struct imap *, bool expunge);      /* what has happened */
void notify_command(struct imap *, bool before);    /* or behind it */
int notify_watch(struct imap *, int64_t *deadline); /* what to wait for */
bool notify_wait(struct imap *); /* for input; false: the end */
/* A copy of arguments, in the arena, that outlives the command */
struct imap_arg *imap_keep(struct arena *, const struct imap_arg *);

/* metadata.c: entries as GETMETADATA takes them (answers when they are
 * wrong), and what they are, for LIST. */
bool metadata_entries(struct imap *, const struct imap_arg *);
void metadata_put(struct imap *, struct span name, const char *path,
    const struct imap_arg *entries);

/* quota.c: whether so much may be added; answers when it may not. */
bool quota_allows(struct imap *, uint64_t bytes, uint64_t messages);

/* select.c: whether that is the selected one, which may have been renamed */
bool select_is(const struct imap *, const char *path);
void select_close(struct imap *);

/* body.c */
void body_close(struct imap *);
int body_open(struct imap *, size_t i);     /* 0, or -1 and errno */
struct mime_part *body_tree(struct imap *); /* NULL and errno */
struct mime_at body_head(struct imap *);    /* end of the header */
/* Its CRLF octets as the file has them (folder_measure).  0, or -1. */
MUST int body_size(struct imap *, bool sent, uint64_t *size);
int body_seek(struct imap *, uint64_t file, struct in *);
/* Write the wire octets [from, to) of the message, reading from `start`;
 * eight: NUL may pass. */
void body_send(struct imap *, struct mime_at start, uint64_t from, uint64_t to);

/* list.c: one LIST, as "was named old before" where old is not empty */
void list_put(struct imap *, struct span name, struct span old);
/* One LIST with these attributes, for what has changed; no_access: and
 * \NoAccess */
void list_tell(struct imap *, struct span name, unsigned attrs, struct span old,
    bool no_access);

/* status.c: an item by its name, 0 for none; a list of them (answers) */
unsigned status_item(const char *name);
bool status_items(struct imap *, const struct imap_arg *, unsigned *items);
/* False, and nothing written, when it can't be told (errno). */
bool status_put(
    struct imap *, struct span name, const char *path, unsigned items);

/* append.c: the octets of a message; RFC 7889 has no number for more */
uint64_t append_limit(void);

/* charset.c: see encword.h */
bool charset_convert(
    void *ctx, struct span charset, struct span text, struct buf *utf8);
struct charset;
struct charset *charset_open(struct span name); /* NULL: unknown */
void charset_feed(struct charset *, struct span, struct buf *utf8);
void charset_close(struct charset *);

/* The commands, each in its file. */
void cmd_append(struct imap *);
void cmd_cancelupdate(struct imap *);
void cmd_capability(struct imap *);
void cmd_check(struct imap *);
void cmd_close(struct imap *);
void cmd_compress(struct imap *);
void cmd_copy(struct imap *);
void cmd_create(struct imap *);
void cmd_deleteacl(struct imap *);
void cmd_delete(struct imap *);
void cmd_enable(struct imap *);
void cmd_esearch(struct imap *);
void cmd_examine(struct imap *);
void cmd_expunge(struct imap *);
void cmd_fetch(struct imap *);
void cmd_getacl(struct imap *);
void cmd_getmetadata(struct imap *);
void cmd_getquota(struct imap *);
void cmd_getquotaroot(struct imap *);
void cmd_id(struct imap *);
void cmd_idle(struct imap *);
void cmd_listrights(struct imap *);
void cmd_list(struct imap *);
void cmd_logout(struct imap *);
void cmd_lsub(struct imap *);
void cmd_move(struct imap *);
void cmd_myrights(struct imap *);
void cmd_namespace(struct imap *);
void cmd_noop(struct imap *);
void cmd_notify(struct imap *);
void cmd_rename(struct imap *);
void cmd_replace(struct imap *);
void cmd_search(struct imap *);
void cmd_select(struct imap *);
void cmd_setacl(struct imap *);
void cmd_setmetadata(struct imap *);
void cmd_setquota(struct imap *);
void cmd_sort(struct imap *);
void cmd_status(struct imap *);
void cmd_store(struct imap *);
void cmd_thread(struct imap *);
void cmd_subscribe(struct imap *);
void cmd_unauthenticate(struct imap *);
void cmd_uidbatches(struct imap *);
void cmd_unselect(struct imap *);
void cmd_unsubscribe(struct imap *);

#endif
