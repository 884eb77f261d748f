/*
 * grow - arrays that double
 */
#ifndef BASE_GROW_H
#define BASE_GROW_H

#include "base/span.h"

/*
 * Room for one more: n elements of size bytes are in use, *cap fit.
 * Never NULL; p is free()d by its owner.
 */
void *grow_array(void *p, size_t n, size_t *cap, size_t size);

#endif
