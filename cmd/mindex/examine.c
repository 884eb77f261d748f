#include "examine.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/num.h"
#include "io/fs.h"
#include "store/gzip.h"
#include "store/mdname.h"
#include "store/quota.h"
#include "store/view.h"

enum { FILE_MAX = 65536 };

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

size_t
examine_cache(struct folder *f, size_t i)
{
	struct span text;
	size_t lost = 0;

	for (int k = FACT_HEAD; k <= FACT_SIGNATURE; k++)
		if (f->ix.entry[i].fact[k] != 0 &&
		    !folder_fact_get(f, i, (enum folder_fact)k, &text))
			lost++;
	return lost;
}

static uint64_t sum_bytes, sum_messages;

static void
add_box(const char *name, const char *path)
{
	uint64_t bytes, messages;

	if (quota_count(path, &bytes, &messages) == -1) {
		failed(name);
		return;
	}
	sum_bytes += bytes;
	sum_messages += messages;
}

/* "BYTES MESSAGES", which may be negative. */
static void
add_line(struct span line, uint64_t sum[2])
{
	for (int i = 0; i < 2; i++) {
		struct span word = span_word(&line);
		bool minus = word.n > 0 && *word.p == '-';
		uint64_t n;

		if (minus)
			span_take(&word, 1);
		if (num_u64(word, &n))
			sum[i] += minus ? -n : n;
	}
}

bool
examine_maildirsize(char *text, size_t size)
{
	char *all[] = { NULL };
	uint64_t sum[2] = { 0 };
	struct span s;
	struct buf b;

	buf_init(&b, FILE_MAX);
	if (fs_read(boxes.fd, "maildirsize", &b) == -1) {
		buf_free(&b);
		return false;
	}
	s = buf_span(&b);
	span_cut(&s, '\n');
	while (s.n > 0)
		add_line(span_cut(&s, '\n'), sum);
	buf_free(&b);
	sum_bytes = sum_messages = 0;
	each_box(all, add_box);
	snprintf(text, size, "%lld bytes, %lld messages; there are %llu, %llu",
	    (long long)sum[0], (long long)sum[1], (unsigned long long)sum_bytes,
	    (unsigned long long)sum_messages);
	return sum[0] != sum_bytes || sum[1] != sum_messages;
}
