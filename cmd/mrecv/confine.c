/*
 * The sandbox: what mrecv can still do once it listens to the client.
 * It reads its tables and makes files in the queue; where the message
 * passes stages it may read and write in the folder of its spool.  It
 * can't read what lies in the queue, list a folder, make sockets, connect,
 * fork or execute.
 */
#include "io/confine.h"
#include "io/conf.h"
#include "message.h"

/* What is read for each question; others are read before. */
static const char *const tables[] = { "aliases", "domains", "limits", "users" };

enum { NTABLES = sizeof(tables) / sizeof(tables[0]) };
enum { MAKE = SANDBOX_WRITE | SANDBOX_MAKE };

void
confine(const struct mrecv *m)
{
	struct sandbox_path p[CONFINE_TABLES + 3];
	size_t n = 0;

	if (m->direct)
		p[n++] = (struct sandbox_path){ conf_path("queue"), MAKE };
	if (m->nstages > 0)
		p[n++] =
		    (struct sandbox_path){ spool_dir(), SANDBOX_READ | MAKE };
	n = confine_conf(p, n, tables, NTABLES);
	if (sandbox_limits(true, 0) == -1 || sandbox_paths(p, n) == -1 ||
	    sandbox_files() == -1)
		die_sys(EXIT_TEMP, "sandbox");
}
