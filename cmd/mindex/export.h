/*
 * export - our index written down as other servers write theirs
 */
#ifndef EXPORT_H
#define EXPORT_H

#include "mindex.h"
#include "store/uidl.h"

struct exported {
	const char *name; /* of the mailbox */
	const char *path;
	int fd; /* the folder */
	struct folder *folder;
	struct uidl uidl;  /* names of POP3 */
	uint64_t keywords; /* those that a message has */
};

/* Whether message i is there; its base, valid until the next call. */
bool exported_base(const struct exported *, size_t i, struct span *base);

/* Replace a file of the folder, unless -n. */
void exported_put(const struct exported *, const char *file, struct span);

void export_dovecot(struct exported *);
void export_dovecot_root(uint32_t uidvalidity); /* the highest */
void export_courier(struct exported *);
void export_courier_root(uint32_t uidvalidity);

#endif
