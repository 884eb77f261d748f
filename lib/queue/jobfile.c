#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/conf.h"
#include "io/fs.h"
#include "queue/job.h"

/* The name below the queue directory, or NULL. */
static const char *
queue_name(const char *dir, const char *file)
{
	const char *name = strrchr(file, '/');
	size_t n = strlen(dir);

	if (name == NULL || (size_t)(name - file) != n ||
	    strncmp(file, dir, n) != 0 || !ident_is_mail(span_of(name + 1)))
		return NULL;
	return name + 1;
}

int
job_open(const char *file)
{
	const char *dir = conf_path("queue"), *name = queue_name(dir, file);
	struct stat st;
	int dirfd, fd;

	errno = EACCES; /* nothing else is a queue file */
	if (name == NULL)
		return -1;
	dirfd = fs_open_dir(dir);
	if (dirfd == -1)
		return -1;
	fd =
	    openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	fs_close(dirfd);
	if (fd != -1 &&
	    (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode) ||
		st.st_nlink != 1)) {
		close(fd);
		errno = EACCES;
		return -1;
	}
	return fd;
}
