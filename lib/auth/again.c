#include "auth/again.h"

#include <time.h>

#include "io/deadline.h"

enum { PATIENCE_MS = 2100, NAP_MS = 50 };

bool
again(struct again *a)
{
	struct timespec nap = { 0, NAP_MS * 1000000L };
	int64_t now = deadline_now();

	if (a->until == 0)
		a->until = now + PATIENCE_MS;
	if (now >= a->until)
		return false;
	nanosleep(&nap, NULL);
	return true;
}
