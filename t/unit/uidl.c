/* store/uidl: names kept over from another server. */
#include "store/uidl.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "io/fs.h"
#include "test.h"

static const struct {
	const char *text;
	int err;
} bad[] = {
	{ "pneu-uidl 2\n7\n1\ta\n", EPROTO },
	{ "pneu-uidl 1\n1 2\ta\n", EILSEQ },
	{ "noise", EILSEQ },
	{ "", EILSEQ },
	{ "pneu-uidl 1\n7\n1 a\n", EILSEQ },
	{ "pneu-uidl 1\n7\n2\ta\n1\tb\n", EILSEQ },
	{ "pneu-uidl 1\n7\n1\t\n", EILSEQ },
	{ "pneu-uidl 1\n7\n1\ta b\n", EILSEQ },
};

static void
write_file(int dir, const char *text)
{
	check(fs_replace(dir, "pneu.uidl", span_of(text), 0600) == 0);
}

int
main(void)
{
	char path[] = "/tmp/pneu-uidl.XXXXXX";
	struct uidl u = { 0 };
	int dir;

	check(mkdtemp(path) != NULL);
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	check(uidl_read(&u, dir, 7) == 0 && u.n == 0);
	check(uidl_write(dir, 7, SPAN("3\tfirst\n9\t<x@y>\n")) == 0);
	check(uidl_read(&u, dir, 7) == 0);
	check(span_is(uidl_find(&u, 3), "first"));
	check(span_is(uidl_find(&u, 9), "<x@y>"));
	check(uidl_find(&u, 4).n == 0 && uidl_find(&u, 10).n == 0);
	uidl_free(&u);
	check(uidl_read(&u, dir, 8) == 0 && u.n == 0);
	uidl_free(&u);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		write_file(dir, bad[i].text);
		check(uidl_read(&u, dir, 7) == -1 && errno == bad[i].err);
		check(u.n == 0);
	}
	check(uidl_ok(SPAN("!~")) && !uidl_ok(SPAN("")) &&
	    !uidl_ok(SPAN("\x7f")));
	close(dir);
	check(fs_remove_tree(AT_FDCWD, path) == 0);
	return done();
}
