#include "store/gzip.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "io/conf.h"
#include "io/deadline.h"
#include "io/deflate.h"
#include "io/fs.h"
#include "io/log.h"

enum { PIECE = 65536 };

bool
gzip_wanted(void)
{
	static struct conf c;
	static int64_t again;
	static bool wanted;
	struct span line;

	if (deadline_now() < again)
		return wanted;
	again = deadline_in(1);
	wanted = false;
	if (!conf_exists() || conf_open(&c, "imap") == -1)
		return wanted;
	while (conf_next(&c, &line) == 1) {
		if (!span_is(span_word(&line), "compress"))
			continue;
		wanted = span_is(span_trim(line), "gzip");
		if (!wanted)
			conf_bad(&c, "compress is gzip");
	}
	conf_close(&c);
	return wanted;
}

bool
gzip_starts(struct span s)
{
	return s.n >= 3 && memcmp(s.p, "\x1f\x8b\x08", 3) == 0;
}

bool
gzip_is(int fd)
{
	char magic[3];

	return pread(fd, magic, 3, 0) == 3 &&
	    gzip_starts((struct span){ magic, 3 });
}

bool
gzip_is_at(int dirfd, const char *name)
{
	int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC);
	bool is = fd != -1 && gzip_is(fd);

	if (fd != -1)
		close(fd);
	return is;
}

/* 0; -1 and errno, EBADMSG for what can't be decompressed. */
static int
unpack(struct inflate *z, int from, int to)
{
	static char packed[PIECE / 4], plain[PIECE];
	uint64_t total = 0;
	struct span s;
	ssize_t r, n;

	while ((r = read(from, packed, sizeof(packed))) > 0) {
		s = (struct span){ packed, (size_t)r };
		do {
			n = inflate_run(z, &s, plain, sizeof(plain));
			if (n == -1)
				return -1;
			total += (uint64_t)n;
			if (total > LIMIT_MESSAGE) {
				errno = EBADMSG;
				return -1;
			}
			if (write_all(to, plain, (size_t)n, DEADLINE_NEVER) ==
			    -1)
				return -1;
		} while (n > 0);
	}
	if (r == 0 && inflate_ended(z))
		return 0;
	if (r == 0)
		errno = EBADMSG;
	return -1;
}

int
gzip_plain(const char *folder, int fd)
{
	char tmp[LIMIT_PATH + 8];
	struct inflate *z;
	struct stat st;
	int to, r, err;

	if (!gzip_is(fd))
		return fd;
	snprintf(tmp, sizeof(tmp), "%s/tmp", folder);
	to = fs_unnamed(tmp);
	if (to == -1) /* a backup, which can't be written */
		to = fs_unnamed("/tmp");
	r = to;
	if (to != -1) {
		z = inflate_open(DEFLATE_GZIP);
		r = unpack(z, fd, to);
		inflate_close(z);
	}
	if (r != -1 && fstat(fd, &st) == 0)
		r = fs_touch(to, (int64_t)st.st_mtime);
	if (r != -1)
		r = lseek(to, 0, SEEK_SET) == -1 ? -1 : 0;
	err = errno;
	if (r == -1 && to != -1)
		close(to);
	if (r == -1 && err == EBADMSG) {
		log_error("message", "its gzip is damaged: shown as it is");
		if (lseek(fd, 0, SEEK_SET) == 0)
			return fd;
		err = errno;
	}
	close(fd);
	errno = err;
	return r == -1 ? -1 : to;
}
