/* smtpc: what is said to a server and made of its replies, at every cut */
#include "smtp/smtpc.h"

#include "test.h"

#define GREET "220 h\r\n"
#define PIPE GREET "250-h\r\n250 PIPELINING\r\n"
#define PLAIN GREET "250 h\r\n"
#define EHLO "EHLO me\r\n"
#define MAIL2 "MAIL FROM:<a@b>\r\nRCPT TO:<x@y>\r\nRCPT TO:<z@y>\r\n"
#define OK3 "250 m\r\n250 r\r\n250 r\r\n"

/* The results are the codes of x@y and z@y; BODY stands for the message. */
static const struct {
	const char *server, *client, *results;
	bool gone;
} cases[] = {
	/* clang-format off */
	{ PIPE OK3 "354 d\r\n250 2.6.0 done\r\n",
	    EHLO MAIL2 "DATA\r\nBODY.\r\n", "2.6.0 2.6.0", false },
	{ PLAIN OK3 "354 d\r\n250 done\r\n",
	    EHLO MAIL2 "DATA\r\nBODY.\r\n", "2.0.0 2.0.0", false },
	/* each recipient has its own fate */
	{ PIPE "250 m\r\n550 5.1.1 no\r\n250 r\r\n354 d\r\n250 ok\r\n",
	    EHLO MAIL2 "DATA\r\nBODY.\r\n", "5.1.1 2.0.0", false },
	{ PLAIN "250 m\r\n450 4.2.1 wait\r\n550 no\r\n250 reset\r\n",
	    EHLO MAIL2 "RSET\r\n", "4.2.1 5.0.0", false },
	/* nobody is left, and DATA was taken: a dot alone */
	{ PIPE "250 m\r\n550 n\r\n550 n\r\n354 d\r\n554 nothing\r\n",
	    EHLO MAIL2 "DATA\r\n.\r\n", "5.0.0 5.0.0", false },
	{ PIPE "550 5.7.1 m\r\n503 n\r\n503 n\r\n503 d\r\n250 reset\r\n",
	    EHLO MAIL2 "DATA\r\nRSET\r\n", "5.7.1 5.7.1", false },
	{ PLAIN "451 4.3.0 m\r\n250 reset\r\n",
	    EHLO "MAIL FROM:<a@b>\r\nRSET\r\n", "4.3.0 4.3.0", false },
	{ PIPE OK3 "554 5.6.0 d\r\n250 reset\r\n",
	    EHLO MAIL2 "DATA\r\nRSET\r\n", "5.6.0 5.6.0", false },
	{ PIPE OK3 "354 d\r\n552 5.3.4 big\r\n",
	    EHLO MAIL2 "DATA\r\nBODY.\r\n", "5.3.4 5.3.4", false },
	/* a yes to another question is none */
	{ PIPE OK3 "250 2.0.0 d\r\n250 reset\r\n",
	    EHLO MAIL2 "DATA\r\nRSET\r\n", "4.5.0 4.5.0", false },
	{ PIPE OK3 "354 d\r\n354 again\r\n",
	    EHLO MAIL2 "DATA\r\nBODY.\r\n", "4.5.0 4.5.0", false },
	{ PIPE "250 m\r\n354 r\r\n250 r\r\n354 d\r\n250 ok\r\n",
	    EHLO MAIL2 "DATA\r\nBODY.\r\n", "4.5.0 2.0.0", false },
	/* the enhanced code must be of the reply's class */
	{ PIPE OK3 "354 d\r\n550 2.0.0 no\r\n",
	    EHLO MAIL2 "DATA\r\nBODY.\r\n", "5.0.0 5.0.0", false },
	/* 421 ends it, and what is open is for later */
	{ PIPE "250 m\r\n550 5.1.1 n\r\n421 4.3.2 bye\r\n",
	    EHLO MAIL2 "DATA\r\n", "5.1.1 4.3.2", true },
	{ PIPE OK3 "354 d\r\n421 bye\r\n",
	    EHLO MAIL2 "DATA\r\nBODY.\r\n", "4.0.0 4.0.0", true },
	/* no EHLO: HELO, and only for these codes */
	{ GREET "502 5.5.1 what\r\n250 h\r\n" OK3 "354 d\r\n250 ok\r\n",
	    EHLO "HELO me\r\n" MAIL2 "DATA\r\nBODY.\r\n", "2.0.0 2.0.0", false },
	{ GREET "550 5.7.1 go away\r\n", EHLO, "5.7.1 5.7.1", true },
	{ GREET "451 4.7.1 later\r\n", EHLO, "4.7.1 4.7.1", true },
	{ "554 no service\r\n", "", "5.0.0 5.0.0", true },
	{ "220-h\r\n220-\r\n220 h\r\n250 h\r\n421 x\r\n",
	    EHLO "MAIL FROM:<a@b>\r\n", "4.0.0 4.0.0", true },
	/* parameters where they are offered */
	{ GREET "250-h\r\n250-size 999\r\n250-8bitmime\r\n250-DSN\r\n"
	    "250 Pipelining\r\n421 x\r\n",
	    EHLO "MAIL FROM:<a@b> SIZE=9 BODY=8BITMIME RET=HDRS ENVID=e\r\n"
	    "RCPT TO:<x@y> NOTIFY=NEVER\r\nRCPT TO:<z@y>\r\nDATA\r\n",
	    "4.0.0 4.0.0", true },
	{ GREET "250-h\r\n250 SIZE 8\r\n", EHLO, "5.3.4 5.3.4", false },
	/* not SMTP */
	{ "220\r\n25 h\r\n", EHLO, "4.5.0 4.5.0", true },
	{ "HTTP/1.1 400 Bad Request\r\n", "", "4.5.0 4.5.0", true },
	{ "220h\r\n", "", "4.5.0 4.5.0", true },
	{ "", "", "4.4.2 4.4.2", true },
	{ PIPE OK3 "354 d\r\n", EHLO MAIL2 "DATA\r\nBODY.\r\n",
	    "4.4.2 4.4.2", true },
	/* clang-format on */
};

struct session {
	struct smtpc c;
	struct smtpc_conf conf;
	struct smtpc_mail mail;
	struct smtpc_rcpt rcpts[2];
	struct buf out;
	bool sent;
};

static void
begin(struct session *s, bool details)
{
	memset(s, 0, sizeof(*s));
	s->conf.helo = "me";
	buf_init(&s->out, 65536);
	s->rcpts[0].address = SPAN("x@y");
	s->rcpts[1].address = SPAN("z@y");
	s->mail = (struct smtpc_mail){
		.sender = SPAN("a@b"), .rcpts = s->rcpts, .nrcpts = 2
	};
	if (details) {
		s->mail.size = 9;
		s->mail.eight_bit = true;
		s->mail.args = SPAN("RET=HDRS BODY=7BIT ENVID=e ENVID=\r\nX");
		s->rcpts[0].args = SPAN("NOTIFY=NEVER X=1 ORCPT=\177");
	}
	smtpc_init(&s->c, &s->conf, &s->out);
}

/* Act on events until more bytes are needed; false at the end. */
static bool
act(struct session *s, struct span *in)
{
	for (;;)
		switch (smtpc_next(&s->c, in)) {
		case SMTPC_MORE:
			return true;
		case SMTPC_TLS:
			check(false);
			return false;
		case SMTPC_BODY:
			buf_puts(&s->out, "BODY");
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
run(size_t i, size_t step)
{
	struct span all = span_of(cases[i].server), in = { all.p, 0 };
	struct session s;
	char results[40];
	bool more;

	begin(&s,
	    strstr(cases[i].server, "ize") != NULL ||
		strstr(cases[i].server, "SIZE") != NULL);
	while ((more = act(&s, &in)) && all.n > 0)
		in = span_take(&all, all.n < step ? all.n : step);
	if (more)
		smtpc_lost(&s.c, "connection lost");
	check(span_is(buf_span(&s.out), cases[i].client));
	if (!s.sent) /* as the caller does when it could not even ask */
		smtpc_decide(&s.mail, s.c.end, s.c.end_code, s.c.why);
	snprintf(results, sizeof(results), "%s %s", s.rcpts[0].code,
	    s.rcpts[1].code);
	check(span_is(span_of(results), cases[i].results));
	for (size_t k = 0; k < 2; k++) {
		enum verdict v = s.rcpts[k].verdict;

		check(s.rcpts[k].decided);
		check(s.rcpts[k].code[0] ==
		    (v == OK            ? '2'
			    : v == TEMP ? '4'
					: '5'));
	}
	check((smtpc_next(&s.c, &in) == SMTPC_GONE) == cases[i].gone);
	buf_free(&s.out);
}

/* STARTTLS: asked for when offered, and all that came before forgotten. */
static void
tls(void)
{
	struct session s;
	struct span in = SPAN(GREET "250-h\r\n250-PIPELINING\r\n250-DSN\r\n"
				    "250 STARTTLS\r\n220 go\r\n");

	begin(&s, false);
	s.conf.starttls = true;
	check(smtpc_next(&s.c, &in) == SMTPC_TLS);
	check(span_is(buf_span(&s.out), EHLO "STARTTLS\r\n"));
	buf_clear(&s.out);
	smtpc_tls_started(&s.c);
	check(!s.c.pipelining && !s.c.dsn);
	in = SPAN("250 h\r\n");
	check(smtpc_next(&s.c, &in) == SMTPC_READY);
	check(span_is(buf_span(&s.out), EHLO));
	buf_free(&s.out);

	begin(&s, false); /* a byte behind the 220 */
	s.conf.starttls = true;
	in = SPAN(GREET "250-h\r\n250 STARTTLS\r\n220 go\r\n250 x\r\n");
	check(smtpc_next(&s.c, &in) == SMTPC_GONE);
	buf_free(&s.out);

	begin(&s, false); /* it can't now */
	s.conf.starttls = true;
	in = SPAN(GREET "250-h\r\n250 STARTTLS\r\n454 no\r\n");
	check(smtpc_next(&s.c, &in) == SMTPC_READY);
	buf_free(&s.out);
}

/* Replies without end. */
static void
bounds(void)
{
	static char line[2 * SMTPC_LINE];
	struct session s;
	struct span in;
	enum smtpc_event e = SMTPC_MORE;
	int n;

	begin(&s, false);
	for (n = 0; n < 10000 && e == SMTPC_MORE; n++) {
		in = SPAN("220-more\r\n");
		e = smtpc_next(&s.c, &in);
	}
	check(e == SMTPC_GONE && n == LIMIT_SMTP_REPLY_LINES + 1);
	buf_free(&s.out);
	begin(&s, false);
	memset(line, '2', sizeof(line));
	line[sizeof(line) - 1] = '\n';
	in = (struct span){ line, sizeof(line) };
	check(smtpc_next(&s.c, &in) == SMTPC_GONE);
	buf_free(&s.out);
}

/* Whether another session may send the message again. */
static void
answered(void)
{
	static const struct {
		const char *server;
		bool answered;
	} t[] = { { PIPE, false }, { PIPE "421 idle\r\n", false },
		{ PIPE "250 m\r\n", true }, { PIPE OK3 "354 d\r\n", true } };

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct session s;
		struct span in = span_of(t[i].server);

		begin(&s, false);
		act(&s, &in);
		smtpc_lost(&s.c, "lost");
		check(s.c.answered == t[i].answered);
		buf_free(&s.out);
	}
}

/* What is offered, and what is said of a message that asks for all. */
static void
extensions(void)
{
	static const struct {
		const char *offers, *mail, *rcpt;
		bool tls;
	} t[] = {
		/* clang-format off */
		{ "250 h", "", "", true },
		{ "250 REQUIRETLS", " REQUIRETLS", "", true },
		{ "250 REQUIRETLS", "", "", false },
		{ "250 DELIVERBY", " BY=-7;NT", "", false },
		{ "250-deliverby 60\r\n250 requiretls",
		    " REQUIRETLS BY=-7;NT", "", true },
		{ "250 SMTPUTF8", " SMTPUTF8", "", false },
		{ "250-8BITMIME\r\n250 SMTPUTF8", " BODY=8BITMIME SMTPUTF8",
		    "", false },
		{ "250 DSN", " RET=HDRS", " ORCPT=utf-8;b\\x{FC}\\x{4F8B}",
		    false },
		{ "250-DSN\r\n250 SMTPUTF8", " SMTPUTF8 RET=HDRS",
		    " ORCPT=utf-8;b\303\274\344\276\213", false },
		/* clang-format on */
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct session s;
		char want[300], server[200];
		struct span in;

		begin(&s, false);
		s.c.tls = t[i].tls;
		s.mail.eight_bit = s.mail.smtputf8 = s.mail.requiretls = true;
		s.mail.by = "NT";
		s.mail.by_left = -7;
		s.mail.args = SPAN("BODY=8BITMIME SMTPUTF8 RET=HDRS BY=x;R");
		s.mail.nrcpts = 1;
		s.rcpts[0].args = SPAN("ORCPT=utf-8;b\303\274\344\276\213");
		snprintf(server, sizeof(server),
		    GREET "250-h\r\n250-PIPELINING\r\n%s\r\n", t[i].offers);
		snprintf(want, sizeof(want),
		    EHLO "MAIL FROM:<a@b>%s\r\nRCPT TO:<x@y>%s\r\nDATA\r\n",
		    t[i].mail, t[i].rcpt);
		in = span_of(server);
		check(act(&s, &in));
		check(span_is(buf_span(&s.out), want));
		buf_free(&s.out);
	}
}

static void
limits(void)
{
	struct session s;
	struct span in = SPAN(
	    GREET "250-h\r\n250-DELIVERBY 240\r\n"
		  "250 LIMITS MAILMAX=5 rcptmax=20 X=1 RCPTDOMAINMAX=1\r\n");

	begin(&s, false);
	act(&s, &in);
	check(s.c.mail_max == 5 && s.c.rcpt_max == 20);
	check(s.c.rcpt_domain_max == 1 && s.c.by_min == 240);
	buf_free(&s.out);
	begin(&s, false);
	in = SPAN(GREET "250-h\r\n250-DELIVERBY -1\r\n"
			"250 LIMITS MAILMAX=x RCPTMAX=1234567 RCPTMAX =\r\n");
	act(&s, &in);
	check(s.c.mail_max == 0 && s.c.rcpt_max == 0);
	check(s.c.deliverby && s.c.by_min == 0);
	buf_free(&s.out);
}

int
main(void)
{
	extensions();
	limits();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (size_t step = 1; step <= 16; step++)
			run(i, step);
	tls();
	bounds();
	answered();
	return done();
}
