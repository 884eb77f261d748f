/* smtpd: extensions, at every cut of their input */
#include "smtpd.h"

#define CHUNK TO "BDAT "
#define BEGUN "[mail s@x 0 0][rcpt r@y][data]"

/* BDAT: whatever happens, the octets of a chunk are no commands. */
static const struct {
	const char *in, *codes, *events;
} chunks[] = {
	/* clang-format off */
	{ CHUNK "6 LAST\r\na\r\nb\r\nNOOP\r\n", "250 250 250 250 250 ",
	  BEGUN "a\nb\n[end 6][more]" },
	{ CHUNK "0 LAST\r\nNOOP\r\n", "250 250 250 250 250 ",
	  BEGUN "[end 0][more]" },
	{ CHUNK "1 last\r\naNOOP\r\n", "250 250 250 250 250 ",
	  BEGUN "a\n[end 1][more]" },
	{ CHUNK "2\r\na\rBDAT 0\r\nBDAT 4\r\n\nb\r\nBDAT 0 LAST\r\n",
	  "250 250 250 250 250 250 250 ", BEGUN "a\nb\n[end 6][more]" },
	{ CHUNK "7 LAST\r\n..\r\n.\r\nQUIT\r\n", "250 250 250 250 221 ",
	  BEGUN "..\n.\n[end 7][close]" },
	/* two messages */
	{ CHUNK "3 LAST\r\na\r\nMAIL FROM:<s@x>\r\nRCPT TO:<r@y>\r\n"
	  "BDAT 3 LAST\r\nb\r\n", "250 250 250 250 250 250 250 ",
	  BEGUN "a\n[end 3]" BEGUN "b\n[end 3][more]" },
	/* a bare CR or LF, and what is on its way behind it */
	{ CHUNK "7\r\na\nQUIT\nBDAT 6 LAST\r\nQUIT\r\nNOOP\r\n",
	  "250 250 250 550 503 250 ", BEGUN "a[abort][more]" },
	{ CHUNK "6 LAST\r\na\rQUI\nNOOP\r\n", "250 250 250 550 250 ",
	  BEGUN "a[abort][more]" },
	{ CHUNK "2 LAST\r\na\rNOOP\r\n", "250 250 250 550 250 ",
	  BEGUN "a[abort][more]" },
	{ CHUNK "2\r\na\rBDAT 2 LAST\r\nb\nMAIL FROM:<s@x>\r\n",
	  "250 250 250 250 550 250 ",
	  BEGUN "a[abort][mail s@x 0 0][more]" },
	/* not now */
	{ "BDAT 6\r\nQUIT\r\nHELO a\r\nBDAT 6 LAST\r\nQUIT\r\nNOOP\r\n",
	  "503 250 503 250 ", "[more]" },
	{ HELO "MAIL FROM:<s@x>\r\nBDAT 6 LAST\r\nQUIT\r\n"
	  "RCPT TO:<no@y>\r\nBDAT 6 LAST\r\nQUIT\r\n",
	  "250 250 503 550 554 ", "[mail s@x 0 0][rcpt no@y][more]" },
	{ CHUNK "6 FIRST\r\nQUIT\r\nDATA\r\n", "250 250 250 501 503 ",
	  "[mail s@x 0 0][rcpt r@y][more]" },
	{ CHUNK "1\r\naBDAT 6 FIRST\r\nQUIT\r\nDATA\r\n",
	  "250 250 250 250 501 503 ", BEGUN "a[abort][more]" },
	{ CHUNK "1\r\naDATA\r\nMAIL FROM:<>\r\nRCPT TO:<r@y>\r\n"
	  "STARTTLS\r\nNOOP\r\nBDAT 2 LAST\r\n\r\n",
	  "250 250 250 250 503 503 503 503 250 250 ",
	  BEGUN "a\n[end 3][more]" },
	{ CHUNK "1\r\naRSET\r\nBDAT 6 LAST\r\nQUIT\r\n",
	  "250 250 250 250 250 503 ", BEGUN "a[abort][more]" },
	{ CHUNK "1\r\naEHLO b\r\nMAIL FROM:<s@x>\r\n",
	  "250 250 250 250 250 250 ",
	  BEGUN "a[abort][mail s@x 0 0][more]" },
	{ CHUNK "1\r\naQUIT\r\n", "250 250 250 250 221 ", BEGUN "a[close]" },
	/* nobody knows where these end */
	{ CHUNK "x\r\nNOOP\r\n", "250 250 250 501 ",
	  "[mail s@x 0 0][rcpt r@y][close]" },
	{ "BDAT\r\nNOOP\r\n", "501 ", "[close]" },
	{ "BDAT -1\r\nNOOP\r\n", "501 ", "[close]" },
	{ "BDAT 9223372036854775808 LAST\r\nNOOP\r\n", "501 ", "[close]" },
	{ "BDAT 99999999999999999999\r\nNOOP\r\n", "501 ", "[close]" },
	{ "BDAT 18446744073709551617\r\nNOOP\r\n", "501 ", "[close]" },
	/* the world refuses: at once, or in the midst of it */
	{ HELO "MAIL FROM:<wait@x>\r\nRCPT TO:<r@y>\r\n"
	  "BDAT 6\r\nQUIT\r\nBDAT 6 LAST\r\nQUIT\r\nNOOP\r\n",
	  "250 250 250 451 503 250 ", "[mail wait@x 0 0][rcpt r@y][data][more]" },
	{ CHUNK "3\r\nV\r\nBDAT 6 LAST\r\nQUIT\r\nNOOP\r\n",
	  "250 250 250 554 503 250 ", BEGUN "V[more]" },
	{ CHUNK "8 LAST\r\nV\nQUIT\r\nNOOP\r\n",
	  "250 250 250 554 250 ", BEGUN "V[more]" },
	/* too much: at once, and over all chunks */
	{ CHUNK "1001\r\nQUIT\r\n", "250 250 250 ",
	  "[mail s@x 0 0][rcpt r@y][more]" },
	{ CHUNK "3\r\na\r\nBDAT 998 LAST\r\n", "250 250 250 250 ",
	  BEGUN "a\n[abort][more]" },
	{ CHUNK "3\r\na\r\nBDAT 9223372036854775807 LAST\r\nQUIT\r\n",
	  "250 250 250 250 ", BEGUN "a\n[abort][more]" },
	/* clang-format on */
};

/* Chunks of 1000 octets pass; one more, and its octets are gone. */
static void
chunks_count(void)
{
	static char text[4096], last[1024];

	memset(last, 'Q', sizeof(last));
	for (int n = 997; n <= 998; n++) {
		snprintf(text, sizeof(text),
		    CHUNK "3\r\na\r\nBDAT %d LAST\r\n%.*sNOOP\r\n", n, n, last);
		one(&plain, text,
		    n == 997 ? "250 250 250 250 250 250 "
			     : "250 250 250 250 552 250 ",
		    NULL);
	}
}

/* A client that has many chunks on their way is not put out for it. */
static void
many_chunks(void)
{
	static char text[1200], want[200];
	size_t n = (size_t)snprintf(text, sizeof(text), CHUNK "1\r\n\n");
	size_t w = (size_t)snprintf(want, sizeof(want), "250 250 250 550 ");

	for (int i = 0; i < 30; i++) {
		memcpy(text + n, "BDAT 6\r\nQUIT\r\n", 15);
		n += 14;
		memcpy(want + w, "503 ", 5);
		w += 4;
	}
	one(&plain, text, want, BEGUN "[abort][more]");
}

static void
lmtp(void)
{
	static const struct smtpd_conf c = { .host = "l.test", .lmtp = true };

	one(&c,
	    "LHLO a\r\nMAIL FROM:<s@x>\r\nRCPT TO:<r@y>\r\n"
	    "RCPT TO:<q@y>\r\nBDAT 3\r\na\r\nBDAT 3 LAST\r\nb\r\nNOOP\r\n",
	    "250 250 250 250 250 250 250 250 ",
	    "[mail s@x 0 0][rcpt r@y][rcpt q@y][data]a\nb\n[end 6][more]");
	one(&c,
	    "LHLO a\r\nMAIL FROM:<s@x>\r\nRCPT TO:<r@y>\r\n"
	    "RCPT TO:<q@y>\r\nBDAT 3 LAST\r\nV\r\nNOOP\r\n",
	    "250 250 250 250 554 554 250 ",
	    "[mail s@x 0 0][rcpt r@y][rcpt q@y][data]V[more]");
	one(&c,
	    "LHLO a\r\nMAIL FROM:<s@x>\r\nRCPT TO:<r@y>\r\n"
	    "RCPT TO:<q@y>\r\nBDAT 3\r\nV\r\nBDAT 3 LAST\r\nb\r\nNOOP\r\n",
	    "250 250 250 250 554 503 250 ",
	    "[mail s@x 0 0][rcpt r@y][rcpt q@y][data]V[more]");
}

static const struct smtpd_conf queue = { .host = "mx.test", .queue = true };

#define MAILED HELO "MAIL FROM:<a@b>\r\n"
#define RCPT "RCPT TO:<c@d> "
#define EMPTY "[mail a@b 0 0]"

/* What only a queue keeps. */
static const struct {
	const char *in, *codes, *events;
} asked[] = {
	/* clang-format off */
	{ HELO "MAIL FROM:<a@b> RET=hdrs ENVID=a+20b BODY=8BITMIME\r\n",
	  "250 250 ", "[mail a@b 1 0 RET=HDRS ENVID=a+20b BODY=8BITMIME][more]" },
	{ HELO "MAIL FROM:<a@b> RET=FULL RET=FULL\r\n"
	  "MAIL FROM:<a@b> ENVID=a ENVID=a\r\nMAIL FROM:<a@b> RET=NONE\r\n"
	  "MAIL FROM:<a@b> RET\r\nMAIL FROM:<a@b> ENVID=\r\n"
	  "MAIL FROM:<a@b> ENVID=a+zz\r\nMAIL FROM:<a@b> ENVID=a+0Ab\r\n"
	  "MAIL FROM:<a@b> ENVID=a+C3+A9\r\nMAIL FROM:<a@b> NOTIFY=NEVER\r\n"
	  "MAIL FROM:<a@b> HOLDFOR=1\r\nMAIL FROM:<a@b> REQUIRETLS\r\n",
	  "250 501 501 501 501 501 501 501 501 555 555 555 ", "[more]" },
	{ MAILED RCPT "NOTIFY=NEVER\r\n" RCPT "NOTIFY=success,DELAY\r\n"
	  RCPT "ORCPT=rfc822;a+2Bb@c NOTIFY=FAILURE\r\n",
	  "250 250 250 250 250 ", EMPTY "[rcpt c@d NOTIFY=NEVER]"
	  "[rcpt c@d NOTIFY=success,DELAY]"
	  "[rcpt c@d ORCPT=rfc822;a+2Bb@c NOTIFY=FAILURE][more]" },
	{ MAILED RCPT "NOTIFY=NEVER,DELAY\r\n" RCPT "NOTIFY=DELAY,NEVER\r\n"
	  RCPT "NOTIFY=DELAY,\r\n" RCPT "NOTIFY=,DELAY\r\n"
	  RCPT "NOTIFY=DELAY,,FAILURE\r\n" RCPT "NOTIFY=DELAY,DELAY\r\n"
	  RCPT "NOTIFY\r\n" RCPT "NOTIFY=x\r\n"
	  RCPT "NOTIFY=NEVER NOTIFY=NEVER\r\n" RCPT "RET=FULL\r\n",
	  "250 250 501 501 501 501 501 501 501 501 501 555 ", EMPTY "[more]" },
	{ MAILED RCPT "ORCPT=rfc822\r\n" RCPT "ORCPT=;a\r\n"
	  RCPT "ORCPT=rfc822;\r\n" RCPT "ORCPT=rfc822;a+2\r\n"
	  RCPT "ORCPT=rfc822;a+0D+0A\r\n" RCPT "ORCPT=rfc 822;a\r\n"
	  RCPT "ORCPT=rfc_822;a\r\n" RCPT "ORCPT=rfc822;a ORCPT=rfc822;a\r\n",
	  "250 250 501 501 501 501 501 501 501 501 ", EMPTY "[more]" },
	/* as Postfix 3.7 has it */
	{ MAILED RCPT "ORCPT=rfc822;+D0+B4@c\r\n" RCPT "ORCPT=rfc822;+D0@c\r\n"
	  RCPT "ORCPT=rfc822;+7F@c\r\n",
	  "250 250 250 501 501 ", EMPTY "[rcpt c@d ORCPT=rfc822;+D0+B4@c][more]" },
	{ MAILED RCPT "ORCPT=utf-8;\\x{E9}\\x{1F4E7}\\x{2B}@c\r\n",
	  "250 250 250 ",
	  EMPTY "[rcpt c@d ORCPT=utf-8;\\x{E9}\\x{1F4E7}\\x{2B}@c][more]" },
	{ MAILED RCPT "ORCPT=utf-8;a\\b\r\n" RCPT "ORCPT=utf-8;a+2Bb\r\n"
	  RCPT "ORCPT=utf-8;\\x{D800}\r\n" RCPT "ORCPT=utf-8;\\x{41}\r\n"
	  RCPT "ORCPT=utf-8;\\x{110000}\r\n" RCPT "ORCPT=utf-8;\\x{e9}\r\n"
	  RCPT "ORCPT=utf-8;\\x{0E9}\r\n" RCPT "ORCPT=utf-8;\\x{E9\r\n"
	  RCPT "ORCPT=utf-8;\\x{0A}\r\n" RCPT "ORCPT=utf-8;\303\251\r\n",
	  "250 250 501 501 501 501 501 501 501 501 501 501 ", EMPTY "[more]" },
	/* SMTPUTF8: with it alone, and only UTF-8 */
	{ HELO "MAIL FROM:<\303\251@b> SMTPUTF8\r\n"
	  "RCPT TO:<c@\303\251> ORCPT=utf-8;\303\251@c\r\n"
	  "RCPT TO:<c\303@d>\r\nRCPT TO:<\"\300\200\"@d>\r\n"
	  RCPT "ORCPT=rfc822;\303\251@c\r\n" RCPT "ORCPT=utf-8;\303@c\r\n",
	  "250 250 250 501 501 501 501 ",
	  "[mail \303\251@b 1 0 SMTPUTF8 BODY=8BITMIME]"
	  "[rcpt c@\303\251 ORCPT=utf-8;\303\251@c][more]" },
	{ HELO "MAIL FROM:<\355\240\200@b> SMTPUTF8\r\n"
	  "MAIL FROM:<a@b> SMTPUTF8=1\r\nMAIL FROM:<a@b> SMTPUTF8 SMTPUTF8\r\n"
	  "MAIL FROM:<\303\251@b> BODY=8BITMIME\r\n",
	  "250 501 501 501 553 ", "[more]" },
	{ HELO "MAIL FROM:<a@b> SMTPUTF8 BODY=7BIT\r\nRSET\r\n"
	  "MAIL FROM:<a@b>\r\nRCPT TO:<\303\251@d>\r\n",
	  "250 250 250 250 550 ",
	  "[mail a@b 1 0 SMTPUTF8 BODY=8BITMIME]" EMPTY "[more]" },
	/* DELIVERBY: kept as the moment it means */
	{ HELO "MAIL FROM:<a@b> BY=100;R\r\nRSET\r\n"
	  "MAIL FROM:<a@b> BY=-100;nt\r\nRSET\r\n"
	  "MAIL FROM:<a@b> BY=+999999999;RT\r\nRSET\r\n"
	  "MAIL FROM:<a@b> BY=0;N\r\n", "250 250 250 250 250 250 250 250 ",
	  "[mail a@b 0 0 BY=2026-11-18T11:08:20Z;R]"
	  "[mail a@b 0 0 BY=2026-11-18T11:05:00Z;NT]"
	  "[mail a@b 0 0 BY=2058-07-27T12:53:19Z;RT]"
	  "[mail a@b 0 0 BY=2026-11-18T11:06:40Z;N][more]" },
	{ HELO "MAIL FROM:<a@b> BY=0;R\r\nMAIL FROM:<a@b> BY=-1;R\r\n"
	  "MAIL FROM:<a@b> BY=1\r\nMAIL FROM:<a@b> BY=1;\r\n"
	  "MAIL FROM:<a@b> BY=1;X\r\nMAIL FROM:<a@b> BY=1;RX\r\n"
	  "MAIL FROM:<a@b> BY=1;RTT\r\nMAIL FROM:<a@b> BY=1000000000;R\r\n"
	  "MAIL FROM:<a@b> BY=;N\r\nMAIL FROM:<a@b> BY=+-1;N\r\n"
	  "MAIL FROM:<a@b> BY=1;N BY=1;N\r\n",
	  "250 501 501 501 501 501 501 501 501 501 501 501 ", "[more]" },
	/* nothing of one transaction is in the next */
	{ HELO "MAIL FROM:<a@b> ENVID=x\r\n" RCPT "NOTIFY=NEVER\r\nRSET\r\n"
	  "MAIL FROM:<a@b>\r\n" RCPT "\r\n", "250 250 250 250 250 250 ",
	  "[mail a@b 0 0 ENVID=x][rcpt c@d NOTIFY=NEVER]" EMPTY
	  "[rcpt c@d][more]" },
	/* clang-format on */
};

static const struct smtpd_conf submission = {
	.host = "mx.test", .queue = true, .submission = true, .tls_active = true
};

/* What a user asks of their own server, and within TLS. */
static const struct {
	const char *in, *codes, *events;
} submitted[] = {
	/* clang-format off */
	{ HELO "MAIL FROM:<a@b> REQUIRETLS HOLDFOR=60\r\n", "250 250 ",
	  "[mail a@b 0 0 REQUIRETLS HOLDUNTIL=2026-11-18T11:07:40Z][more]" },
	{ HELO "MAIL FROM:<a@b> HOLDUNTIL=2026-11-18T23:59:59Z\r\nRSET\r\n"
	  "MAIL FROM:<a@b> HOLDUNTIL=2026-11-18t23:00:00.25+01:30\r\nRSET\r\n"
	  "MAIL FROM:<a@b> HOLDUNTIL=2001-01-01T00:00:00z\r\nRSET\r\n"
	  "MAIL FROM:<a@b> HOLDFOR=2592000\r\n",
	  "250 250 250 250 250 250 250 250 ",
	  "[mail a@b 0 0 HOLDUNTIL=2026-11-18T23:59:59Z]"
	  "[mail a@b 0 0 HOLDUNTIL=2026-11-18T21:30:00Z]"
	  "[mail a@b 0 0 HOLDUNTIL=2026-11-18T11:06:40Z]"
	  "[mail a@b 0 0 HOLDUNTIL=2026-12-18T11:06:40Z][more]" },
	{ HELO "MAIL FROM:<a@b> HOLDFOR=2592001\r\n"
	  "MAIL FROM:<a@b> HOLDFOR=0\r\nMAIL FROM:<a@b> HOLDFOR=-1\r\n"
	  "MAIL FROM:<a@b> HOLDFOR=9999999999\r\nMAIL FROM:<a@b> HOLDFOR\r\n"
	  "MAIL FROM:<a@b> HOLDUNTIL=2026-12-18T11:06:41Z\r\n"
	  "MAIL FROM:<a@b> HOLDUNTIL=2026-11-31T00:00:00Z\r\n"
	  "MAIL FROM:<a@b> HOLDUNTIL=2026-11-19\r\n"
	  "MAIL FROM:<a@b> HOLDUNTIL=2026-11-19T00:00:00\r\n"
	  "MAIL FROM:<a@b> HOLDUNTIL=2026-11-19T00:00:00.Z\r\n"
	  "MAIL FROM:<a@b> HOLDUNTIL=2026-11-19T00:00:00+0100\r\n"
	  "MAIL FROM:<a@b> HOLDUNTIL=2026-11-19T00:00:00+24:00\r\n"
	  "MAIL FROM:<a@b> HOLDFOR=1 HOLDUNTIL=2026-11-19T00:00:00Z\r\n"
	  "MAIL FROM:<a@b> REQUIRETLS=\r\nMAIL FROM:<a@b> REQUIRETLS=1\r\n",
	  "250 501 501 501 501 501 501 501 501 501 501 501 501 501 501 501 ",
	  "[more]" },
	/* clang-format on */
};

static const struct smtpd_conf trusted = { .host = "mx.test", .xclient = true };

/* Who speaks for others. */
static const struct {
	const char *in, *codes, *events;
} spoken_for[] = {
	/* clang-format off */
	{ "EHLO p\r\nXCLIENT addr=192.0.2.1 NAME=a.test PORT=25\r\n"
	  "MAIL FROM:<>\r\nEHLO c\r\n",
	  "250 220 503 250 ", "[0 a.test][1 192.0.2.1][2 25][ 0][more]" },
	{ "XCLIENT HELO=c.test PROTO=SMTP LOGIN=a+40b\r\nMAIL FROM:<>\r\n",
	  "220 250 ",
	  "[3 SMTP][4 c.test][5 a@b][c.test 0][mail  0 0][more]" },
	{ "XCLIENT HELO=[UNAVAILABLE] NAME=[TEMPUNAVAIL]\r\n"
	  "XCLIENT HELO=!x DESTADDR=IPV6:::1 DESTPORT=25\r\nNOOP\r\n",
	  "220 220 250 ",
	  "[0 ?][4 ][ 0][4 !x][6 IPV6:::1][7 25][invalid 1][more]" },
	{ "XCLIENT\r\nXCLIENT x\r\nXCLIENT FOO=1\r\nXCLIENT NAME=\r\n"
	  "XCLIENT NAME=a+0D+0Ab\r\nXCLIENT NAME=a b\r\nXCLIENT NAME=a+20b\r\n"
	  "XCLIENT PORT=65536\r\nXCLIENT PORT=x\r\nXCLIENT PROTO=LMTP\r\n"
	  "XCLIENT ADDR=1 ADDR=1\r\nXCLIENT ADDR=a+zz\r\n"
	  "XCLIENT LOGIN=\303\251\r\n",
	  "501 501 501 501 501 501 501 501 501 501 501 501 501 ", "[more]" },
	{ MAILED "XCLIENT ADDR=192.0.2.1\r\n" RCPT "\r\n", "250 250 503 250 ",
	  EMPTY "[rcpt c@d][more]" },
	/* clang-format on */
};

/* So many messages, not one more. */
static void
many_mails(void)
{
	static struct smtpd s;
	unsigned good = 0;
	struct span in = SPAN("HELO a\r\n");

	smtpd_init(&s, &plain);
	check(smtpd_next(&s, &in) == SMTPD_MORE);
	for (int i = 0; i < LIMIT_SMTP_MAILS + 1; i++) {
		in = SPAN("MAIL FROM:<>\r\nRSET\r\n");
		buf_clear(&s.out);
		if (smtpd_next(&s, &in) == SMTPD_MAIL) {
			smtpd_reply(&s, SMTP_SENDER_OK);
			good++;
			check(smtpd_next(&s, &in) == SMTPD_MORE);
		}
	}
	check(good == LIMIT_SMTP_MAILS);
	check(span_starts(buf_span(&s.out), "452 4.5.3 "));
	smtpd_free(&s);
}

/* Long parameters: as many of those, and a hundred of them at least. */
static void
long_parameters(void)
{
	static struct smtpd s;
	char line[1024];
	unsigned good = 0;
	struct span in = SPAN("HELO a\r\nMAIL FROM:<>\r\n");

	smtpd_init(&s, &queue);
	while (smtpd_next(&s, &in) == SMTPD_MAIL)
		smtpd_reply(&s, SMTP_SENDER_OK);
	for (int i = 0; i < 400; i++) {
		snprintf(line, sizeof(line),
		    "RCPT TO:<a@b> NOTIFY=SUCCESS,FAILURE,DELAY "
		    "ORCPT=x;%0*d\r\n",
		    i == 0 ? 499 : 498, i);
		in = span_of(line);
		if (smtpd_next(&s, &in) == SMTPD_RCPT) {
			smtpd_reply(&s, SMTP_RCPT_OK);
			good++;
		}
	}
	check(good >= 100 && good < 400);
	check(span_find(buf_span(&s.out), SPAN("\r\n501 5.5.4 ")) < s.out.n);
	check(span_find(buf_span(&s.out), SPAN("\r\n452 4.5.3 ")) < s.out.n);
	check(s.rcpt_args.n <= LIMIT_RCPT_ARGS);
	smtpd_free(&s);
}

/* Other recipients at the end: the replies that are owed stay. */
static void
other_rcpts(void)
{
	static struct smtpd s;
	struct span in = SPAN("LHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<a@b>\r\n"
			      "RCPT TO:<c@d>\r\nDATA\r\n.\r\n");
	struct smtpd_conf c = { .host = "h", .lmtp = true };
	enum smtpd_event e;

	smtpd_init(&s, &c);
	while ((e = smtpd_next(&s, &in)) != SMTPD_END)
		smtpd_reply(&s, e == SMTPD_DATA ? SMTP_GO_AHEAD : SMTP_RCPT_OK);
	check(span_is(buf_span(&s.rcpt_args), "\n\n"));
	check(!smtpd_set_rcpts(&s, SPAN(""), SPAN("")));
	check(!smtpd_set_rcpts(&s, SPAN("x@y\n"), SPAN("\n\n")));
	check(s.nrcpt == 2 && span_is(buf_span(&s.rcpts), "a@b\nc@d\n"));
	check(smtpd_set_rcpts(&s, SPAN("x@y\n"), SPAN("NOTIFY=NEVER\n")));
	check(s.nrcpt == 1 && span_is(buf_span(&s.rcpts), "x@y\n"));
	check(span_is(buf_span(&s.rcpt_args), "NOTIFY=NEVER\n"));
	check(s.owed == 2);
	smtpd_reply(&s, SMTP_ACCEPTED);
	check(s.nrcpt == 1 && s.owed == 1);
	smtpd_reply(&s, SMTP_ACCEPTED);
	check(s.nrcpt == 0);
	smtpd_free(&s);
}

int
main(void)
{
	for (size_t i = 0; i < sizeof(chunks) / sizeof(chunks[0]); i++)
		one(&plain, chunks[i].in, chunks[i].codes, chunks[i].events);
	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++)
		one(&queue, asked[i].in, asked[i].codes, asked[i].events);
	for (size_t i = 0; i < sizeof(submitted) / sizeof(submitted[0]); i++)
		one(&submission, submitted[i].in, submitted[i].codes,
		    submitted[i].events);
	for (size_t i = 0; i < sizeof(spoken_for) / sizeof(spoken_for[0]); i++)
		one(&trusted, spoken_for[i].in, spoken_for[i].codes,
		    spoken_for[i].events);
	one(&plain, "EHLO a\r\nXCLIENT ADDR=192.0.2.1\r\n", "250 550 ",
	    "[more]");
	many_mails();
	chunks_count();
	many_chunks();
	lmtp();
	long_parameters();
	other_rcpts();
	return done();
}
