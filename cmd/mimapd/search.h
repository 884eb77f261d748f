/*
 * search - what a SEARCH asks, as a tree, and whether a message fits
 */
#ifndef MIMAPD_SEARCH_H
#define MIMAPD_SEARCH_H

#include "imap.h"

enum key_kind {
	KEY_ALL,
	KEY_FLAG, /* flags are set */
	KEY_KEYWORD,
	KEY_SET,
	KEY_UID,
	KEY_BEFORE,
	KEY_ON,
	KEY_SINCE,
	KEY_LARGER,
	KEY_SMALLER,
	KEY_MODSEQ, /* size or larger */
	KEY_AND,    /* a: the first of a list */
	KEY_OR,     /* a, b */
	/* what needs the message follows */
	KEY_SENTBEFORE,
	KEY_SENTON,
	KEY_SENTSINCE,
	KEY_HEADER,
	KEY_BODY,
	KEY_TEXT
};

struct key {
	enum key_kind kind;
	bool not ;
	uint16_t flags;
	int keyword;
	struct imapset set;
	int64_t day;
	uint64_t size;
	struct span field;  /* KEY_HEADER */
	struct span needle; /* folded UTF-8 */
	uint32_t *fail;     /* the table of Knuth, Morris and Pratt */
	struct key *a, *b, *next;
};

enum key_result { KEY_OK, KEY_SYNTAX, KEY_LIMIT, KEY_UIDREQUIRED };

/* Parse keys into the command's arena, as an AND. */
enum key_result key_parse(
    struct imap *, const struct imap_arg *, struct key **);

/* Whether message i, which is not gone, fits. */
bool key_match(struct imap *, const struct key *, size_t i);

/* content.c: KEY_SENTBEFORE and those behind it. */
bool content_match(struct imap *, const struct key *, size_t i);
int64_t content_day(int64_t t);

#endif
