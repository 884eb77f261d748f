/*
 * The sandbox: what mrecv can still do once it listens to the client.
 * It reads its tables and makes files in the queue; where the message
 * passes stages it may read and write in the folder of its spool.  It
 * can't read what lies in the queue, list a folder, make sockets, connect,
 * fork or execute.
 */
#include <sys/stat.h>

#include "io/conf.h"
#include "io/sandbox.h"
#include "message.h"

/* What is read for each question; others are read before. */
static const char *const tables[] = { "aliases", "domains", "limits", "users" };

enum { NTABLES = sizeof(tables) / sizeof(tables[0]), NPATHS = NTABLES + 3 };
enum { MAKE = SANDBOX_WRITE | SANDBOX_MAKE };

/* A table may be a link to a file somewhere else. */
static bool
is_link(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISLNK(st.st_mode);
}

void
confine(const struct mrecv *m)
{
	static char links[NTABLES][LIMIT_PATH];
	struct sandbox_path p[NPATHS];
	size_t n = 0;

	p[n++] = (struct sandbox_path){ conf_dir(), SANDBOX_READ };
	if (m->direct)
		p[n++] = (struct sandbox_path){ conf_path("queue"), MAKE };
	if (m->nstages > 0)
		p[n++] =
		    (struct sandbox_path){ spool_dir(), SANDBOX_READ | MAKE };
	for (size_t i = 0; i < NTABLES; i++)
		if (conf_file(links[i], sizeof(links[i]), tables[i]) &&
		    is_link(links[i]))
			p[n++] =
			    (struct sandbox_path){ links[i], SANDBOX_READ };
	if (sandbox_limits(true, 0) == -1 || sandbox_paths(p, n) == -1 ||
	    sandbox_files() == -1)
		die_sys(EXIT_TEMP, "sandbox");
}
