/*
 * rootonly - whether a file is root's alone to change
 */
#ifndef IO_ROOTONLY_H
#define IO_ROOTONLY_H

#include "base/span.h"

/*
 * Whether the file, links followed, is root's and writable by nobody else,
 * and so is each folder above it; a folder of root's with the sticky bit
 * counts, since nobody can replace there what is root's.
 */
bool rootonly(const char *path);

#endif
