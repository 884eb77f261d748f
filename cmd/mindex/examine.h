/*
 * examine - a message beside what the index and its name say of it
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

struct examined {
	char file[512]; /* below the folder */
	uint64_t size, wire;
};

/* What is wrong with message i.  Changes nothing. */
unsigned examine(struct folder *, size_t i, struct examined *);

#endif
