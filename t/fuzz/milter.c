/* smtp/milter: how a milter's bytes are cut changes nothing; its words can
 * be said to a client, and its changes stay within their packet. */
#include <assert.h>

#include "smtp/milter.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

enum { ROUNDS = 64 };

struct run {
	struct milter m;
	struct buf seen;
	unsigned asked;
};

static struct span
macro(void *arg, struct span name)
{
	(void)arg;
	return name.n % 2 == 0 ? name : (struct span){ NULL, 0 };
}

static void
check_event(struct run *r, enum milter_event e)
{
	const struct milter *m = &r->m;
	struct span text = buf_span(&m->text);

	if (e == MILTER_REPLY) {
		assert(m->code >= 400 && m->code <= 599);
		for (size_t i = 0; i < text.n; i++)
			assert(is_print(text.p[i]) || text.p[i] == '\n');
		assert(text.n == 0 || text.p[0] == '0' + m->code / 100);
		buf_put(&r->seen, text);
	}
	if (e == MILTER_ADD_FIELD || e == MILTER_INSERT_FIELD ||
	    e == MILTER_CHANGE_FIELD) {
		assert(m->name.n > 0);
		buf_put(&r->seen, m->name);
		buf_put(&r->seen, m->value);
	}
	if (e >= MILTER_ADD_RCPT) {
		buf_put(&r->seen, m->value);
		buf_put(&r->seen, m->args);
	}
	buf_putc(&r->seen, (char)e);
}

/* The next step of a mail, whichever is answered. */
static void
ask(struct run *r)
{
	struct milter *m = &r->m;
	bool asked = false;

	while (!asked && r->asked < ROUNDS) {
		buf_clear(&m->out);
		switch (r->asked++ % 8) {
		case 0:
			asked = milter_connect(m, SPAN("h"), SPAN("::1"), 25);
			break;
		case 1:
			asked = milter_helo(m, SPAN("h"));
			break;
		case 2:
			asked = milter_mail(m, SPAN("a@b"), SPAN("SIZE=1"));
			break;
		case 3:
			asked = milter_rcpt(m, SPAN("c@d"), SPAN(""));
			break;
		case 4:
			asked = milter_data(m);
			break;
		case 5:
			asked = milter_field(m, SPAN("A"), SPAN(" b"));
			break;
		case 6:
			asked = milter_body(m, SPAN("x\r\n"));
			break;
		case 7:
			asked = milter_end(m);
			break;
		}
		buf_put(&r->seen, buf_span(&m->out));
	}
}

static void
run(struct run *r, struct span all, size_t step)
{
	static const struct milter_conf conf = { .macro = macro };
	bool open = true;

	*r = (struct run){ .seen.max = 1 << 24 };
	milter_init(&r->m, &conf);
	milter_open(&r->m);
	while (open && all.n > 0) {
		struct span in = span_take(&all, all.n < step ? all.n : step);
		enum milter_event e;

		while ((e = milter_next(&r->m, &in)) != MILTER_MORE) {
			check_event(r, e);
			if (e == MILTER_BROKEN) {
				open = false;
				break;
			}
			if (e < MILTER_PROGRESS)
				ask(r);
		}
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct run whole, cut;
	struct span all = { (const char *)p, n };

	run(&whole, all, n + 1);
	run(&cut, all, 1);
	assert(span_eq(buf_span(&whole.seen), buf_span(&cut.seen)));
	milter_free(&whole.m);
	milter_free(&cut.m);
	buf_free(&whole.seen);
	buf_free(&cut.seen);
	return 0;
}
