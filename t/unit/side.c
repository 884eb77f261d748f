/* side: a file that may be lost, and is never believed when damaged. */
#include "store/side.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "test.h"

static bool
reads(const char *dir, uint32_t uidvalidity, const char *want)
{
	struct buf b = { .max = 10000 };
	struct span s;
	bool ok = side_read(dir, "x", uidvalidity, &b, &s);

	if (ok && want != NULL)
		ok = span_is(s, want);
	buf_free(&b);
	return ok;
}

int
main(void)
{
	char dir[] = "/tmp/side.XXXXXX", file[64];
	char byte;
	int fd;

	check(mkdtemp(dir) != NULL);
	snprintf(file, sizeof(file), "%s/pneu.x", dir);
	check(!reads(dir, 7, NULL));
	side_write(dir, "x", 7, SPAN("some content"));
	check(reads(dir, 7, "some content"));
	check(!reads(dir, 8, NULL));
	side_write(dir, "x", 8, SPAN(""));
	check(reads(dir, 8, "") && !reads(dir, 7, NULL));
	side_write(dir, "x", 8, SPAN("abc"));

	/* any byte that is another makes it none */
	fd = open(file, O_RDWR);
	for (off_t at = 0; at < 27; at++) {
		if (at >= 20 && at < 24)
			continue; /* nothing is there */
		check(pread(fd, &byte, 1, at) == 1);
		byte = (char)(byte ^ 1);
		check(pwrite(fd, &byte, 1, at) == 1);
		check(!reads(dir, 8, NULL));
		byte = (char)(byte ^ 1);
		check(pwrite(fd, &byte, 1, at) == 1);
	}
	check(reads(dir, 8, "abc"));
	check(ftruncate(fd, 26) == 0 && !reads(dir, 8, NULL));
	check(ftruncate(fd, 3) == 0 && !reads(dir, 8, NULL));
	close(fd);
	unlink(file);
	check(rmdir(dir) == 0); /* no other file is left */
	side_write(dir, "x", 7, SPAN("nowhere"));
	return done();
}
