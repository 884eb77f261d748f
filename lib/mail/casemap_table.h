/*
 * casemap_table - the characters that i;unicode-casemap changes
 *
 * Facts of the Unicode Character Database, made by scripts/casemap; for
 * casemap.c alone.
 */
#ifndef MAIL_CASEMAP_TABLE_H
#define MAIL_CASEMAP_TABLE_H

#include "base/span.h"

/* first, first + step ... last become what is `delta` away. */
struct casemap_shift {
	uint32_t first, last, step;
	int32_t delta;
};

/* `count` characters, each with `units` of UTF-16 in the pool. */
struct casemap_run {
	uint32_t first;
	uint16_t count, at, units;
};

extern const struct casemap_shift casemap_shift[];
extern const struct casemap_run casemap_run[];
extern const uint16_t casemap_pool[];
extern const size_t casemap_shifts, casemap_runs;

#endif
