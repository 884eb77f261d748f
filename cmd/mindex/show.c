/* Folders, and what the index knows of their messages. */
#include <sys/stat.h>
#include <unistd.h>

#include "base/date.h"
#include "mindex.h"
#include "store/view.h"

static const char *box_name; /* of show_messages */

/* A number: a column, or a member of the object. */
static void
field(const char *key, uint64_t value)
{
	if (as_json) {
		out_puts(&out, ",\"");
		out_puts(&out, key);
		out_puts(&out, "\":");
	} else {
		out_putc(&out, '\t');
	}
	out_putu(&out, value);
}

static void
text_field(const char *key, const char *value)
{
	if (as_json) {
		out_puts(&out, ",\"");
		out_puts(&out, key);
		out_puts(&out, "\":");
		put_json(value);
	} else {
		out_putc(&out, '\t');
		put_text(value);
	}
}

static void
first_field(const char *key, const char *value)
{
	if (as_json) {
		out_puts(&out, "{\"");
		out_puts(&out, key);
		out_puts(&out, "\":");
		put_json(value);
	} else {
		put_text(value);
	}
}

static void
end_line(void)
{
	out_puts(&out, as_json ? "}\n" : "\n");
}

/* Bytes of a file of the index; 0 when it is not there. */
static uint64_t
bytes_of(const char *path, const char *name)
{
	char file[LIMIT_PATH + 64];
	struct stat st;

	snprintf(file, sizeof(file), "%s/%s", path, name);
	return stat(file, &st) == 0 ? (uint64_t)st.st_size : 0;
}

static void
show_folder(const char *name, const char *path)
{
	struct folder_status st;

	if (folder_status(path, &st, false) == -1) {
		failed(name);
		return;
	}
	first_field("mailbox", name);
	field("uidvalidity", st.uidvalidity);
	field("uidnext", st.uidnext);
	field("modseq", st.modseq);
	field("messages", st.messages);
	field("unseen", st.unseen);
	field("deleted", st.deleted);
	field("snapshot", bytes_of(path, "pneu.snapshot"));
	field("cache", bytes_of(path, "pneu.cache"));
	end_line();
}

/* "\Seen \Flagged", blank-separated, terminated, of 64 bytes. */
const char *
flag_words(uint16_t flags, char *dst)
{
	static const char *const names[] = { "\\Seen", "\\Answered",
		"\\Flagged", "\\Deleted", "\\Draft" };
	size_t n = 0;

	dst[0] = '\0';
	for (size_t i = 0; i < 5; i++)
		if ((flags >> i & 1) != 0)
			n += (size_t)snprintf(dst + n, 64 - n, "%s%s",
			    n > 0 ? " " : "", names[i]);
	return dst;
}

void
keyword_words(const struct folder *f, uint64_t keywords, struct buf *b)
{
	buf_clear(b);
	for (int k = 0; k < LIMIT_KEYWORDS; k++) {
		const char *name = folder_keyword_name(f, k);

		if ((keywords >> k & 1) == 0 || name == NULL)
			continue;
		if (b->n > 0)
			buf_putc(b, ' ');
		buf_puts(b, name);
	}
}

static void
show_message(struct folder *f, size_t i, struct buf *words)
{
	const struct msg *m = folder_msg(f, i);
	char uid[16], flags[64], date[DATE_RFC3339_SIZE], file[512];
	char saved[DATE_RFC3339_SIZE], id[FOLDER_ID];
	uint64_t size;
	int64_t when;

	if (folder_size(f, i, &size) == -1)
		size = 0;
	if (folder_date(f, i, &when) == -1)
		when = 0;
	snprintf(uid, sizeof(uid), "%lu", (unsigned long)m->uid);
	keyword_words(f, m->keywords, words);
	if (as_json) {
		first_field("mailbox", box_name);
		field("uid", m->uid);
	} else {
		put_text(uid);
	}
	text_field("flags", flag_words(m->flags, flags));
	text_field("keywords", buf_cstr(words));
	field("modseq", m->modseq);
	text_field("date", date_rfc3339(when, date));
	text_field("saved", m->saved != 0 ? date_rfc3339(m->saved, saved) : "");
	field("size", size);
	folder_email_id(f, i, id);
	text_field("emailid", id);
	text_field("file", index_file(&f->ix, &f->ix.entry[i], file));
	end_line();
}

static void
show_messages(const char *name, const char *path)
{
	struct folder *f;
	struct buf words;

	if (folder_open(&f, path, false) == -1) {
		failed(name);
		return;
	}
	box_name = name;
	buf_init(&words, (LIMIT_KEYWORD + 1) * LIMIT_KEYWORDS);
	for (size_t i = 0; i < folder_count(f); i++)
		show_message(f, i, &words);
	buf_free(&words);
	folder_close(f);
}

int
show_main(int argc, char **argv)
{
	verb_options(argc, argv, "j");
	open_maildir(false);
	each_box(
	    argv + optind, argv[optind] == NULL ? show_folder : show_messages);
	return status;
}
