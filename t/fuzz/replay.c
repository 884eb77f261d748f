/* store/replay: any records leave a table in order, with names that fit. */
#include <assert.h>

#include "store/index.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static const char types[] = "NMFVXKUTSC?";

/* A letter is a type; other bytes stand for one of them. */
static enum record_type
type_of(uint8_t c)
{
	if (c != '\0' && strchr(types, c) != NULL)
		return (enum record_type)c;
	return (enum record_type)types[c % (sizeof(types) - 1)];
}

/* Records of a type, a length of one byte and a body. */
static void
make_records(struct buf *b, const uint8_t *p, size_t n)
{
	while (n >= 2) {
		size_t len = p[1] < n - 2 ? p[1] : n - 2;
		size_t at = record_begin(b, type_of(p[0]));

		buf_put(b, (struct span){ (const char *)p + 2, len });
		record_end(b, at, 1);
		p += 2 + len;
		n -= 2 + len;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct index ix;
	char file[512];
	struct buf b;

	memset(&ix, 0, sizeof(ix));
	ix.gen = 1;
	ix.uidnext = 1;
	buf_init(&ix.names, 1 << 20);
	buf_init(&b, 1 << 20);
	make_records(&b, p, n);
	assert(index_replay(&ix, buf_span(&b)) == b.n);
	for (size_t i = 0; i < ix.n; i++) {
		const struct entry *e = &ix.entry[i];

		assert(e->msg.uid > 0 && e->len > 0);
		assert(i == 0 || e->msg.uid > ix.entry[i - 1].msg.uid);
		index_file(&ix, e, file);
		assert(strlen(file) <= 4 + 255);
	}
	assert(ix.nkeywords <= LIMIT_KEYWORDS);
	index_replay(&ix, (struct span){ (const char *)p, n });
	buf_free(&b);
	buf_free(&ix.names);
	index_free_table(&ix);
	free(ix.vanished);
	return 0;
}
