/*
 * The server's keys: loaded once, and again when their files change.
 */
#include <sys/stat.h>

#include "base/die.h"
#include "io/conf.h"
#include "io/deadline.h"
#include "io/log.h"
#include "io/spawn.h"
#include "mtls.h"

/* What tells one state of the files from another. */
struct state {
	int64_t dir_mtime, mtime, size, inode;
};

static struct state seen;
static int64_t looked;

static int64_t
ns(struct timespec t)
{
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static struct state
look(const char *dir)
{
	char path[LIMIT_PATH];
	struct stat st, d;
	struct state s = { 0 };

	snprintf(path, sizeof(path), "%s/default.pem", dir);
	if (stat(path, &st) == 0 && stat(dir, &d) == 0)
		s = (struct state){ ns(d.st_mtim), ns(st.st_mtim),
			(int64_t)st.st_size, (int64_t)st.st_ino };
	return s;
}

static const char *
key_dir(void)
{
	static char dir[LIMIT_PATH];

	if (!conf_file(dir, sizeof(dir), "tls"))
		die(EXIT_CONFIG, "%s/tls: path too long", conf_dir());
	return dir;
}

/*
 * Sessions may be resumed where clients come back all the time; never on
 * port 25, where tickets make senders fail.
 */
static bool
wants_tickets(const struct mtls *m)
{
	for (char *const *p = m->program; *p != NULL; p++)
		if (strcmp(*p, "mimapd") == 0 || strcmp(*p, "mpop") == 0)
			return true;
	return false;
}

void
keys_load(struct mtls *m)
{
	char why[256];

	m->ctx = tls_server(wants_tickets(m));
	seen = look(key_dir());
	looked = deadline_now();
	if (tls_server_load(m->ctx, key_dir(), why, sizeof(why)) == -1)
		die(EXIT_CONFIG, "%s/default.pem: %s", key_dir(), why);
}

void
keys_refresh(struct mtls *m)
{
	int64_t now = deadline_now();
	struct state s;
	char why[256];

	if (now - looked < 1000)
		return;
	looked = now;
	s = look(key_dir());
	if (memcmp(&s, &seen, sizeof(s)) == 0)
		return;
	seen = s;
	if (tls_server_load(m->ctx, key_dir(), why, sizeof(why)) == -1)
		log_error(key_dir(), why);
}
