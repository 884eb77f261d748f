/* export dovecot: dovecot-uidlist, dovecot-keywords, names with letters. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/enc.h"
#include "export.h"
#include "io/fs.h"
#include "store/mdname.h"
#include "store/view.h"

enum { LETTERS = 26, FILE_MAX = 268435456 };

/* What Dovecot keeps for speed, of the time before. */
static const char *const caches[] = { "dovecot.index", "dovecot.index.log",
	"dovecot.index.log.2", "dovecot.index.cache" };

static int letter_of[LIMIT_KEYWORDS]; /* of our keyword; -1: none */

static void
write_keywords(struct exported *e)
{
	struct buf b;
	int n = 0;

	buf_init(&b, LIMIT_KEYWORDS * (LIMIT_KEYWORD + 8));
	for (int k = 0; k < LIMIT_KEYWORDS; k++) {
		const char *name = folder_keyword_name(e->folder, k);

		letter_of[k] = -1;
		if ((e->keywords >> k & 1) == 0 || name == NULL)
			continue;
		if (n == LETTERS) {
			say(e->name, "drop",
			    "keyword %s: Dovecot has 26 letters", name);
			continue;
		}
		letter_of[k] = n;
		buf_printf(&b, "%d %s\n", n++, name);
		say_more(e->name, "keyword", "%s", name);
	}
	exported_put(e, "dovecot-keywords", buf_span(&b));
	buf_free(&b);
}

/* Give the file the letters of its keywords, and no other small ones. */
static void
rename_file(struct exported *e, size_t i)
{
	const struct entry *en = &e->folder->ix.entry[i];
	char from[512], to[512] = "cur/", extra[MDNAME_EXTRA + LETTERS + 1];
	struct mdname m;
	size_t n = 0, len;

	index_file(&e->folder->ix, en, from);
	m = mdname_parse(span_of(from + 4));
	for (const char *p = m.extra; *p != '\0'; p++)
		if (*p < 'a' || *p > 'z')
			extra[n++] = *p;
	for (int k = 0; k < LIMIT_KEYWORDS; k++)
		if ((en->msg.keywords >> k & 1) != 0 && letter_of[k] != -1)
			extra[n++] = (char)('a' + letter_of[k]);
	extra[n] = '\0';
	if (strcmp(extra, m.extra) == 0)
		return;
	len = mdname_make(to + 4, m.base, m.flags, m.passed, extra);
	if (len == 0 || n > MDNAME_EXTRA) {
		say(e->name, "drop", "keywords of %s: its name is too long",
		    from);
		return;
	}
	say_more(e->name, "rename", "%s to %s", from, to);
	if (!dry_run && renameat(e->fd, from, e->fd, to) == -1)
		failed(from);
}

/* The "G..." of the list that is there, else a new one. */
static void
put_guid(struct exported *e, struct buf *list)
{
	unsigned char random[16];
	struct buf old;
	struct span s, line, word;

	buf_init(&old, FILE_MAX);
	if (fs_read(e->fd, "dovecot-uidlist", &old) == 0) {
		s = buf_span(&old);
		line = span_cut(&s, '\n');
		while ((word = span_word(&line)).n > 0)
			if (*word.p == 'G' && word.n == 33) {
				buf_put(list, word);
				buf_free(&old);
				return;
			}
	}
	buf_free(&old);
	fs_random(random, sizeof(random));
	buf_putc(list, 'G');
	enc_hex(list, (struct span){ (char *)random, sizeof(random) });
}

static void
write_uidlist(struct exported *e)
{
	struct buf b;
	struct span base, own;

	buf_init(&b, FILE_MAX);
	buf_printf(&b, "3 V%lu N%lu ",
	    (unsigned long)folder_uidvalidity(e->folder),
	    (unsigned long)folder_uidnext(e->folder));
	put_guid(e, &b);
	buf_putc(&b, '\n');
	for (size_t i = 0; i < folder_count(e->folder); i++) {
		const struct msg *m = folder_msg(e->folder, i);

		if (!exported_base(e, i, &base))
			continue;
		buf_printf(&b, "%lu ", (unsigned long)m->uid);
		own = uidl_find(&e->uidl, m->uid);
		if (own.n > 0) {
			buf_putc(&b, 'P');
			buf_put(&b, own);
			buf_putc(&b, ' ');
		}
		if (m->size > 0)
			buf_printf(&b, "W%llu ", (unsigned long long)m->size);
		buf_putc(&b, ':');
		buf_put(&b, base);
		buf_putc(&b, '\n');
	}
	if (b.over)
		die(EXIT_TEMP, "%s: too many messages", e->name);
	exported_put(e, "dovecot-uidlist", buf_span(&b));
	buf_free(&b);
}

void
export_dovecot(struct exported *e)
{
	write_keywords(e);
	for (size_t i = 0; i < folder_count(e->folder); i++)
		if (!folder_msg(e->folder, i)->gone)
			rename_file(e, i);
	write_uidlist(e);
	for (size_t i = 0; i < sizeof(caches) / sizeof(caches[0]); i++)
		if (!dry_run && unlinkat(e->fd, caches[i], 0) == -1 &&
		    errno != ENOENT)
			failed(caches[i]);
}

/* dovecot-uidvalidity, and an empty file that has the same in its name. */
void
export_dovecot_root(uint32_t uidvalidity)
{
	char text[16], name[48];
	struct buf b;
	unsigned long had = 0;
	int fd;

	buf_init(&b, sizeof(text));
	if (fs_read(boxes.fd, "dovecot-uidvalidity", &b) == 0 &&
	    span_cstr(span_trim(buf_span(&b)), text, sizeof(text)))
		had = strtoul(text, NULL, 16);
	buf_free(&b);
	if (had >= uidvalidity || dry_run)
		return;
	snprintf(name, sizeof(name), "dovecot-uidvalidity.%08lx", had);
	unlinkat(boxes.fd, name, 0);
	snprintf(text, sizeof(text), "%08lx", (unsigned long)uidvalidity);
	snprintf(name, sizeof(name), "dovecot-uidvalidity.%s", text);
	fd = openat(boxes.fd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd == -1 ||
	    fs_replace(boxes.fd, "dovecot-uidvalidity", span_of(text), 0600) ==
		-1)
		failed("dovecot-uidvalidity");
	if (fd != -1)
		close(fd);
}
