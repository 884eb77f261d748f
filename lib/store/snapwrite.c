/* Write pneu.snapshot. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "io/fs.h"
#include "io/out.h"
#include "store/crc.h"
#include "store/index.h"
#include "store/le.h"

static const char magic[17] = "pneu-snapshot 1\n";

struct writing {
	struct out out;
	uint32_t sum;
	struct tally tally;
	size_t n, nnames;
	struct buf names;
	char buf[65536];
};

static void
put(struct writing *w, struct span s)
{
	w->sum = crc32_add(w->sum, s);
	out_put(&w->out, s);
}

static void
put_entry(struct writing *w, const struct index *ix, const struct entry *e)
{
	char r[ENTRY_SIZE] = { 0 }, file[512];
	size_t len = strlen(index_file(ix, e, file)) - 4;

	le_set(r, 4, e->msg.uid);
	le_set(r + 4, 2, e->msg.flags & FLAG_ALL);
	le_set(r + 8, 8, e->msg.keywords);
	le_set(r + 16, 8, e->msg.modseq);
	le_set(r + 24, 8, (uint64_t)e->msg.date);
	le_set(r + 32, 8, e->msg.size);
	le_set(r + 40, 4, e->msg.saved);
	le_set(r + 44, 4, w->names.n);
	for (unsigned k = 0; k < ENTRY_FACTS; k++)
		le_set(r + 48 + 4 * k, 4, e->fact[k]);
	le_set(r + 60, 2, len);
	le_set(r + 62, 2, e->bits & ENTRY_SAVED);
	put(w, (struct span){ r, ENTRY_SIZE });
	buf_put(&w->names, (struct span){ file + 4, len });
	w->n++;
}

static size_t
put_keywords(struct writing *w, const struct index *ix)
{
	size_t n = 0;

	for (int k = 0; k < ix->nkeywords; k++) {
		struct span name = span_of(ix->keyword[k]);
		char len = (char)name.n;

		put(w, (struct span){ &len, 1 });
		put(w, name);
		n += 1 + name.n;
	}
	return n;
}

static void
put_vanished(struct writing *w, const struct index *ix)
{
	for (size_t i = 0; i < ix->nvanished; i++) {
		char r[16];

		le_set(r, 4, ix->vanished[i].first);
		le_set(r + 4, 4, ix->vanished[i].last);
		le_set(r + 8, 8, ix->vanished[i].modseq);
		put(w, (struct span){ r, sizeof(r) });
	}
}

static void
fill_header(
    char *p, const struct index *ix, uint64_t gen, const struct writing *w)
{
	const struct tally *t = &ix->tally;

	memcpy(p, magic, 16);
	le_set(p + 16, 8, gen);
	le_set(p + 24, 4, ix->uidvalidity);
	le_set(p + 28, 4, ix->uidnext);
	le_set(p + 32, 8, ix->modseq);
	le_set(p + 40, 4, w->n);
	le_set(p + 44, 4, (uint64_t)ix->nkeywords);
	le_set(p + 52, 4, ix->trust.trusted);
	le_set(p + 56, 8, w->nnames);
	le_set(p + 64, 8, (uint64_t)ix->trust.new_ns);
	le_set(p + 72, 8, (uint64_t)ix->trust.cur_ns);
	le_set(p + 80, 4, w->sum);
	le_set(p + 84, 4, ix->nvanished);
	le_set(p + 88, 8, ix->vanished_floor);
	memcpy(p + 96, ix->id, INDEX_ID);
	le_set(p + 128, 8, t->size);
	le_set(p + 136, 4, t->messages);
	le_set(p + 140, 4, t->fresh);
	le_set(p + 144, 4, t->unseen);
	le_set(p + 148, 4, t->deleted);
	le_set(p + 152, 4, t->unsized);
	le_set(p + 156, 4, t->unseen_from);
	le_set(p + 160, 4, t->fresh_from);
	le_set(p + 164, 4, ix->loose);
}

/* The file, but for the header, which needs the sums. */
static int
write_file(int fd, const struct index *ix, uint64_t gen)
{
	static struct writing w;
	char header[SNAPSHOT_HEADER] = { 0 };
	size_t words;
	bool over;

	w.sum = 0;
	w.n = 0;
	buf_init(&w.names, UINT32_MAX);
	out_init(&w.out, fd, w.buf, sizeof(w.buf));
	out_put(&w.out, (struct span){ header, sizeof(header) });
	for (size_t i = 0; i < ix->n; i++)
		if (!ix->entry[i].msg.gone)
			put_entry(&w, ix, &ix->entry[i]);
	put_vanished(&w, ix);
	words = put_keywords(&w, ix);
	put(&w, buf_span(&w.names));
	over = w.names.over;
	w.nnames = w.names.n;
	buf_free(&w.names);
	if (out_flush(&w.out) == -1)
		return -1;
	if (over) {
		errno = EFBIG;
		return -1;
	}
	fill_header(header, ix, gen, &w);
	le_set(header + 48, 4, words);
	le_set(header + SNAPSHOT_HEADER - 4, 4,
	    crc32_add(0, (struct span){ header, SNAPSHOT_HEADER - 4 }));
	if (fs_write_at(fd, (struct span){ header, sizeof(header) }, 0) == -1)
		return -1;
	return ix->loose ? 0 : fsync(fd);
}

int
snapshot_write(struct index *ix, uint64_t gen, const char *name)
{
	int fd, r, err;

	fd = openat(ix->fd, name,
	    O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd == -1)
		return -1;
	r = write_file(fd, ix, gen);
	err = errno;
	if (close(fd) == -1 && r == 0) {
		err = errno;
		r = -1;
	}
	if (r == -1)
		unlinkat(ix->fd, name, 0);
	errno = err;
	return r;
}
