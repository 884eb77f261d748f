/*
 * sevenbit - a message of 8-bit text for a way of 7 bits (RFC 6152)
 *
 * Says which places of a message are to be written in another way, after
 * mail/mime has found its parts: text with 8-bit bytes becomes
 * quoted-printable (mail/qp), its header and those around it say so.
 * What is encoded already, what is no text of a leaf (a header of 8 bits,
 * a preamble), and parts past the bounds of mail/mime stay as they are.
 * Signatures over what is changed will not hold.
 */
#ifndef MAIL_SEVENBIT_H
#define MAIL_SEVENBIT_H

#include "base/buf.h"
#include "mail/mime.h"

enum sevenbit_kind {
	SEVENBIT_QP_HEAD,    /* a header: now quoted-printable */
	SEVENBIT_PLAIN_HEAD, /* a header: now 7bit */
	SEVENBIT_BODY        /* text: to be encoded */
};

/* A place in the file; those between the places stay. */
struct sevenbit_place {
	enum sevenbit_kind kind;
	bool root;
	uint64_t from, to;
};

struct sevenbit {
	struct sevenbit_place *places; /* in order, in the arena */
	size_t n;
};

/*
 * has_8bit says whether there is an 8-bit byte from..to.  False when the
 * arena is used up.
 */
MUST bool sevenbit_plan(struct arena *, const struct mime_part *root,
    bool (*has_8bit)(void *ctx, uint64_t from, uint64_t to), void *ctx,
    struct sevenbit *);

/*
 * A header with its blank line as it is to be.  A message that is not MIME
 * becomes it, as RFC 1428 has it.  False when it did not fit.
 */
bool sevenbit_head(struct buf *, const struct sevenbit_place *, struct span);

#endif
