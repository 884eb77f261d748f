#include "io/fault.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

static void (*last_words)(void);
static volatile struct {
	uintptr_t from, to;
} map[FAULT_MAPS];
static volatile sig_atomic_t count;

/* Zeros from this page to the end of its mapping. */
static bool
cover(uintptr_t at)
{
	uintptr_t page = at - at % (uintptr_t)sysconf(_SC_PAGESIZE);

	for (int i = 0; i < FAULT_MAPS; i++)
		if (at >= map[i].from && at < map[i].to)
			return mmap((void *)page, map[i].to - page, PROT_READ,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
				   0) != MAP_FAILED;
	return false;
}

static void
on_bus(int sig, siginfo_t *info, void *context)
{
	int err = errno;

	(void)context;
	if (cover((uintptr_t)info->si_addr)) {
		count = (sig_atomic_t)((unsigned)count + 1);
		errno = err;
		return;
	}
	if (last_words != NULL)
		last_words();
	signal(sig, SIG_DFL); /* it comes again */
}

static void
catch_it(void)
{
	struct sigaction sa = { .sa_flags = SA_SIGINFO };
	static bool caught;

	if (caught)
		return;
	caught = true;
	sa.sa_sigaction = on_bus;
	sigemptyset(&sa.sa_mask);
	sigaction(SIGBUS, &sa, NULL);
}

bool
fault_bear(const void *p, size_t size)
{
	catch_it();
	for (int i = 0; i < FAULT_MAPS; i++)
		if (map[i].to == 0) {
			map[i].from = (uintptr_t)p;
			map[i].to = (uintptr_t)p + size;
			return true;
		}
	return false;
}

void
fault_forget(const void *p)
{
	for (int i = 0; i < FAULT_MAPS; i++)
		if (map[i].from == (uintptr_t)p)
			map[i].from = map[i].to = 0;
}

unsigned
fault_count(void)
{
	return (unsigned)count;
}

void
fault_last(void (*last)(void))
{
	last_words = last;
	catch_it();
}
