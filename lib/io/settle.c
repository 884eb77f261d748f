#include "io/settle.h"

#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

void
settle_heap(void)
{
#ifdef __GLIBC__
	int err = errno;

	malloc_trim(0);
	errno = err;
#endif
}

void
settle_buffer(void *p, size_t n)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t from = ((uintptr_t)p + page - 1) / page * page;
	uintptr_t to = ((uintptr_t)p + n) / page * page;
	int err = errno;

	/* elsewhere than in Linux the content may stay: no harm */
	if (from < to)
		(void)!madvise((void *)from, to - from, MADV_DONTNEED);
	errno = err;
}
