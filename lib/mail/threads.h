/*
 * threads - messages grouped as conversations (RFC 5256, section 3)
 *
 * REFERENCES, its kin REFS (draft-ietf-morg-inthread: no subjects, threads
 * by their latest message) and ORDEREDSUBJECT.  Message IDs and subjects
 * come as numbers that stand for them, 0 for none.
 *
 * The caller gives the memory.  Time is n log n whatever the messages say:
 * to see whether a link would make a loop, ancestors are walked only where
 * a loop is possible, and where that was done very often (which takes
 * messages made for it) the link is left out.
 */
#ifndef MAIL_THREADS_H
#define MAIL_THREADS_H

#include "base/span.h"

enum threads_kind { THREADS_ORDEREDSUBJECT, THREADS_REFERENCES, THREADS_REFS };

struct threads_msg {
	uint64_t id, subject;
	int64_t date;
	size_t refs; /* where its references begin */
	uint32_t nrefs;
	bool reply; /* or forward, by its subject */
};

#define THREADS_NONE UINT32_MAX

/* The first n nodes are the messages, the others stand for missing ones. */
struct threads_node {
	uint32_t parent, child, next, nchildren;
	uint32_t set; /* for work: of what is linked */
};

/* For work. */
struct threads_dated {
	int64_t date;
	uint32_t k;
};

struct threads {
	const struct threads_msg *msg; /* by number; that is their order */
	size_t n;
	const uint64_t *ref;
	size_t nrefs;
	struct threads_node *node;   /* threads_nodes() of them */
	uint64_t *name;              /* and as many */
	uint32_t *slot;              /* threads_slots() of them */
	struct threads_dated *dated; /* n of them, at least one */
	/* the answer */
	uint32_t root; /* the first thread; then by next */
	/* for work */
	size_t nnodes, nslots, steps;
};

size_t threads_nodes(size_t n, size_t nrefs);
size_t threads_slots(size_t n, size_t nrefs);

void threads_make(struct threads *, enum threads_kind);

/*
 * The threads as IMAP has them: put is called with THREADS_OPEN,
 * THREADS_CLOSE, THREADS_BLANK or, for a message, its number.
 */
enum { THREADS_OPEN = -1, THREADS_CLOSE = -2, THREADS_BLANK = -3 };
void threads_walk(
    const struct threads *, void (*put)(void *ctx, int64_t what), void *ctx);

/*
 * Take the next Message ID off the front of a field body and write it in
 * its plain form, without quotes: its length; 0 when there is none left.
 */
size_t threads_msgid(struct span *in, char *to, size_t room);

#endif
