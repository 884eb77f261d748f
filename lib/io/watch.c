#include "io/watch.h"

#include <errno.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/inotify.h>

int
watch_open(void)
{
	return inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
}

int
watch_dir(int watch, const char *path)
{
	return inotify_add_watch(watch, path,
		   IN_CREATE | IN_DELETE | IN_MOVE | IN_ONLYDIR) == -1
	    ? -1
	    : 0;
}

int
watch_file(int watch, const char *path)
{
	return inotify_add_watch(watch, path, IN_MODIFY | IN_ATTRIB) == -1 ? -1
									   : 0;
}

bool
watch_drain(int watch)
{
	/* Aligned as events are, though they are not looked at. */
	static uint64_t events[512];
	bool any = false;
	ssize_t n;

	for (;;) {
		n = read(watch, events, sizeof(events));
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			return any;
		any = true;
	}
}

int
watch_dir_attrs(int watch, const char *path)
{
	return inotify_add_watch(watch, path,
		   IN_CREATE | IN_DELETE | IN_MOVE | IN_ATTRIB | IN_ONLYDIR) ==
		-1
	    ? -1
	    : 0;
}

/* Call f for each event; false when the system has lost some. */
static bool
each_event(int watch,
    void (*f)(void *ctx, const struct inotify_event *, const char *name),
    void *ctx)
{
	static uint64_t events[1024];
	bool whole = true;
	ssize_t n;

	while ((n = read(watch, events, sizeof(events))) > 0 ||
	    (n == -1 && errno == EINTR)) {
		const char *p = (const char *)events, *end = p + n;

		while (p < end) {
			struct inotify_event e;

			memcpy(&e, p, sizeof(e));
			if ((e.mask & IN_Q_OVERFLOW) != 0)
				whole = false;
			else
				f(ctx, &e, p + sizeof(e));
			p += sizeof(e) + e.len;
		}
	}
	return whole;
}

struct names {
	void (*f)(void *ctx, const char *name, bool came);
	void *ctx;
};

static void
tell_name(void *ctx, const struct inotify_event *e, const char *name)
{
	const struct names *n = ctx;

	if (e->len > 0 && (e->mask & (IN_DELETE | IN_MOVED_FROM)) == 0)
		n->f(n->ctx, name, (e->mask & IN_ATTRIB) == 0);
}

bool
watch_names(
    int watch, void (*f)(void *ctx, const char *name, bool came), void *ctx)
{
	return each_event(watch, tell_name, &(struct names){ f, ctx });
}

int
watch_add(int watch, const char *path)
{
	return inotify_add_watch(watch, path,
	    IN_CREATE | IN_DELETE | IN_MOVE | IN_MODIFY | IN_ONLYDIR);
}

struct numbers {
	void (*f)(void *ctx, int number);
	void *ctx;
};

static void
tell_number(void *ctx, const struct inotify_event *e, const char *name)
{
	const struct numbers *n = ctx;

	(void)name;
	n->f(n->ctx, e->wd);
}

bool
watch_each(int watch, void (*f)(void *ctx, int number), void *ctx)
{
	return each_event(watch, tell_number, &(struct numbers){ f, ctx });
}

#else

int
watch_open(void)
{
	errno = ENOSYS;
	return -1;
}

int
watch_dir(int watch, const char *path)
{
	(void)watch;
	(void)path;
	errno = ENOSYS;
	return -1;
}

int
watch_file(int watch, const char *path)
{
	return watch_dir(watch, path);
}

bool
watch_drain(int watch)
{
	(void)watch;
	return false;
}

int
watch_dir_attrs(int watch, const char *path)
{
	return watch_dir(watch, path);
}

bool
watch_names(
    int watch, void (*f)(void *ctx, const char *name, bool came), void *ctx)
{
	(void)watch;
	(void)f;
	(void)ctx;
	return true;
}

int
watch_add(int watch, const char *path)
{
	return watch_dir(watch, path);
}

bool
watch_each(int watch, void (*f)(void *ctx, int number), void *ctx)
{
	(void)watch;
	(void)f;
	(void)ctx;
	return true;
}

#endif
