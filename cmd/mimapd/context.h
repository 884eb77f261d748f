/*
 * context - searches whose results are kept up to date (RFC 5267)
 *
 * A search with RETURN (UPDATE) stays: when messages have come, changed or
 * gone, what that does to its result is told as ADDTO and REMOVEFROM.
 */
#ifndef MIMAPD_CONTEXT_H
#define MIMAPD_CONTEXT_H

#include "order.h"

/* Whether a search of this tag stays already. */
bool context_has(struct imap *, struct span tag);

/*
 * Keep a search that has found r, of these keys; by is NULL for mailbox
 * order, fetch the items that are told of messages that come, or NULL.
 * When that can't be, the client is told so (NOUPDATE).
 */
void context_add(struct search *, const struct imap_arg *keys,
    const struct results *r, const struct criteria *by,
    const struct imap_arg *fetch);

/* Tell what has changed; gone: these messages are about to be dropped. */
void context_flush(struct imap *, bool gone);

/* FETCH of what was found of messages from this UID on (RFC 5465, 7). */
void context_fetch(struct imap *, uint32_t from);

/* The mailbox is closed. */
void context_close(struct imap *);

#endif
