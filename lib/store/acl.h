/*
 * acl - who may do what with a mailbox (RFC 4314)
 *
 * The file pneu.acl of a folder has a line "RIGHTS IDENTIFIER" for each
 * one; "-" are no rights.  "owner" is the user whose Maildir it is, and has
 * all rights without a line; "anyone" is everybody, and an identifier that
 * begins with "-" takes rights away.  The owner always keeps l and a, so
 * that nobody can lock themselves out.
 */
#ifndef STORE_ACL_H
#define STORE_ACL_H

#include "store/boxtext.h"

enum {
	ACL_L = 1,    /* LIST shows it */
	ACL_R = 2,    /* SELECT, STATUS, FETCH */
	ACL_S = 4,    /* \Seen */
	ACL_W = 8,    /* other flags, shared metadata */
	ACL_I = 16,   /* APPEND, COPY into it */
	ACL_P = 32,   /* post */
	ACL_K = 64,   /* CREATE below it */
	ACL_X = 128,  /* DELETE, RENAME */
	ACL_T = 256,  /* \Deleted */
	ACL_E = 512,  /* EXPUNGE */
	ACL_A = 1024, /* SETACL and the like */
	ACL_ALL = 2047,
	ACL_OWNER = ACL_L | ACL_A /* what the owner keeps */
};

/* All zero is one without lines. */
struct acl {
	struct buf text;
};

/* Letters, with the old c (k) and d (te).  False for what is no right. */
MUST bool acl_parse(struct span letters, unsigned *rights);

/* "lrs", with c and d where their members are; nothing for none. */
void acl_put(struct buf *, unsigned rights);

/* Those of the folder at path: 0, or -1 and errno.  Then acl_free. */
MUST int acl_load(struct acl *, const char *path);
void acl_free(struct acl *);

/* From *at = 0 on; valid until acl_free. */
bool acl_next(
    const struct acl *, size_t *at, struct span *identifier, unsigned *rights);

/* What the owner may do.  acl_owner: with the folder at path; what can't
 * be read gives ACL_OWNER alone. */
unsigned acl_rights(const struct acl *);
unsigned acl_owner(const char *path);

enum acl_op { ACL_SET, ACL_ADD, ACL_REMOVE, ACL_DELETE };

/* The text of the file with the line of one identifier changed; false when
 * it is too much. */
MUST bool acl_edit(const struct acl *, struct span identifier, enum acl_op,
    unsigned rights, struct buf *text);

/* Change the file so. */
enum boxtext_result acl_change(struct boxes *, const char *path,
    struct span identifier, enum acl_op, unsigned rights);

/* A new folder gets those of the one above it. */
MUST int acl_copy(const char *from, const char *to);

#endif
