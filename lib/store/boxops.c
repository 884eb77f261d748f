/* CREATE, DELETE, RENAME and SUBSCRIBE. */
#include "store/boxes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/die.h"
#include "io/fs.h"
#include "store/acl.h"
#include "store/boxdir.h"
#include "store/boxfile.h"
#include "store/boxname.h"
#include "store/folder.h"
#include "store/mdname.h"
#include "store/metadata.h"
#include "store/quota.h"
#include "store/uidmem.h"

/* In the maildirfolder of what a renamed INBOX became. */
#define INBOX_NOTE "INBOX\n"

static const size_t dirs_max = 16777216;

enum box_result
boxes_parent(struct boxes *b, struct span name, char *path, size_t size)
{
	size_t at;

	while ((at = span_rchr(name, b->separator)) < name.n) {
		name.n = at;
		if (boxes_find(b, name, path, size) == BOX_OK)
			return BOX_OK;
	}
	return BOX_NONE;
}

static enum box_result
create(struct boxes *b, struct span name, unsigned use, struct span note)
{
	char parent[LIMIT_PATH], path[LIMIT_PATH];
	char dir[BOXNAME_DIR];
	enum box_result r;

	if (name.n > 1 && name.p[name.n - 1] == b->separator)
		name.n--; /* "there will be inferiors": RFC 3501, 6.3.3 */
	if (!boxname_dir_in(b, name, dir))
		return BOX_BADNAME;
	if (boxdir_exists(b, dir))
		return BOX_EXISTS;
	r = boxdir_make(b, dir, note);
	if (r == BOX_OK &&
	    boxes_parent(b, name, parent, sizeof(parent)) == BOX_OK &&
	    boxes_path(b, name, path, sizeof(path)) == BOX_OK &&
	    acl_copy(parent, path) == -1)
		r = BOX_FAILED;
	if (r == BOX_OK && use != 0 && boxfile_set_use(b->fd, dir, use) == -1) {
		r = BOX_FAILED;
		/* RFC 6154, section 3: without its use it is not to be */
		boxdir_unmake(b, dir);
	}
	return r;
}

enum box_result
boxes_create(struct boxes *b, struct span name, unsigned use)
{
	return create(b, name, use, SPAN(""));
}

/* Whether there are folders below dir. */
static int
has_children(struct boxes *b, const char *dir)
{
	struct buf dirs;
	int r;

	buf_init(&dirs, dirs_max);
	r = boxdir_list(b, dir, &dirs);
	if (r == 0)
		r = dirs.n > 0;
	buf_free(&dirs);
	return r;
}

/* What is left of folders whose removal was cut short. */
static void
sweep(struct boxes *b)
{
	DIR *dir = fs_list_dir(b->fd, ".");
	struct dirent *d;

	if (dir == NULL)
		return;
	while ((d = readdir(dir)) != NULL)
		if (strncmp(d->d_name, "..pneu-gone.", 12) == 0 &&
		    fs_remove_tree(b->fd, d->d_name) == -1)
			break; /* another is at it */
	closedir(dir);
}

enum box_result
boxes_delete(struct boxes *b, struct span name)
{
	char dir[BOXNAME_DIR], unique[128], grave[160];
	char path[LIMIT_PATH + BOXNAME_DIR];
	uint64_t bytes, messages;
	int r;

	if (!boxname_dir_in(b, name, dir))
		return BOX_BADNAME;
	if (dir[0] == '\0')
		return BOX_INUSE;
	if (!boxdir_exists(b, dir)) {
		r = has_children(b, dir);
		return r == -1 ? BOX_FAILED : r == 1 ? BOX_INUSE : BOX_NONE;
	}
	sweep(b);
	mdname_unique(unique, sizeof(unique));
	snprintf(grave, sizeof(grave), "..pneu-gone.%s", unique);
	snprintf(path, sizeof(path), "%s/%s", b->root, dir);
	if (uidmem_sync(path) == -1)
		return BOX_FAILED;
	if (renameat(b->fd, dir, b->fd, grave) == -1)
		return errno == ENOENT ? BOX_NONE : BOX_FAILED;
	snprintf(path, sizeof(path), "%s/%s", b->root, grave);
	if (quota_count(path, &bytes, &messages) == 0 && messages > 0)
		quota_add(b->root, -(int64_t)bytes, -(int64_t)messages);
	if (fs_sync_dir(b->fd, ".") == -1 ||
	    fs_remove_tree(b->fd, grave) == -1 ||
	    boxfile_set_use(b->fd, dir, 0) == -1)
		return BOX_FAILED;
	return BOX_OK;
}

/* Under its new name a folder keeps its UIDs: remember them there, too. */
static int
move_memory(struct boxes *b, const char *from, const char *to)
{
	char path[LIMIT_PATH + BOXNAME_DIR];
	struct uidmem old, new;
	int r;

	snprintf(path, sizeof(path), "%s/%s", b->root, from);
	if (uidmem_open(&old, path) == -1)
		return -1;
	snprintf(path, sizeof(path), "%s/%s", b->root, to);
	r = uidmem_open(&new, path);
	if (r == 0 && old.uidvalidity != 0)
		r = uidmem_set(&new, old.uidvalidity, old.highest);
	uidmem_close(&old);
	uidmem_close(&new);
	return r;
}

struct move {
	struct boxes *b;
	const char *from, *to;
};

/* ".A.C" is ".B.C" after A became B. */
static bool
new_name(const struct move *m, const char *dir, char to[BOXNAME_DIR])
{
	return snprintf(to, BOXNAME_DIR, "%s%s", m->to, dir + strlen(m->from)) <
	    BOXNAME_DIR;
}

static enum box_result
check_targets(const struct move *m, struct span dirs)
{
	char dir[BOXNAME_DIR], to[BOXNAME_DIR];

	while (dirs.n > 0) {
		if (!span_cstr(span_cut(&dirs, '\n'), dir, sizeof(dir)) ||
		    !new_name(m, dir, to))
			return BOX_BADNAME;
		if (boxdir_exists(m->b, to))
			return BOX_EXISTS;
	}
	return BOX_OK;
}

static int
rename_one(const struct move *m, struct span line, bool back)
{
	char dir[BOXNAME_DIR], to[BOXNAME_DIR];

	if (!span_cstr(line, dir, sizeof(dir)) || !new_name(m, dir, to)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (back)
		return renameat(m->b->fd, to, m->b->fd, dir);
	if (move_memory(m->b, dir, to) == -1 ||
	    renameat(m->b->fd, dir, m->b->fd, to) == -1)
		return -1;
	return boxfile_move_use(m->b->fd, dir, to);
}

/* Rename each; when one fails, those before it go back. */
static enum box_result
rename_all(const struct move *m, struct span dirs)
{
	struct span left = dirs, line = SPAN("");
	int err;

	while (left.n > 0) {
		line = span_cut(&left, '\n');
		if (rename_one(m, line, false) == -1)
			break;
		line = SPAN("");
	}
	if (line.n == 0 && fs_sync_dir(m->b->fd, ".") == 0)
		return BOX_OK;
	err = errno;
	while (dirs.n > 0 && dirs.p != line.p)
		if (rename_one(m, span_cut(&dirs, '\n'), true) == -1)
			break;
	errno = err;
	return BOX_FAILED;
}

static enum box_result
rename_inbox(struct boxes *b, struct span to)
{
	char path[LIMIT_PATH];
	enum box_result r = create(b, to, 0, SPAN(INBOX_NOTE));
	uint32_t uidvalidity, *uids;
	struct folder *f;
	size_t *idx, n;

	if (r != BOX_OK)
		return r;
	if (boxes_path(b, to, path, sizeof(path)) != BOX_OK ||
	    metadata_copy(b->root, path) == -1 ||
	    folder_open(&f, b->root, true) == -1)
		return BOX_FAILED;
	n = folder_count(f);
	idx = die_calloc(n + 1, sizeof(*idx));
	uids = die_calloc(n + 1, sizeof(*uids));
	for (size_t i = 0; i < n; i++)
		idx[i] = i;
	if (folder_copy(f, idx, n, path, true, &uidvalidity, uids) == -1)
		r = BOX_FAILED;
	free(idx);
	free(uids);
	folder_close(f);
	return r;
}

bool
boxes_was_inbox(struct boxes *b, struct span name, int64_t *ns)
{
	char dir[BOXNAME_DIR], path[BOXNAME_DIR + 16], text[sizeof(INBOX_NOTE)];
	struct stat st;
	ssize_t n;
	int fd;

	if (!boxname_dir_in(b, name, dir) || dir[0] == '\0')
		return false;
	snprintf(path, sizeof(path), "%s/%s", dir, boxdir_note_name);
	fd =
	    openat(b->fd, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1)
		return false;
	n = pread(fd, text, sizeof(text), 0);
	if (fstat(fd, &st) == -1)
		n = -1;
	fs_close(fd);
	*ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
	return n > 0 && span_is((struct span){ text, (size_t)n }, INBOX_NOTE);
}

enum box_result
boxes_rename(struct boxes *b, struct span from, struct span to)
{
	char old[BOXNAME_DIR], new[BOXNAME_DIR];
	struct move m = { b, old, new };
	enum box_result r;
	struct buf dirs;

	if (to.n > 1 && to.p[to.n - 1] == b->separator)
		to.n--;
	if (!boxname_dir_in(b, from, old) || !boxname_dir_in(b, to, new))
		return BOX_BADNAME;
	if (strcmp(old, new) == 0 || boxdir_exists(b, new))
		return BOX_EXISTS;
	if (old[0] == '\0')
		return rename_inbox(b, to);
	if (boxname_below(new, old))
		return BOX_BADNAME;
	buf_init(&dirs, dirs_max);
	if (boxdir_exists(b, old))
		buf_printf(&dirs, "%s\n", old);
	if (boxdir_list(b, old, &dirs) == -1)
		r = BOX_FAILED;
	else if (dirs.n == 0)
		r = BOX_NONE;
	else if ((r = check_targets(&m, buf_span(&dirs))) == BOX_OK)
		r = rename_all(&m, buf_span(&dirs));
	buf_free(&dirs);
	return r;
}

enum box_result
boxes_set_use(struct boxes *b, struct span name, unsigned use)
{
	char dir[BOXNAME_DIR];

	if (!boxname_dir_in(b, name, dir))
		return BOX_BADNAME;
	if (!boxdir_exists(b, dir))
		return BOX_NONE;
	return boxfile_set_use(b->fd, dir[0] == '\0' ? "INBOX" : dir, use) == -1
	    ? BOX_FAILED
	    : BOX_OK;
}

enum box_result
boxes_subscribe(struct boxes *b, struct span name, bool subscribe)
{
	char dir[BOXNAME_DIR];

	if (!boxname_dir_in(b, name, dir))
		return BOX_BADNAME;
	return boxfile_subscribe(b->fd, dir, subscribe) == -1 ? BOX_FAILED
							      : BOX_OK;
}
