/*
 * lines - how many lines a text has, counted many bytes at a time
 *
 * Who must find the boundaries of a message (mail/mime) looks at each of
 * its lines, though few of them matter.
 */
#ifndef MAIL_LINES_H
#define MAIL_LINES_H

#include "base/span.h"

struct lines {
	uint64_t n, crlf; /* line ends; those that are CR LF */
};

/*
 * Add the line ends of the front of s, which is not the first of its text:
 * the byte before it is looked at.  How long that front is: what is left
 * is less than a block of 16, or with `bounded` begins with one in which a
 * line begins with "-".
 */
size_t lines_add(struct lines *, struct span s, bool bounded);

#endif
