/*
 * room - memory that costs nothing until it is written
 *
 * A large array that begins as the bytes of a file: pages are the file's
 * until one of them is written, which makes a copy for this process alone.
 * Nothing is ever written back.
 */
#ifndef IO_ROOM_H
#define IO_ROOM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Zeros.  NULL when there is no more. */
void *room_make(size_t bytes);
void room_free(void *, size_t bytes);

/*
 * Put len bytes of the file, from a multiple of ROOM_PAGE on, to the start
 * of a room; what is behind them in their last page is not zero.  False
 * where pages are larger.
 */
enum { ROOM_PAGE = 4096 };
bool room_map(void *room, int fd, off_t from, size_t len);

#endif
