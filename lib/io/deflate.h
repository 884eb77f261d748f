/*
 * deflate - compress and restore bytes (RFC 1951, RFC 1952), by zlib
 *
 * Both take bytes off a span and put what comes of them where the caller
 * wants it, in pieces of any size.  A connection is compressed by hanging
 * a pair of them between its descriptor and its `in` and `out`.
 */
#ifndef IO_DEFLATE_H
#define IO_DEFLATE_H

#include <sys/types.h>

#include "io/in.h"
#include "io/out.h"

enum deflate_format {
	DEFLATE_RAW, /* RFC 1951 */
	DEFLATE_GZIP /* RFC 1952 */
};

struct deflate;
struct inflate;

/* Never NULL: dies when there is no memory. */
struct deflate *deflate_open(enum deflate_format);
void deflate_close(struct deflate *);

enum deflate_flush {
	DEFLATE_MORE,  /* more follows: it may stay inside */
	DEFLATE_FLUSH, /* what was put in comes out */
	DEFLATE_END    /* and nothing follows */
};

/*
 * Take all of *in, in one call or more: how many bytes were put at to.
 * When it is less than room, all was taken and flushed.
 */
size_t deflate_run(struct deflate *, struct span *in, enum deflate_flush,
    char *to, size_t room);

struct inflate *inflate_open(enum deflate_format);
void inflate_close(struct inflate *);

/*
 * How many bytes were put at to; 0 when *in is used up or, with
 * inflate_ended, behind the end.  -1 and errno EBADMSG for what is not
 * compressed or damaged; E2BIG for what grows out of all proportion
 * (LIMIT_INFLATE_RATIO; not for DEFLATE_GZIP, whose caller has a bound).
 */
ssize_t inflate_run(struct inflate *, struct span *in, char *to, size_t room);
bool inflate_ended(const struct inflate *);

/*
 * What is put into o from here on becomes a gzip file; with _end it is
 * complete and flushed (0, or -1 and errno), and o as before.
 */
struct deflate *deflate_file(struct out *);
MUST int deflate_file_end(struct deflate *, struct out *);

/*
 * From here on both ways are compressed: what was read and not used is,
 * and the next output will be.  The caller has flushed.  For as long as
 * the connection lasts.
 */
void deflate_connection(struct in *, struct out *);

#endif
