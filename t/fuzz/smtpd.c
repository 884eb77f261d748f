/* smtp/smtpd: how the input is cut changes nothing; replies are lines. */
#include <assert.h>

#include "smtp/smtpd.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

enum { MAX = 4096 };

static void
decide(struct smtpd *s, enum smtpd_event e, struct buf *trace)
{
	size_t v;

	switch (e) {
	case SMTPD_MAIL:
		buf_printf(trace, "[mail %s %s]", s->sender, s->mail_args);
		smtpd_reply(s,
		    strchr(s->sender, 'n') ? SMTP_NOT_YOURS : SMTP_SENDER_OK);
		break;
	case SMTPD_RCPT:
		buf_printf(trace, "[rcpt %s %s]", s->rcpt, s->rcpt_arg);
		smtpd_reply(
		    s, strchr(s->rcpt, 'n') ? SMTP_NO_USER : SMTP_RCPT_OK);
		break;
	case SMTPD_DATA:
		assert(s->nrcpt > 0);
		assert(
		    span_chr(buf_span(&s->rcpt_args), '\0') == s->rcpt_args.n);
		smtpd_reply(s, s->eightbit ? SMTP_LATER : SMTP_GO_AHEAD);
		break;
	case SMTPD_BODY:
		assert(s->piece.n > 0);
		v = span_chr(s->piece, 'V');
		if (v < s->piece.n)
			smtpd_refuse(s, 554, SPAN("5.7.1 a\r\n250 V"));
		buf_put(trace, (struct span){ s->piece.p, v });
		break;
	case SMTPD_END:
		buf_puts(trace, "[end]");
		for (unsigned i = s->conf.lmtp ? s->nrcpt : 1; i > 0; i--)
			smtpd_say(s, 250, SPAN("2.0.0 \r\nok"));
		break;
	case SMTPD_ABORT:
		buf_puts(trace, "[abort]");
		break;
	case SMTPD_XCLIENT:
		buf_printf(trace, "[xclient %s %s]",
		    s->xclient.value[SMTPD_XADDR],
		    s->xclient.value[SMTPD_XLOGIN]);
		if (s->xclient.given[SMTPD_XPORT])
			smtpd_reply(s, SMTP_BAD_PARAM);
		else
			smtpd_restart(s);
		break;
	case SMTPD_MORE:
	case SMTPD_FLUSH:
	case SMTPD_TLS:
	case SMTPD_CLOSE:
		break;
	}
}

static void
run(struct span left, size_t step, unsigned how, struct buf *trace)
{
	static const struct smtpd_conf plain = { .host = "h",
		.size_max = 50000 };
	static char window[MAX];
	struct smtpd_conf conf = plain;
	struct span in = { window, 0 };
	struct smtpd s;
	enum smtpd_event e;

	conf.lmtp = conf.submission = (how & 1) != 0;
	conf.queue = conf.tls_active = conf.xclient = (how & 2) != 0;
	smtpd_init(&s, &conf);
	while ((e = smtpd_next(&s, &in)) != SMTPD_CLOSE) {
		decide(&s, e, trace);
		if (e != SMTPD_MORE && e != SMTPD_FLUSH)
			continue;
		buf_put(trace, buf_span(&s.out));
		buf_clear(&s.out);
		if (e == SMTPD_MORE) {
			size_t k = left.n < step ? left.n : step;

			if (k == 0)
				break;
			memmove(window, in.p, in.n);
			memcpy(window + in.n, left.p, k);
			in = (struct span){ window, in.n + k };
			span_take(&left, k);
		}
	}
	buf_put(trace, buf_span(&s.out));
	buf_puts(trace, e == SMTPD_CLOSE ? "[close]" : "[more]");
	assert(!s.out.over);
	smtpd_free(&s);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct span in = { (const char *)p, n < MAX ? n : MAX };
	struct buf a = { .max = 1 << 22 }, b = { .max = 1 << 22 };
	unsigned how = n == 0 ? 0
	    : *p == 'L'       ? 3
	    : *p == 'l'       ? 1
	    : *p == 'e'       ? 0
			      : 2;

	run(in, MAX, how, &a);
	run(in, 1, how, &b);
	/* replies come out at other moments, but all of them, in order */
	assert(a.n == b.n);
	buf_free(&a);
	buf_free(&b);
	return 0;
}
