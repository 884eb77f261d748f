/* Notifications: their fields, and that nothing of a stranger adds any. */
#include "test.h"

#include "mail/dsn.h"

static bool
has(struct buf *b, const char *text)
{
	return span_find(buf_span(b), span_of(text)) < b->n;
}

static size_t
count(struct buf *b, const char *text)
{
	struct span s = buf_span(b), t = span_of(text);
	size_t n = 0, at;

	while ((at = span_find(s, t)) < s.n) {
		span_take(&s, at + t.n);
		n++;
	}
	return n;
}

/* What RFC 2852, 4865 and 6533 add. */
static void
asked(struct dsn *d, struct dsn_rcpt *r)
{
	struct buf b = { .max = 65536 };

	d->action = DSN_RELAYED;
	d->by = d->held = 1795387471;
	r[0].orcpt = SPAN("utf-8;b\\x{FC}\\x{A}\\x{110000}\\x{D800}\\x{}@x+2B");
	r[0].address = SPAN("b\303\274@x");
	check(dsn_put(&b, d));
	check(has(&b,
	    "\nOriginal-Recipient: utf-8;"
	    "b\303\274 \\x{110000}\\x{D800}\\x{}@x+2B\n"));
	check(has(&b, "\nFinal-Recipient: utf-8;b\303\274@x\n"));
	check(count(&b, "\nAction: relayed\n") == 2);
	check(has(&b, "\nDeliver-By-Date: Sun, 22 Nov 2026 "));
	check(
	    has(&b, "\nFuture-Release-Request: until;2026-11-22T22:44:31Z\n"));
	check(!has(&b, "Diagnostic-Code"));
	buf_clear(&b);
	d->utf8 = false; /* the same in ASCII */
	r[0].address = SPAN("b@x");
	check(dsn_put(&b, d));
	check(has(&b, "\nOriginal-Recipient: utf-8;b\\x{FC}\\x{A}"));
	buf_free(&b);
}

int
main(void)
{
	struct dsn_rcpt r[2] = {
		{ .address = SPAN("bob@example.net"),
		    .orcpt = SPAN("rfc822;b+2Bx@example.net"),
		    .status = SPAN("5.1.1"),
		    .text = SPAN("550 5.1.1 no\nSuch: user") },
		{ .address = SPAN("c@d"),
		    .status = SPAN("4.4.7"),
		    .text = SPAN("too old"),
		    .remote = SPAN("mx.d") },
	};
	struct dsn d = { .action = DSN_FAILED,
		.me = "mail.example.org",
		.id = "01k2ab3cd4ef5g01",
		.orig = "01k2ab3cd4ef5g00",
		.to = SPAN("alice@example.org"),
		.envid = SPAN("x+3D17"),
		.now = 1795387471,
		.arrived = 1795387000,
		.rcpts = r,
		.nrcpts = 2 };
	struct buf b = { .max = 65536 };

	check(dsn_put(&b, &d));
	check(dsn_end(&b, &d));
	check(has(&b, "\nTo: alice@example.org\n"));
	check(has(&b, "\nAuto-Submitted: auto-replied\n"));
	check(has(&b, "multipart/report; report-type=delivery-status"));
	check(has(&b, "\nReporting-MTA: dns;mail.example.org\n"));
	check(has(&b, "\nOriginal-Envelope-Id: x=17\n"));
	check(has(&b, "\nOriginal-Recipient: rfc822;b+x@example.net\n"));
	check(has(&b, "\nFinal-Recipient: rfc822;bob@example.net\n"));
	check(has(&b, "\nStatus: 5.1.1\n"));
	check(has(&b, "\nDiagnostic-Code: smtp; 550 5.1.1 no Such: user\n"));
	check(!has(&b, "\nSuch:"));
	check(has(&b, "\nRemote-MTA: dns;mx.d\n"));
	check(has(&b, "\nDiagnostic-Code: x-pneu; too old\n"));
	check(count(&b, "--=_01k2ab3cd4ef5g01\n") == 3);
	check(count(&b, "--=_01k2ab3cd4ef5g01--\n") == 1);
	check(count(&b, "Action: failed") == 2);
	buf_clear(&b);
	d.action = DSN_DELAYED;
	d.until = 1795987471;
	d.utf8 = d.full = true;
	check(dsn_put(&b, &d));
	check(has(&b, "\nWill-Retry-Until: "));
	check(has(&b, "message/global-delivery-status"));
	check(has(&b, "Content-Type: message/global\n"));
	check(!has(&b, "Deliver-By-Date") && !has(&b, "Future-Release"));
	asked(&d, r);
	buf_free(&b);
	b = (struct buf){ .max = 100 };
	check(!dsn_put(&b, &d));
	buf_free(&b);
	return done();
}
