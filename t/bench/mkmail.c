/*
 * A Maildir of made-up mail, the same each time.
 * usage: mkmail [-p] DIR MESSAGES
 *
 * About 10 KB a message on average: plain text, multipart/alternative,
 * attachments, encoded words and quoted-printable, threads by References.
 * All are in cur/.  -p: plain names, without ,S= and ,W=.
 */
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { WORDS = 3000, FIRST_DATE = 1650000000 };

static char words[WORDS][16];
static char text[512 * 1024];
static size_t n;
static uint64_t seed;

static unsigned
roll(unsigned below)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)((seed >> 33) % below);
}

static void
put(const char *s)
{
	size_t len = strlen(s);

	memcpy(text + n, s, len);
	n += len;
}

static void
putf(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	n += (size_t)vsnprintf(text + n, 1000, fmt, ap);
	va_end(ap);
}

static void
make_words(void)
{
	static const char *part[] = { "ba", "le", "ti", "no", "ru", "ka", "mer",
		"son", "vi", "ta", "del", "gor", "pa", "shi", "lun", "est" };

	seed = 1;
	for (size_t i = 0; i < WORDS; i++) {
		unsigned parts = 1 + roll(4);

		for (unsigned k = 0; k < parts; k++)
			strcat(words[i], part[roll(16)]);
	}
}

/* Some words are met often, most seldom. */
static const char *
word(void)
{
	unsigned a = roll(WORDS), b = roll(WORDS), c = roll(WORDS);

	a = a < b ? a : b;
	return words[a < c ? a : c];
}

static void
prose(size_t size, const char *eol)
{
	size_t end = n + size, line = n;

	while (n < end) {
		put(word());
		if (n - line > 64) {
			put(eol);
			line = n;
		} else {
			put(" ");
		}
	}
	put("\n");
}

static void
attachment(size_t size)
{
	static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmn"
				    "opqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < size / 77; i++) {
		for (size_t k = 0; k < 76; k++)
			text[n++] = digit[roll(64)];
		put("\n");
	}
}

/* The message it answers, or itself. */
static long
parent_of(long i)
{
	uint64_t h = (uint64_t)i * 0x9e3779b97f4a7c15u;
	long back = (long)(h >> 40) % 60;

	return (h >> 20) % 10 < 4 || back == 0 || back > i ? i : i - back;
}

static void
date(const char *field, long i)
{
	time_t t = FIRST_DATE + i * 600;
	struct tm tm;
	char s[100];

	gmtime_r(&t, &tm);
	strftime(s, sizeof(s), "%a, %d %b %Y %H:%M:%S", &tm);
	putf("%s%s +0000\n", field, s);
}

static void
subject(long i)
{
	long root = i, up;
	uint64_t old = seed;

	while ((up = parent_of(root)) != root)
		root = up;
	seed = (uint64_t)root * 77;
	put(root == i ? "Subject: " : "Subject: Re: ");
	if (root % 7 == 3)
		putf("=?UTF-8?Q?Gr=C3=BC=C3=9Fe_%s?= "
		     "=?utf-8?B?5a+75om+IHrDvHJpY2g=?=\n %s\n",
		    word(), word());
	else
		putf("%s %s %s about %s\n", word(), word(), word(), word());
	seed = old;
}

static void
refer(long i)
{
	long chain[8], up;
	int k = 0;

	if (parent_of(i) == i)
		return;
	for (; k < 8 && (up = parent_of(i)) != i; i = up)
		chain[k++] = up;
	putf("In-Reply-To: <m%ld.1@bench.test>\nReferences:", chain[0]);
	while (--k >= 0)
		putf(" <m%ld.1@bench.test>%s", chain[k], k > 0 ? "\n" : "");
	put("\n");
}

static void
header(long i)
{
	const char *from = word(), *to = word();

	putf("Return-Path: <%s@sender.test>\n", from);
	for (int k = 0; k < 3; k++) {
		putf("Received: from mx%u.%s.test (mx.%s.test [192.0.2.%u])\n"
		     "\tby mail%d.example.test with ESMTPS id %08x%08x\n"
		     "\tfor <bench@example.test>",
		    roll(9), from, word(), roll(255), k, roll(1u << 31),
		    roll(1u << 31));
		date("; ", i);
	}
	date("Date: ", i);
	if (i % 7 == 2)
		putf("From: =?iso-8859-1?Q?J=F6rg_%s?= <%s@sender.test>\n",
		    word(), from);
	else
		putf(
		    "From: \"%s %s\" <%s@sender.test>\n", word(), word(), from);
	putf("To: %s <%s@example.test>, bench@example.test\n", word(), to);
	if (roll(3) == 0)
		putf("Cc: %s@example.test,\n %s %s <%s@other.test>\n", word(),
		    word(), word(), word());
	putf("Message-ID: <m%ld.1@bench.test>\n", i);
	refer(i);
	subject(i);
	putf("X-Mailer: bench %u.%u\nMIME-Version: 1.0\n", roll(9), roll(9));
}

static void
part(const char *type, const char *cte)
{
	putf("--b0undary=_%s\nContent-Type: %s\n"
	     "Content-Transfer-Encoding: %s\n\n",
	    words[7], type, cte);
}

static void
body(long i)
{
	size_t size = 800 + roll(5000);

	if (i % 10 < 4 || i % 10 == 8) {
		putf("Content-Type: text/plain; charset=utf-8\n"
		     "Content-Transfer-Encoding: %s\n\n",
		    i % 10 == 8 ? "quoted-printable" : "7bit");
		if (i % 997 == 5)
			put("the zanzibarium is rare\n");
		prose(size, i % 10 == 8 ? " =C3=A4=C3=B6 =\n" : "\n");
		return;
	}
	putf("Content-Type: multipart/%s;\n boundary=\"b0undary=_%s\"\n\n"
	     "Of several parts.\n",
	    i % 10 == 7 || i % 10 == 9 ? "mixed" : "alternative", words[7]);
	part("text/plain; charset=us-ascii", "7bit");
	prose(size, "\n");
	if (i % 10 == 7 || i % 10 == 9) {
		part("application/pdf; name=\"a file.pdf\"\n"
		     "Content-Disposition: attachment;\n"
		     " filename=\"a file.pdf\"",
		    "base64");
		attachment(10000 + roll(36000));
	} else {
		part("text/html; charset=utf-8", "quoted-printable");
		put("<html><body><p class=3D\"x\">\n");
		prose(size * 2, "<br>\n");
		put("</body></html>\n");
	}
	putf("--b0undary=_%s--\n", words[7]);
}

static int
place(int dir, long i, bool plain)
{
	long when = FIRST_DATE + i * 600;
	struct timespec t[2] = { { .tv_sec = when }, { .tv_sec = when } };
	char name[200], sizes[60] = "";
	size_t lines = 0;
	int fd;

	for (const char *p = text;
	     (p = memchr(p, '\n', (size_t)(text + n - p))) != NULL; p++)
		lines++;
	if (!plain)
		snprintf(sizes, sizeof(sizes), ",S=%zu,W=%zu", n, n + lines);
	snprintf(name, sizeof(name), "%ld.M%06ldP%ld.bench%s:2,%s", when,
	    (i * 7919) % 1000000, 1000 + i, sizes, i % 5 == 0 ? "" : "S");
	fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL, 0600);
	if (fd == -1 || write(fd, text, n) != (ssize_t)n ||
	    futimens(fd, t) == -1)
		return -1;
	return close(fd);
}

int
main(int argc, char *argv[])
{
	bool plain = argc > 1 && strcmp(argv[1], "-p") == 0;
	char path[1000];
	long messages;
	int dir = -1;

	argv += plain;
	if (argc - plain != 3)
		return 64;
	messages = strtol(argv[2], NULL, 10);
	for (const char *const *s =
		 (const char *const[]){ "", "/tmp", "/new", "/cur", NULL };
	     *s != NULL; s++) {
		snprintf(path, sizeof(path), "%s%s", argv[1], *s);
		if (mkdir(path, 0700) == -1)
			return 1;
	}
	dir = open(path, O_RDONLY | O_DIRECTORY);
	make_words();
	for (long i = 0; i < messages; i++) {
		seed = (uint64_t)(i + 17) * 0x9e3779b97f4a7c15u;
		roll(1);
		n = 0;
		header(i);
		body(i);
		if (place(dir, i, plain) == -1) {
			perror("mkmail");
			return 1;
		}
	}
	return 0;
}
