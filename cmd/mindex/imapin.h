/*
 * imapin - mailboxes of an IMAP server, and what was taken of them
 */
#ifndef IMAPIN_H
#define IMAPIN_H

#include "base/buf.h"

/* A mailbox there. */
struct remote {
	char *raw;  /* as the server writes it */
	char *name; /* with us; NULL: it can't have one */
	unsigned attrs;
	char sep;
	size_t at; /* in the list of the server */
};

/* imaplist.c: all of them; the array belongs to it. */
struct remote *remote_list(size_t *n);

/*
 * pneu.import in a folder: which mailbox of which UIDVALIDITY was imported
 * up to which UID, so that what is deleted here does not come again.
 */
uint32_t imported_read(const char *path, uint32_t key, uint32_t uidvalidity);
void imported_write(
    const char *path, uint32_t key, uint32_t uidvalidity, uint32_t uid);

#endif
