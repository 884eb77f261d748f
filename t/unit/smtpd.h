/*
 * smtpd - play a dialogue with the engine, at every cut of its input
 */
#ifndef T_UNIT_SMTPD_H
#define T_UNIT_SMTPD_H

#include "smtp/smtpd.h"

#include "test.h"

enum { TRACE_MAX = 16384 };

/* What the world says: addresses with "no" in them are refused. */
static inline void
decide(struct smtpd *s, enum smtpd_event e, struct buf *trace)
{
	bool bad;

	switch (e) {
	case SMTPD_MAIL:
		buf_printf(trace, "[mail %s %d %llu%s%s]", s->sender,
		    s->eightbit, (unsigned long long)s->declared,
		    s->conf.queue && s->mail_args[0] != '\0' ? " " : "",
		    s->conf.queue ? s->mail_args : "");
		bad = strstr(s->sender, "no") != NULL;
		smtpd_reply(s, bad ? SMTP_NOT_YOURS : SMTP_SENDER_OK);
		break;
	case SMTPD_RCPT:
		buf_printf(trace, "[rcpt %s%s%s]", s->rcpt,
		    s->rcpt_arg[0] != '\0' ? " " : "", s->rcpt_arg);
		bad = strstr(s->rcpt, "no") != NULL;
		smtpd_reply(s, bad ? SMTP_NO_USER : SMTP_RCPT_OK);
		break;
	case SMTPD_DATA:
		buf_puts(trace, "[data]");
		bad = strstr(s->sender, "wait") != NULL;
		smtpd_reply(s, bad ? SMTP_LATER : SMTP_GO_AHEAD);
		break;
	case SMTPD_BODY:
		buf_put(trace, s->piece);
		if (span_find(s->piece, SPAN("V")) < s->piece.n)
			smtpd_refuse(s, 554, SPAN("5.7.1 a V\r\nin it"));
		break;
	case SMTPD_END:
		buf_printf(trace, "[end %llu]", (unsigned long long)s->size);
		for (unsigned n = s->conf.lmtp ? s->nrcpt : 1; n > 0; n--)
			smtpd_reply(s, SMTP_ACCEPTED);
		break;
	case SMTPD_ABORT:
		buf_puts(trace, "[abort]");
		break;
	case SMTPD_XCLIENT:
		for (int i = 0; i < SMTPD_XCLIENTS; i++)
			if (s->xclient.given[i])
				buf_printf(trace, "[%d %s%s]", i,
				    s->xclient.value[i],
				    s->xclient.later[i] ? "?" : "");
		smtpd_restart(s);
		buf_printf(trace, "[%s %d]", s->helo, s->esmtp);
		break;
	case SMTPD_TLS:
		buf_puts(trace, "[tls]");
		smtpd_tls_started(s);
		break;
	case SMTPD_MORE:
	case SMTPD_FLUSH:
	case SMTPD_CLOSE:
		break;
	}
}

/*
 * Feed `step` bytes at a time: events into trace, replies into said.
 * A TLS start in the middle of a piece is the caller's to refuse.
 */
static inline void
run(const struct smtpd_conf *conf, const char *text, size_t step,
    struct buf *trace, struct buf *said)
{
	char window[8192];
	struct span left = span_of(text), in = { window, 0 };
	struct smtpd s;
	enum smtpd_event e;

	buf_clear(trace);
	buf_clear(said);
	smtpd_init(&s, conf);
	s.now = 1795000000;
	for (;;) {
		e = smtpd_next(&s, &in);
		decide(&s, e, trace);
		if (e != SMTPD_MORE && e != SMTPD_FLUSH && e != SMTPD_CLOSE)
			continue;
		buf_put(said, buf_span(&s.out));
		buf_clear(&s.out);
		if (e == SMTPD_CLOSE)
			break;
		if (e == SMTPD_MORE) {
			size_t n = left.n < step ? left.n : step;

			if (n == 0)
				break;
			memmove(window, in.p, in.n);
			memcpy(window + in.n, left.p, n);
			in = (struct span){ window, in.n + n };
			span_take(&left, n);
		}
	}
	buf_puts(trace, e == SMTPD_CLOSE ? "[close]" : "[more]");
	smtpd_free(&s);
}

/* the first three digits of each reply */
static inline void
codes(struct buf *said, char *to)
{
	struct span s = buf_span(said);

	while (s.n > 0) {
		struct span line = span_cut(&s, '\n');

		if (line.p[3] == '-')
			continue;
		memcpy(to, line.p, 3);
		to += 3;
		*to++ = ' ';
	}
	*to = '\0';
}

#define HELO "HELO a\r\n"
#define TO HELO "MAIL FROM:<s@x>\r\nRCPT TO:<r@y>\r\n"
#define BODY TO "DATA\r\n"
#define END ".\r\nNOOP\r\n"

static const struct smtpd_conf plain = {
	.host = "mx.test", .tls_offered = true, .size_max = 1000
};

static struct buf trace = { .max = TRACE_MAX * 8 };
static struct buf said = { .max = TRACE_MAX * 8 };

static inline void
one(const struct smtpd_conf *c, const char *in, const char *want_codes,
    const char *want_events)
{
	static char got[TRACE_MAX];

	for (size_t step = 1; step <= 17; step++) {
		run(c, in, step == 17 ? 4096 : step, &trace, &said);
		codes(&said, got);
		if (strcmp(got, want_codes) != 0 ||
		    (want_events != NULL &&
			strcmp(buf_cstr(&trace), want_events) != 0))
			printf("# step %zu of %s\n# %s\n# %s\n", step, in, got,
			    buf_cstr(&trace));
		check(strcmp(got, want_codes) == 0);
		check(want_events == NULL ||
		    strcmp(buf_cstr(&trace), want_events) == 0);
	}
}

#endif
