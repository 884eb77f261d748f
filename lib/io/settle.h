/*
 * settle - memory is given back before a long wait
 *
 * A session that is idle for hours should not hold what its last command
 * took for a moment.
 */
#ifndef IO_SETTLE_H
#define IO_SETTLE_H

#include <stddef.h>

/* What was freed and is kept for the next malloc. */
void settle_heap(void);

/* The pages of a buffer, whose content is lost. */
void settle_buffer(void *, size_t);

#endif
