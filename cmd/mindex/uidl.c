/* uidl import MAILBOX FILE: the names that messages had in POP3. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/num.h"
#include "io/fs.h"
#include "mindex.h"
#include "store/mdname.h"
#include "store/scan.h"
#include "store/uidl.h"
#include "store/view.h"

static struct {
	struct folder *folder;
	struct scan files; /* to find a file's UID by */
	struct span *name; /* by place in the folder */
	size_t *place;     /* of a file in the folder, from 1; 0: none */
	unsigned bad;
} up;

/* The place of "UID" or of the (start of the) name of a file. */
static bool
find(struct span what, size_t *i)
{
	struct span base = mdname_base(what);
	uint32_t uid;
	size_t at;

	if (num_u32(what, &uid)) {
		*i = folder_lower(up.folder, uid);
		return *i < folder_count(up.folder) &&
		    folder_msg(up.folder, *i)->uid == uid;
	}
	at = scan_find(&up.files, base);
	if (at == up.files.n || up.place[at] == 0)
		return false;
	*i = up.place[at] - 1;
	return true;
}

static void
read_lines(struct span s)
{
	struct span line, name;
	size_t i;

	while (s.n > 0) {
		line = span_trim(span_cut(&s, '\n'));
		if (line.n == 0)
			continue;
		name = span_word(&line);
		if (uidl_ok(name) && find(span_trim(line), &i))
			up.name[i] = name;
		else
			up.bad++;
	}
}

static void
fill(int fd)
{
	size_t n = folder_count(up.folder), at;

	up.name = die_calloc(n + 1, sizeof(*up.name));
	if (scan_read(&up.files, fd, SCAN_ALL) == -1)
		die_sys(EXIT_TEMP, "the folder");
	up.place = die_calloc(up.files.n + 1, sizeof(*up.place));
	for (size_t i = 0; i < n; i++) {
		at = scan_find(&up.files,
		    index_base(&up.folder->ix, &up.folder->ix.entry[i]));
		if (at < up.files.n)
			up.place[at] = i + 1;
	}
}

static size_t
write_names(int fd)
{
	struct buf b;
	size_t n = 0;

	buf_init(&b, UIDL_FILE_MAX);
	for (size_t i = 0; i < folder_count(up.folder); i++) {
		if (up.name[i].n == 0)
			continue;
		n++;
		buf_printf(
		    &b, "%lu\t", (unsigned long)folder_msg(up.folder, i)->uid);
		buf_put(&b, up.name[i]);
		buf_putc(&b, '\n');
	}
	if (!dry_run &&
	    uidl_write(fd, folder_uidvalidity(up.folder), buf_span(&b)) == -1)
		die_sys(EXIT_TEMP, "pneu.uidl");
	buf_free(&b);
	return n;
}

int
uidl_main(int argc, char **argv)
{
	char path[LIMIT_PATH];
	struct buf b;
	size_t n;
	int fd;

	verb_options(argc, argv, "nv");
	argv += optind;
	if (argv[0] == NULL || strcmp(argv[0], "import") != 0 ||
	    argv[1] == NULL || argv[2] == NULL || argv[3] != NULL)
		usage_of("uidl");
	open_maildir(false);
	if (boxes_find(&boxes, span_of(argv[1]), path, sizeof(path)) != BOX_OK)
		die(EXIT_NOINPUT, "%s: no such mailbox", argv[1]);
	buf_init(&b, UIDL_FILE_MAX);
	if (fs_read(AT_FDCWD, argv[2], &b) == -1)
		die_sys(EXIT_NOINPUT, "%s", argv[2]);
	fd = fs_open_dir(path);
	if (fd == -1 || folder_open(&up.folder, path, false) == -1)
		die_sys(EXIT_TEMP, "%s", argv[1]);
	fill(fd);
	read_lines(buf_span(&b));
	n = write_names(fd);
	say(argv[1], "uidl", "%zu names of POP3, %u lines passed over", n,
	    up.bad);
	if (n == 0 && b.n > 0)
		die(EXIT_DATAERR, "%s: none of it is a name of a message here",
		    argv[2]);
	folder_close(up.folder);
	scan_free(&up.files);
	free(up.name);
	free(up.place);
	buf_free(&b);
	close(fd);
	return status;
}
