/*
 * users - the files `users`, `domains` and `aliases`
 *
 * Looked up for each question, never cached across connections.  "No" is
 * said only when the files are beyond doubt (conf_doubtful): otherwise it
 * is TEMP.  A file that looks changing is read again for up to 2 seconds
 * before a PERM.
 */
#ifndef AUTH_USERS_H
#define AUTH_USERS_H

#include <sys/types.h>

#include "base/die.h"
#include "base/limits.h"
#include "base/span.h"

struct user {
	char address[LIMIT_ADDRESS + 1];
	uid_t uid;
	gid_t gid;
	char home[LIMIT_PATH];
	char maildir[LIMIT_PATH];      /* absolute; HOME/Maildir by default */
	char send[2048];               /* send=: further addresses, commas */
	char separator;                /* of IMAP names; '\0': not told */
	char prefix[LIMIT_PREFIX + 1]; /* of them, "" for none */
	bool has_prefix;
	uint64_t quota_bytes, quota_messages; /* 0: no limit */
	bool has_sessions; /* sessions=: so many at once; 0: any number */
	unsigned sessions;
	bool disabled;
};

/*
 * Find the user of an address (domain in any case, local part as it
 * stands, then folded).  OK; PERM there is none; TEMP it can't be said.
 */
MUST enum verdict users_find(struct span address, struct user *);

/* One look only: TEMP also while the file is fresh. */
MUST enum verdict users_find_now(struct span address, struct user *);

/* The first user of a uid; the first of all who is not disabled. */
MUST enum verdict users_find_uid(uid_t, struct user *);
MUST enum verdict users_first(struct user *);

/* Whether a line is that of a user, and not of root. */
bool users_line_ok(struct span line);

/* Whether a login may send as an address: its own, send=, its aliases. */
MUST enum verdict users_may_send(const struct user *, struct span address);

/*
 * The Maildir a server is to serve: `arg` if given, else $MAILDIR, else
 * the `users` line of our uid, else ~/Maildir, where ~ is $HOME or
 * what passwd says.  False when there is none of these.
 */
MUST bool users_maildir(const char *arg, char *path, size_t size);

enum rcpt_kind {
	RCPT_USER,    /* user is set; detail, if any, after the separator */
	RCPT_ALIAS,   /* targets is set */
	RCPT_RELAY,   /* a domain we relay for */
	RCPT_FOREIGN, /* no domain of ours */
	RCPT_UNKNOWN, /* a domain of ours, nobody of that name */
	RCPT_LATER    /* it can't be said now; why is set */
};

struct rcpt {
	enum rcpt_kind kind;
	struct user user;
	char local[LIMIT_LOCAL_PART + 1]; /* without detail, same-as and */
	char domain[LIMIT_DOMAIN + 1];    /* case resolved */
	char detail[LIMIT_LOCAL_PART + 1];
	const char *because; /* static text: which file decided */
	bool own_name;       /* at this host's name, which no file has */
	char targets[8192];  /* the right-hand side of the alias line */
};

/*
 * Where a bare address leads.  postmaster and abuse (and postmaster with
 * no domain) are always known: they fall to an alias, then to the user of
 * that name, abuse to postmaster, and that to the first user.
 */
enum rcpt_kind rcpt_find(struct span address, struct rcpt *);

#endif
