/*
 * io/conf: any file is a list of records; what is not one makes it doubtful.
 */
#include <assert.h>
#include <stdio.h>
#include <unistd.h>

#include "io/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct conf c;
	unsigned records = 0;
	struct span line;
	static FILE *f;

	if (f == NULL)
		f = tmpfile();
	assert(f != NULL);
	assert(ftruncate(fileno(f), 0) == 0);
	assert(pwrite(fileno(f), p, n, 0) == (ssize_t)n);
	assert(lseek(fileno(f), 0, SEEK_SET) == 0);
	assert(conf_open_fd(&c, dup(fileno(f)), "conf") == 0);
	while (conf_next(&c, &line) == 1) {
		assert(line.n > 0 && line.n < LIMIT_CONF_LINE);
		assert(*line.p != '#');
		assert(memchr(line.p, '\n', line.n) == NULL);
		records++;
	}
	assert(c.records == records);
	assert(records > 0 || conf_doubtful(&c));
	if (n > 0 && p[n - 1] != '\n')
		assert(conf_doubtful(&c));
	conf_close(&c);
	return 0;
}
