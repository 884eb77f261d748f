/*
 * search - what a SEARCH asks, as a tree, and whether a message fits
 *
 * A search is parsed once (key.c) and asked of one message after the
 * other (match.c): what the index knows first, then the header (head.c),
 * the text (content.c) last and once, whatever the number of keys about
 * it.  Needles and texts are compared as i;unicode-casemap maps them.
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
	KEY_SAVEDBEFORE,
	KEY_SAVEDON,
	KEY_SAVEDSINCE,
	KEY_EMAILID,
	KEY_THREADID,
	KEY_OLDER,
	KEY_YOUNGER,
	KEY_LARGER,
	KEY_SMALLER,
	KEY_MODSEQ,
	KEY_AND, /* a: the first of a list */
	KEY_OR,  /* a, b */
	/* what needs the header follows */
	KEY_SENTBEFORE,
	KEY_SENTON,
	KEY_SENTSINCE,
	KEY_HEADER,
	/* and the text */
	KEY_BODY,
	KEY_TEXT
};

/* What it takes to tell, the cheapest first. */
enum key_cost { COST_INDEX, COST_HEAD, COST_TEXT, COSTS };

struct key {
	enum key_kind kind;
	enum key_cost cost;
	bool not ;
	uint16_t flags;
	int keyword; /* -1: not known yet */
	struct imapset set;
	int64_t day;        /* KEY_OLDER, KEY_YOUNGER: a time */
	uint64_t n;         /* a size, a MODSEQ */
	struct span name;   /* of a keyword, of a header field; an EMAILID */
	int field;          /* digest_field_id of it */
	bool addresses;     /* it is FROM, TO, CC or BCC, not HEADER */
	struct span needle; /* mapped */
	uint32_t *fail;     /* the table of Knuth, Morris and Pratt */
	size_t at;          /* bytes of the needle that fit so far */
	bool found;
	struct key *a, *b, *next, *next_text;
};

struct search {
	struct imap *im;
	struct arena *arena;
	struct span charset; /* of the strings; "" for UTF-8 */
	struct key *root;
	struct key *text; /* all of KEY_BODY and KEY_TEXT */
	bool modseq;      /* MODSEQ is asked for */
	bool stays;       /* numbers are for those that have them now */
	bool clock;       /* what fits changes with the time */
	/* the message that the text was asked of last */
	uint32_t uid;
	bool seen;
};

enum key_result { KEY_OK, KEY_SYNTAX, KEY_LIMIT, KEY_CHARSET, KEY_UIDREQUIRED };

/* Parse keys as an AND, of the selected mailbox.  im, arena and charset
 * are set. */
enum key_result key_parse(struct search *, const struct imap_arg *);

/* Before a run: what may have changed since it was parsed. */
void key_bind(struct search *);

/* Whether message i, which is not gone, fits. */
bool key_match(struct search *, size_t i);

/*
 * head.c: the fields of a header that the index keeps, in their order;
 * what field returns false for ends it.  Those that are not among `ids`,
 * a set of 1 << id, may be passed over.  body has its folding.  0, or -1
 * when the message can't be read.
 */
struct head_field {
	int id; /* digest_field_id */
	struct span name, body;
};
int head_each(struct imap *, size_t i, uint64_t ids,
    bool (*field)(void *ctx, const struct head_field *), void *ctx);

/* KEY_SENTBEFORE to KEY_HEADER */
bool head_match(struct search *, struct key *, size_t i);
int64_t head_day(int64_t t);
int64_t head_arrival(struct imap *, size_t i); /* INTERNALDATE */

/* content.c: KEY_BODY and KEY_TEXT */
bool content_match(struct search *, struct key *, size_t i);

/* find.c: look for a needle in mapped text that comes in pieces; k->found
 * says whether it was there, find_break ends the text. */
uint32_t *find_table(struct arena *, struct span needle);
void find_feed(struct key *, struct span);
void find_break(struct key *);

#endif
