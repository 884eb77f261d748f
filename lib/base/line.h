/*
 * line - command lines out of pieces of any size
 *
 * Collects the bytes up to LF.  A CR in front of the LF is dropped; any
 * other control character is left for the caller to refuse.  Bounded: a
 * line that is too long is eaten whole and reported once.  Lines may be
 * passwords, so each is wiped before the next one comes.
 */
#ifndef BASE_LINE_H
#define BASE_LINE_H

#include "base/limits.h"
#include "base/span.h"

enum line_result {
	LINE_MORE, /* all input used: feed more */
	LINE_WHOLE,
	LINE_LONG
};

/* All zero is a fresh one. */
struct line {
	size_t n;
	bool whole; /* what it holds was given out */
	bool over;
	char text[LIMIT_SMTP_AUTH + 2];
};

/*
 * Take bytes off the front of *in up to the end of a line.  *out is valid
 * until the next call.
 */
enum line_result line_next(struct line *, struct span *in, struct span *out);

/* Whether all of it is printable ASCII, tabs, or beyond ASCII. */
bool line_is_text(struct span);

#endif
