/*
 * mpasswd - what its parts share
 *
 *	main.c    options, verbs
 *	words.c   NAME=VALUE of the command line
 *	edit.c    a file of lines: lock, read, replace
 *	secret.c  lines of `secrets` and their hashes
 *	verbs.c   add, set, rm, ls, check
 *	import.c  passwd-files of Dovecot
 */
#ifndef CMD_MPASSWD_H
#define CMD_MPASSWD_H

#include <sys/types.h>

#include "auth/secrets.h"
#include "base/buf.h"
#include "base/limits.h"

/* What the words say; NULL where nothing was said. */
struct words {
	const char *label, *scopes, *expires, *rename, *user, *domain, *scheme;
	bool generate, password, all, remove_user;
};

/*
 * Take NAME=VALUE and single words, those that a verb allows (their names
 * between blanks), or die.
 */
void words_parse(struct words *, char *const *argv, const char *allowed);

struct mpasswd {
	int fd;    /* -w, or -1 */
	bool json; /* -j */
	struct words w;
};

/*
 * A file of the configuration that is being changed: locked, as it was and
 * as it will be.  Dies when it can't be had, or is of a newer format.
 */
struct edit {
	const char *name; /* "secrets" */
	mode_t mode;      /* of a new one */
	char path[LIMIT_PATH];
	struct buf old, new;
	struct span rest; /* of old, not yet passed */
	unsigned line;
};

void edit_open(struct edit *, const char *name, mode_t mode);

/* The next line of old, whole and without its LF; false at the end. */
bool edit_next(struct edit *, struct span *line);

/* A line to new: one of old, or another. */
void edit_put(struct edit *, struct span line);

/* Replace the file.  Dies when that fails, with the old one in place. */
void edit_commit(struct edit *);
void edit_free(struct edit *);

/* Whether a line is a record, not a comment. */
bool edit_is_record(struct span line);

/* Whether it is one of this address. */
bool edit_is_of(struct span line, const char *address);

/* Have a password in `to`: generated, or asked for. */
enum { PASSWORD_ROOM = LIMIT_PASSWORD + 1 };
void password_get(const struct mpasswd *, const char *address, bool twice,
    char to[PASSWORD_ROOM]);

/*
 * {SCRAM-SHA-256}... of a password into b: with the salt that the other
 * secrets of the user have in text (not that of label `except`), or a new
 * one.
 */
void password_hash(struct span text, const char *address, const char *except,
    const char *password, struct buf *b);

/* expires=: RFC 3339, a day, +DAYS, or never, into a field of the line. */
void expiry_parse(const char *text, char to[32]);

/* The address as `users` has it; dies (67) when it is nobody's. */
const char *known_address(const char *address);

void verb_add(struct mpasswd *, const char *address);
void verb_set(struct mpasswd *, const char *address);
void verb_rm(struct mpasswd *, const char *address);
int verb_ls(struct mpasswd *, char *const *addresses);
int verb_check(struct mpasswd *, const char *address);
int verb_import(struct mpasswd *, const char *file);

/* ADDRESS:UID:GID:HOME:OPTIONS to `users`, unless the address is there. */
bool add_user(struct edit *users, const char *address, struct span rest);

#endif
