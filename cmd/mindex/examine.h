/*
 * examine - what is there beside what is written down of it
 *
 * A message beside the index and its name; all of them beside maildirsize.
 * check tells what is wrong, repair mends it.
 */
#ifndef EXAMINE_H
#define EXAMINE_H

#include "mindex.h"

enum {
	EXAMINE_GONE = 1,   /* its file is not there */
	EXAMINE_S = 2,      /* S= of the name */
	EXAMINE_W = 4,      /* W= of the name */
	EXAMINE_SIZE = 8,   /* the size in the index */
	EXAMINE_HEAD = 16,  /* the facts of its header */
	EXAMINE_BODY = 32,  /* those of its structure */
	EXAMINE_UNREAD = 64 /* errno */
};

/*
 * How many of the texts of message i, of which the index says where they
 * are, pneu.cache does not have there.
 */
size_t examine_cache(struct folder *, size_t i);

struct examined {
	char file[512]; /* below the folder */
	uint64_t size, wire;
};

/* What is wrong with message i.  Changes nothing. */
unsigned examine(struct folder *, size_t i, struct examined *);

/*
 * Whether there is a maildirsize and it is wrong; what it says and what is
 * there, into text.  A folder that can't be read has failed().
 */
bool examine_maildirsize(char *text, size_t size);

#endif
