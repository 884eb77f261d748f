/* links: cmd/mimapd/[a-z]*.c */
/*
 * mimapd: what is kept in pneu.order.subject and pneu.threads.  The input
 * is the content of one of them, by its first byte, and its sum is right:
 * whatever it says, SORT and THREAD tell each message once.
 */
#include "session.h"
#include "store/side.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

enum { COUNT = 40, VALIDITY = 7 };

static char root[128];
static struct imap im;

static void
leave(void)
{
	session_end(&im);
}

static void
begin(void)
{
	char name[64], text[128];

	snprintf(root, sizeof(root), "%s/mail", place_path());
	session_folder(root, "");
	for (int i = 1; i <= COUNT; i++) {
		snprintf(name, sizeof(name), "cur/%d.M%d.h:2,", 1000 + i, i);
		snprintf(text, sizeof(text),
		    "Subject: s%d\nMessage-ID: <%d@x>\n"
		    "In-Reply-To: <%d@x>\n\n",
		    i * 7 % 10, i, i / 3);
		session_write(root, name, span_of(text));
	}
	session_index(root, "", VALIDITY);
	session_begin(&im, root);
	atexit(leave);
	session_run(&im, SPAN("a SELECT INBOX\n"), NULL);
}

/* Each number once, with whatever between them. */
static void
check(struct span all, const char *start)
{
	bool told[COUNT + 1] = { false };
	unsigned n = 0, number = 0;
	struct span line = SPAN("");

	while (all.n > 0 && !span_starts(line, start))
		line = span_cut(&all, '\n');
	assert(span_starts(line, start));
	for (size_t i = strlen(start); i < line.n; i++) {
		if (is_digit(line.p[i])) {
			number = number * 10 + (unsigned)(line.p[i] - '0');
			continue;
		}
		if (number == 0)
			continue;
		assert(number <= COUNT && !told[number]);
		told[number] = true;
		number = 0;
		n++;
	}
	assert(n == COUNT);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct span rest = { (const char *)p + 1, n - 1 };
	struct buf said;

	if (n == 0)
		return 0;
	if (root[0] == '\0')
		begin();
	assert(ftruncate(session_said, 0) == 0);
	assert(lseek(session_said, 0, SEEK_SET) == 0);
	side_write(
	    root, (p[0] & 1) ? "order.subject" : "threads", VALIDITY, rest);
	session_run(&im,
	    (p[0] & 1) ? SPAN("a SORT (SUBJECT) UTF-8 ALL\n")
		       : SPAN("a THREAD REFERENCES UTF-8 ALL\n"
			      "a THREAD REFS UTF-8 ALL\n"),
	    NULL);
	session_answers(&im, &said);
	check(buf_span(&said), (p[0] & 1) ? "* SORT " : "* THREAD ");
	buf_free(&said);
	return 0;
}
