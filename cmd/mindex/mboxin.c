/* import mbox MAILBOX FILE ... */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sha256.h"
#include "import.h"
#include "io/fs.h"
#include "mail/mbox.h"
#include "mboxhead.h"

/* How often a text came in this run: the same again is another message. */
struct seen {
	uint64_t hash;
	unsigned count;
};

static struct source {
	const char *file;
	int fd;
	off_t size;
	struct mbox mbox;
	struct mboxhead head;
	struct sha256 sha;
	bool open, in_header, first;
	bool keep_uids; /* the mailbox has those of the file */
	int64_t date;
	struct seen *seen; /* a table of cap places */
	size_t nseen, cap;
} src;

static struct target to;

static void
put(struct span s)
{
	sha256_put(&src.sha, s);
	if (!dry_run)
		maildir_write(&to.bring.file, s);
	to.size += s.n;
	if (s.n > 0)
		to.open_line = s.p[s.n - 1] != '\n';
}

static struct seen *
place_of(struct seen *table, size_t cap, uint64_t hash)
{
	size_t i = (size_t)hash & (cap - 1);

	while (table[i].count > 0 && table[i].hash != hash)
		i = (i + 1) & (cap - 1);
	return &table[i];
}

/* One more of this text: how many there were. */
static unsigned
count(uint64_t hash)
{
	struct seen *larger, *s;
	size_t cap = src.cap == 0 ? 1024 : src.cap * 2;

	if (src.nseen * 2 >= src.cap) {
		if ((larger = calloc(cap, sizeof(*larger))) == NULL)
			die_memory();
		for (size_t i = 0; i < src.cap; i++)
			if (src.seen[i].count > 0)
				*place_of(larger, cap, src.seen[i].hash) =
				    src.seen[i];
		free(src.seen);
		src.seen = larger;
		src.cap = cap;
	}
	s = place_of(src.seen, src.cap, hash);
	s->hash = hash;
	if (s->count == 0)
		src.nseen++;
	return s->count++;
}

static void
begin(void)
{
	mboxhead_init(&src.head, put);
	sha256_init(&src.sha);
	src.open = src.in_header = true;
	src.date = src.mbox.date;
	to.size = 0;
	to.open_line = false;
	if (!dry_run && bring_create(&to.bring) == -1)
		die_sys(EXIT_TEMP, "%s", to.name);
}

/* The same text of the same time always gets the same name. */
static void
finish(void)
{
	unsigned char digest[SHA256_LEN];
	struct bring_msg m = { .date = src.date };
	char base[96];
	uint64_t hash;

	if (!src.open)
		return;
	src.open = src.first = false;
	if (src.in_header)
		mboxhead_end(&src.head);
	sha256_end(&src.sha, digest);
	memcpy(&hash, digest, sizeof(hash));
	snprintf(base, sizeof(base), "%lld.X%016llx_%u.mbox",
	    (long long)src.date, (unsigned long long)hash, count(hash));
	m.base = base;
	m.flags = src.head.flags;
	m.keywords = buf_span(&src.head.keywords);
	m.uid = src.keep_uids ? src.head.uid : 0;
	if (src.head.unwanted || target_has(&to, base)) {
		if (!dry_run)
			bring_drop(&to.bring);
	} else {
		target_done(&to, &m);
	}
	mboxhead_free(&src.head);
}

/* Whether a message, or nothing, stands there in the file. */
static bool
leads_on(uint64_t at)
{
	char text[16];
	ssize_t n;
	struct span s;

	if (at >= (uint64_t)src.size)
		return at == (uint64_t)src.size;
	n = pread(src.fd, text, sizeof(text), (off_t)at);
	if (n <= 0)
		return false;
	s = (struct span){ text, (size_t)n };
	while (s.n > 0 && (*s.p == '\n' || *s.p == '\r'))
		span_take(&s, 1);
	return s.n < (size_t)n ? span_starts(s, "From ") ||
		at + (uint64_t)n - s.n == (uint64_t)src.size
			       : span_starts(s, "From ");
}

static void
end_header(void)
{
	uint64_t rest = (uint64_t)src.size - src.mbox.at;

	src.in_header = false;
	if (src.head.has_length && src.head.length <= rest &&
	    leads_on(src.mbox.at + src.head.length))
		mbox_length(&src.mbox, src.head.length);
	if (src.first && target_keeps(&to, src.head.uidvalidity))
		src.keep_uids = true;
}

static void
text_piece(struct span piece)
{
	if (src.in_header)
		mboxhead_text(&src.head, piece);
	else
		put(piece);
}

static bool
take(struct span in)
{
	struct span piece;

	for (;;)
		switch (mbox_next(&src.mbox, &in, &piece)) {
		case MBOX_MORE:
			return true;
		case MBOX_FROM:
			finish();
			begin();
			break;
		case MBOX_TEXT:
			text_piece(piece);
			break;
		case MBOX_BODY:
			end_header();
			break;
		case MBOX_NONE:
			return false;
		}
}

/* What can be read once only is put into a file of ours. */
static void
spool(void)
{
	static char buf[65536];
	int fd = fs_unnamed(boxes.root);
	ssize_t n;

	if (fd == -1)
		die_sys(EXIT_TEMP, "%s", boxes.root);
	while ((n = read(src.fd, buf, sizeof(buf))) > 0)
		if (write_all(fd, buf, (size_t)n, INT64_MAX) == -1)
			die_sys(EXIT_TEMP, "%s", boxes.root);
	if (n == -1)
		die_sys(EXIT_TEMP, "%s", src.file);
	if (src.fd != STDIN_FILENO)
		close(src.fd);
	src.fd = fd;
}

static void
one_file(const char *file)
{
	static char buf[65536];
	struct span piece;
	struct stat st;
	bool good = true;
	off_t at = 0;
	ssize_t n;

	src.file = file;
	src.mbox = (struct mbox){ 0 };
	src.first = true;
	src.keep_uids = false;
	src.fd = strcmp(file, "-") == 0 ? STDIN_FILENO
					: open(file, O_RDONLY | O_CLOEXEC);
	if (src.fd == -1 || fstat(src.fd, &st) == -1)
		die_sys(EXIT_NOINPUT, "%s", file);
	if (!S_ISREG(st.st_mode) || lseek(src.fd, 0, SEEK_CUR) != 0)
		spool();
	if (fstat(src.fd, &st) == -1)
		die_sys(EXIT_TEMP, "%s", file);
	src.size = st.st_size;
	while (good && (n = pread(src.fd, buf, sizeof(buf), at)) > 0) {
		at += n;
		good = take((struct span){ buf, (size_t)n });
	}
	if (good && n == -1)
		die_sys(EXIT_TEMP, "%s", file);
	switch (good ? mbox_eof(&src.mbox, &piece) : MBOX_NONE) {
	case MBOX_TEXT:
		text_piece(piece);
		break;
	case MBOX_NONE:
		target_commit(&to);
		die(EXIT_DATAERR, "%s: no mbox", file);
	case MBOX_MORE:
	case MBOX_FROM:
	case MBOX_BODY:
		break;
	}
	finish();
	if (src.fd != STDIN_FILENO)
		close(src.fd);
}

int
import_mbox(char **argv)
{
	const char *name = argv[0];

	if (name == NULL || argv[1] == NULL)
		usage_of("import");
	if (!target_open(&to, name))
		return status;
	while (*++argv != NULL)
		one_file(*argv);
	target_close(&to);
	free(src.seen);
	return status;
}
