/*
 * store/snapshot: any file is refused, or is a table in order, with names
 * that fit.  The input is what the header has behind its first line, then
 * all behind the header; with a first byte that is odd its sums are right.
 */
#include "place.h"
#include "store/crc.h"
#include "store/index.h"
#include "store/le.h"

enum { FIELDS = 176 };

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void
write_file(int fd, const uint8_t *p, size_t n, bool whole)
{
	char head[SNAPSHOT_HEADER] = "pneu-snapshot 1\n";
	size_t fields = n < FIELDS ? n : FIELDS;
	struct span rest = { (const char *)p + fields, n - fields };
	int file =
	    openat(fd, snapshot_name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert(file != -1);
	if (fields > 0)
		memcpy(head + 16, p, fields);
	if (whole) {
		le_set(head + 80, 4, crc32_add(0, rest));
		le_set(head + SNAPSHOT_HEADER - 4, 4,
		    crc32_add(0, (struct span){ head, SNAPSHOT_HEADER - 4 }));
	}
	assert(write(file, head, sizeof(head)) == (ssize_t)sizeof(head));
	if (rest.n > 0)
		assert(write(file, rest.p, rest.n) == (ssize_t)rest.n);
	close(file);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct index ix;
	char file[512];

	if (n == 0)
		return 0;
	if (ix.fd == 0) {
		assert(index_open(&ix, place_path()) == 0);
	}
	write_file(ix.fd, p + 1, n - 1, (p[0] & 1) != 0);
	if (snapshot_load(&ix) == SNAPSHOT_OK && snapshot_check(&ix)) {
		uint32_t last = 0;

		assert(ix.nkeywords <= LIMIT_KEYWORDS);
		for (size_t i = 0; i < ix.n; i++) {
			const struct entry *e = &ix.entry[i];

			assert(e->msg.uid > last);
			last = e->msg.uid;
			index_file(&ix, e, file);
			assert(strlen(file) <= 4 + 255);
		}
		index_find(&ix, last);
		for (int k = 0; k < ix.nkeywords; k++)
			assert(strlen(ix.keyword[k]) <= LIMIT_KEYWORD);
	}
	index_free_table(&ix);
	return 0;
}
