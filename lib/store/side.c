#include "store/side.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/limits.h"
#include "io/deadline.h"
#include "io/fs.h"
#include "io/out.h"
#include "store/crc.h"
#include "store/le.h"

/* magic, UIDVALIDITY, CRC of the content, 4 bytes of nothing */
static const char magic[] = "pneu-side 1\n";

enum { MAGIC = sizeof(magic) - 1, HEAD = 24, FILE_NAME = LIMIT_PATH + 64 };

static bool
names(const char *path, const char *name, char *file, char *temporary)
{
	int n = snprintf(file, FILE_NAME, "%s/pneu.%s", path, name);
	int k = snprintf(temporary, FILE_NAME, "%s/pneu.%s.new", path, name);

	return n > 0 && k > 0 && k < FILE_NAME;
}

bool
side_content(struct span file, uint32_t uidvalidity, struct span *content)
{
	struct span head;

	*content = file;
	if (content->n < HEAD)
		return false;
	head = span_take(content, HEAD);
	return memcmp(head.p, magic, MAGIC) == 0 &&
	    le_get(head.p + MAGIC, 4) == uidvalidity &&
	    le_get(head.p + MAGIC + 4, 4) == crc32_add(0, *content);
}

bool
side_read(const char *path, const char *name, uint32_t uidvalidity,
    struct buf *b, struct span *content)
{
	char file[FILE_NAME], temporary[FILE_NAME];

	return names(path, name, file, temporary) &&
	    fs_read(AT_FDCWD, file, b) == 0 &&
	    side_content(buf_span(b), uidvalidity, content);
}

void
side_write(const char *path, const char *name, uint32_t uidvalidity,
    struct span content)
{
	char file[FILE_NAME], temporary[FILE_NAME];
	char head[HEAD] = { 0 };
	bool good;
	int fd;

	if (!names(path, name, file, temporary))
		return;
	memcpy(head, magic, MAGIC);
	le_set(head + MAGIC, 4, uidvalidity);
	le_set(head + MAGIC + 4, 4, crc32_add(0, content));
	fd = open(temporary,
	    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd == -1)
		return;
	good = write_all(fd, head, HEAD, DEADLINE_NEVER) == 0 &&
	    write_all(fd, content.p, content.n, DEADLINE_NEVER) == 0;
	if (close(fd) == -1 || !good || rename(temporary, file) == -1)
		unlink(temporary);
}
