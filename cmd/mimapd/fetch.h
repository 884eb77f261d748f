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
	ITEM_ENVELOPE,
	ITEM_BODY,
	ITEM_STRUCTURE,
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
	struct item *next;
};

/* What stands behind the items; it is cut off the arguments. */
struct modifiers {
	bool changed, vanished;
	uint64_t since;
};
bool modifiers_parse(struct imap *, struct modifiers *);
/* What the items and modifiers have told, before the first answer. */
void modifiers_begin(
    struct imap *, const struct modifiers *, const struct item *);

/*
 * fetch-att / macro / "(" fetch-att *(SP fetch-att) ")" into the command's
 * arena; false when it is none of these.
 */
bool item_parse(struct imap *, const struct imap_arg *,
    const struct modifiers *, struct item **);

/* Write BODY[...] and BINARY items of the open message. */
void section_put(struct imap *, const struct item *);

/* False: the transfer encoding is not known, nothing was written. */
bool binary_put(struct imap *, const struct item *);

/* "BODY[" section "]" "<" number ">" */
void section_label(struct imap *, const struct item *);

#endif
