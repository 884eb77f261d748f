/* unbinary: what decodes is the same, at every cut of the input */
#include "mail/unbinary.h"

#include "base/enc.h"
#include "mail/cte.h"
#include "test.h"

enum { MAX = 1 << 18 };

static struct arena arena;
static struct buf out = { .max = MAX }, again = { .max = MAX };

/* Feed `step` octets at a time; false when it is bad. */
static bool
run(struct span in, size_t step, struct buf *to)
{
	static struct unbinary u;
	enum unbinary_result r = UNBINARY_MORE;
	struct span part, piece;
	bool ended = false;

	buf_clear(to);
	unbinary_init(&u, &arena);
	for (;;) {
		part = span_take(&in, in.n < step ? in.n : step);
		if (part.n == 0) {
			if (!ended)
				unbinary_end(&u);
			ended = true;
		}
		while (
		    (r = unbinary_next(&u, &part, &piece)) == UNBINARY_PIECE) {
			check(piece.n > 0);
			buf_put(to, piece);
			if (part.n == 0 && in.n == 0 && !ended)
				break; /* the end may be told now */
		}
		if (r == UNBINARY_BAD || ended)
			return r == UNBINARY_MORE;
	}
}

static bool
every_cut(struct span in)
{
	bool ok = run(in, in.n + 1, &out);

	for (size_t step = 1; step < 12; step++) {
		check(run(in, step, &again) == ok);
		check(!ok || span_eq(buf_span(&out), buf_span(&again)));
	}
	return ok;
}

#define MULTI(b) "Content-Type: multipart/mixed; boundary=" b "\r\n"
#define BINARY "Content-Transfer-Encoding: binary\r\n"
#define OUT_MULTI(b) "Content-Type: multipart/mixed; boundary=" b "\n"
#define BASE64 "Content-Transfer-Encoding: base64\n"
#define MIME "MIME-Version: 1.0\n"

static const struct {
	const char *in;  /* \001 stands for NUL */
	const char *out; /* NULL: bad */
} cases[] = {
	/* clang-format off */
	{ "", "" },
	{ "Subject: x\r\n\r\nhi\r\n..\r\n", "Subject: x\n\nhi\n..\n" },
	{ "Subject: x\r\n\r\nno end", "Subject: x\n\nno end\n" },
	{ "Subject: x", "Subject: x\n" },
	{ "\r\nbody\r\n", "\nbody\n" },
	/* one part */
	{ "MIME-Version: 1.0\r\n" BINARY "X: y\r\n\r\na\001\r\nb\n",
	  MIME "X: y\n" BASE64 "\nYQANCmIK\n" },
	{ "content-transfer-encoding :\r\n\t(x) Binary\r\nX: y\r\n\r\nab",
	  "X: y\n" MIME BASE64 "\nYWI=\n" },
	{ BINARY "\r\n", MIME BASE64 "\n" },
	{ BINARY, MIME BASE64 },
	{ BINARY "\r\n\r\n", MIME BASE64 "\nDQo=\n" },
	{ BINARY "\r\n--x\r\n--x--", MIME BASE64 "\nLS14DQotLXgtLQ==\n" },
	{ "Content-Transfer-Encoding: 8bit\r\n" BINARY "\r\na\r\n",
	  "Content-Transfer-Encoding: 8bit\n\na\n" },
	{ "Content-Transfer-Encoding: binary-ish\r\n\r\na\r\n",
	  "Content-Transfer-Encoding: binary-ish\n\na\n" },
	/* parts */
	{ MULTI("b") BINARY "\r\npre\r\n--b\r\n" BINARY "\r\n\r\n\n\r--b"
	       "\r\n--b \t\r\n\r\ntext\r\n--b--\r\nend\r\n",
	  OUT_MULTI("b") MIME "Content-Transfer-Encoding: 8bit\n\npre\n--b\n"
	  BASE64 "\nDQoKDS0tYg==\n--b \t\n\ntext\n--b--\nend\n" },
	{ MULTI("b") "\r\n--b\r\n" BINARY "\r\n--b\r\n" BINARY
	       "\r\n\r\n--b\r\n" BINARY "--b--",
	  OUT_MULTI("b") "\n--b\n" BASE64 "\n--b\n" BASE64 "\n--b\n" BASE64
	  "--b--\n" },
	{ MULTI("b") "\r\n--b\r\n" BINARY "\r\n\r\n--bc\r\n--c\r\n--b-\r\n"
	       "--b--\r\n",
	  OUT_MULTI("b") "\n--b\n" BASE64 "\nDQotLWJjDQotLWMNCi0tYi0=\n"
	  "--b--\n" },
	{ MULTI("b") "\r\n--b\r\n" BINARY "\r\n-\r\r\n-\r\n\r\n--\n--b\n"
	       "\r\n--b",
	  OUT_MULTI("b") "\n--b\n" BASE64 "\nLQ0NCi0NCg0KLS0KLS1iCg==\n--b\n" },
	/* a CR among the blanks: no boundary */
	{ MULTI("b") "\r\n--b\r\n" BINARY "\r\nx\r\n--b \r \r\n--b--\r\n",
	  OUT_MULTI("b") "\n--b\n" BASE64 "\neA0KLS1iIA0g\n--b--\n" },
	/* no last boundary */
	{ MULTI("b") "\r\n--b\r\n" BINARY "\r\na\r\n",
	  OUT_MULTI("b") "\n--b\n" BASE64 "\nYQ0K\n" },
	/* nested: the inner one ends at the outer boundary */
	{ MULTI("a") "\r\n--a\r\n" MULTI("b") "\r\n--b\r\n" BINARY
	       "\r\nx\r\n--a\r\n" BINARY "\r\n--b\r\n--a--\r\n",
	  OUT_MULTI("a") "\n--a\n" OUT_MULTI("b") "\n--b\n" BASE64 "\neA==\n"
	  "--a\n" BASE64 "\nLS1i\n--a--\n" },
	/* messages, in a digest without a type, too */
	{ "Content-Type: message/rfc822\r\n" BINARY "\r\nSubject: x\r\n"
	       BINARY "\r\n\n",
	  "Content-Type: message/rfc822\n" MIME
	  "Content-Transfer-Encoding: 8bit\n\nSubject: x\n" MIME BASE64
	  "\nCg==\n" },
	{ "Content-Type: multipart/digest; boundary=\"d d\"\r\n\r\n"
	       "--d d\r\n\r\n" BINARY "\r\n\n\r\n--d d--\r\n",
	  "Content-Type: multipart/digest; boundary=\"d d\"\n\n--d d\n\n" MIME
	  BASE64 "\nCg==\n--d d--\n" },
	{ "Content-Type: message/delivery-status\r\n" BINARY "\r\na: b\r\n",
	  "Content-Type: message/delivery-status\n" MIME
	  "Content-Transfer-Encoding: 8bit\n\na: b\n" },
	{ "Content-Type: message/rfc822\r\n"
	       "Content-Transfer-Encoding: base64\r\n\r\n" BINARY "\r\n",
	  "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n"
	  "Content-Transfer-Encoding: binary\n\n" },
	/* not text, and no word of it */
	{ "Subject: x\r\n\r\na\nb\r\n", NULL },
	{ "Subject: x\r\n\r\na\rb\r\n", NULL },
	{ "Subject: x\r\n\r\na\r", NULL },
	{ "Subject: x\r\n\r\na\r\r\n", NULL },
	{ "Subject: x\r\n\r\na\001b\r\n", NULL },
	{ "Subject: x\n\r\na\r\n", NULL },
	{ "no field\r\n\r\n", NULL },
	{ "nor this", NULL },
	{ "X: y\r\n: z\r\n\r\n", NULL },
	{ " X: y\r\n\r\n", NULL },
	{ "Content-Type: multipart/mixed\r\n" BINARY "\r\n", NULL },
	{ MULTI("b") "\r\n--b\r\n\r\na\nb\r\n--b--\r\n", NULL },
	{ MULTI("b") "\r\n--b\r\n\r\na\r\n--b\r\r\n--b--\r\n", NULL },
	{ MULTI("b") "\r\n--b\r\n" BINARY "\r\n\n\r\n--b--\r\n\n", NULL },
	/* clang-format on */
};

static void
table(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		static char text[1024];
		size_t n = strlen(cases[i].in);
		bool ok, good;

		for (size_t k = 0; k < n; k++)
			text[k] =
			    (char)(cases[i].in[k] == 1 ? 0 : cases[i].in[k]);
		ok = every_cut((struct span){ text, n });
		good = ok == (cases[i].out != NULL) &&
		    (!ok || span_is(buf_span(&out), cases[i].out));

		if (!good)
			printf("# case %zu: %d %s\n", i, ok, buf_cstr(&out));
		check(good);
	}
}

/* All octets, in all places, and what they are after decoding. */
static void
octets(void)
{
	static char in[8192], want[4096];
	static const char head[] = MULTI("b") "\r\n--b\r\n" BINARY "\r\n";
	struct cte c = { .kind = CTE_BASE64 };
	struct buf got = { .max = MAX };
	struct span s, piece, left;
	size_t n = 0, at;

	for (size_t i = 0; i < 256; i++)
		for (size_t k = 0; k < 5; k++)
			want[n++] = (char)(i * (k + 1) + k);
	memcpy(want + n, "\r\n\r\n--b \r\n--\r\n-\r\n--b", 21);
	want[n++] = '\r'; /* no boundary any more */
	n += 20;
	at = sizeof(head) - 1;
	memcpy(in, head, at);
	memcpy(in + at, want, n);
	memcpy(in + at + n, "x\r\n--b--\r\n", 10);
	want[n++] = 'x';
	/* "--b " of want is one: take it out */
	for (size_t i = 0; i + 4 < n; i++)
		if (memcmp(want + i, "--b ", 4) == 0)
			want[i] = in[at + i] = '+';
	check(every_cut((struct span){ in, at + n + 9 }));
	s = buf_span(&out);
	left = s;
	span_take(&left, span_find(s, SPAN("base64\n\n")) + 8);
	left.n = span_find(left, SPAN("--b--"));
	for (struct span l = left; l.n > 0;)
		check(span_cut(&l, '\n').n <= 76);
	while (cte_next(&c, &left, &piece))
		buf_put(&got, piece);
	check(got.n == n && memcmp(got.p, want, n) == 0);
	buf_free(&got);
}

/* Deep, and with long lines that look like boundaries. */
static void
limits(void)
{
	static char text[MAX];
	size_t n = 0;

	for (int i = 0; i < 1000; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n,
		    "Content-Type: multipart/mixed; boundary=b%d\r\n\r\n"
		    "--b%d\r\n",
		    i, i);
	check(run((struct span){ text, n }, 4096, &out));
	check(out.n == n - 3000);
	n = (size_t)snprintf(
	    text, sizeof(text), MULTI("b") "\r\n--b\r\n" BINARY "\r\n\r\n");
	for (int i = 0; i < 2100; i++)
		text[n++] = '-';
	memcpy(text + n, "\r\n--b--", 7);
	for (size_t k = 0; k < 20; k++) /* a CR where the hold is full */
		text[n - 1100 + k] = '\r';
	check(every_cut((struct span){ text, n + 7 }));
	check(span_find(buf_span(&out), SPAN("\n--b--\n")) == out.n - 7);
	n = (size_t)snprintf(text, sizeof(text), "Content-Type: ");
	memset(text + n, 'x', 5000);
	memcpy(text + n + 5000, "\r\n\r\n", 4);
	check(!every_cut((struct span){ text, n + 5004 }));
}

int
main(void)
{
	arena_init(&arena, 65536);
	table();
	octets();
	limits();
	return done();
}
