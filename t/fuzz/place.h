/*
 * place - a folder for targets that need files
 *
 * In memory where the system has such a place: what is fuzzed is not the
 * disk.  It goes when the target ends.
 */
#ifndef FUZZ_PLACE_H
#define FUZZ_PLACE_H

#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/fs.h"

static char place[64];

static void
place_leave(void)
{
	if (fs_remove_tree(AT_FDCWD, place) == -1)
		place[0] = '\0';
}

/* Its path, from the first call on. */
static const char *
place_path(void)
{
	if (place[0] != '\0')
		return place;
	snprintf(place, sizeof(place), "%s/pneu-fuzz.XXXXXX",
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	assert(mkdtemp(place) != NULL);
	atexit(place_leave);
	return place;
}

#endif
