/* pop3/pop3d: whatever is said, the replies are bounded and whole lines. */
#include <assert.h>

#include "pop3/pop3d.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static uint32_t
uid(void *ctx, size_t i)
{
	(void)ctx;
	return (uint32_t)i + 1;
}

static bool
size(void *ctx, size_t i, uint64_t *n)
{
	(void)ctx;
	*n = i;
	return i != 3;
}

static void
answer(struct pop3d *d, enum pop3d_event e, const struct pop3d_box *box)
{
	if (e == POP3D_RETR) {
		assert(d->msg < box->count);
		assert(box->mark[d->msg] == POP3D_LIVE);
		if (d->top)
			pop3d_send(d, 1);
		else
			pop3d_fail(d, d->msg == 2 ? POP3D_NONE : POP3D_LATER);
	} else if (e == POP3D_QUIT) {
		pop3d_quit(d, false);
	}
	assert(!d->out->over);
	assert(d->out->n == 0 || d->out->p[d->out->n - 1] == '\n');
	buf_clear(d->out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	unsigned char mark[5] = { 0 };
	struct pop3d_box box = { .count = 5,
		.uidvalidity = 9,
		.uid = uid,
		.size = size,
		.mark = mark };
	struct span in = { (const char *)p, n };
	static struct pop3d d;
	enum pop3d_event e;
	struct buf out;

	buf_init(&out, (size_t)POP3D_OUT_MAX);
	pop3d_init(&d, &out, &box);
	do {
		e = pop3d_next(&d, &in);
		answer(&d, e, &box);
	} while (e != POP3D_END && (e != POP3D_MORE || in.n > 0));
	buf_free(&out);
	return 0;
}
