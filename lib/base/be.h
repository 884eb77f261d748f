/*
 * be - numbers of 32 bits in the files of the state folder: big-endian
 */
#ifndef BASE_BE_H
#define BASE_BE_H

#include <stdint.h>

static inline uint32_t
be_get(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	    (uint32_t)p[2] << 8 | p[3];
}

static inline void
be_set(unsigned char *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (unsigned char)(v >> (24 - 8 * i));
}

#endif
