/*
 * siphash - SipHash-2-4, a short hash that nobody can foresee without its
 * key
 *
 * For tables of what strangers wrote, and for names that stand for long
 * texts where a forged collision would do harm.
 */
#ifndef BASE_SIPHASH_H
#define BASE_SIPHASH_H

#include "base/span.h"

enum { SIPHASH_KEY = 16 };

uint64_t siphash(const unsigned char key[SIPHASH_KEY], struct span);

#endif
