/*
 * format - what a file of ours begins with: "pneu-KIND NUMBER\n"
 *
 * The number grows with changes that an older release can't read.
 */
#ifndef STORE_FORMAT_H
#define STORE_FORMAT_H

#include "base/span.h"

enum format_result {
	FORMAT_OK,
	FORMAT_BAD,
	FORMAT_NEWER /* written by a later release */
};

enum format_result format_of(struct span file, const char *kind);

#endif
