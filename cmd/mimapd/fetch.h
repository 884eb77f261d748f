/*
 * fetch - the items that a FETCH asks for
 */
#ifndef MIMAPD_FETCH_H
#define MIMAPD_FETCH_H

#include "imap.h"

enum item_kind {
	ITEM_UID,
	ITEM_FLAGS,
	ITEM_DATE,
	ITEM_SIZE,
	ITEM_MODSEQ,
	ITEM_SAVEDATE,
	ITEM_EMAILID,
	ITEM_THREADID,
	ITEM_ENVELOPE,
	ITEM_BODY,
	ITEM_STRUCTURE,
	ITEM_PREVIEW,
	ITEM_SECTION,
	ITEM_BINARY,
	ITEM_BINARY_SIZE
};

enum section_kind {
	SECTION_ALL,
	SECTION_HEADER,
	SECTION_FIELDS,
	SECTION_FIELDS_NOT,
	SECTION_TEXT,
	SECTION_MIME
};

struct item {
	enum item_kind kind;
	const char *label; /* RFC822...: instead of BODY[...] */
	bool seen;         /* sets \Seen */
	enum section_kind section;
	struct span number;           /* "1.2" */
	const struct imap_arg *names; /* of fields */
	bool partial;
	uint64_t from, count;
	bool lazy;        /* PREVIEW (LAZY) */
	bool kept;        /* HEADER.FIELDS of those that the index keeps */
	uint64_t fields;  /* which of these: digest_field_id */
	struct span said; /* what it begins with, in the answer */
	struct item *next;
};

/* What stands behind the items; it is cut off the arguments. */
struct modifiers {
	bool changed, vanished, partial, last;
	bool cut;        /* PARTIAL asks for too many */
	uint32_t lowest; /* UID taken */
	uint64_t since;
	uint32_t from, to; /* PARTIAL, from the end if `last` */
	size_t seen, total, taken;
};
bool modifiers_parse(struct imap *, struct modifiers *);
/* Before the first answer: what the items and modifiers switch on. */
void modifiers_begin(struct imap *, struct modifiers *, const struct item *,
    const struct walk *);
/* Whether this one, the next of the set, is asked for. */
bool modifiers_take(struct modifiers *, const struct msg *);

/*
 * fetch-att / macro / "(" fetch-att *(SP fetch-att) ")" into the command's
 * arena; false when it is none of these.
 */
bool item_parse(struct imap *, const struct imap_arg *,
    const struct modifiers *, struct item **);

/* The list is (LAZY), as it stands behind PREVIEW (RFC 8970). */
bool item_is_lazy(const struct imap_arg *list, const struct imap_arg *before);

/* FETCH responses for messages [from, to), that no command asked for. */
void fetch_unasked(struct imap *, const struct item *, size_t from, size_t to);

/* Write BODY[...] and BINARY items of the open message. */
void section_put(struct imap *, const struct item *);

/* Write HEADER.FIELDS of these kept fields. */
void section_put_kept(struct imap *, const struct item *, struct span fields);

/* The item's label, once a command, and what it needs. */
void section_prepare(struct imap *, struct item *);

/* False: the transfer encoding is not known, nothing was written. */
bool binary_put(struct imap *, const struct item *);

#endif
