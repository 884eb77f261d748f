/*
 * json - look things up in a JSON text (RFC 8259)
 *
 * There is no tree: a value is a span of the text, taken apart when it is
 * asked for.  Only texts that json_valid accepts may be asked.
 */
#ifndef AUTH_JSON_H
#define AUTH_JSON_H

#include "base/span.h"

enum json_kind {
	JSON_NONE,
	JSON_OBJECT,
	JSON_ARRAY,
	JSON_STRING,
	JSON_NUMBER,
	JSON_TRUE,
	JSON_FALSE,
	JSON_NULL
};

/* Whether it is one value, nested LIMIT_JSON_DEPTH deep at most. */
MUST bool json_valid(struct span text);

/* What a value is, by its first byte. */
enum json_kind json_kind(struct span value);

/*
 * The value of a member of an object.  False when it is no object, has no
 * such member, or has two: readers disagree about which counts.
 */
MUST bool json_member(struct span object, const char *name, struct span *value);

/*
 * Begin with the array, then take its values off the front; false at the
 * end, and for what is no array.
 */
struct json_array {
	struct span rest;
	bool begun;
};
MUST bool json_next(struct json_array *, struct span *value);

/* A string, decoded; false when it is none, does not fit or has a NUL. */
MUST bool json_string(struct span value, char *to, size_t size);

/* A number without its fraction; false for an exponent. */
MUST bool json_number(struct span value, int64_t *n);

#endif
