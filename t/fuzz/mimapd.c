/* links: cmd/mimapd/[a-z]*.c */
/* seeds: imapd */
/*
 * mimapd: a session whose client says the input, with a Maildir of three
 * messages and two more in a folder.  Before a command whose tag begins with
 * "o" another program has done something there.  What is answered is IMAP,
 * as a client reads it.
 */
#include <errno.h>

#include "imap/imapc.h"
#include "session.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

enum { FILES = 16 };

static const struct {
	const char *name, *text;
} messages[] = {
	{ "cur/1580526245.M1.h:2,S",
	    "From: Zoe <zoe@example.test>\nTo: a@example.test\n"
	    "Subject: one\nDate: Sat, 1 Feb 2020 03:04:05 +0000\n"
	    "Message-ID: <1@x>\n\nplain text\n" },
	{ "cur/1580526246.M2.h:2,F",
	    "From: b@example.test\nSubject: Re: one\nReferences: <1@x>\n"
	    "Message-ID: <2@x>\nContent-Type: multipart/mixed; boundary=b\n\n"
	    "--b\nContent-Type: text/plain; charset=iso-8859-1\n"
	    "Content-Transfer-Encoding: quoted-printable\n\ngr=F6=DFe\n"
	    "--b\nContent-Type: message/rfc822\n\nSubject: inner\n\nx\n"
	    "--b--\n" },
	{ "new/1580526247.M3.h",
	    "Subject: =?utf-8?q?gr=C3=B6=C3=9Fe?=\n"
	    "Content-Transfer-Encoding: base64\n\naGVsbG8=\n" },
	{ ".Work/cur/1580526248.M4.h:2,", "Subject: apple\n\npie\n" },
	{ ".Work/new/1580526249.M5.h", "Subject: two\n\n" },
};

/* The files as they are before each session. */
static struct file {
	const char *name;
	struct buf text;
} file[FILES];
static size_t files;

static char root[128];

static void
keep_file(const char *name)
{
	struct buf *b = &file[files].text;
	char path[300];

	assert(files < FILES);
	buf_init(b, SESSION_BUFFER);
	snprintf(path, sizeof(path), "%s/%s", root, name);
	if (fs_read(AT_FDCWD, path, b) == 0)
		file[files++].name = name;
}

static void
begin(void)
{
	snprintf(root, sizeof(root), "%s/mail", place_path());
	session_folder(root, "");
	session_folder(root, "/.Work");
	for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
		session_write(
		    root, messages[i].name, span_of(messages[i].text));
		keep_file(messages[i].name);
	}
	session_index(root, "", 1580526245);
	session_index(root, "/.Work", 1580526245);
	keep_file("pneu.snapshot");
	keep_file(".Work/pneu.snapshot");
}

static void
reset(void)
{
	assert(fs_remove_tree(AT_FDCWD, root) == 0);
	session_folder(root, "");
	session_folder(root, "/.Work");
	for (size_t i = 0; i < files; i++)
		session_write(root, file[i].name, buf_span(&file[i].text));
}

static void
rename_file(const char *from, const char *to)
{
	char path[300], other[300];

	snprintf(path, sizeof(path), "%s/%s", root, from);
	snprintf(other, sizeof(other), "%s/%s", root, to);
	if (rename(path, other) == -1)
		assert(errno == ENOENT); /* the session has moved it */
}

static unsigned changes;

static void
deliver(const char *folder)
{
	char path[300], name[64];

	snprintf(path, sizeof(path), "%s%s/new", root, folder);
	snprintf(name, sizeof(name), "%u.M1.o", 1600000000 + changes);
	if (access(path, F_OK) == 0)
		session_write(path, name, SPAN("Subject: other\n\nx\n"));
}

/* What another program does: new flags, a removal, deliveries. */
static void
change(const struct imap *im)
{
	if (im->e.tag.n == 0 || *im->e.tag.p != 'o')
		return;
	switch (changes++ % 4) {
	case 0:
		rename_file(messages[0].name, "cur/1580526245.M1.h:2,FT");
		break;
	case 1:
		rename_file(messages[1].name, "tmp/gone");
		break;
	case 2:
		deliver("/.Work");
		break;
	default:
		deliver("");
	}
}

/* imapc knows no tags but its own, which are of letters and digits. */
static bool
has_other_tag(struct span answer)
{
	return answer.n > 0 && !is_alnum(*answer.p) && *answer.p != '*' &&
	    *answer.p != '+';
}

/* Whether what was said is IMAP; the last is the answer to our own. */
static void
check(struct span in)
{
	struct span piece, at = in;
	enum imapc_event e;
	struct imapc c;
	bool ended = false;

	imapc_init(&c);
	while ((e = imapc_next(&c, &in, &piece)) != IMAPC_MORE) {
		ended = e == IMAPC_BAD ||
		    (e == IMAPC_TAGGED && span_starts(c.text, "z OK"));
		if (e == IMAPC_BAD)
			break;
		at = in;
	}
	if (!ended || (e == IMAPC_BAD && !has_other_tag(at))) {
		fwrite(at.p, 1, at.n, stderr);
		abort();
	}
	imapc_free(&c);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct imap im;
	struct buf said;

	if (n > SESSION_BUFFER / 2)
		return 0;
	if (root[0] == '\0')
		begin();
	reset();
	session_begin(&im, root);
	changes = 0;
	session_run(&im, (struct span){ (const char *)p, n }, change);
	session_end(&im);
	session_answers(&im, &said);
	check(buf_span(&said));
	buf_free(&said);
	return 0;
}
