/*
 * result - what a SEARCH or SORT found, and how the client wants it told
 *
 * RFC 3501 (SEARCH), RFC 5256 (SORT), RFC 4731 (ESEARCH), RFC 5182 (SAVE),
 * RFC 5267 (ESORT) and RFC 9394 (PARTIAL).
 */
#ifndef MIMAPD_RESULT_H
#define MIMAPD_RESULT_H

#include "search.h"

enum {
	RETURN_MIN = 1,
	RETURN_MAX = 2,
	RETURN_ALL = 4,
	RETURN_COUNT = 8,
	RETURN_SAVE = 16,
	RETURN_PARTIAL = 32,
	RETURN_UPDATE = 64,
	RETURN_CONTEXT = 128,
	/* what has something in the response */
	RETURN_SAID =
	    RETURN_MIN | RETURN_MAX | RETURN_ALL | RETURN_COUNT | RETURN_PARTIAL
};

/* partial-range: first <= last; from the end when it is negative */
struct partial {
	uint32_t first, last;
	bool from_end;
};

struct wanted {
	bool extended; /* an ESEARCH response */
	unsigned options;
	struct partial partial;
	struct span mailbox;          /* told, for ESEARCH; or "" */
	const struct imap_arg *fetch; /* of UPDATE (RFC 5465), or NULL */
};

/* "(TAG "x" MAILBOX name UIDVALIDITY n)"; mailbox may be "" */
void result_correlator(struct imap *, struct span tag, struct span mailbox);

/* Indexes into the folder, in the order in which they are told. */
struct results {
	uint32_t *idx;
	size_t n, cap;
};

void results_add(struct results *, size_t i);

/* ["RETURN" SP "(" ... ")"]: advances *a behind it.  False: answered. */
bool result_options(struct imap *, const struct imap_arg **a, struct wanted *);

/* A charset of the strings, by name.  False: answered. */
bool result_charset(
    struct search *, const struct imap_arg *, const struct wanted *);

/* ["CHARSET" SP name]: advances *a behind it.  False: answered. */
bool result_take_charset(
    struct search *, const struct imap_arg **a, const struct wanted *);

/* All messages that fit the keys, in mailbox order.  False: answered. */
bool result_find(struct search *, const struct imap_arg *keys,
    const struct wanted *, struct results *);

/* `verb` is "SEARCH" or "SORT", for a response that is not extended. */
void result_tell(struct search *, const struct results *, const struct wanted *,
    const char *verb);

/* "$": by mailbox order for any result */
void result_save(struct imap *, const struct results *, const struct wanted *);

#endif
