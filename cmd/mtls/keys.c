/*
 * The server's keys: loaded once, and again when their files change.
 */
#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/die.h"
#include "io/conf.h"
#include "io/deadline.h"
#include "io/log.h"
#include "mtls.h"

enum { LOOK_EVERY = 1000 }; /* milliseconds */

static uint64_t seen; /* what tells one state of the files from another */
static int64_t looked;
static bool good;

static uint64_t
mix(uint64_t h, uint64_t v)
{
	return (h ^ v) * UINT64_C(0x100000001b3);
}

static uint64_t
mix_stat(uint64_t h, const struct stat *st)
{
	h = mix(h, (uint64_t)st->st_mtim.tv_sec);
	h = mix(h, (uint64_t)st->st_mtim.tv_nsec);
	h = mix(h, (uint64_t)st->st_size);
	return mix(h, (uint64_t)st->st_ino);
}

/* A file put in place by rename changes the folder, others themselves. */
static uint64_t
look(const char *dir)
{
	char path[LIMIT_PATH];
	uint64_t sum = 0;
	struct dirent *e;
	struct stat st;
	DIR *d = opendir(dir);

	while (d != NULL && (e = readdir(d)) != NULL) {
		int n = snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);

		if (strcmp(e->d_name, "..") != 0 && n < (int)sizeof(path) &&
		    stat(path, &st) == 0)
			sum += mix_stat(UINT64_C(0xcbf29ce484222325), &st);
	}
	if (d != NULL)
		closedir(d);
	return sum;
}

static const char *
key_dir(void)
{
	static char dir[LIMIT_PATH - 16];

	if (!conf_file(dir, sizeof(dir), "tls"))
		die(EXIT_CONFIG, "%s/tls: path too long", conf_dir());
	return dir;
}

/*
 * What the programs speak, as their names tell.  Sessions may be resumed
 * where clients come back all the time; never on port 25, where tickets
 * make senders fail.
 */
static const struct {
	const char *program, *alpn;
	bool tickets;
} servers[] = {
	{ "mrecv", "smtp esmtp", false },
	{ "mpop", "pop3", true },
	{ "mimapd", "imap", true },
	{ "msieved", "managesieve", false },
};

static struct tls_ctx *
make_ctx(const struct mtls *m)
{
	for (char *const *p = m->program; *p != NULL; p++) {
		const char *slash = strrchr(*p, '/');
		const char *name = slash == NULL ? *p : slash + 1;

		if (strcmp(*p, "--") == 0)
			break;
		for (size_t i = 0; i < sizeof(servers) / sizeof(*servers); i++)
			if (strcmp(name, servers[i].program) == 0)
				return tls_server(
				    servers[i].tickets, servers[i].alpn);
	}
	return tls_server(false, NULL);
}

static const char *
default_path(void)
{
	static char path[LIMIT_PATH];

	snprintf(path, sizeof(path), "%s/default.pem", key_dir());
	return path;
}

void
keys_look(void)
{
	if (access(default_path(), R_OK) == -1)
		die_sys(EXIT_CONFIG, "%s", default_path());
}

void
keys_load(struct mtls *m)
{
	char why[256];

	keys_look();
	m->ctx = make_ctx(m);
	seen = look(key_dir());
	looked = deadline_now();
	if (tls_server_load(m->ctx, key_dir(), why, sizeof(why)) == -1)
		die(EXIT_CONFIG, "%s: %s", default_path(), why);
	good = true;
}

static void
load_changed(struct mtls *m)
{
	uint64_t now = look(key_dir());
	char why[256];

	looked = deadline_now();
	if (now == seen)
		return;
	seen = now;
	good = tls_server_load(m->ctx, key_dir(), why, sizeof(why)) == 0;
	if (!good)
		log_error(default_path(), why);
}

void
keys_refresh(struct mtls *m)
{
	if (m->ctx != NULL && deadline_now() - looked >= LOOK_EVERY)
		load_changed(m);
}

bool
keys_good(struct mtls *m)
{
	if (m->ctx == NULL)
		return true;
	load_changed(m);
	return good;
}
