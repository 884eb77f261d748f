/*
 * crc - CRC-32 (the polynomial of zlib and Ethernet)
 *
 * Finds torn and damaged records; it is no protection against malice.
 */
#ifndef STORE_CRC_H
#define STORE_CRC_H

#include "base/span.h"

/* Go on from crc (0 at first) over s. */
uint32_t crc32_add(uint32_t crc, struct span s);

#endif
