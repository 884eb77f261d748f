/*
 * words - a command in one string, split as a shell would
 *
 * Blanks separate words; '...', "..." and backslash quote as in sh
 * (inside "..." a backslash quotes only " and \).  There are no variables,
 * globs, pipes or comments: write `sh -c '...'` for those.
 */
#ifndef BASE_WORDS_H
#define BASE_WORDS_H

#include "base/arena.h"

/*
 * Split text into a NULL-terminated vector in the arena.  NULL for an
 * unfinished quote, a NUL byte, or no word at all.
 */
char **words_split(struct arena *, struct span text);

#endif
