/*
 * mimefield - what the MIME fields of a part say (RFC 2045, RFC 2183)
 *
 * Lenient: what can't be understood is left out.  RFC 2231 parameters stay
 * as they were written, each piece under its own name.
 */
#ifndef MAIL_MIMEFIELD_H
#define MAIL_MIMEFIELD_H

#include "base/arena.h"

struct mime_param {
	struct span name, value; /* unquoted */
	struct mime_param *next;
};

/* Texts are in the arena; p NULL when the field is absent. */
struct mime_fields {
	struct span type, subtype;
	struct mime_param *params;
	struct span id, description, encoding, md5, location;
	struct span disposition;
	struct mime_param *disposition_params;
	struct mime_param *languages; /* in name */
};

/*
 * Note a field, if it is one of these and the first of its name.  Nothing
 * is noted when the arena has less than `reserve` bytes left.
 */
void mimefield_note(struct arena *, struct mime_fields *, struct span name,
    struct span body, size_t reserve);

/* The value of a parameter; p NULL when there is none. */
struct span mimefield_param(const struct mime_param *, const char *name);

/* Copy a field body without line ends and blanks around it. */
struct span mimefield_text(struct arena *, struct span body);

#endif
