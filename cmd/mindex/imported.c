/* The file pneu.import. */
#include <errno.h>
#include <unistd.h>

#include "base/num.h"
#include "imapin.h"
#include "io/fs.h"
#include "mindex.h"

enum { FILE_MAX = 1048576 };

static const char file_name[] = "pneu.import";
static const char first_line[] = "pneu-import 1\n";

/* "KEY UIDVALIDITY UID": whether it is that row. */
static bool
row(struct span line, uint32_t key, uint32_t *uidvalidity, uint32_t *uid)
{
	uint32_t k;

	return num_u32(span_word(&line), &k) && k == key &&
	    num_u32(span_word(&line), uidvalidity) &&
	    num_u32(span_word(&line), uid);
}

/* Its text behind the first line. */
static bool
load(int dirfd, struct buf *b, struct span *rows)
{
	buf_init(b, FILE_MAX);
	*rows = SPAN("");
	if (fs_read(dirfd, file_name, b) == -1)
		return errno == ENOENT;
	*rows = buf_span(b);
	if (!span_starts(*rows, first_line)) {
		errno = EPROTO;
		return false;
	}
	span_cut(rows, '\n');
	return true;
}

uint32_t
imported_read(const char *path, uint32_t key, uint32_t uidvalidity)
{
	uint32_t validity, uid, found = 0;
	int fd = fs_open_dir(path);
	struct span rows;
	struct buf b;

	if (fd == -1)
		return 0;
	if (!load(fd, &b, &rows))
		die_sys(EXIT_TEMP, "%s/%s", path, file_name);
	while (rows.n > 0)
		if (row(span_cut(&rows, '\n'), key, &validity, &uid) &&
		    validity == uidvalidity)
			found = uid;
	buf_free(&b);
	close(fd);
	return found;
}

void
imported_write(
    const char *path, uint32_t key, uint32_t uidvalidity, uint32_t uid)
{
	uint32_t validity, old;
	int fd = fs_open_dir(path);
	struct buf b, new;
	struct span rows, line;

	if (fd == -1 || !load(fd, &b, &rows))
		die_sys(EXIT_TEMP, "%s/%s", path, file_name);
	buf_init(&new, FILE_MAX);
	buf_puts(&new, first_line);
	while (rows.n > 0) {
		line = span_cut(&rows, '\n');
		if (row(line, key, &validity, &old))
			continue;
		buf_put(&new, line);
		buf_putc(&new, '\n');
	}
	buf_printf(&new, "%lu %lu %lu\n", (unsigned long)key,
	    (unsigned long)uidvalidity, (unsigned long)uid);
	if (fs_replace(fd, file_name, buf_span(&new), 0600) == -1)
		die_sys(EXIT_TEMP, "%s/%s", path, file_name);
	buf_free(&b);
	buf_free(&new);
	close(fd);
}
