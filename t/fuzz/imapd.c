/* imap/imapd: where input is cut changes nothing that is said. */
#include <assert.h>

#include "imap/imapd.h"
#include "imap/imapset.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void
tree(struct buf *b, const struct imap_arg *a)
{
	for (; a != NULL; a = a->next) {
		buf_putc(b, (char)('0' + a->type));
		buf_put(b, a->text);
		if (a->type == IMAP_LIST)
			tree(b, a->list);
	}
}

static void
play(struct span all, size_t step, struct buf *said)
{
	struct buf out = { .max = 1048576 };
	struct imapd e;
	enum imapd_event ev = IMAPD_MORE;

	imapd_init(&e, &out, LIMIT_IMAP_ARENA);
	while (all.n > 0 && ev != IMAPD_CLOSE) {
		struct span in = span_take(&all, all.n < step ? all.n : step);

		while ((ev = imapd_next(&e, &in)) != IMAPD_MORE &&
		    ev != IMAPD_CLOSE) {
			struct imapset set;

			if (ev == IMAPD_COMMAND || ev == IMAPD_MESSAGE ||
			    ev == IMAPD_END) {
				buf_put(said, e.tag);
				buf_put(said, e.name);
				tree(said, e.args);
				if (imap_is_string(e.args) &&
				    imapset_parse(
					&e.arena, e.args->text, 9, &set))
					assert(set.n <= e.args->text.n);
			}
			if (ev == IMAPD_MESSAGE && e.message % 2 == 0)
				imapd_accept(&e);
			else if (ev == IMAPD_MESSAGE)
				imapd_refuse(&e);
			if (ev == IMAPD_PIECE || ev == IMAPD_LINE)
				buf_put(said, e.text);
			if (span_iis(e.name, "IDLE") && ev == IMAPD_COMMAND)
				imapd_line(&e);
		}
	}
	buf_put(said, buf_span(&out));
	imapd_free(&e);
	buf_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct buf a = { .max = 4194304 }, b = { .max = 4194304 };
	struct span in = { (const char *)p, n };

	play(in, n + 1, &a);
	play(in, 1, &b);
	assert(span_eq(buf_span(&a), buf_span(&b)));
	buf_free(&a);
	buf_free(&b);
	return 0;
}
