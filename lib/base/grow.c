#include "base/grow.h"

#include "base/die.h"

void *
grow_array(void *p, size_t n, size_t *cap, size_t size)
{
	if (n < *cap)
		return p;
	*cap = *cap == 0 ? 64 : *cap * 2;
	p = realloc(p, *cap * size);
	if (p == NULL)
		die_memory();
	return p;
}
