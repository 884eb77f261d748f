#include "examine.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "store/gzip.h"
#include "store/mdname.h"
#include "store/view.h"

static struct digester digester;

/* Read all of it.  0, or -1 and errno. */
static int
read_all(int fd, struct examined *x, struct digest *g)
{
	static char buf[65536];
	ssize_t n;

	digester_begin(&digester, DIGEST_HEAD | DIGEST_BODY);
	x->size = 0;
	while ((n = read(fd, buf, sizeof(buf))) > 0) {
		x->size += (uint64_t)n;
		digester_feed(&digester, (struct span){ buf, (size_t)n });
	}
	digester_end(&digester, g);
	x->wire = g->size;
	return n == -1 ? -1 : 0;
}

static bool
same(struct span a, struct span b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* The preview may have been made with charsets that are not known here. */
static unsigned
compare_facts(struct folder *f, size_t i, const struct digest *g)
{
	struct digest kept = { 0 };
	struct span text;
	unsigned wrong = 0;

	if (folder_fact_get(f, i, FACT_HEAD, &text) &&
	    (!digest_get(text, DIGEST_HEAD, &kept) ||
		!same(kept.envelope, g->envelope) ||
		(kept.fields.p != NULL && !same(kept.fields, g->fields))))
		wrong |= EXAMINE_HEAD;
	if (folder_fact_get(f, i, FACT_BODY, &text) &&
	    (!digest_get(text, DIGEST_BODY, &kept) ||
		!same(kept.body, g->body) ||
		!same(kept.structure, g->structure)))
		wrong |= EXAMINE_BODY;
	return wrong;
}

unsigned
examine(struct folder *f, size_t i, struct examined *x)
{
	const struct entry *e = &f->ix.entry[i];
	struct digest g = { 0 };
	struct mdname m;
	unsigned wrong = 0;
	int fd;

	index_file(&f->ix, e, x->file);
	fd = openat(f->ix.fd, x->file, O_RDONLY | O_CLOEXEC);
	if (fd != -1)
		fd = gzip_plain(f->ix.path, fd);
	if (fd == -1)
		return errno == ENOENT ? EXAMINE_GONE : EXAMINE_UNREAD;
	if (read_all(fd, x, &g) == -1) {
		close(fd);
		return EXAMINE_UNREAD;
	}
	close(fd);
	m = mdname_parse(span_of(x->file + 4));
	if (m.has_s && m.s != x->size)
		wrong |= EXAMINE_S;
	if (m.has_w && m.w != x->wire)
		wrong |= EXAMINE_W;
	if (e->msg.size != 0 && e->msg.size != x->wire)
		wrong |= EXAMINE_SIZE;
	return wrong | compare_facts(f, i, &g);
}
