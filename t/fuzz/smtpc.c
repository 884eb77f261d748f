/* smtp/smtpc: how a server's bytes are cut changes nothing; no byte of
 * theirs makes a line of ours; and only a 2xx to the message is sent. */
#include <assert.h>

#include "smtp/smtpc.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

struct session {
	struct smtpc c;
	struct smtpc_conf conf;
	struct smtpc_mail mail;
	struct smtpc_rcpt rcpts[3];
	struct buf out;
	bool sent, body;
};

static bool
act(struct session *s, struct span *in)
{
	for (;;)
		switch (smtpc_next(&s->c, in)) {
		case SMTPC_MORE:
			return true;
		case SMTPC_TLS:
			smtpc_tls_started(&s->c);
			return true;
		case SMTPC_BODY:
			assert(!s->body);
			s->body = true;
			smtpc_body_done(&s->c);
			break;
		case SMTPC_READY:
			if (s->sent)
				return false;
			s->sent = true;
			smtpc_send(&s->c, &s->mail);
			break;
		case SMTPC_GONE:
			return false;
		}
}

static void
run(struct session *s, struct span all, size_t step)
{
	struct span in = { all.p, 0 };

	memset(s, 0, sizeof(*s));
	s->conf.helo = "me";
	buf_init(&s->out, 65536);
	for (size_t i = 0; i < 3; i++)
		s->rcpts[i].address = SPAN("x@y");
	s->mail = (struct smtpc_mail){ .sender = SPAN("a@b"),
		.rcpts = s->rcpts,
		.nrcpts = 3,
		.size = 100,
		.eight_bit = true };
	smtpc_init(&s->c, &s->conf, &s->out);
	while (act(s, &in) && all.n > 0)
		in = span_take(&all, all.n < step ? all.n : step);
	smtpc_lost(&s->c, "lost");
	smtpc_decide(&s->mail, TEMP, "4.0.0", "never asked");
	for (size_t i = 0; i < 3; i++) {
		const struct smtpc_rcpt *r = &s->rcpts[i];

		assert(r->decided);
		assert(r->code[0] ==
		    (r->verdict == OK            ? '2'
			    : r->verdict == TEMP ? '4'
						 : '5'));
		assert(r->verdict != OK || (s->body && r->text[0] == '2'));
		assert(strchr(r->text, '\n') == NULL);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct session whole, cut;
	struct span all = { (const char *)p, n };

	run(&whole, all, n + 1);
	run(&cut, all, 1);
	assert(span_eq(buf_span(&whole.out), buf_span(&cut.out)));
	for (size_t i = 0; i < 3; i++)
		assert(strcmp(whole.rcpts[i].text, cut.rcpts[i].text) == 0 &&
		    strcmp(whole.rcpts[i].code, cut.rcpts[i].code) == 0);
	buf_free(&whole.out);
	buf_free(&cut.out);
	return 0;
}
