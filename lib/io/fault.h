/*
 * fault - a mapped file that somebody cuts short, under whoever reads it
 *
 * The kernel ends a process that touches a page behind the end of a file
 * (SIGBUS).  In a mapping that was announced here such pages become zeros
 * and the process goes on; fault_count tells of it.  Any other page is
 * beyond help: what fault_last was given is called, and the process ends.
 */
#ifndef IO_FAULT_H
#define IO_FAULT_H

#include <stdbool.h>
#include <stddef.h>

/* Until fault_forget, before it is unmapped.  False: there are too many. */
enum { FAULT_MAPS = 16 };
bool fault_bear(const void *map, size_t size);
void fault_forget(const void *map);

/* How often pages became zeros: what was read since may be wrong. */
unsigned fault_count(void);

/* Called by the signal's handler; may leave by _exit. */
void fault_last(void (*last)(void));

#endif
