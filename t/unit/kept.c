/* store/facts: what is kept of a message is believed, until forgotten. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/fs.h"
#include "store/folder.h"
#include "test.h"

static char root[64] = "/tmp/kept.XX"
		       "XX"
		       "XX";

static void
put_message(void)
{
	char path[128];
	FILE *f;

	for (int i = 0; i < 3; i++) {
		static const char *const dirs[] = { "tmp", "new", "cur" };

		snprintf(path, sizeof(path), "%s/%s", root, dirs[i]);
		check(mkdir(path, 0700) == 0);
	}
	snprintf(path, sizeof(path), "%s/cur/1000.M1.host:2,S", root);
	f = fopen(path, "w");
	check(f != NULL);
	if (f == NULL)
		exit(1);
	fputs("Subject: s\n\nbody\n", f);
	fclose(f);
}

/* What a session that begins anew is told; forget: after that. */
static void
look(const char *put, bool forget, const char *structure, const char *preview)
{
	struct folder *f;
	struct digest g;

	check(folder_open(&f, root, true) == 0);
	if (put != NULL) {
		folder_fact_put(
		    f, 0, FACT_BODY, (struct span){ put + 1, (size_t)put[0] });
		folder_close(f);
		check(folder_open(&f, root, true) == 0);
	}
	if (forget)
		folder_fact_forget(f, 0, FACT_BODY);
	check(folder_digest(f, 0, DIGEST_BODY, &g) == 0);
	check(span_is(g.structure, structure));
	check(span_is(g.preview, preview));
	folder_close(f);
}

int
main(void)
{
	static const char plain[] = "(\"text\" \"plain\" (\"charset\" "
				    "\"us-ascii\") NIL NIL \"7bit\" 6 1 NIL "
				    "NIL NIL NIL)";

	check(mkdtemp(root) != NULL);
	put_message();
	look(NULL, false, plain, "body");
	/* as it is now, and with a BODY before it */
	look("\011\010\003\0\0(x)Hi", false, "(x)", "Hi");
	look("\017\0\003\0\0(b)\003\0\0(y)Ho", false, "(y)", "Ho");
	look(NULL, false, "(y)", "Ho");
	look(NULL, true, plain, "body");
	look(NULL, false, plain, "body");
	look("\004\010\003\0\0", false, plain, "body");
	check(fs_remove_tree(AT_FDCWD, root) == 0);
	return done();
}
