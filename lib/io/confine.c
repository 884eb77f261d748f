#include "io/confine.h"

#include <sys/stat.h>

#include "io/conf.h"

static bool
is_link(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISLNK(st.st_mode);
}

size_t
confine_conf(
    struct sandbox_path *p, size_t n, const char *const *tables, size_t ntables)
{
	static char links[CONFINE_TABLES][LIMIT_PATH];

	p[n++] = (struct sandbox_path){ conf_dir(), SANDBOX_READ };
	for (size_t i = 0; i < ntables && i < CONFINE_TABLES; i++)
		if (conf_file(links[i], sizeof(links[i]), tables[i]) &&
		    is_link(links[i]))
			p[n++] =
			    (struct sandbox_path){ links[i], SANDBOX_READ };
	return n;
}

int
confine_mail(const char *root)
{
	static const char *const tables[] = { "limits", "users", "imap",
		"masks", "domains" };
	/* iconv of glibc loads what converts; musl has all in itself. */
	static const char *const libs[] = { "/lib", "/lib64", "/usr/lib",
		"/usr/lib64", "/etc/ld.so.cache" };
	enum {
		NTABLES = sizeof(tables) / sizeof(tables[0]),
		NLIBS = sizeof(libs) / sizeof(libs[0])
	};
	struct sandbox_path p[CONFINE_TABLES + NLIBS + 2];
	size_t n = 0;

	p[n++] = (struct sandbox_path){ root,
		SANDBOX_READ | SANDBOX_LIST | SANDBOX_WRITE | SANDBOX_MAKE |
		    SANDBOX_FOLDERS };
	for (size_t i = 0; i < NLIBS; i++)
		p[n++] = (struct sandbox_path){ libs[i], SANDBOX_READ };
	n = confine_conf(p, n, tables, NTABLES);
	/* the limit would be one of threads, too (io/ahead.h) */
	if (sandbox_limits(!sandbox_has_calls(), 0) == -1 ||
	    sandbox_paths(p, n) == -1)
		return -1;
	return sandbox_folders();
}
