/*
 * order - the messages of a folder by a key of SORT (RFC 5256, RFC 5957)
 */
#ifndef MIMAPD_ORDER_H
#define MIMAPD_ORDER_H

#include "result.h"

enum order_key {
	ORDER_ARRIVAL,
	ORDER_SIZE,
	/* what needs the header: these orders are kept in the folder */
	ORDER_CC,
	ORDER_DATE,
	ORDER_DISPLAYFROM,
	ORDER_DISPLAYTO,
	ORDER_FROM,
	ORDER_SUBJECT,
	ORDER_TO,
	ORDERS
};

extern const char *const order_names[ORDERS]; /* as SORT has them */

struct criterion {
	enum order_key key;
	bool reverse;
};

struct criteria {
	struct criterion by[ORDERS];
	size_t n;
};

/* Sort what was found in mailbox order (sort.c). */
void order_sort(struct imap *, struct results *, const struct criteria *);

/*
 * The rank of each message by its index, from 0; the same for equal keys.
 * Those that are gone have none.  To be freed.
 */
uint32_t *order_ranks(struct imap *, enum order_key);

/* sortkey.c: append the text that message i is sorted by, mapped; dates so
 * that their bytes are in their order.  At most LIMIT_IMAP_SORT_KEY.
 * False when the message could not be read. */
bool sortkey_put(struct imap *, size_t i, enum order_key, struct buf *);

/* The sent date, else INTERNALDATE (RFC 5256, section 2.2). */
bool sortkey_date(struct span date, int64_t *t);

/* Decoded, without its line ends: n bytes that the caller may change */
void sortkey_decode(struct buf *, struct span body);

#endif
