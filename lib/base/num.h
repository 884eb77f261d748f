/*
 * num - decimal numbers from outside
 *
 * The whole span must be digits; no sign, no blank, no overflow.
 */
#ifndef BASE_NUM_H
#define BASE_NUM_H

#include "base/span.h"

MUST bool num_u32(struct span, uint32_t *);
MUST bool num_u64(struct span, uint64_t *);

/* The value when it is a number of at most max, else `other`. */
uint64_t num_or(struct span, uint64_t max, uint64_t other);

#endif
