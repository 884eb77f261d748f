/* export: for another server that is to serve this Maildir. */
#include "export.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "io/fs.h"
#include "store/view.h"

static const struct format {
	const char *name;
	void (*box)(struct exported *);
	void (*root)(uint32_t uidvalidity);
} formats[] = {
	{ "dovecot", export_dovecot, export_dovecot_root },
	{ "courier", export_courier, export_courier_root },
};

static const struct format *format;
static uint32_t highest; /* UIDVALIDITY */

bool
exported_base(const struct exported *e, size_t i, struct span *base)
{
	if (folder_msg(e->folder, i)->gone)
		return false;
	*base = index_base(&e->folder->ix, &e->folder->ix.entry[i]);
	return true;
}

void
exported_put(const struct exported *e, const char *file, struct span text)
{
	if (!dry_run && fs_replace(e->fd, file, text, 0600) == -1)
		die_sys(EXIT_TEMP, "%s/%s", e->path, file);
}

static void
export_box(const char *name, const char *path)
{
	struct exported e = { .name = name, .path = path };
	size_t n = 0;

	e.fd = fs_open_dir(path);
	if (e.fd == -1 || folder_open(&e.folder, path, false) == -1) {
		failed(name);
		fs_close(e.fd);
		return;
	}
	for (size_t i = 0; i < folder_count(e.folder); i++, n++)
		e.keywords |= folder_msg(e.folder, i)->keywords;
	if (uidl_read(&e.uidl, e.fd, folder_uidvalidity(e.folder)) == -1)
		failed(name);
	say(name, "export", "UIDVALIDITY %lu, UIDNEXT %lu, %zu messages",
	    (unsigned long)folder_uidvalidity(e.folder),
	    (unsigned long)folder_uidnext(e.folder), n);
	format->box(&e);
	if (folder_uidvalidity(e.folder) > highest)
		highest = folder_uidvalidity(e.folder);
	uidl_free(&e.uidl);
	folder_close(e.folder);
	close(e.fd);
}

int
export_main(int argc, char **argv)
{
	verb_options(argc, argv, "nv");
	argv += optind;
	for (size_t i = 0; i < 2 && argv[0] != NULL; i++)
		if (strcmp(formats[i].name, argv[0]) == 0)
			format = &formats[i];
	if (format == NULL)
		usage_of("export");
	open_maildir(false);
	each_box(argv + 1, export_box);
	format->root(highest);
	return status;
}
