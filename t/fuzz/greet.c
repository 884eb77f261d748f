/* SMTP and POP3 before login: cuts never change what comes out. */
#include <assert.h>
#include <stddef.h>

#include "base/greet.h"
#include "pop3/greet.h"
#include "smtp/greet.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/*
 * All that is said, and a letter for each event; bit i of answers decides
 * what the monitor says to the i-th question.
 */
static void
talk(const struct greet_proto *proto, unsigned char answers, struct span all,
    size_t step, struct buf *said)
{
	static _Alignas(max_align_t) char engine[GREET_SIZE_MAX];
	struct greet_conf conf = { .host = "mx",
		.mechs = "PLAIN LOGIN",
		.tls_offered = true,
		.plain_ok = (answers & 1) != 0 };
	struct span in = { all.p, 0 };
	unsigned asked = 1;

	assert(proto->size <= sizeof(engine));
	proto->init(engine, said, &conf);
	for (;;) {
		struct greet_auth a = { 0 };
		size_t left = all.n - (size_t)(in.p + in.n - all.p);
		enum greet_event e = proto->next(engine, &in, &a);

		buf_putc(said, (char)('a' + (int)e));
		if (e == GREET_END)
			break;
		if (e == GREET_MORE && left == 0)
			break;
		if (e == GREET_MORE) {
			said->n--;
			in.n += left < step ? left : step;
		} else if (e == GREET_TLS) {
			conf.tls_active = conf.plain_ok = true;
			proto->tls_started(engine);
		} else if (e == GREET_AUTH || e == GREET_RESPONSE) {
			buf_put(said, a.response);
			if (answers >> asked++ % 8 & 1)
				proto->challenge(engine, SPAN("Password:"));
			else
				proto->fail(
				    engine, (enum greet_failure)(asked % 7));
		}
	}
	buf_put(said, proto->state(engine));
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const struct greet_proto *const protos[] = { &smtp_greet,
		&pop3_greet };
	struct buf whole = { .max = 1 << 20 }, cut = { .max = 1 << 20 };
	struct span in;
	size_t step;

	if (n < 3)
		return 0;
	in = (struct span){ (const char *)p + 3, n - 3 };
	step = p[2] % 40 + 1u;
	talk(protos[p[0] % 2], p[1], in, in.n > 0 ? in.n : 1, &whole);
	talk(protos[p[0] % 2], p[1], in, step, &cut);
	assert(whole.over || span_eq(buf_span(&whole), buf_span(&cut)));
	buf_free(&whole);
	buf_free(&cut);
	return 0;
}
