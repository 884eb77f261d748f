/*
 * store/uidmem: whatever is in pneu.uidvalidity, a fresh UIDVALIDITY is one
 * that no line has, and what is remembered comes back.  The first line of
 * the input is a highest UID, the rest the file.
 */
#include "store/uidmem.h"

#include <errno.h>
#include <sys/stat.h>

#include "base/num.h"
#include "place.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static char root[128], work[160], file[160];

static void
begin(void)
{
	char cur[160];

	snprintf(root, sizeof(root), "%s/mail", place_path());
	snprintf(cur, sizeof(cur), "%s/cur", root);
	snprintf(work, sizeof(work), "%s/.Work", root);
	snprintf(file, sizeof(file), "%s/pneu.uidvalidity", root);
	assert(mkdir(root, 0700) == 0 && mkdir(cur, 0700) == 0);
}

static void
write_file(struct span text)
{
	int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert(fd != -1 && write(fd, text.p, text.n) == (ssize_t)text.n);
	close(fd);
}

/* "UIDVALIDITY HIGHEST NAME" */
static bool
has_line(struct span text, uint32_t uidvalidity)
{
	uint32_t v, h;

	while (text.n > 0) {
		struct span line = span_cut(&text, '\n');

		if (line.n > 22 && line.p[10] == ' ' && line.p[21] == ' ' &&
		    num_u32((struct span){ line.p, 10 }, &v) &&
		    num_u32((struct span){ line.p + 11, 10 }, &h) &&
		    v == uidvalidity)
			return true;
	}
	return false;
}

static void
check(const char *path, struct span text, uint32_t highest)
{
	struct uidmem m;
	uint32_t had[3], v = 0;

	if (uidmem_open(&m, path) == -1) {
		assert(errno == EPROTO);
		return;
	}
	for (int i = 0; i < 3; i++) {
		if (uidmem_fresh(&m, &v) == -1) {
			assert(errno == EOVERFLOW);
			uidmem_close(&m);
			return;
		}
		assert(v != 0 && !has_line(text, v));
		had[i] = v;
		for (int k = 0; k < i; k++)
			assert(had[k] != v);
	}
	uidmem_close(&m);
	assert(uidmem_open(&m, path) == 0);
	assert(m.uidvalidity == v && m.highest == 0);
	assert(uidmem_set(&m, v, highest) == 0);
	uidmem_close(&m);
	assert(uidmem_open(&m, path) == 0);
	assert(m.uidvalidity == v && m.highest == highest);
	uidmem_close(&m);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct span text = { (const char *)p, n };
	uint32_t highest;

	if (n == 0 || !num_u32(span_cut(&text, '\n'), &highest))
		return 0;
	if (root[0] == '\0')
		begin();
	write_file(text);
	check(root, text, highest);
	check(work, text, highest);
	return 0;
}
