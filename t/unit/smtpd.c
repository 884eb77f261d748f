/* smtpd: every dialogue, at every cut of its input, and in one piece */
#include "smtpd.h"

static const struct {
	const char *in, *codes, *events;
} cases[] = {
	/* clang-format off */
	{ "", "", "[more]" },
	{ "EHLO a.b\r\n", "250 ", "[more]" },
	{ "HELO\r\nehlo \r\n", "501 501 ", "[more]" },
	{ "HELO [1.2.3.4]\r\nNOOP x\r\nRSET\r\nHELP\r\nVRFY a\r\nEXPN a\r\n",
	  "250 250 250 214 252 502 ", "[more]" },
	{ "LHLO a\r\nFOO\r\nMAIL FROM:<a@b>\r\n", "500 500 503 ", "[more]" },
	{ "QUIT\r\nNOOP\r\n", "221 ", "[close]" },
	{ HELO "QUIT now\r\n", "250 501 ", "[more]" },
	{ "GET / HTTP/1.1\r\nHost: x\r\n", "500 ", "[close]" },
	{ BODY "a\r\n..b\r\n" END, "250 250 250 354 250 250 ",
	  "[mail s@x 0 0][rcpt r@y][data]a\n.b\n[end 7][more]" },
	{ BODY END, "250 250 250 354 250 250 ",
	  "[mail s@x 0 0][rcpt r@y][data][end 0][more]" },
	/* order */
	{ HELO "RCPT TO:<a@b>\r\nDATA\r\n", "250 503 503 ", "[more]" },
	{ HELO "MAIL FROM:<>\r\nMAIL FROM:<>\r\nDATA\r\n",
	  "250 250 503 503 ", "[mail  0 0][more]" },
	{ HELO "MAIL FROM:<>\r\nRCPT TO:<no@b>\r\nDATA\r\nNOOP\r\n",
	  "250 250 550 554 250 ", "[mail  0 0][rcpt no@b][more]" },
	{ TO "RSET\r\nDATA\r\n", "250 250 250 250 503 ",
	  "[mail s@x 0 0][rcpt r@y][more]" },
	{ TO "HELO b\r\nDATA\r\n", "250 250 250 250 503 ",
	  "[mail s@x 0 0][rcpt r@y][more]" },
	{ HELO "MAIL FROM:<no@x>\r\nRCPT TO:<r@y>\r\n", "250 553 503 ",
	  "[mail no@x 0 0][more]" },
	{ HELO "MAIL FROM:<wait@x>\r\nRCPT TO:<r@y>\r\nDATA\r\nRSET\r\n",
	  "250 250 250 451 250 ", "[mail wait@x 0 0][rcpt r@y][data][more]" },
	/* paths */
	{ HELO "mail from: <a@b> \r\nRSET\r\nMAIL FROM:<@c,@d:a@b>\r\n",
	  "250 250 250 250 ", "[mail a@b 0 0][mail a@b 0 0][more]" },
	{ HELO "MAIL FROM:a@b\r\nMAIL FROM:<a@b\r\nMAIL a@b\r\nMAIL\r\n"
	  "MAIL FROM:<a>\r\nMAIL FROM:<a@b>x\r\n",
	  "250 501 501 501 501 501 501 ", "[more]" },
	{ HELO "MAIL FROM:<\"a b\"@c>\r\nRCPT TO:<PostMaster>\r\n"
	  "RCPT TO:<>\r\nRCPT TO:<-n@y>\r\nRCPT TO:<\"a\"@y>\r\n",
	  "250 250 250 501 250 250 ",
	  "[mail \"a b\"@c 0 0][rcpt PostMaster][rcpt -n@y][rcpt a@y][more]" },
	{ HELO "MAIL FROM:<\303\251@x>\r\nMAIL FROM:<>\r\n"
	  "RCPT TO:<a@\303\251>\r\nRCPT TO:<a\001b@c>\r\n",
	  "250 553 250 550 501 ", "[mail  0 0][more]" },
	/* parameters */
	{ HELO "MAIL FROM:<a@b> SIZE=99 BODY=8bitmime AUTH=<>\r\n",
	  "250 250 ", "[mail a@b 1 99][more]" },
	{ HELO "MAIL FROM:<a@b> SIZE=x\r\nMAIL FROM:<a@b> SIZE\r\n"
	  "MAIL FROM:<a@b> BODY=9\r\nMAIL FROM:<a@b> FOO=1\r\n"
	  "MAIL FROM:<a@b> SIZE=1 SIZE=2\r\nMAIL FROM:<a@b> SIZE=\r\n"
	  "MAIL FROM:<a@b> SIZE=99999999999999999999\r\n"
	  "MAIL FROM:<a@b> -X\r\nMAIL FROM:<a@b> REQUIRETLS\r\n"
	  "MAIL FROM:<a@b> AUTH=+zz\r\nMAIL FROM:<a@b> AUTH=a+3Db\r\n",
	  "250 501 501 501 555 501 501 501 501 555 501 250 ",
	  "[mail a@b 0 0][more]" },
	{ HELO "MAIL FROM:<a@b> RET=FULL\r\nMAIL FROM:<a@b> ENVID=x\r\n",
	  "250 555 555 ", "[more]" },
	{ HELO "MAIL FROM:<a@b> SIZE=1001\r\nMAIL FROM:<a@b> SIZE=1000\r\n"
	  "RCPT TO:<a@b> NOTIFY=NEVER\r\n",
	  "250 552 250 555 ", "[mail a@b 0 1000][more]" },
	/* only CRLF ends a line, here and there */
	{ "HELO a\nMAIL FROM:<a@b>\r\n", "550 ", "[close]" },
	{ "HELO a\rNOOP\r\n", "550 ", "[close]" },
	{ "HELO a\r\r\n", "550 ", "[close]" },
	{ BODY "a\n.\nMAIL FROM:<e@e>\r\n" END, "250 250 250 354 550 ",
	  "[mail s@x 0 0][rcpt r@y][data]a[abort][close]" },
	{ BODY "a\r\n.\nMAIL FROM:<e@e>\r\n" END, "250 250 250 354 550 ",
	  "[mail s@x 0 0][rcpt r@y][data]a\n[abort][close]" },
	{ BODY "a\n.\r\nMAIL FROM:<e@e>\r\n" END, "250 250 250 354 550 ",
	  "[mail s@x 0 0][rcpt r@y][data]a[abort][close]" },
	{ BODY "a\r.\rMAIL FROM:<e@e>\r\n" END, "250 250 250 354 550 ",
	  "[mail s@x 0 0][rcpt r@y][data]a[abort][close]" },
	{ BODY "a\r\n.\rMAIL FROM:<e@e>\r\n" END, "250 250 250 354 550 ",
	  "[mail s@x 0 0][rcpt r@y][data]a\n[abort][close]" },
	{ BODY "a\r\r\n.\r\n" END, "250 250 250 354 550 ",
	  "[mail s@x 0 0][rcpt r@y][data]a[abort][close]" },
	/* refused on the way: the rest is passed over, then said */
	{ BODY "a\r\nV\r\nb\r\n" END, "250 250 250 354 554 250 ",
	  "[mail s@x 0 0][rcpt r@y][data]a\nV[more]" },
	{ BODY "V\nb\r\n" END, "250 250 250 354 550 ",
	  "[mail s@x 0 0][rcpt r@y][data]V[close]" },
	/* TLS */
	{ "EHLO a\r\nMAIL FROM:<>\r\nSTARTTLS\r\n",
	  "250 250 503 ", "[mail  0 0][more]" },
	{ "STARTTLS x\r\nAUTH PLAIN\r\n", "501 503 ", "[more]" },
	{ HELO "AUTH PLAIN\r\n", "250 502 ", "[more]" },
	/* clang-format on */
};

/* A message of 1000 octets passes, one of 1001 is passed over. */
static void
size_counts(void)
{
	static char text[2048];
	char line[1100];

	memset(line, 'x', sizeof(line));
	for (int n = 998; n <= 999; n++) {
		snprintf(text, sizeof(text), BODY "%.*s\r\n" END, n, line);
		one(&plain, text,
		    n == 998 ? "250 250 250 354 250 250 "
			     : "250 250 250 354 552 250 ",
		    NULL);
	}
}

static void
long_lines(void)
{
	static char text[6000];
	char a[2100];

	memset(a, 'a', sizeof(a));
	snprintf(text, sizeof(text), "NOOP %.*s\r\nNOOP\r\n", 2043, a);
	one(&plain, text, "250 250 ", "[more]");
	snprintf(text, sizeof(text), "NOOP %.*s\r\nNOOP\r\n", 2044, a);
	one(&plain, text, "500 250 ", "[more]");
	snprintf(text, sizeof(text), "NOOP %.*s\nNOOP\r\n", 2044, a);
	one(&plain, text, "550 ", "[close]");
}

static void
recipients(void)
{
	static struct smtpd s;
	char line[64];
	unsigned good = 0;
	struct span in = SPAN("HELO a\r\nMAIL FROM:<>\r\n");

	smtpd_init(&s, &plain);
	while (smtpd_next(&s, &in) == SMTPD_MAIL)
		smtpd_reply(&s, SMTP_SENDER_OK);
	for (int i = 0; i < 1001; i++) {
		snprintf(
		    line, sizeof(line), "RCPT TO:<u%d@example.org>\r\n", i);
		in = span_of(line);
		buf_clear(&s.out);
		if (smtpd_next(&s, &in) == SMTPD_RCPT) {
			smtpd_reply(&s, SMTP_RCPT_OK);
			good++;
			check(smtpd_next(&s, &in) == SMTPD_MORE);
		}
	}
	check(good == 1000);
	check(span_starts(buf_span(&s.out), "452 4.5.3 "));
	check(s.nrcpt == 1000);
	smtpd_free(&s);
}

/* Long ones: at least a hundred, and never more than MAIL_RCPTS holds. */
static void
long_recipients(void)
{
	static struct smtpd s;
	char line[512], host[256];
	unsigned good = 0;
	struct span in = SPAN("HELO a\r\nMAIL FROM:<>\r\n");

	memset(host, 'h', sizeof(host));
	for (size_t i = 63; i < 255; i += 64)
		host[i] = '.';
	smtpd_init(&s, &plain);
	while (smtpd_next(&s, &in) == SMTPD_MAIL)
		smtpd_reply(&s, SMTP_SENDER_OK);
	for (int i = 0; i < 400; i++) {
		snprintf(
		    line, sizeof(line), "RCPT TO:<%064d@%.250s>\r\n", i, host);
		in = span_of(line);
		if (smtpd_next(&s, &in) == SMTPD_RCPT) {
			smtpd_reply(&s, SMTP_RCPT_OK);
			good++;
		}
	}
	check(good >= 100 && good < 400);
	check(s.rcpts.n <= LIMIT_MAIL_RCPTS);
	smtpd_free(&s);
}

static void
errors(void)
{
	static char text[600], want[100];

	for (int i = 0; i < 25; i++)
		memcpy(text + i * 5, "FOO\r\n", 5);
	for (int i = 0; i < 20; i++)
		memcpy(want + i * 4, "500 ", 5);
	memcpy(want + 80, "421 ", 5);
	one(&plain, text, want, "[close]");
}

static void
tls(void)
{
	static struct smtpd s;
	struct span in = SPAN("EHLO a\r\nSTARTTLS\r\nNOOP\r\n");

	smtpd_init(&s, &plain);
	check(smtpd_next(&s, &in) == SMTPD_CLOSE);
	check(span_find(buf_span(&s.out), SPAN("\r\n554 5.5.1 ")) < s.out.n);
	smtpd_free(&s);
	in = SPAN("EHLO a\r\nSTARTTLS\r\n");
	smtpd_init(&s, &plain);
	check(smtpd_next(&s, &in) == SMTPD_TLS);
	smtpd_tls_started(&s);
	buf_clear(&s.out);
	in = SPAN("MAIL FROM:<a@b>\r\nSTARTTLS\r\nEHLO b\r\n");
	check(smtpd_next(&s, &in) == SMTPD_MORE);
	check(span_starts(buf_span(&s.out), "503 5.5.1 say hello"));
	check(span_find(buf_span(&s.out), SPAN("STARTTLS")) == s.out.n);
	smtpd_free(&s);
}

static void
lmtp(void)
{
	static const struct smtpd_conf c = { .host = "l.test", .lmtp = true };

	one(&c,
	    "EHLO a\r\nLHLO a\r\nMAIL FROM:<s@x>\r\nRCPT TO:<r@y>\r\n"
	    "RCPT TO:<no@y>\r\nRCPT TO:<q@y>\r\nDATA\r\na\r\n" END,
	    "500 250 250 250 550 250 354 250 250 250 ",
	    "[mail s@x 0 0][rcpt r@y][rcpt no@y][rcpt q@y][data]a\n"
	    "[end 3][more]");
	one(&c,
	    "LHLO a\r\nMAIL FROM:<s@x>\r\nRCPT TO:<r@y>\r\n"
	    "RCPT TO:<q@y>\r\nDATA\r\nV\r\n" END,
	    "250 250 250 250 354 554 554 250 ",
	    "[mail s@x 0 0][rcpt r@y][rcpt q@y][data]V[more]");
	one(&c, "LHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<no@y>\r\nDATA\r\n",
	    "250 250 550 503 ", "[mail  0 0][rcpt no@y][more]");
}

/* A submission that mauth began. */
static void
resumed(void)
{
	static const struct smtpd_conf c = {
		.host = "s.test", .submission = true, .logged_in = true
	};
	static struct smtpd s;
	struct span in = SPAN("AUTH PLAIN\r\nMAIL FROM:a@b SIZE=1\r\n");

	smtpd_init(&s, &c);
	smtpd_resume(&s, SPAN("client"), true);
	check(smtpd_next(&s, &in) == SMTPD_MAIL);
	check(strcmp(s.sender, "a@b") == 0 && s.declared == 1 && s.esmtp);
	check(span_starts(buf_span(&s.out), "235 2.7.0 "));
	check(span_find(buf_span(&s.out), SPAN("\r\n503 ")) < s.out.n);
	smtpd_free(&s);
}

/* Nothing from outside makes a line of a reply that is not of its code. */
static void
splitting(void)
{
	static struct smtpd s;

	smtpd_init(&s, &plain);
	smtpd_say(&s, 550, SPAN("5.1.1 a\r\n250 b\303\251\t"));
	check(span_is(buf_span(&s.out), "550-5.1.1 a?\r\n550 250 b???\r\n"));
	smtpd_free(&s);
}

static void
flood(void)
{
	static struct smtpd s;
	static char text[65536];
	struct span in = { text, sizeof(text) / 6 * 6 };
	enum smtpd_event e;

	for (size_t i = 0; i < in.n; i += 6)
		memcpy(text + i, "NOOP\r\n", 6);
	smtpd_init(&s, &plain);
	while ((e = smtpd_next(&s, &in)) == SMTPD_FLUSH) {
		check(!s.out.over);
		buf_clear(&s.out);
	}
	check(e == SMTPD_MORE && in.n == 0);
	smtpd_free(&s);
}

int
main(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		one(&plain, cases[i].in, cases[i].codes, cases[i].events);
	for (int r = 0; r < SMTP_REPLIES; r++) {
		const struct smtp_text *t = smtp_text((enum smtp_reply)r);

		check(t->code >= 200 && t->text != NULL);
		check(t->code == 354 || t->text[0] == '0' + t->code / 100);
	}
	size_counts();
	long_lines();
	recipients();
	long_recipients();
	errors();
	tls();
	lmtp();
	resumed();
	splitting();
	flood();
	return done();
}
