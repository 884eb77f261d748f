/*
 * basesubject - a subject without "Re:" and what else is put around it
 *
 * The base subject of RFC 5256, section 2.1, steps 1 to 7, of a subject
 * whose encoded words are decoded already; in time linear in its length.
 */
#ifndef MAIL_BASESUBJECT_H
#define MAIL_BASESUBJECT_H

#include "base/span.h"

struct basesubject {
	struct span text; /* in the caller's memory */
	bool reply;       /* it is a reply or forward (section 3) */
};

/* The n bytes at p are changed: blanks become one. */
struct basesubject basesubject_of(char *p, size_t n);

#endif
