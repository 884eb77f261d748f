/* imapc: whatever a server says, and wherever it is cut. */
#include <assert.h>

#include "imap/imapc.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static struct buf words, body, scratch, name;

static uint64_t
add(uint64_t hash, struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		hash = hash * 33 + (unsigned char)s.p[i];
	return hash;
}

static void
read_text(struct span text)
{
	struct imapc_fetch f;
	unsigned attrs;
	uint32_t n;
	char sep;

	buf_clear(&words);
	if (imapc_fetch(text, &f, &words, &body, &scratch))
		add(0, f.body);
	if (imapc_list(text, &attrs, &sep, &name, &scratch))
		add(0, buf_span(&name));
	if (imapc_code(text, "UIDNEXT", &n))
		add(n, text);
}

static uint64_t
run(struct span in, size_t step)
{
	enum imapc_event e = IMAPC_MORE;
	struct span s, piece;
	struct imapc c;
	uint64_t hash = 5381;

	imapc_init(&c);
	while (in.n > 0 && e != IMAPC_BAD) {
		s = span_take(&in, step < in.n ? step : in.n);
		while ((e = imapc_next(&c, &s, &piece)) != IMAPC_MORE &&
		    e != IMAPC_BAD)
			if (e == IMAPC_BODY) {
				assert(piece.n > 0);
				hash = add(hash, piece);
			} else {
				hash = add(hash * 33 + e, c.text);
				read_text(c.text);
			}
	}
	imapc_free(&c);
	return hash * 33 + (e == IMAPC_BAD);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct span in = { (const char *)p, n };
	uint64_t whole;

	buf_init(&words, 65536);
	buf_init(&body, 65536);
	buf_init(&scratch, 65536);
	buf_init(&name, 65536);
	whole = run(in, n + 1);
	assert(run(in, 1) == whole);
	assert(run(in, 5) == whole);
	buf_free(&words);
	buf_free(&body);
	buf_free(&scratch);
	buf_free(&name);
	return 0;
}
