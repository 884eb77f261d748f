/*
 * mdname - the names of files in a Maildir
 *
 *	BASE[,E=id][,S=bytes][,W=wire-bytes][:2,LETTERS]
 *
 * The base (with the sizes) names the message for ever; the letters are
 * its flags: D draft, F flagged, P passed (the keyword $Forwarded),
 * R answered, S seen, T deleted.  Other letters belong to other programs
 * and are kept.
 */
#ifndef STORE_MDNAME_H
#define STORE_MDNAME_H

#include "base/buf.h"

enum { MDNAME_MAX = 255, MDNAME_EXTRA = 64 };

struct mdname {
	struct span base;
	bool info;      /* there is a ":2," */
	bool canonical; /* with the letters as mdname_make has them */
	uint16_t flags;
	bool passed;
	char extra[MDNAME_EXTRA + 1]; /* letters that are not ours */
	bool has_s, has_w;
	uint64_t s, w;
	struct span id; /* ",E=": of the message it is a copy of */
};

struct mdname mdname_parse(struct span file);

/*
 * Whether it is the name that is made of these flags: no look at the sizes.
 */
bool mdname_says(struct span file, uint16_t flags, bool passed);

/*
 * The size on the wire that W= tells; 0 where there are not both, or they
 * can't be those of one message.
 */
uint64_t mdname_wire(const struct mdname *);

/* The part in front of the colon. */
struct span mdname_base(struct span file);

/*
 * BASE:2,LETTERS with sorted letters, terminated, into dst of at least
 * MDNAME_MAX + 1.  Its length; 0 when it would be longer than MDNAME_MAX.
 */
size_t mdname_make(char *dst, struct span base, uint16_t flags, bool passed,
    const char *extra);

/* The letters alone, for maildir_place; dst as above. */
size_t mdname_letters(
    char *dst, uint16_t flags, bool passed, const char *extra);

/* A base that no file has had, on any node, without sizes. */
void mdname_unique(char *dst, size_t size);

/*
 * When a message came, as far as its name tells: microseconds since 1970,
 * UINT64_MAX when it does not tell.
 */
uint64_t mdname_time(struct span base);

/* By mdname_time, then by bytes. */
int mdname_order(struct span a, struct span b);

#endif
