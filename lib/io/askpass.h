/*
 * askpass - read a secret from a person, a pipe or a descriptor
 *
 * Never from arguments or the environment, which others can see.
 */
#ifndef IO_ASKPASS_H
#define IO_ASKPASS_H

#include "base/span.h"

/*
 * A secret into `to`: the first line of descriptor fd; with fd -1 that of
 * standard input, or, if that is a terminal, what is typed there without
 * an echo after the prompt, twice if wanted.  NULL; or why there is none
 * ("empty", "not the same twice", ...).
 */
MUST const char *askpass(
    int fd, const char *prompt, bool twice, char *to, size_t size);

#endif
