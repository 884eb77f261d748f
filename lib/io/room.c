#include "io/room.h"

#include <sys/mman.h>
#include <unistd.h>

void *
room_make(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

void
room_free(void *p, size_t bytes)
{
	if (p != NULL)
		munmap(p, bytes);
}

bool
room_map(void *room, int fd, off_t from, size_t len)
{
	if (sysconf(_SC_PAGESIZE) != ROOM_PAGE)
		return false;
	return len == 0 ||
	    mmap(room, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, fd,
		from) != MAP_FAILED;
}
