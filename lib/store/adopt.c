#include "store/adopt.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/gzip.h"
#include "store/mdname.h"
#include "store/view.h"

int
adopt_has_index(const char *path, uint32_t *uidvalidity)
{
	struct folder_status st;
	char file[LIMIT_PATH + 32];

	snprintf(file, sizeof(file), "%s/pneu.snapshot", path);
	if (access(file, F_OK) == -1 || folder_status(path, &st, false) == -1)
		return -1;
	*uidvalidity = st.uidvalidity;
	return 0;
}

/*
 * $Forwarded is a letter of the name with us: the file gets it.  to has
 * room for 512 bytes.
 */
static void
rename_passed(struct index *ix, const char *path, struct mdname *m, char *to)
{
	size_t n;

	memcpy(to, "cur/", 4);
	n = mdname_make(to + 4, m->base, m->flags, true, m->extra);
	if (n == 0 || renameat(ix->fd, path, ix->fd, to) == -1)
		snprintf(to, 512, "%s", path);
}

static int
put_message(struct index *ix, const struct adopt_msg *m, const int *number)
{
	struct index_new new = { .uid = m->uid };
	struct mdname name = mdname_parse(m->file);
	char path[MDNAME_MAX + 8], to[512];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%.*s", m->in_new ? "new" : "cur",
	    (int)m->file.n, m->file.p);
	if (fstatat(ix->fd, path, &st, 0) == -1)
		return errno == ENOENT ? 0 : -1;
	for (int k = 0; k < LIMIT_KEYWORDS; k++)
		if ((m->keywords >> k & 1) != 0 && number[k] != -1)
			new.keywords |= UINT64_C(1) << number[k];
	snprintf(to, sizeof(to), "%s", path);
	if ((new.keywords & 1) != 0 && !name.passed)
		rename_passed(ix, path, &name, to);
	new.file = span_of(to + 4);
	new.in_new = new.fresh = to[0] == 'n';
	new.modseq = ix->modseq + 1;
	new.date = (int64_t)st.st_mtime;
	new.size = m->wire; /* else the name tells */
	index_put_new(ix, &new);
	return 0;
}

/* Nothing but the UIDVALIDITY; then all that is listed. */
static int
fill(struct index *ix, const struct adopt *a)
{
	int number[LIMIT_KEYWORDS];
	uint32_t uidnext = a->uidnext;
	uint64_t modseq = 0;

	/* what was given here since names no other message */
	if (ix->uidvalidity == a->uidvalidity) {
		uidnext = ix->uidnext > uidnext ? ix->uidnext : uidnext;
		modseq = ix->modseq;
	}
	if (uidmem_set(&ix->mem, a->uidvalidity, uidnext - 1) == -1)
		return -1;
	index_begin(ix, a->uidvalidity);
	for (int k = 0; k < a->nkeywords; k++)
		number[k] = view_keyword(ix, span_of(a->keyword[k]));
	for (size_t i = 0; i < a->n; i++)
		if (put_message(ix, &a->msg[i], number) == -1)
			return -1;
	modseq = ix->modseq > modseq ? ix->modseq : modseq;
	index_put_uidnext(ix, uidnext, modseq + 1);
	if (index_commit(ix) == -1 || index_scan(ix, false) == -1)
		return -1;
	return index_sync(ix);
}

static int
raise_uidnext(struct index *ix, uint32_t uidnext)
{
	if (uidnext > ix->uidnext) {
		index_put_uidnext(ix, uidnext, ix->modseq);
		if (index_commit(ix) == -1)
			return -1;
	}
	return index_sync(ix);
}

int
adopt_index(const char *path, const struct adopt *a)
{
	struct index ix;
	int r;

	if (index_open_locked(&ix, path) == -1)
		return -1;
	r = fill(&ix, a);
	index_unlock_close(&ix);
	return r;
}

int
adopt_uidnext(const char *path, uint32_t uidnext)
{
	struct index ix;
	int r;

	if (index_open_locked(&ix, path) == -1)
		return -1;
	r = raise_uidnext(&ix, uidnext);
	index_unlock_close(&ix);
	return r;
}
