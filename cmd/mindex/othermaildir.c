/* import maildir DIR, and restore DIR [MAILBOX ...]. */
#include <sys/stat.h>
#include <unistd.h>

#include "maildirin.h"
#include "store/boxfile.h"

enum { USES = BOX_DRAFTS | BOX_JUNK | BOX_SENT | BOX_TRASH | BOX_ARCHIVE };

static struct boxes other = { .fd = -1 };

static void
open_other(const char *dir)
{
	char cur[LIMIT_PATH + 8];
	struct stat st;

	snprintf(cur, sizeof(cur), "%s/cur", dir);
	if (stat(cur, &st) == -1 || !S_ISDIR(st.st_mode))
		die(EXIT_NOINPUT, "%s: no Maildir", dir);
	if (boxes_open(&other, dir, '/') == -1)
		die_sys(EXIT_TEMP, "%s", dir);
}

/* What is known of the mailbox as a whole. */
static void
take_attributes(const struct box *b)
{
	char path[LIMIT_PATH];
	unsigned use = b->attrs & USES;

	if ((b->attrs & BOX_SUBSCRIBED) != 0) {
		say_more(b->name, "subscribe", "it was");
		if (!dry_run &&
		    boxes_subscribe(&boxes, span_of(b->name), true) != BOX_OK)
			failed(b->name);
	}
	if (use == 0 || dry_run ||
	    boxes_find(&boxes, span_of(b->name), path, sizeof(path)) != BOX_OK)
		return;
	if (boxfile_set_use(boxes.fd, dir_of(path), use) == -1)
		failed(b->name);
}

int
import_maildir(char **argv)
{
	char path[LIMIT_PATH];
	struct box *list;
	int n;

	if (argv[0] == NULL || argv[1] != NULL)
		usage_of("import");
	open_other(argv[0]);
	if ((n = boxes_list(&other, &list)) == -1)
		die_sys(EXIT_TEMP, "%s", argv[0]);
	for (int i = 0; i < n; i++) {
		if (boxes_find(&other, span_of(list[i].name), path,
			sizeof(path)) == BOX_OK)
			maildirin_copy(list[i].name, path, true);
		take_attributes(&list[i]);
	}
	free(list);
	boxes_close(&other);
	return status;
}

static void
restore_box(const char *name)
{
	char path[LIMIT_PATH];

	if (boxes_find(&other, span_of(name), path, sizeof(path)) != BOX_OK)
		die(EXIT_NOINPUT, "%s: not in the backup", name);
	maildirin_copy(name, path, false);
}

int
restore_main(int argc, char **argv)
{
	char path[LIMIT_PATH];
	struct box *list;
	int n;

	verb_options(argc, argv, "nv");
	argv += optind;
	if (argv[0] == NULL)
		usage_of("restore");
	open_maildir(!dry_run);
	open_other(argv[0]);
	for (char **name = argv + 1; *name != NULL; name++)
		restore_box(*name);
	if (argv[1] == NULL) {
		if ((n = boxes_list(&other, &list)) == -1)
			die_sys(EXIT_TEMP, "%s", argv[0]);
		for (int i = 0; i < n; i++)
			if (boxes_find(&other, span_of(list[i].name), path,
				sizeof(path)) == BOX_OK)
				restore_box(list[i].name);
		free(list);
	}
	boxes_close(&other);
	return status;
}
