/* intake: headers, at every cut; received: the trace field */
#include "mail/intake.h"
#include "mail/received.h"

#include "test.h"

static const struct {
	const char *in, *want; /* "@" is where what is missing goes */
	bool submission;
	unsigned received;
	bool has_date, has_id;
} cases[] = {
	/* clang-format off */
	{ "", "@", false, 0, false, false },
	{ "\nbody\n", "@\nbody\n", false, 0, false, false },
	{ "A: b\n\nbody\nBcc: x\n", "A: b\n@\nbody\nBcc: x\n", true, 0, false, false },
	{ "A: b\n", "A: b\n@", true, 0, false, false },
	{ "Date: x\nmessage-ID:y\n\n", "Date: x\nmessage-ID:y\n@\n", true, 0, true, true },
	{ "bcc: a,\n b\n\tc\nBcc : d\nX: e\n\n", "X: e\n@\n", true, 0, false, false },
	{ "Resent-BCC: a,\n b\nX: e\n\n", "X: e\n@\n", true, 0, false, false },
	{ "bcc: a,\n b\nX: e\n\n", "bcc: a,\n b\nX: e\n@\n", false, 0, false, false },
	{ "Return-Path: <a>\n b\nX: e\n f\n\n", "X: e\n f\n@\n", false, 0, false, false },
	{ "Received: a\nRECEIVED : b\n c\nReceived-SPF: x\n\nReceived: d\n",
	  "Received: a\nRECEIVED : b\n c\nReceived-SPF: x\n@\nReceived: d\n", false, 2, false, false },
	/* results that bear our name, mx.test, and those that do not */
	{ "authentication-results: mx.test; a=b\n c\nX: e\n\n", "X: e\n@\n", false, 0, false, false },
	{ "Authentication-Results :\n\t(a\\)(b)) MX.test 1;\n c\nX: e\n\n", "X: e\n@\n", true, 0, false, false },
	{ "Authentication-Results:\"mx.\\test\";c\n\n", "@\n", false, 0, false, false },
	{ "Authentication-Results: mx.test\n", "@", false, 0, false, false },
	{ "Authentication-Results: mx.test(c)\nX: e\n", "X: e\n@", false, 0, false, false },
	{ "Authentication-Results: mx.test2; a=b\n mx.test;\nX: e\n\n",
	  "Authentication-Results: mx.test2; a=b\n mx.test;\nX: e\n@\n", false, 0, false, false },
	{ "Authentication-Results: mx.tes; a=b\n\n", "Authentication-Results: mx.tes; a=b\n@\n", false, 0, false, false },
	{ "Authentication-Results: a.mx.test\n b\n\n", "Authentication-Results: a.mx.test\n b\n@\n", false, 0, false, false },
	{ "Authentication-Results:;mx.test\n\nb\n", "Authentication-Results:;mx.test\n@\nb\n", false, 0, false, false },
	{ "Authentication-Results:\nDate: x\n\nb\n", "Authentication-Results:\nDate: x\n@\nb\n", false, 0, true, false },
	{ "Authentication-Results: (mx.test\n\nmx.test\n", "Authentication-Results: (mx.test\n@\nmx.test\n", false, 0, false, false },
	{ "Authentication-Results:\n \n", "@", false, 0, false, false },
	{ "Authentication-Results-X: mx.test\n\n", "Authentication-Results-X: mx.test\n@\n", false, 0, false, false },
	/* no header, or one that ends badly: an empty line is put in */
	{ "hello\nX: y\n", "@|hello\nX: y\n", false, 0, false, false },
	{ "hello world: x\n", "@|hello world: x\n", false, 0, false, false },
	{ " X: y\n", "@| X: y\n", false, 0, false, false },
	{ ": y\n", "@|: y\n", false, 0, false, false },
	{ "A: b\nFrom me\nBcc: x\n", "A: b\n@|From me\nBcc: x\n", true, 0, false, false },
	{ "A: b\nX\001: y\n", "A: b\n@|X\001: y\n", false, 0, false, false },
	{ "A\n: b\n", "@|A\n: b\n", false, 0, false, false },
	{ "A: b\n\n\n", "A: b\n@\n\n", false, 0, false, false },
	/* a name longer than any, and a colon far away */
	{ "x123456789x123456789x123456789x123456789x123456789x123456789"
	  "x123456789x123456789x123456789: y\n z\nBcc: q\n\n",
	  "x123456789x123456789x123456789x123456789x123456789x123456789"
	  "x123456789x123456789x123456789: y\n z\n@\n", true, 0, false, false },
	/* clang-format on */
};

static void
feed(struct intake *i, struct span in, struct buf *out)
{
	struct span piece;

	while (!i->done) {
		switch (intake_next(i, &in, &piece)) {
		case INTAKE_MORE:
			if (!i->done)
				return;
			break;
		case INTAKE_PIECE:
			check(piece.n > 0);
			buf_put(out, piece);
			break;
		case INTAKE_END:
			buf_puts(out, i->no_blank ? "@|" : "@");
			break;
		}
	}
	buf_put(out, in);
}

static void
run(size_t k, size_t step)
{
	struct intake i = { .submission = cases[k].submission,
		.authserv = SPAN("mx.test") };
	struct span all = span_of(cases[k].in);
	struct buf out = { .max = 4096 };

	while (all.n > 0)
		feed(&i, span_take(&all, all.n < step ? all.n : step), &out);
	if (!i.done) {
		intake_eof(&i);
		buf_puts(&out, i.no_blank ? "@|" : "@");
		feed(&i, SPAN(""), &out);
	}
	if (strcmp(buf_cstr(&out), cases[k].want) != 0)
		printf("# case %zu step %zu: %s\n", k, step, out.p);
	check(strcmp(buf_cstr(&out), cases[k].want) == 0);
	check(i.received == cases[k].received);
	check(i.has_date == cases[k].has_date && i.has_id == cases[k].has_id);
	buf_free(&out);
}

/* Comments without end in front of it: nobody writes that in good faith. */
static void
results(void)
{
	struct intake i = { .authserv = SPAN("mx.test") };
	struct buf in = { .max = 8192 }, out = { .max = 8192 };

	buf_puts(&in, "Authentication-Results: (");
	while (in.n < 2000)
		buf_puts(&in, "very long ");
	buf_puts(&in, ")\n mx.test; spf=pass\nX: y\n\n");
	feed(&i, buf_span(&in), &out);
	check(strcmp(buf_cstr(&out), "X: y\n@\n") == 0);
	buf_clear(&out);
	i = (struct intake){ 0 };
	feed(&i, SPAN("Authentication-Results: mx.test;\n\n"), &out);
	check(span_starts(buf_span(&out), "Authentication-Results: mx"));
	buf_free(&in);
	buf_free(&out);
}

static void
from(void)
{
	struct intake i = { .submission = true };
	struct span in = SPAN("From: a\n b\nX-From: c\nFROM : d\n\nFrom: e\n");
	struct span piece;

	while (!i.done)
		intake_next(&i, &in, &piece);
	check(i.from == 2);
}

static void
field(const struct received *r, const char *want)
{
	struct buf b = { .max = 1000 };

	check(received_put(&b, r));
	if (strcmp(buf_cstr(&b), want) != 0)
		printf("# %s", b.p);
	check(strcmp(buf_cstr(&b), want) == 0);
	buf_free(&b);
}

static void
received(void)
{
	struct received r = { .helo = "me.test",
		.ip = "192.0.2.1",
		.by = "mx.test",
		.with = "ESMTPS",
		.id = "abc",
		.tls = "TLSv1.3 X",
		.rcpt = SPAN("a@b"),
		.date = 1795387471 };
	struct buf small = { .max = 40 };

	field(&r,
	    "Received: from me.test ([192.0.2.1])\n"
	    "\tby mx.test with ESMTPS (TLSv1.3 X) id abc\n"
	    "\tfor <a@b>; Sun, 22 Nov 2026 22:44:31 +0000\n");
	r.name = "host.me.test";
	field(&r,
	    "Received: from me.test (host.me.test [192.0.2.1])\n"
	    "\tby mx.test with ESMTPS (TLSv1.3 X) id abc\n"
	    "\tfor <a@b>; Sun, 22 Nov 2026 22:44:31 +0000\n");
	r.rcpt = SPAN("A@B\303\274cher.test");
	field(&r,
	    "Received: from me.test (host.me.test [192.0.2.1])\n"
	    "\tby mx.test with ESMTPS (TLSv1.3 X) id abc\n"
	    "\tfor <A@xn--bcher-kva.test>; Sun, 22 Nov 2026 22:44:31 +0000\n");
	r.rcpt = SPAN("\303\244@b");
	field(&r,
	    "Received: from me.test (host.me.test [192.0.2.1])\n"
	    "\tby mx.test with ESMTPS (TLSv1.3 X) id abc;\n"
	    "\tSun, 22 Nov 2026 22:44:31 +0000\n");
	r.name = NULL;
	r.ip = "2001:db8::1";
	r.rcpt = SPAN("");
	r.tls = "";
	field(&r,
	    "Received: from me.test ([IPv6:2001:db8::1])\n"
	    "\tby mx.test with ESMTPS id abc;\n"
	    "\tSun, 22 Nov 2026 22:44:31 +0000\n");
	r.ip = "";
	r.helo = NULL;
	field(&r,
	    "Received: by mx.test with ESMTPS id abc;\n"
	    "\tSun, 22 Nov 2026 22:44:31 +0000\n");
	check(!received_put(&small, &r));
	buf_free(&small);
	check(strcmp(received_with(false, false, false, true, true), "SMTP") ==
	    0);
	check(strcmp(received_with(false, true, false, true, true),
		  "ESMTPSA") == 0);
	check(strcmp(received_with(true, true, false, false, false), "LMTP") ==
	    0);
	check(strcmp(received_with(false, true, true, false, false),
		  "UTF8SMTP") == 0);
	check(strcmp(received_with(false, true, true, true, true),
		  "UTF8SMTPSA") == 0);
	check(strcmp(received_with(true, true, true, true, false),
		  "UTF8LMTPS") == 0);
}

int
main(void)
{
	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++)
		for (size_t step = 1; step <= 16; step++)
			run(k, step);
	from();
	results();
	received();
	return done();
}
