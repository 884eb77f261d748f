/*
 * event - what commands did to messages, for programs of the user's
 *
 * Each command says here what it has done; what a rule waits for is
 * written to disk when the command ends (command.c).
 */
#ifndef MIMAPD_EVENT_H
#define MIMAPD_EVENT_H

#include "imap.h"

/* Before the sandbox closes; failing costs only the events. */
void event_start(struct imap *);

/* STORE on the selected mailbox, but for those that failed. */
struct event_change {
	char how; /* '+', '-' or '=' */
	uint16_t flags;
	uint64_t keywords;
};

void event_flagged(struct imap *, const size_t *idx, size_t n,
    const bool *failed, const struct event_change *);

/* Of these, those that have gone now. */
void event_expunged(struct imap *, const size_t *idx, size_t n);

/* A mailbox that took messages. */
struct event_place {
	struct span name; /* UTF-8 */
	const char *path;
	uint32_t uidvalidity;
};

/* COPY or MOVE from the selected mailbox: uids[k] is now idx[k]'s. */
void event_copied(struct imap *, const size_t *idx, size_t n,
    const struct event_place *, const uint32_t *uids, bool moved);

/* APPEND: keywords by name, blanks between. */
void event_appended(struct imap *, const struct event_place *, uint32_t uid,
    uint16_t flags, struct span keywords);

#endif
