/* store/boxes: names, LIST, and what CREATE, DELETE, RENAME leave. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/conf.h"
#include "io/fs.h"
#include "store/append.h"
#include "store/boxes.h"
#include "store/boxname.h"
#include "test.h"

static char root[64] = "/tmp/boxes.XX"
		       "XX"
		       "XX";
static struct boxes b;

static const struct {
	const char *name, *dir; /* dir NULL: no name of a mailbox */
	char separator;
} names[] = {
	/* clang-format off */
	{ "INBOX", "", '/' },
	{ "inBox", "", '/' },
	{ "inbox/a", ".INBOX.a", '/' },
	{ "Work/2026", ".Work.2026", '/' },
	{ "Entw\xc3\xbcrfe", ".Entw&APw-rfe", '/' },
	{ "A&B", ".A&-B", '/' },
	{ "Work.2026", ".Work.2026", '.' },
	{ "a b", ".a b", '/' },
	{ "", NULL, '/' },
	{ "/", NULL, '/' },
	{ "a/", NULL, '/' },
	{ "/a", NULL, '/' },
	{ "a" "//b", NULL, '/' },
	{ "..", NULL, '/' },
	{ "a.b", NULL, '/' },
	{ "../x", NULL, '/' },
	{ "a/../b", NULL, '/' },
	{ "a/b", NULL, '.' },
	{ "a..b", NULL, '.' },
	{ "a\nb", NULL, '/' },
	{ "a\x7f", NULL, '/' },
	{ "\xc2\x85", NULL, '/' },
	{ "\xff", NULL, '/' },
	{ "inbox/", NULL, '/' },
	/* clang-format on */
};

static void
test_names(void)
{
	char dir[BOXNAME_DIR], big[1200];
	struct buf back;

	buf_init(&back, 2000);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		bool ok = boxname_dir(
		    span_of(names[i].name), names[i].separator, dir);

		check(ok == (names[i].dir != NULL));
		if (!ok || names[i].dir == NULL)
			continue;
		check(strcmp(dir, names[i].dir) == 0);
		buf_clear(&back);
		if (dir[0] == '\0')
			continue;
		check(boxname_of(&back, dir, names[i].separator));
		check(span_iis(buf_span(&back), names[i].name));
	}
	memset(big, 'a', sizeof(big));
	check(!boxname_dir((struct span){ big, 256 }, '/', dir));
	check(boxname_dir((struct span){ big, 254 }, '/', dir));
	check(!boxname_dir((struct span){ "a\0b", 3 }, '/', dir));
	buf_free(&back);
}

static unsigned
attrs_of(const char *name)
{
	struct box *list;
	int n = boxes_list(&b, &list);
	unsigned r = UINT32_MAX;

	check(n >= 1 && strcmp(list[0].name, "INBOX") == 0);
	for (int i = 0; i < n; i++) {
		if (strcmp(list[i].name, name) == 0)
			r = list[i].attrs;
		check(i < 2 || strcmp(list[i - 1].name, list[i].name) < 0);
	}
	if (n > 0)
		free(list);
	return r;
}

static void
test_list(void)
{
	check(attrs_of("INBOX") == 0);
	check(boxes_create(&b, SPAN("Sent"), 0) == BOX_OK);
	check(boxes_create(&b, SPAN("Sent"), 0) == BOX_EXISTS);
	check(boxes_create(&b, SPAN("inbox"), 0) == BOX_EXISTS);
	check(boxes_create(&b, SPAN("a.b"), 0) == BOX_BADNAME);
	check(boxes_create(&b, SPAN("A/B/C/"), 0) == BOX_OK);
	check(attrs_of("Sent") == BOX_SENT);
	check(attrs_of("A") == (BOX_NOSELECT | BOX_HASCHILDREN));
	check(attrs_of("A/B") == (BOX_NOSELECT | BOX_HASCHILDREN));
	check(attrs_of("A/B/C") == 0);
	check(boxes_create(&b, SPAN("A"), 0) == BOX_OK);
	check(attrs_of("A") == BOX_HASCHILDREN);
	check(boxes_create(&b, SPAN("Outgoing"), BOX_SENT) == BOX_OK);
	check(attrs_of("Outgoing") == BOX_SENT && attrs_of("Sent") == 0);
	check(boxes_rename(&b, SPAN("Outgoing"), SPAN("Gone out")) == BOX_OK);
	check(attrs_of("Gone out") == BOX_SENT);
	check(boxes_delete(&b, SPAN("Gone out")) == BOX_OK);
	check(attrs_of("Outgoing") == UINT32_MAX);
	check(attrs_of("Sent") == BOX_SENT);
}

static void
test_subscribe(void)
{
	struct buf text;

	check(boxes_subscribe(&b, SPAN("A/B/C"), true) == BOX_OK);
	check(boxes_subscribe(&b, SPAN("Nowhere/\xc3\xa9"), true) == BOX_OK);
	check(boxes_subscribe(&b, SPAN("INBOX"), true) == BOX_OK);
	check(boxes_subscribe(&b, SPAN("INBOX"), true) == BOX_OK);
	check(boxes_subscribe(&b, SPAN("../x"), true) == BOX_BADNAME);
	check(attrs_of("A/B/C") == BOX_SUBSCRIBED);
	check(attrs_of("INBOX") == BOX_SUBSCRIBED);
	check(
	    attrs_of("Nowhere/\xc3\xa9") == (BOX_SUBSCRIBED | BOX_NONEXISTENT));
	buf_init(&text, 1000);
	check(fs_read(b.fd, "subscriptions", &text) == 0);
	check(span_is(buf_span(&text), "A.B.C\nNowhere.&AOk-\nINBOX\n"));
	check(boxes_subscribe(&b, SPAN("A/B/C"), false) == BOX_OK);
	check(attrs_of("A/B/C") == 0);
	/* Dovecot's second format is read and kept. */
	check(fs_replace(b.fd, "subscriptions", SPAN("V\t2\n\nA\tB\tC\nSent\n"),
		  0600) == 0);
	check(attrs_of("A/B/C") == BOX_SUBSCRIBED);
	check(boxes_subscribe(&b, SPAN("A"), true) == BOX_OK);
	check(boxes_subscribe(&b, SPAN("A/B/C"), false) == BOX_OK);
	buf_clear(&text);
	check(fs_read(b.fd, "subscriptions", &text) == 0);
	check(span_is(buf_span(&text), "V\t2\n\nSent\nA\n"));
	buf_free(&text);
}

static uint32_t
validity(const char *name, uint32_t *uidnext)
{
	struct folder_status st;
	char path[LIMIT_PATH];

	check(boxes_find(&b, span_of(name), path, sizeof(path)) == BOX_OK);
	check(folder_status(path, &st, false) == 0);
	*uidnext = st.uidnext;
	return st.uidvalidity;
}

/* APPEND through the contract; its UID. */
static uint32_t
append(const char *name, const char *text)
{
	static struct folder_append a;
	char path[LIMIT_PATH];
	uint32_t v, uid = 0;

	check(boxes_path(&b, span_of(name), path, sizeof(path)) == BOX_OK);
	check(folder_append_begin(&a, path, NULL) == 0);
	check(folder_append_create(&a) == 0);
	maildir_write(&a.file, span_of(text));
	check(folder_append_done(
		  &a, FLAG_SEEN, SPAN("$Junk Blue"), 1000000000) == 0);
	check(folder_append_commit(&a, &v, &uid) == 0);
	return uid;
}

static void
test_append(void)
{
	struct folder *f;
	char path[LIMIT_PATH];

	check(append("A", "Subject: x\n\nbody") == 1);
	check(append("A", "Subject: y\n\n") == 2);
	check(boxes_find(&b, SPAN("A"), path, sizeof(path)) == BOX_OK);
	check(folder_open(&f, path, true) == 0);
	check(folder_count(f) == 2);
	check(folder_msg(f, 0)->size == 20);
	check(folder_msg(f, 0)->date == 1000000000);
	check(folder_msg(f, 0)->flags == (FLAG_SEEN | FLAG_RECENT));
	check(strcmp(folder_keyword_name(f, 2), "Blue") == 0);
	check(folder_msg(f, 1)->keywords == 6);
	folder_close(f);
}

static void
test_rename(void)
{
	uint32_t next, v = validity("A", &next), w, n2;

	check(next == 3);
	check(boxes_rename(&b, SPAN("A"), SPAN("Sent")) == BOX_EXISTS);
	check(boxes_rename(&b, SPAN("No"), SPAN("Z")) == BOX_NONE);
	check(boxes_rename(&b, SPAN("A"), SPAN("A/X")) == BOX_BADNAME);
	check(boxes_rename(&b, SPAN("A"), SPAN("Z/Y")) == BOX_OK);
	check(attrs_of("A") == (BOX_SUBSCRIBED | BOX_NONEXISTENT));
	check(attrs_of("Z/Y/B/C") == 0);
	check(validity("Z/Y", &n2) == v && n2 == next);
	check(append("Z/Y", "x\n") == 3);
	check(boxes_create(&b, SPAN("A"), 0) == BOX_OK);
	w = validity("A", &n2);
	check(w != v && w > v && n2 == 1);
	check(boxes_delete(&b, SPAN("A")) == BOX_OK);
	check(boxes_create(&b, SPAN("A"), 0) == BOX_OK);
	check(validity("A", &n2) > w);
	check(boxes_delete(&b, SPAN("Z")) == BOX_INUSE);
	check(boxes_delete(&b, SPAN("INBOX")) == BOX_INUSE);
	check(boxes_delete(&b, SPAN("Nope")) == BOX_NONE);
	check(boxes_delete(&b, SPAN("Z/Y")) == BOX_OK);
	check(attrs_of("Z/Y") == (BOX_NOSELECT | BOX_HASCHILDREN));
}

static void
test_rename_inbox(void)
{
	struct folder_status st;
	char path[LIMIT_PATH];

	check(append("INBOX", "x\n") == 1 && append("INBOX", "y\n") == 2);
	check(boxes_rename(&b, SPAN("Inbox"), SPAN("Old")) == BOX_OK);
	check(folder_status(root, &st, false) == 0);
	check(st.messages == 0 && st.uidnext == 3);
	check(boxes_find(&b, SPAN("Old"), path, sizeof(path)) == BOX_OK);
	check(folder_status(path, &st, true) == 0);
	check(st.messages == 2 && st.size == 6 && st.unseen == 0);
}

/* A session in a mailbox that is deleted and made again has none of it. */
static void
test_deleted(void)
{
	struct folder *f;
	char path[LIMIT_PATH];
	uint32_t next, v;

	check(boxes_create(&b, SPAN("D"), 0) == BOX_OK);
	check(append("D", "x\n") == 1);
	check(boxes_find(&b, SPAN("D"), path, sizeof(path)) == BOX_OK);
	check(folder_open(&f, path, true) == 0);
	check(boxes_delete(&b, SPAN("D")) == BOX_OK);
	check(folder_refresh(f, false, NULL) == 0 && folder_removed(f));
	check(folder_count(f) == 1 && folder_msg(f, 0)->gone);
	check(folder_open_msg(f, 0) == -1 && errno == ENOENT);
	check(boxes_create(&b, SPAN("D"), 0) == BOX_OK);
	v = validity("D", &next);
	check(append("D", "y\n") == 1);
	check(folder_refresh(f, true, NULL) == 0 && folder_count(f) == 0);
	folder_close(f);
	check(validity("D", &next) == v);
}

int
main(void)
{
	if (mkdtemp(root) == NULL)
		return 1;
	conf_set_dir("/nonexistent");
	test_names();
	check(boxes_open(&b, root, '/') == 0);
	test_list();
	test_subscribe();
	test_append();
	test_rename();
	test_rename_inbox();
	test_deleted();
	boxes_close(&b);
	if (fs_remove_tree(AT_FDCWD, root) == -1)
		printf("# %s is left\n", root);
	return done();
}
