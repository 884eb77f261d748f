/*
 * The small files of a Maildir: whatever is in them, what is read is what
 * they promise, and what is changed in them is what one finds again.  The
 * first line of the input names the file, by its first letter; the second
 * is what is asked of it or put into it.
 */
#include <assert.h>

#include "base/num.h"
#include "store/acl.h"
#include "store/boxfile.h"
#include "store/events.h"
#include "store/folder.h"
#include "store/mdname.h"
#include "store/metadata.h"
#include "store/quota.h"
#include "store/side.h"
#include "store/uidl.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

enum { MOST = 1048576 };

/* acl: who has which rights; those of one are changed. */
static unsigned
rights_of(const struct acl *a, struct span who, bool *there)
{
	unsigned rights, found = 0;
	struct span name;
	size_t at = 0;

	*there = false;
	while (acl_next(a, &at, &name, &rights)) {
		assert(name.n > 0 && (rights & ~(unsigned)ACL_ALL) == 0);
		if (span_eq(name, who)) {
			found = rights;
			*there = true;
		}
	}
	return found;
}

static void
acl(struct span who, struct span text)
{
	struct acl old = { .text.max = MOST }, new = old;
	bool had, there;
	unsigned before;

	who = span_trim(who);
	buf_put(&old.text, text);
	before = rights_of(&old, who, &had);
	assert((acl_rights(&old) & ACL_OWNER) == ACL_OWNER);
	if (who.n > 0 &&
	    acl_edit(&old, who, ACL_ADD, ACL_R | ACL_K, &new.text)) {
		unsigned after = rights_of(&new, who, &there);

		assert(there && (after & ACL_R) != 0);
		assert(!had || (after & before) == before);
		buf_clear(&old.text);
		assert(acl_edit(&new, who, ACL_DELETE, 0, &old.text));
		rights_of(&old, who, &there);
		assert(!there);
	}
	acl_free(&old);
	acl_free(&new);
}

/* boxes: the file of subscriptions; a folder is added and taken out. */
static size_t
count_dir(struct span text, const char *dir, size_t *all)
{
	struct buf b = { .max = MOST };
	struct span s;
	size_t n = 0;

	*all = 0;
	boxfile_dirs(text, &b);
	for (s = buf_span(&b); s.n > 0; ++*all)
		n += span_is(span_cut(&s, '\n'), *dir == '\0' ? "INBOX" : dir);
	buf_free(&b);
	return n;
}

/* What boxname makes: "", ".A.B". */
static bool
is_dir(struct span name, char dir[256])
{
	if (!span_cstr(name, dir, 256))
		return false;
	for (size_t i = 0; dir[i] != '\0'; i++)
		if (!is_print(dir[i]))
			return false;
	if (dir[0] == '\0')
		return true;
	return dir[0] == '.' && dir[1] != '\0' &&
	    !span_iis(span_of(dir + 1), "INBOX");
}

/* A line that would be the format, if it were the first, is noise. */
static bool
has_second_format(struct span text)
{
	if (span_starts(text, "V\t2\n"))
		span_take(&text, 4);
	return span_find(text, SPAN("V\t2")) < text.n;
}

static void
boxes(struct span name, struct span text)
{
	struct buf in = { .max = MOST }, out = in;
	char dir[256];
	size_t all, left, before;

	if (!is_dir(name, dir) || has_second_format(text))
		return;
	before = count_dir(text, dir, &all);
	assert(boxfile_edit(text, dir, true, &in) == (before == 0));
	assert(count_dir(buf_span(&in), dir, &left) == 1);
	assert(left == all - before + 1);
	assert(boxfile_edit(buf_span(&in), dir, false, &out));
	assert(count_dir(buf_span(&out), dir, &left) == 0);
	assert(left == all - before);
	buf_free(&in);
	buf_free(&out);
}

/* special uses: a folder has one, and no other folder has that. */
static size_t
count_unknown(struct span text)
{
	size_t n = 0;

	while (text.n > 0) {
		struct span line = span_cut(&text, '\n');

		n += boxfile_use(span_word(&line)) == 0;
	}
	return n;
}

static size_t
count_use(struct span text, const char *dir, unsigned use)
{
	struct buf lines = { .max = MOST };
	struct span s;
	size_t n = 0;

	boxfile_use_lines(text, &lines);
	for (s = buf_span(&lines); s.n > 0;) {
		struct span line = span_cut(&s, '\n'), word = span_word(&line);
		bool here = span_is(span_trim(line), dir);
		uint32_t has;

		assert(num_u32(word, &has) && has != 0);
		assert((has == use) == here);
		n += here;
	}
	buf_free(&lines);
	return n;
}

static void
special(struct span name, struct span text)
{
	struct buf in = { .max = MOST }, out = in;
	size_t unknown = count_unknown(text);
	char dir[256];

	if (!is_dir(span_trim(name), dir) || dir[0] == '\0')
		return;
	assert(boxfile_edit_use(text, dir, BOX_SENT, &in));
	assert(count_use(buf_span(&in), dir, BOX_SENT) == 1);
	assert(boxfile_edit_use(buf_span(&in), dir, 0, &out));
	assert(count_use(buf_span(&out), dir, 0) == 0);
	assert(count_unknown(buf_span(&out)) == unknown);
	buf_free(&in);
	buf_free(&out);
}

/* events: the queue; what is noted is what is read. */
static void
note_again(const struct event *ev)
{
	struct event_rule all = { .kinds = ev->kind };
	struct events e = { .rules = &all, .lines.max = MOST };
	struct buf fields = { .max = MOST };
	struct event again;
	struct span s;

	events_note(&e, ev);
	s = buf_span(&e.lines);
	assert(events_parse(span_cut(&s, '\n'), &again, &fields) && s.n == 0);
	assert(again.kind == ev->kind && again.uid == ev->uid);
	assert(again.uidvalidity == ev->uidvalidity);
	assert(span_eq(again.dir, ev->dir) && span_eq(again.from, ev->from));
	assert(span_eq(again.to, ev->to) && span_eq(again.flags, ev->flags));
	assert(span_eq(again.changed, ev->changed));
	buf_free(&e.lines);
	buf_free(&fields);
}

static void
events(struct span rule, struct span text)
{
	struct events e = { .arena.max = LIMIT_EVENT_RULES };
	struct buf fields = { .max = MOST };
	struct event ev;

	if (events_rule(&e, rule) == NULL)
		assert(e.rules->argv[0] != NULL && e.rules->kinds != 0);
	while (text.n > 0)
		if (events_parse(span_cut(&text, '\n'), &ev, &fields)) {
			if (e.rules != NULL)
				events_match(e.rules, &ev);
			note_again(&ev);
		}
	buf_free(&fields);
	arena_free(&e.arena);
}

/* metadata: an entry is set, found, and taken out. */
static void
metadata(struct span name, struct span text)
{
	struct metadata old = { .text.max = MOST * 16 }, new = old;
	struct metadata_change c = { name, text };
	struct span entry, value;
	size_t at = 0, n = 0;

	buf_put(&old.text, text);
	while (metadata_next(&old, &at, &entry, &value)) {
		assert(metadata_entry_ok(entry) && value.n < text.n);
		n++;
	}
	if (metadata_entry_ok(name) && text.p != NULL &&
	    metadata_edit(&old, &c, 1, &new.text)) {
		assert(metadata_get(&new, name, &value));
		assert(span_eq(value, text));
		buf_clear(&old.text);
		c.value.p = NULL;
		assert(metadata_edit(&new, &c, 1, &old.text));
		assert(!metadata_get(&old, name, &value));
	}
	metadata_free(&old);
	metadata_free(&new);
}

/* names of files: what is read is written the same. */
static void
names(struct span name, struct span other)
{
	struct mdname m = mdname_parse(name), again;
	char made[MDNAME_MAX + 1];
	size_t len;

	assert(mdname_order(name, other) == -mdname_order(other, name) ||
	    mdname_order(name, other) * mdname_order(other, name) < 0);
	assert(mdname_order(name, name) == 0);
	assert(m.base.n <= name.n && m.id.n <= m.base.n);
	len = mdname_make(made, m.base, m.flags, m.passed, m.extra);
	assert(len <= MDNAME_MAX);
	if (len == 0)
		return;
	again = mdname_parse((struct span){ made, len });
	assert(span_eq(again.base, m.base) && again.info);
	assert(again.flags == m.flags && again.passed == m.passed);
	assert(again.has_s == m.has_s && again.s == m.s);
	assert(again.has_w == m.has_w && again.w == m.w);
	assert(span_eq(again.id, m.id));
	assert(strlen(again.extra) == strlen(m.extra));
}

/* quota: maildirsize; a line more is that much more. */
static void
quota(struct span line, struct span text)
{
	struct quota_use u, more;
	size_t lines, n;
	struct buf b = { .max = MOST };

	if (!quota_parse(text, &u, &lines))
		return;
	assert(lines > 0 && u.bytes <= INT64_MAX && u.messages <= INT64_MAX);
	buf_put(&b, text);
	buf_put(&b, line);
	buf_putc(&b, '\n');
	if (quota_parse(buf_span(&b), &more, &n)) {
		assert(n == lines + 1);
		assert(more.max_bytes == u.max_bytes);
	}
	buf_free(&b);
}

/* threads, orders: what may be lost is believed by its sum alone. */
static void
threads(struct span rest, struct span file)
{
	struct span content;

	(void)rest;
	if (side_content(file, 7, &content))
		assert(content.n < file.n &&
		    content.p + content.n == file.p + file.n);
}

/* uidl: rising UIDs with names of POP3. */
static void
uidl(struct span rest, struct span text)
{
	struct uidl u = { .text.max = MOST };
	uint32_t uid;

	(void)rest;
	buf_put(&u.text, text);
	if (uidl_parse(&u, 7) == 0)
		for (uid = 0; uid < 100; uid++) {
			struct span name = uidl_find(&u, uid);

			assert(name.n == 0 || uidl_ok(name));
		}
	else
		assert(u.n == 0);
	uidl_free(&u);
}

static const struct {
	char letter;
	void (*look)(struct span line, struct span text);
} files[] = { { 'a', acl }, { 'b', boxes }, { 'e', events }, { 'm', metadata },
	{ 'n', names }, { 'q', quota }, { 's', special }, { 't', threads },
	{ 'u', uidl } };

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct span in = { (const char *)p, n }, kind, line;

	if (n == 0)
		return 0;
	kind = span_cut(&in, '\n');
	if (in.n == 0)
		return 0;
	line = span_cut(&in, '\n');
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (kind.n > 0 && *kind.p == files[i].letter)
			files[i].look(line, in);
	return 0;
}
