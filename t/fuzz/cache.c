/*
 * store/cache: what is read was written, whatever happens to the file.
 *
 * With a first byte that is odd the rest is the file, behind its header,
 * and any place of it is asked for what seems to stand there.  Else it is
 * a story: texts are put and flushed, bytes of the file change, it is cut
 * and trimmed; each text comes back as it was, or is missing where harm
 * was done.
 */
#include "store/cache.h"

#include "place.h"
#include "store/le.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

enum { VALIDITY = 7, TEXTS = 24, HEADER = 32, FRAME = 16, MOST = 65536 };

static const char file_name[] = "pneu.cache";
static int dir;

struct text {
	struct cache_ref ref;
	char *p;
	size_t n;
};

struct story {
	struct cache c;
	struct text text[TEXTS];
	size_t n;
	bool harmed;
};

/* Noise: only what has its sum is believed, and it lies in the file. */
static void
write_file(struct span rest)
{
	char head[HEADER] = "pneu-cache 1\n";
	int fd = openat(dir, file_name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	le_set(head + 28, 4, VALIDITY);
	assert(write(fd, head, HEADER) == HEADER);
	assert(write(fd, rest.p, rest.n) == (ssize_t)rest.n);
	close(fd);
}

static void
look_at(struct cache *c, struct span file, size_t at)
{
	struct cache_ref r = { .at = (uint32_t)(HEADER + at) / CACHE_UNIT };
	struct span got;

	if (at + FRAME <= file.n) {
		r.uid = (uint32_t)le_get(file.p + at + 8, 4);
		r.kind = (uint32_t)le_get(file.p + at + 12, 4);
	}
	if (!cache_get(c, dir, VALIDITY, r, &got))
		return;
	assert(got.n <= CACHE_TEXT_MAX && at + FRAME + got.n <= file.n);
	assert(got.n == le_get(file.p + at, 4));
	assert(memcmp(got.p, file.p + at + FRAME, got.n) == 0);
	r.uid ^= 1;
	assert(!cache_get(c, dir, VALIDITY, r, &got));
}

static void
noise(struct span file)
{
	struct cache c = { .fd = -1 };
	struct span got;

	write_file(file);
	for (size_t at = 0; at < file.n + 2 * CACHE_UNIT; at += CACHE_UNIT)
		look_at(&c, file, at);
	for (uint32_t at = 1; at < HEADER / CACHE_UNIT; at++)
		assert(!cache_get(
		    &c, dir, VALIDITY, (struct cache_ref){ 0, 0, at }, &got));
	assert(!cache_get(
	    &c, dir, VALIDITY, (struct cache_ref){ 1, 0, UINT32_MAX }, &got));
	cache_close(&c);
}

static struct text *
find(struct story *s, uint32_t uid, uint32_t kind)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->text[i].ref.uid == uid && s->text[i].ref.kind == kind)
			return &s->text[i];
	if (s->n == TEXTS)
		return NULL;
	s->text[s->n] = (struct text){ .ref = { uid, kind, 0 } };
	return &s->text[s->n++];
}

static void
flush(struct story *s)
{
	cache_flush(&s->c, dir, VALIDITY);
	for (size_t i = 0; i < s->c.n; i++)
		find(s, s->c.ref[i].uid, s->c.ref[i].kind)->ref = s->c.ref[i];
	cache_clear(&s->c);
}

/* uid, kind, length, and a text that is as long as that many times 64 */
static void
put(struct story *s, struct span *in)
{
	uint32_t uid, kind;
	struct text *t;
	size_t n;

	if (in->n < 3)
		return;
	uid = (uint32_t)le_take(in, 1);
	kind = (uint32_t)le_take(in, 1) % 3;
	n = (size_t)le_take(in, 1) * 64;
	if ((t = find(s, uid, kind)) == NULL)
		return;
	if (in->n > 0)
		n += (unsigned char)*in->p;
	free(t->p);
	t->p = malloc(n + 1);
	t->n = n;
	t->ref.at = 0;
	for (size_t i = 0; i < n; i++)
		t->p[i] = in->n == 0 ? '\0' : in->p[i % in->n];
	if (cache_put(&s->c, uid, kind, (struct span){ t->p, n }))
		flush(s);
}

/* Another byte somewhere in the file; or an end too early. */
static void
harm(struct story *s, struct span *in, bool cut)
{
	size_t at = (size_t)le_take(in, 2);
	int fd = openat(dir, file_name, O_RDWR);
	off_t size;
	char c;

	if (fd == -1)
		return;
	size = lseek(fd, 0, SEEK_END);
	if (size == 0) {
		close(fd);
		return;
	}
	at %= (size_t)size;
	s->harmed = true;
	if (cut) {
		cache_close(&s->c); /* nobody has it mapped */
		assert(ftruncate(fd, (off_t)at) == 0);
	} else {
		assert(pread(fd, &c, 1, (off_t)at) == 1);
		c = (char)(c ^ (1 + le_take(in, 1) % 255));
		assert(pwrite(fd, &c, 1, (off_t)at) == 1);
	}
	close(fd);
}

static void
trim(struct story *s)
{
	struct cache_ref ref[TEXTS];

	cache_clear(&s->c);
	for (size_t i = 0; i < s->n; i++)
		ref[i] = s->text[i].ref;
	if (s->c.fd == -1 || !cache_trim(&s->c, dir, VALIDITY, ref, s->n))
		return;
	for (size_t i = 0; i < s->n; i++)
		s->text[i].ref.at = ref[i].at;
}

static void
check(struct story *s)
{
	struct span got;

	for (size_t i = 0; i < s->n; i++) {
		struct text *t = &s->text[i];

		if (cache_get(&s->c, dir, VALIDITY, t->ref, &got)) {
			assert(got.n == t->n);
			assert(memcmp(got.p, t->p, got.n) == 0);
		} else {
			assert(s->harmed || t->ref.at == 0);
		}
	}
}

static void
story(struct span in)
{
	struct story s = { .c.fd = -1 };
	struct span got;

	unlinkat(dir, file_name, 0);
	while (in.n > 0) {
		switch (le_take(&in, 1) % 8) {
		case 0:
			flush(&s);
			break;
		case 1:
			harm(&s, &in, false);
			break;
		case 2:
			harm(&s, &in, true);
			break;
		case 3:
			trim(&s);
			break;
		case 4:
			flush(&s);
			cache_close(&s.c);
			break;
		default:
			put(&s, &in);
		}
		check(&s);
	}
	flush(&s);
	cache_close(&s.c);
	for (size_t i = 0; i < s.n; i++) {
		assert(
		    !cache_get(&s.c, dir, VALIDITY + 1, s.text[i].ref, &got));
		free(s.text[i].p);
	}
	cache_close(&s.c);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct span rest = { (const char *)p + 1, n - 1 };

	if (n == 0 || n > MOST)
		return 0;
	if (dir == 0)
		dir = open(place_path(), O_RDONLY | O_DIRECTORY);
	assert(dir > 0);
	if (p[0] & 1)
		noise(rest);
	else
		story(rest);
	return 0;
}
