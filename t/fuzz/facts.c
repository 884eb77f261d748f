/* io/facts: what is taken is of the list, short, and printable. */
#include <assert.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/limits.h"
#include "io/deadline.h"
#include "io/facts.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void
take(void *ctx, const char *name, struct span value)
{
	unsigned which = *(unsigned *)ctx;

	assert(value.n < LIMIT_FACT && memchr(value.p, 0, value.n) == NULL);
	for (size_t i = 0; i < value.n; i++)
		assert((unsigned char)value.p[i] >= ' ');
	if (strncmp(name, "TCP", 3) == 0)
		assert(which & FACTS_PEER);
	else if (strcmp(name, "SSL_TLS_EXPORTER") == 0)
		assert(which & FACTS_BINDING);
	else
		assert(strncmp(name, "SSL_", 4) == 0 && which & FACTS_TLS);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	unsigned which = n > 0 ? p[0] & 7 : 7;
	int fd[2];

	if (n > 60000 || pipe(fd) == -1)
		return 0;
	assert(write(fd[1], p, n) == (ssize_t)n);
	close(fd[1]);
	if (facts_read(fd[0], which, deadline_in(5), take, &which) == 0)
		assert(n > 0 && memchr(p, 0, n) != NULL);
	close(fd[0]);
	return 0;
}
