/* imap_greet: the dialogue before login, however the input is cut. */
#include "imap/greet.h"
#include "test.h"

#define CAPA "CAPABILITY IMAP4rev1 IMAP4rev2 LITERAL+ ID ENABLE IDLE SASL-IR"

struct result {
	char text[4096];
	size_t n;
};

static void
note(struct result *r, struct span s)
{
	for (size_t i = 0; i < s.n && r->n + 1 < sizeof(r->text); i++)
		r->text[r->n++] = s.p[i] == '\0' ? '|' : s.p[i];
	r->text[r->n] = '\0';
}

static bool
event(void *g, enum greet_event ev, struct greet_auth *a, struct result *r)
{
	switch (ev) {
	case GREET_MORE:
		return false;
	case GREET_TLS:
		note(r, SPAN("<TLS>"));
		imap_greet.tls_started(g);
		break;
	case GREET_AUTH:
	case GREET_RESPONSE:
		note(r, ev == GREET_AUTH ? SPAN("<AUTH ") : SPAN("<RESP "));
		note(r, a->mech);
		note(r, SPAN(" "));
		note(r, a->has_response ? a->response : SPAN("none"));
		note(r, SPAN(">"));
		if (!a->has_response)
			imap_greet.challenge(g, SPAN("hi"));
		else if (span_find(a->response, SPAN("ok")) < a->response.n)
			note(r, imap_greet.state(g));
		else
			imap_greet.fail(g, GREET_WRONG);
		break;
	case GREET_CANCEL:
		note(r, SPAN("<CANCEL>"));
		break;
	case GREET_END:
		note(r, SPAN("<END>"));
		return false;
	}
	return true;
}

static void
run(struct greet_conf *c, const char *text, size_t step, struct result *r)
{
	static char g[65536];
	struct buf out = { .max = 65536 };
	struct span all = span_of(text);
	struct greet_auth a;

	*r = (struct result){ 0 };
	if (imap_greet.size > sizeof(g))
		return;
	imap_greet.init(g, &out, c);
	while (all.n > 0) {
		struct span in = span_take(&all, all.n < step ? all.n : step);
		bool more = true;

		while (more) {
			enum greet_event e = imap_greet.next(g, &in, &a);

			note(r, buf_span(&out));
			buf_clear(&out);
			more = event(g, e, &a, r);
			note(r, buf_span(&out));
			buf_clear(&out);
			if (e == GREET_END)
				all.n = 0;
		}
	}
	imap_greet_free(g);
	buf_free(&out);
}

static const struct {
	bool plain_ok;
	const char *in, *want;
} cases[] = {
	/* clang-format off */
	{ true, "a CAPABILITY\r\n", "* " CAPA " STARTTLS AUTH=PLAIN AUTH=LOGIN\r\n"
	    "a OK Capability completed\r\n" },
	{ false, "a CAPABILITY\r\n", "* " CAPA " STARTTLS LOGINDISABLED\r\n"
	    "a OK Capability completed\r\n" },
	{ true, "a login ok secret\r\n", "<AUTH PLAIN |ok|secret>a" },
	{ true, "a LOGIN {2}\r\nok {6+}\r\nsecret\r\n",
	    "+ OK\r\n<AUTH PLAIN |ok|secret>a" },
	{ true, "x LOGIN bob \"a\\\"b\"\r\n", "<AUTH PLAIN |bob|a\"b>"
	    "x NO [AUTHENTICATIONFAILED] Authentication failed\r\n" },
	{ false, "a LOGIN ok secret\r\n", "a NO [PRIVACYREQUIRED] A password "
	    "may only be sent inside TLS\r\n" },
	{ false, "a AUTHENTICATE PLAIN AG9rAHg=\r\n", "a NO [PRIVACYREQUIRED] "
	    "A password may only be sent inside TLS\r\n" },
	{ true, "a AUTHENTICATE PLAIN AG9rAHg=\r\n", "<AUTH PLAIN |ok|x>a" },
	{ true, "a AUTHENTICATE PLAIN =\r\n", "<AUTH PLAIN >"
	    "a NO [AUTHENTICATIONFAILED] Authentication failed\r\n" },
	{ true, "a AUTHENTICATE PLAIN\r\nAG9rAHg=\r\n",
	    "<AUTH PLAIN none>+ aGk=\r\n<RESP  |ok|x>a" },
	{ true, "a AUTHENTICATE PLAIN\r\n*\r\nb NOOP\r\n", "<AUTH PLAIN none>"
	    "+ aGk=\r\na BAD Authentication cancelled\r\n<CANCEL>"
	    "b OK NOOP completed\r\n" },
	{ true, "a AUTHENTICATE PLAIN\r\n!!\r\n", "<AUTH PLAIN none>"
	    "+ aGk=\r\na BAD Not base64\r\n<CANCEL>" },
	{ false, "a STARTTLS\r\nb LOGIN ok b\r\nc STARTTLS\r\n",
	    "a OK Begin TLS negotiation now\r\n<TLS><AUTH PLAIN |ok|b>b"
	    "c BAD TLS is not available\r\n" },
	{ true, "a ID NIL\r\nb LOGOUT\r\nc NOOP\r\n",
	    "* ID (\"name\" \"pneu\")\r\na OK ID completed\r\n"
	    "* BYE Logging out\r\nb OK Logout completed\r\n<END>" },
	/* who the client is goes along with the tag */
	{ true, "a ID (\"Name\" \"A\tB\" \"os\" \"x\" \"vendor\" {1+}\r\nC "
	    "\"name\")\r\nb LOGIN ok c\r\n",
	    "* ID (\"name\" \"pneu\")\r\na OK ID completed\r\n"
	    "<AUTH PLAIN |ok|c>b\nA?B C" },
	{ true, "a ID (\"name\" \"A\")\r\na ID (\"name\" NIL)\r\n"
	    "b LOGIN ok c\r\n", "* ID (\"name\" \"pneu\")\r\n"
	    "a OK ID completed\r\n* ID (\"name\" \"pneu\")\r\n"
	    "a OK ID completed\r\n<AUTH PLAIN |ok|c>b" },
	{ false, "a ID (\"name\" \"A\")\r\nb STARTTLS\r\nc LOGIN ok b\r\n",
	    "* ID (\"name\" \"pneu\")\r\na OK ID completed\r\n"
	    "b OK Begin TLS negotiation now\r\n<TLS><AUTH PLAIN |ok|b>c" },
	{ true, "a LOGIN {8193}\r\nb NOOP\r\n", "a BAD Literal too large\r\n"
	    "b OK NOOP completed\r\n" },
	{ true, "a APPEND INBOX {100}\r\nb SELECT INBOX\r\nc NOOP x\r\n",
	    "a BAD Not before login\r\n"
	    "b BAD Unknown command, or not before login\r\n"
	    "c BAD It takes no arguments\r\n" },
	{ true, "a LOGIN a\r\n", "a BAD LOGIN takes a user name and a "
	    "password\r\n" },
	/* clang-format on */
};

int
main(void)
{
	struct greet_conf c = {
		.host = "mx.test", .mechs = "PLAIN LOGIN", .tls_offered = true
	};
	struct result r;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (size_t step = 1; step <= 16; step++) {
			const char *body;

			c.plain_ok = cases[i].plain_ok;
			run(&c, cases[i].in, step, &r);
			body = strstr(r.text, "] mx.test ready\r\n");
			check(body != NULL);
			if (body == NULL)
				continue;
			body += sizeof("] mx.test ready\r\n") - 1;
			check(strcmp(body, cases[i].want) == 0);
			if (strcmp(body, cases[i].want) != 0)
				printf("# %s\n# %s\n", cases[i].in, body);
		}
	return done();
}
