/*
 * imapargs - the argument tree of a command line
 *
 * Atoms take every printable byte that does not begin another kind of
 * argument, so that BODY[HEADER.FIELDS (A B)]<0.9> is an atom, a list and
 * an atom: who knows the command puts them together.
 */
#ifndef IMAP_IMAPARGS_H
#define IMAP_IMAPARGS_H

#include "imap/imapd.h"

enum imapargs_result {
	IMAPARGS_OK,
	IMAPARGS_SYNTAX,
	IMAPARGS_LIMIT,
	IMAPARGS_OPEN /* a list is not closed at the end of the text */
};

/*
 * Parse text, in which each "{n}" LF stands for the next of the literals.
 * The tree is in the arena and points into text.
 */
enum imapargs_result imapargs_parse(struct arena *, struct span text,
    struct imapd_literal *, struct imap_arg **args);

/*
 * The same for a segment of a command (see imapd.h): it begins within so
 * many lists, whose rest becomes the first argument, and ends within *open
 * of them, which are the last.
 */
enum { IMAPARGS_OPEN_MAX = 2 }; /* CATENATE (UTF8 (~{n} */
enum imapargs_result imapargs_segment(struct arena *, struct span text,
    struct imapd_literal *, unsigned inside, struct imap_arg **args,
    unsigned *open);

/*
 * The literal announced at the end of a line without its CRLF: its length,
 * and where the announcement begins.  False when there is none; *n is
 * UINT64_MAX for one that is too large for a number.
 */
struct imapargs_mark {
	size_t at;
	uint64_t n;
	bool nonsync, binary;
};
bool imapargs_mark(struct span line, struct imapargs_mark *);

#endif
