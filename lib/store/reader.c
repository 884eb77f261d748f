/*
 * The files of messages, read with as few calls as can be.
 *
 * Who reads one after another gets them from a thread that is ahead
 * (io/ahead.h): once RUN of them were read upwards, those that come next
 * and are as unknown as these are asked for.
 */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/fs.h"
#include "store/gzip.h"
#include "store/view.h"

enum {
	RUN = 8, /* files until it looks like a walk */
	STEP = 4 /* of so many in a walk one is read */
};

void
view_stop_ahead(struct folder *f)
{
	ahead_end(f->walk.ahead);
	f->walk = (struct walk){ 0 };
}

static bool
is_unknown(const struct entry *e, unsigned missing)
{
	return !e->msg.gone &&
	    (((missing & DIGEST_HEAD) != 0 && e->fact[FACT_HEAD] == 0) ||
		((missing & DIGEST_BODY) != 0 && e->fact[FACT_BODY] == 0) ||
		((missing & FOLDER_SIZE) != 0 && e->msg.size == 0));
}

/* Ask for those that come after message i. */
static void
ask(struct folder *f, size_t i)
{
	struct walk *w = &f->walk;
	char path[AHEAD_PATH];

	if (w->next <= i)
		w->next = i + 1;
	for (; ahead_room(w->ahead) > 0 && w->next < f->ix.shown; w->next++) {
		const struct entry *e = &f->ix.entry[w->next];

		if (is_unknown(e, w->missing))
			ahead_ask(
			    w->ahead, e->msg.uid, index_file(&f->ix, e, path));
	}
	ahead_go(w->ahead);
}

/* Message i is read now: whether that is a walk. */
static bool
is_walk(struct folder *f, size_t i, bool whole, unsigned missing)
{
	struct walk *w = &f->walk;

	if (whole != w->whole || i <= w->last || i - w->last > STEP) {
		view_stop_ahead(f);
		w->whole = whole;
	}
	w->last = i;
	w->missing |= missing;
	return ++w->run >= RUN && !w->refused;
}

/* A compressed one is opened as others are. */
static bool
take(struct folder *f, size_t i, struct ahead_file *file)
{
	struct walk *w = &f->walk;

	if (w->ahead == NULL)
		w->ahead =
		    ahead_begin(f->ix.fd, w->whole ? AHEAD_ALL : AHEAD_HEAD);
	w->refused = w->ahead == NULL;
	if (w->refused || !ahead_take(w->ahead, f->ix.entry[i].msg.uid, file))
		return false;
	if (!gzip_starts(file->front))
		return true;
	fs_close(file->fd);
	return false;
}

int
view_reader_open(struct view_reader *r, struct folder *f, size_t i, bool whole,
    unsigned missing)
{
	bool walk = missing != 0 && is_walk(f, i, whole, missing);

	*r = (struct view_reader){ .folder = f };
	if (!walk || !take(f, i, &r->file)) {
		r->file = (struct ahead_file){ .fd = view_open_file(f, i) };
		if (r->file.fd == -1)
			return -1;
	}
	if (walk && !f->walk.refused)
		ask(f, i);
	return 0;
}

void
view_reader_close(struct view_reader *r)
{
	struct folder *f = r->folder;

	fs_close(r->file.fd);
	if (f->walk.ahead != NULL && f->walk.last + 1 >= f->ix.shown)
		view_stop_ahead(f);
}

static ssize_t
next_of_front(struct view_reader *r, char *buf, size_t size)
{
	struct span s = r->file.front;

	s.n = s.n < size ? s.n : size;
	memcpy(buf, span_take(&r->file.front, s.n).p, s.n);
	r->begun = true; /* what follows is no beginning */
	r->got += s.n;
	return (ssize_t)s.n;
}

ssize_t
view_reader_next(struct view_reader *r, char *buf, size_t size)
{
	struct ahead_file *f = &r->file;
	ssize_t n;

	if (f->front.n > 0)
		return next_of_front(r, buf, size);
	if (f->ended || f->fd == -1)
		return 0;
	do
		n = read(f->fd, buf, size);
	while (n == -1 && errno == EINTR);
	if (n <= 0)
		return n;
	if (!r->begun && gzip_starts((struct span){ buf, (size_t)n })) {
		r->begun = true;
		if (lseek(f->fd, 0, SEEK_SET) == -1)
			return -1;
		f->fd = gzip_plain(r->folder->ix.path, f->fd);
		return f->fd == -1 ? -1 : view_reader_next(r, buf, size);
	}
	r->begun = true;
	r->got += (uint64_t)n;
	f->ended = (size_t)n < size;
	return n;
}

int
view_reader_size(const struct view_reader *r, uint64_t *size)
{
	struct stat st;

	*size = r->file.ended ? r->got : r->file.size;
	if (*size > 0 || r->file.ended)
		return 0;
	if (fstat(r->file.fd, &st) == -1)
		return -1;
	*size = (uint64_t)st.st_size;
	return 0;
}

int
folder_read_msg(struct folder *f, size_t i, char *buf, size_t size, size_t *n)
{
	struct view_reader r;
	ssize_t got;

	if (view_reader_open(&r, f, i, true, 0) == -1)
		return -1;
	got = view_reader_next(&r, buf, size);
	if (got == -1) {
		view_reader_close(&r);
		return -1;
	}
	*n = (size_t)got;
	return r.file.fd;
}
